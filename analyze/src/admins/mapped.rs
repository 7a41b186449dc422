//! Routes `aws_auth` and `access_policy`, and the rights of narrower policies to become admin.

use eksplain_parse::glob::glob_matches;
use eksplain_queries::facts::Micros;

use super::Drafts;
use super::spans::{Reach, entry_span, stay_span};
use crate::findings::RouteKind;
use crate::rbac::policies::CLUSTER_ADMIN;
use crate::state::{AccessEntry, Association, Incarnation, World};

pub(crate) const MASTERS: &str = "system:masters";

/// A mapping straight to `system:masters`.
pub(super) fn aws_auth_routes(life: &Incarnation<'_>, at: Micros, reaches: &[Reach], drafts: &mut Drafts) {
    for reach in reaches
        .iter()
        .filter(|reach| reach.is_aws_auth && reach.groups.iter().any(|group| group == MASTERS))
    {
        let detail = "aws-auth maps it to system:masters".to_owned();
        let route = reach.span.clone().route(
            RouteKind::AwsAuth,
            life,
            at,
            detail,
            vec![reach.how.clone(), "group system:masters".to_owned()],
        );
        drafts.add(&reach.principal, reach.username.as_deref(), route);
    }
}

/// An access entry with a policy: admin at cluster scope, or enough to become it.
pub(super) fn access_policy_routes(world: &World<'_>, life: &Incarnation<'_>, at: Micros, drafts: &mut Drafts) {
    for entry in life.entries.iter().filter(|entry| !is_node(entry)) {
        let whole = entry_span(world, life, entry, at);
        for (number, association) in entry.associations.iter().enumerate() {
            let is_admin = association.policy == CLUSTER_ADMIN && association.namespaces.is_none();
            // The creator's own right is the route `creator`, until it was taken away once.
            let mut earlier = entry.associations[..number]
                .iter()
                .filter(|before| is_same(before, association));
            let was_interrupted = earlier
                .next_back()
                .is_some_and(|before| before.stay.end.as_ref().is_some_and(|end| end.at < association.stay.start()));
            if entry.of_creator && is_admin && !was_interrupted {
                continue;
            }
            let Some(what) = (if is_admin {
                Some("is cluster-admin by AmazonEKSClusterAdminPolicy at cluster scope".to_owned())
            } else {
                escalation(association)
            }) else {
                continue;
            };
            let summary = format!(
                "{} is associated with the access entry of {}",
                association.policy, entry.canonical
            );
            let span = stay_span(life, &association.stay, at, "the association of the policy", summary);
            let Some(span) = span.and(&whole) else { continue };
            let scope = association
                .namespaces
                .as_ref()
                .map_or("cluster scope".to_owned(), |namespaces| {
                    format!("namespaces {}", namespaces.join(", "))
                });
            let via = vec![
                format!("access entry {}", entry.principal_arn),
                format!("{} at {scope}", association.policy),
            ];
            let kind = if is_admin {
                RouteKind::AccessPolicy
            } else {
                RouteKind::Escalation
            };
            drafts.add(
                &entry.canonical,
                entry.username.as_deref(),
                span.route(kind, life, at, what, via),
            );
        }
    }
}

fn is_same(a: &Association, b: &Association) -> bool {
    a.policy == b.policy && a.namespaces == b.namespaces
}

/// Entries that EKS makes for nodes.
fn is_node(entry: &AccessEntry) -> bool {
    entry.entry_type.as_deref().is_some_and(|kind| kind != "STANDARD")
}

/// Why a narrower association is enough to become admin, if it is.
fn escalation(association: &Association) -> Option<String> {
    let in_kube_system = association
        .namespaces
        .as_ref()
        .is_none_or(|namespaces| namespaces.iter().any(|pattern| glob_matches(pattern, "kube-system")));
    if !in_kube_system {
        return None;
    }
    let scope = if association.namespaces.is_none() {
        "every namespace"
    } else {
        "kube-system"
    };
    match association.policy.as_str() {
        CLUSTER_ADMIN | "AmazonEKSAdminPolicy" | "AmazonEKSEditPolicy" => Some(format!(
            "{} lets it use the service accounts of {scope}, controllers' among them",
            association.policy
        )),
        "AmazonEKSAdminViewPolicy" | "AmazonEKSSecretReaderPolicy" => Some(format!(
            "{} lets it read the secrets of {scope}, service account tokens among them",
            association.policy
        )),
        _ => None,
    }
}
