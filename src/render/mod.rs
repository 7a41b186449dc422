//! The forms of an answer: table, JSON, JSON lines, CSV, Markdown. Log content is hostile: each form neutralises what would act in it.

use std::collections::BTreeSet;
use std::io::{self, Write};

use clap::ValueEnum;

use eksplain_analyze::time::parse_rfc3339;

use crate::view::{Document, Finding, short_time, words};

pub(crate) mod data;
pub(crate) mod flat;
mod json;
pub(crate) mod link;
mod page;
pub(crate) mod say;
mod table;
mod terminal;
mod text;

pub(crate) use json::{json, json_line};
pub(crate) use page::{Margin, Page};
use table::table;
pub(crate) use terminal::{Color, Terminal};
pub(crate) use text::{Style, Text};

/// What `--output` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Table,
    /// One document
    Json,
    /// One finding a line
    Jsonl,
    /// SARIF 2.1.0, of check alone
    #[value(hide = true)]
    Sarif,
    /// Every field as comma-separated values
    Csv,
    /// The table as Markdown
    Md,
}

/// Writes a whole answer.
pub(crate) fn document<F: Finding>(out: &mut dyn Write, output: Output, document: &Document<F>) -> io::Result<()> {
    let rows = || document.findings.iter().map(Finding::row).collect::<Vec<_>>();
    match output {
        Output::Json | Output::Sarif => json(out, document),
        Output::Jsonl => document.findings.iter().try_for_each(|finding| json_line(out, finding)),
        Output::Csv => flat::findings(out, &document.findings),
        Output::Md => {
            markdown(out, F::COLUMNS, &rows())?;
            if !document.accepted.is_empty() {
                writeln!(out, "\nAccepted:\n")?;
                let rows: Vec<_> = document.accepted.iter().map(accepted_row).collect();
                markdown(out, ACCEPTED, &rows)?;
            }
            writeln!(out, "\n{}", markdown_text(&as_of(document)))
        }
        Output::Table => {
            let mut page = Page::new(out);
            if document.findings.is_empty() {
                page.line(&nothing(document))?;
            } else {
                F::show(&document.findings, &mut page)?;
            }
            accepted(&mut page, &document.accepted)?;
            blind_spots(&mut page, document)?;
            page.blank()?;
            page.line(&Text::from(as_of(document).as_str()))
        }
    }
}

/// Heads of the table of accepted findings.
pub(crate) const ACCEPTED: &[&str] = &["FINDING", "WHY", "OWNER", "UNTIL"];

/// An accepted finding as a row.
pub(crate) fn accepted_row<F: Finding>(finding: &F) -> Vec<String> {
    let none = || "-".to_owned();
    let accepted = finding.accepted();
    vec![
        finding.title(),
        accepted.map_or_else(none, |accepted| accepted.why.clone()),
        accepted.map_or_else(none, |accepted| accepted.owner.clone()),
        accepted
            .and_then(|accepted| accepted.until.clone())
            .unwrap_or_else(none),
    ]
}

/// Accepted findings, apart from those that need somebody.
fn accepted<F: Finding>(page: &mut Page<'_>, findings: &[F]) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    page.blank()?;
    page.line(&Text::new().strong("Accepted"))?;
    for finding in findings {
        let Some(accepted) = finding.accepted() else { continue };
        page.paragraph(&Margin::of(2).hanging(2), &Text::from(finding.title().as_str()))?;
        let until = accepted
            .until
            .as_ref()
            .map(|day| format!(", until {day}"))
            .unwrap_or_default();
        let why = format!("{} ({}{until})", accepted.why, accepted.owner);
        page.paragraph(&Margin::of(4), &Text::new().faint(&why))?;
    }
    Ok(())
}

/// The moment of the answer, and how far the records reach where they end well before it.
fn as_of<F>(document: &Document<F>) -> String {
    const HOUR: i64 = 3_600_000_000;
    let time = |text: &String| parse_rfc3339(text);
    let lasts = document.coverage.iter().filter_map(|row| row.last.as_ref());
    let newest = lasts.max_by_key(|last| time(last));
    let is_early = |last: &&String| {
        time(last)
            .zip(time(&document.at))
            .is_some_and(|(last, at)| last + HOUR < at)
    };
    let newest = newest.filter(is_early).map(|last| short_time(Some(last)));
    let records = newest
        .map(|last| format!(", from records up to {last}"))
        .unwrap_or_default();
    format!("As of {}{records}", short_time(Some(&document.at)))
}

/// "Nothing found" is only said over full coverage.
fn nothing<F>(document: &Document<F>) -> Text {
    let is_blind = document
        .coverage
        .iter()
        .any(|coverage| !coverage.blind_spots.is_empty());
    Text::new().strong(if is_blind || document.coverage.is_empty() {
        "Nothing found in these logs"
    } else {
        "Nothing found"
    })
}

/// What the logs cannot show, cluster by cluster.
fn blind_spots<F>(page: &mut Page<'_>, document: &Document<F>) -> io::Result<()> {
    let mut last = None;
    let mut shown = BTreeSet::new();
    for coverage in document
        .coverage
        .iter()
        .filter(|coverage| !coverage.blind_spots.is_empty())
    {
        if last.is_none() {
            page.blank()?;
            page.line(&Text::new().warning("What these logs cannot show"))?;
        }
        if last != Some(&coverage.cluster) {
            let cluster = coverage.cluster.as_ref();
            let name = cluster.map_or_else(|| Text::from("no cluster"), |cluster| words::heading(cluster, 1));
            page.paragraph(&Margin::of(2), &name)?;
            last = Some(&coverage.cluster);
            shown.clear();
        }
        // Several sources of a cluster may have one blind spot.
        let spots = coverage.blind_spots.iter().filter(|spot| shown.insert(*spot));
        spots
            .into_iter()
            .try_for_each(|spot| page.paragraph(&Margin::of(4).hanging(2), &Text::from(spot.as_str())))?;
    }
    Ok(())
}

/// Writes rows of text in a form.
pub(crate) fn rows(out: &mut dyn Write, output: Output, columns: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let object = |row: &Vec<String>| {
        columns
            .iter()
            .zip(row)
            .map(|(name, cell)| ((*name).to_owned(), cell.clone().into()))
            .collect::<serde_json::Map<String, serde_json::Value>>()
    };
    match output {
        Output::Table => table(out, columns, rows),
        Output::Json | Output::Sarif => json(out, &rows.iter().map(object).collect::<Vec<_>>()),
        Output::Jsonl => rows.iter().try_for_each(|row| json_line(out, &object(row))),
        Output::Csv => {
            let names: Vec<String> = columns.iter().map(|name| snake_case(name)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let or_nothing = |cell: &String| if cell == "-" { String::new() } else { cell.clone() };
            let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(or_nothing).collect()).collect();
            csv(out, &names, &rows)
        }
        Output::Md => markdown(out, columns, rows),
    }
}

/// A head of a table as a name of a column: `LAST SEEN` is `last_seen`.
fn snake_case(head: &str) -> String {
    let word = |letter: char| {
        if letter.is_alphanumeric() {
            letter.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    head.chars().map(word).collect()
}

/// A spreadsheet runs what begins like a formula.
fn inert(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t']) && text != "-" {
        format!("'{text}")
    } else {
        text
    }
}

fn csv(out: &mut dyn Write, columns: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let cell = |text: &str| -> String {
        let text = inert(escape(text));
        if text.contains([',', '"', '\n']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    writeln!(out, "{}", columns.join(","))?;
    rows.iter().try_for_each(|row| {
        writeln!(
            out,
            "{}",
            row.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",")
        )
    })
}

/// Text that Markdown shows as it is.
pub(crate) fn markdown_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in escape(text).chars() {
        match c {
            // A line of its own could be a heading, or the end of the table.
            '\n' => safe.push(' '),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' => safe.extend(['\\', c]),
            _ => safe.push(c),
        }
    }
    safe
}

fn markdown(out: &mut dyn Write, columns: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    writeln!(out, "| {} |", columns.join(" | "))?;
    writeln!(out, "|{}", " --- |".repeat(columns.len()))?;
    rows.iter().try_for_each(|row| {
        writeln!(
            out,
            "| {} |",
            row.iter()
                .map(|text| markdown_text(text))
                .collect::<Vec<_>>()
                .join(" | ")
        )
    })
}

/// Text that cannot move the cursor, change colours, or turn the writing direction.
pub(crate) fn escape(text: &str) -> String {
    let is_unsafe = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    if !text.contains(is_unsafe) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| {
            if is_unsafe(c) && c != '\n' {
                c.escape_unicode().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_shown_and_does_nothing() {
        assert_eq!(escape("a\u{1b}[31mb\u{202e}"), "a\\u{1b}[31mb\\u{202e}");
        let written = |output| {
            let mut out = Vec::new();
            rows(&mut out, output, &["A"], &[vec!["=1+1|<b>\u{7}".to_owned()]]).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(Output::Csv), "a\n'=1+1|<b>\\u{7}\n");
        assert_eq!(markdown_text("a\n# All clear\n| b |"), "a # All clear \\| b \\|");
        assert_eq!(written(Output::Md), "| A |\n| --- |\n| =1+1\\|&lt;b&gt;\\\\u{7} |\n");
    }
}
