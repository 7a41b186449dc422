//! `report`: what people read.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use eksplain_analyze::time::parse_rfc3339;
use eksplain_aws::Settings;
use eksplain_aws::s3::Encryption;

use super::Global;
use super::ask::{self, Scope, Selectors};
use super::diff::{self, Base, document_at};
use super::select::matched_titles;
use crate::accept::Accepts;
use crate::delivery::notify::{self, Target};
use crate::delivery::{Delivered, Destination, day_of};
use crate::diff::Brief;
use crate::error::Failure;
use crate::render::{self, Output, say};
use crate::report::{Form, Report};
use crate::settings::{DayEnd, now, time};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain report                                    into ./eksplain-report: reports/date=…/ and latest/
  eksplain report --to /srv/www/eks --form html --form json
  eksplain report --to s3://my-reports/eks --sse kms --kms-key alias/reports
  eksplain report --at 2026-11-01 --cluster 'prod-*'
  eksplain report --compare-with 7d --fail-on new-admin,creator-deleted
  eksplain report --notify arn:aws:sns:us-east-1:111122223333:eks-access
  eksplain report -o json > report.json              on stdout, for other programs

It shows what changed since the newest report of an earlier day at the same place. Without --at, it is as of the newest record in the
lake, so that the same lake gives the same bytes.
In S3, latest/ has only the page, replaced in one step; all formats are under reports/date=…/, and latest.json lists them with their hashes.
It needs s3:PutObject there, and s3:ListBucket and s3:GetObject for the comparison.")]
pub(super) struct Arguments {
    #[command(flatten)]
    selectors: Selectors,
    /// Which refused AWS calls to include
    #[arg(long, value_enum, default_value_t = Scope::Access)]
    scope: Scope,
    #[command(flatten)]
    delivery: Delivery,
    /// Exit 1 if there is such a change: any, or a kind (repeatable, or separated by commas)
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = diff::kind)]
    fail_on: Vec<String>,
}

/// Where a report goes, and in which forms.
#[derive(Debug, Clone, Args)]
struct Delivery {
    /// Folder or S3 URI to write the files to
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX", default_value = "eksplain-report")]
    to: String,
    /// File formats (repeatable) [default: all]
    #[arg(long, value_enum, value_name = "FORM", value_delimiter = ',')]
    form: Vec<Form>,
    /// How S3 encrypts the files
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Sse::Bucket)]
    sse: Sse,
    /// KMS key: ID, ARN or alias; implies --sse kms
    #[arg(long, value_name = "KEY")]
    kms_key: Option<String>,
    /// Earlier report to compare with: its report.json or folder, a time of the lake (7d: before the report's own time), or none
    /// [default: the newest of an earlier day at --to]
    #[arg(long, value_name = "FILE|TIME|none")]
    compare_with: Option<String>,
    /// Where to send a short summary: - for stdout, a file, or the ARN of an SNS topic (repeatable)
    #[arg(long, value_name = "-|FILE|ARN")]
    notify: Vec<Target>,
}

/// Encryption at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sse {
    /// As the bucket is configured
    Bucket,
    /// With S3's own keys
    S3,
    /// With the key of --kms-key
    Kms,
}

/// A report that was made, and where it lies.
struct Made {
    report: Report,
    delivered: Delivered,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    refuse_what_is_ignored(global, arguments)?;
    let report = if global.output == Output::Json {
        let accepts = Accepts::read(global.config.as_deref())?;
        let mut report = ask::report(global, &arguments.selectors, arguments.scope == Scope::All, &accepts)?;
        compare(global, arguments, None, &mut report)?;
        render::json(&mut std::io::stdout().lock(), &report)?;
        report
    } else {
        let made = make(global, arguments)?;
        if !global.quiet {
            match &made.delivered.latest {
                Some(latest) => eprintln!("wrote {latest} and {}", made.delivered.folder),
                None => eprintln!("wrote {}; latest is of a later time and stays", made.delivered.folder),
            }
        }
        made.report
    };
    if report.changes.is_none() && !arguments.fail_on.is_empty() {
        say::warning("--fail-on had nothing to compare: there is no earlier report (one of its formats must be json)");
    }
    let changes = report.changes.map(|changes| changes.findings).unwrap_or_default();
    let titles = diff::matching(&changes, &arguments.fail_on);
    Ok(matched_titles(global, &arguments.fail_on, &titles))
}

fn refuse_what_is_ignored(global: &Global, arguments: &Arguments) -> Result<(), Failure> {
    match global.output {
        Output::Table => {}
        Output::Json if arguments.delivery.notify.is_empty() => {}
        Output::Json => {
            return Err(Failure::usage(
                "could not notify: with -o json the report goes to stdout and nowhere else",
                "leave -o json out; report.json is among the files",
            ));
        }
        _ => {
            return Err(Failure::usage(
                "could not print the report in that form",
                "write --form csv, md or parquet for files, or -o json for stdout",
            ));
        }
    }
    if let Some(at) = &arguments.selectors.at {
        let now = now();
        if time("--at", at, now, DayEnd::Last)? > now {
            return Err(Failure::usage(
                format!("could not report on {at}: it is in the future"),
                "name a time that has passed, or leave --at out",
            ));
        }
    }
    Ok(())
}

/// Makes the report, delivers it, and tells those who wait for it.
fn make(global: &Global, arguments: &Arguments) -> Result<Made, Failure> {
    let Arguments {
        selectors, delivery, ..
    } = arguments;
    // A place that cannot be written to is told before the work begins.
    let destination = Destination::open(&delivery.to, access(global), &encryption(delivery)?)?;
    let accepts = Accepts::read(global.config.as_deref())?;
    let mut report = ask::report(global, selectors, arguments.scope == Scope::All, &accepts)?;
    compare(global, arguments, Some(&destination), &mut report)?;
    let mut forms = delivery.form.clone();
    if forms.is_empty() {
        forms = Form::ALL.to_vec();
    }
    let files = report.files(&forms)?;
    let delivered = destination.deliver(&report.at, &files)?;
    for target in &delivery.notify {
        notify::send(target, access(global), &report, &delivered)?;
    }
    Ok(Made { report, delivered })
}

/// Adds what changed since the report that was asked for, or since the newest of an earlier day.
fn compare(
    global: &Global,
    arguments: &Arguments,
    destination: Option<&Destination>,
    report: &mut Report,
) -> Result<(), Failure> {
    let earlier: Option<Brief> = match arguments.delivery.compare_with.as_deref() {
        Some("none") => None,
        Some(named) => {
            // How long ago is counted back from the moment that the report speaks of.
            let end = parse_rfc3339(&report.at).unwrap_or_else(now);
            let base = Base {
                name: "--compare-with",
                now: end,
                scope_all: arguments.scope == Scope::All,
            };
            let earlier = document_at(global, &arguments.selectors, named, &base)?;
            if parse_rfc3339(&earlier.at).is_some_and(|at| at > end) {
                return Err(Failure::usage(
                    format!(
                        "could not compare with {named}: it is of {}, after the report's {}",
                        earlier.at, report.at
                    ),
                    "name an earlier report or time",
                ));
            }
            Some(earlier)
        }
        None => match destination.map(|destination| destination.last_before(day_of(&report.at))) {
            Some(Ok(earlier)) => earlier,
            Some(Err(failure)) => {
                say::warning("the report does not show changes: the earlier reports could not be read");
                let _ = failure.report();
                None
            }
            None => None,
        },
    };
    if let Some(earlier) = earlier {
        report.compare_with(&earlier);
    }
    if let Some(why) = report.not_compared.as_ref().filter(|_| !global.quiet) {
        say::warning(why);
    }
    Ok(())
}

fn encryption(delivery: &Delivery) -> Result<Encryption, Failure> {
    match (delivery.sse, &delivery.kms_key) {
        (Sse::Bucket | Sse::Kms, Some(key)) => Ok(Encryption::Kms(key.clone())),
        (Sse::Bucket, None) => Ok(Encryption::OfBucket),
        (Sse::S3, None) => Ok(Encryption::S3),
        (Sse::S3, Some(_)) => Err(Failure::usage(
            "--sse s3 does not take a key; use --sse kms",
            "leave --kms-key out, or write --sse kms",
        )),
        (Sse::Kms, None) => Err(Failure::usage(
            "--sse kms needs a key",
            "name one with --kms-key: its ID, ARN or alias",
        )),
    }
}

/// How AWS is reached for what goes out: as the caller, in the caller's account.
pub(super) fn access(global: &Global) -> Settings {
    Settings {
        profile: global.profile.clone(),
        region: global.region.clone(),
        endpoint_url: global.endpoint_url.clone(),
        ..Settings::default()
    }
}
