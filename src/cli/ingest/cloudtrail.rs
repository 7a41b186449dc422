//! `ingest cloudtrail`.

use clap::{Args, ValueEnum};
use eksplain_analyze::words::Basis;
use eksplain_aws::cloudtrail::{Lookup, REACH, ingest};
use eksplain_lake::{Lake, Table};

use super::aws::{Access, Window, pull};
use super::snapshot::answers_of_lake;
use super::{Run, stop_on_interrupt};
use crate::cli::Global;
use crate::error::Failure;
use crate::render::say;
use crate::settings::now;

const DAY: i64 = 86_400_000_000;
/// What is looked up where nothing is named.
pub(super) const EVENT_SOURCES: &str = "eks.amazonaws.com,iam.amazonaws.com,sts.amazonaws.com";
const HOUR: i64 = 3_600_000_000;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain ingest cloudtrail                                  eks, iam and sts events of the profile's region, 90 days
  eksplain ingest cloudtrail --regions all --since 7d
  eksplain ingest cloudtrail --event-source eks.amazonaws.com,iam.amazonaws.com
  eksplain ingest cloudtrail --accounts org --assume-role eksplain-read

The quota is two requests a second for each account and region, fifty events each; eksplain plan says how long it takes.
Run again, it fetches only what is missing.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    pub(super) access: Access,
    #[command(flatten)]
    pub(super) window: Window,
    /// Region to call if --regions is not given
    #[arg(long)]
    pub(super) region: Option<String>,
    /// Event sources to look up, or all
    #[arg(
        long,
        value_name = "NAME,…|all",
        value_delimiter = ',',
        default_value = EVENT_SOURCES
    )]
    pub(super) event_source: Vec<String>,
    /// Which end of the window to fetch first
    #[arg(long, value_enum, default_value_t = Order::Newest)]
    pub(super) order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Order {
    /// Newest events first
    Newest,
    /// Oldest events first
    Oldest,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<Run, Failure> {
    let last = || last_record(global, Table::CloudTrail).map(|last| last - HOUR);
    let mut window = arguments.window.range(90 * DAY, last)?;
    let edge = now() - REACH;
    if window.from < edge {
        if arguments.window.since.is_some() && !global.quiet {
            say::note(&format!(
                "LookupEvents reaches back 90 days, to {}: what is older is in a trail's bucket only (eksplain ingest s3)",
                eksplain_analyze::time::format_rfc3339(edge)
            ));
        }
        window.from = edge;
    }
    if window.from > window.to {
        return Err(Failure::usage(
            "the window ended more than 90 days ago, and LookupEvents has nothing of it",
            "read the trail's bucket: eksplain ingest s3 s3://BUCKET/PREFIX",
        ));
    }
    let event_sources = if arguments.event_source.iter().any(|source| source == "all") {
        Vec::new()
    } else {
        arguments.event_source.iter().map(|source| full_name(source)).collect()
    };
    let lookup = Lookup {
        window,
        event_sources,
        is_newest_first: arguments.order == Order::Newest,
    };
    let stop = stop_on_interrupt();
    let settings = arguments.access.settings(global, arguments.region.as_deref())?;
    let run = pull(global, settings, async |aws, mut lake| {
        ingest(&aws, &mut lake, &lookup, &stop).await
    })?;
    if !global.quiet {
        tell_older_clusters(global)?;
    }
    Ok(run)
}

/// Says which clusters were made before the window: nothing here can say by whom.
fn tell_older_clusters(global: &Global) -> Result<(), Failure> {
    let older: Vec<String> = answers_of_lake(global)?
        .map(|answers| answers.creators)
        .unwrap_or_default()
        .into_iter()
        .filter(|creator| creator.basis != Some(Basis::CreateClusterEvent) && creator.deleted_at.is_none())
        .map(|creator| creator.cluster.name)
        .collect();
    if !older.is_empty() {
        say::note(&format!(
            "no CreateCluster was found for {}: older than what is in the lake; a trail's bucket may have it (eksplain ingest s3)",
            older.join(", ")
        ));
    }
    Ok(())
}

/// `eks` is short for `eks.amazonaws.com`.
fn full_name(source: &str) -> String {
    if source.contains('.') {
        source.to_owned()
    } else {
        format!("{source}.amazonaws.com")
    }
}

/// Time of the newest record of a table.
pub(super) fn last_record(global: &Global, table: Table) -> Option<i64> {
    Lake::open(&global.lake).ok()?.last_record(table)
}
