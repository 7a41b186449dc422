//! The report of a pass: made, compared with the last one, delivered, and told. The only place of `run` that knows how.

use std::fs;
use std::path::Path;

use clap::ValueEnum;
use eksplain_aws::s3::{self, Encryption, Place};
use eksplain_aws::{Aws, Settings};
use serde_json::Value;

use super::record::{Answered, Counts, Delivered, LastRun, write_whole};
use crate::cli::Global;
use crate::cli::ask::{self, Selectors};
use crate::cli::ingest::aws::runtime;
use crate::config::{CHANGES, Config, Notify, Recipient, Report as Wanted, Scope, Target, When, is_finding_word};
use crate::diff::changes;
use crate::error::Failure;
use crate::render::Output;
use crate::report::{Form, Report, SCHEMA, deliver};
use crate::view::Finding;

/// Whether the pass asks for an answer at all.
pub(super) fn is_wanted(config: &Config) -> bool {
    config.report.is_some() || config.notify.is_some() || !config.questions.fail_on.is_empty()
}

/// Makes the report, compares it with the last one, and delivers it.
pub(super) fn run(global: &Global, config: &Config) -> Result<Answered, Failure> {
    let questions = &config.questions;
    if questions.scope == Scope::All && !global.quiet {
        eprintln!("note: scope = \"all\" is not in reports yet: they hold the calls that decide about access");
    }
    let selectors = Selectors {
        cluster: questions.clusters.clone(),
        account: questions.account.clone(),
        region: questions.region.clone(),
        ..Selectors::default()
    };
    let report = ask::report(global, &selectors)?;
    let new = serde_json::to_value(&report)?;
    let changed = config.report.as_ref().and_then(last).map(|old| changes(&old, &new));
    let kinds = changed
        .as_ref()
        .map(|changed| count(changed.iter().map(|change| change.kind.to_owned())));
    let matched = questions.fail_on.iter().filter(|rule| {
        let is_change = kinds
            .as_ref()
            .is_some_and(|kinds| kinds.contains_key(*rule) || (*rule == "any" && !kinds.is_empty()));
        is_change || (is_finding_word(rule) && is_found(rule, &report))
    });
    Ok(Answered {
        findings: findings(&new),
        matched: matched.cloned().collect(),
        changes: kinds,
        report: config
            .report
            .as_ref()
            .map(|wanted| into_target(global, wanted, &report))
            .transpose()?,
    })
}

/// Whether somebody is to be told of this pass. One that failed always is told.
pub(super) fn is_told(config: &Config, last: &LastRun) -> bool {
    config.notify.as_ref().is_some_and(|notify| match notify.when {
        When::Always => true,
        When::Changes => !last.is_success() || last.changes.as_ref().is_some_and(|changes| !changes.is_empty()),
        When::Findings => !last.is_success() || !last.matched.is_empty(),
    })
}

/// Tells; gives whom.
pub(super) fn tell(global: &Global, config: &Config, last: &LastRun) -> Result<String, Failure> {
    let Some(Notify { to, .. }) = &config.notify else {
        return Ok(String::new());
    };
    match to {
        // Standard output holds one answer.
        Recipient::Output(_) if global.output == Output::Json => eprint!("{}", last.summary()),
        Recipient::Output(_) => std::io::Write::write_all(&mut std::io::stdout().lock(), last.summary().as_bytes())?,
        Recipient::File(path) => write_whole(path, &serde_json::to_vec_pretty(last)?)?,
        Recipient::Topic(arn) => {
            return Err(Failure::usage(
                format!("could not publish to {arn}: eksplain does not speak to SNS yet"),
                "write to a file, or to -",
            ));
        }
    }
    Ok(to.to_string())
}

/// The last report, where it can be had.
fn last(wanted: &Wanted) -> Option<Value> {
    let Target::Folder(folder) = &wanted.to else {
        return None;
    };
    let text = fs::read(folder.join("latest/report.json")).ok()?;
    let report: Value = serde_json::from_slice(&text).ok()?;
    (report["schema"] == SCHEMA).then_some(report)
}

fn into_target(global: &Global, wanted: &Wanted, report: &Report) -> Result<Delivered, Failure> {
    let mut forms: Vec<Form> = wanted
        .forms
        .iter()
        .filter_map(|form| Form::from_str(form, false).ok())
        .collect();
    if wanted.forms.is_empty() {
        forms = vec![Form::Html, Form::Json, Form::Csv, Form::Md];
    } else if forms.len() < wanted.forms.len() && !global.quiet {
        eprintln!("note: Parquet is not a form of the report yet");
    }
    let day = report.at.get(..10).unwrap_or(&report.at);
    let files = report.files(&forms)?;
    match &wanted.to {
        Target::Folder(folder) => deliver(Path::new(folder), day, &files)?,
        Target::S3(uri) => {
            let place: Place = uri
                .parse()
                .map_err(|error| Failure::usage(format!("could not {error}"), "write s3://BUCKET/PREFIX"))?;
            let encryption = wanted.kms_key.clone().map_or(Encryption::OfBucket, Encryption::Kms);
            let settings = Settings {
                profile: global.profile.clone(),
                endpoint_url: global.endpoint_url.clone(),
                ..Settings::default()
            };
            runtime()?.block_on(async {
                let aws = Aws::connect(settings).await?;
                s3::deliver(&aws, &place, day, &files, &encryption).await
            })?;
        }
    }
    Ok(Delivered {
        to: wanted.to.to_string(),
        at: report.at.clone(),
        files: files
            .iter()
            .map(|(name, _)| format!("reports/date={day}/{name}"))
            .collect(),
    })
}

/// Whether a finding says a word, or one below it (`authn` of `authn.not-mapped`).
fn is_found(rule: &str, report: &Report) -> bool {
    fn says<F: Finding>(rule: &str, findings: &[F]) -> bool {
        let is_rule = |word: &String| {
            rule == "any" || word == rule || word.strip_prefix(rule).is_some_and(|rest| rest.starts_with('.'))
        };
        findings.iter().any(|finding| finding.words().iter().any(is_rule))
    }
    says(rule, &report.admins)
        || says(rule, &report.creators)
        || says(rule, &report.denials)
        || says(rule, &report.checks)
}

/// Findings by question and status; a status that nothing has is there too, with nought.
fn findings(report: &Value) -> std::collections::BTreeMap<&'static str, Counts> {
    let of = |question: &str, known: &[&str], status: fn(&Value) -> &str| {
        let found = report[question].as_array().into_iter().flatten();
        let mut counts = count(found.map(|finding| status(finding).to_owned()));
        for known in known {
            counts.entry((*known).to_owned()).or_default();
        }
        counts
    };
    let admins = of("admins", &["active", "revoked", "unproven"], |finding| {
        text(&finding["status"])
    });
    let creators = of(
        "creators",
        &["present", "deleted", "recreated", "unknown", "recovery-needed"],
        |finding| {
            if finding["recovery"]["needed"] == true {
                "recovery-needed"
            } else {
                text(&finding["creator_state"])
            }
        },
    );
    let denials = of("denials", &["resolved", "unresolved"], |finding| {
        if finding["resolved"] == true {
            "resolved"
        } else {
            "unresolved"
        }
    });
    let checks = of("checks", &["critical", "high", "medium", "low", "info"], |finding| {
        text(&finding["severity"])
    });
    [
        ("admins", admins),
        ("creators", creators),
        ("denials", denials),
        ("checks", checks),
    ]
    .into()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("unknown")
}

fn count(words: impl Iterator<Item = String>) -> Counts {
    let mut counts = Counts::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    counts
}

/// Every kind of change, also those that did not happen.
pub(super) fn all_kinds(changes: &Counts) -> Counts {
    CHANGES
        .iter()
        .map(|kind| ((*kind).to_owned(), changes.get(*kind).copied().unwrap_or(0)))
        .collect()
}
