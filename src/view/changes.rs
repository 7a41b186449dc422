//! `eksplain.changes/1`: what changed of who has access, by time.

use std::io;

use eksplain_analyze::changes::{Change, ChangeKind};
use eksplain_analyze::time::format_rfc3339;
use serde::Serialize;

use super::fingerprint::{Fingerprint, Parts};
use super::{Cluster, Evidence, Finding, Origins, cluster, cluster_words, evidence, in_cluster, short_time};
use crate::accept::Accepted;
use crate::render::Page;

mod text;

pub(crate) const SCHEMA: &str = "eksplain.changes/1";

#[derive(Debug, Serialize)]
pub(crate) struct ChangeFinding {
    ts: String,
    kind: ChangeKind,
    cluster: Option<Cluster>,
    incarnation: Option<u32>,
    actor: Option<String>,
    actor_human: Option<String>,
    subject: String,
    was: Option<String>,
    is: Option<String>,
    evidence: Vec<Evidence>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) accepted: Option<Accepted>,
}

impl ChangeFinding {
    pub(crate) fn of(change: &Change, origins: &Origins) -> Self {
        Self {
            ts: format_rfc3339(change.ts),
            kind: change.kind,
            cluster: change.cluster.as_ref().map(cluster),
            incarnation: change.incarnation,
            actor: change.actor.clone(),
            actor_human: change.actor_human.clone(),
            subject: change.subject.clone(),
            was: change.was.clone(),
            is: change.is.clone(),
            evidence: evidence(&change.evidence, origins),
            fingerprint: Parts::of("changes")
                .in_cluster(change.cluster.as_ref().map(cluster).as_ref())
                .with(Some(change.kind.id()))
                .with(Some(&change.subject))
                .with(Some(&format_rfc3339(change.ts)))
                .with(change.actor.as_deref())
                .with(change.was.as_deref())
                .with(change.is.as_deref())
                .fingerprint(),
            accepted: None,
        }
    }

    /// The actor with the person behind; `-` where no record names one.
    fn by_whom(&self) -> String {
        match (&self.actor, &self.actor_human) {
            (Some(actor), Some(human)) => format!("{actor} ({human})"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => "-".to_owned(),
        }
    }
}

impl Finding for ChangeFinding {
    const COLUMNS: &'static [&'static str] = &["TIME", "KIND", "CLUSTER", "ACTOR", "SUBJECT", "WAS", "IS"];
    const FIELDS: &'static [&'static str] = &[
        "ts",
        "kind",
        "account",
        "region",
        "cluster",
        "incarnation",
        "actor",
        "actor_human",
        "subject",
        "was",
        "is",
        "evidence_ids",
        "fingerprint",
        "accepted_why",
        "accepted_owner",
        "accepted_until",
    ];

    fn row(&self) -> Vec<String> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            short_time(Some(&self.ts)),
            self.kind.to_string(),
            self.cluster.as_ref().map_or_else(|| "-".to_owned(), cluster_words),
            self.by_whom(),
            self.subject.clone(),
            or_none(&self.was),
            or_none(&self.is),
        ]
    }

    fn show(findings: &[Self], page: &mut Page<'_>) -> io::Result<()> {
        text::show(findings, page)
    }

    fn next(findings: &[Self]) -> Option<(String, &'static str)> {
        text::next(findings)
    }

    fn rules() -> Vec<&'static str> {
        ChangeKind::ALL.iter().map(|word| word.id()).collect()
    }

    fn title(&self) -> String {
        format!("{} of {}{}", self.kind, self.subject, in_cluster(self.cluster.as_ref()))
    }

    fn words(&self) -> Vec<String> {
        vec![self.kind.to_string()]
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    fn accepted(&self) -> Option<&Accepted> {
        self.accepted.as_ref()
    }

    fn accept(&mut self, accepted: Accepted) {
        self.accepted = Some(accepted);
    }
}
