//! YAML as kubectl, the AWS CLI and eksctl write it.

use serde_json::Value;

/// Keys that documents of present state begin with.
const KEYS: [&str; 22] = [
    "apiVersion",
    "kind",
    "metadata",
    "items",
    "data",
    "cluster",
    "clusters",
    "accessEntry",
    "accessEntries",
    "associatedAccessPolicies",
    "clusterName",
    "principalArn",
    "nextToken",
    "Role",
    "Roles",
    "User",
    "Users",
    "Error",
    "IsTruncated",
    "Marker",
    "principalARN",
    "rolearn",
];
/// Keys of the members of a list that stands alone, as eksctl writes it.
const MEMBER_KEYS: [&str; 7] = [
    "principalARN",
    "accessPolicies",
    "kubernetesGroups",
    "rolearn",
    "userarn",
    "username",
    "groups",
];

/// Whether a text begins as such a document does: then it is worth waiting for all of it.
pub(crate) fn may_be(text: &str) -> bool {
    let lines = text.lines().filter(|line| {
        let line = line.trim_end();
        !line.is_empty() && !line.starts_with('#') && line != "---"
    });
    let Some(first) = lines.take(1).next() else {
        return text.starts_with("---");
    };
    let (keys, line) = match first.strip_prefix("- ") {
        Some(member) => (&MEMBER_KEYS[..], member),
        None => (&KEYS[..], first),
    };
    line.split_once(':').is_some_and(|(key, rest)| {
        keys.contains(&key.trim_matches(['"', '\''])) && (rest.is_empty() || rest.starts_with([' ', '\r']))
    })
}

/// The documents of a text, as JSON has them.
///
/// # Errors
/// Where it is no YAML: what, and at which line.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    // The RBAC objects of a large cluster are some million events; what an alias may grow to stays bounded as it is.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 50_000_000,
            max_nodes: 50_000_000,
        },
    };
    serde_saphyr::from_multiple_with_options::<Value>(text, options)
        .map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}
