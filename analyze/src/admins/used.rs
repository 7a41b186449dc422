//! Routes that use alone shows: `certificate`, `observed`, `impersonation`. A use proves no grant: never `active` by itself.

use eksplain_queries::facts::{Activity, Mark, Micros};

use super::mapped::MASTERS;
use super::powers::is_admin;
use super::{Drafts, Reach};
use crate::evidence;
use crate::findings::{Evidence, Route, RouteKind, Status};
use crate::knowledge::Measure;
use crate::principal::of_user;
use crate::rbac::policies::CLUSTER_ADMIN;
use crate::rbac::{Asker, Rbac, Request, service_account};
use crate::state::{Incarnation, World};

/// A route that rests on use: unproven, or over with the cluster.
fn used(kind: RouteKind, life: &Incarnation<'_>, detail: String, via: Vec<String>, evidence: Vec<Evidence>) -> Route {
    let status = if life.deleted_at.is_some() {
        Status::Revoked
    } else {
        Status::Unproven
    };
    Route {
        route: kind,
        status,
        detail,
        via,
        valid_from: None,
        valid_to: life.deleted_at,
        begun_by: None,
        ended_by: None,
        as_of: None,
        evidence: evidence::shown(evidence),
    }
}

fn first_and_last(first: &Mark, last: &Mark, what: &str) -> Vec<Evidence> {
    vec![
        evidence::any(first, format!("first: {what}")),
        evidence::any(last, format!("last: {what}")),
    ]
}

/// Adds to a use route of the same kind, or begins one.
fn add_use(drafts: &mut Drafts, principal: &str, username: Option<&str>, route: Route) {
    let draft = drafts.0.entry(principal.to_owned()).or_default();
    if let Some(username) = username {
        draft.username.get_or_insert_with(|| username.to_owned());
    }
    match draft.routes.iter_mut().find(|known| known.route == route.route) {
        Some(known) => {
            known.evidence.extend(route.evidence);
            known.evidence = evidence::shown(std::mem::take(&mut known.evidence));
        }
        None => draft.routes.push(route),
    }
}

/// `system:masters` by a certificate or token outside IAM.
pub(super) fn certificate_routes(life: &Incarnation<'_>, activity: &[&Activity], drafts: &mut Drafts) {
    for row in activity.iter().filter(|row| row.masters && row.canonical_arn.is_none()) {
        let Some(username) = row.username.as_deref() else {
            continue;
        };
        let is_iam = row.uid.as_deref().is_some_and(|uid| {
            uid.starts_with("aws-iam-authenticator:") || uid.starts_with("heptio-authenticator-aws:")
        });
        if is_iam || service_account(username).is_some() {
            continue;
        }
        let detail = "used system:masters by a certificate or token outside IAM".to_owned();
        let evidence = first_and_last(
            &row.first,
            &row.last,
            "a request with group system:masters and no IAM identity",
        );
        add_use(
            drafts,
            &format!("User:{username}"),
            Some(username),
            used(
                RouteKind::Certificate,
                life,
                detail,
                vec!["group system:masters".to_owned()],
                evidence,
            ),
        );
    }
}

/// Requests that AmazonEKSClusterAdminPolicy let through, though no record shows how the principal came by it.
pub(super) fn access_policy_routes(
    world: &World<'_>,
    life: &Incarnation<'_>,
    activity: &[&Activity],
    drafts: &mut Drafts,
) {
    for row in activity {
        let Some((arn, policy)) = row.access_policy_reason.as_deref().and_then(policy_of_reason) else {
            continue;
        };
        let Some(principal) = world.spellings.canonical(arn).filter(|_| policy == CLUSTER_ADMIN) else {
            continue;
        };
        // A grant has its access entry as a hop; a use that was added here before has not.
        let is_grant = |route: &Route| {
            route.route == RouteKind::Creator || (route.route == RouteKind::AccessPolicy && route.via.len() > 1)
        };
        let has_it_somewhere = |entry: &crate::state::AccessEntry| {
            let own = entry.associations.iter().filter(|a| a.policy == CLUSTER_ADMIN);
            let asked = Request {
                namespace: row.access_policy_namespace.clone(),
                ..Request::default()
            };
            let covers = |a: &crate::state::Association| {
                (a.stay.covers(row.first.ts) || a.stay.covers(row.last.ts))
                    && crate::rbac::policies::in_scope(a.namespaces.as_deref(), &asked)
            };
            entry.canonical.eq_ignore_ascii_case(&principal) && own.into_iter().any(covers)
        };
        let is_explained = drafts
            .0
            .get(&principal)
            .is_some_and(|draft| draft.routes.iter().any(is_grant))
            || life.entries.iter().any(has_it_somewhere);
        if !is_explained {
            let detail = "AmazonEKSClusterAdminPolicy let its requests through; no record shows when it was associated"
                .to_owned();
            let evidence = first_and_last(&row.first, &row.last, "a request that the access policy let through");
            add_use(
                drafts,
                &principal,
                row.username.as_deref(),
                used(
                    RouteKind::AccessPolicy,
                    life,
                    detail,
                    vec![format!("{CLUSTER_ADMIN} at cluster scope")],
                    evidence,
                ),
            );
        }
    }
}

/// Principal and policy of `EKS Access Policy: allowed by ClusterRoleBinding "<principal ARN>+<policy ARN>" of …`; a RoleBinding speaks
/// of namespaces only. What stands in the quotes is AWS's own, but for names that cannot hold a quote.
fn policy_of_reason(reason: &str) -> Option<(&str, &str)> {
    let binding = reason
        .strip_prefix("EKS Access Policy: allowed by ClusterRoleBinding \"")?
        .split('"')
        .next()?;
    let (principal, policy) = binding.rsplit_once("+arn:")?;
    Some((principal, policy.rsplit('/').next()?))
}

/// `system:masters` in a log, which no route explains.
pub(super) fn observed_routes(world: &World<'_>, life: &Incarnation<'_>, drafts: &mut Drafts) {
    let mut seen: Vec<(String, Option<String>, &Mark, &Mark, &str)> = Vec::new();
    for row in life.logins.iter().filter(|row| row.masters) {
        let canonical = row
            .canonical_arn
            .as_deref()
            .and_then(|arn| world.spellings.canonical(arn));
        if let Some(principal) = of_user(row.username.as_deref(), canonical.as_deref()) {
            seen.push((
                principal,
                row.username.clone(),
                &row.first,
                &row.last,
                "a login with group system:masters",
            ));
        }
    }
    for row in life.activity.iter().filter(|row| row.masters) {
        let is_iam = row.uid.as_deref().is_some_and(|uid| uid.contains("authenticator"));
        let canonical = row
            .canonical_arn
            .as_deref()
            .and_then(|arn| world.spellings.canonical(arn));
        if canonical.is_none()
            && !is_iam
            && row
                .username
                .as_deref()
                .is_none_or(|name| service_account(name).is_none())
        {
            continue;
        }
        if let Some(principal) = of_user(row.username.as_deref(), canonical.as_deref()) {
            seen.push((
                principal,
                row.username.clone(),
                &row.first,
                &row.last,
                "a request with group system:masters",
            ));
        }
    }
    let explained: Vec<bool> = seen
        .iter()
        .map(|(principal, ..)| {
            drafts.has_route(principal)
                && drafts.0[principal]
                    .routes
                    .iter()
                    .any(|route| route.route != RouteKind::Escalation)
        })
        .collect();
    for ((principal, username, first, last, what), is_explained) in seen.into_iter().zip(explained) {
        if !is_explained {
            let detail = "used system:masters; no record shows by what right".to_owned();
            let route = used(
                RouteKind::Observed,
                life,
                detail,
                vec!["group system:masters".to_owned()],
                first_and_last(first, last, what),
            );
            add_use(drafts, &principal, username.as_deref(), route);
        }
    }
}

/// Acted as somebody with admin power. The use alone leaves the route unproven; a right to impersonate that is known proves it.
pub(super) fn impersonation_routes(
    life: &Incarnation<'_>,
    at: Micros,
    reaches: &[Reach],
    activity: &[&Activity],
    drafts: &mut Drafts,
) {
    let is_impersonation = |row: &&&Activity| row.allowed && row.impersonated_username.is_some();
    for row in activity.iter().filter(is_impersonation) {
        let target = row.impersonated_username.as_deref().unwrap_or_default();
        let rbac = life.rbac_at(row.last.ts, Measure::Whole);
        let is_powerful = row.impersonated_groups.iter().any(|group| group == MASTERS) || {
            let asker = Asker::new(target, &row.impersonated_groups);
            let cluster_wide = rbac.bindings_of(&asker).filter(|binding| binding.namespace.is_none());
            cluster_wide.filter_map(|binding| rbac.role_of(binding)).any(is_admin)
        };
        let principal = of_user(row.username.as_deref(), row.canonical_arn.as_deref());
        let Some(principal) = principal.filter(|_| is_powerful) else {
            continue;
        };
        let username = row.username.as_deref().unwrap_or_default();
        let groups = row.impersonated_groups.join(", ");
        let detail = format!("acted as {target:?} with groups [{groups}]");
        let evidence = first_and_last(&row.first, &row.last, "an impersonated request that was let through");
        let via = vec![format!("impersonates {target}")];
        let mut route = used(RouteKind::Impersonation, life, detail, via, evidence);
        if route.status == Status::Unproven {
            route.status = right_to_impersonate(life, at, reaches, row, &principal, drafts);
        }
        add_use(drafts, &principal, Some(username), route);
    }
}

/// Whether the right behind an impersonation is known to stand, known to have ended, or not known.
fn right_to_impersonate(
    life: &Incarnation<'_>,
    at: Micros,
    reaches: &[Reach],
    row: &Activity,
    principal: &str,
    drafts: &Drafts,
) -> Status {
    if drafts.is_active_admin(principal) {
        return Status::Active;
    }
    let username = row.username.as_deref().unwrap_or_default();
    let own: Vec<&Reach> = reaches
        .iter()
        .filter(|reach| reach.principal.eq_ignore_ascii_case(principal))
        .collect();
    // Who came by IAM is in its groups as long as a mapping says so; a name outside IAM is itself.
    let asker_at = |ts: Micros| match (&row.canonical_arn, own.iter().find(|reach| reach.span.covers(ts))) {
        (None, _) => Some(Asker::new(username, &[])),
        (Some(_), Some(reach)) => Some(Asker::new(username, &reach.groups)),
        (Some(_), None) => None,
    };
    let may_at =
        |ts: Micros| asker_at(ts).is_some_and(|asker| may_impersonate(&life.rbac_at(ts, Measure::Whole), &asker, row));
    if may_at(at) {
        Status::Active
    } else if may_at(row.last.ts) || drafts.was_admin(principal) {
        Status::Revoked
    } else {
        Status::Unproven
    }
}

/// Whether RBAC lets the asker act as the user and every group of an impersonated request.
fn may_impersonate(rbac: &Rbac<'_>, asker: &Asker, row: &Activity) -> bool {
    let may = |resource: &str, namespace: Option<&str>, name: &str| {
        let request = Request {
            verb: "impersonate".into(),
            resource: resource.into(),
            namespace: namespace.map(str::to_owned),
            name: Some(name.into()),
            ..Request::default()
        };
        rbac.allows(asker, &request).is_some()
    };
    let target = row.impersonated_username.as_deref().unwrap_or_default();
    let as_target = match service_account(target) {
        Some((namespace, name)) => may("serviceaccounts", Some(namespace), name),
        None => may("users", None, target),
    };
    let is_implicit = |group: &str| group == "system:authenticated" || group.starts_with("system:serviceaccounts");
    as_target
        && row
            .impersonated_groups
            .iter()
            .filter(|group| !is_implicit(group))
            .all(|group| may("groups", None, group))
}
