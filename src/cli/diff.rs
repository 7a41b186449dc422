//! `diff`: what changed between two times of a lake, or between two reports.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use eksplain_analyze::quote;
use eksplain_analyze::time::format_rfc3339;
use serde::Serialize;

use super::Global;
use super::ask::{self, Scope, Selectors};
use super::select::{check_clusters, matched_titles};
use crate::accept::Accepts;
use crate::config::nearest;
use crate::diff::{Brief, Change, KINDS, changes};
use crate::error::Failure;
use crate::render::say;
use crate::render::{self, Margin, Output, Page, Style, Text, data};
use crate::settings::{DayEnd, Micros, now, time};
use crate::view::words::{counted, heading_of, principal};
use crate::view::{in_cluster, short_time};

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
    /// Which refused AWS calls to include
    #[arg(long, value_enum, default_value_t = Scope::Access)]
    scope: Scope,
    /// Exit 1 if there is such a change: any, or a kind (repeatable, or separated by commas)
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kind)]
    fail_on: Vec<String>,
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    old_at: String,
    new_at: String,
    findings: Vec<Change>,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.selectors.at.is_some() {
        return Err(Failure::usage(
            "diff compares OLD with NEW and does not take --at",
            "write eksplain diff OLD NEW",
        ));
    }
    let base = |name| Base {
        name,
        now: now(),
        scope_all: arguments.scope == Scope::All,
    };
    let selectors = &arguments.selectors;
    let mut old = document_at(global, selectors, &arguments.old, &base("OLD"))?;
    let mut new = document_at(global, selectors, &arguments.new, &base("NEW"))?;
    check_clusters(&selectors.cluster, old.names().chain(new.names()), false)?;
    for report in [&mut old, &mut new] {
        narrow(report, selectors);
    }
    if old.at > new.at {
        say::warning(&format!(
            "OLD is of {}, after NEW of {}: what is reported as new was there before",
            old.at, new.at
        ));
    }
    if old.selection != new.selection {
        say::warning(
            "the two reports are about different selections of clusters or calls: not every difference is a change",
        );
    }
    let findings = changes(&old, &new);
    let titles = matching(&findings, &arguments.fail_on);
    let mut out = std::io::stdout().lock();
    match global.output {
        Output::Json => {
            let document = Document {
                schema: SCHEMA,
                version: env!("CARGO_PKG_VERSION"),
                old_at: old.at,
                new_at: new.at,
                findings,
            };
            render::json(&mut out, &document)?;
        }
        Output::Jsonl => findings
            .iter()
            .try_for_each(|change| render::json_line(&mut out, change))?,
        Output::Table => {
            print(&mut out, (&old.at, &new.at), &findings)?;
            out.flush()?;
            let is_principal = |change: &&Change| {
                let known = ["arn:", "User:", "Group:", "ServiceAccount:"];
                known.iter().any(|kind| change.subject.starts_with(kind))
            };
            match findings.iter().find(is_principal) {
                Some(change) => {
                    let words = format!("who {}", quote(&change.subject));
                    super::hint(global, &words, "shows everything known about one of them");
                }
                None => super::hint(global, "lake status", "shows of which times the lake has records"),
            }
        }
        Output::Csv => {
            let rows: Vec<_> = findings.iter().map(Change::cells).collect();
            data::cells(&mut out, Output::Csv, Change::FIELDS, &rows)?;
        }
        output => {
            let rows: Vec<_> = findings.iter().map(Change::row).collect();
            render::rows(&mut out, output, Change::COLUMNS, &rows)?;
        }
    }
    Ok(matched_titles(global, &arguments.fail_on, &titles))
}

/// The changes of a kind that was named, in a few words each.
pub(super) fn matching(changes: &[Change], kinds: &[String]) -> Vec<String> {
    let is_named = |change: &&Change| kinds.iter().any(|kind| kind == "any" || *kind == change.kind);
    let title = |change: &Change| {
        format!(
            "{} {}{}",
            change.kind,
            change.subject,
            in_cluster(change.cluster.as_ref())
        )
    };
    changes.iter().filter(is_named).map(title).collect()
}

/// A kind of change, as `--fail-on` takes it.
pub(super) fn kind(text: &str) -> Result<String, String> {
    if text == "any" || KINDS.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(match nearest(text, KINDS) {
            Some(near) => format!("there is no such change: did you mean {near}?"),
            None => format!("there is no such change; the kinds are any, {}", KINDS.join(", ")),
        })
    }
}

/// Leaves what the selectors name: a report in a file may be about more.
fn narrow(report: &mut Brief, selectors: &Selectors) {
    let fits = |asked: &Option<String>, own: &Option<String>| asked.is_none() || asked == own;
    let is_named = |name: &str| {
        let mut globs = selectors.cluster.iter();
        selectors.cluster.is_empty() || globs.any(|glob| eksplain_analyze::glob_matches(glob, name))
    };
    report.retain(|cluster| match cluster {
        Some(cluster) => {
            is_named(&cluster.name)
                && fits(&selectors.account, &cluster.account)
                && fits(&selectors.region, &cluster.region)
        }
        None => selectors.cluster.is_empty(),
    });
    let selection = &mut report.selection;
    if selection.clusters.is_empty() {
        selection.clusters = selectors.cluster.clone();
    }
    selection.account = selection.account.take().or_else(|| selectors.account.clone());
    selection.region = selection.region.take().or_else(|| selectors.region.clone());
}

/// Changes by cluster.
fn print(out: &mut dyn Write, (old, new): (&String, &String), changes: &[Change]) -> io::Result<()> {
    let mut page = Page::new(out);
    let (old, new) = (short_time(Some(old)), short_time(Some(new)));
    page.line(&Text::from(format!("From {old} to {new}").as_str()))?;
    page.blank()?;
    if changes.is_empty() {
        return page.line(&Text::new().strong("Nothing changed"));
    }
    let mut clusters: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for change in changes {
        clusters.entry(change.cluster.as_ref()).or_default().push(told(change));
    }
    for (at, (cluster, rows)) in clusters.iter().enumerate() {
        if at > 0 {
            page.blank()?;
        }
        let count = counted(rows.len() as u64, "change");
        page.line(&heading_of(*cluster).plain(&format!(": {count}")))?;
        page.rows(&Margin::of(2), rows)?;
    }
    Ok(())
}

/// What is new and gives power or trouble is yellow, what ends trouble green.
fn told(change: &Change) -> Vec<Text> {
    let (mark, style) = match change.kind {
        "new-admin" | "new-denial" | "new-check" => ("+", Style::Warning),
        "lost-admin" => ("-", Style::Plain),
        "creator-deleted" | "creator-recreated" => ("!", Style::Error),
        "resolved-denial" | "fixed-check" => ("✓", Style::Good),
        "new-cluster" => ("+", Style::Plain),
        "cluster-deleted" => ("-", Style::Plain),
        _ => ("~", Style::Plain),
    };
    let fate = match (&change.was, &change.is) {
        (Some(was), Some(is)) if was != is => Text::new().faint(was).plain(" → ").plain(is),
        (_, Some(is)) => Text::from(is.as_str()),
        (Some(was), None) => Text::from("was ").plain(was),
        (None, None) => Text::new(),
    };
    let kind = Text::new().styled(style, &format!("{mark} {}", change.kind)).whole();
    vec![kind, principal(&change.subject), fate]
}

/// What a report is taken from, where it is no file.
pub(super) struct Base {
    /// What the person typed it for.
    pub(super) name: &'static str,
    /// How long ago is counted back from here.
    pub(super) now: Micros,
    pub(super) scope_all: bool,
}

/// A report out of a file, out of the folder that holds it, or of the lake at a time.
pub(super) fn document_at(global: &Global, selectors: &Selectors, text: &str, base: &Base) -> Result<Brief, Failure> {
    let path = Path::new(text);
    if path.exists() || text.ends_with(".json") {
        let file = if path.is_dir() {
            path.join("report.json")
        } else {
            path.to_owned()
        };
        if selectors.since.is_some() || selectors.until.is_some() {
            return Err(Failure::usage(
                "could not select calls by time: a report counts them, and does not hold each",
                "leave --since and --until out, or compare two times of the lake",
            ));
        }
        let wrong = |why: String| {
            Failure::usage(
                format!("could not read the report {}: {why}", file.display()),
                "name a report.json that eksplain report wrote, its folder, or a time",
            )
        };
        let content = std::fs::File::open(&file).map_err(|error| wrong(error.to_string()))?;
        return Brief::read(std::io::BufReader::new(content)).map_err(wrong);
    }
    let at = time(base.name, text, base.now, DayEnd::Last)?;
    let selectors = Selectors {
        at: Some(format_rfc3339(at)),
        ..selectors.clone()
    };
    let accepts = Accepts::read(global.config.as_deref())?;
    Ok(Brief::of(&ask::report(global, &selectors, base.scope_all, &accepts)?))
}
