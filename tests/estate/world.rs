//! The simulated company: its IAM principals, its clusters, and what happens to them. Nothing here knows of logs or of eksplain.
//!
//! A plan is a list of operations in time; [`World::replay`] carries them out up to a moment. Logs are written from the same
//! operations (`logs`), the truth is read from the world (`truth`): neither is computed from the other.

use std::collections::{BTreeMap, BTreeSet};

/// Seconds since 1970, UTC.
pub(crate) type Time = i64;

#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(crate) enum Kind {
    User,
    Role,
    Sso,
}

/// An IAM principal as the company set it up; its unique id changes with each life.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub kind: Kind,
    pub account: String,
    /// With slashes on both sides; `/` for none.
    pub path: String,
    pub name: String,
    /// One unique id for each life, in order.
    pub unique_ids: Vec<String>,
}

impl Principal {
    fn noun(&self) -> &'static str {
        if self.kind == Kind::User { "user" } else { "role" }
    }
    /// As IAM spells it, with its path.
    pub(crate) fn arn(&self) -> String {
        format!(
            "arn:aws:iam::{}:{}{}{}",
            self.account,
            self.noun(),
            self.path,
            self.name
        )
    }
    /// The form of answers.
    pub(crate) fn canonical(&self) -> String {
        format!("arn:aws:iam::{}:{}/{}", self.account, self.noun(), self.name)
    }
    /// What aws-auth must say to let it in, and what the authenticator logs.
    pub(crate) fn matching(&self) -> String {
        if self.kind == Kind::User {
            self.arn()
        } else {
            self.canonical()
        }
    }
    /// What STS says of it.
    pub(crate) fn sts_arn(&self, session: &str) -> String {
        if self.kind == Kind::User {
            self.arn()
        } else {
            format!("arn:aws:sts::{}:assumed-role/{}/{session}", self.account, self.name)
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(crate) enum Mode {
    ConfigMap,
    Both,
    Api,
}

impl Mode {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Mode::ConfigMap => "CONFIG_MAP",
            Mode::Both => "API_AND_CONFIG_MAP",
            Mode::Api => "API",
        }
    }
}

/// One entry of aws-auth.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mapping {
    /// As written, well or badly.
    pub arn: String,
    pub in_users: bool,
    pub username: String,
    pub groups: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub principal: usize,
    /// Which life of the principal it is bound to.
    pub life: usize,
    pub groups: Vec<String>,
    /// Policy name to namespaces; empty means cluster scope.
    pub policies: BTreeMap<String, Vec<String>>,
    pub of_creator: bool,
    pub made: Time,
    /// When each policy was associated.
    pub associated: BTreeMap<String, Time>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    User(String),
    Group(String),
    ServiceAccount(String, String),
}

/// What one request asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ask {
    pub verb: &'static str,
    pub api_group: &'static str,
    pub resource: &'static str,
    pub namespace: Option<&'static str>,
}

/// Something that happens. Clusters and principals are indices.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    CreateCluster {
        cluster: usize,
        by: usize,
        session: String,
        mode: Mode,
        mode_said: bool,
        bootstrap: Option<bool>,
    },
    FailedCreate {
        cluster: usize,
        by: usize,
        session: String,
    },
    DeleteCluster {
        cluster: usize,
        by: usize,
    },
    SetMode {
        cluster: usize,
        by: usize,
        mode: Mode,
    },
    /// `create`: EKS logs no content.
    CreateAwsAuth {
        cluster: usize,
        by: usize,
        mappings: Vec<Mapping>,
    },
    WriteAwsAuth {
        cluster: usize,
        by: usize,
        mappings: Vec<Mapping>,
        broken_roles: bool,
    },
    DeleteAwsAuth {
        cluster: usize,
        by: usize,
    },
    CreateEntry {
        cluster: usize,
        by: usize,
        principal: usize,
        groups: Vec<String>,
    },
    DeleteEntry {
        cluster: usize,
        by: usize,
        principal: usize,
    },
    /// As [`Op::DeleteEntry`], by CloudFormation on behalf of somebody.
    StackDeletesEntry {
        cluster: usize,
        by: usize,
        principal: usize,
    },
    Associate {
        cluster: usize,
        by: usize,
        principal: usize,
        policy: &'static str,
        namespaces: Vec<String>,
    },
    Disassociate {
        cluster: usize,
        by: usize,
        principal: usize,
        policy: &'static str,
    },
    Bind {
        cluster: usize,
        by: usize,
        name: String,
        role: &'static str,
        namespace: Option<&'static str>,
        subject: Subject,
    },
    Unbind {
        cluster: usize,
        by: usize,
        name: String,
        namespace: Option<&'static str>,
    },
    DeletePrincipal {
        principal: usize,
        by: usize,
    },
    RecreatePrincipal {
        principal: usize,
        by: usize,
    },
    Request {
        cluster: usize,
        by: usize,
        session: String,
        ask: Ask,
    },
    /// A workload asks.
    WorkloadRequest {
        cluster: usize,
        namespace: &'static str,
        name: &'static str,
        ask: Ask,
    },
    /// Nobody asks: no credential was sent.
    AnonymousRequest {
        cluster: usize,
        ask: Ask,
    },
    /// The request passes authorization and is refused after it.
    Admission {
        cluster: usize,
        by: usize,
        session: String,
        ask: Ask,
        reason: &'static str,
    },
    /// A token is refused before its caller is known.
    BadToken {
        cluster: usize,
        reason: &'static str,
    },
    /// An AWS call is refused.
    AwsRefusal {
        by: usize,
        session: String,
        region: String,
        cluster: Option<usize>,
        reason: &'static str,
    },
}

/// One cluster name and its lives.
#[derive(Clone, Debug)]
pub(crate) struct ClusterName {
    pub account: String,
    pub region: String,
    pub name: String,
}

/// One life of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub number: u32,
    pub creator: usize,
    pub creator_session: String,
    pub creator_life: usize,
    pub created: Time,
    pub deleted: Option<Time>,
    pub mode: Mode,
    pub bootstrap: bool,
    /// The invisible mapping of the CONFIG_MAP era.
    pub hidden_creator: bool,
    pub creator_entry_gone: bool,
    pub aws_auth: Option<Vec<Mapping>>,
    /// mapRoles does not parse.
    pub broken_roles: bool,
    /// The log holds the content.
    pub aws_auth_logged: bool,
    pub entries: Vec<Entry>,
    /// (name, namespace) to (role, subject).
    pub bindings: BTreeMap<(String, Option<String>), (String, Subject)>,
    /// When each binding was made.
    pub bound: BTreeMap<(String, Option<String>), Time>,
    /// Since when each standing route stands.
    pub since: BTreeMap<(String, &'static str), Time>,
    /// Everything that ever was a route: (canonical principal, route). What stands is asked of the state.
    pub ever: BTreeSet<(String, &'static str)>,
    /// Principals that used system:masters, with nothing in the logs that says by what right.
    pub masters_used: BTreeSet<String>,
}

/// Who a caller is to a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub username: String,
    pub groups: Vec<String>,
    pub policies: BTreeMap<String, Vec<String>>,
    /// How it came in: `entry`, `creator`, `aws_auth`.
    pub by: &'static str,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub principals: Vec<Principal>,
    /// Present life of each principal; `None` while it is deleted.
    pub alive: Vec<Option<usize>>,
    pub deleted_at: Vec<Option<Time>>,
    pub recreated_at: Vec<Option<Time>>,
    pub names: Vec<ClusterName>,
    pub lives: BTreeMap<usize, Vec<Life>>,
    /// When somebody looked at present state, which shows everything.
    pub looks: Vec<Time>,
    /// Creations of aws-auth whose content a look shows, by their time.
    pub looked_at: BTreeSet<Time>,
}

pub(crate) const MASTERS: &str = "system:masters";
pub(crate) const CLUSTER_ADMIN_POLICY: &str = "AmazonEKSClusterAdminPolicy";

impl World {
    pub(crate) fn new(principals: Vec<Principal>, names: Vec<ClusterName>) -> World {
        let n = principals.len();
        World {
            principals,
            alive: vec![Some(0); n],
            deleted_at: vec![None; n],
            recreated_at: vec![None; n],
            names,
            lives: BTreeMap::new(),
            looks: Vec::new(),
            looked_at: BTreeSet::new(),
        }
    }

    /// The world after every operation up to and including `until`.
    pub(crate) fn replay(start: &World, plan: &[(Time, Op)], until: Time) -> World {
        let mut world = start.clone();
        for (at, op) in plan.iter().take_while(|(at, _)| *at <= until) {
            world.apply(*at, op);
        }
        world
    }

    pub(crate) fn life(&self, cluster: usize) -> Option<&Life> {
        self.lives
            .get(&cluster)
            .and_then(|lives| lives.last())
            .filter(|life| life.deleted.is_none())
    }

    fn life_mut(&mut self, cluster: usize) -> Option<&mut Life> {
        self.lives
            .get_mut(&cluster)
            .and_then(|lives| lives.last_mut())
            .filter(|life| life.deleted.is_none())
    }

    /// Whether a mapping is the caller's, as the authenticator compares.
    fn maps(mapping: &Mapping, principal: &Principal) -> bool {
        mapping.arn.eq_ignore_ascii_case(&principal.matching())
    }

    /// How the cluster sees a living principal; `None` is a refused login.
    pub(crate) fn login(&self, cluster: usize, by: usize, session: &str) -> Option<Login> {
        let life = self.life(cluster)?;
        let principal = &self.principals[by];
        let alive = self.alive[by]?;
        if life.mode != Mode::ConfigMap
            && let Some(entry) = life.entries.iter().find(|e| e.principal == by && e.life == alive)
        {
            let username = principal.sts_arn(&session.replace('@', "-"));
            return Some(Login {
                username,
                groups: entry.groups.clone(),
                policies: entry.policies.clone(),
                by: "entry",
            });
        }
        if life.mode != Mode::Api {
            if life.hidden_creator && life.creator == by {
                let groups = vec![MASTERS.to_owned()];
                return Some(Login {
                    username: "kubernetes-admin".into(),
                    groups,
                    policies: BTreeMap::new(),
                    by: "creator",
                });
            }
            let found = life
                .aws_auth
                .iter()
                .flatten()
                .rfind(|m| Self::maps(m, principal) && (m.in_users || !life.broken_roles));
            if let Some(m) = found {
                return Some(Login {
                    username: m.username.replace("{{SessionName}}", &session.replace('@', "-")),
                    groups: m.groups.clone(),
                    policies: BTreeMap::new(),
                    by: "aws_auth",
                });
            }
        }
        None
    }

    /// Notes each route that stands now, so that its end can be told from its never having been.
    pub(crate) fn note_routes(&mut self, cluster: usize, at: Time) {
        let standing: Vec<(String, &'static str)> = match self.life(cluster) {
            Some(life) => crate::estate::truth::standing_routes(self, life),
            None => return,
        };
        if let Some(life) = self.life_mut(cluster) {
            life.since.retain(|route, _| standing.contains(route));
            for route in &standing {
                life.since.entry(route.clone()).or_insert(at);
            }
            life.ever.extend(standing);
        }
    }

    /// Notes who used `system:masters`.
    fn note_masters(&mut self, cluster: usize, by: usize, session: &str) {
        let is_master = self
            .login(cluster, by, session)
            .is_some_and(|l| l.groups.iter().any(|g| g == MASTERS));
        let canonical = self.principals[by].canonical();
        if let (true, Some(life)) = (is_master, self.life_mut(cluster)) {
            life.masters_used.insert(canonical);
        }
    }

    fn apply(&mut self, at: Time, op: &Op) {
        if let Op::CreateAwsAuth { cluster, by, .. }
        | Op::WriteAwsAuth { cluster, by, .. }
        | Op::DeleteAwsAuth { cluster, by }
        | Op::Bind { cluster, by, .. }
        | Op::Unbind { cluster, by, .. } = op
        {
            self.note_masters(*cluster, *by, "writer");
        }
        let cluster = match op {
            Op::CreateCluster {
                cluster,
                by,
                session,
                mode,
                bootstrap,
                ..
            } => {
                let bootstrap = bootstrap.unwrap_or(true);
                let creator_life = self.alive[*by].expect("a living principal creates");
                let number = self.lives.get(cluster).map_or(0, Vec::len) as u32 + 1;
                let mut life = Life {
                    number,
                    creator: *by,
                    creator_session: session.clone(),
                    creator_life,
                    created: at,
                    deleted: None,
                    mode: *mode,
                    bootstrap,
                    hidden_creator: *mode == Mode::ConfigMap,
                    creator_entry_gone: false,
                    aws_auth: None,
                    broken_roles: false,
                    aws_auth_logged: true,
                    entries: Vec::new(),
                    bindings: BTreeMap::new(),
                    bound: BTreeMap::new(),
                    since: BTreeMap::new(),
                    ever: BTreeSet::new(),
                    masters_used: BTreeSet::new(),
                };
                if *mode != Mode::ConfigMap && bootstrap {
                    let policies = BTreeMap::from([(CLUSTER_ADMIN_POLICY.to_owned(), Vec::new())]);
                    life.entries.push(Entry {
                        principal: *by,
                        life: creator_life,
                        groups: Vec::new(),
                        policies,
                        of_creator: true,
                        made: at,
                        associated: BTreeMap::from([(CLUSTER_ADMIN_POLICY.to_owned(), at)]),
                    });
                }
                self.lives.entry(*cluster).or_default().push(life);
                *cluster
            }
            Op::DeleteCluster { cluster, .. } => {
                if let Some(life) = self.life_mut(*cluster) {
                    life.deleted = Some(at);
                }
                return;
            }
            Op::SetMode { cluster, mode, .. } => {
                let Some(life) = self.life_mut(*cluster) else { return };
                if life.mode == Mode::ConfigMap && *mode != Mode::ConfigMap {
                    // EKS makes an entry for the creator of a cluster that had the hidden mapping.
                    let policies = BTreeMap::from([(CLUSTER_ADMIN_POLICY.to_owned(), Vec::new())]);
                    let (principal, creator_life) = (life.creator, life.creator_life);
                    life.entries.push(Entry {
                        principal,
                        life: creator_life,
                        groups: Vec::new(),
                        policies,
                        of_creator: true,
                        made: at,
                        associated: BTreeMap::from([(CLUSTER_ADMIN_POLICY.to_owned(), at)]),
                    });
                    life.hidden_creator = false;
                }
                life.mode = *mode;
                *cluster
            }
            Op::CreateAwsAuth { cluster, mappings, .. } => {
                let is_looked_at = self.looked_at.contains(&at);
                let Some(life) = self.life_mut(*cluster) else { return };
                life.aws_auth = Some(mappings.clone());
                life.broken_roles = false;
                life.aws_auth_logged = is_looked_at;
                *cluster
            }
            Op::WriteAwsAuth {
                cluster,
                mappings,
                broken_roles,
                ..
            } => {
                let Some(life) = self.life_mut(*cluster) else { return };
                life.aws_auth = Some(mappings.clone());
                life.broken_roles = *broken_roles;
                life.aws_auth_logged = true;
                *cluster
            }
            Op::DeleteAwsAuth { cluster, .. } => {
                let Some(life) = self.life_mut(*cluster) else { return };
                life.aws_auth = None;
                life.aws_auth_logged = true;
                *cluster
            }
            Op::CreateEntry {
                cluster,
                principal,
                groups,
                ..
            } => {
                let alive = self.alive[*principal].expect("an entry is made for a living principal");
                let Some(life) = self.life_mut(*cluster) else { return };
                let entry = Entry {
                    principal: *principal,
                    life: alive,
                    groups: groups.clone(),
                    policies: BTreeMap::new(),
                    of_creator: false,
                    made: at,
                    associated: BTreeMap::new(),
                };
                life.entries.push(entry);
                *cluster
            }
            Op::DeleteEntry { cluster, principal, .. } | Op::StackDeletesEntry { cluster, principal, .. } => {
                let Some(life) = self.life_mut(*cluster) else { return };
                life.entries.retain(|e| e.principal != *principal);
                *cluster
            }
            Op::Associate {
                cluster,
                principal,
                policy,
                namespaces,
                ..
            } => {
                let Some(life) = self.life_mut(*cluster) else { return };
                if let Some(entry) = life.entries.iter_mut().find(|e| e.principal == *principal) {
                    entry.policies.insert((*policy).to_owned(), namespaces.clone());
                    entry.associated.insert((*policy).to_owned(), at);
                }
                *cluster
            }
            Op::Disassociate {
                cluster,
                principal,
                policy,
                ..
            } => {
                let Some(life) = self.life_mut(*cluster) else { return };
                if let Some(entry) = life.entries.iter_mut().find(|e| e.principal == *principal) {
                    entry.policies.remove(*policy);
                }
                *cluster
            }
            Op::Bind {
                cluster,
                name,
                role,
                namespace,
                subject,
                ..
            } => {
                let Some(life) = self.life_mut(*cluster) else { return };
                let key = (name.clone(), namespace.map(str::to_owned));
                life.bound.insert(key.clone(), at);
                life.bindings.insert(key, ((*role).to_owned(), subject.clone()));
                *cluster
            }
            Op::Unbind {
                cluster,
                name,
                namespace,
                ..
            } => {
                let Some(life) = self.life_mut(*cluster) else { return };
                life.bindings.remove(&(name.clone(), namespace.map(str::to_owned)));
                *cluster
            }
            Op::DeletePrincipal { principal, .. } => {
                self.alive[*principal] = None;
                self.deleted_at[*principal] = Some(at);
                self.recreated_at[*principal] = None;
                return;
            }
            Op::RecreatePrincipal { principal, .. } => {
                let lives = self.principals[*principal].unique_ids.len();
                self.alive[*principal] = Some(lives - 1);
                self.recreated_at[*principal] = Some(at);
                return;
            }
            Op::Request {
                cluster, by, session, ..
            }
            | Op::Admission {
                cluster, by, session, ..
            } => {
                self.note_masters(*cluster, *by, session);
                return;
            }
            Op::FailedCreate { .. }
            | Op::WorkloadRequest { .. }
            | Op::AnonymousRequest { .. }
            | Op::BadToken { .. }
            | Op::AwsRefusal { .. } => return,
        };
        self.note_routes(cluster, at);
    }
}
