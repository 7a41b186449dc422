//! Fixes of `check`: commands with this cluster's names filled in, quoted, with the region.

use eksplain_parse::arn::Arn;
use eksplain_parse::region::partition_of;
use serde_json::Value;

use crate::creators::admin_entry_commands;
use crate::findings::{Cluster, Fix};
use crate::rbac::Binding;
use crate::shell::quote;
use crate::state::Mode;
use crate::state::aws_auth::Content;

pub(super) fn commands(title: impl Into<String>, commands: Vec<String>) -> Fix {
    Fix {
        title: title.into(),
        commands,
        manifest: None,
    }
}

/// The cluster as most commands name it; a region that is not known stands in capitals.
pub(super) fn cluster_and_region(cluster: &Cluster) -> (String, String) {
    let region = if cluster.region.is_empty() {
        "REGION".to_owned()
    } else {
        quote(&cluster.region)
    };
    (quote(&cluster.name), region)
}

/// For what no command can correct without guessing.
pub(super) fn edit_aws_auth(title: impl Into<String>) -> Fix {
    commands(title, vec!["kubectl -n kube-system edit configmap aws-auth".to_owned()])
}

/// Takes one mapping away and leaves the rest.
pub(super) fn remove_mapping(cluster: &Cluster, arn: &str) -> Fix {
    let (name, region) = cluster_and_region(cluster);
    commands(
        "Remove the mapping; the others stay",
        vec![format!(
            "eksctl delete iamidentitymapping --cluster {name} --region {region} --arn {} --all",
            quote(arn)
        )],
    )
}

/// aws-auth as it was, as a manifest.
pub(super) fn restore_aws_auth(title: &str, content: &Content) -> Fix {
    aws_auth_of(title, &content.data)
}

/// aws-auth with this `data`, as a manifest.
pub(super) fn aws_auth_of(title: &str, data: &Value) -> Fix {
    let manifest = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}, "data": data});
    Fix {
        title: format!("{title}, as an admin whom aws-auth does not map (the creator, or an access entry)"),
        commands: vec!["kubectl apply -f aws-auth.json".to_owned()],
        manifest: serde_json::to_string_pretty(&manifest).ok(),
    }
}

/// Gives a key of aws-auth the name that is read.
pub(super) fn rename_key(from: &str, to: &str) -> Fix {
    let pointer = from.replace('~', "~0").replace('/', "~1");
    let patch = serde_json::json!([{"op": "move", "from": format!("/data/{pointer}"), "path": format!("/data/{to}")}]);
    commands(
        format!("Rename the key to {to}"),
        vec![format!(
            "kubectl -n kube-system patch configmap aws-auth --type json -p {}",
            quote(&patch.to_string())
        )],
    )
}

/// A second admin, by what the mode reads.
pub(super) fn second_admin(cluster: &Cluster, mode: Mode) -> Vec<Fix> {
    let (name, region) = cluster_and_region(cluster);
    let account = if cluster.account.is_empty() {
        "ACCOUNT"
    } else {
        &cluster.account
    };
    let arn = format!("arn:{}:iam::{account}:role/SECOND_ADMIN", partition_of(&cluster.region));
    let entry = || {
        admin_entry_commands(
            &cluster.name,
            if cluster.region.is_empty() {
                "REGION"
            } else {
                &cluster.region
            },
            &arn,
        )
    };
    let mut changed = vec![
        format!(
            "aws eks update-cluster-config --name {name} --region {region} --access-config authenticationMode=API_AND_CONFIG_MAP"
        ),
        format!("aws eks wait cluster-active --name {name} --region {region}"),
    ];
    changed.extend(entry());
    let by_mapping = commands(
        "Create a second admin in aws-auth, as the remaining one; replace SECOND_ADMIN with its role",
        vec![format!(
            "eksctl create iamidentitymapping --cluster {name} --region {region} --arn {arn} --username second-admin --group system:masters --no-duplicate-arns"
        )],
    );
    let by_entry = commands(
        "Create a second admin with an access entry; replace SECOND_ADMIN with its role",
        entry(),
    );
    let by_change = commands(
        "Let the cluster read access entries too, which cannot be undone, and create a second admin with one; replace SECOND_ADMIN with its role",
        changed,
    );
    match mode {
        Mode::ConfigMap => vec![by_change, by_mapping],
        Mode::Api | Mode::ApiAndConfigMap | Mode::SomeApi => vec![by_entry],
        Mode::Unknown => vec![
            commands(
                "See which mode the cluster has",
                vec![format!(
                    "aws eks describe-cluster --name {name} --region {region} --query cluster.accessConfig.authenticationMode"
                )],
            ),
            by_entry,
        ],
    }
}

/// Deletes an entry that admits nobody.
pub(super) fn delete_entry(cluster: &Cluster, arn: &str) -> Fix {
    let (name, region) = cluster_and_region(cluster);
    commands(
        "Delete the access entry",
        vec![format!(
            "aws eks delete-access-entry --cluster-name {name} --region {region} --principal-arn {}",
            quote(arn)
        )],
    )
}

/// Turns a log type on.
pub(super) fn log_on(cluster: &Cluster, kind: &str) -> Fix {
    let (name, region) = cluster_and_region(cluster);
    let logging = serde_json::json!({"clusterLogging": [{"types": [kind], "enabled": true}]});
    commands(
        "Turn it on",
        vec![format!(
            "aws eks update-cluster-config --name {name} --region {region} --logging {}",
            quote(&logging.to_string())
        )],
    )
}

/// Who may become a role, and what it may do.
pub(super) fn look_at(principal: &str) -> Option<Fix> {
    let arn = Arn::parse(principal).ok()?;
    let name = quote(arn.name());
    let command = match arn.resource.split('/').next()? {
        "role" => format!("aws iam get-role --role-name {name}"),
        "user" => format!("aws iam get-user --user-name {name}"),
        _ => return None,
    };
    Some(commands("See who made it and who may use it", vec![command]))
}

/// `clusterrolebinding name`, `rolebinding name -n ns`.
pub(super) fn binding_words(binding: &Binding) -> String {
    match binding.namespace.as_deref() {
        Some(namespace) => format!("rolebinding {} -n {}", quote(&binding.name), quote(namespace)),
        None => format!("clusterrolebinding {}", quote(&binding.name)),
    }
}
