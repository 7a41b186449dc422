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

#[test]
fn words_of_fail_on_are_checked_and_what_matched_is_named() {
    said(&["admins", "--fail-on", "acess_policy"]).refused(&["did you mean access_policy"]);
    said(&["admins", "--fail-on", "nosuchrule"]).refused(&["the words are any, active"]);
    said(&["check", "--fail-on", "bogus"]).refused(&["bogus"]);
    said(&["check", "--fail-on", "impersonation"]).refused(&["impersonation"]);
    said(&["denials", "--fail-on", "authn,athz"]).refused(&["did you mean authz"]);
    said(&["diff", "7d", "0s", "--fail-on", "new-amdin"]).refused(&["did you mean new-admin"]);
    let both = said(&["admins", "--at", AT, "--fail-on", "impersonation,creator"]);
    assert_eq!(both.code, 1, "{}", both.err);
    assert!(
        both.err.contains("--fail-on impersonation,creator matched") && both.err.contains("user/maria in prod"),
        "{}",
        both.err
    );
    let many = said(&["denials", "--at", AT, "--fail-on", "any"]);
    assert!(many.code == 1 && many.err.contains(" more\n"), "{}", many.err);
    assert_eq!(
        said(&["denials", "--at", AT, "--fail-on", "authn", "--fail-on", "authz"]).code,
        1
    );
    assert_eq!(
        said(&["creators", "--at", AT, "--cluster", "prod", "--fail-on", "recreated"]).code,
        0
    );
}

#[test]
fn clusters_that_are_named_must_be_in_the_lake() {
    for question in [
        &["admins"][..],
        &["creators"],
        &["denials"],
        &["check"],
        &["who", "maria"],
        &["diff", "2026-03-05", "2026-03-25"],
    ] {
        said(&[question, &["--cluster", "prd"]].concat())
            .refused(&["no cluster of the lake is called prd", "did you mean prod"]);
    }
    said(&["can-i", "get", "pods", "--as", "maria", "--cluster", "prd"]).refused(&["did you mean prod"]);
    let none = said(&["admins", "--cluster", "zz-*"]);
    assert!(none.code == 0 && none.err.contains("zz-*"), "{}", none.err);
    let known = said(&["lake", "status", "-o", "json"]).json();
    let mut names: Vec<&str> = known["coverage"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["cluster"]["name"].as_str())
        .collect();
    names.dedup();
    assert!(names.len() > 1, "{names:?}");
    let by_comma = said(&["admins", "--at", AT, "--cluster", &names.join(","), "-o", "jsonl"]);
    assert_eq!(by_comma.out, said(&["admins", "--at", AT, "-o", "jsonl"]).out);
}

#[test]
fn a_date_stands_for_its_whole_day() {
    let at = |words: &[&str]| said(&[words, &["-o", "json"]].concat()).json()["at"].clone();
    for question in [
        &["admins"][..],
        &["creators"],
        &["denials"],
        &["check"],
        &["who", "maria"],
    ] {
        assert_eq!(
            at(&[question, &["--at", "2026-03-20"]].concat()),
            "2026-03-20T23:59:59.999999Z"
        );
        let text = said(&[question, &["--at", "2026-03-20"]].concat()).out;
        assert!(text.contains("As of 2026-03-20T23:59:59Z"), "{text}");
    }
    let can_i = [
        "can-i",
        "get",
        "pods",
        "--as",
        "maria",
        "--cluster",
        "prod",
        "--at",
        "2026-03-20",
    ];
    assert_eq!(at(&can_i), "2026-03-20T23:59:59.999999Z");
    assert!(said(&can_i).out.contains("As of 2026-03-20T23:59:59Z"));
    let diff = said(&["diff", "2026-03-05", "2026-03-25"]);
    assert!(
        diff.out
            .starts_with("From 2026-03-05T23:59:59Z to 2026-03-25T23:59:59Z\n"),
        "{}",
        diff.out
    );
    let now = said(&["admins"]).out;
    assert!(
        now.contains("from records up to 2026-03-"),
        "the lake ends long before: {now}"
    );
}

#[test]
fn times_select_or_are_not_offered() {
    for question in ["admins", "creators", "check"] {
        said(&[question, "--since", "7d"]).refused(&["--since"]);
        assert!(!said(&[question, "--help"]).out.contains("--until"));
    }
    let all = said(&["who", "maria", "--at", AT, "-o", "json"]).json();
    let uses = |answer: &Value| -> u64 {
        let findings = answer["findings"].as_array().unwrap().iter();
        findings
            .flat_map(|one| one["activity"].as_array().unwrap())
            .map(|row| row["uses"].as_u64().unwrap())
            .sum()
    };
    let first = all["findings"][0]["activity"][0]["first_seen"].as_str().unwrap();
    let day = &first[..10];
    let within = said(&["who", "maria", "--at", AT, "--since", day, "--until", day, "-o", "json"]).json();
    assert!(
        uses(&within) > 0 && uses(&within) < uses(&all),
        "{} of {}",
        uses(&within),
        uses(&all)
    );
    let before = said(&["who", "maria", "--at", AT, "--until", "2020-01-01", "-o", "json"]).json();
    assert_eq!(uses(&before), 0);
    let findings = before["findings"].as_array().unwrap();
    assert!(!findings.is_empty() && findings.iter().all(|one| one["did"] == serde_json::json!([])));
}

#[test]
fn a_report_of_a_misspelt_cluster_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let report = |words: &[&str]| said(&[&["report", "--to", to, "--form", "json"], words].concat());
    assert_eq!(report(&["--at", "2026-03-20"]).code, 0);
    let latest = || std::fs::read(folder.path().join("latest/report.json")).unwrap();
    let whole = latest();
    report(&["--cluster", "prd"]).refused(&["did you mean prod"]);
    assert_eq!(latest(), whole);
}

#[test]
fn a_diff_of_files_heeds_the_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (name, at) in [("old", "2026-03-05"), ("new", "2026-03-25")] {
        assert_eq!(
            said(&["report", "--to", &place(name), "--form", "json", "--at", at]).code,
            0
        );
    }
    let (old, new) = (place("old/latest"), place("new/latest"));
    let diff = |words: &[&str]| said(&[&["diff", &old, &new, "-o", "json"], words].concat());
    let all = diff(&[]).json();
    let of_prod = diff(&["--cluster", "prod"]);
    let is_of_prod = |change: &&Value| change["cluster"]["name"] == "prod";
    let changes = all["findings"].as_array().unwrap();
    let expected: Vec<&Value> = changes.iter().filter(is_of_prod).collect();
    assert!(!expected.is_empty() && expected.len() < changes.len());
    assert_eq!(
        of_prod.json()["findings"]
            .as_array()
            .unwrap()
            .iter()
            .collect::<Vec<_>>(),
        expected
    );
    assert!(!of_prod.err.contains("different selections"), "{}", of_prod.err);
    diff(&["--cluster", "prd"]).refused(&["did you mean prod"]);
    let text = said(&["diff", &old, &new]).out;
    assert!(
        text.starts_with("From 2026-03-05T23:59:59Z to 2026-03-25T23:59:59Z\n"),
        "{text}"
    );
}

#[test]
fn a_lake_that_lost_its_commits_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("trail.json");
    std::fs::write(
        &log,
        r#"{"eventVersion":"1.08","eventTime":"2026-04-01T09:00:00Z","eventSource":"eks.amazonaws.com","eventName":"ListClusters","awsRegion":"us-west-2","eventID":"6a6a6a6a-1111-2222-3333-444444444444","recipientAccountId":"111122223333","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ana","accountId":"111122223333","userName":"ana"}}"#,
    )
    .unwrap();
    let lake = folder.path().join("lake");
    assert_eq!(on(&lake, &["ingest", "files", log.to_str().unwrap()]).code, 0);
    assert_eq!(on(&lake, &["admins"]).code, 0);
    std::fs::remove_dir_all(lake.join("_state")).unwrap();
    for words in [
        &["admins"][..],
        &["lake", "verify"],
        &["lake", "status"],
        &["query", "rejects"],
        &["report"],
    ] {
        let said = on(&lake, words);
        assert_eq!(said.code, 5, "{words:?}: {}{}", said.out, said.err);
        let text = [said.out, said.err].concat();
        assert!(text.contains("ingest the logs into a new lake"), "{text}");
    }
}

/// Every scalar field of a finding by the name of its column, nested ones too; lists of records aside.
fn scalars(before: &str, finding: &Value, found: &mut Vec<(String, String)>) {
    for (name, value) in finding.as_object().unwrap() {
        let name = match (before, name.as_str()) {
            ("cluster_", "account" | "region") => name.clone(),
            ("cluster_", "name") => "cluster".to_owned(),
            _ => format!("{before}{name}"),
        };
        match value {
            Value::Null => found.push((name, String::new())),
            Value::String(text) => found.push((name, text.clone())),
            Value::Bool(_) | Value::Number(_) => found.push((name, value.to_string())),
            Value::Object(_) => scalars(&format!("{name}_"), value, found),
            Value::Array(items) if items.iter().all(Value::is_string) && !items.is_empty() => {
                let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                found.push((name, texts.join(";")));
            }
            Value::Array(_) => {}
        }
    }
}

#[test]
fn csv_is_data() {
    for question in [
        &["admins", "--all"][..],
        &["creators"],
        &["denials", "--all"],
        &["check"],
        &["who", "maria"],
    ] {
        let words = [question, &["--at", AT, "-o"]].concat();
        let findings = said(&[&words[..], &["json"]].concat()).json()["findings"].clone();
        let (head, rows) = said(&[&words[..], &["csv"]].concat()).csv();
        let is_snake = |name: &String| {
            name.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        assert!(head.iter().all(is_snake), "{head:?}");
        let findings = findings.as_array().unwrap();
        assert!(!findings.is_empty() && findings.len() == rows.len());
        for (finding, row) in findings.iter().zip(&rows) {
            let mut wanted = Vec::new();
            scalars("", finding, &mut wanted);
            for (name, value) in wanted {
                // The parts of what is not there have columns of their own.
                if matches!(name.as_str(), "cluster" | "accepted") && value.is_empty() {
                    continue;
                }
                let at = head.iter().position(|own| *own == name);
                let cell = &row[at.unwrap_or_else(|| panic!("{question:?} has no column {name}: {head:?}"))];
                let is_formula = cell.starts_with('\'');
                assert!(
                    *cell == value || is_formula && cell[1..] == value,
                    "{name}: {cell} is not {value}"
                );
            }
            assert!(row.iter().all(|cell| cell != "-" && cell != "null"), "{row:?}");
        }
        let none = said(&[&words[..], &["csv", "--cluster", "zz-*"]].concat());
        if question[0] != "who" {
            assert_eq!(
                none.csv(),
                (head, Vec::new()),
                "the head is the same where nothing is found"
            );
        }
    }
    let of_prod = said(&["admins", "--at", AT, "--cluster", "prod", "-o", "json"]).json();
    let ids: Vec<&str> = of_prod["findings"][0]["routes"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|route| route["evidence"].as_array().unwrap())
        .map(|item| item["id"].as_str().unwrap())
        .collect();
    let (head, rows) = said(&["admins", "--at", AT, "--cluster", "prod", "-o", "csv"]).csv();
    let cell = |name: &str| rows[0][head.iter().position(|own| own == name).unwrap()].as_str();
    assert!(
        ids.iter()
            .all(|id| cell("evidence_ids").split(';').any(|own| own == *id))
            && !ids.is_empty()
    );
    assert_eq!((cell("account"), cell("cluster")), ("111122223333", "prod"));
    let (head, rows) = said(&["diff", "2026-03-05", "2026-03-25", "-o", "csv"]).csv();
    assert_eq!(
        head,
        [
            "kind",
            "account",
            "region",
            "cluster",
            "subject",
            "was",
            "is",
            "fingerprint"
        ]
    );
    assert!(!rows.is_empty());
}
