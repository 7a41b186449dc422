//! Mappings in aws-auth: the domain's templates M2 and M3, and what was there before.
//!
//! Rule: aws-iam-authenticator compares roles without their path and users with it. A mapping that was right is never taken away; what
//! is written over the ConfigMap is its own last content, and only where what is there now is known to be broken or gone.

use eksplain_parse::arn::Arn;
use eksplain_parse::aws_auth::Mapping;

use super::access_entry::show_mode;
use super::names::of_region;
use super::{NOW, fix, with_file};
use crate::findings::{Cluster, Fix};
use crate::knowledge::{Known, Measure};
use crate::shell::quote;
use crate::state::aws_auth::Content;
use crate::state::{Incarnation, Mode};

/// The groups of a node.
const NODE_GROUPS: [&str; 2] = ["system:bootstrappers", "system:nodes"];

/// Prints what is there.
pub(crate) fn show() -> String {
    "kubectl -n kube-system get configmap aws-auth -o yaml".to_owned()
}

fn edit() -> String {
    "kubectl -n kube-system edit configmap aws-auth".to_owned()
}

/// Adds a mapping.
pub(crate) fn create<'g>(
    cluster: &Cluster,
    arn: &str,
    username: &str,
    groups: impl IntoIterator<Item = &'g str>,
) -> String {
    let groups: String = groups
        .into_iter()
        .map(|group| format!(" --group {}", quote(group)))
        .collect();
    let username = match username {
        "" => String::new(),
        name => format!(" --username {}", quote(name)),
    };
    format!(
        "eksctl create iamidentitymapping {} --arn {}{username}{groups} --no-duplicate-arns",
        of_region(cluster),
        quote(arn)
    )
}

fn delete(cluster: &Cluster, arn: &str) -> String {
    format!(
        "eksctl delete iamidentitymapping {} --arn {} --all",
        of_region(cluster),
        quote(arn)
    )
}

fn again(cluster: &Cluster, mapping: &Mapping) -> String {
    create(
        cluster,
        &mapping.arn,
        &mapping.username,
        mapping.groups.iter().map(String::as_str),
    )
}

/// A mapping for a principal that has none; `arn` is the one that aws-auth compares.
pub(crate) fn map(life: &Incarnation<'_>, arn: &str, is_node: bool) -> Fix {
    let cluster = &life.cluster;
    let is_unknown = life.mode_at(NOW) == Mode::Unknown;
    let note = match is_unknown {
        true => {
            "; the mode is not in these logs: the first command prints it, and mappings need CONFIG_MAP or API_AND_CONFIG_MAP"
        }
        false => "",
    };
    let mut commands: Vec<String> = is_unknown.then(|| show_mode(cluster)).into_iter().collect();
    if is_node {
        commands.push(create(cluster, arn, "system:node:{{EC2PrivateDNSName}}", NODE_GROUPS));
        return fix(format!("Map the nodes' role in aws-auth{note}"), commands);
    }
    let username = Arn::parse(arn).map_or("USERNAME", |arn| arn.name()).to_owned();
    commands.push(create(cluster, arn, &username, ["GROUP"]));
    fix(
        format!("Map it in aws-auth to a group that a binding names; replace GROUP with the group's name{note}"),
        commands,
    )
}

/// Writes the right mapping in place of one that matches nobody, or beside one that may be somebody's.
pub(crate) fn correct(cluster: &Cluster, wrong: &Mapping, right: &str, is_nobodys: bool) -> Fix {
    let mut commands = vec![create(
        cluster,
        right,
        &wrong.username,
        wrong.groups.iter().map(String::as_str),
    )];
    // eksctl takes no ARN that is none.
    if !is_nobodys {
        return fix(
            "Map the caller in aws-auth as the similar mapping does, if it was meant for the caller; the similar one stays, because it may be somebody else's",
            commands,
        );
    }
    if Arn::parse(&wrong.arn).is_err() || wrong.arn.trim() != wrong.arn {
        commands.push(edit());
        return fix(
            "Add the right mapping to aws-auth, then remove the wrong one in the editor",
            commands,
        );
    }
    commands.push(delete(cluster, &wrong.arn));
    fix(
        "Correct the mapping in aws-auth: add the right one, then remove the one that matches nobody",
        commands,
    )
}

/// Writes a mapping with other groups or another user name in place of the one of the same ARN.
pub(crate) fn rewrite(cluster: &Cluster, right: &Mapping) -> Fix {
    let groups = right.groups.iter().map(String::as_str);
    fix(
        "Correct the groups of the mapping in aws-auth",
        vec![
            delete(cluster, &right.arn),
            create(cluster, &right.arn, &right.username, groups),
        ],
    )
}

/// Writes a mapping again as it was.
pub(crate) fn restore(cluster: &Cluster, mapping: &Mapping) -> Fix {
    if mapping.is_sso {
        return fix("Add the entry to aws-auth again, as it was", vec![edit()]);
    }
    fix("Map it in aws-auth again, as it was", vec![again(cluster, mapping)])
}

/// Writes the mappings again that went with one write.
pub(crate) fn restore_all(cluster: &Cluster, lost: &[&Mapping]) -> Option<Fix> {
    (lost.len() > 1).then(|| {
        fix(
            "Map everything again that was removed with it; what is there now stays",
            lost.iter().map(|mapping| again(cluster, mapping)).collect(),
        )
    })
}

/// Whether what is there now is known to be broken, empty or gone: only then may older content be written over it.
fn may_be_replaced(life: &Incarnation<'_>) -> bool {
    match life.aws_auth_at(life.logs.lake_end(), Measure::Standing) {
        Known::Absent => true,
        Known::Is(content) => content.auth.mappings.is_empty() || is_broken(content),
        Known::Unknown(_) => false,
    }
}

/// Whether a section of it does not parse.
pub(crate) fn is_broken(content: &Content) -> bool {
    content.auth.problems.iter().any(|problem| problem.lost_section)
}

/// Puts the last content that parsed back, where that is known and harmless; else shows what is there.
pub(crate) fn put_back(life: &Incarnation<'_>, good: Option<&Content>, what: &str) -> Fix {
    let who = "as an admin whom aws-auth does not map: the creator, or an access entry";
    match good.filter(|_| may_be_replaced(life)) {
        Some(content) => with_file(
            format!("{what}: save the manifest as aws-auth.yaml and apply it, {who}"),
            vec![
                format!("{} --ignore-not-found > aws-auth-backup.yaml", show()),
                "kubectl apply -f aws-auth.yaml".to_owned(),
            ],
            &manifest(content),
        ),
        None => fix(
            format!("See what aws-auth contains now and correct it, {who}; these logs do not show its present content"),
            vec![show(), edit()],
        ),
    }
}

/// The ConfigMap with this content.
pub(crate) fn manifest(content: &Content) -> serde_json::Value {
    serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}, "data": content.data})
}

/// A group or user name of a mapping that was written wrong.
pub(crate) fn correct_names(what: &str) -> Fix {
    fix(format!("Correct {what} in aws-auth"), vec![show(), edit()])
}
