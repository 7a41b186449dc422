//! What may be said of a company by whoever knows part of it, and what must be: the truth is the world's, whatever the logs show.

use serde_json::Value;

use super::compare::text;
use super::truth;
use super::world::{Ask, Life, Mode, Time, World};

/// Seconds by which a date in a log may differ from the moment of the plan.
const LENIENCE: Time = 3;

/// The world, and whether a look and whole logs from then on show all that stands now.
pub(crate) struct Known<'w> {
    pub world: &'w World,
    pub is_whole: bool,
}

impl Known<'_> {
    /// Every answer that the world contradicts, and every one that should have been known.
    pub(crate) fn judge(&self, report: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        let list = |name: &str| report[name].as_array().cloned().unwrap_or_default();
        for finding in list("admins") {
            self.admin(&finding, &mut wrong);
        }
        for finding in list("creators") {
            self.creator(&finding, &mut wrong);
        }
        for check in list("checks") {
            if check["rule"] == "creator.only-admin" {
                self.only_admin(&check, &mut wrong);
            }
        }
        if self.is_whole {
            self.missed(&list("admins"), &mut wrong);
        }
        wrong
    }

    fn cluster(&self, value: &Value) -> Option<usize> {
        let is_it = |n: &super::world::ClusterName| {
            n.account == text(&value["account"]) && n.region == text(&value["region"]) && n.name == text(&value["name"])
        };
        self.world.names.iter().position(is_it)
    }

    /// The route, or what somebody who did not see the creation takes it for, and since when it stands.
    fn since(&self, life: &Life, principal: &str, route: &str) -> Option<Time> {
        let standing = truth::standing_routes(self.world, life);
        let names = match route {
            "creator" | "access_policy" => &["creator", "access_policy"][..],
            other => &[other][..],
        };
        let found = standing
            .iter()
            .find(|(who, by)| who == principal && names.contains(by))?;
        Some(life.since.get(found).copied().unwrap_or(life.created))
    }

    fn admin(&self, finding: &Value, wrong: &mut Vec<String>) {
        let Some(cluster) = self.cluster(&finding["cluster"]) else {
            return;
        };
        let principal = text(&finding["principal"]);
        for route in finding["routes"].as_array().into_iter().flatten() {
            let id = text(&route["route"]);
            if id == "escalation" || route["status"] != "active" {
                continue;
            }
            let about = format!("admins {cluster} {principal} {id}");
            let since = self
                .world
                .life(cluster)
                .and_then(|life| self.since(life, &principal, &id));
            match (since, date(&route["valid_from"])) {
                (None, _) => wrong.push(format!(
                    "{about} is active, and does not stand ({})",
                    text(&route["detail"])
                )),
                (Some(since), Some(said)) if (said - since).abs() > LENIENCE => wrong.push(format!(
                    "{about} stands since {}, said {}",
                    super::logs::iso(since),
                    route["valid_from"]
                )),
                _ => {}
            }
        }
        self.fate(
            &principal,
            &finding["principal_state"],
            &finding["principal_deleted_at"],
            wrong,
        );
    }

    fn fate(&self, principal: &str, state: &Value, deleted_at: &Value, wrong: &mut Vec<String>) {
        let Some(index) = self.world.principals.iter().position(|p| p.canonical() == principal) else {
            return;
        };
        let may = match (self.world.alive[index], self.world.recreated_at[index]) {
            (None, _) => ["unknown", "deleted"],
            (Some(_), None) => ["unknown", "present"],
            // There is one of that name: who did not see the other's end may say no more.
            (Some(_), Some(_)) => ["recreated", "present"],
        };
        let state = text(state);
        if !may.contains(&state.as_str()) && state != "unknown" {
            wrong.push(format!("{principal} is {state}, and may be said to be {may:?}"));
        }
        if let Some(said) = date(deleted_at)
            && self.world.deleted_at[index].is_none_or(|at| (at - said).abs() > LENIENCE)
        {
            wrong.push(format!("{principal} was not deleted at {deleted_at}"));
        }
    }

    fn creator(&self, finding: &Value, wrong: &mut Vec<String>) {
        let Some(cluster) = self.cluster(&finding["cluster"]) else {
            return;
        };
        let all = self.world.lives.get(&cluster).map_or(&[][..], Vec::as_slice);
        let principal = text(&finding["creator"]["principal"]);
        let about = format!("creators {cluster} life {}", finding["incarnation"]);
        let is_creator = |life: &&Life| self.world.principals[life.creator].canonical() == principal;
        if finding["confidence"] == "certain" && !principal.is_empty() && !all.iter().any(|life| is_creator(&life)) {
            wrong.push(format!(
                "{about}: {principal} is certain, and created none of its lives"
            ));
        }
        let created = date(&finding["cluster"]["created_at"]);
        if let Some(said) = created
            && !all.iter().any(|life| (life.created - said).abs() <= LENIENCE)
        {
            wrong.push(format!(
                "{about}: no life was created at {}",
                finding["cluster"]["created_at"]
            ));
        }
        self.fate(
            &principal,
            &finding["creator_state"],
            &finding["creator_deleted_at"],
            wrong,
        );
        let Some(life) = self.world.life(cluster) else { return };
        let is_living = finding["cluster"]["deleted_at"].is_null()
            && created.is_none_or(|said| (life.created - said).abs() <= LENIENCE);
        if !is_living {
            return;
        }
        let mode = text(&finding["authentication_mode"]);
        if !mode.is_empty() && mode != life.mode.text() {
            wrong.push(format!("{about}: the mode is {}, said {mode}", life.mode.text()));
        }
        let needed = truth::creators(self.world, Time::MIN)
            .into_values()
            .any(|t| t.recovery_needed && t.principal == principal);
        if finding["recovery"]["needed"] == true && !needed {
            wrong.push(format!(
                "{about}: recovery is not needed: {}",
                text(&finding["recovery"]["why"])
            ));
        }
    }

    fn only_admin(&self, check: &Value, wrong: &mut Vec<String>) {
        let Some(life) = self
            .cluster(&check["cluster"])
            .and_then(|cluster| self.world.life(cluster))
        else {
            return;
        };
        let subject = text(&check["subject"]);
        let standing = truth::standing_routes(self.world, life);
        if let Some((other, route)) = standing.iter().find(|(who, _)| *who != subject) {
            wrong.push(format!(
                "check: {subject} is not the only admin, {other} is one by {route}"
            ));
        }
    }

    /// Routes that stand and are not told as active. The hidden right of a creator shows nowhere.
    fn missed(&self, admins: &[Value], wrong: &mut Vec<String>) {
        for cluster in self.world.lives.keys() {
            let Some(life) = self.world.life(*cluster) else {
                continue;
            };
            for (principal, route) in truth::standing_routes(self.world, life) {
                let is_hidden = route == "creator" && life.hidden_creator;
                let is_told = admins.iter().any(|f| {
                    self.cluster(&f["cluster"]) == Some(*cluster)
                        && text(&f["principal"]) == principal
                        && f["status"] == "active"
                });
                if !is_hidden && !is_told {
                    wrong.push(format!(
                        "admins {cluster} {principal} {route} stands, and is not told as active"
                    ));
                }
            }
        }
    }

    /// `can-i` of a living IAM principal: the world's own answer, or unknown where something may be hidden.
    pub(crate) fn can_i(&self, cluster: usize, by: usize, ask: &Ask, said: Option<bool>) -> Option<String> {
        let life = self.world.life(cluster)?;
        self.world.alive[by]?;
        let truth = self.world.login(cluster, by, "s").is_some_and(|login| {
            let subjects = truth::subjects_of(&login.username, &login.groups);
            truth::allows(life, &login, &subjects, ask)
        });
        let must_know = self.is_whole && life.mode != Mode::ConfigMap;
        let who = self.world.principals[by].canonical();
        match said {
            Some(said) if said != truth => Some(format!("can-i {cluster} {who} {ask:?}: {said}, and it is {truth}")),
            None if must_know => Some(format!(
                "can-i {cluster} {who} {ask:?}: unknown, and everything is known: {truth}"
            )),
            _ => None,
        }
    }
}

fn date(value: &Value) -> Option<Time> {
    Some(value.as_str()?.parse::<jiff::Timestamp>().ok()?.as_second())
}
