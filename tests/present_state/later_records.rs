//! Calls and writes after a snapshot.

use super::*;

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
    // The trail goes on all the time: nothing else happened to the entries.
    let hum = (1..13).flat_map(|day| {
        [3, 9, 15, 21].map(|hour| {
            let time = format!("2026-11-{day:02}T{hour:02}:20:00Z");
            logs::call(
                &time,
                &OPS,
                "eks",
                "DescribeCluster",
                json!({"name": "prod"}),
                Value::Null,
            )
        })
    });
    let mut calls: Vec<Value> = hum
        .filter(|call| call["eventTime"].as_str() < Some("2026-11-12T11"))
        .collect();
    calls.extend([
        logs::create_entry("2026-11-12T10:00:00Z", &OPS, &role("Dan")),
        logs::associate("2026-11-12T10:00:05Z", &OPS, &role("Dan"), CLUSTER_ADMIN, &[]),
    ]);
    lab.trail(&calls);
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
    for (principal, kind, end) in [
        (role("Cara").as_str(), "aws_auth", "2026-11-10T10:00:00Z"),
        ("User:cleo", "rbac_binding", "2026-11-10T11:00:00Z"),
    ] {
        let route = after.route(principal, kind);
        assert_eq!(route["status"], "revoked", "{route}");
        // The log begins with the write: the mapping may have gone before it, the binding was there to be deleted.
        let is_open = route["valid_to"].is_null() && principal != "User:cleo";
        assert!(is_open || is_time(&route["valid_to"], end), "{route}");
    }
}
