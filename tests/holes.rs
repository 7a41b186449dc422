//! Holes in the logs: what is missing may weaken an answer, and never flips it.
//!
//! The logs of a simulated company (tests/estate, with the hum of living clusters) are asked whole; then a hole is punched and the same
//! is asked again. Holes are (a) single records, (b) whole days of one stream of a cluster or of one trail, (c) the whole trail of a
//! region or an account, (d) a whole source, (e) the beginning or the end of one or all logs, (f) records cut in the middle, so that
//! ingest rejects them, (g) logging switched off by a call that the trail keeps, (h) several of these.
//!
//! **The order of strength.** A statement over holed logs holds if it is the statement over whole ones, or a weaker one:
//!
//! - admins: a route is `active` or `revoked` only where it is so over whole logs, whatever else; `unproven` always holds. `valid_from`,
//!   `valid_to`, `principal_deleted_at` are those of the whole logs or null; `principal_state` is theirs or `unknown`. So a principal
//!   that whole logs do not list is `unproven` at most. What was seen (`first_seen`, `last_seen`, `uses`, `sessions`) may shrink.
//! - creators: a `certain` creator is the creator; state, dates, `bootstrap_admin`, `authentication_mode`, `created_at`, `deleted_at`
//!   are those of the whole logs or unknown; recovery is needed only where it is.
//! - denials: a `certain` reason is the reason of the same refused calls (same cluster, principal, request, overlapping time);
//!   `resolved` only where whole logs say so.
//! - can-i: yes and no are the answers over whole logs; unknown always holds. Where those cannot know, holed ones cannot.
//! - check: every finding but `logs.missing`, which speaks of the hole itself, is one over whole logs.
//! - diff: `new-admin`, `lost-admin`, `new-cluster`, `cluster-deleted`, `creator-deleted`, `creator-recreated` only where whole logs have it.
//!
//! **What is excused.** A single record that is missing from a log that goes on shows nowhere: what is left are the logs of a company to
//! whom it never happened, and the answers over *those* logs are right. So where a change of state is missing without half a day of
//! silence around it (the hum speaks every 3 to 5 hours), without a reject, a file that ends in the middle, or a log that begins late,
//! what is said of that subject (entries of that principal, aws-auth, RBAC, mode of that cluster, fate of that principal), and what
//! needs all of them (nobody else is admin, no, a reason) is skipped, and counted. Records that change nothing excuse nothing (but
//! `admin.stale`, where a use is missing). A creation or a deletion of a cluster that is missing excuses nothing where later records
//! show it; as lives may be numbered differently then, a statement holds if it does of any life of that name.
//!
//! `EKSPLAIN_HOLES=2000 cargo test --test holes` (or `just holes`) tries more than the few of every run, `EKSPLAIN_HOLES_FIRST=17
//! EKSPLAIN_HOLES=1` just the hole 17, and with `EKSPLAIN_HOLES_KEEP=1` leaves both lakes and their logs in their folders.
#![allow(clippy::unwrap_used, clippy::type_complexity, reason = "a test may fail loudly")]

#[path = "estate/mod.rs"]
#[allow(
    dead_code,
    clippy::nonminimal_bool,
    clippy::type_complexity,
    clippy::too_many_arguments,
    clippy::unnecessary_get_then_check,
    reason = "the generator serves several tests"
)]
mod estate;
#[path = "holes/mod.rs"]
mod holes;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use estate::plan::{Estate, WINDOW_START};
use estate::rng::Rng;
use estate::world::Time;
use holes::asked::{Lake, Question, questions, some};
use holes::excused::Excused;
use holes::hole::{KINDS, punch};
use holes::judge::{Flip, Judge};
use serde_json::Value;

/// Holes for each company; the whole answers of one are asked once.
const HOLES_EACH: usize = 8;
const CLUSTERS: usize = 4;
/// One in so many is also compared with an earlier moment: that costs as much as all the rest.
const COMPARED: usize = 3;
/// How much faster than in the plan things happen.
const PACE: Time = 4;

/// What was tried, and what flipped.
#[derive(Default)]
struct Tally {
    holes: usize,
    compared: usize,
    skipped: usize,
    flips: Vec<(String, Flip)>,
}

/// A company with its whole answers, asked as they are needed.
struct Company {
    seed: u64,
    estate: Estate,
    lake: Lake,
    questions: Vec<Question>,
    reports: BTreeMap<(Option<Time>, Time), Value>,
    answers: BTreeMap<(Question, Time), Option<bool>>,
}

impl Company {
    fn of(seed: u64) -> Self {
        let estate = estate::plan::estate(seed, CLUSTERS).faster(PACE);
        let lake = Lake::of(logs(&estate, seed)).unwrap();
        let questions = questions(&estate);
        Company {
            seed,
            estate,
            lake,
            questions,
            reports: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    /// An earlier and a later moment.
    fn moments(&self, rng: &mut Rng) -> (Time, Time) {
        let plan = &self.estate.plan;
        let day = |d: Time| WINDOW_START + d * 86_400;
        let last = plan.last().unwrap().0 + 30;
        let all = [
            plan[plan.len() / 3].0 + 30,
            plan[plan.len() * 2 / 3].0 + 30,
            day(31 / PACE).min(last - 60),
            last,
        ];
        let pairs = [(0, 1), (1, 2), (2, 3), (0, 3)];
        let (earlier, later) = pairs[rng.below(pairs.len())];
        (all[earlier].min(all[later]), all[earlier].max(all[later]))
    }

    fn report(&mut self, earlier: Option<Time>, at: Time) -> Value {
        let lake = &self.lake;
        self.reports
            .entry((earlier, at))
            .or_insert_with(|| lake.report(earlier, at).unwrap())
            .clone()
    }

    fn can_i(&mut self, question: &Question, at: Time) -> Option<bool> {
        let lake = &self.lake;
        *self
            .answers
            .entry((question.clone(), at))
            .or_insert_with(|| lake.can_i(question, at).unwrap())
    }
}

fn logs(estate: &Estate, seed: u64) -> estate::logs::Logs<'_> {
    let mut logs = estate::logs::record(&estate.start, &estate.plan, WINDOW_START, seed);
    let until = estate.plan.last().unwrap().0 + 60;
    logs.hum(&estate.plan, WINDOW_START, until, seed);
    logs
}

/// Punches the hole of this number into a company's logs, asks, and compares.
fn judge(company: &mut Company, number: usize, tally: &Mutex<Tally>) {
    let mut rng = Rng::new(number as u64 ^ 0x686F_6C65);
    let estate = &company.estate;
    let mut left = logs(estate, company.seed);
    let kind = number % KINDS.len();
    let hole = punch(kind, &mut rng, &mut left, &estate.plan);
    let (earlier, at) = company.moments(&mut rng);
    let earlier = number.is_multiple_of(COMPARED).then_some(earlier);
    let excused = Excused::of(&hole.removed, &left, &estate.plan, &estate.start, at);
    let is_empty = left.trail.values().all(Vec::is_empty) && left.streams.values().all(Vec::is_empty);
    if hole.removed.is_empty() || is_empty {
        return;
    }
    let title = format!(
        "hole {number} (company {}, {}: {hole}), asked at {}{}",
        company.seed,
        KINDS[kind],
        estate::logs::iso(at),
        earlier.map_or(String::new(), |t| format!(", compared with {}", estate::logs::iso(t)))
    );
    let lake = Lake::of(left);
    let asked: Vec<Question> = some(&mut rng, &company.questions, 1).into_iter().cloned().collect();
    let full = company.report(earlier, at);
    let answers = lake.and_then(|lake| {
        let report = lake.report(earlier, at)?;
        let can_i: Result<Vec<_>, String> = asked.iter().map(|question| lake.can_i(question, at)).collect();
        Ok((report, can_i?))
    });
    let tally_of = |judge: Judge<'_>| {
        let mut tally = tally.lock().unwrap();
        tally.holes += 1;
        tally.compared += judge.compared;
        tally.skipped += judge.skipped;
        tally
            .flips
            .extend(judge.flips.into_iter().map(|flip| (title.clone(), flip)));
    };
    match answers {
        Ok((holed, can_i)) => {
            let mut judge = Judge::new(&full, &holed, &excused);
            judge.report();
            for (question, holed) in asked.iter().zip(can_i) {
                judge.can_i(question, company.can_i(question, at), holed);
            }
            tally_of(judge);
        }
        Err(error) => {
            let mut judge = Judge::new(&full, &Value::Null, &excused);
            judge.flips.push(Flip {
                kind: "no answer".to_owned(),
                told: error,
            });
            tally_of(judge);
        }
    }
}

fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable)
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(otherwise)
}

#[test]
fn holes_weaken_answers_and_never_flip_them() {
    let count = number("EKSPLAIN_HOLES", 32);
    let first = number("EKSPLAIN_HOLES_FIRST", 0);
    let tally = Mutex::new(Tally::default());
    let next = AtomicUsize::new(first / HOLES_EACH);
    std::thread::scope(|scope| {
        for _ in 0..number("EKSPLAIN_HOLES_THREADS", 2) {
            scope.spawn(|| {
                loop {
                    let company = next.fetch_add(1, Ordering::Relaxed);
                    if company * HOLES_EACH >= first + count {
                        return;
                    }
                    let mut of = Company::of(1 + company as u64);
                    let own = company * HOLES_EACH..(company + 1) * HOLES_EACH;
                    own.filter(|n| (first..first + count).contains(n))
                        .for_each(|n| judge(&mut of, n, &tally));
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    eprintln!(
        "{} holes, {} statements compared, {} skipped because what is missing cannot be noticed",
        tally.holes, tally.compared, tally.skipped
    );
    assert!(tally.holes > 0, "no hole was punched");
    assert!(tally.flips.is_empty(), "{}", told(&tally));
}

/// The flips by kind, most frequent first, each with its first example; all of them for a single hole.
fn told(tally: &Tally) -> String {
    let mut kinds: BTreeMap<&str, Vec<&(String, Flip)>> = BTreeMap::new();
    for flip in &tally.flips {
        kinds.entry(&flip.1.kind).or_default().push(flip);
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(kind, flips)| (std::cmp::Reverse(flips.len()), *kind));
    let examples = if tally.holes == 1 { usize::MAX } else { 1 };
    let mut text = format!("{} statements flipped, of {} kinds:\n", tally.flips.len(), kinds.len());
    for (kind, flips) in kinds {
        text += &format!("{:5} {kind}\n", flips.len());
        for (title, flip) in flips.into_iter().take(examples) {
            text += &format!("      {}\n      {title}\n", flip.told);
        }
    }
    text + "Again: EKSPLAIN_HOLES_FIRST=<number of the hole> EKSPLAIN_HOLES=1 cargo test --test holes"
}

#[test]
fn the_judge_tells_weaker_from_other() {
    use serde_json::json;
    let cluster = json!({"account": "1", "region": "r", "name": "c"});
    let admins = |status: &str, from: Value, state: &str| {
        json!({"admins": [{"cluster": cluster, "incarnation": 1, "principal": "p", "status": status, "principal_state": state,
            "routes": [{"route": "aws_auth", "status": status, "valid_from": from, "valid_to": null}]}]})
    };
    let creators = |confidence: &str, who: &str, needed: bool| {
        json!({"creators": [{"cluster": cluster, "incarnation": 1, "creator": {"principal": who}, "confidence": confidence,
            "creator_state": "unknown", "recovery": {"needed": needed}}]})
    };
    let denials = |reason: &str, confidence: &str, resolved: bool| {
        json!({"denials": [{"cluster": cluster, "principal": "p", "layer": "authn", "reason": reason, "confidence": confidence,
            "resolved": resolved, "request": {}, "first_seen": "2026-03-01T00:00:00Z", "last_seen": "2026-03-01T00:00:00Z"}]})
    };
    let check = |rule: &str| json!({"checks": [{"cluster": cluster, "rule": rule, "subject": "p"}]});
    let change = |kind: &str| json!({"changes": {"findings": [{"cluster": cluster, "kind": kind, "subject": "p"}]}});
    let date = |text: &str| json!(text);
    // Whole answer, holed answer, whether it holds.
    let cases = [
        (
            admins("revoked", Value::Null, "present"),
            admins("active", Value::Null, "present"),
            false,
        ),
        (
            admins("revoked", Value::Null, "present"),
            admins("unproven", Value::Null, "unknown"),
            true,
        ),
        (
            admins("active", Value::Null, "deleted"),
            admins("active", Value::Null, "present"),
            false,
        ),
        (
            admins("active", date("a"), "present"),
            admins("active", date("b"), "present"),
            false,
        ),
        (
            admins("active", date("a"), "present"),
            admins("active", Value::Null, "present"),
            true,
        ),
        (json!({}), admins("active", Value::Null, "unknown"), false),
        (json!({}), admins("unproven", Value::Null, "unknown"), true),
        (creators("certain", "a", false), creators("certain", "b", false), false),
        (creators("certain", "a", false), creators("guess", "b", false), true),
        (creators("certain", "a", false), creators("certain", "a", true), false),
        (
            denials("authn.a", "certain", false),
            denials("authn.b", "certain", false),
            false,
        ),
        (
            denials("authn.a", "certain", false),
            denials("authn.b", "likely", false),
            true,
        ),
        (
            denials("authn.a", "certain", false),
            denials("authn.a", "certain", true),
            false,
        ),
        (json!({}), check("creator.only-admin"), false),
        (json!({}), check("logs.missing"), true),
        (check("creator.only-admin"), check("creator.only-admin"), true),
        (json!({}), change("lost-admin"), false),
        (change("lost-admin"), change("lost-admin"), true),
    ];
    for (full, holed, holds) in cases {
        let excused = Excused::default();
        let mut judge = Judge::new(&full, &holed, &excused);
        judge.report();
        assert_eq!(judge.flips.is_empty(), holds, "{full} and {holed}: {:?}", judge.flips);
    }
    let question: Question = ["list", "nodes", "--as", "p", "--cluster", "c"]
        .map(str::to_owned)
        .to_vec();
    for (full, holed, holds) in [
        (Some(true), Some(false), false),
        (Some(true), None, true),
        (None, Some(false), false),
        (Some(false), Some(false), true),
    ] {
        let (nothing, excused) = (Value::Null, Excused::default());
        let mut judge = Judge::new(&nothing, &nothing, &excused);
        judge.can_i(&question, full, holed);
        assert_eq!(judge.flips.is_empty(), holds, "{full:?} and {holed:?}");
    }
}
