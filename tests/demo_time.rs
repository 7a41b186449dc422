//! The demo answers in under two seconds, and its report in under one, once built. In a file of its own, so that no other test runs beside it.
//!
//! The bounds are those of an idle machine. Each run stands beside a fixed piece of work, so that a machine that is slow, or busy with
//! something else, is not taken for a slow demo.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use assert_cmd::Command;

/// What is timed runs alone.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the fixed work takes on an idle machine of two cores.
const WORK: Duration = Duration::from_millis(47);

/// How much slower than an idle machine this one is just now.
fn slowness() -> f64 {
    let began = Instant::now();
    let text = r#"{"a":[1,2,3,{"b":"text","c":null}],"d":"more text"}"#;
    for _ in 0..ROUNDS {
        black_box(serde_json::from_str::<serde_json::Value>(black_box(text)).unwrap());
    }
    (began.elapsed().as_secs_f64() / WORK.as_secs_f64()).max(1.0)
}

const ROUNDS: usize = 20_000;

/// The best of several runs, as long as it would have taken on an idle machine.
fn best(mut run: impl FnMut() -> Duration) -> Duration {
    let runs = (0..5).map(|_| {
        let before = slowness();
        let took = run();
        took.div_f64(f64::midpoint(before, slowness()))
    });
    runs.min().unwrap()
}

#[test]
fn the_demo_answers_in_under_two_seconds() {
    let _alone = alone();
    let best = best(|| {
        let began = Instant::now();
        Command::cargo_bin("eksplain").unwrap().arg("demo").assert().success();
        began.elapsed()
    });
    assert!(best < Duration::from_secs(2), "the fastest of five demos took {best:?}");
}

#[test]
fn the_report_of_the_demo_is_made_in_under_a_second() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let eksplain = |words: &[&str]| {
        let began = Instant::now();
        let mut command = Command::cargo_bin("eksplain").unwrap();
        command.current_dir(folder.path()).args(words).assert().success();
        began.elapsed()
    };
    eksplain(&["demo", "--keep", ".", "-q"]);
    let best = best(|| eksplain(&["--lake", "lake", "report"]));
    assert!(
        best < Duration::from_secs(1),
        "the fastest of five reports took {best:?}"
    );
}
