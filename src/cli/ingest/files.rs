//! `ingest files`.

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use eksplain_ingest::{FileOptions, Hints, KeepRaw, Layout, Progress, ingest_files};
use eksplain_lake::{Lake, Shard};
use indicatif::HumanCount;

use super::{Run, bar, stop_on_interrupt};
use crate::cli::Global;
use crate::error::Failure;
use crate::settings::{DayEnd, now, time};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain ingest files ./AWSLogs                               a CloudTrail trail, as in its bucket
  eksplain ingest files ./export --cluster prod --region eu-west-1 --account 111122223333
  eksplain ingest files ./logs --layout '{account}/{region}/{cluster}/{stream}/*'
  eksplain ingest files filter-log-events.json --cluster prod   what `aws logs` printed
  aws logs tail /aws/eks/prod/cluster | eksplain ingest files - --cluster prod
  eksplain ingest files ./AWSLogs --shard 0/8                   the first of 8 processes; `lake seal` follows

Known forms: CloudTrail files, LookupEvents output, NDJSON, EventBridge; CloudWatch exports, filter-log-events, get-log-events,
Insights results, subscription filters and Firehose; raw authenticator lines and audit events; plain or gzip.")]
pub(in crate::cli) struct Files {
    /// Files and folders; - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Account to assume for files that do not name one
    #[arg(long)]
    pub(super) account: Option<String>,
    /// Region to assume for files that do not name one
    #[arg(long)]
    pub(super) region: Option<String>,
    /// Cluster to assume for files that do not name one
    #[arg(long)]
    pub(super) cluster: Option<String>,
    /// What the steps of each path mean, relative to PATH: {account} {region} {cluster} {stream} * **
    #[arg(long, value_name = "PATTERN")]
    pub(super) layout: Option<String>,
    /// When the saved output among the files was taken [default: each file's time]
    #[arg(long, value_name = "TIME")]
    pub(super) taken_at: Option<String>,
    /// Which records to store with their raw text
    #[arg(long, value_enum, default_value_t = Keep::Evidence)]
    pub(super) keep_raw: Keep,
    /// Number of worker threads [default: one per core]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(super) threads: usize,
    /// Read only this share of the objects, counted from 0: other processes read the rest, then run `lake seal`
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<Shard>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Keep {
    /// Every record
    All,
    /// Records that can become evidence
    Evidence,
    /// None
    None,
}

impl From<Keep> for KeepRaw {
    fn from(keep: Keep) -> Self {
        match keep {
            Keep::All => Self::All,
            Keep::Evidence => Self::Evidence,
            Keep::None => Self::None,
        }
    }
}

pub(super) fn run(global: &Global, files: &Files) -> Result<Run, Failure> {
    if files.shard.is_some() && files.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::usage(
            "--shard cannot divide standard input",
            "name files or folders, which every shard sees",
        ));
    }
    let options = FileOptions {
        hints: Hints {
            taken_at: taken_at(files.taken_at.as_deref())?,
            ..hints(&files.account, &files.region, &files.cluster, &files.layout)?
        },
        keep_raw: files.keep_raw.into(),
        threads: files.threads,
        shard: files.shard,
    };
    let mut lake = Lake::open_or_create(&global.lake)?;
    let began = Instant::now();
    let bar = bar(global);
    let stop = stop_on_interrupt();
    let show = |progress: Progress| {
        bar.set_length(progress.bytes_total);
        bar.set_position(progress.bytes);
        bar.set_message(format!(
            "{}/{} files",
            HumanCount(progress.files),
            HumanCount(progress.files_total)
        ));
    };
    let report = ingest_files(&mut lake, &files.paths, &options, &stop, &show);
    bar.finish_and_clear();
    let (account, region) = (files.account.as_deref(), files.region.as_deref());
    Ok(Run {
        asked: files.paths.iter().map(|path| path.display().to_string()).collect(),
        ..Run::local(report?, account, region, "files", began)
    })
}

/// Hints as they were typed.
pub(super) fn hints(
    account: &Option<String>,
    region: &Option<String>,
    cluster: &Option<String>,
    layout: &Option<String>,
) -> Result<Hints, Failure> {
    let layout = layout.as_deref().map(str::parse::<Layout>).transpose();
    let layout = layout.map_err(|error| {
        Failure::usage(
            format!("could not {error}"),
            "write for instance --layout '{account}/{region}/{cluster}/{stream}/*'",
        )
    })?;
    Ok(Hints {
        account: account.clone(),
        region: region.clone(),
        cluster: cluster.clone(),
        layout,
        ..Hints::default()
    })
}

/// `--taken-at` as it was typed.
pub(super) fn taken_at(typed: Option<&str>) -> Result<Option<i64>, Failure> {
    typed
        .map(|text| time("--taken-at", text, now(), DayEnd::First))
        .transpose()
}
