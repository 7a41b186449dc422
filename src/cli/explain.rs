//! `explain`: what an error message means, with the records that match where there is a lake.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::Args;
use eksplain_analyze::explain::{Explanation, explain};
use eksplain_analyze::findings::Evidence;
use eksplain_analyze::{Options, answer};
use eksplain_lake::Lake;
use eksplain_queries::Engine;
use serde::Serialize;

use super::Global;
use crate::error::{Exit, Failure};
use crate::render::{self, Margin, Output, Page, Text, say};
use crate::settings::now;
use crate::view;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain explain 'error: You must be logged in to the server (Unauthorized)'
  kubectl get pods 2>&1 | eksplain explain -")]
pub(crate) struct Arguments {
    /// The message, with whatever stands around it; - reads standard input
    #[arg(value_name = "ERROR TEXT")]
    text: String,
}

/// `eksplain.explain/1`.
#[derive(Debug, Serialize)]
struct Finding {
    pattern: &'static str,
    layer: &'static str,
    reason: &'static str,
    meaning: &'static str,
    causes: Vec<&'static str>,
    fix: Vec<&'static str>,
    logs_to_look_in: Vec<&'static str>,
    matches: Vec<view::Evidence>,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut text = arguments.text.clone();
    if text == "-" {
        text.clear();
        io::stdin().read_to_string(&mut text)?;
    }
    let found = explain(&text);
    let (coverage, findings) = with_records(global, found)?;
    let mut out = io::stdout().lock();
    let is_known = !findings.is_empty();
    let matches = findings.iter().flat_map(|finding| &finding.matches);
    let record = matches.max_by_key(|record| &record.ts).map(|record| record.id.clone());
    match global.output {
        Output::Json => render::json(
            &mut out,
            &view::Document::new("eksplain.explain/1", now(), coverage, findings),
        )?,
        Output::Jsonl => findings
            .iter()
            .try_for_each(|finding| render::json_line(&mut out, finding))?,
        Output::Table => print(&mut out, &findings)?,
        other => {
            let row = |finding: &Finding| {
                [finding.pattern, finding.layer, finding.reason, finding.meaning]
                    .map(str::to_owned)
                    .to_vec()
            };
            render::rows(
                &mut out,
                other,
                &["PATTERN", "LAYER", "REASON", "MEANING"],
                &findings.iter().map(row).collect::<Vec<_>>(),
            )?;
        }
    }
    if !is_known {
        say::note("nothing in the catalogue fits: paste the whole message, its last line above all");
    }
    match record {
        Some(id) => super::hint(global, &format!("evidence {id}"), "shows the latest of these records"),
        None if is_known => super::hint(global, "denials --since 2h", "shows what was refused of late, and why"),
        None => {}
    }
    Ok(if is_known {
        Exit::Answered.into()
    } else {
        Exit::Matched.into()
    })
}

/// The findings, with the evidence of denials of the same reason where a lake is there.
fn with_records(global: &Global, found: Vec<Explanation>) -> Result<(Vec<view::Coverage>, Vec<Finding>), Failure> {
    let mut coverage = Vec::new();
    let mut records: Vec<(&'static str, Vec<Evidence>)> = Vec::new();
    let mut origins = view::Origins::default();
    if let Ok(lake) = Lake::open(&global.lake) {
        let engine = Engine::open(&lake)?;
        let answers = answer(
            &super::ask::facts_at(&engine, now())?,
            &Options {
                at: now(),
                ..Options::default()
            },
        );
        coverage = answers.coverage.iter().map(view::coverage).collect();
        records = answers
            .denials
            .into_iter()
            .map(|denial| (denial.reason.id(), denial.evidence))
            .collect();
        let wanted = records
            .iter()
            .filter(|(reason, _)| found.iter().any(|explanation| fits(explanation, reason)));
        origins = engine.origins(&view::ids(wanted.flat_map(|(_, evidence)| evidence)))?;
    }
    let finding = |explanation: Explanation| {
        let mut matching: Vec<Evidence> = records
            .iter()
            .filter(|(reason, _)| fits(&explanation, reason))
            .flat_map(|(_, evidence)| evidence.clone())
            .collect();
        matching.sort();
        let newest = matching.len().saturating_sub(5);
        Finding {
            pattern: explanation.pattern,
            layer: explanation.layer,
            reason: explanation.reason,
            meaning: explanation.meaning,
            causes: explanation.causes,
            fix: explanation.fix,
            logs_to_look_in: explanation.logs_to_look_in,
            matches: view::evidence(&matching[newest..], &origins),
        }
    };
    Ok((coverage, found.into_iter().map(finding).collect()))
}

/// Whether a denial of this reason is what the message may speak of: a bare 401 or 403 may have any reason of its layer.
fn fits(explanation: &Explanation, reason: &str) -> bool {
    let is_general = matches!(explanation.pattern, "E05" | "E06" | "E16" | "E42" | "E60");
    reason == explanation.reason || (is_general && reason.split('.').next() == Some(explanation.layer))
}

fn print(out: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    let mut page = Page::new(out);
    let said = |label: &str| Margin::of(2).labelled(Text::new().literal(label).plain(": "));
    for (at, finding) in findings.iter().enumerate() {
        if at > 0 {
            page.blank()?;
        }
        page.line(
            &Text::new()
                .strong(finding.reason)
                .faint(&format!(" ({})", finding.pattern)),
        )?;
        page.paragraph(&Margin::of(2), &Text::from(finding.meaning))?;
        for cause in &finding.causes {
            page.paragraph(&said("may be"), &Text::from(*cause))?;
        }
        for fix in &finding.fix {
            page.command(&said("do"), fix)?;
        }
        if !finding.logs_to_look_in.is_empty() {
            let logs = finding.logs_to_look_in.join(", ");
            page.paragraph(&said("look in"), &Text::from(logs.as_str()))?;
        }
        for record in &finding.matches {
            let line = Text::from(crate::view::short_time(Some(&record.ts)).as_str());
            let line = line.plain(" ").faint(&record.id).plain(" ").plain(&record.summary);
            page.paragraph(&said("in the lake"), &line)?;
        }
    }
    Ok(())
}
