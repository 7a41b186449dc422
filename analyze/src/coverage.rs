//! Coverage: what was seen of each cluster in each source, where it has holes, and what therefore cannot be known.

use std::collections::BTreeMap;

use eksplain_parse::time::format_rfc3339;
use eksplain_queries::facts::{CoverageDay, Mark, Micros};

use crate::findings::{Cluster, Coverage};
use crate::state::{MappingState, World};

#[derive(Debug, Default)]
struct Seen<'f> {
    days: Vec<&'f CoverageDay>,
}

const SOURCES: [&str; 4] = ["audit", "authenticator", "cloudtrail", "snapshot"];

/// Every cluster and source, with what each could not show; sources that a known cluster lacks are listed with no records.
pub(crate) fn coverage(world: &World<'_>) -> Vec<Coverage> {
    let mut seen: BTreeMap<(Option<Cluster>, &str), Seen<'_>> = BTreeMap::new();
    for cluster in world.lives.keys() {
        for source in SOURCES.into_iter().filter(|source| *source != "snapshot") {
            seen.entry((Some(cluster.clone()), source)).or_default();
        }
    }
    for day in &world.facts.coverage {
        let cluster = world
            .places
            .cluster(&day.place)
            .filter(|cluster| world.lives.contains_key(cluster));
        let source = SOURCES
            .into_iter()
            .find(|source| *source == day.table)
            .unwrap_or("snapshot");
        seen.entry((cluster, source)).or_default().days.push(day);
    }
    seen.into_iter()
        .map(|((cluster, source), seen)| one(world, cluster, source, seen.days))
        .collect()
}

fn one(world: &World<'_>, cluster: Option<Cluster>, source: &str, mut days: Vec<&CoverageDay>) -> Coverage {
    days.sort_by_key(|day| (day.day, day.first.ts));
    let mut merged: BTreeMap<i32, (&Mark, &Mark)> = BTreeMap::new();
    for day in &days {
        let (first, last) = merged.entry(day.day).or_insert((&day.first, &day.last));
        *first = (*first).min(&day.first);
        *last = (*last).max(&day.last);
    }
    // A hole is at least one whole UTC day without a record; calls of AWS may be rarer than that, and their silence is no hole.
    let pairs = merged.iter().zip(merged.iter().skip(1));
    let gaps: Vec<(Micros, Micros)> = pairs
        .filter(|((day, _), (next, _))| source != "cloudtrail" && *next - *day > 1)
        .map(|((_, (_, last)), (_, (first, _)))| (last.ts, first.ts))
        .collect();
    let mut blind_spots = cluster
        .as_ref()
        .map(|cluster| blind_spots(world, cluster, source, &days))
        .unwrap_or_default();
    if let Some((from, to)) = gaps.first().filter(|_| cluster.is_some()) {
        blind_spots.push(hole(source, *from, *to, gaps.len() - 1));
    }
    Coverage {
        cluster,
        source: source.to_owned(),
        first: days.iter().map(|day| day.first.ts).min(),
        last: days.iter().map(|day| day.last.ts).max(),
        records: days.iter().map(|day| day.records).sum(),
        gaps,
        blind_spots,
    }
}

/// What a hole hides: the audit log holds the changes, the authenticator's the logins.
fn hole(source: &str, from: Micros, to: Micros, more: usize) -> String {
    let what = match source {
        "audit" => "what changed in RBAC and aws-auth or was asked then",
        "authenticator" => "what logged in or was refused then",
        _ => "what happened then",
    };
    let also = match more {
        0 => String::new(),
        1 => " (and in 1 more gap)".to_owned(),
        more => format!(" (and in {more} more gaps)"),
    };
    let second = |time: Micros| format_rfc3339(time - time.rem_euclid(1_000_000));
    format!(
        "No {source} record of this cluster between {} and {}{also}: {what}, if anything, is not in these logs.",
        second(from),
        second(to)
    )
}

fn blind_spots(world: &World<'_>, cluster: &Cluster, source: &str, days: &[&CoverageDay]) -> Vec<String> {
    let mut spots = Vec::new();
    let lives = world.lives.get(cluster).map_or(&[][..], Vec::as_slice);
    let has_birth = lives.first().is_some_and(|life| life.created.is_some());
    let first = days.iter().map(|day| day.first.ts).min();
    match (source, first) {
        ("audit" | "authenticator", None) => {
            spots.push(format!("No {source} log of this cluster is in the lake: control-plane logging of type {source} is off or was not ingested, and logging is not retroactive."));
        }
        ("audit", Some(first)) if !has_birth => {
            spots.push(format!(
                "What was granted before {} and not touched since is not in these logs; a snapshot would show it.",
                format_rfc3339(first)
            ));
        }
        ("cloudtrail", None) => {
            spots.push("Access entries and the creator cannot be reconstructed without CloudTrail.".to_owned())
        }
        ("cloudtrail", Some(_)) if !has_birth => {
            spots.push("The CreateCluster event is not in the lake: CloudTrail's event history ends 90 days back, an older one is only in a trail or event data store.".to_owned());
        }
        _ => {}
    }
    if source == "audit" {
        for version in lives
            .iter()
            .flat_map(|life| life.aws_auth.last())
            .filter(|version| version.state == MappingState::Unknown)
        {
            let by = version.by.as_deref().unwrap_or("somebody");
            spots.push(format!("aws-auth was written at {} by {by}, and the log does not hold its content: EKS does not log the content of a create.", format_rfc3339(version.at.ts)));
        }
    }
    spots
}
