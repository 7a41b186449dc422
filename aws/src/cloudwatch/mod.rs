//! `ingest cloudwatch`: authenticator and audit logs of the control planes by the CloudWatch Logs API.
//!
//! The log of a cluster is the group `/aws/eks/<cluster>/cluster`; what a stream holds is told by its prefix (EKS User Guide,
//! "Control plane logs"). Three ways lead to the same records: FilterLogEvents, Insights queries, export to S3.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use eksplain_ingest::{Hints, IngestReport};
use eksplain_lake::Lake;
use eksplain_parse::glob::glob_matches;

use crate::access::{Account, Aws};
use crate::fault::{Fault, Kind};
use crate::pull::{self, Job, Micros, Range};
use crate::quota::Api;
use crate::scope::Scope;

mod export;
mod filter;
mod insights;

pub use export::{ExportTo, export};

const MILLISECOND: Micros = 1_000;
const SECOND: Micros = 1_000_000;
/// CloudWatch shows most events within seconds; agents retry for minutes.
const LATENESS: Micros = 10 * 60 * SECOND;

/// A log of the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Log {
    /// Who logged in, as whom.
    Authenticator,
    /// What was asked of the API server.
    Audit,
}

impl Log {
    fn prefix(self) -> &'static str {
        match self {
            Self::Authenticator => "authenticator-",
            Self::Audit => "kube-apiserver-audit-",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Authenticator => "authenticator",
            Self::Audit => "audit",
        }
    }
}

/// How events are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// FilterLogEvents, page by page.
    Filter,
    /// Insights queries whose time range is divided until each answer is whole.
    Insights,
}

/// What to fetch.
#[derive(Debug, Clone)]
pub struct Pull {
    /// The window.
    pub window: Range,
    /// Log groups; none means every `/aws/eks/*/cluster`.
    pub groups: Vec<String>,
    /// Cluster names or globs; none means all.
    pub clusters: Vec<String>,
    /// Which logs.
    pub logs: Vec<Log>,
    /// Just logins, denials, changes of RBAC and of aws-auth, impersonation.
    pub identity_only: bool,
    /// How.
    pub via: Via,
}

/// A log group with the account and region where it is.
#[derive(Debug, Clone)]
pub struct Group {
    pub(crate) account: Account,
    /// Region.
    pub region: String,
    /// Name.
    pub name: String,
    stored_bytes: u64,
    made_at: Micros,
    retention_days: Option<i32>,
}

impl Group {
    /// The cluster whose log it is.
    pub fn cluster(&self) -> Option<&str> {
        self.name.strip_prefix("/aws/eks/")?.strip_suffix("/cluster")
    }

    /// The account's id, where known.
    pub fn account_id(&self) -> Option<&str> {
        self.account.id.as_deref()
    }

    /// Bytes of a window, if the log was written evenly since it began or since CloudWatch forgets.
    pub(crate) fn bytes_within(&self, window: Range) -> u64 {
        let now = jiff::Timestamp::now().as_microsecond();
        let kept = self.retention_days.map(|days| now - i64::from(days) * 86_400 * SECOND);
        let from = self.made_at.max(kept.unwrap_or(i64::MIN));
        (self.stored_bytes as f64 * window.share_of(from, now)) as u64
    }

    fn place(&self) -> Hints {
        Hints {
            account: self.account.id.clone(),
            region: Some(self.region.clone()),
            cluster: self.cluster().map(str::to_owned),
            ..Hints::default()
        }
    }

    fn scope(&self) -> Scope {
        Scope::new(self.account.id.as_deref(), Some(&self.region), "cloudwatch").part(&self.name)
    }
}

/// Fetches events of every group asked for.
///
/// # Errors
/// Where the lake cannot be written.
pub async fn ingest(
    aws: &Arc<Aws>,
    lake: &mut Lake,
    pull: &Pull,
    stop: &Arc<AtomicBool>,
) -> Result<(IngestReport, Vec<Scope>), eksplain_ingest::Error> {
    let (groups, mut scopes) = groups(aws, pull).await;
    let jobs = groups
        .iter()
        .flat_map(|group| pull.logs.iter().map(|log| job(aws, group, *log, pull)))
        .collect();
    let (report, done) = pull::run(lake, jobs, &aws.meter(), stop).await?;
    scopes.extend(done);
    Ok((report, scopes))
}

pub(crate) fn job(aws: &Arc<Aws>, group: &Group, log: Log, pull: &Pull) -> Job {
    // What only part of the log was asked for must not pass as all of it in the next run.
    let only = if pull.identity_only { "-identity" } else { "" };
    let name = format!(
        "cloudwatch://{}/{}{}/{}{only}",
        group.account.name(),
        group.region,
        group.name,
        log.name()
    );
    let (pages, step): (Box<dyn pull::Pages>, _) = match pull.via {
        Via::Filter => (Box::new(filter::Events::new(aws, group, log, pull)), MILLISECOND),
        Via::Insights => (Box::new(insights::Query::new(aws, group, log, pull)), SECOND),
    };
    Job {
        name,
        scope: group.scope(),
        place: group.place(),
        pages,
        window: whole(pull.window, step),
        step,
        is_newest_first: false,
        wants_newest_first: false,
        lateness: LATENESS,
        width: 4,
    }
}

fn whole(window: Range, step: Micros) -> Range {
    Range {
        from: window.from.div_euclid(step) * step,
        to: window.to.div_euclid(step) * step + step - 1,
    }
}

/// The latest logins of people and workloads of a cluster: one Insights query, which is not divided.
pub(crate) fn latest_logins(aws: &Arc<Aws>, group: &Group, pull: &Pull) -> Job {
    Job {
        name: format!(
            "cloudwatch://{}/{}{}/logins",
            group.account.name(),
            group.region,
            group.name
        ),
        pages: Box::new(insights::Query::latest_logins(aws, group, pull)),
        width: 1,
        // Rescue asks anew each time: what it has is the latest at that time, not all of a range.
        lateness: i64::MAX / 4,
        window: whole(pull.window, SECOND),
        step: SECOND,
        ..job(aws, group, Log::Authenticator, pull)
    }
}

/// The groups of the accounts and regions asked for; a group that was named and is not there is a scope.
pub async fn groups(aws: &Arc<Aws>, pull: &Pull) -> (Vec<Group>, Vec<Scope>) {
    let (accounts, mut scopes) = aws.accounts("cloudwatch").await;
    let mut groups = Vec::new();
    for account in &accounts {
        for region in aws.regions(account).await {
            let scope = Scope::new(account.id.as_deref(), Some(&region), "cloudwatch");
            match list(aws, account, &region, pull).await {
                Ok(found) => {
                    let missing = pull
                        .groups
                        .iter()
                        .filter(|name| !found.iter().any(|group| group.name == **name));
                    scopes.extend(missing.map(|name| {
                        scope.clone().part(name).refused(Fault {
                            kind: Kind::NotFound,
                            ..Fault::other("logs:DescribeLogGroups", "there is no such log group", "")
                        })
                    }));
                    if found.is_empty() && pull.groups.is_empty() {
                        scopes.push(scope.part(
                            "no log group /aws/eks/*/cluster fits: turn on the cluster's logs, types authenticator and audit",
                        ));
                    }
                    groups.extend(found);
                }
                Err(fault) => scopes.push(scope.refused(fault)),
            }
        }
    }
    (groups, scopes)
}

pub(crate) async fn list(aws: &Aws, account: &Account, region: &str, pull: &Pull) -> Result<Vec<Group>, Fault> {
    let client = aws_sdk_cloudwatchlogs::Client::new(&account.within(region));
    let prefixes: Vec<&str> = if pull.groups.is_empty() {
        vec!["/aws/eks/"]
    } else {
        pull.groups.iter().map(String::as_str).collect()
    };
    let mut groups = Vec::new();
    for prefix in prefixes {
        let mut token = None;
        loop {
            let page = aws
                .call(account, region, Api::DescribeLogs, async || {
                    let request = client.describe_log_groups().log_group_name_prefix(prefix).limit(50);
                    let answer = request.set_next_token(token.clone()).send().await;
                    answer.map_err(|error| Fault::of("logs:DescribeLogGroups", error))
                })
                .await?;
            groups.extend(page.log_groups().iter().filter_map(|group| {
                Some(Group {
                    account: account.clone(),
                    region: region.to_owned(),
                    name: group.log_group_name()?.to_owned(),
                    stored_bytes: u64::try_from(group.stored_bytes().unwrap_or(0)).unwrap_or(0),
                    made_at: group.creation_time().unwrap_or(0) * MILLISECOND,
                    retention_days: group.retention_in_days(),
                })
            }));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
    }
    groups.retain(|group| {
        let is_asked = if pull.groups.is_empty() {
            group.cluster().is_some()
        } else {
            pull.groups.contains(&group.name)
        };
        let fits =
            |cluster: &str| pull.clusters.is_empty() || pull.clusters.iter().any(|glob| glob_matches(glob, cluster));
        is_asked && fits(group.cluster().unwrap_or_default())
    });
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    groups.dedup_by(|a, b| a.name == b.name);
    Ok(groups)
}
