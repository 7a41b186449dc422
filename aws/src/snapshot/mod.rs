//! `ingest snapshot`: the present state of clusters and of the IAM principals that matter.
//!
//! What EKS and IAM say now is evidence at the time of the call. A principal that IAM does not know is a record too: it is gone.

use std::collections::BTreeSet;
use std::sync::Arc;

use eksplain_ingest::{IngestReport, Intake, KeepRaw, LIST, complete_list};
use eksplain_lake::{Lake, Origin, SnapshotRecord};
use eksplain_parse::glob::glob_matches;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::access::{Account, Aws};
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
    let (report, looked) = keep(lake, fetch(aws, &accounts, look).await)?;
    scopes.extend(looked);
    Ok((report, scopes))
}

/// What was seen of one account, in one region or in IAM.
pub(crate) struct Part {
    account: Account,
    region: Option<String>,
    seen: Vec<Seen>,
    scope: Scope,
}

/// Asks EKS and IAM.
pub(crate) async fn fetch(aws: &Aws, accounts: &[Account], look: &Look) -> Vec<Part> {
    let mut parts = Vec::new();
    for account in accounts {
        let mut principals: BTreeSet<String> = look.principals.iter().cloned().collect();
        for region in aws.regions(account).await {
            let scope = Scope::new(account.id.as_deref(), Some(&region), "snapshot");
            let (seen, scope) = clusters(aws, account, &region, look, scope).await;
            for field in ["principalArn", "roleArn"] {
                principals.extend(
                    seen.iter()
                        .filter_map(|object| object.body[field].as_str().map(str::to_owned)),
                );
            }
            parts.push(Part {
                account: account.clone(),
                region: Some(region),
                seen,
                scope,
            });
        }
        let scope = Scope::new(account.id.as_deref(), None, "snapshot").part("iam");
        let (seen, scope) = iam::principals(aws, account, principals, scope).await;
        parts.push(Part {
            account: account.clone(),
            region: None,
            seen,
            scope,
        });
    }
    parts
}

/// Asks IAM alone.
pub(crate) async fn principals(aws: &Aws, account: &Account, arns: BTreeSet<String>) -> Part {
    let scope = Scope::new(account.id.as_deref(), None, "snapshot").part("iam");
    let (seen, scope) = iam::principals(aws, account, arns, scope).await;
    Part {
        account: account.clone(),
        region: None,
        seen,
        scope,
    }
}

/// Puts what was seen into the lake.
pub(crate) fn keep(lake: &mut Lake, parts: Vec<Part>) -> Result<(IngestReport, Vec<Scope>), eksplain_ingest::Error> {
    let mut intake = Intake::begin(lake, KeepRaw::Evidence)?;
    let mut scopes = Vec::new();
    for part in parts {
        take(&mut intake, &part.account, part.region.as_deref(), &part.seen);
        intake.commit(Vec::new())?;
        scopes.push(part.scope);
    }
    Ok((intake.finish(), scopes))
}

/// Names of clusters with the log types that they write.
pub(crate) async fn clusters_of(
    aws: &Aws,
    account: &Account,
    region: &str,
) -> Result<Vec<(String, Vec<String>)>, Fault> {
    let client = eks::Client::new(aws, account, region);
    let mut found = Vec::new();
    for name in client.clusters().await? {
        let body = client.describe(&name).await?;
        let setups = body["logging"]["clusterLogging"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let types = setups
            .iter()
            .filter(|setup| setup["enabled"] == true)
            .flat_map(|setup| setup["types"].as_array().cloned().unwrap_or_default())
            .filter_map(|kind| kind.as_str().map(str::to_owned))
            .collect();
        found.push((name, types));
    }
    Ok(found)
}

/// Asks IAM for a role that nobody has: "no such" is the answer that is hoped for.
pub(crate) async fn probe_iam(aws: &Aws, account: &Account) -> Result<(), Fault> {
    iam::probe(aws, account).await
}

async fn clusters(aws: &Aws, account: &Account, region: &str, look: &Look, mut scope: Scope) -> (Vec<Seen>, Scope) {
    let client = eks::Client::new(aws, account, region);
    let names = match client.clusters().await {
        Ok(names) => names,
        Err(fault) => return (Vec::new(), scope.refused(fault)),
    };
    let mut seen = vec![Seen {
        kind: LIST,
        cluster: None,
        name: "clusters".to_owned(),
        body: complete_list(&names, json!({"of": "cluster"})),
        ts: now(),
    }];
    let fits = |name: &String| look.clusters.is_empty() || look.clusters.iter().any(|glob| glob_matches(glob, name));
    let answers: Vec<(Vec<Seen>, Vec<Fault>)> = futures::stream::iter(names.into_iter().filter(fits))
        .map(|name| {
            let client = &client;
            async move { client.look_at(&name).await }
        })
        .buffered(WIDTH)
        .collect()
        .await;
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
