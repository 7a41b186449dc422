//! What a second snapshot lacks has ended; a cluster made again has two lives.

use super::*;

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
