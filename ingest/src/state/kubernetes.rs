//! Objects of Kubernetes: RBAC and aws-auth, alone or in a list.
//!
//! When is a list complete? A list of the API (`kubectl get --raw`, kind `ClusterRoleBindingList`) is: it has a `resourceVersion`, and
//! no `continue`, unless it was cut. What `kubectl get … -o json` wraps into a `List` is not told apart from
//! `kubectl get clusterrolebinding a b`, whose answer looks alike. So such a `List` is complete for a kind if it has a member that
//! every complete one has, because the API server makes it and restores it: `cluster-admin` among cluster roles and their bindings,
//! and `system:controller:bootstrap-signer` (or another object labelled `kubernetes.io/bootstrapping=rbac-defaults`) in `kube-system`
//! among roles and their bindings. Without such a member it is noted as *assumed* complete, and analysis believes it where no other
//! look shows that it cannot be. ConfigMaps in a `List` never are. Roles and bindings of more than one namespace, or beside other
//! kinds, are those of all namespaces; of one, those of that namespace.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ASSUMED, LIST, Seen, State, complete_list, text};
use crate::place::Place;

/// A kind whose objects are kept: in Kubernetes, in the table, and its list's name.
struct Kind {
    kubernetes: &'static str,
    own: &'static str,
    list: &'static str,
    is_namespaced: bool,
}

const KINDS: [Kind; 5] = [
    Kind {
        kubernetes: "ClusterRole",
        own: "cluster_role",
        list: "cluster_roles",
        is_namespaced: false,
    },
    Kind {
        kubernetes: "ClusterRoleBinding",
        own: "cluster_role_binding",
        list: "cluster_role_bindings",
        is_namespaced: false,
    },
    Kind {
        kubernetes: "Role",
        own: "role",
        list: "roles",
        is_namespaced: true,
    },
    Kind {
        kubernetes: "RoleBinding",
        own: "role_binding",
        list: "role_bindings",
        is_namespaced: true,
    },
    Kind {
        kubernetes: "ConfigMap",
        own: "config_map",
        list: "config_maps",
        is_namespaced: true,
    },
];

/// Reads an object or a list of them.
pub(super) fn read(document: &Value) -> Option<State> {
    let kind = text(document, "kind")?;
    let version = text(document, "apiVersion")?;
    let mut state = State::default();
    let Some(items) = document.get("items").and_then(Value::as_array) else {
        name_of(document)?;
        add(&mut state, kind, document.clone());
        return Some(state);
    };
    // A list's objects have no kind of their own where the API server made it.
    let of_list = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
    for item in items {
        let own = text(item, "kind").or(of_list).unwrap_or_default();
        let mut item = item.clone();
        if let (Some(fields), Some(_)) = (item.as_object_mut(), of_list) {
            fields.entry("kind").or_insert_with(|| own.into());
            fields.entry("apiVersion").or_insert_with(|| version.into());
        }
        let own = own.to_owned();
        add(&mut state, &own, item);
    }
    for known in &KINDS {
        let is_wanted = |item: &&Value| text(item, "kind").or(of_list) == Some(known.kubernetes);
        let members: Vec<&Value> = items.iter().filter(is_wanted).collect();
        let completeness = match of_list {
            Some(of) => (of == known.kubernetes && is_whole_answer(document)).then(|| Value::from(true)),
            None if members.iter().any(|member| is_in_every_list(known, member)) => Some(Value::from(true)),
            None => (!members.is_empty() && known.kubernetes != "ConfigMap").then(|| Value::from(ASSUMED)),
        };
        let is_mixed = members.len() < items.len();
        if let Some((mut seen, completeness)) = list(known, &members, is_mixed).zip(completeness) {
            seen.body["complete"] = completeness;
            state.seen.push(seen);
        }
    }
    Some(state)
}

/// Whether the API server gave all: a version, and nothing to go on with.
fn is_whole_answer(document: &Value) -> bool {
    let metadata = &document["metadata"];
    text(metadata, "resourceVersion").is_some()
        && text(metadata, "continue").is_none()
        && metadata["remainingItemCount"].as_i64().unwrap_or(0) == 0
}

/// Whether no complete list of its kind is without this object.
fn is_in_every_list(kind: &Kind, object: &Value) -> bool {
    let name = name_of(object).unwrap_or_default();
    match kind.kubernetes {
        "ClusterRole" | "ClusterRoleBinding" => name == "cluster-admin",
        "Role" | "RoleBinding" => {
            let is_default = object["metadata"]["labels"]["kubernetes.io/bootstrapping"] == "rbac-defaults";
            namespace_of(object) == Some("kube-system") && (is_default || name == "system:controller:bootstrap-signer")
        }
        _ => false,
    }
}

/// The record that says that these are all.
fn list(kind: &Kind, members: &[&Value], is_mixed: bool) -> Option<Seen> {
    let namespaces: BTreeSet<&str> = members.iter().filter_map(|member| namespace_of(member)).collect();
    let (name, namespace) = match (kind.is_namespaced, namespaces.len()) {
        (false, _) => (kind.list.to_owned(), None),
        // An empty list does not say of which namespace it is.
        (true, 0) => return None,
        (true, 1) if !is_mixed => {
            let only = namespaces.first()?;
            (format!("{}:{only}", kind.list), Some(*only))
        }
        (true, _) => (kind.list.to_owned(), None),
    };
    let names: Vec<String> = members
        .iter()
        .filter_map(|member| {
            let name = name_of(member)?;
            Some(match namespace_of(member).filter(|_| kind.is_namespaced) {
                Some(namespace) => format!("{namespace}/{name}"),
                None => name.to_owned(),
            })
        })
        .collect();
    let scope = json!({"of": kind.own, "namespace": namespace});
    Some(Seen::of_cluster(
        LIST,
        &name,
        complete_list(&names, scope),
        Place::default(),
    ))
}

fn add(state: &mut State, kind: &str, object: Value) {
    let known = KINDS.iter().find(|known| known.kubernetes == kind);
    let name = name_of(&object).map(str::to_owned);
    let is_foreign_map =
        kind == "ConfigMap" && (name.as_deref() != Some("aws-auth") || namespace_of(&object) != Some("kube-system"));
    match (known, name) {
        (Some(known), Some(name)) if !is_foreign_map => {
            state
                .seen
                .push(Seen::of_cluster(known.own, &name, object, Place::default()));
        }
        _ => state.others += 1,
    }
}

fn name_of(object: &Value) -> Option<&str> {
    text(object.get("metadata")?, "name")
}

fn namespace_of(object: &Value) -> Option<&str> {
    text(object.get("metadata")?, "namespace")
}
