//! `kubectl auth can-i`, answered from the records.
//!
//! Rule: the API server lets a request through if RBAC or an access policy does; impersonation by a Kubernetes name forces plain
//! RBAC, as `kubectl auth can-i --as` does. Where nothing known allows and the state is not complete, the answer is "unknown".

use eksplain_parse::arn::Arn;
use eksplain_queries::facts::{Facts, Micros};

use crate::findings::{Cluster, Coverage, Source};
use crate::rbac::{Asker, in_words, policies};
use crate::state::entries::key_of;
use crate::state::{Incarnation, MappingState, Mode, World};

pub use crate::rbac::Request;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum As {
    /// A Kubernetes user name with exactly these groups, as kubectl takes it.
    User {
        /// User name.
        username: String,
        /// Groups.
        groups: Vec<String>,
    },
    /// An IAM principal, whose mapping is looked up.
    Principal {
        /// Its ARN.
        arn: String,
    },
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CanI {
    /// `None` is "the lake cannot know".
    pub allowed: Option<bool>,
    /// Rule and binding in words.
    pub by: Option<String>,
    /// Why.
    pub reason: String,
    /// What was looked at.
    pub considered: Vec<String>,
    /// What could not be.
    pub blind_spots: Vec<String>,
    /// What the lake held of the cluster.
    pub coverage: Vec<Coverage>,
}

/// Every cluster that is known at a moment.
pub fn clusters(facts: &Facts) -> Vec<Cluster> {
    World::build(facts).lives.into_keys().collect()
}

/// Answers for one cluster at one moment; `facts` hold no later record.
pub fn can_i(facts: &Facts, cluster: &Cluster, who: &As, request: &Request, at: Micros) -> CanI {
    let world = World::build(facts);
    let coverage = crate::coverage::coverage(&world)
        .into_iter()
        .filter(|row| row.cluster.as_ref() == Some(cluster))
        .collect::<Vec<_>>();
    let Some(life) = world.life(cluster, at) else {
        return CanI {
            reason: "no such cluster in the lake".to_owned(),
            coverage,
            ..CanI::default()
        };
    };
    let mut answer = match who {
        As::User { username, groups } => by_rbac(life, &Asker::new(username, groups), request, at),
        As::Principal { arn } => by_principal(&world, life, arn, request, at),
    };
    if life.is_over_at(at) {
        answer.allowed = Some(false);
        answer.by = None;
        answer.reason = "the cluster was deleted".to_owned();
    } else if answer.allowed == Some(false) {
        let first_audit = coverage
            .iter()
            .find(|row| row.source == Source::Audit)
            .and_then(|row| row.first);
        let is_mapping_unknown = matches!(who, As::Principal { .. }) && life.mode_at(at) != Mode::Api && {
            let versions = life.aws_auth.iter().any(|version| version.at.ts <= at);
            versions && *life.aws_auth_at(at) == MappingState::Unknown
        };
        if !life.is_complete(first_audit) || is_mapping_unknown || life.rbac.has_unknown_at(at) {
            answer.allowed = None;
            answer.reason = "nothing known allows it, and the state of the cluster is not known completely".to_owned();
        }
    }
    answer.blind_spots = coverage
        .iter()
        .flat_map(|row| row.blind_spots.iter().cloned())
        .collect();
    answer.coverage = coverage;
    answer
}

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
    let world = World::build(facts);
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
            if is_hidden_admin(life, &canonical) {
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
    let rbac = life.rbac.at(at);
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

/// The creator whose mapping nothing lists.
fn is_hidden_admin(life: &Incarnation<'_>, canonical: &str) -> bool {
    let is_creator = |call: &eksplain_queries::facts::CloudTrailCall| {
        call.canonical_arn
            .as_deref()
            .is_some_and(|own| own.eq_ignore_ascii_case(canonical))
    };
    life.created.is_some_and(is_creator)
        && life.bootstrap_admin() != Some(false)
        && !life.entries.iter().any(|entry| entry.of_creator)
}

fn by_rbac(life: &Incarnation<'_>, asker: &Asker, request: &Request, at: Micros) -> CanI {
    if asker.groups.iter().any(|group| group == "system:masters") {
        let by = "group system:masters, which is let through before RBAC is asked".to_owned();
        return CanI {
            allowed: Some(true),
            by: Some(by),
            reason: "system:masters may do everything".to_owned(),
            ..CanI::default()
        };
    }
    let rbac = life.rbac.at(at);
    let considered = rbac.bindings_of(asker).map(in_words).collect();
    match rbac.allows(asker, request) {
        Some(grant) => CanI {
            allowed: Some(true),
            by: Some(grant.in_words()),
            reason: "RBAC allows it".to_owned(),
            considered,
            ..CanI::default()
        },
        None => CanI {
            allowed: Some(false),
            reason: "no binding of the user and its groups allows it".to_owned(),
            considered,
            ..CanI::default()
        },
    }
}

/// An ARN: as whom it logs in, and what its access policies allow.
fn by_principal(world: &World<'_>, life: &Incarnation<'_>, arn: &str, request: &Request, at: Micros) -> CanI {
    let canonical = world.spellings.canonical(arn).unwrap_or_else(|| arn.to_owned());
    let reaches: Vec<_> = crate::admins::reaches(world, life, at)
        .into_iter()
        .filter(|reach| reach.span.covers(at) && reach.principal.eq_ignore_ascii_case(&canonical))
        .collect();
    let mut considered: Vec<String> = reaches.iter().map(|reach| reach.how.clone()).collect();
    if life.mode_at(at).reads_entries() {
        let entries = life
            .entries_at(at)
            .filter(|entry| entry.is_of(key_of(&canonical).as_deref()));
        for association in entries.flat_map(|entry| entry.associations_at(at)) {
            let stands = reaches.iter().any(|reach| !reach.is_aws_auth);
            considered.push(format!("access policy {}", association.policy));
            if stands && policies::allows(&association.policy, association.namespaces.as_deref(), request) {
                let by = format!("access policy {} of its access entry", association.policy);
                return CanI {
                    allowed: Some(true),
                    by: Some(by),
                    reason: "an access policy allows it, as documented by AWS".to_owned(),
                    considered,
                    ..CanI::default()
                };
            }
        }
    }
    if is_hidden_admin(life, &canonical) {
        let by = "the hidden mapping of the cluster's creator to system:masters".to_owned();
        return CanI {
            allowed: Some(true),
            by: Some(by),
            reason: "the creator may do everything".to_owned(),
            considered,
            ..CanI::default()
        };
    }
    let seen = world
        .facts
        .activity
        .iter()
        .rev()
        .find(|row| {
            row.canonical_arn
                .as_deref()
                .is_some_and(|own| own.eq_ignore_ascii_case(&canonical))
        })
        .and_then(|row| row.username.clone());
    for reach in &reaches {
        let username = reach.username.clone().or_else(|| seen.clone()).unwrap_or_default();
        let mut answer = by_rbac(life, &Asker::new(&username, &reach.groups), request, at);
        considered.append(&mut answer.considered);
        if answer.allowed == Some(true) {
            answer.considered = considered;
            return answer;
        }
    }
    let is_arn = Arn::parse(arn).is_ok();
    let reason = match (reaches.is_empty(), is_arn) {
        (true, true) => "nothing that is known lets this principal log in",
        (true, false) => "this is no ARN",
        (false, _) => "it can log in, and neither RBAC nor an access policy allows this",
    };
    CanI {
        allowed: Some(false),
        reason: reason.to_owned(),
        considered,
        ..CanI::default()
    }
}
