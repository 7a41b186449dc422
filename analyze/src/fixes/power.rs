//! Requests that would give power over access itself: these get a warning, and no grant.
//!
//! Rule: what the API server's escalation check does not cover, and the calls of IAM and EKS that make admins.

use super::words;
use crate::findings::Fix;
use crate::rbac::Request;

/// Why a Kubernetes request would give power over access.
pub(crate) fn of_request(asked: &Request) -> Option<&'static str> {
    let verb = asked.verb.as_str();
    let writes = matches!(verb, "create" | "update" | "patch" | "*");
    let resource = asked.full_resource();
    let in_kube_system = matches!(asked.namespace.as_deref(), Some("kube-system") | None);
    match (asked.api_group.as_str(), resource.as_str()) {
        (_, _) if matches!(verb, "escalate" | "bind") => Some("give any permission to anybody"),
        (_, _) if verb == "impersonate" => Some("act as somebody else"),
        ("rbac.authorization.k8s.io", _) if writes => Some("give permissions to anybody"),
        ("", "serviceaccounts/token") if writes => Some("act as a service account"),
        ("", "nodes/proxy") => Some("reach everything on a node"),
        ("", "configmaps")
            if writes && in_kube_system && asked.name.as_deref().is_none_or(|name| name == "aws-auth") =>
        {
            Some("map anybody to system:masters in aws-auth")
        }
        ("", "secrets") if in_kube_system && matches!(verb, "get" | "list" | "watch" | "*") => {
            Some("read the secrets of kube-system")
        }
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations" | "validatingwebhookconfigurations")
            if writes =>
        {
            Some("change or stop the requests of everybody")
        }
        ("certificates.k8s.io", "certificatesigningrequests/approval" | "signers") => {
            Some("issue a client certificate for anybody")
        }
        ("*", _) | (_, "*") if verb == "*" => Some("do everything"),
        _ => None,
    }
}

/// Why an AWS action would give power over access.
pub(crate) fn of_action(action: &str) -> Option<&'static str> {
    let (service, name) = action.split_once(':')?;
    let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    match service.to_ascii_lowercase().as_str() {
        "iam" if name == "PassRole" => Some("lend a role's permissions to a service"),
        "iam"
            if begins(&[
                "Create",
                "Put",
                "Attach",
                "Add",
                "Update",
                "Set",
                "DeleteRolePermissionsBoundary",
                "DeleteUserPermissionsBoundary",
                "Detach",
            ]) =>
        {
            Some("give AWS permissions to anybody")
        }
        "eks"
            if begins(&[
                "CreateAccessEntry",
                "UpdateAccessEntry",
                "AssociateAccessPolicy",
                "CreatePodIdentityAssociation",
                "UpdatePodIdentityAssociation",
                "AssociateIdentityProviderConfig",
            ]) =>
        {
            Some("make anybody admin of the cluster")
        }
        "sso" | "sso-admin" | "identitystore" if begins(&["Create", "Put", "Attach", "Update", "Provision"]) => {
            Some("give AWS permissions to anybody")
        }
        "organizations" if !begins(&["List", "Describe"]) => Some("change the guard rails of the organization"),
        _ => None,
    }
}

/// The warning in place of a grant.
pub(crate) fn warning(power: &str) -> Fix {
    words(format!(
        "Do not grant this without a second look: it would let the caller {power}. If the change is wanted, let an admin make it; if nobody knows of it, find out who sent the request"
    ))
}
