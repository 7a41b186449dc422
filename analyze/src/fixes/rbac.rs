//! Roles and bindings: the domain's template B1 for exactly the refused request, and corrections of a binding or role that was meant.
//!
//! Rule: kubernetes/kubernetes RBAC. A name in the request is a name in the rule. The user is bound, and a group only where it is the
//! caller's own or the user name changes with each login. Patches test what they replace, so that they change nothing else.

use serde_json::{Value, json};

use super::fix;
use super::names::unique_name;
use crate::findings::{Fix, RequestShape};
use crate::rbac::{Binding, Role, Rule, Subject, service_account};
use crate::shell::quote;

const GROUP: &str = "rbac.authorization.k8s.io";

/// A user as a subject of bindings.
pub(crate) fn subject_of_user(username: &str) -> Subject {
    match service_account(username) {
        Some((namespace, name)) => Subject::ServiceAccount {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        },
        None => Subject::User(username.to_owned()),
    }
}

fn subject_flag(subject: &Subject) -> String {
    match subject {
        Subject::User(name) => format!("--user={}", quote(name)),
        Subject::Group(name) => format!("--group={}", quote(name)),
        Subject::ServiceAccount { namespace, name } => {
            format!("--serviceaccount={}", quote(&format!("{namespace}:{name}")))
        }
    }
}

fn subject_object(subject: &Subject) -> Value {
    match subject {
        Subject::User(name) => json!({"kind": "User", "name": name, "apiGroup": GROUP}),
        Subject::Group(name) => json!({"kind": "Group", "name": name, "apiGroup": GROUP}),
        Subject::ServiceAccount { namespace, name } => {
            json!({"kind": "ServiceAccount", "name": name, "namespace": namespace})
        }
    }
}

/// The subject in the name of what is made for it, and the whole of it.
fn subject_words(subject: &Subject) -> (Vec<&str>, Vec<&str>) {
    match subject {
        // Of an ARN its end tells people apart; the hash has all of it.
        Subject::User(name) if name.starts_with("arn:") => {
            let end = name.split_once('/').map_or(name.as_str(), |(_, end)| end);
            (vec![end], vec![name])
        }
        Subject::User(name) => (vec![name], vec![name]),
        Subject::Group(name) => (vec!["group", name], vec!["group", name]),
        Subject::ServiceAccount { namespace, name } => (vec!["sa", namespace, name], vec!["sa", namespace, name]),
    }
}

/// What a rule for exactly one request says.
struct Exact<'r> {
    verb: &'r str,
    group: &'r str,
    /// `pods/log`.
    resource: String,
    /// As kubectl writes it: `deployments.apps/scale`.
    resource_arg: String,
    name: Option<&'r str>,
    url: Option<&'r str>,
}

impl<'r> Exact<'r> {
    fn of(request: &'r RequestShape) -> Self {
        let resource = request.resource.as_deref().unwrap_or_default();
        let group = request.api_group.as_deref().unwrap_or_default();
        let sub = request
            .subresource
            .as_ref()
            .map(|sub| format!("/{sub}"))
            .unwrap_or_default();
        let dotted = match group {
            "" => resource.to_owned(),
            group => format!("{resource}.{group}"),
        };
        Self {
            verb: request.verb.as_deref().unwrap_or("get"),
            group,
            resource: format!("{resource}{sub}"),
            resource_arg: format!("{dotted}{sub}"),
            name: request.name.as_deref(),
            url: request.non_resource_url.as_deref(),
        }
    }

    fn flags(&self) -> String {
        let what = match self.url {
            Some(url) => format!("--non-resource-url={}", quote(url)),
            None => format!("--resource={}", quote(&self.resource_arg)),
        };
        let name = self
            .name
            .map(|name| format!(" --resource-name={}", quote(name)))
            .unwrap_or_default();
        format!("--verb={} {what}{name}", quote(self.verb))
    }

    fn rule(&self) -> Value {
        let mut rule = match self.url {
            Some(url) => json!({"nonResourceURLs": [url], "verbs": [self.verb]}),
            None => json!({"apiGroups": [self.group], "resources": [self.resource], "verbs": [self.verb]}),
        };
        if let Some(name) = self.name {
            rule["resourceNames"] = json!([name]);
        }
        rule
    }
}

/// Role and binding for exactly this request; the shape has a name only where the rule is to have it.
pub(crate) fn exact(request: &RequestShape, subject: &Subject) -> Fix {
    let exact = Exact::of(request);
    let group = exact.group.split('.').next().unwrap_or_default();
    let what = exact.url.unwrap_or(&exact.resource);
    let words = ["allow", exact.verb, what, group, exact.name.unwrap_or_default()];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let (shown, all) = subject_words(subject);
    let name = unique_name(&[&words[..], &shown].concat(), &[&words[..], &all].concat());
    let namespace = request.namespace.as_deref().filter(|_| exact.url.is_none());
    let (role, binding) = match namespace {
        Some(_) => ("Role", "RoleBinding"),
        None => ("ClusterRole", "ClusterRoleBinding"),
    };
    let place = namespace
        .map(|namespace| format!(" -n {}", quote(namespace)))
        .unwrap_or_default();
    let (role_command, role_flag) = (role.to_lowercase(), format!("--{}={name}", role.to_lowercase()));
    let mut meta = json!({"name": name});
    if let Some(namespace) = namespace {
        meta["namespace"] = namespace.into();
    }
    let api = format!("{GROUP}/v1");
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": api, "kind": role, "metadata": meta, "rules": [exact.rule()]},
        {"apiVersion": api, "kind": binding, "metadata": meta, "roleRef": {"apiGroup": GROUP, "kind": role, "name": name},
         "subjects": [subject_object(subject)]}]});
    let title = match (namespace, exact.name) {
        (Some(namespace), Some(object)) => format!("Allow exactly this, for {object}, in namespace {namespace}"),
        (Some(namespace), None) => format!("Allow exactly this in namespace {namespace}"),
        (None, Some(object)) => format!("Allow exactly this, for {object}, in the whole cluster"),
        (None, None) => "Allow exactly this in the whole cluster".to_owned(),
    };
    Fix {
        title,
        commands: vec![
            format!("kubectl create {role_command} {name}{place} {}", exact.flags()),
            format!(
                "kubectl create {} {name}{place} {role_flag} {}",
                binding.to_lowercase(),
                subject_flag(subject)
            ),
        ],
        manifest: serde_json::to_string_pretty(&objects).ok(),
    }
}

/// The same for every name that was refused alike; `last` is the one that the fix was made for.
pub(crate) fn for_names(fix: &mut Fix, last: &str, names: &[&str]) {
    const MOST: usize = 20;
    let flag = |name: &str| format!(" --resource-name={}", quote(name));
    let Some(rest) = fix
        .commands
        .first()
        .and_then(|command| command.strip_suffix(&flag(last)))
    else {
        return;
    };
    let count = names.len();
    let listed = &names[..count.min(MOST)];
    fix.commands[0] = format!("{rest}{}", listed.iter().map(|name| flag(name)).collect::<String>());
    let mut objects: Value = fix
        .manifest
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    if let Some(rule) = objects.pointer_mut("/items/0/rules/0") {
        rule["resourceNames"] = json!(listed);
        fix.manifest = serde_json::to_string_pretty(&objects).ok();
    }
    fix.title = match count <= MOST {
        true => format!("Allow exactly this, for the {count} names that were refused"),
        false => format!(
            "Allow exactly this, for the first {MOST} of {count} names that were refused; leave --resource-name out to allow it for all"
        ),
    };
}

/// The role that a binding names and that does not exist, with exactly what was asked for.
pub(crate) fn missing_role(request: &RequestShape, role: &str, is_cluster_role: bool) -> Fix {
    let flags = Exact::of(request).flags();
    let (kind, place) = match request.namespace.as_deref().filter(|_| !is_cluster_role) {
        Some(namespace) => ("role", format!(" -n {}", quote(namespace))),
        None => ("clusterrole", String::new()),
    };
    fix(
        format!(
            "Create the {kind} that the binding names, with exactly this permission; everybody in the binding gets it"
        ),
        vec![format!("kubectl create {kind}{place} {flags} {}", object_name(role))],
    )
}

fn binding_command(binding: &Binding) -> String {
    let name = object_name(&binding.name);
    match &binding.namespace {
        Some(namespace) => format!("-n {} rolebinding {name}", quote(namespace)),
        None => format!("clusterrolebinding {name}"),
    }
}

/// Names of RBAC objects may be anything that fits into a path: one that looks like a flag goes behind none.
fn object_name(name: &str) -> String {
    match name.starts_with('-') {
        true => format!("-- {}", quote(name)),
        false => quote(name),
    }
}

fn patch(object: &str, operations: &Value) -> String {
    format!(
        "kubectl patch {object} --type=json -p {}",
        quote(&operations.to_string())
    )
}

/// Corrects a subject of a binding that was meant for the caller.
pub(crate) fn correct_subject(binding: &Binding, wrong: &Subject, right: &Subject) -> Fix {
    let index = binding
        .subjects
        .iter()
        .position(|subject| subject == wrong)
        .unwrap_or_default();
    let name = match wrong {
        Subject::User(name) | Subject::Group(name) | Subject::ServiceAccount { name, .. } => name,
    };
    let operations = json!([
        {"op": "test", "path": format!("/subjects/{index}/name"), "value": name},
        {"op": "replace", "path": format!("/subjects/{index}"), "value": subject_object(right)},
    ]);
    fix(
        format!("Correct the subject of the binding {}", binding.name),
        vec![patch(&binding_command(binding), &operations)],
    )
}

/// Adds the API group that a rule lacks.
pub(crate) fn correct_api_group(role: &Role, rule: &Rule, group: &str) -> Option<Fix> {
    let index = role.rules.iter().position(|known| known == rule)?;
    // What a controller copies is written over again.
    if !role.aggregates.is_empty() {
        return None;
    }
    let object = match &role.namespace {
        Some(namespace) => format!("-n {} role {}", quote(namespace), object_name(&role.name)),
        None => format!("clusterrole {}", object_name(&role.name)),
    };
    let operations = json!([
        {"op": "test", "path": format!("/rules/{index}/resources"), "value": rule.resources},
        {"op": "add", "path": format!("/rules/{index}/apiGroups/-"), "value": group},
    ]);
    Some(fix(
        format!("Add the API group {group:?} to the rule of {}", role.name),
        vec![patch(&object, &operations)],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(name: Option<&str>) -> RequestShape {
        RequestShape {
            verb: Some("get".to_owned()),
            api_group: Some("apps".to_owned()),
            resource: Some("deployments".to_owned()),
            subresource: Some("scale".to_owned()),
            namespace: Some("dev".to_owned()),
            name: name.map(str::to_owned),
            ..RequestShape::default()
        }
    }

    #[test]
    fn a_rule_has_what_was_asked_and_no_more() {
        let fix = exact(&shape(Some("web")), &Subject::User("dave".to_owned()));
        assert_eq!(
            fix.commands,
            [
                "kubectl create role allow-get-deployments-scale-apps-web-dave -n dev --verb=get --resource=deployments.apps/scale --resource-name=web",
                "kubectl create rolebinding allow-get-deployments-scale-apps-web-dave -n dev --role=allow-get-deployments-scale-apps-web-dave --user=dave",
            ]
        );
        let manifest: Value = serde_json::from_str(fix.manifest.as_deref().unwrap()).unwrap();
        assert_eq!(manifest["items"][0]["rules"][0]["resourceNames"], json!(["web"]));
    }

    #[test]
    fn two_subjects_and_two_requests_never_share_a_name() {
        let subjects = [
            "dave",
            "Dave",
            "arn:aws:sts::111122223333:assumed-role/dev/dave",
            "arn:aws:sts::111122223333:assumed-role/ops/dave",
        ];
        let names: std::collections::BTreeSet<String> = subjects
            .iter()
            .flat_map(|user| {
                [
                    exact(&shape(None), &Subject::User((*user).to_owned())),
                    exact(&shape(None), &Subject::Group((*user).to_owned())),
                ]
            })
            .map(|fix| fix.commands[0].split(' ').nth(3).unwrap().to_owned())
            .collect();
        assert_eq!(names.len(), 8, "{names:?}");
    }
}
