//! Principals that are gone, or made again.

use super::*;

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
