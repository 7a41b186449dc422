//! What a reader must know in ten seconds: counts, and the few sentences that matter most.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_analyze::words::{Power, PrincipalState, Reason, Severity, Status};
use serde::Serialize;

use super::Report;
use crate::view::admins::Admin;
use crate::view::words::counted;
use crate::view::{Cluster, Finding, cluster_words};

/// Clusters that are named in one sentence each; the others are counted.
const NAMED: usize = 3;

/// The counts of a report and its headline.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Summary {
    /// Lives of clusters that go on.
    pub(crate) clusters: usize,
    /// Lives of clusters that ended.
    pub(crate) deleted_clusters: usize,
    /// Clusters that nobody is known to get into.
    pub(crate) locked_out: usize,
    /// Clusters that go on and whose creator is deleted or was made anew.
    pub(crate) creators_gone: usize,
    pub(crate) admins: Grants,
    pub(crate) denials: Denials,
    pub(crate) checks: Checks,
    /// Findings that somebody accepted: denials and checks among them are in no other count.
    pub(crate) accepted: usize,
    /// Sentences about what the logs cannot show.
    pub(crate) blind_spots: usize,
    /// Plain sentences, the most important first.
    pub(crate) headline: Vec<String>,
}

/// Findings about admins, by status.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Grants {
    pub(crate) active: usize,
    pub(crate) unproven: usize,
    pub(crate) revoked: usize,
    /// Active, and not admin itself but one step from it.
    pub(crate) can_become_admin: usize,
}

/// Refused calls, and the findings that they are grouped into.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Denials {
    pub(crate) calls: u64,
    /// Of these, calls that did not succeed later.
    pub(crate) open_calls: u64,
    pub(crate) findings: usize,
    pub(crate) open_findings: usize,
}

/// Findings of the lint, by severity.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Checks {
    pub(crate) critical: usize,
    pub(crate) high: usize,
    pub(crate) medium: usize,
    pub(crate) low: usize,
    pub(crate) info: usize,
}

impl Summary {
    pub(super) fn of(report: &Report) -> Self {
        let mut summary = Self::default();
        for creator in &report.creators {
            if creator.cluster.deleted_at.is_some() {
                summary.deleted_clusters += 1;
                continue;
            }
            summary.clusters += 1;
            summary.locked_out += usize::from(creator.recovery.needed && creator.accepted.is_none());
            summary.creators_gone += usize::from(is_gone(creator.creator_state));
        }
        for admin in &report.admins {
            match (admin.status, admin.power) {
                (Status::Active, Power::CanBecomeAdmin) => summary.admins.can_become_admin += 1,
                (Status::Active, Power::Admin) => summary.admins.active += 1,
                (Status::Unproven, _) => summary.admins.unproven += 1,
                (Status::Revoked, _) => summary.admins.revoked += 1,
            }
        }
        summary.accepted = accepted(&report.admins)
            + accepted(&report.creators)
            + accepted(&report.denials)
            + accepted(&report.checks);
        for denial in report.denials.iter().filter(|denial| denial.accepted.is_none()) {
            summary.denials.calls += denial.count;
            summary.denials.findings += 1;
            if !denial.resolved {
                summary.denials.open_calls += denial.count;
                summary.denials.open_findings += 1;
            }
        }
        for check in report.checks.iter().filter(|check| check.accepted.is_none()) {
            let checks = &mut summary.checks;
            let count = match check.severity {
                Severity::Critical => &mut checks.critical,
                Severity::High => &mut checks.high,
                Severity::Medium => &mut checks.medium,
                Severity::Low => &mut checks.low,
                Severity::Info => &mut checks.info,
            };
            *count += 1;
        }
        summary.blind_spots = report.coverage.iter().map(|row| row.blind_spots.len()).sum();
        summary.headline = summary.sentences(report);
        summary
    }

    fn sentences(&self, report: &Report) -> Vec<String> {
        let mut said = Vec::new();
        let locked = report.creators.iter().filter(|creator| {
            creator.recovery.needed && creator.cluster.deleted_at.is_none() && creator.accepted.is_none()
        });
        for creator in locked.clone().take(NAMED) {
            said.push(format!(
                "No known principal can access {}: {}",
                cluster_words(&creator.cluster.cluster),
                creator.recovery.why
            ));
        }
        if self.locked_out > NAMED {
            said.push(format!(
                "No known principal can access {} more",
                counted((self.locked_out - NAMED) as u64, "cluster")
            ));
        }
        if report.coverage.iter().all(|row| row.cluster.is_none()) {
            said.push("These logs name no cluster that was asked for".to_owned());
            return said;
        }
        let is_of_nobody = |admin: &&Admin| is_gone(admin.principal_state);
        let granted = report.admins.iter().filter(|admin| admin.status == Status::Active);
        let active = granted
            .clone()
            .filter(|admin| admin.power == Power::Admin)
            .filter(|admin| !is_of_nobody(admin));
        let principals: BTreeSet<&str> = active.clone().map(|admin| admin.principal.as_str()).collect();
        let clusters: BTreeSet<(&Cluster, u32)> = active
            .clone()
            .map(|admin| (&admin.cluster, admin.incarnation))
            .collect();
        if !principals.is_empty() {
            let hold = if principals.len() == 1 { "has" } else { "have" };
            said.push(format!(
                "{} {hold} cluster-admin power over {}",
                counted(principals.len() as u64, "principal"),
                counted(clusters.len() as u64, "cluster"),
            ));
        }
        if self.admins.unproven > 0 {
            said.push(format!(
                "{} to cluster-admin power cannot be decided from these logs",
                counted(self.admins.unproven as u64, "claim")
            ));
        }
        let gone = granted.clone().filter(is_of_nobody).count();
        if gone > 0 {
            said.push(format!(
                "{} to an IAM principal that was deleted",
                if gone == 1 {
                    "1 active admin grant is".to_owned()
                } else {
                    format!("{gone} active admin grants are")
                }
            ));
        }
        let near: BTreeSet<&str> = granted
            .filter(|admin| admin.power != Power::Admin)
            .map(|admin| admin.principal.as_str())
            .collect();
        if !near.is_empty() {
            let are = if near.len() == 1 { "is" } else { "are" };
            said.push(format!(
                "{} {are} one step away from cluster-admin",
                counted(near.len() as u64, "principal")
            ));
        }
        let serious = self.checks.critical + self.checks.high;
        if serious > 0 {
            said.push(format!(
                "{} in the access configuration",
                counted(serious as u64, "critical or high finding")
            ));
        }
        if let Some((reason, calls)) = most_frequent(report) {
            said.push(format!(
                "{} did not succeed later, most often by {reason} ({calls})",
                counted(self.denials.open_calls, "refused call")
            ));
        }
        if self.accepted > 0 {
            let is = if self.accepted == 1 { "is" } else { "are" };
            said.push(format!("{} {is} accepted", counted(self.accepted as u64, "finding")));
        }
        if self.blind_spots > 0 {
            said.push(format!(
                "{} in these logs: see what they cannot show",
                counted(self.blind_spots as u64, "blind spot")
            ));
        }
        if said.is_empty() {
            said.push("Nothing needs your attention in what these logs show".to_owned());
        }
        said
    }
}

fn accepted<F: Finding>(findings: &[F]) -> usize {
    findings.iter().filter(|finding| finding.accepted().is_some()).count()
}

fn is_gone(state: PrincipalState) -> bool {
    matches!(state, PrincipalState::Deleted | PrincipalState::Recreated)
}

fn most_frequent(report: &Report) -> Option<(Reason, u64)> {
    let mut calls: BTreeMap<Reason, u64> = BTreeMap::new();
    for denial in report
        .denials
        .iter()
        .filter(|denial| !denial.resolved && denial.accepted.is_none())
    {
        *calls.entry(denial.reason).or_default() += denial.count;
    }
    // Of two that are as frequent, the first by name.
    calls.into_iter().rev().max_by_key(|(_, calls)| *calls)
}
