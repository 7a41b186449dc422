//! Each route to admin that the model estate does not play, and each reason of refusal by RBAC, from hand-made records.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;

use assert_cmd::Command;
use serde_json::{Value, json};

/// Records of one cluster, `prod` of 111122223333 in us-west-2, a minute apart.
#[derive(Default)]
struct Records {
    trail: Vec<Value>,
    audit: Vec<Value>,
    minute: usize,
}

const ADMIN: &str = "arn:aws:iam::111122223333:role/Creator";

impl Records {
    fn new(mode: &str, bootstrap: bool) -> Self {
        let mut records = Self::default();
        let access = json!({"authenticationMode": mode, "bootstrapClusterCreatorAdminPermissions": bootstrap});
        records.call(
            "eks",
            "CreateCluster",
            json!({"name": "prod", "accessConfig": access}),
            json!({"cluster": {"name": "prod", "accessConfig": access}}),
        );
        records
    }

    fn time(&mut self) -> String {
        self.minute += 1;
        format!(
            "2026-11-{:02}T{:02}:{:02}:00",
            1 + self.minute / 1440,
            self.minute / 60 % 24,
            self.minute % 60
        )
    }

    fn call(&mut self, service: &str, name: &str, request: Value, response: Value) {
        let time = self.time();
        self.trail.push(json!({"eventVersion": "1.11", "eventID": format!("e-{time}"), "eventTime": format!("{time}Z"), "eventSource": format!("{service}.amazonaws.com"),
            "eventName": name, "awsRegion": "us-west-2", "readOnly": false, "recipientAccountId": "111122223333", "requestParameters": request, "responseElements": response,
            "userIdentity": {"type": "AssumedRole", "principalId": "AROAC:me", "arn": "arn:aws:sts::111122223333:assumed-role/Creator/me", "accountId": "111122223333",
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ADMIN, "userName": "Creator"}}}}));
    }

    /// An audit event; `over` replaces what a usual one has.
    fn event(&mut self, over: Value) {
        let time = self.time();
        let mut event = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": format!("a-{time}"), "stage": "ResponseComplete",
            "requestURI": "/x", "verb": "list", "user": {"username": "dave", "groups": ["system:authenticated"]}, "sourceIPs": ["203.0.113.7"],
            "objectRef": {"resource": "pods", "namespace": "dev", "apiVersion": "v1"}, "responseStatus": {"code": 200},
            "requestReceivedTimestamp": format!("{time}.000000Z"), "stageTimestamp": format!("{time}.000000Z"),
            "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}});
        for (key, value) in over.as_object().unwrap() {
            event[key] = value.clone();
        }
        self.audit.push(event);
    }

    /// A write of an RBAC object.
    fn rbac(&mut self, resource: &str, object: Value) {
        let meta = object["metadata"].clone();
        self.event(json!({"verb": "create", "user": {"username": "kubernetes-admin", "groups": ["system:masters"], "uid": "aws-iam-authenticator:111122223333:AROAC",
                "extra": {"arn": ["arn:aws:sts::111122223333:assumed-role/Creator/me"], "canonicalArn": [ADMIN]}},
            "objectRef": {"resource": resource, "apiGroup": "rbac.authorization.k8s.io", "name": meta["name"], "namespace": meta["namespace"]},
            "responseStatus": {"code": 201}, "responseObject": object}));
    }

    fn role(&mut self, name: &str, rules: Value) {
        self.rbac("clusterroles", json!({"metadata": {"name": name}, "rules": rules}));
    }

    fn bind(&mut self, name: &str, namespace: Option<&str>, role: &str, subject: Value) {
        let resource = if namespace.is_some() {
            "rolebindings"
        } else {
            "clusterrolebindings"
        };
        self.rbac(resource, json!({"metadata": {"name": name, "namespace": namespace}, "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": [subject]}));
    }

    fn refuse(&mut self, user: &str, verb: &str, object: Value) {
        self.event(json!({"verb": verb, "user": {"username": user, "groups": ["system:authenticated"]}, "objectRef": object,
            "responseStatus": {"code": 403, "reason": "Forbidden", "message": "refused"}, "annotations": {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": ""}}));
    }

    fn ask(&self, arguments: &[&str]) -> Vec<Value> {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, records: &[Value]| {
            let text: String = records.iter().map(|record| format!("{record}\n")).collect();
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let eksplain = || {
            let mut command = Command::cargo_bin("eksplain").unwrap();
            command.arg("--lake").arg(dir.path().join("lake")).args(["-o", "json"]);
            command
        };
        let place = [
            "--account",
            "111122223333",
            "--region",
            "us-west-2",
            "--cluster",
            "prod",
        ];
        let logs = [("trail.ndjson", &self.trail), ("audit.ndjson", &self.audit)];
        let files: Vec<_> = logs
            .into_iter()
            .filter(|(_, records)| !records.is_empty())
            .map(|(name, records)| write(name, records))
            .collect();
        eksplain()
            .args(["ingest", "files"])
            .args(&files)
            .args(place)
            .assert()
            .success();
        let out = eksplain().args(arguments).output().unwrap();
        let document: Value =
            serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&out.stderr)));
        document["findings"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![document.clone()])
    }

    /// (principal, route) to status.
    fn routes(&self) -> BTreeMap<(String, String), String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let findings = self.ask(&["admins", "--all"]);
        let routes = findings.iter().flat_map(|finding| {
            finding["routes"]
                .as_array()
                .unwrap()
                .iter()
                .map(move |route| (finding, route))
        });
        routes
            .map(|(finding, route)| {
                (
                    (text(&finding["principal"]), text(&route["route"])),
                    text(&route["status"]),
                )
            })
            .collect()
    }

    fn status(&self, principal: &str, route: &str) -> Option<String> {
        self.routes().get(&(principal.to_owned(), route.to_owned())).cloned()
    }

    fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<String> = self
            .ask(&["denials"])
            .iter()
            .map(|finding| finding["reason"].as_str().unwrap().to_owned())
            .collect();
        reasons.sort();
        reasons
    }
}

fn user(name: &str) -> Value {
    json!({"kind": "User", "name": name})
}

#[test]
fn masters_outside_iam_is_a_certificate_and_unproven() {
    let mut records = Records::new("CONFIG_MAP", true);
    records.event(json!({"user": {"username": "ghost", "groups": ["system:masters", "system:authenticated"]}}));
    records.event(json!({"user": {"username": "ghost2 system:masters", "groups": ["not system:masters"]}}));
    assert_eq!(records.status("User:ghost", "certificate").as_deref(), Some("unproven"));
    assert_eq!(records.routes().len(), 2, "{:?}", records.routes());
}

#[test]
fn impersonation_is_active_only_while_the_right_to_it_stands() {
    let use_it = |records: &mut Records| {
        records.event(
            json!({"impersonatedUser": {"username": "root", "groups": ["system:masters", "system:authenticated"]}}),
        )
    };
    let mut unknown = Records::new("CONFIG_MAP", true);
    use_it(&mut unknown);
    assert_eq!(
        unknown.status("User:dave", "impersonation").as_deref(),
        Some("unproven")
    );
    let mut known = Records::new("CONFIG_MAP", true);
    known.role(
        "actor",
        json!([{"apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"]}]),
    );
    known.bind("actors", None, "actor", user("dave"));
    use_it(&mut known);
    assert_eq!(known.status("User:dave", "impersonation").as_deref(), Some("active"));
    assert_eq!(known.status("User:dave", "escalation").as_deref(), Some("active"));
    known.event(json!({"verb": "delete", "objectRef": {"resource": "clusterrolebindings", "apiGroup": "rbac.authorization.k8s.io", "name": "actors"}}));
    assert_eq!(known.status("User:dave", "impersonation").as_deref(), Some("revoked"));
}

#[test]
fn a_policy_in_use_without_its_grant_is_unproven() {
    let mut records = Records::new("API", false);
    let reason = "EKS Access Policy: allowed by ClusterRoleBinding \"arn:aws:iam::111122223333:role/Ops+arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy\" of ClusterRole \"arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy\" to User \"AROAOP\"";
    records.event(
        json!({"annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": reason}}),
    );
    assert_eq!(
        records
            .status("arn:aws:iam::111122223333:role/Ops", "access_policy")
            .as_deref(),
        Some("unproven")
    );
    assert_eq!(records.routes().len(), 1);
}

#[test]
fn a_re_created_principal_is_not_let_in_by_its_old_entry() {
    let mut records = Records::new("API", true);
    let arn = "arn:aws:iam::111122223333:role/team/Ops";
    let policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
    records.call(
        "eks",
        "CreateAccessEntry",
        json!({"name": "prod", "principalArn": arn}),
        Value::Null,
    );
    let encoded = arn.replace(':', "%3A").replace('/', "%2F");
    records.call(
        "eks",
        "AssociateAccessPolicy",
        json!({"name": "prod", "principalArn": encoded, "policyArn": policy, "accessScope": {"type": "cluster"}}),
        Value::Null,
    );
    let principal = "arn:aws:iam::111122223333:role/Ops";
    assert_eq!(records.status(principal, "access_policy").as_deref(), Some("active"));
    records.call("iam", "DeleteRole", json!({"roleName": "Ops"}), Value::Null);
    assert_eq!(records.status(principal, "access_policy").as_deref(), Some("active"));
    records.call(
        "iam",
        "CreateRole",
        json!({"roleName": "Ops"}),
        json!({"role": {"roleId": "AROANEW"}}),
    );
    assert_eq!(records.status(principal, "access_policy").as_deref(), Some("revoked"));
    assert_eq!(records.status(ADMIN, "creator").as_deref(), Some("active"));
}

#[test]
fn rights_that_lead_to_admin_are_escalation_and_view_is_not() {
    let mut records = Records::new("CONFIG_MAP", true);
    for (at, (resources, verbs)) in [
        ("clusterroles", "escalate"),
        ("pods", "create"),
        ("secrets", "list"),
        ("nodes/proxy", "get"),
        ("serviceaccounts/token", "create"),
    ]
    .into_iter()
    .enumerate()
    {
        let group = if resources == "clusterroles" {
            "rbac.authorization.k8s.io"
        } else {
            ""
        };
        records.role(
            &format!("r{at}"),
            json!([{"apiGroups": [group], "resources": [resources], "verbs": [verbs, "update"]}]),
        );
        records.bind(&format!("b{at}"), None, &format!("r{at}"), user(&format!("u{at}")));
    }
    records.bind("viewers", None, "view", user("viewer"));
    records.bind("here", Some("dev"), "cluster-admin", user("local"));
    records.bind("there", Some("kube-system"), "cluster-admin", user("keeper"));
    let routes = records.routes();
    for who in ["u0", "u1", "u2", "u3", "u4", "keeper"] {
        assert_eq!(
            routes
                .get(&(format!("User:{who}"), "escalation".to_owned()))
                .map(String::as_str),
            Some("active"),
            "{who}: {routes:?}"
        );
    }
    for who in ["viewer", "local"] {
        assert!(
            !routes.keys().any(|(principal, _)| *principal == format!("User:{who}")),
            "{who}: {routes:?}"
        );
    }
}

#[test]
fn a_role_that_amounts_to_cluster_admin_is_one_whatever_its_name() {
    let mut records = Records::new("CONFIG_MAP", true);
    records.role(
        "harmless",
        json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]),
    );
    records.bind(
        "b",
        None,
        "harmless",
        json!({"kind": "ServiceAccount", "name": "bot", "namespace": "ci"}),
    );
    assert_eq!(
        records.status("ServiceAccount:ci/bot", "rbac_binding").as_deref(),
        Some("active")
    );
    records.role(
        "harmless",
        json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
    );
    assert_eq!(
        records.status("ServiceAccount:ci/bot", "rbac_binding").as_deref(),
        Some("revoked")
    );
}

#[test]
fn each_refusal_by_rbac_has_its_reason() {
    let pods = |namespace: Option<&str>| json!({"resource": "pods", "namespace": namespace, "apiVersion": "v1"});
    let rule = |group: &str, resource: &str, verb: &str| json!([{"apiGroups": [group], "resources": [resource], "verbs": [verb]}]);
    type Case = (&'static str, Option<&'static str>, Value, Value);
    let cases: Vec<Case> = vec![
        (
            "authz.rbac.wrong-namespace",
            Some("prod"),
            rule("", "pods", "list"),
            pods(Some("dev")),
        ),
        (
            "authz.rbac.wrong-namespace",
            Some("dev"),
            rule("", "pods", "list"),
            pods(None),
        ),
        (
            "authz.rbac.missing-verb",
            Some("dev"),
            rule("", "pods", "get"),
            pods(Some("dev")),
        ),
        (
            "authz.rbac.missing-resource",
            Some("dev"),
            rule("", "services", "list"),
            pods(Some("dev")),
        ),
        (
            "authz.rbac.wrong-api-group",
            Some("dev"),
            rule("", "deployments", "list"),
            json!({"resource": "deployments", "apiGroup": "apps", "namespace": "dev"}),
        ),
        (
            "authz.rbac.missing-resource",
            Some("dev"),
            rule("", "pods", "list"),
            json!({"resource": "pods", "subresource": "log", "namespace": "dev"}),
        ),
    ];
    for (reason, namespace, rules, object) in cases {
        let mut records = Records::new("CONFIG_MAP", true);
        records.role("r", rules);
        records.bind("b", namespace, "r", user("dave"));
        records.refuse("dave", "list", object.clone());
        assert_eq!(records.reasons(), [reason], "{object}");
    }
    let mut named = Records::new("CONFIG_MAP", true);
    named.role(
        "r",
        json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["app"]}]),
    );
    named.bind("b", Some("dev"), "r", user("dave"));
    named.refuse(
        "dave",
        "get",
        json!({"resource": "configmaps", "namespace": "dev", "name": "other"}),
    );
    assert_eq!(named.reasons(), ["authz.rbac.resource-name"]);
    let mut case = Records::new("CONFIG_MAP", true);
    case.bind("b", Some("dev"), "view", user("Dave"));
    case.refuse("dave", "list", pods(Some("dev")));
    assert_eq!(case.reasons(), ["authz.rbac.near-miss.case"]);
}

#[test]
fn can_i_knows_what_it_does_not_know() {
    let mut records = Records::new("CONFIG_MAP", true);
    records.bind("b", Some("dev"), "view", user("dave"));
    let ask = |records: &Records, arguments: &[&str]| {
        records.ask(&[&["can-i", "--at", "2026-11-01T12:00:00Z"], arguments].concat())[0]["allowed"].clone()
    };
    assert_eq!(ask(&records, &["list", "pods", "-n", "dev", "--as", "dave"]), true);
    assert_eq!(ask(&records, &["list", "pods", "--as", "dave"]), false);
    assert_eq!(ask(&records, &["list", "secrets", "-n", "dev", "--as", "dave"]), false);
    assert_eq!(
        ask(
            &records,
            &["delete", "nodes", "--as", "x", "--as-group", "system:masters"]
        ),
        true
    );
    assert_eq!(ask(&records, &["delete", "nodes", "--as", ADMIN]), true);
    // What the lake does not reach to is not known.
    let today = records.ask(&["can-i", "list", "pods", "--as", "dave"])[0].clone();
    assert_eq!(today["allowed"], Value::Null, "{today}");
    let mut late = Records::default();
    late.event(json!({}));
    assert_eq!(ask(&late, &["list", "pods", "-n", "dev", "--as", "dave"]), Value::Null);
}

#[test]
fn a_lockout_says_what_it_cannot_know_of_aws_auth() {
    let mut records = Records::new("CONFIG_MAP", true);
    records.call("iam", "DeleteRole", json!({"roleName": "Creator"}), Value::Null);
    let recovery = |records: &Records| records.ask(&["creators"])[0]["recovery"].clone();
    let dark = recovery(&records);
    assert_eq!(dark["needed"], true, "{dark}");
    let hint = "the content of aws-auth is not in these logs";
    assert!(dark["why"].as_str().unwrap().contains(hint), "{dark}");
    // A write that the log holds whole tells: nobody is mapped.
    records.event(json!({"verb": "update", "objectRef": {"resource": "configmaps", "namespace": "kube-system", "name": "aws-auth", "apiVersion": "v1"},
        "responseObject": {"metadata": {"name": "aws-auth", "namespace": "kube-system"}, "data": {"mapRoles": "[]"}}}));
    let known = recovery(&records);
    assert_eq!(known["needed"], true, "{known}");
    assert!(!known["why"].as_str().unwrap().contains(hint), "{known}");
}
