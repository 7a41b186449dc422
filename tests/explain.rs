//! `explain` at the command line: bytes that are no text, ids, near words, and the records of the text's own request.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

fn explain(folder: &Path, lake: &str, text: &str, input: &[u8]) -> (i32, Value, String) {
    let mut command = Command::cargo_bin("eksplain").unwrap();
    let output = command
        .current_dir(folder)
        .args(["--lake", lake, "-o", "json", "explain", text])
        .write_stdin(input)
        .output()
        .unwrap();
    let document = serde_json::from_slice(&output.stdout).unwrap();
    (
        output.status.code().unwrap(),
        document,
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn bytes_that_are_no_text_ids_and_near_words() {
    let folder = tempfile::tempdir().unwrap();
    let ask = |text: &str, input: &[u8]| explain(folder.path(), "none", text, input);
    let (code, found, _) = ask(
        "-",
        b"\xff\xfeerror: You must be logged in to the server (Unauthorized)\xc3\r\n",
    );
    assert_eq!((code, found["findings"][0]["pattern"].as_str()), (0, Some("E05")));
    let (_, found, _) = ask("authz.anonymous", b"");
    assert_eq!(found["findings"][0]["reason"], "authz.anonymous");
    let (code, found, said) = ask("authn.not-maped", b"");
    assert_eq!((code, found["findings"].as_array().map(Vec::len)), (1, Some(0)));
    assert!(said.contains("did you mean `authn.not-mapped`?"), "{said}");
    let (code, _, said) = ask("all is well with this cluster", b"");
    assert!(
        code == 1 && said.contains("no known error matches; paste the full message"),
        "{said}"
    );
}

#[test]
fn a_lake_shows_the_records_of_that_request_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::cargo_bin("eksplain").unwrap();
    demo.current_dir(folder.path())
        .args(["demo", "--keep", "demo", "-q"])
        .assert()
        .success();
    let mut denials = Command::cargo_bin("eksplain").unwrap();
    let output = denials
        .current_dir(folder.path())
        .args(["--lake", "demo/lake", "-o", "json", "denials"])
        .output()
        .unwrap();
    let denials: Value = serde_json::from_slice(&output.stdout).unwrap();
    let is_own = |denial: &&Value| {
        denial["layer"] == "authz"
            && denial["seen_by_user_as"][0]
                .as_str()
                .is_some_and(|text| text.contains(" cannot list resource "))
    };
    let denial = denials["findings"].as_array().unwrap().iter().find(is_own).unwrap();
    let text = denial["seen_by_user_as"][0].as_str().unwrap();

    let (_, found, _) = explain(folder.path(), "demo/lake", text, b"");
    let ids = |list: &Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|record| record["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let (matches, evidence) = (ids(&found["findings"][0]["matches"]), ids(&denial["evidence"]));
    assert!(
        !matches.is_empty() && matches.iter().all(|id| evidence.contains(id)),
        "{matches:?} {evidence:?}"
    );
    assert_eq!(found["findings"][0]["proven"][0]["reason"], denial["reason"]);

    let user = denial["kubernetes_username"].as_str().unwrap();
    let (code, found, said) = explain(
        folder.path(),
        "demo/lake",
        &text.replace(&format!("User \"{user}\""), "User \"blue\""),
        b"",
    );
    assert_eq!((code, ids(&found["findings"][0]["matches"])), (0, Vec::new()));
    assert!(
        said.contains("no refused call in the lake is by this user for this request"),
        "{said}"
    );
}
