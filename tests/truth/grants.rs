//! What a use and a grant prove.

use super::*;

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
