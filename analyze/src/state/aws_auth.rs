//! aws-auth over time: the ConfigMap as each write left it and as each look found it.
//!
//! Rule: the response of an update or patch holds the whole object; EKS does not log the content of a create; a delete leaves it
//! empty at once. A write whose object was not logged, or was cut, leaves it unknown.

use eksplain_parse::aws_auth::{AwsAuth, parse_config_map};
use eksplain_queries::facts::{AuditWrite, Mark, Micros};

use super::history::{History, How, State, Version};
use super::{Incarnation, lists};
use crate::json;
use crate::knowledge::{Known, Measure};

/// The ConfigMap's content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Content {
    /// As the authenticator reads it.
    pub(crate) auth: AwsAuth,
    /// Its `data`, to restore it.
    pub(crate) data: serde_json::Value,
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
pub(super) fn history(life: &Incarnation<'_>) -> History<Content> {
    let mut versions: Vec<Version<Content>> = Vec::new();
    let mut add = |at: &Mark, by: Option<String>, how: How, state: State<Content>| {
        versions.push(Version {
            at: at.clone(),
            by,
            how,
            state,
        });
    };
    for write in life.writes.iter().filter(|write| write.resource == "configmaps") {
        let object = json::parse(write.response_object.as_deref());
        let named = write.name.as_deref().or_else(|| object["metadata"]["name"].as_str());
        if named.is_some_and(|name| name != "aws-auth") {
            continue;
        }
        let (how, state) = match write.verb.as_str() {
            "delete" => (How::Death, State::Absent),
            // A collection may or may not have held it; a create without a name may be any ConfigMap.
            "create" if named.is_none() => continue,
            "create" => (How::Birth, content(&object, write.response_object.as_deref())),
            "deletecollection" => (How::Write, State::Obscured),
            _ => (How::Write, content(&object, write.response_object.as_deref())),
        };
        let by = write.canonical_arn.clone().or_else(|| write.username.clone());
        add(&write.at, by, how, state);
    }
    for cut in life.cut.iter().filter(|cut| cut.is_of_aws_auth()) {
        add(&cut.at, cut.by.clone(), How::Write, State::Obscured);
    }
    for snapshot in &life.snapshots {
        match (snapshot.kind.as_str(), snapshot.name.as_deref()) {
            ("config_map", Some("aws-auth")) => {
                let object = json::parse(Some(&snapshot.body));
                add(&snapshot.at, None, How::Look, content(&object, Some(&snapshot.body)));
            }
            ("list", Some(list)) if lists::is_config_maps(list) => {
                if let Some(look) = lists::Look::of(snapshot)
                    .filter(|look| !look.names_it("aws-auth") && !look.names_it("kube-system/aws-auth"))
                {
                    add(look.at, None, How::Look, State::Absent);
                }
            }
            _ => {}
        }
    }
    History::of(versions)
}

fn content(object: &serde_json::Value, text: Option<&str>) -> State<Content> {
    let is_config_map = object.is_object()
        && object["kind"].as_str() != Some("Status")
        && (object["data"].is_object() || object["metadata"].is_object());
    match text.filter(|_| is_config_map).map(parse_config_map) {
        Some(Ok(auth)) => State::Is(Content {
            auth,
            data: object["data"].clone(),
        }),
        _ => State::Obscured,
    }
}

impl Incarnation<'_> {
    /// What is known of aws-auth at a moment.
    pub(crate) fn aws_auth_at(&self, ts: Micros, measure: Measure) -> Known<&Content> {
        self.aws_auth.at(ts, &self.logs.audit, self.born, measure)
    }

    /// Contents that some record shows, in order.
    pub(crate) fn aws_auth_contents(&self) -> impl DoubleEndedIterator<Item = (&Version<Content>, &Content)> {
        self.aws_auth
            .versions()
            .iter()
            .filter_map(|version| match &version.state {
                State::Is(content) => Some((version, content)),
                State::Absent | State::Obscured => None,
            })
    }
}
