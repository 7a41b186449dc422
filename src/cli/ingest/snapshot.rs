//! `ingest snapshot`.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use eksplain_ingest::{Hints, ingest_kubectl};
use eksplain_lake::Lake;

use super::Run;
use crate::cli::Global;
use crate::error::Failure;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl get clusterroles,clusterrolebindings,roles,rolebindings -A -o json > rbac.json
  kubectl get configmap aws-auth -n kube-system -o json > aws-auth.json
  eksplain ingest snapshot --kubectl rbac.json --kubectl aws-auth.json --account 111122223333 --region us-west-2 --cluster prod")]
pub(in crate::cli) struct Arguments {
    /// Output of `kubectl get … -o json`; - reads standard input (repeatable)
    #[arg(long, required = true, value_name = "FILE|-")]
    kubectl: Vec<PathBuf>,
    /// Account of the cluster
    #[arg(long)]
    account: Option<String>,
    /// Region of the cluster
    #[arg(long)]
    region: Option<String>,
    /// The cluster
    #[arg(long)]
    cluster: String,
}

pub(super) fn run(global: &Global, snapshot: &Arguments) -> Result<Run, Failure> {
    let hints = Hints {
        account: snapshot.account.clone(),
        region: snapshot.region.clone(),
        cluster: Some(snapshot.cluster.clone()),
        layout: None,
    };
    let began = Instant::now();
    let report = ingest_kubectl(&mut Lake::open_or_create(&global.lake)?, &snapshot.kubectl, &hints)?;
    Ok(Run::local(
        report,
        snapshot.account.as_deref(),
        snapshot.region.as_deref(),
        "snapshot",
        began,
    ))
}
