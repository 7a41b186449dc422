//! `eksplain.denials/1`.

use std::io;

use eksplain_analyze::findings;
use eksplain_analyze::time::{format_date, format_rfc3339};
use eksplain_analyze::words::{Confidence, Layer, Reason};
use serde::Serialize;

use super::fingerprint::{Fingerprint, Parts};
use super::{Cluster, Evidence, Finding, Fix, Origins, cluster, cluster_words, evidence, in_cluster, short_time};
use crate::accept::Accepted;
use crate::render::Page;

mod text;

pub(crate) const SCHEMA: &str = "eksplain.denials/1";

#[derive(Debug, Serialize)]
pub(crate) struct Denial {
    pub(crate) cluster: Option<Cluster>,
    pub(crate) principal: Option<String>,
    pub(crate) kubernetes_username: Option<String>,
    groups: Vec<String>,
    session: Option<String>,
    pub(crate) layer: Layer,
    pub(crate) reason: Reason,
    cause: String,
    pub(crate) request: Request,
    pub(crate) count: u64,
    pub(crate) by_day: Vec<Day>,
    first_seen: String,
    last_seen: String,
    pub(crate) resolved: bool,
    seen_by_user_as: Vec<String>,
    fix: Vec<Fix>,
    confidence: Confidence,
    evidence: Vec<Evidence>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) accepted: Option<Accepted>,
}

/// Refused calls of one UTC day.
#[derive(Debug, Serialize)]
pub(crate) struct Day {
    pub(crate) date: String,
    pub(crate) count: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Request {
    pub(crate) verb: Option<String>,
    pub(crate) api_group: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) subresource: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) non_resource_url: Option<String>,
    pub(crate) aws_action: Option<String>,
}

impl Denial {
    pub(crate) fn of(denial: &findings::Denial, origins: &Origins) -> Self {
        let request = denial.request.clone();
        Self {
            cluster: denial.cluster.as_ref().map(cluster),
            principal: denial.principal.clone(),
            kubernetes_username: denial.kubernetes_username.clone(),
            groups: denial.groups.clone(),
            session: denial.session.clone(),
            layer: denial.layer,
            reason: denial.reason,
            cause: denial.cause.clone(),
            request: Request {
                verb: request.verb,
                api_group: request.api_group,
                resource: request.resource,
                subresource: request.subresource,
                namespace: request.namespace,
                name: request.name,
                non_resource_url: request.non_resource_url,
                aws_action: request.aws_action,
            },
            count: denial.count,
            by_day: denial
                .by_day
                .iter()
                .map(|(time, count)| Day {
                    date: format_date(*time),
                    count: *count,
                })
                .collect(),
            first_seen: format_rfc3339(denial.first_seen),
            last_seen: format_rfc3339(denial.last_seen),
            resolved: denial.resolved,
            seen_by_user_as: denial.seen_by_user_as.clone(),
            fix: denial.fix.iter().map(Fix::of).collect(),
            confidence: denial.confidence,
            evidence: evidence(&denial.evidence, origins),
            fingerprint: fingerprint(denial),
            accepted: None,
        }
    }
}

/// Cluster, who, reason, and the shape of the request: what alike calls are grouped by.
fn fingerprint(denial: &findings::Denial) -> Fingerprint {
    let request = &denial.request;
    let shape = [
        &request.verb,
        &request.api_group,
        &request.resource,
        &request.subresource,
        &request.namespace,
        &request.non_resource_url,
        &request.aws_action,
    ];
    let who = Parts::of("denials")
        .in_cluster(denial.cluster.as_ref().map(cluster).as_ref())
        .with(denial.principal.as_deref())
        .with(
            denial
                .kubernetes_username
                .as_deref()
                .filter(|_| denial.principal.is_none()),
        )
        .with(Some(denial.reason.id()));
    shape
        .into_iter()
        .fold(who, |identity, part| identity.with(part.as_deref()))
        .fingerprint()
}

impl Request {
    fn in_words(&self) -> String {
        if let Some(action) = &self.aws_action {
            return action.clone();
        }
        let verb = self.verb.as_deref().unwrap_or_default();
        if let Some(url) = &self.non_resource_url {
            return format!("{verb} {url}");
        }
        let Some(resource) = &self.resource else {
            return "log in".to_owned();
        };
        let group = self
            .api_group
            .as_deref()
            .filter(|group| !group.is_empty())
            .map(|group| format!(".{group}"))
            .unwrap_or_default();
        let sub = self
            .subresource
            .as_deref()
            .map(|sub| format!("/{sub}"))
            .unwrap_or_default();
        let namespace = self
            .namespace
            .as_deref()
            .map_or(" in all namespaces".to_owned(), |namespace| format!(" in {namespace}"));
        format!("{verb} {resource}{group}{sub}{namespace}")
    }
}

impl Finding for Denial {
    const COLUMNS: &'static [&'static str] = &[
        "CLUSTER",
        "WHO",
        "ASKED TO",
        "REFUSED BECAUSE",
        "COUNT",
        "LAST SEEN",
        "RESOLVED",
    ];
    const FIELDS: &'static [&'static str] = &[
        "account",
        "region",
        "cluster",
        "principal",
        "kubernetes_username",
        "groups",
        "session",
        "layer",
        "reason",
        "cause",
        "request_verb",
        "request_api_group",
        "request_resource",
        "request_subresource",
        "request_namespace",
        "request_name",
        "request_non_resource_url",
        "request_aws_action",
        "count",
        "first_seen",
        "last_seen",
        "by_day_date",
        "by_day_count",
        "resolved",
        "seen_by_user_as",
        "fix_title",
        "fix_commands",
        "confidence",
        "evidence_ids",
        "fingerprint",
        "accepted_why",
        "accepted_owner",
        "accepted_until",
    ];

    fn row(&self) -> Vec<String> {
        vec![
            self.cluster.as_ref().map_or("-".to_owned(), cluster_words),
            self.principal.clone().unwrap_or_else(|| "unknown".to_owned()),
            self.request.in_words(),
            self.reason.to_string(),
            self.count.to_string(),
            short_time(Some(&self.last_seen)),
            if self.resolved { "yes" } else { "no" }.to_owned(),
        ]
    }

    fn show(findings: &[Self], page: &mut Page<'_>) -> io::Result<()> {
        text::show(findings, page)
    }

    fn next(findings: &[Self]) -> Option<(String, &'static str)> {
        text::next(findings)
    }

    fn rules() -> Vec<&'static str> {
        let layers = Layer::ALL.iter().map(|word| word.id());
        // No log shows what a client refuses by itself.
        let of_logs = Reason::ALL.iter().filter(|reason| reason.layer() != Layer::Client);
        ["resolved", "unresolved"]
            .into_iter()
            .chain(layers.filter(|layer| *layer != Layer::Client.id()))
            .chain(of_logs.map(|reason| reason.id()))
            .collect()
    }

    fn title(&self) -> String {
        let who = self.principal.as_ref().or(self.kubernetes_username.as_ref());
        let who = who.map_or("unknown", String::as_str);
        format!("{} of {who}{}", self.reason, in_cluster(self.cluster.as_ref()))
    }

    fn words(&self) -> Vec<String> {
        let open = if self.resolved { "resolved" } else { "unresolved" };
        vec![self.layer.to_string(), self.reason.to_string(), open.to_owned()]
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    fn rule(&self) -> Option<&'static str> {
        Some(self.reason.id())
    }

    fn accepted(&self) -> Option<&Accepted> {
        self.accepted.as_ref()
    }

    fn accept(&mut self, accepted: Accepted) {
        self.accepted = Some(accepted);
    }
}
