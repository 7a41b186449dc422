//! The model estate: eksplain's answers over the logs of a simulated company equal the truth of that company.
//!
//! `EKSPLAIN_ESTATE_SEEDS=200 cargo test --test estate` tries more companies than the few of every run.
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
use std::process::Command;

use estate::compare::{compare_admins, compare_creators, compare_denials};
use estate::plan::{Estate, WINDOW_START};
use estate::truth::{self, Denials};

use estate::world::World;
use serde_json::Value;

fn eksplain(lake: &Path, arguments: &[&str]) -> (i32, String, String) {
    let out = Command::new(std::env::var("EKSPLAIN_BIN").unwrap_or(env!("CARGO_BIN_EXE_eksplain").to_owned()))
        .arg("--lake")
        .arg(lake)
        .args(arguments)
        .output()
        .unwrap();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    (out.status.code().unwrap_or(-1), text(&out.stdout), text(&out.stderr))
}

/// Writes the estate's logs and ingests them; gives the lake's folder.
fn ingested(estate: &Estate, seed: u64) -> tempfile::TempDir {
    let mut dir = tempfile::tempdir().unwrap();
    // To look at an estate whose answers are wrong.
    dir.disable_cleanup(std::env::var_os("EKSPLAIN_ESTATE_KEEP").is_some());
    for (path, bytes) in estate::logs::write(&estate.start, &estate.plan, WINDOW_START, seed) {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let lake = dir.path().join("lake");
    let trail = dir.path().join("trail");
    let (code, _, errors) = eksplain(&lake, &["ingest", "files", trail.to_str().unwrap()]);
    assert_eq!(code, 0, "ingest of the trail: {errors}");
    let eks = dir.path().join("eks");
    let layout = "{account}/{region}/{cluster}/{stream}/*";
    let (code, _, errors) = eksplain(&lake, &["ingest", "files", eks.to_str().unwrap(), "--layout", layout]);
    assert_eq!(code, 0, "ingest of the Kubernetes logs: {errors}");
    dir
}

fn findings(lake: &Path, question: &str, at: &str) -> Vec<Value> {
    let (code, out, errors) = eksplain(lake, &[question, "-o", "json", "--at", at]);
    assert_eq!(code, 0, "{question}: {errors}");
    let document: Value = serde_json::from_str(&out).unwrap();
    document["findings"].as_array().unwrap().clone()
}

/// What is wrong with the answers over one estate, at four moments.
fn judge(seed: u64, clusters: usize) -> Vec<String> {
    let estate = estate::plan::estate(seed, clusters);
    let dir = ingested(&estate, seed);
    let lake = dir.path().join("lake");
    let mut wrong = Vec::new();
    let last = estate.plan.last().unwrap().0 + 30;
    let moments = [
        estate.plan[estate.plan.len() / 3].0 + 30,
        estate.plan[estate.plan.len() * 2 / 3].0 + 30,
        WINDOW_START + 31 * 86_400,
        last,
    ];
    for moment in moments {
        let at = estate::logs::iso(moment);
        let world = World::replay(&estate.start, &estate.plan, moment);
        let mut here = compare_admins(&truth::admins(&world, WINDOW_START), &findings(&lake, "admins", &at));
        here.extend(compare_creators(
            &truth::creators(&world, WINDOW_START),
            &findings(&lake, "creators", &at),
        ));
        if moment == last {
            let truth = truth::denials(&estate.start, &estate.plan, WINDOW_START, moment);
            here.extend(compare_denials(&truth, &findings(&lake, "denials", &at)));
        }
        wrong.extend(here.into_iter().map(|line| format!("seed {seed} at {at}: {line}")));
    }
    wrong
}

#[test]
fn the_answers_are_the_truth_of_the_estate() {
    let seeds: u64 = std::env::var("EKSPLAIN_ESTATE_SEEDS")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(4);
    let first: u64 = std::env::var("EKSPLAIN_ESTATE_FIRST_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(1);
    let mut wrong = Vec::new();
    for seed in first..first + seeds {
        wrong.extend(judge(seed, 8));
    }
    assert!(
        wrong.is_empty(),
        "{} statements are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn the_judge_notices_a_broken_answer() {
    let truth: Denials = BTreeMap::from([(("c".to_owned(), "p".to_owned(), "authz.anonymous".to_owned()), 2)]);
    let one_short =
        serde_json::json!([{"cluster": {"name": "c"}, "principal": "p", "reason": "authz.anonymous", "count": 1}]);
    assert_eq!(compare_denials(&truth, one_short.as_array().unwrap()).len(), 1);
    assert_eq!(compare_denials(&truth, &[]).len(), 1);
    assert_eq!(compare_denials(&Denials::new(), one_short.as_array().unwrap()).len(), 1);
}

#[test]
fn every_plot_happens() {
    use estate::world::{Op, Subject};
    let plans: Vec<Estate> = (1..40).map(|seed| estate::plan::estate(seed, 8)).collect();
    let happens = |is_it: &dyn Fn(&Op) -> bool| plans.iter().any(|e| e.plan.iter().any(|(_, op)| is_it(op)));
    assert!(
        happens(&|op| matches!(op, Op::StackDeletesEntry { .. })),
        "entries ended by a stack"
    );
    assert!(
        happens(&|op| matches!(op, Op::Bind { subject: Subject::ServiceAccount(n, _), .. } if n == "kube-system")),
        "hostile names"
    );
    assert!(
        happens(&|op| matches!(op, Op::Associate { namespaces, .. } if namespaces.iter().any(|n| n.ends_with('*')))),
        "scoped admins"
    );
    let is_template = |username: &str| username.contains("{{SessionName}}");
    assert!(
        happens(
            &|op| matches!(op, Op::WriteAwsAuth { mappings, .. } if mappings.iter().any(|m| is_template(&m.username)))
        ),
        "templates"
    );
    let is_short = |e: &Estate| {
        let ends = |day: i64| {
            e.plan
                .iter()
                .filter(move |(at, op)| at / 86_400 == day && matches!(op, Op::DeleteCluster { .. }))
        };
        e.plan
            .iter()
            .any(|(at, op)| matches!(op, Op::CreateCluster { .. }) && ends(at / 86_400).count() > 0)
    };
    assert!(plans.iter().any(is_short), "two lives on one day");
}
