//! Who gets in, and who does not any more: 01, 02, 06, 14, 15, 17, 19, 35, 41.

use serde_json::{Value, json};

use crate::support::logs::{self, Caller};
use crate::support::snapshot::{self, Look};
use crate::support::{CLUSTER_ADMIN, Lab, fixes, is_time, role, says, user};

const NODES: &str = "- rolearn: arn:aws:iam::111122223333:role/pool-node\n  username: system:node:{{EC2PrivateDNSName}}\n  groups:\n    - system:bootstrappers\n    - system:nodes\n";

fn lara() -> Value {
    logs::iam_user("kubernetes-admin", &["system:masters"], "lara")
}

#[test]
fn case_01_a_stack_update_that_takes_the_creators_policy_leaves_nobody_and_assuming_the_role_does_not_help() {
    let lab = Lab::new();
    let stack = Caller::CloudFormation("delivery/stack-runner", "run-12");
    let arn = "arn:aws:iam::111122223333:role/delivery/stack-runner";
    lab.trail(&[
        logs::create_cluster("2026-04-01T09:00:00Z", &stack, "prod", "API"),
        logs::disassociate("2026-04-10T14:00:31Z", &stack, arn, CLUSTER_ADMIN),
    ]);
    let name = "arn:aws:sts::111122223333:assumed-role/stack-runner/run-12";
    let caller = || logs::session_user(name, &[], "stack-runner", "run-12");
    let reason = format!(
        "EKS Access Policy: allowed by ClusterRoleBinding \"{arn}+arn:aws:eks::aws:cluster-access-policy/{CLUSTER_ADMIN}\" of ClusterRole \"arn:aws:eks::aws:cluster-access-policy/{CLUSTER_ADMIN}\" to User \"AROASTACKRUNNER000000\""
    );
    lab.audit(&[
        logs::event(
            "2026-04-05T10:00:00Z",
            json!({"user": caller(), "objectRef": {"resource": "nodes", "apiVersion": "v1"},
                "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": reason}}),
        ),
        logs::forbidden(
            "2026-04-10T14:20:00Z",
            caller(),
            "list",
            json!({"resource": "nodes", "apiVersion": "v1"}),
        ),
    ]);
    let at = "2026-04-12T00:00:00Z";
    let admins = lab.ask(&["admins"], at);
    assert_eq!(admins.active(), [""; 0]);
    let route = admins.route(&role("stack-runner"), "creator");
    assert_eq!(route["status"], "revoked");
    assert!(is_time(&route["valid_to"], "2026-04-10T14:00:31Z"), "{route}");
    assert_eq!(
        lab.ask(&["denials"], at).texts("reason"),
        ["authz.access-policy.missing"]
    );

    let creators = lab.ask(&["creators"], at);
    let creator = &creators.findings()[0];
    assert_ne!(creator["creator_state"], "deleted", "{creator}");
    let recovery = &creator["recovery"];
    assert_eq!(recovery["needed"], true, "nobody is admin any more: {recovery}");
    let options = recovery["options"].as_array().unwrap();
    for option in options.iter().filter(|option| says(&option["title"], &["assume"])) {
        assert_ne!(option["works"], "yes", "its entry has no policy any more: {option}");
    }
    let opens = |option: &&Value| option["works"] != "no" && says(&option["commands"], &["associate-access-policy"]);
    assert!(options.iter().any(|option| opens(&option)), "{recovery}");
    let check = lab.ask(&["check"], at);
    let told = |finding: &Value| {
        matches!(finding["severity"].as_str(), Some("critical" | "high")) && says(finding, &["admin"])
    };
    assert!(check.findings().iter().any(told), "no admin is left: {}", check.json);
}

#[test]
fn case_01_an_entry_that_was_deleted_leaves_nobody_as_well() {
    let lab = Lab::new();
    let tara = Caller::Session("Tara", "apply");
    lab.trail(&[
        logs::create_cluster("2026-04-01T09:00:00Z", &tara, "prod", "API"),
        logs::delete_entry("2026-04-10T14:00:31Z", &tara, &role("Tara")),
    ]);
    let creators = lab.ask(&["creators"], "2026-04-10T15:00:00Z");
    let recovery = &creators.findings()[0]["recovery"];
    assert_eq!(recovery["needed"], true, "{recovery}");
    let options = recovery["options"].as_array().unwrap();
    let assume = options.iter().filter(|option| says(&option["title"], &["assume"]));
    assert!(assume.clone().all(|option| option["works"] != "yes"), "{recovery}");
    // While the entry is there, assuming the role is the way in, and nobody is locked out.
    let before = lab.ask(&["creators"], "2026-04-10T13:00:00Z");
    assert_eq!(before.findings()[0]["recovery"]["needed"], false);
}

const NESTED: &str = r#"[{"rolearn":"arn:aws:iam::111122223333:role/Corp/science/lab-team","username":"lab","groups":["system:masters"]},{"rolearn":"arn:aws:iam::111122223333:role/pool-node","username":"system:node:{{EC2PrivateDNSName}}","groups":["system:bootstrappers","system:nodes"]},{"rolearn":"arn:aws:iam::111122223333:role/Corp/science/lab-team","username":"lab","groups":["system:masters"]}]"#;

fn nested_yaml() -> String {
    format!(
        "apiVersion: v1\ndata:\n  mapAccounts: '[]'\n  mapRoles: '{NESTED}'\n  mapUsers: '[]'\nkind: ConfigMap\nmetadata:\n  creationTimestamp: \"2026-04-14T08:33:01Z\"\n  name: aws-auth\n  namespace: kube-system\n  resourceVersion: \"2417\"\n"
    )
}

#[test]
fn case_02_a_role_mapped_with_its_path_is_a_near_miss_and_its_equal_twin_does_no_harm() {
    let lab = Lab::new();
    Look::new().aws_auth(NESTED).take(&lab, "2026-04-14T09:00:00Z");
    lab.authenticator(
        &[
            logs::sts_line(
                "2026-04-14T10:00:05Z",
                "arn:aws:sts::111122223333:assumed-role/lab-team/dina@example.com",
                "ASIAEXAMPLE1",
                "dina@example.com",
                "AROALAB",
                40001,
            ),
            logs::denied_line("2026-04-14T10:00:05Z", &role("lab-team"), 40001),
        ]
        .concat(),
    );
    let at = "2026-04-14T11:00:00Z";
    assert_eq!(lab.ask(&["admins"], at).active(), [""; 0]);
    let check = lab.ask(&["check"], at);
    assert_eq!(
        check.with("rule", "aws-auth.near-miss.role-path").len(),
        1,
        "{}",
        check.json
    );
    let malformed = check.with("rule", "aws-auth.malformed");
    assert!(
        malformed
            .iter()
            .all(|one| one["severity"] == "low" || one["severity"] == "info"),
        "{malformed:?}"
    );
    assert_eq!(lab.ask(&["denials"], at).texts("reason"), ["authn.near-miss.role-path"]);
}

#[test]
fn case_02_the_yaml_of_kubectl_is_read_as_its_json_is() {
    let lab = Lab::new();
    let done = lab.try_kubectl(&lab.file_of("aws-auth.yaml", nested_yaml(), "2026-04-14T09:00:00Z"));
    assert_eq!((done.code, done.json["kept"].as_u64()), (0, Some(1)), "{}", done.stderr);
    let check = lab.ask(&["check"], "2026-04-14T10:00:00Z");
    assert_eq!(
        check.with("rule", "aws-auth.near-miss.role-path").len(),
        1,
        "{}",
        check.json
    );
}

#[test]
fn case_02_a_pasted_terminal_is_read_or_refused_with_the_way() {
    let lab = Lab::new();
    let pasted = format!(
        "(base) me@host infra % kubectl get configmap aws-auth -n kube-system -o yaml\n{}",
        nested_yaml()
    );
    let done = lab.try_kubectl(&lab.file_of("pasted.yaml", pasted, "2026-04-14T09:00:00Z"));
    if done.code == 0 {
        let check = lab.ask(&["check"], "2026-04-14T10:00:00Z");
        assert_eq!(
            check.with("rule", "aws-auth.near-miss.role-path").len(),
            1,
            "{}",
            check.json
        );
    } else {
        assert_eq!(done.code, 3, "{}", done.stderr);
        assert!(done.stderr.contains("-o json"), "{}", done.stderr);
    }
}

#[test]
fn case_06_the_fix_for_a_node_role_made_again_keeps_the_type_of_its_entry() {
    let lab = Lab::new();
    let ops = Caller::User("ops-admin");
    let arn = "arn:aws:iam::111122223333:role/pools/blue-node";
    let mut entry = logs::create_entry("2026-04-01T09:20:00Z", &ops, arn);
    for half in ["requestParameters", "responseElements"] {
        let entry = if half == "requestParameters" {
            &mut entry[half]
        } else {
            &mut entry[half]["accessEntry"]
        };
        entry["type"] = json!("EC2_LINUX");
        entry["kubernetesGroups"] = json!(["system:nodes"]);
        entry["username"] = json!("system:node:{{EC2PrivateDNSName}}");
    }
    lab.trail(&[
        logs::create_cluster("2026-04-01T09:00:00Z", &ops, "prod", "API"),
        entry,
        logs::delete_role("2026-05-05T12:00:00Z", &ops, "blue-node"),
        logs::create_role(
            "2026-05-05T12:05:00Z",
            &ops,
            "/pools/",
            "blue-node",
            "AROANEWNEWNEWNEWNEW01",
        ),
    ]);
    let session = |id: &str| format!("arn:aws:sts::111122223333:assumed-role/blue-node/{id}");
    lab.authenticator(
        &[
            logs::sts_line(
                "2026-04-20T01:00:00Z",
                &session("i-01"),
                "ASIAEXAMPLE1",
                "i-01",
                "AROAOLDOLDOLDOLDOLD01",
                41001,
            ),
            logs::granted_line(
                "2026-04-20T01:00:00Z",
                &role("blue-node"),
                "system:node:ip-10-0-1-5.us-west-2.compute.internal",
                "system:nodes",
                "AROAOLDOLDOLDOLDOLD01",
                41001,
            ),
            logs::sts_line(
                "2026-05-05T12:30:00Z",
                &session("i-02"),
                "ASIAEXAMPLE2",
                "i-02",
                "AROANEWNEWNEWNEWNEW01",
                41010,
            ),
            logs::denied_line("2026-05-05T12:30:00Z", &role("blue-node"), 41010),
        ]
        .concat(),
    );
    let at = "2026-05-06T00:00:00Z";
    let denials = lab.ask(&["denials", "--all"], at);
    let denial = denials.reason("authn.access-entry.stale-id");
    let whole = fixes(denial)
        .into_iter()
        .find(|fix| fix.contains("create-access-entry"));
    let whole = whole.unwrap_or_else(|| panic!("no way to make the entry again: {denial}"));
    assert!(whole.contains("--type EC2_LINUX"), "{whole}");
    let check = lab.ask(&["check"], at);
    let told = |finding: &Value| says(finding, &["blue-node"]) && says(finding, &["entry"]);
    assert!(
        check.findings().iter().any(told),
        "an entry bound to a deleted id: {}",
        check.json
    );
}

#[test]
fn case_06_the_fix_for_a_person_made_again_keeps_groups_username_and_policies() {
    let lab = Lab::new();
    let ops = Caller::User("ops-admin");
    let mut entry = logs::create_entry("2026-04-01T09:20:00Z", &ops, &role("pia"));
    for half in ["requestParameters", "responseElements"] {
        let entry = if half == "requestParameters" {
            &mut entry[half]
        } else {
            &mut entry[half]["accessEntry"]
        };
        entry["kubernetesGroups"] = json!(["auditors"]);
        entry["username"] = json!("pia-of-audit");
    }
    lab.trail(&[
        logs::create_cluster("2026-04-01T09:00:00Z", &ops, "prod", "API"),
        entry,
        logs::associate(
            "2026-04-01T09:21:00Z",
            &ops,
            &role("pia"),
            "AmazonEKSEditPolicy",
            &["dev", "dev-*"],
        ),
        logs::delete_role("2026-05-05T12:00:00Z", &ops, "pia"),
        logs::create_role("2026-05-05T12:05:00Z", &ops, "/", "pia", "AROANEWNEWNEWNEWNEW01"),
    ]);
    lab.authenticator(
        &[
            logs::sts_line(
                "2026-05-05T12:30:00Z",
                "arn:aws:sts::111122223333:assumed-role/pia/me",
                "ASIAEXAMPLE2",
                "me",
                "AROANEWNEWNEWNEWNEW01",
                41010,
            ),
            logs::denied_line("2026-05-05T12:30:00Z", &role("pia"), 41010),
        ]
        .concat(),
    );
    let denials = lab.ask(&["denials"], "2026-05-06T00:00:00Z");
    let fix = fixes(denials.reason("authn.access-entry.stale-id")).join("\n");
    for part in [
        "delete-access-entry",
        "create-access-entry",
        "auditors",
        "pia-of-audit",
        "AmazonEKSEditPolicy",
        "dev-*",
    ] {
        assert!(fix.contains(part), "{part} is lost: {fix}");
    }
}

#[test]
fn case_14_an_emptied_aws_auth_is_told_with_who_and_when_and_the_last_good_content_is_the_fix() {
    let lab = Lab::new();
    let oncall = snapshot::masters(&role("oncall"));
    lab.audit(&[
        logs::write_aws_auth(
            "2026-01-08T22:00:00Z",
            lara(),
            json!({"mapRoles": format!("{NODES}{oncall}"), "mapUsers": "[]\n"}),
        ),
        logs::write_aws_auth(
            "2026-01-09T01:10:00Z",
            lara(),
            json!({"mapRoles": "[]\n", "mapUsers": "[]\n"}),
        ),
    ]);
    lab.authenticator(
        &[
            logs::sts_line(
                "2026-01-09T01:11:00Z",
                "arn:aws:sts::111122223333:assumed-role/pool-node/i-01",
                "ASIAEXAMPLE1",
                "i-01",
                "AROANODE",
                43001,
            ),
            logs::denied_line("2026-01-09T01:11:00Z", &role("pool-node"), 43001),
            logs::sts_line(
                "2026-01-09T01:20:00Z",
                "arn:aws:sts::111122223333:assumed-role/oncall/kim@example.com",
                "ASIAEXAMPLE2",
                "kim@example.com",
                "AROAONCALL",
                43050,
            ),
            logs::denied_line("2026-01-09T01:20:00Z", &role("oncall"), 43050),
        ]
        .concat(),
    );
    let at = "2026-01-10T00:00:00Z";
    let denials = lab.ask(&["denials", "--all"], at);
    for name in ["pool-node", "oncall"] {
        let denial = denials.of(&role(name));
        assert_eq!(denial["reason"], "authn.not-mapped", "{denial}");
        let cause = denial["cause"].as_str().unwrap();
        assert!(
            cause.contains("2026-01-09") && cause.contains("01:10") && cause.contains("lara"),
            "{cause}"
        );
        let fix = fixes(denial).join("\n");
        assert!(fix.contains(name) && fix.contains("aws-auth"), "{fix}");
        assert!(
            !fixes(denial)[0].contains("AmazonEKSViewPolicy"),
            "it never had that: {fix}"
        );
    }
    let nodes = fixes(denials.of(&role("pool-node"))).join("\n");
    assert!(
        nodes.contains("system:bootstrappers") && nodes.contains("system:nodes"),
        "{nodes}"
    );
    let check = lab.ask(&["check"], at);
    let told = |finding: &Value| finding["severity"] == "critical" && says(finding, &["aws-auth"]);
    assert!(check.findings().iter().any(told), "all nodes are out: {}", check.json);
    assert!(lab.ask(&["who", "lara"], at).says(&["aws-auth"]));
    let end = lab.ask(&["admins"], at);
    let end = &end.route(&role("oncall"), "aws_auth")["valid_to"];
    assert!(is_time(end, "2026-01-09T01:10:00Z"), "{end}");
}

#[test]
fn case_15_one_section_that_does_not_parse_leaves_the_other_alive() {
    let lab = Lab::new();
    let oncall = snapshot::masters(&role("oncall"));
    let broken = format!(
        "- userarn: {}\n    username: aldo\n  groups:\n    - system:masters\n",
        user("aldo")
    );
    lab.audit(&[logs::write_aws_auth(
        "2026-03-03T09:00:00Z",
        lara(),
        json!({"mapRoles": format!("{NODES}{oncall}"), "mapUsers": broken}),
    )]);
    lab.authenticator(&logs::denied_line("2026-03-03T10:00:00Z", &user("aldo"), 43101));
    let at = "2026-03-03T11:00:00Z";
    let admins = lab.ask(&["admins"], at);
    assert_eq!(admins.status(&role("oncall")), Some("active"));
    assert_eq!(admins.status(&user("aldo")), None);
    assert_eq!(lab.ask(&["check"], at).with("rule", "aws-auth.malformed").len(), 1);
    assert_eq!(lab.ask(&["denials"], at).texts("reason"), ["authn.aws-auth.malformed"]);
}

#[test]
fn case_17_groups_copied_with_their_angle_brackets_are_linted_and_not_bound() {
    let lab = Lab::new();
    let roles = format!(
        "- rolearn: {}\n  username: <system:node:{{{{EC2PrivateDNSName}}}}>\n  groups:\n    - <system:bootstrappers>\n    - <system:nodes>\n- rolearn: {}\n  username: <admin>\n  groups:\n    - <system:masters>\n",
        role("pool-node"),
        role("platform")
    );
    let caller = logs::session_user("<admin>", &["<system:masters>"], "platform", "jo");
    lab.audit(&[
        logs::write_aws_auth("2026-03-06T09:00:00Z", lara(), json!({"mapRoles": roles})),
        logs::forbidden(
            "2026-03-06T10:00:00Z",
            caller,
            "list",
            json!({"resource": "nodes", "apiVersion": "v1"}),
        ),
    ]);
    let at = "2026-03-06T11:00:00Z";
    assert_eq!(lab.ask(&["admins"], at).status(&role("platform")), None);
    let check = lab.ask(&["check"], at);
    for group in ["<system:masters>", "<system:bootstrappers>"] {
        assert!(
            check.findings().iter().any(|finding| says(finding, &[group])),
            "{group}: {}",
            check.json
        );
    }
    let denials = lab.ask(&["denials"], at);
    let denial = &denials.findings()[0];
    let fixes = fixes(denial);
    assert!(
        fixes
            .iter()
            .all(|fix| !fix.contains("--group") || !fix.contains("<system:masters>")),
        "it cements the slip: {fixes:?}"
    );
    assert!(
        says(&denial["fix"], &["aws-auth"]),
        "the group is corrected in aws-auth: {denial}"
    );
}

#[test]
fn case_19_an_entry_with_wrong_keys_is_dropped_alone_and_named() {
    let lab = Lab::new();
    let roles = format!(
        "{NODES}- role_arn: {}\n  username: outside:{{{{AccountID}}}}\n  group: system:masters\n",
        role("manager")
    );
    lab.audit(&[logs::write_aws_auth(
        "2026-03-09T09:00:00Z",
        lara(),
        json!({"mapRoles": roles}),
    )]);
    lab.authenticator(&logs::denied_line("2026-03-09T09:30:00Z", &role("manager"), 43401));
    let at = "2026-03-09T10:00:00Z";
    assert_eq!(lab.ask(&["admins"], at).status(&role("manager")), None);
    let check = lab.ask(&["check"], at);
    let malformed = check.with("rule", "aws-auth.malformed");
    assert_eq!(malformed.len(), 1, "{}", check.json);
    assert!(says(malformed[0], &["rolearn"]), "{}", malformed[0]);
}

#[test]
fn case_35_a_permission_set_made_anew_is_a_near_miss_with_the_arn_as_iam_spells_it() {
    let lab = Lab::new();
    let (old, new) = (
        role("AWSReservedSSO_Owners_1111111111111111"),
        role("AWSReservedSSO_Owners_2222222222222222"),
    );
    let users = "- userarn: arn:aws:iam::111122223333:root\n  username: root\n  groups:\n    - system:masters\n";
    lab.audit(&[logs::write_aws_auth(
        "2026-05-09T08:00:00Z",
        lara(),
        json!({"mapRoles": snapshot::masters(&old), "mapUsers": users}),
    )]);
    lab.authenticator(
        &[
            logs::sts_line(
                "2026-05-09T09:00:00Z",
                "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Owners_2222222222222222/rita@example.com",
                "ASIAEXAMPLE1",
                "rita@example.com",
                "AROAOWNERS",
                44001,
            ),
            logs::denied_line("2026-05-09T09:00:00Z", &new, 44001),
        ]
        .concat(),
    );
    let at = "2026-05-09T10:00:00Z";
    let denials = lab.ask(&["denials"], at);
    let denial = denials.reason("authn.near-miss.sso-suffix");
    assert!(says(&denial["fix"], &["2222222222222222"]), "{denial}");
    let text = denial["fix"].to_string();
    assert!(text.contains(&new) && !text.contains(&new.to_lowercase()), "{text}");
    let admins = lab.ask(&["admins"], at);
    assert_eq!(
        admins.route("arn:aws:iam::111122223333:root", "aws_auth")["status"],
        "active"
    );
}

#[test]
fn case_41_a_snapshot_taken_after_a_refusal_explains_it_without_being_sure() {
    let lab = Lab::new();
    lab.authenticator(
        &[
            logs::sts_line(
                "2026-05-20T10:00:00Z",
                "arn:aws:sts::111122223333:assumed-role/image-builder/job-1",
                "ASIAEXAMPLE1",
                "job-1",
                "AROABUILDER",
                45001,
            ),
            logs::denied_line("2026-05-20T10:00:00Z", &role("image-builder"), 45001),
        ]
        .concat(),
    );
    Look::new()
        .aws_auth(&format!("{NODES}{}", snapshot::masters(&role("farm/image-builder"))))
        .take(&lab, "2026-05-20T10:05:00Z");
    let at = "2026-05-20T10:10:00Z";
    let denials = lab.ask(&["denials"], at);
    let denial = denials.reason("authn.near-miss.role-path");
    assert!(
        matches!(denial["confidence"].as_str(), Some("likely" | "guess")),
        "not proven for that minute: {denial}"
    );
    assert!(
        says(&denial["cause"], &["snapshot"]),
        "the snapshot is younger: {denial}"
    );
    assert!(!denials.says(&["what aws-auth holds is not in"]), "{}", denials.json);
    assert!(lab.ask(&["who", "image-builder"], at).says(&["role-path"]));
    assert_eq!(
        lab.ask(&["check"], at)
            .with("rule", "aws-auth.near-miss.role-path")
            .len(),
        1
    );
}

#[test]
fn case_41_a_whole_log_between_refusal_and_snapshot_makes_it_certain() {
    let lab = Lab::new();
    lab.trail(&[logs::create_cluster(
        "2026-05-20T08:00:00Z",
        &Caller::User("lara"),
        "prod",
        "CONFIG_MAP",
    )]);
    // The audit log begins before the refusal, and shows no write until the snapshot.
    let minutes = (0..24).map(|step| {
        let time = format!("2026-05-20T{:02}:{:02}:00Z", 9 + step / 12, step % 12 * 5);
        logs::event(
            &time,
            json!({"user": {"username": "system:kube-scheduler", "groups": ["system:authenticated"]}, "verb": "watch"}),
        )
    });
    lab.audit(&minutes.collect::<Vec<_>>());
    lab.authenticator(&logs::denied_line(
        "2026-05-20T10:00:00Z",
        &role("image-builder"),
        45001,
    ));
    Look::eks("CONFIG_MAP", "2026-05-20T08:00:00Z")
        .aws_auth(&format!("{NODES}{}", snapshot::masters(&role("farm/image-builder"))))
        .take(&lab, "2026-05-20T10:50:00Z");
    let denials = lab.ask(&["denials"], "2026-05-20T11:00:00Z");
    assert_eq!(
        denials.reason("authn.near-miss.role-path")["confidence"],
        "certain",
        "{}",
        denials.json
    );
}
