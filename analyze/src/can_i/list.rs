//! `kubectl auth can-i --list`, answered from the records.

use eksplain_queries::facts::{Facts, Micros};

use super::{As, is_hidden_admin};
use crate::findings::Cluster;
use crate::knowledge::Measure;
use crate::rbac::{Asker, Request, in_words, policies};
use crate::state::World;

/// One thing that somebody may do, as a rule says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allowed {
    /// Resources, or URLs.
    pub what: Vec<String>,
    /// API groups; empty for URLs.
    pub api_groups: Vec<String>,
    /// Names that the rule is limited to; empty for all.
    pub names: Vec<String>,
    /// Verbs.
    pub verbs: Vec<String>,
    /// Binding or policy in words.
    pub by: String,
}

/// Everything that is known to be allowed in a namespace (`None`: cluster-wide only); `kubectl auth can-i --list`.
pub fn list(facts: &Facts, cluster: &Cluster, who: &As, namespace: Option<&str>, at: Micros) -> Vec<Allowed> {
    let world = World::build(facts, at);
    let Some(life) = world.life(cluster, at).filter(|life| !life.is_over_at(at)) else {
        return Vec::new();
    };
    let mut allowed = Vec::new();
    let mut add = |rule: &crate::rbac::Rule, by: String| {
        let is_url = !rule.urls.is_empty();
        allowed.push(Allowed {
            what: if is_url {
                rule.urls.clone()
            } else {
                rule.resources.clone()
            },
            api_groups: rule.api_groups.clone(),
            names: rule.resource_names.clone(),
            verbs: rule.verbs.clone(),
            by,
        });
    };
    let mut askers = Vec::new();
    match who {
        As::User { username, groups } => askers.push(Asker::new(username, groups)),
        As::Principal { arn } => {
            let canonical = world.spellings.canonical(arn).unwrap_or_else(|| arn.clone());
            let is_its = |principal: &str| principal.eq_ignore_ascii_case(&canonical);
            let reaches = crate::admins::reaches(&world, life, at)
                .into_iter()
                .filter(|reach| reach.span.covers(at) && is_its(&reach.principal));
            askers
                .extend(reaches.map(|reach| Asker::new(reach.username.as_deref().unwrap_or_default(), &reach.groups)));
            if is_hidden_admin(life, &canonical, at) {
                askers.push(Asker::new("kubernetes-admin", &["system:masters".to_owned()]));
            }
            let entries = life
                .entries_at(at)
                .filter(|entry| life.mode_at(at).reads_entries() && is_its(&entry.canonical));
            for association in entries.flat_map(|entry| entry.associations_at(at)) {
                let is_in_scope = association.namespaces.is_none()
                    || policies::in_scope(
                        association.namespaces.as_deref(),
                        &Request {
                            namespace: namespace.map(str::to_owned),
                            ..Request::default()
                        },
                    );
                let by = format!("access policy {}", association.policy);
                policies::rules_of(&association.policy)
                    .into_iter()
                    .filter(|_| is_in_scope)
                    .for_each(|rule| add(&rule, by.clone()));
            }
        }
    }
    let rbac = life.rbac_at(at, Measure::Standing);
    for asker in &askers {
        let in_scope = rbac
            .bindings_of(asker)
            .filter(|binding| binding.namespace.is_none() || binding.namespace.as_deref() == namespace);
        for binding in in_scope {
            rbac.role_of(binding)
                .into_iter()
                .flat_map(|role| rbac.rules_of(role))
                .for_each(|rule| add(rule, in_words(binding)));
        }
    }
    allowed.sort();
    allowed.dedup();
    allowed
}

