//! Dates come from records, EKS and IAM, never from the time of the look.

use super::*;

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
