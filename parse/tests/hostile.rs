//! Whatever a log holds: no parser panics, and what is cut or forged does not become a fact.

use eksplain_parse::{arn, audit, authenticator, aws_auth, cloudtrail, denied, glob, json, time};
use proptest::prelude::*;

const AUDIT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete","verb":"list","user":{"username":"ann","groups":["system:masters"],"extra":{"arn":["arn:aws:sts::111122223333:assumed-role/Dev/ann"]}},"objectRef":{"resource":"pods"},"responseStatus":{"code":403,"message":"pods is forbidden"},"stageTimestamp":"2026-11-23T10:00:00.004001Z"}"#;
const GRANT: &str = "time=\"2026-11-23T10:00:00Z\" level=info msg=\"access granted\" arn=\"arn:aws:iam::111122223333:role/Admin\" groups=\"[system:masters]\" username=admin";

fn every_parser(text: &str) {
    let record = authenticator::parse_line(text);
    let _ = (
        record.outcome(),
        record.denial(),
        record.masters(),
        record.time_micros(),
    );
    if let Ok(arn) = arn::Arn::parse(text) {
        let _ = (
            arn.canonical(),
            arn.matching(),
            arn.kind(),
            arn.name(),
            arn.path(),
            arn.session(),
        );
    }
    let _ = (
        arn::canonical_arn(text),
        arn::decode_percent(text),
        glob::glob_matches(text, text),
    );
    let _ = aws_auth::parse(&aws_auth::AwsAuthData {
        map_roles: Some(text),
        map_users: Some(text),
        map_accounts: Some(text),
    });
    let _ = (
        aws_auth::parse_config_map(text).is_ok(),
        denied::parse_message(text),
        time::parse_rfc3339(text),
        json::minify(text),
    );
    if let Ok(event) = audit::parse_event(text) {
        let _ = (event.ts(), event.authorization());
    }
    if let Ok(event) = cloudtrail::parse_record(text) {
        let _ = (event.ts(), event.session(), event.canonical_arn(), event.cluster_name());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}") {
        every_parser(&text);
    }

    #[test]
    fn text_made_of_the_formats_own_marks_is_read_too(text in r#"[a-z0-9 ="\\:{}\[\],\n*/._%-]{0,200}"#) {
        every_parser(&text);
    }

    #[test]
    fn a_record_cut_anywhere_is_read_or_refused(at in 0..AUDIT.len()) {
        every_parser(&AUDIT[..at]);
        prop_assert!(audit::parse_event(&AUDIT[..at]).is_err(), "a cut event is no event");
    }

    #[test]
    fn a_line_cut_before_its_groups_grants_nothing(at in 0..GRANT.find("groups").unwrap_or(0)) {
        let record = authenticator::parse_line(&GRANT[..at]);
        prop_assert!(!record.masters());
        prop_assert!(record.outcome() != authenticator::Outcome::Granted);
    }

    /// Whatever a caller puts into its session name or user agent, quoted as the authenticator quotes it.
    #[test]
    fn quoted_text_of_the_caller_is_one_value(text in "\\PC{0,80}") {
        let quoted = serde_json::to_string(&text).unwrap_or_default();
        let line = format!("time=\"2026-11-23T10:00:00Z\" level=warning msg=\"access denied\" arn={quoted} error=\"identity is not mapped\"");
        let record = authenticator::parse_line(&line);
        prop_assert!(record.outcome() == authenticator::Outcome::Denied && !record.masters(), "{line}");
    }

    #[test]
    fn white_space_is_all_that_minifying_takes(names in proptest::collection::vec("[a-z \\\\\"]{0,8}", 0..4)) {
        let value = serde_json::json!({"names": names, "n": 1});
        let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
        let minified: serde_json::Value = serde_json::from_str(&json::minify(&pretty)).unwrap_or_default();
        prop_assert_eq!(minified, value);
    }
}

#[test]
fn a_session_name_that_looks_like_a_grant_grants_nothing() {
    let line = r#"time="2026-11-23T10:00:00Z" level=info msg="STS response" arn="arn:aws:sts::111122223333:assumed-role/x/y" session="msg=\"access granted\" groups=\"[system:masters]\"" userid=AROA"#;
    let record = authenticator::parse_line(line);
    assert!(record.outcome() == authenticator::Outcome::Info && !record.masters());
}
