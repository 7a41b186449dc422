//! The page's data in few bytes: findings column by column, each string once, then gzip and base64.
//!
//! A finding's sentences and commands repeat its own names ("… RoleBinding in dev for dave"). Such names are written as places
//! (one letter of the private use area, in the order of `names`), so that 100,000 findings of a kind share one sentence.
//! `page/unpack.js` reads it; nothing is lost: a row read there is the finding as it stands in report.json.

use std::collections::HashMap;

use eksplain_analyze::time::{Micros, format_rfc3339, parse_rfc3339};
use eksplain_lake::RecordId;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Letters that stand for a finding's names; one that a log holds is written behind [`LITERAL`].
const PLACES: std::ops::RangeInclusive<char> = '\u{e000}'..='\u{e01f}';
const LITERAL: char = '\u{e01f}';
/// What JavaScript's numbers hold exactly.
const LARGEST_TIME: Micros = (1 << 53) - 1;
/// Shorter names are found in words that do not mean them, and save nothing.
const SHORTEST_NAME: usize = 3;
/// Strings from this length on may hold names.
const SHORTEST_TEXT: usize = 16;

/// Findings of one kind, column by column.
pub(super) struct Packed {
    /// Paths of the values that other strings of a finding repeat; one that ends with `/` means what follows the last slash.
    names: &'static [&'static str],
    rows: Column,
    /// What no finding has as a field, and people search by.
    beside: Column,
    count: usize,
}

/// Each string once, for all columns.
#[derive(Default)]
pub(super) struct Strings {
    ids: HashMap<String, usize>,
    all: Vec<String>,
    /// Where it stands in the page's list: only what some column refers to is written.
    places: Vec<Option<usize>>,
    written: Vec<usize>,
    /// Pieces of evidence that some item has, before any is left out.
    pub(super) most_evidence: usize,
}

impl Strings {
    fn id(&mut self, text: String) -> usize {
        if let Some(id) = self.ids.get(&text) {
            return *id;
        }
        let id = self.all.len();
        self.all.push(text.clone());
        self.places.push(None);
        self.ids.insert(text, id);
        id
    }

    fn place(&mut self, id: usize) -> usize {
        *self.places[id].get_or_insert_with(|| {
            self.written.push(id);
            self.written.len() - 1
        })
    }

    pub(super) fn to_value(&self) -> Value {
        self.written.iter().map(|id| self.all[*id].as_str()).collect()
    }
}

/// The values of one field in all rows.
enum Column {
    /// Null in so many rows, so far.
    Nothing(usize),
    Text(Vec<Option<usize>>),
    Number(Vec<Value>),
    Object {
        present: Vec<bool>,
        fields: Vec<(String, Column)>,
    },
    List {
        lengths: Vec<Option<usize>>,
        items: Box<Column>,
    },
}

impl Packed {
    pub(super) fn new(names: &'static [&'static str]) -> Self {
        Self {
            names,
            rows: Column::Nothing(0),
            beside: Column::Object {
                present: Vec::new(),
                fields: Vec::new(),
            },
            count: 0,
        }
    }

    /// Adds a finding, with at most so many pieces of evidence an item (the last ones, and the first), and what stands beside it.
    pub(super) fn push<F: Serialize>(
        &mut self,
        finding: &F,
        beside: Value,
        evidence: usize,
        strings: &mut Strings,
    ) -> serde_json::Result<()> {
        let mut row = serde_json::to_value(finding)?;
        strings.most_evidence = strings.most_evidence.max(keep_evidence(&mut row, evidence));
        self.shorten(&mut row);
        self.rows.push(row, strings);
        self.beside.push(beside, strings);
        self.count += 1;
        Ok(())
    }

    pub(super) fn into_value(self, strings: &mut Strings) -> Value {
        json!({
            "names": self.names,
            "count": self.count,
            "rows": self.rows.into_value(strings),
            "beside": self.beside.into_value(strings),
        })
    }

    /// Writes places for the finding's own names.
    fn shorten(&self, row: &mut Value) {
        let mut names: Vec<(usize, String)> = self
            .names
            .iter()
            .enumerate()
            .filter_map(|(place, path)| Some((place, name_at(row, path)?)))
            .filter(|(_, name)| name.len() >= SHORTEST_NAME && !name.contains(is_place))
            .collect();
        make_literal(row);
        // The longest first: an ARN holds the role's name.
        names.sort_by_key(|(place, name)| (std::cmp::Reverse(name.len()), *place));
        self.shorten_below("", row, &names);
    }

    fn shorten_below(&self, path: &str, value: &mut Value, names: &[(usize, String)]) {
        match value {
            // A name stands once as it is.
            Value::String(_) if self.names.iter().any(|name| name.trim_end_matches('/') == path) => {}
            Value::String(text) if text.len() >= SHORTEST_TEXT => {
                for (place, name) in names {
                    if text.contains(name.as_str()) {
                        let letter = PLACES
                            .clone()
                            .nth(*place)
                            .expect("a kind of finding has fewer names than places");
                        *text = text.replace(name.as_str(), letter.encode_utf8(&mut [0; 4]));
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.shorten_below(path, item, names)),
            Value::Object(fields) => {
                for (field, value) in fields {
                    let below = if path.is_empty() {
                        field.clone()
                    } else {
                        format!("{path}.{field}")
                    };
                    self.shorten_below(&below, value, names);
                }
            }
            _ => {}
        }
    }
}

fn name_at(row: &Value, path: &str) -> Option<String> {
    let whole = path.trim_end_matches('/');
    let text = whole
        .split('.')
        .try_fold(row, |value, field| value.get(field))?
        .as_str()?;
    Some(if whole.len() == path.len() {
        text.to_owned()
    } else {
        text.rsplit('/').next()?.to_owned()
    })
}

fn is_place(letter: char) -> bool {
    PLACES.contains(&letter)
}

/// Marks letters of the logs that would be read as places.
fn make_literal(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(is_place) => {
            let marked = text.chars().flat_map(|letter| {
                let mark = is_place(letter).then_some(LITERAL);
                mark.into_iter().chain([letter])
            });
            *text = marked.collect();
        }
        Value::Array(items) => items.iter_mut().for_each(make_literal),
        Value::Object(fields) => fields.values_mut().for_each(make_literal),
        _ => {}
    }
}

/// Leaves the first piece of evidence and the last ones, so many in all; gives the most that an item had.
fn keep_evidence(value: &mut Value, most: usize) -> usize {
    match value {
        Value::Array(items) => items
            .iter_mut()
            .map(|item| keep_evidence(item, most))
            .max()
            .unwrap_or(0),
        Value::Object(fields) => fields
            .iter_mut()
            .map(|(name, field)| match field {
                Value::Array(items) if name == "evidence" => {
                    let seen = items.len();
                    if most == 0 {
                        items.clear();
                    } else if seen > most {
                        items.drain(1..=seen - most);
                    }
                    seen
                }
                other => keep_evidence(other, most),
            })
            .max()
            .unwrap_or(0),
        _ => 0,
    }
}

impl Column {
    fn push(&mut self, value: Value, strings: &mut Strings) {
        if let Self::Nothing(nulls) = self {
            if value.is_null() {
                *nulls += 1;
                return;
            }
            *self = Self::of_kind(&value, *nulls);
        }
        match (self, value) {
            (Self::Text(ids), Value::String(text)) => ids.push(Some(strings.id(text))),
            (Self::Text(ids), _) => ids.push(None),
            (Self::Number(values), value) => values.push(value),
            (Self::List { lengths, items }, Value::Array(list)) => {
                lengths.push(Some(list.len()));
                list.into_iter().for_each(|item| items.push(item, strings));
            }
            (Self::List { lengths, .. }, _) => lengths.push(None),
            (Self::Object { present, fields }, value) => {
                let (is_present, mut object) = match value {
                    Value::Object(object) => (true, object),
                    _ => (false, Map::new()),
                };
                for name in object.keys() {
                    if !fields.iter().any(|(known, _)| known == name) {
                        fields.push((name.clone(), Self::Nothing(present.len())));
                    }
                }
                for (name, column) in fields {
                    column.push(object.remove(name).unwrap_or(Value::Null), strings);
                }
                present.push(is_present);
            }
            (Self::Nothing(_), _) => {}
        }
    }

    /// A column for such values, null so far.
    fn of_kind(value: &Value, nulls: usize) -> Self {
        match value {
            Value::String(_) => Self::Text(vec![None; nulls]),
            Value::Array(_) => Self::List {
                lengths: vec![None; nulls],
                items: Box::new(Self::Nothing(0)),
            },
            Value::Object(_) => Self::Object {
                present: vec![false; nulls],
                fields: Vec::new(),
            },
            _ => Self::Number(vec![Value::Null; nulls]),
        }
    }

    /// `{"k": kind, …}`; kinds are those of `page/unpack.js`.
    fn into_value(self, strings: &mut Strings) -> Value {
        match self {
            Self::Nothing(_) => json!({"k": "null"}),
            Self::Text(ids) => text(&ids, strings),
            Self::Number(values) => match values.split_first() {
                Some((first, rest)) if rest.iter().all(|value| value == first) => json!({"k": "same", "v": first}),
                _ => json!({"k": "number", "v": values}),
            },
            Self::List { lengths, items } => {
                let lengths: Vec<i64> = lengths
                    .iter()
                    .map(|length| length.map_or(-1, |length| i64::try_from(length).unwrap_or(i64::MAX)))
                    .collect();
                json!({"k": "list", "n": lengths, "v": items.into_value(strings)})
            }
            Self::Object { present, fields } => {
                let shorter = shorter_times(&fields, strings);
                let fields: Map<String, Value> = fields
                    .into_iter()
                    .map(|(name, column)| {
                        let value = match &shorter {
                            Some((short, value)) if *short == name => value.clone(),
                            _ => column.into_value(strings),
                        };
                        (name, value)
                    })
                    .collect();
                if present.iter().all(|present| *present) {
                    json!({"k": "object", "f": fields})
                } else {
                    let present: Vec<u8> = present.into_iter().map(u8::from).collect();
                    json!({"k": "object", "p": present, "f": fields})
                }
            }
        }
    }
}

/// The field of times that another field nearly tells: `ts` says what `id` says, `last_seen` is mostly `first_seen`.
fn shorter_times(fields: &[(String, Column)], strings: &Strings) -> Option<(&'static str, Value)> {
    let texts = |name: &str| {
        fields.iter().find_map(|(known, column)| match column {
            Column::Text(ids) if known == name => Some(ids),
            _ => None,
        })
    };
    // What is said once for all rows is short already.
    let base = |name: &str| texts(name).filter(|ids| !is_same(ids));
    if let (Some(ids), Some(times)) = (base("id"), texts("ts")) {
        let is_told = ids.iter().zip(times).all(|pair| match pair {
            (Some(id), Some(time)) => {
                id_parts(&strings.all[*id]).is_some_and(|(micros, _)| format_rfc3339(micros) == strings.all[*time])
            }
            _ => false,
        });
        return is_told.then(|| ("ts", json!({"k": "time-of-id"})));
    }
    let (first, last) = (base("first_seen")?, texts("last_seen")?);
    let waits: Option<Vec<Option<Micros>>> = first
        .iter()
        .zip(last)
        .map(|pair| match pair {
            (Some(first), Some(last)) => {
                let (first, last) = (time_of(&strings.all[*first])?, time_of(&strings.all[*last])?);
                Some(Some(last - first).filter(|wait| *wait >= 0))
            }
            _ => None,
        })
        .collect();
    let waits = waits.filter(|waits| waits.iter().all(Option::is_some))?;
    Some((
        "last_seen",
        json!({"k": "after", "of": "first_seen", "t": times_value(&waits)}),
    ))
}

fn is_same(ids: &[Option<usize>]) -> bool {
    ids.windows(2).all(|pair| pair[0] == pair[1])
}

/// Strings as what says them shortest: ids, times, one for all, or places in the list of strings.
fn text(ids: &[Option<usize>], strings: &mut Strings) -> Value {
    if is_same(ids) {
        let shared = ids.first().copied().flatten().map(|id| strings.all[id].as_str());
        return json!({"k": "same", "v": shared});
    }
    let of = |id: &Option<usize>| id.map(|id| strings.all[id].as_str());
    if let Some(parts) = ids.iter().map(|id| id_parts(of(id)?)).collect::<Option<Vec<_>>>() {
        let rest: String = parts.iter().map(|(_, rest)| *rest).collect();
        let times: Vec<Option<Micros>> = parts.iter().map(|(time, _)| Some(*time)).collect();
        return json!({"k": "id", "t": times_value(&times), "v": rest});
    }
    let time = |id: &Option<usize>| match of(id) {
        None => Some(None),
        Some(text) => time_of(text).map(Some),
    };
    if let Some(times) = ids.iter().map(time).collect::<Option<Vec<_>>>() {
        return json!({"k": "time", "t": times_value(&times)});
    }
    let places: Vec<i64> = ids
        .iter()
        .map(|id| id.map_or(-1, |id| i64::try_from(strings.place(id)).unwrap_or(-1)))
        .collect();
    json!({"k": "text", "v": places})
}

/// Times as whole seconds where they are, else microseconds, counted from the first.
fn times_value(times: &[Option<Micros>]) -> Value {
    const SECOND: Micros = 1_000_000;
    let is_whole = times.iter().flatten().all(|time| time % SECOND == 0);
    let unit = if is_whole { SECOND } else { 1 };
    let from = times.iter().flatten().min().copied().unwrap_or(0) / unit;
    let counts: Vec<Option<Micros>> = times.iter().map(|time| time.map(|time| time / unit - from)).collect();
    json!({"unit": unit, "from": from, "v": counts})
}

/// A time that JavaScript counts exactly, and that is written as it was.
fn time_of(text: &str) -> Option<Micros> {
    parse_rfc3339(text).filter(|time| (0..=LARGEST_TIME).contains(time) && format_rfc3339(*time) == text)
}

/// A record id as its time and the rest of its text.
fn id_parts(text: &str) -> Option<(Micros, &str)> {
    let id: RecordId = text.parse().ok()?;
    let time = Micros::try_from(id.time()).ok().filter(|time| *time <= LARGEST_TIME)?;
    Some((time, text.get(12..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_piece_of_evidence_and_the_last_stay() {
        let kept = |most: usize| {
            let mut finding = json!({"routes": [{"evidence": [1, 2, 3, 4, 5]}], "evidence": [6]});
            assert_eq!(keep_evidence(&mut finding, most), 5);
            finding["routes"][0]["evidence"].clone()
        };
        assert_eq!(kept(5), json!([1, 2, 3, 4, 5]));
        assert_eq!(kept(2), json!([1, 5]));
        assert_eq!(kept(1), json!([1]));
        assert_eq!(kept(0), json!([]));
    }

    #[test]
    fn findings_of_a_kind_share_their_sentences() {
        let mut strings = Strings::default();
        let mut packed = Packed::new(&["principal", "principal/", "cluster.name"]);
        for number in 0..50 {
            let principal = format!("arn:aws:iam::111122223333:role/job-{number}");
            let cause =
                format!("no mapping of production-cluster-{number} admits {principal}; job-{number} is unknown");
            let row = json!({"principal": principal, "cluster": {"name": format!("production-cluster-{number}")}, "cause": cause});
            packed.push(&row, json!({}), 5, &mut strings).unwrap();
        }
        packed.into_value(&mut strings);
        let sentences = strings.to_value();
        let sentences: Vec<&str> = sentences.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(
            sentences.len(),
            100,
            "names and principals, for the sentence is one: {sentences:?}"
        );
    }
}
