//! What findings are called for good, and what becomes of those that somebody accepted.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

struct Case {
    folder: tempfile::TempDir,
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }
}

impl Case {
    /// The demo's company.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let case = Self { folder };
        let demo = case.path("demo");
        let out = case.run(&["demo", "--keep", demo.to_str().unwrap(), "-q"]);
        assert_eq!(out.code, Some(0), "{}", out.err);
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, words: &[&str]) -> Said {
        let out = Command::new(env!("CARGO_BIN_EXE_eksplain"))
            .current_dir(self.folder.path())
            .args(words)
            .output()
            .unwrap();
        Said {
            code: out.status.code(),
            out: String::from_utf8(out.stdout).unwrap(),
            err: String::from_utf8(out.stderr).unwrap(),
        }
    }

    fn ask(&self, words: &[&str]) -> Said {
        self.run(&[words, &["--lake", "demo/lake"]].concat())
    }

    fn accept(&self, text: &str) {
        std::fs::write(self.path("eksplain.toml"), text).unwrap();
    }
}

const QUESTIONS: [&str; 5] = ["admins", "creators", "denials", "check", "changes"];

fn fingerprints(document: &Value) -> Vec<&str> {
    let findings = document["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["fingerprint"].as_str().unwrap())
        .collect()
}

#[test]
fn every_finding_has_one_name_in_every_answer_form_and_report() {
    let case = Case::new();
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for question in QUESTIONS {
        let document = case.ask(&[question, "-o", "json"]).json();
        let names = fingerprints(&document);
        assert!(!names.is_empty() || question == "changes", "{question} has findings");
        for name in &names {
            assert!(
                name.len() == 16 && name.chars().all(|c| c.is_ascii_alphanumeric()),
                "{name}"
            );
            assert_eq!(
                all.insert((*name).to_owned(), question.to_owned()),
                None,
                "{question}: {name} stands for two"
            );
        }
        assert_eq!(
            names,
            fingerprints(&case.ask(&[question, "-o", "json"]).json()),
            "{question}, again"
        );
        let lines = case.ask(&[question, "-o", "jsonl"]).out;
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            names,
            lines
                .iter()
                .map(|line| line["fingerprint"].as_str().unwrap())
                .collect::<Vec<_>>()
        );
        let csv = case.ask(&[question, "-o", "csv"]).out;
        assert!(
            csv.lines()
                .next()
                .unwrap()
                .contains("fingerprint,accepted_why,accepted_owner,accepted_until"),
            "{csv}"
        );
        assert!(names.iter().all(|name| csv.contains(name)), "{csv}");
    }
    assert_eq!(case.ask(&["report", "--to", "out", "-q"]).code, Some(0));
    let report: Value = serde_json::from_slice(&std::fs::read(case.path("out/latest/report.json")).unwrap()).unwrap();
    for list in ["admins", "creators", "denials", "checks"] {
        for finding in report[list].as_array().unwrap() {
            let name = finding["fingerprint"].as_str().unwrap();
            assert!(all.contains_key(name), "{list}: {name}");
        }
    }
}

/// A denial of the demo that is there by default.
fn denial(case: &Case) -> Value {
    case.ask(&["denials", "-o", "json"]).json()["findings"][0].clone()
}

#[test]
fn an_accepted_finding_is_shown_apart_and_counts_in_no_gate() {
    let case = Case::new();
    let first = denial(&case);
    let (name, reason) = (
        first["fingerprint"].as_str().unwrap(),
        first["reason"].as_str().unwrap(),
    );
    let before = case.ask(&["denials", "--fail-on", "any"]);
    assert_eq!(before.code, Some(1));
    for key in [format!("fingerprint = \"{name}\""), format!("reason = \"{reason}\"")] {
        case.accept(&format!(
            "[[accept]]\n{key}\nwhy = \"a drill\"\nowner = \"platform\"\nuntil = 2099-12-31\n"
        ));
        let document = case.ask(&["denials", "-o", "json"]).json();
        let found = document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["fingerprint"] == name)
            .unwrap();
        assert_eq!(
            found["accepted"],
            serde_json::json!({"why": "a drill", "owner": "platform", "until": "2099-12-31"}),
            "{key}"
        );
        let said = case.ask(&["denials", "--fail-on", reason]);
        let others = document["findings"].as_array().unwrap();
        let is_open = |one: &&Value| one["reason"] == reason && one["accepted"].is_null();
        assert_eq!(
            said.code,
            Some(i32::from(others.iter().any(|one| is_open(&one)))),
            "{key}: {}",
            said.err
        );
        let (_, apart) = said
            .out
            .split_once("\nAccepted\n")
            .unwrap_or_else(|| panic!("{}", said.out));
        assert!(apart.contains("a drill (platform, until 2099-12-31)"), "{apart}");
    }
    assert_eq!(case.ask(&["report", "--to", "out", "-q"]).code, Some(0));
    let text = |name: &str| std::fs::read_to_string(case.path("out/latest").join(name)).unwrap();
    assert!(text("report.md").contains("## Accepted"));
    let report: Value = serde_json::from_str(&text("report.json")).unwrap();
    assert!(report["summary"]["accepted"].as_u64().unwrap() >= 1);
}

#[test]
fn an_acceptance_ends_with_its_last_day_and_where_it_is_about_nothing_that_is_said() {
    let case = Case::new();
    let first = denial(&case);
    let name = first["fingerprint"].as_str().unwrap();
    case.accept(&format!(
        "[[accept]]\nfingerprint = \"{name}\"\nwhy = \"x\"\nowner = \"o\"\nuntil = 2020-01-31\n\
         [[accept]]\nfingerprint = \"0000000000000000\"\nwhy = \"x\"\nowner = \"o\"\n"
    ));
    let document = case.ask(&["denials", "-o", "json"]).json();
    assert!(
        document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["accepted"].is_null())
    );
    let said = case.ask(&["report", "--to", "out"]).err;
    assert!(
        said.contains("ended 2020-01-31") && said.contains("0000000000000000 matches no finding"),
        "{said}"
    );
    // Of another cluster than this one.
    case.accept(&format!(
        "[[accept]]\nfingerprint = \"{name}\"\nclusters = \"elsewhere\"\nwhy = \"x\"\nowner = \"o\"\n"
    ));
    let document = case.ask(&["denials", "-o", "json"]).json();
    assert!(
        document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["accepted"].is_null())
    );
}

#[test]
fn a_configuration_that_is_named_must_be_right_and_one_that_lies_there_is_told_of() {
    let case = Case::new();
    case.accept("[[accept]]\nreason = \"authn.not-maped\"\nwhy = \"x\"\nowner = \"o\"\n");
    let said = case.ask(&["denials"]);
    assert!(
        said.code == Some(0) && said.err.contains("eksplain.toml has errors"),
        "{}",
        said.err
    );
    let named = case.path("eksplain.toml");
    let said = case.ask(&["denials", "--config", named.to_str().unwrap()]);
    assert!(
        said.code == Some(2) && said.err.contains("did you mean `authn.not-mapped`?"),
        "{}",
        said.err
    );
    let missing = Path::new("none.toml").to_str().unwrap();
    assert_eq!(case.ask(&["denials", "--config", missing]).code, Some(2));
}
