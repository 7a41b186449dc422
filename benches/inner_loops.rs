//! The loops that every record goes through: `cargo bench --bench inner_loops`. Figures count only beside others of the same run.
#![allow(clippy::unwrap_used, reason = "a benchmark may fail loudly")]

use divan::Bencher;
use divan::counter::BytesCount;
use eksplain_lake::{KeepRaw, Origin, RowSet};
use eksplain_parse::{arn, audit, authenticator, aws_auth, cloudtrail, time};

fn main() {
    divan::main();
}

const GRANT: &str = "time=\"2026-11-23T10:00:00Z\" level=info msg=\"access granted\" arn=\"arn:aws:iam::111122223333:role/Admin\" \
                     client=\"127.0.0.1:42135\" groups=\"[system:masters devs]\" method=POST path=/authenticate \
                     stsendpoint=sts.us-west-2.amazonaws.com uid=\"aws-iam-authenticator:111122223333:AROAEXAMPLE\" username=admin";

const AUDIT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"7b5c0c1e-0a5d-4a55-9a43-0f5ed1d8f0aa","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/dev/pods?limit=500","verb":"list","user":{"username":"ann","uid":"aws-iam-authenticator:111122223333:AROAEXAMPLE","groups":["devs","system:authenticated"],"extra":{"accessKeyId":["ASIAEXAMPLE"],"arn":["arn:aws:sts::111122223333:assumed-role/Dev/ann"],"canonicalArn":["arn:aws:iam::111122223333:role/Dev"],"sessionName":["ann"]}},"sourceIPs":["203.0.113.7"],"userAgent":"kubectl/v1.31.0","objectRef":{"resource":"pods","namespace":"dev","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":200},"requestReceivedTimestamp":"2026-11-23T10:00:00.000001Z","stageTimestamp":"2026-11-23T10:00:00.004001Z","annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC: allowed"}}"#;

const TRAIL: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:ann","arn":"arn:aws:sts::111122223333:assumed-role/Dev/ann","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/teams/Dev","accountId":"111122223333","userName":"Dev"}}},"eventTime":"2026-11-23T10:00:00Z","eventSource":"eks.amazonaws.com","eventName":"DescribeCluster","awsRegion":"us-west-2","sourceIPAddress":"203.0.113.7","userAgent":"aws-cli/2.17.9","requestParameters":{"name":"prod"},"responseElements":null,"requestID":"5d8f0aa0-0a5d-4a55-9a43-0f5ed1d8f0aa","eventID":"7b5c0c1e-0a5d-4a55-9a43-0f5ed1d8f0aa","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333"}"#;

const MAP_ROLES: &str = "- rolearn: arn:aws:iam::111122223333:role/nodes\n  username: system:node:{{EC2PrivateDNSName}}\n  groups:\n    - system:bootstrappers\n    - system:nodes\n- rolearn: arn:aws:iam::111122223333:role/Admin\n  username: admin\n  groups:\n    - system:masters\n";

#[divan::bench]
fn authenticator_line(bencher: Bencher) {
    bencher
        .counter(BytesCount::of_str(GRANT))
        .bench(|| authenticator::parse_line(divan::black_box(GRANT)));
}

#[divan::bench]
fn audit_event(bencher: Bencher) {
    bencher
        .counter(BytesCount::of_str(AUDIT))
        .bench(|| audit::parse_event(divan::black_box(AUDIT)).unwrap());
}

#[divan::bench]
fn cloudtrail_record(bencher: Bencher) {
    bencher
        .counter(BytesCount::of_str(TRAIL))
        .bench(|| cloudtrail::parse_record(divan::black_box(TRAIL)).unwrap());
}

#[divan::bench]
fn audit_event_to_row(bencher: Bencher) {
    let origin = Origin {
        uri: "file:///logs/audit.ndjson",
        line: 1,
        ..Origin::default()
    };
    let event = audit::parse_event(AUDIT).unwrap();
    bencher
        .counter(BytesCount::of_str(AUDIT))
        .with_inputs(|| RowSet::new(KeepRaw::Evidence))
        .bench_local_refs(|rows| {
            for _ in 0..100 {
                rows.audit(divan::black_box(&event), &origin, AUDIT);
            }
        });
}

#[divan::bench]
fn timestamp() -> Option<i64> {
    time::parse_rfc3339(divan::black_box("2026-11-23T10:00:00.004001Z"))
}

#[divan::bench]
fn canonical_arn() -> bool {
    arn::canonical_arn(divan::black_box("arn:aws:sts::111122223333:assumed-role/Dev/ann")).is_some()
}

#[divan::bench]
fn aws_auth_config_map() -> aws_auth::AwsAuth {
    aws_auth::parse(&aws_auth::AwsAuthData {
        map_roles: Some(divan::black_box(MAP_ROLES)),
        ..Default::default()
    })
}
