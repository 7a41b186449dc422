//! `eksplain.creators/1`.

use std::io;

use eksplain_analyze::findings;
use eksplain_analyze::words::{Basis, Confidence, PrincipalState, PrincipalType, Works};
use serde::Serialize;

use super::fingerprint::{Fingerprint, Parts};
use super::{Cluster, Evidence, Finding, Origins, cluster, cluster_words, evidence, short_time, time};
use crate::accept::Accepted;
use crate::render::Page;

mod text;

pub(crate) const SCHEMA: &str = "eksplain.creators/1";

#[derive(Debug, Serialize)]
pub(crate) struct Creator {
    pub(crate) cluster: CreatedCluster,
    pub(crate) incarnation: u32,
    pub(crate) creator: Identity,
    bootstrap_admin: Option<bool>,
    authentication_mode: Option<String>,
    confidence: Confidence,
    basis: Option<Basis>,
    pub(crate) creator_state: PrincipalState,
    creator_deleted_at: Option<String>,
    creator_recreated_at: Option<String>,
    other_admins: Vec<String>,
    pub(crate) recovery: Recovery,
    evidence: Vec<Evidence>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) accepted: Option<Accepted>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CreatedCluster {
    #[serde(flatten)]
    pub(crate) cluster: super::Cluster,
    arn: Option<String>,
    pub(crate) created_at: Option<String>,
    pub(crate) deleted_at: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Identity {
    pub(crate) principal: Option<String>,
    #[serde(rename = "type")]
    principal_type: Option<PrincipalType>,
    session: Option<String>,
    human: Option<String>,
    via: Option<&'static str>,
    source_ip: Option<String>,
    user_agent: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Recovery {
    pub(crate) needed: bool,
    pub(crate) why: String,
    options: Vec<RecoveryOption>,
}

#[derive(Debug, Serialize)]
struct RecoveryOption {
    title: String,
    works: Works,
    why: String,
    commands: Vec<String>,
    caveats: Vec<String>,
}

impl Creator {
    pub(crate) fn of(creator: &findings::Creator, origins: &Origins) -> Self {
        let identity = &creator.creator;
        let option = |option: &findings::RecoveryOption| RecoveryOption {
            title: option.title.clone(),
            works: option.works,
            why: option.why.clone(),
            commands: option.commands.clone(),
            caveats: option.caveats.clone(),
        };
        Self {
            cluster: CreatedCluster {
                cluster: cluster(&creator.cluster),
                arn: creator.cluster_arn.clone(),
                created_at: time(creator.created_at),
                deleted_at: time(creator.deleted_at),
            },
            incarnation: creator.incarnation,
            creator: Identity {
                principal: identity.principal.clone(),
                principal_type: identity.principal_type,
                session: identity.session.clone(),
                human: identity.human.clone(),
                via: identity.via,
                source_ip: identity.source_ip.clone(),
                user_agent: identity.user_agent.clone(),
            },
            bootstrap_admin: creator.bootstrap_admin,
            authentication_mode: creator.authentication_mode.clone(),
            confidence: creator.confidence,
            basis: creator.basis,
            creator_state: creator.creator_state,
            creator_deleted_at: time(creator.creator_deleted_at),
            creator_recreated_at: time(creator.creator_recreated_at),
            other_admins: creator.other_admins.clone(),
            recovery: Recovery {
                needed: creator.recovery.needed,
                why: creator.recovery.why.clone(),
                options: creator.recovery.options.iter().map(option).collect(),
            },
            evidence: evidence(&creator.evidence, origins),
            fingerprint: Parts::of("creators")
                .in_cluster(Some(&cluster(&creator.cluster)))
                .of_life(creator.incarnation)
                .with(identity.principal.as_deref())
                .with(Some(creator.creator_state.id()))
                .with(creator.recovery.needed.then_some("recovery-needed"))
                .fingerprint(),
            accepted: None,
        }
    }
}

impl Finding for Creator {
    const COLUMNS: &'static [&'static str] = &[
        "CLUSTER",
        "CREATED",
        "CREATOR",
        "HUMAN",
        "STATE",
        "CONFIDENCE",
        "LOCKED OUT",
    ];
    const FIELDS: &'static [&'static str] = &[
        "account",
        "region",
        "cluster",
        "cluster_arn",
        "cluster_created_at",
        "cluster_deleted_at",
        "incarnation",
        "creator_principal",
        "creator_type",
        "creator_session",
        "creator_human",
        "creator_via",
        "creator_source_ip",
        "creator_user_agent",
        "bootstrap_admin",
        "authentication_mode",
        "confidence",
        "basis",
        "creator_state",
        "creator_deleted_at",
        "creator_recreated_at",
        "other_admins",
        "recovery_needed",
        "recovery_why",
        "recovery_options_title",
        "recovery_options_works",
        "evidence_ids",
        "fingerprint",
        "accepted_why",
        "accepted_owner",
        "accepted_until",
    ];

    fn row(&self) -> Vec<String> {
        let which = super::words::which(self.incarnation);
        let over = if self.cluster.deleted_at.is_some() {
            " [deleted]"
        } else {
            ""
        };
        let basis = self.basis.map(|basis| format!(" ({basis})")).unwrap_or_default();
        vec![
            format!("{}{which}{over}", cluster_words(&self.cluster.cluster)),
            short_time(self.cluster.created_at.as_ref()),
            self.creator.principal.clone().unwrap_or_else(|| "unknown".to_owned()),
            self.creator.human.clone().unwrap_or_else(|| "-".to_owned()),
            self.creator_state.to_string(),
            format!("{}{basis}", self.confidence),
            if self.recovery.needed {
                "yes".to_owned()
            } else {
                "no".to_owned()
            },
        ]
    }

    fn show(findings: &[Self], page: &mut Page<'_>) -> io::Result<()> {
        text::show(findings, page)
    }

    fn next(findings: &[Self]) -> Option<(String, &'static str)> {
        text::next(findings)
    }

    fn rules() -> Vec<&'static str> {
        let recovery = ["recovery-needed", "recovery-not-needed"];
        let states = PrincipalState::ALL.iter().map(|word| word.id());
        let confidence = Confidence::ALL.iter().map(|word| word.id());
        recovery.into_iter().chain(states).chain(confidence).collect()
    }

    fn title(&self) -> String {
        let creator = self.creator.principal.as_deref().unwrap_or("an unknown principal");
        format!("{}, created by {creator}", self.cluster.cluster.name)
    }

    fn words(&self) -> Vec<String> {
        let recovery = if self.recovery.needed {
            "recovery-needed"
        } else {
            "recovery-not-needed"
        };
        vec![
            recovery.to_owned(),
            self.creator_state.to_string(),
            self.confidence.to_string(),
        ]
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn cluster(&self) -> Option<&Cluster> {
        Some(&self.cluster.cluster)
    }

    fn accepted(&self) -> Option<&Accepted> {
        self.accepted.as_ref()
    }

    fn accept(&mut self, accepted: Accepted) {
        self.accepted = Some(accepted);
    }
}
