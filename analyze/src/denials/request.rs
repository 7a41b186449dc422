//! Requests that reached the API server and were refused there: which gate said no.
//!
//! Rule: the order of the API server's handlers. 403 with decision `forbid` is authorization; without a decision and with
//! `cannot impersonate` it is impersonation; any failure with decision `allow` is admission or the object's own rules.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_queries::facts::{DeniedRequest, Micros, Place};

use super::{Refusal, admission, authz, seen};
use crate::evidence;
use crate::findings::{Layer, RequestShape};
use crate::people;
use crate::principal::{is_aws_user, of_user};
use crate::rbac::{Asker, Request};
use crate::state::World;

/// Events that a later stage of the same request repeats are left out. An `auditID` is the client's claim: two requests that share
/// one are two.
pub(super) fn one_stage_each<'w>(world: &'w World<'_>) -> impl Iterator<Item = &'w DeniedRequest> + 'w {
    let is_final = |stage: Option<&str>| matches!(stage, Some("ResponseComplete" | "Panic") | None);
    let key = |request: &'w DeniedRequest| {
        (
            request.audit_id.as_deref(),
            request.verb.as_deref(),
            request.request_uri.as_deref(),
            request.place.cluster.as_deref(),
        )
    };
    let complete: BTreeSet<_> = world
        .facts
        .denied_requests
        .iter()
        .filter(|request| is_final(request.stage.as_deref()))
        .map(key)
        .collect();
    world.facts.denied_requests.iter().filter(move |request| {
        let is_early = !is_final(request.stage.as_deref());
        request.stage.as_deref() != Some("RequestReceived") && !(is_early && complete.contains(&key(request)))
    })
}

pub(super) fn refusals(world: &World<'_>) -> Vec<Refusal> {
    let console = Console::of(world);
    one_stage_each(world)
        .filter(|request| request.code != 401)
        .map(|request| refusal(world, request, &console))
        .collect()
}

/// Pages of the EKS console that asked for one list after the other, and got none.
struct Console<'w>(BTreeMap<(&'w Place, Option<&'w str>, Micros), usize>);

impl<'w> Console<'w> {
    /// As many refused lists in one second are a page, not a person who types.
    const LISTS: usize = 3;

    fn of(world: &'w World<'_>) -> Self {
        let mut lists = BTreeMap::new();
        for request in one_stage_each(world).filter(|request| request.code == 403 && is_of_console(request)) {
            *lists.entry(Self::key(request)).or_default() += 1;
        }
        Self(lists)
    }

    fn key(request: &'w DeniedRequest) -> (&'w Place, Option<&'w str>, Micros) {
        (
            &request.place,
            request.username.as_deref(),
            request.at.ts.div_euclid(1_000_000),
        )
    }

    fn shows(&self, request: &'w DeniedRequest) -> bool {
        is_of_console(request)
            && self
                .0
                .get(&Self::key(request))
                .is_some_and(|lists| *lists >= Self::LISTS)
    }
}

/// What calls itself the console, and lists. The name is the client's claim.
fn is_of_console(request: &DeniedRequest) -> bool {
    let agent = request.user_agent.as_deref().unwrap_or_default();
    request.verb.as_deref() == Some("list")
        && (agent.starts_with("eks-console") || agent.starts_with("console.amazonaws.com"))
}

/// Who asked, as authorization saw it.
pub(super) struct Caller<'r> {
    pub(super) asker: Asker,
    /// The real caller's ARN; impersonation takes its policies away.
    pub(super) canonical: Option<&'r str>,
    pub(super) is_impersonated: bool,
}

fn refusal<'w>(world: &'w World<'_>, request: &'w DeniedRequest, console: &Console<'w>) -> Refusal {
    let cluster = world.places.cluster(&request.place);
    let message = request.status_message.as_deref().unwrap_or_default();
    let impersonated = request.impersonated_username.as_deref();
    let (username, groups) = match impersonated {
        Some(username) => (username, &request.impersonated_groups),
        None => (request.username.as_deref().unwrap_or_default(), &request.groups),
    };
    let canonical = request.canonical_arn.as_deref();
    let caller = Caller {
        asker: Asker::new(username, groups),
        canonical,
        is_impersonated: impersonated.is_some(),
    };
    let shape = shape(request);
    let gate = gate(request, message);
    let verdict = match gate {
        Gate::Authorization => {
            let verdict = authz::verdict(world, request, &caller, &shape, cluster.as_ref());
            if console.shows(request) {
                authz::in_console(verdict)
            } else {
                verdict
            }
        }
        Gate::Impersonation => authz::impersonation(username),
        Gate::Admission => admission::verdict(request, message),
    };
    let is_node = username.starts_with("system:node:");
    let is_own = impersonated.is_none() && is_aws_user(username, canonical, request.uid.as_deref());
    let is_no_access_matter = verdict.reason.layer() == Layer::Apiserver;
    let canonical = canonical.and_then(|arn| world.spellings.canonical(arn));
    let principal = of_user(Some(username), canonical.as_deref().filter(|_| impersonated.is_none()));
    Refusal {
        last_success: last_success(world, request, username),
        principal,
        username: Some(username.to_owned()).filter(|name| !name.is_empty()),
        groups: groups.clone(),
        session: request
            .session
            .as_deref()
            .filter(|_| impersonated.is_none())
            .map(|session| people::named(world, session, request.access_key_id.as_deref())),
        evidence: vec![evidence::audit(
            &request.at,
            format!("{} {}", request.code, message.chars().take(300).collect::<String>()),
        )],
        only_with_all: is_node || is_own || is_no_access_matter,
        seen: seen::by_kubectl(
            request.code,
            request.status_reason.as_deref(),
            request.status_message.as_deref(),
        ),
        at: request.at.clone(),
        request: shape,
        verdict,
        cluster,
    }
}

pub(super) enum Gate {
    Authorization,
    Impersonation,
    Admission,
}

pub(super) fn gate(request: &DeniedRequest, message: &str) -> Gate {
    match (request.code, request.decision.as_deref()) {
        (403, Some("forbid")) => Gate::Authorization,
        // Without a decision this reason means that an authorizer failed.
        (500, None) if request.decision_reason.as_deref() == Some("internal error") => Gate::Authorization,
        (403, None) if is_impersonation(message) => Gate::Impersonation,
        // Old or stripped events have no annotations: the API server's own sentence tells.
        (403, None) if is_authorizer_sentence(message) => Gate::Authorization,
        _ => Gate::Admission,
    }
}

/// `users "x" is forbidden: User "u" cannot impersonate resource "users" …`.
fn is_impersonation(message: &str) -> bool {
    after_forbidden(message)
        .and_then(behind_user)
        .is_some_and(|rest| rest.starts_with("cannot impersonate"))
}

fn is_authorizer_sentence(message: &str) -> bool {
    after_forbidden(message)
        .and_then(behind_user)
        .is_some_and(|rest| rest.starts_with("cannot "))
}

/// What stands behind `… is forbidden: `; the name before it is quoted, so that it cannot hold this text by itself.
pub(crate) fn after_forbidden(message: &str) -> Option<&str> {
    let mut at = 0;
    let mut in_quotes = false;
    let bytes = message.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if in_quotes => at += 1,
            b'"' => in_quotes = !in_quotes,
            b'f' if !in_quotes && message[at..].starts_with("forbidden: ") => return Some(&message[at + 11..]),
            _ => {}
        }
        at += 1;
        while at < bytes.len() && !message.is_char_boundary(at) {
            at += 1;
        }
    }
    None
}

/// What stands behind `User "…" `.
fn behind_user(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("User \"")?;
    let mut escaped = false;
    let end = rest.char_indices().find(|(_, c)| {
        let is_end = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        is_end
    })?;
    Some(rest[end.0 + 1..].trim_start())
}

/// What was asked for.
pub(super) fn shape(request: &DeniedRequest) -> RequestShape {
    let url = request
        .request_uri
        .as_deref()
        .filter(|_| request.resource.is_none())
        .map(|uri| uri.split('?').next().unwrap_or(uri).to_owned());
    RequestShape {
        verb: request.verb.clone(),
        api_group: request
            .resource
            .as_ref()
            .map(|_| request.api_group.clone().unwrap_or_default()),
        resource: request.resource.clone(),
        subresource: request.subresource.clone(),
        namespace: request.namespace.clone(),
        name: request.name.clone(),
        non_resource_url: url,
        aws_action: None,
    }
}

/// The request as RBAC sees it.
pub(super) fn as_rbac(request: &DeniedRequest, shape: &RequestShape) -> Request {
    let has_name = !matches!(shape.verb.as_deref(), Some("create" | "deletecollection")) || shape.subresource.is_some();
    let selected = request.request_uri.as_deref().and_then(name_by_selector);
    Request {
        verb: shape.verb.clone().unwrap_or_default(),
        api_group: shape.api_group.clone().unwrap_or_default(),
        resource: shape.resource.clone().unwrap_or_default(),
        subresource: shape.subresource.clone(),
        namespace: shape.namespace.clone(),
        name: shape.name.clone().or(selected).filter(|_| has_name),
        url: shape.non_resource_url.clone(),
    }
}

/// A list of one object by `fieldSelector=metadata.name=x` carries its name.
fn name_by_selector(uri: &str) -> Option<String> {
    let (_, query) = uri.split_once('?')?;
    let selector = query.split('&').find_map(|pair| pair.strip_prefix("fieldSelector="))?;
    let selector = eksplain_parse::percent::decode(selector);
    selector
        .strip_prefix("metadata.name=")
        .map(|name| name.strip_prefix('=').unwrap_or(name))
        .filter(|name| !name.contains(','))
        .map(str::to_owned)
}

fn last_success(world: &World<'_>, request: &DeniedRequest, username: &str) -> Option<Micros> {
    let own = world.index.requests(&request.place, Some(username));
    // Two roles may be mapped to one user name. Who impersonates matters to nobody: the name is the principal.
    let is_same = |other: Option<&str>| match (request.canonical_arn.as_deref(), other) {
        (Some(own), Some(other)) if request.impersonated_username.is_none() => own.eq_ignore_ascii_case(other),
        _ => true,
    };
    let successes = own.iter().filter(|row| {
        is_same(row.canonical_arn.as_deref())
            && row.verb == request.verb
            && row.api_group == request.api_group
            && row.resource == request.resource
            && row.subresource == request.subresource
            && row.namespace == request.namespace
    });
    successes.map(|row| row.last.ts).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_speak_for_the_authorizer() {
        let hostile = r#"pods "x\" is forbidden: User \"a\" cannot impersonate" is forbidden: exceeded quota: q"#;
        assert_eq!(after_forbidden(hostile), Some("exceeded quota: q"));
        assert!(!is_impersonation(hostile));
        assert!(is_impersonation(
            r#"users "ann" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope"#
        ));
    }

    #[test]
    fn a_list_of_one_object_carries_its_name_however_it_is_written() {
        for (query, name) in [
            ("fieldSelector=metadata.name=web", Some("web")),
            ("limit=500&fieldSelector=metadata.name%3Dweb", Some("web")),
            ("fieldSelector=metadata.name%3D%3Dweb&watch=true", Some("web")),
            ("fieldSelector=metadata.name%3Dweb%2Cstatus.phase%3DRunning", None),
            ("fieldSelector=status.phase%3DRunning", None),
            ("labelSelector=metadata.name%3Dweb", None),
        ] {
            let uri = format!("/api/v1/namespaces/dev/pods?{query}");
            assert_eq!(name_by_selector(&uri).as_deref(), name, "{query}");
        }
    }
}
