//! Runs the commands of answers through the CLIs' own parsers, or through tables of their flags: `check.py` beside this file.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Fails with every command and manifest that its CLI would not take; says so where there is no Python to ask.
pub(crate) fn check(answers: &[Value]) {
    let Ok(python) = std::env::var("EKSPLAIN_MOTO_PYTHON") else {
        eprintln!("skipped: EKSPLAIN_MOTO_PYTHON names no Python with awscli (tests/all installs one)");
        return;
    };
    let lines: Vec<String> = answers.iter().flat_map(fixes).map(|fix| fix.to_string()).collect();
    assert!(!lines.is_empty(), "no answer has a fix");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/check.py");
    let mut child = Command::new(python)
        .arg(script)
        .env("EKSPLAIN_BIN", env!("CARGO_BIN_EXE_eksplain"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It reads all before it writes much.
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.join("\n").as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Fixes and recovery options of an answer's findings; each says where it is from.
fn fixes(answer: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for finding in answer["findings"].as_array().into_iter().flatten() {
        let cluster = finding["cluster"].to_string();
        let reason = finding["reason"]
            .as_str()
            .or(finding["rule"].as_str())
            .unwrap_or("recovery");
        for fix in finding["fix"].as_array().into_iter().flatten() {
            found.push(
                json!({"from": reason, "cluster": cluster, "commands": fix["commands"], "manifest": fix["manifest"]}),
            );
        }
        for option in finding["recovery"]["options"].as_array().into_iter().flatten() {
            found.push(
                json!({"from": option["title"], "cluster": cluster, "commands": option["commands"], "manifest": null}),
            );
        }
    }
    found
}
