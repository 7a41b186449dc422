//! Every grant and loss of admin power: the beginning and the end of each route, with the record that proves it.

use eksplain_queries::facts::Micros;

use super::actor::Actor;
use super::{Asked, Change, ChangeKind};
use crate::evidence;
use crate::findings::{Admin, Answers, Route, RouteKind, Status};
use crate::state::Incarnation;

impl Asked<'_, '_> {
    pub(super) fn power(&self, answers: &Answers) -> Vec<Change> {
        let mut changes = Vec::new();
        for admin in &answers.admins {
            let lives = self.world.lives.get(&admin.cluster);
            let life = lives.and_then(|lives| lives.iter().find(|life| life.number == admin.incarnation));
            let Some(life) = life else { continue };
            // What rests on use is no grant that a record shows.
            let is_grant = |route: &&Route| {
                !matches!(
                    route.route,
                    RouteKind::Observed | RouteKind::Certificate | RouteKind::Impersonation
                )
            };
            let routes: Vec<&Route> = admin.routes.iter().filter(is_grant).collect();
            for route in &routes {
                // One that another of its kind follows at once, under another user name for example, goes on.
                let is_end_of = |other: &&&Route| {
                    other.route == route.route && ended(other).is_some() && ended(other) == begun(route)
                };
                let is_begin_of = |other: &&&Route| {
                    other.route == route.route && begun(other).is_some() && begun(other) == ended(route)
                };
                if !routes.iter().any(|other| is_end_of(&other)) {
                    changes.extend(self.gained(life, admin, route));
                }
                if !routes.iter().any(|other| is_begin_of(&other)) {
                    changes.extend(self.lost(life, admin, route));
                }
            }
        }
        changes
    }

    fn gained(&self, life: &Incarnation<'_>, admin: &Admin, route: &Route) -> Option<Change> {
        let ts = begun(route)?;
        let already = other_routes(admin, route, ts.saturating_sub(1));
        let was = already.map(|others| format!("had it already by {others}"));
        let change = Change::of(life, ChangeKind::AdminGained, ts, &admin.principal)
            .was(was)
            .is(in_words(route));
        let change = Change {
            aws_managed: admin.aws_managed,
            ..change
        };
        if route.valid_from.is_none() {
            return Some(change.proven(route.evidence.iter().cloned()).at_the_latest());
        }
        match self.record(life, route, ts, "this gave it") {
            Some((proof, actor)) => Some(change.proven([proof]).by(actor)),
            // A subject of RBAC that no mapping explains any more gained nothing then.
            None if admin.principal.starts_with("User:") => None,
            None => Some(change.proven(route.evidence.iter().cloned())),
        }
    }

    fn lost(&self, life: &Incarnation<'_>, admin: &Admin, route: &Route) -> Option<Change> {
        let ts = ended(route)?;
        let still = other_routes(admin, route, ts);
        let is = match still {
            Some(others) => format!("not by this route any more; still by {others}"),
            None if life.deleted_at == Some(ts) => "the cluster was deleted".to_owned(),
            None => "no admin power that a record shows".to_owned(),
        };
        let change = Change::of(life, ChangeKind::AdminLost, ts, &admin.principal)
            .was(in_words(route))
            .is(is);
        let change = Change {
            aws_managed: admin.aws_managed,
            ..change
        };
        if route.valid_to.is_none() {
            return Some(change.proven(route.evidence.iter().cloned()).at_the_latest());
        }
        Some(match self.record(life, route, ts, "this took it away") {
            Some((proof, actor)) => change.proven([proof]).by(actor),
            None => change.proven(route.evidence.iter().cloned()),
        })
    }

    /// The record of that very moment: one that the route rests on, or another call or write of the life.
    fn record(
        &self,
        life: &Incarnation<'_>,
        route: &Route,
        ts: Micros,
        what: &str,
    ) -> Option<(crate::findings::Evidence, Actor)> {
        let own = route.evidence.iter().filter(|proof| proof.ts == ts);
        let by_route = own.into_iter().find_map(|proof| {
            let actor = self.actors.of_record(&proof.id)?;
            Some((proof.clone(), actor))
        });
        let calls = life.calls.iter().copied().chain(life.deleted).map(|call| &call.at);
        by_route
            .or_else(|| {
                let writes = life.writes.iter().map(|write| &write.at);
                let mut marks = calls.chain(writes).filter(|mark| mark.ts == ts);
                let mark = marks.next()?;
                // Of two at one moment, nothing tells which it was.
                marks.next().is_none().then_some(())?;
                Some((evidence::any(mark, what), self.actors.of_record(&mark.id)?))
            })
            .filter(|(proof, _)| !proof.id.is_empty())
    }
}

/// When it began, or had begun by.
fn begun(route: &Route) -> Option<Micros> {
    route.valid_from.or(route.begun_by)
}

/// When it ended, or had ended by; `None` while it stands, and where that is not known.
fn ended(route: &Route) -> Option<Micros> {
    let end = route.valid_to.or(route.ended_by);
    end.filter(|_| route.status == Status::Revoked)
}

/// The other routes by which the principal has power at a moment.
fn other_routes(admin: &Admin, route: &Route, ts: Micros) -> Option<String> {
    let stands = |other: &&Route| {
        let began = other
            .valid_from
            .or_else(|| other.evidence.first().map(|first| first.ts));
        let has_ended = other.valid_to.or(other.ended_by).is_some_and(|end| end <= ts);
        let is_known = other.status != Status::Unproven;
        !std::ptr::eq(*other, route) && is_known && !has_ended && began.is_some_and(|began| began <= ts)
    };
    let mut names: Vec<&str> = admin
        .routes
        .iter()
        .filter(stands)
        .map(|other| other.route.id())
        .collect();
    names.dedup();
    (!names.is_empty()).then(|| names.join(", "))
}

/// `admin by access_policy: access entry …, AmazonEKSClusterAdminPolicy at cluster scope`.
fn in_words(route: &Route) -> String {
    let power = match route.route {
        RouteKind::Escalation => "may become admin",
        _ => "admin",
    };
    format!("{power} by {}: {}", route.route, route.via.join(", "))
}
