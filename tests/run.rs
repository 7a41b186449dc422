//! `init` and `run`: a scheduled pass is repeatable, tells what changed, and fails honestly.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a command said: exit code, standard output, standard error.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eksplain"));
    command.current_dir(folder).args(words).stdin(Stdio::null());
    for name in ["AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "EKSPLAIN_LAKE"] {
        command.env_remove(name);
    }
    command.env("AWS_CONFIG_FILE", folder.join("no-aws-config"));
    command
}

fn run(mut command: Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn eksplain(folder: &Path, words: &[&str]) -> Said {
    run(command(folder, words))
}

fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Files of a folder with their content, but for what tells of the clock.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let clock = ["last-run.json", "metrics.json", "metrics.prom", "run.lock"];
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !clock.iter().any(|name| path.ends_with(name)) {
                found.insert(path.clone(), fs::read(path).unwrap());
            }
        }
    }
    found
}

const SOURCES: &str = r#"
lake = "lake"
[[source]]
from = "files"
paths = ["logs/trail"]
[[source]]
from = "files"
paths = ["logs/eks"]
layout = "{account}/{region}/{cluster}/{stream}/*"
"#;
const REPORT: &str = "[report]\nto = \"report\"\n";
const ALARM: &str = "[questions]\nfail-on = [\"new-denial\"]\n";

fn set_up(folder: &Path, config: &[&str]) {
    assert_eq!(eksplain(folder, &["demo", "--keep", "demo", "-q"]).code, Some(0));
    fs::rename(folder.join("demo/logs"), folder.join("logs")).unwrap();
    fs::write(folder.join("eksplain.toml"), config.concat()).unwrap();
}

#[test]
fn the_second_run_ingests_nothing_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    set_up(folder, &[SOURCES, ALARM, REPORT]);
    let said = eksplain(folder, &["run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let (lake, report) = (content(&folder.join("lake")), content(&folder.join("report")));
    assert!(report.keys().any(|path| path.ends_with("latest/report.html")));
    let first = json(folder.join("lake/_state/last-run.json"));
    assert_eq!(
        (&first["steps"][1]["kept"], &first["changes"]),
        (&43.into(), &Value::Null)
    );
    // From elsewhere: what is relative in the file is relative to it.
    let elsewhere = tempfile::tempdir().unwrap();
    let said = eksplain(
        elsewhere.path(),
        &["run", folder.join("eksplain.toml").to_str().unwrap(), "-o", "json"],
    );
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(said.err.matches("read 0 records").count(), 2, "{}", said.err);
    assert!(
        said.err.contains("nothing changed since the last report"),
        "{}",
        said.err
    );
    assert!(lake == content(&folder.join("lake")), "the lake changed");
    assert!(report == content(&folder.join("report")), "the report changed");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    let last = json(folder.join("lake/_state/last-run.json"));
    assert_eq!(
        last,
        serde_json::from_str::<Value>(&said.out).unwrap(),
        "-o json prints the record"
    );
    assert_eq!((&last["schema"], &last["exit"]), (&"eksplain.run/1".into(), &0.into()));
    let names: Vec<_> = last["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["name"])
        .collect();
    assert_eq!(names, ["ingest files", "ingest files", "report"]);
    for step in [&last["steps"][0], &last["steps"][1]] {
        assert_eq!(
            (&step["read"], &step["kept"], &step["exit"], &step["error"]),
            (&0.into(), &0.into(), &0.into(), &Value::Null)
        );
        assert!(step["seconds"].is_f64() && step["requests"] == 0 && step["throttled"] == 0);
    }
    assert_eq!(last["changes"], serde_json::json!({}));
    assert_eq!(last["findings"]["creators"]["recovery-needed"], 1, "{last}");
    assert_eq!(last["records"]["cloudtrail"]["records"], 9);
    let left: Vec<_> = fs::read_dir(folder.join("lake/_state"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !left.iter().any(|name| name.to_string_lossy().ends_with(".new")),
        "{left:?}"
    );
}

#[test]
fn changes_and_findings_that_fail_on_names_are_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // First the life of the clusters alone, then their logs, with refused calls in them.
    let (trail_only, _) = SOURCES
        .split_once("[[source]]\nfrom = \"files\"\npaths = [\"logs/eks\"]")
        .unwrap();
    set_up(folder, &[trail_only, ALARM, REPORT]);
    assert_eq!(
        eksplain(folder, &["run", "-q"]).code,
        Some(0),
        "nothing to compare with"
    );
    fs::write(
        folder.join("eksplain.toml"),
        [SOURCES, ALARM, REPORT, "[notify]\nto = \"told.json\"\n"].concat(),
    )
    .unwrap();
    let said = eksplain(folder, &["run"]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    let last = json(folder.join("lake/_state/last-run.json"));
    assert_eq!(
        (&last["exit"], &last["matched"]),
        (&1.into(), &serde_json::json!(["new-denial"]))
    );
    assert!(last["changes"]["new-denial"].as_u64() > Some(0), "{last}");
    let told = json(folder.join("told.json"));
    assert_eq!(told["schema"], "eksplain.notification/1");
    assert!(told["change_count"].as_u64() > Some(0), "{told}");
    fs::remove_file(folder.join("told.json")).unwrap();
    assert_eq!(
        eksplain(folder, &["run", "-q"]).code,
        Some(0),
        "it is no change any more"
    );
    assert!(!folder.join("told.json").exists(), "nothing changed, nobody is told");
    let alarm = ALARM.replace("new-denial", "recovery-needed");
    fs::write(folder.join("eksplain.toml"), [SOURCES, &alarm].concat()).unwrap();
    assert_eq!(
        eksplain(folder, &["run", "-q"]).code,
        Some(1),
        "a finding stays one, and needs no report"
    );
}

#[test]
fn one_failing_source_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let broken = SOURCES.replacen(
        "[[source]]",
        "[[source]]\nfrom = \"files\"\npaths = [\"nowhere\"]\n[[source]]",
        1,
    );
    set_up(
        folder,
        &[&broken, ALARM, REPORT, "[notify]\nto = \"-\"\nwhen = \"findings\"\n"],
    );
    let said = eksplain(folder, &["run"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(
        said.err.contains("eksplain.toml:5:10") && said.err.contains("does not exist now"),
        "{}",
        said.err
    );
    assert!(
        said.out.contains("exit 2") && said.out.contains("could not list"),
        "a failure is told, with its cause: {}",
        said.out
    );
    assert!(
        folder.join("report/latest/report.html").is_file(),
        "the other sources were read"
    );
    let last = json(folder.join("lake/_state/last-run.json"));
    let exits: Vec<_> = last["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["exit"].as_u64().unwrap())
        .collect();
    assert_eq!(exits, [2, 0, 0, 0, 0]);
    assert!(
        last["steps"][0]["error"].as_str().unwrap().contains("nowhere"),
        "{last}"
    );
}

#[test]
fn every_fault_is_shown_where_it_stands_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let said = eksplain(folder, &["run"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("eksplain init"), "{}", said.err);
    let text = "lake = \"lake\"\nregoins = [\"us-east-1\"]\n\n[[source]]\nfrom = \"files\"\npath = \"x\"\n\n[questions]\nfail-on = [\"new-amdin\"]\n";
    fs::write(folder.join("eksplain.toml"), text).unwrap();
    for words in [&["run"][..], &["run", "--check"]] {
        let said = eksplain(folder, words);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        for part in [
            "eksplain.toml:2:1",
            "regoins = [\"us-east-1\"]",
            "^^^^^^^",
            "did you mean `regions`?",
            "eksplain.toml:6:1",
            "did you mean `paths`?",
            "does not name the files",
            "eksplain.toml:9:12",
            "did you mean `new-admin`?",
            "4 errors",
        ] {
            assert!(said.err.contains(part), "{part}: {}", said.err);
        }
        assert!(!folder.join("lake").exists(), "nothing ran");
    }
}

#[test]
fn a_configuration_that_asks_for_nothing_is_no_pass() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for text in ["", "lake = \"lake\"\n"] {
        fs::write(folder.join("eksplain.toml"), text).unwrap();
        for words in [&["run"][..], &["run", "--check"]] {
            let said = eksplain(folder, words);
            assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{}", said.err);
            assert!(
                said.err.contains("nothing to do: ") && said.err.contains("eksplain init"),
                "{}",
                said.err
            );
        }
        assert!(!folder.join("lake").exists(), "nothing ran");
    }
    let text = "[report]\nto = \"report\"\n\n[notify]\nto = \"-\"\nwhen = \"findings\"\n";
    fs::write(folder.join("eksplain.toml"), text).unwrap();
    let said = eksplain(folder, &["run", "--check"]);
    assert_eq!(said.code, Some(2));
    for part in ["eksplain.toml:6:8", "no findings to send", "add fail-on"] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
}

/// An address would otherwise become a folder of that name.
#[test]
fn a_lake_is_a_folder_and_a_report_goes_to_one_or_to_s3() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for words in [
        &["demo", "--lake", "s3://bucket/lake"][..],
        &["ingest", "files", ".", "--lake", "https://example.com/lake"],
        &["--lake=s3://bucket/lake", "admins"],
    ] {
        let said = eksplain(folder, words);
        assert_eq!(said.code, Some(2), "{words:?}: {}", said.err);
        assert!(said.err.contains("a lake is a folder: "), "{words:?}: {}", said.err);
    }
    let mut by_environment = command(folder, &["ingest", "files", "."]);
    by_environment.env("EKSPLAIN_LAKE", "s3://bucket/lake");
    let said = run(by_environment);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("a lake is a folder: "), "{}", said.err);
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "nothing was made");
    assert_eq!(eksplain(folder, &["demo", "--keep", "demo", "-q"]).code, Some(0));
    let said = eksplain(
        folder,
        &["--lake", "demo/lake", "report", "--to", "ftp://example.com/x"],
    );
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("neither a folder nor an S3 URI"), "{}", said.err);
    assert!(!folder.join("ftp:").exists());
}

#[test]
fn check_says_what_the_pass_would_do_and_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = "regions = [\"us-east-1\"]\naccounts = [\"org\"]\nassume-role = \"eksplain-read\"\nexternal-id = \"a-secret\"\n[[source]]\nfrom = \"cloudtrail\"\n\
                [[source]]\nfrom = \"snapshot\"\nregions = [\"eu-west-1\"]\n[questions]\nfail-on = [\"critical\"]\n[report]\nto = \"s3://reports/eks\"\nkms-key = \"alias/r\"\n\
                [notify]\nto = \"arn:aws:sns:us-east-1:111122223333:eks\"\n";
    let mut asked = command(folder, &["run", "--check", "env:PASS"]);
    asked.env("PASS", text);
    let said = run(asked);
    assert_eq!(said.code, Some(0), "{}", said.err);
    for part in [
        "run eksplain ingest cloudtrail --regions=us-east-1 --accounts=org --assume-role=eksplain-read",
        "run eksplain ingest snapshot --regions=eu-west-1 --accounts=org",
        "report into s3://reports/eks (every form), encrypted by the key alias/r",
        "notify arn:aws:sns:us-east-1:111122223333:eks if something changed",
        "exit with 1 if it found critical",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    let mut asked = command(folder, &["run", "--check", "-", "-o", "json"]);
    let mut child = asked.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let pass: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&pass["schema"], &pass["configuration"]),
        (&"eksplain.pass/1".into(), &"standard input".into())
    );
    assert_eq!(pass["sources"][0]["accounts"], serde_json::json!(["org"]));
    let both = [said.out, String::from_utf8(output.stdout).unwrap()].concat();
    assert!(!both.contains("a-secret"), "an external id is never shown");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "nothing was made");
}

#[test]
fn init_writes_what_check_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let check = |file: &str| {
        let said = eksplain(folder, &["run", "--check", file]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        said.out
    };
    assert_eq!(eksplain(folder, &["init"]).code, Some(0));
    check("eksplain.toml");
    let said = eksplain(folder, &["init", "--regions", "us-east-1"]);
    assert_eq!(said.code, Some(2), "nothing is overwritten");
    assert!(said.err.contains("--force"), "{}", said.err);
    let hostile = "it's \"quoted\" \\ and\nlong";
    let all = [
        "init",
        "--force",
        "--regions",
        "us-east-1,eu-west-1",
        "--accounts",
        "org",
        "--assume-role",
        "eksplain-read",
        "--external-id",
        "abc",
        "--since",
        "30d",
        "--cluster",
        "prod-*",
        "--source",
        "cloudtrail",
        "--source",
        "s3://trail/AWSLogs",
        "--source",
        "./logs",
        "--report-to",
        hostile,
        "--notify",
        "-",
        "--fail-on",
        "new-admin,critical",
        "--lake",
        hostile,
        "--profile",
        "a\"b",
    ];
    assert_eq!(eksplain(folder, &all).code, Some(0));
    let pass = check("eksplain.toml");
    for part in [
        "ingest cloudtrail '--profile=a\"b' --regions=us-east-1,eu-west-1 --accounts=org",
        "ingest s3 s3://trail/AWSLogs",
        "it's \"quoted\"",
        "new-admin, critical",
    ] {
        assert!(pass.contains(part), "{part}: {pass}");
    }
    // What is odd is said at once, in the words of the check.
    let said = eksplain(
        folder,
        &["init", "--to", "odd.toml", "--regions", "us-east-1,eu-wset-1"],
    );
    let checked = eksplain(folder, &["run", "--check", "odd.toml"]);
    assert_eq!((said.code, checked.code), (Some(0), Some(0)), "{}", said.err);
    assert!(checked.err.contains("eu-wset-1"), "{}", checked.err);
    assert!(said.err.contains(checked.err.trim()), "{}", said.err);
    // What would not be a pass is not written.
    for (words, part) in [
        (
            &["init", "--to", "x.toml", "--regions", "us-east1"][..],
            "did you mean `us-east-1`?",
        ),
        (
            &["init", "--to", "x.toml", "--accounts", "org"],
            "no role to enter these accounts",
        ),
        (
            &["init", "--to", "x.toml", "--source", "cloudtral"],
            "did you mean cloudtrail?",
        ),
    ] {
        let said = eksplain(folder, words);
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains(part), "{part}: {}", said.err);
        assert!(!folder.join("x.toml").exists());
    }
    let mut placed = command(folder, &["init", "--to", "-"]);
    placed.env("AWS_REGION", "eu-north-1");
    assert!(
        run(placed).out.contains("\nregions = [\"eu-north-1\"]"),
        "the region of the environment is known"
    );
}

/// A second pass, and SIGTERM, meet one that waits for what standard input will say.
#[cfg(unix)]
#[test]
fn a_pass_is_alone_and_can_be_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let waiting = "[[source]]\nfrom = \"snapshot\"\nclusters = [\"prod\"]\nkubectl = [\"-\"]\naccount = \"111122223333\"\nregion = \"us-west-2\"\n\
                   [[source]]\nfrom = \"files\"\npaths = [\"logs/trail\"]\n";
    set_up(folder, &[SOURCES, waiting, REPORT]);
    let mut asked = command(folder, &["run"]);
    asked.env("AWS_EC2_METADATA_DISABLED", "true");
    let mut child = asked.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let state = folder.join("lake/_state");
    let waits = || {
        let commits = fs::read_dir(state.join("commits")).ok()?;
        let holder = serde_json::from_slice::<Value>(&fs::read(state.join("run.lock")).ok()?).ok()?;
        (commits.count() >= 2).then_some(holder)
    };
    let holder = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        waits()
    });
    std::thread::sleep(std::time::Duration::from_millis(200));
    let Some(holder) = holder else {
        child.kill().unwrap();
        panic!("the pass did not come to its third source");
    };
    let said = eksplain(folder, &["run"]);
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(killed.success());
    assert_eq!(said.code, Some(2), "{}", said.err);
    let who = format!(
        "on {}, since {}",
        holder["host"].as_str().unwrap(),
        holder["since"].as_str().unwrap()
    );
    for part in ["another run is working on lake: process ", &who] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    assert_eq!(output.status.code(), Some(130), "{err}");
    let last = json(state.join("last-run.json"));
    assert_eq!(
        (&last["exit"], &last["interrupted"], &last["pid"]),
        (&130.into(), &true.into(), &holder["pid"]),
        "{err}"
    );
    assert_eq!(
        last["steps"].as_array().unwrap().len(),
        3,
        "the fourth source was not begun: {last}"
    );
    assert_eq!(last["records"]["audit"]["records"], 16, "what was done is kept");
    assert!(!folder.join("report").exists(), "no report of half a pass");
    fs::write(folder.join("eksplain.toml"), [SOURCES, REPORT].concat()).unwrap();
    let said = eksplain(folder, &["run", "-q"]);
    assert_eq!(said.code, Some(0), "the lock went with the process: {}", said.err);
}

/// The Python that `tests/all` has set up.
fn python() -> Option<Command> {
    let Some(python) = std::env::var_os("EKSPLAIN_MOTO_PYTHON") else {
        eprintln!("skipped: EKSPLAIN_MOTO_PYTHON names no Python with prometheus_client (tests/all sets it)");
        return None;
    };
    Some(Command::new(python))
}

#[test]
fn the_metrics_are_openmetrics_and_counters_go_on() {
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    set_up(folder, &[SOURCES, REPORT]);
    assert_eq!(eksplain(folder, &["run", "-q"]).code, Some(0));
    assert_eq!(eksplain(folder, &["run", "-q"]).code, Some(0));
    let parse = "import json, sys\nfrom prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n\
                 print(json.dumps([[f.name, f.type, f.unit, f.documentation, [[s.name, s.labels, s.value] for s in f.samples]] for f in parse(sys.stdin.read())]))";
    python
        .args(["-c", parse])
        .stdin(fs::File::open(folder.join("lake/_state/metrics.prom")).unwrap());
    let parsed = run(python);
    assert_eq!(parsed.code, Some(0), "{}", parsed.err);
    let families: Vec<Value> = serde_json::from_str(&parsed.out).unwrap();
    let value = |name: &str, labels: Value| {
        let samples = families.iter().flat_map(|family| family[4].as_array().unwrap());
        let found = samples
            .into_iter()
            .find(|sample| sample[0] == name && sample[1] == labels);
        found.unwrap_or_else(|| panic!("{name} {labels}: {}", parsed.out))[2]
            .as_f64()
            .unwrap()
    };
    assert_eq!(value("eksplain_runs_total", serde_json::json!({"exit": "0"})), 2.0);
    assert_eq!(
        value(
            "eksplain_ingested_records_total",
            serde_json::json!({"source": "files", "outcome": "kept"})
        ),
        52.0
    );
    assert_eq!(value("eksplain_last_run_exit_code", serde_json::json!({})), 0.0);
    assert_eq!(
        value(
            "eksplain_findings",
            serde_json::json!({"question": "creators", "status": "recovery-needed"})
        ),
        1.0
    );
    assert_eq!(value("eksplain_changes", serde_json::json!({"kind": "new-admin"})), 0.0);
    assert_eq!(
        value("eksplain_lake_records", serde_json::json!({"table": "cloudtrail"})),
        9.0
    );
    let (ended, success) = (
        value("eksplain_last_run_timestamp_seconds", serde_json::json!({})),
        value("eksplain_last_success_timestamp_seconds", serde_json::json!({})),
    );
    assert_eq!(ended, success);
    assert!(families.iter().all(|family| family[3] != ""), "each has its help");
    // The same as JSON.
    let metrics = json(folder.join("lake/_state/metrics.json"));
    assert_eq!(metrics["schema"], "eksplain.metrics/1");
    assert_eq!(metrics["families"].as_array().unwrap().len(), families.len());
    // A run that fails keeps the time of the last one that did not.
    fs::rename(folder.join("logs/trail"), folder.join("logs/gone")).unwrap();
    assert_eq!(eksplain(folder, &["run", "-q"]).code, Some(2));
    let text = fs::read_to_string(folder.join("lake/_state/metrics.prom")).unwrap();
    assert!(
        text.contains(&format!("eksplain_last_success_timestamp_seconds {success}\n")),
        "{text}"
    );
    assert!(text.contains("eksplain_runs_total{exit=\"2\"} 1\n"), "{text}");
}

/// On a terminal, `init` asks; Enter takes what stands there.
#[cfg(unix)]
#[test]
fn init_asks_on_a_terminal() {
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = r#"
import os, pty, sys, time, select
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "init"])
answers = [b"eu-west-1,us-west-2\r", b"111122223333,444455556666\r", b"\r", b"\r", b"\r", b"\r", b"last\r", b"s3://reports/eks\r", b"\r", b"y"]
seen = b""
for answer in answers:
    end = time.time() + 10
    quiet = 0
    while time.time() < end and quiet < 2:
        if select.select([terminal], [], [], 0.15)[0]:
            seen += os.read(terminal, 65536)
            quiet = 0
        else:
            quiet += 1
    os.write(terminal, answer)
try:
    while True:
        seen += os.read(terminal, 65536)
except OSError:
    pass
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;
    python
        .current_dir(folder.path())
        .args(["-c", script, env!("CARGO_BIN_EXE_eksplain")])
        .stdin(Stdio::null());
    python
        .env_remove("EKSPLAIN_LAKE")
        .env_remove("AWS_PROFILE")
        .env("TERM", "xterm");
    let said = run(python);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let said = eksplain(folder.path(), &["run", "--check"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    for part in [
        "ingest snapshot --regions=eu-west-1,us-west-2 --accounts=111122223333,444455556666 --assume-role=eksplain-read",
        "--since=last",
        "report into s3://reports/eks",
        "exit with 1 if it found new-admin, creator-deleted, recovery-needed",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
}

#[test]
fn what_could_not_be_told_is_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    set_up(folder, &[SOURCES, REPORT]);
    let notify = |to: &str| {
        let words = format!("[notify]\nto = \"{to}\"\nwhen = \"changes\"\n");
        fs::write(folder.join("eksplain.toml"), [SOURCES, REPORT, &words].concat()).unwrap();
    };
    let changes = || json(folder.join("lake/_state/last-run.json"))["changes"].clone();
    // The life of the clusters first; their logs come with the second pass, whose message nobody takes.
    fs::rename(folder.join("logs/eks"), folder.join("later")).unwrap();
    fs::create_dir(folder.join("logs/eks")).unwrap();
    notify("told.json");
    let said = eksplain(folder, &["run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    fs::remove_dir(folder.join("logs/eks")).unwrap();
    fs::rename(folder.join("later"), folder.join("logs/eks")).unwrap();
    notify("nowhere/told.json");
    let said = eksplain(folder, &["run"]);
    assert_ne!(said.code, Some(0), "{}", said.err);
    let untold = changes();
    assert!(untold["new-denial"].as_u64() > Some(0), "{untold}");
    notify("told.json");
    let said = eksplain(folder, &["run"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert_eq!(changes(), untold, "the same again, for nobody was told");
    assert!(folder.join("told.json").is_file());
    assert_eq!(eksplain(folder, &["run"]).code, Some(0));
    let none = changes();
    assert!(
        none.as_object().is_none_or(serde_json::Map::is_empty),
        "and then no more: {none}"
    );
}
