//! `ingest snapshot`.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use eksplain_analyze::findings::Answers;
use eksplain_analyze::{Options, answer};
use eksplain_aws::snapshot::{Look, ingest};
use eksplain_ingest::{FileOptions, Hints, ingest_files};
use eksplain_lake::Lake;
use eksplain_queries::Engine;

use super::aws::{Access, pull};
use super::files::taken_at;
use super::{Run, stop_on_interrupt};
use crate::cli::{Global, ask};
use crate::error::Failure;
use crate::render::say;
use crate::settings::now;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain ingest snapshot                              clusters, access entries and IAM principals of the profile's region
  eksplain ingest snapshot --regions all --cluster 'prod-*'

  kubectl get clusterroles,clusterrolebindings,roles,rolebindings -A -o json > rbac.json
  kubectl get configmap aws-auth -n kube-system -o yaml > aws-auth.yaml
  aws eks describe-cluster --name prod > cluster.json
  eksplain ingest snapshot --from rbac.json --from aws-auth.yaml --from cluster.json --account 111122223333 --region us-west-2 --cluster prod
  eksplain ingest snapshot --from ./state --taken-at 2026-11-23T10:00:00Z --cluster prod

--from reads what kubectl get, aws eks describe-cluster, list-access-entries, describe-access-entry, list-associated-access-policies,
aws iam get-role, get-user, list-roles, list-users, eksctl get accessentry and eksctl get iamidentitymapping print, as JSON or YAML, and
asks AWS nothing. Roles and users are those that the access entries and the lake name; ingest logs first to have all of them looked at.")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    pub(super) access: Access,
    /// Read saved output of kubectl, aws or eksctl instead of calling AWS: files or folders, - for standard input (repeatable)
    #[arg(long, value_name = "FILE|-")]
    pub(super) from: Vec<PathBuf>,
    /// When the files of --from were taken [default: each file's time]
    #[arg(long, value_name = "TIME")]
    pub(super) taken_at: Option<String>,
    /// Like --from, for kubectl output, but AWS is called as well if possible (repeatable)
    #[arg(long, value_name = "FILE|-", requires = "cluster")]
    pub(super) kubectl: Vec<PathBuf>,
    /// Account of the cluster in the files
    #[arg(long)]
    pub(super) account: Option<String>,
    /// Region to call, and region of the cluster in the files
    #[arg(long)]
    pub(super) region: Option<String>,
    /// Only clusters with this name or glob (repeatable); with --from, the cluster to assume for files that name none
    #[arg(long, value_name = "NAME|GLOB")]
    pub(super) cluster: Vec<String>,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<Run, Failure> {
    let files = [&arguments.from[..], &arguments.kubectl[..]].concat();
    if files.is_empty() {
        if arguments.taken_at.is_some() {
            return Err(Failure::usage(
                "--taken-at is about files",
                "name them with --from; what AWS answers is taken now",
            ));
        }
        return look(global, arguments);
    }
    let began = Instant::now();
    let cluster = match arguments.cluster.as_slice() {
        [] => None,
        [one] if !one.contains(['*', '?']) => Some(one.clone()),
        _ => {
            return Err(Failure::usage(
                "files that do not name their cluster show one cluster",
                "name that cluster alone with --cluster",
            ));
        }
    };
    let options = FileOptions {
        hints: Hints {
            account: arguments.account.clone(),
            region: arguments.region.clone(),
            cluster,
            taken_at: taken_at(arguments.taken_at.as_deref())?,
            only_state: true,
            ..Hints::default()
        },
        ..FileOptions::default()
    };
    let mut lake = Lake::open_or_create(&global.lake)?;
    let report = ingest_files(&mut lake, &files, &options, &stop_on_interrupt(), &|_| {})?;
    drop(lake);
    let (account, region) = (arguments.account.as_deref(), arguments.region.as_deref());
    let mut run = Run {
        asked: files.iter().map(|path| path.display().to_string()).collect(),
        ..Run::local(report, account, region, "snapshot", began)
    };
    if arguments.kubectl.is_empty() {
        return Ok(run);
    }
    match look(global, arguments) {
        Ok(seen) => run.add(seen),
        Err(failure) if failure.is_without_access() => {
            if !global.quiet {
                say::note("without AWS credentials only the files of kubectl were read");
            }
        }
        Err(failure) => return Err(failure),
    }
    Ok(run)
}

fn look(global: &Global, arguments: &Arguments) -> Result<Run, Failure> {
    let look = Look {
        clusters: arguments.cluster.clone(),
        principals: principals_of_lake(global)?,
    };
    let is_alone = arguments.kubectl.is_empty();
    let settings = arguments.access.settings(global, arguments.region.as_deref())?;
    pull(global, settings, async |aws, mut lake| {
        // Credentials that nobody answers to are as good as none where kubectl's files were the point.
        if !is_alone && aws.own().id.is_none() {
            return Ok(Default::default());
        }
        ingest(&aws, &mut lake, &look).await
    })
}

/// Every IAM principal that an answer from the lake names.
pub(in crate::cli) fn principals_of_lake(global: &Global) -> Result<Vec<String>, Failure> {
    let Some(answers) = answers_of_lake(global)? else {
        return Ok(Vec::new());
    };
    let admins = answers.admins.iter().map(|admin| admin.principal.clone());
    let creators = answers
        .creators
        .iter()
        .filter_map(|creator| creator.creator.principal.clone());
    let denied = answers.denials.iter().filter_map(|denial| denial.principal.clone());
    let mut arns: Vec<String> = admins
        .chain(creators)
        .chain(denied)
        .filter(|name| name.starts_with("arn:"))
        .collect();
    arns.sort_unstable();
    arns.dedup();
    Ok(arns)
}

/// What the lake answers now; `None` where there is no lake yet.
pub(super) fn answers_of_lake(global: &Global) -> Result<Option<Answers>, Failure> {
    let Ok(lake) = Lake::open(&global.lake) else {
        return Ok(None);
    };
    let now = now();
    let facts = ask::facts_at(&Engine::open(&lake)?, now)?;
    let options = Options {
        at: now,
        ..Options::default()
    };
    Ok(Some(answer(&facts, &options)))
}
