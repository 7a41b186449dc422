//! `ingest s3`.

use clap::Args;
use eksplain_aws::s3::{Place, Source, ingest};
use eksplain_ingest::FileOptions;
use eksplain_lake::{Shard, Table};

use super::aws::{Access, Window, pull};
use super::cloudtrail::last_record;
use super::files::{Keep, hints};
use super::{Run, stop_on_interrupt};
use crate::cli::Global;
use crate::error::Failure;

const DAY: i64 = 86_400_000_000;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain ingest s3 s3://my-trail/AWSLogs --since 30d --regions us-east-1,eu-west-1
  eksplain ingest s3 s3://org-trail/prefix/AWSLogs/o-abc123 --since last
  eksplain ingest s3 s3://exports/exportedlogs --cluster prod --account 111122223333 --region eu-west-1
  eksplain ingest s3 s3://firehose --layout '{account}/{region}/{cluster}/{stream}/**'

--since and --until choose objects: by the days in their keys, and by when they were written. Objects that the lake has are not read again.")]
pub(in crate::cli) struct Arguments {
    /// S3 URIs of buckets and prefixes
    #[arg(required = true, value_name = "s3://BUCKET/PREFIX")]
    pub(super) uris: Vec<String>,
    #[command(flatten)]
    pub(super) access: Access,
    #[command(flatten)]
    pub(super) window: Window,
    /// Account to assume for objects that do not name one
    #[arg(long)]
    pub(super) account: Option<String>,
    /// Region to assume for objects that do not name one
    #[arg(long)]
    pub(super) region: Option<String>,
    /// Cluster to assume for objects that do not name one
    #[arg(long)]
    pub(super) cluster: Option<String>,
    /// What the steps of each key mean, relative to the prefix: {account} {region} {cluster} {stream} * **
    #[arg(long, value_name = "PATTERN")]
    pub(super) layout: Option<String>,
    /// Which records to store with their raw text
    #[arg(long, value_enum, default_value_t = Keep::Evidence)]
    pub(super) keep_raw: Keep,
    /// Accept request charges (Requester Pays buckets)
    #[arg(long)]
    pub(super) requester_pays: bool,
    /// Number of worker threads [default: one per core]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub(super) threads: usize,
    /// Read only this share of the objects, counted from 0: other processes read the rest, then run `lake seal`
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<Shard>,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<Run, Failure> {
    let places = arguments
        .uris
        .iter()
        .map(|uri| {
            let place: Place = uri.parse().map_err(|error: eksplain_aws::s3::PlaceError| {
                Failure::usage(format!("could not {error}"), "write for instance s3://my-trail/AWSLogs")
            })?;
            Ok(Place {
                requester_pays: arguments.requester_pays,
                ..place
            })
        })
        .collect::<Result<_, Failure>>()?;
    let has_window = arguments.window.since.is_some() || arguments.window.until.is_some();
    let last = || last_record(global, Table::CloudTrail).map(|last| last - DAY / 4);
    let source = Source {
        places,
        // Without one the whole prefix is read.
        window: has_window
            .then(|| arguments.window.range(10_000 * DAY, last))
            .transpose()?,
        regions: arguments
            .access
            .regions
            .iter()
            .filter(|region| *region != "all")
            .cloned()
            .collect(),
    };
    let options = FileOptions {
        hints: hints(
            &arguments.account,
            &arguments.region,
            &arguments.cluster,
            &arguments.layout,
        )?,
        keep_raw: arguments.keep_raw.into(),
        threads: arguments.threads,
        shard: arguments.shard,
    };
    let stop = stop_on_interrupt();
    // --region is the hint here; the bucket tells its own.
    let settings = arguments.access.settings(global, None)?;
    let run = pull(global, settings, async |aws, mut lake| {
        ingest(&aws, &mut lake, &source, &options, &stop, &|_| {}).await
    })?;
    Ok(Run {
        asked: arguments.uris.clone(),
        ..run
    })
}
