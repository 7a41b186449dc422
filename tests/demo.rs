//! `eksplain demo`: its data is what the generator writes, and what it says is the truth of the simulated company.
//!
//! `EKSPLAIN_WRITE_DEMO=1 cargo test --test demo` writes the data anew after a change of the generator.
#![allow(clippy::unwrap_used, clippy::type_complexity, reason = "a test may fail loudly")]

#[path = "estate/mod.rs"]
#[allow(
    dead_code,
    clippy::nonminimal_bool,
    clippy::type_complexity,
    clippy::too_many_arguments,
    clippy::unnecessary_get_then_check,
    reason = "the generator serves two tests"
)]
mod estate;

use std::collections::BTreeMap;
use std::path::Path;

use assert_cmd::Command;
use estate::demo::{AT, SEED, demo};
use estate::plan::WINDOW_START;
use estate::truth;
use estate::world::World;
use serde_json::Value;

fn eksplain() -> Command {
    Command::cargo_bin("eksplain").unwrap()
}

#[test]
fn the_embedded_files_are_what_the_generator_writes() {
    let estate = demo();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo");
    let written: BTreeMap<String, Vec<u8>> = estate::logs::write(&estate.start, &estate.plan, WINDOW_START, SEED)
        .into_iter()
        .collect();
    if std::env::var_os("EKSPLAIN_WRITE_DEMO").is_some() {
        let _ = std::fs::remove_dir_all(folder.join("estate"));
        let mut list = String::from("&[\n");
        for (path, bytes) in &written {
            let to = folder.join("estate").join(path);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::write(to, bytes).unwrap();
            list += &format!("    ({path:?}, include_bytes!({:?})),\n", format!("estate/{path}"));
        }
        std::fs::write(folder.join("files.rs"), list + "]\n").unwrap();
    }
    for (path, bytes) in &written {
        let embedded = std::fs::read(folder.join("estate").join(path)).unwrap_or_default();
        assert!(
            embedded == *bytes,
            "{path} differs: run EKSPLAIN_WRITE_DEMO=1 cargo test --test demo"
        );
    }
}

#[test]
fn the_demo_shows_the_commands_and_the_three_answers() {
    let run = eksplain().arg("demo").assert().success();
    let out = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    for word in [
        "arn:aws:iam::111122223333:user/maria",
        "deleted",
        "rbac_binding",
        "authn.near-miss.role-path",
        "admission.pod-security",
        "create-access-entry",
    ] {
        assert!(out.contains(word), "the demo does not say {word}:\n{out}");
    }
    let commands = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    for command in ["ingest files", "admins --at", "creators --at", "denials --at"] {
        assert!(commands.contains(command), "the demo does not show {command}");
    }
}

#[test]
fn the_demo_says_the_truth() {
    let estate = demo();
    let world = World::replay(&estate.start, &estate.plan, AT);
    let folder = tempfile::tempdir().unwrap();
    eksplain()
        .args(["demo", "--keep"])
        .arg(folder.path())
        .assert()
        .success();
    let findings = |question: &str| -> Vec<Value> {
        let out = eksplain()
            .arg("--lake")
            .arg(folder.path().join("lake"))
            .args([question, "-o", "json", "--at", &estate::logs::iso(AT)])
            .output()
            .unwrap();
        let document: Value = serde_json::from_slice(&out.stdout).unwrap();
        document["findings"].as_array().unwrap().clone()
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let said: BTreeMap<(String, String), BTreeMap<String, String>> = findings("admins")
        .iter()
        .map(|finding| {
            let routes = finding["routes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|route| (text(&route["route"]), text(&route["status"])))
                .collect();
            ((text(&finding["cluster"]["name"]), text(&finding["principal"])), routes)
        })
        .collect();
    let truth: BTreeMap<_, BTreeMap<String, String>> = truth::admins(&world, WINDOW_START)
        .into_iter()
        .map(|((_, _, name, _, principal), routes)| {
            (
                (name, principal),
                routes
                    .into_iter()
                    .map(|(route, status)| (route.to_owned(), status.to_owned()))
                    .collect(),
            )
        })
        .collect();
    assert_eq!(said, truth);
    let creators = findings("creators");
    let prod = creators
        .iter()
        .find(|finding| finding["cluster"]["name"] == "prod")
        .unwrap();
    assert_eq!(
        (&prod["creator_state"], &prod["recovery"]["needed"]),
        (&Value::from("deleted"), &Value::from(true))
    );
    let mut said: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for finding in findings("denials") {
        *said
            .entry((
                text(&finding["cluster"]["name"]),
                text(&finding["principal"]),
                text(&finding["reason"]),
            ))
            .or_default() += finding["count"].as_u64().unwrap();
    }
    let truth = truth::denials(&estate.start, &estate.plan, WINDOW_START, AT);
    assert_eq!(said, truth.into_iter().collect());
    let layers: std::collections::BTreeSet<String> = said
        .keys()
        .filter_map(|(_, _, reason)| reason.split('.').next().map(str::to_owned))
        .collect();
    assert!(
        ["iam", "sts", "authn", "authz", "admission"]
            .iter()
            .all(|layer| layers.contains(*layer)),
        "{layers:?}"
    );
}
