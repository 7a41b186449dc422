//! Writes of roles and bindings that are enough to be admin, or to become it.

use eksplain_queries::facts::Micros;

use super::{Asked, Change, ChangeKind, by_then, listed};
use crate::admins::powers::{escalation, is_admin};
use crate::knowledge::Measure;
use crate::rbac::{Binding, RbacObject, Role, default_role, is_default};
use crate::state::history::{How, State, Version};
use crate::state::rbac_history::Key;
use crate::state::{Incarnation, Mode};

impl Asked<'_, '_> {
    pub(super) fn rbac(&self, life: &Incarnation<'_>) -> Vec<Change> {
        let mut changes = Vec::new();
        for (key, history) in life.rbac.objects() {
            let versions = history.versions();
            let before = [None].into_iter().chain(versions.iter().map(Some));
            let own = before.zip(versions);
            changes.extend(own.filter_map(|(before, version)| self.object(life, key, before, version)));
        }
        changes
    }

    fn object(
        &self,
        life: &Incarnation<'_>,
        key: &Key,
        before: Option<&Version<RbacObject>>,
        version: &Version<RbacObject>,
    ) -> Option<Change> {
        if before.is_some_and(|before| before.state == version.state) {
            return None;
        }
        let ts = version.at.ts;
        let old = before.and_then(|before| told(life, &before.state, ts.saturating_sub(1)));
        let new = told(life, &version.state, ts);
        // A cluster is made without any but Kubernetes's own.
        let is_own = is_default(&key.resource, key.namespace.as_deref(), &key.name);
        let is_old_known = match before {
            Some(before) => before.state != State::Obscured,
            None => life.born.is_some() && !is_own,
        };
        if version.how == How::Look && !is_old_known {
            return None;
        }
        let has_power = [&old, &new].into_iter().flatten().any(|told| told.has_power);
        if !has_power {
            return None;
        }
        let is = match (&version.state, &new) {
            (_, Some(new)) => new.words.clone(),
            (State::Absent, _) => "deleted".to_owned(),
            _ => "not known: the log does not show what was written".to_owned(),
        };
        let change = Change::of(life, ChangeKind::RbacWritten, ts, subject(key)).was(old.map(|old| old.words));
        if version.how == How::Look {
            let change = change.is(by_then(&is, ts));
            return Some(change.shown_by(&version.at, "a look found it so"));
        }
        let change = change.is(is).shown_by(&version.at, format!("wrote {}", subject(key)));
        Some(match self.actors.of_record(&version.at.id) {
            Some(actor) => change.by(actor),
            None => Change {
                actor: version.by.clone(),
                ..change
            },
        })
    }
}

/// What an object gives.
struct Told {
    words: String,
    has_power: bool,
}

/// What a state of an object amounts to; `None` where it is not there, or not known.
fn told(life: &Incarnation<'_>, state: &State<RbacObject>, ts: Micros) -> Option<Told> {
    let State::Is(object) = state else { return None };
    let reads_aws_auth = !matches!(life.mode_at(ts), Mode::Api);
    Some(match object {
        RbacObject::Binding(binding) => {
            let kind = if binding.role_is_cluster_role {
                "ClusterRole"
            } else {
                "Role"
            };
            let subjects: Vec<String> = binding.subjects.iter().map(|subject| subject.principal()).collect();
            let role = role_of(life, binding, ts);
            let power = role
                .and_then(|role| power(binding, &role, reads_aws_auth))
                .filter(|_| !binding.is_default);
            let words = format!("{kind} {} for {}", binding.role_name, listed(&subjects));
            Told {
                has_power: power.is_some(),
                words: with(words, power),
            }
        }
        RbacObject::Role(role) => {
            // What it would give where it is bound: cluster-wide, or in its namespace.
            let bound = Binding {
                namespace: role.namespace.clone(),
                role_name: role.name.clone(),
                ..Binding::default()
            };
            let power = power(&bound, role, reads_aws_auth);
            Told {
                has_power: power.is_some(),
                words: with(format!("{} rules", role.rules.len()), power),
            }
        }
    })
}

fn with(words: String, power: Option<&'static str>) -> String {
    match power {
        Some(power) => format!("{words}: {power}"),
        None => words,
    }
}

fn power(binding: &Binding, role: &Role, reads_aws_auth: bool) -> Option<&'static str> {
    match is_admin(role) && binding.namespace.is_none() {
        true => Some("gives every right on every object"),
        false => escalation(binding, role, reads_aws_auth),
    }
}

/// The role of a binding as it was, or as Kubernetes made it.
fn role_of(life: &Incarnation<'_>, binding: &Binding, ts: Micros) -> Option<Role> {
    let own = life.rbac.role(binding).and_then(|history| {
        let known = history.at(ts, &life.logs.audit, life.born, Measure::Standing);
        match known.likely() {
            Some(RbacObject::Role(role)) => Some(role.clone()),
            _ => None,
        }
    });
    let default = || default_role(&binding.role_name).filter(|_| binding.role_is_cluster_role);
    own.or_else(|| default().cloned())
}

/// `ClusterRoleBinding ops`, `Role kube-system/ops`.
fn subject(key: &Key) -> String {
    let kind = match key.resource.as_str() {
        "clusterrolebindings" => "ClusterRoleBinding",
        "rolebindings" => "RoleBinding",
        "clusterroles" => "ClusterRole",
        _ => "Role",
    };
    match &key.namespace {
        Some(namespace) => format!("{kind} {namespace}/{}", key.name),
        None => format!("{kind} {}", key.name),
    }
}
