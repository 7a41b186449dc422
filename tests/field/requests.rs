//! What RBAC and access policies say: 10, 12, 23, 32, 38.

use serde_json::{Value, json};

use crate::support::logs::{self, Caller};
use crate::support::snapshot::{self, Look};
use crate::support::{CLUSTER_ADMIN, Lab, fixes, role, says, user};

fn lara() -> Value {
    logs::iam_user("kubernetes-admin", &["system:masters"], "lara")
}

#[test]
fn case_10_the_fix_for_an_entry_without_a_policy_gives_no_more_than_the_request_needs() {
    let lab = Lab::new();
    let terraform = Caller::Session("tf-apply", "ci-1");
    lab.trail(&[
        logs::create_cluster("2026-04-01T09:00:00Z", &terraform, "prod", "API_AND_CONFIG_MAP"),
        logs::create_entry("2026-04-01T09:15:00Z", &terraform, &user("tess")),
    ]);
    let tess = || logs::iam_user(&user("tess"), &[], "tess");
    let refuse = |time: &str, object: Value| logs::forbidden(time, tess(), "list", object);
    lab.audit(&[
        refuse(
            "2026-04-02T09:00:00Z",
            json!({"resource": "pods", "apiVersion": "v1", "namespace": "default"}),
        ),
        refuse("2026-04-02T09:05:00Z", json!({"resource": "nodes", "apiVersion": "v1"})),
    ]);
    let at = "2026-04-03T00:00:00Z";
    let denials = lab.ask(&["denials"], at);
    let of = |resource: &str| {
        let found = denials
            .findings()
            .iter()
            .find(|one| one["request"]["resource"] == resource);
        found.unwrap_or_else(|| panic!("{resource}: {}", denials.json))
    };
    for resource in ["pods", "nodes"] {
        assert_eq!(of(resource)["reason"], "authz.access-policy.missing");
        assert!(!fixes(of(resource))[0].contains(CLUSTER_ADMIN), "{}", of(resource));
    }
    let pods = fixes(of("pods"));
    assert!(
        pods[0].contains("AmazonEKSViewPolicy") && pods[0].contains("default"),
        "{pods:?}"
    );
    let nodes = &fixes(of("nodes"))[0];
    let is_smallest =
        nodes.contains("AmazonEKSAdminViewPolicy") || (nodes.contains("clusterrole") || nodes.contains("ClusterRole"));
    assert!(is_smallest, "{nodes}");
    assert_eq!(
        lab.can_i(&["list", "pods", "-n", "default", "--as", &user("tess")], at),
        Some(false)
    );
}

/// aws-auth renders `app-dev:SESSION`; a RoleBinding names the template.
fn literal_template() -> Look {
    Look::new()
        .aws_auth(&format!(
            "- rolearn: {}\n  username: app-dev:{{{{SessionName}}}}\n  groups:\n    - builders\n",
            role("app-developer")
        ))
        .rbac(vec![snapshot::role_binding(
            "shop",
            "shop-developers",
            "admin",
            snapshot::user_subject("app-dev:{{SessionName}}"),
        )])
}

fn assert_the_template_is_named(lab: &Lab, at: &str) {
    let denials = lab.ask(&["denials"], at);
    assert_eq!(denials.findings().len(), 1, "{}", denials.json);
    let denial = &denials.findings()[0];
    let reason = denial["reason"].as_str().unwrap();
    assert!(
        reason == "authz.rbac.username-session" || reason.starts_with("authz.rbac.near-miss."),
        "{denial}"
    );
    assert!(
        says(&denial["cause"], &["shop-developers"]),
        "the binding that is meant for this user: {denial}"
    );
    let check = lab.ask(&["check"], at);
    let told = |finding: &Value| says(finding, &["shop-developers"]) && says(finding, &["{{SessionName}}"]);
    assert!(
        check.findings().iter().any(told),
        "RBAC renders nothing: {}",
        check.json
    );
    let ask = [
        "list",
        "pods",
        "-n",
        "shop",
        "--as",
        "app-dev:lee",
        "--as-group",
        "builders",
    ];
    assert_eq!(lab.can_i(&ask, at), Some(false));
}

fn refusal_of_lee(time: &str) -> Value {
    let lee = logs::session_user("app-dev:lee", &["builders"], "app-developer", "lee");
    logs::forbidden(
        time,
        lee,
        "list",
        json!({"resource": "pods", "apiVersion": "v1", "namespace": "shop"}),
    )
}

#[test]
fn case_12_a_binding_to_an_unrendered_template_is_the_near_miss() {
    let lab = Lab::new();
    literal_template().take(&lab, "2026-04-22T09:00:00Z");
    lab.audit(&[refusal_of_lee("2026-04-22T10:00:00Z")]);
    assert_the_template_is_named(&lab, "2026-04-22T10:30:00Z");
}

#[test]
fn case_12_the_same_where_the_snapshot_is_younger_than_the_refusal() {
    let lab = Lab::new();
    lab.audit(&[refusal_of_lee("2026-04-22T10:00:00Z")]);
    literal_template().take(&lab, "2026-04-22T10:20:00Z");
    assert_the_template_is_named(&lab, "2026-04-22T10:30:00Z");
}

#[test]
fn case_12_a_binding_to_the_session_before_its_letters_were_replaced_is_the_near_miss() {
    let lab = Lab::new();
    // `@` of a session name becomes `-` where the template renders it.
    Look::new()
        .aws_auth(&format!(
            "- rolearn: {}\n  username: 'app-dev:{{{{SessionName}}}}'\n  groups:\n    - builders\n",
            role("app-developer")
        ))
        .rbac(vec![snapshot::role_binding(
            "shop",
            "shop-lee",
            "admin",
            snapshot::user_subject("app-dev:lee@example.com"),
        )])
        .take(&lab, "2026-04-22T09:00:00Z");
    let lee = logs::session_user(
        "app-dev:lee-example.com",
        &["builders"],
        "app-developer",
        "lee@example.com",
    );
    lab.audit(&[logs::forbidden(
        "2026-04-22T10:00:00Z",
        lee,
        "list",
        json!({"resource": "pods", "apiVersion": "v1", "namespace": "shop"}),
    )]);
    let denials = lab.ask(&["denials"], "2026-04-22T10:30:00Z");
    let denial = &denials.findings()[0];
    let reason = denial["reason"].as_str().unwrap();
    assert!(
        reason == "authz.rbac.username-session" || reason.starts_with("authz.rbac.near-miss."),
        "{denial}"
    );
    assert!(says(&denial["cause"], &["shop-lee"]), "{denial}");
}

#[test]
fn case_23_a_misspelt_group_that_somebody_bound_is_a_way_to_admin() {
    let lab = Lab::new();
    let binding = snapshot::cluster_role_binding(
        "system:master",
        "cluster-admin",
        snapshot::group_subject("system:master"),
    );
    let roles = format!(
        "- rolearn: {}\n  username: denise\n  groups:\n    - system:master\n",
        role("denise")
    );
    lab.audit(&[
        logs::write_rbac(
            "2026-02-04T08:00:00Z",
            lara(),
            "create",
            "clusterrolebindings",
            &binding,
        ),
        logs::write_aws_auth("2026-02-05T08:00:00Z", lara(), json!({"mapRoles": roles})),
    ]);
    let at = "2026-02-05T09:00:00Z";
    let admins = lab.ask(&["admins"], at);
    assert_eq!(admins.route(&role("denise"), "rbac_binding")["status"], "active");
    assert_eq!(
        lab.can_i(
            &[
                "get",
                "pods",
                "-n",
                "shop",
                "--as",
                "denise",
                "--as-group",
                "system:master"
            ],
            at
        ),
        Some(true)
    );
}

#[test]
fn case_32_a_role_binding_gives_nothing_that_has_no_namespace() {
    let lab = Lab::new();
    let rules = json!([{"apiGroups": [""], "resources": ["nodes", "pods", "persistentvolumes", "namespaces"], "verbs": ["get", "list", "watch"]}]);
    let policies = json!([{"apiGroups": ["policy"], "resources": ["podsecuritypolicies"], "verbs": ["use"], "resourceNames": ["db"]}]);
    Look::new()
        .rbac(vec![
            snapshot::cluster_role("node-reader", rules),
            snapshot::cluster_role("policy-user", policies),
            snapshot::role_binding(
                "default",
                "observer",
                "node-reader",
                snapshot::account_subject("default", "observer"),
            ),
            snapshot::role_binding(
                "default",
                "policy",
                "policy-user",
                snapshot::account_subject("default", "db"),
            ),
        ])
        .take(&lab, "2026-06-01T09:00:00Z");
    let ask = |verb: &str, what: &str, account: &str| {
        let name = format!("system:serviceaccount:default:{account}");
        lab.can_i(&[verb, what, "-n", "default", "--as", &name], "2026-06-01T09:10:00Z")
    };
    assert_eq!(ask("list", "pods", "observer"), Some(true));
    for resource in ["nodes", "persistentvolumes", "namespaces"] {
        assert_eq!(
            ask("list", resource, "observer"),
            Some(false),
            "{resource} has no namespace"
        );
    }
    // Its use is authorised in the namespace of the pod.
    assert_eq!(ask("use", "podsecuritypolicies.policy/db", "db"), Some(true));
    assert_eq!(ask("get", "secrets", "db"), Some(false));
}

#[test]
fn case_32_a_namespace_itself_is_read_with_the_rights_within_it() {
    let lab = Lab::new();
    // `get namespaces/dev` is a request within dev: the API server sets its namespace.
    let rules = json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]);
    Look::new()
        .rbac(vec![
            snapshot::cluster_role("namespace-reader", rules),
            snapshot::role_binding("dev", "reader", "namespace-reader", snapshot::user_subject("cleo")),
        ])
        .take(&lab, "2026-06-01T09:00:00Z");
    let at = "2026-06-01T09:10:00Z";
    assert_eq!(
        lab.can_i(&["get", "namespaces/dev", "-n", "dev", "--as", "cleo"], at),
        Some(true)
    );
    assert_eq!(
        lab.can_i(&["list", "namespaces", "-n", "dev", "--as", "cleo"], at),
        Some(false)
    );
}

#[test]
fn case_38_an_exec_of_two_stages_is_one_use_and_a_refused_get_lacks_a_verb() {
    let lab = Lab::new();
    let lead = || logs::session_user("kubernetes-admin", &["system:masters"], "devops", "lee");
    let mut execer = snapshot::cluster_role(
        "execer",
        json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}, {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}]),
    );
    execer["kind"] = json!("Role");
    execer["metadata"]["namespace"] = json!("default");
    let mut binding = snapshot::role_binding("default", "execers", "execer", snapshot::group_subject("devs"));
    binding["roleRef"]["kind"] = json!("Role");
    let pod =
        json!({"resource": "pods", "namespace": "default", "name": "web-1", "subresource": "exec", "apiVersion": "v1"});
    let exec = |stage: &str| {
        let mut event = logs::event(
            "2026-01-17T10:00:00Z",
            json!({"verb": "get", "user": lead(), "objectRef": pod, "responseStatus": {"code": 101}}),
        );
        event["auditID"] = json!("exec-1");
        event["stage"] = json!(stage);
        event
    };
    let kim = logs::session_user("dev", &["devs"], "dev", "kim");
    lab.audit(&[
        logs::write_rbac("2026-01-16T10:00:00Z", lead(), "create", "roles", &execer),
        logs::write_rbac("2026-01-16T10:01:00Z", lead(), "create", "rolebindings", &binding),
        exec("ResponseStarted"),
        exec("ResponseComplete"),
        logs::forbidden("2026-01-17T11:00:00Z", kim, "get", pod.clone()),
    ]);
    let at = "2026-01-17T12:00:00Z";
    let admins = lab.ask(&["admins"], at);
    assert_eq!(admins.of(&role("devops"))["uses"], 3, "two writes and one exec");
    assert_eq!(lab.ask(&["denials"], at).texts("reason"), ["authz.rbac.missing-verb"]);
    let ask = |verb: &str| {
        lab.can_i(
            &[verb, "pods/exec", "-n", "default", "--as", "dev", "--as-group", "devs"],
            at,
        )
    };
    assert_eq!(ask("create"), Some(true));
    assert_ne!(ask("get"), Some(true));
}
