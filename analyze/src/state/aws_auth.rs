//! aws-auth over time: the ConfigMap as each write left it.
//!
//! Rule: the response of an update or patch holds the whole object; EKS does not log the content of a create; a delete leaves it
//! empty at once. A write whose object was not logged leaves it unknown.

use eksplain_parse::aws_auth::{AwsAuth, parse_config_map};
use eksplain_queries::facts::{AuditWrite, Mark};

use super::Incarnation;
use crate::json;

/// What aws-auth says from one moment on.
#[derive(Debug, Clone)]
pub(crate) struct AwsAuthVersion {
    pub(crate) state: MappingState,
    pub(crate) at: Mark,
    /// Who wrote it: canonical ARN or user name.
    pub(crate) by: Option<String>,
}

/// What is known of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum MappingState {
    /// No record tells.
    Unknown,
    /// It is not there.
    Missing,
    /// Its content, and its `data` as text, to restore it.
    Known(AwsAuth, serde_json::Value),
}

impl MappingState {
    pub(crate) fn known(&self) -> Option<&AwsAuth> {
        match self {
            Self::Known(auth, _) => Some(auth),
            Self::Unknown | Self::Missing => None,
        }
    }
}

/// A dry run changes nothing.
pub(crate) fn is_dry_run(write: &AuditWrite) -> bool {
    let query = write
        .request_uri
        .as_deref()
        .and_then(|uri| uri.split_once('?'))
        .map(|(_, query)| query);
    query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("dryRun=")))
}

/// Every version in order.
pub(super) fn versions(life: &Incarnation<'_>) -> Vec<AwsAuthVersion> {
    let mut versions: Vec<AwsAuthVersion> = Vec::new();
    for write in life.writes.iter().filter(|write| write.resource == "configmaps") {
        let object = json::parse(write.response_object.as_deref());
        let named = write.name.as_deref().or_else(|| object["metadata"]["name"].as_str());
        if named.is_some_and(|name| name != "aws-auth") {
            continue;
        }
        let state = match write.verb.as_str() {
            "delete" => MappingState::Missing,
            // A collection may or may not have held it; a create without a name may be any ConfigMap.
            "create" if named.is_none() => continue,
            _ => content(&object, write.response_object.as_deref()),
        };
        let by = write.canonical_arn.clone().or_else(|| write.username.clone());
        versions.push(AwsAuthVersion {
            state,
            at: write.at.clone(),
            by,
        });
    }
    for snapshot in life
        .snapshots
        .iter()
        .filter(|snapshot| snapshot.kind == "config_map" && snapshot.name.as_deref() == Some("aws-auth"))
    {
        let object = json::parse(Some(&snapshot.body));
        versions.push(AwsAuthVersion {
            state: content(&object, Some(&snapshot.body)),
            at: snapshot.at.clone(),
            by: None,
        });
    }
    versions.sort_by(|a, b| a.at.cmp(&b.at));
    versions
}

fn content(object: &serde_json::Value, text: Option<&str>) -> MappingState {
    let is_config_map = object.is_object()
        && object["kind"].as_str() != Some("Status")
        && (object["data"].is_object() || object["metadata"].is_object());
    match text.filter(|_| is_config_map).map(parse_config_map) {
        Some(Ok(auth)) => MappingState::Known(auth, object["data"].clone()),
        _ => MappingState::Unknown,
    }
}
