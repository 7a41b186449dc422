//! Bindings of everybody and of nobody, and rights without bounds.

use std::collections::BTreeSet;

use super::fix::{binding_words, commands};
use super::{Asked, Check};
use crate::evidence;
use crate::findings::{Evidence, Fix};
use crate::knowledge::Measure;
use crate::rbac::{Binding, Rbac, Role, Subject, in_words};
use crate::shell::quote;
use crate::state::Mode;
use crate::words::{Rule, Severity};

impl Asked<'_, '_> {
    pub(super) fn bindings(&self) -> Vec<Check> {
        let rbac = self.life.rbac_at(self.at, Measure::Standing);
        let mut checks = Vec::new();
        let mut judged = BTreeSet::new();
        let own = rbac
            .bindings()
            .iter()
            .filter(|binding| !binding.is_default || !is_default_scope(binding));
        for binding in own {
            let mut found: Vec<Check> = binding
                .subjects
                .iter()
                .filter_map(|subject| of_everybody(binding, subject))
                .collect();
            found.extend(
                binding
                    .subjects
                    .iter()
                    .filter_map(|subject| self.template(binding, subject)),
            );
            match rbac.role_of(binding) {
                None => found.push(role_missing(binding)),
                Some(role) => {
                    found.extend(wildcard(&rbac, binding, role));
                    // One role in several bindings is one fault.
                    if judged.insert((role.namespace.as_deref(), role.name.as_str())) {
                        found.extend(wrong_api_group(role));
                    }
                }
            }
            let proof: Option<Evidence> = self
                .life
                .rbac
                .last_write(binding)
                .map(|mark| evidence::any(mark, in_words(binding)));
            checks.extend(found.into_iter().map(|check| check.proof(proof.clone())));
        }
        checks
    }

    /// RBAC compares subjects to the letter: a template in one is never rendered.
    fn template(&self, binding: &Binding, subject: &Subject) -> Option<Check> {
        let (Subject::User(name) | Subject::Group(name)) = subject else {
            return None;
        };
        if !name.contains("{{") {
            return None;
        }
        let message = format!(
            "{} names {name:?}: RBAC renders no templates, so this subject can never match anybody",
            in_words(binding)
        );
        let fix = self.by_group(binding, name).unwrap_or_else(|| {
            commands(
                "Name the users as they log in, or a group that their mapping gives them",
                vec![format!("kubectl edit {}", binding_words(binding))],
            )
        });
        Some(Check::new(Rule::RbacTemplateSubject, Severity::Medium, &binding.name, message).fix([fix]))
    }

    /// The same role for the group of the mapping that renders this user name.
    fn by_group(&self, binding: &Binding, template: &str) -> Option<Fix> {
        let (content, _) = self
            .aws_auth_now()
            .filter(|_| self.life.mode_at(self.at) != Mode::Api)?;
        let mapping = content
            .auth
            .mappings
            .iter()
            .find(|mapping| mapping.username == template)?;
        let group = mapping
            .groups
            .iter()
            .find(|group| !group.starts_with("system:") && !group.contains("{{"))?;
        let (kind, namespace) = match &binding.namespace {
            Some(namespace) => ("rolebinding", format!(" -n {}", quote(namespace))),
            None => ("clusterrolebinding", String::new()),
        };
        let role = if binding.role_is_cluster_role {
            "clusterrole"
        } else {
            "role"
        };
        let name = quote(&format!("{}-{group}", binding.name).replace(['/', '%'], "-"));
        Some(commands(
            format!(
                "Bind the role to the group {group:?}, which the mapping of {} gives",
                mapping.arn
            ),
            vec![format!(
                "kubectl create {kind} {name}{namespace} --{role}={} --group={}",
                quote(&binding.role_name),
                quote(group)
            )],
        ))
    }
}

/// Rights for everybody, with a credential or without.
fn of_everybody(binding: &Binding, subject: &Subject) -> Option<Check> {
    let who = match subject {
        Subject::Group(name) if name == "system:unauthenticated" || name == "system:authenticated" => name,
        Subject::User(name) if name == "system:anonymous" => name,
        _ => return None,
    };
    let is_harmless = binding.role_name == "system:public-info-viewer";
    let is_old_default = matches!(binding.role_name.as_str(), "system:discovery" | "system:basic-user");
    let words = in_words(binding);
    let delete = || {
        commands(
            "Remove the binding",
            vec![format!("kubectl delete {}", binding_words(binding))],
        )
    };
    let edit = || {
        commands(
            format!("Remove the subject {who} from the binding"),
            vec![format!("kubectl edit {}", binding_words(binding))],
        )
    };
    let (rule, severity, message, fix) = match (who.as_str(), is_old_default) {
        _ if is_harmless => return None,
        ("system:authenticated", true) => return None,
        ("system:authenticated", false) => (
            Rule::RbacAuthenticated,
            Severity::High,
            format!("{words} gives its rights to everybody who can log in"),
            delete(),
        ),
        (_, true) => (
            Rule::RbacAnonymous,
            Severity::Medium,
            format!("{words} lets callers without credentials discover the API: left over from before Kubernetes 1.14"),
            edit(),
        ),
        (_, false) => (
            Rule::RbacAnonymous,
            Severity::Critical,
            format!("{words} gives its rights to the internet: {who} needs no credential"),
            delete(),
        ),
    };
    Some(Check::new(rule, severity, &binding.name, message).fix([fix]))
}

fn role_missing(binding: &Binding) -> Check {
    let message = format!("{} names a role that appears in no record", in_words(binding));
    let role = match (&binding.namespace, binding.role_is_cluster_role) {
        (Some(namespace), false) => format!("role {} -n {}", quote(&binding.role_name), quote(namespace)),
        _ => format!("clusterrole {}", quote(&binding.role_name)),
    };
    let fix = commands("See whether the role exists", vec![format!("kubectl get {role}")]);
    Check::new(Rule::RbacRoleMissing, Severity::Info, &binding.name, message).fix([fix])
}

fn wildcard<'s>(rbac: &Rbac<'s>, binding: &Binding, role: &'s Role) -> Option<Check> {
    let has = |list: &[String]| list.iter().any(|word| word == "*");
    let is_wild = rbac.rules_of(role).any(|rule| has(&rule.verbs) && has(&rule.resources));
    if !is_wild || binding.namespace.is_some() || binding.role_name == "cluster-admin" {
        return None;
    }
    let message = format!(
        "{} allows every verb on every resource of some API groups",
        in_words(binding)
    );
    let fix = commands(
        "Name the verbs and resources that are needed",
        vec![format!("kubectl edit clusterrole {}", quote(&role.name))],
    );
    Some(Check::new(Rule::RbacWildcard, Severity::Medium, &binding.name, message).fix([fix]))
}

/// A rule that names resources of another API group than its own.
fn wrong_api_group(role: &Role) -> Option<Check> {
    let misplaced = |resource: &String| Some((resource.clone(), api_group_of(resource)?));
    let (index, rule, (resource, group)) = role.rules.iter().enumerate().find_map(|(index, rule)| {
        let found = rule
            .resources
            .iter()
            .find_map(misplaced)
            .filter(|_| rule.api_groups == [""])?;
        Some((index, rule, found))
    })?;
    let message = format!(
        "role {:?} names {resource} under the core API group, where it is not: for {resource} the rule allows nothing",
        role.name
    );
    let place = match &role.namespace {
        Some(namespace) => format!("role {} -n {}", quote(&role.name), quote(namespace)),
        None => format!("clusterrole {}", quote(&role.name)),
    };
    let is_all = rule
        .resources
        .iter()
        .all(|resource| api_group_of(resource) == Some(group));
    let fix = match is_all {
        true => {
            let patch =
                serde_json::json!([{"op": "replace", "path": format!("/rules/{index}/apiGroups"), "value": [group]}]);
            let command = format!("kubectl patch {place} --type json -p {}", quote(&patch.to_string()));
            commands(format!("Put the rule under {group}"), vec![command])
        }
        false => commands(
            format!("Give {resource} a rule of its own, with apiGroups: [{group}]"),
            vec![format!("kubectl edit {place}")],
        ),
    };
    Some(Check::new(Rule::RbacWrongApiGroup, Severity::Medium, &role.name, message).fix([fix]))
}

/// Kubernetes's own bindings name only the groups that they are made with.
fn is_default_scope(binding: &Binding) -> bool {
    binding.subjects.iter().all(|subject| match subject {
        Subject::Group(name) => match name.as_str() {
            "system:unauthenticated" => binding.role_name == "system:public-info-viewer",
            "system:authenticated" => matches!(
                binding.role_name.as_str(),
                "system:public-info-viewer" | "system:discovery" | "system:basic-user"
            ),
            _ => true,
        },
        Subject::User(name) => name != "system:anonymous",
        Subject::ServiceAccount { .. } => true,
    })
}

/// The API group of resources that people put under the core group.
fn api_group_of(resource: &str) -> Option<&'static str> {
    Some(match resource.split('/').next()? {
        "deployments" | "daemonsets" | "statefulsets" | "replicasets" => "apps",
        "jobs" | "cronjobs" => "batch",
        "ingresses" | "ingress" | "networkpolicies" => "networking.k8s.io",
        "roles" | "rolebindings" | "clusterroles" | "clusterrolebindings" => "rbac.authorization.k8s.io",
        "horizontalpodautoscalers" => "autoscaling",
        "poddisruptionbudgets" => "policy",
        _ => return None,
    })
}
