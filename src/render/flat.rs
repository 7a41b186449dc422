//! Findings as rows of CSV: every scalar field has a column of its own, a list is one cell.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::Output;
use super::data::{cells, field};
use crate::view::Finding;

/// Findings under the columns of their question. A scalar field that the question does not name has its column behind them, so that
/// nothing is lost when a finding learns to say more.
pub(crate) fn findings<F: Finding>(out: &mut dyn Write, findings: &[F]) -> io::Result<()> {
    let rows: Vec<Flat> = findings.iter().map(Flat::of).collect();
    let mut columns: Vec<&str> = F::FIELDS.to_vec();
    for name in rows.iter().flat_map(|row| &row.scalars) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let row = |row: &Flat| {
        let cell = |name: &&str| row.cells.get(*name).cloned().unwrap_or(Value::Null);
        columns.iter().map(cell).collect()
    };
    let rows: Vec<Vec<Value>> = rows.iter().map(row).collect();
    cells(out, Output::Csv, &columns, &rows)
}

/// One finding: `request.verb` is `request_verb`, and `routes[].valid_from` the list `routes_valid_from`.
#[derive(Default)]
struct Flat {
    cells: Map<String, Value>,
    /// Names of the fields that are no list of records.
    scalars: Vec<String>,
}

impl Flat {
    fn of<F: Finding>(finding: &F) -> Self {
        let mut flat = Self::default();
        if let Ok(Value::Object(fields)) = serde_json::to_value(finding) {
            flat.fields("", &fields);
        }
        flat
    }

    fn fields(&mut self, before: &str, fields: &Map<String, Value>) {
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("cluster", Value::Object(cluster)) => self.cluster(cluster),
                ("cluster" | "accepted", Value::Null) => {}
                ("evidence", Value::Array(items)) => self.evidence(items),
                (_, Value::Object(inner)) => self.fields(&format!("{before}{name}_"), inner),
                (_, Value::Array(items)) if items.iter().any(Value::is_object) => {
                    self.records(&format!("{before}{name}"), items);
                }
                // Of records, of which there are none here.
                (_, Value::Array(items)) if items.is_empty() => {}
                _ => self.scalar(format!("{before}{name}"), value.clone()),
            }
        }
    }

    fn scalar(&mut self, name: String, value: Value) {
        self.scalars.push(name.clone());
        self.cells.insert(name, value);
    }

    /// Account and region apart; the name is the cluster.
    fn cluster(&mut self, cluster: &Map<String, Value>) {
        for (name, value) in cluster {
            let column = match name.as_str() {
                "account" | "region" => name.clone(),
                "name" => "cluster".to_owned(),
                other => format!("cluster_{other}"),
            };
            self.scalar(column, value.clone());
        }
    }

    /// A list for each field of the records, one item a record, so that the lists can be read side by side.
    fn records(&mut self, name: &str, records: &[Value]) {
        for record in records.iter().filter_map(Value::as_object) {
            for (inner, value) in record {
                match (inner.as_str(), value) {
                    ("evidence", Value::Array(items)) => self.evidence(items),
                    ("cluster", Value::Object(cluster)) => {
                        let cluster = cluster.get("name").cloned().unwrap_or(Value::Null);
                        self.push(format!("{name}_cluster"), cluster);
                    }
                    (_, Value::Array(items)) if items.iter().any(Value::is_object) => {}
                    (_, Value::Object(_)) => {}
                    (_, Value::Array(items)) => {
                        let joined: Vec<String> = items.iter().map(field).collect();
                        self.push(format!("{name}_{inner}"), joined.join(", ").into());
                    }
                    _ => self.push(format!("{name}_{inner}"), value.clone()),
                }
            }
        }
    }

    fn evidence(&mut self, items: &[Value]) {
        for item in items {
            let id = item.get("id").cloned().unwrap_or(Value::Null);
            let known = self.cells.get("evidence_ids").and_then(Value::as_array);
            if !known.is_some_and(|known| known.contains(&id)) {
                self.push("evidence_ids".to_owned(), id);
            }
        }
    }

    fn push(&mut self, name: String, value: Value) {
        let list = self.cells.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(items) = list {
            items.push(value);
        }
    }
}
