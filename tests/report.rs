//! `report` and `diff`: the same bytes for the same lake, hostile text that stays text, in a real browser where one is there.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::{Value, json};

fn eksplain(folder: &Path, words: &[&str]) -> std::process::Output {
    let mut command = Command::cargo_bin("eksplain").unwrap();
    command
        .current_dir(folder)
        .args(["--lake", "lake"])
        .args(words)
        .output()
        .unwrap()
}

fn demo(folder: &Path) {
    let mut command = Command::cargo_bin("eksplain").unwrap();
    command
        .current_dir(folder)
        .args(["demo", "--keep", ".", "-q"])
        .assert()
        .success();
}

#[test]
fn one_lake_gives_one_report() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path());
    for to in ["one", "two"] {
        assert!(eksplain(folder.path(), &["report", "--to", to]).status.success());
    }
    // Again into the same folder: latest is replaced, nothing is left over.
    assert!(eksplain(folder.path(), &["report", "--to", "one"]).status.success());
    let names = |to: &str| -> Vec<PathBuf> {
        let mut names: Vec<_> = fs::read_dir(folder.path().join(to).join("latest"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("one").len(), 12, "eleven files and what they are");
    for (one, two) in names("one").iter().zip(names("two")) {
        assert!(fs::read(one).unwrap() == fs::read(&two).unwrap(), "{}", one.display());
    }
    let entries: Vec<_> = fs::read_dir(folder.path().join("one"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(entries.len(), 2, "{entries:?}");
    let report: Value =
        serde_json::from_slice(&fs::read(folder.path().join("one/latest/report.json")).unwrap()).unwrap();
    assert_eq!(report["schema"], "eksplain.report/1");
    assert!(report["admins"].as_array().unwrap().len() >= 5);
}

#[test]
fn a_report_says_what_changed_since_that_of_an_earlier_day() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path());
    let report = |at: &str, more: &[&str]| {
        let words = [&["report", "--to", "out", "--form", "json,md", "--at", at], more].concat();
        let output = eksplain(folder.path(), &words);
        let text = fs::read(folder.path().join("out/latest/report.json")).unwrap();
        (output.status.code(), serde_json::from_slice::<Value>(&text).unwrap())
    };
    assert!(
        report("2026-03-05", &[]).1["changes"].is_null(),
        "there is nothing to compare with"
    );
    let (code, second) = report("2026-03-22T10:00:00Z", &["--fail-on", "creator-deleted"]);
    assert_eq!(code, Some(1));
    assert_eq!(second["changes"]["since"], "2026-03-05T23:59:59.999999Z");
    // Made again, it is compared with the same earlier day, not with itself.
    assert_eq!(report("2026-03-22T10:00:00Z", &[]).1, second);
    let (code, none) = report("2026-03-22T10:00:00Z", &["--compare-with", "none", "--fail-on", "any"]);
    assert_eq!((code, none["changes"].is_null()), (Some(0), true));
    let markdown = fs::read_to_string(folder.path().join("out/reports/date=2026-03-05/report.md")).unwrap();
    assert!(
        markdown.starts_with("# Access to Amazon EKS at 2026-03-05"),
        "{markdown}"
    );
}

#[test]
fn what_is_not_comparable_is_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path());
    let report = |words: &[&str]| {
        let output = eksplain(folder.path(), &[&["report", "--form", "json"], words].concat());
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let latest = || -> Value {
        serde_json::from_slice(&fs::read(folder.path().join("out/latest/report.json")).unwrap()).unwrap()
    };
    assert_eq!(report(&["--to", "out", "--at", "2026-03-10"]).0, Some(0));
    let (code, said) = report(&["--to", "out", "--cluster", "shop", "--fail-on", "any"]);
    assert_eq!(code, Some(0), "one cluster beside all of them is no change: {said}");
    assert!(
        said.contains("another selection") && said.contains("--fail-on had nothing to compare"),
        "{said}"
    );
    assert_eq!(latest()["selection"]["clusters"], json!(["shop"]));
    assert!(latest()["changes"].is_null() && latest()["not_compared"].is_string());
    // How long ago is counted from the report's own time, and nothing is compared with what comes later.
    assert_eq!(report(&["--to", "out", "--compare-with", "7d"]).0, Some(0));
    assert_eq!(latest()["changes"]["since"], "2026-03-15T09:00:00.904716Z");
    let (code, said) = report(&["--to", "out", "--at", "2026-03-10", "--compare-with", "2026-03-12"]);
    assert_eq!(code, Some(2), "{said}");
    assert_eq!(report(&["--to", "out", "--at", "2199-01-01"]).0, Some(2));
    let before = latest();
    let (code, said) = report(&["--to", "out", "--cluster", "nope"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("the lake has prod, shop"), "{said}");
    assert_eq!(latest(), before);
    // A pattern may match nothing, which is said.
    let (code, said) = report(&["--to", "out", "--cluster", "nope-*"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("the lake knows prod, shop"), "{said}");
    assert_eq!(
        latest()["summary"]["headline"],
        json!(["These logs name no cluster that was asked for"])
    );
}

#[test]
fn an_older_report_does_not_take_the_place_of_the_latest() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path());
    for at in ["2026-03-22T10:00:00Z", "2026-03-05"] {
        assert!(
            eksplain(folder.path(), &["report", "--to", "out", "--form", "json", "--at", at])
                .status
                .success()
        );
    }
    let at = |file: &str| -> Value {
        serde_json::from_slice::<Value>(&fs::read(folder.path().join("out").join(file)).unwrap()).unwrap()["at"].clone()
    };
    assert_eq!(at("latest/report.json"), "2026-03-22T10:00:00Z");
    assert_eq!(at("reports/date=2026-03-05/report.json"), "2026-03-05T23:59:59.999999Z");
}

#[test]
fn what_no_report_left_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path());
    fs::create_dir_all(folder.path().join("out/latest")).unwrap();
    fs::write(folder.path().join("out/latest/mine.txt"), "precious").unwrap();
    let output = eksplain(folder.path(), &["report", "--to", "out"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        fs::read_to_string(folder.path().join("out/latest/mine.txt")).unwrap(),
        "precious"
    );
    fs::write(folder.path().join("file"), "").unwrap();
    let output = eksplain(folder.path(), &["report", "--to", "file"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        (output.status.code(), said.matches("error:").count()),
        (Some(2), 1),
        "{said}"
    );
}

#[test]
fn what_a_killed_writer_left_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path());
    fs::create_dir_all(folder.path().join("out/.new")).unwrap();
    fs::write(folder.path().join("out/.new/report.html"), "half").unwrap();
    assert!(
        eksplain(folder.path(), &["report", "--to", "out", "--form", "md"])
            .status
            .success()
    );
    let left: Vec<_> = fs::read_dir(folder.path().join("out/latest"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(!folder.path().join("out/.new").exists());
}

#[test]
fn findings_are_read_as_parquet() {
    let Some(python) = std::env::var_os("EKSPLAIN_MOTO_PYTHON") else {
        eprintln!("skipped: EKSPLAIN_MOTO_PYTHON names no Python with DuckDB (tests/all sets it)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path());
    assert!(eksplain(folder.path(), &["report", "--to", "out"]).status.success());
    let latest = folder.path().join("out/latest");
    let report: Value = serde_json::from_slice(&fs::read(latest.join("report.json")).unwrap()).unwrap();
    let script = "import duckdb, json, sys
for list in ['admins', 'creators', 'denials', 'checks']:
    rows = duckdb.sql(f\"SELECT to_json(t) FROM '{sys.argv[1]}/{list}.parquet' t\").fetchall()
    print(json.dumps([json.loads(row[0]) for row in rows]))
print(json.dumps(duckdb.sql(f\"SELECT typeof(first_seen), typeof(by_day[1].date), sum(count)::INT FROM '{sys.argv[1]}/denials.parquet' GROUP BY ALL\").fetchall()))";
    let output = std::process::Command::new(python)
        .args(["-c", script])
        .arg(&latest)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (list, rows) in ["admins", "creators", "denials", "checks"].iter().zip(&said) {
        assert_eq!(plain(rows), plain(&report[*list]), "{list}");
    }
    assert_eq!(said[4], json!([["TIMESTAMP WITH TIME ZONE", "DATE", 10]]));
}

/// Values as both writers spell them: times without their punctuation, for DuckDB prints them in its own way.
fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() >= 19 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-' => {
            let digits: String = text
                .split(['Z', '+'])
                .next()
                .unwrap()
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            format!("{digits:0<20}").into()
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| (name.clone(), plain(field)))
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn a_diff_tells_what_changed_between_times_and_between_reports() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path());
    let by_time = eksplain(
        folder.path(),
        &[
            "diff",
            "2026-03-05",
            "2026-04-01",
            "-o",
            "json",
            "--fail-on",
            "creator-deleted",
        ],
    );
    assert_eq!(by_time.status.code(), Some(1));
    let by_time: Value = serde_json::from_slice(&by_time.stdout).unwrap();
    let kinds: Vec<&str> = by_time["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"lost-admin") && kinds.contains(&"creator-deleted"),
        "{kinds:?}"
    );
    for (at, to) in [("2026-03-05", "old"), ("2026-04-01", "new")] {
        assert!(
            eksplain(folder.path(), &["report", "--at", at, "--to", to, "--form", "json"])
                .status
                .success()
        );
    }
    let by_file = eksplain(
        folder.path(),
        &["diff", "old/latest/report.json", "new/latest/report.json", "-o", "json"],
    );
    assert_eq!(by_file.status.code(), Some(0));
    let by_file: Value = serde_json::from_slice(&by_file.stdout).unwrap();
    assert_eq!(by_file["findings"], by_time["findings"]);
    let by_folder = eksplain(folder.path(), &["diff", "old/latest", "new/latest", "-o", "json"]);
    let by_folder: Value = serde_json::from_slice(&by_folder.stdout).unwrap();
    assert_eq!(by_folder["findings"], by_time["findings"]);
    for wrong in [
        &["lake/lake.json", "2026-04-01"][..],
        &["nonsense", "0s"],
        &["7d", "0s", "--at", "2026-03-05"],
    ] {
        let output = eksplain(folder.path(), &[&["diff"], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
    let turned = eksplain(folder.path(), &["diff", "2026-04-01", "2026-03-05"]);
    assert!(
        String::from_utf8_lossy(&turned.stderr).contains("OLD is of"),
        "the order is told"
    );
}

/// A session name and a user name that try everything.
const HOSTILE: &str = "</script><script>document.title='broken'</script><img src=x onerror=alert(1)>javascript:alert(1)=1+1|\u{202e}\u{1b}[31m";

fn hostile_lake(folder: &Path) {
    let record = json!({"Records": [{"eventVersion": "1.11", "eventID": "1", "eventTime": "2026-11-20T10:00:00Z", "eventSource": "eks.amazonaws.com", "eventName": "CreateCluster",
        "awsRegion": "us-east-1", "recipientAccountId": "111122223333", "userAgent": HOSTILE, "sourceIPAddress": HOSTILE,
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/R/{HOSTILE}"), "principalId": format!("AROA:{HOSTILE}"),
            "accountId": "111122223333", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/R", "userName": "R"}}},
        "requestParameters": {"name": "prod"}, "responseElements": {"cluster": {"name": "prod"}}},
      {"eventVersion": "1.11", "eventID": "2", "eventTime": "2026-11-20T11:00:00Z", "eventSource": "eks.amazonaws.com", "eventName": "DescribeCluster", "errorCode": "AccessDenied",
        "errorMessage": HOSTILE, "awsRegion": "us-east-1", "recipientAccountId": "111122223333", "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/x", "userName": HOSTILE},
        "requestParameters": {"name": HOSTILE}}]});
    fs::write(folder.join("trail.json"), record.to_string()).unwrap();
    assert!(eksplain(folder, &["ingest", "files", "trail.json"]).status.success());
    assert!(eksplain(folder, &["report", "--to", "report"]).status.success());
}

#[test]
fn hostile_text_ends_no_script_and_starts_no_formula() {
    let folder = tempfile::tempdir().unwrap();
    hostile_lake(folder.path());
    let latest = folder.path().join("report/latest");
    let page = fs::read_to_string(latest.join("report.html")).unwrap();
    assert!(
        !page.contains("document.title='broken'"),
        "the data is packed: nothing of it can be markup"
    );
    for name in ["admins.csv", "creators.csv", "denials.csv", "report.md"] {
        let text = fs::read_to_string(latest.join(name)).unwrap();
        assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'), "{name}");
        assert!(
            !text
                .lines()
                .any(|line| line.split(',').any(|cell| cell.starts_with('='))),
            "{name}"
        );
    }
}

/// Node.js with what drives the browser, where `tests/all` has set it up.
fn node(script: &str) -> Option<std::process::Command> {
    if std::env::var_os("EKSPLAIN_NODE_MODULES").is_none() {
        eprintln!(
            "skipped: EKSPLAIN_NODE_MODULES names no folder with playwright-core and axe-core (tests/all sets it)"
        );
        return None;
    }
    let mut command = std::process::Command::new("node");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(script));
    Some(command)
}

fn passes(command: &mut std::process::Command) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn the_bundle_of_charts_is_what_its_sources_make() {
    if node("unpack.mjs").is_none() {
        return;
    }
    let vendor = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/page/vendor");
    let folder = tempfile::tempdir().unwrap();
    for name in ["build", "entry.mjs", "package.json", "package-lock.json"] {
        fs::copy(vendor.join(name), folder.path().join(name)).unwrap();
    }
    passes(std::process::Command::new("sh").arg(folder.path().join("build")));
    for name in ["plot.min.js", "LICENSES.txt"] {
        let (made, kept) = (
            fs::read(folder.path().join(name)).unwrap(),
            fs::read(vendor.join(name)).unwrap(),
        );
        assert!(
            made == kept,
            "{name} is not what src/report/page/vendor/build makes: run it"
        );
    }
}

#[test]
fn a_report_of_twenty_thousand_findings_holds_all_in_a_tenth_of_ten_megabytes() {
    let Some(mut unpack) = node("unpack.mjs") else { return };
    let folder = tempfile::tempdir().unwrap();
    let generator = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/many_clusters.py");
    let sizes = ["--clusters", "200", "--findings", "20000"];
    passes(
        std::process::Command::new("python3")
            .arg(generator)
            .arg(folder.path().join("logs"))
            .args(sizes),
    );
    let layout = "{account}/{region}/{cluster}/{stream}/*";
    for words in [&["logs/trail"][..], &["logs/eks", "--layout", layout]] {
        assert!(
            eksplain(folder.path(), &[&["ingest", "files"], words].concat())
                .status
                .success()
        );
    }
    assert!(
        eksplain(folder.path(), &["report", "--to", "out", "--form", "html,json"])
            .status
            .success()
    );
    let page = folder.path().join("out/latest/report.html");
    let scripts = fs::metadata(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/page/vendor/plot.min.js"))
        .unwrap()
        .len();
    let size = fs::metadata(&page).unwrap().len() - scripts;
    // Fixes name each request that was refused, with its resource, and no fingerprint repeats: each is a fifth of what there would be
    // without.
    assert!(size < 1_650_000, "{size} bytes of data and of our own script");
    let report: Value =
        serde_json::from_slice(&fs::read(folder.path().join("out/latest/report.json")).unwrap()).unwrap();
    let count: usize = ["admins", "creators", "denials"]
        .iter()
        .map(|list| report[*list].as_array().unwrap().len())
        .sum();
    assert!(count >= 19_000, "{count}");
    passes(unpack.arg(page).arg(folder.path().join("out/latest/report.json")));
}

#[test]
fn the_page_holds_what_the_document_holds() {
    let Some(mut unpack) = node("unpack.mjs") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, make) in [("demo", demo as fn(&Path)), ("hostile", hostile_lake)] {
        let folder = folder.path().join(name);
        fs::create_dir(&folder).unwrap();
        make(&folder);
        assert!(eksplain(&folder, &["report", "--to", "report"]).status.success());
        unpack
            .arg(folder.join("report/latest/report.html"))
            .arg(folder.join("report/latest/report.json"));
    }
    passes(&mut unpack);
}

#[test]
fn a_browser_shows_every_view_and_runs_nothing_of_the_logs() {
    let Some(mut check) = node("check.mjs") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (plain, hostile) = (folder.path().join("demo"), folder.path().join("hostile"));
    for folder in [&plain, &hostile] {
        fs::create_dir(folder).unwrap();
    }
    demo(&plain);
    assert!(
        eksplain(&plain, &["report", "--to", "report", "--compare-with", "2026-03-10"])
            .status
            .success()
    );
    hostile_lake(&hostile);
    for folder in [&plain, &hostile] {
        check.arg(folder.join("report/latest/report.html"));
    }
    passes(&mut check);
}
