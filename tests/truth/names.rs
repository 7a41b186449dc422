//! Who is behind a name.

use super::*;

#[test]
fn a_rendered_name_in_an_old_event_leads_back_to_its_mapping() {
    let lab = Lab::new();
    let roles = format!(
        "- rolearn: {}\n  username: 'ops:{{{{SessionName}}}}'\n  groups:\n    - system:masters\n",
        role("Ops")
    );
    let mut delete = logs::event(
        "2026-11-02T10:00:00Z",
        json!({"verb": "delete", "user": {"username": "ops:lee-example.com", "groups": ["system:masters", "system:authenticated"],
        "uid": format!("heptio-authenticator-aws:{ACCOUNT}:AROAOPS")}}),
    );
    delete["level"] = json!("Metadata");
    lab.audit(&[
        logs::write_aws_auth("2026-11-01T10:00:00Z", omar(), mapped(&roles)),
        delete,
    ]);
    let admins = lab.ask(&["admins"], "2026-11-02T11:00:00Z");
    assert_eq!(
        admins.status("User:ops:lee-example.com"),
        None,
        "it is the role: {}",
        admins.json
    );
    assert_eq!(admins.of(&role("Ops"))["uses"], 1, "{}", admins.json);
}

#[test]
fn a_binding_to_a_rendered_name_is_the_route_of_the_role_behind_it() {
    let lab = Lab::new();
    let roles = format!(
        "- rolearn: {}\n  username: 'ops:{{{{SessionName}}}}'\n  groups: [readers]\n",
        role("Ops")
    );
    let binding = snapshot::cluster_role_binding("lee", "cluster-admin", snapshot::user_subject("ops:lee-example.com"));
    Look::eks("CONFIG_MAP", "2026-10-01T08:00:00Z")
        .aws_auth(&roles)
        .rbac(vec![binding])
        .take(&lab, "2026-11-02T10:00:00Z");
    let admins = lab.ask(&["admins"], "2026-11-02T11:00:00Z");
    let route = admins.route(&role("Ops"), "rbac_binding");
    assert!(says(route, &["lee"]), "{route}");
    assert_eq!(admins.status("User:ops:lee-example.com"), None, "{}", admins.json);
}

#[test]
fn two_principals_of_one_username_are_two() {
    let lab = Lab::new();
    let caller = |name: &str| logs::session_user("dev", &["devs"], name, "me");
    let pods = json!({"resource": "pods", "namespace": "dev", "apiVersion": "v1"});
    lab.audit(&[
        logs::forbidden("2026-11-01T10:00:00Z", caller("First"), "list", pods.clone()),
        logs::event(
            "2026-11-01T11:00:00Z",
            json!({"verb": "list", "user": caller("Second"), "objectRef": pods}),
        ),
    ]);
    let denials = lab.ask(&["denials"], "2026-11-01T12:00:00Z");
    assert_eq!(
        denials.of(&role("First"))["resolved"],
        false,
        "another role succeeded: {}",
        denials.json
    );
}

#[test]
fn what_only_looks_like_a_part_of_aws_is_listed() {
    let lab = Lab::new();
    let bind = |name: &str, account: &str| {
        snapshot::cluster_role_binding(name, "cluster-admin", snapshot::account_subject("kube-system", account))
    };
    Look::new()
        .rbac(vec![
            bind("x", "x-controller"),
            // Kubernetes' own, with a binding that it does not have by default.
            bind("job", "job-controller"),
            snapshot::cluster_role_binding("nodes", "cluster-admin", snapshot::user_subject("eks:node-manager")),
            snapshot::cluster_role_binding("own", "cluster-admin", snapshot::user_subject("eks:own-manager")),
        ])
        .take(&lab, "2026-11-01T10:00:00Z");
    // The log begins before the look: nothing can have changed unseen.
    let used = [("x-controller", "09:30"), ("job-controller", "10:30")].map(|(name, time)| {
        let user = json!({"username": format!("system:serviceaccount:kube-system:{name}"), "uid": "1f6c", "groups": ["system:serviceaccounts", "system:authenticated"]});
        logs::event(&format!("2026-11-01T{time}:00Z"), json!({"user": user, "verb": "delete"}))
    });
    lab.audit(&used);
    let admins = lab.ask(&["admins"], "2026-11-01T11:00:00Z");
    for name in [
        "ServiceAccount:kube-system/x-controller",
        "ServiceAccount:kube-system/job-controller",
        "User:eks:node-manager",
        "User:eks:own-manager",
    ] {
        assert_eq!(admins.status(name), Some("active"), "{name}: {}", admins.json);
    }
}

#[test]
fn who_knows_principals_that_acted_through_aws_alone_and_kubernetes_names() {
    let lab = Lab::new();
    lab.trail(&[
        logs::create_cluster("2026-11-01T08:00:00Z", &OMAR, "prod", "API_AND_CONFIG_MAP"),
        logs::call("2026-11-01T09:00:00Z", &Caller::Session("Security", "audit"), "eks", "DescribeCluster", json!({"name": "prod"}), Value::Null),
        logs::call("2026-11-01T09:10:00Z", &Caller::Session("ModeChanger", "job"), "eks", "UpdateClusterConfig",
            json!({"name": "prod", "accessConfig": {"authenticationMode": "API"}}),
            json!({"update": {"id": "u", "status": "InProgress", "type": "AccessConfigUpdate", "params": [{"type": "AuthenticationMode", "value": "\"API\""}]}})),
        logs::create_entry("2026-11-01T09:20:00Z", &Caller::Session("EntryMaker", "job"), &role("Ben")),
    ]);
    let binding = snapshot::cluster_role_binding("oidc", "cluster-admin", snapshot::user_subject("carol@oidc"));
    let writer = logs::session_user("kubernetes-admin", &["system:masters"], "Writer", "me");
    lab.audit(&[
        logs::write_rbac(
            "2026-11-01T10:00:00Z",
            omar(),
            "create",
            "clusterrolebindings",
            &binding,
        ),
        logs::write_aws_auth("2026-11-01T10:10:00Z", writer, mapped("[]")),
        logs::forbidden(
            "2026-11-01T10:20:00Z",
            json!({"username": "dev", "groups": ["system:authenticated"]}),
            "list",
            json!({"resource": "pods", "namespace": "dev", "apiVersion": "v1"}),
        ),
    ]);
    let at = "2026-11-01T11:00:00Z";
    for (name, word) in [
        ("Security", "DescribeCluster"),
        ("ModeChanger", "UpdateClusterConfig"),
        ("EntryMaker", "CreateAccessEntry"),
        ("Writer", "aws-auth"),
        ("carol@oidc", "rbac_binding"),
        ("User:carol@oidc", "rbac_binding"),
        ("User:dev", "authz."),
        ("dev", "authz."),
    ] {
        let who = lab.ask(&["who", name], at);
        assert!(!who.findings().is_empty(), "who {name}: nothing found");
        assert!(
            who.json["findings"].to_string().contains(word),
            "who {name}, {word}: {}",
            who.json
        );
    }
}

#[test]
fn check_shows_who_called_what_changes_access() {
    let lab = Lab::new();
    lab.trail(&[
        logs::create_cluster("2026-11-01T08:00:00Z", &OMAR, "prod", "API_AND_CONFIG_MAP"),
        logs::create_entry(
            "2026-11-01T09:20:00Z",
            &Caller::Session("EntryMaker", "job"),
            &role("Ben"),
        ),
    ]);
    let writer = logs::session_user("writer", &["writers"], "Writer", "me");
    lab.audit(&[logs::write_aws_auth("2026-11-01T10:10:00Z", writer, mapped("[]"))]);
    let check = lab.ask(&["check"], "2026-11-01T11:00:00Z");
    for name in ["EntryMaker", "Writer"] {
        assert!(
            check.findings().iter().any(|finding| says(finding, &[name])),
            "{name}: {}",
            check.json
        );
    }
}

#[test]
fn can_i_takes_the_spellings_of_answers() {
    let lab = Lab::new();
    let view = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]);
    Look::new()
        .rbac(vec![
            snapshot::cluster_role("lister", view),
            snapshot::role_binding("dev", "bot", "lister", snapshot::account_subject("dev", "bot")),
            snapshot::role_binding("dev", "dave", "lister", snapshot::user_subject("dave")),
            snapshot::role_binding(
                "dev",
                "all",
                "lister",
                snapshot::group_subject("system:serviceaccounts:qa"),
            ),
        ])
        .take(&lab, "2026-11-01T10:00:00Z");
    for name in [
        "ServiceAccount:dev/bot",
        "system:serviceaccount:dev:bot",
        "User:dave",
        "dave",
        "ServiceAccount:qa/any",
    ] {
        let ask = |verb: &str| lab.can_i(&[verb, "pods", "-n", "dev", "--as", name], "2026-11-01T11:00:00Z");
        assert_eq!((ask("list"), ask("delete")), (Some(true), Some(false)), "{name}");
    }
}

#[test]
fn a_recorded_self_subject_access_review_is_shown_with_the_answer() {
    let lab = Lab::new();
    let review = json!({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
        "spec": {"resourceAttributes": {"namespace": "dev", "verb": "list", "resource": "secrets"}}, "status": {"allowed": true, "reason": "RBAC: allowed by RoleBinding"}});
    lab.audit(&[logs::event("2026-11-01T10:00:00Z", json!({"verb": "create", "objectRef": {"resource": "selfsubjectaccessreviews", "apiGroup": "authorization.k8s.io", "apiVersion": "v1"},
        "responseStatus": {"code": 201}, "requestObject": review, "responseObject": review}))]);
    let answer = lab.ask(
        &[
            "can-i",
            "list",
            "secrets",
            "-n",
            "dev",
            "--as",
            "dave",
            "--cluster",
            "prod",
        ],
        "2026-11-01T11:00:00Z",
    );
    assert!(answer.says(&["SelfSubjectAccessReview"]), "{}", answer.json);
    assert_ne!(
        answer.json["allowed"], false,
        "the API server itself said yes an hour ago"
    );
}

#[test]
fn a_condition_of_a_trust_policy_is_told_from_a_missing_right() {
    let lab = Lab::new();
    let mut trusted = Look::new().iam(&role("Vault"), "2026-01-01T00:00:00Z");
    trusted.edit_role("Vault", |role| {
        role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] =
            json!({"StringEquals": {"sts:ExternalId": "42"}});
    });
    trusted.take(&lab, "2026-11-01T08:00:00Z");
    let target = role("Vault");
    let message = format!(
        "User: {} is not authorized to perform: sts:AssumeRole on resource: {target}",
        user("omar")
    );
    let request = json!({"roleArn": target, "roleSessionName": "x"});
    lab.trail(&[logs::refused_call(
        "2026-11-01T10:00:00Z",
        &OMAR,
        "sts",
        "AssumeRole",
        request,
        ("AccessDenied", &message),
    )]);
    let denials = lab.ask(&["denials"], "2026-11-01T11:00:00Z");
    assert_eq!(
        denials.texts("reason"),
        ["sts.trust-policy.condition"],
        "{}",
        denials.json
    );
}

#[test]
fn the_console_without_rights_in_the_cluster_is_one_reason_of_its_own() {
    let lab = Lab::new();
    let viewer = || logs::iam_user("omar", &[], "omar");
    let refused = ["nodes", "namespaces", "pods", "deployments", "services", "configmaps"].map(|resource| {
        let group = if resource == "deployments" { "apps" } else { "" };
        let mut event = logs::forbidden(
            "2026-11-01T10:00:00Z",
            viewer(),
            "list",
            json!({"resource": resource, "apiGroup": group, "apiVersion": "v1"}),
        );
        event["userAgent"] = json!("eks-console");
        event
    });
    lab.audit(&refused);
    let denials = lab.ask(&["denials"], "2026-11-01T11:00:00Z");
    assert!(
        denials.texts("reason").contains(&"authz.eks-console"),
        "{:?}",
        denials.texts("reason")
    );
}
