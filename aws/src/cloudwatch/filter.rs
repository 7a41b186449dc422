//! FilterLogEvents: pages of at most 1 MB, both ends of the range included, empty pages on the way.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

use super::{Group, Log, MILLISECOND, Pull, SECOND};
use crate::access::Aws;
use crate::fault::Fault;
use crate::pull::{Page, Pages, Range, Record};
use crate::quota::Api;

/// Events asked for at a time: AWS ends a page at 1 MB anyway, which is about as many lines.
const PAGE: i32 = 4_000;
/// Two like lines of one second are told apart by their order: a leaf reads this much of what comes before it, so that a pair on
/// its border is seen as a pair. What is read twice is stored once.
const MARGIN: i64 = 2 * SECOND;

pub(super) struct Events {
    aws: Arc<Aws>,
    client: aws_sdk_cloudwatchlogs::Client,
    group: Group,
    log: Log,
    pattern: Option<&'static str>,
    window: Range,
}

impl Events {
    pub(super) fn new(aws: &Arc<Aws>, group: &Group, log: Log, pull: &Pull) -> Self {
        Self {
            aws: Arc::clone(aws),
            client: aws_sdk_cloudwatchlogs::Client::new(&group.account.within(&group.region)),
            group: group.clone(),
            log,
            pattern: pull.identity_only.then(|| identity_pattern(log)),
            window: pull.window,
        }
    }
}

/// The events that the three questions need, as a filter pattern (CloudWatch Logs User Guide, "Filter pattern syntax").
fn identity_pattern(log: Log) -> &'static str {
    match log {
        Log::Authenticator => r#"?"access granted" ?"access denied""#,
        Log::Audit => concat!(
            r#"{ ($.responseStatus.code = 401) || ($.responseStatus.code = 403) "#,
            r#"|| ($.impersonatedUser.username = "*") "#,
            r#"|| ($.objectRef.name = "aws-auth" && $.verb != "get" && $.verb != "watch" && $.verb != "list") "#,
            r#"|| ($.objectRef.apiGroup = "rbac.authorization.k8s.io" && $.verb != "get" && $.verb != "watch" && $.verb != "list") "#,
            r#"|| ($.user.groups[0] = "system:masters") }"#
        ),
    }
}

#[async_trait]
impl Pages for Events {
    async fn page(&self, range: Range, token: Option<&str>) -> Result<Page, Fault> {
        let from = if self.log == Log::Authenticator && range.from > self.window.from {
            self.window.from.max(range.from - MARGIN)
        } else {
            range.from
        };
        let answer = self
            .aws
            .call(
                &self.group.account,
                &self.group.region,
                Api::FilterLogEvents,
                async || {
                    #[allow(
                        deprecated,
                        reason = "AWS always interleaves by now; emulators do so only when asked"
                    )]
                    let request = self.client.filter_log_events().interleaved(true);
                    let request = request
                        .log_group_name(&self.group.name)
                        .log_stream_name_prefix(self.log.prefix())
                        .start_time(from.div_euclid(MILLISECOND))
                        .end_time(range.to.div_euclid(MILLISECOND))
                        .limit(PAGE)
                        .set_filter_pattern(self.pattern.map(str::to_owned))
                        .set_next_token(token.map(str::to_owned));
                    request
                        .send()
                        .await
                        .map_err(|error| Fault::of("logs:FilterLogEvents", error))
                },
            )
            .await?;
        let records = answer.events().iter().filter_map(|event| {
            let stream = event.log_stream_name()?;
            // An endpoint that knows no prefix sends the other streams too.
            stream.starts_with(self.log.prefix()).then(|| {
                record(
                    stream,
                    event.timestamp().unwrap_or(0),
                    event.message().unwrap_or_default(),
                    event.event_id(),
                )
            })
        });
        Ok(Page {
            records: records.collect(),
            next: answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned),
            is_cut: false,
        })
    }
}

/// An event in the form that the CloudWatch API and the CLI give it, whichever way it was fetched.
pub(super) fn record(stream: &str, millis: i64, message: &str, id: Option<&str>) -> Record {
    let text = json!({"events": [{"logStreamName": stream, "timestamp": millis, "message": message}]}).to_string();
    let key = xxh3_64(id.map_or(text.as_bytes(), str::as_bytes));
    Record {
        ts: millis * MILLISECOND,
        key,
        text,
    }
}
