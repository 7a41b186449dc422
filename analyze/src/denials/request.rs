//! Requests that reached the API server and were refused there: which gate said no.
//!
//! Rule: the order of the API server's handlers. 403 with decision `forbid` is authorization; without a decision and with
//! `cannot impersonate` it is impersonation; any failure with decision `allow` is admission or the object's own rules.

use std::collections::BTreeSet;

use eksplain_queries::facts::{DeniedRequest, Micros};

use super::{Refusal, admission, authz};
use crate::evidence;
use crate::findings::{Layer, RequestShape};
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
    one_stage_each(world)
        .filter(|request| request.code != 401)
        .map(|request| refusal(world, request))
        .collect()
}

/// Who asked, as authorization saw it.
pub(super) struct Caller<'r> {
    pub(super) asker: Asker,
    /// The real caller's ARN; impersonation takes its policies away.
    pub(super) canonical: Option<&'r str>,
    pub(super) is_impersonated: bool,
}

fn refusal(world: &World<'_>, request: &DeniedRequest) -> Refusal {
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
        Gate::Authorization => authz::verdict(world, request, &caller, &shape),
        Gate::Impersonation => authz::impersonation(request, message),
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
        session: request.session.clone().filter(|_| impersonated.is_none()),
        evidence: vec![evidence::audit(
            &request.at,
            format!("{} {}", request.code, message.chars().take(300).collect::<String>()),
        )],
        only_with_all: is_node || is_own || is_no_access_matter,
        text: request.status_message.clone(),
        at: request.at.clone(),
        request: shape,
        verdict,
        cluster,
    }
}

enum Gate {
    Authorization,
    Impersonation,
    Admission,
}

fn gate(request: &DeniedRequest, message: &str) -> Gate {
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
pub(super) fn after_forbidden(message: &str) -> Option<&str> {
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
fn shape(request: &DeniedRequest) -> RequestShape {
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
    let selector = eksplain_parse::arn::decode_percent(selector);
    selector
        .strip_prefix("metadata.name=")
        .filter(|name| !name.contains(','))
        .map(str::to_owned)
}

fn last_success(world: &World<'_>, request: &DeniedRequest, username: &str) -> Option<Micros> {
    let own = world.index.requests(&request.place, Some(username));
    let successes = own.iter().filter(|row| {
        row.verb == request.verb
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
}
