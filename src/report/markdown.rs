//! The report as Markdown: short enough for a chat or a ticket, which cut what is long.

use std::io;

use super::{Report, table};
use crate::diff::Change;
use crate::render::{self, Output};
use crate::view::Finding;

/// Rows of one table; the other forms hold all.
const MOST_ROWS: usize = 50;

pub(super) fn document(report: &Report) -> io::Result<Vec<u8>> {
    let mut text = format!("# Access to Amazon EKS at {}\n\n", report.at).into_bytes();
    for sentence in &report.summary.headline {
        text.extend_from_slice(format!("- {}\n", render::markdown_text(sentence)).as_bytes());
    }
    if let Some(changes) = &report.changes {
        text.extend_from_slice(format!("\n## Changes since {}\n\n", changes.since).as_bytes());
        let rows: Vec<_> = changes.findings.iter().map(Change::row).collect();
        cut(&mut text, rows.len(), |shown| {
            let mut table = Vec::new();
            render::rows(&mut table, Output::Md, Change::COLUMNS, &rows[..shown])?;
            Ok(table)
        })?;
    }
    part(&mut text, "Admins", &report.admins)?;
    part(&mut text, "Creators", &report.creators)?;
    part(&mut text, "Denials", &report.denials)?;
    part(&mut text, "Checks", &report.checks)?;
    let mut accepted = rows_of_accepted(&report.admins);
    accepted.extend(rows_of_accepted(&report.creators));
    accepted.extend(rows_of_accepted(&report.denials));
    accepted.extend(rows_of_accepted(&report.checks));
    if !accepted.is_empty() {
        text.extend_from_slice(b"\n## Accepted\n\n");
        cut(&mut text, accepted.len(), |shown| {
            let mut table = Vec::new();
            render::rows(&mut table, Output::Md, render::ACCEPTED, &accepted[..shown])?;
            Ok(table)
        })?;
    }
    Ok(text)
}

fn part<F: Finding>(text: &mut Vec<u8>, title: &str, findings: &[F]) -> io::Result<()> {
    text.extend_from_slice(format!("\n## {title}\n\n").as_bytes());
    let open: Vec<&F> = findings.iter().filter(|finding| finding.accepted().is_none()).collect();
    cut(text, open.len(), |shown| table(&open[..shown], Output::Md))
}

fn rows_of_accepted<F: Finding>(findings: &[F]) -> Vec<Vec<String>> {
    let accepted = findings.iter().filter(|finding| finding.accepted().is_some());
    accepted.map(render::accepted_row).collect()
}

fn cut(text: &mut Vec<u8>, all: usize, rows: impl Fn(usize) -> io::Result<Vec<u8>>) -> io::Result<()> {
    let shown = all.min(MOST_ROWS);
    if shown == 0 {
        text.extend_from_slice(b"None.\n");
        return Ok(());
    }
    text.extend_from_slice(&rows(shown)?);
    if shown < all {
        text.extend_from_slice(format!("\n{} more in report.html and report.json.\n", all - shown).as_bytes());
    }
    Ok(())
}
