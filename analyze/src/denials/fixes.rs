//! Fixes with names filled in, ready to copy, and what the terminal of the refused shows.

use eksplain_parse::aws_auth::Mapping;
use eksplain_parse::region::partition_of;
use eksplain_queries::facts::Micros;

use crate::findings::{Cluster, Fix, RequestShape};
use crate::rbac::{Request, policies};
use crate::shell::quote;
use crate::state::AccessEntry;

/// A fix of commands.
pub(super) fn fix(title: &str, commands: Vec<String>) -> Fix {
    Fix {
        title: title.to_owned(),
        commands,
        manifest: None,
    }
}

fn region(cluster: &Cluster) -> String {
    if cluster.region.is_empty() {
        "REGION".to_owned()
    } else {
        quote(&cluster.region)
    }
}

/// Access entry with a policy for one namespace; the ARN is the one with the path.
pub(super) fn access_entry(cluster: &Cluster, arn: &str, namespace: Option<&str>) -> Fix {
    let (name, region, partition) = (quote(&cluster.name), region(cluster), partition_of(&cluster.region));
    let scope = namespace.map_or("type=cluster".to_owned(), |namespace| {
        format!("type=namespace,namespaces={}", quote(namespace))
    });
    fix(
        "Make an access entry (modes API and API_AND_CONFIG_MAP), with the role's path in the ARN",
        vec![
            format!(
                "aws eks create-access-entry --cluster-name {name} --region {region} --principal-arn {}",
                quote(arn)
            ),
            format!(
                "aws eks associate-access-policy --cluster-name {name} --region {region} --principal-arn {} --policy-arn \
                 arn:{partition}:eks::aws:cluster-access-policy/AmazonEKSViewPolicy --access-scope {scope}",
                quote(arn)
            ),
        ],
    )
}

/// A policy for an entry that stands: the narrowest that covers the request.
pub(super) fn access_policy(cluster: &Cluster, arn: &str, namespace: Option<&str>, asked: &Request) -> Fix {
    const NARROW_TO_WIDE: [&str; 5] = [
        "AmazonEKSSecretReaderPolicy",
        "AmazonEKSViewPolicy",
        "AmazonEKSEditPolicy",
        "AmazonEKSAdminPolicy",
        "AmazonEKSClusterAdminPolicy",
    ];
    let policy = NARROW_TO_WIDE
        .into_iter()
        .find(|policy| policies::rules_allow(policy, asked))
        .unwrap_or(policies::CLUSTER_ADMIN);
    let (name, region, partition) = (quote(&cluster.name), region(cluster), partition_of(&cluster.region));
    let scope = namespace.map_or("type=cluster".to_owned(), |namespace| {
        format!("type=namespace,namespaces={}", quote(namespace))
    });
    let command = format!(
        "aws eks associate-access-policy --cluster-name {name} --region {region} --principal-arn {} --policy-arn \
         arn:{partition}:eks::aws:cluster-access-policy/{policy} --access-scope {scope}",
        quote(arn)
    );
    fix(
        "Associate a policy that covers it (this replaces the scope that the same policy has now: name every namespace)",
        vec![command],
    )
}

/// A mapping in aws-auth; the ARN is the one without a role's path.
pub(super) fn mapping(cluster: &Cluster, arn: &str) -> Fix {
    let command = format!(
        "eksctl create iamidentitymapping --cluster {} --region {} --arn {} --username USERNAME --group GROUP --no-duplicate-arns",
        quote(&cluster.name),
        region(cluster),
        quote(arn)
    );
    fix(
        "Map it in aws-auth (modes CONFIG_MAP and API_AND_CONFIG_MAP), without a role's path in the ARN",
        vec![command],
    )
}

/// Takes a wrong mapping away and writes the right one.
pub(crate) fn replace_mapping(cluster: &Cluster, wrong: &str, right: &str, username: &str, groups: &[String]) -> Fix {
    let (name, region) = (quote(&cluster.name), region(cluster));
    let groups: String = groups
        .iter()
        .map(|group| format!(" --group {}", quote(group)))
        .collect();
    fix(
        "Correct the mapping in aws-auth",
        vec![
            format!(
                "eksctl delete iamidentitymapping --cluster {name} --region {region} --arn {} --all",
                quote(wrong)
            ),
            format!(
                "eksctl create iamidentitymapping --cluster {name} --region {region} --arn {} --username {}{groups} --no-duplicate-arns",
                quote(right),
                quote(username)
            ),
        ],
    )
}

/// Writes a mapping again as it was.
pub(super) fn restore_mapping(cluster: &Cluster, mapping: &Mapping) -> Fix {
    let groups: String = mapping
        .groups
        .iter()
        .map(|group| format!(" --group {}", quote(group)))
        .collect();
    fix(
        "Map it in aws-auth again, as it was",
        vec![format!(
            "eksctl create iamidentitymapping --cluster {} --region {} --arn {} --username {}{groups} --no-duplicate-arns",
            quote(&cluster.name),
            region(cluster),
            quote(&mapping.arn),
            quote(&mapping.username)
        )],
    )
}

/// Deletes a stale entry and makes it again, with everything that it had at a moment.
pub(crate) fn renew_entry(cluster: &Cluster, entry: &AccessEntry, at: Micros) -> Fix {
    let mut commands = vec![delete_entry(cluster, &entry.principal_arn)];
    commands.extend(entry_commands(cluster, entry, at));
    fix(
        "Delete the access entry and create it again, with the type, groups and policies it had",
        commands,
    )
}

/// Makes an entry again that was deleted, with everything that it had at a moment.
pub(super) fn restore_entry(cluster: &Cluster, entry: &AccessEntry, at: Micros) -> Fix {
    fix(
        "Create the access entry again, with the type, groups and policies it had",
        entry_commands(cluster, entry, at),
    )
}

/// The same of an entry that no record shows.
pub(super) fn renew_entry_of(cluster: &Cluster, arn: &str) -> Fix {
    let (name, region, arn) = (quote(&cluster.name), region(cluster), quote(arn));
    fix(
        "Delete the access entry and create it again; the first two commands show the groups and policies to give it",
        vec![
            format!("aws eks describe-access-entry --cluster-name {name} --region {region} --principal-arn {arn}"),
            format!(
                "aws eks list-associated-access-policies --cluster-name {name} --region {region} --principal-arn {arn}"
            ),
            format!("aws eks delete-access-entry --cluster-name {name} --region {region} --principal-arn {arn}"),
            format!("aws eks create-access-entry --cluster-name {name} --region {region} --principal-arn {arn}"),
        ],
    )
}

fn delete_entry(cluster: &Cluster, arn: &str) -> String {
    format!(
        "aws eks delete-access-entry --cluster-name {} --region {} --principal-arn {}",
        quote(&cluster.name),
        region(cluster),
        quote(arn)
    )
}

/// The commands that make an entry as it was at a moment.
fn entry_commands(cluster: &Cluster, entry: &AccessEntry, at: Micros) -> Vec<String> {
    let (name, region, partition) = (quote(&cluster.name), region(cluster), partition_of(&cluster.region));
    let arn = quote(&entry.principal_arn);
    let kind = entry.entry_type.as_deref().unwrap_or("STANDARD");
    let mut create = format!(
        "aws eks create-access-entry --cluster-name {name} --region {region} --principal-arn {arn} --type {}",
        quote(kind)
    );
    let groups = entry.groups_at(at);
    // EKS chooses user name and groups of entries for nodes itself.
    if kind == "STANDARD" {
        if !groups.is_empty() {
            let words: Vec<String> = groups.iter().map(|group| quote(group)).collect();
            create.push_str(&format!(" --kubernetes-groups {}", words.join(" ")));
        }
        if let Some(username) = entry.username.as_deref().filter(|name| !name.starts_with("arn:")) {
            create.push_str(&format!(" --username {}", quote(username)));
        }
    }
    let mut commands = vec![create];
    for association in entry.associations_at(at) {
        let scope = match &association.namespaces {
            None => "type=cluster".to_owned(),
            Some(namespaces) => format!("type=namespace,namespaces={}", quote(&namespaces.join(","))),
        };
        commands.push(format!(
            "aws eks associate-access-policy --cluster-name {name} --region {region} --principal-arn {arn} --policy-arn \
             arn:{partition}:eks::aws:cluster-access-policy/{} --access-scope {scope}",
            association.policy
        ));
    }
    commands
}

/// How to see what the refused identity is.
pub(super) fn verify() -> Fix {
    fix(
        "Check as the refused identity",
        vec![
            "aws sts get-caller-identity".to_owned(),
            "kubectl auth whoami".to_owned(),
        ],
    )
}

/// A subject that a binding may name.
pub(super) enum Named<'n> {
    User(&'n str),
    Group(&'n str),
    ServiceAccount(&'n str, &'n str),
}

/// Role and binding for exactly this request.
pub(super) fn role_and_binding(request: &RequestShape, subject: &Named<'_>) -> Vec<Fix> {
    let verb = request.verb.as_deref().unwrap_or("get");
    let (flag, kind, subject_name, subject_namespace) = match subject {
        Named::User(name) => (format!("--user={}", quote(name)), "User", (*name).to_owned(), None),
        Named::Group(name) => (format!("--group={}", quote(name)), "Group", (*name).to_owned(), None),
        Named::ServiceAccount(namespace, name) => (
            format!("--serviceaccount={}", quote(&format!("{namespace}:{name}"))),
            "ServiceAccount",
            (*name).to_owned(),
            Some((*namespace).to_owned()),
        ),
    };
    let resource = request.resource.as_deref().unwrap_or_default();
    let full = request
        .subresource
        .as_ref()
        .map_or(resource.to_owned(), |sub| format!("{resource}/{sub}"));
    let group = request.api_group.as_deref().unwrap_or_default();
    let with_group = match (group, &request.subresource) {
        ("", _) => full.clone(),
        (group, Some(sub)) => format!("{resource}.{group}/{sub}"),
        (group, None) => format!("{resource}.{group}"),
    };
    let what = match &request.non_resource_url {
        Some(url) => format!("--non-resource-url={}", quote(url)),
        None => format!("--resource={}", quote(&with_group)),
    };
    let name = "allow-refused-request";
    let mut subject_json = serde_json::json!({"kind": kind, "name": subject_name});
    match subject_namespace {
        Some(namespace) => subject_json["namespace"] = namespace.into(),
        None => subject_json["apiGroup"] = "rbac.authorization.k8s.io".into(),
    }
    let rule = match &request.non_resource_url {
        Some(url) => serde_json::json!({"nonResourceURLs": [url], "verbs": [verb]}),
        None => serde_json::json!({"apiGroups": [group], "resources": [full], "verbs": [verb]}),
    };
    let manifest = |role: &str, binding: &str, namespace: Option<&str>| {
        let mut meta = serde_json::json!({"name": name});
        if let Some(namespace) = namespace {
            meta["namespace"] = namespace.into();
        }
        let api = "rbac.authorization.k8s.io/v1";
        let role_object = serde_json::json!({"apiVersion": api, "kind": role, "metadata": meta, "rules": [rule]});
        let binding_object = serde_json::json!({"apiVersion": api, "kind": binding, "metadata": meta,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name}, "subjects": [subject_json]});
        serde_json::to_string_pretty(
            &serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [role_object, binding_object]}),
        )
        .ok()
    };
    match request
        .namespace
        .as_deref()
        .filter(|_| request.non_resource_url.is_none())
    {
        Some(namespace) => vec![Fix {
            title: format!("Allow exactly this in namespace {namespace}"),
            commands: vec![
                format!(
                    "kubectl create role {name} -n {} --verb={} {what}",
                    quote(namespace),
                    quote(verb)
                ),
                format!(
                    "kubectl create rolebinding {name} -n {} --role={name} {flag}",
                    quote(namespace)
                ),
            ],
            manifest: manifest("Role", "RoleBinding", Some(namespace)),
        }],
        None => vec![Fix {
            title: "Allow exactly this in the whole cluster".to_owned(),
            commands: vec![
                format!("kubectl create clusterrole {name} --verb={} {what}", quote(verb)),
                format!("kubectl create clusterrolebinding {name} --clusterrole={name} {flag}"),
            ],
            manifest: manifest("ClusterRole", "ClusterRoleBinding", None),
        }],
    }
}
