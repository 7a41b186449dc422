//! Routes that use alone shows: `certificate`, `observed`, `impersonation`. A use proves no grant: never `active` by itself.

use eksplain_queries::facts::{Activity, Mark, Micros};

use super::mapped::MASTERS;
use super::powers::is_admin;
use super::{Drafts, is_of};
use crate::evidence;
use crate::findings::{Evidence, Route, Status};
use crate::principal::of_user;
use crate::rbac::policies::CLUSTER_ADMIN;
use crate::rbac::{Asker, Request, service_account};
use crate::state::{Incarnation, World};

/// A route that rests on use: unproven, or over with the cluster.
fn used(
    kind: &'static str,
    life: &Incarnation<'_>,
    detail: String,
    via: Vec<String>,
    evidence: Vec<Evidence>,
) -> Route {
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
                "certificate",
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
        let is_grant =
            |route: &Route| route.route == "creator" || (route.route == "access_policy" && route.via.len() > 1);
        let is_explained = drafts
            .0
            .get(&principal)
            .is_some_and(|draft| draft.routes.iter().any(is_grant));
        if !is_explained {
            let detail = "AmazonEKSClusterAdminPolicy let its requests through; no record shows when it was associated"
                .to_owned();
            let evidence = first_and_last(&row.first, &row.last, "a request that the access policy let through");
            add_use(
                drafts,
                &principal,
                row.username.as_deref(),
                used(
                    "access_policy",
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
pub(super) fn observed_routes(world: &World<'_>, life: &Incarnation<'_>, activity: &[&Activity], drafts: &mut Drafts) {
    let mut seen: Vec<(String, Option<String>, &Mark, &Mark, &str)> = Vec::new();
    for row in world
        .facts
        .logins
        .iter()
        .filter(|row| row.masters && is_of(world, life, &row.place, row.first.ts))
    {
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
    for row in activity.iter().filter(|row| row.masters) {
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
                    .any(|route| route.route != "escalation")
        })
        .collect();
    for ((principal, username, first, last, what), is_explained) in seen.into_iter().zip(explained) {
        if !is_explained {
            let detail = "used system:masters; no record shows by what right".to_owned();
            let route = used(
                "observed",
                life,
                detail,
                vec!["group system:masters".to_owned()],
                first_and_last(first, last, what),
            );
            add_use(drafts, &principal, username.as_deref(), route);
        }
    }
}

/// Acted as somebody with admin power.
pub(super) fn impersonation_routes(life: &Incarnation<'_>, at: Micros, activity: &[&Activity], drafts: &mut Drafts) {
    for row in activity
        .iter()
        .filter(|row| row.allowed && row.impersonated_username.is_some())
    {
        let target = row.impersonated_username.as_deref().unwrap_or_default();
        let is_powerful = row.impersonated_groups.iter().any(|group| group == MASTERS) || {
            let rbac = life.rbac.at(row.last.ts);
            let asker = Asker::new(target, &row.impersonated_groups);
            rbac.bindings_of(&asker)
                .filter(|binding| binding.namespace.is_none())
                .any(|binding| rbac.role_of(binding).is_some_and(is_admin))
        };
        let Some(principal) = of_user(row.username.as_deref(), row.canonical_arn.as_deref()).filter(|_| is_powerful)
        else {
            continue;
        };
        let username = row.username.as_deref().unwrap_or_default();
        let may = life.deleted_at.is_none() && {
            let ask = Request {
                verb: "impersonate".into(),
                resource: "groups".into(),
                name: Some(MASTERS.into()),
                ..Request::default()
            };
            let own_groups: Vec<String> = row.groups.iter().filter(|group| *group != MASTERS).cloned().collect();
            drafts.is_active_admin(&principal)
                || life
                    .rbac
                    .at(at)
                    .allows(&Asker::new(username, &own_groups), &ask)
                    .is_some()
        };
        let groups = row.impersonated_groups.join(", ");
        let detail = format!("acted as {target:?} with groups [{groups}]");
        let evidence = first_and_last(&row.first, &row.last, "an impersonated request that was let through");
        let mut route = used(
            "impersonation",
            life,
            detail,
            vec![format!("impersonates {target}")],
            evidence,
        );
        if may {
            route.status = Status::Active;
        }
        add_use(drafts, &principal, Some(username), route);
    }
}
