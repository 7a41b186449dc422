//! `ingest cloudwatch`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::{Args, ValueEnum};
use eksplain_aws::cloudwatch::{ExportTo, Log, Pull, Via, export, ingest};
use eksplain_aws::s3::Place;
use eksplain_lake::Table;

use super::aws::{Access, Window, pull};
use super::cloudtrail::last_record;
use super::{Run, stop_on_interrupt};
use crate::cli::Global;
use crate::error::Failure;
use crate::render::say;
use crate::settings::now;

const DAY: i64 = 86_400_000_000;
const OVERLAP: i64 = 15 * 60 * 1_000_000;
/// Pause between two polls of `--follow`.
const POLL: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain ingest cloudwatch                                     every cluster of the profile's region, 30 days
  eksplain ingest cloudwatch --cluster 'prod-*' --since 7d --only authenticator
  eksplain ingest cloudwatch --regions all --only identity       only logins, denials, changes to RBAC and aws-auth
  eksplain ingest cloudwatch --via insights --since 2h
  eksplain ingest cloudwatch --via export --export-to s3://my-bucket/eks
  eksplain ingest cloudwatch --only authenticator --since last --follow

--via filter reads page by page (up to 25 MB a second for each account and region); insights is quicker where little of much is wanted
(--only identity) and is billed by the GB scanned; export is for bulk, one task at a time, and may lag by hours. auto takes export
where --export-to names a bucket, else filter.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    pub(super) access: Access,
    #[command(flatten)]
    pub(super) window: Window,
    /// Region to call if --regions is not given
    #[arg(long)]
    pub(super) region: Option<String>,
    /// Only clusters with this name or glob (repeatable)
    #[arg(long, value_name = "NAME|GLOB")]
    pub(super) cluster: Vec<String>,
    /// This log group (repeatable) [default: every /aws/eks/*/cluster]
    #[arg(long, value_name = "NAME")]
    pub(super) log_group: Vec<String>,
    /// API to fetch the logs with
    #[arg(long, value_enum, default_value_t = Way::Auto)]
    pub(super) via: Way,
    /// Where to write an export
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    pub(super) export_to: Option<String>,
    /// Fetch only part of the logs
    #[arg(long, value_enum)]
    pub(super) only: Option<Only>,
    /// Keep polling for new records until interrupted
    #[arg(long)]
    pub(super) follow: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Way {
    Auto,
    Filter,
    Insights,
    Export,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Only {
    /// The authenticator's log
    Authenticator,
    /// The audit log
    Audit,
    /// Logins, denials, changes to RBAC and aws-auth, impersonation; leaves out other successful requests, so last uses by RBAC,
    /// resolved denials and webhook health are not visible
    Identity,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<Run, Failure> {
    let last = || {
        let tables = [Table::Authenticator, Table::Audit];
        tables
            .into_iter()
            .filter_map(|table| last_record(global, table))
            .min()
            .map(|last| last - OVERLAP)
    };
    let window = arguments.window.range(30 * DAY, last)?;
    let to = arguments.export_to.as_deref().map(str::parse::<Place>).transpose();
    let to =
        to.map_err(|error| Failure::usage(format!("could not {error}"), "write --export-to s3://BUCKET/PREFIX"))?;
    let is_export = arguments.via == Way::Export || (arguments.via == Way::Auto && to.is_some());
    if is_export && to.is_none() {
        return Err(Failure::usage(
            "--via export needs a bucket",
            "name one that logs.amazonaws.com may write to: --export-to s3://BUCKET/PREFIX",
        ));
    }
    let mut asked = Pull {
        window,
        groups: arguments.log_group.clone(),
        clusters: arguments.cluster.clone(),
        logs: match arguments.only {
            Some(Only::Authenticator) => vec![Log::Authenticator],
            Some(Only::Audit) => vec![Log::Audit],
            _ => vec![Log::Authenticator, Log::Audit],
        },
        identity_only: arguments.only == Some(Only::Identity),
        via: if arguments.via == Way::Insights {
            Via::Insights
        } else {
            Via::Filter
        },
    };
    if asked.identity_only && !global.quiet {
        say::note(
            "--only identity leaves out requests that were allowed by RBAC: last uses and resolved denials may be missing",
        );
    }
    let stop = stop_on_interrupt();
    let settings = arguments.access.settings(global, arguments.region.as_deref())?;
    pull(global, settings, async |aws, mut lake| {
        if let Some(to) = to.filter(|_| is_export) {
            let to = ExportTo {
                bucket: to.bucket,
                prefix: to.prefix,
            };
            return export(&aws, &mut lake, &asked, &to, &stop).await;
        }
        let (mut report, mut scopes) = ingest(&aws, &mut lake, &asked, &stop).await?;
        while arguments.follow && !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(POLL).await;
            asked.window.to = now();
            let (more, latest) = ingest(&aws, &mut lake, &asked, &stop).await?;
            report.add(more);
            scopes = latest;
        }
        Ok((report, scopes))
    })
}
