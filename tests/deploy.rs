//! `deploy/`: real validators find nothing wrong, and what it grants is what the program says it needs.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

/// A tool beside the Python that `tests/all` has set up.
fn tool(name: &str) -> Option<Command> {
    let Some(python) = std::env::var_os("EKSPLAIN_MOTO_PYTHON").map(PathBuf::from) else {
        eprintln!("skipped: EKSPLAIN_MOTO_PYTHON names no Python with the validators (tests/all sets it)");
        return None;
    };
    let mut command = Command::new(python.with_file_name(name));
    command.stdin(Stdio::null());
    Some(command)
}

fn passes(command: &mut Command) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

fn policy() -> String {
    std::fs::read_to_string(deploy("policy.json")).unwrap()
}

#[test]
fn the_templates_are_what_cloudformation_takes() {
    let Some(mut lint) = tool("cfn-lint") else { return };
    passes(lint.args([deploy("bucket.yaml"), deploy("ecs.yaml")]));
}

#[test]
fn the_cron_job_is_what_kubernetes_takes() {
    let Some(mut validate) = tool("kubernetes-validate") else {
        return;
    };
    passes(validate.arg("--strict").arg(deploy("cronjob.yaml")));
}

#[test]
fn the_policy_is_sound_and_only_reads() {
    let Some(mut lint) = tool("parliament") else { return };
    passes(lint.args(["--minimum_severity", "MEDIUM", "--string", &policy()]));
}

#[test]
fn the_policy_is_the_one_that_doctor_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_eksplain"))
        .args(["doctor", "--policy", "--region", "us-east-1"])
        .output()
        .unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let written: Value = serde_json::from_str(&policy()).unwrap();
    assert_eq!(printed, written);
    let template = std::fs::read_to_string(deploy("ecs.yaml")).unwrap();
    for statement in written["Statement"].as_array().unwrap() {
        for action in statement["Action"].as_array().unwrap() {
            assert!(
                template.contains(action.as_str().unwrap()),
                "{action} is missing in ecs.yaml"
            );
        }
    }
}
