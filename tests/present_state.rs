//! Day one: snapshots alone, late, twice, partial, or with logs on one side only. What is known, since when, and what is not.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use serde_json::{Value, json};

mod support;

use support::logs::{self, Caller};
use support::snapshot::{self, Look};
use support::{Answer, CLUSTER_ADMIN, Lab, is_time, role, says};

/// When prod was made, long before any look.
const BIRTH: &str = "2025-03-01T08:00:00Z";
const JUNE: &str = "2025-06-01T09:00:00Z";
/// Two looks, and a little later.
const FIRST: &str = "2026-11-01T02:00:00Z";
const AFTER_FIRST: &str = "2026-11-01T03:00:00Z";
const SECOND: &str = "2026-11-08T02:00:00Z";
const AFTER_SECOND: &str = "2026-11-08T03:00:00Z";
const OPS: Caller<'static> = Caller::User("omar");

fn day(time: &Value) -> Option<&str> {
    time.as_str().map(|text| &text[..10])
}

/// Ana and Ben are admins by access entry.
fn ana_and_ben(mode: &str) -> Look {
    Look::eks(mode, BIRTH)
        .entry(&role("Ana"), JUNE, &[CLUSTER_ADMIN])
        .entry(&role("Ben"), JUNE, &[CLUSTER_ADMIN])
        .iam(&role("Ana"), BIRTH)
        .iam(&role("Ben"), BIRTH)
}

fn only_ana(mode: &str) -> Look {
    Look::eks(mode, BIRTH)
        .entry(&role("Ana"), JUNE, &[CLUSTER_ADMIN])
        .iam(&role("Ana"), BIRTH)
}

/// A binding of cluster-admin to User cleo.
fn cleos_binding() -> Value {
    snapshot::cluster_role_binding("ops", "cluster-admin", snapshot::user_subject("cleo"))
}

fn admins(lab: &Lab, at: &str) -> Answer {
    lab.ask(&["admins"], at)
}

// --- calls and writes after a snapshot

fn removals_of_november_10(lab: &Lab) {
    lab.trail(&[
        logs::delete_entry("2026-11-10T10:00:00Z", &OPS, &role("Ana")),
        logs::disassociate("2026-11-10T11:00:00Z", &OPS, &role("Ben"), CLUSTER_ADMIN),
    ]);
}

fn assert_both_ended_on_november_10(admins: &Answer) {
    assert_eq!(admins.active(), [""; 0], "{}", admins.json);
    for (name, end) in [("Ana", "2026-11-10T10:00:00Z"), ("Ben", "2026-11-10T11:00:00Z")] {
        let route = admins.route(&role(name), "access_policy");
        assert_eq!(route["status"], "revoked", "{route}");
        assert!(is_time(&route["valid_to"], end), "{route}");
    }
}

#[test]
fn an_entry_deleted_after_a_snapshot_is_revoked() {
    for mode in ["API", "API_AND_CONFIG_MAP"] {
        let lab = Lab::new();
        ana_and_ben(mode).take(&lab, FIRST);
        removals_of_november_10(&lab);
        assert_eq!(
            admins(&lab, "2026-11-05T00:00:00Z").active(),
            [role("Ana"), role("Ben")],
            "{mode}"
        );
        assert_both_ended_on_november_10(&admins(&lab, "2026-11-20T00:00:00Z"));
    }
}

#[test]
fn the_order_in_which_snapshot_and_logs_are_ingested_changes_nothing() {
    let lab = Lab::new();
    removals_of_november_10(&lab);
    ana_and_ben("API").take(&lab, FIRST);
    assert_both_ended_on_november_10(&admins(&lab, "2026-11-20T00:00:00Z"));
}

#[test]
fn a_second_snapshot_that_agrees_moves_no_time_that_a_record_proves() {
    let lab = Lab::new();
    ana_and_ben("API").take(&lab, FIRST);
    ana_and_ben("API").take(&lab, SECOND);
    removals_of_november_10(&lab);
    Look::eks("API", BIRTH)
        .entry(&role("Ben"), JUNE, &[])
        .iam(&role("Ana"), BIRTH)
        .iam(&role("Ben"), BIRTH)
        .take(&lab, "2026-11-15T02:00:00Z");
    assert_both_ended_on_november_10(&admins(&lab, "2026-11-20T00:00:00Z"));
}

#[test]
fn an_entry_made_after_a_snapshot_is_active_from_its_making() {
    let lab = Lab::new();
    only_ana("API").take(&lab, FIRST);
    lab.trail(&[
        logs::create_entry("2026-11-12T10:00:00Z", &OPS, &role("Dan")),
        logs::associate("2026-11-12T10:00:05Z", &OPS, &role("Dan"), CLUSTER_ADMIN, &[]),
    ]);
    let after = admins(&lab, "2026-11-12T11:00:00Z");
    assert_eq!(after.active(), [role("Ana"), role("Dan")]);
    let route = after.route(&role("Dan"), "access_policy");
    assert!(is_time(&route["valid_from"], "2026-11-12T10:00:05Z"), "{route}");
    assert_eq!(admins(&lab, "2026-11-05T00:00:00Z").active(), [role("Ana")]);
}

#[test]
fn an_entry_deleted_and_made_again_after_a_snapshot_is_active_from_the_second_making() {
    let lab = Lab::new();
    only_ana("API").take(&lab, FIRST);
    lab.trail(&[
        logs::delete_entry("2026-11-03T10:00:00Z", &OPS, &role("Ana")),
        logs::create_entry("2026-11-04T10:00:00Z", &OPS, &role("Ana")),
        logs::associate("2026-11-04T10:00:05Z", &OPS, &role("Ana"), CLUSTER_ADMIN, &[]),
    ]);
    // The look after it shows the new entry.
    Look::eks("API", BIRTH)
        .entry(&role("Ana"), "2026-11-04T10:00:00Z", &[CLUSTER_ADMIN])
        .iam(&role("Ana"), BIRTH)
        .take(&lab, SECOND);
    assert_eq!(admins(&lab, "2026-11-03T20:00:00Z").active(), [""; 0]);
    let after = admins(&lab, AFTER_SECOND);
    let route = after.route(&role("Ana"), "access_policy");
    assert_eq!(route["status"], "active");
    assert!(is_time(&route["valid_from"], "2026-11-04T10:00:05Z"), "{route}");
}

#[test]
fn a_policy_limited_to_namespaces_after_a_snapshot_ends_the_power_over_the_cluster() {
    let lab = Lab::new();
    only_ana("API").take(&lab, FIRST);
    lab.trail(&[logs::associate(
        "2026-11-10T10:00:00Z",
        &OPS,
        &role("Ana"),
        CLUSTER_ADMIN,
        &["dev"],
    )]);
    let admins = admins(&lab, "2026-11-10T11:00:00Z");
    assert_ne!(admins.status(&role("Ana")), Some("active"), "{}", admins.json);
}

#[test]
fn a_mapping_removed_by_a_write_after_a_snapshot_is_revoked() {
    let lab = Lab::new();
    let look = Look::eks("CONFIG_MAP", BIRTH).rbac(vec![cleos_binding()]);
    look.aws_auth(&snapshot::masters(&role("Cara"))).take(&lab, FIRST);
    let omar = || logs::iam_user("kubernetes-admin", &["system:masters"], "omar");
    lab.audit(&[
        logs::write_aws_auth("2026-11-10T10:00:00Z", omar(), json!({"mapRoles": "[]"})),
        logs::write_rbac(
            "2026-11-10T11:00:00Z",
            omar(),
            "delete",
            "clusterrolebindings",
            &cleos_binding(),
        ),
    ]);
    let before = admins(&lab, "2026-11-10T09:00:00Z");
    assert_eq!(before.status(&role("Cara")), Some("active"), "{}", before.json);
    assert_eq!(before.status("User:cleo"), Some("active"), "{}", before.json);
    let after = admins(&lab, "2026-11-10T12:00:00Z");
    for (principal, route, end) in [
        (role("Cara").as_str(), "aws_auth", "2026-11-10T10:00:00Z"),
        ("User:cleo", "rbac_binding", "2026-11-10T11:00:00Z"),
    ] {
        let route = after.route(principal, route);
        assert_eq!(route["status"], "revoked", "{route}");
        assert!(is_time(&route["valid_to"], end), "{route}");
    }
}

// --- what a second snapshot lacks

#[test]
fn what_a_second_snapshot_lacks_has_ended() {
    for mode in ["API", "API_AND_CONFIG_MAP"] {
        let lab = Lab::new();
        ana_and_ben(mode)
            .rbac(vec![cleos_binding()])
            .aws_auth("[]")
            .take(&lab, FIRST);
        only_ana(mode)
            .iam(&role("Ben"), BIRTH)
            .rbac(Vec::new())
            .aws_auth("[]")
            .take(&lab, SECOND);
        let first = admins(&lab, AFTER_FIRST);
        assert_eq!(
            first.active(),
            ["User:cleo".to_owned(), role("Ana"), role("Ben")],
            "{mode}"
        );
        let second = admins(&lab, AFTER_SECOND);
        assert_eq!(second.active(), [role("Ana")], "{mode}: {}", second.json);
        for principal in [role("Ben").as_str(), "User:cleo"] {
            assert!(
                matches!(second.status(principal), Some("revoked" | "unproven")),
                "{mode} {principal}"
            );
        }
        assert_eq!(
            lab.can_i(&["delete", "nodes", "--as", "cleo"], AFTER_FIRST),
            Some(true),
            "{mode}"
        );
        assert_eq!(
            lab.can_i(&["delete", "nodes", "--as", "cleo"], AFTER_SECOND),
            Some(false),
            "{mode}"
        );
        assert_eq!(
            lab.can_i(&["delete", "nodes", "--as", &role("Ana")], AFTER_SECOND),
            Some(true),
            "{mode}"
        );
    }
}

#[test]
fn the_end_of_what_a_second_snapshot_lacks_is_not_the_time_of_the_look() {
    let lab = Lab::new();
    ana_and_ben("API").rbac(vec![cleos_binding()]).take(&lab, FIRST);
    only_ana("API")
        .iam(&role("Ben"), BIRTH)
        .rbac(Vec::new())
        .take(&lab, SECOND);
    let second = admins(&lab, AFTER_SECOND);
    for finding in second.findings() {
        for route in finding["routes"].as_array().unwrap() {
            // Gone by the look at the latest; who ended it, and when, no record says.
            assert!(
                route["status"] != "revoked"
                    || route["valid_to"].is_null()
                    || says(route, &["at the latest"])
                    || says(route, &["by 2026-11-08"])
                    || says(route, &["between", "2026-11-01", "2026-11-08"]),
                "an exact end that nothing proves: {route}"
            );
        }
    }
}

#[test]
fn an_association_that_a_second_snapshot_lacks_has_ended_though_the_entry_is_there() {
    let lab = Lab::new();
    ana_and_ben("API").take(&lab, FIRST);
    only_ana("API")
        .entry(&role("Ben"), JUNE, &["AmazonEKSViewPolicy"])
        .iam(&role("Ben"), BIRTH)
        .take(&lab, SECOND);
    let second = admins(&lab, AFTER_SECOND);
    assert_eq!(second.active(), [role("Ana")], "{}", second.json);
    assert_eq!(
        lab.can_i(&["delete", "nodes", "--as", &role("Ben")], AFTER_FIRST),
        Some(true)
    );
    assert_ne!(
        lab.can_i(&["delete", "nodes", "--as", &role("Ben")], AFTER_SECOND),
        Some(true)
    );
}

#[test]
fn an_association_narrowed_in_a_second_snapshot_is_no_power_over_the_cluster() {
    let lab = Lab::new();
    ana_and_ben("API").take(&lab, FIRST);
    only_ana("API")
        .entry_with(&role("Ben"), JUNE, &[], &[(CLUSTER_ADMIN, &["dev"])])
        .iam(&role("Ben"), BIRTH)
        .take(&lab, SECOND);
    assert_eq!(admins(&lab, AFTER_SECOND).active(), [role("Ana")]);
}

#[test]
fn groups_that_an_entry_lost_by_a_second_snapshot_give_nothing() {
    let lab = Lab::new();
    let bound = || {
        vec![snapshot::cluster_role_binding(
            "ops",
            "cluster-admin",
            snapshot::group_subject("ops"),
        )]
    };
    Look::eks("API", BIRTH)
        .entry_with(&role("Ben"), JUNE, &["ops"], &[])
        .iam(&role("Ben"), BIRTH)
        .rbac(bound())
        .take(&lab, FIRST);
    Look::eks("API", BIRTH)
        .entry_with(&role("Ben"), JUNE, &["devs"], &[])
        .iam(&role("Ben"), BIRTH)
        .rbac(bound())
        .take(&lab, SECOND);
    assert_eq!(admins(&lab, AFTER_FIRST).status(&role("Ben")), Some("active"));
    let second = admins(&lab, AFTER_SECOND);
    assert_ne!(second.status(&role("Ben")), Some("active"), "{}", second.json);
}

#[test]
fn a_custom_role_that_lost_its_rules_by_a_second_snapshot_gives_nothing() {
    let lab = Lab::new();
    let binding = snapshot::cluster_role_binding("argo", "argo", snapshot::account_subject("argo", "argo"));
    let look = |rules: Value| Look::new().rbac(vec![binding.clone(), snapshot::cluster_role("argo", rules)]);
    look(snapshot::everything()).take(&lab, FIRST);
    look(json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])).take(&lab, SECOND);
    assert_eq!(
        admins(&lab, AFTER_FIRST).status("ServiceAccount:argo/argo"),
        Some("active")
    );
    assert_ne!(
        admins(&lab, AFTER_SECOND).status("ServiceAccount:argo/argo"),
        Some("active")
    );
    let as_argo = ["--as", "system:serviceaccount:argo:argo"];
    assert_eq!(
        lab.can_i(&[&["delete", "nodes"], &as_argo[..]].concat(), AFTER_SECOND),
        Some(false)
    );
    assert_eq!(
        lab.can_i(&[&["get", "pods"], &as_argo[..]].concat(), AFTER_SECOND),
        Some(true)
    );
}

#[test]
fn aws_auth_that_a_whole_later_list_lacks_is_gone() {
    let lab = Lab::new();
    // kubectl get --raw /api/v1/namespaces/kube-system/configmaps
    let config = |name: &str| json!({"metadata": {"name": name, "namespace": "kube-system", "uid": name}, "data": {}});
    let others = || {
        [
            "coredns",
            "extension-apiserver-authentication",
            "kube-proxy",
            "kube-root-ca.crt",
        ]
        .map(config)
        .to_vec()
    };
    let whole = |items: Vec<Value>| json!({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "9001"}, "items": items});
    let aws_auth = snapshot::aws_auth(&snapshot::masters(&role("Cara")));
    Look::eks("CONFIG_MAP", BIRTH)
        .kubectl(whole([others(), vec![aws_auth]].concat()))
        .take(&lab, FIRST);
    Look::eks("CONFIG_MAP", BIRTH)
        .kubectl(whole(others()))
        .take(&lab, SECOND);
    assert_eq!(admins(&lab, AFTER_FIRST).status(&role("Cara")), Some("active"));
    let second = admins(&lab, AFTER_SECOND);
    assert_ne!(second.status(&role("Cara")), Some("active"), "{}", second.json);
}

#[test]
fn a_mode_that_a_second_snapshot_shows_changed_ends_every_mapping() {
    let lab = Lab::new();
    let mapped = snapshot::masters(&role("Cara"));
    only_ana("API_AND_CONFIG_MAP")
        .iam(&role("Cara"), BIRTH)
        .aws_auth(&mapped)
        .take(&lab, FIRST);
    only_ana("API")
        .iam(&role("Cara"), BIRTH)
        .aws_auth(&mapped)
        .take(&lab, SECOND);
    assert_eq!(admins(&lab, AFTER_FIRST).active(), [role("Ana"), role("Cara")]);
    let second = admins(&lab, AFTER_SECOND);
    assert_eq!(second.active(), [role("Ana")], "{}", second.json);
    let creators = lab.ask(&["creators"], AFTER_SECOND);
    assert_eq!(creators.findings()[0]["authentication_mode"], "API");
}

#[test]
fn a_second_look_at_one_thing_ends_nothing_else() {
    let lab = Lab::new();
    ana_and_ben("API_AND_CONFIG_MAP")
        .aws_auth(&snapshot::masters(&role("Cara")))
        .rbac(vec![
            cleos_binding(),
            snapshot::cluster_role_binding("more", "cluster-admin", snapshot::user_subject("dora")),
        ])
        .take(&lab, FIRST);
    // kubectl get clusterrolebinding more, kubectl get configmap aws-auth: no EKS, no lists.
    Look::new()
        .kubectl(snapshot::cluster_role_binding(
            "more",
            "cluster-admin",
            snapshot::user_subject("dora"),
        ))
        .aws_auth(&snapshot::masters(&role("Cara")))
        .take(&lab, SECOND);
    let expected = [
        "User:cleo".to_owned(),
        "User:dora".to_owned(),
        role("Ana"),
        role("Ben"),
        role("Cara"),
    ];
    let second = admins(&lab, AFTER_SECOND);
    assert_eq!(second.active(), expected, "{}", second.json);
}

#[test]
fn a_later_list_of_roles_ends_no_binding() {
    let lab = Lab::new();
    Look::new().rbac(vec![cleos_binding()]).take(&lab, FIRST);
    let roles = snapshot::default_roles()
        .into_iter()
        .filter(|one| one["kind"] == "ClusterRole");
    Look::new().kubectl(snapshot::list(roles.collect())).take(&lab, SECOND);
    assert_eq!(admins(&lab, AFTER_SECOND).status("User:cleo"), Some("active"));
}

#[test]
fn a_snapshot_of_another_cluster_ends_nothing() {
    let lab = Lab::new();
    ana_and_ben("API").take(&lab, FIRST);
    let other = json!({"cluster": {"name": "stage", "arn": "arn:aws:eks:us-west-2:111122223333:cluster/stage", "createdAt": BIRTH, "status": "ACTIVE",
        "accessConfig": {"authenticationMode": "API"}}});
    let documents = [
        snapshot::Document::Cluster(other),
        snapshot::Document::AccessEntries("stage".to_owned(), Vec::new()),
    ];
    snapshot::snapshot(&lab.lake(), SECOND, &documents);
    assert_eq!(admins(&lab, AFTER_SECOND).active(), [role("Ana"), role("Ben")]);
}

// --- IAM

/// Tara made prod on October 1, her role was deleted on October 10.
fn life_of_tara() -> [Value; 2] {
    [
        logs::create_cluster(
            "2026-10-01T08:00:00Z",
            &Caller::Session("Tara", "apply"),
            "prod",
            "API_AND_CONFIG_MAP",
        ),
        logs::delete_role("2026-10-10T09:00:00Z", &OPS, "Tara"),
    ]
}

fn assert_tara_was_deleted_on_october_10(lab: &Lab, at: &str) {
    let creators = lab.ask(&["creators"], at);
    let creator = &creators.findings()[0];
    assert_eq!(creator["creator_state"], "deleted", "{creator}");
    assert!(
        is_time(&creator["creator_deleted_at"], "2026-10-10T09:00:00Z"),
        "{creator}"
    );
    let admins = admins(lab, at);
    let tara = admins.of(&role("Tara"));
    assert_eq!(tara["principal_state"], "deleted", "{tara}");
    assert!(is_time(&tara["principal_deleted_at"], "2026-10-10T09:00:00Z"), "{tara}");
}

#[test]
fn a_look_moves_no_deletion_that_cloudtrail_dates() {
    let lab = Lab::new();
    lab.trail(&life_of_tara());
    assert_tara_was_deleted_on_october_10(&lab, AFTER_SECOND);
    let look = Look::eks("API_AND_CONFIG_MAP", "2026-10-01T08:00:00Z")
        .entry(&role("Tara"), "2026-10-01T08:00:10Z", &[CLUSTER_ADMIN])
        .gone(&role("Tara"));
    look.take(&lab, FIRST);
    assert_tara_was_deleted_on_october_10(&lab, AFTER_FIRST);
    look.take(&lab, SECOND);
    assert_tara_was_deleted_on_october_10(&lab, AFTER_SECOND);
}

#[test]
fn a_role_that_cloudtrail_saw_deleted_and_made_again_keeps_both_times_after_a_look() {
    let lab = Lab::new();
    let mut calls = life_of_tara().to_vec();
    calls.push(logs::create_role(
        "2026-10-12T09:00:00Z",
        &OPS,
        "/",
        "Tara",
        "AROASECONDLIFE0000001",
    ));
    lab.trail(&calls);
    Look::new().iam(&role("Tara"), "2026-10-12T09:00:00Z").take(&lab, FIRST);
    let creators = lab.ask(&["creators"], AFTER_FIRST);
    let creator = &creators.findings()[0];
    assert_eq!(creator["creator_state"], "recreated", "{creator}");
    assert!(
        is_time(&creator["creator_deleted_at"], "2026-10-10T09:00:00Z"),
        "{creator}"
    );
    assert!(
        is_time(&creator["creator_recreated_at"], "2026-10-12T09:00:00Z"),
        "{creator}"
    );
}

#[test]
fn a_principal_gone_from_a_second_look_is_deleted_at_no_known_time() {
    let lab = Lab::new();
    ana_and_ben("API").take(&lab, FIRST);
    only_ana("API")
        .entry(&role("Ben"), JUNE, &[CLUSTER_ADMIN])
        .gone(&role("Ben"))
        .take(&lab, SECOND);
    assert_eq!(admins(&lab, AFTER_FIRST).of(&role("Ben"))["principal_state"], "present");
    let second = admins(&lab, AFTER_SECOND);
    let ben = second.of(&role("Ben"));
    assert_eq!(ben["principal_state"], "deleted", "{ben}");
    assert_eq!(
        ben["principal_deleted_at"],
        Value::Null,
        "only the look's time is known: {ben}"
    );
}

#[test]
fn a_principal_deleted_after_the_last_look_is_deleted_when_cloudtrail_says() {
    let lab = Lab::new();
    ana_and_ben("API").take(&lab, FIRST);
    lab.trail(&[logs::delete_role("2026-11-10T09:00:00Z", &OPS, "Ben")]);
    let admins = admins(&lab, "2026-11-10T10:00:00Z");
    let ben = admins.of(&role("Ben"));
    assert_eq!(ben["principal_state"], "deleted");
    assert!(is_time(&ben["principal_deleted_at"], "2026-11-10T09:00:00Z"), "{ben}");
}

#[test]
fn a_role_made_again_after_its_entry_is_not_let_in() {
    for mode in ["API", "API_AND_CONFIG_MAP"] {
        let lab = Lab::new();
        Look::eks(mode, BIRTH)
            .entry(&role("Ana"), JUNE, &[CLUSTER_ADMIN])
            .entry(&role("Ben"), JUNE, &[CLUSTER_ADMIN])
            .iam(&role("Ana"), "2025-09-01T07:00:00Z")
            .iam(&role("Ben"), BIRTH)
            .rbac(Vec::new())
            .aws_auth("[]")
            .take(&lab, FIRST);
        let admins = admins(&lab, AFTER_FIRST);
        assert_eq!(admins.active(), [role("Ben")], "{mode}: {}", admins.json);
        let ana = admins.of(&role("Ana"));
        assert_eq!(ana["principal_state"], "recreated", "{mode}: {ana}");
        assert_eq!(
            lab.can_i(&["delete", "nodes", "--as", &role("Ana")], AFTER_FIRST),
            Some(false),
            "{mode}"
        );
        let check = lab.ask(&["check"], AFTER_FIRST);
        let told = |name: &str| {
            let subject = role(name);
            check
                .findings()
                .iter()
                .any(|finding| says(&finding["subject"], &[&subject]) && says(finding, &["entry"]))
        };
        assert!(told("Ana"), "{mode}: {}", check.json);
        assert!(!told("Ben"), "{mode}: {}", check.json);
    }
}

// --- dates

#[test]
fn dates_come_from_eks_or_are_unknown_never_from_the_look() {
    let lab = Lab::new();
    Look::eks("API", BIRTH)
        .entry(&role("Ana"), JUNE, &[CLUSTER_ADMIN])
        .entry(&role("Ben"), JUNE, &[CLUSTER_ADMIN])
        .iam(&role("Ana"), BIRTH)
        .gone(&role("Ben"))
        .rbac(vec![
            snapshot::cluster_role("argo", snapshot::everything()),
            snapshot::cluster_role_binding("argo", "argo", snapshot::account_subject("argo", "argo")),
        ])
        .take(&lab, FIRST);
    let admins = admins(&lab, AFTER_FIRST);
    for principal in [role("Ana").as_str(), "ServiceAccount:argo/argo"] {
        assert_eq!(admins.status(principal), Some("active"), "{principal}: {}", admins.json);
    }
    for finding in admins.findings() {
        assert_eq!(finding["principal_deleted_at"], Value::Null, "{finding}");
        for field in ["first_seen", "last_seen"] {
            assert_eq!(finding[field], Value::Null, "nobody was seen at work: {finding}");
        }
        for route in finding["routes"].as_array().unwrap() {
            for field in ["valid_from", "valid_to"] {
                assert_ne!(day(&route[field]), Some("2026-11-01"), "{finding}");
            }
        }
    }
    let ana = admins.route(&role("Ana"), "access_policy");
    assert!(
        ana["valid_from"].is_null() || day(&ana["valid_from"]) == Some("2025-06-01"),
        "{ana}"
    );
}

#[test]
fn a_mapping_that_only_a_look_shows_has_no_beginning() {
    let lab = Lab::new();
    Look::eks("CONFIG_MAP", BIRTH)
        .aws_auth(&snapshot::masters(&role("Cara")))
        .take(&lab, FIRST);
    let admins = admins(&lab, AFTER_FIRST);
    let route = admins.route(&role("Cara"), "aws_auth");
    assert_eq!(
        (&route["status"], &route["valid_from"]),
        (&json!("active"), &Value::Null),
        "{route}"
    );
}

#[test]
fn a_mapping_restored_before_a_look_is_active_from_the_restoring_write() {
    let lab = Lab::new();
    let omar = || logs::iam_user("kubernetes-admin", &["system:masters"], "omar");
    let mapped = snapshot::masters(&role("Cara"));
    let binding = cleos_binding();
    let write = |time: &str, roles: &str| logs::write_aws_auth(time, omar(), json!({"mapRoles": roles}));
    let bind = |time: &str, verb: &str| logs::write_rbac(time, omar(), verb, "clusterrolebindings", &binding);
    lab.audit(&[
        write("2026-11-01T10:00:00Z", &mapped),
        bind("2026-11-01T10:05:00Z", "create"),
        write("2026-11-03T10:00:00Z", "[]"),
        bind("2026-11-03T10:05:00Z", "delete"),
        write("2026-11-05T10:00:00Z", &mapped),
        bind("2026-11-05T10:05:00Z", "create"),
    ]);
    lab.trail(&[
        logs::create_cluster("2026-10-01T08:00:00Z", &OPS, "prod", "API_AND_CONFIG_MAP"),
        logs::create_entry("2026-11-01T11:00:00Z", &OPS, &role("Dan")),
        logs::associate("2026-11-01T11:00:05Z", &OPS, &role("Dan"), CLUSTER_ADMIN, &[]),
        logs::disassociate("2026-11-03T11:00:00Z", &OPS, &role("Dan"), CLUSTER_ADMIN),
        logs::associate("2026-11-05T11:00:00Z", &OPS, &role("Dan"), CLUSTER_ADMIN, &[]),
    ]);
    let ask = || {
        let admins = admins(&lab, AFTER_SECOND);
        for (principal, route, from) in [
            (role("Cara").as_str(), "aws_auth", "2026-11-05T10:00:00Z"),
            ("User:cleo", "rbac_binding", "2026-11-05T10:05:00Z"),
            (role("Dan").as_str(), "access_policy", "2026-11-05T11:00:00Z"),
        ] {
            let route = admins.route(principal, route);
            assert_eq!(route["status"], "active", "{route}");
            assert!(is_time(&route["valid_from"], from), "{route}");
        }
    };
    ask();
    Look::eks("API_AND_CONFIG_MAP", "2026-10-01T08:00:00Z")
        .entry(&super_user(), "2026-10-01T08:00:10Z", &[CLUSTER_ADMIN])
        .entry(&role("Dan"), "2026-11-01T11:00:00Z", &[CLUSTER_ADMIN])
        .iam(&super_user(), BIRTH)
        .iam(&role("Dan"), BIRTH)
        .aws_auth(&mapped)
        .rbac(vec![binding.clone()])
        .take(&lab, SECOND);
    ask();
}

fn super_user() -> String {
    support::user("omar")
}

#[test]
fn an_entry_made_after_the_logs_end_has_the_date_of_eks() {
    let lab = Lab::new();
    lab.trail(&[logs::create_cluster("2026-10-01T08:00:00Z", &OPS, "prod", "API")]);
    Look::eks("API", "2026-10-01T08:00:00Z")
        .entry(&super_user(), "2026-10-01T08:00:10Z", &[CLUSTER_ADMIN])
        .entry(&role("Dan"), "2026-10-25T09:00:00Z", &[CLUSTER_ADMIN])
        .iam(&role("Dan"), BIRTH)
        .iam(&super_user(), BIRTH)
        .take(&lab, FIRST);
    let admins = admins(&lab, AFTER_FIRST);
    assert_eq!(admins.active(), [role("Dan"), super_user()]);
    let dan = admins.route(&role("Dan"), "access_policy");
    assert!(
        dan["valid_from"].is_null() || day(&dan["valid_from"]) == Some("2026-10-25"),
        "{dan}"
    );
}

#[test]
fn what_a_look_after_the_logs_end_lacks_is_not_active() {
    let lab = Lab::new();
    lab.trail(&[
        logs::create_cluster("2026-10-01T08:00:00Z", &OPS, "prod", "API"),
        logs::create_entry("2026-10-02T08:00:00Z", &OPS, &role("Ana")),
        logs::associate("2026-10-02T08:00:05Z", &OPS, &role("Ana"), CLUSTER_ADMIN, &[]),
    ]);
    Look::eks("API", "2026-10-01T08:00:00Z")
        .entry(&super_user(), "2026-10-01T08:00:10Z", &[CLUSTER_ADMIN])
        .iam(&super_user(), BIRTH)
        .take(&lab, FIRST);
    assert_eq!(
        admins(&lab, "2026-10-03T00:00:00Z").status(&role("Ana")),
        Some("active")
    );
    let admins = admins(&lab, AFTER_FIRST);
    assert!(
        matches!(admins.status(&role("Ana")), Some("revoked" | "unproven")),
        "{}",
        admins.json
    );
    let route = admins.route(&role("Ana"), "access_policy");
    assert!(is_time(&route["valid_from"], "2026-10-02T08:00:05Z"), "{route}");
}

// --- what was not looked at

#[test]
fn an_old_snapshot_says_its_age() {
    let lab = Lab::new();
    ana_and_ben("API").rbac(vec![cleos_binding()]).take(&lab, FIRST);
    let late = "2026-12-15T00:00:00Z";
    for question in ["admins", "creators", "check"] {
        let answer = lab.ask(&[question], late);
        assert!(answer.is_blind_to(&["2026-11-01"]), "{question}: {}", answer.json);
        let fresh = lab.ask(&[question], AFTER_FIRST);
        assert!(
            !fresh.is_blind_to(&["2026-11-01", "later"]),
            "{question}: {:?}",
            fresh.blind_spots()
        );
    }
    for asked in [
        ["delete", "nodes", "--as", "cleo"],
        ["delete", "nodes", "--as", "nobody"],
    ] {
        let answer = lab.ask(&[&["can-i"][..], &asked, &["--cluster", "prod"]].concat(), late);
        assert!(
            answer.json["allowed"].is_null() || answer.says(&["2026-11-01"]),
            "{}",
            answer.json
        );
    }
}

#[test]
fn what_was_not_taken_is_said() {
    let lab = Lab::new();
    Look::eks("CONFIG_MAP", BIRTH).take(&lab, FIRST);
    for question in ["admins", "creators", "check"] {
        let answer = lab.ask(&[question], AFTER_FIRST);
        assert!(
            answer.is_blind_to(&["aws-auth", "kubectl"]),
            "{question}: {:?}",
            answer.blind_spots()
        );
        assert!(
            answer.is_blind_to(&["rbac", "kubectl"]),
            "{question}: {:?}",
            answer.blind_spots()
        );
    }
    // Once taken, it is not said any more.
    Look::new().rbac(Vec::new()).aws_auth("[]").take(&lab, FIRST);
    let answer = admins(&lab, AFTER_FIRST);
    assert!(
        !answer.is_blind_to(&["aws-auth", "kubectl get"]),
        "{:?}",
        answer.blind_spots()
    );
}

#[test]
fn eks_that_was_not_asked_is_said() {
    let lab = Lab::new();
    Look::new().rbac(Vec::new()).aws_auth("[]").take(&lab, FIRST);
    let answer = admins(&lab, AFTER_FIRST);
    assert!(answer.is_blind_to(&["access entries"]), "{:?}", answer.blind_spots());
}

#[test]
fn mode_api_needs_no_aws_auth() {
    let lab = Lab::new();
    only_ana("API").rbac(Vec::new()).take(&lab, FIRST);
    let answer = admins(&lab, AFTER_FIRST);
    assert!(
        !answer.is_blind_to(&["aws-auth", "not in"]),
        "{:?}",
        answer.blind_spots()
    );
    assert_eq!(
        lab.can_i(&["delete", "nodes", "--as", &role("Cara")], AFTER_FIRST),
        Some(false)
    );
}

#[test]
fn rbac_alone_says_nothing_of_the_login_of_an_arn() {
    let lab = Lab::new();
    Look::new().rbac(Vec::new()).take(&lab, FIRST);
    assert_eq!(
        lab.can_i(&["delete", "nodes", "--as", &role("Cara")], AFTER_FIRST),
        None
    );
    // Of a Kubernetes name it says everything.
    assert_eq!(
        lab.can_i(&["delete", "nodes", "--as", "cleo"], AFTER_FIRST),
        Some(false)
    );
}

#[test]
fn aws_auth_alone_says_nothing_of_what_groups_may() {
    let lab = Lab::new();
    Look::new()
        .aws_auth(&format!(
            "{}- rolearn: {}\n  username: dev\n  groups: [devs]\n",
            snapshot::masters(&role("Cara")),
            role("Dev")
        ))
        .take(&lab, FIRST);
    assert_eq!(lab.can_i(&["delete", "nodes", "--as", &role("Dev")], AFTER_FIRST), None);
    assert_eq!(lab.can_i(&["delete", "nodes", "--as", "dave"], AFTER_FIRST), None);
}

#[test]
fn bindings_without_roles_are_no_refusal() {
    let lab = Lab::new();
    let binding = snapshot::cluster_role_binding("argo", "argocd", snapshot::account_subject("argo", "argo"));
    let all = snapshot::default_bindings().into_iter().chain([binding]).collect();
    Look::new().kubectl(snapshot::list(all)).take(&lab, FIRST);
    let as_argo =
        |verb: &str, what: &str| lab.can_i(&[verb, what, "--as", "system:serviceaccount:argo:argo"], AFTER_FIRST);
    assert_eq!(as_argo("delete", "nodes"), None);
    assert_eq!(as_argo("get", "secrets"), None);
    let admins = admins(&lab, AFTER_FIRST);
    assert_ne!(
        admins.status("ServiceAccount:argo/argo"),
        Some("active"),
        "its rules are not known"
    );
}

#[test]
fn a_binding_to_cluster_admin_needs_no_role_to_be_taken() {
    let lab = Lab::new();
    let all = snapshot::default_bindings()
        .into_iter()
        .chain([cleos_binding()])
        .collect();
    Look::new().kubectl(snapshot::list(all)).take(&lab, FIRST);
    assert_eq!(lab.can_i(&["delete", "nodes", "--as", "cleo"], AFTER_FIRST), Some(true));
    assert_eq!(admins(&lab, AFTER_FIRST).status("User:cleo"), Some("active"));
}

#[test]
fn roles_without_bindings_are_no_refusal() {
    let lab = Lab::new();
    Look::new()
        .kubectl(snapshot::list(snapshot::default_roles()))
        .take(&lab, FIRST);
    assert_eq!(lab.can_i(&["delete", "nodes", "--as", "cleo"], AFTER_FIRST), None);
}

#[test]
fn cluster_wide_objects_alone_say_nothing_of_a_namespace() {
    let lab = Lab::new();
    let cluster_wide = snapshot::default_roles()
        .into_iter()
        .chain(snapshot::default_bindings());
    let cluster_wide = cluster_wide
        .filter(|one| one["metadata"]["namespace"].is_null())
        .collect();
    Look::new().kubectl(snapshot::list(cluster_wide)).take(&lab, FIRST);
    assert_eq!(
        lab.can_i(&["get", "pods", "-n", "dev", "--as", "cleo"], AFTER_FIRST),
        None
    );
    // No RoleBinding could allow this one.
    assert_eq!(
        lab.can_i(&["delete", "nodes", "--as", "cleo"], AFTER_FIRST),
        Some(false)
    );
}

#[test]
fn an_arn_that_is_not_mapped_may_be_the_creator_whom_nothing_lists() {
    let look = Look::eks("CONFIG_MAP", BIRTH)
        .rbac(Vec::new())
        .aws_auth(&snapshot::masters(&role("Cara")))
        .iam(&role("Oleg"), BIRTH);
    let lab = Lab::new();
    look.take(&lab, FIRST);
    assert_eq!(
        lab.can_i(&["delete", "nodes", "--as", &role("Oleg")], AFTER_FIRST),
        None
    );
    assert_eq!(
        lab.can_i(&["delete", "nodes", "--as", &role("Cara")], AFTER_FIRST),
        Some(true)
    );
    // Where CreateCluster is known, the creator is, and nobody else is hidden.
    let known = Lab::new();
    known.trail(&[logs::create_cluster(
        BIRTH,
        &Caller::Session("Tara", "apply"),
        "prod",
        "CONFIG_MAP",
    )]);
    look.take(&known, FIRST);
    assert_eq!(
        known.can_i(&["delete", "nodes", "--as", &role("Oleg")], AFTER_FIRST),
        Some(false)
    );
    assert_eq!(
        known.can_i(&["delete", "nodes", "--as", &role("Tara")], AFTER_FIRST),
        Some(true)
    );
}

#[test]
fn a_creator_is_not_the_only_admin_where_aws_auth_was_not_taken() {
    let only = |lab: &Lab| {
        let check = lab.ask(&["check"], AFTER_FIRST);
        check.with("rule", "creator.only-admin").len()
    };
    let born = [logs::create_cluster(
        BIRTH,
        &Caller::Session("Ana", "me"),
        "prod",
        "API_AND_CONFIG_MAP",
    )];
    let look = Look::eks("API_AND_CONFIG_MAP", BIRTH)
        .entry(&role("Ana"), BIRTH, &[CLUSTER_ADMIN])
        .iam(&role("Ana"), "2025-01-01T00:00:00Z");
    let partial = Lab::new();
    partial.trail(&born);
    look.take(&partial, FIRST);
    assert_eq!(only(&partial), 0, "Cara may be mapped");
    // The whole look shows that she is alone, or that she is not.
    let whole = Lab::new();
    whole.trail(&born);
    look.clone().rbac(Vec::new()).aws_auth("[]").take(&whole, FIRST);
    assert_eq!(only(&whole), 1);
    let shared = Lab::new();
    shared.trail(&born);
    look.rbac(Vec::new())
        .aws_auth(&snapshot::masters(&role("Cara")))
        .take(&shared, FIRST);
    assert_eq!(only(&shared), 0);
}

#[test]
fn a_creator_is_not_invented_from_an_entry() {
    let lab = Lab::new();
    // Ana's entry was made minutes after the cluster: she may be its creator, or the first to be let in.
    Look::eks("API", BIRTH)
        .entry(&role("Ana"), "2025-03-01T08:09:00Z", &[CLUSTER_ADMIN])
        .iam(&role("Ana"), "2025-01-01T00:00:00Z")
        .take(&lab, FIRST);
    let creators = lab.ask(&["creators"], AFTER_FIRST);
    let creator = &creators.findings()[0];
    assert_ne!(creator["confidence"], "certain", "{creator}");
    assert!(
        creator["creator"]["principal"].is_null() || creator["confidence"] == "guess",
        "{creator}"
    );
    assert!(is_time(&creator["cluster"]["created_at"], BIRTH), "{creator}");
}

// --- clusters with two lives

#[test]
fn a_cluster_made_again_between_two_looks_has_two_lives() {
    let lab = Lab::new();
    Look::eks("API_AND_CONFIG_MAP", BIRTH)
        .entry(&role("Ana"), BIRTH, &[CLUSTER_ADMIN])
        .iam(&role("Ana"), "2025-01-01T00:00:00Z")
        .aws_auth(&snapshot::masters(&role("Cara")))
        .take(&lab, FIRST);
    Look::eks("API_AND_CONFIG_MAP", "2026-11-05T10:00:00Z")
        .entry(&role("Ben"), "2026-11-05T10:00:20Z", &[CLUSTER_ADMIN])
        .iam(&role("Ben"), "2025-01-01T00:00:00Z")
        .take(&lab, SECOND);
    assert_eq!(admins(&lab, AFTER_FIRST).active(), [role("Ana"), role("Cara")]);
    let second = admins(&lab, AFTER_SECOND);
    assert_eq!(second.active(), [role("Ben")], "{}", second.json);
    let lives = |name: &str| -> Vec<i64> {
        second
            .with("principal", &role(name))
            .iter()
            .filter_map(|one| one["incarnation"].as_i64())
            .collect()
    };
    assert_eq!((lives("Ana"), lives("Cara"), lives("Ben")), (vec![1], vec![1], vec![2]));
    let creators = lab.ask(&["creators"], AFTER_SECOND);
    let created: Vec<(i64, &str)> = creators
        .findings()
        .iter()
        .map(|one| {
            (
                one["incarnation"].as_i64().unwrap(),
                day(&one["cluster"]["created_at"]).unwrap(),
            )
        })
        .collect();
    assert_eq!(created, [(1, "2025-03-01"), (2, "2026-11-05")]);
    // What the first life's objects said is not said of the second.
    assert_ne!(
        lab.can_i(&["delete", "nodes", "--as", &role("Cara")], AFTER_SECOND),
        Some(true)
    );
}

#[test]
fn a_cluster_made_again_after_the_look_is_not_what_the_look_showed() {
    let lab = Lab::new();
    ana_and_ben("API").take(&lab, FIRST);
    lab.trail(&[
        logs::delete_cluster("2026-11-04T10:00:00Z", &OPS),
        logs::create_cluster("2026-11-05T10:00:00Z", &Caller::Session("Tara", "apply"), "prod", "API"),
    ]);
    let admins = admins(&lab, AFTER_SECOND);
    assert_eq!(admins.active(), [role("Tara")], "{}", admins.json);
    let end = &admins.route(&role("Ana"), "access_policy")["valid_to"];
    assert!(is_time(end, "2026-11-04T10:00:00Z"), "{end}");
}

// --- forms of kubectl's output

#[test]
fn lists_of_get_raw_whose_objects_have_no_kind_are_read() {
    let lab = Lab::new();
    let raw = |kind: &str, of: &str, objects: Vec<Value>| {
        let bare = objects
            .into_iter()
            .filter(|object| object["kind"] == of)
            .map(|mut object| {
                object.as_object_mut().unwrap().remove("kind");
                object.as_object_mut().unwrap().remove("apiVersion");
                object
            });
        json!({"kind": kind, "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"resourceVersion": "9"}, "items": bare.collect::<Vec<_>>()})
    };
    let roles = || snapshot::default_roles();
    let bindings = || {
        snapshot::default_bindings()
            .into_iter()
            .chain([cleos_binding()])
            .collect::<Vec<_>>()
    };
    let mut config_maps = raw(
        "ConfigMapList",
        "ConfigMap",
        vec![snapshot::aws_auth(&snapshot::masters(&role("Cara")))],
    );
    config_maps["apiVersion"] = json!("v1");
    Look::eks("CONFIG_MAP", BIRTH)
        .kubectl(raw("ClusterRoleList", "ClusterRole", roles()))
        .kubectl(raw("RoleList", "Role", roles()))
        .kubectl(raw("ClusterRoleBindingList", "ClusterRoleBinding", bindings()))
        .kubectl(raw("RoleBindingList", "RoleBinding", bindings()))
        .kubectl(config_maps)
        .take(&lab, FIRST);
    let admins = admins(&lab, AFTER_FIRST);
    assert_eq!(admins.status("User:cleo"), Some("active"), "{}", admins.json);
    assert_eq!(admins.status(&role("Cara")), Some("active"), "{}", admins.json);
    assert_eq!(
        lab.can_i(&["delete", "nodes", "--as", "dora"], AFTER_FIRST),
        Some(false)
    );
}
