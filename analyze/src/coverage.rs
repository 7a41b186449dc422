//! Coverage: what was seen of each cluster in each source, where it has holes, and what therefore cannot be known.

use std::collections::BTreeMap;

use eksplain_parse::time::format_rfc3339;
use eksplain_queries::facts::{CoverageDay, Mark, Micros};

use crate::findings::{Cluster, Coverage, Source};
use crate::state::{MappingState, World};

#[derive(Debug, Default)]
struct Seen<'f> {
    days: Vec<&'f CoverageDay>,
}

/// Every cluster and source, with what each could not show; sources that a known cluster lacks are listed with no records.
pub(crate) fn coverage(world: &World<'_>) -> Vec<Coverage> {
    let mut seen: BTreeMap<(Option<Cluster>, Source), Seen<'_>> = BTreeMap::new();
    for cluster in world.lives.keys() {
        for source in Source::ALL.iter().filter(|source| **source != Source::Snapshot) {
            seen.entry((Some(cluster.clone()), *source)).or_default();
        }
    }
    for day in &world.facts.coverage {
        let cluster = world
            .places
            .cluster(&day.place)
            .filter(|cluster| world.lives.contains_key(cluster));
        let source = Source::from_id(&day.table).unwrap_or(Source::Snapshot);
        seen.entry((cluster, source)).or_default().days.push(day);
    }
    seen.into_iter()
        .map(|((cluster, source), seen)| one(world, cluster, source, seen.days))
        .collect()
}

fn one(world: &World<'_>, cluster: Option<Cluster>, source: Source, mut days: Vec<&CoverageDay>) -> Coverage {
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
        .filter(|((day, _), (next, _))| source != Source::Cloudtrail && *next - *day > 1)
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
        source,
        first: days.iter().map(|day| day.first.ts).min(),
        last: days.iter().map(|day| day.last.ts).max(),
        records: days.iter().map(|day| day.records).sum(),
        gaps,
        blind_spots,
    }
}

/// What a hole hides: the audit log holds the changes, the authenticator's the logins.
fn hole(source: Source, from: Micros, to: Micros, more: usize) -> String {
    let what = match source {
        Source::Audit => "what changed in RBAC and aws-auth or was asked then",
        Source::Authenticator => "what logged in or was refused then",
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

fn blind_spots(world: &World<'_>, cluster: &Cluster, source: Source, days: &[&CoverageDay]) -> Vec<String> {
    let mut spots = Vec::new();
    let lives = world.lives.get(cluster).map_or(&[][..], Vec::as_slice);
    let has_birth = lives.first().is_some_and(|life| life.created.is_some());
    let first = days.iter().map(|day| day.first.ts).min();
    match (source, first) {
        (Source::Audit | Source::Authenticator, None) => {
            spots.push(format!("No {source} log of this cluster is in the lake: control-plane logging of type {source} is off or was not ingested, and logging is not retroactive."));
        }
        (Source::Audit, Some(first)) if !has_birth => {
            spots.push(format!(
                "What was granted before {} and not touched since is not in these logs; a snapshot would show it.",
                format_rfc3339(first)
            ));
        }
        (Source::Cloudtrail, None) => {
            spots.push("Access entries and the creator cannot be reconstructed without CloudTrail.".to_owned())
        }
        (Source::Cloudtrail, Some(_)) if !has_birth => {
            spots.push("The CreateCluster event is not in the lake: CloudTrail's event history ends 90 days back, an older one is only in a trail or event data store.".to_owned());
        }
        _ => {}
    }
    if source == Source::Audit {
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
