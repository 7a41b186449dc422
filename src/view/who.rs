//! `eksplain.who/1`: one finding for each principal that the name may mean.

use std::io;

use eksplain_analyze::findings::Answers;
use eksplain_analyze::time::format_rfc3339;
use eksplain_analyze::who::Who;
use eksplain_analyze::words::{PrincipalState, PrincipalType};
use serde::Serialize;

use super::admins::Admin;
use super::denials::Denial;
use super::fingerprint::{Fingerprint, Parts};
use super::{Cluster, Evidence, Finding, Origins, cluster, evidence, short_time, time};
use crate::accept::Accepted;
use crate::render::Page;

mod text;

pub(crate) const SCHEMA: &str = "eksplain.who/1";

#[derive(Debug, Serialize)]
pub(crate) struct WhoFinding {
    principal: String,
    principal_type: PrincipalType,
    principal_state: PrincipalState,
    principal_deleted_at: Option<String>,
    sessions: Vec<String>,
    people: Vec<Behind>,
    acted_as: Vec<Behind>,
    mappings: Vec<Mapping>,
    activity: Vec<Activity>,
    aws_activity: Vec<AwsActivity>,
    did: Vec<Deed>,
    power: Vec<Admin>,
    denials: Vec<Denial>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) accepted: Option<Accepted>,
}

#[derive(Debug, Serialize)]
struct Mapping {
    cluster: Cluster,
    incarnation: u32,
    how: String,
    username: Option<String>,
    groups: Vec<String>,
    valid_from: Option<String>,
    valid_to: Option<String>,
}

#[derive(Debug, Serialize)]
struct Activity {
    cluster: Cluster,
    kubernetes_usernames: Vec<String>,
    uses: u64,
    first_seen: String,
    last_seen: String,
}

/// A person who used the session of a principal.
#[derive(Debug, Serialize)]
struct Behind {
    person: String,
    person_principal: Option<String>,
    principal: String,
    session: String,
    cluster: Cluster,
    uses: u64,
    first_seen: String,
    last_seen: String,
    evidence: Vec<Evidence>,
}

#[derive(Debug, Serialize)]
struct AwsActivity {
    service: String,
    actions: Vec<String>,
    calls: u64,
    refused: u64,
    first_seen: String,
    last_seen: String,
    evidence: Vec<Evidence>,
}

/// Alike changes of who has access.
#[derive(Debug, Serialize)]
struct Deed {
    ts: String,
    first_seen: String,
    count: u64,
    what: String,
    cluster: Option<Cluster>,
    acting_as: Option<String>,
    session: Option<String>,
    evidence: Vec<Evidence>,
}

impl WhoFinding {
    pub(crate) fn of(who: &Who, answers: &Answers, origins: &Origins) -> Self {
        let mapping = |right: &eksplain_analyze::who::LoginRight| Mapping {
            cluster: cluster(&right.cluster),
            incarnation: right.incarnation,
            how: right.how.clone(),
            username: right.username.clone(),
            groups: right.groups.clone(),
            valid_from: time(right.valid_from),
            valid_to: time(right.valid_to),
        };
        let activity = |row: &eksplain_analyze::who::ClusterActivity| Activity {
            cluster: cluster(&row.cluster),
            kubernetes_usernames: row.usernames.clone(),
            uses: row.uses,
            first_seen: format_rfc3339(row.first),
            last_seen: format_rfc3339(row.last),
        };
        let behind = |row: &eksplain_analyze::who::Behind| Behind {
            person: row.person.clone(),
            person_principal: row.person_principal.clone(),
            principal: row.principal.clone(),
            session: row.session.clone(),
            cluster: cluster(&row.cluster),
            uses: row.uses,
            first_seen: format_rfc3339(row.first),
            last_seen: format_rfc3339(row.last),
            evidence: evidence(&row.evidence, origins),
        };
        let aws = |row: &eksplain_analyze::who::AwsActivity| AwsActivity {
            service: row.service.clone(),
            actions: row.actions.clone(),
            calls: row.calls,
            refused: row.refused,
            first_seen: format_rfc3339(row.first),
            last_seen: format_rfc3339(row.last),
            evidence: evidence(&row.evidence, origins),
        };
        let deed = |row: &eksplain_analyze::who::Deed| Deed {
            ts: format_rfc3339(row.ts),
            first_seen: format_rfc3339(row.first),
            count: row.count,
            what: row.what.clone(),
            cluster: row.cluster.as_ref().map(cluster),
            acting_as: row.acting_as.clone(),
            session: row.session.clone(),
            evidence: evidence(&row.evidence, origins),
        };
        let power = answers.admins.iter().filter(|admin| admin.principal == who.principal);
        let denials = answers
            .denials
            .iter()
            .filter(|denial| denial.principal.as_deref() == Some(who.principal.as_str()));
        Self {
            principal: who.principal.clone(),
            principal_type: who.principal_type,
            principal_state: who.state,
            principal_deleted_at: time(who.deleted_at),
            sessions: who.sessions.clone(),
            people: who.people.iter().map(behind).collect(),
            acted_as: who.acted_as.iter().map(behind).collect(),
            mappings: who.logins.iter().map(mapping).collect(),
            activity: who.activity.iter().map(activity).collect(),
            aws_activity: who.aws.iter().map(aws).collect(),
            did: who.did.iter().map(deed).collect(),
            power: power.map(|admin| Admin::of(admin, origins)).collect(),
            denials: denials.map(|denial| Denial::of(denial, origins)).collect(),
            fingerprint: Parts::of("who").with(Some(&who.principal)).fingerprint(),
            accepted: None,
        }
    }
}

impl Finding for WhoFinding {
    const COLUMNS: &'static [&'static str] = &["PRINCIPAL", "TYPE", "STATE", "SESSIONS"];
    const FIELDS: &'static [&'static str] = &[
        "principal",
        "principal_type",
        "principal_state",
        "principal_deleted_at",
        "sessions",
        "mappings_cluster",
        "mappings_how",
        "mappings_username",
        "activity_cluster",
        "activity_uses",
        "aws_activity_service",
        "aws_activity_calls",
        "did_ts",
        "did_what",
        "power_cluster",
        "power_status",
        "power_power",
        "denials_cluster",
        "denials_reason",
        "denials_count",
        "evidence_ids",
        "fingerprint",
        "accepted_why",
        "accepted_owner",
        "accepted_until",
    ];

    fn row(&self) -> Vec<String> {
        let deleted = self
            .principal_deleted_at
            .as_ref()
            .map(|_| format!(" ({})", short_time(self.principal_deleted_at.as_ref())))
            .unwrap_or_default();
        vec![
            self.principal.clone(),
            self.principal_type.to_string(),
            format!("{}{deleted}", self.principal_state),
            self.sessions.join(", "),
        ]
    }

    fn show(findings: &[Self], page: &mut Page<'_>) -> io::Result<()> {
        text::show(findings, page)
    }

    fn next(findings: &[Self]) -> Option<(String, &'static str)> {
        text::next(findings)
    }

    fn rules() -> Vec<&'static str> {
        PrincipalState::ALL.iter().map(|word| word.id()).collect()
    }

    fn title(&self) -> String {
        format!("{} ({})", self.principal, self.principal_state)
    }

    fn words(&self) -> Vec<String> {
        vec![self.principal_state.to_string()]
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn cluster(&self) -> Option<&Cluster> {
        None
    }

    fn accepted(&self) -> Option<&Accepted> {
        self.accepted.as_ref()
    }

    fn accept(&mut self, accepted: Accepted) {
        self.accepted = Some(accepted);
    }
}
