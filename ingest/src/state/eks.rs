//! Answers of `aws eks`: clusters, access entries and their policies, in the shape that the API's snapshot has.
//!
//! A list of the API is complete where it has no `nextToken`.

use eksplain_parse::arn::Arn;
use eksplain_parse::time::parse_rfc3339;
use serde_json::{Value, json};

use super::{Belongs, LIST, Seen, State, complete_list, pick, text};
use crate::place::Place;

const CLUSTER: [&str; 12] = [
    "name",
    "arn",
    "createdAt",
    "version",
    "platformVersion",
    "status",
    "endpoint",
    "roleArn",
    "resourcesVpcConfig",
    "logging",
    "accessConfig",
    "tags",
];
const NETWORK: [&str; 3] = ["endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs"];
const ENTRY: [&str; 9] = [
    "clusterName",
    "principalArn",
    "kubernetesGroups",
    "accessEntryArn",
    "createdAt",
    "modifiedAt",
    "username",
    "type",
    "tags",
];
const POLICY: [&str; 4] = ["policyArn", "accessScope", "associatedAt", "modifiedAt"];

/// Reads an answer of the EKS API.
pub(super) fn read(document: &Value) -> Option<State> {
    let seen = if document["cluster"].is_object() {
        vec![cluster(&document["cluster"])?]
    } else if document["accessEntry"].is_object() {
        vec![entry(&document["accessEntry"])?]
    } else if let Some(arns) = texts(document, "accessEntries") {
        all(document, "access_entries", &arns, json!({"of": "access_entry"}))
    } else if document["associatedAccessPolicies"].is_array() {
        policies(document)?
    } else if let Some(names) = texts(document, "clusters") {
        let list = all(document, "clusters", &names, json!({"of": "cluster"}));
        let of_region = |seen| Seen {
            belongs: Belongs::Region,
            ..seen
        };
        list.into_iter().map(of_region).collect()
    } else {
        return None;
    };
    Some(State { seen, others: 0 })
}

/// The record that says that these are all, where they are.
fn all(document: &Value, name: &str, names: &[&str], scope: Value) -> Vec<Seen> {
    if text(document, "nextToken").is_some() || text(document, "NextToken").is_some() {
        return Vec::new();
    }
    vec![Seen::of_cluster(
        LIST,
        name,
        complete_list(names, scope),
        Place::default(),
    )]
}

fn cluster(cluster: &Value) -> Option<Seen> {
    let name = text(cluster, "name")?;
    let mut body = pick(cluster, &CLUSTER);
    if body["resourcesVpcConfig"].is_object() {
        body["resourcesVpcConfig"] = pick(&cluster["resourcesVpcConfig"], &NETWORK);
    }
    in_seconds(&mut body);
    let place = text(cluster, "arn").and_then(place_of).unwrap_or_else(|| Place {
        cluster: Some(name.to_owned()),
        ..Place::default()
    });
    Some(Seen::of_cluster("cluster", name, body, place))
}

fn entry(entry: &Value) -> Option<Seen> {
    let principal = text(entry, "principalArn")?;
    let mut body = pick(entry, &ENTRY);
    in_seconds(&mut body);
    let place = text(entry, "accessEntryArn")
        .and_then(place_of)
        .unwrap_or_else(|| named(entry));
    Some(Seen::of_cluster("access_entry", principal, body, place))
}

fn policies(document: &Value) -> Option<Vec<Seen>> {
    let principal = text(document, "principalArn")?;
    let policies: Vec<Value> = document["associatedAccessPolicies"]
        .as_array()?
        .iter()
        .map(|policy| {
            let mut policy = pick(policy, &POLICY);
            in_seconds(&mut policy);
            policy
        })
        .collect();
    let names: Vec<&str> = policies.iter().filter_map(|policy| text(policy, "policyArn")).collect();
    let list = all(
        document,
        &format!("access_policy_associations:{principal}"),
        &names,
        json!({"of": "access_policy_association", "principalArn": principal}),
    );
    let mut body = pick(document, &["clusterName", "principalArn"]);
    body["associatedAccessPolicies"] = policies.into();
    let mut seen = vec![Seen::of_cluster(
        "access_policy_association",
        principal,
        body,
        named(document),
    )];
    seen.extend(list.into_iter().map(|list| Seen {
        place: named(document),
        ..list
    }));
    Some(seen)
}

/// The place that an answer names by the cluster's name alone.
fn named(document: &Value) -> Place {
    Place {
        cluster: text(document, "clusterName").map(str::to_owned),
        ..Place::default()
    }
}

/// `arn:aws:eks:REGION:ACCOUNT:cluster/NAME` and `arn:aws:eks:REGION:ACCOUNT:access-entry/NAME/…`.
fn place_of(arn: &str) -> Option<Place> {
    let arn = Arn::parse(arn).ok()?;
    let mut steps = arn.resource.split('/');
    let is_known = arn.service == "eks" && matches!(steps.next()?, "cluster" | "access-entry");
    is_known.then_some(())?;
    let filled = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Some(Place {
        account: filled(arn.account),
        region: filled(arn.region),
        cluster: filled(steps.next()?),
        stream: None,
    })
}

fn texts<'v>(document: &'v Value, key: &str) -> Option<Vec<&'v str>> {
    document.get(key)?.as_array()?.iter().map(Value::as_str).collect()
}

/// Times as the API gives them: the AWS CLI writes them out (`2026-01-01T10:00:00+00:00`), unless asked for the wire's own.
fn in_seconds(object: &mut Value) {
    let Some(fields) = object.as_object_mut() else { return };
    for key in ["createdAt", "modifiedAt", "associatedAt"] {
        if let Some(value) = fields.get_mut(key)
            && let Some(micros) = value.as_str().and_then(parse_rfc3339)
        {
            *value = json!(micros as f64 / 1e6);
        }
    }
}
