//! Rarer plots, one of them or none for each cluster: names that hide, grants that end by a stack, scopes, templates, short lives.

use super::*;

/// Who the plots are about.
pub(super) struct Cast {
    pub cluster: usize,
    pub account: String,
    pub mode: Mode,
    /// Who may write to the cluster.
    pub writer: usize,
    pub stranger: usize,
    pub node: usize,
    /// The cluster, its creator and its mode stay to the end by the plan so far.
    pub is_quiet: bool,
}

pub(super) fn more(a: &mut Author, cast: &Cast) {
    match a.rng.below(6) {
        0 => hostile_name(a, cast),
        1 if cast.mode != Mode::ConfigMap => scoped_admin(a, cast),
        2 if cast.mode != Mode::ConfigMap => ended_by_a_stack(a, cast),
        3 if cast.mode != Mode::Api => template(a, cast),
        4 if cast.is_quiet => short_lives(a, cast),
        _ => {}
    }
}

/// A workload that is named as if it were one of Kubernetes' own controllers.
fn hostile_name(a: &mut Author, cast: &Cast) {
    let (cluster, by) = (cast.cluster, cast.writer);
    let subject = Subject::ServiceAccount("kube-system".into(), "x-controller".into());
    let name = "x-controller-admin".to_owned();
    a.push(
        15,
        Op::Bind {
            cluster,
            by,
            name: name.clone(),
            role: "cluster-admin",
            namespace: None,
            subject,
        },
    );
    a.push(
        16,
        Op::WorkloadRequest {
            cluster,
            namespace: "kube-system",
            name: "x-controller",
            ask: LIST_SECRETS,
        },
    );
    if a.rng.chance(50) {
        a.push(
            25,
            Op::Unbind {
                cluster,
                by,
                name,
                namespace: None,
            },
        );
    }
}

/// The admin policy in some namespaces only: its uses there prove no power over the cluster.
fn scoped_admin(a: &mut Author, cast: &Cast) {
    let (cluster, by) = (cast.cluster, cast.writer);
    let scoped = a.principal(Kind::Role, &cast.account, "/", &format!("scoped-{cluster}"), 1);
    a.push(
        10,
        Op::CreateEntry {
            cluster,
            by,
            principal: scoped,
            groups: vec![],
        },
    );
    let namespaces = vec!["dev".into(), "dev-*".into()];
    a.push(
        11,
        Op::Associate {
            cluster,
            by,
            principal: scoped,
            policy: CLUSTER_ADMIN_POLICY,
            namespaces,
        },
    );
    let elsewhere = Ask {
        namespace: Some("dev-a"),
        ..LIST_SECRETS
    };
    for ask in [LIST_SECRETS, elsewhere, CREATE_PODS, LIST_PODS_ELSEWHERE] {
        a.push(
            12,
            Op::Request {
                cluster,
                by: scoped,
                session: "erin".into(),
                ask,
            },
        );
    }
}

/// An entry that CloudFormation takes away when its stack changes.
fn ended_by_a_stack(a: &mut Author, cast: &Cast) {
    let (cluster, by) = (cast.cluster, cast.writer);
    let stacked = a.principal(Kind::Role, &cast.account, "/stacks/", &format!("stacked-{cluster}"), 1);
    a.push(
        10,
        Op::CreateEntry {
            cluster,
            by,
            principal: stacked,
            groups: vec![],
        },
    );
    a.push(
        11,
        Op::Associate {
            cluster,
            by,
            principal: stacked,
            policy: CLUSTER_ADMIN_POLICY,
            namespaces: vec![],
        },
    );
    a.push(
        20,
        Op::StackDeletesEntry {
            cluster,
            by,
            principal: stacked,
        },
    );
}

/// A user name that is made of the session's: a binding of one such name leads back to the mapping.
fn template(a: &mut Author, cast: &Cast) {
    let (cluster, by) = (cast.cluster, cast.writer);
    let team = a.principal(Kind::Role, &cast.account, "/", &format!("team-{cluster}"), 1);
    let nodes = a.mapping(
        cast.node,
        "system:node:{{EC2PrivateDNSName}}",
        &["system:bootstrappers", "system:nodes"],
    );
    let mut mappings = vec![nodes, a.mapping(team, "team:{{SessionName}}", &["team"])];
    if cast.mode == Mode::ConfigMap {
        // Whoever writes must go on to be let in.
        mappings.push(a.mapping(by, "writer", &[MASTERS]));
    }
    a.push(
        25,
        Op::WriteAwsAuth {
            cluster,
            by,
            mappings,
            broken_roles: false,
        },
    );
    let subject = Subject::User("team:frank".into());
    a.push(
        26,
        Op::Bind {
            cluster,
            by,
            name: "frank-admin".into(),
            role: "cluster-admin",
            namespace: None,
            subject,
        },
    );
    a.push(
        27,
        Op::Request {
            cluster,
            by: team,
            session: "frank".into(),
            ask: LIST_SECRETS,
        },
    );
}

/// Deleted and created again on one day, with uses of both lives.
fn short_lives(a: &mut Author, cast: &Cast) {
    let cluster = cast.cluster;
    let again = a.principal(Kind::Role, &cast.account, "/", &format!("third-{cluster}"), 1);
    let uses = |a: &mut Author, by: usize| {
        a.push(
            37,
            Op::Request {
                cluster,
                by,
                session: "gina".into(),
                ask: LIST_NODES,
            },
        );
    };
    uses(a, cast.writer);
    a.push(
        37,
        Op::DeleteCluster {
            cluster,
            by: cast.stranger,
        },
    );
    let session = "gina".to_owned();
    a.push(
        37,
        Op::CreateCluster {
            cluster,
            by: again,
            session,
            mode: Mode::ConfigMap,
            mode_said: false,
            bootstrap: None,
        },
    );
    uses(a, again);
}
