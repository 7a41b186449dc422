//! Answers beside the truth: every difference in words.

use std::collections::BTreeMap;

use serde_json::Value;

use super::truth::{Admins, Creators, Denials};

pub(crate) fn text(v: &Value) -> String {
    v.as_str().unwrap_or_default().to_owned()
}

fn admins_said(findings: &[Value]) -> BTreeMap<(String, String, String, u32, String), BTreeMap<String, String>> {
    let mut said = BTreeMap::new();
    for f in findings {
        let c = &f["cluster"];
        let incarnation = f["incarnation"].as_u64().unwrap_or(0) as u32;
        let key = (
            text(&c["account"]),
            text(&c["region"]),
            text(&c["name"]),
            incarnation,
            text(&f["principal"]),
        );
        let routes = f["routes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| (text(&r["route"]), text(&r["status"])))
            .collect();
        said.insert(key, routes);
    }
    said
}

pub(crate) fn compare_admins(truth: &Admins, findings: &[Value]) -> Vec<String> {
    let said = admins_said(findings);
    let truth: BTreeMap<_, BTreeMap<String, String>> = truth
        .iter()
        .map(|(k, v)| {
            (
                k.clone(),
                v.iter().map(|(r, s)| ((*r).to_owned(), (*s).to_owned())).collect(),
            )
        })
        .collect();
    differences("admins", &truth, &said)
}

pub(crate) fn compare_creators(truth: &Creators, findings: &[Value]) -> Vec<String> {
    let mut said = BTreeMap::new();
    for f in findings.iter().filter(|f| f["basis"] == "create_cluster_event") {
        let c = &f["cluster"];
        let key = (
            text(&c["account"]),
            text(&c["region"]),
            text(&c["name"]),
            f["incarnation"].as_u64().unwrap_or(0) as u32,
        );
        let state = match f["creator_state"].as_str() {
            Some("present" | "unknown") => "present_or_unknown".to_owned(),
            other => other.unwrap_or_default().to_owned(),
        };
        said.insert(
            key,
            (
                text(&f["creator"]["principal"]),
                state,
                f["recovery"]["needed"].as_bool().unwrap_or(false),
                text(&f["authentication_mode"]),
            ),
        );
    }
    let truth: BTreeMap<_, _> = truth
        .iter()
        .map(|(k, t)| {
            (
                k.clone(),
                (
                    t.principal.clone(),
                    t.state.to_owned(),
                    t.recovery_needed,
                    t.mode.to_owned(),
                ),
            )
        })
        .collect();
    differences("creators", &truth, &said)
}

pub(crate) fn compare_denials(truth: &Denials, findings: &[Value]) -> Vec<String> {
    let mut said: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for f in findings {
        let key = (text(&f["cluster"]["name"]), text(&f["principal"]), text(&f["reason"]));
        *said.entry(key).or_default() += f["count"].as_u64().unwrap_or(0);
    }
    differences("denials", truth, &said)
}

fn differences<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    what: &str,
    truth: &BTreeMap<K, V>,
    said: &BTreeMap<K, V>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (k, v) in truth {
        match said.get(k) {
            None => lines.push(format!("{what}: missed {k:?}: {v:?}")),
            Some(s) if s != v => lines.push(format!("{what}: {k:?} is {v:?}, said {s:?}")),
            Some(_) => {}
        }
    }
    lines.extend(
        said.iter()
            .filter(|(k, _)| !truth.contains_key(*k))
            .map(|(k, v)| format!("{what}: invented {k:?}: {v:?}")),
    );
    lines
}
