//! The demo answers in under two seconds, and its report in under one, once built. In a file of its own, so that no other test runs beside it.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::Mutex;
use std::time::{Duration, Instant};

use assert_cmd::Command;

/// What is timed runs alone.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn the_demo_answers_in_under_two_seconds() {
    let _alone = ALONE.lock().unwrap();
    // The best of several runs: what else the machine does is not the demo's time.
    let runs = (0..5).map(|_| {
        let began = Instant::now();
        Command::cargo_bin("eksplain").unwrap().arg("demo").assert().success();
        began.elapsed()
    });
    let best = runs.min().unwrap();
    assert!(best < Duration::from_secs(2), "the fastest of five demos took {best:?}");
}

#[test]
fn the_report_of_the_demo_is_made_in_under_a_second() {
    let _alone = ALONE.lock().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let eksplain = |words: &[&str]| {
        let began = Instant::now();
        let mut command = Command::cargo_bin("eksplain").unwrap();
        command.current_dir(folder.path()).args(words).assert().success();
        began.elapsed()
    };
    eksplain(&["demo", "--keep", ".", "-q"]);
    let runs = (0..5).map(|_| eksplain(&["--lake", "lake", "report"]));
    let best = runs.min().unwrap();
    assert!(
        best < Duration::from_secs(1),
        "the fastest of five reports took {best:?}"
    );
}
