//! `who` for people: what is known of a principal, cluster by cluster.

use std::collections::BTreeMap;
use std::io;

use eksplain_analyze::quote;
use eksplain_analyze::words::PrincipalState;

use super::{Activity, Mapping, WhoFinding};
use crate::render::{Margin, Page, Text};
use crate::view::words::{counted, gone, heading_of, principal, validity};
use crate::view::{Cluster, short_time};

pub(super) fn show(findings: &[WhoFinding], page: &mut Page<'_>) -> io::Result<()> {
    for (at, who) in findings.iter().enumerate() {
        if at > 0 {
            page.blank()?;
        }
        one(page, who)?;
    }
    Ok(())
}

pub(super) fn next(findings: &[WhoFinding]) -> Option<(String, &'static str)> {
    let who = findings.first()?;
    if let Some(mapping) = who.mappings.iter().find(|mapping| mapping.valid_to.is_none()) {
        let cluster = quote(&mapping.cluster.name);
        return Some((
            format!("can-i --list --as {} --cluster {cluster}", quote(&who.principal)),
            "lists what it may do there",
        ));
    }
    let record = who.denials.iter().find_map(|denial| denial.proof())?;
    Some((format!("evidence {record}"), "shows the record of its latest refusal"))
}

fn one(page: &mut Page<'_>, who: &WhoFinding) -> io::Result<()> {
    let mut title = Text::new()
        .then(principal(&who.principal).made_strong())
        .plain(" ")
        .faint(who.principal_type.id());
    title = match gone(who.principal_state, who.principal_deleted_at.as_ref()) {
        Some(gone) => title.plain(", ").then(gone),
        None => title.plain(&format!(
            ", {}",
            match who.principal_state {
                PrincipalState::Unknown => "unknown whether it exists",
                state => state.id(),
            }
        )),
    };
    page.line(&title)?;
    if !who.sessions.is_empty() {
        let row = [vec![
            Text::new().faint("sessions"),
            Text::from(who.sessions.join(", ").as_str()),
        ]];
        page.rows(&Margin::of(2), &row)?;
    }
    let mut clusters: BTreeMap<Option<&Cluster>, Vec<Vec<Text>>> = BTreeMap::new();
    let mut tell = |cluster, label, text| {
        clusters
            .entry(cluster)
            .or_default()
            .push(vec![Text::new().faint(label), text]);
    };
    for mapping in &who.mappings {
        tell(Some(&mapping.cluster), "logs in", mapping.in_words());
    }
    for admin in &who.power {
        tell(Some(&admin.cluster), "power", admin.in_words());
    }
    for activity in &who.activity {
        tell(Some(&activity.cluster), "did", activity.in_words());
    }
    for denial in &who.denials {
        tell(denial.cluster.as_ref(), "refused", denial.in_words());
    }
    for (cluster, rows) in clusters {
        page.paragraph(&Margin::of(2).hanging(2), &heading_of(cluster))?;
        page.rows(&Margin::of(4), &rows)?;
    }
    Ok(())
}

impl Mapping {
    fn in_words(&self) -> Text {
        let name = self.username.as_deref().unwrap_or("a generated name");
        let groups = if self.groups.is_empty() {
            "no groups".to_owned()
        } else {
            format!("groups {}", self.groups.join(", "))
        };
        let text = Text::from("as ")
            .strong(name)
            .plain(&format!(" with {groups}, by {}", self.how));
        match validity(self.valid_from.as_ref(), self.valid_to.as_ref()) {
            Some(validity) => text.plain(", ").faint(&validity),
            None => text,
        }
    }
}

impl Activity {
    fn in_words(&self) -> Text {
        let text = Text::from(counted(self.uses, "request").as_str());
        let text = text.faint(&format!(
            ", {} to {}",
            short_time(Some(&self.first_seen)),
            short_time(Some(&self.last_seen))
        ));
        if self.kubernetes_usernames.is_empty() {
            text
        } else {
            text.plain(&format!(", as {}", self.kubernetes_usernames.join(", ")))
        }
    }
}
