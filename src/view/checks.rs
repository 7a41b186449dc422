//! `eksplain.check/1`, also as SARIF.

use std::io;

use eksplain_analyze::check::Check;
use eksplain_analyze::words::{Rule, Severity};
use serde::Serialize;
use serde_json::{Value, json};

use super::fingerprint::{Fingerprint, Parts};
use super::{Cluster, Evidence, Finding, Fix, Origins, cluster, cluster_words, evidence, in_cluster};
use crate::accept::Accepted;
use crate::render::Page;

mod text;

pub(crate) const SCHEMA: &str = "eksplain.check/1";

#[derive(Debug, Serialize)]
pub(crate) struct CheckFinding {
    pub(crate) rule: Rule,
    pub(crate) severity: Severity,
    pub(crate) cluster: Option<Cluster>,
    pub(crate) subject: String,
    message: String,
    fix: Vec<Fix>,
    evidence: Vec<Evidence>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) accepted: Option<Accepted>,
}

impl CheckFinding {
    pub(crate) fn of(check: &Check, origins: &Origins) -> Self {
        Self {
            rule: check.rule,
            severity: check.severity,
            cluster: check.cluster.as_ref().map(cluster),
            subject: check.subject.clone(),
            message: check.message.clone(),
            fix: check.fix.iter().map(Fix::of).collect(),
            evidence: evidence(&check.evidence, origins),
            fingerprint: Parts::of("check")
                .in_cluster(check.cluster.as_ref().map(cluster).as_ref())
                .with(Some(check.rule.id()))
                .with(Some(&check.subject))
                .with(Some(check.severity.id()))
                .fingerprint(),
            accepted: None,
        }
    }
}

impl Finding for CheckFinding {
    const COLUMNS: &'static [&'static str] = &["SEVERITY", "CLUSTER", "RULE", "SUBJECT", "MESSAGE"];
    const FIELDS: &'static [&'static str] = &[
        "rule",
        "severity",
        "account",
        "region",
        "cluster",
        "subject",
        "message",
        "fix_title",
        "fix_commands",
        "evidence_ids",
        "fingerprint",
        "accepted_why",
        "accepted_owner",
        "accepted_until",
    ];

    fn row(&self) -> Vec<String> {
        vec![
            self.severity.to_string(),
            self.cluster.as_ref().map_or("-".to_owned(), cluster_words),
            self.rule.to_string(),
            self.subject.clone(),
            self.message.clone(),
        ]
    }

    fn show(findings: &[Self], page: &mut Page<'_>) -> io::Result<()> {
        text::show(findings, page)
    }

    fn next(findings: &[Self]) -> Option<(String, &'static str)> {
        text::next(findings)
    }

    fn rules() -> Vec<&'static str> {
        Severity::ALL
            .iter()
            .map(|word| word.id())
            .chain(Rule::ALL.iter().map(|word| word.id()))
            .collect()
    }

    fn title(&self) -> String {
        format!("{} of {}{}", self.rule, self.subject, in_cluster(self.cluster.as_ref()))
    }

    fn words(&self) -> Vec<String> {
        vec![self.severity.to_string(), self.rule.to_string()]
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    fn rule(&self) -> Option<&'static str> {
        Some(self.rule.id())
    }

    fn accepted(&self) -> Option<&Accepted> {
        self.accepted.as_ref()
    }

    fn accept(&mut self, accepted: Accepted) {
        self.accepted = Some(accepted);
    }
}

/// SARIF 2.1.0, as code scanning takes it.
pub(crate) fn sarif(findings: &[CheckFinding]) -> Value {
    let level = |severity: Severity| match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    };
    let rules: std::collections::BTreeSet<Rule> = findings.iter().map(|finding| finding.rule).collect();
    let result = |finding: &CheckFinding| {
        let locations: Vec<Value> = finding
            .evidence
            .iter()
            .filter_map(|item| item.origin.as_ref())
            .map(|origin| json!({"physicalLocation": {"artifactLocation": {"uri": origin.uri}, "region": {"startLine": origin.line.max(1)}}}))
            .collect();
        let place = finding
            .cluster
            .as_ref()
            .map(|cluster| format!("{}: ", cluster_words(cluster)))
            .unwrap_or_default();
        json!({"ruleId": finding.rule, "level": level(finding.severity), "message": {"text": format!("{place}{}", finding.message)},
            "locations": locations, "properties": {"severity": finding.severity, "subject": finding.subject}})
    };
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "eksplain", "version": env!("CARGO_PKG_VERSION"), "rules": rules.iter().map(|rule| json!({"id": rule})).collect::<Vec<_>>()}},
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}
