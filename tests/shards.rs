//! Many processes read one input: what they leave is what one process leaves, and other engines know the tables.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

fn command(lake: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eksplain"));
    command.arg("--lake").arg(lake).args(["-o", "json"]).args(words);
    command
}

fn eksplain(lake: &Path, words: &[&str]) -> (Option<i32>, Value, String) {
    let out = command(lake, words).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    (
        out.status.code(),
        serde_json::from_slice(&out.stdout).unwrap_or(Value::Null),
        said,
    )
}

/// Objects of three days: each trail repeats some events of the one before, and audit events stand in two objects.
fn input(folder: &Path) {
    for object in 0..24_u32 {
        let (day, hour) = (21 + object % 3, object / 3);
        let events: Vec<Value> = (0..20_u32)
            .map(|number| {
                // The last five are the first five of the next object of the day.
                let (number, hour) = if number < 15 { (number, hour) } else { (number - 15, hour + 1) };
                json!({"eventVersion": "1.11", "eventID": format!("{day}-{hour}-{number}"), "eventSource": "eks.amazonaws.com",
                    "eventTime": format!("2026-11-{day}T{hour:02}:{number:02}:00Z"), "eventName": "DescribeCluster",
                    "awsRegion": "us-west-2", "readOnly": true, "recipientAccountId": "111122223333",
                    "requestParameters": {"name": "prod"},
                    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"}})
            })
            .collect();
        fs::write(
            folder.join(format!("trail-{object}.json")),
            json!({"Records": events}).to_string(),
        )
        .unwrap();
        let lines: Vec<String> = (0..30_u32)
            .map(|number| {
                let number = number + 20 * (object / 3);
                json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("{day}-{number}"),
                    "stage": "ResponseComplete", "requestURI": "/api/v1/pods", "verb": "list",
                    "user": {"username": "ann", "groups": ["system:authenticated"]}, "responseStatus": {"code": 200},
                    "objectRef": {"resource": "pods", "apiVersion": "v1"},
                    "stageTimestamp": format!("2026-11-{day}T{:02}:{:02}:00.004000Z", number / 60, number % 60)})
                .to_string()
            })
            .collect();
        fs::write(folder.join(format!("audit-{object}.ndjson")), lines.join("\n")).unwrap();
    }
}

/// The files of records, by their paths in the lake.
fn parts(lake: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![lake.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(lake).unwrap().to_str().unwrap().to_owned();
            if relative.starts_with('_') || relative.starts_with("facts") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if relative.ends_with(".parquet") {
                found.insert(relative, fs::read(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn eight_shards_equal_one_process_file_for_file() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    input(&logs);
    let logs = logs.to_str().unwrap();
    let hints = [
        "--account",
        "111122223333",
        "--region",
        "us-west-2",
        "--cluster",
        "prod",
    ];
    let ingest = |shard: Option<&str>| {
        let mut words = vec!["ingest", "files", logs];
        words.extend(hints);
        words.extend(shard.into_iter().flat_map(|shard| ["--shard", shard]));
        words.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |lake: &Path, words: &[String]| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        command(lake, &words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let answer = |child: Child| -> Value {
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice(&out.stdout).unwrap()
    };

    let (one, eight) = (folder.path().join("one"), folder.path().join("eight"));
    let whole = answer(run(&one, &ingest(None)));
    assert!(whole["repeated"].as_u64().unwrap() > 100, "{whole}");
    let (code, sealed, said) = eksplain(&one, &["lake", "compact"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(sealed["repeated"], 0);

    // Side by side: each waits until no other writes. The last shard first, so that the order of objects is not that of one process.
    let shards: Vec<Child> = (0..8)
        .rev()
        .map(|shard| run(&eight, &ingest(Some(&format!("{shard}/8")))))
        .collect();
    let shards: Vec<Value> = shards.into_iter().map(answer).collect();
    let sum = |field: &str| shards.iter().map(|shard| shard[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("files"), sum("read")), (48, whole["read"].as_u64().unwrap()));
    assert!(
        sum("kept") > whole["kept"].as_u64().unwrap(),
        "shards do not know each other's records"
    );
    let mut dropped = 0;
    for shard in ["0/3", "2/3", "1/3"] {
        let (code, done, said) = eksplain(&eight, &["lake", "seal", "--shard", shard]);
        assert_eq!(code, Some(0), "{said}");
        dropped += done["repeated"].as_u64().unwrap();
    }
    assert_eq!(sum("kept") - dropped, whole["kept"].as_u64().unwrap());
    let (first, second) = (parts(&one), parts(&eight));
    assert_eq!(first.len(), 6, "two tables of three days");
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    assert!(first == second);
    assert_eq!(eksplain(&eight, &["lake", "verify"]).0, Some(0));

    // What is sealed stays as it is, and what comes later is merged into it.
    let again = eksplain(&eight, &["lake", "seal"]).1;
    assert_eq!(
        (&again["days"], &again["merged"], &again["into"]),
        (&json!(0), &json!(0), &json!(0))
    );
    let late = folder.path().join("late.ndjson");
    let mut event: Value = serde_json::from_str(
        fs::read_to_string(format!("{logs}/audit-0.ndjson"))
            .unwrap()
            .lines()
            .next()
            .unwrap(),
    )
    .unwrap();
    event["auditID"] = "late".into();
    fs::write(&late, event.to_string()).unwrap();
    let mut words = vec!["ingest", "files", late.to_str().unwrap()];
    words.extend(hints);
    assert_eq!(eksplain(&eight, &words).1["kept"], 1);
    let again = eksplain(&eight, &["lake", "seal"]).1;
    assert_eq!(
        (&again["days"], &again["merged"], &again["into"]),
        (&json!(1), &json!(2), &json!(1))
    );
    assert_eq!(parts(&eight).len(), 6);
}

#[test]
fn a_shard_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (words, said) in [
        (
            &["ingest", "files", "x", "--shard", "8/8"][..],
            "the 8 shards are 0/8 to 7/8",
        ),
        (&["ingest", "files", "x", "--shard", "eight"], "write I/N"),
        (
            &["ingest", "files", "-", "--shard", "0/8"],
            "cannot divide standard input",
        ),
        (&["lake", "seal", "--shard", "1"], "write I/N"),
    ] {
        let (code, _, errors) = eksplain(&folder.path().join("lake"), words);
        assert!(code == Some(2) && errors.contains(said), "{words:?}: {errors}");
    }
}

#[test]
fn duckdb_knows_the_tables_by_the_statements_of_register() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("it's here");
    fs::create_dir(&logs).unwrap();
    input(&logs);
    let lake = folder.path().join("a 'lake'");
    let (code, read, said) = eksplain(&lake, &["ingest", "files", logs.to_str().unwrap(), "--cluster", "prod"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, athena, said) = eksplain(
        &lake,
        &[
            "lake",
            "register",
            "--engine",
            "athena",
            "--location",
            "s3://my-lake/eks/",
        ],
    );
    assert_eq!(code, Some(0), "{said}");
    let text = athena["statements"].to_string();
    assert!(
        text.contains("LOCATION 's3://my-lake/eks/audit/'") && text.contains("'2026-11-21,NOW+1DAYS'"),
        "{text}"
    );
    let (code, _, said) = eksplain(&lake, &["lake", "register", "--engine", "athena"]);
    assert!(code == Some(2) && said.contains("--location"), "{said}");
    let Ok(python) = std::env::var("EKSPLAIN_MOTO_PYTHON") else {
        eprintln!("skipped: EKSPLAIN_MOTO_PYTHON names no Python with DuckDB");
        return;
    };
    let statements = eksplain(&lake, &["lake", "register", "--engine", "duckdb"]).1["statements"].to_string();
    let script = "import duckdb, json, sys
for statement in json.loads(sys.argv[1]): duckdb.sql(statement)
count = lambda table: duckdb.sql(f'SELECT count(*), count(DISTINCT id), min(date) FROM {table}').fetchall()[0]
print(json.dumps([count(t) for t in ['audit', 'cloudtrail', 'authenticator', 'snapshot', 'rejects']]))
print(json.dumps(duckdb.sql(\"SELECT typeof(ts), typeof(groups), typeof(code), typeof(date) FROM audit LIMIT 1\").fetchall()[0]))";
    let out = Command::new(python).args(["-c", script, &statements]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let lines: Vec<Value> = String::from_utf8(out.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (audit, trail) = (&lines[0][0], &lines[0][1]);
    let kept = audit[0].as_u64().unwrap() + trail[0].as_u64().unwrap();
    assert_eq!(kept, read["kept"].as_u64().unwrap());
    assert_eq!((&audit[0], &audit[2]), (&audit[1], &json!("2026-11-21")));
    assert_eq!(
        lines[0][2],
        json!([0, 0, null]),
        "a table without files is there, and empty"
    );
    assert_eq!(
        lines[1],
        json!(["TIMESTAMP WITH TIME ZONE", "VARCHAR[]", "INTEGER", "VARCHAR"])
    );
}
