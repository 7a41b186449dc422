//! Rules of `check`: what each says, with who and when, and the command that helps.

use super::*;

const BORN: &str = "2026-11-01T08:00:00Z";

fn found<'a>(check: &'a crate::support::Answer, rule: &str) -> &'a Value {
    let found = check.with("rule", rule);
    assert_eq!(found.len(), 1, "{rule}: {}", check.json);
    found[0]
}

fn nodes(name: &str) -> String {
    format!(
        "- rolearn: {}\n  username: system:node:{{{{EC2PrivateDNSName}}}}\n  groups: [system:bootstrappers, system:nodes]\n",
        role(name)
    )
}

fn born(mode: &str) -> Value {
    logs::create_cluster(BORN, &Caller::Session("Tara", "apply"), "prod", mode)
}

/// A cluster whose audit log is whole from its birth to the day before the 4th.
fn whole(mode: &str, calls: &[Value], events: &[Value]) -> Lab {
    let lab = Lab::new();
    lab.trail(&[&[born(mode)], calls].concat());
    lab.audit(&[&hours(1, 4), events].concat());
    lab
}

const AT: &str = "2026-11-04T00:00:00Z";

#[test]
fn an_aws_auth_that_lost_its_nodes_says_who_took_them_and_gives_them_back() {
    let delete = logs::event(
        "2026-11-03T12:00:00Z",
        json!({"verb": "delete", "user": omar(), "objectRef": {"resource": "configmaps", "namespace": "kube-system", "name": "aws-auth", "apiVersion": "v1"}}),
    );
    let write = |time: &str, roles: &str| logs::write_aws_auth(time, omar(), mapped(roles));
    let before = || write("2026-11-02T10:00:00Z", &nodes("pool"));
    let after = |roles: &str| write("2026-11-03T12:00:00Z", roles);
    for (what, last, is_told) in [
        ("deleted", delete, true),
        ("emptied", after("[]"), true),
        ("the nodes alone", after(&snapshot::masters(&role("Cara"))), true),
        (
            "a role more",
            after(&format!("{}{}", nodes("pool"), nodes("spot"))),
            false,
        ),
        ("moved to another role", after(&nodes("spot")), false),
    ] {
        let lab = whole("CONFIG_MAP", &[], &[before(), last]);
        let check = lab.ask(&["check"], AT);
        if !is_told {
            assert_eq!(
                check.with("rule", "aws-auth.emptied").len(),
                0,
                "{what}: {}",
                check.json
            );
            continue;
        }
        let told = found(&check, "aws-auth.emptied");
        assert_eq!(told["severity"], "critical", "{what}");
        assert!(says(told, &["omar", "2026-11-03T12:00", "nodes"]), "{what}: {told}");
        assert!(says(&told["fix"], &["system:bootstrappers", "pool"]), "{what}: {told}");
        // Nothing is lost of what access entries hold instead.
        let made = logs::create_entry("2026-11-02T11:00:00Z", &OMAR, &role("pool"));
        let moved = whole("API_AND_CONFIG_MAP", &[made], &[before(), after("[]")]);
        assert_eq!(
            moved.ask(&["check"], AT).with("rule", "aws-auth.emptied").len(),
            0,
            "{what}"
        );
    }
}

#[test]
fn equal_twins_are_no_finding_and_unequal_ones_are_one() {
    let cara = snapshot::masters(&role("Cara"));
    let other = format!("- rolearn: {}\n  username: cara\n  groups: [viewers]\n", role("Cara"));
    for (second, expected) in [(&cara, 0), (&other, 1)] {
        let lab = whole(
            "CONFIG_MAP",
            &[],
            &[logs::write_aws_auth(
                "2026-11-02T10:00:00Z",
                omar(),
                mapped(&format!("{cara}{second}")),
            )],
        );
        assert_eq!(
            lab.ask(&["check"], AT).with("rule", "aws-auth.malformed").len(),
            expected,
            "{second}"
        );
    }
}

#[test]
fn a_mapping_of_another_partition_is_corrected_to_the_clusters() {
    let wrong = role("Cara").replace("arn:aws:", "arn:aws-cn:");
    let lab = whole(
        "CONFIG_MAP",
        &[],
        &[logs::write_aws_auth(
            "2026-11-02T10:00:00Z",
            omar(),
            mapped(&snapshot::masters(&wrong)),
        )],
    );
    let check = lab.ask(&["check"], AT);
    let told = found(&check, "aws-auth.near-miss.partition");
    let created = fixes(told).join("\n");
    assert!(
        created.contains(&format!(
            "create iamidentitymapping --cluster prod --region {REGION} --arn {}",
            role("Cara")
        )),
        "{created}"
    );
}

#[test]
fn a_look_alike_group_that_a_binding_names_is_none() {
    let write = || {
        let roles = format!(
            "- rolearn: {}\n  username: x\n  groups: ['system:master']\n",
            role("Cara")
        );
        logs::write_aws_auth("2026-11-02T10:00:00Z", omar(), mapped(&roles))
    };
    let binding = snapshot::cluster_role_binding("typo", "cluster-admin", snapshot::group_subject("system:master"));
    let bind = logs::write_rbac(
        "2026-11-02T11:00:00Z",
        omar(),
        "create",
        "clusterrolebindings",
        &binding,
    );
    let alone = whole("CONFIG_MAP", &[], &[write()]).ask(&["check"], AT);
    let told = found(&alone, "aws-auth.look-alike-group");
    assert!(
        told["severity"] == "high" && says(&told["fix"], &["--group system:masters"]),
        "{told}"
    );
    let bound = whole("CONFIG_MAP", &[], &[write(), bind]).ask(&["check"], AT);
    assert_eq!(
        bound.with("rule", "aws-auth.look-alike-group").len(),
        0,
        "{}",
        bound.json
    );
}

#[test]
fn a_stale_entry_admits_nobody_whoever_creates_the_name() {
    let made = |extra: &[Value]| {
        let entry = logs::create_entry("2026-11-01T09:00:00Z", &OMAR, &role("Ben"));
        let power = logs::associate("2026-11-01T09:01:00Z", &OMAR, &role("Ben"), CLUSTER_ADMIN, &[]);
        let death = logs::delete_role("2026-11-02T08:00:00Z", &OMAR, "Ben");
        whole("API", &[&[entry, power, death], extra].concat(), &[]).ask(&["check"], AT)
    };
    let gone = made(&[]);
    let told = found(&gone, "access-entry.stale");
    assert_eq!(
        (&told["severity"], &told["subject"]),
        (&json!("high"), &json!(role("Ben")))
    );
    assert!(
        says(&told["message"], &["nobody", "omar"]) && !says(told, &["whoever creates"]),
        "{told}"
    );
    assert!(
        says(&told["fix"], &["delete-access-entry"]) && !says(&told["fix"], &["create-access-entry"]),
        "{told}"
    );
    let back = made(&[logs::create_role(
        "2026-11-03T08:00:00Z",
        &OMAR,
        "/",
        "Ben",
        "AROASECONDLIFE0000001",
    )]);
    let told = found(&back, "access-entry.stale");
    let commands = fixes(told).join("\n");
    assert!(
        commands.contains("create-access-entry") && commands.contains(CLUSTER_ADMIN),
        "{commands}"
    );
    assert_eq!(
        back.with("rule", "principal.deleted").len() + back.with("rule", "principal.recreated").len(),
        0
    );
}

#[test]
fn a_mapping_of_a_deleted_role_is_taken_out_alone() {
    let roles = snapshot::masters(&role("Cara"));
    let lab = whole(
        "CONFIG_MAP",
        &[logs::delete_role("2026-11-03T08:00:00Z", &OMAR, "Cara")],
        &[logs::write_aws_auth("2026-11-02T10:00:00Z", omar(), mapped(&roles))],
    );
    let check = lab.ask(&["check"], AT);
    let told = found(&check, "principal.deleted");
    assert!(says(told, &["omar", "whoever creates"]), "{told}");
    let delete = format!(
        "eksctl delete iamidentitymapping --cluster prod --region {REGION} --arn {} --all",
        role("Cara")
    );
    assert_eq!(fixes(told), [delete]);
}

#[test]
fn the_only_admin_is_told_where_all_is_known_and_with_the_way_of_the_mode() {
    let by_mode = |mode: &str| whole(mode, &[], &[]).ask(&["check"], AT);
    let config_map = by_mode("CONFIG_MAP");
    let commands = fixes(found(&config_map, "creator.only-admin")).join("\n");
    let places = [
        "update-cluster-config",
        "aws eks wait cluster-active",
        "create-access-entry",
    ]
    .map(|word| commands.find(word).unwrap());
    assert!(places.is_sorted(), "the mode first: {commands}");
    assert!(commands.lines().all(|line| line.contains("--region")), "{commands}");
    let api = by_mode("API");
    assert!(!says(
        &found(&api, "creator.only-admin")["fix"],
        &["update-cluster-config"]
    ));
    // Without the audit log somebody may be mapped or bound.
    let blind = Lab::new();
    blind.trail(&[born("CONFIG_MAP")]);
    assert_eq!(blind.ask(&["check"], AT).with("rule", "creator.only-admin").len(), 0);
}

#[test]
fn nobody_left_is_told_with_who_ended_the_last_grant() {
    let end = logs::delete_entry("2026-11-03T10:00:00Z", &OMAR, &role("Tara"));
    let check = whole("API", &[end], &[]).ask(&["check"], AT);
    let told = found(&check, "creator.no-admin");
    assert!(
        told["severity"] == "critical" && says(told, &["omar", "2026-11-03T10:00"]),
        "{told}"
    );
    assert!(says(&told["fix"], &["create-access-entry"]), "{told}");
    assert_eq!(check.with("rule", "creator.locked-out").len(), 0, "{}", check.json);
    // Whoever may be admin keeps it from being said.
    let blind = Lab::new();
    blind.trail(&[
        born("API"),
        logs::delete_entry("2026-11-03T10:00:00Z", &OMAR, &role("Tara")),
    ]);
    assert_eq!(blind.ask(&["check"], AT).with("rule", "creator.no-admin").len(), 0);
}

#[test]
fn a_creator_made_again_is_told_by_its_own_rule() {
    let calls = [
        logs::delete_role("2026-11-02T08:00:00Z", &OMAR, "Tara"),
        logs::create_role(
            "2026-11-03T08:00:00Z",
            &Caller::User("mal"),
            "/",
            "Tara",
            "AROASECONDLIFE0000001",
        ),
    ];
    let check = whole("CONFIG_MAP", &calls, &[]).ask(&["check"], AT);
    let told = found(&check, "creator.recreated");
    assert!(told["severity"] == "high" && says(told, &["omar", "mal"]), "{told}");
    // In the API modes the entry keeps the new one out.
    let api = whole("API", &calls, &[]).ask(&["check"], AT);
    assert_eq!(api.with("rule", "creator.recreated").len(), 0, "{}", api.json);
}

#[test]
fn admin_power_of_minutes_is_told_with_who_gave_and_who_took_it() {
    let (ben, mal) = (role("Ben"), Caller::User("mal"));
    let calls = [
        logs::create_entry("2026-11-02T09:00:00Z", &OMAR, &ben),
        logs::associate("2026-11-02T10:00:00Z", &mal, &ben, CLUSTER_ADMIN, &[]),
        logs::disassociate("2026-11-02T10:04:00Z", &OMAR, &ben, CLUSTER_ADMIN),
    ];
    let lab = whole("API", &calls, &[]);
    let check = lab.ask(&["check"], AT);
    let told = found(&check, "admin.short-lived");
    assert_eq!((&told["severity"], &told["subject"]), (&json!("medium"), &json!(ben)));
    assert!(
        says(
            &told["message"],
            &["4 minutes", "granted by", "user/mal", "ended by", "user/omar"]
        ),
        "{told}"
    );
    // What still is there, or lasted for more than a day, is no short grant.
    for calls in [
        &calls[..2],
        &[
            calls[0].clone(),
            calls[1].clone(),
            logs::disassociate("2026-11-03T11:00:00Z", &OMAR, &ben, CLUSTER_ADMIN),
        ],
    ] {
        let check = whole("API", calls, &[]).ask(&["check"], AT);
        assert_eq!(check.with("rule", "admin.short-lived").len(), 0, "{}", check.json);
    }
}

#[test]
fn a_log_that_was_switched_off_names_the_call_and_is_not_called_missing() {
    let switch = |time: &str, enabled: bool| {
        let request =
            json!({"name": "prod", "logging": {"clusterLogging": [{"types": ["audit"], "enabled": enabled}]}});
        logs::call(
            time,
            &Caller::User("mal"),
            "eks",
            "UpdateClusterConfig",
            request,
            json!({"update": {"status": "InProgress"}}),
        )
    };
    let off = whole("API", &[switch("2026-11-03T23:50:00Z", false)], &[]).ask(&["check"], AT);
    let told = found(&off, "logs.switched-off");
    assert!(
        told["severity"] == "high" && told["subject"] == "audit" && says(told, &["mal", "2026-11-03T23:50"]),
        "{told}"
    );
    assert_eq!(told["evidence"].as_array().unwrap().len(), 1, "{told}");
    assert!(
        says(&told["fix"], &["--region", r#""enabled":true"#, r#""audit""#]),
        "{told}"
    );
    assert!(
        off.with("rule", "logs.missing")
            .iter()
            .all(|one| one["subject"] != "audit"),
        "{}",
        off.json
    );
    let on = whole(
        "API",
        &[
            switch("2026-11-03T23:40:00Z", false),
            switch("2026-11-03T23:50:00Z", true),
        ],
        &[],
    );
    assert_eq!(on.ask(&["check"], AT).with("rule", "logs.switched-off").len(), 0);
}

#[test]
fn records_of_no_cluster_are_a_finding_of_no_cluster() {
    let lab = Lab::new();
    let lines = hours(1, 2).iter().map(|event| format!("{event}\n")).collect::<String>();
    lab.try_ingest(&lab.file("audit.jsonl", lines), &[]);
    let check = lab.ask(&["check"], AT);
    let told = found(&check, "records.no-cluster");
    assert!(told["cluster"].is_null() && told["severity"] == "medium", "{told}");
    assert!(says(&told["fix"], &["eksplain lake assign --cluster NAME"]), "{told}");
}

#[test]
fn a_rule_of_the_wrong_api_group_is_put_under_the_right_one() {
    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}, {"apiGroups": [""], "resources": ["deployments"], "verbs": ["get"]}]);
    let role = snapshot::cluster_role("deployer", rules);
    let binding = snapshot::cluster_role_binding("deployers", "deployer", snapshot::group_subject("devs"));
    let events = [
        logs::write_rbac("2026-11-02T10:00:00Z", omar(), "create", "clusterroles", &role),
        logs::write_rbac(
            "2026-11-02T10:01:00Z",
            omar(),
            "create",
            "clusterrolebindings",
            &binding,
        ),
    ];
    let check = whole("API", &[], &events).ask(&["check"], AT);
    let commands = fixes(found(&check, "rbac.wrong-api-group"));
    let patch = r#"kubectl patch clusterrole deployer --type json -p '[{"op":"replace","path":"/rules/1/apiGroups","value":["apps"]}]'"#;
    assert_eq!(commands, [patch]);
}
