//! `lake status`, `lake verify`, `lake compact`, `lake seal` and `lake assign`; [`register`](super::register) is beside it.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use eksplain_analyze::time::format_rfc3339;
use eksplain_analyze::{Options, answer};
use eksplain_lake::{Assignment, Lake, Sealed, Shard};
use eksplain_queries::Engine;
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use serde_json::{Value, json};

use super::Global;
use crate::error::{Exit, Failure};
use crate::render::{self, Margin, Output, Page, Style, Text, data};
use crate::settings::{made_at, now};
use crate::view::fingerprint::{Fingerprint, Parts};
use crate::view::words::{counted, grouped, heading_of};
use crate::view::{self, Coverage, cluster_words, short_time};

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Show what the lake contains and lacks: coverage, gaps, rejects
    #[command(after_help = "\
Examples:
  eksplain lake status
  eksplain lake status -o json
  eksplain --lake demo/lake lake status")]
    Status,
    /// Read every file and compare it with what was committed
    #[command(after_help = "\
Examples:
  eksplain lake verify
  eksplain lake verify -q || echo damaged       exit 5 if a file is not as it was committed
  eksplain lake verify --repair                 drop damaged files, so that the next ingest reads their logs again")]
    Verify(Verify),
    /// Merge small files; answers stay the same
    #[command(after_help = "\
Examples:
  eksplain lake compact
  eksplain lake compact -o json                 how many files became how many")]
    Compact,
    /// Merge each day's files and drop repeated records, after a sharded ingest
    #[command(after_help = "\
Examples:
  eksplain lake seal                            all days, as `lake compact` does
  eksplain lake seal --shard 3/8                the fourth of 8 processes

Shards that read the same record each store it: run `lake seal` once all shards of the ingest are done, before asking questions.")]
    Seal(Seal),
    /// Print statements that define the tables for Athena, Spark or DuckDB
    #[command(after_help = "\
Examples:
  eksplain lake register --engine duckdb | duckdb
  eksplain lake register --engine athena --location s3://my-lake/eks --database security > tables.sql
  eksplain lake register --engine spark > tables.sql && spark-sql -f tables.sql")]
    Register(super::register::Register),
    /// Assign a cluster to stored records that name none
    #[command(after_help = "\
Examples:
  eksplain lake assign --cluster prod                                       all records without a cluster
  eksplain lake assign --cluster prod --account 111122223333 --region eu-west-1 ./logs audit.zip

A source is a file, a folder or an archive that was ingested, or its URI in the lake (s3://…, stdin:). Records that name their own account
or region keep it. Ingesting the files again does the same: eksplain ingest files ./logs --cluster prod")]
    Assign(Assign),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Drop damaged files (a copy stays in _state/damaged), and have the next ingest read their logs again
    #[arg(long)]
    repair: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// Seal only this share of the days, counted from 0
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
}

#[derive(Debug, Args)]
pub(crate) struct Assign {
    /// Name of the cluster
    #[arg(long, value_name = "NAME")]
    cluster: String,
    /// Account to assume for records that name none
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Region to assume for records that name none
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Files, folders or archives that were ingested, or their URIs [default: all]
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
}

/// `eksplain.lake-status/1`.
#[derive(Debug, Serialize)]
struct Status {
    schema: &'static str,
    version: &'static str,
    generated_at: String,
    at: String,
    lake: String,
    inputs: usize,
    tables: Vec<Table>,
    coverage: Vec<Coverage>,
    rejects: Vec<Reject>,
    /// Parquet files that no commit names.
    strays: usize,
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
        Action::Verify(of) => verify(global, of.repair),
        Action::Compact => compact(global),
        Action::Seal(of) => seal(global, of.shard.unwrap_or(Shard::WHOLE)),
        Action::Register(register) => super::register::run(global, register),
        Action::Assign(assign) => give_cluster(global, assign),
    }
}

fn status(global: &Global) -> Result<ExitCode, Failure> {
    let lake = Lake::open(&global.lake)?;
    let engine = Engine::open(&lake)?;
    let at = now();
    let facts = super::ask::facts_at(&engine, at)?;
    let answers = answer(
        &facts,
        &Options {
            at,
            ..Options::default()
        },
    );
    let rejects = engine.sql(eksplain_queries::named("rejects").map_or("", |query| query.sql))?;
    let reject = |row: &Vec<Value>| {
        let cell = |at: usize| row.get(at).and_then(Value::as_str).unwrap_or_default().to_owned();
        Reject {
            kind: cell(0),
            reason: cell(1),
            records: row.get(2).and_then(Value::as_u64).unwrap_or(0),
            first_uri: cell(3),
        }
    };
    let status = Status {
        schema: "eksplain.lake-status/1",
        version: env!("CARGO_PKG_VERSION"),
        generated_at: made_at(),
        at: format_rfc3339(at),
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
        strays: lake.strays()?.len(),
    };
    let mut out = io::stdout().lock();
    match global.output {
        Output::Table => {
            print(&mut out, &status)?;
            if status.rejects.is_empty() {
                super::hint(global, "admins", "shows who can do anything");
            } else {
                super::hint(global, "query rejects", "shows what was not understood");
            }
        }
        Output::Json => render::json(&mut out, &status)?,
        Output::Md => render::rows(&mut out, Output::Md, COVERAGE, &coverage_rows(&status))?,
        other => {
            let rows: Vec<_> = status.coverage.iter().map(coverage_cells).collect();
            data::cells(&mut out, other, COVERAGE_DATA, &rows)?;
        }
    }
    Ok(Exit::Answered.into())
}

const COVERAGE: &[&str] = &["CLUSTER", "SOURCE", "FIRST", "LAST", "RECORDS", "GAPS"];

const COVERAGE_DATA: &[&str] = &[
    "account",
    "region",
    "cluster",
    "source",
    "first",
    "last",
    "records",
    "gaps",
    "blind_spots",
];

/// A row for programs: gaps are counted, the document has them all.
fn coverage_cells(row: &Coverage) -> Vec<Value> {
    let cluster = row.cluster.as_ref();
    vec![
        json!(cluster.and_then(|cluster| cluster.account.as_ref())),
        json!(cluster.and_then(|cluster| cluster.region.as_ref())),
        json!(cluster.map(|cluster| &cluster.name)),
        json!(row.source),
        json!(row.first),
        json!(row.last),
        json!(row.records),
        json!(row.gaps.len()),
        json!(row.blind_spots),
    ]
}

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
            row.source.to_string(),
            short_time(row.first.as_ref()),
            short_time(row.last.as_ref()),
            records,
            row.gaps.len().to_string(),
        ]
    };
    status.coverage.iter().map(row).collect()
}

fn print(out: &mut dyn Write, status: &Status) -> io::Result<()> {
    let objects = counted(status.inputs as u64, "object");
    Page::new(out).line(&Text::new().strong(&status.lake).plain(&format!(", {objects} read")))?;
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
    if status.strays > 0 {
        let told = Text::new().warning(&unnamed(status.strays));
        Page::new(out).line(&told.plain(": `eksplain lake verify` says which"))?;
    }
    if !status.rejects.is_empty() {
        writeln!(out)?;
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
    let mut page = Page::new(out);
    for (cluster, sources) in grouped(&status.coverage, |row| row.cluster.as_ref()) {
        page.blank()?;
        page.line(&heading_of(cluster))?;
        let rows: Vec<_> = sources.iter().map(|row| told(row)).collect();
        page.rows(&Margin::of(2), &rows)?;
        sources.iter().try_for_each(|row| missing(&mut page, row))?;
    }
    Ok(())
}

/// How much there is of a source, and of when.
fn told(row: &Coverage) -> Vec<Text> {
    let source = Text::new().strong(row.source.id());
    if row.records == 0 {
        return vec![source, Text::new().warning("no records"), Text::new()];
    }
    let (first, last) = (short_time(row.first.as_ref()), short_time(row.last.as_ref()));
    vec![
        source,
        Text::from(counted(row.records, "record").as_str()),
        Text::new().faint(&format!("{first} to {last}")).whole(),
    ]
}

/// More gaps of one source than these are counted; JSON has all.
const GAPS: usize = 5;

/// Gaps and blind spots of one source.
fn missing(page: &mut Page<'_>, row: &Coverage) -> io::Result<()> {
    let margin = Margin::of(2).labelled(Text::new().literal(row.source.id()).plain(": "));
    for spot in &row.blind_spots {
        page.paragraph(&margin, &Text::new().warning(spot))?;
    }
    for gap in row.gaps.iter().take(GAPS) {
        let (from, to) = (short_time(Some(&gap.from)), short_time(Some(&gap.to)));
        let gap = Text::from("no records ").faint(&format!("{from} to {to}")).whole();
        page.paragraph(&margin, &gap)?;
    }
    let more = row.gaps.len().saturating_sub(GAPS);
    if more > 0 {
        let more = counted(more as u64, "more gap");
        page.paragraph(&margin, &Text::from(format!("{more}: -o json lists all").as_str()))?;
    }
    Ok(())
}

/// More strays than these are counted; JSON has all.
const STRAYS: usize = 5;

fn unnamed(strays: usize) -> String {
    format!(
        "{} that no commit names and no question reads",
        counted(strays as u64, "file")
    )
}

/// `eksplain.lake-verify/1`.
#[derive(Debug, Serialize)]
struct Verified {
    schema: &'static str,
    version: &'static str,
    generated_at: String,
    lake: String,
    findings: Vec<Faulty>,
    /// With `--repair`: objects that the next ingest reads again.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_again: Option<Vec<String>>,
}

/// A file that is not as it was committed.
#[derive(Debug, Serialize)]
struct Faulty {
    file: String,
    fault: String,
    fingerprint: Fingerprint,
}

fn verify(global: &Global, with_repair: bool) -> Result<ExitCode, Failure> {
    let mut lake = Lake::open_as_it_is(&global.lake)?;
    let (faults, strays) = (lake.verify(), lake.strays()?);
    let is_whole = faults.is_empty() && strays.is_empty();
    let repaired = with_repair.then(|| lake.repair()).transpose()?;
    let is_left = !strays.is_empty() || (repaired.is_none() && !faults.is_empty());
    let exit = if is_left { Exit::Damaged } else { Exit::Answered };
    let mut out = io::stdout().lock();
    let named = if global.output == Output::Table {
        STRAYS
    } else {
        strays.len()
    };
    let findings: Vec<Faulty> = faults
        .iter()
        .map(|fault| (&fault.path, fault.what.as_str()))
        .chain(strays.iter().take(named).map(|path| (path, "no commit names it")))
        .map(|(path, what)| Faulty {
            file: path.display().to_string(),
            fault: what.to_owned(),
            fingerprint: Parts::of("lake-verify")
                .with(Some(&path.to_string_lossy()))
                .with(Some(what))
                .fingerprint(),
        })
        .collect();
    match (global.output, is_whole) {
        (Output::Table, true) => {
            Page::new(&mut out).line(&Text::new().styled(Style::Good, "every file is as it was committed"))?;
        }
        (Output::Json | Output::Sarif, _) => {
            let document = Verified {
                schema: "eksplain.lake-verify/1",
                version: env!("CARGO_PKG_VERSION"),
                generated_at: made_at(),
                lake: lake.root().display().to_string(),
                findings,
                read_again: repaired.as_ref().map(|repaired| repaired.again.clone()),
            };
            render::json(&mut out, &document)?;
        }
        (Output::Jsonl | Output::Csv, _) => {
            let columns = ["file", "fault"];
            let rows: Vec<_> = findings.iter().map(|finding| data::row(finding, &columns)).collect();
            data::cells(&mut out, global.output, &columns, &rows)?;
        }
        (output, _) => {
            let rows: Vec<_> = findings
                .into_iter()
                .map(|found| vec![found.file, found.fault])
                .collect();
            render::rows(&mut out, output, &["FILE", "FAULT"], &rows)?;
        }
    }
    if global.output == Output::Table
        && let Some(repaired) = repaired.as_ref().filter(|repaired| !repaired.dropped.is_empty())
    {
        let mut page = Page::new(&mut out);
        page.blank()?;
        let told = format!(
            "Dropped {}, with copies in _state/damaged. The next ingest reads {} again:",
            counted(repaired.dropped.len() as u64, "damaged file"),
            counted(repaired.again.len() as u64, "source")
        );
        page.line(&Text::from(told.as_str()))?;
        for uri in repaired.again.iter().take(STRAYS) {
            page.line(&Text::from(format!("  {}", render::escape(uri)).as_str()))?;
        }
        if repaired.again.len() > STRAYS {
            page.line(&Text::from("  …: -o json lists all"))?;
        }
    }
    if global.output == Output::Table && !strays.is_empty() {
        let mut page = Page::new(&mut out);
        page.blank()?;
        let told = Text::new().warning(&unnamed(strays.len()));
        page.line(&if strays.len() > STRAYS {
            told.plain(": -o json lists all")
        } else {
            told
        })?;
        page.line(&Text::from(
            "do: put the lake's _state/commits back from a backup, or ingest the logs into a new lake",
        ))?;
    }
    Ok(exit.into())
}

/// `eksplain.lake-assign/1`.
#[derive(Debug, Serialize)]
struct Given<'a> {
    schema: &'static str,
    cluster: &'a str,
    /// Records that have the cluster now.
    records: u64,
    tables: Vec<GivenTable>,
    /// Records that the lake had of that cluster already.
    repeated: u64,
    /// Records that keep another account or region of their own.
    differing: u64,
}

#[derive(Debug, Serialize)]
struct GivenTable {
    table: &'static str,
    records: u64,
}

fn give_cluster(global: &Global, assign: &Assign) -> Result<ExitCode, Failure> {
    if assign.cluster.is_empty() || assign.cluster.contains(['*', '?', '/']) {
        return Err(Failure::usage(
            "--cluster is not the name of one cluster",
            "write the name as EKS has it, for instance --cluster prod",
        ));
    }
    let mut lake = Lake::open(&global.lake)?;
    let sources: Vec<String> = assign.sources.iter().map(|source| address(source)).collect();
    let done = lake.assign(&Assignment {
        cluster: &assign.cluster,
        account: assign.account.as_deref(),
        region: assign.region.as_deref(),
        sources: &sources,
    })?;
    let records: u64 = done.records.values().sum();
    if global.output == Output::Json {
        let document = Given {
            schema: "eksplain.lake-assign/1",
            cluster: &assign.cluster,
            records,
            tables: done
                .records
                .iter()
                .map(|(table, records)| GivenTable {
                    table,
                    records: *records,
                })
                .collect(),
            repeated: done.repeated,
            differing: done.differing,
        };
        render::json(&mut io::stdout().lock(), &document)?;
    } else if !global.quiet {
        let named = render::escape(&assign.cluster);
        eprintln!(
            "{} now {} to {named}",
            counted(records, "record"),
            if records == 1 { "belongs" } else { "belong" }
        );
        for (count, what) in [
            (
                done.repeated,
                "was in the lake for that cluster already: one copy is kept",
            ),
            (done.differing, "names another account or region, which stays"),
        ] {
            if count > 0 {
                render::say::note(&format!("{}: each {what}", counted(count, "record")));
            }
        }
    }
    if records == 0 && done.repeated == 0 && !global.quiet {
        render::say::note("no record without a cluster came from there: eksplain lake status shows what the lake has");
    }
    Ok(Exit::Answered.into())
}

/// A source as the lake names it: a path is made absolute, an address stays.
fn address(source: &str) -> String {
    if source.contains("://") || source == "stdin:" {
        return source.to_owned();
    }
    if source == "-" {
        return "stdin:".to_owned();
    }
    eksplain_ingest::uri_of(std::path::Path::new(source))
}

/// `eksplain.lake-compact/1`.
#[derive(Debug, Serialize)]
struct Compacted {
    schema: &'static str,
    merged: u64,
    into: u64,
    repeated: u64,
}

fn compact(global: &Global) -> Result<ExitCode, Failure> {
    let done = Lake::open(&global.lake)?.seal(Shard::WHOLE)?;
    if global.output == Output::Json {
        let document = Compacted {
            schema: "eksplain.lake-compact/1",
            merged: done.merged,
            into: done.into,
            repeated: done.repeated,
        };
        render::json(&mut io::stdout().lock(), &document)?;
    } else {
        tell_sealed(global, done);
    }
    Ok(Exit::Answered.into())
}

/// `eksplain.lake-seal/1`.
#[derive(Debug, Serialize)]
struct SealedDays {
    schema: &'static str,
    version: &'static str,
    shard: String,
    /// Days of tables that were not sealed before.
    days: u64,
    merged: u64,
    into: u64,
    repeated: u64,
}

fn seal(global: &Global, shard: Shard) -> Result<ExitCode, Failure> {
    let done = Lake::open(&global.lake)?.seal(shard)?;
    if global.output == Output::Json {
        let document = SealedDays {
            schema: "eksplain.lake-seal/1",
            version: env!("CARGO_PKG_VERSION"),
            shard: shard.to_string(),
            days: done.days,
            merged: done.merged,
            into: done.into,
            repeated: done.repeated,
        };
        render::json(&mut io::stdout().lock(), &document)?;
    } else {
        tell_sealed(global, done);
    }
    Ok(Exit::Answered.into())
}

fn tell_sealed(global: &Global, done: Sealed) {
    if global.quiet {
        return;
    }
    let (merged, into) = (HumanCount(done.merged), HumanCount(done.into));
    let repeated = match done.repeated {
        0 => String::new(),
        repeated => format!("; dropped {}", counted(repeated, "repeated record")),
    };
    eprintln!("merged {merged} files into {into}{repeated}");
}
