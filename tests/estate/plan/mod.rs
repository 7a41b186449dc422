//! What happens to a company: a plan of operations for a seed, made of the plots that access to EKS goes wrong by.

mod more;
mod plots;

use super::rng::Rng;
use super::world::{
    Ask, CLUSTER_ADMIN_POLICY, ClusterName, Kind, MASTERS, Mapping, Mode, Op, Principal, Subject, Time, World,
};
use more::{Cast, more};
use plots::{config_map_plot, entries_plot, rbac_plot};

/// 2026-03-01T00:00:00Z: logs begin here; whatever happened before left none.
pub(crate) const WINDOW_START: Time = 1_772_323_200;
const DAY: Time = 86_400;

pub(crate) struct Estate {
    pub start: World,
    pub plan: Vec<(Time, Op)>,
}

impl Estate {
    /// The same in a shorter time. A lake has a folder for each day, and a question reads each: a company of ten days is as good as
    /// one of forty.
    pub(crate) fn faster(mut self, times: Time) -> Self {
        for (at, _) in &mut self.plan {
            *at = WINDOW_START + (*at - WINDOW_START) / times;
        }
        self
    }
}

const LIST_SECRETS: Ask = Ask {
    verb: "list",
    api_group: "",
    resource: "secrets",
    namespace: Some("dev"),
};
const LIST_PODS: Ask = Ask {
    verb: "list",
    api_group: "",
    resource: "pods",
    namespace: Some("dev"),
};
const LIST_PODS_ELSEWHERE: Ask = Ask {
    verb: "list",
    api_group: "",
    resource: "pods",
    namespace: Some("prod"),
};
const GET_PODS: Ask = Ask {
    verb: "get",
    api_group: "",
    resource: "pods",
    namespace: Some("dev"),
};
const CREATE_PODS: Ask = Ask {
    verb: "create",
    api_group: "",
    resource: "pods",
    namespace: Some("dev"),
};
const LIST_NODES: Ask = Ask {
    verb: "list",
    api_group: "",
    resource: "nodes",
    namespace: None,
};

/// Builds principals and operations while time moves on; every operation has a minute of its own.
struct Author {
    rng: Rng,
    principals: Vec<Principal>,
    names: Vec<ClusterName>,
    ops: Vec<(Time, Op)>,
    next_slot: Time,
}

impl Author {
    /// A moment after `day` (of the window) that no other operation has.
    fn at(&mut self, day: i64) -> Time {
        self.next_slot += 1;
        WINDOW_START + day * DAY + 3600 + self.next_slot % 1200 * 67
    }

    fn push(&mut self, day: i64, op: Op) {
        let at = self.at(day);
        self.ops.push((at, op));
    }

    fn principal(&mut self, kind: Kind, account: &str, path: &str, name: &str, lives: usize) -> usize {
        let prefix = if kind == Kind::User { "AIDA" } else { "AROA" };
        let unique_ids = (0..lives).map(|_| format!("{prefix}{}", self.rng.base32(17))).collect();
        let path = if kind == Kind::Sso {
            "/aws-reserved/sso.amazonaws.com/eu-west-1/"
        } else {
            path
        };
        let name = if kind == Kind::Sso {
            format!("AWSReservedSSO_{name}_{}", self.rng.hex(16))
        } else {
            name.to_owned()
        };
        self.principals.push(Principal {
            kind,
            account: account.into(),
            path: path.into(),
            name,
            unique_ids,
        });
        self.principals.len() - 1
    }

    fn session(&mut self) -> String {
        (*self.rng.pick(&[
            "alice@example.com",
            "bob",
            "carol@example.com",
            "username=kubernetes-admin",
            "i-0abc1234def567890",
        ]))
        .to_owned()
    }

    fn mapping(&self, principal: usize, username: &str, groups: &[&str]) -> Mapping {
        let p = &self.principals[principal];
        let groups = groups.iter().map(|g| (*g).to_owned()).collect();
        Mapping {
            arn: p.matching(),
            in_users: p.kind == Kind::User,
            username: username.into(),
            groups,
        }
    }
}

/// An estate of `clusters` clusters; the same seed gives the same one.
pub(crate) fn estate(seed: u64, clusters: usize) -> Estate {
    let mut a = Author {
        rng: Rng::new(seed),
        principals: Vec::new(),
        names: Vec::new(),
        ops: Vec::new(),
        next_slot: 0,
    };
    let accounts = ["111122223333", "444455556666", "011122223333"];
    let regions = ["us-west-2", "eu-west-1", "us-east-1"];
    for index in 0..clusters {
        let account = *a.rng.pick(&accounts);
        let region = *a.rng.pick(&regions);
        // One name in two places is two clusters.
        let name = if index == 1 {
            a.names[0].name.clone()
        } else {
            format!("c{index}-{}", a.rng.pick(&["prod", "dev", "data", "edge"]))
        };
        let region = if index == 1 {
            regions.iter().find(|r| **r != a.names[0].region).unwrap_or(&region)
        } else {
            region
        };
        a.names.push(ClusterName {
            account: account.into(),
            region: region.into(),
            name,
        });
        plot(&mut a, index);
    }
    a.ops.sort_by_key(|(at, _)| *at);
    let start = World::new(a.principals, a.names);
    Estate { start, plan: a.ops }
}

fn plot(a: &mut Author, cluster: usize) {
    let account = a.names[cluster].account.clone();
    let tag = |what: &str| format!("{what}-{cluster}");
    let creator_kind = *a.rng.pick(&[Kind::User, Kind::Role, Kind::Sso]);
    let creator_path = if a.rng.chance(30) { "/platform/" } else { "/" };
    let by = a.principal(creator_kind, &account, creator_path, &tag("creator"), 2);
    let mode = *a.rng.pick(&[Mode::ConfigMap, Mode::Both, Mode::Api]);
    let bootstrap = if mode == Mode::ConfigMap {
        *a.rng.pick(&[None, Some(true)])
    } else {
        *a.rng.pick(&[None, Some(true), Some(false)])
    };
    // A creator without power needs somebody else to write; the plan then gives an ops role an entry first.
    let old = mode == Mode::ConfigMap && a.rng.chance(20);
    let first_day = if old { -30 } else { 1 };
    let session = a.session();
    if a.rng.chance(25) && !old {
        a.push(
            0,
            Op::FailedCreate {
                cluster,
                by,
                session: session.clone(),
            },
        );
    }
    let mode_said = a.rng.chance(50);
    a.push(
        first_day,
        Op::CreateCluster {
            cluster,
            by,
            session: session.clone(),
            mode,
            mode_said,
            bootstrap,
        },
    );

    let ops = a.principal(Kind::Role, &account, "/ops/", &tag("ops"), 2);
    let dev = a.principal(Kind::Role, &account, "/", &tag("dev"), 1);
    let user = a.principal(Kind::User, &account, "/people/", &tag("user"), 1);
    let sso = a.principal(Kind::Sso, &account, "/", "Devs", 1);
    let stranger = a.principal(Kind::Role, &account, "/", &tag("stranger"), 1);
    let node = a.principal(Kind::Role, &account, "/", &tag("node"), 1);

    if mode != Mode::ConfigMap {
        a.push(
            2,
            Op::CreateEntry {
                cluster,
                by,
                principal: ops,
                groups: vec![],
            },
        );
        a.push(
            3,
            Op::Associate {
                cluster,
                by,
                principal: ops,
                policy: CLUSTER_ADMIN_POLICY,
                namespaces: vec![],
            },
        );
    }
    let writer = if mode != Mode::ConfigMap { ops } else { by };

    if mode != Mode::Api {
        config_map_plot(a, cluster, writer, [ops, dev, user, sso, stranger, node]);
    }
    if mode != Mode::ConfigMap {
        entries_plot(a, cluster, ops, sso, stranger);
    }
    rbac_plot(a, cluster, writer);
    let ask_session = a.session();
    a.push(
        5,
        Op::Request {
            cluster,
            by,
            session: ask_session.clone(),
            ask: LIST_SECRETS,
        },
    );
    a.push(
        21,
        Op::Request {
            cluster,
            by: stranger,
            session: ask_session.clone(),
            ask: LIST_PODS,
        },
    );
    a.push(
        22,
        Op::AnonymousRequest {
            cluster,
            ask: LIST_PODS,
        },
    );
    let reason = *a
        .rng
        .pick(&["admission.pod-security", "admission.quota", "admission.webhook"]);
    a.push(
        6,
        Op::Admission {
            cluster,
            by: writer,
            session: ask_session.clone(),
            ask: CREATE_PODS,
            reason,
        },
    );
    let reason = *a.rng.pick(&[
        "authn.token.expired",
        "authn.token.malformed",
        "authn.sts.invalid-token",
    ]);
    a.push(23, Op::BadToken { cluster, reason });
    let reason = *a.rng.pick(&[
        "iam.identity-policy.missing",
        "iam.scp.explicit",
        "iam.permissions-boundary",
        "sts.trust-policy",
    ]);
    let named = (reason != "sts.trust-policy").then_some(cluster);
    a.push(
        24,
        Op::AwsRefusal {
            by: dev,
            session: ask_session,
            region: "us-west-2".into(),
            cluster: named,
            reason,
        },
    );

    let fate = a.rng.below(5);
    match fate {
        0 => a.push(
            30,
            Op::DeletePrincipal {
                principal: by,
                by: stranger,
            },
        ),
        1 => {
            a.push(
                30,
                Op::DeletePrincipal {
                    principal: by,
                    by: stranger,
                },
            );
            a.push(
                32,
                Op::RecreatePrincipal {
                    principal: by,
                    by: stranger,
                },
            );
            let session = a.session();
            a.push(
                34,
                Op::Request {
                    cluster,
                    by,
                    session,
                    ask: LIST_PODS,
                },
            );
        }
        2 => {
            a.push(36, Op::DeleteCluster { cluster, by: stranger });
            if a.rng.chance(60) {
                let again = a.principal(Kind::Role, &account, "/", &tag("second"), 1);
                a.push(
                    38,
                    Op::CreateCluster {
                        cluster,
                        by: again,
                        session: "bob".into(),
                        mode: Mode::ConfigMap,
                        mode_said: false,
                        bootstrap: None,
                    },
                );
                a.push(
                    39,
                    Op::Request {
                        cluster,
                        by: again,
                        session: "bob".into(),
                        ask: LIST_NODES,
                    },
                );
            }
        }
        3 if mode == Mode::Both => {
            a.push(
                33,
                Op::SetMode {
                    cluster,
                    by: stranger,
                    mode: Mode::Api,
                },
            );
            let session = a.session();
            a.push(
                35,
                Op::Request {
                    cluster,
                    by: dev,
                    session,
                    ask: LIST_PODS,
                },
            );
        }
        _ => {}
    }
    let is_quiet = fate == 4 || (fate == 3 && mode != Mode::Both);
    more(
        a,
        &Cast {
            cluster,
            account,
            mode,
            writer,
            stranger,
            node,
            is_quiet,
        },
    );
}
