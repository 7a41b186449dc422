//! The end of an ingest, on stderr: one line for the run, one row for each form, and the command that helps.

use std::io::{self, Write};

use eksplain_analyze::quote;
use eksplain_analyze::time::format_rfc3339;
use eksplain_ingest::IngestReport;
use indicatif::{HumanBytes, HumanCount};

use super::Run;
use crate::cli::{Global, command};
use crate::render::{self, Output, say};
use crate::view::words::counted;

/// Reasons that are shown; `query rejects` has all.
const REASONS: usize = 10;
/// Paths that are repeated in a command; with more of them it is about the whole lake.
const PATHS: usize = 5;

pub(super) fn tell(global: &Global, run: &Run) -> io::Result<()> {
    let report = &run.report;
    for problem in &report.problems {
        say::warning(&format!("{} {}", problem.uri, problem.reason));
    }
    let known = if report.files_known > 0 {
        format!(" ({} more were known)", HumanCount(report.files_known))
    } else {
        String::new()
    };
    let asked = if run.requests > 0 {
        format!(
            ", {} ({} throttled)",
            counted(run.requests, "request"),
            HumanCount(run.throttled)
        )
    } else {
        String::new()
    };
    let object = if run.requests > 0 { "object" } else { "file" };
    writeln!(
        io::stderr().lock(),
        "read {} from {}{known}, {}: {} kept, {} repeated, {} rejected{asked}, in {:.1} s",
        counted(report.read, "record"),
        counted(report.files, object),
        HumanBytes(report.bytes),
        HumanCount(report.kept),
        HumanCount(report.repeated),
        HumanCount(report.rejected),
        run.began.elapsed().as_secs_f64()
    )?;
    tell_forms(report)?;
    tell_times(report);
    for (count, what) in [
        (
            report.differing,
            "share an ID with another record; both were kept, because senders choose their IDs",
        ),
        (
            report.conflicts,
            "name a different account, region or cluster than the options; the record's own value was used",
        ),
    ] {
        if count > 0 {
            say::note(&format!("{} {what}", counted(count, "record")));
        }
    }
    if report.redacted > 0 {
        let are = if report.redacted == 1 { "was" } else { "were" };
        say::note(&format!(
            "{} {are} redacted before storing: SECURITY.md lists the rules",
            counted(report.redacted, "secret")
        ));
    }
    tell_nameless(global, run);
    if report.rejected > 0 {
        say::hint(&command(global, "query rejects"), "shows every rejected record and why");
    }
    if report.interrupted {
        say::warning("interrupted: what was done is kept; run the same command again to resume");
    }
    Ok(())
}

/// What the records of a table are called.
fn form_of(table: &str) -> &str {
    match table {
        "authenticator" => "authenticator lines",
        "audit" => "audit events",
        "cloudtrail" => "CloudTrail events",
        "snapshot" => "objects of present state",
        other => other,
    }
}

/// One row for each form: kept, repeated, passed over, rejected, and why.
fn tell_forms(report: &IngestReport) -> io::Result<()> {
    let number = |count: u64| match count {
        0 => String::new(),
        count => HumanCount(count).to_string(),
    };
    let row = |what: &str, counts: [u64; 4], note: String| {
        let mut cells = vec![what.to_owned()];
        cells.extend(counts.map(number));
        cells.push(note);
        cells
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (table, of_table) in &report.tables {
        let note = match of_table.nameless {
            0 => String::new(),
            count => format!("{} without a cluster", HumanCount(count)),
        };
        rows.push(row(form_of(table), [of_table.kept, of_table.repeated, 0, 0], note));
    }
    for (what, count) in &report.passed_over {
        rows.push(row(what, [0, 0, *count, 0], String::new()));
    }
    let mut refused: Vec<_> = report.refused.iter().collect();
    refused.sort_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(b.0)));
    for (reason, refused) in refused.iter().take(REASONS) {
        let place = format!(
            "first in {}",
            refused.uri.strip_prefix("file://").unwrap_or(&refused.uri)
        );
        rows.push(row(reason, [0, 0, 0, refused.count], place));
    }
    let rest: u64 = refused.iter().skip(REASONS).map(|(_, refused)| refused.count).sum();
    if rest > 0 {
        rows.push(row("other reasons", [0, 0, 0, rest], String::new()));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let columns = ["FORM", "KEPT", "REPEATED", "PASSED OVER", "REJECTED", "NOTE"];
    // Columns without a value say nothing.
    let used: Vec<usize> = (0..columns.len())
        .filter(|column| *column < 2 || rows.iter().any(|row| !row[*column].is_empty()))
        .collect();
    let shown: Vec<&str> = used.iter().map(|column| columns[*column]).collect();
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| used.iter().map(|column| row[*column].clone()).collect())
        .collect();
    render::rows(&mut io::stderr().lock(), Output::Table, &shown, &rows)
}

/// Says as of when present state from files is.
fn tell_times(report: &IngestReport) {
    let of_file = report.taken.iter().filter(|taken| taken.is_of_file);
    let times: Vec<i64> = of_file.map(|taken| taken.at).collect();
    let written = |at: Option<&i64>| at.map(|at| format_rfc3339(*at)).unwrap_or_default();
    let when = match times.len() {
        0 => return,
        1 => format!("at {}", written(times.first())),
        _ => format!("between {} and {}", written(times.first()), written(times.last())),
    };
    say::note(&format!(
        "present state was taken {when} (file time): give --taken-at TIME if that is wrong"
    ));
}

/// Says that records belong to no cluster, and how they get one: no answer about a cluster counts them.
fn tell_nameless(global: &Global, run: &Run) {
    let sources: Vec<String> = match run.asked.len() {
        1..=PATHS => run.asked.iter().map(|path| quote(path)).collect(),
        _ => Vec::new(),
    };
    let words = format!("lake assign --cluster NAME {}", sources.join(" "));
    for (table, of_table) in &run.report.tables {
        if of_table.nameless > 0 {
            let what = match *table {
                "authenticator" => counted(of_table.nameless, "authenticator line"),
                "audit" => counted(of_table.nameless, "audit record"),
                _ => format!("{} of present state", counted(of_table.nameless, "object")),
            };
            let verb = if of_table.nameless == 1 { "names" } else { "name" };
            say::warning(&format!(
                "{what} {verb} no cluster: `{}`",
                command(global, words.trim_end())
            ));
        }
    }
}
