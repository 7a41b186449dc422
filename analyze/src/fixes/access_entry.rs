//! Access entries and their policies: the domain's template M1, from the mode that the cluster is in now.
//!
//! Rule: EKS User Guide, "Grant IAM users access to Kubernetes with EKS access entries". CONFIG_MAP has no entries before the mode is
//! changed, which cannot be undone. Associating a policy again replaces its scope: every namespace that stands is named again.

use eksplain_parse::region::partition_of;
use eksplain_queries::facts::Micros;

use super::names::{WholeArn, cluster_itself, elsewhere, of_cluster, region_of};
use super::{NOW, fix};
use crate::findings::{Cluster, Fix};
use crate::knowledge::Measure;
use crate::rbac::{Request, policies};
use crate::shell::quote;
use crate::state::{AccessEntry, Incarnation, Mode};

/// The commands that let a cluster read access entries, before one is made.
pub(crate) fn opening(cluster: &Cluster, mode: Mode) -> Vec<String> {
    match mode {
        Mode::ConfigMap => vec![
            format!(
                "aws eks update-cluster-config {} --access-config authenticationMode=API_AND_CONFIG_MAP",
                cluster_itself(cluster)
            ),
            format!("aws eks wait cluster-active {}", cluster_itself(cluster)),
        ],
        Mode::Unknown => vec![show_mode(cluster)],
        Mode::Api | Mode::ApiAndConfigMap | Mode::SomeApi => Vec::new(),
    }
}

/// Prints the mode.
pub(crate) fn show_mode(cluster: &Cluster) -> String {
    format!(
        "aws eks describe-cluster {} --query cluster.accessConfig.authenticationMode --output text",
        cluster_itself(cluster)
    )
}

/// What a title says of the mode.
fn opening_note(mode: Mode) -> &'static str {
    match mode {
        Mode::ConfigMap => "; this first changes the mode to API_AND_CONFIG_MAP, which cannot be undone",
        Mode::Unknown => {
            "; the mode is not in these logs: the first command prints it, and entries need API or API_AND_CONFIG_MAP"
        }
        Mode::Api | Mode::ApiAndConfigMap | Mode::SomeApi => "",
    }
}

/// Who is to get an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'k> {
    /// A person or a program, that may look at one namespace.
    Viewer(&'k str),
    /// An EC2 instance of the cluster.
    Node,
}

/// An entry for a principal that has none.
pub(crate) fn admit(life: &Incarnation<'_>, principal: &str, arn: &WholeArn, kind: Kind<'_>) -> Fix {
    let (cluster, mode) = (&life.cluster, life.mode_at(NOW));
    let mut commands = opening(cluster, mode);
    commands.extend(arn.look().cloned());
    let place = of_cluster(cluster);
    let note = format!(
        "{}{}{}",
        opening_note(mode),
        arn.note(),
        elsewhere(&cluster.account, principal)
    );
    match kind {
        Kind::Node => {
            commands.push(format!(
                "aws eks create-access-entry {place} --principal-arn {} --type EC2_LINUX",
                arn.word
            ));
            fix(
                format!(
                    "Create an access entry for nodes (EC2_WINDOWS for Windows; a node needs no access policy){note}"
                ),
                commands,
            )
        }
        Kind::Viewer(namespace) => {
            commands.push(format!(
                "aws eks create-access-entry {place} --principal-arn {} --type STANDARD",
                arn.word
            ));
            commands.push(associate(
                cluster,
                arn,
                "AmazonEKSViewPolicy",
                Some(&[namespace.to_owned()]),
            ));
            fix(
                format!("Create an access entry that may view one namespace; replace {namespace} with its name{note}"),
                commands,
            )
        }
    }
}

/// Gives an entry a policy; `None` at cluster scope.
fn associate(cluster: &Cluster, arn: &WholeArn, policy: &str, namespaces: Option<&[String]>) -> String {
    let scope = match namespaces {
        None => "type=cluster".to_owned(),
        Some(namespaces) => quote(&format!("type=namespace,namespaces={}", namespaces.join(","))),
    };
    format!(
        "aws eks associate-access-policy {} --principal-arn {} --policy-arn arn:{}:eks::aws:cluster-access-policy/{policy} --access-scope {scope}",
        of_cluster(cluster),
        arn.word,
        partition_of(&cluster.region)
    )
}

/// The commands that make a principal cluster admin by an access entry.
pub(crate) fn admin(cluster: &Cluster, arn: &WholeArn) -> Vec<String> {
    vec![
        format!(
            "aws eks create-access-entry {} --principal-arn {} --type STANDARD",
            of_cluster(cluster),
            arn.word
        ),
        associate(cluster, arn, policies::CLUSTER_ADMIN, None),
    ]
}

/// The same by names alone.
pub(crate) fn admin_entry_commands(cluster: &str, region: &str, principal_arn: &str) -> Vec<String> {
    let cluster = Cluster {
        account: String::new(),
        region: region.to_owned(),
        name: cluster.to_owned(),
    };
    admin(&cluster, &WholeArn::known(principal_arn))
}

/// A policy that covers a request, for an entry that is there.
pub(crate) struct PolicyFix {
    pub(crate) fix: Fix,
    /// It gives about what was asked, in one namespace: the way to choose first.
    pub(crate) is_narrow: bool,
}

/// The narrowest policy that covers a request, with the scope that the entry has already; `None` where only cluster admin would.
pub(crate) fn policy(life: &Incarnation<'_>, entry: &AccessEntry, asked: &Request) -> Option<PolicyFix> {
    const NARROW_TO_WIDE: [&str; 5] = [
        "AmazonEKSSecretReaderPolicy",
        "AmazonEKSViewPolicy",
        "AmazonEKSEditPolicy",
        "AmazonEKSAdminPolicy",
        "AmazonEKSAdminViewPolicy",
    ];
    let cluster = &life.cluster;
    let has = |policy: &&str| {
        entry
            .associations_at(NOW)
            .any(|association| association.policy == *policy)
    };
    let mut covering = NARROW_TO_WIDE
        .into_iter()
        .filter(|policy| policies::rules_allow(policy, asked));
    let narrowest = covering.clone().next()?;
    // The one that is there already serves first: only its scope grows.
    let policy = covering.find(has).unwrap_or(narrowest);
    let standing = entry
        .associations_at(NOW)
        .find(|association| association.policy == policy);
    let mut scope: Option<Vec<String>> = asked.namespace.clone().map(|namespace| vec![namespace]);
    let mut title = format!("Give the access entry {policy} in the namespace asked for");
    if asked.namespace.is_none() {
        title = format!("Give the access entry {policy} in the whole cluster");
    }
    if let Some((namespaces, scope)) = standing
        .and_then(|association| association.namespaces.as_ref())
        .zip(scope.as_mut())
    {
        for namespace in namespaces
            .iter()
            .rev()
            .filter(|namespace| *namespace != &scope[0])
            .cloned()
            .collect::<Vec<_>>()
        {
            scope.insert(0, namespace);
        }
        title = format!(
            "Add the namespace to the scope of {policy}; the current namespaces are listed again, because the scope is replaced"
        );
    }
    let arn = WholeArn::known(&entry.principal_arn);
    let mut commands = Vec::new();
    if life.entries_doubt_at(life.logs.lake_end(), Measure::Standing).is_some() {
        commands.push(list_policies(cluster, &arn));
        title.push_str("; the first command shows the current scope: list each of its namespaces too");
    }
    commands.push(associate(cluster, &arn, policy, scope.as_deref()));
    Some(PolicyFix {
        fix: fix(title, commands),
        is_narrow: asked.namespace.is_some() && policy != "AmazonEKSAdminViewPolicy",
    })
}

fn list_policies(cluster: &Cluster, arn: &WholeArn) -> String {
    format!(
        "aws eks list-associated-access-policies {} --principal-arn {}",
        of_cluster(cluster),
        arn.word
    )
}

/// Deletes an entry.
pub(crate) fn delete(cluster: &Cluster, arn: &WholeArn) -> String {
    format!(
        "aws eks delete-access-entry {} --principal-arn {}",
        of_cluster(cluster),
        arn.word
    )
}

/// Deletes a stale entry and makes it again, with everything that it had at a moment; `arn` is the principal's of now, whose path may be
/// another.
pub(crate) fn renew(cluster: &Cluster, entry: &AccessEntry, at: Micros, arn: &WholeArn) -> Fix {
    let mut commands = vec![delete(cluster, &WholeArn::known(&entry.principal_arn))];
    commands.extend(restoring(cluster, entry, at, arn));
    fix(
        "Delete the access entry and create it again, with the type, user name, groups and policies it had",
        commands,
    )
}

/// Makes an entry again that was deleted, with everything that it had at a moment.
pub(crate) fn restore(cluster: &Cluster, entry: &AccessEntry, at: Micros) -> Fix {
    fix(
        "Create the access entry again, with the type, user name, groups and policies it had",
        restoring(cluster, entry, at, &WholeArn::known(&entry.principal_arn)),
    )
}

/// The entry of a principal that was renamed or moved: the old one is found by its list, because no record shows it.
pub(crate) fn renew_renamed(cluster: &Cluster, arn: &WholeArn) -> Fix {
    let place = of_cluster(cluster);
    let old = WholeArn::known("OLD_PRINCIPAL_ARN");
    let commands = vec![
        format!("aws eks list-access-entries {place}"),
        format!("aws eks describe-access-entry {place} --principal-arn {}", old.word),
        list_policies(cluster, &old),
        format!(
            "aws eks create-access-entry {place} --principal-arn {} --type STANDARD",
            arn.word
        ),
        delete(cluster, &old),
    ];
    fix(
        "Create an entry for the new ARN with the user name, groups and policies that the first three commands show of the old one, then delete the old one; or rename the user back",
        arn.before(commands),
    )
}

/// The commands that make an entry as it was at a moment.
fn restoring(cluster: &Cluster, entry: &AccessEntry, at: Micros, arn: &WholeArn) -> Vec<String> {
    let kind = entry.entry_type.as_deref().unwrap_or("STANDARD");
    let mut create = format!(
        "aws eks create-access-entry {} --principal-arn {} --type {}",
        of_cluster(cluster),
        arn.word,
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
    let policies = entry.associations_at(at);
    commands.extend(
        policies.map(|association| associate(cluster, arn, &association.policy, association.namespaces.as_deref())),
    );
    commands
}

/// Gives an entry a group more; the groups that it has are named again, because the list is replaced.
pub(crate) fn add_group(cluster: &Cluster, entry: &AccessEntry, group: &str) -> String {
    let groups = entry.groups_at(NOW).iter().map(String::as_str).chain([group]);
    let words: Vec<String> = groups.map(quote).collect();
    format!(
        "aws eks update-access-entry {} --principal-arn {} --kubernetes-groups {}",
        of_cluster(cluster),
        quote(&entry.principal_arn),
        words.join(" ")
    )
}

/// Gives an entry that no record shows a group more.
pub(crate) fn add_group_unseen(cluster: &Cluster, arn: &WholeArn, group: &str) -> Vec<String> {
    let place = of_cluster(cluster);
    arn.before(vec![
        format!("aws eks describe-access-entry {place} --principal-arn {}", arn.word),
        format!(
            "aws eks update-access-entry {place} --principal-arn {} --kubernetes-groups {}",
            arn.word,
            quote(group)
        ),
    ])
}

/// An entry that is there already.
pub(crate) fn look_at_entry(cluster: &str, region: &str, principal: Option<&str>) -> Fix {
    let place = format!("--cluster-name {} --region {}", quote(cluster), region_of(region));
    let commands = match principal {
        Some(arn) => vec![
            format!("aws eks describe-access-entry {place} --principal-arn {}", quote(arn)),
            format!(
                "aws eks list-associated-access-policies {place} --principal-arn {}",
                quote(arn)
            ),
        ],
        None => vec![format!("aws eks list-access-entries {place}")],
    };
    fix(
        "See what the entry has, and add the policy or group that it lacks; delete it first only if its principal was deleted and created again",
        commands,
    )
}
