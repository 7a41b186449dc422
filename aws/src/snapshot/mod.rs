//! `ingest snapshot`: the present state of clusters and of the IAM principals that matter.
//!
//! What EKS and IAM say now is evidence at the time of the call. A principal that IAM does not know is a record too: it is gone.

use std::collections::BTreeSet;
use std::sync::Arc;

use eksplain_ingest::{IngestReport, Intake, KeepRaw};
use eksplain_lake::{Lake, Origin, SnapshotRecord};
use futures::StreamExt;
use serde_json::Value;

use crate::access::{Account, Aws};
use crate::cloudwatch::glob_fits;
use crate::fault::Fault;
use crate::pull::Micros;
use crate::quota::Meter;
use crate::scope::Scope;

mod eks;
mod iam;

/// Clusters asked at a time, in one region.
const WIDTH: usize = 8;

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Cluster names or globs; none means all.
    pub clusters: Vec<String>,
    /// ARNs of principals whose state matters, besides those of the access entries.
    pub principals: Vec<String>,
}

/// One object as it is now.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) kind: &'static str,
    pub(crate) cluster: Option<String>,
    pub(crate) name: String,
    pub(crate) body: Value,
    pub(crate) ts: Micros,
}

/// Looks at every account and region asked for.
///
/// # Errors
/// Where the lake cannot be written.
pub async fn ingest(
    aws: &Arc<Aws>,
    lake: &mut Lake,
    look: &Look,
) -> Result<(IngestReport, Vec<Scope>), eksplain_ingest::Error> {
    let (accounts, mut scopes) = aws.accounts("snapshot").await;
    let mut intake = Intake::begin(lake, KeepRaw::Evidence)?;
    for account in &accounts {
        let mut principals: BTreeSet<String> = look.principals.iter().cloned().collect();
        for region in aws.regions(account).await {
            let scope = Scope::new(account.id.as_deref(), Some(&region), "snapshot");
            let (seen, scope) = clusters(aws, account, &region, look, scope).await;
            principals.extend(
                seen.iter()
                    .filter_map(|object| object.body["principalArn"].as_str().map(str::to_owned)),
            );
            principals.extend(
                seen.iter()
                    .filter_map(|object| object.body["roleArn"].as_str().map(str::to_owned)),
            );
            take(&mut intake, account, Some(&region), &seen);
            intake.commit(Vec::new())?;
            scopes.push(scope);
        }
        let scope = Scope::new(account.id.as_deref(), None, "snapshot").part("iam");
        let (seen, scope) = iam::principals(aws, account, principals, scope).await;
        take(&mut intake, account, None, &seen);
        intake.commit(Vec::new())?;
        scopes.push(scope);
    }
    Ok((intake.finish(), scopes))
}

async fn clusters(aws: &Aws, account: &Account, region: &str, look: &Look, mut scope: Scope) -> (Vec<Seen>, Scope) {
    let client = eks::Client::new(aws, account, region);
    let names = match client.clusters().await {
        Ok(names) => names,
        Err(fault) => return (Vec::new(), scope.refused(fault)),
    };
    let fits = |name: &String| look.clusters.is_empty() || look.clusters.iter().any(|glob| glob_fits(glob, name));
    let answers: Vec<(Vec<Seen>, Vec<Fault>)> = futures::stream::iter(names.into_iter().filter(fits))
        .map(|name| {
            let client = &client;
            async move { client.look_at(&name).await }
        })
        .buffered(WIDTH)
        .collect()
        .await;
    let mut seen = Vec::new();
    for (objects, faults) in answers {
        Meter::add(&aws.quotas.meter.records, objects.len() as u64);
        seen.extend(objects);
        if let Some(fault) = faults.into_iter().next()
            && scope.error.is_none()
        {
            scope = scope.partial(fault);
        }
    }
    (seen, scope)
}

fn take(intake: &mut Intake, account: &Account, region: Option<&str>, seen: &[Seen]) {
    let uri = format!("snapshot://{}/{}", account.name(), region.unwrap_or("iam"));
    for (line, object) in (1..).zip(seen) {
        let body = object.body.to_string();
        let record = SnapshotRecord {
            kind: object.kind,
            name: &object.name,
            body: &body,
        };
        let owner = iam::account_of(&object.body).or(account.id.as_deref());
        intake.snapshot(
            &record,
            &Origin {
                account: if object.kind.starts_with("iam_") {
                    owner
                } else {
                    account.id.as_deref()
                },
                region,
                cluster: object.cluster.as_deref(),
                uri: &uri,
                line,
                ts: Some(object.ts),
                ..Origin::default()
            },
        );
    }
}

pub(crate) fn now() -> Micros {
    jiff::Timestamp::now().as_microsecond()
}
