//! Who has, or had, cluster-admin power: by which route, since when, proven by what.
//!
//! Each route has its own rule and its own file; a principal with several routes is one finding. Nothing is inferred silently: a
//! route whose weakest hop no record settles is `unproven`.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_queries::facts::{Mark, Micros};

use crate::findings::{Admin, Power, PrincipalState, Route, RouteKind, Status};
use crate::people;
use crate::principal::{is_aws_role, is_aws_user, of_user, principal_type};
use crate::state::{Incarnation, World};

mod bindings;
mod creator;
mod mapped;
pub(crate) mod powers;
mod spans;
mod used;

pub(crate) use spans::{Reach, reaches};

/// Everything known of one principal in one life of a cluster, as the routes are found.
#[derive(Debug, Default)]
struct Draft {
    routes: Vec<Route>,
    username: Option<String>,
    /// The finding's only routes are rights to become admin.
    uses: Uses,
}

#[derive(Debug, Default)]
struct Uses {
    count: u64,
    first: Option<Micros>,
    last: Option<Micros>,
    last_username: Option<(Mark, String)>,
    is_aws: bool,
}

/// Findings of one life, by principal.
#[derive(Default)]
struct Drafts(BTreeMap<String, Draft>);

impl Drafts {
    fn add(&mut self, principal: &str, username: Option<&str>, route: Route) {
        let draft = self.0.entry(principal.to_owned()).or_default();
        if let Some(username) = username.filter(|name| !name.is_empty()) {
            draft.username.get_or_insert_with(|| username.to_owned());
        }
        let is_known = draft.routes.iter().any(|known| {
            known.route == route.route
                && known.valid_from == route.valid_from
                && known.status == route.status
                && known.via == route.via
        });
        if !is_known {
            draft.routes.push(route);
        }
    }

    fn has_route(&self, principal: &str) -> bool {
        self.0.get(principal).is_some_and(|draft| !draft.routes.is_empty())
    }

    fn is_active_admin(&self, principal: &str) -> bool {
        self.0.get(principal).is_some_and(|draft| {
            draft
                .routes
                .iter()
                .any(|route| route.status == Status::Active && route.route != RouteKind::Escalation)
        })
    }
}

impl Drafts {
    /// Whether every route to admin that the principal had is known to have ended.
    fn was_admin(&self, principal: &str) -> bool {
        let routes = self.0.get(principal).map_or(&[][..], |draft| draft.routes.as_slice());
        let mut grants = routes
            .iter()
            .filter(|route| !matches!(route.route, RouteKind::Escalation | RouteKind::Impersonation))
            .peekable();
        grants.peek().is_some() && grants.all(|route| route.status == Status::Revoked)
    }
}

/// One finding for each life of a cluster and principal, sorted.
pub(crate) fn admins(world: &World<'_>, at: Micros) -> Vec<Admin> {
    let mut admins: Vec<Admin> = world
        .lives
        .values()
        .flatten()
        .flat_map(|life| admins_of(world, life, at))
        .collect();
    admins.sort_by(|a, b| (&a.cluster, a.incarnation, &a.principal).cmp(&(&b.cluster, b.incarnation, &b.principal)));
    admins
}

/// Those of one life, among all as [`admins`] sorts them.
pub(crate) fn of_life<'a>(admins: &'a [Admin], life: &Incarnation<'_>) -> &'a [Admin] {
    let own = |admin: &Admin| (&admin.cluster, admin.incarnation).cmp(&(&life.cluster, life.number));
    let first = admins.partition_point(|admin| own(admin).is_lt());
    let behind = &admins[first..];
    &behind[..behind.partition_point(|admin| own(admin).is_eq())]
}

fn admins_of(world: &World<'_>, life: &Incarnation<'_>, at: Micros) -> Vec<Admin> {
    let mut drafts = Drafts::default();
    let reaches = reaches(world, life, at);
    let activity = &life.activity;
    creator::routes(world, life, at, &mut drafts);
    mapped::aws_auth_routes(life, at, &reaches, &mut drafts);
    mapped::access_policy_routes(world, life, at, &mut drafts);
    bindings::routes(life, at, &reaches, activity, &mut drafts);
    used::access_policy_routes(world, life, activity, &mut drafts);
    used::certificate_routes(life, activity, &mut drafts);
    used::observed_routes(world, life, &mut drafts);
    used::impersonation_routes(life, at, &reaches, activity, &mut drafts);
    let mut uses = uses(world, life);
    drafts
        .0
        .into_iter()
        .map(|(principal, mut draft)| {
            draft.uses = uses.remove(&principal).unwrap_or_default();
            finish(world, life, at, principal, draft)
        })
        .collect()
}

fn finish(world: &World<'_>, life: &Incarnation<'_>, at: Micros, principal: String, mut draft: Draft) -> Admin {
    draft
        .routes
        .sort_by(|a, b| (a.route, a.valid_from, &a.via).cmp(&(b.route, b.valid_from, &b.via)));
    merge_alike(&mut draft.routes);
    let status = [Status::Active, Status::Unproven]
        .into_iter()
        .find(|status| draft.routes.iter().any(|route| route.status == *status))
        .unwrap_or(Status::Revoked);
    let is_admin = draft.routes.iter().any(|route| route.route != RouteKind::Escalation);
    let since = draft
        .routes
        .iter()
        .flat_map(|route| route.valid_from.into_iter().chain(route.evidence.first().map(|e| e.ts)))
        .min()
        .unwrap_or(Micros::MIN);
    let is_iam = principal.starts_with("arn:");
    // EKS makes no access entry for a principal that does not exist.
    let existed = draft
        .routes
        .iter()
        .any(|route| matches!(route.route, RouteKind::Creator | RouteKind::AccessPolicy));
    let fate = world.iam.fate(&principal, since, at, existed);
    // EKS and Kubernetes give their own no power beyond the bindings that every cluster has: who bound one of them to more is asked for.
    let has_more = !is_iam
        && draft
            .routes
            .iter()
            .any(|route| matches!(route.route, RouteKind::RbacBinding | RouteKind::Escalation));
    let is_own = draft.uses.is_aws
        || principal
            .strip_prefix("User:")
            .is_some_and(|name| is_aws_user(name, None, None));
    let aws_managed = is_aws_role(&principal) || (is_own && !has_more);
    let sessions: BTreeSet<String> = life
        .sessions
        .iter()
        .filter(|row| row.canonical_arn.eq_ignore_ascii_case(&principal))
        .filter_map(|row| people::shown(world, row))
        .collect();
    let kubernetes_username = match (principal.split_once(':'), draft.uses.last_username) {
        (Some(("User", name)), _) => Some(name.to_owned()),
        (_, Some((_, name))) => Some(name),
        _ => draft.username,
    };
    Admin {
        cluster: life.cluster.clone(),
        incarnation: life.number,
        principal_type: principal_type(&principal),
        kubernetes_username,
        status,
        power: if is_admin { Power::Admin } else { Power::CanBecomeAdmin },
        aws_managed,
        routes: draft.routes,
        first_seen: draft.uses.first,
        last_seen: draft.uses.last,
        uses: draft.uses.count,
        sessions: sessions.into_iter().collect(),
        principal_state: if is_iam { fate.state } else { PrincipalState::Unknown },
        principal_deleted_at: fate.deleted_at().filter(|_| is_iam),
        principal,
    }
}

/// Routes of one kind and standing over one time are one, whatever bindings give them.
fn merge_alike(routes: &mut Vec<Route>) {
    routes.dedup_by(|next, first| {
        let is_alike = next.route == first.route
            && next.status == first.status
            && next.valid_from == first.valid_from
            && next.valid_to == first.valid_to;
        if is_alike {
            first.via.append(&mut next.via);
            first.via.dedup();
            first.evidence.append(&mut next.evidence);
            first.evidence = crate::evidence::shown(std::mem::take(&mut first.evidence));
        }
        is_alike
    });
}

/// What each principal did in this life: requests from the audit log, logins for the times only.
fn uses(world: &World<'_>, life: &Incarnation<'_>) -> BTreeMap<String, Uses> {
    let mut uses: BTreeMap<String, Uses> = BTreeMap::new();
    let mut note =
        |principal: String, username: Option<&String>, first: &Mark, last: &Mark, count: u64, is_aws: bool| {
            let own = uses.entry(principal).or_default();
            own.count += count;
            own.first = Some(own.first.map_or(first.ts, |ts| ts.min(first.ts)));
            own.last = Some(own.last.map_or(last.ts, |ts| ts.max(last.ts)));
            own.is_aws |= is_aws;
            if let Some(username) = username
                && own.last_username.as_ref().is_none_or(|(mark, _)| mark < last)
            {
                own.last_username = Some((last.clone(), username.clone()));
            }
        };
    for row in &life.activity {
        let Some(principal) = of_user(row.username.as_deref(), row.canonical_arn.as_deref()) else {
            continue;
        };
        let principal = if row.canonical_arn.is_some() {
            world.spellings.canonical(&principal).unwrap_or(principal)
        } else {
            principal
        };
        let is_aws = row
            .username
            .as_deref()
            .is_some_and(|name| is_aws_user(name, row.canonical_arn.as_deref(), row.uid.as_deref()));
        note(
            principal,
            row.username.as_ref(),
            &row.first,
            &row.last,
            row.count,
            is_aws,
        );
    }
    for row in &life.logins {
        let canonical = row
            .canonical_arn
            .as_deref()
            .and_then(|arn| world.spellings.canonical(arn));
        let Some(principal) = of_user(row.username.as_deref(), canonical.as_deref()) else {
            continue;
        };
        let is_aws = row
            .username
            .as_deref()
            .is_some_and(|name| is_aws_user(name, canonical.as_deref(), row.uid.as_deref()));
        note(principal, row.username.as_ref(), &row.first, &row.last, 0, is_aws);
    }
    uses
}
