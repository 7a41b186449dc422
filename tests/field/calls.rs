//! What CloudTrail tells: 07, 08, 21, 24, 33.

use serde_json::{Value, json};

use crate::support::logs::{self, Caller};
use crate::support::{ACCOUNT, Lab, REGION, fixes, role, says, user};

const SSO: &str = "aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Admins_1f9ff1a193c80000";

#[test]
fn case_07_an_entry_for_an_sso_role_needs_its_path_and_the_creator_has_one_already() {
    let lab = Lab::new();
    let vera = Caller::Session(SSO, "vera@example.com");
    let short = role("AWSReservedSSO_Admins_1f9ff1a193c80000");
    let ask = |time: &str, principal: &str, refused: (&str, &str)| {
        let request = json!({"name": "prod", "principalArn": principal, "type": "STANDARD"});
        logs::refused_call(time, &vera, "eks", "CreateAccessEntry", request, refused)
    };
    let long = format!("arn:aws:iam::{ACCOUNT}:role/{SSO}");
    lab.trail(&[
        logs::create_cluster("2026-03-12T03:00:00Z", &vera, "prod", "API_AND_CONFIG_MAP"),
        ask(
            "2026-03-12T03:20:00Z",
            &short,
            (
                "InvalidParameterException",
                "The specified principalArn is invalid: invalid principal.",
            ),
        ),
        ask(
            "2026-03-12T03:40:00Z",
            &long,
            (
                "ResourceInUseException",
                "The specified access entry resource is already in use on this cluster.",
            ),
        ),
    ]);
    let at = "2026-03-12T04:00:00Z";
    let denials = lab.ask(&["denials"], at);
    assert_eq!(
        denials.texts("reason"),
        ["eks.access-entry.exists", "eks.access-entry.invalid-principal"]
    );
    let fix = fixes(denials.reason("eks.access-entry.invalid-principal")).join("\n");
    assert!(fix.contains(&long), "the same record has the path: {fix}");
    assert_eq!(lab.ask(&["admins"], at).route(&short, "creator")["status"], "active");
}

#[test]
fn case_08_a_refused_call_with_a_message_of_no_table_is_listed_with_its_text() {
    let lab = Lab::new();
    let message =
        "The caller is not allowed to modify access entries with a principalArn value of a Service Linked Role";
    let principal = format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch");
    let request = json!({"name": "prod", "principalArn": principal, "type": "STANDARD"});
    let terraform = Caller::User("terra");
    lab.trail(&[logs::refused_call(
        "2026-03-18T10:00:00Z",
        &terraform,
        "eks",
        "CreateAccessEntry",
        request,
        ("InvalidParameterException", message),
    )]);
    let at = "2026-03-18T11:00:00Z";
    let denials = lab.ask(&["denials"], at);
    assert_eq!(denials.findings().len(), 1, "{}", denials.json);
    let denial = &denials.findings()[0];
    assert_eq!((&denial["layer"], &denial["count"]), (&json!("eks"), &json!(1)));
    assert!(denial["reason"].as_str().unwrap().starts_with("eks."), "{denial}");
    assert!(says(denial, &[message]), "{denial}");
    assert!(lab.ask(&["who", "terra"], at).says(&["CreateAccessEntry"]));
}

#[test]
fn case_08_the_same_for_iam_and_sts_also_where_only_the_response_has_the_text() {
    let lab = Lab::new();
    let caller = Caller::User("terra");
    for (service, name, request) in [
        ("iam", "PutRolePolicy", json!({"roleName": "x"})),
        ("sts", "GetFederationToken", json!({"name": "x"})),
    ] {
        let mut call = logs::refused_call(
            "2026-03-18T10:00:00Z",
            &caller,
            service,
            name,
            request,
            ("OddException", "something that no table has"),
        );
        call["errorMessage"] = Value::Null;
        lab.trail(&[call]);
    }
    let denials = lab.ask(&["denials"], "2026-03-18T11:00:00Z");
    for layer in ["iam", "sts"] {
        let found = denials.with("layer", layer);
        assert_eq!(found.len(), 1, "{layer}: {}", denials.json);
        assert!(says(found[0], &["something that no table has"]), "{}", found[0]);
    }
}

#[test]
fn case_21_the_people_behind_a_shared_session_are_found_by_its_access_keys() {
    let lab = Lab::new();
    let assume = |time: &str, caller: &Caller<'_>, key: &str| {
        logs::call(
            time,
            caller,
            "sts",
            "AssumeRole",
            json!({"roleArn": role("gate"), "roleSessionName": "EKSGetTokenAuth"}),
            json!({"credentials": {"accessKeyId": key, "sessionToken": "x", "expiration": "May 8, 2026 1:00:00 PM"},
                "assumedRoleUser": {"assumedRoleId": "AROAGATE000000000000A:EKSGetTokenAuth", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/gate/EKSGetTokenAuth")}}),
        )
    };
    let sso = "aws-reserved/sso.amazonaws.com/us-west-2/AWSReservedSSO_Eng_aa11bb22cc33dd44";
    lab.trail(&[
        assume(
            "2026-05-08T10:53:57Z",
            &Caller::Session(sso, "mira@example.com"),
            "ASIAGATESESSION00001",
        ),
        assume("2026-05-08T12:00:00Z", &Caller::User("pavel"), "ASIAGATESESSION00002"),
    ]);
    let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/gate/EKSGetTokenAuth");
    let login = |time: &str, key: &str, port: u32| {
        [
            logs::sts_line(time, &arn, key, "EKSGetTokenAuth", "AROAGATE000000000000A", port),
            logs::granted_line(
                time,
                &role("gate"),
                "gate::EKSGetTokenAuth",
                "system:masters",
                "AROAGATE000000000000A",
                port,
            ),
        ]
        .concat()
    };
    lab.authenticator(
        &[
            login("2026-05-08T10:53:59Z", "ASIAGATESESSION00001", 40414),
            login("2026-05-08T12:00:02Z", "ASIAGATESESSION00002", 40999),
        ]
        .concat(),
    );
    let mut caller = logs::session_user("gate::EKSGetTokenAuth", &["system:masters"], "gate", "EKSGetTokenAuth");
    caller["extra"]["accessKeyId"] = json!(["ASIAGATESESSION00002"]);
    lab.audit(&[logs::event("2026-05-08T12:00:30Z", json!({"verb": "delete", "user": caller, "objectRef": {"resource": "namespaces", "name": "payments", "namespace": "payments", "apiVersion": "v1"}}))]);
    let at = "2026-05-08T13:00:00Z";
    for name in ["pavel", "mira@example.com"] {
        let who = lab.ask(&["who", name], at);
        assert!(
            !who.findings().is_empty() && who.says(&["gate"]),
            "{name}: {}",
            who.json
        );
    }
    // The namespace was deleted with the key that pavel was given.
    let pavel = lab.ask(&["who", "pavel"], at);
    assert!(pavel.json.to_string().contains("payments"), "{}", pavel.json);
    for question in [&["who", "gate"][..], &["admins"]] {
        let answer = lab.ask(question, at);
        assert!(
            answer.says(&["pavel"]) && answer.says(&["mira@example.com"]),
            "{question:?}: {}",
            answer.json
        );
    }
}

#[test]
fn case_24_the_person_behind_a_stack_is_found_through_the_deploy_role() {
    let lab = Lab::new();
    let name = |part: &str| format!("cdk-abc123-{part}-role-{ACCOUNT}-{REGION}");
    let stack = format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Platform/22");
    let sso = "aws-reserved/sso.amazonaws.com/us-west-2/AWSReservedSSO_Power_1234567890abcdef";
    let mut made = logs::create_cluster(
        "2026-03-01T09:01:10Z",
        &Caller::CloudFormation(&name("cfn-exec"), "AWSCloudFormation"),
        "prod",
        "CONFIG_MAP",
    );
    made["requestParameters"]["tags"] = json!({"aws:cloudformation:stack-name": "Platform", "aws:cloudformation:stack-id": stack, "aws:cloudformation:logical-id": "Cluster"});
    let deploy = name("deploy");
    let change = logs::call(
        "2026-03-01T09:00:20Z",
        &Caller::Key(&deploy, "aws-cdk-nora", "ASIACDKDEPLOY0000001"),
        "cloudformation",
        "ExecuteChangeSet",
        json!({"changeSetName": "deploy", "stackName": stack}),
        Value::Null,
    );
    let assume = logs::call(
        "2026-03-01T09:00:00Z",
        &Caller::Session(sso, "nora@example.com"),
        "sts",
        "AssumeRole",
        json!({"roleArn": role(&deploy), "roleSessionName": "aws-cdk-nora"}),
        json!({"credentials": {"accessKeyId": "ASIACDKDEPLOY0000001", "sessionToken": "x", "expiration": "Mar 1, 2026 10:00:00 AM"},
            "assumedRoleUser": {"assumedRoleId": "AROAD:aws-cdk-nora", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{deploy}/aws-cdk-nora")}}),
    );
    lab.trail(&[made, change, assume]);
    let creators = lab.ask(&["creators"], "2026-03-02T00:00:00Z");
    let creator = &creators.findings()[0];
    assert_eq!(creator["creator"]["principal"], role(&name("cfn-exec")), "{creator}");
    assert!(says(&creator["creator"]["human"], &["nora@example.com"]), "{creator}");
    assert_eq!(creator["authentication_mode"], "CONFIG_MAP");
}

#[test]
fn case_33_after_logging_was_switched_off_every_answer_says_so() {
    let lab = Lab::new();
    let types = ["api", "audit", "authenticator", "controllerManager", "scheduler"];
    let request = json!({"name": "prod", "logging": {"clusterLogging": [{"types": types, "enabled": false}]}});
    let response = json!({"update": {"id": "u-1", "status": "InProgress", "type": "LoggingUpdate", "params": [{"type": "ClusterLogging", "value": request["logging"].to_string()}], "errors": []}});
    lab.trail(&[
        logs::create_cluster("2026-04-01T09:00:00Z", &Caller::User("ola"), "prod", "API"),
        logs::call(
            "2026-04-20T03:00:00Z",
            &Caller::User("marlow"),
            "eks",
            "UpdateClusterConfig",
            request,
            response,
        ),
    ]);
    let days = (2..20).map(|day| {
        logs::event(
            &format!("2026-04-{day:02}T10:00:00Z"),
            json!({"user": logs::iam_user(&user("ola"), &[], "ola")}),
        )
    });
    lab.audit(&days.collect::<Vec<_>>());
    let at = "2026-05-01T00:00:00Z";
    for question in ["admins", "check", "creators", "denials"] {
        let answer = lab.ask(&[question], at);
        let audit = answer.json["coverage"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["source"] == "audit")
            .unwrap();
        assert!(
            says(&audit["blind_spots"], &["off", "2026-04-20", "marlow"]),
            "{question}: {audit}"
        );
        assert!(
            !audit["gaps"].as_array().unwrap().is_empty(),
            "the silent end is a gap: {audit}"
        );
        let before = lab.ask(&[question], "2026-04-19T12:00:00Z");
        assert!(
            !before.is_blind_to(&["marlow"]),
            "{question}: {:?}",
            before.blind_spots()
        );
    }
    let check = lab.ask(&["check"], at);
    assert!(
        check.findings().iter().any(|finding| says(finding, &["log", "marlow"])),
        "{}",
        check.json
    );
    assert!(lab.ask(&["who", "marlow"], at).says(&["UpdateClusterConfig"]));
    assert_ne!(
        lab.can_i(&["delete", "nodes", "--as", "cleo"], at),
        Some(false),
        "somebody may have bound cleo since"
    );
}
