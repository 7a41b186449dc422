//! Route `creator`: made the cluster, and the bootstrap admin right was not turned off.
//!
//! Rule: EKS User Guide, "Grant IAM users and roles access to Kubernetes APIs". In CONFIG_MAP mode the right is hidden, rests on the
//! ARN and cannot be taken away; in the API modes it is an access entry that EKS makes, bound to the unique id.

use eksplain_queries::facts::Micros;

use super::Drafts;
use super::spans::{EndProof, Span, as_of, cut_at_death, stay_span};
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
    span.as_of = as_of(&life.logs.trail, created.at.ts, at);
    let hidden_from_birth = life.modes.first().is_none_or(|change| !change.mode.reads_entries());
    let entry = life.entries.iter().find(|entry| entry.of_creator);
    let mut username = hidden_from_birth.then_some("kubernetes-admin");
    if let Some(entry) = entry {
        username = username.or(entry.username.as_deref());
        let right = entry
            .associations
            .iter()
            .find(|a| a.policy == CLUSTER_ADMIN && a.namespaces.is_none());
        let stays = [
            (Some(&entry.stay), "the creator's access entry"),
            (right.map(|right| &right.stay), "the creator's admin policy"),
        ];
        for (stay, what) in stays {
            let Some(stay) = stay else { continue };
            let whole = stay_span(life, stay, at, what, String::new());
            // Associating the policy again at cluster scope changes nothing.
            let Some(end) = whole
                .end
                .filter(|end| what.ends_with("entry") || !stays_admin(entry, end.at))
            else {
                continue;
            };
            span.cut(end.at, end.proof, &end.why);
            span.evidence.extend(whole.evidence.into_iter().skip(1));
        }
        cut_at_death(world, &mut span, &principal, created.at.ts, at);
    } else if let Some(hole) = life
        .logs
        .trail
        .hole_between(created.at.ts, at)
        .filter(|_| !life.mode_is_config_map(at))
    {
        // In the API modes the right can be taken away, and the record of that would be in the gap.
        let why = format!("whether it is still in effect is not known: {}", hole.sentence());
        span.cut(hole.from.max(created.at.ts.saturating_add(1)), EndProof::Nothing, &why);
    }
    let (detail, via) = match hidden_from_birth {
        true => (
            "created the cluster in CONFIG_MAP mode: a built-in system:masters mapping that does not appear in aws-auth",
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

/// Whether the entry is admin by another association.
fn stays_admin(entry: &crate::state::AccessEntry, ts: Micros) -> bool {
    entry
        .associations_at(ts)
        .any(|a| a.policy == CLUSTER_ADMIN && a.namespaces.is_none())
}
