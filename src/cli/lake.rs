//! `lake status`, `lake verify` and `lake compact`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Subcommand;
use eksplain_analyze::{Options, answer};
use eksplain_lake::Lake;
use eksplain_queries::Engine;
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use super::Global;
use crate::error::{Exit, Failure};
use crate::render::{self, Output, escape};
use crate::settings::now;
use crate::view::{self, Coverage, cluster_words, short_time};

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// What the lake holds and misses: coverage, gaps, rejects
    Status,
    /// Reads every file and compares it with what was committed
    Verify,
    /// Merges small files; what the lake says stays the same
    Compact,
}

/// `eksplain.lake-status/1`.
#[derive(Debug, Serialize)]
struct Status {
    schema: &'static str,
    lake: String,
    inputs: usize,
    tables: Vec<Table>,
    coverage: Vec<Coverage>,
    rejects: Vec<Reject>,
}

#[derive(Debug, Serialize)]
struct Table {
    table: &'static str,
    records: u64,
    parts: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Reject {
    kind: String,
    reason: String,
    records: u64,
    first_uri: String,
}

pub(super) fn run(global: &Global, action: &Action) -> Result<ExitCode, Failure> {
    match action {
        Action::Status => status(global),
        Action::Verify => verify(global),
        Action::Compact => compact(global),
    }
}

fn status(global: &Global) -> Result<ExitCode, Failure> {
    let lake = Lake::open(&global.lake)?;
    let engine = Engine::open(&lake)?;
    let facts = super::ask::facts_at(&engine, now())?;
    let answers = answer(
        &facts,
        &Options {
            at: now(),
            ..Options::default()
        },
    );
    let rejects = engine.sql(eksplain_queries::named("rejects").map_or("", |query| query.sql))?;
    let reject = |row: &Vec<Option<String>>| {
        let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        Reject {
            kind: cell(0),
            reason: cell(1),
            records: cell(2).parse().unwrap_or(0),
            first_uri: cell(3),
        }
    };
    let status = Status {
        schema: "eksplain.lake-status/1",
        lake: lake.root().display().to_string(),
        inputs: lake.inputs(),
        tables: lake
            .holdings()
            .into_iter()
            .map(|(table, holding)| Table {
                table,
                records: holding.records,
                parts: holding.parts,
                bytes: holding.bytes,
            })
            .collect(),
        coverage: answers.coverage.iter().map(view::coverage).collect(),
        rejects: rejects.rows.iter().map(reject).collect(),
    };
    let mut out = io::stdout().lock();
    match global.output {
        Output::Table => print(&mut out, &status)?,
        Output::Json => render::json(&mut out, &status)?,
        other => render::rows(&mut out, other, COVERAGE, &coverage_rows(&status))?,
    }
    Ok(Exit::Answered.into())
}

const COVERAGE: &[&str] = &["CLUSTER", "SOURCE", "FIRST", "LAST", "RECORDS", "GAPS"];

fn coverage_rows(status: &Status) -> Vec<Vec<String>> {
    let row = |row: &Coverage| {
        let cluster = row.cluster.as_ref().map_or("(none named)".to_owned(), cluster_words);
        let records = if row.records == 0 {
            "none".to_owned()
        } else {
            HumanCount(row.records).to_string()
        };
        vec![
            cluster,
            row.source.clone(),
            short_time(row.first.as_ref()),
            short_time(row.last.as_ref()),
            records,
            row.gaps.len().to_string(),
        ]
    };
    status.coverage.iter().map(row).collect()
}

fn print(out: &mut dyn Write, status: &Status) -> io::Result<()> {
    writeln!(
        out,
        "{}, {} objects read",
        status.lake,
        HumanCount(status.inputs as u64)
    )?;
    let tables = status.tables.iter().map(|table| {
        vec![
            table.table.to_owned(),
            HumanCount(table.records).to_string(),
            HumanCount(table.parts).to_string(),
            HumanBytes(table.bytes).to_string(),
        ]
    });
    render::rows(
        out,
        Output::Table,
        &["TABLE", "RECORDS", "FILES", "SIZE"],
        &tables.collect::<Vec<_>>(),
    )?;
    render::rows(out, Output::Table, COVERAGE, &coverage_rows(status))?;
    if !status.rejects.is_empty() {
        let rows = status.rejects.iter().map(|reject| {
            vec![
                reject.kind.clone(),
                reject.reason.clone(),
                HumanCount(reject.records).to_string(),
                reject.first_uri.clone(),
            ]
        });
        render::rows(
            out,
            Output::Table,
            &["TAKEN FOR", "REJECTED BECAUSE", "RECORDS", "FIRST IN"],
            &rows.collect::<Vec<_>>(),
        )?;
    }
    for row in &status.coverage {
        let name = row.cluster.as_ref().map_or("-", |cluster| cluster.name.as_str());
        row.blind_spots
            .iter()
            .try_for_each(|spot| writeln!(out, "{}: {}", escape(name), escape(spot)))?;
        row.gaps.iter().try_for_each(|gap| {
            writeln!(
                out,
                "{}: no {} records between {} and {}",
                escape(name),
                row.source,
                gap.from,
                gap.to
            )
        })?;
    }
    Ok(())
}

fn verify(global: &Global) -> Result<ExitCode, Failure> {
    let lake = Lake::open(&global.lake)?;
    let faults = lake.verify();
    let mut out = io::stdout().lock();
    let rows: Vec<Vec<String>> = faults
        .iter()
        .map(|fault| vec![fault.path.display().to_string(), fault.what.clone()])
        .collect();
    match (global.output, faults.is_empty()) {
        (Output::Table, true) => writeln!(out, "every file is as it was committed")?,
        (output, _) => render::rows(&mut out, output, &["FILE", "FAULT"], &rows)?,
    }
    Ok(if faults.is_empty() {
        Exit::Answered.into()
    } else {
        Exit::Damaged.into()
    })
}

/// `eksplain.lake-compact/1`.
#[derive(Debug, Serialize)]
struct Compacted {
    schema: &'static str,
    merged: u64,
    into: u64,
}

fn compact(global: &Global) -> Result<ExitCode, Failure> {
    let done = Lake::open(&global.lake)?.compact()?;
    if global.output == Output::Json {
        let document = Compacted {
            schema: "eksplain.lake-compact/1",
            merged: done.merged,
            into: done.into,
        };
        render::json(&mut io::stdout().lock(), &document)?;
    } else if !global.quiet {
        eprintln!(
            "merged {} files into {}",
            HumanCount(done.merged),
            HumanCount(done.into)
        );
    }
    Ok(Exit::Answered.into())
}
