//! Secrets that logs hold reach neither the lake, nor an answer, nor a report, nor a message.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

fn eksplain(lake: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_eksplain"))
        .arg("--lake")
        .arg(lake)
        .args(words)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

/// Each kind of secret, with a part of it that must be nowhere.
fn planted() -> Vec<(&'static str, String, &'static str)> {
    vec![
        (
            "secret key",
            "aws_secret_access_key=wJalrXUtnFEMIxK7MDENGxbPxRfiCYEXAMPLEKEY".to_owned(),
            "wJalrXUtnFEMI",
        ),
        (
            "session token",
            format!("IQoJb3JpZ2luX2Vj{}", "PlantedSession".repeat(8)),
            "PlantedSession",
        ),
        (
            "bearer token",
            format!("k8s-aws-v1.{}", "PlantedEksToken".repeat(4)),
            "PlantedEksToken",
        ),
        (
            "JWT",
            "eyJhbGciOiJSUzI1NiJ9.eyJQbGFudGVkSnd0IjoxfQ.UGxhbnRlZEp3dFNpZw".to_owned(),
            "QbGFudGVkSnd0",
        ),
        (
            "authorization",
            "Authorization: Basic UGxhbnRlZEJhc2ljOmNyZWQ=".to_owned(),
            "UGxhbnRlZEJhc2lj",
        ),
        (
            "signature",
            "https://x.amazonaws.com/?X-Amz-Signature=f00dplantedf00dplantedf00dplanted".to_owned(),
            "f00dplanted",
        ),
        ("password", "password=PlantedPassword1".to_owned(), "PlantedPassword1"),
        (
            "private key",
            "-----BEGIN PRIVATE KEY-----PlantedPrivateKey-----END PRIVATE KEY-----".to_owned(),
            "PlantedPrivateKey",
        ),
    ]
}

#[test]
fn planted_secrets_are_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let (mut trail, mut audit, mut lines, mut rejects) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (number, (_, secret, _)) in planted().into_iter().enumerate() {
        trail.push(json!({"eventVersion": "1.11", "eventID": format!("e-{number}"), "eventTime": "2026-11-23T10:00:00Z",
            "eventSource": "eks.amazonaws.com", "eventName": "CreateAccessEntry", "awsRegion": "us-west-2", "recipientAccountId": "111122223333",
            "errorCode": "AccessDenied", "errorMessage": format!("you said {secret}"), "userAgent": format!("agent {secret}"),
            "requestParameters": {"name": "prod", "note": secret}, "responseElements": {"credentials": {"sessionToken": secret}},
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"}}));
        audit.push(json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": format!("a-{number}"),
            "stage": "ResponseComplete", "requestURI": format!("/api/v1/pods?x={secret}"), "verb": "create", "userAgent": format!("kubectl {secret}"),
            "user": {"username": "ann", "groups": ["system:authenticated"]}, "objectRef": {"resource": "configmaps", "apiVersion": "v1", "namespace": "kube-system", "name": "aws-auth"},
            "responseStatus": {"code": 403, "message": format!("no: {secret}")}, "annotations": {"note": secret},
            "requestObject": {"kind": "ConfigMap", "data": {"mapRoles": "[]", "note": secret}},
            "stageTimestamp": "2026-11-23T10:00:00.004000Z"}).to_string());
        lines.push(format!(
            "time=\"2026-11-23T10:00:0{number}Z\" level=warning msg=\"access denied\" client=\"127.0.0.1:1\" error={} method=POST path=/authenticate",
            Value::from(secret.as_str())
        ));
        rejects.push(format!(
            "{{\"kind\":\"Event\",\"auditID\":\"r-{number}\",\"note\":{}",
            Value::from(secret.as_str())
        ));
    }
    audit.push(json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "a-secret", "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/dev/secrets/db", "verb": "patch", "user": {"username": "ann"},
        "objectRef": {"resource": "secrets", "apiVersion": "v1", "namespace": "dev", "name": "db"}, "responseStatus": {"code": 403},
        "requestObject": {"data": {"a": "UGxhbnRlZERhdGE="}}, "stageTimestamp": "2026-11-23T10:00:00.004000Z"}).to_string());
    fs::write(logs.join("trail.json"), json!({"Records": trail}).to_string()).unwrap();
    fs::write(logs.join("audit.ndjson"), audit.join("\n")).unwrap();
    fs::write(logs.join("authenticator.log"), lines.join("\n")).unwrap();
    fs::write(logs.join("cut.ndjson"), rejects.join("\n")).unwrap();
    let lake = folder.path().join("lake");
    let ingest = [
        "ingest",
        "files",
        logs.to_str().unwrap(),
        "--cluster",
        "prod",
        "--account",
        "111122223333",
        "--region",
        "us-west-2",
        "--keep-raw",
        "all",
    ];
    let (_, _, said) = eksplain(&lake, &ingest);
    assert!(said.contains("redacted before storing"), "{said}");

    let mut places = vec![("the summary", said)];
    for table in ["audit", "authenticator", "cloudtrail", "rejects"] {
        let (code, rows, said) = eksplain(&lake, &["query", "-o", "jsonl", &format!("SELECT * FROM {table}")]);
        assert!(
            code == Some(0) && rows.lines().count() >= planted().len(),
            "{table}: {said}"
        );
        assert!(rows.contains("(redacted "), "{table}: {rows}");
        places.push((table, rows));
    }
    for question in ["admins", "creators", "denials", "check", "changes"] {
        let (_, out, said) = eksplain(
            &lake,
            &[question, "-o", "json", "--all"][..if question == "denials" { 4 } else { 3 }],
        );
        places.push((question, out + &said));
    }
    let report = folder.path().join("report");
    assert_eq!(
        eksplain(&lake, &["report", "--to", report.to_str().unwrap()]).0,
        Some(0)
    );
    for name in ["report.json", "report.md", "denials.csv", "checks.csv", "admins.csv"] {
        places.push((name, fs::read_to_string(report.join("latest").join(name)).unwrap()));
    }
    let mut found = Vec::new();
    for (kind, _, part) in planted()
        .into_iter()
        .chain([("data of a Secret", String::new(), "UGxhbnRlZERhdGE")])
    {
        for (place, text) in &places {
            if text.contains(part) {
                let at = text.find(part).unwrap();
                found.push(format!(
                    "{kind} in {place}: …{}…",
                    &text[text.floor_char_boundary(at.saturating_sub(120))..at + part.len()]
                ));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_message_holds_no_secret_that_somebody_typed() {
    let folder = tempfile::tempdir().unwrap();
    let token = format!("IQoJb3JpZ2luX2Vj{}", "PlantedSession".repeat(8));
    let (code, _, said) = eksplain(folder.path(), &["ingest", "files", &format!("/nowhere/{token}")]);
    assert!(
        code == Some(2) && said.contains("(redacted session-token") && !said.contains("PlantedSession"),
        "{said}"
    );
}
