//! RBAC objects over time, each as its last write left it.
//!
//! Rule: EKS logs these writes with the whole object; a patch is never applied here. A write without its object makes the object
//! unknown until the next whole one. A namespace takes its roles and bindings with it.

use std::collections::BTreeMap;

use eksplain_queries::facts::{AuditWrite, Mark, Micros};

use super::Incarnation;
use crate::json;
use crate::rbac::{Binding, Rbac, RbacObject, Role, parse_object};

/// What tells objects apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// `roles`, `clusterroles`, `rolebindings`, `clusterrolebindings`.
    pub(crate) resource: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

/// An object from one moment on.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) state: ObjectState,
    pub(crate) at: Mark,
    /// Who wrote it.
    pub(crate) by: Option<String>,
    /// It was made then: it did not stand before.
    pub(crate) is_birth: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ObjectState {
    Present(RbacObject),
    Absent,
    Unknown,
}

/// Every object that a record names.
#[derive(Debug, Default)]
pub(crate) struct RbacHistory {
    pub(crate) objects: BTreeMap<Key, Vec<Version>>,
}

impl RbacHistory {
    pub(super) fn build(life: &Incarnation<'_>) -> Self {
        let mut history = Self::default();
        let mut snapshots = life
            .snapshots
            .iter()
            .filter_map(|snapshot| Some((snapshot, resource_of(&snapshot.kind)?)))
            .peekable();
        let mut add_snapshots = |history: &mut Self, until: Micros| {
            while let Some((snapshot, resource)) = snapshots.next_if(|(snapshot, _)| snapshot.at.ts <= until) {
                if let Some(object) = parse_object(resource, None, &snapshot.body) {
                    history.push(resource, object, &snapshot.at, None, false);
                }
            }
        };
        for write in &life.writes {
            add_snapshots(&mut history, write.at.ts);
            history.apply(write);
        }
        add_snapshots(&mut history, Micros::MAX);
        history
    }

    /// Roles and bindings as they stood, with Kubernetes's own.
    pub(crate) fn at(&self, ts: Micros) -> Rbac<'_> {
        let standing = || {
            self.objects
                .values()
                .filter_map(|versions| versions.iter().rev().find(|version| version.at.ts <= ts))
        };
        let roles = standing().filter_map(|version| match &version.state {
            ObjectState::Present(RbacObject::Role(role)) => Some(role),
            _ => None,
        });
        let bindings = standing().filter_map(|version| match &version.state {
            ObjectState::Present(RbacObject::Binding(binding)) => Some(binding),
            _ => None,
        });
        let is_gone = |binding: &Binding| {
            let key = Key {
                resource: "clusterrolebindings".into(),
                namespace: None,
                name: binding.name.clone(),
            };
            let last = self
                .objects
                .get(&key)
                .and_then(|versions| versions.iter().rev().find(|version| version.at.ts <= ts));
            last.is_some_and(|version| version.state == ObjectState::Absent)
        };
        Rbac::new(roles, bindings, is_gone)
    }

    /// The last write of a binding.
    pub(crate) fn last_write(&self, binding: &Binding) -> Option<&Mark> {
        let resource = if binding.namespace.is_some() {
            "rolebindings"
        } else {
            "clusterrolebindings"
        };
        let key = Key {
            resource: resource.to_owned(),
            namespace: binding.namespace.clone(),
            name: binding.name.clone(),
        };
        self.objects.get(&key)?.last().map(|version| &version.at)
    }

    /// Whether some object was written in a way that no record shows.
    pub(crate) fn has_unknown_at(&self, ts: Micros) -> bool {
        let last = |versions: &Vec<Version>| {
            versions
                .iter()
                .rev()
                .find(|version| version.at.ts <= ts)
                .map(|version| version.state == ObjectState::Unknown)
        };
        self.objects.values().any(|versions| last(versions) == Some(true))
    }

    /// Versions of bindings, cluster-wide ones first.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = (&Key, &[Version])> {
        self.objects
            .iter()
            .filter(|(key, _)| key.resource.ends_with("bindings"))
            .map(|(key, versions)| (key, versions.as_slice()))
    }

    /// Versions of a role; empty where no record names it.
    pub(crate) fn role(&self, binding: &Binding) -> &[Version] {
        let namespace = if binding.role_is_cluster_role {
            None
        } else {
            binding.namespace.clone()
        };
        let resource = if binding.role_is_cluster_role {
            "clusterroles"
        } else {
            "roles"
        };
        self.objects
            .get(&Key {
                resource: resource.to_owned(),
                namespace,
                name: binding.role_name.clone(),
            })
            .map_or(&[], Vec::as_slice)
    }

    fn apply(&mut self, write: &AuditWrite) {
        let by = write.canonical_arn.clone().or_else(|| write.username.clone());
        if write.resource == "namespaces" {
            if let Some(namespace) = &write.name {
                self.end_where(
                    |key| key.namespace.as_ref() == Some(namespace),
                    &write.at,
                    by,
                    ObjectState::Absent,
                );
            }
            return;
        }
        if write.resource == "configmaps" {
            return;
        }
        let namespace = write.namespace.as_deref();
        match write.verb.as_str() {
            "create" | "update" | "patch" => {
                let object = write
                    .response_object
                    .as_deref()
                    .and_then(|text| parse_object(&write.resource, namespace, text));
                match (object, &write.name) {
                    (Some(object), _) => self.push(&write.resource, object, &write.at, by, write.verb == "create"),
                    (None, Some(name)) => self.set(
                        Key::of(write, name),
                        ObjectState::Unknown,
                        &write.at,
                        by,
                        write.verb == "create",
                    ),
                    (None, None) => {}
                }
            }
            "delete" => {
                if let Some(name) = &write.name {
                    self.set(Key::of(write, name), ObjectState::Absent, &write.at, by, false);
                }
            }
            "deletecollection" => {
                let items = json::parse(write.response_object.as_deref());
                if let Some(items) = items["items"].as_array() {
                    for name in items.iter().filter_map(|item| item["metadata"]["name"].as_str()) {
                        self.set(Key::of(write, name), ObjectState::Absent, &write.at, by.clone(), false);
                    }
                    return;
                }
                // A selector cannot be evaluated here: what it may have chosen is unknown.
                let selects = write
                    .request_uri
                    .as_deref()
                    .is_some_and(|uri| uri.contains("labelSelector=") || uri.contains("fieldSelector="));
                let state = if selects {
                    ObjectState::Unknown
                } else {
                    ObjectState::Absent
                };
                let is_meant = |key: &Key| {
                    key.resource == write.resource && (namespace.is_none() || key.namespace.as_deref() == namespace)
                };
                self.end_where(is_meant, &write.at, by, state);
            }
            _ => {}
        }
    }

    fn push(&mut self, resource: &str, object: RbacObject, at: &Mark, by: Option<String>, is_birth: bool) {
        let (namespace, name) = match &object {
            RbacObject::Role(Role { namespace, name, .. }) | RbacObject::Binding(Binding { namespace, name, .. }) => {
                (namespace.clone(), name.clone())
            }
        };
        self.set(
            Key {
                resource: resource.to_owned(),
                namespace,
                name,
            },
            ObjectState::Present(object),
            at,
            by,
            is_birth,
        );
    }

    fn set(&mut self, key: Key, state: ObjectState, at: &Mark, by: Option<String>, is_birth: bool) {
        self.objects.entry(key).or_default().push(Version {
            state,
            at: at.clone(),
            by,
            is_birth,
        });
    }

    fn end_where(&mut self, is_meant: impl Fn(&Key) -> bool, at: &Mark, by: Option<String>, state: ObjectState) {
        for (key, versions) in &mut self.objects {
            let stands = versions
                .last()
                .is_some_and(|version| version.state != ObjectState::Absent);
            if stands && is_meant(key) {
                versions.push(Version {
                    state: state.clone(),
                    at: at.clone(),
                    by: by.clone(),
                    is_birth: false,
                });
            }
        }
    }
}

impl Key {
    fn of(write: &AuditWrite, name: &str) -> Self {
        Self {
            resource: write.resource.clone(),
            namespace: write.namespace.clone(),
            name: name.to_owned(),
        }
    }
}

fn resource_of(kind: &str) -> Option<&'static str> {
    match kind {
        "role" => Some("roles"),
        "cluster_role" => Some("clusterroles"),
        "role_binding" => Some("rolebindings"),
        "cluster_role_binding" => Some("clusterrolebindings"),
        _ => None,
    }
}
