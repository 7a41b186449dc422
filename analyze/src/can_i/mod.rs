//! `kubectl auth can-i`, answered from the records.
//!
//! Rule: the API server lets a request through if RBAC or an access policy does; impersonation by a Kubernetes name forces plain
//! RBAC, as `kubectl auth can-i --as` does. "Yes" rests on grants that are known to be in effect, "no" on a state that is known whole;
//! all else is unknown, and says what would settle it.

use eksplain_parse::arn::Arn;
use eksplain_queries::facts::{Facts, Micros};

use crate::findings::{Cluster, Coverage, Evidence};
use crate::knowledge::Measure;
use crate::rbac::{Asker, in_words, is_cluster_scoped, policies};
use crate::state::entries::key_of;
use crate::state::{Incarnation, World};

pub(crate) mod doubts;
mod list;
mod reviews;

use doubts::Unsettled;
pub use list::{Allowed, list};

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
    /// Records that are shown with the answer.
    pub evidence: Vec<Evidence>,
    /// What the lake held of the cluster.
    pub coverage: Vec<Coverage>,
}

/// Every cluster that is known.
pub fn clusters(facts: &Facts) -> Vec<Cluster> {
    World::build(facts, Micros::MAX).lives.into_keys().collect()
}

/// Answers for one cluster at one moment; `facts` hold no later record.
pub fn can_i(facts: &Facts, cluster: &Cluster, who: &As, request: &Request, at: Micros) -> CanI {
    let world = World::build(facts, at);
    let coverage = crate::coverage::coverage(&world, at)
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
    let mut request = request.clone();
    let mut notes = Vec::new();
    // The API server takes the name of a namespace for the namespace of the request.
    let is_namespace_itself =
        request.api_group.is_empty() && request.resource == "namespaces" && request.name.is_some();
    if is_namespace_itself {
        request.namespace = request.name.clone();
    } else if request.namespace.is_some()
        && request.url.is_none()
        && is_cluster_scoped(&request.api_group, &request.resource)
    {
        notes.push(format!(
            "{} is not namespaced: a request for it has no namespace, and no RoleBinding applies",
            request.resource
        ));
        request.namespace = None;
    }
    let mut answer = if life.is_over_at(at) {
        CanI {
            allowed: Some(false),
            reason: "the cluster was deleted".to_owned(),
            ..CanI::default()
        }
    } else {
        match who {
            As::User { username, groups } => by_rbac(life, &Asker::new(username, groups), &request, at),
            As::Principal { arn } => by_principal(&world, life, arn, &request, at),
        }
    };
    reviews::add(&world, life, who, &request, &mut answer);
    answer.blind_spots.extend(notes);
    answer
        .blind_spots
        .extend(coverage.iter().flat_map(|row| row.blind_spots.iter().cloned()));
    answer.coverage = coverage;
    answer
}

/// The creator whose mapping nothing lists.
fn is_hidden_admin(life: &Incarnation<'_>, canonical: &str, at: Micros) -> bool {
    let is_creator = |call: &eksplain_queries::facts::CloudTrailCall| {
        call.canonical_arn
            .as_deref()
            .is_some_and(|own| own.eq_ignore_ascii_case(canonical))
    };
    let is_hole = || life.logs.trail.hole_between(life.start, at).is_some();
    life.created.is_some_and(is_creator)
        && life.bootstrap_admin() != Some(false)
        && !life.entries.iter().any(|entry| entry.of_creator)
        && (life.mode_is_config_map(at) || !is_hole())
}

fn yes(by: String, reason: &str, considered: Vec<String>) -> CanI {
    CanI {
        allowed: Some(true),
        by: Some(by),
        reason: reason.to_owned(),
        considered,
        ..CanI::default()
    }
}

/// "No" where nothing is left open; else unknown, with what would settle it.
fn no(reason: &str, considered: Vec<String>, unsettled: Vec<Unsettled>) -> CanI {
    let mut answer = CanI {
        allowed: unsettled.is_empty().then_some(false),
        reason: reason.to_owned(),
        considered,
        ..CanI::default()
    };
    if let Some(first) = unsettled.first() {
        answer.reason = format!("nothing known allows it, and {}", first.why);
    }
    answer.blind_spots = unsettled.into_iter().map(|unsettled| unsettled.sentence()).collect();
    answer
}

fn by_rbac(life: &Incarnation<'_>, asker: &Asker, request: &Request, at: Micros) -> CanI {
    if asker.groups.iter().any(|group| group == "system:masters") {
        let by = "group system:masters, which is allowed before RBAC is evaluated".to_owned();
        return yes(by, "system:masters may do everything", Vec::new());
    }
    let rbac = life.rbac_at(at, Measure::Standing);
    let considered = rbac.bindings_of(asker).map(in_words).collect();
    match rbac.allows(asker, request) {
        Some(grant) => yes(grant.in_words(), "RBAC allows it", considered),
        None => {
            let unsettled = doubts::of_rbac(life, &rbac, asker, request, at);
            no("no binding of the user and its groups allows it", considered, unsettled)
        }
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
            let is_admitted = reaches.iter().any(|reach| !reach.is_aws_auth);
            let is_doubtful = life.logs.trail.hole_between(association.stay.last.ts, at).is_some();
            considered.push(format!("access policy {}", association.policy));
            if is_admitted
                && !is_doubtful
                && policies::allows(&association.policy, association.namespaces.as_deref(), request)
            {
                let by = format!("access policy {} of its access entry", association.policy);
                return yes(by, "an access policy allows it, as documented by AWS", considered);
            }
        }
    }
    if is_hidden_admin(life, &canonical, at) {
        let by = "the hidden mapping of the cluster's creator to system:masters".to_owned();
        return yes(by, "the creator may do everything", considered);
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
    let mut unsettled = doubts::of_login(life, at);
    for reach in &reaches {
        let username = reach.username.clone().or_else(|| seen.clone()).unwrap_or_default();
        let mut answer = by_rbac(life, &Asker::new(&username, &reach.groups), request, at);
        considered.append(&mut answer.considered);
        if answer.allowed == Some(true) {
            answer.considered = considered;
            return answer;
        }
        if answer.allowed.is_none() {
            let rbac = life.rbac_at(at, Measure::Standing);
            unsettled.extend(doubts::of_rbac(
                life,
                &rbac,
                &Asker::new(&username, &reach.groups),
                request,
                at,
            ));
        }
    }
    let is_arn = Arn::parse(arn).is_ok();
    let reason = match (reaches.is_empty(), is_arn) {
        (true, true) => "no known mapping or access entry lets this principal log in",
        (true, false) => "this is not a valid ARN",
        (false, _) => "it can log in, and neither RBAC nor an access policy allows this",
    };
    no(reason, considered, unsettled)
}
