//! What two reports say differently, told as events: who gained or lost admin power, what was created or deleted, what is refused anew.

use std::collections::BTreeMap;
use std::io::Read;

use eksplain_analyze::words::{Power, PrincipalState, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::report::{Report, Selection};
use crate::view::fingerprint::{Fingerprint, Parts};
use crate::view::{Cluster, cluster_words};

/// What a change can be.
pub(crate) const KINDS: [&str; 12] = [
    "new-admin",
    "lost-admin",
    "unproven-admin",
    "changed-routes",
    "new-cluster",
    "cluster-deleted",
    "creator-deleted",
    "creator-recreated",
    "new-denial",
    "resolved-denial",
    "new-check",
    "fixed-check",
];

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// One of [`KINDS`].
    pub(crate) kind: &'static str,
    pub(crate) cluster: Option<Cluster>,
    /// Principal, or what a check is about.
    pub(crate) subject: String,
    pub(crate) was: Option<String>,
    pub(crate) is: Option<String>,
    pub(crate) fingerprint: Fingerprint,
}

impl Change {
    pub(crate) const COLUMNS: &'static [&'static str] = &["CHANGE", "CLUSTER", "WHO", "WAS", "IS"];

    pub(crate) const FIELDS: &'static [&'static str] = &[
        "kind",
        "account",
        "region",
        "cluster",
        "subject",
        "was",
        "is",
        "fingerprint",
    ];

    /// The fields as cells of CSV.
    pub(crate) fn cells(&self) -> Vec<Value> {
        let cluster = self.cluster.as_ref();
        vec![
            json!(self.kind),
            json!(cluster.and_then(|cluster| cluster.account.as_ref())),
            json!(cluster.and_then(|cluster| cluster.region.as_ref())),
            json!(cluster.map(|cluster| &cluster.name)),
            json!(self.subject),
            json!(self.was),
            json!(self.is),
            json!(self.fingerprint),
        ]
    }

    pub(crate) fn row(&self) -> Vec<String> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            self.kind.to_owned(),
            or_none(&self.cluster.as_ref().map(cluster_words)),
            self.subject.clone(),
            or_none(&self.was),
            or_none(&self.is),
        ]
    }
}

/// What is compared of a report: a small part of it, so that a report of any size is read in little memory. Words are text here: a
/// report of another version may hold some that this one does not know.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Brief {
    schema: String,
    /// The moment that the report speaks of.
    pub(crate) at: String,
    pub(crate) selection: Selection,
    #[serde(default)]
    admins: Vec<Admin>,
    #[serde(default)]
    creators: Vec<Creator>,
    #[serde(default)]
    denials: Vec<Denial>,
    #[serde(default)]
    checks: Vec<Check>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Admin {
    cluster: Cluster,
    incarnation: u32,
    principal: String,
    status: String,
    /// Reports of before this field held admins and others alike.
    #[serde(default = "admin_power")]
    power: String,
    routes: Vec<Route>,
    #[serde(default)]
    accepted: Option<Accepted>,
}

/// Somebody knows of the finding: what is new of it is no alarm.
#[derive(Debug, Serialize, Deserialize)]
struct Accepted {}

fn admin_power() -> String {
    Power::Admin.id().to_owned()
}

#[derive(Debug, Serialize, Deserialize)]
struct Route {
    route: String,
    status: String,
    #[serde(default)]
    valid_from: Option<String>,
    #[serde(default)]
    as_of: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Creator {
    cluster: CreatedCluster,
    incarnation: u32,
    creator: Identity,
    creator_state: String,
    #[serde(default)]
    accepted: Option<Accepted>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CreatedCluster {
    #[serde(flatten)]
    cluster: Cluster,
    created_at: Option<String>,
    deleted_at: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Identity {
    principal: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Denial {
    cluster: Option<Cluster>,
    principal: Option<String>,
    kubernetes_username: Option<String>,
    reason: String,
    request: Request,
    count: u64,
    resolved: bool,
    #[serde(default)]
    accepted: Option<Accepted>,
}

/// The shape of a request: its object's name tells no findings apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Request {
    verb: Option<String>,
    api_group: Option<String>,
    resource: Option<String>,
    subresource: Option<String>,
    namespace: Option<String>,
    non_resource_url: Option<String>,
    aws_action: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Check {
    cluster: Option<Cluster>,
    rule: String,
    subject: String,
    severity: String,
    #[serde(default)]
    accepted: Option<Accepted>,
}

impl Brief {
    /// Reads a `report.json`.
    pub(crate) fn read(from: impl Read) -> Result<Self, String> {
        let brief: Self = serde_json::from_reader(from)
            .map_err(|error| format!("it is not a report of this version of eksplain ({error})"))?;
        if brief.schema != crate::report::SCHEMA {
            return Err(format!("it is not a valid {}", crate::report::SCHEMA));
        }
        Ok(brief)
    }

    /// Keeps what is about such clusters; `None` is what belongs to none.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(Option<&Cluster>) -> bool) {
        self.admins.retain(|admin| is_kept(Some(&admin.cluster)));
        self.creators.retain(|creator| is_kept(Some(&creator.cluster.cluster)));
        self.denials.retain(|denial| is_kept(denial.cluster.as_ref()));
        self.checks.retain(|check| is_kept(check.cluster.as_ref()));
    }

    /// Names of the clusters that findings are about.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let admins = self.admins.iter().map(|admin| &admin.cluster);
        let creators = self.creators.iter().map(|creator| &creator.cluster.cluster);
        let denials = self.denials.iter().filter_map(|denial| denial.cluster.as_ref());
        let checks = self.checks.iter().filter_map(|check| check.cluster.as_ref());
        let all = admins.chain(creators).chain(denials).chain(checks);
        all.map(|cluster| cluster.name.as_str())
    }

    pub(crate) fn of(report: &Report) -> Self {
        Self {
            schema: report.schema.to_owned(),
            at: report.at.clone(),
            selection: report.selection.clone(),
            admins: report.admins.iter().map(Admin::of).collect(),
            creators: report.creators.iter().map(Creator::of).collect(),
            denials: report.denials.iter().map(Denial::of).collect(),
            checks: report.checks.iter().map(Check::of).collect(),
        }
    }
}

impl Admin {
    fn of(admin: &crate::view::admins::Admin) -> Self {
        let route = |route: &crate::view::admins::Route| Route {
            route: route.route.to_string(),
            status: route.status.to_string(),
            valid_from: route.valid_from.clone(),
            as_of: route.as_of.clone(),
        };
        Self {
            cluster: admin.cluster.clone(),
            incarnation: admin.incarnation,
            principal: admin.principal.clone(),
            status: admin.status.to_string(),
            power: admin.power.to_string(),
            routes: admin.routes.iter().map(route).collect(),
            accepted: admin.accepted.as_ref().map(|_| Accepted {}),
        }
    }

    /// The routes by which it is admin, or why it is none.
    fn told(&self) -> String {
        let mut active: Vec<&str> = self
            .routes
            .iter()
            .filter(|route| route.status == Status::Active.id())
            .map(|route| route.route.as_str())
            .collect();
        active.sort_unstable();
        active.dedup();
        if active.is_empty() {
            self.status.clone()
        } else {
            active.join(", ")
        }
    }
}

impl Creator {
    fn of(creator: &crate::view::creators::Creator) -> Self {
        Self {
            cluster: CreatedCluster {
                cluster: creator.cluster.cluster.clone(),
                created_at: creator.cluster.created_at.clone(),
                deleted_at: creator.cluster.deleted_at.clone(),
            },
            incarnation: creator.incarnation,
            creator: Identity {
                principal: creator.creator.principal.clone(),
            },
            creator_state: creator.creator_state.to_string(),
            accepted: creator.accepted.as_ref().map(|_| Accepted {}),
        }
    }
}

impl Denial {
    fn of(denial: &crate::view::denials::Denial) -> Self {
        let request = &denial.request;
        Self {
            cluster: denial.cluster.clone(),
            principal: denial.principal.clone(),
            kubernetes_username: denial.kubernetes_username.clone(),
            reason: denial.reason.to_string(),
            request: Request {
                verb: request.verb.clone(),
                api_group: request.api_group.clone(),
                resource: request.resource.clone(),
                subresource: request.subresource.clone(),
                namespace: request.namespace.clone(),
                non_resource_url: request.non_resource_url.clone(),
                aws_action: request.aws_action.clone(),
            },
            count: denial.count,
            resolved: denial.resolved,
            accepted: denial.accepted.as_ref().map(|_| Accepted {}),
        }
    }

    fn told(&self) -> String {
        format!("{} ({})", self.reason, self.count)
    }
}

impl Check {
    fn of(check: &crate::view::checks::CheckFinding) -> Self {
        Self {
            cluster: check.cluster.clone(),
            rule: check.rule.to_string(),
            subject: check.subject.clone(),
            severity: check.severity.to_string(),
            accepted: check.accepted.as_ref().map(|_| Accepted {}),
        }
    }

    fn told(&self) -> String {
        format!("{}: {}", self.severity, self.rule)
    }
}

/// The changes from one report to a later one, in the order admins, creators, denials, checks.
pub(crate) fn changes(old: &Brief, new: &Brief) -> Vec<Change> {
    let mut found = Vec::new();
    let keyed = |admin: &Admin| (admin.cluster.clone(), admin.incarnation, admin.principal.clone());
    found.extend(pairs(&old.admins, &new.admins, keyed).filter_map(|(was, is)| admin(was, is, &old.at)));
    let keyed = |creator: &Creator| (creator.cluster.cluster.clone(), creator.incarnation);
    found.extend(pairs(&old.creators, &new.creators, keyed).flat_map(|(was, is)| creator(was, is)));
    let keyed = |denial: &Denial| {
        (
            denial.cluster.clone(),
            denial.principal.clone(),
            denial.reason.clone(),
            denial.request.clone(),
        )
    };
    found.extend(pairs(&old.denials, &new.denials, keyed).filter_map(|(was, is)| denial(was, is)));
    let keyed = |check: &Check| (check.cluster.clone(), check.rule.clone(), check.subject.clone());
    found.extend(pairs(&old.checks, &new.checks, keyed).filter_map(|(was, is)| check(was, is)));
    found
}

/// Pairs what both reports know; what only one knows stands alone. Sorted by what tells findings apart.
fn pairs<'b, F, K: Ord>(
    old: &'b [F],
    new: &'b [F],
    key: impl Fn(&F) -> K,
) -> impl Iterator<Item = (Option<&'b F>, Option<&'b F>)> {
    let mut found: BTreeMap<K, (Option<&F>, Option<&F>)> = BTreeMap::new();
    for finding in old {
        found.entry(key(finding)).or_default().0 = Some(finding);
    }
    for finding in new {
        found.entry(key(finding)).or_default().1 = Some(finding);
    }
    found.into_values()
}

/// What became of a principal's power since a moment. A grant that is known to have been there at that moment is no new one, and one
/// that is only not proven any more is not lost: alarms are for what records prove.
fn admin(was: Option<&Admin>, is: Option<&Admin>, since: &str) -> Option<Change> {
    let has = |admin: Option<&Admin>, status: Status| admin.is_some_and(|admin| admin.status == status.id());
    let is_admin = |admin: Option<&Admin>| admin.is_some_and(|admin| admin.power == Power::Admin.id());
    let told = |admin: Option<&Admin>| admin.map(Admin::told);
    let began_since = |admin: &Admin| {
        let mut active = admin.routes.iter().filter(|route| route.status == Status::Active.id());
        active.any(|route| route.valid_from.as_deref().is_none_or(|from| from > since))
    };
    // Nobody is a new admin of a moment whose records are not there.
    let is_as_of = |admin: &Admin| {
        let mut active = admin.routes.iter().filter(|route| route.status == Status::Active.id());
        active.all(|route| route.as_of.is_some()) && !admin.routes.is_empty()
    };
    let kind = match (has(was, Status::Active), has(is, Status::Active)) {
        (false, true) if is.is_some_and(is_as_of) => "unproven-admin",
        (false, true) if !has(was, Status::Unproven) && is.is_some_and(began_since) => "new-admin",
        (false, true)
            if is.is_some_and(|admin| {
                admin
                    .routes
                    .iter()
                    .any(|route| route.valid_from.as_deref() > Some(since))
            }) =>
        {
            "new-admin"
        }
        (false, true) => "changed-routes",
        (true, false) if has(is, Status::Unproven) => "unproven-admin",
        (true, false) => "lost-admin",
        (false, false) if has(is, Status::Unproven) && !has(was, Status::Unproven) => "unproven-admin",
        (true, true) if !is_admin(was) && is_admin(is) => "new-admin",
        (true, true) if is_admin(was) && !is_admin(is) => "lost-admin",
        (true, true) if told(was) != told(is) => "changed-routes",
        _ => return None,
    };
    let admin = is.or(was)?;
    if admin.accepted.is_some() && kind != "lost-admin" {
        return None;
    }
    Some(Change {
        fingerprint: change_of(kind, Some(&admin.cluster), &admin.principal)
            .of_life(admin.incarnation)
            .fingerprint(),
        kind,
        cluster: Some(admin.cluster.clone()),
        subject: admin.principal.clone(),
        was: told(was),
        is: told(is),
    })
}

/// What a change is called for good begins with these.
fn change_of(kind: &str, cluster: Option<&Cluster>, subject: &str) -> Parts {
    Parts::of("diff")
        .in_cluster(cluster)
        .with(Some(kind))
        .with(Some(subject))
}

fn creator(was: Option<&Creator>, is: Option<&Creator>) -> Vec<Change> {
    let Some(creator) = is else { return Vec::new() };
    if creator.accepted.is_some() {
        return Vec::new();
    }
    let subject = creator
        .creator
        .principal
        .clone()
        .unwrap_or_else(|| "unknown".to_owned());
    let change = |kind, was: Option<&String>, is: Option<&String>| Change {
        kind,
        fingerprint: change_of(kind, Some(&creator.cluster.cluster), &subject)
            .of_life(creator.incarnation)
            .fingerprint(),
        cluster: Some(creator.cluster.cluster.clone()),
        subject: subject.clone(),
        was: was.cloned(),
        is: is.cloned(),
    };
    let mut found = Vec::new();
    if was.is_none() {
        found.push(change("new-cluster", None, creator.cluster.created_at.as_ref()));
    }
    if creator.cluster.deleted_at.is_some() && was.is_none_or(|was| was.cluster.deleted_at.is_none()) {
        found.push(change("cluster-deleted", None, creator.cluster.deleted_at.as_ref()));
    }
    let was = was.map(|was| &was.creator_state);
    let kind = match PrincipalState::from_id(&creator.creator_state) {
        _ if was == Some(&creator.creator_state) => return found,
        Some(PrincipalState::Deleted) => "creator-deleted",
        Some(PrincipalState::Recreated) => "creator-recreated",
        _ => return found,
    };
    found.push(change(kind, was, Some(&creator.creator_state)));
    found
}

fn denial(was: Option<&Denial>, is: Option<&Denial>) -> Option<Change> {
    let denial = is?;
    let kind = match was {
        Some(was) if !was.resolved && denial.resolved => "resolved-denial",
        Some(was) if denial.count > was.count => "new-denial",
        None => "new-denial",
        _ => return None,
    };
    if denial.accepted.is_some() && kind == "new-denial" {
        return None;
    }
    let who = denial.principal.as_ref().or(denial.kubernetes_username.as_ref());
    let who = who.map_or("unknown", String::as_str);
    let request = &denial.request;
    let shape = [
        &request.verb,
        &request.api_group,
        &request.resource,
        &request.subresource,
        &request.namespace,
        &request.non_resource_url,
        &request.aws_action,
    ];
    let parts = change_of(kind, denial.cluster.as_ref(), who).with(Some(&denial.reason));
    let parts = shape.into_iter().fold(parts, |parts, part| parts.with(part.as_deref()));
    Some(Change {
        kind,
        fingerprint: parts.fingerprint(),
        cluster: denial.cluster.clone(),
        subject: who.to_owned(),
        was: was.map(Denial::told),
        is: Some(denial.told()),
    })
}

fn check(was: Option<&Check>, is: Option<&Check>) -> Option<Change> {
    let kind = match (was, is) {
        (None, Some(_)) => "new-check",
        (Some(_), None) => "fixed-check",
        _ => return None,
    };
    let check = is.or(was)?;
    if check.accepted.is_some() && kind == "new-check" {
        return None;
    }
    Some(Change {
        kind,
        fingerprint: change_of(kind, check.cluster.as_ref(), &check.subject)
            .with(Some(&check.rule))
            .fingerprint(),
        cluster: check.cluster.clone(),
        subject: check.subject.clone(),
        was: was.map(Check::told),
        is: is.map(Check::told),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brief(lists: Value) -> Brief {
        let mut report = json!({"schema": "eksplain.report/1", "at": "2026-11-23T00:00:00Z", "selection": {"clusters": [], "scope": "access"}});
        report
            .as_object_mut()
            .unwrap()
            .extend(lists.as_object().unwrap().clone());
        Brief::read(report.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn changes_are_told_as_events() {
        let cluster = json!({"account": "1", "region": "r", "name": "prod"});
        let admin = |principal: &str, status: &str, routes: &[&str]| {
            let routes: Vec<_> = routes
                .iter()
                .map(|route| json!({"route": route, "status": "active"}))
                .collect();
            json!({"cluster": cluster, "incarnation": 1, "principal": principal, "status": status, "routes": routes})
        };
        let creator = |life: u32, state: &str| json!({"cluster": cluster, "incarnation": life, "creator": {"principal": "c"}, "creator_state": state});
        let denial = |count: u64, resolved: bool, name: &str| json!({"cluster": null, "principal": "d", "reason": "authn.not-mapped", "request": {"name": name}, "count": count, "resolved": resolved});
        let old = brief(json!({
            "admins": [admin("a", "active", &["creator"]), admin("b", "active", &["aws_auth"]), admin("e", "unproven", &[])],
            "creators": [creator(1, "present")], "denials": [denial(2, false, "x")], "checks": [{"cluster": cluster, "rule": "x", "subject": "s", "severity": "high"}],
        }));
        let new = brief(json!({
            "admins": [admin("a", "active", &["creator", "aws_auth"]), admin("b", "revoked", &[]), admin("c", "active", &["access_policy"]), admin("e", "unproven", &[])],
            "creators": [creator(1, "deleted"), creator(2, "deleted")], "denials": [denial(3, true, "y")], "checks": [],
        }));
        let with_power = |power: &str| {
            brief(
                json!({"admins": [{"cluster": cluster, "incarnation": 1, "principal": "p", "status": "active", "power": power, "routes": []}]}),
            )
        };
        let kinds = |old: &Brief, new: &Brief| changes(old, new).iter().map(|change| change.kind).collect::<Vec<_>>();
        assert_eq!(
            kinds(&old, &new),
            [
                "changed-routes",
                "lost-admin",
                "new-admin",
                "creator-deleted",
                "new-cluster",
                "creator-deleted",
                "resolved-denial",
                "fixed-check"
            ]
        );
        assert!(kinds(&old, &old).is_empty());
        assert_eq!(
            kinds(&with_power("can_become_admin"), &with_power("admin")),
            ["new-admin"]
        );
        assert_eq!(
            kinds(&with_power("admin"), &with_power("can_become_admin")),
            ["lost-admin"]
        );
        let status = |status: &str| brief(json!({"admins": [admin("x", status, &[])]}));
        assert_eq!(kinds(&status("active"), &status("unproven")), ["unproven-admin"]);
        assert_eq!(kinds(&brief(json!({})), &status("unproven")), ["unproven-admin"]);
    }

    #[test]
    fn what_is_no_report_is_refused() {
        for wrong in ["", "[]", "{}", r#"{"schema": "eksplain.admins/1", "at": ""}"#] {
            assert!(Brief::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
