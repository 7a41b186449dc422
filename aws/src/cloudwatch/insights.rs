//! Logs Insights: a query over a stretch of time, divided until its answer is below the row limit.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::types::QueryStatus;

use super::filter::record;
use super::{Group, Log, Pull, SECOND};
use crate::access::Aws;
use crate::fault::{Fault, Kind};
use crate::pull::{Page, Pages, Range};
use crate::quota::Api;

/// Rows of one answer: the limit that every endpoint knows.
const ROWS: i32 = 10_000;
const FIRST_POLL: Duration = Duration::from_millis(200);
const SLOWEST_POLL: Duration = Duration::from_secs(3);

pub(super) struct Query {
    aws: Arc<Aws>,
    client: aws_sdk_cloudwatchlogs::Client,
    group: Group,
    log: Log,
    text: String,
    /// Whether an answer with as many rows as it may have is still all that is wanted.
    is_enough: bool,
}

impl Query {
    pub(super) fn new(aws: &Arc<Aws>, group: &Group, log: Log, pull: &Pull) -> Self {
        let filter = if pull.identity_only { identity_filter(log) } else { "" };
        Self {
            aws: Arc::clone(aws),
            client: aws_sdk_cloudwatchlogs::Client::new(&group.account.within(&group.region)),
            group: group.clone(),
            log,
            is_enough: false,
            text: format!(
                "fields @timestamp, @logStream, @message | filter @logStream like /^{}/{filter} | sort @timestamp asc | limit {ROWS}",
                log.prefix()
            ),
        }
    }

    /// The newest logins, nodes left out: what the article asks for, with the fields parsed later by the same parser as everything.
    pub(super) fn latest_logins(aws: &Arc<Aws>, group: &Group, pull: &Pull) -> Self {
        Self {
            is_enough: true,
            text: format!(
                "fields @timestamp, @logStream, @message | filter @logStream like /^{}/{} and @message not like /username=\"?system:node:/ \
                 | sort @timestamp desc | limit {ROWS}",
                Log::Authenticator.prefix(),
                identity_filter(Log::Authenticator)
            ),
            ..Self::new(aws, group, Log::Authenticator, pull)
        }
    }

    async fn start(&self, range: Range) -> Result<String, Fault> {
        let answer = self
            .aws
            .call(&self.group.account, &self.group.region, Api::StartQuery, async || {
                let request = self
                    .client
                    .start_query()
                    .log_group_name(&self.group.name)
                    .start_time(range.from.div_euclid(SECOND))
                    // Whether the last second counts as a whole is not the same everywhere: one more is asked for, and left out below.
                    .end_time(range.to.div_euclid(SECOND) + 1)
                    .query_string(&self.text)
                    .limit(ROWS);
                request
                    .send()
                    .await
                    .map_err(|error| Fault::of("logs:StartQuery", error))
            })
            .await?;
        answer
            .query_id()
            .map(str::to_owned)
            .ok_or_else(|| Fault::other("logs:StartQuery", "no query id in the answer", ""))
    }
}

fn identity_filter(log: Log) -> &'static str {
    match log {
        Log::Authenticator => {
            " and (@message like /msg=\"access (granted|denied)\"/ or @message like /\"msg\":\"access (granted|denied)\"/)"
        }
        Log::Audit => {
            " and (responseStatus.code in [401, 403] or ispresent(impersonatedUser.username) \
              or (objectRef.name = 'aws-auth' and verb not in ['get','list','watch']) \
              or (objectRef.apiGroup = 'rbac.authorization.k8s.io' and verb not in ['get','list','watch']) \
              or user.groups.0 = 'system:masters')"
        }
    }
}

#[async_trait]
impl Pages for Query {
    async fn page(&self, range: Range, _token: Option<&str>) -> Result<Page, Fault> {
        let id = self.start(range).await?;
        let mut wait = FIRST_POLL;
        let answer = loop {
            let answer = self
                .aws
                .call(
                    &self.group.account,
                    &self.group.region,
                    Api::GetQueryResults,
                    async || {
                        let answer = self.client.get_query_results().query_id(&id).send().await;
                        answer.map_err(|error| Fault::of("logs:GetQueryResults", error))
                    },
                )
                .await?;
            match answer.status() {
                Some(QueryStatus::Complete) => break answer,
                Some(status @ (QueryStatus::Failed | QueryStatus::Cancelled | QueryStatus::Timeout)) => {
                    return Err(Fault {
                        kind: Kind::Transient,
                        ..Fault::other("logs:GetQueryResults", format!("the query ended as {status}"), "")
                    });
                }
                _ => tokio::time::sleep(wait).await,
            }
            wait = (wait * 2).min(SLOWEST_POLL);
        };
        let records: Vec<_> = answer
            .results()
            .iter()
            .filter_map(|row| {
                let field = |name: &str| {
                    row.iter()
                        .find(|field| field.field() == Some(name))
                        .and_then(|field| field.value())
                };
                let stream = field("@logStream").filter(|stream| stream.starts_with(self.log.prefix()))?;
                let row = record(stream, millis(field("@timestamp")?)?, field("@message")?, None);
                (range.from..=range.to).contains(&row.ts).then_some(row)
            })
            .collect();
        Ok(Page {
            is_cut: !self.is_enough && i32::try_from(answer.results().len()).is_ok_and(|rows| rows >= ROWS),
            records,
            next: None,
        })
    }
}

/// `2026-11-23 10:00:00.123`, UTC; some endpoints give milliseconds since 1970.
fn millis(text: &str) -> Option<i64> {
    if let Ok(millis) = text.parse() {
        return Some(millis);
    }
    let time: jiff::Timestamp = format!("{}Z", text.replace(' ', "T")).parse().ok()?;
    Some(time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn times_of_insights_are_utc() {
        assert_eq!(millis("1970-01-02 00:00:00.005"), Some(86_400_005));
        assert_eq!(millis("86400005"), Some(86_400_005));
        assert_eq!(millis("yesterday"), None);
    }
}
