//! `changes` for people: a timeline, the newest last.

use std::io;

use super::{ChangeFinding, ChangeKind};
use crate::render::{Margin, Page, Style, Text};
use crate::view::short_time;
use crate::view::words::{heading, principal};

pub(super) fn show(findings: &[ChangeFinding], page: &mut Page<'_>) -> io::Result<()> {
    findings.iter().try_for_each(|change| {
        let title = Text::new()
            .faint(&short_time(Some(&change.ts)))
            .plain("  ")
            .styled(style(change.kind), change.kind.id())
            .whole();
        let title = match &change.cluster {
            Some(cluster) => title
                .plain("  ")
                .then(heading(cluster, change.incarnation.unwrap_or(1))),
            None => title,
        };
        page.line(&title)?;
        let mut rows = vec![vec![
            Text::new().faint("what"),
            principal(&change.subject).made_strong(),
        ]];
        let mut tell = |label, text| rows.push(vec![Text::new().faint(label), text]);
        if let Some(was) = &change.was {
            tell("was", Text::from(was.as_str()));
        }
        if let Some(is) = &change.is {
            tell("is", Text::from(is.as_str()));
        }
        match (&change.actor, &change.actor_human) {
            (Some(actor), Some(human)) => tell("by", principal(actor).plain(", ").strong(human)),
            (Some(actor), None) => tell("by", principal(actor)),
            (None, _) => tell("by", Text::new().faint("nobody whom a record names")),
        }
        page.rows(&Margin::of(4), &rows)
    })
}

pub(super) fn next(findings: &[ChangeFinding]) -> Option<(String, &'static str)> {
    let record = findings.last()?.evidence.last()?;
    Some((
        format!("evidence {}", record.id),
        "shows the record of the latest change",
    ))
}

fn style(kind: ChangeKind) -> Style {
    match kind {
        ChangeKind::AdminGained => Style::Warning,
        ChangeKind::ClusterDeleted | ChangeKind::PrincipalDeleted => Style::Error,
        _ => Style::Strong,
    }
}
