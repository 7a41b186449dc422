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

/// Where the bracket that is open `depth` times closes: just behind it. `None` where the text ends before.
pub(super) fn end_of_open(text: &str, mut depth: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The closing quote of the string that opens at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
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
        assert_eq!(end_of_open(r#""}\"}" } x"#, 1), Some(8));
        assert_eq!(end_of_open(r#""}"#, 1), None);
    }
}
