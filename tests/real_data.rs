//! Public datasets through the whole program, with exact counts. They are other people's and are not in this repository: the tests read
//! them from the folder that `EKSPLAIN_REAL_DATA` names, and say that they were skipped without it.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

fn real_data() -> Option<PathBuf> {
    let folder = std::env::var_os("EKSPLAIN_REAL_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: EKSPLAIN_REAL_DATA is not set");
    }
    folder
}

fn eksplain(lake: &Path, arguments: &[&str]) -> (i32, Value) {
    let out = Command::cargo_bin("eksplain")
        .unwrap()
        .arg("--lake")
        .arg(lake)
        .args(["-o", "json"])
        .args(arguments)
        .output()
        .unwrap();
    (
        out.status.code().unwrap_or(-1),
        serde_json::from_slice(&out.stdout).unwrap_or(Value::Null),
    )
}

fn numbers(report: &Value) -> [u64; 5] {
    ["read", "kept", "repeated", "rejected", "differing"].map(|key| report[key].as_u64().unwrap())
}

/// (folder, exit, [read, kept, repeated, rejected, differing]) as the datasets' own descriptions have them.
const DATASETS: &[(&str, i32, [u64; 5])] = &[
    ("cloudtrail/invictus", 0, [1233, 1233, 0, 0, 0]),
    ("cloudtrail/stratus", 0, [142, 142, 0, 0, 0]),
    // One id twice with other content: both are kept.
    ("cloudtrail/flaws-excerpt", 0, [185, 185, 0, 0, 1]),
    // The same file plain and packed: each record once.
    ("cloudtrail/trailscraper", 0, [4, 2, 2, 0, 0]),
    ("cloudtrail/otrf", 0, [103, 103, 0, 0, 0]),
    ("cloudtrail/custodian", 0, [10, 10, 0, 0, 1]),
    ("audit/falco", 0, [23, 23, 0, 0, 0]),
    ("audit/audit2rbac", 0, [37, 37, 0, 0, 0]),
    ("audit/rbac-tool", 0, [3, 3, 0, 0, 0]),
];

#[test]
fn every_dataset_is_read_to_the_last_record() {
    let Some(folder) = real_data() else { return };
    for (name, exit, expected) in DATASETS {
        let lake = tempfile::tempdir().unwrap();
        let path = folder.join("data").join(name);
        let (code, report) = eksplain(lake.path(), &["ingest", "files", path.to_str().unwrap()]);
        assert_eq!((code, numbers(&report)), (*exit, *expected), "{name}: {report}");
        let [read, kept, repeated, rejected, _] = numbers(&report);
        assert_eq!(read, kept + repeated + rejected, "{name}");
    }
}

#[test]
fn events_of_a_detection_library_are_all_kept_or_rejected_with_a_reason() {
    let Some(folder) = real_data() else { return };
    for (name, events) in [
        ("cloudtrail/panther/events.jsonl", 229),
        ("audit/panther/events.jsonl", 103),
    ] {
        let lake = tempfile::tempdir().unwrap();
        let (_, report) = eksplain(
            lake.path(),
            &["ingest", "files", folder.join("data").join(name).to_str().unwrap()],
        );
        let [read, kept, repeated, rejected, _] = numbers(&report);
        assert_eq!((read, rejected), (events, 0), "{name}: {report}");
        assert_eq!(read, kept + repeated, "{name}");
    }
}

#[test]
fn no_cluster_is_made_up_from_calls_of_other_services() {
    let Some(folder) = real_data() else { return };
    let lake = tempfile::tempdir().unwrap();
    eksplain(
        lake.path(),
        &["ingest", "files", folder.join("data/cloudtrail").to_str().unwrap()],
    );
    for question in ["admins", "creators"] {
        let (code, answer) = eksplain(lake.path(), &[question]);
        assert_eq!(
            (code, answer["findings"].as_array().map(Vec::len)),
            (0, Some(0)),
            "{question}"
        );
    }
}

#[test]
fn refused_calls_of_a_real_trail_are_those_that_its_records_hold() {
    let Some(folder) = real_data() else { return };
    let lake = tempfile::tempdir().unwrap();
    eksplain(
        lake.path(),
        &[
            "ingest",
            "files",
            folder.join("data/cloudtrail/invictus").to_str().unwrap(),
        ],
    );
    let (_, answer) = eksplain(lake.path(), &["denials"]);
    // By hand: jq over the records counts seven refused sts:AssumeRole of one user, and no other refusal by eks, sts, iam or sso.
    let findings = answer["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{answer}");
    assert_eq!(
        (&findings[0]["reason"], &findings[0]["count"]),
        (&Value::from("sts.trust-policy"), &Value::from(7))
    );
    assert_eq!(findings[0]["principal"], "arn:aws:iam::123837392027:user/bert-jan");
    let (_, all) = eksplain(lake.path(), &["denials", "--scope", "all", "--all"]);
    let refused: u64 = all["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["count"].as_u64().unwrap())
        .sum();
    assert_eq!(refused, 30, "the dataset's description counts 30 denied calls");
}

#[test]
fn impersonated_subjects_are_the_ones_refused() {
    let Some(folder) = real_data() else { return };
    let lake = tempfile::tempdir().unwrap();
    eksplain(
        lake.path(),
        &[
            "ingest",
            "files",
            folder.join("data/audit/audit2rbac").to_str().unwrap(),
            "--cluster",
            "demo",
        ],
    );
    let (_, answer) = eksplain(lake.path(), &["denials"]);
    let findings = answer["findings"].as_array().unwrap();
    let refused: u64 = findings.iter().map(|finding| finding["count"].as_u64().unwrap()).sum();
    assert_eq!(refused, 11);
    let who: std::collections::BTreeSet<&str> = findings
        .iter()
        .filter_map(|finding| finding["principal"].as_str())
        .collect();
    assert_eq!(
        who.into_iter().collect::<Vec<_>>(),
        ["ServiceAccount:ns1/sa1", "User:alice", "User:bob"]
    );
}

#[test]
fn sample_lines_of_the_authenticator_become_records() {
    let Some(folder) = real_data() else { return };
    let samples = std::fs::read_to_string(folder.join("samples/authenticator-lines.jsonl")).unwrap();
    let lines: Vec<String> = samples
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["line"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("authenticator-0123456789abcdef");
    std::fs::create_dir_all(&logs).unwrap();
    let events: Vec<Value> = lines
        .iter()
        .enumerate()
        .map(|(at, line)| serde_json::json!({"timestamp": 1_700_000_000_000_i64 + at as i64, "message": line}))
        .collect();
    std::fs::write(
        logs.join("events.json"),
        serde_json::json!({ "events": events }).to_string(),
    )
    .unwrap();
    let (_, report) = eksplain(
        &dir.path().join("lake"),
        &["ingest", "files", logs.to_str().unwrap(), "--cluster", "prod"],
    );
    let [read, kept, repeated, rejected, _] = numbers(&report);
    assert_eq!((read, rejected), (lines.len() as u64, 0));
    assert_eq!(kept + repeated, read);
}

/// Public situations as they came, in folder `field`: (files, hints of prod, exit, kept, rejected). Their answers are in `tests/field`.
const SITUATIONS: &[(&str, bool, i32, u64, u64)] = &[
    ("03-audit-event-truncated/audit-page1.json", true, 3, 1, 2),
    ("04-same-millisecond", true, 0, 6, 0),
    ("05-digest-insight-in-prefix/AWSLogs", false, 0, 1, 0),
    ("27-firehose-forms/concat-2026-05-11-10", false, 0, 3, 0),
    ("27-firehose-forms/concat-with-broken-middle", false, 3, 2, 1),
    ("29-odd-cloudtrail-files", false, 0, 4, 0),
    ("37-insights-csv-forms/logs-insights-results.csv", true, 0, 3, 0),
    ("37-insights-csv-forms/saved-by-spreadsheet.csv", true, 0, 3, 0),
    ("37-insights-csv-forms/with-log-column.csv", false, 0, 3, 0),
    ("40-siem-and-list-envelopes/docker.json", true, 0, 1, 0),
    ("40-siem-and-list-envelopes/event-list.json", true, 0, 2, 0),
];

#[test]
fn public_situations_are_read_as_they_came() {
    let Some(folder) = real_data() else { return };
    let mut faults = Vec::new();
    for (name, is_hinted, exit, kept, rejected) in SITUATIONS {
        let lake = tempfile::tempdir().unwrap();
        // A description lies beside the logs; it is none.
        let path = folder.join("field").join(name);
        let mut files: Vec<PathBuf> = if path.is_dir() && !name.ends_with("AWSLogs") {
            let entries = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            entries
                .filter(|file| file.extension().is_none_or(|ending| ending != "md"))
                .collect()
        } else {
            vec![path]
        };
        files.sort();
        let mut words = vec!["ingest", "files"];
        words.extend(files.iter().map(|file| file.to_str().unwrap()));
        if *is_hinted {
            words.extend(["--account", "111122223333", "--cluster", "prod"]);
        }
        words.extend(["--region", "us-west-2"]);
        let (code, report) = eksplain(lake.path(), &words);
        let seen = (code, report["kept"].as_u64(), report["rejected"].as_u64());
        if seen != (*exit, Some(*kept), Some(*rejected)) {
            faults.push(format!("{name}: {seen:?}, not {:?}", (exit, kept, rejected)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
