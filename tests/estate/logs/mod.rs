//! The logs that AWS and Kubernetes would have written of a plan, in the envelopes in which people have them.

pub(crate) mod files;
mod ops;
mod pulse;
mod switch;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rng::Rng;
use super::truth::{allows, subjects_of};
use super::world::{Ask, CLUSTER_ADMIN_POLICY, Kind, Life, Login, MASTERS, Mapping, Mode, Op, Subject, Time, World};

/// Path below the estate's folder to content. CloudTrail lies under `trail/`, Kubernetes logs under `eks/{account}/{region}/{cluster}/{stream}/`.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// One record, and what of the plan it tells.
#[derive(Clone, Debug)]
pub(crate) struct Record<C> {
    /// In milliseconds since 1970.
    pub at_ms: i64,
    pub content: C,
    /// Place of its operation in the plan; `None` for the daily hum.
    pub op: Option<usize>,
    /// It is the record by which the log tells of a change of state.
    pub changes: bool,
}

/// Records that lie in no file yet.
pub(crate) struct Logs<'a> {
    /// Account, region and day to the records of a trail's file.
    pub trail: BTreeMap<(String, String, String), Vec<Record<Value>>>,
    /// Cluster and log type to the lines of a stream.
    pub streams: BTreeMap<(usize, &'static str), Vec<Record<String>>>,
    /// Files of the trail that end in the middle of a record: its place among them.
    pub cut: BTreeMap<(String, String, String), usize>,
    rng: Rng,
    pub names: &'a World,
}

pub(crate) struct Writer<'a> {
    world: World,
    logs: Logs<'a>,
    op: Option<usize>,
    changes: bool,
}

pub(crate) fn iso(t: Time) -> String {
    stamp(t * 1_000_000, 0)
}

fn stamp(micros: i64, digits: usize) -> String {
    let t = jiff::Timestamp::from_microsecond(micros).expect("times of an estate lie in this century");
    format!("{t:.digits$}")
}

fn cluster_arn(world: &World, c: usize) -> String {
    let n = &world.names[c];
    format!("arn:aws:eks:{}:{}:cluster/{}", n.region, n.account, n.name)
}

/// Writes the logs of the plan from `window_start` on.
pub(crate) fn write(start: &World, plan: &[(Time, Op)], window_start: Time, seed: u64) -> Files {
    record(start, plan, window_start, seed).files()
}

/// The records of the plan from `window_start` on.
pub(crate) fn record<'a>(start: &'a World, plan: &[(Time, Op)], window_start: Time, seed: u64) -> Logs<'a> {
    let mut w = Writer {
        world: start.clone(),
        logs: Logs {
            trail: BTreeMap::new(),
            streams: BTreeMap::new(),
            cut: BTreeMap::new(),
            rng: Rng::new(seed ^ 0xA5A5),
            names: start,
        },
        op: None,
        changes: false,
    };
    for (place, (at, op)) in plan.iter().enumerate() {
        let before = w.world.clone();
        w.world = World::replay(&before, &[(*at, op.clone())], *at);
        if *at >= window_start {
            w.op = Some(place);
            w.op(*at, op, &before);
        }
    }
    w.logs
}

impl Writer<'_> {
    fn identity(&mut self, by: usize, session: &str) -> Value {
        let p = &self.world.principals[by];
        let life = self.world.alive[by].unwrap_or(0);
        let id = &p.unique_ids[life];
        if p.kind == Kind::User {
            json!({"type": "IAMUser", "principalId": id, "arn": p.arn(), "accountId": p.account, "accessKeyId": "AKIAEXAMPLE000000001", "userName": p.name})
        } else {
            json!({"type": "AssumedRole", "principalId": format!("{id}:{session}"), "arn": p.sts_arn(session), "accountId": p.account,
                "accessKeyId": format!("ASIA{}", &id[4..]),
                "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": id, "arn": p.arn(), "accountId": p.account, "userName": p.name},
                    "attributes": {"creationDate": "2026-01-01T00:00:00Z", "mfaAuthenticated": "false"}}})
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one CloudTrail record has this many parts")]
    fn call(
        &mut self,
        at: Time,
        by: usize,
        session: &str,
        account: &str,
        region: &str,
        source: &str,
        name: &str,
        request: Value,
        response: Value,
        error: Option<(&str, String)>,
    ) {
        let mut e = json!({"eventVersion": "1.10", "userIdentity": self.identity(by, session), "eventTime": iso(at), "eventSource": source,
            "eventName": name, "awsRegion": region, "sourceIPAddress": "203.0.113.7",
            "userAgent": "aws-cli/2.17.0 md/command#x", "requestParameters": request, "responseElements": response,
            "requestID": self.logs.rng.uuid(), "eventID": self.logs.rng.uuid(), "readOnly": name.starts_with("Describe") || name.starts_with("List"),
            "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": account, "eventCategory": "Management"});
        let is_refused = error.is_some();
        if let Some((code, message)) = error {
            e["errorCode"] = json!(code);
            e["errorMessage"] = json!(message);
            e["responseElements"] = Value::Null;
        }
        let key = (account.to_owned(), region.to_owned(), iso(at)[..10].to_owned());
        self.logs.trail.entry(key).or_default().push(Record {
            at_ms: at * 1000,
            content: e,
            op: self.op,
            changes: !is_refused,
        });
    }

    fn eks(
        &mut self,
        at: Time,
        by: usize,
        session: &str,
        c: usize,
        name: &str,
        request: Value,
        response: Value,
        error: Option<(&str, String)>,
    ) {
        let n = self.logs.names.names[c].clone();
        self.call(
            at,
            by,
            session,
            &n.account,
            &n.region,
            "eks.amazonaws.com",
            name,
            request,
            response,
            error,
        );
    }

    fn authenticator(&mut self, at: Time, c: usize, rest: &str) {
        let ms = at * 1000 + 400 + self.logs.rng.below(300) as i64;
        let text = format!("time=\"{}\" {rest}", iso(at));
        self.line(c, "authenticator", ms, text);
    }

    fn audit(&mut self, at: Time, c: usize, offset_ms: i64, event: Value) {
        let mut e = event;
        let received = at * 1_000_000 + offset_ms * 1000 + self.logs.rng.below(999) as i64;
        e["kind"] = json!("Event");
        e["apiVersion"] = json!("audit.k8s.io/v1");
        e["auditID"] = json!(self.logs.rng.uuid());
        e["stage"] = json!("ResponseComplete");
        e["sourceIPs"] = json!(["203.0.113.7"]);
        e["userAgent"] = json!("kubectl/v1.31.0 (darwin/arm64) kubernetes/9edcffc");
        e["requestReceivedTimestamp"] = json!(stamp(received, 6));
        e["stageTimestamp"] = json!(stamp(received + 4000, 6));
        let ms = (received + 4000) / 1000;
        self.line(c, "kube-apiserver-audit", ms, e.to_string());
    }

    fn line(&mut self, c: usize, kind: &'static str, at_ms: i64, content: String) {
        self.logs.streams.entry((c, kind)).or_default().push(Record {
            at_ms,
            content,
            op: self.op,
            changes: self.changes,
        });
    }

    fn user(&self, by: usize, session: &str, login: &Login) -> Value {
        let p = &self.world.principals[by];
        let id = &p.unique_ids[self.world.alive[by].unwrap_or(0)];
        let session = if p.kind == Kind::User { "" } else { session };
        let mut groups = login.groups.clone();
        groups.push("system:authenticated".into());
        json!({"username": login.username, "uid": format!("aws-iam-authenticator:{}:{id}", p.account), "groups": groups,
            "extra": {"accessKeyId": [format!("ASIA{}", &id[4..])], "arn": [p.sts_arn(session)], "canonicalArn": [p.matching()],
                "principalId": [id], "sessionName": [session]}})
    }

    /// The login lines of one caller; `None` where it was refused, with the 401 written too.
    fn log_in(&mut self, at: Time, c: usize, by: usize, session: &str) -> Option<Login> {
        let login = self.world.login(c, by, session);
        let p = self.world.principals[by].clone();
        let id = p.unique_ids[self.world.alive[by].unwrap_or(0)].clone();
        let client = format!("127.0.0.1:{}", 40000 + self.logs.rng.below(9000));
        let shown = if p.kind == Kind::User { "" } else { session };
        let quoted = if shown.contains(['=', ',']) {
            format!("\"{shown}\"")
        } else {
            shown.to_owned()
        };
        self.authenticator(at, c, &format!(
            "level=info msg=\"STS response\" accesskeyid=ASIA{} accountid={} arn=\"{}\" client=\"{client}\" method=POST path=/authenticate session={quoted} stsendpoint=sts.us-east-1.amazonaws.com userid={id}",
            &id[4..], p.account, p.sts_arn(shown)));
        match &login {
            Some(l) => {
                let username = if l.username.contains([':', '=']) {
                    format!("\"{}\"", l.username)
                } else {
                    l.username.clone()
                };
                self.authenticator(at, c, &format!(
                    "level=info msg=\"access granted\" arn=\"{}\" client=\"{client}\" groups=\"[{}]\" method=POST path=/authenticate stsendpoint=sts.us-east-1.amazonaws.com uid=\"aws-iam-authenticator:{}:{id}\" username={username}",
                    p.matching(), l.groups.join(" "), p.account));
            }
            None => {
                self.authenticator(at, c, &format!(
                    "level=warning msg=\"access denied\" arn=\"{}\" client=\"{client}\" error=\"identity is not mapped\" method=POST path=/authenticate", p.matching()));
                self.unauthorized(at, c);
            }
        }
        login
    }

    fn unauthorized(&mut self, at: Time, c: usize) {
        let e = json!({"level": "Metadata", "requestURI": "/api?timeout=32s", "verb": "get", "user": {},
            "responseStatus": {"metadata": {}, "status": "Failure", "message": "Unauthorized", "reason": "Unauthorized", "code": 401}});
        self.audit(at, c, 900, e);
    }

    fn request_event(
        ask: &Ask,
        user: Value,
        code: u16,
        decision: &str,
        reason: &str,
        message: Option<String>,
    ) -> Value {
        let base = if ask.api_group.is_empty() {
            "/api/v1".to_owned()
        } else {
            format!("/apis/{}/v1", ask.api_group)
        };
        let place = ask.namespace.map(|n| format!("/namespaces/{n}")).unwrap_or_default();
        let mut reference = json!({"resource": ask.resource, "apiVersion": "v1"});
        if let Some(n) = ask.namespace {
            reference["namespace"] = json!(n);
        }
        if !ask.api_group.is_empty() {
            reference["apiGroup"] = json!(ask.api_group);
        }
        let name_part = if matches!(ask.verb, "get" | "delete" | "update") {
            "/thing"
        } else {
            ""
        };
        if !name_part.is_empty() {
            reference["name"] = json!("thing");
        }
        let status = match message {
            Some(m) => {
                json!({"metadata": {}, "status": "Failure", "message": m, "reason": if code == 403 { "Forbidden" } else { "Invalid" }, "code": code})
            }
            None => json!({"metadata": {}, "code": code}),
        };
        json!({"level": "Metadata", "requestURI": format!("{base}{place}/{}{name_part}", ask.resource), "verb": ask.verb, "user": user,
            "objectRef": reference, "responseStatus": status,
            "annotations": {"authorization.k8s.io/decision": decision, "authorization.k8s.io/reason": reason}})
    }

    fn forbidden_text(ask: &Ask, username: &str) -> String {
        let scope = match ask.namespace {
            Some(n) => format!("in the namespace \"{n}\""),
            None => "at the cluster scope".to_owned(),
        };
        let name = if matches!(ask.verb, "get" | "delete" | "update") {
            " \"thing\""
        } else {
            ""
        };
        let dotted = if ask.api_group.is_empty() {
            String::new()
        } else {
            format!(".{}", ask.api_group)
        };
        format!(
            "{}{dotted}{name} is forbidden: User \"{username}\" cannot {} resource \"{}\" in API group \"{}\" {scope}",
            ask.resource, ask.verb, ask.resource, ask.api_group
        )
    }

    fn ask(&mut self, at: Time, c: usize, user: Value, username: &str, allowed: Result<String, ()>, ask: &Ask) {
        let event = match allowed {
            Ok(reason) => Self::request_event(ask, user, 200, "allow", &reason, None),
            Err(()) => Self::request_event(ask, user, 403, "forbid", "", Some(Self::forbidden_text(ask, username))),
        };
        self.audit(at, c, 950, event);
    }

    fn reason(world: &World, life: &Life, by: usize, login: &Login) -> String {
        let p = &world.principals[by];
        if login.groups.iter().any(|g| g == MASTERS) {
            String::new()
        } else if login.policies.contains_key(CLUSTER_ADMIN_POLICY) {
            let policy = format!("arn:aws:eks::aws:cluster-access-policy/{CLUSTER_ADMIN_POLICY}");
            let id = &p.unique_ids[world.alive[by].unwrap_or(0)];
            // Seen of policies at cluster scope; of namespaces either may be.
            let is_role_binding =
                !login.policies[CLUSTER_ADMIN_POLICY].is_empty() && p.name.ends_with(['1', '3', '5', '7']);
            let kind = if is_role_binding {
                "RoleBinding"
            } else {
                "ClusterRoleBinding"
            };
            format!(
                "EKS Access Policy: allowed by {kind} \"{}+{policy}\" of ClusterRole \"{policy}\" to User \"{id}\"",
                p.canonical()
            )
        } else {
            let (name, _) = life.bindings.keys().next().cloned().unwrap_or_default();
            format!(
                "RBAC: allowed by ClusterRoleBinding \"{name}\" of ClusterRole \"x\" to User \"{}\"",
                login.username
            )
        }
    }

    /// A write to Kubernetes by whoever may, else by the deployer workload.
    fn kube_write(
        &mut self,
        at: Time,
        c: usize,
        by: usize,
        verb: &str,
        reference: Value,
        uri: &str,
        response: Option<Value>,
    ) {
        let session = "writer";
        let user = match self.world.login(c, by, session) {
            Some(_) => {
                let login = self.log_in(at, c, by, session).expect("just seen to log in");
                self.user(by, session, &login)
            }
            None => {
                json!({"username": "system:serviceaccount:infra:deployer", "uid": "6f1c2b1e-0000-4000-8000-000000000001",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:infra", "system:authenticated"]})
            }
        };
        let level = if response.is_some() {
            "RequestResponse"
        } else {
            "Metadata"
        };
        let code = if verb == "create" { 201 } else { 200 };
        let mut e = json!({"level": level, "requestURI": uri, "verb": verb, "user": user, "objectRef": reference,
            "responseStatus": {"metadata": {}, "code": code}, "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}});
        if let Some(o) = response {
            e["responseObject"] = o;
        }
        self.changes = true;
        self.audit(at, c, 700, e);
        self.changes = false;
    }

    fn aws_auth_write(&mut self, at: Time, c: usize, by: usize, verb: &str, mappings: Option<(&[Mapping], bool)>) {
        let reference =
            json!({"resource": "configmaps", "namespace": "kube-system", "name": "aws-auth", "apiVersion": "v1"});
        let uri = "/api/v1/namespaces/kube-system/configmaps/aws-auth?fieldManager=kubectl-edit";
        let response = mappings.map(|(m, broken)| {
            json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "aws-auth", "namespace": "kube-system", "resourceVersion": at.to_string()},
                "data": {"mapRoles": map_text(m, false, broken), "mapUsers": map_text(m, true, false)}})
        });
        self.kube_write(at, c, by, verb, reference, uri, response);
    }
}

fn percent(arn: &str) -> String {
    arn.replace(':', "%3A").replace('/', "%2F")
}

/// A section of aws-auth as people write it.
pub(crate) fn map_text(mappings: &[Mapping], users: bool, broken: bool) -> String {
    let key = if users { "userarn" } else { "rolearn" };
    let mut text = String::new();
    for m in mappings.iter().filter(|m| m.in_users == users) {
        text += &format!("- {key}: {}\n  username: {}\n", m.arn, m.username);
        if !m.groups.is_empty() {
            text += "  groups:\n";
            for g in &m.groups {
                text += &format!("    - {g}\n");
            }
        }
    }
    if broken {
        text += "- rolearn: arn:aws:iam::111122223333:role/x\n username: [bad\n";
    }
    text
}
