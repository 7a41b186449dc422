//! Answers as data: JSON cells as rows of CSV or lines of JSON, with JSON's own types where the form has them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Output, csv, inert, json_line, markdown, table};

/// Rows of JSON cells under their columns, in every form but the one document of JSON.
pub(crate) fn cells(out: &mut dyn Write, output: Output, columns: &[&str], rows: &[Vec<Value>]) -> io::Result<()> {
    let as_rows = |text: fn(&Value) -> String| -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(text).collect()).collect()
    };
    match output {
        Output::Json | Output::Jsonl | Output::Sarif => {
            objects(columns, rows).try_for_each(|object| json_line(out, &object))
        }
        Output::Csv => csv(out, columns, &as_rows(field)),
        Output::Md => markdown(out, columns, &as_rows(shown)),
        Output::Table => table(out, columns, &as_rows(shown)),
    }
}

/// Each row as an object.
pub(crate) fn objects<'r>(
    columns: &'r [&str],
    rows: &'r [Vec<Value>],
) -> impl Iterator<Item = Map<String, Value>> + 'r {
    let object = |row: &Vec<Value>| {
        let cells = columns.iter().map(|name| (*name).to_owned());
        cells.zip(row.iter().cloned()).collect()
    };
    rows.iter().map(object)
}

/// Anything that has a JSON form, as cells in the order of the columns.
pub(crate) fn row<T: Serialize>(item: &T, columns: &[&str]) -> Vec<Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(item) else {
        return vec![Value::Null; columns.len()];
    };
    let mut take = |name: &&str| fields.remove(*name).unwrap_or(Value::Null);
    columns.iter().map(&mut take).collect()
}

/// A cell for people: lists as JSON writes them.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A cell of CSV: nothing for null, the items of a list with `;` between.
pub(crate) fn field(value: &Value) -> String {
    match value {
        Value::Array(items) if !items.iter().any(|item| item.is_array() || item.is_object()) => {
            // Some spreadsheets take `;` for the end of a cell.
            items
                .iter()
                .map(|item| inert(shown(item)))
                .collect::<Vec<_>>()
                .join(";")
        }
        other => shown(other),
    }
}
