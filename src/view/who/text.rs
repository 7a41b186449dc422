//! `who` for people: what is known of a principal, cluster by cluster.

use std::collections::BTreeMap;
use std::io;

use eksplain_analyze::quote;
use eksplain_analyze::words::PrincipalState;

use super::{Activity, AwsActivity, Behind, Deed, Mapping, WhoFinding};
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
    let calls: Vec<Vec<Text>> = who
        .aws_activity
        .iter()
        .map(|calls| vec![Text::new().faint("calls"), calls.in_words()])
        .collect();
    page.rows(&Margin::of(2), &calls)?;
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
    for behind in &who.people {
        tell(Some(&behind.cluster), "used by", behind.by_whom());
    }
    for behind in &who.acted_as {
        tell(Some(&behind.cluster), "acted as", behind.as_whom());
    }
    for admin in &who.power {
        tell(Some(&admin.cluster), "power", admin.in_words());
    }
    for activity in &who.activity {
        tell(Some(&activity.cluster), "did", activity.in_words());
    }
    // What was changed last matters most; all of it is in the JSON.
    for deed in who.did.iter().rev().take(DEEDS) {
        tell(deed.cluster.as_ref(), "changed", deed.in_words());
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

/// So many changes are shown.
const DEEDS: usize = 12;

fn from_to(first: &String, last: &String) -> String {
    format!(", {} to {}", short_time(Some(first)), short_time(Some(last)))
}

impl Behind {
    fn by_whom(&self) -> Text {
        let text = Text::new()
            .strong(&self.person)
            .plain(&format!(" as session {}", self.session));
        text.faint(&from_to(&self.first_seen, &self.last_seen))
    }

    fn as_whom(&self) -> Text {
        let text = principal(&self.principal).plain(&format!(", session {}", self.session));
        text.faint(&from_to(&self.first_seen, &self.last_seen))
    }
}

impl AwsActivity {
    fn in_words(&self) -> Text {
        let text = Text::from(counted(self.calls, "call").as_str()).plain(&format!(" to {}", self.service));
        let text = match self.actions.as_slice() {
            [] => text,
            actions => text.plain(&format!(": {}", actions.join(", "))),
        };
        let text = match self.refused {
            0 => text,
            refused => text.plain(&format!(", {refused} of them failed")),
        };
        text.faint(&from_to(&self.first_seen, &self.last_seen))
    }
}

impl Deed {
    fn in_words(&self) -> Text {
        let mut text = Text::from(self.what.as_str());
        if let Some(other) = &self.acting_as {
            text = text.plain(" as ").then(principal(other));
        }
        if self.count > 1 {
            text = text.plain(&format!(", {} times", self.count));
        }
        text.faint(&format!(", {}", short_time(Some(&self.ts))))
    }
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
