//! The order of strength: whether an answer over holed logs is the answer over whole ones, or a weaker one.

use serde_json::Value;

use super::excused::{Cluster, Excused};

/// A statement that the whole logs contradict.
#[derive(Debug)]
pub(crate) struct Flip {
    /// Which rule of the order it breaks.
    pub kind: String,
    /// Both statements.
    pub told: String,
}

/// Compares one answer with the answer over whole logs.
pub(crate) struct Judge<'a> {
    pub full: &'a Value,
    pub holed: &'a Value,
    pub excused: &'a Excused,
    pub flips: Vec<Flip>,
    pub compared: usize,
    pub skipped: usize,
}

const DATES: [&str; 2] = ["valid_from", "valid_to"];

/// Rules of `check` that speak of the logs, or of what somebody did: both hold whatever became of the cluster since. The others speak of
/// a state that must be known at the moment.
fn of_logs(rule: &str) -> bool {
    matches!(rule, "logs.missing" | "logs.switched-off" | "access.changed")
}

impl<'a> Judge<'a> {
    pub(crate) fn new(full: &'a Value, holed: &'a Value, excused: &'a Excused) -> Self {
        Judge {
            full,
            holed,
            excused,
            flips: Vec::new(),
            compared: 0,
            skipped: 0,
        }
    }

    /// Everything that a report holds.
    pub(crate) fn report(&mut self) {
        self.admins();
        self.creators();
        self.denials();
        self.checks();
        self.changes();
    }

    fn holds(&mut self, holds: bool, kind: impl Into<String>, told: impl FnOnce() -> String) {
        self.compared += 1;
        if !holds {
            self.flips.push(Flip {
                kind: kind.into(),
                told: told(),
            });
        }
    }

    /// A word that may be missing (`null`, `unknown`) and must be one of the whole answer's otherwise.
    fn same_or_unknown(&mut self, what: &str, said: &Value, whole: &[&Value], about: &str) {
        if said.is_null() || said == "unknown" {
            return;
        }
        let is_said = whole.contains(&said);
        self.holds(is_said, format!("{what} that the whole logs do not have"), || {
            format!("{about}: {what} is {said}, of whole logs {}", list(whole))
        });
    }

    fn admins(&mut self) {
        for holed in items(self.holed, "admins") {
            let cluster = cluster_of(&holed["cluster"]);
            let principal = text(&holed["principal"]);
            let full: Vec<&Value> = items(self.full, "admins")
                .filter(|f| self.is_life(&cluster, f, holed) && f["principal"] == holed["principal"])
                .collect();
            let about = format!("admins {} life {} {principal}", words(&cluster), holed["incarnation"]);
            for route in holed["routes"].as_array().into_iter().flatten() {
                self.route(route, &full, &cluster, principal, &about);
            }
            if self.excused.principal(principal) {
                self.skipped += 2;
                continue;
            }
            for field in ["principal_state", "principal_deleted_at"] {
                let whole: Vec<&Value> = full.iter().map(|f| &f[field]).collect();
                // Nobody spoke of it over whole logs: the list of admins says nothing of its fate.
                if !whole.is_empty() {
                    self.same_or_unknown(&format!("admins: {field}"), &holed[field], &whole, &about);
                }
            }
        }
    }

    fn route(&mut self, route: &Value, full: &[&Value], cluster: &Cluster, principal: &str, about: &str) {
        let id = text(&route["route"]);
        if self.excused.route(cluster, principal, id) {
            self.skipped += 1;
            return;
        }
        // The creator's own entry is an access policy to whoever does not see the creation, and any grant is only observed to whoever
        // does not see it.
        let like = |other: &str| other == id || id == "observed" || (id == "access_policy" && other == "creator");
        let routes = full.iter().flat_map(|f| f["routes"].as_array().into_iter().flatten());
        let whole: Vec<&Value> = routes.filter(|r| like(text(&r["route"]))).collect();
        let statuses: Vec<&Value> = whole.iter().map(|r| &r["status"]).collect();
        let status = text(&route["status"]);
        // What is said as of an earlier moment is not said of this one.
        let is_as_of = !route["as_of"].is_null();
        let holds = status == "unproven" || is_as_of || statuses.iter().any(|s| *s == status);
        let is_other = statuses.is_empty() && full.iter().any(|f| f["status"] == status);
        let by_whole = match statuses.first() {
            Some(whole) => text(whole),
            None if is_other => "another route",
            None => "nothing",
        };
        self.holds(
            holds,
            format!("admins: {id} {status}, of whole logs {by_whole}"),
            || {
                format!(
                    "{about}: route {id} is {status} ({}), of whole logs {}",
                    text(&route["detail"]),
                    list(&statuses)
                )
            },
        );
        for date in DATES {
            let dates: Vec<&Value> = whole.iter().map(|r| &r[date]).collect();
            if !dates.is_empty() {
                self.same_or_unknown(
                    &format!("admins: {date}"),
                    &route[date],
                    &dates,
                    &format!("{about} route {id}"),
                );
            }
        }
    }

    /// Whether the answer says that the lake ends before its moment: the state is that of its end.
    fn is_long_over(&self, cluster: &Cluster) -> bool {
        items(self.holed, "coverage").any(|row| {
            cluster_of(&row["cluster"]) == *cluster
                && row["blind_spots"]
                    .as_array()
                    .is_some_and(|spots| spots.iter().any(|spot| text(spot).starts_with("The lake ends ")))
        })
    }

    fn creators(&mut self) {
        for holed in items(self.holed, "creators") {
            let cluster = cluster_of(&holed["cluster"]);
            let about = format!("creators {} life {}", words(&cluster), holed["incarnation"]);
            let full: Vec<&Value> = items(self.full, "creators")
                .filter(|f| self.is_life(&cluster, f, holed))
                .collect();
            if self.excused.life(&cluster) {
                self.skipped += 1;
                continue;
            }
            if full.is_empty() {
                let holds = holed["confidence"] != "certain" && holed["cluster"]["created_at"].is_null();
                self.holds(holds, "creators: a life that the whole logs do not have", || {
                    about.clone()
                });
                continue;
            }
            let of = |field: fn(&Value) -> &Value| full.iter().map(|f| field(f)).collect::<Vec<&Value>>();
            let principal = &holed["creator"]["principal"];
            let whole = of(|f| &f["creator"]["principal"]);
            if holed["confidence"] == "certain" {
                self.same_or_unknown("creators: a certain creator", principal, &whole, &about);
            }
            let same: Vec<&&Value> = full
                .iter()
                .filter(|f| f["creator"]["principal"] == *principal)
                .collect();
            let fate = self.excused.principal(text(principal));
            for field in ["creator_state", "creator_deleted_at", "creator_recreated_at"] {
                if fate {
                    self.skipped += 1;
                } else if !same.is_empty() {
                    let whole: Vec<&Value> = same.iter().map(|f| &f[field]).collect();
                    self.same_or_unknown(&format!("creators: {field}"), &holed[field], &whole, &about);
                }
            }
            self.same_or_unknown(
                "creators: bootstrap_admin",
                &holed["bootstrap_admin"],
                &of(|f| &f["bootstrap_admin"]),
                &about,
            );
            for field in ["created_at", "deleted_at"] {
                let whole: Vec<&Value> = full.iter().map(|f| &f["cluster"][field]).collect();
                self.same_or_unknown(&format!("creators: {field}"), &holed["cluster"][field], &whole, &about);
            }
            if self.excused.mode(&cluster) || self.is_long_over(&cluster) {
                self.skipped += 1;
            } else {
                let whole = of(|f| &f["authentication_mode"]);
                self.same_or_unknown(
                    "creators: authentication_mode",
                    &holed["authentication_mode"],
                    &whole,
                    &about,
                );
            }
            if self.excused.whole(&cluster) || fate {
                self.skipped += 1;
            } else if holed["recovery"]["needed"] == true {
                // The plan is shown, and its reason says what is not known.
                let is_doubted = text(&holed["recovery"]["why"]).contains("is not in these logs and may");
                let holds = is_doubted || full.iter().any(|f| f["recovery"]["needed"] == true);
                self.holds(holds, "creators: recovery is needed, of whole logs not", || {
                    format!(
                        "{about}: {}; of whole logs: {}",
                        text(&holed["recovery"]["why"]),
                        text(&full[0]["recovery"]["why"])
                    )
                });
            }
        }
    }

    fn denials(&mut self) {
        for holed in items(self.holed, "denials") {
            let cluster = cluster_of(&holed["cluster"]);
            let principal = text(&holed["principal"]);
            if self.excused.whole(&cluster) || self.excused.principal(principal) {
                self.skipped += 1;
                continue;
            }
            let (first, last) = (text(&holed["first_seen"]), text(&holed["last_seen"]));
            let is_same_call = |f: &&Value| {
                f["cluster"] == holed["cluster"]
                    && f["layer"] == holed["layer"]
                    && (holed["principal"].is_null() || f["principal"] == holed["principal"])
                    && f["request"] == holed["request"]
                    && text(&f["first_seen"]) <= last
                    && first <= text(&f["last_seen"])
            };
            let full: Vec<&Value> = items(self.full, "denials").filter(is_same_call).collect();
            let about = || {
                let whole: Vec<String> = full
                    .iter()
                    .map(|f| format!("{} ({})", text(&f["reason"]), text(&f["confidence"])))
                    .collect();
                let (reason, count) = (text(&holed["reason"]), &holed["count"]);
                format!(
                    "denials {} {principal} {first}: {reason} ({}) x{count}, of whole logs {}",
                    words(&cluster),
                    text(&holed["confidence"]),
                    whole.join(", ")
                )
            };
            let same: Vec<&&Value> = full.iter().filter(|f| f["reason"] == holed["reason"]).collect();
            if holed["confidence"] == "certain" {
                let kind = format!(
                    "denials: {} certain, of whole logs {}",
                    text(&holed["reason"]),
                    full.first().map_or("nothing", |f| text(&f["reason"]))
                );
                self.holds(!same.is_empty(), kind, about);
            }
            if holed["resolved"] == true {
                let holds = full.iter().any(|f| f["resolved"] == true);
                self.holds(holds, "denials: resolved, of whole logs not", about);
            }
        }
    }

    fn checks(&mut self) {
        for holed in items(self.holed, "checks").filter(|h| !of_logs(text(&h["rule"]))) {
            let cluster = cluster_of(&holed["cluster"]);
            let (rule, subject) = (text(&holed["rule"]), text(&holed["subject"]));
            let is_stale = rule == "admin.stale" && self.excused.uses(&cluster);
            if self.excused.whole(&cluster) || self.excused.principal(subject) || is_stale {
                self.skipped += 1;
                continue;
            }
            let like = |f: &Value| {
                f["cluster"] == holed["cluster"] && f["rule"] == holed["rule"] && f["subject"] == holed["subject"]
            };
            let is_as_of = ["(as of ", "is not in these logs and may"]
                .iter()
                .any(|doubt| text(&holed["message"]).contains(doubt));
            let holds = is_as_of || items(self.full, "checks").any(like);
            self.holds(holds, format!("check: {rule}, of whole logs not"), || {
                format!(
                    "check {} {rule} {subject}: {}",
                    words(&cluster),
                    text(&holed["message"])
                )
            });
        }
    }

    fn changes(&mut self) {
        for holed in items(&self.holed["changes"], "findings") {
            let kind = text(&holed["kind"]);
            let told = [
                "new-admin",
                "lost-admin",
                "new-cluster",
                "cluster-deleted",
                "creator-deleted",
                "creator-recreated",
            ];
            if !told.contains(&kind) {
                continue;
            }
            let cluster = cluster_of(&holed["cluster"]);
            let subject = text(&holed["subject"]);
            if self.excused.whole(&cluster) || self.excused.principal(subject) {
                self.skipped += 1;
                continue;
            }
            let like = |f: &Value| {
                f["cluster"] == holed["cluster"]
                    && f["kind"] == holed["kind"]
                    && (kind == "new-cluster" || subject == "unknown" || f["subject"] == holed["subject"])
            };
            let holds = items(&self.full["changes"], "findings").any(like);
            self.holds(holds, format!("diff: {kind}, of whole logs not"), || {
                format!(
                    "diff {} {kind} {subject}: was {}, is {}",
                    words(&cluster),
                    holed["was"],
                    holed["is"]
                )
            });
        }
    }

    /// `can-i` of one question.
    pub(crate) fn can_i(&mut self, question: &[String], full: Option<bool>, holed: Option<bool>) {
        let after = |option: &str| {
            let at = question.iter().position(|word| word == option);
            at.and_then(|at| question.get(at + 1)).cloned().unwrap_or_default()
        };
        let cluster = (after("--account"), after("--region"), after("--cluster"));
        let who = after("--as");
        let is_person_gone = who
            .rsplit('/')
            .next()
            .is_some_and(|name| self.excused.any_principal_named(name));
        if self.excused.whole(&cluster) || is_person_gone {
            self.skipped += 1;
        } else {
            let word = |answer: Option<bool>| answer.map_or("unknown", |yes| if yes { "yes" } else { "no" });
            let kind = format!("can-i: {}, of whole logs {}", word(holed), word(full));
            self.holds(holed.is_none() || holed == full, kind, || {
                format!(
                    "can-i {}: {}, of whole logs {}",
                    question.join(" "),
                    word(holed),
                    word(full)
                )
            });
        }
    }

    /// Whether two findings are of one life of a cluster.
    fn is_life(&self, cluster: &Cluster, full: &Value, holed: &Value) -> bool {
        cluster_of(&full["cluster"]) == *cluster
            && (self.excused.is_renumbered(cluster) || full["incarnation"] == holed["incarnation"])
    }
}

fn items<'v>(document: &'v Value, list: &str) -> impl Iterator<Item = &'v Value> {
    document[list].as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn cluster_of(value: &Value) -> Cluster {
    let field = |name: &str| text(&value[name]).to_owned();
    (field("account"), field("region"), field("name"))
}

fn words((account, region, name): &Cluster) -> String {
    format!("{account} {region} {name}")
}

fn list(values: &[&Value]) -> String {
    if values.is_empty() {
        return "nothing".to_owned();
    }
    values.iter().map(|v| v.to_string()).collect::<Vec<_>>().join(", ")
}
