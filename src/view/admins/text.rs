//! `admins` for people: a tree by cluster, who is admin now before who was.

use std::io;

use eksplain_analyze::quote;
use eksplain_analyze::words::{Power, PrincipalState, RouteKind, Status};

use super::{Admin, Route};
use crate::render::{Margin, Page, Style, Text};
use crate::view::short_time;
use crate::view::words::{counted, gone, grouped, heading, listed, principal, status, validity};

/// Columns of the longest status with its mark, and a gap.
const STATUS: usize = 12;

/// Columns up to which a fact stays on one line.
const WHOLE: usize = 36;

/// More sessions than these are counted; `who` names all.
const SESSIONS: usize = 4;

pub(super) fn show(findings: &[Admin], page: &mut Page<'_>) -> io::Result<()> {
    let clusters = grouped(findings, |admin| (&admin.cluster, admin.incarnation));
    for (at, ((cluster, incarnation), mut admins)) in clusters.into_iter().enumerate() {
        if at > 0 {
            page.blank()?;
        }
        let counts = Status::ALL.iter().filter_map(|status| {
            let count = admins.iter().filter(|admin| admin.status == *status).count();
            (count > 0).then(|| Text::from(format!("{count} {status}").as_str()))
        });
        let counts = listed(counts);
        page.line(&heading(cluster, incarnation).plain(": ").then(counts))?;
        admins.sort_by_key(|admin| admin.status);
        let last = admins.len() - 1;
        for (at, admin) in admins.into_iter().enumerate() {
            one(page, &Margin::branch(at == last), admin)?;
        }
    }
    Ok(())
}

pub(super) fn next(findings: &[Admin]) -> Option<(String, &'static str)> {
    // Whoever is admin and gone is the first to look at.
    let worth = |admin: &&Admin| (admin.status, admin.principal_state != PrincipalState::Deleted);
    let admin = findings.iter().min_by_key(worth)?;
    Some((
        format!("who {}", quote(&admin.principal)),
        "shows everything known about one principal",
    ))
}

fn one(page: &mut Page<'_>, margin: &Margin, admin: &Admin) -> io::Result<()> {
    let mut line = status(admin.status).padded(STATUS).then(principal(&admin.principal));
    if admin.power != Power::Admin {
        line = line.plain(", ").warning("can become admin");
    }
    if let Some(gone) = gone(admin.principal_state, admin.principal_deleted_at.as_ref()) {
        line = line.plain(", ").then(gone);
    }
    page.paragraph(&margin.hanging(2), &line)?;
    let below = margin.below(2);
    page.paragraph(&below, &admin.activity())?;
    let routes: Vec<_> = admin.routes.iter().map(|route| admin.told(route)).collect();
    page.rows(&below, &routes)
}

impl Admin {
    /// Its status and its routes on one line.
    pub(in crate::view) fn in_words(&self) -> Text {
        let mut text = status(self.status);
        if self.power != Power::Admin {
            text = text.plain(", can become admin");
        }
        let routes = self.routes.iter().map(|route| {
            let name = Text::new().literal(route.route.id());
            if route.status == self.status {
                name
            } else {
                name.plain(&format!(" ({})", route.status))
            }
        });
        text.plain(" by ").then(listed(routes))
    }

    fn activity(&self) -> Text {
        let mut parts = Vec::new();
        if self.routes.len() > 1 {
            let own = self.routes.iter().filter(|route| route.status == self.status);
            let since = own.filter_map(|route| route.valid_from.as_ref()).min();
            parts.extend(since.map(|since| format!("{} since {}", self.status, short_time(Some(since)))));
        }
        match &self.last_seen {
            Some(last) => {
                parts.push(format!("last seen {}", short_time(Some(last))));
                parts.push(counted(self.uses, "use"));
            }
            None => parts.push("not seen in these logs".to_owned()),
        }
        let is_of_iam = self.principal.starts_with("arn:");
        let username = self
            .kubernetes_username
            .as_ref()
            .filter(|name| is_of_iam && !name.starts_with("arn:"));
        parts.extend(username.map(|name| format!("as {name}")));
        if let Some((shown, more)) = self
            .sessions
            .split_at_checked(SESSIONS.min(self.sessions.len()))
            .filter(|(shown, _)| !shown.is_empty())
        {
            let more = if more.is_empty() {
                String::new()
            } else {
                format!(" and {} more", more.len())
            };
            parts.push(format!("session {}{more}", shown.join(", ")));
        }
        let parts = parts.iter().map(|part| Text::new().faint(part));
        let parts = parts.map(|part| if part.width() < WHOLE { part.whole() } else { part });
        parts
            .reduce(|line, part| line.faint(" · ").then(part))
            .unwrap_or_default()
    }

    fn told(&self, route: &Route) -> Vec<Text> {
        let mut text = Text::from(route.detail.as_str());
        // The other routes' hops say what their sentence says.
        let has_own_hops = matches!(
            route.route,
            RouteKind::RbacBinding | RouteKind::Escalation | RouteKind::Impersonation
        );
        if has_own_hops && !route.via.is_empty() {
            text = text.plain(": ").plain(&route.via.join(" → "));
        }
        if let Some(validity) = validity(route.valid_from.as_ref(), route.valid_to.as_ref()) {
            text = text.plain(", ").styled(Style::Faint, &validity).whole();
        }
        let status = if route.status == self.status {
            Text::new()
        } else {
            status(route.status)
        };
        vec![Text::new().literal(route.route.id()), status, text]
    }
}
