//! `eksplain.toml`: what a scheduled pass reads, asks and writes.
//!
//! A configuration is understood whole before anything runs: [`Config::read`] gives the pass with every default resolved, or every fault
//! with its place in the text. What stands at the top (regions, accounts, a role, a window) holds for each `[[source]]` that does not
//! say otherwise. Folders and files are relative to the configuration, so that it does not matter where the pass is started.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::accept::Accept;
use crate::error::Pointer;
use crate::settings::Micros;

mod command;
mod draft;
mod read;
mod shape;
mod take;
mod words;

pub(crate) use draft::{APIS, Draft};
pub(crate) use shape::{account, external_id, place, region, role, topic, window};
pub(crate) use words::{is_finding_word, nearest};

/// The pass, every default resolved.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Config {
    /// The lake; that of the command line wins.
    #[serde(skip)]
    pub(crate) lake: Option<PathBuf>,
    /// Profile from the AWS configuration files, for what is delivered.
    pub(crate) profile: Option<String>,
    /// Where records come from, in this order.
    pub(crate) sources: Vec<Source>,
    pub(crate) questions: Questions,
    pub(crate) report: Option<Report>,
    pub(crate) notify: Option<Notify>,
    /// Findings that are known and need nobody.
    #[serde(rename = "accept", skip_serializing_if = "Vec::is_empty")]
    pub(crate) accepts: Vec<Accept>,
    /// What is odd and stops nothing.
    #[serde(skip)]
    pub(crate) warnings: Vec<Pointer>,
}

/// One source: what the `ingest` command of the same name is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Source {
    #[serde(flatten)]
    pub(crate) from: From,
    #[serde(flatten)]
    pub(crate) access: Access,
}

/// How to get in, and which time is asked for; nothing of it holds for files.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Access {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) profile: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) regions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) accounts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assume_role: Option<String>,
    /// Half a secret: it is never shown.
    #[serde(skip)]
    pub(crate) external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_rate: Option<f64>,
}

/// What a source is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "from", rename_all = "lowercase", rename_all_fields = "kebab-case")]
pub(crate) enum From {
    Files {
        paths: Vec<PathBuf>,
        #[serde(flatten)]
        hints: Hints,
    },
    S3 {
        uris: Vec<String>,
        #[serde(flatten)]
        hints: Hints,
        requester_pays: bool,
    },
    Cloudtrail {
        event_sources: Vec<String>,
    },
    Cloudwatch {
        clusters: Vec<String>,
        log_groups: Vec<String>,
        only: Option<&'static str>,
        via: Option<&'static str>,
        export_to: Option<String>,
    },
    Snapshot {
        clusters: Vec<String>,
        /// Output of `kubectl get … -o json` for the one cluster.
        kubectl: Vec<PathBuf>,
        account: Option<String>,
        region: Option<String>,
    },
}

/// What files say that their records do not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Hints {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cluster: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) layout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keep_raw: Option<&'static str>,
}

/// Which clusters the answers are about, and what in them is an alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Questions {
    pub(crate) clusters: Vec<String>,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) scope: Scope,
    /// Kinds of changes, and words of findings, that make the pass exit with 1.
    pub(crate) fail_on: Vec<String>,
}

/// Which refused calls of AWS are answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// Those that decide about access.
    #[default]
    Access,
    /// Those of every service.
    All,
}

/// Where the report goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report {
    pub(crate) to: Target,
    /// Forms; none means all.
    pub(crate) forms: Vec<&'static str>,
    /// How S3 encrypts what is written; none leaves it to the bucket.
    pub(crate) sse: Option<&'static str>,
    pub(crate) kms_key: Option<String>,
}

/// A folder, or a place in S3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Target {
    Folder(PathBuf),
    S3(String),
}

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Notify {
    pub(crate) to: Recipient,
    pub(crate) when: When,
}

/// Standard output, a file, or an SNS topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Recipient {
    Output(Dash),
    File(PathBuf),
    Topic(String),
}

/// Written `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Dash {
    #[serde(rename = "-")]
    Dash,
}

/// Which passes are worth a word; one that failed always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum When {
    /// Each.
    Always,
    /// Those that found the world changed since the last report.
    Changes,
    /// Those that found what `fail-on` names.
    Findings,
}

impl Config {
    /// Understands the text. `folder` is what relative paths begin at, `now` what relative times do.
    ///
    /// # Errors
    /// Every fault of the text and what is odd in it, in the order of their places.
    pub(crate) fn read(text: &str, folder: &Path, now: Micros) -> Result<Self, Vec<Pointer>> {
        read::config(text, folder, now)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(out),
            Self::S3(uri) => uri.fmt(out),
        }
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Output(_) => "standard output".fmt(out),
            Self::File(path) => path.display().fmt(out),
            Self::Topic(arn) => arn.fmt(out),
        }
    }
}
