//! `ingest cloudtrail`: management events of the last 90 days by LookupEvents.
//!
//! The quota is two requests a second for each account and region, fifty events a page: it is spent on the event sources that the
//! three questions need, one lookup each. Events of IAM are logged in the partition's home region only.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_smithy_types::DateTime;
use eksplain_ingest::{Hints, IngestReport};
use eksplain_lake::Lake;
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

use crate::access::{Account, Aws};
use crate::fault::Fault;
use crate::pull::{self, Job, Micros, Page, Pages, Range, Record};
use crate::quota::Api;
use crate::regions::home_of;
use crate::scope::Scope;

const SECOND: Micros = 1_000_000;
/// How far back LookupEvents goes.
pub const REACH: Micros = 90 * 86_400 * SECOND;
/// CloudTrail delivers most events within five minutes and says "about 15".
const LATENESS: Micros = 20 * 60 * SECOND;
const PAGE: i32 = 50;

/// Which events to look up.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// What the window is; the last 90 days at most.
    pub window: Range,
    /// Event sources; none means all.
    pub event_sources: Vec<String>,
    /// Whether to begin with the newest.
    pub is_newest_first: bool,
}

/// Looks events up in every account and region asked for.
///
/// # Errors
/// Where the lake cannot be written.
pub async fn ingest(
    aws: &Arc<Aws>,
    lake: &mut Lake,
    lookup: &Lookup,
    stop: &Arc<AtomicBool>,
) -> Result<(IngestReport, Vec<Scope>), eksplain_ingest::Error> {
    let (accounts, mut scopes) = aws.accounts("cloudtrail").await;
    let mut jobs = Vec::new();
    for account in &accounts {
        jobs.extend(jobs_of(aws, account, lookup).await);
    }
    let (report, done) = pull::run(lake, jobs, &aws.meter(), stop).await?;
    scopes.extend(done);
    Ok((report, scopes))
}

/// How many pages each lookup of an account has, told from its newest page.
pub(crate) async fn estimate(aws: &Arc<Aws>, account: &Account, lookup: &Lookup) -> Vec<(Scope, Result<u64, Fault>)> {
    let jobs = jobs_of(aws, account, lookup).await;
    let pages = futures::future::join_all(jobs.iter().map(|job| job.pages.page(job.window, None))).await;
    let count = |job: &Job, page: Page| {
        if page.next.is_none() {
            return 1;
        }
        let times = || page.records.iter().map(|record| record.ts);
        let span = times().max().zip(times().min()).map_or(0, |(last, first)| last - first);
        job.window.millis() / u64::try_from(span.max(SECOND) / 1000).unwrap_or(1)
    };
    let answers = jobs.iter().zip(pages);
    answers
        .map(|(job, page)| (job.scope.clone(), page.map(|page| count(job, page))))
        .collect()
}

async fn jobs_of(aws: &Arc<Aws>, account: &Account, lookup: &Lookup) -> Vec<Job> {
    let regions = aws.regions(account).await;
    let home = regions.first().map_or("us-east-1", |region| home_of(region));
    let mut jobs = Vec::new();
    let mut add = |region: &str, source: Option<&str>| jobs.push(job(aws, account, region, source, lookup));
    if lookup.event_sources.is_empty() {
        regions.iter().for_each(|region| add(region, None));
        if !regions.iter().any(|region| region == home) {
            add(home, Some("iam.amazonaws.com"));
        }
    }
    for source in &lookup.event_sources {
        if source == "iam.amazonaws.com" {
            add(home, Some(source));
        } else {
            regions.iter().for_each(|region| add(region, Some(source)));
        }
    }
    jobs
}

pub(crate) fn job(aws: &Arc<Aws>, account: &Account, region: &str, source: Option<&str>, lookup: &Lookup) -> Job {
    let attribute = source.map(|source| (LookupAttributeKey::EventSource, source.to_owned()));
    let part = source.unwrap_or("all");
    Job {
        wants_newest_first: lookup.is_newest_first,
        ..lookup_job(aws, account, region, part, attribute, lookup.window)
    }
}

/// The lookup of one attribute, or of all events.
pub(crate) fn lookup_job(
    aws: &Arc<Aws>,
    account: &Account,
    region: &str,
    part: &str,
    attribute: Option<(LookupAttributeKey, String)>,
    window: Range,
) -> Job {
    Job {
        name: format!("cloudtrail://{}/{region}/{part}", account.name()),
        scope: Scope::new(account.id.as_deref(), Some(region), "cloudtrail").part(part),
        place: Hints {
            account: account.id.clone(),
            region: Some(region.to_owned()),
            ..Hints::default()
        },
        pages: Box::new(Events {
            client: aws_sdk_cloudtrail::Client::new(&account.within(region)),
            aws: Arc::clone(aws),
            account: account.clone(),
            region: region.to_owned(),
            attribute,
        }),
        window: whole_seconds(window),
        step: SECOND,
        is_newest_first: true,
        wants_newest_first: true,
        lateness: LATENESS,
        width: 4,
    }
}

/// The API takes whole seconds, both included.
fn whole_seconds(range: Range) -> Range {
    Range {
        from: range.from.div_euclid(SECOND) * SECOND,
        to: range.to.div_euclid(SECOND) * SECOND + SECOND - 1,
    }
}

/// LookupEvents of one account, region and attribute.
struct Events {
    client: aws_sdk_cloudtrail::Client,
    aws: Arc<Aws>,
    account: Account,
    region: String,
    attribute: Option<(LookupAttributeKey, String)>,
}

#[async_trait]
impl Pages for Events {
    async fn page(&self, range: Range, token: Option<&str>) -> Result<Page, Fault> {
        let attribute = self.attribute.as_ref().and_then(|(key, value)| {
            let built = LookupAttribute::builder()
                .attribute_key(key.clone())
                .attribute_value(value)
                .build();
            built.ok()
        });
        let answer = self
            .aws
            .call(&self.account, &self.region, Api::LookupEvents, async || {
                let request = self
                    .client
                    .lookup_events()
                    .set_lookup_attributes(attribute.clone().map(|attribute| vec![attribute]))
                    .start_time(DateTime::from_secs(range.from.div_euclid(SECOND)))
                    .end_time(DateTime::from_secs(range.to.div_euclid(SECOND)))
                    .max_results(PAGE)
                    .set_next_token(token.map(str::to_owned));
                request
                    .send()
                    .await
                    .map_err(|error| Fault::of("cloudtrail:LookupEvents", error))
            })
            .await?;
        Ok(Page {
            records: answer.events().iter().map(record).collect(),
            next: answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned),
            is_cut: false,
        })
    }
}

fn record(event: &aws_sdk_cloudtrail::types::Event) -> Record {
    let ts = event.event_time().map_or(0, |time| time.secs() * SECOND);
    let text = event.cloud_trail_event().map_or_else(
        // The outer fields alone are no record: the reader keeps them as a reject with its reason.
        || {
            json!({"EventId": event.event_id(), "EventName": event.event_name(), "Username": event.username()})
                .to_string()
        },
        |text| text.replace(['\n', '\r'], " "),
    );
    let key = xxh3_64(event.event_id().unwrap_or(&text).as_bytes());
    Record { ts, key, text }
}
