//! `evidence`: from an id to the stored record and where it came from.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use eksplain_analyze::quote;
use eksplain_lake::{Lake, RecordId, Table};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::Global;
use crate::error::{Exit, Failure};
use crate::render::{self, Margin, Output, Page, Style, Text, data, say};
use crate::settings::made_at;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain evidence 01id41op5h00lq43bjguopnp84jgv
  eksplain evidence 01id41op5h00lq43bjguopnp84jgv -o json

Ids stand in the answers' JSON: eksplain admins -o json.")]
pub(crate) struct Arguments {
    /// Record IDs from an answer
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

/// `eksplain.evidence/1`.
#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    generated_at: String,
    records: Vec<Record>,
    missing: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Record {
    id: String,
    #[serde(serialize_with = "name")]
    table: Table,
    origin: Origin,
    raw: Option<String>,
    record: Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct Origin {
    uri: Value,
    line: Value,
}

fn name<S: Serializer>(table: &Table, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(table.dir())
}

/// The columns of the tables that some records are of, in the tables' order.
fn columns(records: &[Record]) -> Vec<&'static str> {
    let mut columns = vec!["id", "table"];
    for record in records {
        for column in record.table.columns() {
            if column.name != "raw" && !columns.contains(&column.name) {
                columns.push(column.name);
            }
        }
    }
    columns.push("raw");
    columns
}

impl Record {
    fn cell(&self, name: &str) -> Value {
        match name {
            "table" => self.table.dir().into(),
            "source_uri" => self.origin.uri.clone(),
            "source_line" => self.origin.line.clone(),
            "raw" => self.raw.clone().into(),
            name => self.record.get(name).cloned().unwrap_or(Value::Null),
        }
    }

    fn cells(&self, columns: &[&str]) -> Vec<Value> {
        columns.iter().map(|name| self.cell(name)).collect()
    }

    /// Each field that has a value on a line of its own.
    fn lines(&self) -> Vec<Vec<Value>> {
        let fields = columns(std::slice::from_ref(self)).into_iter().skip(1);
        let told = fields
            .map(|name| (name, self.cell(name)))
            .filter(|(_, value)| !value.is_null());
        told.map(|(name, value)| vec![self.id.clone().into(), name.into(), value])
            .collect()
    }
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let parse = |text: &String| {
        text.parse::<RecordId>()
            .map_err(|error| Failure::usage(format!("could not {error}"), "copy the id from an answer's evidence"))
    };
    let ids = arguments.ids.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let lake = Lake::open(&global.lake)?;
    let mut document = Document {
        schema: "eksplain.evidence/1",
        version: env!("CARGO_PKG_VERSION"),
        generated_at: made_at(),
        records: Vec::new(),
        missing: Vec::new(),
    };
    for (id, found) in ids.iter().zip(lake.find(&ids)?) {
        let Some(mut found) = found else {
            document.missing.push(id.to_string());
            continue;
        };
        let mut take = |name: &str| found.columns.remove(name).unwrap_or(Value::Null);
        let origin = Origin {
            uri: take("source_uri"),
            line: take("source_line"),
        };
        let raw = take("raw").as_str().map(str::to_owned);
        document.records.push(Record {
            id: id.to_string(),
            table: found.table,
            origin,
            raw,
            record: found.columns,
        });
    }
    let mut out = io::stdout().lock();
    match global.output {
        Output::Json => render::json(&mut out, &document)?,
        Output::Jsonl => document
            .records
            .iter()
            .try_for_each(|record| render::json_line(&mut out, record))?,
        Output::Csv => {
            let columns = columns(&document.records);
            let rows: Vec<_> = document.records.iter().map(|record| record.cells(&columns)).collect();
            data::cells(&mut out, Output::Csv, &columns, &rows)?;
        }
        Output::Md => {
            let rows: Vec<_> = document.records.iter().flat_map(Record::lines).collect();
            data::cells(&mut out, Output::Md, &["id", "field", "value"], &rows)?;
        }
        Output::Table | Output::Sarif => print(&mut out, &document)?,
    }
    let who = document
        .records
        .iter()
        .find_map(|record| record.record.get("canonical_arn")?.as_str());
    if let Some(who) = who {
        super::hint(
            global,
            &format!("who {}", quote(who)),
            "shows everything known about its principal",
        );
    }
    for id in &document.missing {
        say::error(&format!("could not find a record {id} in this lake"));
        say::below("do", "name the lake that the answer came from with --lake");
    }
    Ok(if document.missing.is_empty() {
        Exit::Answered.into()
    } else {
        Exit::Rejected.into()
    })
}

fn print(out: &mut dyn Write, document: &Document) -> io::Result<()> {
    let mut page = Page::new(out);
    for (at, record) in document.records.iter().enumerate() {
        if at > 0 {
            page.blank()?;
        }
        page.line(
            &Text::new()
                .strong(&record.id)
                .plain(&format!(" ({})", record.table.dir())),
        )?;
        let uri = record.origin.uri.as_str().unwrap_or("?");
        let origin = Text::from("from ")
            .plain(uri)
            .plain(&format!(", line {}", record.origin.line));
        page.paragraph(&Margin::of(2).hanging(2), &origin)?;
        let said = record
            .record
            .iter()
            .filter(|(name, value)| *name != "id" && !value.is_null());
        let rows: Vec<_> = said
            .map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                vec![Text::new().faint(name), Text::from(text.as_str())]
            })
            .collect();
        page.rows(&Margin::of(2), &rows)?;
        if let Some(raw) = &record.raw {
            page.paragraph(&Margin::of(2), &Text::new().styled(Style::Faint, "raw"))?;
            page.verbatim(&Margin::default(), raw)?;
        }
    }
    Ok(())
}
