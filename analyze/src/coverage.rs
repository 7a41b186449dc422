//! Coverage: what was seen of each cluster in each source, where it has gaps, and what therefore cannot be known.

use std::collections::BTreeMap;

use eksplain_parse::time::format_rfc3339;
use eksplain_queries::facts::{CoverageDay, Micros};

use crate::findings::{Cluster, Coverage, Source};
use crate::knowledge::{FRESH, Log, Measure, Why};
use crate::state::cut::CutWhat;
use crate::state::history::{How, State};
use crate::state::rbac_history::Completeness;
use crate::state::{Incarnation, World};

/// Every cluster and source, with what each could not show; sources that a known cluster lacks are listed with no records.
pub(crate) fn coverage(world: &World<'_>, at: Micros) -> Vec<Coverage> {
    let mut seen: BTreeMap<(Option<Cluster>, Source), Vec<&CoverageDay>> = BTreeMap::new();
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
        seen.entry((cluster, source)).or_default().push(day);
    }
    seen.into_iter()
        .map(|((cluster, source), days)| one(world, cluster, source, &days, at))
        .collect()
}

fn one(world: &World<'_>, cluster: Option<Cluster>, source: Source, days: &[&CoverageDay], at: Micros) -> Coverage {
    let records = days.iter().map(|day| day.records).sum();
    let last = days.iter().map(|day| day.last.ts).max();
    let (gaps, blind_spots) = match &cluster {
        None => (Vec::new(), of_no_cluster(source, records)),
        Some(cluster) => {
            let lives = world.lives.get(cluster).map_or(&[][..], Vec::as_slice);
            let gaps = lives.iter().flat_map(|life| gaps(life, source, at)).collect();
            let spots = lives
                .last()
                .map(|life| blind_spots(world, lives, life, source, last, at));
            (gaps, spots.unwrap_or_default())
        }
    };
    Coverage {
        cluster,
        source,
        first: days.iter().map(|day| day.first.ts).min(),
        last,
        records,
        gaps,
        blind_spots,
    }
}

/// Kubernetes's logs do not say their cluster: who did not say it at ingest has records that answer nothing.
fn of_no_cluster(source: Source, records: u64) -> Vec<String> {
    let name = match source {
        Source::Audit => "audit record",
        Source::Authenticator => "authenticator record",
        _ => return Vec::new(),
    };
    let (plural, verb) = if records == 1 { ("", "names") } else { ("s", "name") };
    vec![format!(
        "{records} {name}{plural} {verb} no cluster, so no answer uses them: `eksplain lake assign --cluster NAME` gives them one."
    )]
}

fn log_of<'l>(life: &'l Incarnation<'_>, source: Source) -> Option<&'l Log> {
    match source {
        Source::Audit => Some(&life.logs.audit),
        Source::Authenticator => Some(&life.logs.authenticator),
        Source::Cloudtrail => Some(&life.logs.trail),
        Source::Snapshot => None,
    }
}

/// Stretches between records, or behind the last, in which a change would not show.
fn gaps(life: &Incarnation<'_>, source: Source, at: Micros) -> Vec<(Micros, Micros)> {
    let listed = |why: &Why| matches!(why, Why::Silence | Why::Ended | Why::SwitchedOff(_));
    let log = log_of(life, source).into_iter().flat_map(Log::gaps);
    let mut gaps: Vec<(Micros, Micros)> = log
        .filter(|gap| listed(&gap.why) && gap.from < at)
        .map(|gap| (gap.from, gap.to.min(at)))
        .collect();
    gaps.sort_unstable();
    gaps.dedup();
    gaps
}

fn blind_spots(
    world: &World<'_>,
    lives: &[Incarnation<'_>],
    life: &Incarnation<'_>,
    source: Source,
    last: Option<Micros>,
    at: Micros,
) -> Vec<String> {
    let mut spots = Vec::new();
    if let Some(log) = log_of(life, source) {
        spots.extend(of_log(lives, log, source, at));
    }
    match source {
        Source::Audit => spots.extend(of_audit(life, at)),
        Source::Cloudtrail => spots.extend(of_trail(world, lives, life)),
        Source::Snapshot => spots.extend(of_snapshot(life, last, at)),
        Source::Authenticator => {}
    }
    if let Some(ended) = life.lake_ended_before(at).filter(|_| last.is_some()) {
        spots.push(format!("The lake ends {}: it has no later records.", second(ended)));
    }
    spots
}

/// What the gaps of a log hide.
fn of_log(lives: &[Incarnation<'_>], log: &Log, source: Source, at: Micros) -> Vec<String> {
    let mut spots = Vec::new();
    let hides = match source {
        Source::Audit => "what changed in RBAC and aws-auth or was asked then",
        Source::Authenticator => "what logged in or was refused then",
        _ => "what changed in access entries, policies and the mode then",
    };
    let mut silences = log.gaps().iter().filter(|gap| gap.why == Why::Silence);
    if let Some(gap) = silences.next() {
        let also = match silences.count() {
            0 => String::new(),
            1 => " (and in 1 more gap)".to_owned(),
            more => format!(" (and in {more} more gaps)"),
        };
        spots.push(format!(
            "No {source} record of this cluster between {} and {}{also}: {hides}, if anything, is not in these logs.",
            second(gap.from),
            second(gap.to)
        ));
    }
    for gap in log.gaps().iter().filter(|gap| gap.from < at) {
        match &gap.why {
            Why::NotIngested if source == Source::Cloudtrail => {
                spots.push("Access entries and the creator cannot be reconstructed without CloudTrail.".to_owned());
            }
            Why::NotIngested => spots.push(format!("No {source} log of this cluster is in the lake: control-plane logging of type {source} is off or was not ingested, and logging is not retroactive.")),
            Why::NotYet if source == Source::Audit => spots.push(format!(
                "What was granted before {} and not changed since is not in these logs; a snapshot would show it.",
                format_rfc3339(gap.to)
            )),
            Why::SwitchedOff(by) => {
                let by = by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
                let until = if gap.to >= at { String::new() } else { format!(" until {}", second(gap.to)) };
                spots.push(format!("Control-plane logging of type {source} is off (since {}{by}{until}); logging is not retroactive.", second(gap.from)));
            }
            Why::Ended => spots.push(format!(
                "The {source} log of this cluster ends {} although other logs continue: {hides}, if anything, is not in these logs.",
                second(gap.from)
            )),
            _ => {}
        }
    }
    let unreadable: Vec<_> = log.gaps().iter().filter(|gap| gap.why == Why::Unreadable).collect();
    if let Some(first) = unreadable.first() {
        let many = unreadable.len();
        let (plural, verb) = if many == 1 { ("", "was") } else { ("s", "were") };
        spots.push(format!(
            "{many} {source} record{plural} of this cluster {verb} cut or could not be read, the first at {}: `eksplain query rejects` shows them.",
            second(first.from)
        ));
    }
    let _ = lives;
    spots
}

fn of_audit(life: &Incarnation<'_>, at: Micros) -> Vec<String> {
    let mut spots = Vec::new();
    let by_name = |by: Option<&str>| by.map_or("somebody".to_owned(), str::to_owned);
    if let Some(version) = life
        .aws_auth
        .last_by(at)
        .filter(|version| version.state == State::Obscured)
    {
        let by = by_name(version.by.as_deref());
        let why = match version.how {
            How::Birth => "EKS does not log the content of a create",
            _ => "the record was cut off, or does not contain the object",
        };
        let when = format_rfc3339(version.at.ts);
        spots.push(format!(
            "aws-auth was written at {when} by {by}, and the log does not show its content: {why}; `kubectl get configmap aws-auth -n kube-system -o json` would."
        ));
    }
    for cut in life.cut.iter().filter(|cut| cut.at.ts <= at) {
        if let CutWhat::Object { resource, name, .. } = &cut.what {
            let name = name.as_deref().unwrap_or("an unnamed object");
            let by = by_name(cut.by.as_deref());
            spots.push(format!(
                "The record of {by} writing {resource} {name} at {} was cut off: its content since then is not known.",
                second(cut.at.ts)
            ));
        }
    }
    spots.truncate(5);
    spots
}

fn of_trail(world: &World<'_>, lives: &[Incarnation<'_>], life: &Incarnation<'_>) -> Vec<String> {
    let mut spots = Vec::new();
    let is_there = life.logs.trail.bounds.is_some();
    if is_there && lives.first().is_some_and(|first| first.created.is_none()) {
        spots.push("The CreateCluster event is not in the lake: CloudTrail's event history covers 90 days; older events are only in a trail or event data store.".to_owned());
    }
    let account = &life.cluster.account;
    if is_there && !account.is_empty() && !world.iam.accounts().contains(account.as_str()) {
        spots.push(format!(
            "IAM events of account {account} are not in the lake (they are logged in {}): whether its principals still exist is not known; `eksplain ingest cloudtrail --event-source iam` would show it.",
            crate::state::home_region(&life.cluster.region)
        ));
    }
    spots
}

/// What a snapshot did not look at, and how old it is.
fn of_snapshot(life: &Incarnation<'_>, last: Option<Micros>, at: Micros) -> Vec<String> {
    let Some(last) = last else { return Vec::new() };
    let mut spots = Vec::new();
    let name = crate::shell::quote(&life.cluster.name);
    let has = |kind: &str| life.snapshots.iter().any(|snapshot| snapshot.kind == kind);
    let reads_aws_auth = life.mode_at(at) != crate::state::Mode::Api;
    let has_audit = life.logs.audit.bounds.is_some();
    if reads_aws_auth && !has_audit && life.aws_auth.versions().is_empty() {
        spots.push(format!(
            "aws-auth of {name} is not in the lake: `kubectl get configmap aws-auth -n kube-system -o json | eksplain ingest snapshot --kubectl - --cluster {name}` would show it."
        ));
    }
    let kinds = ["clusterrolebindings", "rolebindings", "clusterroles", "roles"];
    let missing: Vec<&str> = kinds
        .into_iter()
        .filter(|kind| {
            let known = life.rbac_completeness_at(at, &[kind], Measure::Standing);
            !has_audit && matches!(known, Completeness::NotLookedAt(_))
        })
        .collect();
    if !missing.is_empty() {
        let kinds = missing.join(",");
        spots.push(format!(
            "The RBAC of {name} is not completely in the lake: `kubectl get {kinds} -A -o json | eksplain ingest snapshot --kubectl - --cluster {name}` would show the {}.",
            missing.join(", ")
        ));
    }
    if !has("cluster") && life.modes.is_empty() {
        spots.push(format!(
            "The authentication mode and the access entries of {name} are not in the lake: `eksplain ingest snapshot --cluster {name}` would show them."
        ));
    }
    let is_followed = life.logs.audit.gap_between(Measure::Whole, last, at).is_none();
    if at > last.saturating_add(FRESH) && !is_followed {
        spots.push(format!(
            "The snapshot was taken {}: later changes are not in the lake; `eksplain ingest snapshot --cluster {name}` takes another.",
            second(last)
        ));
    }
    spots
}

fn second(time: Micros) -> String {
    format_rfc3339(time - time.rem_euclid(1_000_000))
}
