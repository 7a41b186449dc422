//! `rescue`: just what answers "who can let me in", from three sources side by side, within a minute at the real quotas.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_sdk_cloudtrail::types::LookupAttributeKey;
use eksplain_ingest::IngestReport;
use eksplain_lake::Lake;

use crate::access::{Account, Aws};
use crate::cloudtrail::{REACH, lookup_job};
use crate::cloudwatch;
use crate::pull::{self, Job, Micros, Range};
use crate::regions::home_of;
use crate::scope::Scope;
use crate::snapshot::{self, Look, now};

/// Events that make, change or end access to a cluster, one lookup each.
const OF_EKS: &[&str] = &[
    "CreateCluster",
    "DeleteCluster",
    "UpdateClusterConfig",
    "CreateAccessEntry",
    "DeleteAccessEntry",
    "AssociateAccessPolicy",
    "DisassociateAccessPolicy",
];
/// Fetches the cluster's present state, its life in CloudTrail, and the latest logins.
///
/// # Errors
/// Where the lake cannot be written.
pub async fn fetch(
    aws: &Arc<Aws>,
    lake: &mut Lake,
    cluster: &str,
    principals: Vec<String>,
    logins_since: Micros,
    stop: &Arc<AtomicBool>,
) -> Result<(IngestReport, Vec<Scope>), eksplain_ingest::Error> {
    let (accounts, mut scopes) = aws.accounts("rescue").await;
    let mut jobs = Vec::new();
    for account in &accounts {
        for region in aws.regions(account).await {
            for name in OF_EKS {
                jobs.push(lookup(aws, account, &region, name));
            }
            let pull = cloudwatch::Pull {
                window: Range {
                    from: logins_since,
                    to: now(),
                },
                groups: Vec::new(),
                clusters: vec![cluster.to_owned()],
                logs: vec![cloudwatch::Log::Authenticator],
                identity_only: true,
                via: cloudwatch::Via::Insights,
            };
            match cloudwatch::list(aws, account, &region, &pull).await {
                Ok(groups) if groups.is_empty() => scopes.push(
                    Scope::new(account.id.as_deref(), Some(&region), "cloudwatch").part(format!(
                        "/aws/eks/{cluster}/cluster: no such log; past logins cannot be known"
                    )),
                ),
                Ok(groups) => jobs.extend(groups.iter().map(|group| cloudwatch::latest_logins(aws, group, &pull))),
                Err(fault) => {
                    let scope = Scope::new(account.id.as_deref(), Some(&region), "cloudwatch");
                    scopes.push(scope.refused(fault));
                }
            }
        }
    }
    let look = Look {
        clusters: vec![cluster.to_owned()],
        principals,
    };
    let (seen, (mut report, pulled)) = {
        let meter = aws.meter();
        let (seen, pulled) = tokio::join!(
            snapshot::fetch(aws, &accounts, &look),
            pull::run(lake, jobs, &meter, stop)
        );
        (seen, pulled?)
    };
    scopes.extend(pulled);
    let (more, looked) = snapshot::keep(lake, seen)?;
    report.add(more);
    scopes.extend(looked);
    Ok((report, summed_up(scopes)))
}

/// Fetches what became of some principals: whether IAM has them now, and the events that name them. A busy account makes and deletes
/// thousands of roles, so that each is looked up by its name.
///
/// # Errors
/// Where the lake cannot be written.
pub async fn fates(
    aws: &Arc<Aws>,
    lake: &mut Lake,
    principals: &[String],
    stop: &Arc<AtomicBool>,
) -> Result<(IngestReport, Vec<Scope>), eksplain_ingest::Error> {
    let (accounts, mut scopes) = aws.accounts("rescue").await;
    let mut jobs = Vec::new();
    let mut looks = Vec::new();
    for account in &accounts {
        let own: Vec<&String> = principals
            .iter()
            .filter(|arn| {
                let of = arn.split(':').nth(4);
                of.is_some() && account.id.as_deref().is_none_or(|id| of == Some(id))
            })
            .collect();
        let home = home_of(&account.region());
        for arn in &own {
            let Some(name) = arn.rsplit('/').next().filter(|_| arn.contains('/')) else {
                continue;
            };
            let attribute = (LookupAttributeKey::ResourceName, name.to_owned());
            let part = format!("resource/{name}");
            jobs.push(lookup_job(aws, account, home, &part, Some(attribute), reach()));
        }
        looks.push(snapshot::principals(aws, account, own.into_iter().cloned().collect()).await);
    }
    let (mut report, pulled) = pull::run(lake, jobs, &aws.meter(), stop).await?;
    scopes.extend(pulled);
    let (more, looked) = snapshot::keep(lake, looks)?;
    report.add(more);
    scopes.extend(looked);
    Ok((report, summed_up(scopes)))
}

/// One scope for each source of a region, with what its refusal leaves unknown.
fn summed_up(scopes: Vec<Scope>) -> Vec<Scope> {
    let mut sums: Vec<Scope> = Vec::new();
    for scope in scopes {
        let of_same =
            |sum: &&mut Scope| (sum.source, &sum.account, &sum.region) == (scope.source, &scope.account, &scope.region);
        match sums.iter_mut().find(of_same) {
            Some(sum) if scope.state > sum.state => *sum = scope,
            Some(_) => {}
            None => sums.push(scope),
        }
    }
    for sum in &mut sums {
        let unknown = match sum.source {
            "cloudtrail" => "who created the cluster, and what changed its access entries, may stay unknown",
            "cloudwatch" => "who logged in recently stays unknown",
            _ => "the current access entries, and which principals still exist, may stay unknown",
        };
        if let Some(error) = &mut sum.error {
            let told = error.split("; not fetched:").next().unwrap_or_default();
            *error = format!("{told}: {unknown}");
        }
    }
    sums
}

/// Events of one name, as far back as they go.
fn lookup(aws: &Arc<Aws>, account: &Account, region: &str, event: &str) -> Job {
    let attribute = (LookupAttributeKey::EventName, event.to_owned());
    lookup_job(
        aws,
        account,
        region,
        &format!("event/{event}"),
        Some(attribute),
        reach(),
    )
}

/// As far back as event history goes.
fn reach() -> Range {
    let now = now();
    Range {
        from: now - REACH,
        to: now,
    }
}
