//! A lake of its own for a test: logs and snapshots of small clusters go in, the binary's answers come out.
//!
//! [`Lab`] runs the binary, `logs` writes records as AWS and Kubernetes write them, [`snapshot`](fn@snapshot::snapshot) puts present
//! state of any moment into the lake.
#![allow(dead_code, reason = "each file of tests uses its part")]

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use assert_cmd::Command;
use serde_json::Value;

pub(crate) mod logs;
pub(crate) mod snapshot;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "us-west-2";
/// Hints for files that name no cluster: prod.
pub(crate) const PLACE: [&str; 6] = ["--account", ACCOUNT, "--region", REGION, "--cluster", "prod"];
pub(crate) const CLUSTER_ADMIN: &str = "AmazonEKSClusterAdminPolicy";

/// ARN of a role of the account, as the authenticator compares it.
pub(crate) fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// ARN of a user of the account.
pub(crate) fn user(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:user/{name}")
}

/// Name of the file of a commit, as the lake itself names it.
pub(crate) fn commit_name(number: u64, text: &str) -> String {
    let hash = xxhash_rust::xxh3::xxh3_128(text.as_bytes()) >> 48;
    let digit = |at: u32| char::from(b"0123456789abcdefghijklmnopqrstuv"[(hash >> (5 * (15 - at)) & 31) as usize]);
    format!("{number:08}-{}.json", (0..16).map(digit).collect::<String>())
}

/// A folder with a lake, and the binary to work on it.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn lake(&self) -> PathBuf {
        self.folder.path().join("lake")
    }

    /// Writes a file beside the lake; its folders are made.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join("files").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Runs the binary on the lake, in JSON.
    pub(crate) fn run(&self, words: &[&str]) -> Answer {
        self.run_with(words, "")
    }

    /// The same with a text on standard input.
    pub(crate) fn run_with(&self, words: &[&str], stdin: &str) -> Answer {
        let out = Command::cargo_bin("eksplain")
            .unwrap()
            .current_dir(self.folder.path())
            .args(["--lake", "lake", "-o", "json"])
            .args(words)
            .write_stdin(stdin)
            .output()
            .unwrap();
        Answer {
            code: out.status.code().unwrap_or(-1),
            json: serde_json::from_slice(&out.stdout).unwrap_or(Value::Null),
            stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
        }
    }

    /// `ingest files` of one file with the hints of prod, whatever comes of it.
    pub(crate) fn try_ingest(&self, path: &Path, hints: &[&str]) -> Answer {
        self.run(&[&["ingest", "files", path.to_str().unwrap()], hints].concat())
    }

    fn ingest(&self, name: &str, text: &str) {
        if !text.is_empty() {
            let done = self.try_ingest(&self.file(name, text), &PLACE);
            assert_eq!(done.code, 0, "{}", done.stderr);
        }
    }

    /// CloudTrail events.
    pub(crate) fn trail(&self, calls: &[Value]) {
        self.ingest("trail.ndjson", &lines(calls));
    }

    /// Audit events of prod.
    pub(crate) fn audit(&self, events: &[Value]) {
        self.ingest("audit.ndjson", &lines(events));
    }

    /// Lines of prod's authenticator.
    pub(crate) fn authenticator(&self, text: &str) {
        self.ingest("authenticator.log", text);
    }

    /// A file of that modification time: what a snapshot's file has.
    pub(crate) fn file_of(&self, name: &str, content: impl AsRef<[u8]>, modified: &str) -> PathBuf {
        let path = self.file(name, content);
        let second = modified.parse::<jiff::Timestamp>().unwrap().as_second();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second.unsigned_abs());
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
        path
    }

    /// `ingest snapshot --kubectl` of one file with the hints of prod, whatever comes of it.
    pub(crate) fn try_kubectl(&self, path: &Path) -> Answer {
        self.run(&[&["ingest", "snapshot", "--kubectl", path.to_str().unwrap()], &PLACE[..]].concat())
    }

    /// A question as of a moment, that must have an answer.
    pub(crate) fn ask(&self, words: &[&str], at: &str) -> Answer {
        let answer = self.run(&[words, &["--at", at]].concat());
        assert!(
            matches!(answer.code, 0 | 1 | 3) && !answer.json.is_null(),
            "{words:?}: exit {}: {}",
            answer.code,
            answer.stderr
        );
        answer
    }

    /// `can-i` as of a moment: exit code and answer, which must agree.
    pub(crate) fn can_i(&self, words: &[&str], at: &str) -> Option<bool> {
        let answer = self.ask(&[&["can-i"], words, &["--cluster", "prod"]].concat(), at);
        let allowed = answer.json["allowed"].as_bool();
        let code = match allowed {
            Some(true) => 0,
            Some(false) => 1,
            None => 3,
        };
        assert_eq!(answer.code, code, "{}", answer.json);
        allowed
    }
}

fn lines(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// What the binary said.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) json: Value,
    pub(crate) stderr: String,
}

impl Answer {
    pub(crate) fn findings(&self) -> &[Value] {
        self.json["findings"]
            .as_array()
            .unwrap_or_else(|| panic!("no findings: {}", self.json))
    }

    /// Findings where a field has this text.
    pub(crate) fn with(&self, field: &str, text: &str) -> Vec<&Value> {
        self.findings()
            .iter()
            .filter(|finding| finding[field] == text)
            .collect()
    }

    /// The one finding with this reason.
    pub(crate) fn reason(&self, reason: &str) -> &Value {
        let mut found = self.with("reason", reason);
        assert_eq!(found.len(), 1, "findings of {reason}: {}", self.json);
        found.remove(0)
    }

    /// The one finding of a principal, in its latest life.
    pub(crate) fn of(&self, principal: &str) -> &Value {
        self.with("principal", principal)
            .pop()
            .unwrap_or_else(|| panic!("no finding of {principal}: {}", self.json))
    }

    /// `status` of a principal in its latest life.
    pub(crate) fn status(&self, principal: &str) -> Option<&str> {
        self.with("principal", principal).pop()?["status"].as_str()
    }

    /// The route of a principal, in its latest life.
    pub(crate) fn route(&self, principal: &str, route: &str) -> &Value {
        let finding = self.of(principal);
        finding["routes"]
            .as_array()
            .unwrap()
            .iter()
            .rfind(|one| one["route"] == route)
            .unwrap_or_else(|| panic!("no {route} of {principal}: {finding}"))
    }

    /// Principals with an active finding, sorted.
    pub(crate) fn active(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .with("status", "active")
            .iter()
            .map(|finding| finding["principal"].as_str().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    /// Values of a text field, sorted.
    pub(crate) fn texts(&self, field: &str) -> Vec<&str> {
        let mut texts: Vec<&str> = self.findings().iter().filter_map(|one| one[field].as_str()).collect();
        texts.sort_unstable();
        texts
    }

    /// Every blind spot, of the answer and of its coverage.
    pub(crate) fn blind_spots(&self) -> Vec<&str> {
        let coverage = self.json["coverage"].as_array().into_iter().flatten();
        let lists = coverage
            .map(|row| &row["blind_spots"])
            .chain([&self.json["blind_spots"]]);
        lists
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// Whether one blind spot has all these words, in any case.
    pub(crate) fn is_blind_to(&self, words: &[&str]) -> bool {
        self.blind_spots().iter().any(|spot| has_all(spot, words))
    }

    /// Whether one sentence of the answer, evidence aside, has all these words, in any case.
    pub(crate) fn says(&self, words: &[&str]) -> bool {
        says(&self.json, words)
    }
}

/// Whether one text within a value, evidence aside, has all these words, in any case.
pub(crate) fn says(value: &Value, words: &[&str]) -> bool {
    match value {
        Value::String(text) => has_all(text, words),
        Value::Array(items) => items.iter().any(|item| says(item, words)),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name != "evidence" && says(value, words)),
        _ => false,
    }
}

fn has_all(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(&word.to_lowercase()))
}

/// All commands and manifests of the fixes of a finding, one text a fix.
pub(crate) fn fixes(finding: &Value) -> Vec<String> {
    let fixes = finding["fix"].as_array().into_iter().flatten();
    let text = |fix: &Value| {
        let commands = fix["commands"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let manifest = fix["manifest"].as_str();
        commands.chain(manifest).collect::<Vec<_>>().join("\n")
    };
    fixes.map(text).collect()
}

/// Whether a time of an answer is this one, to the second.
pub(crate) fn is_time(value: &Value, time: &str) -> bool {
    let second = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
    value.as_str().is_some_and(|text| second(text) == second(time))
}
