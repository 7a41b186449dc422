//! `denials` for people: by cluster, then by reason; what is alike is said once.

use std::io;

use eksplain_analyze::quote;
use eksplain_analyze::words::Confidence;

use super::Denial;
use crate::render::{Margin, Page, Style, Text};
use crate::view::short_time;
use crate::view::words::{counted, fixes, grouped, heading_of, principal};

pub(super) fn show(findings: &[Denial], page: &mut Page<'_>) -> io::Result<()> {
    let clusters = grouped(findings, |denial| denial.cluster.as_ref());
    for (at, (cluster, denials)) in clusters.into_iter().enumerate() {
        if at > 0 {
            page.blank()?;
        }
        let unresolved: u64 = denials
            .iter()
            .filter(|denial| !denial.resolved)
            .map(|denial| denial.count)
            .sum();
        let total = calls(&denials);
        let mut title = heading_of(cluster).plain(&format!(": {} refused", counted(total, "call")));
        if unresolved < total {
            title = title.plain(&format!(", {unresolved} unresolved"));
        }
        page.line(&title)?;
        reasons(page, denials)?;
    }
    Ok(())
}

pub(super) fn next(findings: &[Denial]) -> Option<(String, &'static str)> {
    let worth = |denial: &&Denial| (denial.resolved, denial.principal.is_none(), u64::MAX - denial.count);
    let denial = findings.iter().min_by_key(worth)?;
    Some(match &denial.principal {
        Some(name) => (
            format!("who {}", quote(name)),
            "shows everything known about one principal",
        ),
        None => {
            let record = denial.evidence.first()?;
            (
                format!("evidence {}", record.id),
                "shows the record that proves the first",
            )
        }
    })
}

fn calls(denials: &[&Denial]) -> u64 {
    denials.iter().map(|denial| denial.count).sum()
}

/// What is open and happens most stands first.
fn reasons(page: &mut Page<'_>, denials: Vec<&Denial>) -> io::Result<()> {
    let groups = grouped(&denials, |denial| denial.reason);
    let mut groups: Vec<Vec<&Denial>> = groups
        .into_values()
        .map(|group| group.into_iter().copied().collect())
        .collect();
    groups.sort_by_key(|group| {
        let is_resolved = group.iter().all(|denial| denial.resolved);
        (is_resolved, u64::MAX - calls(group))
    });
    for group in groups {
        let Some(first) = group.first() else { continue };
        let title = Text::from("  ").then(Text::new().styled(Style::Warning, first.reason.id()));
        page.line(&title.plain(&format!(": {}", counted(calls(&group), "call"))))?;
        alike(page, group)?;
    }
    Ok(())
}

/// Those of one cause and one way out share the words for it.
fn alike(page: &mut Page<'_>, group: Vec<&Denial>) -> io::Result<()> {
    let fix = |denial: &Denial| denial.fix.first().map(|fix| (fix.title.clone(), fix.commands.clone()));
    let groups = grouped(&group, |denial| (denial.resolved, &denial.cause, fix(denial)));
    for denials in groups.into_values() {
        let rows: Vec<_> = denials.iter().map(|denial| denial.told()).collect();
        page.rows(&Margin::of(4), &rows)?;
        let Some(first) = denials.first() else { continue };
        let cause = Text::new().literal("why").plain(": ").plain(&first.cause);
        page.paragraph(&Margin::of(6).hanging(2), &cause)?;
        if !first.resolved {
            fixes(page, &Margin::of(6), &first.fix)?;
        }
    }
    Ok(())
}

impl Denial {
    /// What was refused, how often, until when.
    pub(in crate::view) fn in_words(&self) -> Text {
        let mut text = Text::from(self.request.in_words().as_str())
            .plain(": ")
            .styled(Style::Warning, self.reason.id());
        for cell in self.times() {
            text = text.plain(", ").then(cell);
        }
        text
    }

    /// A record that proves it.
    pub(in crate::view) fn proof(&self) -> Option<&str> {
        self.evidence.last().map(|record| record.id.as_str())
    }

    fn told(&self) -> Vec<Text> {
        let name = self.principal.as_deref().or(self.kubernetes_username.as_deref());
        let mut who = name.map_or_else(|| Text::new().faint("unknown"), principal);
        if let Some(session) = &self.session {
            who = who.faint(&format!(" ({session})"));
        }
        let mut cells = vec![who, Text::from(self.request.in_words().as_str())];
        cells.extend(self.times());
        cells
    }

    fn times(&self) -> [Text; 3] {
        let resolved = if self.resolved {
            Text::new().styled(Style::Good, "✓ resolved").whole()
        } else {
            Text::new().styled(Style::Error, "✗ unresolved").whole()
        };
        let sure = if self.confidence == Confidence::Certain {
            Text::new()
        } else {
            Text::new().plain(", ").warning(self.confidence.id())
        };
        [
            Text::from(counted(self.count, "call").as_str()).whole(),
            Text::new()
                .faint(&format!("last {}", short_time(Some(&self.last_seen))))
                .whole(),
            resolved.then(sure),
        ]
    }
}
