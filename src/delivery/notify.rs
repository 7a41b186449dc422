//! `--notify`: a short summary for those who wait for the report: on stdout, in a file, or by an SNS topic.

use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

use eksplain_aws::sns::{self, Message};
use eksplain_aws::{Aws, Settings};
use serde::Serialize;

use super::Delivered;
use crate::diff::Change;
use crate::error::Failure;
use crate::render::escape;
use crate::report::Report;
use crate::report::summary::Summary;
use crate::runtime::runtime;
use crate::whole::write_whole;

/// Changes that are told one by one; the report tells all.
const MOST_CHANGES: usize = 20;

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Stdout,
    File(PathBuf),
    /// ARN of a topic.
    Topic(String),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("write -, a file, or the ARN of an SNS topic".to_owned()),
            "-" => Ok(Self::Stdout),
            arn if arn.starts_with("arn:") => {
                let parts: Vec<&str> = arn.split(':').collect();
                match parts[..] {
                    [_, _, "sns", region, account, name] if ![region, account, name].contains(&"") => {
                        Ok(Self::Topic(arn.to_owned()))
                    }
                    _ => Err("the ARN of an SNS topic is arn:aws:sns:REGION:ACCOUNT:NAME".to_owned()),
                }
            }
            file => Ok(Self::File(PathBuf::from(file))),
        }
    }
}

/// `eksplain.notification/1`.
#[derive(Debug, Serialize)]
struct Notification<'r> {
    schema: &'static str,
    version: &'static str,
    at: &'r str,
    summary: &'r Summary,
    /// The moment of the report that this one is compared with.
    since: Option<&'r str>,
    /// At most 20, of `change_count`.
    changes: &'r [Change],
    change_count: usize,
    report: &'r Delivered,
}

/// Tells them.
pub(crate) fn send(target: &Target, access: Settings, report: &Report, delivered: &Delivered) -> Result<(), Failure> {
    let changes = report.changes.as_ref().map_or(&[][..], |changes| &changes.findings);
    let notification = Notification {
        schema: "eksplain.notification/1",
        version: report.version,
        at: &report.at,
        summary: &report.summary,
        since: report.changes.as_ref().map(|changes| changes.since.as_str()),
        changes: &changes[..changes.len().min(MOST_CHANGES)],
        change_count: changes.len(),
        report: delivered,
    };
    let json = serde_json::to_string(&notification)?;
    match target {
        Target::Stdout => writeln!(std::io::stdout().lock(), "{json}")?,
        Target::File(path) => write_whole(path, format!("{json}\n").as_bytes())?,
        Target::Topic(topic) => {
            let message = Message {
                subject: subject(report),
                text: text(&notification),
                json,
            };
            runtime()?.block_on(async {
                let aws = Aws::connect(access).await?;
                sns::publish(&aws, topic, &message).await
            })?;
        }
    }
    Ok(())
}

fn subject(report: &Report) -> String {
    let first = report.summary.headline.first().map_or("", String::as_str);
    format!("eksplain: {first}")
}

/// For people who read it in a mail.
fn text(notification: &Notification<'_>) -> String {
    let mut text = format!("Access to Amazon EKS at {}\n\n", notification.at);
    for sentence in &notification.summary.headline {
        text.push_str(&format!("- {sentence}\n"));
    }
    if let Some(since) = notification.since {
        text.push_str(&format!("\nWhat changed since {since}:\n"));
        if notification.changes.is_empty() {
            text.push_str("- nothing\n");
        }
        for change in notification.changes {
            text.push_str(&format!("- {}\n", change.row().join("  ")));
        }
        let more = notification.change_count - notification.changes.len();
        if more > 0 {
            text.push_str(&format!("- and {more} more\n"));
        }
    }
    text.push_str(&format!("\nReport: {}\n", notification.report.folder));
    escape(&text)
}
