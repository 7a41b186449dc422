//! Holes: what a company's logs may lack, and what of it nobody could notice.

use std::collections::BTreeSet;
use std::fmt;

use crate::estate::logs::Logs;
use crate::estate::logs::files::half;
use crate::estate::rng::Rng;
use crate::estate::world::{Op, Time};

const DAY_MS: i64 = 86_400_000;

/// Where a record lies: the trail of an account and region, or a stream of a cluster.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Place {
    Trail { account: String, region: String },
    Stream { cluster: usize, kind: &'static str },
}

/// A record that is not there any more.
#[derive(Clone, Debug)]
pub(crate) struct Removed {
    pub place: Place,
    pub at_ms: i64,
    pub op: Option<usize>,
    /// The record that told of a change of state, not a login beside it.
    pub changes: bool,
    /// It was cut or lies in a file that was: what is left of it says that something is missing.
    pub cut: bool,
}

/// What was done to the logs, in words, and what they lost.
#[derive(Default)]
pub(crate) struct Hole {
    pub words: Vec<String>,
    pub removed: Vec<Removed>,
}

impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join("; "))
    }
}

/// The kinds of the test's documentation, (a) to (h).
pub(crate) const KINDS: [&str; 8] = [
    "records",
    "days",
    "trail of a region or account",
    "whole source",
    "beginning or end",
    "cut events",
    "logging off",
    "several",
];

/// Punches a hole of a kind; every choice comes from `rng`.
pub(crate) fn punch(kind: usize, rng: &mut Rng, logs: &mut Logs<'_>, plan: &[(Time, Op)]) -> Hole {
    let mut hole = Hole::default();
    match kind {
        0 => single_records(rng, logs, plan, &mut hole),
        1 => days(rng, logs, &mut hole),
        2 => trail(rng, logs, &mut hole),
        3 => source(rng, logs, &mut hole),
        4 => end(rng, logs, &mut hole),
        5 => cuts(rng, logs, plan, &mut hole),
        6 => logging_off(rng, logs, &mut hole),
        _ => {
            for _ in 0..2 + rng.below(2) {
                let kind = rng.below(7);
                let one = punch(kind, rng, logs, plan);
                hole.words.extend(one.words);
                hole.removed.extend(one.removed);
            }
        }
    }
    hole
}

fn single_records(rng: &mut Rng, logs: &mut Logs<'_>, plan: &[(Time, Op)], hole: &mut Hole) {
    for _ in 0..1 + rng.below(3) {
        let Some((place, at_ms, op)) = some_record(rng, logs) else {
            return;
        };
        let mut is_first = true;
        hole.words
            .push(format!("one record of {} ({})", words(logs, &place), told(plan, op)));
        remove(logs, hole, |p, at, o| {
            let is_it = is_first && *p == place && at == at_ms && o == Some(op);
            is_first &= !is_it;
            is_it
        });
    }
}

fn days(rng: &mut Rng, logs: &mut Logs<'_>, hole: &mut Hole) {
    let Some((place, at_ms, _)) = some_record(rng, logs) else {
        return;
    };
    let first = at_ms / DAY_MS * DAY_MS;
    let count = 1 + rng.below(3) as i64;
    hole.words
        .push(format!("{count} days from {} of {}", date(first), words(logs, &place)));
    remove(logs, hole, |p, at, _| {
        *p == place && (first..first + count * DAY_MS).contains(&at)
    });
}

fn trail(rng: &mut Rng, logs: &mut Logs<'_>, hole: &mut Hole) {
    let trails: BTreeSet<(String, String)> = logs.trail.keys().map(|(a, r, _)| (a.clone(), r.clone())).collect();
    let trails: Vec<_> = trails.into_iter().collect();
    if trails.is_empty() {
        return;
    }
    let (account, region) = rng.pick(&trails).clone();
    match rng.below(4) {
        0 => {
            hole.words.push(format!("the whole trail of account {account}"));
            remove(
                logs,
                hole,
                |p, _, _| matches!(p, Place::Trail { account: a, .. } if *a == account),
            );
        }
        1 => {
            hole.words.push("the trail of us-east-1 in every account".to_owned());
            remove(
                logs,
                hole,
                |p, _, _| matches!(p, Place::Trail { region, .. } if region == "us-east-1"),
            );
        }
        _ => {
            hole.words.push(format!("the whole trail of {account} {region}"));
            let gone = Place::Trail { account, region };
            remove(logs, hole, |p, _, _| *p == gone);
        }
    }
}

fn source(rng: &mut Rng, logs: &mut Logs<'_>, hole: &mut Hole) {
    let streams: Vec<(usize, &'static str)> = logs.streams.keys().copied().collect();
    if streams.is_empty() {
        return;
    }
    let (cluster, kind) = *rng.pick(&streams);
    match rng.below(5) {
        0 => {
            hole.words.push("every trail".to_owned());
            remove(logs, hole, |p, _, _| matches!(p, Place::Trail { .. }));
        }
        1 => {
            hole.words.push(format!("every stream {kind}"));
            remove(
                logs,
                hole,
                |p, _, _| matches!(p, Place::Stream { kind: k, .. } if *k == kind),
            );
        }
        _ => {
            let gone = Place::Stream { cluster, kind };
            hole.words.push(format!("all of {}", words(logs, &gone)));
            remove(logs, hole, |p, _, _| *p == gone);
        }
    }
}

fn end(rng: &mut Rng, logs: &mut Logs<'_>, hole: &mut Hole) {
    let Some((place, at_ms, _)) = some_record(rng, logs) else {
        return;
    };
    let is_beginning = rng.chance(60);
    let what = if is_beginning { "before" } else { "after" };
    // Just behind a record or just before it: where it hurts.
    let edge = if is_beginning { at_ms + 1000 } else { at_ms - 1000 };
    let gone = |at: i64| if is_beginning { at < edge } else { at >= edge };
    let scope = rng.below(4);
    let of = match scope {
        0 => "everything".to_owned(),
        1 => "every trail".to_owned(),
        2 => "every audit log".to_owned(),
        _ => words(logs, &place),
    };
    hole.words.push(format!("{of} {what} {}", time(edge)));
    remove(logs, hole, |p, at, _| {
        gone(at)
            && match scope {
                0 => true,
                1 => matches!(p, Place::Trail { .. }),
                2 => matches!(p, Place::Stream { kind, .. } if kind.contains("audit")),
                _ => *p == place,
            }
    });
}

fn cuts(rng: &mut Rng, logs: &mut Logs<'_>, plan: &[(Time, Op)], hole: &mut Hole) {
    for _ in 0..1 + rng.below(3) {
        let Some((place, at_ms, op)) = some_record(rng, logs) else {
            return;
        };
        let told = told(plan, op);
        match &place {
            Place::Stream { cluster, kind } => {
                let lines = logs.streams.get_mut(&(*cluster, *kind)).into_iter().flatten();
                let Some(line) = lines
                    .into_iter()
                    .find(|line| line.at_ms == at_ms && line.op == Some(op))
                else {
                    continue;
                };
                line.content = half(&line.content).to_owned();
                let (op, changes) = (line.op.take(), line.changes);
                hole.removed.push(Removed {
                    place: place.clone(),
                    at_ms,
                    op,
                    changes,
                    cut: true,
                });
                hole.words
                    .push(format!("half of a record of {} ({told})", words(logs, &place)));
            }
            Place::Trail { account, region } => {
                let key = (account.clone(), region.clone(), date(at_ms));
                let Some(records) = logs.trail.get(&key) else { continue };
                let Some(index) = records.iter().position(|record| record.at_ms == at_ms) else {
                    continue;
                };
                if logs.cut.contains_key(&key) {
                    continue;
                }
                hole.removed.extend(records[index..].iter().map(|record| Removed {
                    place: place.clone(),
                    at_ms: record.at_ms,
                    op: record.op,
                    changes: record.changes,
                    cut: true,
                }));
                hole.words.push(format!(
                    "the end of the file of {} {region} {} from the middle of a record on ({told})",
                    account, key.2
                ));
                logs.cut.insert(key, index);
            }
        }
    }
}

/// Somebody switches the logs of a cluster off, for days or for ever; the trail says so.
fn logging_off(rng: &mut Rng, logs: &mut Logs<'_>, hole: &mut Hole) {
    let Some((Place::Stream { cluster, .. }, at_ms, _)) =
        (0..20).find_map(|_| some_record(rng, logs).filter(|(place, ..)| matches!(place, Place::Stream { .. })))
    else {
        return;
    };
    let off = at_ms - 1000;
    let on = rng.chance(50).then(|| off + (1 + rng.below(3) as i64) * DAY_MS);
    let before = hole.removed.len();
    remove(logs, hole, |p, at, _| {
        matches!(p, Place::Stream { cluster: own, .. } if *own == cluster) && at >= off && on.is_none_or(|on| at < on)
    });
    // Whoever reads the trail knows.
    hole.removed[before..].iter_mut().for_each(|gone| gone.cut = true);
    logs.switch_logging(cluster, off, false, rng);
    if let Some(on) = on {
        logs.switch_logging(cluster, on, true, rng);
    }
    let until = on.map_or(String::new(), |on| format!(" until {}", time(on)));
    let of = words(
        logs,
        &Place::Stream {
            cluster,
            kind: "all logs",
        },
    );
    hole.words.push(format!("{of} switched off at {}{until}", time(off)));
}

/// One record of what happened, not of the hum.
fn some_record(rng: &mut Rng, logs: &Logs<'_>) -> Option<(Place, i64, usize)> {
    let mut all: Vec<(Place, i64, usize)> = Vec::new();
    for ((account, region, _), records) in &logs.trail {
        let place = Place::Trail {
            account: account.clone(),
            region: region.clone(),
        };
        all.extend(records.iter().filter_map(|r| Some((place.clone(), r.at_ms, r.op?))));
    }
    for ((cluster, kind), lines) in &logs.streams {
        let place = Place::Stream {
            cluster: *cluster,
            kind,
        };
        // A login leaves three lines, a change one: most holes should hurt.
        let hurts = |line: &&crate::estate::logs::Record<String>| line.changes || line.at_ms % 3 == 0;
        all.extend(
            lines
                .iter()
                .filter(hurts)
                .filter_map(|r| Some((place.clone(), r.at_ms, r.op?))),
        );
    }
    if all.is_empty() {
        None
    } else {
        Some(rng.pick(&all).clone())
    }
}

fn remove(logs: &mut Logs<'_>, hole: &mut Hole, mut is_gone: impl FnMut(&Place, i64, Option<usize>) -> bool) {
    let cut: Vec<_> = logs.cut.keys().cloned().collect();
    for (key, records) in &mut logs.trail {
        if cut.contains(key) {
            continue;
        }
        let place = Place::Trail {
            account: key.0.clone(),
            region: key.1.clone(),
        };
        records.retain(|r| {
            let gone = is_gone(&place, r.at_ms, r.op);
            if gone {
                hole.removed.push(Removed {
                    place: place.clone(),
                    at_ms: r.at_ms,
                    op: r.op,
                    changes: r.changes,
                    cut: false,
                });
            }
            !gone
        });
    }
    for ((cluster, kind), lines) in &mut logs.streams {
        let place = Place::Stream {
            cluster: *cluster,
            kind,
        };
        lines.retain(|r| {
            let gone = is_gone(&place, r.at_ms, r.op);
            if gone {
                hole.removed.push(Removed {
                    place: place.clone(),
                    at_ms: r.at_ms,
                    op: r.op,
                    changes: r.changes,
                    cut: false,
                });
            }
            !gone
        });
    }
}

fn told(plan: &[(Time, Op)], op: usize) -> String {
    let text = format!("{:?}", plan[op].1);
    text.split([' ', '{']).next().unwrap_or_default().to_owned()
}

fn words(logs: &Logs<'_>, place: &Place) -> String {
    match place {
        Place::Trail { account, region } => format!("the trail of {account} {region}"),
        Place::Stream { cluster, kind } => {
            let n = &logs.names.names[*cluster];
            format!("{kind} of {} {} {}", n.account, n.region, n.name)
        }
    }
}

fn time(ms: i64) -> String {
    crate::estate::logs::iso(ms.div_euclid(1000))
}

fn date(ms: i64) -> String {
    time(ms)[..10].to_owned()
}
