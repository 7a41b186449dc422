//! Day one: snapshots alone, late, twice, partial, or with logs on one side only. What is known, since when, and what is not.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use serde_json::{Value, json};

#[path = "../support/mod.rs"]
mod support;

mod dates;
mod iam;
mod later_records;
mod partial;
mod second_look;

use support::logs::{self, Caller};
use support::snapshot::{self, Look};
use support::{Answer, CLUSTER_ADMIN, Lab, is_time, role, says};

/// When prod was made, long before any look.
const BIRTH: &str = "2025-03-01T08:00:00Z";
const JUNE: &str = "2025-06-01T09:00:00Z";
/// Two looks, and a little later.
const FIRST: &str = "2026-11-01T02:00:00Z";
const AFTER_FIRST: &str = "2026-11-01T03:00:00Z";
const SECOND: &str = "2026-11-08T02:00:00Z";
const AFTER_SECOND: &str = "2026-11-08T03:00:00Z";
const OPS: Caller<'static> = Caller::User("omar");

fn day(time: &Value) -> Option<&str> {
    time.as_str().map(|text| &text[..10])
}

/// Ana and Ben are admins by access entry.
fn ana_and_ben(mode: &str) -> Look {
    Look::eks(mode, BIRTH)
        .entry(&role("Ana"), JUNE, &[CLUSTER_ADMIN])
        .entry(&role("Ben"), JUNE, &[CLUSTER_ADMIN])
        .iam(&role("Ana"), BIRTH)
        .iam(&role("Ben"), BIRTH)
}

fn only_ana(mode: &str) -> Look {
    Look::eks(mode, BIRTH)
        .entry(&role("Ana"), JUNE, &[CLUSTER_ADMIN])
        .iam(&role("Ana"), BIRTH)
}

/// A binding of cluster-admin to User cleo.
fn cleos_binding() -> Value {
    snapshot::cluster_role_binding("ops", "cluster-admin", snapshot::user_subject("cleo"))
}

fn admins(lab: &Lab, at: &str) -> Answer {
    lab.ask(&["admins"], at)
}
