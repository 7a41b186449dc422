//! Kubernetes RBAC: its objects as the API server keeps them, and whether they let a request through.
//!
//! Rule: kubernetes/kubernetes `pkg/registry/rbac/validation/rule.go` (subjects, bindings) and
//! `pkg/apis/rbac/v1/evaluation_helpers.go` (rules). Matching is exact and case-sensitive; there is no deny.

use std::collections::BTreeMap;

use serde::Deserialize;

mod defaults;
mod evaluate;
pub(crate) mod policies;
mod scope;

pub(crate) use defaults::{default_role, is_default};
pub(crate) use scope::is_cluster_scoped;
pub(crate) use evaluate::{Rbac, in_words, rule_allows, scope_covers};

/// What a request asks for; all that RBAC looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Kubernetes verb, or the HTTP method in lower case.
    pub verb: String,
    /// API group; empty for core.
    pub api_group: String,
    /// Plural name; empty for a URL.
    pub resource: String,
    /// `log`, `exec`, …
    pub subresource: Option<String>,
    /// `None` for cluster-scoped requests and for all namespaces.
    pub namespace: Option<String>,
    /// Name of the object.
    pub name: Option<String>,
    /// URL that is no resource.
    pub url: Option<String>,
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asker {
    /// Kubernetes user name.
    pub(crate) username: String,
    /// Every group, the implicit ones included.
    pub(crate) groups: Vec<String>,
}

/// One rule of a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Rule {
    #[serde(deserialize_with = "list")]
    pub(crate) verbs: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) api_groups: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) resources: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) resource_names: Vec<String>,
    #[serde(rename = "nonResourceURLs", deserialize_with = "list")]
    pub(crate) urls: Vec<String>,
}

/// Role or ClusterRole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) labels: BTreeMap<String, String>,
    /// Labels of the ClusterRoles whose rules a controller copies into this one.
    pub(crate) aggregates: Vec<BTreeMap<String, String>>,
}

/// RoleBinding or ClusterRoleBinding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Binding {
    /// `None` for a ClusterRoleBinding.
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) role_is_cluster_role: bool,
    pub(crate) role_name: String,
    pub(crate) subjects: Vec<Subject>,
    /// Kubernetes or EKS made it.
    pub(crate) is_default: bool,
}

/// Whom a binding names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Subject {
    User(String),
    Group(String),
    ServiceAccount { namespace: String, name: String },
}

/// An object of RBAC as JSON has it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Object {
    kind: Option<String>,
    metadata: Metadata,
    #[serde(deserialize_with = "list")]
    rules: Vec<Rule>,
    aggregation_rule: Option<AggregationRule>,
    role_ref: RoleRef,
    #[serde(deserialize_with = "list")]
    subjects: Vec<SubjectObject>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
    labels: Option<std::collections::BTreeMap<String, serde_json::Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AggregationRule {
    cluster_role_selectors: Vec<LabelSelector>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LabelSelector {
    match_labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RoleRef {
    kind: String,
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SubjectObject {
    kind: String,
    name: String,
    namespace: Option<String>,
}

/// Role or binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RbacObject {
    Role(Role),
    Binding(Binding),
}

/// Reads an object by its resource name (`roles`, `clusterrolebindings`, …); `None` where it is none of RBAC's.
pub(crate) fn parse_object(resource: &str, namespace: Option<&str>, json: &str) -> Option<RbacObject> {
    let object: Object = serde_json::from_str(json).ok()?;
    if object.kind.as_deref() == Some("Status") {
        return None;
    }
    let name = object.metadata.name?;
    let namespace = object
        .metadata
        .namespace
        .or_else(|| namespace.map(str::to_owned))
        .filter(|namespace| !namespace.is_empty());
    match resource {
        "roles" | "clusterroles" => {
            let namespace = namespace.filter(|_| resource == "roles");
            let text = |(key, value): (&String, &serde_json::Value)| Some((key.clone(), value.as_str()?.to_owned()));
            let labels = object.metadata.labels.iter().flatten().filter_map(text).collect();
            let selectors = object
                .aggregation_rule
                .map(|rule| rule.cluster_role_selectors)
                .unwrap_or_default();
            let aggregates = selectors
                .into_iter()
                .map(|selector| selector.match_labels)
                .filter(|labels| !labels.is_empty())
                .collect();
            Some(RbacObject::Role(Role {
                namespace,
                name,
                rules: object.rules,
                labels,
                aggregates,
            }))
        }
        "rolebindings" | "clusterrolebindings" => {
            let namespace = namespace.filter(|_| resource == "rolebindings");
            let subjects = object
                .subjects
                .into_iter()
                .filter_map(|subject| subject.read(namespace.as_deref()))
                .collect();
            let label = |key: &str| {
                object
                    .metadata
                    .labels
                    .as_ref()
                    .and_then(|labels| labels.get(key))
                    .and_then(|value| value.as_str())
            };
            let is_default = label("kubernetes.io/bootstrapping") == Some("rbac-defaults") || name.starts_with("eks:");
            Some(RbacObject::Binding(Binding {
                namespace,
                name,
                role_is_cluster_role: object.role_ref.kind != "Role",
                role_name: object.role_ref.name,
                subjects,
                is_default,
            }))
        }
        _ => None,
    }
}

impl SubjectObject {
    fn read(self, binding_namespace: Option<&str>) -> Option<Subject> {
        match self.kind.as_str() {
            "User" => Some(Subject::User(self.name)),
            "Group" => Some(Subject::Group(self.name)),
            // In a ClusterRoleBinding an empty namespace never matches.
            "ServiceAccount" => {
                let namespace = self
                    .namespace
                    .filter(|namespace| !namespace.is_empty())
                    .or_else(|| binding_namespace.map(str::to_owned))?;
                Some(Subject::ServiceAccount {
                    namespace,
                    name: self.name,
                })
            }
            _ => None,
        }
    }
}

impl Subject {
    /// The form of answers.
    pub(crate) fn principal(&self) -> String {
        match self {
            Self::User(name) => match service_account(name) {
                Some((namespace, name)) => format!("ServiceAccount:{namespace}/{name}"),
                None => format!("User:{name}"),
            },
            Self::Group(name) => format!("Group:{name}"),
            Self::ServiceAccount { namespace, name } => format!("ServiceAccount:{namespace}/{name}"),
        }
    }

    /// Whether it stands for the asker.
    pub(crate) fn is(&self, asker: &Asker) -> bool {
        match self {
            Self::User(name) => *name == asker.username,
            Self::Group(name) => asker.groups.contains(name),
            Self::ServiceAccount { namespace, name } => service_account(&asker.username) == Some((namespace, name)),
        }
    }
}

/// Namespace and name of a service account's user name.
pub(crate) fn service_account(username: &str) -> Option<(&str, &str)> {
    username.strip_prefix("system:serviceaccount:")?.split_once(':')
}

impl Asker {
    /// An asker with the groups that the API server adds by itself.
    pub(crate) fn new(username: &str, groups: &[String]) -> Self {
        let mut groups = groups.to_vec();
        let mut add = |group: String| {
            if !groups.contains(&group) {
                groups.push(group);
            }
        };
        if let Some((namespace, _)) = service_account(username) {
            add("system:serviceaccounts".to_owned());
            add(format!("system:serviceaccounts:{namespace}"));
        }
        match username {
            "system:anonymous" => add("system:unauthenticated".to_owned()),
            _ => add("system:authenticated".to_owned()),
        }
        Self {
            username: username.to_owned(),
            groups,
        }
    }
}

impl Request {
    /// `pods/log`, or `pods`.
    pub(crate) fn full_resource(&self) -> String {
        match &self.subresource {
            Some(sub) => format!("{}/{sub}", self.resource),
            None => self.resource.clone(),
        }
    }
}

/// `null` where a list belongs is an empty list.
fn list<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}
