//! Layer `admission`, and failures behind it: authorization said yes, something later said no.
//!
//! Rule: the sentences of the API server's admission plugins. Each is looked for where the server writes it, never in what the
//! caller chose.

use eksplain_queries::facts::DeniedRequest;

use super::Verdict;
use super::request::after_forbidden;
use crate::findings::Fix;
use crate::fixes::fix;
use crate::shell::quote;
use crate::words::{Confidence, Reason};

pub(super) fn verdict(request: &DeniedRequest, message: &str) -> Verdict {
    let certain = |reason, cause: &str| Verdict::new(reason, cause, Confidence::Certain);
    let namespace = request.namespace.as_deref().unwrap_or("NAMESPACE");
    let in_namespace = |what: &str| vec![format!("kubectl describe {what} -n {}", quote(namespace))];
    if let Some(name) = quoted_after(message, "admission webhook ").filter(|_| message.contains("denied the request")) {
        return Verdict::new(
            Reason::AdmissionWebhook,
            format!("the admission webhook {name} refused the object; RBAC had allowed the request"),
            Confidence::Certain,
        );
    }
    if request.code == 500 && message.starts_with("Internal error occurred: failed calling webhook ") {
        return certain(
            Reason::AdmissionWebhookUnavailable,
            "an admission webhook did not answer, and its failurePolicy is Fail",
        )
        .with([fix(
            "Find the webhook's service and failurePolicy, and bring its pods back",
            vec!["kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml".to_owned()],
        )]);
    }
    let forbidden = after_forbidden(message);
    let text = forbidden.unwrap_or(message);
    let is_policy = text.starts_with("ValidatingAdmissionPolicy '")
        || message.contains(": ValidatingAdmissionPolicy '") && matches!(request.code, 403 | 422);
    if is_policy {
        return certain(
            Reason::AdmissionPolicy,
            "a ValidatingAdmissionPolicy refused the object",
        )
        .with([fix(
            "Read the policy that the message names, and change the object",
            vec!["kubectl get validatingadmissionpolicies,validatingadmissionpolicybindings".to_owned()],
        )]);
    }
    if request.code == 403 {
        if text.starts_with("exceeded quota: ") || text.starts_with("failed quota: ") {
            return certain(
                Reason::AdmissionQuota,
                "the namespace's resource quota is used up, or requires limits to be set",
            )
            .with([fix("See the quota", in_namespace("quota"))]);
        }
        if text.starts_with("violates PodSecurity \"") {
            return certain(
                Reason::AdmissionPodSecurity,
                "the pod violates the Pod Security level of its namespace",
            )
            .with([fix(
                "Check which level the namespace enforces, and change the pod as the message says",
                vec![format!("kubectl get namespace {} --show-labels", quote(namespace))],
            )]);
        }
        if text.contains("attempting to grant RBAC permissions not currently held") {
            return certain(
                Reason::AuthzRbacEscalation,
                "Kubernetes does not let you grant permissions you do not have yourself: the caller needs them, or the verb escalate or bind",
            );
        }
        if text.contains("because it is being terminated") {
            return certain(Reason::AdmissionNamespaceTerminating, "the namespace is being deleted").with([fix(
                "Wait until it is gone; its conditions show what blocks it",
                vec![format!("kubectl get namespace {} -o yaml", quote(namespace))],
            )]);
        }
        if text.starts_with("error looking up service account ") {
            return certain(
                Reason::AdmissionServiceaccount,
                "the pod's service account does not exist",
            )
            .with(missing_account(text));
        }
        let is_limit = ["maximum ", "minimum "]
            .iter()
            .any(|word| text.trim_start_matches('[').starts_with(word))
            && text.contains(" per ");
        if is_limit {
            return certain(
                Reason::AdmissionLimitrange,
                "the namespace's LimitRange does not allow these resources",
            )
            .with([fix("See the limits", in_namespace("limitrange"))]);
        }
        if request
            .username
            .as_deref()
            .is_some_and(|name| name.starts_with("system:node:"))
            && (text.contains("is not allowed to modify node")
                || text.contains("can only create")
                || text.contains("can only modify"))
        {
            return certain(
                Reason::AdmissionNoderestriction,
                "a kubelet may change only its own node and its pods",
            );
        }
        return certain(
            Reason::AdmissionDenied,
            "an admission plugin refused the object; RBAC had allowed the request",
        );
    }
    let is_create = request.verb.as_deref() == Some("create");
    if request.code == 404 && is_create && message == format!("namespaces \"{namespace}\" not found") {
        return certain(Reason::AdmissionNamespaceNotFound, "the namespace does not exist").with([fix(
            "Create it",
            vec![format!("kubectl create namespace {}", quote(namespace))],
        )]);
    }
    let (reason, cause) = match request.code {
        400 => (Reason::ApiserverBadRequest, "the request is not well formed"),
        404 => (Reason::ApiserverNotFound, "the object does not exist"),
        409 => (Reason::ApiserverConflict, "the object exists or was changed meanwhile"),
        422 => (Reason::ApiserverInvalid, "the object is not valid"),
        429 => (Reason::ApiserverThrottled, "too many requests (priority and fairness)"),
        503 | 504 => (
            Reason::ApiserverUnavailable,
            "the API server or what is behind it did not answer",
        ),
        code if code >= 500 => (Reason::ApiserverInternal, "the API server failed"),
        _ => (Reason::ApiserverBadRequest, "the request failed"),
    };
    certain(reason, cause)
}

/// Creates the service account that the pod names: `error looking up service account ns/name: …`.
fn missing_account(text: &str) -> Option<Fix> {
    let rest = text.strip_prefix("error looking up service account ")?;
    let (namespace, name) = rest.split_once(": ")?.0.split_once('/')?;
    // Admission comes before validation: the name may be anything.
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
    };
    if !is_name(name) || !is_name(namespace) {
        return None;
    }
    let command = format!("kubectl create serviceaccount {} -n {}", quote(name), quote(namespace));
    Some(fix("Create it, or correct its name in the pod", vec![command]))
}

/// The quoted word behind a beginning.
fn quoted_after<'m>(message: &'m str, beginning: &str) -> Option<&'m str> {
    message.strip_prefix(beginning)?.strip_prefix('"')?.split('"').next()
}
