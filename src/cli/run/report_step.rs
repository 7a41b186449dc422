//! The report of a pass: made, compared with the last one, delivered, and told. The only place of `run` that knows how.

use std::path::Path;

use clap::ValueEnum;
use eksplain_analyze::words::{PrincipalState, Severity, Status};
use eksplain_aws::s3::Encryption;
use eksplain_aws::{Aws, sns};

use super::record::{Answered, Counts, Delivered, LastRun};
use crate::accept::Accepts;
use crate::cli::Global;
use crate::cli::ask::{self, Selectors};
use crate::cli::report::access;
use crate::config::{Config, Notify, Recipient, Report as Wanted, Scope, When, is_finding_word};
use crate::delivery::{self, Destination, day_of, notify};
use crate::diff::{Brief, KINDS};
use crate::error::Failure;
use crate::render::Output;
use crate::report::{Form, Report};
use crate::runtime::runtime;
use crate::view::Finding;
use crate::whole::write_whole;

/// In the lake: what the alarms of the next pass compare with.
const TOLD: &str = "_state/told.json";

/// A report and where it lies.
pub(super) struct Made {
    report: Report,
    /// None where the pass keeps no reports.
    lies: Option<delivery::Delivered>,
}

/// Whether the pass asks for an answer at all.
pub(super) fn is_wanted(config: &Config) -> bool {
    config.report.is_some() || config.notify.is_some() || !config.questions.fail_on.is_empty()
}

/// Makes the report, delivers it, and says what changed since the last one.
///
/// The page compares with the newest report of an earlier day, so that making it again changes nothing; alarms compare with what was told
/// last, so that each change is told once, and again where the telling failed.
pub(super) fn run(global: &Global, config: &Config) -> Result<(Answered, Made), Failure> {
    let questions = &config.questions;
    let selectors = Selectors {
        cluster: questions.clusters.clone(),
        account: questions.account.clone(),
        region: questions.region.clone(),
        may_name_unknown: true,
        ..Selectors::default()
    };
    // A place that cannot be written to is told before the work begins.
    let open = |wanted: &Wanted| Destination::open(&wanted.to.to_string(), access(global), &encryption(wanted));
    let destination = config.report.as_ref().map(open).transpose()?;
    let accepts = Accepts::of(config.accepts.clone());
    let mut report = ask::report(global, &selectors, questions.scope == Scope::All, &accepts)?;
    let (mut lies, mut last, mut trouble) = (None, None, None);
    if let (Some(destination), Some(wanted)) = (&destination, &config.report) {
        match destination.last_before(day_of(&report.at)).and_then(|earlier| {
            Ok((
                earlier,
                told(&global.lake).map_or_else(|| destination.last(), |told| Ok(Some(told)))?,
            ))
        }) {
            Ok((earlier, newest)) => {
                if let Some(earlier) = &earlier {
                    report.compare_with(earlier);
                }
                last = newest;
            }
            // The report is worth having without it; the pass is not well.
            Err(failure) => trouble = Some(failure),
        }
        lies = Some(destination.deliver(&report.at, &report.files(&forms(wanted))?)?);
    }
    let kinds = match &last {
        Some(last) => {
            report.compare_with(last);
            let changes = report.changes.iter().flat_map(|changes| &changes.findings);
            Some(count(changes.map(|change| change.kind.to_owned())))
        }
        None => None,
    };
    let matched = questions.fail_on.iter().filter(|rule| {
        let is_change = kinds
            .as_ref()
            .is_some_and(|kinds| kinds.contains_key(*rule) || (*rule == "any" && !kinds.is_empty()));
        is_change || (is_finding_word(rule) && is_found(rule, &report))
    });
    let answered = Answered {
        findings: findings(&report),
        matched: matched.cloned().collect(),
        changes: kinds,
        report: config
            .report
            .as_ref()
            .zip(lies.as_ref())
            .map(|(wanted, lies)| Delivered {
                to: wanted.to.to_string(),
                at: report.at.clone(),
                folder: lies.folder.clone(),
                latest: lies.latest.clone(),
            }),
        trouble,
    };
    Ok((answered, Made { report, lies }))
}

/// What was told last; before anything was, the newest report is the base.
fn told(lake: &Path) -> Option<Brief> {
    let file = std::fs::File::open(lake.join(TOLD)).ok()?;
    Brief::read(std::io::BufReader::new(file)).ok()
}

/// Makes this pass the base of the next one's alarms. Only where all went well: an exit code that hides an alarm, or a message that was
/// not taken, tells nobody.
pub(super) fn remember(global: &Global, config: &Config, last: &LastRun, made: &Made) -> Result<(), Failure> {
    let has_alarms = config.notify.is_some() || !config.questions.fail_on.is_empty();
    if has_alarms && last.is_success() {
        write_whole(&global.lake.join(TOLD), &serde_json::to_vec(&Brief::of(&made.report))?)?;
    }
    Ok(())
}

/// Whether somebody is to be told of this pass. One that failed always is told.
pub(super) fn is_told(config: &Config, last: &LastRun) -> bool {
    config.notify.as_ref().is_some_and(|notify| match notify.when {
        When::Always => true,
        When::Changes => !last.is_success() || last.changes.as_ref().is_some_and(|changes| !changes.is_empty()),
        When::Findings => !last.is_success() || !last.matched.is_empty(),
    })
}

/// Tells; gives whom. A pass that failed is told as such, one that did not by its report.
pub(super) fn tell(global: &Global, config: &Config, last: &LastRun, made: Option<&Made>) -> Result<String, Failure> {
    let Some(Notify { to, .. }) = &config.notify else {
        return Ok(String::new());
    };
    // Standard output holds one answer.
    if matches!(to, Recipient::Output(_)) && global.output == Output::Json {
        eprint!("{}", last.summary());
        return Ok("standard error".to_owned());
    }
    if last.is_success()
        && let Some(Made {
            report,
            lies: Some(lies),
        }) = made
    {
        let target = match to {
            Recipient::Output(_) => notify::Target::Stdout,
            Recipient::File(path) => notify::Target::File(path.clone()),
            Recipient::Topic(arn) => notify::Target::Topic(arn.clone()),
        };
        notify::send(&target, access(global), report, lies)?;
        return Ok(to.to_string());
    }
    match to {
        Recipient::Output(_) => std::io::Write::write_all(&mut std::io::stdout().lock(), last.summary().as_bytes())?,
        Recipient::File(path) => write_whole(path, &serde_json::to_vec_pretty(last)?)?,
        Recipient::Topic(topic) => {
            let message = sns::Message {
                subject: format!(
                    "eksplain: the run of {} ended with exit code {}",
                    last.config, last.exit
                ),
                text: last.summary(),
                json: serde_json::to_string(last)?,
            };
            runtime()?.block_on(async {
                let aws = Aws::connect(access(global)).await?;
                sns::publish(&aws, topic, &message).await
            })?;
        }
    }
    Ok(to.to_string())
}

fn forms(wanted: &Wanted) -> Vec<Form> {
    if wanted.forms.is_empty() {
        return Form::ALL.to_vec();
    }
    let mut forms: Vec<Form> = wanted
        .forms
        .iter()
        .filter_map(|form| Form::from_str(form, false).ok())
        .collect();
    forms.sort_unstable();
    forms
}

fn encryption(wanted: &Wanted) -> Encryption {
    match (wanted.sse, &wanted.kms_key) {
        (_, Some(key)) => Encryption::Kms(key.clone()),
        (Some("s3"), None) => Encryption::S3,
        _ => Encryption::OfBucket,
    }
}

/// Whether some finding of the report is named by a rule of `fail-on`.
fn is_found(rule: &str, report: &Report) -> bool {
    fn names<F: Finding>(rule: &str, findings: &[F]) -> bool {
        findings.iter().any(|finding| finding.is_named_by(rule))
    }
    names(rule, &report.admins)
        || names(rule, &report.creators)
        || names(rule, &report.denials)
        || names(rule, &report.checks)
}

/// Findings by question and status; a status that nothing has is there too, with nought.
fn findings(report: &Report) -> std::collections::BTreeMap<&'static str, Counts> {
    fn of<F>(
        known: impl IntoIterator<Item = &'static str>,
        findings: &[F],
        status: impl Fn(&F) -> &'static str,
    ) -> Counts {
        let mut counts = count(findings.iter().map(|finding| status(finding).to_owned()));
        for known in known {
            counts.entry(known.to_owned()).or_default();
        }
        counts
    }
    let statuses = Status::ALL.iter().map(|status| status.id());
    let admins = of(statuses, &report.admins, |admin| admin.status.id());
    let states = PrincipalState::ALL.iter().map(|state| state.id());
    let creators = of(states.chain(["recovery-needed"]), &report.creators, |creator| {
        if creator.recovery.needed {
            "recovery-needed"
        } else {
            creator.creator_state.id()
        }
    });
    let denials = of(["resolved", "unresolved"], &report.denials, |denial| {
        if denial.resolved { "resolved" } else { "unresolved" }
    });
    let severities = Severity::ALL.iter().map(|severity| severity.id());
    let checks = of(severities, &report.checks, |check| check.severity.id());
    [
        ("admins", admins),
        ("creators", creators),
        ("denials", denials),
        ("checks", checks),
    ]
    .into()
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
    KINDS
        .iter()
        .map(|kind| ((*kind).to_owned(), changes.get(*kind).copied().unwrap_or(0)))
        .collect()
}
