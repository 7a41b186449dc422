//! Ingesting as a user does it: every envelope, what goes wrong, running twice, being killed.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use assert_cmd::Command;
use serde_json::{Value, json};

mod support;

fn eksplain(lake: &Path, arguments: &[&str]) -> (i32, Value, String) {
    let out = Command::cargo_bin("eksplain")
        .unwrap()
        .arg("--lake")
        .arg(lake)
        .args(["-o", "json"])
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&out.stderr).into_owned();
    (
        out.status.code().unwrap_or(-1),
        serde_json::from_slice(&out.stdout).unwrap_or(Value::Null),
        errors,
    )
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const GRANT: &str = "time=\"2026-11-23T10:00:00Z\" level=info msg=\"access granted\" arn=\"arn:aws:iam::111122223333:role/Admin\" \
                     client=\"127.0.0.1:1\" groups=\"[system:masters]\" method=POST path=/authenticate \
                     uid=\"aws-iam-authenticator:111122223333:AROAEXAMPLE\" username=admin";

fn audit() -> Value {
    json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "a-1", "stage": "ResponseComplete",
        "requestURI": "/api/v1/pods", "verb": "list", "user": {"username": "ann", "groups": ["system:authenticated"]},
        "objectRef": {"resource": "pods", "apiVersion": "v1"}, "responseStatus": {"code": 200},
        "requestReceivedTimestamp": "2026-11-23T10:00:00.000000Z", "stageTimestamp": "2026-11-23T10:00:00.004000Z"})
}

fn trail() -> Value {
    json!({"eventVersion": "1.11", "eventID": "e-1", "eventTime": "2026-11-23T10:00:00Z", "eventSource": "eks.amazonaws.com",
        "eventName": "DescribeCluster", "awsRegion": "us-west-2", "readOnly": true, "recipientAccountId": "111122223333",
        "requestParameters": {"name": "prod"}, "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"}})
}

/// One record of each log in every envelope: name, bytes, [authenticator, audit, cloudtrail].
fn envelopes() -> Vec<(&'static str, Vec<u8>, [u64; 3])> {
    let (audit, trail) = (audit().to_string(), trail().to_string());
    let event = |message: &str| json!({"logStreamName": "s", "timestamp": 1_795_428_000_000_i64, "message": message, "eventId": "1"});
    let subscription = |message: &str| {
        json!({"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "/aws/eks/prod/cluster", "logStream": "s", "subscriptionFilters": ["f"], "logEvents": [{"id": "1", "timestamp": 1_795_428_000_000_i64, "message": message}]}).to_string()
    };
    let control = json!({"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE"}]}).to_string();
    let records = json!({"Records": [trail_value(&trail)]}).to_string();
    vec![
        ("trail.json", records.clone().into_bytes(), [0, 0, 1]),
        ("trail.json.gz", gzip(records.as_bytes()), [0, 0, 1]),
        ("empty-trail.json", b"{\"Records\":[]}".to_vec(), [0, 0, 0]),
        ("pretty.json", serde_json::to_vec_pretty(&json!({"Records": [trail_value(&trail)]})).unwrap(), [0, 0, 1]),
        ("lookup.json", json!({"Events": [{"EventId": "e-1", "CloudTrailEvent": trail}], "NextToken": "x"}).to_string().into_bytes(), [0, 0, 1]),
        ("bare.json", trail.clone().into_bytes(), [0, 0, 1]),
        ("array.json", format!("[{trail}]").into_bytes(), [0, 0, 1]),
        ("trail.ndjson", format!("{trail}\n").into_bytes(), [0, 0, 1]),
        ("bridge.json", json!({"detail-type": "AWS API Call via CloudTrail", "source": "aws.eks", "detail": trail_value(&trail)}).to_string().into_bytes(), [0, 0, 1]),
        ("trail-lake.json", json!({"eventJson": trail}).to_string().into_bytes(), [0, 0, 1]),
        ("lines.log", format!("{GRANT}\r\n").into_bytes(), [1, 0, 0]),
        ("audit.ndjson", audit.clone().into_bytes(), [0, 1, 0]),
        ("list.json", json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [trail_value(&audit)]}).to_string().into_bytes(), [0, 1, 0]),
        ("filter.json", serde_json::to_vec_pretty(&json!({"events": [event(GRANT), event(&audit)], "searchedLogStreams": []})).unwrap(), [1, 1, 0]),
        ("get.json", json!({"events": [{"timestamp": 1, "message": GRANT, "ingestionTime": 2}], "nextForwardToken": "f/1"}).to_string().into_bytes(), [1, 0, 0]),
        ("insights.json", json!({"results": [[{"field": "@timestamp", "value": "2026-11-23 10:00:00.000"}, {"field": "@message", "value": audit}, {"field": "@ptr", "value": "x"}]], "status": "Complete"}).to_string().into_bytes(), [0, 1, 0]),
        ("export.gz", gzip(format!("2026-11-23T10:00:00.000Z {GRANT}\n2026-11-23T10:00:00.000Z {audit}\n").as_bytes()), [1, 1, 0]),
        ("tail.txt", format!("2026-11-23T10:00:00.000000+00:00 authenticator-0a {GRANT}\n").into_bytes(), [1, 0, 0]),
        ("firehose", [subscription(GRANT), subscription(&audit), control].concat().into_bytes(), [1, 1, 0]),
        ("firehose-members", [gzip(subscription(GRANT).as_bytes()), gzip(subscription(&audit).as_bytes())].concat(), [1, 1, 0]),
        ("firehose-twice", gzip(&[gzip(subscription(GRANT).as_bytes()), gzip(subscription(&audit).as_bytes())].concat()), [1, 1, 0]),
        ("digest.json", json!({"awsAccountId": "1", "digestS3Bucket": "b", "digestS3Object": "o", "logFiles": []}).to_string().into_bytes(), [0, 0, 0]),
        ("aws-logs-write-test", b"Permission Check Successful".to_vec(), [0, 0, 0]),
    ]
}

fn trail_value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn count(lake: &Path, table: &str) -> u64 {
    let (_, rows, errors) = eksplain(lake, &["query", &format!("SELECT COUNT(*) AS n FROM {table}")]);
    rows["rows"][0]["n"]
        .as_u64()
        .unwrap_or_else(|| panic!("{table}: {rows} {errors}"))
}

#[test]
fn every_envelope_is_known_by_its_content() {
    for (name, bytes, expected) in envelopes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let lake = dir.path().join("lake");
        let (code, report, errors) = eksplain(&lake, &["ingest", "files", file.to_str().unwrap(), "--cluster", "prod"]);
        assert_eq!(code, 0, "{name}: {report} {errors}");
        assert_eq!(
            ["authenticator", "audit", "cloudtrail"].map(|table| count(&lake, table)),
            expected,
            "{name}"
        );
    }
}

#[test]
fn one_event_in_many_envelopes_is_one_record() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    for (name, bytes, expected) in envelopes() {
        if expected[0] == 0 {
            std::fs::write(logs.join(name), bytes).unwrap();
        }
    }
    let lake = dir.path().join("lake");
    let (code, report, errors) = eksplain(&lake, &["ingest", "files", logs.to_str().unwrap(), "--cluster", "prod"]);
    assert_eq!(code, 0, "{report} {errors}");
    assert_eq!(
        (count(&lake, "cloudtrail"), count(&lake, "audit"), &report["differing"]),
        (1, 1, &Value::from(0))
    );
}

/// Every file of a lake with its content.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    files.insert(
                        path.strip_prefix(folder).unwrap().display().to_string(),
                        std::fs::read(path).unwrap(),
                    );
                }
            }
        }
    }
    files
}

fn many_files(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for file in 0..40 {
        let lines: String = (0..50)
            .map(|at| {
                let mut event = audit();
                event["auditID"] = format!("{}-{at}", file / 2).into();
                event["stageTimestamp"] = format!("2026-11-{:02}T10:{:02}:00.000000Z", 1 + file % 20, at).into();
                format!("{event}\n")
            })
            .collect();
        std::fs::write(folder.join(format!("{file:02}.ndjson")), lines).unwrap();
    }
}

#[test]
fn the_same_input_makes_the_same_lake_and_again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    many_files(&logs);
    let logs = logs.to_str().unwrap();
    let lakes = ["one", "two"].map(|name| dir.path().join(name));
    for (lake, threads) in lakes.iter().zip(["1", "4"]) {
        let (code, _, errors) = eksplain(lake, &["ingest", "files", logs, "--threads", threads]);
        assert_eq!(code, 0, "{errors}");
    }
    let first = content(&lakes[0]);
    assert!(first == content(&lakes[1]), "threads changed the lake");
    let (_, report, _) = eksplain(&lakes[0], &["ingest", "files", logs]);
    assert_eq!(
        (&report["read"], &report["files_known"]),
        (&Value::from(0), &Value::from(40))
    );
    assert!(first == content(&lakes[0]), "a second run changed the lake");
    let (code, ..) = eksplain(&lakes[0], &["lake", "verify"]);
    assert_eq!(code, 0);
}

#[test]
fn a_copy_of_the_files_adds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, copy, lake) = (
        dir.path().join("logs"),
        dir.path().join("copy"),
        dir.path().join("lake"),
    );
    many_files(&logs);
    many_files(&copy);
    let (_, first, _) = eksplain(&lake, &["ingest", "files", logs.to_str().unwrap()]);
    let (_, second, _) = eksplain(&lake, &["ingest", "files", copy.to_str().unwrap()]);
    assert_eq!(
        (&second["kept"], &second["repeated"]),
        (&Value::from(0), &first["read"])
    );
}

#[test]
fn a_run_that_died_between_commit_and_parts_is_finished_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    many_files(&logs);
    eksplain(&lake, &["ingest", "files", logs.to_str().unwrap()]);
    let whole = content(&lake);
    // As the moment after the commit: a part still waits in staging.
    let part = whole.keys().find(|path| path.ends_with(".parquet")).unwrap();
    std::fs::create_dir_all(lake.join("_staging")).unwrap();
    std::fs::rename(lake.join(part), lake.join("_staging").join(part.replace('/', "--"))).unwrap();
    let (code, ..) = eksplain(&lake, &["ingest", "files", logs.to_str().unwrap()]);
    assert_eq!(code, 0);
    assert!(whole == content(&lake));
}

#[test]
fn parts_that_no_commit_names_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    many_files(&logs);
    eksplain(&lake, &["ingest", "files", logs.to_str().unwrap()]);
    let table = |arguments: &[&str]| {
        let mut command = Command::cargo_bin("eksplain").unwrap();
        let out = command.arg("--lake").arg(&lake).args(arguments).output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    let parts: Vec<String> = content(&lake)
        .into_keys()
        .filter(|path| path.ends_with(".parquet"))
        .collect();
    // What an interrupted run has staged is no stray, nor is what only a commit's end has not taken away yet.
    std::fs::create_dir_all(lake.join("_staging")).unwrap();
    std::fs::copy(
        lake.join(&parts[0]),
        lake.join("_staging/audit--date=x--part-x.parquet"),
    )
    .unwrap();
    let gone = lake.join("audit/date=2026-11-23/part-gone.parquet");
    std::fs::create_dir_all(gone.parent().unwrap()).unwrap();
    std::fs::copy(lake.join(&parts[0]), &gone).unwrap();
    let removed =
        json!({"inputs": [], "parts": [], "removed": ["audit/date=2026-11-23/part-gone.parquet"]}).to_string();
    let commits = lake.join("_state/commits");
    let next = std::fs::read_dir(&commits).unwrap().count() as u64 + 1;
    let pending = commits.join(support::commit_name(next, &removed));
    std::fs::write(&pending, removed).unwrap();
    assert_eq!(
        table(&["lake", "verify"]),
        (Some(0), "every file is as it was committed\n".to_owned())
    );
    assert!(!table(&["lake", "status"]).1.contains("no commit"));
    // Without that commit nobody knows the part.
    std::fs::remove_file(&pending).unwrap();
    let (code, said) = table(&["lake", "verify"]);
    assert_eq!(code, Some(5));
    assert!(
        said.contains("part-gone.parquet") && said.contains("1 file that no commit names"),
        "{said}"
    );
    // Without any commit, nobody knows any.
    for number in 0..6 {
        std::fs::copy(&gone, gone.with_file_name(format!("part-{number}.parquet"))).unwrap();
    }
    std::fs::remove_dir_all(lake.join("_state/commits")).unwrap();
    let all = parts.len() + 7;
    let (code, said) = table(&["lake", "verify"]);
    assert_eq!(code, Some(5), "{said}");
    assert_eq!(said.matches(".parquet").count(), 5, "{said}");
    for part in [
        &format!("{all} files that no commit names"),
        "-o json",
        "_state/commits",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (code, found, _) = eksplain(&lake, &["lake", "verify"]);
    assert_eq!((code, found["findings"].as_array().unwrap().len()), (5, all));
    assert_eq!(table(&["lake", "status"]).0, Some(5), "it is not empty");
}

#[test]
fn what_is_wrong_is_said_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    let packed = gzip(format!("{}\n", audit()).repeat(400).as_bytes());
    std::fs::write(logs.join("good.ndjson"), format!("{}\n", audit())).unwrap();
    std::fs::write(logs.join("cut.gz"), &packed[..packed.len() / 2]).unwrap();
    std::fs::write(logs.join("empty"), b"").unwrap();
    std::fs::write(logs.join("picture"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").unwrap();
    std::fs::write(
        logs.join("half.json"),
        format!("{{\"Records\":[{},{{\"eventID\":\"e-2\",\"eventNa", trail()),
    )
    .unwrap();
    std::fs::write(logs.join("shopping"), "milk\nbread\n").unwrap();
    std::fs::write(
        logs.join("bad-line.ndjson"),
        format!("{}\n{{\"auditID\": \"x\", \"verb\": \n", audit()),
    )
    .unwrap();
    let lake = dir.path().join("lake");
    let (code, report, errors) = eksplain(&lake, &["ingest", "files", logs.to_str().unwrap()]);
    assert_eq!(code, 3, "{report}");
    for word in ["cut.gz", "empty", "picture", "half.json"] {
        assert!(errors.contains(word), "{word} is not reported: {errors}");
    }
    let number = |key: &str| report[key].as_u64().unwrap();
    assert_eq!(number("read"), number("kept") + number("repeated") + number("rejected"));
    assert_eq!((count(&lake, "cloudtrail"), count(&lake, "audit")), (1, 1));
    let (_, rejects, _) = eksplain(&lake, &["query", "SELECT text, source_uri FROM rejects ORDER BY text"]);
    let texts: Vec<&str> = rejects["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["text"].as_str())
        .collect();
    for text in ["bread", "milk", "{\"eventID\":\"e-2\",\"eventNa"] {
        assert!(texts.contains(&text), "{text} is lost: {texts:?}");
    }
}

/// Large enough that it is read through a window: two bytes are wrong, and all the other records are kept.
#[test]
fn damage_in_a_large_object_costs_only_the_records_it_hit() {
    let folder = tempfile::tempdir().unwrap();
    let records: Vec<String> = (0..40_000)
        .map(|number| {
            let mut record = trail();
            record["eventID"] = json!(format!("e-{number}"));
            record.as_object_mut().unwrap().remove("eventVersion");
            format!("{{\"eventVersion\":\"1.11\",{}", &record.to_string()[1..])
        })
        .collect();
    let mut text = format!("{{\"Records\":[{}]}}", records.join(",")).into_bytes();
    assert!(text.len() > 8 * 1024 * 1024, "{}", text.len());
    // A quote is lost in one record, a bracket in the last of the first window.
    let quote = text.len() / 3 + text[text.len() / 3..].iter().position(|b| *b == b'"').unwrap();
    text[quote] = 0xff;
    let window = 8 * 1024 * 1024;
    let bracket = text[..window].iter().rposition(|b| *b == b'}').unwrap();
    text[bracket] = b'x';
    let path = folder.path().join("trail.json");
    std::fs::write(&path, &text).unwrap();
    let lake = folder.path().join("lake");
    let (_, _, errors) = eksplain(&lake, &["ingest", "files", path.to_str().unwrap()]);
    let (kept, rejected) = (count(&lake, "cloudtrail"), count(&lake, "rejects"));
    assert!(
        (39_994..40_000).contains(&kept) && rejected >= 2,
        "{kept} kept, {rejected} rejected: {errors}"
    );
}

#[test]
fn evidence_leads_to_the_record_and_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("authenticator.log"), dir.path().join("lake"));
    std::fs::write(&logs, format!("\n{GRANT}\n")).unwrap();
    eksplain(&lake, &["ingest", "files", logs.to_str().unwrap(), "--cluster", "prod"]);
    let (_, admins, _) = eksplain(&lake, &["admins"]);
    let evidence = &admins["findings"][0]["routes"][0]["evidence"][0];
    assert_eq!(
        (
            &admins["findings"][0]["routes"][0]["route"],
            &evidence["origin"]["line"]
        ),
        (&Value::from("observed"), &Value::from(2))
    );
    let (code, found, _) = eksplain(&lake, &["evidence", evidence["id"].as_str().unwrap()]);
    assert_eq!(
        (
            code,
            &found["records"][0]["raw"],
            &found["records"][0]["origin"]["line"]
        ),
        (0, &Value::from(GRANT), &Value::from(2))
    );
    let (code, ..) = eksplain(&lake, &["evidence", "000000000010avvvvvvvvvvvvvvvv"]);
    assert_eq!(code, 3);
    let (code, ..) = eksplain(&lake, &["evidence", "nonsense"]);
    assert_eq!(code, 2);
}

#[test]
fn wrong_use_is_told_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [
        &["admins"][..],
        &["ingest", "files", "/no/such/path"],
        &["denials", "--since", "yesterday"],
        &["query", "no_such_query"],
    ] {
        let (code, _, errors) = eksplain(&dir.path().join("none"), arguments);
        assert_eq!(code, 2, "{arguments:?}: {errors}");
        assert!(
            errors.contains("error: could not") && errors.contains("do: "),
            "{arguments:?}: {errors}"
        );
    }
    std::fs::write(dir.path().join("mine.txt"), "x").unwrap();
    let (code, _, errors) = eksplain(dir.path(), &["ingest", "files", "/etc/hostname"]);
    assert!(code == 2 && errors.contains("not empty"), "{errors}");
}

#[test]
fn compacting_changes_the_files_and_nothing_that_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    for number in 0..12 {
        let mut event = audit();
        event["auditID"] = json!(format!("a-{number}"));
        // Two days, the later one first: order within the merged part comes from the ids.
        event["stageTimestamp"] = json!(format!("2026-11-{}T10:00:{:02}.000000Z", 23 - number % 2, 59 - number));
        let file = folder.path().join(format!("{number}.json"));
        std::fs::write(&file, event.to_string()).unwrap();
        assert_eq!(eksplain(&lake, &["ingest", "files", file.to_str().unwrap()]).0, 0);
    }
    let sql = "select id, ts, audit_id, groups_json from audit order by id";
    let before = eksplain(&lake, &["query", sql]).1;
    assert_eq!(before["rows"].as_array().unwrap().len(), 12, "{before}");
    let (code, done, said) = eksplain(&lake, &["lake", "compact"]);
    assert_eq!(
        (code, &done["merged"], &done["into"]),
        (0, &json!(12), &json!(2)),
        "{said}"
    );
    assert_eq!(eksplain(&lake, &["query", sql]).1, before);
    let parts = content(&lake)
        .into_keys()
        .filter(|name| name.ends_with(".parquet"))
        .count();
    assert_eq!(parts, 2);
    assert_eq!(eksplain(&lake, &["lake", "verify"]).0, 0);
    assert_eq!(eksplain(&lake, &["lake", "compact"]).1["merged"], 0);
    // What was read stays known, by its file and by its content.
    let again = eksplain(
        &lake,
        &["ingest", "files", folder.path().join("3.json").to_str().unwrap()],
    )
    .1;
    assert_eq!((&again["read"], &again["kept"]), (&json!(0), &json!(0)));
    std::fs::copy(folder.path().join("3.json"), folder.path().join("copy.json")).unwrap();
    let copy = eksplain(
        &lake,
        &["ingest", "files", folder.path().join("copy.json").to_str().unwrap()],
    )
    .1;
    assert_eq!((&copy["kept"], &copy["repeated"]), (&json!(0), &json!(1)));
}
