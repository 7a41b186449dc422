//! `explain`: what an error message means, with the records that match where there is a lake.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use clap::Args;
use eksplain_analyze::explain::{Explanation, explain, ids, is_command};
use eksplain_analyze::findings::{Denial, Evidence};
use eksplain_analyze::{Options, answer};
use eksplain_lake::Lake;
use eksplain_queries::Engine;
use serde::Serialize;

use super::Global;
use crate::config::nearest;
use crate::error::{Exit, Failure};
use crate::render::{self, Margin, Output, Page, Text, say};
use crate::settings::now;
use crate::view;
use crate::view::fingerprint::{Fingerprint, Parts};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain explain 'error: You must be logged in to the server (Unauthorized)'
  kubectl get pods 2>&1 | eksplain explain -
  eksplain explain authn.not-mapped       the page of a reason
  eksplain explain sso                    a topic: sso, creator, token, aws-auth")]
pub(crate) struct Arguments {
    /// The message with whatever surrounds it, an id (E05, authn.not-mapped) or a topic; - for standard input
    #[arg(value_name = "ERROR TEXT")]
    text: String,
}

/// `eksplain.explain/1`.
#[derive(Debug, Serialize)]
struct Finding {
    pattern: &'static str,
    /// Other ids of the catalogue that fit and mean the same.
    also: Vec<&'static str>,
    layer: &'static str,
    reason: &'static str,
    /// Only passes on another message; the reason is that message's.
    carrier: bool,
    meaning: &'static str,
    causes: Vec<String>,
    fix: Vec<String>,
    logs_to_look_in: Vec<&'static str>,
    /// What the records of the lake prove of this very request.
    proven: Vec<Proven>,
    matches: Vec<view::Evidence>,
    fingerprint: Fingerprint,
    #[serde(skip)]
    is_of_anybody: bool,
}

/// The reason that `denials` gives the records that match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Proven {
    reason: &'static str,
    cause: String,
}

/// How many records are shown for one finding.
const SHOWN: usize = 5;

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let text = match arguments.text.as_str() {
        "-" => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes)?;
            // A terminal may print anything: what is not UTF-8 is replaced.
            String::from_utf8_lossy(&bytes).into_owned()
        }
        text => text.to_owned(),
    };
    let found = explain(&text);
    let names_a_request = found.first().is_some_and(Explanation::names_a_request);
    let logs = found
        .first()
        .map(|first| first.logs_to_look_in.clone())
        .unwrap_or_default();
    let is_heard = found.first().is_some_and(|first| first.is_heard);
    let (coverage, findings) = with_records(global, found)?;
    let has_lake = coverage.is_some();
    let mut out = io::stdout().lock();
    let is_known = !findings.is_empty();
    let matches = findings.iter().flat_map(|finding| &finding.matches);
    let record = matches.max_by_key(|record| &record.ts).map(|record| record.id.clone());
    match global.output {
        Output::Json => render::json(
            &mut out,
            &view::Document::new("eksplain.explain/1", now(), coverage.unwrap_or_default(), findings),
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
        say::note(&unknown(&text));
        return Ok(Exit::Matched.into());
    }
    match record {
        Some(id) => super::hint(global, &format!("evidence {id}"), "shows the latest of these records"),
        None if has_lake && is_heard && names_a_request => {
            say::note("no refused call in the lake is by this user for this request");
            super::hint(global, "denials --since 2h", "shows what was refused recently, and why");
        }
        None if has_lake => super::hint(global, "denials --since 2h", "shows what was refused recently, and why"),
        None => without_lake(global, logs),
    }
    Ok(Exit::Answered.into())
}

/// Which log would tell more, where none has been read yet.
fn without_lake(global: &Global, logs: Vec<&str>) {
    match logs.first() {
        Some(&"cloudtrail") => super::hint(global, "ingest cloudtrail --since 2h", "reads the log that shows more"),
        Some(_) => super::hint(global, "ingest cloudwatch --since 2h", "reads the logs that show more"),
        None => {}
    }
}

/// What is said where nothing fits.
fn unknown(text: &str) -> String {
    let text = text.trim();
    let digits = text.strip_prefix(['E', 'e']).unwrap_or_default();
    if !digits.is_empty() && digits.len() < 4 && digits.bytes().all(|b| b.is_ascii_digit()) {
        return format!("the catalogue has no {text}; its ids are E01 to E69");
    }
    let is_word = text.len() < 60 && !text.contains('\n') && text.split_whitespace().count() < 3;
    match nearest(text, ids()).filter(|_| is_word && text.len() > 1) {
        Some(near) => format!("no known error matches; did you mean `{near}`?"),
        None => "no known error matches; paste the full message, especially its last line".to_owned(),
    }
}

/// The findings, with the records of a lake that they may speak of; coverage is `None` where there is no lake.
fn with_records(
    global: &Global,
    found: Vec<Explanation>,
) -> Result<(Option<Vec<view::Coverage>>, Vec<Finding>), Failure> {
    let Ok(lake) = Lake::open(&global.lake) else {
        let findings = found
            .into_iter()
            .map(|one| finding(one, &[], &view::Origins::default()));
        return Ok((None, findings.collect()));
    };
    let engine = Engine::open(&lake)?;
    let options = Options {
        at: now(),
        ..Options::default()
    };
    let answers = answer(&super::ask::facts_at(&engine, now())?, &options);
    let coverage = answers.coverage.iter().map(view::coverage).collect();
    let wanted = answers
        .denials
        .iter()
        .filter(|denial| found.iter().any(|one| one.may_be(denial)));
    let origins = engine.origins(&view::ids(wanted.flat_map(|denial| &denial.evidence)))?;
    let findings = found.into_iter().map(|one| finding(one, &answers.denials, &origins));
    Ok((Some(coverage), findings.collect()))
}

fn finding(explanation: Explanation, denials: &[Denial], origins: &view::Origins) -> Finding {
    let of_text: Vec<&Denial> = denials.iter().filter(|denial| explanation.may_be(denial)).collect();
    let mut matching: Vec<Evidence> = of_text.iter().flat_map(|denial| denial.evidence.clone()).collect();
    matching.sort();
    matching.dedup();
    let newest = matching.len().saturating_sub(SHOWN);
    // Only a text that names its request has a reason that records can prove.
    let proven: BTreeSet<Proven> = of_text
        .iter()
        .filter(|_| explanation.names_a_request())
        .map(|denial| Proven {
            reason: denial.reason.id(),
            cause: denial.cause.clone(),
        })
        .collect();
    Finding {
        fingerprint: Parts::of("explain")
            .with(Some(explanation.pattern))
            .with(Some(explanation.reason))
            .fingerprint(),
        is_of_anybody: !explanation.names_a_request(),
        pattern: explanation.pattern,
        also: explanation.also,
        layer: explanation.layer,
        reason: explanation.reason,
        carrier: explanation.is_carrier,
        meaning: explanation.meaning,
        causes: explanation.causes,
        fix: explanation.fix,
        logs_to_look_in: explanation.logs_to_look_in,
        proven: proven.into_iter().collect(),
        matches: view::evidence(&matching[newest..], origins),
    }
}

fn print(out: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    let mut page = Page::new(out);
    let (carriers, messages): (Vec<&Finding>, Vec<&Finding>) = findings
        .iter()
        .partition(|finding| finding.carrier && findings.len() > 1);
    let has_gates = messages
        .iter()
        .filter(|finding| finding.pattern.starts_with('G'))
        .count()
        > 1;
    if has_gates {
        page.line(&Text::from(
            "This alone does not say which gate refused. The likeliest comes first, the others in the order of a request.",
        ))?;
        page.blank()?;
    }
    for (at, finding) in messages.iter().enumerate() {
        if at > 0 {
            page.blank()?;
        }
        message(&mut page, finding, has_gates)?;
    }
    for carrier in carriers {
        let text = Text::new().faint(&format!("passed on: {}", carrier.meaning));
        page.paragraph(&Margin::of(2), &text)?;
    }
    Ok(())
}

fn message(page: &mut Page<'_>, finding: &Finding, is_gate: bool) -> io::Result<()> {
    let said = |label: &str| Margin::of(2).labelled(Text::new().literal(label).plain(": "));
    let title = match finding.reason {
        "" => Text::new().strong(finding.pattern),
        reason if reason == finding.pattern => Text::new().strong(reason),
        reason => Text::new().strong(reason).faint(&format!(" ({})", finding.pattern)),
    };
    page.line(&title)?;
    page.paragraph(&Margin::of(2), &Text::from(finding.meaning))?;
    for proven in &finding.proven {
        let text = Text::new().strong(proven.reason).plain(": ").plain(&proven.cause);
        page.paragraph(&said("the lake says"), &text)?;
    }
    for fix in &finding.fix {
        match is_command(fix) {
            true => page.command(&said("do"), fix)?,
            false => page.paragraph(&said("do"), &Text::from(fix.as_str()))?,
        }
    }
    for cause in finding.causes.iter().filter(|_| !is_gate) {
        page.paragraph(&said("may be"), &Text::from(cause.as_str()))?;
    }
    if !finding.logs_to_look_in.is_empty() && !is_gate {
        let logs = finding.logs_to_look_in.join(", ");
        page.paragraph(&said("look in"), &Text::from(logs.as_str()))?;
    }
    if finding.is_of_anybody && !finding.matches.is_empty() {
        let text = "The text names nobody. It may come from one of these refused logins:";
        page.paragraph(&Margin::of(2), &Text::from(text))?;
    }
    for record in &finding.matches {
        let line = Text::from(crate::view::short_time(Some(&record.ts)).as_str());
        let line = line.plain(" ").faint(&record.id).plain(" ").plain(&record.summary);
        page.paragraph(&said("in the lake"), &line)?;
    }
    Ok(())
}
