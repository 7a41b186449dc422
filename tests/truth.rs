//! Confident answers that were wrong: of logs with holes, of mappings that never match, of people behind a name.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use serde_json::{Value, json};

mod support;

use support::logs::{self, Caller};
use support::snapshot::{self, Look};
use support::{ACCOUNT, CLUSTER_ADMIN, Lab, PLACE, REGION, fixes, is_time, role, says, user};

const OMAR: Caller<'static> = Caller::User("omar");

fn omar() -> Value {
    logs::iam_user("kubernetes-admin", &["system:masters"], "omar")
}

fn mapped(roles: &str) -> Value {
    json!({"mapRoles": roles})
}

/// A scheduler that is never silent: one event an hour from one day to before another.
fn hours(from: u32, to: u32) -> Vec<Value> {
    let hour = |day: u32, hour: u32| {
        let time = format!("2026-11-{day:02}T{hour:02}:30:00Z");
        logs::event(
            &time,
            json!({"user": {"username": "system:kube-scheduler", "groups": ["system:authenticated"]}, "verb": "watch"}),
        )
    };
    (from..to)
        .flat_map(|day| (0..24).map(move |number| hour(day, number)))
        .collect()
}

// --- what a use and a grant prove

#[test]
fn a_use_that_a_grant_in_namespaces_explains_proves_no_grant_over_the_cluster() {
    let lab = Lab::new();
    lab.trail(&[
        logs::create_cluster("2026-11-01T08:00:00Z", &OMAR, "prod", "API"),
        logs::create_entry("2026-11-01T09:00:00Z", &OMAR, &role("Dev")),
        logs::associate(
            "2026-11-01T09:00:05Z",
            &OMAR,
            &role("Dev"),
            CLUSTER_ADMIN,
            &["dev", "dev-*"],
        ),
    ]);
    let policy = format!("arn:aws:eks::aws:cluster-access-policy/{CLUSTER_ADMIN}");
    let use_in = |time: &str, namespace: &str| {
        let reason = format!(
            "EKS Access Policy: allowed by ClusterRoleBinding \"{}+{policy}\" of ClusterRole \"{policy}\" to User \"AROADEV\"",
            role("Dev")
        );
        logs::event(
            time,
            json!({"user": logs::session_user("arn:aws:sts::111122223333:assumed-role/Dev/me", &[], "Dev", "me"), "verb": "create",
            "objectRef": {"resource": "pods", "namespace": namespace, "apiVersion": "v1"},
            "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": reason}}),
        )
    };
    lab.audit(&[
        use_in("2026-11-02T10:00:00Z", "dev-a"),
        use_in("2026-11-02T11:00:00Z", "dev"),
    ]);
    let at = "2026-11-02T12:00:00Z";
    let admins = lab.ask(&["admins"], at);
    assert_eq!(
        admins.status(&role("Dev")),
        None,
        "limited to namespaces: {}",
        admins.json
    );
    assert_eq!(admins.active(), [user("omar")]);
    // A use outside of them is not explained by it.
    lab.audit(&[use_in("2026-11-02T13:00:00Z", "kube-system")]);
    let admins = lab.ask(&["admins"], "2026-11-02T14:00:00Z");
    assert_eq!(admins.status(&role("Dev")), Some("unproven"), "{}", admins.json);
}

#[test]
fn an_ended_route_names_the_record_that_ended_it_and_who_did_it() {
    let lab = Lab::new();
    lab.trail(&[
        logs::create_cluster(
            "2026-11-01T08:00:00Z",
            &Caller::Session("Tara", "apply"),
            "prod",
            "API_AND_CONFIG_MAP",
        ),
        logs::create_entry("2026-11-01T09:00:00Z", &OMAR, &role("Ben")),
        logs::associate("2026-11-01T09:00:05Z", &OMAR, &role("Ben"), CLUSTER_ADMIN, &[]),
        logs::delete_entry("2026-11-02T09:00:00Z", &OMAR, &role("Ben")),
        logs::disassociate("2026-11-02T09:30:00Z", &OMAR, &role("Tara"), CLUSTER_ADMIN),
    ]);
    let binding = snapshot::cluster_role_binding("ops", "cluster-admin", snapshot::user_subject("cleo"));
    lab.audit(&[
        logs::write_aws_auth(
            "2026-11-01T10:00:00Z",
            omar(),
            mapped(&snapshot::masters(&role("Cara"))),
        ),
        logs::write_rbac(
            "2026-11-01T10:05:00Z",
            omar(),
            "create",
            "clusterrolebindings",
            &binding,
        ),
        logs::write_aws_auth("2026-11-02T10:00:00Z", omar(), mapped("[]")),
        logs::write_rbac(
            "2026-11-02T10:05:00Z",
            omar(),
            "delete",
            "clusterrolebindings",
            &binding,
        ),
    ]);
    let admins = lab.ask(&["admins"], "2026-11-03T00:00:00Z");
    for (principal, route, end) in [
        (role("Ben").as_str(), "access_policy", "2026-11-02T09:00:00Z"),
        (role("Tara").as_str(), "creator", "2026-11-02T09:30:00Z"),
        (role("Cara").as_str(), "aws_auth", "2026-11-02T10:00:00Z"),
        ("User:cleo", "rbac_binding", "2026-11-02T10:05:00Z"),
    ] {
        let route = admins.route(principal, route);
        assert_eq!(route["status"], "revoked", "{route}");
        assert!(is_time(&route["valid_to"], end), "{route}");
        assert!(
            route["evidence"]
                .as_array()
                .unwrap()
                .iter()
                .any(|one| is_time(&one["ts"], end)),
            "{principal}: {route}"
        );
        assert!(says(route, &["omar"]), "{principal}: {route}");
    }
}

#[test]
fn a_creator_made_again_holds_the_hidden_right_and_check_says_so() {
    let lab = Lab::new();
    lab.trail(&[
        logs::create_cluster(
            "2026-11-01T08:00:00Z",
            &Caller::Session("Tara", "apply"),
            "prod",
            "CONFIG_MAP",
        ),
        logs::delete_role("2026-11-02T08:00:00Z", &OMAR, "Tara"),
        logs::create_role("2026-11-03T08:00:00Z", &OMAR, "/", "Tara", "AROASECONDLIFE0000001"),
    ]);
    let check = lab.ask(&["check"], "2026-11-03T09:00:00Z");
    let told =
        |finding: &Value| finding["rule"] != "logs.missing" && says(finding, &["Tara"]) && says(finding, &["creat"]);
    assert!(
        check.findings().iter().any(told),
        "whoever made the role holds the cluster: {}",
        check.json
    );
}

// --- mappings that never match

#[test]
fn a_mapping_that_never_matches_is_no_route_and_check_reports_each() {
    let never = [
        ("a blank behind", format!("'{} '", role("Trail"))),
        ("a blank before", format!("' {}'", role("Lead"))),
        ("11 digits", "arn:aws:iam::11112222333:role/Eleven".to_owned()),
        ("13 digits", "arn:aws:iam::1111222233334:role/Thirteen".to_owned()),
        ("an em dash", role("team—ops")),
        ("a zero-width letter", format!("\"{}\"", role("Ze\\u200Bro"))),
        ("a Cyrillic letter", role("аdmins")),
        ("no account", "arn:aws:iam:::role/None".to_owned()),
        (
            "an instance profile",
            format!("arn:aws:iam::{ACCOUNT}:instance-profile/Profile"),
        ),
        ("a name alone", "JustName".to_owned()),
    ];
    for (what, arn) in &never {
        let lab = Lab::new();
        let roles = format!("- rolearn: {arn}\n  username: x\n  groups:\n    - system:masters\n");
        lab.audit(&[logs::write_aws_auth("2026-11-01T10:00:00Z", omar(), mapped(&roles))]);
        let at = "2026-11-01T11:00:00Z";
        let admins = lab.ask(&["admins"], at);
        let by_aws_auth = |finding: &Value| {
            finding["routes"]
                .as_array()
                .unwrap()
                .iter()
                .any(|route| route["route"] == "aws_auth")
        };
        assert!(!admins.findings().iter().any(by_aws_auth), "{what}: {}", admins.json);
        let check = lab.ask(&["check"], at);
        let told = check
            .findings()
            .iter()
            .any(|one| one["rule"].as_str().unwrap().starts_with("aws-auth."));
        assert!(told, "{what}: {}", check.json);
    }
}

#[test]
fn a_mapping_is_compared_without_case() {
    let lab = Lab::new();
    // The authenticator compares with EqualFold: role or Role, upper or lower.
    let roles =
        format!("- rolearn: arn:aws:iam::{ACCOUNT}:Role/Upper\n  username: x\n  groups:\n    - system:masters\n");
    lab.audit(&[logs::write_aws_auth("2026-11-01T10:00:00Z", omar(), mapped(&roles))]);
    lab.authenticator(&logs::granted_line(
        "2026-11-01T10:30:00Z",
        &role("upper"),
        "x",
        "system:masters",
        "AROAUPPER",
        40001,
    ));
    let at = "2026-11-01T11:00:00Z";
    let admins = lab.ask(&["admins"], at);
    let active: Vec<String> = admins.active().iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(active, [role("upper")], "{}", admins.json);
    let check = lab.ask(&["check"], at);
    let is_wrong = |one: &&Value| one["rule"].as_str().unwrap().starts_with("aws-auth.near-miss");
    assert_eq!(check.findings().iter().filter(is_wrong).count(), 0, "{}", check.json);
}

#[test]
fn wrong_top_keys_and_look_alike_groups_are_linted() {
    for (what, data) in [
        ("maproles", json!({"maproles": snapshot::masters(&role("Cara"))})),
        (
            "system:master",
            json!({"mapRoles": format!("- rolearn: {}\n  username: x\n  groups: ['system:master']\n", role("Cara"))}),
        ),
        (
            "systems:masters",
            json!({"mapRoles": format!("- rolearn: {}\n  username: x\n  groups: ['systems:masters']\n", role("Cara"))}),
        ),
        (
            "{{SessionName}}",
            json!({"mapRoles": format!("- rolearn: {}\n  username: x\n  groups: ['team-{{{{SessionName}}}}']\n", role("Cara"))}),
        ),
    ] {
        let lab = Lab::new();
        lab.audit(&[logs::write_aws_auth("2026-11-01T10:00:00Z", omar(), data)]);
        let at = "2026-11-01T11:00:00Z";
        assert_eq!(lab.ask(&["admins"], at).status(&role("Cara")), None, "{what}");
        let check = lab.ask(&["check"], at);
        assert!(
            check.findings().iter().any(|finding| says(finding, &[what])),
            "{what}: {}",
            check.json
        );
    }
}

// --- who is behind a name

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
fn a_controller_of_that_look_is_no_part_of_aws() {
    let lab = Lab::new();
    let bind = |name: &str, account: &str| {
        snapshot::cluster_role_binding(name, "cluster-admin", snapshot::account_subject("kube-system", account))
    };
    Look::new()
        .rbac(vec![
            bind("x", "x-controller"),
            bind("job", "job-controller"),
            bind("node", "aws-node-manager"),
        ])
        .take(&lab, "2026-11-01T10:00:00Z");
    let admins = lab.ask(&["admins"], "2026-11-01T11:00:00Z");
    for name in ["x-controller", "aws-node-manager"] {
        assert_eq!(
            admins.status(&format!("ServiceAccount:kube-system/{name}")),
            Some("active"),
            "{name}: {}",
            admins.json
        );
    }
    // One that is Kubernetes' own, with a binding that it does not have by default.
    assert_eq!(
        admins.status("ServiceAccount:kube-system/job-controller"),
        Some("active"),
        "{}",
        admins.json
    );
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

// --- holes

#[test]
fn an_aws_auth_older_than_the_log_is_not_absent() {
    let lab = Lab::new();
    // 90 days of CloudTrail, 30 of CloudWatch: aws-auth was made in between, by nobody that a log shows.
    lab.trail(&[logs::create_cluster(
        "2026-09-10T08:00:00Z",
        &OMAR,
        "prod",
        "CONFIG_MAP",
    )]);
    lab.audit(&hours(1, 4));
    lab.authenticator(
        &[
            logs::granted_line(
                "2026-11-02T10:00:00Z",
                &role("pool-node"),
                "system:node:ip-10-0-0-1.ec2.internal",
                "system:bootstrappers system:nodes",
                "AROANODE",
                40001,
            ),
            logs::denied_line("2026-11-02T11:00:00Z", &role("Dev"), 40002),
        ]
        .concat(),
    );
    let denials = lab.ask(&["denials"], "2026-11-03T20:00:00Z");
    let denial = denials.of(&role("Dev"));
    assert_ne!(
        denial["reason"], "authn.aws-auth.missing",
        "nodes log in by it: {denial}"
    );
    assert_ne!(denial["confidence"], "certain", "{denial}");
    for fix in fixes(denial) {
        let overwrites = fix.contains("kubectl apply")
            || fix.contains("kubectl create configmap")
            || fix.contains("kind: ConfigMap")
            || fix.contains("\"kind\": \"ConfigMap\"");
        assert!(!overwrites, "it would overwrite what is there: {fix}");
    }
}

#[test]
fn without_the_trail_of_us_east_1_nobody_is_known_to_be_there() {
    let lab = Lab::new();
    lab.trail(&[
        logs::create_cluster("2026-11-01T08:00:00Z", &Caller::Session("Tara", "apply"), "prod", "API"),
        logs::call(
            "2026-11-20T08:00:00Z",
            &OMAR,
            "eks",
            "DescribeCluster",
            json!({"name": "prod"}),
            Value::Null,
        ),
    ]);
    let creators = lab.ask(&["creators"], "2026-11-20T09:00:00Z");
    let creator = &creators.findings()[0];
    assert_eq!(
        creator["creator_state"], "unknown",
        "IAM's events are in us-east-1: {creator}"
    );
    assert!(creators.is_blind_to(&["us-east-1"]), "{:?}", creators.blind_spots());
    // A deletion that is in the lake is known, whatever else is not.
    lab.trail(&[logs::delete_role("2026-11-19T08:00:00Z", &OMAR, "Tara")]);
    assert_eq!(
        lab.ask(&["creators"], "2026-11-20T09:00:00Z").findings()[0]["creator_state"],
        "deleted"
    );
}

#[test]
fn a_log_that_ended_long_before_the_moment_is_said_to_have_ended() {
    let lab = Lab::new();
    lab.trail(&[logs::create_cluster(
        "2026-11-01T00:10:00Z",
        &OMAR,
        "prod",
        "CONFIG_MAP",
    )]);
    let mut events = hours(1, 5);
    events.push(logs::write_aws_auth(
        "2026-11-02T10:00:00Z",
        omar(),
        mapped(&snapshot::masters(&role("Cara"))),
    ));
    lab.audit(&events);
    let (within, late) = ("2026-11-04T23:40:00Z", "2026-11-08T12:00:00Z");
    for question in ["admins", "creators", "denials", "check"] {
        let answer = lab.ask(&[question], late);
        let audit = answer.json["coverage"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["source"] == "audit")
            .unwrap();
        assert!(says(&audit["blind_spots"], &["2026-11-04"]), "{question}: {audit}");
        let answer = lab.ask(&[question], within);
        let audit = answer.json["coverage"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["source"] == "audit")
            .unwrap();
        assert!(!says(&audit["blind_spots"], &["2026-11-04"]), "{question}: {audit}");
    }
    let ask = |at: &str| lab.can_i(&["delete", "nodes", "--as", "cleo"], at);
    assert_eq!(ask(within), Some(false), "born in the log, which is whole");
    assert_eq!(ask(late), None, "she may have been bound in the silence");
}

#[test]
fn a_hole_in_the_log_makes_what_could_have_changed_in_it_unsure() {
    let lab = Lab::new();
    lab.trail(&[logs::create_cluster(
        "2026-11-01T00:10:00Z",
        &OMAR,
        "prod",
        "CONFIG_MAP",
    )]);
    let mut events = hours(1, 3);
    events.extend(hours(8, 10));
    let binding = snapshot::cluster_role_binding("ops", "cluster-admin", snapshot::user_subject("cleo"));
    events.push(logs::write_rbac(
        "2026-11-01T10:00:00Z",
        omar(),
        "create",
        "clusterrolebindings",
        &binding,
    ));
    lab.audit(&events);
    let at = "2026-11-09T23:40:00Z";
    assert_eq!(
        lab.can_i(&["delete", "nodes", "--as", "dora"], at),
        None,
        "she may have been bound in the hole"
    );
    let admins = lab.ask(&["admins"], at);
    let route = admins.route("User:cleo", "rbac_binding");
    assert!(
        route["status"] == "unproven" || admins.is_blind_to(&["2026-11-0"]),
        "active without a caveat: {}",
        admins.json
    );
    assert!(
        admins.is_blind_to(&["audit", "2026-11-02"]),
        "{:?}",
        admins.blind_spots()
    );
}

#[test]
fn an_empty_window_is_not_nothing_found() {
    let lab = Lab::new();
    lab.audit(&hours(1, 4));
    let denials = lab.run(&[
        "denials",
        "--since",
        "2026-11-20T00:00:00Z",
        "--at",
        "2026-11-21T00:00:00Z",
    ]);
    assert_eq!(denials.code, 0, "{}", denials.stderr);
    assert!(
        denials.is_blind_to(&["2026-11-03"]) || denials.is_blind_to(&["2026-11-04"]),
        "{:?}",
        denials.blind_spots()
    );
}

#[test]
fn records_that_name_no_cluster_are_said_and_can_be_given_one() {
    let lab = Lab::new();
    let pods = json!({"resource": "pods", "namespace": "dev", "apiVersion": "v1"});
    let events: String = [
        logs::write_aws_auth(
            "2026-11-01T10:00:00Z",
            omar(),
            mapped(&snapshot::masters(&role("Cara"))),
        ),
        logs::event("2026-11-01T10:05:00Z", json!({"user": omar()})),
        logs::forbidden(
            "2026-11-01T10:10:00Z",
            json!({"username": "dev", "groups": ["system:authenticated"]}),
            "list",
            pods,
        ),
    ]
    .iter()
    .map(|event| format!("{event}\n"))
    .collect();
    let file = lab.file("audit.ndjson", events);
    let forgotten = lab.try_ingest(&file, &[]);
    assert_eq!(forgotten.code, 0, "{}", forgotten.stderr);
    assert!(
        forgotten.stderr.contains("cluster"),
        "nobody is told: {}",
        forgotten.stderr
    );
    let at = "2026-11-01T11:00:00Z";
    let admins = lab.ask(&["admins"], at);
    assert!(
        admins.is_blind_to(&["cluster"]) || !admins.findings().is_empty(),
        "three records are there: {}",
        admins.json
    );
    let denials = lab.ask(&["denials"], at);
    assert!(
        denials
            .findings()
            .iter()
            .all(|finding| finding["confidence"] != "certain" || finding["layer"] != "authn"),
        "{}",
        denials.json
    );
    // The same file with its cluster.
    let given = lab.try_ingest(&file, &PLACE);
    assert_eq!(given.code, 0, "{}", given.stderr);
    let admins = lab.ask(&["admins"], at);
    let cara = admins.of(&role("Cara"));
    assert_eq!(
        (&cara["status"], &cara["cluster"]["name"]),
        (&json!("active"), &json!("prod")),
        "{}",
        admins.json
    );
    let denials = lab.ask(&["denials"], at);
    let count: u64 = denials
        .findings()
        .iter()
        .map(|finding| finding["count"].as_u64().unwrap())
        .sum();
    assert_eq!(
        count, 1,
        "one refused call is one, whatever was told of it first: {}",
        denials.json
    );
}

#[test]
fn a_refused_login_of_no_cluster_is_not_certainly_unmapped() {
    let lab = Lab::new();
    let text = logs::denied_line("2026-11-01T10:10:00Z", &role("Dev"), 40001);
    assert_eq!(
        lab.try_ingest(&lab.file("authenticator.log", text), &["--region", REGION])
            .code,
        0
    );
    let denials = lab.ask(&["denials"], "2026-11-01T11:00:00Z");
    let denial = denials.of(&role("Dev"));
    assert_ne!(denial["confidence"], "certain", "aws-auth was never seen: {denial}");
}
