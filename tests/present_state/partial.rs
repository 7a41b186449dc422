//! What was not looked at is not known; forms of what was.

use super::*;

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
