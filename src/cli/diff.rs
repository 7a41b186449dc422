//! `diff`: what changed between two times of a lake, or between two reports.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::Global;
use super::ask::{self, Selectors};
use super::report::is_document;
use crate::diff::{Change, KINDS, changes};
use crate::error::{Exit, Failure};
use crate::render::{self, Output};

const SCHEMA: &str = "eksplain.diff/1";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain diff 7d 0s                                 the last week
  eksplain diff 2026-11-01 2026-11-23 --fail-on new-admin --fail-on creator-deleted
  eksplain diff old/report.json latest/report.json -o json")]
pub(super) struct Arguments {
    /// A time, or a report.json
    #[arg(value_name = "OLD")]
    old: String,
    /// A time, or a report.json
    #[arg(value_name = "NEW")]
    new: String,
    #[command(flatten)]
    selectors: Selectors,
    /// Exit 1 if such a change is found: any, or its kind (repeatable, or separated by commas)
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kind)]
    fail_on: Vec<String>,
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    old_at: Value,
    new_at: Value,
    findings: Vec<Change>,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let old = document_at(global, &arguments.selectors, &arguments.old)?;
    let new = document_at(global, &arguments.selectors, &arguments.new)?;
    let findings = changes(&old, &new);
    let is_matched = matches(&findings, &arguments.fail_on);
    let mut out = std::io::stdout().lock();
    match global.output {
        Output::Json => {
            let document = Document {
                schema: SCHEMA,
                version: env!("CARGO_PKG_VERSION"),
                old_at: old["at"].clone(),
                new_at: new["at"].clone(),
                findings,
            };
            render::json(&mut out, &document)?;
        }
        Output::Jsonl => findings
            .iter()
            .try_for_each(|change| render::json_line(&mut out, change))?,
        output => {
            let rows: Vec<_> = findings.iter().map(Change::row).collect();
            render::rows(&mut out, output, Change::COLUMNS, &rows)?;
        }
    }
    Ok(if is_matched { Exit::Matched } else { Exit::Answered }.into())
}

/// Whether one of the changes is of a kind that was named.
pub(super) fn matches(changes: &[Change], kinds: &[String]) -> bool {
    changes
        .iter()
        .any(|change| kinds.iter().any(|kind| kind == "any" || *kind == change.kind))
}

/// A kind of change, as `--fail-on` takes it.
pub(super) fn kind(text: &str) -> Result<String, String> {
    if text == "any" || KINDS.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "there is no such change; the kinds are any, {}",
            KINDS.join(", ")
        ))
    }
}

/// A report out of a file, or of the lake at a time.
pub(super) fn document_at(global: &Global, selectors: &Selectors, text: &str) -> Result<Value, Failure> {
    if is_document(text) {
        let wrong = |why: String| {
            Failure::usage(
                format!("could not read the report {text}: {why}"),
                "name a report.json that eksplain report wrote, or a time",
            )
        };
        let content = std::fs::read_to_string(text).map_err(|error| wrong(error.to_string()))?;
        let report: Value = serde_json::from_str(&content).map_err(|error| wrong(error.to_string()))?;
        if report["schema"] != crate::report::SCHEMA {
            return Err(wrong(format!("it is no {}", crate::report::SCHEMA)));
        }
        return Ok(report);
    }
    let selectors = Selectors {
        at: Some(text.to_owned()),
        ..selectors.clone()
    };
    Ok(serde_json::to_value(ask::report(global, &selectors)?)?)
}
