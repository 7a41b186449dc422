//! What the rules of a role amount to: cluster-admin, a way to become it, or neither.
//!
//! Rule: the API server's escalation check (kubernetes/kubernetes `pkg/registry/rbac/escalation_check.go`) and what it does not
//! cover: impersonation, tokens, pods and secrets beside privileged service accounts, aws-auth.

use crate::rbac::{Binding, Request, Role, Rule, rule_allows};

/// Whether a role is cluster-admin in effect: every verb on every resource of every group.
pub(crate) fn is_admin(role: &Role) -> bool {
    role.rules.iter().any(is_everything)
}

fn is_everything(rule: &Rule) -> bool {
    let any = |list: &[String]| list.iter().any(|item| item == "*");
    any(&rule.verbs) && any(&rule.api_groups) && any(&rule.resources) && rule.resource_names.is_empty()
}

/// Why a binding's role is enough to become admin, if it is; `reads_aws_auth` says whether a mapping would count.
pub(crate) fn escalation(binding: &Binding, role: &Role, reads_aws_auth: bool) -> Option<&'static str> {
    let is_cluster_wide = binding.namespace.is_none();
    if !is_cluster_wide && binding.namespace.as_deref() != Some("kube-system") {
        return None;
    }
    if !is_cluster_wide && is_admin(role) {
        return Some("is admin of kube-system, where controllers' service accounts live");
    }
    let allows = |verb: &str, group: &str, resource: &str, name: Option<&str>| {
        let (resource, sub) = resource
            .split_once('/')
            .map_or((resource, None), |(resource, sub)| (resource, Some(sub.to_owned())));
        let request = Request {
            verb: verb.to_owned(),
            api_group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: sub,
            namespace: Some("kube-system".to_owned()),
            name: name.map(str::to_owned),
            url: None,
        };
        role.rules.iter().any(|rule| rule_allows(rule, &request))
    };
    let rbac = "rbac.authorization.k8s.io";
    let writes = |group: &str, resource: &str| {
        ["create", "update", "patch"]
            .iter()
            .any(|verb| allows(verb, group, resource, None))
    };
    if is_cluster_wide {
        if (allows("escalate", rbac, "clusterroles", None) && writes(rbac, "clusterroles"))
            || (allows("bind", rbac, "clusterroles", None) && writes(rbac, "clusterrolebindings"))
        {
            return Some("may grant itself any right (escalate or bind)");
        }
        let impersonates = |resource: &str, name: Option<&str>| allows("impersonate", "", resource, name);
        if impersonates("users", None) || impersonates("groups", None) || impersonates("groups", Some("system:masters"))
        {
            return Some("may impersonate administrators");
        }
        if allows("get", "", "nodes/proxy", None) || allows("create", "", "nodes/proxy", None) {
            return Some("reaches every kubelet through nodes/proxy");
        }
        if writes("admissionregistration.k8s.io", "mutatingwebhookconfigurations") {
            return Some("may rewrite every request by a mutating webhook");
        }
    }
    if allows("impersonate", "", "serviceaccounts", None) || allows("create", "", "serviceaccounts/token", None) {
        return Some("may act as the service accounts of kube-system");
    }
    let workloads = [
        ("", "pods"),
        ("apps", "deployments"),
        ("apps", "daemonsets"),
        ("apps", "statefulsets"),
        ("apps", "replicasets"),
        ("batch", "jobs"),
        ("batch", "cronjobs"),
    ];
    if workloads
        .iter()
        .any(|(group, resource)| allows("create", group, resource, None))
        || allows("create", "", "pods/exec", Some("any"))
        || allows("get", "", "pods/exec", Some("any"))
    {
        return Some("may run code in kube-system, beside controllers' service accounts");
    }
    if allows("get", "", "secrets", None) || allows("list", "", "secrets", None) {
        return Some("may read the secrets of kube-system, service account tokens among them");
    }
    let writes_map = |name: Option<&str>| {
        ["update", "patch"]
            .iter()
            .any(|verb| allows(verb, "", "configmaps", name))
    };
    if reads_aws_auth && (writes_map(None) || writes_map(Some("aws-auth"))) {
        return Some("may write aws-auth");
    }
    None
}
