//! Export to S3 for bulk: CloudWatch writes the log into a bucket, and it is read from there.
//!
//! One task at a time runs in an account and region, so tasks are made one after the other. Data may lag up to twelve hours.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use eksplain_ingest::{FileOptions, IngestReport};
use eksplain_lake::Lake;

use super::{Group, MILLISECOND, Pull, groups};
use crate::access::Aws;
use crate::fault::Fault;
use crate::pull::rfc3339;
use crate::quota::Api;
use crate::s3::{self, Place};
use crate::scope::Scope;

const FIRST_POLL: Duration = Duration::from_millis(500);
const SLOWEST_POLL: Duration = Duration::from_secs(15);

/// Where CloudWatch may write: a bucket of the same region whose policy lets `logs.amazonaws.com` do so.
#[derive(Debug, Clone)]
pub struct ExportTo {
    /// Bucket.
    pub bucket: String,
    /// Prefix, without slashes at its ends.
    pub prefix: String,
}

/// Exports every group asked for, then reads what was written.
///
/// # Errors
/// Where the lake cannot be written.
pub async fn export(
    aws: &Arc<Aws>,
    lake: &mut Lake,
    pull: &Pull,
    to: &ExportTo,
    stop: &Arc<AtomicBool>,
) -> Result<(IngestReport, Vec<Scope>), eksplain_ingest::Error> {
    let (groups, mut scopes) = groups(aws, pull).await;
    let mut total = IngestReport::default();
    for group in &groups {
        // The same window asked for again was exported before: what lies there is read, and nothing is exported.
        let base = format!(
            "{}/{}{}/{}_{}",
            group.account.name(),
            group.region,
            group.name,
            rfc3339(pull.window.from).replace(':', ""),
            rfc3339(pull.window.to).replace(':', "")
        );
        let base = if to.prefix.is_empty() {
            base
        } else {
            format!("{}/{base}", to.prefix)
        };
        let mut scope = group.scope();
        for log in &pull.logs {
            let prefix = format!("{base}/{}", log.name());
            let place = Place {
                bucket: to.bucket.clone(),
                prefix,
                requester_pays: false,
            };
            let written = match s3::is_empty(aws, &group.account, &group.region, &place).await {
                Ok(true) => write(aws, group, log.prefix(), pull, &place).await,
                Ok(false) => Ok(()),
                Err(fault) => Err(fault),
            };
            if let Err(fault) = written {
                scope = scope.refused(fault);
                continue;
            }
            let options = FileOptions {
                hints: group.place(),
                ..FileOptions::default()
            };
            let source = s3::Source {
                places: vec![place],
                window: None,
                regions: Vec::new(),
            };
            let (report, read) = s3::ingest_as(
                aws,
                &group.account,
                &group.region,
                lake,
                &source,
                &options,
                stop,
                &|_| {},
            )
            .await?;
            total.add(report);
            if let Some(error) = read.into_iter().find_map(|scope| scope.error) {
                scope = scope.partial(error);
            }
        }
        scopes.push(scope);
    }
    Ok((total, scopes))
}

async fn write(aws: &Aws, group: &Group, streams: &str, pull: &Pull, to: &Place) -> Result<(), Fault> {
    let client = aws_sdk_cloudwatchlogs::Client::new(&group.account.within(&group.region));
    let (api, region) = (Api::ExportTasks, &group.region);
    // An account whose one task is taken answers LimitExceededException: the call waits its turn as for any other throttling.
    let task = aws
        .call(&group.account, region, api, async || {
            let request = client
                .create_export_task()
                .log_group_name(&group.name)
                .log_stream_name_prefix(streams)
                .from(pull.window.from.div_euclid(MILLISECOND))
                .to(pull.window.to.div_euclid(MILLISECOND) + 1)
                .destination(&to.bucket)
                .destination_prefix(&to.prefix);
            request
                .send()
                .await
                .map_err(|error| Fault::of("logs:CreateExportTask", error))
        })
        .await?;
    let id = task.task_id().unwrap_or_default().to_owned();
    let mut wait = FIRST_POLL;
    loop {
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(SLOWEST_POLL);
        let page = aws
            .call(&group.account, region, api, async || {
                let answer = client.describe_export_tasks().task_id(&id).send().await;
                answer.map_err(|error| Fault::of("logs:DescribeExportTasks", error))
            })
            .await?;
        let status = page.export_tasks().first().and_then(|task| task.status());
        match status.and_then(|status| status.code()).map(|code| code.as_str()) {
            Some("COMPLETED") => return Ok(()),
            Some(code @ ("FAILED" | "CANCELLED")) => {
                let message = status.and_then(|status| status.message()).unwrap_or_default();
                return Err(Fault::other(
                    "logs:CreateExportTask",
                    format!("the export ended as {code}"),
                    message,
                ));
            }
            _ => {}
        }
    }
}
