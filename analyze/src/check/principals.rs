//! Principals that are gone and still mapped, power that nobody uses, and power that was held for a short time only.

use eksplain_queries::facts::Micros;

use super::fix::{commands, remove_mapping};
use super::{Asked, Check, DAY, by, is_active};
use crate::admins::{of_life, reaches};
use crate::evidence;
use crate::findings::{Admin, Evidence, Fix, PrincipalState, Route, RouteKind, Source, Status};
use crate::shell::quote;
use crate::state::iam::IamEvent;
use crate::words::{Rule, Severity};

/// Admin power that nobody used for this long is worth a question.
const STALE: Micros = 90 * DAY;
/// Short grants are told for this long after they ended.
const RECENT: Micros = 30 * DAY;

impl Asked<'_, '_> {
    pub(super) fn principals(&self) -> Vec<Check> {
        let mut checks = self.gone();
        checks.extend(self.idle());
        checks.extend(self.short_lived());
        checks
    }

    /// aws-auth admits by the name: whoever creates it again gets in.
    fn gone(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        let reaches = reaches(self.world, self.life, self.at);
        for reach in reaches
            .iter()
            .filter(|reach| reach.is_aws_auth && reach.span.covers(self.at))
        {
            let fate = self.world.iam.fate(&reach.principal, reach.span.start, self.at, false);
            let name = &reach.principal;
            let arn = reach.how.split_once(" entry ").map_or(name.as_str(), |(_, arn)| arn);
            let event = |event: Option<&IamEvent>, what: &str| -> Option<Evidence> {
                event.map(|event| evidence::any(&event.at, format!("{name} {what}{}", by(event.by.as_deref()))))
            };
            let who = |event: Option<&IamEvent>| by(event.and_then(|event| event.by.as_deref()));
            let (rule, message) = match fate.state {
                PrincipalState::Deleted => (
                    Rule::PrincipalDeleted,
                    format!(
                        "{name} was deleted{} and {} still maps it: whoever creates that name gets access",
                        who(fate.deleted),
                        reach.how
                    ),
                ),
                PrincipalState::Recreated => (
                    Rule::PrincipalRecreated,
                    format!(
                        "{name} was deleted{} and recreated{}, and {} admits the new one by its name",
                        who(fate.deleted),
                        who(fate.recreated),
                        reach.how
                    ),
                ),
                PrincipalState::Present | PrincipalState::Unknown => continue,
            };
            let proof = [
                event(fate.deleted, "was deleted"),
                event(fate.recreated, "was created again"),
            ];
            checks.push(
                Check::new(rule, Severity::High, name, message)
                    .fix([remove_mapping(&self.life.cluster, arn)])
                    .proof(proof.into_iter().flatten()),
            );
        }
        checks
    }

    /// Admins who did not use it for long, where the audit log would show that they did.
    fn idle(&self) -> Vec<Check> {
        // Sorted by cluster and source.
        let asked = (Some(&self.life.cluster), Source::Audit);
        let row = self
            .answers
            .coverage
            .binary_search_by(|row| (row.cluster.as_ref(), row.source).cmp(&asked));
        let audit_since = row.ok().and_then(|row| self.answers.coverage[row].first);
        if audit_since.is_none_or(|since| since >= self.at - STALE) {
            return Vec::new();
        }
        let is_idle = |admin: &&Admin| is_active(admin) && admin.last_seen.is_none_or(|seen| seen < self.at - STALE);
        let idle = of_life(&self.answers.admins, self.life).iter().filter(is_idle);
        idle.map(|admin| {
            let message = format!("{} is cluster-admin and has not used it for 90 days", admin.principal);
            Check::new(Rule::AdminStale, Severity::Medium, &admin.principal, message)
                .fix([self.story_of(&admin.principal)])
                .proof(admin.routes.iter().flat_map(|route| route.evidence.clone()))
        })
        .collect()
    }

    /// Admin power that somebody was given and that was taken away within a day, not long ago.
    fn short_lived(&self) -> Vec<Check> {
        let admins = of_life(&self.answers.admins, self.life)
            .iter()
            .filter(|admin| !admin.aws_managed);
        admins.filter_map(|admin| self.short_grant(admin)).collect()
    }

    fn short_grant(&self, admin: &Admin) -> Option<Check> {
        let is_grant = |route: &&Route| {
            !matches!(
                route.route,
                RouteKind::Creator | RouteKind::Escalation | RouteKind::Observed | RouteKind::Impersonation
            )
        };
        let bounds = |route: &Route| Some((route.valid_from?, route.valid_to?));
        let is_short = |(from, to): (Micros, Micros)| to - from < DAY && to > self.at - RECENT;
        // Power that another route gave before, meanwhile or after is no short power.
        let touches = |other: &Route, (from, to): (Micros, Micros)| {
            other.route != RouteKind::Escalation
                && other.valid_from.is_none_or(|other| other <= to)
                && other.valid_to.is_none_or(|other| other >= from)
        };
        let route = admin.routes.iter().filter(is_grant).rfind(|route| {
            let Some(own) = bounds(route).filter(|_| route.status == Status::Revoked) else {
                return false;
            };
            is_short(own)
                && !admin
                    .routes
                    .iter()
                    .any(|other| !std::ptr::eq(other, *route) && touches(other, own))
        })?;
        let (from, to) = bounds(route)?;
        let at = |ts: Micros| route.evidence.iter().find(move |item| item.ts == ts);
        let actor = |ts: Micros| at(ts).and_then(|item| self.actor(&item.id));
        let message = format!(
            "{} was cluster-admin for {} only: granted{} at {}, ended{} at {}",
            admin.principal,
            length(to - from),
            by(actor(from)),
            eksplain_parse::time::format_rfc3339(from),
            by(actor(to)),
            eksplain_parse::time::format_rfc3339(to),
        );
        Some(
            Check::new(Rule::AdminShortLived, Severity::Medium, &admin.principal, message)
                .fix([self.story_of(&admin.principal)])
                .proof(route.evidence.clone()),
        )
    }

    /// Who made the call or the write of a record.
    fn actor(&self, id: &str) -> Option<&str> {
        let by_call = self.life.calls.iter().find(|call| call.at.id == id);
        let by_write = self.life.writes.iter().find(|write| write.at.id == id);
        by_call
            .and_then(|call| call.canonical_arn.as_deref().or(call.invoked_by.as_deref()))
            .or_else(|| by_write.and_then(|write| write.canonical_arn.as_deref().or(write.username.as_deref())))
    }

    /// What a principal did is to be judged by people.
    fn story_of(&self, principal: &str) -> Fix {
        let command = format!(
            "eksplain who {} --cluster {}",
            quote(principal),
            quote(&self.life.cluster.name)
        );
        commands("See how it got access and what it did", vec![command])
    }
}

/// `4 minutes`, `3 hours`.
fn length(time: Micros) -> String {
    const MINUTE: Micros = 60 * 1_000_000;
    let (count, unit) = match time / MINUTE {
        0 => (time / 1_000_000, "second"),
        minutes if minutes < 120 => (minutes, "minute"),
        minutes => (minutes / 60, "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
