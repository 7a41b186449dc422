//! The decision: the first binding that grants a request, and what the nearest ones lack.

use std::collections::BTreeMap;

use super::{Asker, Binding, Request, Role, Rule, defaults};

/// Roles and bindings as they stand at one moment, with those that every cluster has.
#[derive(Debug, Default)]
pub(crate) struct Rbac<'s> {
    roles: BTreeMap<(Option<&'s str>, &'s str), &'s Role>,
    bindings: Vec<&'s Binding>,
}

/// Why a request is let through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant<'r> {
    binding: &'r Binding,
}

impl<'s> Rbac<'s> {
    /// Objects known from records win over the defaults of the same name.
    pub(crate) fn new(
        roles: impl IntoIterator<Item = &'s Role>,
        bindings: impl IntoIterator<Item = &'s Binding>,
        gone: impl Fn(&str, &str) -> bool,
    ) -> Self {
        let mut rbac = Self::default();
        for role in defaults::roles()
            .iter()
            .filter(|role| !gone("clusterroles", &role.name))
        {
            rbac.roles.insert((None, role.name.as_str()), role);
        }
        for role in roles {
            rbac.roles.insert((role.namespace.as_deref(), role.name.as_str()), role);
        }
        rbac.bindings.extend(bindings);
        let known: Vec<_> = rbac
            .bindings
            .iter()
            .map(|binding| (binding.namespace.as_deref(), binding.name.as_str()))
            .collect();
        let defaults = defaults::bindings().iter().filter(|binding| {
            !known.contains(&(None, binding.name.as_str())) && !gone("clusterrolebindings", &binding.name)
        });
        rbac.bindings.extend(defaults);
        rbac
    }

    /// Every binding.
    pub(crate) fn bindings(&self) -> &[&'s Binding] {
        &self.bindings
    }

    /// Bindings that name the asker.
    pub(crate) fn bindings_of<'a>(&'a self, asker: &'a Asker) -> impl Iterator<Item = &'s Binding> + 'a {
        self.bindings
            .iter()
            .copied()
            .filter(|binding| binding.subjects.iter().any(|subject| subject.is(asker)))
    }

    /// The rules that a binding gives; `None` where its role does not exist.
    pub(crate) fn role_of(&self, binding: &Binding) -> Option<&'s Role> {
        let namespace = if binding.role_is_cluster_role {
            None
        } else {
            binding.namespace.as_deref()
        };
        self.roles.get(&(namespace, binding.role_name.as_str())).copied()
    }

    /// The rules of a role; those of an aggregating one that no controller filled are computed from the labels it selects.
    pub(crate) fn rules_of(&self, role: &'s Role) -> impl Iterator<Item = &'s Rule> + '_ {
        let is_unfilled = role.rules.is_empty() && !role.aggregates.is_empty();
        let is_selected = move |other: &Role| {
            let has_all = |wanted: &BTreeMap<String, String>| {
                wanted.iter().all(|(key, value)| other.labels.get(key) == Some(value))
            };
            is_unfilled && role.aggregates.iter().any(has_all)
        };
        let cluster_roles = self
            .roles
            .iter()
            .filter(|((namespace, _), _)| namespace.is_none())
            .map(|(_, role)| *role);
        role.rules.iter().chain(
            cluster_roles
                .filter(move |other| is_selected(other))
                .flat_map(|other| other.rules.iter()),
        )
    }

    /// The first grant, if any.
    pub(crate) fn allows(&self, asker: &Asker, request: &Request) -> Option<Grant<'s>> {
        self.bindings_of(asker)
            .filter(|binding| scope_covers(binding, request))
            .find_map(|binding| {
                let role = self.role_of(binding)?;
                self.rules_of(role)
                    .any(|rule| rule_allows(rule, request))
                    .then_some(Grant { binding })
            })
    }
}

/// Whether a binding speaks of the request's namespace at all; only a ClusterRoleBinding speaks of URLs.
pub(crate) fn scope_covers(binding: &Binding, request: &Request) -> bool {
    match &binding.namespace {
        None => true,
        Some(namespace) => request.url.is_none() && request.namespace.as_ref() == Some(namespace),
    }
}

/// Whether a rule lets a request through.
pub(crate) fn rule_allows(rule: &Rule, request: &Request) -> bool {
    if !holds(&rule.verbs, &request.verb) {
        return false;
    }
    match &request.url {
        Some(url) => rule.urls.iter().any(|pattern| url_matches(pattern, url)),
        None => {
            holds(&rule.api_groups, &request.api_group)
                && resource_matches(rule, request)
                && name_matches(rule, request)
        }
    }
}

pub(crate) fn holds(list: &[String], item: &str) -> bool {
    list.iter().any(|own| own == "*" || own == item)
}

pub(crate) fn resource_matches(rule: &Rule, request: &Request) -> bool {
    let full = request.full_resource();
    let any_with_sub = request.subresource.as_ref().map(|sub| format!("*/{sub}"));
    rule.resources
        .iter()
        .any(|own| own == "*" || *own == full || Some(own) == any_with_sub.as_ref())
}

pub(crate) fn name_matches(rule: &Rule, request: &Request) -> bool {
    rule.resource_names.is_empty()
        || request
            .name
            .as_ref()
            .is_some_and(|name| rule.resource_names.contains(name))
}

fn url_matches(pattern: &str, url: &str) -> bool {
    pattern == "*" || pattern == url || (pattern.ends_with('*') && url.starts_with(pattern.trim_end_matches('*')))
}

impl Grant<'_> {
    /// `ClusterRoleBinding "b" of ClusterRole "r"`.
    pub(crate) fn in_words(&self) -> String {
        in_words(self.binding)
    }
}

/// A binding with its role, as the API server writes them.
pub(crate) fn in_words(binding: &Binding) -> String {
    let role_kind = if binding.role_is_cluster_role {
        "ClusterRole"
    } else {
        "Role"
    };
    match &binding.namespace {
        None => format!(
            "ClusterRoleBinding {:?} of {role_kind} {:?}",
            binding.name, binding.role_name
        ),
        Some(namespace) => format!(
            "RoleBinding {:?} of {role_kind} {:?}",
            format!("{}/{namespace}", binding.name),
            binding.role_name
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rbac::{RbacObject, parse_object};

    /// The state of the test vectors: kind, JSON.
    const STATE: &[(&str, &str)] = &[
        (
            "clusterrolebindings",
            r#"{"metadata":{"name":"ops"},"roleRef":{"kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"kind":"Group","name":"ops"}]}"#,
        ),
        (
            "rolebindings",
            r#"{"metadata":{"name":"viewers","namespace":"dev"},"roleRef":{"kind":"ClusterRole","name":"view"},"subjects":[{"kind":"Group","name":"devs"}]}"#,
        ),
        (
            "roles",
            r#"{"metadata":{"name":"logs","namespace":"dev"},"rules":[{"apiGroups":[""],"resources":["pods/log"],"verbs":["get"]}]}"#,
        ),
        (
            "rolebindings",
            r#"{"metadata":{"name":"logs","namespace":"dev"},"roleRef":{"kind":"Role","name":"logs"},"subjects":[{"kind":"User","name":"dave"}]}"#,
        ),
        (
            "clusterroles",
            r#"{"metadata":{"name":"scaler"},"rules":[{"apiGroups":["apps"],"resources":["*/scale"],"verbs":["update"]}]}"#,
        ),
        (
            "clusterrolebindings",
            r#"{"metadata":{"name":"scale"},"roleRef":{"kind":"ClusterRole","name":"scaler"},"subjects":[{"kind":"User","name":"hpa"}]}"#,
        ),
        (
            "roles",
            r#"{"metadata":{"name":"one","namespace":"dev"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","update"],"resourceNames":["app"]}]}"#,
        ),
        (
            "rolebindings",
            r#"{"metadata":{"name":"cm","namespace":"dev"},"roleRef":{"kind":"Role","name":"one"},"subjects":[{"kind":"User","name":"erin"}]}"#,
        ),
        (
            "roles",
            r#"{"metadata":{"name":"podder","namespace":"dev"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["create"]}]}"#,
        ),
        (
            "rolebindings",
            r#"{"metadata":{"name":"sa","namespace":"dev"},"roleRef":{"kind":"Role","name":"podder"},"subjects":[{"kind":"ServiceAccount","name":"bot"}]}"#,
        ),
        (
            "clusterroles",
            r#"{"metadata":{"name":"urls"},"rules":[{"nonResourceURLs":["/healthz/*","/metrics"],"verbs":["get"]}]}"#,
        ),
        (
            "clusterrolebindings",
            r#"{"metadata":{"name":"probe"},"roleRef":{"kind":"ClusterRole","name":"urls"},"subjects":[{"kind":"Group","name":"mon"}]}"#,
        ),
        (
            "rolebindings",
            r#"{"metadata":{"name":"ca","namespace":"dev"},"roleRef":{"kind":"ClusterRole","name":"cluster-admin"},"subjects":[{"kind":"User","name":"frank"}]}"#,
        ),
        (
            "clusterrolebindings",
            r#"{"metadata":{"name":"badsa"},"roleRef":{"kind":"ClusterRole","name":"view"},"subjects":[{"kind":"ServiceAccount","name":"x"}]}"#,
        ),
    ];

    fn asks(username: &str, groups: &[&str], verb: &str, what: &str, namespace: Option<&str>) -> bool {
        let objects: Vec<_> = STATE
            .iter()
            .map(|(resource, json)| parse_object(resource, None, json).unwrap())
            .collect();
        let roles = objects.iter().filter_map(|object| {
            if let RbacObject::Role(role) = object {
                Some(role)
            } else {
                None
            }
        });
        let bindings = objects.iter().filter_map(|object| {
            if let RbacObject::Binding(binding) = object {
                Some(binding)
            } else {
                None
            }
        });
        let rbac = Rbac::new(roles, bindings, |_, _| false);
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        rbac.allows(&Asker::new(username, &groups), &request(verb, what, namespace))
            .is_some()
    }

    /// `deployments.apps/scale` or `/url`, a name behind a blank.
    fn request(verb: &str, what: &str, namespace: Option<&str>) -> Request {
        if what.starts_with('/') {
            return Request {
                verb: verb.into(),
                url: Some(what.into()),
                ..Request::default()
            };
        }
        let (what, name) = what
            .split_once(' ')
            .map_or((what, None), |(what, name)| (what, Some(name.to_owned())));
        let (what, sub) = what
            .split_once('/')
            .map_or((what, None), |(what, sub)| (what, Some(sub.to_owned())));
        let (resource, group) = what.split_once('.').unwrap_or((what, ""));
        Request {
            verb: verb.into(),
            api_group: group.into(),
            resource: resource.into(),
            subresource: sub,
            namespace: namespace.map(str::to_owned),
            name,
            url: None,
        }
    }

    #[test]
    fn the_vectors_of_the_domain_document_hold() {
        let (dev, prod) = (Some("dev"), Some("prod"));
        for (number, expected, username, groups, verb, what, namespace) in [
            (1, true, "any", &["system:masters"][..], "delete", "nodes", None),
            (2, true, "any", &["ops"], "frobnicate", "widgets.example.com", prod),
            (2, true, "any", &["ops"], "get", "/metrics", None),
            (3, true, "any", &["devs"], "list", "pods", dev),
            (4, false, "any", &["devs"], "list", "pods", None),
            (5, false, "any", &["devs"], "list", "secrets", dev),
            (6, true, "any", &["devs"], "get", "pods/log", dev),
            (7, false, "dave", &[], "get", "pods", dev),
            (8, true, "dave", &[], "get", "pods/log", dev),
            (8, false, "dave", &[], "get", "pods/log", prod),
            (9, false, "Dave", &[], "get", "pods/log", dev),
            (10, true, "hpa", &[], "update", "deployments.apps/scale", prod),
            (10, false, "hpa", &[], "update", "deployments.apps", prod),
            (11, true, "erin", &[], "get", "configmaps app", dev),
            (11, false, "erin", &[], "list", "configmaps", dev),
            (13, true, "system:serviceaccount:dev:bot", &[], "create", "pods", dev),
            (
                13,
                false,
                "system:serviceaccount:dev:bot",
                &[],
                "create",
                "pods",
                Some("default"),
            ),
            (14, false, "system:serviceaccount:prod:bot", &[], "create", "pods", dev),
            (15, true, "any", &["mon"], "get", "/healthz/etcd", None),
            (15, true, "any", &["mon"], "get", "/metrics", None),
            (15, false, "any", &["mon"], "post", "/metrics", None),
            (16, true, "frank", &[], "delete", "pods", dev),
            (16, false, "frank", &[], "get", "nodes", None),
            (
                16,
                true,
                "frank",
                &[],
                "create",
                "rolebindings.rbac.authorization.k8s.io",
                dev,
            ),
            (17, false, "system:serviceaccount:default:x", &[], "list", "pods", None),
            (20, true, "system:anonymous", &[], "get", "/version", None),
            (20, false, "system:anonymous", &[], "list", "pods", None),
            (
                21,
                true,
                "any",
                &[],
                "create",
                "selfsubjectaccessreviews.authorization.k8s.io",
                None,
            ),
        ] {
            assert_eq!(
                asks(username, groups, verb, what, namespace),
                expected,
                "vector {number}: {username} {verb} {what} in {namespace:?}"
            );
        }
    }

    /// Cases of Kubernetes' own tests (`plugin/pkg/auth/authorizer/rbac/rbac_test.go`): a rule, then requests that it does and does not
    /// allow. Resources are written as in [`request`].
    const OF_KUBERNETES: &[(&str, &[&str], &[&str])] = &[
        (
            r#"{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}"#,
            &["get Pods", "watch Pods", "watch Foobar"],
            &["get /apis"],
        ),
        (
            r#"{"verbs":["get"],"nonResourceURLs":["/apis"]}"#,
            &["get /apis"],
            &["watch /apis", "get /api/v1", "get /apis/v1", "get apis"],
        ),
        (
            r#"{"verbs":["*"],"nonResourceURLs":["/apis"]}"#,
            &["get /apis", "watch /apis"],
            &["get /api/v1"],
        ),
        (
            r#"{"verbs":["get"],"nonResourceURLs":["/apis/*"]}"#,
            &["get /apis/v1", "get /apis/v1/foobar"],
            &["get /api/v1", "get /apis"],
        ),
        (
            r#"{"verbs":["*"],"apiGroups":["*"],"resources":["pods"]}"#,
            &["get pods"],
            &["get pods/status"],
        ),
        (
            r#"{"verbs":["*"],"apiGroups":["*"],"resources":["pods/status"]}"#,
            &["get pods/status"],
            &["get pods", "get pods/log"],
        ),
        (
            r#"{"verbs":["*"],"apiGroups":["group1"],"resources":["resource1"]}"#,
            &["verb1 resource1.group1", "verb2 resource1.group1"],
            &[
                "verb1 resource1.group2",
                "verb1 resource2.group1",
                "verb2 resource2.group2",
            ],
        ),
        (
            r#"{"verbs":["verb1"],"apiGroups":["*"],"resources":["resource1"]}"#,
            &["verb1 resource1.group1", "verb1 resource1.group2", "verb1 resource1"],
            &["verb2 resource1.group1", "verb1 resource2.group1"],
        ),
        (
            r#"{"verbs":["verb1"],"apiGroups":["group1"],"resources":["*"]}"#,
            &[
                "verb1 resource1.group1",
                "verb1 resource2.group1",
                "verb1 resource2.group1/sub",
            ],
            &["verb1 resource1.group2", "verb2 resource1.group1"],
        ),
        (
            r#"{"verbs":["verb1","verb2"],"apiGroups":["group1","group2"],"resources":["resource1","resource2"]}"#,
            &[
                "verb1 resource1.group1",
                "verb1 resource2.group2",
                "verb2 resource1.group2",
                "verb2 resource2.group1",
            ],
            &[
                "verb3 resource1.group1",
                "verb1 resource3.group1",
                "verb1 resource1.group3",
            ],
        ),
        (
            r#"{"verbs":["*"],"apiGroups":["*"],"resources":["resource1/subresource1"]}"#,
            &[
                "verb1 resource1.group1/subresource1",
                "verb2 resource1.group1/subresource1",
            ],
            &[
                "verb1 resource1.group2/subresource2",
                "verb1 resource2.group1/subresource1",
                "verb1 resource1.group1",
            ],
        ),
        (
            r#"{"verbs":["verb1"],"nonResourceURLs":["*"]}"#,
            &["verb1 /foo", "verb1 /foo/bar", "verb1 /foo/bar/one"],
            &["verb2 /foo", "verb2 /foo/bar/one"],
        ),
        (
            r#"{"verbs":["verb1"],"nonResourceURLs":["/foo/*"]}"#,
            &["verb1 /foo/bar", "verb1 /foo/baz", "verb1 /foo/bar/one"],
            &["verb1 /foo", "verb1 /notfoo", "verb2 /foo/bar"],
        ),
    ];

    #[test]
    fn the_tables_of_kubernetes_hold() {
        for (rule, allowed, refused) in OF_KUBERNETES {
            let json = format!(r#"{{"metadata":{{"name":"r"}},"rules":[{rule}]}}"#);
            let Some(RbacObject::Role(role)) = parse_object("clusterroles", None, &json) else {
                panic!("{json}");
            };
            for (asked, expected) in allowed
                .iter()
                .map(|ask| (ask, true))
                .chain(refused.iter().map(|ask| (ask, false)))
            {
                let (verb, what) = asked.split_once(' ').unwrap();
                assert_eq!(
                    rule_allows(&role.rules[0], &request(verb, what, Some("ns1"))),
                    expected,
                    "{rule}: {asked}"
                );
            }
        }
    }
}
