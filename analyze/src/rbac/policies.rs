//! EKS access policies as rules, and the user-facing roles of Kubernetes that they follow.
//!
//! Source: EKS User Guide, "Access policy permissions" (read 2026-11), and kubernetes/kubernetes
//! `bootstrappolicy/policy.go`. AWS gives the policies as tables in a document, not by an API: answers that rest on them say so.

use eksplain_parse::glob::glob_matches;

use super::{Request, Rule, rule_allows};

/// Verbs, API groups, resources, each a list of words; the core group is `core`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuleText(
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) &'static str,
);

impl RuleText {
    pub(crate) fn rule(&self) -> Rule {
        let words = |text: &str| {
            text.split_whitespace()
                .map(|word| if word == "core" { String::new() } else { word.to_owned() })
                .collect()
        };
        Rule {
            verbs: words(self.0),
            api_groups: words(self.1),
            resources: words(self.2),
            ..Rule::default()
        }
    }
}

const READ: &str = "get list watch";
const WRITE: &str = "create delete deletecollection patch update";
const CORE_READ: &str = "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale \
                         serviceaccounts services services/status bindings events limitranges namespaces/status pods/log pods/status \
                         replicationcontrollers/status resourcequotas resourcequotas/status namespaces";
const APPS: &str = "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale \
                    replicasets/status statefulsets statefulsets/scale statefulsets/status deployments/rollback";
const BATCH: &str = "cronjobs cronjobs/status jobs jobs/status";
const EXTENSIONS: &str = "daemonsets daemonsets/status deployments deployments/scale deployments/status deployments/rollback ingresses ingresses/status \
                          networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale";
const NETWORKING: &str = "ingresses ingresses/status networkpolicies";
const POLICY: &str = "poddisruptionbudgets poddisruptionbudgets/status";
const AUTOSCALING: &str = "horizontalpodautoscalers horizontalpodautoscalers/status";

/// ClusterRole `view`.
pub(crate) const VIEW_RULES: &[RuleText] = &[
    RuleText(READ, "core", CORE_READ),
    RuleText(READ, "discovery.k8s.io", "endpointslices"),
    RuleText(READ, "apps", APPS),
    RuleText(READ, "autoscaling", AUTOSCALING),
    RuleText(READ, "batch", BATCH),
    RuleText(READ, "extensions", EXTENSIONS),
    RuleText(READ, "policy", POLICY),
    RuleText(READ, "networking.k8s.io", NETWORKING),
];

const EDIT_WRITES: &[RuleText] = &[
    RuleText(
        READ,
        "core",
        "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy",
    ),
    RuleText("impersonate", "core", "serviceaccounts"),
    RuleText(WRITE, "core", "pods pods/attach pods/exec pods/portforward pods/proxy"),
    RuleText("create", "core", "pods/eviction serviceaccounts/token"),
    RuleText(
        WRITE,
        "core",
        "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy endpoints",
    ),
    RuleText(
        WRITE,
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
    ),
    RuleText(WRITE, "autoscaling", "horizontalpodautoscalers"),
    RuleText(WRITE, "batch", "cronjobs jobs"),
    RuleText(
        WRITE,
        "extensions",
        "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale",
    ),
    RuleText(WRITE, "policy", "poddisruptionbudgets"),
    RuleText(WRITE, "networking.k8s.io", "ingresses networkpolicies"),
    RuleText(
        "create delete deletecollection get list patch update watch",
        "coordination.k8s.io",
        "leases",
    ),
];

const RBAC_WRITES: &[RuleText] = &[
    RuleText("create", "authorization.k8s.io", "localsubjectaccessreviews"),
    RuleText(
        "create delete deletecollection get list patch update watch",
        "rbac.authorization.k8s.io",
        "rolebindings roles",
    ),
];

/// ClusterRole `edit`.
pub(crate) const EDIT_RULES: &[RuleText] = &join::<20>(&[VIEW_RULES, EDIT_WRITES]);
/// ClusterRole `admin`.
pub(crate) const ADMIN_RULES: &[RuleText] = &join::<22>(&[VIEW_RULES, EDIT_WRITES, RBAC_WRITES]);

const fn join<const N: usize>(lists: &[&[RuleText]]) -> [RuleText; N] {
    let mut joined = [RuleText("", "", ""); N];
    let (mut list, mut to) = (0, 0);
    while list < lists.len() {
        let mut from = 0;
        while from < lists[list].len() {
            joined[to] = lists[list][from];
            to += 1;
            from += 1;
        }
        list += 1;
    }
    assert!(to == N, "the lists have as many rules as was said");
    joined
}

/// The policy that makes a cluster admin.
pub(crate) const CLUSTER_ADMIN: &str = "AmazonEKSClusterAdminPolicy";

/// The rules of a policy; `None` for one that is not documented as rules here.
fn rules(policy: &str) -> Option<&'static [RuleText]> {
    Some(match policy {
        CLUSTER_ADMIN => &[RuleText("*", "*", "*")],
        "AmazonEKSAdminPolicy" => ADMIN_RULES,
        "AmazonEKSEditPolicy" => EDIT_RULES,
        "AmazonEKSViewPolicy" => VIEW_RULES,
        "AmazonEKSAdminViewPolicy" => &[RuleText(READ, "*", "*")],
        "AmazonEKSSecretReaderPolicy" => &[RuleText(READ, "core", "secrets")],
        "AmazonEKSHybridPolicy" => &[RuleText("list", "core", "nodes")],
        _ => return None,
    })
}

/// The rules of a policy, as far as they are documented.
pub(crate) fn rules_of(policy: &str) -> Vec<Rule> {
    rules(policy).unwrap_or_default().iter().map(RuleText::rule).collect()
}

/// Whether a policy lets a request through; `namespaces` is `None` at cluster scope.
pub(crate) fn allows(policy: &str, namespaces: Option<&[String]>, request: &Request) -> bool {
    in_scope(namespaces, request) && rules_allow(policy, request)
}

/// Whether a policy's rules let a request through wherever they apply.
pub(crate) fn rules_allow(policy: &str, request: &Request) -> bool {
    match &request.url {
        Some(_) => policy == CLUSTER_ADMIN,
        None => rules(policy).is_some_and(|rules| rules.iter().any(|rule| rule_allows(&rule.rule(), request))),
    }
}

/// Whether a scope speaks of the request: by its namespace, `*` patterns allowed.
pub(crate) fn in_scope(namespaces: Option<&[String]>, request: &Request) -> bool {
    match (namespaces, &request.namespace) {
        (None, _) => true,
        (Some(patterns), Some(namespace)) => patterns.iter().any(|pattern| glob_matches(pattern, namespace)),
        (Some(_), None) => false,
    }
}
