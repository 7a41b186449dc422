//! What each source needs to be allowed, and nothing more.

use eksplain_parse::region::partition_of;
use serde_json::{Value, json};

/// Actions of `ingest cloudtrail`.
pub const CLOUDTRAIL: &[&str] = &["cloudtrail:LookupEvents"];
/// Actions of `ingest cloudwatch` by FilterLogEvents.
pub const FILTER: &[&str] = &["logs:DescribeLogGroups", "logs:FilterLogEvents"];
/// Actions of `ingest cloudwatch --via insights`.
pub const INSIGHTS: &[&str] = &["logs:DescribeLogGroups", "logs:StartQuery", "logs:GetQueryResults"];
/// Actions of `ingest cloudwatch --via export`, beside a bucket policy that lets `logs.amazonaws.com` write.
pub const EXPORT: &[&str] = &[
    "logs:DescribeLogGroups",
    "logs:CreateExportTask",
    "logs:DescribeExportTasks",
    "s3:ListBucket",
    "s3:GetObject",
];
/// Actions of `ingest s3`.
pub const S3: &[&str] = &["s3:ListBucket", "s3:GetObject"];
/// Actions of `ingest snapshot`.
pub const SNAPSHOT: &[&str] = &[
    "eks:ListClusters",
    "eks:DescribeCluster",
    "eks:ListAccessEntries",
    "eks:DescribeAccessEntry",
    "eks:ListAssociatedAccessPolicies",
    "iam:GetRole",
    "iam:GetUser",
];

/// The policy for all sources but S3, whose buckets only the reader knows.
pub fn least_privilege(partition: &str) -> Value {
    let logs: Vec<&str> = FILTER.iter().chain(&INSIGHTS[1..]).copied().collect();
    // What can be asked of one kind of resource alone is allowed for that kind alone.
    let of = |service: &str, but: &[&str]| -> Vec<&str> {
        let own = SNAPSHOT
            .iter()
            .filter(|action| action.starts_with(service) && !but.contains(*action));
        own.copied().collect()
    };
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "EventHistory", "Effect": "Allow", "Action": CLOUDTRAIL, "Resource": "*"},
            {
                "Sid": "ControlPlaneLogs",
                "Effect": "Allow",
                "Action": logs.iter().filter(|action| **action != "logs:DescribeLogGroups" && **action != "logs:GetQueryResults").collect::<Vec<_>>(),
                "Resource": [
                    format!("arn:{partition}:logs:*:*:log-group:/aws/eks/*/cluster"),
                    format!("arn:{partition}:logs:*:*:log-group:/aws/eks/*/cluster:*"),
                ],
            },
            {"Sid": "ListLogGroups", "Effect": "Allow", "Action": ["logs:DescribeLogGroups", "logs:GetQueryResults"], "Resource": "*"},
            {"Sid": "ListClusters", "Effect": "Allow", "Action": ["eks:ListClusters"], "Resource": "*"},
            {
                "Sid": "PresentState",
                "Effect": "Allow",
                "Action": of("eks:", &["eks:ListClusters"]),
                "Resource": [format!("arn:{partition}:eks:*:*:cluster/*"), format!("arn:{partition}:eks:*:*:access-entry/*")],
            },
            {
                "Sid": "Principals",
                "Effect": "Allow",
                "Action": of("iam:", &[]),
                "Resource": [format!("arn:{partition}:iam::*:role/*"), format!("arn:{partition}:iam::*:user/*")],
            },
            {"Sid": "Regions", "Effect": "Allow", "Action": ["account:ListRegions"], "Resource": "*"},
        ],
    })
}

/// The same for this caller's partition.
pub fn for_region(region: &str) -> Value {
    least_privilege(partition_of(region))
}
