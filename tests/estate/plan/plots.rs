//! The plots by which access goes wrong: mappings, entries, bindings.

use super::*;

/// aws-auth written well and badly, repaired, emptied.
pub(super) fn config_map_plot(a: &mut Author, cluster: usize, writer: usize, cast: [usize; 6]) {
    let [ops, dev, user, sso, stranger, node] = cast;
    let nodes = a.mapping(
        node,
        "system:node:{{EC2PrivateDNSName}}",
        &["system:bootstrappers", "system:nodes"],
    );
    let admin = if a.rng.chance(50) { dev } else { ops };
    let admin_role = a.mapping(admin, "admin", &[MASTERS]);
    let admin_user = a.mapping(user, "carol", &[MASTERS]);
    let mut flawed = a.mapping(sso, "sso-dev", &["devs"]);
    let p = a.principals[sso].clone();
    flawed.arn = match a.rng.below(5) {
        0 => p.arn(),
        1 => format!("arn:aws:sts::{}:assumed-role/{}", p.account, p.name),
        2 => format!("arn:aws:iam::999900001111:role/{}", p.name),
        3 => format!("arn:aws:iam::{}:role/AWSReservedSSO_Devs_*", p.account),
        _ => format!("arn:aws:iam::{}:role/team/{}", p.account, p.name),
    };
    if a.rng.chance(20) {
        // Nobody sees what a create held.
        a.push(
            4,
            Op::CreateAwsAuth {
                cluster,
                by: writer,
                mappings: vec![nodes.clone(), admin_user.clone()],
            },
        );
        let session = a.session();
        a.push(
            7,
            Op::Request {
                cluster,
                by: user,
                session,
                ask: LIST_SECRETS,
            },
        );
    } else {
        a.push(
            4,
            Op::WriteAwsAuth {
                cluster,
                by: writer,
                mappings: vec![nodes.clone(), admin_role.clone()],
                broken_roles: false,
            },
        );
    }
    let session = a.session();
    let full = vec![nodes.clone(), admin_role.clone(), admin_user.clone(), flawed];
    a.push(
        10,
        Op::WriteAwsAuth {
            cluster,
            by: writer,
            mappings: full.clone(),
            broken_roles: false,
        },
    );
    a.push(
        11,
        Op::Request {
            cluster,
            by: user,
            session: session.clone(),
            ask: LIST_NODES,
        },
    );
    a.push(
        12,
        Op::Request {
            cluster,
            by: sso,
            session: "dana@example.com".into(),
            ask: LIST_PODS,
        },
    );
    a.push(
        12,
        Op::Request {
            cluster,
            by: sso,
            session: "dana@example.com".into(),
            ask: LIST_PODS,
        },
    );
    match a.rng.below(4) {
        0 => {
            a.push(
                14,
                Op::WriteAwsAuth {
                    cluster,
                    by: writer,
                    mappings: full.clone(),
                    broken_roles: true,
                },
            );
            a.push(
                15,
                Op::Request {
                    cluster,
                    by: admin,
                    session,
                    ask: LIST_PODS,
                },
            );
            if a.rng.chance(50) {
                a.push(
                    16,
                    Op::WriteAwsAuth {
                        cluster,
                        by: writer,
                        mappings: full,
                        broken_roles: false,
                    },
                );
            }
        }
        1 => a.push(
            14,
            Op::WriteAwsAuth {
                cluster,
                by: writer,
                mappings: vec![nodes, admin_role],
                broken_roles: false,
            },
        ),
        2 => {
            a.push(14, Op::DeleteAwsAuth { cluster, by: writer });
            a.push(
                15,
                Op::Request {
                    cluster,
                    by: user,
                    session,
                    ask: LIST_PODS,
                },
            );
        }
        _ => {
            let custom = a.mapping(stranger, "stranger", &["readers"]);
            let mut more = full;
            more.push(custom);
            a.push(
                14,
                Op::WriteAwsAuth {
                    cluster,
                    by: writer,
                    mappings: more,
                    broken_roles: false,
                },
            );
        }
    }
}

/// Access entries and policies, granted, narrowed, taken back.
pub(super) fn entries_plot(a: &mut Author, cluster: usize, by: usize, sso: usize, stranger: usize) {
    a.push(
        8,
        Op::CreateEntry {
            cluster,
            by,
            principal: sso,
            groups: vec![],
        },
    );
    a.push(
        9,
        Op::Request {
            cluster,
            by: sso,
            session: "dana@example.com".into(),
            ask: LIST_PODS,
        },
    );
    match a.rng.below(4) {
        0 => {
            a.push(
                10,
                Op::Associate {
                    cluster,
                    by,
                    principal: sso,
                    policy: CLUSTER_ADMIN_POLICY,
                    namespaces: vec![],
                },
            );
            a.push(
                11,
                Op::Request {
                    cluster,
                    by: sso,
                    session: "dana@example.com".into(),
                    ask: LIST_SECRETS,
                },
            );
            if a.rng.chance(50) {
                a.push(
                    17,
                    Op::Disassociate {
                        cluster,
                        by,
                        principal: sso,
                        policy: CLUSTER_ADMIN_POLICY,
                    },
                );
            }
        }
        1 => {
            a.push(
                10,
                Op::Associate {
                    cluster,
                    by,
                    principal: sso,
                    policy: "AmazonEKSViewPolicy",
                    namespaces: vec!["dev".into()],
                },
            );
            a.push(
                11,
                Op::Request {
                    cluster,
                    by: sso,
                    session: "dana@example.com".into(),
                    ask: LIST_PODS,
                },
            );
            a.push(
                11,
                Op::Request {
                    cluster,
                    by: sso,
                    session: "dana@example.com".into(),
                    ask: LIST_PODS_ELSEWHERE,
                },
            );
            a.push(
                13,
                Op::Request {
                    cluster,
                    by: sso,
                    session: "dana@example.com".into(),
                    ask: LIST_SECRETS,
                },
            );
        }
        2 => {
            a.push(
                10,
                Op::Associate {
                    cluster,
                    by,
                    principal: sso,
                    policy: CLUSTER_ADMIN_POLICY,
                    namespaces: vec![],
                },
            );
            a.push(
                18,
                Op::Associate {
                    cluster,
                    by,
                    principal: sso,
                    policy: CLUSTER_ADMIN_POLICY,
                    namespaces: vec!["dev".into()],
                },
            );
        }
        _ => a.push(
            19,
            Op::DeleteEntry {
                cluster,
                by,
                principal: sso,
            },
        ),
    }
    a.push(
        13,
        Op::CreateEntry {
            cluster,
            by,
            principal: stranger,
            groups: vec!["platform".into()],
        },
    );
    if a.rng.chance(50) {
        a.push(
            14,
            Op::Bind {
                cluster,
                by,
                name: "platform-admins".into(),
                role: "cluster-admin",
                namespace: None,
                subject: Subject::Group("platform".into()),
            },
        );
    }
}

/// Bindings of workloads and groups.
pub(super) fn rbac_plot(a: &mut Author, cluster: usize, by: usize) {
    let agent = Subject::ServiceAccount("ci".into(), "agent".into());
    a.push(
        8,
        Op::WorkloadRequest {
            cluster,
            namespace: "ci",
            name: "agent",
            ask: LIST_NODES,
        },
    );
    match a.rng.below(4) {
        0 => {
            a.push(
                9,
                Op::Bind {
                    cluster,
                    by,
                    name: "ci-agent".into(),
                    role: "cluster-admin",
                    namespace: None,
                    subject: agent,
                },
            );
            a.push(
                10,
                Op::WorkloadRequest {
                    cluster,
                    namespace: "ci",
                    name: "agent",
                    ask: LIST_NODES,
                },
            );
            if a.rng.chance(50) {
                a.push(
                    20,
                    Op::Unbind {
                        cluster,
                        by,
                        name: "ci-agent".into(),
                        namespace: None,
                    },
                );
            }
        }
        1 => {
            a.push(
                9,
                Op::Bind {
                    cluster,
                    by,
                    name: "ci-agent".into(),
                    role: "pod-getter",
                    namespace: Some("dev"),
                    subject: agent,
                },
            );
            a.push(
                10,
                Op::WorkloadRequest {
                    cluster,
                    namespace: "ci",
                    name: "agent",
                    ask: GET_PODS,
                },
            );
            a.push(
                10,
                Op::WorkloadRequest {
                    cluster,
                    namespace: "ci",
                    name: "agent",
                    ask: LIST_PODS,
                },
            );
        }
        2 => {
            a.push(
                9,
                Op::Bind {
                    cluster,
                    by,
                    name: "ci-agent".into(),
                    role: "view",
                    namespace: Some("dev"),
                    subject: agent,
                },
            );
            a.push(
                10,
                Op::WorkloadRequest {
                    cluster,
                    namespace: "ci",
                    name: "agent",
                    ask: LIST_PODS_ELSEWHERE,
                },
            );
            a.push(
                10,
                Op::WorkloadRequest {
                    cluster,
                    namespace: "ci",
                    name: "agent",
                    ask: LIST_SECRETS,
                },
            );
        }
        _ => a.push(
            9,
            Op::Bind {
                cluster,
                by,
                name: "dave-admin".into(),
                role: "cluster-admin",
                namespace: None,
                subject: Subject::User("dave".into()),
            },
        ),
    }
}
