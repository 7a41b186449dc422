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
    assert_eq!(names("one").len(), 7);
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
    let wrong = eksplain(folder.path(), &["diff", "lake/lake.json", "2026-04-01"]);
    assert_eq!(wrong.status.code(), Some(2));
}

/// A session name and a user name that try everything.
const HOSTILE: &str =
    "</script><script>document.title='broken'</script><img src=x onerror=alert(1)>=1+1|\u{202e}\u{1b}[31m";

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
    assert!(page.contains("broken"), "the name is in the data");
    assert_eq!(
        page.matches("</script>").count(),
        2,
        "the page's own two scripts end, nothing else"
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

#[test]
fn a_browser_shows_the_page_and_runs_nothing_of_the_logs() {
    let Some(browser) = ["/usr/bin/chromium", "/usr/bin/google-chrome"]
        .into_iter()
        .find(|path| Path::new(path).exists())
    else {
        eprintln!("skipped: there is no Chromium");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    hostile_lake(folder.path());
    let page = format!("file://{}", folder.path().join("report/latest/report.html").display());
    let output = std::process::Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
        ])
        .args([
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
            "--virtual-time-budget=3000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(page)
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(
        dom.contains("<title>Access to Amazon EKS</title>"),
        "no script of the logs ran: {dom}"
    );
    assert!(dom.contains("1 of 1"), "the tables are drawn");
    assert!(!dom.contains("<img"), "markup of the logs is text");
    let said = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}
