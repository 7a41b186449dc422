//! `eksplain.who/1`: one finding for each principal that the name may mean.

use std::io;

use eksplain_analyze::findings::Answers;
use eksplain_analyze::time::format_rfc3339;
use eksplain_analyze::who::Who;
use eksplain_analyze::words::{PrincipalState, PrincipalType};
use serde::Serialize;

use super::admins::Admin;
use super::denials::Denial;
use super::{Cluster, Finding, Origins, cluster, short_time, time};
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
    mappings: Vec<Mapping>,
    activity: Vec<Activity>,
    power: Vec<Admin>,
    denials: Vec<Denial>,
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
            mappings: who.logins.iter().map(mapping).collect(),
            activity: who.activity.iter().map(activity).collect(),
            power: power.map(|admin| Admin::of(admin, origins)).collect(),
            denials: denials.map(|denial| Denial::of(denial, origins)).collect(),
        }
    }
}

impl Finding for WhoFinding {
    const COLUMNS: &'static [&'static str] = &["PRINCIPAL", "TYPE", "STATE", "SESSIONS"];

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

    fn words(&self) -> Vec<String> {
        vec![self.principal_state.to_string()]
    }
}
