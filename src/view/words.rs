//! Words that several answers share, with their styles and links.

use std::collections::BTreeMap;
use std::io;

use eksplain_analyze::words::{PrincipalState, Status};
use indicatif::HumanCount;

use super::{Cluster, Fix, short_time};
use crate::render::{Margin, Page, Style, Text, link};

/// Which of the clusters that had one name after the other: nothing for the first.
pub(crate) fn which(incarnation: u32) -> String {
    match incarnation {
        0 | 1 => String::new(),
        2 => " (second cluster of that name)".to_owned(),
        3 => " (third cluster of that name)".to_owned(),
        later => format!(" (cluster {later} of that name)"),
    }
}

/// Where a cluster is: its name leads to its page in the console.
pub(crate) fn heading(cluster: &Cluster, incarnation: u32) -> Text {
    let page = cluster
        .region
        .as_deref()
        .and_then(|region| link::cluster(region, &cluster.name));
    let mut text = Text::new().strong(&cluster.name).linked(page).whole();
    for place in [&cluster.account, &cluster.region].into_iter().flatten() {
        text = text.plain(" ").faint(place);
    }
    if incarnation > 1 {
        text = text.plain(&which(incarnation));
    }
    text
}

/// The heading of what belongs to no cluster.
pub(crate) fn heading_of(cluster: Option<&Cluster>) -> Text {
    cluster.map_or_else(|| Text::new().strong("no cluster named"), |cluster| heading(cluster, 1))
}

/// A principal: that of IAM leads to its page. Spaces that somebody put into a name break no line.
pub(crate) fn principal(name: &str) -> Text {
    Text::new().plain(name).linked(link::principal(name)).whole()
}

/// Whether an identity is gone, and since when; nothing for one that is there.
pub(crate) fn gone(state: PrincipalState, at: Option<&String>) -> Option<Text> {
    let since = at.map(|at| format!(" {}", short_time(Some(at)))).unwrap_or_default();
    match state {
        PrincipalState::Deleted => Some(Text::new().styled(Style::Error, &format!("deleted{since}")).whole()),
        PrincipalState::Recreated => Some(Text::new().warning(&format!("recreated, deleted{since}"))),
        PrincipalState::Present | PrincipalState::Unknown => None,
    }
}

/// `● active`: mark, word and colour say the same.
pub(crate) fn status(status: Status) -> Text {
    let (mark, style) = match status {
        Status::Active => ("●", Style::Good),
        Status::Unproven => ("◐", Style::Warning),
        Status::Revoked => ("○", Style::Faint),
    };
    Text::new().styled(style, &format!("{mark} {status}")).whole()
}

/// `1 call`, `2 calls`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", HumanCount(count))
}

/// `since …`, `until …`, `… to …`.
pub(crate) fn validity(from: Option<&String>, to: Option<&String>) -> Option<String> {
    match (from, to) {
        (Some(_), None) => Some(format!("since {}", short_time(from))),
        (None, Some(_)) => Some(format!("until {}", short_time(to))),
        (Some(_), Some(_)) => Some(format!("{} to {}", short_time(from), short_time(to))),
        (None, None) => None,
    }
}

/// Parts with commas between.
pub(crate) fn listed(parts: impl IntoIterator<Item = Text>) -> Text {
    let joined = parts.into_iter().reduce(|line, part| line.plain(", ").then(part));
    joined.unwrap_or_default()
}

/// Findings by what they have in common, in its order.
pub(crate) fn grouped<'f, F, K: Ord>(findings: &'f [F], key: impl Fn(&'f F) -> K) -> BTreeMap<K, Vec<&'f F>> {
    let mut groups: BTreeMap<K, Vec<&F>> = BTreeMap::new();
    for finding in findings {
        groups.entry(key(finding)).or_default().push(finding);
    }
    groups
}

/// The first way out with its commands, the titles of the others.
pub(crate) fn fixes(page: &mut Page<'_>, margin: &Margin, fixes: &[Fix]) -> io::Result<()> {
    let Some((first, others)) = fixes.split_first() else {
        return Ok(());
    };
    let title = Text::new().literal("do").plain(": ").plain(&first.title);
    page.paragraph(&margin.hanging(4), &title)?;
    let commands = margin.below(4);
    first
        .commands
        .iter()
        .try_for_each(|command| page.command(&commands, command))?;
    // What a command reads out of a file, or what there is instead of commands.
    let is_told = !first.commands.is_empty() && !first.commands.iter().any(|command| command.contains("file://"));
    if let Some(manifest) = first.manifest.as_deref().filter(|_| !is_told) {
        page.verbatim(&commands, manifest)?;
    }
    others.iter().try_for_each(|fix| {
        let title = Text::new().literal("or").plain(": ").plain(&fix.title);
        page.paragraph(&margin.hanging(4), &title)
    })
}
