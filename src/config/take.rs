//! Takes a TOML document apart, value by value, and remembers every fault with its place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::shape::Advice;
use super::words::nearest;
use crate::error::Pointer;

/// What was found wrong, and what odd.
#[derive(Debug, Default)]
pub(super) struct Found(pub(super) Vec<Pointer>);

/// One table of the document.
#[derive(Clone, Copy)]
pub(super) struct Section<'a, 't> {
    /// As it is written: `[report]`.
    name: &'static str,
    table: &'a DeTable<'t>,
    /// Of its head; the whole text for the top.
    start: usize,
    end: usize,
}

/// Says what is wrong with a value, if anything.
pub(super) type Shape<'s> = &'s dyn Fn(&str) -> Result<(), Advice>;

impl Found {
    pub(super) fn fault(&mut self, at: Range<usize>, what: impl Into<String>, advice: impl Into<String>) {
        self.add(Pointer::new(at, what, advice));
    }

    pub(super) fn warn(&mut self, at: Range<usize>, what: impl Into<String>, advice: impl Into<String>) {
        self.add(Pointer::new(at, what, advice).warning());
    }

    /// What stands at the top may be found wrong by each source that it holds for.
    fn add(&mut self, pointer: Pointer) {
        if !self.0.contains(&pointer) {
            self.0.push(pointer);
        }
    }
}

impl<'a, 't> Section<'a, 't> {
    pub(super) fn new(name: &'static str, table: &'a DeTable<'t>, at: Range<usize>) -> Self {
        Self {
            name,
            table,
            start: at.start,
            end: at.end,
        }
    }

    /// Where a key's value stands; the table's head where the key is absent.
    pub(super) fn at(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or(self.start..self.end, Spanned::span)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Every key is one of these; `elsewhere` knows where others belong.
    pub(super) fn keys(&self, found: &mut Found, known: &[&'static str], elsewhere: impl Fn(&str) -> Option<String>) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let advice = elsewhere(name)
                .or_else(|| nearest(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?")))
                .unwrap_or_else(|| format!("{} takes {}", self.name, known.join(", ")));
            found.fault(key.span(), format!("unknown key `{name}` in {}", self.name), advice);
        }
    }

    /// A table below this one.
    pub(super) fn table(&self, found: &mut Found, key: &str, name: &'static str) -> Option<Section<'a, 't>> {
        let value = self.table.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Section::new(name, table, value.span())),
            other => {
                found.fault(
                    value.span(),
                    format!("`{key}` is {}, not a table", kind(other)),
                    format!("write {name} on a line of its own"),
                );
                None
            }
        }
    }

    /// The tables of an array of tables.
    pub(super) fn tables(&self, found: &mut Found, key: &str, name: &'static str) -> Vec<Section<'a, 't>> {
        let Some(value) = self.table.get(key) else {
            return Vec::new();
        };
        let advice = format!("write {name} before each");
        let DeValue::Array(items) = value.get_ref() else {
            found.fault(
                value.span(),
                format!("`{key}` is one table, and there may be several"),
                advice,
            );
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => sections.push(Section::new(name, table, item.span())),
                other => found.fault(item.span(), format!("`{key}` contains {}", kind(other)), advice.clone()),
            }
        }
        sections
    }

    /// A text of a shape.
    pub(super) fn text(&self, found: &mut Found, key: &str, shape: Shape<'_>) -> Option<String> {
        let value = self.table.get(key)?;
        text_of(found, key, value, shape)
    }

    /// A list of texts of a shape; one text stands for a list of one.
    pub(super) fn texts(&self, found: &mut Found, key: &str, shape: Shape<'_>) -> Vec<String> {
        let Some(value) = self.table.get(key) else {
            return Vec::new();
        };
        match value.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| text_of(found, key, item, shape))
                .collect(),
            _ => text_of(found, key, value, shape).into_iter().collect(),
        }
    }

    /// Each text of a list with its place.
    pub(super) fn places(&self, key: &str) -> Vec<(String, Range<usize>)> {
        let one = |item: &Spanned<DeValue<'t>>| Some((item.get_ref().as_str()?.to_owned(), item.span()));
        match self.table.get(key) {
            None => Vec::new(),
            Some(value) => match value.get_ref() {
                DeValue::Array(items) => items.iter().filter_map(one).collect(),
                _ => one(value).into_iter().collect(),
            },
        }
    }

    /// One of some words.
    pub(super) fn word(&self, found: &mut Found, key: &str, choices: &[&'static str]) -> Option<&'static str> {
        let text = self.text(found, key, &|text| one_of(text, choices))?;
        choices.iter().copied().find(|choice| *choice == text)
    }

    /// Some of some words, each once, in the order of the choices.
    pub(super) fn words(&self, found: &mut Found, key: &str, choices: &[&'static str]) -> Vec<&'static str> {
        let texts = self.texts(found, key, &|text| one_of(text, choices));
        choices
            .iter()
            .copied()
            .filter(|choice| texts.iter().any(|text| text == choice))
            .collect()
    }

    pub(super) fn flag(&self, found: &mut Found, key: &str) -> bool {
        let Some(value) = self.table.get(key) else {
            return false;
        };
        match value.get_ref() {
            DeValue::Boolean(flag) => *flag,
            other => {
                found.fault(
                    value.span(),
                    format!("`{key}` is {}", kind(other)),
                    "write true or false",
                );
                false
            }
        }
    }

    /// A number above nought.
    pub(super) fn rate(&self, found: &mut Found, key: &str) -> Option<f64> {
        let value = self.table.get(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) => Some(number.as_str()),
            DeValue::Float(number) => Some(number.as_str()),
            _ => None,
        };
        let rate = number.and_then(|digits| digits.replace('_', "").parse::<f64>().ok());
        let rate = rate.filter(|rate| rate.is_finite() && *rate > 0.0);
        if rate.is_none() {
            found.fault(
                value.span(),
                format!("`{key}` is not a valid rate"),
                "write a positive number of requests per second, for instance 1.5",
            );
        }
        rate
    }
}

fn one_of(text: &str, choices: &[&'static str]) -> Result<(), Advice> {
    if choices.contains(&text) {
        return Ok(());
    }
    Err(match nearest(text, choices.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", choices.join(", ")),
    })
}

fn text_of(found: &mut Found, key: &str, value: &Spanned<DeValue<'_>>, shape: Shape<'_>) -> Option<String> {
    let text = match value.get_ref() {
        DeValue::String(text) => text.clone().into_owned(),
        // A date may stand without quotes.
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Integer(number) => {
            let advice = format!("write it in quotes: \"{}\"", number.as_str());
            found.fault(value.span(), format!("`{key}` is a number, not a string"), advice);
            return None;
        }
        other => {
            found.fault(
                value.span(),
                format!("`{key}` is {}, not a string", kind(other)),
                "write it in quotes",
            );
            return None;
        }
    };
    if let Err(advice) = shape(&text) {
        found.fault(value.span(), format!("`{key}` cannot be {text:?}"), advice);
        return None;
    }
    Some(text)
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
