//! RBAC objects over time, each as its last write left it.
//!
//! Rule: EKS logs these writes with the whole object; a patch is never applied here. A write without its object makes the object
//! unknown until the next whole one. A namespace takes its roles and bindings with it.

use std::collections::BTreeMap;

use eksplain_queries::facts::{AuditWrite, Mark, Micros, Snapshot};

use super::Incarnation;
use super::cut::{Cut, CutWhat};
use super::history::{History, How, State, Version};
use super::lists::Look;
use crate::json;
use crate::knowledge::{Gap, Known, Log, Measure};
use crate::rbac::{Binding, Rbac, RbacObject, Role, parse_object};

/// What tells objects apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// `roles`, `clusterroles`, `rolebindings`, `clusterrolebindings`.
    pub(crate) resource: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

/// The four kinds that decide.
const RESOURCES: [&str; 4] = ["clusterroles", "clusterrolebindings", "roles", "rolebindings"];

/// Every object that a record names.
#[derive(Debug, Default)]
pub(crate) struct RbacHistory {
    objects: BTreeMap<Key, History<RbacObject>>,
    /// When all objects of a resource were seen, in order.
    looks: Vec<(Micros, &'static str)>,
    /// Records that may have changed any object.
    anything: Vec<Micros>,
}

/// What the whole of RBAC is known from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Completeness {
    /// Every object that may decide is known.
    Whole,
    /// One of these kinds was never seen whole.
    NotLookedAt(&'static str),
    /// Seen whole, and what changed between is not known.
    Gap(Gap),
    /// A record that may have changed it could not be read, or the object that it wrote is not known.
    Obscured,
}

enum Event<'e> {
    Write(&'e AuditWrite),
    Look(&'e Snapshot),
    Cut(&'e Cut),
}

impl Event<'_> {
    fn at(&self) -> &Mark {
        match self {
            Self::Write(write) => &write.at,
            Self::Look(snapshot) => &snapshot.at,
            Self::Cut(cut) => &cut.at,
        }
    }
}

impl RbacHistory {
    pub(super) fn build(life: &Incarnation<'_>) -> Self {
        let writes = life.writes.iter().map(|write| Event::Write(write));
        let looks = life.snapshots.iter().map(|snapshot| Event::Look(snapshot));
        let mut events: Vec<Event<'_>> = writes.chain(looks).chain(life.cut.iter().map(Event::Cut)).collect();
        events.sort_by_key(|event| (event.at().ts, matches!(event, Event::Look(_))));
        let mut history = Self::default();
        for event in events {
            match event {
                Event::Write(write) => history.write(write),
                Event::Look(snapshot) => history.look(snapshot),
                Event::Cut(cut) => history.cut(cut),
            }
        }
        history
    }

    /// Roles and bindings as they were, with Kubernetes's own; what is known across a gap only is among them.
    pub(crate) fn at(&self, ts: Micros, log: &Log, born: Option<Micros>, measure: Measure) -> Rbac<'_> {
        let mut roles = Vec::new();
        let mut bindings = Vec::new();
        let mut gone = Vec::new();
        for (key, history) in self
            .objects
            .iter()
            .filter(|(key, history)| is_touched(key, history, ts))
        {
            match history.at(ts, log, born, measure) {
                Known::Absent => gone.push(key),
                // What was seen before a gap is no grant that is known to be in effect.
                Known::Unknown(_) if measure == Measure::Standing => {}
                known => match known.likely() {
                    Some(RbacObject::Role(role)) => roles.push(role),
                    Some(RbacObject::Binding(binding)) => bindings.push(binding),
                    None => {}
                },
            }
        }
        let is_gone = |resource: &str, name: &str| {
            gone.iter()
                .any(|key| key.resource == resource && key.namespace.is_none() && key.name == name)
        };
        Rbac::new(roles, bindings, is_gone)
    }

    /// Whether all of RBAC is known at a moment.
    fn completeness_at(
        &self,
        ts: Micros,
        log: &Log,
        born: Option<Micros>,
        resources: &[&'static str],
        measure: Measure,
    ) -> Completeness {
        let is_whole_from_birth = born.is_some_and(|born| log.gap_since_birth(measure, born, ts).is_none());
        for resource in resources.iter().copied().filter(|_| !is_whole_from_birth) {
            let of_it = || {
                self.looks
                    .iter()
                    .filter(|(_, seen)| *seen == resource)
                    .map(|(at, _)| *at)
            };
            let before = of_it().filter(|at| *at <= ts).max();
            let after = of_it().filter(|at| *at > ts).min();
            let gaps = [
                before.map(|at| log.gap_between(measure, at, ts)),
                after.map(|at| log.gap_between(Measure::Whole, ts, at)),
            ];
            match gaps {
                [Some(None), _] | [_, Some(None)] => {}
                [Some(Some(gap)), _] | [None, Some(Some(gap))] => return Completeness::Gap(gap.clone()),
                [None, None] => return Completeness::NotLookedAt(resource),
            }
        }
        let is_obscured = self
            .anything
            .iter()
            .any(|at| *at <= ts && !self.was_seen_between(*at, ts))
            || self.objects.iter().any(|(key, history)| {
                resources.contains(&key.resource.as_str())
                    && is_touched(key, history, ts)
                    && matches!(history.at(ts, log, born, measure), Known::Unknown(doubt) if doubt.gap.is_none())
            });
        if is_obscured {
            Completeness::Obscured
        } else {
            Completeness::Whole
        }
    }

    fn was_seen_between(&self, from: Micros, to: Micros) -> bool {
        RESOURCES.into_iter().all(|resource| {
            self.looks
                .iter()
                .any(|(at, seen)| *seen == resource && *at > from && *at <= to)
        })
    }

    /// The last write of a binding.
    pub(crate) fn last_write(&self, binding: &Binding) -> Option<&Mark> {
        let history = self.objects.get(&Key::of_binding(binding))?;
        history.versions().last().map(|version| &version.at)
    }

    /// Histories of every object that a record names.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (&Key, &History<RbacObject>)> {
        self.objects.iter()
    }

    /// Histories of bindings, cluster-wide ones first.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = (&Key, &History<RbacObject>)> {
        self.objects
            .iter()
            .filter(|(key, _)| key.resource.ends_with("bindings"))
    }

    /// The history of a binding's role; `None` where no record names it.
    pub(crate) fn role(&self, binding: &Binding) -> Option<&History<RbacObject>> {
        let (resource, namespace) = if binding.role_is_cluster_role {
            ("clusterroles", None)
        } else {
            ("roles", binding.namespace.clone())
        };
        self.objects.get(&Key {
            resource: resource.to_owned(),
            namespace,
            name: binding.role_name.clone(),
        })
    }

    fn write(&mut self, write: &AuditWrite) {
        let by = write.canonical_arn.clone().or_else(|| write.username.clone());
        if write.resource == "namespaces" {
            if let Some(namespace) = &write.name {
                let is_meant = |key: &Key| key.namespace.as_ref() == Some(namespace);
                self.end_where(is_meant, &write.at, by, How::Death, State::Absent);
            }
            return;
        }
        if write.resource == "configmaps" {
            return;
        }
        let namespace = write.namespace.as_deref();
        let how = if write.verb == "create" { How::Birth } else { How::Write };
        match write.verb.as_str() {
            "create" | "update" | "patch" => {
                let object = write
                    .response_object
                    .as_deref()
                    .and_then(|text| parse_object(&write.resource, namespace, text));
                match (object, &write.name) {
                    (Some(object), _) => self.push(&write.resource, object, &write.at, by, how),
                    (None, Some(name)) => self.set(Key::of(write, name), State::Obscured, &write.at, by, how),
                    (None, None) => {}
                }
            }
            "delete" => {
                if let Some(name) = &write.name {
                    self.set(Key::of(write, name), State::Absent, &write.at, by, How::Death);
                }
            }
            "deletecollection" => {
                let items = json::parse(write.response_object.as_deref());
                if let Some(items) = items["items"].as_array() {
                    for name in items.iter().filter_map(|item| item["metadata"]["name"].as_str()) {
                        self.set(Key::of(write, name), State::Absent, &write.at, by.clone(), How::Death);
                    }
                    return;
                }
                // A selector cannot be evaluated here: what it may have chosen is unknown.
                let selects = write
                    .request_uri
                    .as_deref()
                    .is_some_and(|uri| uri.contains("labelSelector=") || uri.contains("fieldSelector="));
                let (how, state) = if selects {
                    (How::Write, State::Obscured)
                } else {
                    (How::Death, State::Absent)
                };
                let is_meant = |key: &Key| {
                    key.resource == write.resource && (namespace.is_none() || key.namespace.as_deref() == namespace)
                };
                self.end_where(is_meant, &write.at, by, how, state);
            }
            _ => {}
        }
    }

    fn look(&mut self, snapshot: &Snapshot) {
        if let Some(resource) = resource_of(&snapshot.kind) {
            if let Some(object) = parse_object(resource, None, &snapshot.body) {
                self.push(resource, object, &snapshot.at, None, How::Look);
            }
            return;
        }
        let Some(look) = Look::of(snapshot) else { return };
        let Some(resource) = resource_of(look.what.trim_end_matches('s')) else {
            return;
        };
        // What Kubernetes makes itself was seen, and is in no such list: this one was of some objects only.
        let is_partial = look.is_assumed
            && self
                .objects
                .keys()
                .any(|key| key.resource == resource && is_marked(key, &self.objects[key]));
        if is_partial {
            return;
        }
        let is_missing = |key: &Key| {
            let full = match &key.namespace {
                Some(namespace) => format!("{namespace}/{}", key.name),
                None => key.name.clone(),
            };
            let is_in_scope = look.scope.is_none_or(|scope| key.namespace.as_deref() == Some(scope));
            key.resource == resource && is_in_scope && !look.names_it(&full)
        };
        self.end_where(is_missing, &snapshot.at, None, How::Look, State::Absent);
        if look.scope.is_none() {
            self.looks.push((snapshot.at.ts, resource));
        }
    }

    fn cut(&mut self, cut: &Cut) {
        match &cut.what {
            CutWhat::Object {
                resource,
                namespace,
                name: Some(name),
            } if RESOURCES.contains(&resource.as_str()) => {
                let key = Key {
                    resource: resource.clone(),
                    namespace: namespace.clone(),
                    name: name.clone(),
                };
                self.set(key, State::Obscured, &cut.at, cut.by.clone(), How::Write);
            }
            CutWhat::Object { resource, .. } if resource == "configmaps" => {}
            CutWhat::Call { .. } => {}
            CutWhat::Object { .. } | CutWhat::Anything => self.anything.push(cut.at.ts),
        }
    }

    fn push(&mut self, resource: &str, object: RbacObject, at: &Mark, by: Option<String>, how: How) {
        let (namespace, name) = match &object {
            RbacObject::Role(Role { namespace, name, .. }) | RbacObject::Binding(Binding { namespace, name, .. }) => {
                (namespace.clone(), name.clone())
            }
        };
        let key = Key {
            resource: resource.to_owned(),
            namespace,
            name,
        };
        self.set(key, State::Is(object), at, by, how);
    }

    fn set(&mut self, key: Key, state: State<RbacObject>, at: &Mark, by: Option<String>, how: How) {
        self.objects.entry(key).or_default().push(Version {
            at: at.clone(),
            by,
            how,
            state,
        });
    }

    fn end_where(
        &mut self,
        is_meant: impl Fn(&Key) -> bool,
        at: &Mark,
        by: Option<String>,
        how: How,
        state: State<RbacObject>,
    ) {
        for (key, history) in &mut self.objects {
            let may_be_there = history
                .versions()
                .last()
                .is_some_and(|version| version.state != State::Absent);
            if may_be_there && is_meant(key) {
                history.push(Version {
                    at: at.clone(),
                    by: by.clone(),
                    how,
                    state: state.clone(),
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

    fn of_binding(binding: &Binding) -> Self {
        let resource = if binding.namespace.is_some() {
            "rolebindings"
        } else {
            "clusterrolebindings"
        };
        Self {
            resource: resource.to_owned(),
            namespace: binding.namespace.clone(),
            name: binding.name.clone(),
        }
    }
}

/// Whether an object is one that every complete list has.
fn is_marked(key: &Key, history: &History<RbacObject>) -> bool {
    let was_seen = history.versions().iter().any(|version| version.how == How::Look);
    was_seen
        && (key.name == "cluster-admin"
            || key.namespace.as_deref() == Some("kube-system") && key.name.starts_with("system:"))
}

/// Whether records tell of an object at a moment: what Kubernetes made itself is as it was made until the first that does.
fn is_touched(key: &Key, history: &History<RbacObject>, ts: Micros) -> bool {
    history.last_by(ts).is_some() || !crate::rbac::is_default(&key.resource, key.namespace.as_deref(), &key.name)
}

/// The resource of a snapshot's kind.
fn resource_of(kind: &str) -> Option<&'static str> {
    match kind {
        "role" => Some("roles"),
        "cluster_role" => Some("clusterroles"),
        "role_binding" => Some("rolebindings"),
        "cluster_role_binding" => Some("clusterrolebindings"),
        _ => None,
    }
}

impl Incarnation<'_> {
    /// RBAC as it was at a moment, as far as records tell.
    pub(crate) fn rbac_at(&self, ts: Micros, measure: Measure) -> Rbac<'_> {
        self.rbac.at(ts, &self.logs.audit, self.born, measure)
    }

    /// Whether all objects of these resources are known then.
    pub(crate) fn rbac_completeness_at(
        &self,
        ts: Micros,
        resources: &[&'static str],
        measure: Measure,
    ) -> Completeness {
        self.rbac
            .completeness_at(ts, &self.logs.audit, self.born, resources, measure)
    }

    /// Whether all of RBAC is known then.
    pub(crate) fn rbac_is_whole_at(&self, ts: Micros) -> bool {
        self.rbac_completeness_at(ts, &RESOURCES, Measure::Whole) == Completeness::Whole
    }
}
