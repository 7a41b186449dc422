//! Route `creator`: made the cluster, and the bootstrap admin right was not turned off.
//!
//! Rule: EKS User Guide, "Grant IAM users and roles access to Kubernetes APIs". In CONFIG_MAP mode the right is hidden, rests on the
//! ARN and cannot be taken away; in the API modes it is an access entry that EKS makes, bound to the unique id.

use eksplain_queries::facts::Micros;

use super::Drafts;
use super::spans::{Span, cut_at_death};
use crate::evidence;
use crate::findings::RouteKind;
use crate::rbac::policies::CLUSTER_ADMIN;
use crate::state::{Incarnation, World};

pub(super) fn routes(world: &World<'_>, life: &Incarnation<'_>, at: Micros, drafts: &mut Drafts) {
    let Some(created) = life.created else { return };
    if life.bootstrap_admin() == Some(false) {
        return;
    }
    let Some(principal) = created
        .canonical_arn
        .as_deref()
        .and_then(|arn| world.spellings.canonical(arn))
    else {
        return;
    };
    let mut span = Span::open(&created.at, true, format!("CreateCluster by {principal}"));
    let hidden_from_birth = life.modes.first().is_none_or(|change| !change.mode.reads_entries());
    let entry = life.entries.iter().find(|entry| entry.of_creator);
    let mut username = hidden_from_birth.then_some("kubernetes-admin");
    if let Some(entry) = entry {
        username = username.or(entry.username.as_deref());
        if let Some(end) = &entry.to {
            span.cut(end.ts, true, "the creator's access entry was deleted");
            span.evidence
                .push(evidence::any(end, "DeleteAccessEntry of the creator's entry"));
        }
        let right = entry
            .associations
            .iter()
            .find(|a| a.policy == CLUSTER_ADMIN && a.namespaces.is_none());
        if let Some(end) = right
            .and_then(|right| right.to.as_ref())
            .filter(|end| !stays_admin(entry, end.ts))
        {
            span.cut(
                end.ts,
                true,
                "the admin policy was taken from the creator's access entry",
            );
            span.evidence
                .push(evidence::any(end, "the creator's admin policy was disassociated"));
        }
        cut_at_death(world, &mut span, &principal, created.at.ts, at);
    }
    let (detail, via) = match hidden_from_birth {
        true => (
            "created the cluster in CONFIG_MAP mode: a hidden mapping to system:masters that nothing lists",
            vec![
                "CreateCluster".to_owned(),
                "hidden mapping to kubernetes-admin".to_owned(),
                "group system:masters".to_owned(),
            ],
        ),
        false => (
            "created the cluster: EKS made an access entry with AmazonEKSClusterAdminPolicy",
            vec![
                "CreateCluster".to_owned(),
                "access entry made by EKS".to_owned(),
                format!("{CLUSTER_ADMIN} at cluster scope"),
            ],
        ),
    };
    drafts.add(
        &principal,
        username,
        span.route(RouteKind::Creator, life, at, detail.to_owned(), via),
    );
}

/// Associating the policy again at cluster scope changes nothing.
fn stays_admin(entry: &crate::state::AccessEntry, ts: Micros) -> bool {
    entry
        .associations_at(ts)
        .any(|a| a.policy == CLUSTER_ADMIN && a.namespaces.is_none())
}
