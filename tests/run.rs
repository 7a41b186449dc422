//! `init` and `run`: a scheduled pass is repeatable, tells what changed, and fails honestly.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

fn eksplain(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::cargo_bin("eksplain").unwrap();
    let output = command.current_dir(folder).args(words).output().unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Files of a folder with their content, but for what tells of the clock.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("_state/last-run.json") && !path.ends_with("_state/metrics.prom") {
                found.insert(path.clone(), fs::read(path).unwrap());
            }
        }
    }
    found
}

const CONFIG: &str = r#"
lake = "lake"
[[source]]
from = "files"
paths = ["logs/trail"]
[[source]]
from = "files"
paths = ["logs/eks"]
layout = "{account}/{region}/{cluster}/{stream}/*"
[report]
to = "report"
fail-on = ["new-denial"]
"#;

fn set_up(folder: &Path) {
    assert_eq!(eksplain(folder, &["demo", "--keep", "demo", "-q"]).0, Some(0));
    fs::rename(folder.join("demo/logs"), folder.join("logs")).unwrap();
    fs::write(folder.join("eksplain.toml"), CONFIG).unwrap();
}

#[test]
fn the_second_run_ingests_nothing_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    set_up(folder.path());
    let (code, said) = eksplain(folder.path(), &["run"]);
    assert_eq!(code, Some(0), "{said}");
    let (lake, report) = (
        content(&folder.path().join("lake")),
        content(&folder.path().join("report")),
    );
    assert!(report.keys().any(|path| path.ends_with("latest/report.html")));
    let (code, said) = eksplain(folder.path(), &["run"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("read 0 records").count(), 2, "{said}");
    assert!(lake == content(&folder.path().join("lake")), "the lake changed");
    assert!(report == content(&folder.path().join("report")), "the report changed");
    let last: Value =
        serde_json::from_slice(&fs::read(folder.path().join("lake/_state/last-run.json")).unwrap()).unwrap();
    assert_eq!((&last["schema"], &last["exit"]), (&"eksplain.run/1".into(), &0.into()));
    assert_eq!(last["steps"].as_array().unwrap().len(), 4, "{last}");
    let metrics = fs::read_to_string(folder.path().join("lake/_state/metrics.prom")).unwrap();
    assert!(
        metrics.ends_with("# EOF\n") && metrics.contains("eksplain_last_run_exit_code 0"),
        "{metrics}"
    );
}

#[test]
fn a_change_that_fail_on_names_is_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    set_up(folder.path());
    // First the life of the clusters alone, then their logs, with refused calls in them.
    let (trail_only, _) = CONFIG
        .split_once("[[source]]\nfrom = \"files\"\npaths = [\"logs/eks\"]")
        .unwrap();
    fs::write(
        folder.path().join("eksplain.toml"),
        format!("{trail_only}[report]\nto = \"report\"\n"),
    )
    .unwrap();
    assert_eq!(eksplain(folder.path(), &["run", "-q"]).0, Some(0));
    fs::write(folder.path().join("eksplain.toml"), CONFIG).unwrap();
    let (code, said) = eksplain(folder.path(), &["run"]);
    assert_eq!(code, Some(1), "{said}");
}

#[test]
fn what_is_wrong_is_said_and_the_rest_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = eksplain(folder.path(), &["run"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("eksplain init"), "{said}");
    assert_eq!(eksplain(folder.path(), &["init"]).0, Some(0));
    assert_eq!(eksplain(folder.path(), &["init"]).0, Some(2), "nothing is overwritten");
    fs::write(
        folder.path().join("eksplain.toml"),
        "[[source]]\nfrom = \"files\"\npath = \"x\"\n",
    )
    .unwrap();
    let (code, said) = eksplain(folder.path(), &["run"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("line") && said.contains("path"), "{said}");

    set_up(folder.path());
    let config = CONFIG.replacen(
        "[[source]]",
        "[[source]]\nfrom = \"files\"\npaths = [\"nowhere\"]\n[[source]]",
        1,
    );
    fs::write(folder.path().join("eksplain.toml"), config).unwrap();
    let (code, said) = eksplain(folder.path(), &["run"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        folder.path().join("report/latest/report.html").is_file(),
        "the other sources were read"
    );
}
