//! Confident answers that were wrong: of logs with holes, of mappings that never match, of people behind a name.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use serde_json::{Value, json};

#[path = "../support/mod.rs"]
mod support;

mod checks;
mod grants;
mod holes;
mod mappings;
mod names;

use support::logs::{self, Caller};
use support::snapshot::{self, Look};
use support::{ACCOUNT, CLUSTER_ADMIN, Lab, PLACE, REGION, fixes, is_time, role, says, user};

const OMAR: Caller<'static> = Caller::User("omar");

fn omar() -> Value {
    logs::iam_user("kubernetes-admin", &["system:masters"], "omar")
}

fn mapped(roles: &str) -> Value {
    json!({"mapRoles": roles})
}

/// A scheduler that is never silent: one event an hour from one day to before another.
fn hours(from: u32, to: u32) -> Vec<Value> {
    let hour = |day: u32, hour: u32| {
        let time = format!("2026-11-{day:02}T{hour:02}:30:00Z");
        logs::event(
            &time,
            json!({"user": {"username": "system:kube-scheduler", "groups": ["system:authenticated"]}, "verb": "watch"}),
        )
    };
    (from..to)
        .flat_map(|day| (0..24).map(move |number| hour(day, number)))
        .collect()
}
