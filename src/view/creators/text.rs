//! `creators` for people: a block a cluster, with the way back in where somebody is locked out.

use std::io;

use eksplain_analyze::quote;
use eksplain_analyze::words::{Basis, Confidence, PrincipalState, Works};

use super::{Creator, RecoveryOption};
use crate::render::{Margin, Page, Style, Text};
use crate::view::short_time;
use crate::view::words::{gone, heading, listed, principal};

pub(super) fn show(findings: &[Creator], page: &mut Page<'_>) -> io::Result<()> {
    for (at, creator) in findings.iter().enumerate() {
        if at > 0 {
            page.blank()?;
        }
        let mut title = heading(&creator.cluster.cluster, creator.incarnation);
        if let Some(deleted) = &creator.cluster.deleted_at {
            title = title
                .plain(", ")
                .faint(&format!("deleted {}", short_time(Some(deleted))));
        }
        if creator.recovery.needed {
            title = title.plain(": ").styled(Style::Error, "✗ locked out");
        }
        page.line(&title)?;
        let facts = creator.facts().into_iter();
        let facts: Vec<_> = facts
            .map(|(label, text)| vec![Text::new().faint(label), text])
            .collect();
        page.rows(&Margin::of(2), &facts)?;
        if creator.recovery.needed {
            recovery(page, creator)?;
        }
    }
    Ok(())
}

pub(super) fn next(findings: &[Creator]) -> Option<(String, &'static str)> {
    if let Some(creator) = findings.iter().find(|creator| creator.recovery.needed) {
        let cluster = &creator.cluster.cluster;
        let region = cluster
            .region
            .as_ref()
            .map(|region| format!(" --regions {}", quote(region)));
        return Some((
            format!("rescue {}{}", quote(&cluster.name), region.unwrap_or_default()),
            "asks AWS for the present state and makes a plan from it",
        ));
    }
    let record = findings.iter().flat_map(|creator| &creator.evidence).next()?;
    Some((
        format!("evidence {}", record.id),
        "shows the record that proves the first",
    ))
}

fn recovery(page: &mut Page<'_>, creator: &Creator) -> io::Result<()> {
    page.blank()?;
    let name = &creator.cluster.cluster.name;
    let title = Text::new()
        .strong(&format!("How to get back into {name}"))
        .plain(": ")
        .plain(&creator.recovery.why);
    page.paragraph(&Margin::of(2).hanging(2), &title)?;
    let options = creator.recovery.options.iter().enumerate();
    options
        .into_iter()
        .try_for_each(|(at, option)| one(page, at + 1, option))
}

fn one(page: &mut Page<'_>, number: usize, option: &RecoveryOption) -> io::Result<()> {
    let style = match option.works {
        Works::Yes => Style::Good,
        Works::No => Style::Faint,
        Works::Depends => Style::Warning,
    };
    let title = Text::from(format!("{number}. ").as_str())
        .strong(&option.title)
        .plain(" (works: ")
        .styled(style, option.works.id())
        .plain("): ")
        .plain(&option.why);
    page.paragraph(&Margin::of(2).hanging(3), &title)?;
    if option.works == Works::No {
        return Ok(());
    }
    for command in &option.commands {
        page.command(&Margin::of(7), command)?;
    }
    for caveat in &option.caveats {
        let note = Text::new().warning("note").plain(": ").plain(caveat);
        page.paragraph(&Margin::of(5).hanging(2), &note)?;
    }
    Ok(())
}

impl Creator {
    fn facts(&self) -> Vec<(&'static str, Text)> {
        let identity = &self.creator;
        let mut who = match &identity.principal {
            Some(name) => principal(name),
            None => Text::new().warning("unknown"),
        };
        let human = identity.human.as_ref().filter(|human| {
            let name = identity.principal.as_deref().and_then(|arn| arn.rsplit('/').next());
            name != Some(human.as_str())
        });
        if let Some(human) = human {
            who = who.plain(", ").strong(human);
        }
        let state = match self.creator_state {
            PrincipalState::Present => Some(Text::new().styled(Style::Good, "present")),
            PrincipalState::Unknown => Some(Text::new().faint("unknown whether it still exists")),
            state => gone(state, self.creator_deleted_at.as_ref()),
        };
        let who = listed(
            [Some(who), state.filter(|_| identity.principal.is_some())]
                .into_iter()
                .flatten(),
        );
        let mut made = Text::from(
            match &self.cluster.created_at {
                Some(_) => short_time(self.cluster.created_at.as_ref()),
                None => "before these logs".to_owned(),
            }
            .as_str(),
        );
        if let Some(via) = identity.via {
            made = made.plain(&format!(" by {via}"));
        }
        if let Some(ip) = &identity.source_ip {
            made = made.plain(&format!(" from {ip}"));
        }
        let basis = self.basis.map(|basis| match basis {
            Basis::CreateClusterEvent => ", by its CreateCluster event",
            Basis::AccessEntry => ", by the access entry that EKS made",
            Basis::FirstMastersLogin => ", by the first login as kubernetes-admin",
            Basis::Snapshot => ", by the present state",
        });
        let style = match self.confidence {
            Confidence::Certain => Style::Plain,
            _ => Style::Warning,
        };
        let sure = Text::new()
            .styled(style, self.confidence.id())
            .plain(basis.unwrap_or_default());
        let bootstrap = self.bootstrap_admin.map(|is_admin| {
            Text::from(if is_admin {
                "with the bootstrap admin right"
            } else {
                "without the bootstrap admin right"
            })
        });
        let mode = self
            .authentication_mode
            .as_deref()
            .map(|mode| Text::new().literal(mode));
        let mode = listed(mode.into_iter().chain(bootstrap));
        let others = if self.other_admins.is_empty() {
            Text::new().styled(
                if self.recovery.needed {
                    Style::Error
                } else {
                    Style::Plain
                },
                "none that these logs prove",
            )
        } else {
            listed(self.other_admins.iter().map(|name| principal(name)))
        };
        let mut facts = vec![("creator", who), ("created", made), ("confidence", sure)];
        if !mode.is_empty() {
            facts.push(("mode", mode));
        }
        if self.cluster.deleted_at.is_none() {
            facts.push(("other admins", others));
        }
        facts
    }
}
