//! JSON values one after the other, without holding the document: where each ends, and its top-level keys.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The value at the beginning of a text, and where it ends.
pub(super) fn first_value<'a, T: Deserialize<'a>>(text: &'a str) -> serde_json::Result<(T, usize)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    match values.next() {
        Some(Ok(value)) => Ok((value, values.byte_offset())),
        Some(Err(error)) => Err(error),
        None => serde_json::from_str::<T>(text).map(|value| (value, text.len())),
    }
}

/// A top-level object: its keys and their values' text.
pub(super) struct Top<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Top<'a> {
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(own, _)| own == key)
    }

    /// The text of a value; of two equal keys the last counts, as in most readers.
    pub(super) fn raw(&self, key: &str) -> Option<&'a str> {
        self.0
            .iter()
            .rev()
            .find(|(own, _)| own == key)
            .map(|(_, value)| value.get())
    }

    pub(super) fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        #[derive(Deserialize)]
        struct Text<'t>(#[serde(borrow)] Cow<'t, str>);
        serde_json::from_str::<Text<'a>>(self.raw(key)?).ok().map(|text| text.0)
    }

    pub(super) fn has_array(&self, key: &str) -> bool {
        self.raw(key).is_some_and(|raw| raw.starts_with('['))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Top<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Top<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut keys = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    keys.push((key, map.next_value()?));
                }
                Ok(Top(keys))
            }
        }
        #[derive(Deserialize)]
        struct Key<'k>(#[serde(borrow)] Cow<'k, str>);
        deserializer.deserialize_map(Object)
    }
}

/// Looks for the end of a value whose beginning is behind, stretch by stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scan {
    /// Brackets that are open.
    depth: usize,
    in_string: bool,
    /// The next byte is escaped by the last of the stretch before.
    is_escaped: bool,
}

impl Scan {
    /// Behind an opening bracket.
    pub(super) fn open() -> Self {
        Self {
            depth: 1,
            in_string: false,
            is_escaped: false,
        }
    }

    /// Where the value ends: just behind its last bracket. `None` where the stretch ends before; the next one goes on.
    pub(super) fn end(&mut self, text: &str) -> Option<usize> {
        let bytes = text.as_bytes();
        let mut at = usize::from(std::mem::take(&mut self.is_escaped));
        while at < bytes.len() {
            if self.in_string {
                at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
                if bytes[at] == b'"' {
                    self.in_string = false;
                    at += 1;
                } else {
                    self.is_escaped = at + 1 == bytes.len();
                    at += 2;
                }
                continue;
            }
            match bytes[at] {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }
}

/// How the records of an object begin: a text that stands at a record's beginning and, as quotes inside texts are escaped, nowhere
/// else, so that reading can go on behind a record that is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Start(Vec<u8>);

/// How the records of CloudTrail, of the audit log, of subscriptions, of CloudWatch and of Insights begin where AWS writes them.
const KNOWN: [&str; 6] = [
    "{\"eventVersion\"",
    "{\"kind\":\"Event\"",
    "{\"messageType\"",
    "{\"timestamp\"",
    "{\"logStreamName\"",
    "[{\"field\"",
];

impl Start {
    /// The beginning of this record: its brackets and first key. Objects of Kubernetes within a record begin with `kind` too: there the
    /// value counts.
    pub(super) fn of(record: &str) -> Option<Self> {
        let brackets = record.len() - record.trim_start_matches(['{', '[']).len();
        let key = record.get(brackets..)?.strip_prefix('"')?;
        let mut end = brackets + 2 + memchr::memchr(b'"', key.as_bytes())?;
        if matches!(&record[brackets..end], "\"kind\"" | "\"apiVersion\"") {
            let behind = record[end..].trim_start_matches(|c: char| c == ':' || c.is_ascii_whitespace());
            let value = behind.strip_prefix('"')?;
            end = record.len() - value.len() + memchr::memchr(b'"', value.as_bytes())? + 1;
        }
        (brackets > 0 && end <= Self::LONGEST).then(|| Self(record.as_bytes()[..end].to_vec()))
    }

    /// What is longer is no first key.
    pub(super) const LONGEST: usize = 96;

    /// Where the first record begins that begins as the known logs' do, the beginning of the text aside.
    pub(super) fn find_known_behind(text: &str) -> Option<usize> {
        let rest = text.as_bytes().get(1..)?;
        let known = KNOWN
            .iter()
            .filter_map(|start| memchr::memmem::find(rest, start.as_bytes()));
        known.min().map(|at| at + 1)
    }

    /// Where the next record begins, the beginning of the text aside.
    pub(super) fn find_behind(&self, text: &str) -> Option<usize> {
        let rest = text.as_bytes().get(1..)?;
        memchr::memmem::find(rest, &self.0).map(|at| at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_it_ends() {
        let (top, end) = first_value::<Top<'_>>(r#"{"a": "x", "b": [1]}{"c":1}"#).unwrap();
        assert_eq!(
            (end, top.text("a").as_deref(), top.has_array("b")),
            (20, Some("x"), true)
        );
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        for (text, end) in [
            (r#""}\"}" } x"#, Some(8)),
            (r#""}"#, None),
            (r#"{"a":"\\"}]} "#, Some(11)),
        ] {
            assert_eq!(Scan::open().end(text), end, "{text}");
            // However it is cut.
            for cut in 0..=text.len() {
                let mut scan = Scan::open();
                let (before, behind) = text.split_at(cut);
                let found = scan.end(before).or_else(|| Some(cut + scan.end(behind)?));
                assert_eq!(found, end, "{text} at {cut}");
            }
        }
    }

    #[test]
    fn a_record_begins_as_others_do() {
        let start = |text: &str| Start::of(text).map(|start| String::from_utf8(start.0).unwrap());
        for (record, expected) in [
            (r#"{"eventVersion":"1.08","a":1}"#, r#"{"eventVersion""#),
            (r#"[{"field":"@message","value":"x"}]"#, r#"[{"field""#),
            (r#"{"kind": "Event","level":"x"}"#, r#"{"kind": "Event""#),
        ] {
            assert_eq!(start(record).as_deref(), Some(expected));
        }
        assert_eq!((start("time=\"x\""), start("{}")), (None, None));
        let start = Start::of(r#"{"a":1}"#).unwrap();
        assert_eq!(start.find_behind(r#"{"a":"{\"a\"",{"a":2}"#), Some(14));
    }
}
