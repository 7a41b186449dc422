//! What a hole in the logs makes unsure.

use super::*;

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
    assert!(creators.is_blind_to(&["iam"]), "{:?}", creators.blind_spots());
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
