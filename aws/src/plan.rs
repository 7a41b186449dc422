//! `plan`: what an ingest would ask of AWS, how long that takes at the quota, and what it costs.
//!
//! Sizes are estimates: of LookupEvents from one page of the newest events, of CloudWatch from the bytes that it says it stores, of
//! S3 from the listing itself.

use std::sync::Arc;

use crate::access::Aws;
use crate::cloudtrail::{self, Lookup};
use crate::cloudwatch::{self, Pull};
use crate::policy;
use crate::quota::Api;
use crate::s3::{self, Source};
use crate::scope::Scope;

/// Where and when the prices below were the list prices; data out of AWS and KMS are not in them.
pub const PRICES_OF: &str = "us-east-1, list prices of January 2025";
const INSIGHTS_PER_GB: f64 = 0.005;
const S3_PER_GET: f64 = 0.000_000_4;
const S3_PER_PUT_OR_LIST: f64 = 0.000_005;
const GB: f64 = 1e9;
/// Bytes of one page of FilterLogEvents.
const PAGE: u64 = 1_000_000;
/// Rows of one answer of Insights, and the bytes that such rows have on the average.
const ROWS_BYTES: u64 = 10_000 * 900;
/// What CloudWatch's export writes a second, seen in practice; it is not published.
const EXPORT_BYTES_PER_SECOND: f64 = 20e6;

/// One way to fetch something.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Which source.
    pub source: &'static str,
    /// Which way.
    pub way: &'static str,
    /// Account, where known.
    pub account: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// What of it.
    pub part: String,
    /// Requests.
    pub requests: u64,
    /// Bytes read, unknown for LookupEvents of an empty page.
    pub bytes: u64,
    /// Seconds at the quota.
    pub seconds: f64,
    /// US dollars.
    pub usd: f64,
    /// IAM actions that it needs.
    pub actions: &'static [&'static str],
}

/// What to plan for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Events to look up.
    pub lookup: Lookup,
    /// Logs of the control planes.
    pub pull: Pull,
    /// Buckets.
    pub s3: Source,
}

/// Asks the few questions that the estimates need.
pub async fn plan(aws: &Arc<Aws>, wanted: &Wanted) -> (Vec<Step>, Vec<Scope>) {
    let (mut steps, mut scopes) = (Vec::new(), Vec::new());
    let (accounts, refused) = aws.accounts("plan").await;
    scopes.extend(refused);
    for account in &accounts {
        for (scope, estimate) in cloudtrail::estimate(aws, account, &wanted.lookup).await {
            match estimate {
                Ok(pages) => steps.push(Step {
                    source: "cloudtrail",
                    way: "lookup",
                    account: scope.account.clone(),
                    region: scope.region.clone(),
                    part: scope.part.clone().unwrap_or_default(),
                    requests: pages,
                    bytes: pages * 50 * 2_000,
                    seconds: pages as f64 / Api::LookupEvents.quota(),
                    usd: 0.0,
                    actions: policy::CLOUDTRAIL,
                }),
                Err(fault) => scopes.push(scope.refused(fault)),
            }
        }
    }
    let (groups, refused) = cloudwatch::groups(aws, &wanted.pull).await;
    scopes.extend(refused.into_iter().filter(|scope| scope.error.is_some()));
    for group in &groups {
        let bytes = group.bytes_within(wanted.pull.window);
        let step = |way, requests: u64, seconds: f64, usd: f64, actions| Step {
            source: "cloudwatch",
            way,
            account: group.account_id().map(str::to_owned),
            region: Some(group.region.clone()),
            part: group.name.clone(),
            requests,
            bytes,
            seconds,
            usd,
            actions,
        };
        let pages = bytes.div_ceil(PAGE).max(1);
        let queries = bytes.div_ceil(ROWS_BYTES).max(1) * 4;
        let objects = bytes.div_ceil(10 * PAGE).max(2);
        let gb = bytes as f64 / GB;
        steps.push(step(
            "filter",
            pages,
            pages as f64 / Api::FilterLogEvents.quota(),
            0.0,
            policy::FILTER,
        ));
        // Each range is scanned again by the queries that its halves become.
        let scans = (queries as f64).log2().max(1.0);
        let price = gb * INSIGHTS_PER_GB * scans;
        steps.push(step(
            "insights",
            queries,
            queries as f64 / Api::StartQuery.quota(),
            price,
            policy::INSIGHTS,
        ));
        let price = objects as f64 * (S3_PER_PUT_OR_LIST + S3_PER_GET);
        steps.push(step(
            "export",
            objects + 4,
            bytes as f64 / EXPORT_BYTES_PER_SECOND,
            price,
            policy::EXPORT,
        ));
    }
    for place in &wanted.s3.places {
        let account = &aws.own;
        let scope =
            Scope::new(account.id.as_deref(), None, "s3").part(format!("s3://{}/{}", place.bucket, place.prefix));
        match s3::measure(aws, account, &account.region(), place, &wanted.s3).await {
            Ok((objects, bytes)) => steps.push(Step {
                source: "s3",
                way: "get",
                account: account.id.clone(),
                region: None,
                part: scope.part.clone().unwrap_or_default(),
                requests: objects,
                bytes,
                seconds: (objects as f64 / 200.0).max(bytes as f64 / 50e6),
                usd: objects as f64 * S3_PER_GET,
                actions: policy::S3,
            }),
            Err(fault) => scopes.push(scope.refused(fault)),
        }
    }
    (steps, scopes)
}
