//! What nobody can notice: a single record that is missing from a log that goes on. It leaves the logs of a company to whom it never
//! happened, so an answer may follow them. Everything else that is missing shows, and excuses nothing.

use std::collections::BTreeSet;

use super::hole::{Place, Removed};
use crate::estate::logs::Logs;
use crate::estate::world::{Op, Time, World};

/// Account, region, name.
pub(crate) type Cluster = (String, String, String);

/// A log of the hum speaks every 3 to 5 hours: half a day of silence is a hole, less may be its habit.
const HABIT_MS: i64 = 12 * 3_600_000;

/// What was changed by records whose absence does not show, by subject.
#[derive(Default, Debug)]
pub(crate) struct Excused {
    life: BTreeSet<Cluster>,
    mode: BTreeSet<Cluster>,
    aws_auth: BTreeSet<Cluster>,
    rbac: BTreeSet<Cluster>,
    entries: BTreeSet<(Cluster, String)>,
    /// IAM principals whose deletion or creation is missing.
    principals: BTreeSet<String>,
    /// Clusters of which some request is missing.
    uses: BTreeSet<Cluster>,
    /// Clusters of which a birth or an end is missing, seen or not: the number of a life may differ.
    renumbered: BTreeSet<Cluster>,
}

impl Excused {
    /// What the hole excuses in an answer of the moment `at`.
    pub(crate) fn of(removed: &[Removed], left: &Logs<'_>, plan: &[(Time, Op)], start: &World, at: Time) -> Self {
        let mut excused = Self::default();
        let name = |c: usize| {
            let n = &start.names[c];
            (n.account.clone(), n.region.clone(), n.name.clone())
        };
        let who = |p: usize| start.principals[p].canonical();
        for gone in removed {
            let Some(place) = gone.op else { continue };
            let op = &plan[place].1;
            if gone.changes
                && let Op::CreateCluster { cluster, .. } | Op::DeleteCluster { cluster, .. } = op
            {
                excused.renumbered.insert(name(*cluster));
            }
            if gone.at_ms > at * 1000 || shows(gone, left, plan, at * 1000) {
                continue;
            }
            if let Op::Request { cluster, .. } | Op::WorkloadRequest { cluster, .. } | Op::Admission { cluster, .. } =
                op
            {
                excused.uses.insert(name(*cluster));
            }
            if !gone.changes {
                continue;
            }
            match op {
                // Without its birth a life is seen to have begun before; another birth shows that one ended.
                Op::DeleteCluster { cluster, .. } if !is_born_again(*cluster, gone.at_ms, left, plan, at * 1000) => {
                    excused.life.insert(name(*cluster));
                }
                Op::SetMode { cluster, .. } => {
                    excused.mode.insert(name(*cluster));
                }
                Op::CreateAwsAuth { cluster, .. }
                | Op::WriteAwsAuth { cluster, .. }
                | Op::DeleteAwsAuth { cluster, .. } => {
                    excused.aws_auth.insert(name(*cluster));
                }
                Op::Bind { cluster, .. } | Op::Unbind { cluster, .. } => {
                    excused.rbac.insert(name(*cluster));
                }
                Op::CreateEntry { cluster, principal, .. }
                | Op::StackDeletesEntry { cluster, principal, .. }
                | Op::DeleteEntry { cluster, principal, .. }
                | Op::Associate { cluster, principal, .. }
                | Op::Disassociate { cluster, principal, .. } => {
                    excused.entries.insert((name(*cluster), who(*principal)));
                }
                Op::DeletePrincipal { principal, .. } | Op::RecreatePrincipal { principal, .. } => {
                    excused.principals.insert(who(*principal));
                }
                _ => {}
            }
        }
        excused
    }

    /// Whether lives of this name are to be matched by what is said of them, not by number.
    pub(crate) fn is_renumbered(&self, cluster: &Cluster) -> bool {
        self.renumbered.contains(cluster)
    }

    pub(crate) fn life(&self, cluster: &Cluster) -> bool {
        self.life.contains(cluster)
    }

    pub(crate) fn mode(&self, cluster: &Cluster) -> bool {
        self.life(cluster) || self.mode.contains(cluster)
    }

    pub(crate) fn principal(&self, principal: &str) -> bool {
        self.principals.contains(principal)
    }

    /// Whether one of the principals has this name.
    pub(crate) fn any_principal_named(&self, name: &str) -> bool {
        self.principals.iter().any(|arn| arn.rsplit('/').next() == Some(name))
    }

    pub(crate) fn uses(&self, cluster: &Cluster) -> bool {
        self.uses.contains(cluster)
    }

    /// A route of a principal to a cluster.
    pub(crate) fn route(&self, cluster: &Cluster, principal: &str, route: &str) -> bool {
        let by_entry = self.entries.contains(&(cluster.clone(), principal.to_owned())) || self.principal(principal);
        let by_auth = self.aws_auth.contains(cluster);
        self.mode(cluster)
            || match route {
                "creator" | "access_policy" => by_entry,
                "aws_auth" => by_auth || by_entry,
                _ => by_auth || by_entry || self.rbac.contains(cluster),
            }
    }

    /// What is said of all that a cluster knows: that nobody else is admin, that a request is refused.
    pub(crate) fn whole(&self, cluster: &Cluster) -> bool {
        self.mode(cluster)
            || self.aws_auth.contains(cluster)
            || self.rbac.contains(cluster)
            || self.entries.iter().any(|(of, _)| of == cluster)
    }
}

/// Whether a reader of what is left can see that something is missing around this record.
fn shows(gone: &Removed, left: &Logs<'_>, plan: &[(Time, Op)], at_ms: i64) -> bool {
    if gone.cut {
        return true;
    }
    let times: Vec<i64> = match &gone.place {
        Place::Trail { account, region } => {
            let own = left.trail.iter().filter(|((a, r, _), _)| a == account && r == region);
            own.flat_map(|(_, records)| records.iter().map(|r| r.at_ms)).collect()
        }
        Place::Stream { cluster, kind } => {
            let lines = left.streams.get(&(*cluster, *kind)).into_iter().flatten();
            lines.map(|r| r.at_ms).collect()
        }
    };
    // A lake without any CloudTrail is one of somebody who has none: what only it would tell is said as a blind spot.
    let is_of_trail = matches!(gone.place, Place::Trail { .. });
    if is_of_trail && !left.trail.values().flatten().any(|record| record.at_ms <= at_ms) {
        return false;
    }
    let before = times.iter().filter(|t| **t <= gone.at_ms).max().copied();
    let after = times.iter().filter(|t| **t > gone.at_ms && **t <= at_ms).min().copied();
    // A log that begins with its cluster lacks nothing before.
    let born = match &gone.place {
        Place::Trail { .. } => None,
        Place::Stream { cluster: own, .. } => plan
            .iter()
            .filter(|(at, op)| {
                matches!(op, Op::CreateCluster { cluster, .. } if cluster == own) && at * 1000 <= gone.at_ms
            })
            .map(|(at, _)| at * 1000)
            .max(),
    };
    let Some(before) = before.max(born) else { return true };
    after.unwrap_or(at_ms) - before >= HABIT_MS
}

/// Whether what is left holds a creation of the cluster after a moment.
fn is_born_again(cluster: usize, after_ms: i64, left: &Logs<'_>, plan: &[(Time, Op)], at_ms: i64) -> bool {
    let is_birth = |op: usize| matches!(&plan[op].1, Op::CreateCluster { cluster: c, .. } if *c == cluster);
    let mut records = left.trail.values().flatten();
    records.any(|r| r.at_ms > after_ms && r.at_ms <= at_ms && r.op.is_some_and(is_birth))
}
