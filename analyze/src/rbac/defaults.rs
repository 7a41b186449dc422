//! Roles and bindings that Kubernetes gives every cluster, as far as they decide about people.
//!
//! Source: kubernetes/kubernetes `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`. Roles of controllers and nodes are
//! left out: nobody is reported by them.

use std::sync::LazyLock;

use super::policies::{ADMIN_RULES, EDIT_RULES, RuleText, VIEW_RULES};
use super::{Binding, Role, Rule, Subject};

/// Verbs, API groups, resources.
fn rules(texts: &[RuleText]) -> Vec<Rule> {
    texts.iter().map(RuleText::rule).collect()
}

fn urls(list: &str) -> Rule {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    Rule {
        verbs: words("get"),
        urls: words(list),
        ..Rule::default()
    }
}

static ROLES: LazyLock<Vec<Role>> = LazyLock::new(|| {
    let role = |name: &str, rules: Vec<Rule>| Role {
        name: name.to_owned(),
        rules,
        ..Role::default()
    };
    let any = Rule {
        verbs: vec!["*".into()],
        urls: vec!["*".into()],
        ..Rule::default()
    };
    let public = urls("/healthz /livez /readyz /version /version/");
    let reviews = RuleText(
        "create",
        "authorization.k8s.io",
        "selfsubjectaccessreviews selfsubjectrulesreviews",
    );
    let whoami = RuleText("create", "authentication.k8s.io", "selfsubjectreviews");
    vec![
        role("cluster-admin", vec![RuleText("*", "*", "*").rule(), any]),
        role("admin", rules(ADMIN_RULES)),
        role("edit", rules(EDIT_RULES)),
        role("view", rules(VIEW_RULES)),
        role("system:basic-user", rules(&[reviews, whoami])),
        role(
            "system:discovery",
            vec![
                public.clone(),
                urls("/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/"),
            ],
        ),
        role("system:public-info-viewer", vec![public]),
        role(
            "system:service-account-issuer-discovery",
            vec![urls(
                "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
            )],
        ),
    ]
});

static BINDINGS: LazyLock<Vec<Binding>> = LazyLock::new(|| {
    let binding = |name: &str, groups: &[&str]| Binding {
        namespace: None,
        name: name.to_owned(),
        role_is_cluster_role: true,
        role_name: name.to_owned(),
        subjects: groups.iter().map(|group| Subject::Group((*group).to_owned())).collect(),
        is_default: true,
    };
    vec![
        binding("cluster-admin", &["system:masters"]),
        binding("system:basic-user", &["system:authenticated"]),
        binding("system:discovery", &["system:authenticated"]),
        binding(
            "system:public-info-viewer",
            &["system:authenticated", "system:unauthenticated"],
        ),
        binding("system:service-account-issuer-discovery", &["system:serviceaccounts"]),
    ]
});

/// A ClusterRole that every cluster has.
pub(crate) fn default_role(name: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.name == name)
}

pub(super) fn roles() -> &'static [Role] {
    &ROLES
}

/// Whether every cluster has an object of this name from the beginning.
pub(crate) fn is_default(resource: &str, namespace: Option<&str>, name: &str) -> bool {
    namespace.is_none()
        && match resource {
            "clusterroles" => ROLES.iter().any(|role| role.name == name) || name.starts_with("system:"),
            "clusterrolebindings" => BINDINGS.iter().any(|binding| binding.name == name) || name.starts_with("system:"),
            _ => false,
        }
}

pub(super) fn bindings() -> &'static [Binding] {
    &BINDINGS
}
