//! Pulling from AWS, against a stand-in for LookupEvents and moto for the rest: nothing lost, nothing doubled, at quota, resumable.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod servers;

use servers::{Server, script};

const EKSPLAIN: &str = env!("CARGO_BIN_EXE_eksplain");

fn run(command: &mut Command) -> (Option<i32>, Value, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let report = serde_json::from_slice(&stdout).unwrap_or(Value::Null);
    (status.code(), report, String::from_utf8_lossy(&stderr).into_owned())
}

/// A column of a table, sorted.
fn column(lake: &Path, sql: &str) -> Vec<String> {
    let output = Command::new(EKSPLAIN)
        .args(["-o", "jsonl", "--lake"])
        .arg(lake)
        .args(["query", sql])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut rows: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    rows.sort_unstable();
    rows
}

/// Every file of a lake with its content; the lock and what is no part of the answer left out.
fn files(lake: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                files.insert(
                    path.strip_prefix(root).unwrap().to_owned(),
                    std::fs::read(&path).unwrap(),
                );
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(lake, lake, &mut found);
    found
}

/// Two weeks that ended yesterday: the stand-in's events are all older or younger, never in between.
fn window() -> (String, String) {
    let now = jiff::Timestamp::now();
    let ago = |days: i64| {
        jiff::Timestamp::from_second(now.as_second() - days * 86_400)
            .unwrap()
            .to_string()
    };
    (ago(29), ago(1))
}

fn ids_in(server: &Server, from: &str, to: &str) -> Vec<String> {
    let records: Value = serde_json::from_str(&server.get("/records")).unwrap();
    let mut ids: Vec<String> = records["Records"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| (from..=to).contains(&record["eventTime"].as_str().unwrap()))
        .map(|record| format!("{{\"event_id\":{}}}", record["eventID"]))
        .collect();
    ids.sort_unstable();
    ids
}

const REGIONS: [&str; 4] = ["ingest", "cloudtrail", "--regions", "us-east-1,eu-west-1"];

#[test]
fn twenty_fault_plans_lose_and_double_nothing() {
    let (from, to) = window();
    let plans: Vec<u32> = (0..20).collect();
    std::thread::scope(|scope| {
        for lane in plans.chunks(5) {
            let (from, to) = (&from, &to);
            scope.spawn(move || {
                for seed in lane {
                    let faults = 0.1 + f64::from(*seed) / 80.0;
                    let server =
                        Server::lookup_events(&json!({"events": 1500, "quota": 0, "faults": faults, "seed": seed}));
                    let folder = tempfile::tempdir().unwrap();
                    let lake = folder.path().join("lake");
                    let words = [&REGIONS[..], &["--since", from, "--until", to]].concat();
                    let (code, report, said) = run(server.eksplain(&lake, &words).env("EKSPLAIN_EMULATOR_RATE", "100"));
                    assert_eq!(code, Some(0), "plan {seed}: {said}");
                    let expected = ids_in(&server, from, to);
                    assert_eq!(
                        column(&lake, "select event_id from cloudtrail"),
                        expected,
                        "plan {seed}"
                    );
                    assert_eq!(report["kept"], expected.len(), "plan {seed}");
                }
            });
        }
    });
}

#[test]
fn a_run_that_is_killed_ends_in_the_same_lake() {
    let (from, to) = window();
    let server = Server::lookup_events(&json!({"events": 4000, "quota": 40, "seed": 3}));
    let folder = tempfile::tempdir().unwrap();
    let words = [&REGIONS[..], &["--since", &from, "--until", &to]].concat();
    let whole = folder.path().join("whole");
    let (code, _, said) = run(server.eksplain(&whole, &words).env("EKSPLAIN_EMULATOR_RATE", "20"));
    assert_eq!(code, Some(0), "{said}");
    let requests = |server: &Server| {
        serde_json::from_str::<Value>(&server.get("/stats")).unwrap()["requests"]
            .as_u64()
            .unwrap()
    };
    let undisturbed = requests(&server);

    let killed = folder.path().join("killed");
    let mut state: u64 = 0x9e37_79b9;
    for _ in 0..10 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mut child = server
            .eksplain(&killed, &words)
            .env("EKSPLAIN_EMULATOR_RATE", "20")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(60 + (state >> 33) % 400));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (code, _, said) = run(server.eksplain(&killed, &words).env("EKSPLAIN_EMULATOR_RATE", "20"));
    assert_eq!(code, Some(0), "{said}");
    assert!(files(&whole) == files(&killed), "the lakes differ");
    let again = requests(&server) - undisturbed;
    // Pages that were under way when the run was killed are asked for again, nothing else.
    assert!(
        again < undisturbed + 10 * 25,
        "{again} requests instead of {undisturbed}"
    );

    let (_, report, _) = run(server.eksplain(&whole, &words).env("EKSPLAIN_EMULATOR_RATE", "20"));
    assert_eq!(
        (&report["read"], &report["requests"]),
        (&json!(0), &json!(1)),
        "only the caller's identity was asked for"
    );
}

#[test]
fn the_quota_is_kept_and_used() {
    let server = Server::lookup_events(&json!({"events": 3000, "days": 20, "quota": 2, "seed": 5}));
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let (code, report, said) = run(&mut server.eksplain(&lake, &["ingest", "cloudtrail", "--since", "30d"]));
    assert_eq!(code, Some(0), "{said}");
    let stats: Value = serde_json::from_str(&server.get("/stats")).unwrap();
    let seconds = stats["last"].as_f64().unwrap() - stats["first"].as_f64().unwrap();
    let rate = (stats["served"].as_f64().unwrap() - 1.0) / seconds;
    eprintln!(
        "{rate:.3} requests a second of 2, {} throttled of {}",
        report["throttled"], report["requests"]
    );
    assert!(rate >= 0.95 * 2.0, "{rate}");
    assert!(report["throttled"].as_u64().unwrap() <= 2, "{report}");
}

#[test]
fn a_refusal_is_told_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let server = Server::lookup_events(&json!({"events": 200, "quota": 0, "seed": 1}));
    let words = [
        "ingest",
        "cloudtrail",
        "--regions",
        "us-east-1,ap-east-1",
        "--since",
        "40d",
    ];
    let (code, report, said) = run(server.eksplain(&lake, &words).env("EKSPLAIN_EMULATOR_RATE", "50"));
    assert_eq!(code, Some(4));
    assert!(report["kept"].as_u64().unwrap() > 0);
    let states: Vec<_> = report["scopes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scope| (&scope["region"], &scope["state"]))
        .collect();
    assert!(states.contains(&(&json!("ap-east-1"), &json!("refused"))), "{states:?}");
    assert!(states.contains(&(&json!("us-east-1"), &json!("done"))), "{states:?}");
    assert!(said.contains("--regions"), "{said}");

    let server = Server::lookup_events(&json!({"events": 20, "quota": 0, "denied": true}));
    let (code, report, said) = run(&mut server.eksplain(&lake, &["ingest", "cloudtrail"]));
    assert_eq!(code, Some(4));
    assert!(said.contains("\"Action\": \"cloudtrail:LookupEvents\""), "{said}");
    assert_eq!(report["kept"], 0);

    let mut nobody = server.eksplain(&lake, &["ingest", "cloudtrail"]);
    let (code, _, said) = run(nobody
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"));
    assert_eq!(code, Some(4));
    assert!(said.contains("no credentials") && said.contains("--profile"), "{said}");
}

#[test]
fn rescue_in_a_busy_account_looks_up_only_who_matters() {
    let now = jiff::Timestamp::now().as_second();
    let record = |id: &str, days: i64, source: &str, name: &str, region: &str, request: Value| {
        let time = jiff::Timestamp::from_second(now - days * 86_400).unwrap();
        json!({"eventVersion": "1.11", "eventID": id, "eventTime": time.to_string(), "eventSource": source, "eventName": name, "awsRegion": region,
            "recipientAccountId": "111122223333", "readOnly": false, "requestParameters": request, "responseElements": null, "sourceIPAddress": "203.0.113.7",
            "userIdentity": {"type": "AssumedRole", "principalId": "AROATARA:apply", "arn": "arn:aws:sts::111122223333:assumed-role/Tara/apply", "accountId": "111122223333",
                "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": "AROATARA", "arn": "arn:aws:iam::111122223333:role/Tara", "userName": "Tara"}}}})
    };
    let access = json!({"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": true});
    let made = record(
        "00000000-0000-4000-8000-000000000001",
        60,
        "eks.amazonaws.com",
        "CreateCluster",
        "us-east-1",
        json!({"name": "prod", "accessConfig": access}),
    );
    let deleted = record(
        "00000000-0000-4000-8000-000000000002",
        10,
        "iam.amazonaws.com",
        "DeleteRole",
        "us-east-1",
        json!({"roleName": "Tara"}),
    );
    let server = Server::lookup_events(
        &json!({"events": 0, "role_events": 12_000, "days": 89, "quota": 2, "records": [made, deleted]}),
    );
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let (_, answer, said) = run(&mut server.eksplain(&folder.path().join("lake"), &["rescue", "prod"]));
    let took = began.elapsed();
    let creator = &answer["creators"]["findings"][0];
    assert_eq!(
        creator["creator"]["principal"], "arn:aws:iam::111122223333:role/Tara",
        "{answer} {said}"
    );
    assert_eq!(creator["creator_state"], "deleted", "{creator}");
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[test]
fn rescue_answers_with_the_sources_that_answer() {
    let server = Server::lookup_events(&json!({"events": 900, "quota": 0, "seed": 2}));
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let began = Instant::now();
    let (code, answer, said) = run(server
        .eksplain(&lake, &["rescue", "c3"])
        .env("EKSPLAIN_EMULATOR_RATE", "10"));
    assert_eq!(code, Some(4), "{said}");
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(answer["schema"], "eksplain.rescue/1");
    let creators = answer["creators"]["findings"].as_array().unwrap();
    assert!(
        creators.iter().all(|creator| creator["cluster"]["name"] == "c3"),
        "{answer}"
    );
    let ana = "arn:aws:iam::111122223333:user/ana";
    assert!(
        creators.iter().any(|creator| creator["creator"]["principal"] == ana),
        "{answer}"
    );
    // Only CloudTrail answers here; the others are named once each, with what that leaves unknown.
    assert!(said.contains("who logged in recently stays unknown"), "{said}");
    assert!(said.contains("the current access entries"), "{said}");
    assert!(!said.contains("cloudtrail:LookupEvents"), "{said}");

    let (code, plan, said) = run(server.eksplain(&lake, &["plan"]).env("EKSPLAIN_EMULATOR_RATE", "10"));
    assert_eq!(code, Some(4), "{said}");
    let of_trail: Vec<_> = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["source"] == "cloudtrail")
        .collect();
    assert_eq!(of_trail.len(), 3, "{plan}");
    assert!(
        of_trail
            .iter()
            .all(|step| step["requests"].as_u64() > Some(0) && step["usd"] == 0.0),
        "{plan}"
    );

    let (code, found, _) = run(server.eksplain(&lake, &["doctor"]).env("EKSPLAIN_EMULATOR_RATE", "10"));
    assert_eq!(code, Some(4));
    let state = |check: &str| {
        let findings = found["findings"].as_array().unwrap();
        findings
            .iter()
            .find(|finding| finding["check"] == check)
            .map(|finding| finding["state"].clone())
    };
    assert_eq!(state("cloudtrail:LookupEvents"), Some(json!("ok")));
    assert_eq!(state("logs:DescribeLogGroups"), Some(json!("failed")));
}

#[test]
fn a_snapshot_alone_tells_who_is_admin() {
    let server = Server::stand_in("eks.py", "");
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    let (code, report, said) = run(&mut server.eksplain(&lake, &["ingest", "snapshot"]));
    assert_eq!(code, Some(0), "{said}");
    // A cluster, five entries with their policies, and the six roles that they and the cluster name; and that the lists of clusters, of
    // entries and of each entry's policies are complete.
    assert_eq!(report["kept"], 1 + 5 + 5 + 6 + (1 + 1 + 5), "{said}");
    let lists = column(
        &lake,
        "select name from snapshot where kind = 'list' and name not like 'access_policy%'",
    );
    assert_eq!(lists, [r#"{"name":"access_entries"}"#, r#"{"name":"clusters"}"#]);
    assert!(report["throttled"].as_u64() > Some(0), "{report}");
    let (_, admins, _) = run(&mut server.eksplain(&lake, &["admins"]));
    let found: Vec<(String, String, String)> = admins["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|admin| {
            let word = |field: &str| admin[field].as_str().unwrap().to_owned();
            (word("principal"), word("status"), word("principal_state"))
        })
        .collect();
    let expected = [("Creator", "present"), ("Gone", "deleted"), ("Ops", "present")].map(|(role, state)| {
        (
            format!("arn:aws:iam::111122223333:role/{role}"),
            "active".to_owned(),
            state.to_owned(),
        )
    });
    assert_eq!(found, expected, "{admins}");
    let dev = "arn:aws:iam::111122223333:role/Dev";
    let can = |namespace: &str| {
        let words = [
            "can-i",
            "create",
            "deployments.apps",
            "-n",
            namespace,
            "--as",
            dev,
            "--cluster",
            "prod",
        ];
        run(&mut server.eksplain(&lake, &words)).1["allowed"].clone()
    };
    assert_eq!((can("dev-eu"), can("prod") == json!(true)), (json!(true), false));
}

#[test]
fn every_way_to_cloudwatch_gives_the_same_records() {
    let Some((server, python)) = Server::moto() else { return };
    let seeded = Command::new(&python)
        .args([script("seed.py").to_str().unwrap(), &server.url, "600"])
        .output()
        .unwrap();
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    let folder = tempfile::tempdir().unwrap();
    let lake = |name: &str| folder.path().join(name);
    let pull = |name: &str, words: &[&str]| {
        let words = [&["ingest", "cloudwatch", "--since", "2d"], words].concat();
        let (code, report, said) = run(&mut server.eksplain(&lake(name), &words));
        assert_eq!(code, Some(0), "{said}");
        report
    };
    let report = pull("filter", &[]);
    // Two clusters, two streams of each kind, and one of another kind that is not fetched.
    assert_eq!((&report["kept"], &report["rejected"]), (&json!(4800), &json!(0)));
    pull("insights", &["--via", "insights"]);
    pull("export", &["--via", "export", "--export-to", "s3://exports/eks"]);
    for sql in [
        "select id, stream, masters from authenticator",
        "select id, username, code from audit",
    ] {
        let expected = column(&lake("filter"), sql);
        assert_eq!(expected.len(), 2400);
        assert!(column(&lake("insights"), sql) == expected, "insights: {sql}");
        assert!(column(&lake("export"), sql) == expected, "export: {sql}");
    }
    assert_eq!(pull("filter", &[])["kept"], 0);
    let one = pull("one", &["--cluster", "pr*", "--only", "authenticator"]);
    assert_eq!(one["kept"], 1200);
    let places = column(
        &lake("one"),
        "select distinct account, region, \"cluster\" from authenticator",
    );
    assert_eq!(
        places,
        [r#"{"account":"123456789012","cluster":"prod","region":"us-east-1"}"#]
    );

    let words = ["ingest", "cloudwatch", "--log-group", "/aws/eks/none/cluster"];
    let (code, _, said) = run(&mut server.eksplain(&lake("filter"), &words));
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("there is no such log group"), "{said}");

    let trail = |words: &[&str]| run(&mut server.eksplain(&lake("trail"), &[&["ingest", "s3"], words].concat()));
    let (code, report, said) = trail(&["s3://trail/AWSLogs", "--since", "10d"]);
    assert_eq!(code, Some(0), "{said}");
    let of_ten_days = report["kept"].as_u64().unwrap();
    assert!((20..=23).contains(&of_ten_days), "two a day: {report}");
    let (_, report, _) = trail(&["s3://trail"]);
    assert_eq!(report["kept"].as_u64().unwrap() + of_ten_days, 120);
    let (code, _, said) = trail(&["s3://nothere"]);
    assert_eq!(code, Some(4));
    assert!(said.contains("NoSuchBucket"), "{said}");

    let (_, report, said) = run(&mut server.eksplain(&lake("trail"), &["ingest", "snapshot"]));
    // The list of clusters, the two and their role; moto knows no access entries, which is said.
    assert_eq!(report["kept"], 4, "{said}");
    assert!(said.contains("eks:ListAccessEntries"), "{said}");
    let seen = column(&lake("trail"), "select kind, name from snapshot");
    for object in [
        r#"{"kind":"cluster","name":"prod"}"#,
        r#"{"kind":"iam_role","name":"cluster-role"}"#,
    ] {
        assert!(seen.iter().any(|row| row == object), "{seen:?}");
    }
}
