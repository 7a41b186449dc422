//! `doctor`: whether the credentials work, what they may do, and whether the clusters log what the questions need.

use std::sync::Arc;

use futures::future::join_all;

use crate::access::{Account, Aws};
use crate::cloudtrail::{self, Lookup};
use crate::cloudwatch::{self, Log, Pull, Via};
use crate::fault::{Fault, Kind};
use crate::pull::Range;
use crate::snapshot::{self, now};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Well,
    /// Answers will have a blind spot.
    Weak,
    /// It does not work.
    Ill,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What: `credentials`, an IAM action, `logs of prod`.
    pub name: String,
    /// How it is.
    pub health: Health,
    /// In words.
    pub message: String,
    /// What to do.
    pub fix: Option<String>,
}

impl Check {
    /// A check that found nothing wrong.
    pub fn well(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            health: Health::Well,
            message: message.into(),
            fix: None,
        }
    }

    /// A check that did.
    pub fn ill(name: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            health: Health::Ill,
            fix: Some(fix.into()).filter(|fix| !fix.is_empty()),
            ..Self::well(name, message)
        }
    }

    fn weak(name: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            health: Health::Weak,
            ..Self::ill(name, message, fix)
        }
    }

    fn of<T>(action: &str, region: &str, answer: Result<T, Fault>) -> Self {
        match answer {
            // What is not there could be asked for.
            Ok(_) => Self::well(action, format!("allowed in {region}")),
            Err(fault) if fault.kind == Kind::NotFound => Self::well(action, format!("allowed in {region}")),
            Err(fault) => Self::ill(action, format!("{}: {}", fault.code, fault.message), fault.fix()),
        }
    }
}

/// Looks at every account and region asked for.
pub async fn examine(aws: &Arc<Aws>) -> Vec<Check> {
    let own = aws.own();
    let who = own.caller.as_deref().unwrap_or("a caller that STS does not name");
    let mut checks = vec![Check::well("credentials", format!("calls are made as {who}"))];
    let (accounts, refused) = aws.accounts("doctor").await;
    checks.extend(refused.into_iter().map(|scope| {
        let name = format!("account {}", scope.account.unwrap_or_default());
        Check::ill(
            name,
            scope.error.unwrap_or_default(),
            "allow the caller to assume the role, and make the role trust the caller",
        )
    }));
    for account in &accounts {
        let regions = aws.regions(account).await;
        let looked = join_all(regions.iter().map(|region| region_checks(aws, account, region))).await;
        checks.extend(looked.into_iter().flatten());
        checks.push(Check::of(
            "iam:GetRole",
            "the account",
            snapshot::probe_iam(aws, account).await,
        ));
    }
    checks
}

async fn region_checks(aws: &Arc<Aws>, account: &Account, region: &str) -> Vec<Check> {
    let hour = Range {
        from: now() - 3_600_000_000,
        to: now(),
    };
    let lookup = Lookup {
        window: hour,
        event_sources: vec!["eks.amazonaws.com".to_owned()],
        is_newest_first: true,
    };
    let trail = cloudtrail::job(aws, account, region, Some("eks.amazonaws.com"), &lookup);
    let mut checks = vec![Check::of(
        "cloudtrail:LookupEvents",
        region,
        trail.pages.page(hour, None).await,
    )];
    let pull = Pull {
        window: hour,
        groups: Vec::new(),
        clusters: Vec::new(),
        logs: vec![Log::Authenticator],
        identity_only: false,
        via: Via::Filter,
    };
    let groups = cloudwatch::list(aws, account, region, &pull).await;
    let names: Vec<String> = groups
        .iter()
        .flatten()
        .filter_map(|group| group.cluster().map(str::to_owned))
        .collect();
    if let Ok(groups) = &groups
        && let Some(group) = groups.first()
    {
        let events = cloudwatch::job(aws, group, Log::Authenticator, &pull);
        let minute = Range {
            from: hour.to - 60_000_000,
            ..hour
        };
        checks.push(Check::of(
            "logs:FilterLogEvents",
            region,
            events.pages.page(minute, None).await,
        ));
    }
    checks.push(Check::of("logs:DescribeLogGroups", region, groups));
    match snapshot::clusters_of(aws, account, region).await {
        Err(fault) => checks.push(Check::of::<()>(fault.action, region, Err(fault))),
        Ok(clusters) => {
            checks.push(Check::well(
                "eks:ListClusters",
                match clusters.len() {
                    1 => format!("1 cluster in {region}"),
                    count => format!("{count} clusters in {region}"),
                },
            ));
            for (name, logging) in clusters {
                checks.push(logs_check(&name, region, &logging, names.contains(&name)));
            }
        }
    }
    checks
}

fn logs_check(cluster: &str, region: &str, enabled: &[String], has_group: bool) -> Check {
    let missing: Vec<&str> = ["authenticator", "audit"]
        .into_iter()
        .filter(|kind| !enabled.iter().any(|own| own == kind))
        .collect();
    let name = format!("logs of {cluster}");
    match (missing.as_slice(), has_group) {
        ([], true) => Check::well(name, format!("authenticator and audit logs are on in {region}")),
        ([], false) => Check::weak(name, "the logs are on, and nothing was logged yet", ""),
        (kinds, _) => Check::weak(
            name,
            format!(
                "off: {}; who logged in and what was refused is not recorded",
                kinds.join(", ")
            ),
            format!(
                "aws eks update-cluster-config --region {region} --name {cluster} --logging '{{\"clusterLogging\":[{{\"types\":[\"audit\",\"authenticator\"],\"enabled\":true}}]}}'"
            ),
        ),
    }
}
