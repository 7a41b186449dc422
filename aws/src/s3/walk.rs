//! Which objects to read: folder by folder, side by side, leaving out what cannot match.

use std::path::PathBuf;

use eksplain_ingest::Object;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{ListResult, ObjectStore, ObjectStoreExt};

use super::{Place, Source, as_path};
use crate::pull::{Micros, Range};
use crate::quota::Meter;

const DAY: Micros = 86_400_000_000;
/// Folders listed at a time.
const WIDTH: usize = 16;
/// Attempts of one listing; object_store tries again inside each.
const ATTEMPTS: usize = 3;

pub(super) async fn list(
    store: &AmazonS3,
    place: &Place,
    source: &Source,
    meter: &Meter,
) -> object_store::Result<Vec<Object>> {
    let root = Path::parse(&place.prefix)?;
    let mut waiting = vec![root.clone()];
    let mut running = FuturesUnordered::new();
    let mut objects = Vec::new();
    loop {
        while running.len() < WIDTH
            && let Some(folder) = waiting.pop()
        {
            running.push(list_folder(store, folder, meter));
        }
        let Some(listed) = running.next().await else { break };
        let listed = listed?;
        waiting.extend(
            listed
                .common_prefixes
                .into_iter()
                .filter(|folder| can_match(folder.as_ref(), source)),
        );
        objects.extend(listed.objects.into_iter().filter_map(|meta| {
            let key = meta.location.as_ref();
            let modified = meta.last_modified.timestamp_micros();
            // Keys of folders hold nothing; what was written before the window cannot hold records of it.
            let is_old = source.window.is_some_and(|window| modified < window.from);
            if meta.size == 0 || is_old {
                return None;
            }
            Some(Object {
                path: as_path(key),
                relative: PathBuf::from(key.strip_prefix(root.as_ref()).unwrap_or(key).trim_start_matches('/')),
                uri: format!("s3://{}/{key}", place.bucket),
                size: meta.size,
                modified: Some(modified),
            })
        }));
    }
    // The prefix may be one object.
    if objects.is_empty()
        && !place.prefix.is_empty()
        && let Ok(meta) = store.head(&root).await
    {
        objects.push(Object {
            path: as_path(&place.prefix),
            relative: PathBuf::from(meta.location.filename().unwrap_or_default()),
            uri: format!("s3://{}/{}", place.bucket, place.prefix),
            size: meta.size,
            modified: Some(meta.last_modified.timestamp_micros()),
        });
    }
    Ok(objects)
}

async fn list_folder(store: &AmazonS3, folder: Path, meter: &Meter) -> object_store::Result<ListResult> {
    let prefix = (!folder.as_ref().is_empty()).then_some(&folder);
    let mut attempt = 1;
    loop {
        let answer = store.list_with_delimiter(prefix).await;
        let pages = answer.as_ref().map_or(1, |listed| {
            1 + (listed.objects.len() + listed.common_prefixes.len()) as u64 / 1000
        });
        Meter::add(&meter.requests, pages);
        match answer {
            Err(object_store::Error::Generic { .. }) if attempt < ATTEMPTS => attempt += 1,
            answer => return answer,
        }
    }
}

/// Whether a folder may hold what was asked for, as far as its name tells: folders of trails by kind, region and day, others by day.
fn can_match(folder: &str, source: &Source) -> bool {
    let parts: Vec<&str> = folder.split('/').collect();
    if let Some(at) = parts.iter().rposition(|part| *part == "AWSLogs") {
        let mut rest = parts[at + 1..].iter().skip_while(|part| part.starts_with("o-")).skip(1);
        match rest.next() {
            None => {}
            Some(&"CloudTrail") => {
                if let Some(region) = rest.next()
                    && !source.regions.is_empty()
                    && !source.regions.iter().any(|wanted| wanted == region)
                {
                    return false;
                }
            }
            // Digests, insights, network events, and logs of other services.
            Some(_) => return false,
        }
    }
    source.window.is_none_or(|window| day_fits(&parts, window))
}

/// `YYYY`, `YYYY/MM`, `YYYY/MM/DD` at the end of a path or before its hour: may records of the window lie there? Deliveries are late by
/// hours at most, never early.
fn day_fits(parts: &[&str], window: Range) -> bool {
    let number = |part: &str, digits: usize| {
        (part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<i64>().ok())
            .flatten()
    };
    let year_at = parts
        .iter()
        .position(|part| number(part, 4).is_some_and(|year| (2000..2200).contains(&year)));
    let Some(at) = year_at else { return true };
    let year = number(parts[at], 4).unwrap_or(0);
    let month = parts
        .get(at + 1)
        .and_then(|part| number(part, 2))
        .filter(|month| (1..=12).contains(month));
    let day = month.and_then(|_| parts.get(at + 2)).and_then(|part| number(part, 2));
    let day = day.filter(|day| (1..=31).contains(day));
    let start = |year: i64, month: i64, day: i64| {
        let midnight = format!("{year}-{month:02}-{day:02}T00:00:00Z");
        midnight
            .parse::<jiff::Timestamp>()
            .ok()
            .map(jiff::Timestamp::as_microsecond)
    };
    let (first, last) = match (month, day) {
        (Some(month), Some(day)) => (start(year, month, day), start(year, month, day).map(|day| day + DAY)),
        (Some(12), None) => (start(year, 12, 1), start(year + 1, 1, 1)),
        (Some(month), None) => (start(year, month, 1), start(year, month + 1, 1)),
        _ => (start(year, 1, 1), start(year + 1, 1, 1)),
    };
    let (Some(first), Some(last)) = (first, last) else {
        return true;
    };
    // An object of the day after the window may hold its last minutes.
    last > window.from && first <= window.to + DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(from: &str, to: &str, regions: &[&str]) -> Source {
        let micros = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
        Source {
            places: Vec::new(),
            window: Some(Range {
                from: micros(from),
                to: micros(to),
            }),
            regions: regions.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn only_folders_that_can_match_are_listed() {
        let source = source("2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z", &["eu-west-1"]);
        for (folder, wanted) in [
            ("p/AWSLogs", true),
            ("p/AWSLogs/o-abc", true),
            ("p/AWSLogs/o-abc/111122223333", true),
            ("p/AWSLogs/o-abc/111122223333/CloudTrail", true),
            ("AWSLogs/111122223333/CloudTrail-Digest", false),
            ("AWSLogs/111122223333/vpcflowlogs", false),
            ("AWSLogs/111122223333/CloudTrail/us-east-1", false),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1", true),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2025", false),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/10", false),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11", true),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/19", false),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20", true),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/22", true),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/23", false),
            ("firehose/2026/11/18/07", false),
            ("firehose/2026/11/20/07", true),
            ("exports/0b1c/authenticator-1", true),
        ] {
            assert_eq!(can_match(folder, &source), wanted, "{folder}");
        }
    }
}
