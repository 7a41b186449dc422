//! What is true of the simulated company at one moment, read from the world and from the plan, never from the logs.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{CLUSTER_ADMIN_POLICY, Life, Login, MASTERS, Mapping, Mode, Op, Subject, Time, World};

/// (account, region, name, incarnation, principal) to (route to status).
pub(crate) type Admins = BTreeMap<(String, String, String, u32, String), BTreeMap<&'static str, &'static str>>;

/// (account, region, name, incarnation) to what is said of the creator.
pub(crate) type Creators = BTreeMap<(String, String, String, u32), CreatorTruth>;

/// (cluster name or empty, principal or empty, reason) to the number of refused calls.
pub(crate) type Denials = BTreeMap<(String, String, String), u64>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CreatorTruth {
    pub principal: String,
    pub state: &'static str,
    pub recovery_needed: bool,
    pub mode: &'static str,
}

/// An ARN that aws-auth can match at all: no session, no role path, no wildcard.
fn can_match(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let service = parts.nth(2);
    let Some(resource) = parts.nth(2) else { return false };
    service == Some("iam")
        && !arn.contains(['*', '?'])
        && !(resource.starts_with("role/") && resource.matches('/').count() > 1)
        && !resource.starts_with("group/")
}

fn canonical_of(arn: &str) -> String {
    let (head, resource) = arn.rsplit_once(':').unwrap_or(("", arn));
    match resource.split_once('/') {
        Some((noun, rest)) => format!("{head}:{noun}/{}", rest.rsplit('/').next().unwrap_or(rest)),
        None => arn.to_owned(),
    }
}

/// The mappings of aws-auth that work now and that the log shows: (canonical principal, mapping).
fn working_mappings(world: &World, life: &Life) -> Vec<(String, Mapping)> {
    if life.mode == Mode::Api || !life.aws_auth_logged {
        return Vec::new();
    }
    let hidden: BTreeSet<String> = life
        .entries
        .iter()
        .map(|e| world.principals[e.principal].canonical())
        .collect();
    let mut by_arn: BTreeMap<(bool, String), Mapping> = BTreeMap::new();
    for m in life.aws_auth.iter().flatten() {
        if can_match(&m.arn) && (m.in_users || !life.broken_roles) {
            by_arn.insert((m.in_users, m.arn.to_lowercase()), m.clone());
        }
    }
    let named = by_arn.into_values().map(|m| (canonical_of(&m.arn), m));
    named.filter(|(canonical, _)| !hidden.contains(canonical)).collect()
}

/// Whether a mapping's user name can be this one: `{{SessionName}}` stands for what a session may be called.
fn renders(username: &str, user: &str) -> bool {
    match username.split_once("{{SessionName}}") {
        Some((head, tail)) => {
            let session = user.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
            session.is_some_and(|session| !session.is_empty() && !session.contains([':', '/']))
        }
        None => username == user,
    }
}

/// Every route that stands in this life now: (principal, route).
pub(crate) fn standing_routes(world: &World, life: &Life) -> Vec<(String, &'static str)> {
    let mut routes = BTreeSet::new();
    let canonical = |i: usize| world.principals[i].canonical();
    if life.hidden_creator {
        routes.insert((canonical(life.creator), "creator"));
    }
    let mut reached: Vec<(String, String, Vec<String>)> = Vec::new(); // principal, username, groups
    for entry in &life.entries {
        let is_stranger = world.alive[entry.principal].is_some_and(|l| l != entry.life);
        if is_stranger {
            continue;
        }
        let principal = canonical(entry.principal);
        if entry.policies.get(CLUSTER_ADMIN_POLICY).is_some_and(Vec::is_empty) {
            routes.insert((
                principal.clone(),
                if entry.of_creator { "creator" } else { "access_policy" },
            ));
        }
        reached.push((principal, String::new(), entry.groups.clone()));
    }
    for (principal, m) in working_mappings(world, life) {
        if m.groups.iter().any(|g| g == MASTERS) {
            routes.insert((principal.clone(), "aws_auth"));
        }
        reached.push((principal, m.username.clone(), m.groups.clone()));
    }
    for ((_, namespace), (role, subject)) in &life.bindings {
        if namespace.is_some() || role != "cluster-admin" {
            continue;
        }
        match subject {
            Subject::ServiceAccount(ns, name) => {
                routes.insert((format!("ServiceAccount:{ns}/{name}"), "rbac_binding"));
            }
            Subject::User(user) => {
                let mut someone = false;
                for (principal, username, _) in &reached {
                    if renders(username, user) {
                        routes.insert((principal.clone(), "rbac_binding"));
                        someone = true;
                    }
                }
                if !someone {
                    routes.insert((format!("User:{user}"), "rbac_binding"));
                }
            }
            Subject::Group(group) => {
                for (principal, _, groups) in &reached {
                    if groups.contains(group) {
                        routes.insert((principal.clone(), "rbac_binding"));
                    }
                }
            }
        }
    }
    routes.into_iter().collect()
}

/// Whether the log window holds the life's CreateCluster.
fn creation_is_logged(life: &Life, window_start: Time) -> bool {
    life.created >= window_start
}

pub(crate) fn admins(world: &World, window_start: Time) -> Admins {
    let mut truth = Admins::new();
    for (index, lives) in &world.lives {
        let name = &world.names[*index];
        for life in lives {
            let key = |p: &str| {
                (
                    name.account.clone(),
                    name.region.clone(),
                    name.name.clone(),
                    life.number,
                    p.to_owned(),
                )
            };
            let standing: BTreeSet<(String, &str)> = standing_routes(world, life).into_iter().collect();
            let ended = life.deleted.is_some();
            let logged = creation_is_logged(life, window_start);
            for (principal, route) in &life.ever {
                if *route == "creator" && !logged {
                    continue;
                }
                let active = !ended && standing.contains(&(principal.clone(), *route));
                truth
                    .entry(key(principal))
                    .or_default()
                    .insert(route, if active { "active" } else { "revoked" });
            }
            for principal in &life.masters_used {
                if truth.get(&key(principal)).is_none() {
                    truth
                        .entry(key(principal))
                        .or_default()
                        .insert("observed", if ended { "revoked" } else { "unproven" });
                }
            }
        }
    }
    truth
}

pub(crate) fn creators(world: &World, window_start: Time) -> Creators {
    let admins = admins(world, window_start);
    let mut truth = Creators::new();
    for (index, lives) in &world.lives {
        let name = &world.names[*index];
        for life in lives.iter().filter(|l| creation_is_logged(l, window_start)) {
            let p = life.creator;
            let died_after = world.deleted_at[p].is_some_and(|t| t >= life.created);
            let reborn = died_after && world.recreated_at[p].is_some();
            let state = if reborn {
                "recreated"
            } else if died_after {
                "deleted"
            } else {
                "present_or_unknown"
            };
            let principal = world.principals[p].canonical();
            let others = admins.iter().any(|((a, r, n, i, who), routes)| {
                (a, r, n, *i) == (&name.account, &name.region, &name.name, life.number)
                    && *who != principal
                    && routes.values().any(|s| *s == "active")
            });
            // A re-created creator gets in by its ARN, unless its power rests on an access entry.
            let lost = died_after && (!reborn || !life.hidden_creator);
            let recovery_needed = lost && !others && life.deleted.is_none();
            let at = (
                name.account.clone(),
                name.region.clone(),
                name.name.clone(),
                life.number,
            );
            truth.insert(
                at,
                CreatorTruth {
                    principal,
                    state,
                    recovery_needed,
                    mode: life.mode.text(),
                },
            );
        }
    }
    truth
}

/// Whether RBAC or a policy lets a login do what it asks.
pub(crate) fn allows(life: &Life, login: &Login, subjects: &[Subject], ask: &super::world::Ask) -> bool {
    if login.groups.iter().any(|g| g == MASTERS) {
        return true;
    }
    let by_policy = login.policies.iter().any(|(policy, namespaces)| {
        let in_scope = namespaces.is_empty() || ask.namespace.is_some_and(|n| namespaces.iter().any(|x| covers(x, n)));
        in_scope && (policy == CLUSTER_ADMIN_POLICY || role_allows("view", ask))
    });
    by_policy
        || life.bindings.iter().any(|((_, namespace), (role, subject))| {
            (namespace.is_none() || namespace.as_deref() == ask.namespace)
                && subjects.contains(subject)
                && role_allows(role, ask)
        })
}

/// A namespace of an access scope, which may end in `*`.
fn covers(pattern: &str, namespace: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => namespace.starts_with(head),
        None => pattern == namespace,
    }
}

fn reads(verb: &str) -> bool {
    matches!(verb, "get" | "list" | "watch")
}

/// The roles of this company: cluster-admin and view of Kubernetes, and `pod-getter` (get pods).
fn role_allows(role: &str, ask: &super::world::Ask) -> bool {
    match role {
        "cluster-admin" => true,
        "view" => {
            reads(ask.verb) && (matches!(ask.resource, "pods" | "configmaps" | "services") || ask.api_group == "apps")
        }
        "pod-getter" => ask.verb == "get" && ask.resource == "pods",
        _ => false,
    }
}

pub(crate) fn subjects_of(username: &str, groups: &[String]) -> Vec<Subject> {
    let mut subjects = vec![Subject::User(username.to_owned())];
    subjects.extend(groups.iter().cloned().map(Subject::Group));
    subjects
}

/// Why a login is refused: the words of the denial taxonomy.
fn authn_reason(world: &World, life: &Life, by: usize) -> &'static str {
    let principal = &world.principals[by];
    if life.mode != Mode::ConfigMap && life.entries.iter().any(|e| e.principal == by) {
        return "authn.access-entry.stale-id";
    }
    let known = life.aws_auth_logged;
    let mine = |m: &&Mapping| m.arn.eq_ignore_ascii_case(&principal.matching());
    if life.mode == Mode::Api {
        // What does not parse would not be read in any mode.
        let parses = |m: &Mapping| m.in_users || !life.broken_roles;
        let ignored = known && life.aws_auth.iter().flatten().any(|m| mine(&m) && parses(m));
        return if ignored {
            "authn.aws-auth.ignored"
        } else {
            "authn.not-mapped"
        };
    }
    if !known {
        return "authn.not-mapped";
    }
    let Some(mappings) = &life.aws_auth else {
        return "authn.aws-auth.missing";
    };
    if life.broken_roles && mappings.iter().any(|m| !m.in_users && mine(&m)) {
        return "authn.aws-auth.malformed";
    }
    let tail = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
    for m in mappings {
        let resource = m.arn.splitn(6, ':').nth(5).unwrap_or_default();
        let same_account = m.arn.split(':').nth(4) == Some(principal.account.as_str());
        if same_account && tail(&m.arn) == principal.name && resource.starts_with("role/aws-reserved/") {
            return "authn.near-miss.sso-path";
        }
        if same_account
            && tail(&m.arn) == principal.name
            && resource.starts_with("role/")
            && resource.matches('/').count() > 1
        {
            return "authn.near-miss.role-path";
        }
        if same_account && tail(&m.arn) == principal.name && resource.starts_with("user/") && principal.path != "/" {
            return "authn.near-miss.user-path";
        }
        if same_account
            && resource.starts_with("assumed-role/")
            && resource.split('/').nth(1) == Some(principal.name.as_str())
        {
            return "authn.near-miss.assumed-role-arn";
        }
        if !same_account && m.arn.splitn(6, ':').nth(5) == principal.matching().splitn(6, ':').nth(5) {
            return "authn.near-miss.wrong-account";
        }
        if m.arn.ends_with('*') && principal.matching().starts_with(m.arn.trim_end_matches('*')) {
            return "authn.near-miss.wildcard";
        }
    }
    "authn.not-mapped"
}

/// Why a request is refused after login.
fn authz_reason(life: &Life, login: &Login, subjects: &[Subject], ask: &super::world::Ask) -> &'static str {
    let bound: Vec<(&Option<String>, &str)> = life
        .bindings
        .iter()
        .filter(|(_, (_, s))| subjects.contains(s))
        .map(|((_, ns), (role, _))| (ns, role.as_str()))
        .collect();
    if login.policies.values().any(|ns| !ns.is_empty()) && role_allows("view", ask) {
        return "authz.access-policy.scope";
    }
    if bound.iter().any(|(_, role)| role_allows(role, ask)) {
        return "authz.rbac.wrong-namespace";
    }
    let here: Vec<&str> = bound
        .iter()
        .filter(|(ns, _)| ns.is_none() || ns.as_deref() == ask.namespace)
        .map(|(_, r)| *r)
        .collect();
    let other_verb = |role: &&str| {
        ["get", "list", "delete"]
            .iter()
            .any(|v| role_allows(role, &super::world::Ask { verb: v, ..ask.clone() }))
    };
    if here.iter().any(other_verb) {
        return "authz.rbac.missing-verb";
    }
    if !here.is_empty() {
        return "authz.rbac.missing-resource";
    }
    if !login.policies.is_empty() {
        return "authz.access-policy.insufficient";
    }
    if !login.groups.is_empty() {
        return "authz.rbac.group-unbound";
    }
    if login.by == "entry" {
        "authz.access-policy.missing"
    } else {
        "authz.rbac.no-binding"
    }
}

/// Every refused call of the plan up to `until`, as far as a log tells of it.
pub(crate) fn denials(start: &World, plan: &[(Time, Op)], window_start: Time, until: Time) -> Denials {
    let mut truth = Denials::new();
    for (at, op) in plan.iter().filter(|(at, _)| *at >= window_start && *at <= until) {
        let world = World::replay(start, plan, *at);
        let name = |c: usize| world.names[c].name.clone();
        let (cluster, principal, reason) = match op {
            Op::Request {
                cluster,
                by,
                session,
                ask,
            } => {
                let Some(life) = world.life(*cluster) else { continue };
                let principal = world.principals[*by].canonical();
                match world.login(*cluster, *by, session) {
                    None => (name(*cluster), principal, authn_reason(&world, life, *by)),
                    Some(login) => {
                        let subjects = subjects_of(&login.username, &login.groups);
                        if allows(life, &login, &subjects, ask) {
                            continue;
                        }
                        (name(*cluster), principal, authz_reason(life, &login, &subjects, ask))
                    }
                }
            }
            Op::WorkloadRequest {
                cluster,
                namespace,
                name: account,
                ask,
            } => {
                let Some(life) = world.life(*cluster) else { continue };
                let subjects = [Subject::ServiceAccount((*namespace).into(), (*account).into())];
                let login = Login {
                    username: String::new(),
                    groups: Vec::new(),
                    policies: BTreeMap::new(),
                    by: "workload",
                };
                if allows(life, &login, &subjects, ask) {
                    continue;
                }
                let is_looked_at = |look: &Time| {
                    let then = World::replay(start, plan, *look);
                    then.life(*cluster).is_some_and(|other| other.number == life.number)
                };
                let complete = creation_is_logged(life, window_start) || start.looks.iter().any(is_looked_at);
                let reason = if complete {
                    authz_reason(life, &login, &subjects, ask)
                } else {
                    "authz.serviceaccount"
                };
                (name(*cluster), format!("ServiceAccount:{namespace}/{account}"), reason)
            }
            Op::AnonymousRequest { cluster, .. } if world.life(*cluster).is_some() => {
                (name(*cluster), "User:system:anonymous".to_owned(), "authz.anonymous")
            }
            Op::Admission {
                cluster,
                by,
                session,
                reason,
                ..
            } if world.login(*cluster, *by, session).is_some() => {
                (name(*cluster), world.principals[*by].canonical(), *reason)
            }
            Op::BadToken { cluster, reason } if world.life(*cluster).is_some() => {
                (name(*cluster), String::new(), *reason)
            }
            Op::AwsRefusal {
                by, cluster, reason, ..
            } => (
                cluster.map(name).unwrap_or_default(),
                world.principals[*by].canonical(),
                *reason,
            ),
            _ => continue,
        };
        *truth.entry((cluster, principal, reason.to_owned())).or_default() += 1;
    }
    truth
}
