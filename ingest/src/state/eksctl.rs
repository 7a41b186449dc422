//! Lists of eksctl: `get accessentry` and `get iamidentitymapping`, as `-o json` or `-o yaml` prints them. They name no cluster.
//!
//! Both print everything unless one ARN was asked for, and then look alike. So a list of two ARNs or more is complete, and one
//! mapping alone is no aws-auth: it is refused with the command that shows all of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{LIST, Seen, State, complete_list, text};
use crate::place::Place;

const ONE_MAPPING: &str =
    "one identity mapping may not be all of aws-auth: run kubectl get configmap aws-auth -n kube-system -o yaml";

/// Whether these are the fields of a member of a list of eksctl.
pub(crate) fn is_list(has: impl Fn(&str) -> bool) -> bool {
    has("principalARN") || has("rolearn") || has("userarn") || (has("account") && !has("id") && !has("time"))
}

/// Reads a list.
pub(super) fn read(items: &[Value]) -> Option<Result<State, String>> {
    items.first()?;
    if items.iter().all(|item| text(item, "principalARN").is_some()) {
        return Some(Ok(entries(items)));
    }
    let arn_of = |item: &Value| {
        ["rolearn", "userarn", "account"]
            .iter()
            .find_map(|key| text(item, key).map(str::to_owned))
    };
    let arns: BTreeSet<String> = items.iter().map(arn_of).collect::<Option<_>>()?;
    Some(if arns.len() < 2 {
        Err(ONE_MAPPING.to_owned())
    } else {
        Ok(mappings(items))
    })
}

fn entries(items: &[Value]) -> State {
    let mut state = State::default();
    let mut seen = |kind, name: &str, body| {
        state.seen.push(Seen::of_cluster(kind, name, body, Place::default()));
    };
    let mut arns = BTreeSet::new();
    for item in items {
        let Some(arn) = text(item, "principalARN") else {
            continue;
        };
        arns.insert(arn);
        let mut entry = json!({"principalArn": arn, "kubernetesGroups": list_of(item, "kubernetesGroups")});
        for (own, theirs) in [("username", "kubernetesUsername"), ("type", "type")] {
            if let Some(value) = text(item, theirs) {
                entry[own] = value.into();
            }
        }
        seen("access_entry", arn, entry);
        let policies: Vec<Value> = list_of(item, "accessPolicies")
            .iter()
            .map(|policy| {
                let scope = &policy["accessScope"];
                json!({
                    "policyArn": policy["policyARN"],
                    "accessScope": {"type": scope["type"], "namespaces": list_of(scope, "namespaces")},
                })
            })
            .collect();
        let names: Vec<&str> = policies.iter().filter_map(|policy| text(policy, "policyArn")).collect();
        let all = complete_list(&names, json!({"of": "access_policy_association", "principalArn": arn}));
        seen(
            "access_policy_association",
            arn,
            json!({"principalArn": arn, "associatedAccessPolicies": policies}),
        );
        seen(LIST, &format!("access_policy_associations:{arn}"), all);
    }
    if arns.len() > 1 {
        let names: Vec<&str> = arns.into_iter().collect();
        seen(
            LIST,
            "access_entries",
            complete_list(&names, json!({"of": "access_entry"})),
        );
    }
    state
}

/// aws-auth as it must be to show these mappings.
fn mappings(items: &[Value]) -> State {
    let with = |key: &str| -> Vec<&Value> { items.iter().filter(|item| text(item, key).is_some()).collect() };
    let mut data = serde_json::Map::new();
    for (section, key) in [("mapRoles", "rolearn"), ("mapUsers", "userarn")] {
        let entries = with(key);
        if !entries.is_empty() {
            data.insert(section.to_owned(), json!(entries).to_string().into());
        }
    }
    let accounts: Vec<&str> = with("account")
        .into_iter()
        .filter_map(|item| text(item, "account"))
        .collect();
    if !accounts.is_empty() {
        data.insert("mapAccounts".to_owned(), json!(accounts).to_string().into());
    }
    let body = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "aws-auth", "namespace": "kube-system"},
        "data": data,
    });
    State {
        seen: vec![Seen::of_cluster("config_map", "aws-auth", body, Place::default())],
        others: 0,
    }
}

fn list_of<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
