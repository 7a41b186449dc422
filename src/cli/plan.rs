//! `plan`: what pulling from AWS would cost.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use eksplain_aws::Aws;
use eksplain_aws::cloudtrail::{Lookup, REACH};
use eksplain_aws::cloudwatch::{Log, Pull, Via};
use eksplain_aws::plan::{PRICES_OF, Step, Wanted, plan};
use eksplain_aws::s3::{Place, Source};
use indicatif::{HumanBytes, HumanCount};
use serde_json::json;

use super::Global;
use super::ingest::aws::{Access, Window};
use super::ingest::tell_scopes;
use crate::error::{Exit, Failure};
use crate::render::{self, Output, Page, Text};
use crate::settings::now;

const DAY: i64 = 86_400_000_000;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain plan                                     90 days of CloudTrail, 30 of CloudWatch, in the profile's region
  eksplain plan --regions all --since 7d
  eksplain plan --s3 s3://my-trail/AWSLogs --since 30d
  eksplain plan --accounts org --assume-role eksplain-read -o json

It asks a few questions itself: one page of each lookup, the list of log groups, the listing of the buckets.")]
pub(super) struct Arguments {
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    window: Window,
    /// Region to call if --regions is not given
    #[arg(long)]
    region: Option<String>,
    /// Only clusters with this name or glob (repeatable)
    #[arg(long, value_name = "NAME|GLOB")]
    cluster: Vec<String>,
    /// Buckets to read (repeatable)
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    s3: Vec<String>,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let places = arguments
        .s3
        .iter()
        .map(|uri| uri.parse::<Place>())
        .collect::<Result<_, _>>();
    let places = places.map_err(|error| Failure::usage(format!("could not {error}"), "write s3://BUCKET/PREFIX"))?;
    let mut of_trail = arguments.window.range(90 * DAY, || None)?;
    of_trail.from = of_trail.from.max(now() - REACH);
    let of_logs = arguments.window.range(30 * DAY, || None)?;
    let wanted = Wanted {
        lookup: Lookup {
            window: of_trail,
            event_sources: ["eks", "iam", "sts"]
                .map(|name| format!("{name}.amazonaws.com"))
                .to_vec(),
            is_newest_first: true,
        },
        pull: Pull {
            window: of_logs,
            groups: Vec::new(),
            clusters: arguments.cluster.clone(),
            logs: vec![Log::Authenticator, Log::Audit],
            identity_only: false,
            via: Via::Filter,
        },
        s3: Source {
            places,
            window: arguments.window.since.is_some().then_some(of_trail),
            regions: arguments
                .access
                .regions
                .iter()
                .filter(|name| *name != "all")
                .cloned()
                .collect(),
        },
    };
    let settings = arguments.access.settings(global, arguments.region.as_deref())?;
    let (steps, scopes) = crate::runtime::runtime()?.block_on(async {
        let aws = Arc::new(Aws::connect(settings).await?);
        Ok::<_, Failure>(plan(&aws, &wanted).await)
    })?;
    let mut out = io::stdout().lock();
    if matches!(global.output, Output::Json | Output::Jsonl) {
        let steps: Vec<_> = steps.iter().map(object).collect();
        let refused = scopes.iter().map(|scope| {
            json!({"account": scope.account, "region": scope.region, "source": scope.source, "part": scope.part, "error": scope.error})
        });
        let document = json!({
            "schema": "eksplain.plan/1", "version": env!("CARGO_PKG_VERSION"), "prices": PRICES_OF,
            "steps": steps, "refused": refused.collect::<Vec<_>>(),
        });
        render::json(&mut out, &document)?;
    } else {
        let columns = [
            "SOURCE",
            "WAY",
            "ACCOUNT",
            "REGION",
            "WHAT",
            "REQUESTS",
            "BYTES",
            "TIME AT QUOTA",
            "US$",
        ];
        let rows: Vec<_> = steps.iter().map(row).collect();
        render::rows(&mut out, global.output, &columns, &rows)?;
        if global.output == Output::Table {
            let mut page = Page::new(&mut out);
            page.blank()?;
            let prices = format!("Prices: {PRICES_OF}; data out of AWS is not in them.");
            page.line(&Text::from("Of a log group one way is enough: filter, insights or export. ").plain(&prices))?;
            let mut actions: Vec<&str> = steps.iter().flat_map(|step| step.actions).copied().collect();
            actions.sort_unstable();
            actions.dedup();
            page.line(&Text::from("Actions needed: ").plain(&actions.join(", ")))?;
            super::hint(global, "doctor", "checks that they are allowed, and prints the policy");
        }
    }
    tell_scopes(&scopes);
    let is_refused = scopes.iter().any(|scope| scope.error.is_some());
    Ok(if is_refused { Exit::Refused } else { Exit::Answered }.into())
}

fn row(step: &Step) -> Vec<String> {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    vec![
        step.source.to_owned(),
        step.way.to_owned(),
        or_none(&step.account),
        or_none(&step.region),
        step.part.clone(),
        HumanCount(step.requests).to_string(),
        HumanBytes(step.bytes).to_string(),
        duration(step.seconds),
        format!("{:.2}", step.usd),
    ]
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

fn object(step: &Step) -> serde_json::Value {
    json!({
        "source": step.source, "way": step.way, "account": step.account, "region": step.region, "part": step.part,
        "requests": step.requests, "bytes": step.bytes, "seconds": step.seconds, "usd": step.usd, "actions": step.actions,
    })
}
