//! Real lines and events: each gives the fields that its note says.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use eksplain_parse::arn::{Arn, PrincipalKind};
use eksplain_parse::authenticator::parse_line;
use eksplain_parse::{audit, cloudtrail};
use serde_json::{Value, json};

fn samples(name: &str) -> Vec<Value> {
    let Ok(folder) = std::env::var("EKSPLAIN_REAL_DATA") else {
        eprintln!("skipped: EKSPLAIN_REAL_DATA is not set");
        return Vec::new();
    };
    let text = std::fs::read_to_string(format!("{folder}/samples/{name}")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn identity(text: &str) -> Option<Value> {
    let arn = Arn::parse(text).ok()?;
    let noun = match arn.kind() {
        PrincipalKind::Role => "role",
        PrincipalKind::User => "user",
        PrincipalKind::Root => "root",
        PrincipalKind::AssumedRole => "assumed-role",
        PrincipalKind::FederatedUser => "federated-user",
        _ => return None,
    };
    let mut value = json!({"account": arn.account, "type": noun, "name": arn.name()});
    let mut put = |key: &str, text: Option<&str>| {
        if let Some(text) = text {
            value[key] = json!(text);
        }
    };
    put("session", arn.session());
    put("permission_set", arn.sso_permission_set());
    put("partition", (arn.partition != "aws").then_some(arn.partition));
    put("path", arn.path().filter(|_| arn.kind() == PrincipalKind::User));
    Some(value)
}

#[test]
fn every_authenticator_line_gives_its_fields() {
    let mut wrong = Vec::new();
    for sample in samples("authenticator-lines.jsonl") {
        let line = sample["line"].as_str().unwrap();
        let r = parse_line(line);
        let fields: serde_json::Map<String, Value> = r.fields.iter().map(|(k, v)| (k.to_string(), json!(v))).collect();
        let mut said = json!({"format": r.format.as_str(), "kind": r.kind.as_str(), "complete": r.complete, "time": r.time,
            "level": r.level, "msg": r.msg, "fields": fields});
        if r.format.as_str() == "json" {
            said["fields"]["groups"] = json!(r.groups);
        }
        if let Some(groups) = &r.groups {
            said["groups"] = json!(groups);
        }
        if let Some(class) = r.denial() {
            said["denial"] = json!(class.as_str());
        }
        if let Some(wrapped) = r.wrapped {
            said["wrapped"] = json!(wrapped);
        }
        if !r.problems.is_empty() {
            said["problems"] = json!(r.problems.iter().map(|p| p.as_str()).collect::<Vec<_>>());
        }
        if let Some((key, value)) = r.partial.as_ref().filter(|(key, _)| !key.is_empty()) {
            said["partial"] = json!({key.as_ref(): value});
        }
        let arn = ["arn", "role", "user"].iter().find_map(|key| r.field(key));
        if let Some(identity) = arn.and_then(identity) {
            said["identity"] = identity;
        }
        let mut expect = sample["expect"].clone();
        let known: Vec<String> = expect.as_object().unwrap().keys().cloned().collect();
        if let Some(problems) = expect["problems"].as_array_mut() {
            problems.sort_by_key(|p| p.as_str().unwrap().to_owned());
        }
        expect
            .as_object_mut()
            .unwrap()
            .retain(|key, _| key != "note" && (key != "problems" || known.contains(key)));
        if expect["identity"].is_null() {
            said.as_object_mut().unwrap().remove("identity");
            expect.as_object_mut().unwrap().remove("identity");
        }
        if expect["problems"].is_null() {
            expect.as_object_mut().unwrap().remove("problems");
        }
        if said != expect {
            wrong.push(format!("{line}\n  said   {said}\n  expect {expect}"));
        }
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_audit_event_gives_its_fields() {
    for sample in samples("audit-events.jsonl") {
        let event = &sample["event"];
        let text = event.to_string();
        let parsed = audit::parse_event(&text).unwrap();
        let same = |said: &Option<std::borrow::Cow<'_, str>>, truth: &Value| {
            assert_eq!(said.as_deref(), truth.as_str(), "{event}")
        };
        same(&parsed.audit_id, &event["auditID"]);
        same(&parsed.verb, &event["verb"]);
        same(&parsed.user.username, &event["user"]["username"]);
        same(&parsed.object_ref.resource, &event["objectRef"]["resource"]);
        same(
            &parsed.authorization().decision,
            &event["annotations"]["authorization.k8s.io/decision"],
        );
        same(
            &parsed.user.extra.canonical_arn,
            &event["user"]["extra"]["canonicalArn"][0],
        );
        assert_eq!(
            parsed.response_status.code.map(i64::from),
            event["responseStatus"]["code"].as_i64()
        );
        assert!(audit::looks_like_audit(|key| event.get(key).is_some()), "{event}");
    }
}

#[test]
fn every_cloudtrail_record_gives_its_fields() {
    for sample in samples("cloudtrail-events.jsonl") {
        let event = &sample["event"];
        let text = event.to_string();
        let parsed = cloudtrail::parse_record(&text).unwrap();
        let same = |said: &Option<std::borrow::Cow<'_, str>>, truth: &Value| {
            assert_eq!(said.as_deref(), truth.as_str(), "{event}")
        };
        same(&parsed.event_id, &event["eventID"]);
        same(&parsed.event_name, &event["eventName"]);
        same(&parsed.error_code, &event["errorCode"]);
        same(&parsed.user_identity.arn, &event["userIdentity"]["arn"]);
        same(
            &parsed.user_identity.session_context.session_issuer.arn,
            &event["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"],
        );
        assert!(
            cloudtrail::looks_like_cloudtrail(|key| event.get(key).is_some()),
            "{event}"
        );
    }
}
