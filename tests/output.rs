//! The forms of the answers that are not for people: documents, lines and CSV have the types, names and fields of the contract; words
//! and times that are typed are checked.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

const AT: &str = "2026-11-23T12:00:00Z";

/// The demo's lake, made once.
static DEMO: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().to_str().unwrap();
    let mut demo = Command::cargo_bin("eksplain").unwrap();
    demo.args(["demo", "-q", "--keep", keep]).assert().success();
    folder
});

fn lake() -> PathBuf {
    DEMO.path().join("lake")
}

/// What the binary said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

fn on(lake: &Path, words: &[&str]) -> Said {
    let mut command = Command::cargo_bin("eksplain").unwrap();
    command.env_remove("EKSPLAIN_LAKE").env("COLUMNS", "160");
    let out = command.arg("--lake").arg(lake).args(words).output().unwrap();
    Said {
        code: out.status.code().unwrap(),
        out: String::from_utf8(out.stdout).unwrap(),
        err: String::from_utf8(out.stderr).unwrap(),
    }
}

fn said(words: &[&str]) -> Said {
    on(&lake(), words)
}

impl Said {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    #[track_caller]
    fn lines(&self) -> Vec<Value> {
        let line = |line: &str| serde_json::from_str(line).unwrap();
        self.out.lines().map(line).collect()
    }

    /// Head and rows of CSV.
    #[track_caller]
    fn csv(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let mut rows = csv(&self.out);
        (rows.remove(0), rows)
    }

    #[track_caller]
    fn refused(&self, parts: &[&str]) {
        assert_eq!(self.code, 2, "{}{}", self.out, self.err);
        assert!(self.out.is_empty(), "{}", self.out);
        for part in parts {
            assert!(self.err.contains(part), "{part:?} is not in {}", self.err);
        }
    }
}

/// RFC 4180.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut is_quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => cell.push(letters.next().unwrap()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !is_quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    rows
}

/// What every document says of itself.
#[track_caller]
fn is_document(document: &Value, schema: &str) {
    assert_eq!(document["schema"], schema);
    assert_eq!(document["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_query_answers_with_the_types_of_json() {
    let text = "SELECT ts, masters, groups, source_line, session, error, source_line / 2.0 AS half FROM authenticator \
                WHERE masters ORDER BY id";
    let document = said(&["query", text, "-o", "json"]).json();
    is_document(&document, "eksplain.query/1");
    let names = ["ts", "masters", "groups", "source_line", "session", "error", "half"];
    assert_eq!(document["columns"], serde_json::json!(names));
    let first = &document["rows"][0];
    assert_eq!(first["masters"], true);
    assert_eq!(first["groups"], serde_json::json!(["system:masters"]));
    assert!(
        first["source_line"].is_u64() && first["half"].is_f64() && first["error"].is_null(),
        "{first}"
    );
    assert!(first["ts"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    let lines = said(&["query", text, "-o", "jsonl"]).lines();
    assert_eq!(&lines, document["rows"].as_array().unwrap());
    let (head, rows) = said(&["query", text, "-o", "csv"]).csv();
    assert_eq!(head, names);
    assert_eq!(
        (rows[0][1].as_str(), rows[0][2].as_str(), rows[0][5].as_str()),
        ("true", "system:masters", "")
    );
    let none = said(&["query", "SELECT id FROM audit WHERE id = 'x'", "-o", "json"]).json();
    assert_eq!(
        (&none["columns"], &none["rows"]),
        (&serde_json::json!(["id"]), &serde_json::json!([]))
    );
}

#[test]
fn the_list_of_queries_is_a_document() {
    let document = said(&["query", "--list", "-o", "json"]).json();
    is_document(&document, "eksplain.query-list/1");
    let named = |query: &&Value| query["name"] == "masters_logins";
    let query = document["queries"].as_array().unwrap().iter().find(named).unwrap();
    assert_eq!(query["insights"], true);
    let audit = document["tables"]
        .as_array()
        .unwrap()
        .iter()
        .find(|table| table["table"] == "audit")
        .unwrap();
    assert!(
        audit["columns"]
            .as_array()
            .unwrap()
            .iter()
            .any(|column| column["name"] == "code" && column["type"] == "integer")
    );
    let (head, rows) = said(&["query", "--list", "-o", "csv"]).csv();
    assert_eq!(head, ["name", "about", "insights"]);
    assert_eq!(rows.len(), document["queries"].as_array().unwrap().len());
}

#[test]
fn only_queries_are_run() {
    for text in [
        "DELETE FROM audit",
        "  delete from audit where code = 403",
        "DROP TABLE audit",
        "TRUNCATE TABLE audit",
        "CREATE TABLE mine AS SELECT * FROM audit",
        "INSERT INTO audit VALUES (1)",
        "UPDATE audit SET code = 200",
    ] {
        said(&["query", text]).refused(&["only queries (SELECT …) are run"]);
    }
    assert_eq!(
        said(&["query", "WITH a AS (SELECT id FROM audit) SELECT COUNT(*) AS n FROM a"]).code,
        0
    );
}

#[test]
fn what_is_known_of_rights_lake_and_evidence_are_documents() {
    let rights = said(&[
        "can-i",
        "--list",
        "--as",
        "maria",
        "--cluster",
        "prod",
        "--at",
        AT,
        "-o",
        "json",
    ])
    .json();
    is_document(&rights, "eksplain.can-i-list/1");
    assert_eq!(
        (&rights["at"], &rights["cluster"]["name"]),
        (&AT.into(), &"prod".into())
    );
    assert!(
        rights["findings"]
            .as_array()
            .unwrap()
            .iter()
            .all(|right| right["verbs"].is_array())
    );

    let whole = said(&["lake", "verify", "-o", "json"]).json();
    is_document(&whole, "eksplain.lake-verify/1");
    assert_eq!(whole["findings"], serde_json::json!([]));

    let status = said(&["lake", "status", "-o", "json"]).json();
    is_document(&status, "eksplain.lake-status/1");
    assert!(status["at"].is_string() && status["generated_at"].is_string() && status["coverage"].is_array());
    let lines = said(&["lake", "status", "-o", "jsonl"]).lines();
    assert_eq!(lines.len(), status["coverage"].as_array().unwrap().len());
    let audit = lines
        .iter()
        .find(|line| line["source"] == "audit" && line["cluster"] == "prod")
        .unwrap();
    assert!(
        audit["records"].is_u64() && audit["gaps"].is_u64() && audit["account"] == "111122223333",
        "{audit}"
    );
    let (head, rows) = said(&["lake", "status", "-o", "csv"]).csv();
    assert_eq!(head[..4], ["account", "region", "cluster", "source"]);
    assert_eq!(rows.len(), lines.len());
}

#[test]
fn evidence_has_every_form() {
    let logins = said(&["query", "masters_logins", "-o", "json"]).json();
    let id = logins["rows"][0]["id"].as_str().unwrap();
    let calls = said(&["query", "SELECT id FROM cloudtrail ORDER BY id LIMIT 1", "-o", "json"]).json();
    let call = calls["rows"][0]["id"].as_str().unwrap();
    let document = said(&["evidence", id, call, "-o", "json"]).json();
    is_document(&document, "eksplain.evidence/1");
    let first = &document["records"][0];
    assert_eq!(
        (&first["table"], first["id"].as_str()),
        (&"authenticator".into(), Some(id))
    );
    let (head, rows) = said(&["evidence", id, call, "-o", "csv"]).csv();
    let cell = |row: usize, name: &str| rows[row][head.iter().position(|own| own == name).unwrap()].as_str();
    assert_eq!(
        (cell(0, "id"), cell(1, "id"), cell(1, "table")),
        (id, call, "cloudtrail")
    );
    assert_eq!(cell(0, "canonical_arn"), first["record"]["canonical_arn"]);
    assert_eq!(cell(0, "source_uri"), first["origin"]["uri"]);
    assert_eq!((cell(0, "event_name"), cell(0, "masters")), ("", "true"));
    let table = said(&["evidence", id, "-o", "md"]).out;
    assert!(
        table.starts_with("| id | field | value |\n") && table.contains("| canonical\\_arn |"),
        "{table}"
    );
}
