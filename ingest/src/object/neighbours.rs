//! What lies beside logs in the buckets of AWS and is no log that any question asks about: passed over and counted.

use super::json::Top;
use super::record::Records;

impl Records<'_> {
    /// Passes over a digest, an Insights event of CloudTrail, a file of AWS Config; false for anything else.
    pub(super) fn is_neighbour(&mut self, top: &Top<'_>) -> bool {
        let has = |key: &str| top.has(key);
        let is = |key: &str, value: &str| top.text(key).is_some_and(|text| text == value);
        let what = if has("digestS3Bucket") || (has("s3Bucket") && has("s3ObjectKey")) {
            "CloudTrail digests and delivery notices"
        } else if has("insightDetails") && (is("eventCategory", "Insight") || is("eventType", "AwsCloudTrailInsight")) {
            "CloudTrail Insights events"
        } else if has("configurationItems") && (has("configSnapshotId") || has("fileVersion")) {
            "AWS Config files"
        } else {
            return false;
        };
        self.counts.pass_over(what, 1);
        true
    }

    /// Passes over a line that AWS writes to try whether it may; false for any other.
    pub(super) fn is_known_line(&mut self, text: &str) -> bool {
        let is_test = text.trim() == "CloudTrail validation message.";
        self.counts.pass_over("test messages of CloudTrail", u64::from(is_test));
        is_test
    }
}

/// What a whole object is that its key and its first line tell to be another service's log.
pub(super) fn of_object(uri: &str, text: &str) -> Option<&'static str> {
    let is_under = |folder: &str| uri.contains(folder);
    let line = text.lines().next().unwrap_or_default();
    let mut words = line.split(' ');
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    let is_time = |word: &str| eksplain_parse::time::parse_rfc3339(word).is_some();
    let is_balancer =
        matches!(first, "http" | "https" | "h2" | "grpcs" | "ws" | "wss" | "tls" | "quic") || is_time(first);
    let is_flow = (first == "version" && second == "account-id")
        || (first.parse::<u8>().is_ok() && (second.len() == 12 || second == "unknown"))
        || line
            .split(' ')
            .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
    if is_under("/elasticloadbalancing/") && is_balancer {
        Some("access logs of load balancers")
    } else if is_under("/vpcflowlogs/") && is_flow {
        Some("VPC flow logs")
    } else if is_under("/Config/") && text.starts_with("{\"fileVersion\"") {
        Some("AWS Config files")
    } else {
        None
    }
}
