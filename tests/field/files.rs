//! Forms in which people hold their logs: 03, 04, 05, 25, 27, 29, 37, 40.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::support::logs::{self, Caller};
use crate::support::snapshot;
use crate::support::{ACCOUNT, Answer, CLUSTER_ADMIN, Lab, PLACE, REGION, role, user};

/// kept, repeated, rejected.
fn counts(done: &Answer) -> [u64; 3] {
    ["kept", "repeated", "rejected"].map(|key| done.json[key].as_u64().unwrap_or_else(|| panic!("{}", done.stderr)))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn number_of(lab: &Lab, table: &str) -> u64 {
    let rows = lab.run(&["query", &format!("SELECT count(*) AS n FROM {table}"), "-o", "jsonl"]);
    let row = rows.json.as_array().map_or(&rows.json, |rows| &rows[0]);
    let n = &row["n"];
    n.as_u64()
        .or_else(|| n.as_str()?.parse().ok())
        .unwrap_or_else(|| panic!("{} {}", rows.json, rows.stderr))
}

fn root_ops() -> Value {
    logs::iam_user("kubernetes-admin", &["system:masters"], "rosa")
}

/// A page of GetLogEvents of an audit stream: (milliseconds, message).
fn page(messages: &[(i64, String)]) -> String {
    let events = messages.iter().enumerate().map(|(number, (time, message))| {
        json!({"logStreamName": "kube-apiserver-audit-0123456789abcdef0123456789abcdef", "timestamp": time, "message": message, "ingestionTime": time + 900,
            "eventId": format!("38{time:040}{number:06}")})
    });
    json!({"events": events.collect::<Vec<_>>(), "searchedLogStreams": []}).to_string()
}

fn milliseconds(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// An event cut within its `responseObject` at the size that CloudWatch takes, and the rest as a line of its own.
fn cut(event: &Value) -> [String; 2] {
    // The fields as the API server orders them: what the request says is before what was written, the times are behind.
    let first = [
        "kind",
        "apiVersion",
        "level",
        "auditID",
        "stage",
        "requestURI",
        "verb",
        "user",
        "sourceIPs",
        "userAgent",
        "objectRef",
        "responseStatus",
    ];
    let fields: Vec<String> = first
        .iter()
        .chain(&[
            "requestObject",
            "responseObject",
            "requestReceivedTimestamp",
            "stageTimestamp",
            "annotations",
        ])
        .filter(|name| !event[**name].is_null())
        .map(|name| format!("{}:{}", json!(name), event[*name]))
        .collect();
    let text = format!("{{{}}}", fields.join(","));
    let at = text.find("\"responseObject\"").map_or(text.len() / 2, |at| at + 60);
    [format!("{}[Truncated...]", &text[..at]), text[at + 20..].to_owned()]
}

#[test]
fn case_03_a_write_of_aws_auth_that_arrived_cut_makes_the_mappings_unproven() {
    let lab = Lab::new();
    let write = |time: &str, roles: &str| logs::write_aws_auth(time, root_ops(), json!({"mapRoles": roles}));
    let whole = write("2026-05-01T10:00:00Z", &snapshot::masters(&role("sre")));
    let [head, tail] = cut(&write(
        "2026-05-02T10:00:00Z",
        "- rolearn: arn:aws:iam::111122223333:role/data\n  username: data\n  groups: [data]\n",
    ));
    let text = page(&[
        (milliseconds("2026-05-01T10:00:01Z"), whole.to_string()),
        (milliseconds("2026-05-02T10:00:01Z"), head),
        (milliseconds("2026-05-02T10:00:01Z") + 1, tail),
    ]);
    let done = lab.try_ingest(&lab.file("page.json", text), &PLACE);
    assert_eq!((done.code, counts(&done)), (3, [1, 0, 2]), "{}", done.stderr);
    assert_eq!(
        lab.ask(&["admins"], "2026-05-02T09:00:00Z").status(&role("sre")),
        Some("active")
    );
    let after = lab.ask(&["admins"], "2026-05-03T00:00:00Z");
    assert_eq!(after.status(&role("sre")), Some("unproven"), "{}", after.json);
    assert!(after.is_blind_to(&["cut"]), "{:?}", after.blind_spots());
    assert_ne!(
        lab.can_i(&["delete", "nodes", "--as", &role("data")], "2026-05-03T00:00:00Z"),
        Some(false)
    );
}

#[test]
fn case_03_a_write_of_rbac_that_arrived_cut_makes_the_binding_unproven() {
    let lab = Lab::new();
    let binding = snapshot::cluster_role_binding("ops", "cluster-admin", snapshot::user_subject("cleo"));
    let whole = logs::write_rbac(
        "2026-05-01T10:00:00Z",
        root_ops(),
        "create",
        "clusterrolebindings",
        &binding,
    );
    let other = snapshot::cluster_role_binding("ops", "cluster-admin", snapshot::user_subject("dora"));
    let [head, tail] = cut(&logs::write_rbac(
        "2026-05-02T10:00:00Z",
        root_ops(),
        "patch",
        "clusterrolebindings",
        &other,
    ));
    let text = page(&[
        (milliseconds("2026-05-01T10:00:01Z"), whole.to_string()),
        (milliseconds("2026-05-02T10:00:01Z"), head),
        (milliseconds("2026-05-02T10:00:01Z") + 1, tail),
    ]);
    assert_eq!(lab.try_ingest(&lab.file("page.json", text), &PLACE).code, 3);
    let after = lab.ask(&["admins"], "2026-05-03T00:00:00Z");
    assert_eq!(after.status("User:cleo"), Some("unproven"), "{}", after.json);
    assert_eq!(
        lab.can_i(&["delete", "nodes", "--as", "dora"], "2026-05-03T00:00:00Z"),
        None
    );
}

#[test]
fn case_03_a_read_that_arrived_cut_changes_no_state() {
    let lab = Lab::new();
    let whole = logs::write_aws_auth(
        "2026-05-01T10:00:00Z",
        root_ops(),
        json!({"mapRoles": snapshot::masters(&role("sre"))}),
    );
    let read = logs::event(
        "2026-05-02T10:00:00Z",
        json!({"verb": "get", "user": root_ops(), "responseObject": {"kind": "Pod", "metadata": {"name": "x".repeat(300)}}}),
    );
    let [head, tail] = cut(&read);
    let text = page(&[
        (milliseconds("2026-05-01T10:00:01Z"), whole.to_string()),
        (milliseconds("2026-05-02T10:00:01Z"), head),
        (milliseconds("2026-05-02T10:00:01Z") + 1, tail),
    ]);
    assert_eq!(lab.try_ingest(&lab.file("page.json", text), &PLACE).code, 3);
    let after = lab.ask(&["admins"], "2026-05-03T00:00:00Z");
    assert_eq!(after.status(&role("sre")), Some("active"), "{}", after.json);
}

#[test]
fn case_04_events_of_one_millisecond_are_neither_lost_nor_doubled_over_polls() {
    let time = milliseconds("2026-05-03T08:00:01.234Z");
    let granted = |port: u32| {
        logs::granted_line("2026-05-03T08:00:00Z", &role("ci"), "ci", "deployers", "AROACI", port)
            .trim_end()
            .to_owned()
    };
    let denied = |port: u32| {
        logs::denied_line("2026-05-03T08:00:00Z", &role("intern"), port)
            .trim_end()
            .to_owned()
    };
    let (one, two) = ("authenticator-aaaabbbb", "authenticator-ffffeeee");
    // Two lines of one text are two events; the ids are CloudWatch's.
    let all = [
        (one, granted(1), 1),
        (one, granted(1), 2),
        (one, denied(2), 3),
        (one, denied(3), 4),
        (one, granted(4), 5),
        (two, granted(1), 6),
    ];
    let poll = |count: usize| {
        let events = all[..count].iter().map(|(stream, message, id)| {
            json!({"logStreamName": stream, "timestamp": time, "message": message, "ingestionTime": time + 500, "eventId": format!("38{id:054}")})
        });
        json!({"events": events.collect::<Vec<_>>(), "searchedLogStreams": []}).to_string()
    };
    for order in [[3, 6], [6, 3]] {
        let lab = Lab::new();
        for count in order {
            let done = lab.try_ingest(&lab.file(&format!("poll-{count}.json"), poll(count)), &PLACE);
            assert_eq!(done.code, 0, "{}", done.stderr);
        }
        assert_eq!(number_of(&lab, "authenticator"), 6, "{order:?}");
        let denials = lab.ask(&["denials"], "2026-05-04T00:00:00Z");
        assert_eq!(denials.findings()[0]["count"], 2, "{}", denials.json);
    }
}

#[test]
fn case_05_the_known_neighbours_of_a_trail_in_its_bucket_are_passed_over() {
    let lab = Lab::new();
    let base = format!("AWSLogs/o-example/{ACCOUNT}");
    let put = |name: &str, text: &str| {
        let content = if name.ends_with(".gz") {
            gzip(text)
        } else {
            text.as_bytes().to_vec()
        };
        lab.file(&format!("bucket/{base}/{name}"), content)
    };
    let made = logs::create_cluster("2026-04-02T10:00:00Z", &Caller::User("petra"), "shop", "API");
    let day = "us-west-2/2026/04/02";
    put(
        &format!("CloudTrail/{day}/{ACCOUNT}_CloudTrail_us-west-2_20260402T1005Z_AAAA.json.gz"),
        &json!({"Records": [made]}).to_string(),
    );
    put(
        &format!("CloudTrail/{day}/{ACCOUNT}_CloudTrail_us-west-2_20260402T1010Z_CCCC.json.gz"),
        "{\"Records\":[]}",
    );
    put("CloudTrail-Digest/AWSLogs", "");
    put(&format!("CloudTrail-Digest/{day}/{ACCOUNT}_CloudTrail-Digest_us-west-2_x_us-east-1_20260402T110000Z.json.gz"),
        &json!({"awsAccountId": ACCOUNT, "digestStartTime": "2026-04-02T10:00:00Z", "digestEndTime": "2026-04-02T11:00:00Z", "digestS3Bucket": "trail-of-all",
            "digestS3Object": "x", "digestPublicKeyFingerprint": "31", "digestSignatureAlgorithm": "SHA256withRSA", "previousDigestSignature": null,
            "logFiles": [{"s3Bucket": "trail-of-all", "s3Object": "y", "hashValue": "aa", "hashAlgorithm": "SHA-256"}]}).to_string());
    put(&format!("CloudTrail-Insight/{day}/{ACCOUNT}_CloudTrail-Insight_us-west-2_20260402T1105Z_BBBB.json.gz"),
        &json!({"Records": [{"eventVersion": "1.09", "eventTime": "2026-04-02T11:00:00Z", "awsRegion": "us-west-2", "eventID": "i-1", "eventType": "AwsCloudTrailInsight",
            "recipientAccountId": ACCOUNT, "sharedEventID": "s-1", "eventCategory": "Insight", "insightDetails": {"state": "Start", "eventSource": "eks.amazonaws.com",
                "eventName": "DescribeCluster", "insightType": "ApiCallRateInsight", "insightContext": {"statistics": {"baseline": {"average": 0.1}, "insight": {"average": 9.0}}}}}]}).to_string());
    put("Config/ConfigWritabilityCheckFile", "");
    put("Config/us-west-2/2026/4/2/ConfigSnapshot/x_Config_us-west-2_ConfigSnapshot_20260402T100000Z_x.json.gz",
        &json!({"fileVersion": "1.0", "configSnapshotId": "c-1", "configurationItems": [{"resourceType": "AWS::EKS::Cluster", "resourceId": "shop", "configurationItemStatus": "OK"}]}).to_string());
    let done = lab.try_ingest(&lab.file("bucket/marker", "").with_file_name("AWSLogs"), &[]);
    assert_eq!((done.code, counts(&done)), (0, [1, 0, 0]), "{}", done.stderr);
    assert!(!done.stderr.contains("not done"), "{}", done.stderr);
    let creators = lab.ask(&["creators"], "2026-04-03T00:00:00Z");
    assert_eq!(creators.findings()[0]["creator"]["principal"], user("petra"));
    // A real fault among them is still one.
    put(
        "CloudTrail/us-west-2/2026/04/02/damaged.json.gz",
        "{\"Records\":[{\"eventVersion\":",
    );
    let done = lab.try_ingest(&lab.file("bucket/marker", "").with_file_name("AWSLogs"), &[]);
    assert_eq!(done.code, 3, "{}", done.stderr);
}

/// What `aws eks describe-…` prints of prod and its break-glass entry.
fn printed_by_the_aws_cli() -> [(&'static str, Value); 3] {
    let arn = role("glass");
    [
        (
            "describe-cluster.json",
            json!({"cluster": {"name": "prod", "arn": format!("arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"), "createdAt": "2026-01-01T10:00:00+00:00",
            "version": "1.33", "status": "ACTIVE", "roleArn": role("eks-service"), "resourcesVpcConfig": {"endpointPublicAccess": true},
            "logging": {"clusterLogging": [{"types": ["audit", "authenticator"], "enabled": true}]}, "accessConfig": {"authenticationMode": "API"}}}),
        ),
        (
            "describe-access-entry.json",
            json!({"accessEntry": {"clusterName": "prod", "principalArn": arn, "kubernetesGroups": [],
            "accessEntryArn": format!("arn:aws:eks:{REGION}:{ACCOUNT}:access-entry/prod/role/{ACCOUNT}/glass/1"), "createdAt": "2026-02-01T10:00:00.000000+00:00",
            "modifiedAt": "2026-02-01T10:00:00.000000+00:00", "tags": {}, "username": "x", "type": "STANDARD"}}),
        ),
        (
            "list-associated.json",
            json!({"associatedAccessPolicies": [{"policyArn": format!("arn:aws:eks::aws:cluster-access-policy/{CLUSTER_ADMIN}"),
            "accessScope": {"type": "cluster", "namespaces": []}, "associatedAt": "2026-02-01T10:01:00+00:00", "modifiedAt": "2026-02-01T10:01:00+00:00"}],
            "clusterName": "prod", "principalArn": arn}),
        ),
    ]
}

/// Each document is a record; that a list is whole may be one more.
fn assert_is_taken(done: &Answer) {
    let [kept, repeated, rejected] = counts(done);
    assert_eq!((done.code, repeated, rejected), (0, 0, 0), "{}", done.stderr);
    assert!(kept >= 3, "{}", done.stderr);
}

fn assert_glass_is_admin(lab: &Lab) {
    let admins = lab.ask(&["admins"], "2026-03-01T13:00:00Z");
    let route = admins.route(&role("glass"), "access_policy");
    assert_eq!(route["status"], "active", "{route}");
    let from = &route["valid_from"];
    assert!(
        from.is_null() || from.as_str().unwrap().starts_with("2026-02-01"),
        "{from}"
    );
    let creators = lab.ask(&["creators"], "2026-03-01T13:00:00Z");
    assert_eq!(creators.findings()[0]["authentication_mode"], "API");
}

#[test]
fn case_25_what_the_aws_cli_prints_of_a_cluster_is_read_among_files() {
    let lab = Lab::new();
    for (name, document) in printed_by_the_aws_cli() {
        lab.file_of(&format!("sent/{name}"), format!("{document:#}"), "2026-03-01T12:00:00Z");
    }
    let done = lab.try_ingest(&lab.file("sent.txt", "").with_file_name("sent"), &PLACE);
    assert_is_taken(&done);
    assert_glass_is_admin(&lab);
}

#[test]
fn case_25_what_the_aws_cli_prints_of_a_cluster_is_a_snapshot_of_the_time_that_is_told() {
    let lab = Lab::new();
    let files = printed_by_the_aws_cli().map(|(name, document)| lab.file(name, format!("{document:#}")));
    let mut words = vec!["ingest", "snapshot", "--taken-at", "2026-03-01T12:00:00Z"];
    for file in &files {
        words.extend(["--from", file.to_str().unwrap()]);
    }
    words.extend(PLACE);
    let done = lab.run(&words);
    assert_is_taken(&done);
    assert_glass_is_admin(&lab);
}

#[test]
fn case_25_a_document_of_the_wrong_kind_is_never_a_success_with_nothing_taken() {
    let lab = Lab::new();
    let [(name, document), ..] = printed_by_the_aws_cli();
    let done = lab.try_kubectl(&lab.file(name, document.to_string()));
    let is_taken = done.json["kept"].as_u64() == Some(1);
    assert!(
        is_taken || matches!(done.code, 2 | 3),
        "exit {}: {}",
        done.code,
        done.stderr
    );
}

fn message(stream: &str, lines: &[String]) -> Value {
    let events = (1..).zip(lines).map(|(id, line)| json!({"id": format!("{stream}{id}"), "timestamp": 1_778_493_601_000_i64 + id, "message": line.trim_end()}));
    json!({"messageType": "DATA_MESSAGE", "owner": ACCOUNT, "logGroup": "/aws/eks/prod/cluster", "logStream": stream, "subscriptionFilters": ["all"], "logEvents": events.collect::<Vec<_>>()})
}

fn control() -> Value {
    json!({"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "", "subscriptionFilters": [],
        "logEvents": [{"id": "", "timestamp": 1_778_500_000_000_i64, "message": "CWL CONTROL MESSAGE: Checking health of destination Firehose."}]})
}

fn delivered() -> [Value; 3] {
    let audit = |time: &str| logs::event(time, json!({"user": root_ops()})).to_string();
    let denied = |second: u32| logs::denied_line(&format!("2026-05-11T10:00:0{second}Z"), &role("x"), 41000 + second);
    [
        message(
            "kube-apiserver-audit-0123456789abcdef0123456789abcdef",
            &[audit("2026-05-11T10:00:00Z")],
        ),
        message("authenticator-0123456789abcdef0123456789abcdef", &[denied(3)]),
        message("authenticator-0123456789abcdef0123456789abcdef", &[denied(4)]),
    ]
}

#[test]
fn case_27_joined_objects_of_firehose_are_read_without_the_control_message() {
    let lab = Lab::new();
    let text: String = [control()]
        .into_iter()
        .chain(delivered())
        .map(|object| object.to_string())
        .collect();
    let done = lab.try_ingest(&lab.file("prod-1-2026-05-11-10", text), &["--region", REGION]);
    assert_eq!((done.code, counts(&done)), (0, [3, 0, 0]), "{}", done.stderr);
}

#[test]
fn case_27_after_a_broken_object_the_next_is_read() {
    let lab = Lab::new();
    // CloudWatch begins each object with its type.
    let as_sent = |mut object: Value| {
        let kind = object.as_object_mut().unwrap().remove("messageType").unwrap();
        format!("{{\"messageType\":{kind},{}", &object.to_string()[1..])
    };
    let [first, second, third] = delivered().map(as_sent);
    let broken = &second[..second.len() - 60];
    let done = lab.try_ingest(
        &lab.file("prod-1-2026-05-11-11", format!("{first}{broken}{third}")),
        &["--region", REGION],
    );
    assert_eq!((done.code, counts(&done)), (3, [2, 0, 1]), "{}", done.stderr);
    let denials = lab.ask(&["denials"], "2026-05-12T00:00:00Z");
    assert_eq!(denials.findings()[0]["count"], 1, "{}", denials.json);
}

#[test]
fn case_27_base64_bodies_are_opened() {
    let packed = |object: &Value| BASE64.encode(gzip(&object.to_string()));
    let bodies = [control(), delivered()[0].clone(), delivered()[1].clone()];
    let bodies: Vec<Value> = bodies.iter().map(|object| json!({"data": packed(object)})).collect();
    let body = json!({"requestId": "9226f86e", "timestamp": 1_778_493_700_000_i64, "records": bodies});
    let failed: String = delivered()[..2]
        .iter()
        .map(|object| {
            json!({"attemptsMade": 4, "arrivalTimestamp": 1_778_493_700_000_i64, "errorCode": "Lambda.FunctionError", "errorMessage": "The Lambda function failed.",
                "attemptEndingTimestamp": 1_778_493_800_000_i64, "rawData": packed(object), "lambdaArn": "arn:aws:lambda:us-west-2:111122223333:function:x"})
            .to_string()
                + "\n"
        })
        .collect();
    let lambda = json!({"awslogs": {"data": packed(&delivered()[0])}}).to_string();
    for (name, text, kept) in [
        ("http-body.json", body.to_string(), 2),
        ("processing-failed", failed, 2),
        ("lambda-event.json", lambda, 1),
    ] {
        let lab = Lab::new();
        let done = lab.try_ingest(&lab.file(name, text), &["--region", REGION]);
        assert_eq!((done.code, counts(&done)), (0, [kept, 0, 0]), "{name}: {}", done.stderr);
    }
}

#[test]
fn case_29_odd_but_valid_cloudtrail_files_are_read_whole() {
    let lab = Lab::new();
    let made = |name: &str| logs::create_cluster("2026-05-02T10:00:00Z", &Caller::User("alice"), name, "API");
    let pretty = format!("\u{feff}{:#}", made("pretty")).replace('\n', "\r\n");
    let mut bare = logs::call(
        "2026-05-02T10:00:00Z",
        &Caller::User("q"),
        "timestream",
        "QueryDatabase",
        Value::Null,
        Value::Null,
    );
    for field in ["sourceIPAddress", "userAgent"] {
        bare.as_object_mut().unwrap().remove(field);
    }
    let mut event = logs::call(
        "2026-05-02T10:05:00Z",
        &Caller::User("q"),
        "eks",
        "ClusterStatusChanged",
        Value::Null,
        Value::Null,
    );
    event["eventType"] = json!("AwsServiceEvent");
    event["userIdentity"] = json!({"accountId": ACCOUNT, "invokedBy": "eks.amazonaws.com"});
    event["serviceEventDetails"] = json!({"cluster": "prod"});
    for (name, text) in [
        ("odd/pretty.json", pretty),
        ("odd/sample.json", format!("{:#}", json!({"Records": [made("doc")]}))),
        ("odd/organisation.json", json!({"Records": [bare, event]}).to_string()),
    ] {
        lab.file(name, text);
    }
    let done = lab.try_ingest(&lab.file("marker", "").with_file_name("odd"), &[]);
    assert_eq!((done.code, counts(&done)), (0, [4, 0, 0]), "{}", done.stderr);
    let creators = lab.ask(&["creators"], "2026-05-03T00:00:00Z");
    for name in ["pretty", "doc"] {
        let found = creators.findings().iter().find(|one| one["cluster"]["name"] == name);
        assert_eq!(found.unwrap()["creator"]["principal"], user("alice"), "{name}");
    }
}

#[test]
fn case_37_the_consoles_csv_of_an_insights_query_is_read() {
    let line = |time: &str| {
        logs::granted_line(
            time,
            &user("testa"),
            "kubernetes-admin",
            "system:masters",
            "AIDATESTA",
            57586,
        )
    };
    let sts = logs::sts_line(
        "2026-05-26T18:50:00Z",
        &user("testa"),
        "AKIATEST000000000001",
        "",
        "AIDATESTA",
        57580,
    );
    let rows = [
        ("2026-05-26 18:55:31.120", line("2026-05-26T18:55:30Z")),
        ("2026-05-26 18:50:02.001", sts),
        ("2026-05-25 07:11:00.500", line("2026-05-25T07:10:59Z")),
    ];
    let quoted = |text: &str| format!("\"{}\"", text.trim_end().replace('"', "\"\""));
    let form = |head: &str, row: &dyn Fn(&str, &str) -> String| {
        rows.iter().fold(format!("{head}\n"), |text, (time, line)| {
            text + &row(time, &quoted(line)) + "\n"
        })
    };
    let stream = "authenticator-0123456789abcdef0123456789abcdef";
    let forms = [
        (
            "plain",
            form("@timestamp,@message", &|time, line| format!("{time},{line}")),
            &PLACE[..],
        ),
        (
            "empty column",
            form("\u{feff}\"@logstream\",\"@timestamp\",\"@message\"", &|time, line| {
                format!("\"\",\"{time}\",{line}")
            }),
            &PLACE[..],
        ),
        (
            "spreadsheet",
            form("\u{feff}@timestamp;@message", &|time, line| format!("{time};{line}")).replace('\n', "\r\n"),
            &PLACE[..],
        ),
        (
            "log column",
            form("@timestamp,@logStream,@log,@message", &|time, line| {
                format!("{time},{stream},{ACCOUNT}:/aws/eks/prod/cluster,{line}")
            }),
            &PLACE[2..4],
        ),
    ];
    for (name, text, hints) in forms {
        let lab = Lab::new();
        let done = lab.try_ingest(&lab.file("logs-insights-results.csv", text), hints);
        assert_eq!((done.code, counts(&done)), (0, [3, 0, 0]), "{name}: {}", done.stderr);
        let creators = lab.ask(&["creators"], "2026-05-27T00:00:00Z");
        let creator = &creators.findings()[0];
        assert_eq!(
            (&creator["creator"]["principal"], &creator["basis"]),
            (&json!(user("testa")), &json!("first_masters_login")),
            "{name}"
        );
        assert_eq!(
            (&creator["confidence"], &creator["cluster"]["name"]),
            (&json!("likely"), &json!("prod")),
            "{name}"
        );
    }
}

#[test]
fn case_40_envelopes_of_docker_and_of_the_api_server_are_read_and_a_siems_is_read_or_refused() {
    let line = logs::granted_line(
        "2026-05-21T17:54:28Z",
        &user("ops"),
        "kubernetes-admin",
        "system:masters",
        "AIDAOPS",
        41000,
    );
    let docker = json!({"log": line, "stream": "stderr", "time": "2026-05-21T17:54:28.9Z"}).to_string();
    let events =
        ["2026-03-06T10:00:00Z", "2026-03-06T10:01:00Z"].map(|time| logs::event(time, json!({"user": root_ops()})));
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": events});
    for (name, text, kept) in [("docker.json", docker, 1), ("event-list.json", format!("{list:#}"), 2)] {
        let lab = Lab::new();
        let done = lab.try_ingest(&lab.file(name, text), &PLACE);
        assert_eq!((done.code, counts(&done)), (0, [kept, 0, 0]), "{name}: {}", done.stderr);
    }
    let lab = Lab::new();
    let mut alert = logs::refused_call(
        "2026-05-21T17:54:28Z",
        &Caller::User("tess"),
        "iam",
        "CreateUser",
        Value::Null,
        ("AccessDenied", "denied"),
    );
    alert["source"] = json!("cloudtrail");
    alert["log_info"] = json!({"log_file": "x.json.gz", "s3bucket": "trail"});
    let done = lab.try_ingest(
        &lab.file("alert.json", json!({"integration": "aws", "aws": alert}).to_string()),
        &[],
    );
    let [kept, _, rejected] = counts(&done);
    assert!(
        (done.code, kept, rejected) == (3, 0, 1) || (done.code, kept, rejected) == (0, 1, 0),
        "{}",
        done.stderr
    );
}
