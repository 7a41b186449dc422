//! `rescue`: from "nobody can log in" to a plan, in one command.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use eksplain_aws::Settings;
use eksplain_aws::rescue::{fates, fetch};
use serde_json::json;

use super::ingest::aws::{Access, pull};
use super::ingest::{snapshot, stop_on_interrupt};
use super::{Global, ask};
use crate::error::{Exit, Failure};
use crate::render::{self, Output, Page, Text, say};
use crate::settings::{DayEnd, now, time};
use crate::view::admins::Admin;
use crate::view::creators::Creator;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain rescue prod
  eksplain rescue prod --regions eu-west-1 --profile breakglass
  eksplain rescue prod --logins-since 30d -o json

It asks EKS and IAM for the present state, CloudTrail for the cluster's life, and the authenticator's log for the latest logins (one
Insights query, billed by what it scans), side by side, keeps it all in the lake, and answers creators and admins for this cluster.
A source that refuses is named, with what that leaves unknown.")]
pub(super) struct Arguments {
    /// The cluster
    #[arg(value_name = "CLUSTER")]
    cluster: String,
    #[command(flatten)]
    access: Access,
    /// Region to call if --regions is not given
    #[arg(long)]
    region: Option<String>,
    /// Include logins since this time
    #[arg(long, value_name = "TIME", default_value = "14d")]
    logins_since: String,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let since = time("--logins-since", &arguments.logins_since, now(), DayEnd::First)?;
    let principals = snapshot::principals_of_lake(global)?;
    let settings = || -> Result<Settings, Failure> {
        Ok(Settings {
            is_hurried: true,
            ..arguments.access.settings(global, arguments.region.as_deref())?
        })
    };
    let stop = stop_on_interrupt();
    let mut run = pull(global, settings()?, async |aws, mut lake| {
        fetch(&aws, &mut lake, &arguments.cluster, principals, since, &stop).await
    })?;
    // Whoever made the cluster or may get in is known only now: what became of them is asked by name.
    let (creators, admins) = ask::of_cluster(global, &arguments.cluster)?;
    let matter = who_matters(&creators.findings, &admins.findings);
    if !matter.is_empty() {
        let more = pull(global, settings()?, async |aws, mut lake| {
            fates(&aws, &mut lake, &matter, &stop).await
        })?;
        run.add(more);
    }
    let exit = run.sum_up(global)?;
    let (creators, admins) = ask::of_cluster(global, &arguments.cluster)?;
    if creators.findings.is_empty() && admins.findings.is_empty() {
        say::error(&format!("could not find anything of a cluster {}", arguments.cluster));
        say::below(
            "do",
            "check its name, its region (--regions) and the account (--profile)",
        );
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    match global.output {
        Output::Json | Output::Jsonl => {
            let document = json!({
                "schema": "eksplain.rescue/1",
                "ingest": serde_json::to_value(run.document())?,
                "creators": serde_json::to_value(&creators)?,
                "admins": serde_json::to_value(&admins)?,
            });
            render::json(&mut out, &document)?;
        }
        output => {
            let heading = |out: &mut dyn Write, text| match output {
                Output::Table => Page::new(out).line(&Text::new().strong(text)),
                _ => writeln!(out, "# {text}\n"),
            };
            heading(&mut out, "Who can let you back in")?;
            render::document(&mut out, output, &admins)?;
            writeln!(out)?;
            heading(&mut out, "Who made it, and how to get back in")?;
            render::document(&mut out, output, &creators)?;
        }
    }
    out.flush()?;
    Ok(match exit {
        // Nothing known of the cluster is no answer, whatever the sources said.
        Exit::Answered if creators.findings.is_empty() && admins.findings.is_empty() => Exit::Refused.into(),
        exit => exit.into(),
    })
}

/// At most so many principals are asked by name: at two requests a second, more would take longer than somebody who is locked out waits.
const MOST: usize = 20;

/// The creator first, then whoever has or had power.
fn who_matters(creators: &[Creator], admins: &[Admin]) -> Vec<String> {
    let made = creators.iter().filter_map(|creator| creator.creator.principal.clone());
    let had = admins.iter().map(|admin| admin.principal.clone());
    let mut matter: Vec<String> = Vec::new();
    for arn in made.chain(had).filter(|arn| arn.starts_with("arn:")) {
        if !matter.contains(&arn) {
            matter.push(arn);
        }
    }
    matter.truncate(MOST);
    matter
}
