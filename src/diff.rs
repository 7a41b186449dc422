//! What two reports say differently, told as events: who gained or lost admin power, what was created or deleted, what is refused anew.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// What a change can be.
pub(crate) const KINDS: [&str; 11] = [
    "new-admin",
    "lost-admin",
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
    pub(crate) cluster: Value,
    /// Principal, or what a check is about.
    pub(crate) subject: String,
    pub(crate) was: Option<String>,
    pub(crate) is: Option<String>,
}

impl Change {
    pub(crate) const COLUMNS: &'static [&'static str] = &["CHANGE", "CLUSTER", "WHO", "WAS", "IS"];

    pub(crate) fn row(&self) -> Vec<String> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            self.kind.to_owned(),
            self.cluster["name"].as_str().unwrap_or("-").to_owned(),
            self.subject.clone(),
            or_none(&self.was),
            or_none(&self.is),
        ]
    }
}

/// The changes from one report to a later one, in the order admins, creators, denials, checks.
pub(crate) fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut found = admins(old, new);
    found.extend(creators(old, new));
    found.extend(denials(old, new));
    found.extend(checks(old, new));
    found
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or("-")
}

type Keyed<'v> = BTreeMap<(String, String), &'v Value>;

/// The findings of a list, by cluster and what tells them apart within it.
fn keyed<'v>(report: &'v Value, list: &str, key: impl Fn(&'v Value) -> String) -> Keyed<'v> {
    let place = |finding: &Value| {
        let cluster = &finding["cluster"];
        format!(
            "{}/{}/{}",
            text(cluster, "account"),
            text(cluster, "region"),
            text(cluster, "name")
        )
    };
    let findings = report[list].as_array().map(Vec::as_slice).unwrap_or_default();
    findings
        .iter()
        .map(|finding| ((place(finding), key(finding)), finding))
        .collect()
}

/// Pairs what both reports know; what only one knows stands alone.
fn pairs<'v>(old: &Keyed<'v>, new: &Keyed<'v>) -> Vec<(Option<&'v Value>, Option<&'v Value>)> {
    let mut keys: Vec<_> = old.keys().chain(new.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .map(|key| (old.get(key).copied(), new.get(key).copied()))
        .collect()
}

fn change(kind: &'static str, finding: &Value, subject: &str, was: Option<String>, is: Option<String>) -> Change {
    Change {
        kind,
        cluster: finding["cluster"].clone(),
        subject: subject.to_owned(),
        was,
        is,
    }
}

fn admins(old: &Value, new: &Value) -> Vec<Change> {
    let key = |admin: &Value| format!("{} {}", admin["incarnation"], text(admin, "principal"));
    let routes = |admin: &Value| {
        let all = admin["routes"].as_array().cloned().unwrap_or_default();
        let mut active: Vec<String> = all
            .iter()
            .filter(|route| route["status"] == "active")
            .map(|route| text(route, "route").to_owned())
            .collect();
        active.sort_unstable();
        active.dedup();
        active.join(", ")
    };
    let mut found = Vec::new();
    for (was, is) in pairs(&keyed(old, "admins", key), &keyed(new, "admins", key)) {
        let is_active = |admin: Option<&Value>| admin.is_some_and(|admin| admin["status"] == "active");
        let Some(admin) = is.or(was) else { continue };
        let told = |admin: Option<&Value>| {
            admin.map(|admin| match routes(admin) {
                none if none.is_empty() => text(admin, "status").to_owned(),
                routes => routes,
            })
        };
        let kind = match (is_active(was), is_active(is)) {
            (false, true) => "new-admin",
            (true, false) => "lost-admin",
            (true, true) if told(was) != told(is) => "changed-routes",
            _ => continue,
        };
        found.push(change(kind, admin, text(admin, "principal"), told(was), told(is)));
    }
    found
}

fn creators(old: &Value, new: &Value) -> Vec<Change> {
    let key = |creator: &Value| creator["incarnation"].to_string();
    let mut found = Vec::new();
    for (was, is) in pairs(&keyed(old, "creators", key), &keyed(new, "creators", key)) {
        let Some(creator) = is else { continue };
        let who = text(&creator["creator"], "principal");
        let Some(was) = was else {
            found.push(change(
                "new-cluster",
                creator,
                who,
                None,
                Some(text(&creator["cluster"], "created_at").to_owned()),
            ));
            continue;
        };
        if was["cluster"]["deleted_at"].is_null() && !creator["cluster"]["deleted_at"].is_null() {
            let when = text(&creator["cluster"], "deleted_at").to_owned();
            found.push(change("cluster-deleted", creator, who, None, Some(when)));
        }
        let states = (text(was, "creator_state"), text(creator, "creator_state"));
        let kind = match states {
            (a, b) if a == b => continue,
            (_, "deleted") => "creator-deleted",
            (_, "recreated") => "creator-recreated",
            _ => continue,
        };
        found.push(change(
            kind,
            creator,
            who,
            Some(states.0.to_owned()),
            Some(states.1.to_owned()),
        ));
    }
    found
}

fn denials(old: &Value, new: &Value) -> Vec<Change> {
    let key = |denial: &Value| {
        format!(
            "{} {} {}",
            text(denial, "principal"),
            text(denial, "reason"),
            denial["request"]
        )
    };
    let mut found = Vec::new();
    for (was, is) in pairs(&keyed(old, "denials", key), &keyed(new, "denials", key)) {
        let Some(denial) = is else { continue };
        let count = |denial: &Value| denial["count"].as_u64().unwrap_or(0);
        let told = |denial: &Value| format!("{} ({})", text(denial, "reason"), count(denial));
        let is_resolved = |denial: &Value| denial["resolved"] == true;
        let kind = match was {
            Some(was) if !is_resolved(was) && is_resolved(denial) => "resolved-denial",
            Some(was) if count(denial) > count(was) => "new-denial",
            None => "new-denial",
            _ => continue,
        };
        let who = denial["principal"]
            .as_str()
            .or(denial["kubernetes_username"].as_str())
            .unwrap_or("unknown");
        found.push(change(kind, denial, who, was.map(told), Some(told(denial))));
    }
    found
}

fn checks(old: &Value, new: &Value) -> Vec<Change> {
    let key = |check: &Value| format!("{} {}", text(check, "rule"), text(check, "subject"));
    let mut found = Vec::new();
    for (was, is) in pairs(&keyed(old, "checks", key), &keyed(new, "checks", key)) {
        let told = |check: &Value| format!("{}: {}", text(check, "severity"), text(check, "rule"));
        match (was, is) {
            (None, Some(check)) => found.push(change(
                "new-check",
                check,
                text(check, "subject"),
                None,
                Some(told(check)),
            )),
            (Some(check), None) => found.push(change(
                "fixed-check",
                check,
                text(check, "subject"),
                Some(told(check)),
                None,
            )),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        let creator = |state: &str| json!({"cluster": cluster, "incarnation": 1, "creator": {"principal": "c"}, "creator_state": state});
        let denial = |count: u64, resolved: bool| json!({"cluster": cluster, "principal": "d", "reason": "authn.not-mapped", "request": {}, "count": count, "resolved": resolved});
        let old = json!({
            "admins": [admin("a", "active", &["creator"]), admin("b", "active", &["aws_auth"]), admin("e", "unproven", &[])],
            "creators": [creator("present")], "denials": [denial(2, false)], "checks": [{"cluster": cluster, "rule": "x", "subject": "s", "severity": "high"}],
        });
        let new = json!({
            "admins": [admin("a", "active", &["creator", "aws_auth"]), admin("b", "revoked", &[]), admin("c", "active", &["access_policy"]), admin("e", "unproven", &[])],
            "creators": [creator("deleted")], "denials": [denial(3, true)], "checks": [],
        });
        let kinds = |old: &Value, new: &Value| changes(old, new).iter().map(|change| change.kind).collect::<Vec<_>>();
        assert_eq!(
            kinds(&old, &new),
            [
                "changed-routes",
                "lost-admin",
                "new-admin",
                "creator-deleted",
                "resolved-denial",
                "fixed-check"
            ]
        );
        assert!(kinds(&old, &old).is_empty());
    }
}
