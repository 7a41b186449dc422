//! Which logs the lake holds of each life of a cluster and of each account, and where they have gaps.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_parse::arn::Arn;
use eksplain_queries::facts::{CloudTrailCall, Facts, Micros, RejectSeen};
use serde_json::Value;

use super::cut::{self, CutWhat};
use super::{Incarnation, World};
use crate::findings::Cluster;
use crate::json;
use crate::knowledge::{Days, Ends, Log, LogKind, Logs, Why};
use eksplain_parse::region::partition_of;

/// What the lake holds of logs, whatever cluster they are of.
pub(super) struct Trails {
    /// Days of CloudTrail by account.
    accounts: BTreeMap<String, Days>,
    /// Accounts and regions that CloudTrail has records of.
    regions: BTreeSet<(String, String)>,
    ends: Ends,
    at: Micros,
}

const HOUR: Micros = 3600 * 1_000_000;

impl Trails {
    pub(super) fn of(facts: &Facts, at: Micros) -> Self {
        let mut trails = Self {
            accounts: BTreeMap::new(),
            regions: BTreeSet::new(),
            ends: Ends {
                lake: Micros::MIN,
                logs: Micros::MIN,
            },
            at,
        };
        for day in &facts.coverage {
            trails.ends.lake = trails.ends.lake.max(day.last.ts);
            if day.table != "snapshot" {
                trails.ends.logs = trails.ends.logs.max(day.last.ts);
            }
            let (Some(account), true) = (&day.place.account, day.table == "cloudtrail") else {
                continue;
            };
            trails.accounts.entry(account.clone()).or_default().add(day);
            if let Some(region) = &day.place.region {
                trails.regions.insert((account.clone(), region.clone()));
            }
        }
        trails
    }

    /// Where the lake ends.
    pub(super) fn ends(&self) -> Ends {
        self.ends
    }

    /// CloudTrail of the IAM events of each account that has any record of its home region.
    pub(super) fn iam_logs(&self, facts: &Facts) -> BTreeMap<String, Log> {
        let is_home = |account: &String| {
            let own = self.regions.iter().filter(|(known, _)| known == account);
            own.into_iter().any(|(_, region)| home_region(region) == region)
        };
        let accounts = self.accounts.iter().filter(|(account, _)| is_home(account));
        let logs = accounts.map(|(account, days)| {
            let mut log = self.log(LogKind::Iam, days, Micros::MIN, false, self.at);
            let own = facts
                .rejects
                .iter()
                .filter(|reject| is_of_trail(reject) && reject.place.account.as_ref() == Some(account));
            for cut in cut::trail_cuts(own) {
                if !matches!(&cut.what, CutWhat::Call { source, .. } if source != "iam.amazonaws.com") {
                    log.note(cut.from, cut.to, Why::Unreadable);
                }
            }
            (account.clone(), log)
        });
        logs.collect()
    }

    /// Gives each life what its logs could show.
    pub(super) fn fill(&self, world: &mut World<'_>) {
        let mut days: BTreeMap<(Cluster, &str), Days> = BTreeMap::new();
        for day in world.facts.coverage.iter().filter(|day| day.table != "cloudtrail") {
            if let Some(cluster) = world.places.cluster(&day.place) {
                days.entry((cluster, day.table.as_str())).or_default().add(day);
            }
        }
        let none = Days::default();
        let expects_trail = self.expects_all();
        for (cluster, lives) in &mut world.lives {
            let rejects =
                world.facts.rejects.iter().filter(|reject| {
                    !is_of_trail(reject) && world.places.cluster(&reject.place).as_ref() == Some(cluster)
                });
            let cuts = cut::cuts(rejects);
            let trail_rejects = world.facts.rejects.iter().filter(|reject| {
                is_of_trail(reject)
                    && reject.place.account.as_deref() == Some(cluster.account.as_str())
                    && reject
                        .place
                        .region
                        .as_deref()
                        .is_none_or(|region| region == cluster.region)
            });
            let trail_cuts = cut::trail_cuts(trail_rejects);
            for life in lives {
                life.expects_trail = expects_trail;
                let end = life.deleted_at.unwrap_or(self.at).min(self.at);
                let of = |table: &'static str| {
                    days.get(&(cluster.clone(), table))
                        .unwrap_or(&none)
                        .within(life.start, end)
                };
                let of_log = |kind, table| self.log(kind, &of(table), life.start, life.born.is_some(), end);
                let mut logs = Logs {
                    audit: of_log(LogKind::Audit, "audit"),
                    authenticator: of_log(LogKind::Authenticator, "authenticator"),
                    trail: self.trail_of(cluster, life.born, end),
                };
                logs.audit.compare(&of("audit"), &of("authenticator"), end);
                switched_off(life, &mut logs.audit, "audit", &of("audit"));
                switched_off(life, &mut logs.authenticator, "authenticator", &of("authenticator"));
                let own = |ts: Micros| ts >= life.start && ts <= end;
                life.cut = cuts.iter().filter(|cut| own(cut.at.ts)).cloned().collect();
                for cut in life.cut.iter().filter(|cut| cut.what == CutWhat::Anything) {
                    logs.audit.note(cut.at.ts, cut.at.ts + 1, Why::Unreadable);
                }
                for cut in trail_cuts.iter().filter(|cut| cut.to >= life.start && cut.from <= end) {
                    let may_matter =
                        !matches!(&cut.what, CutWhat::Call { source, .. } if source == "iam.amazonaws.com");
                    if may_matter {
                        logs.trail.note(cut.from, cut.to, Why::Unreadable);
                    }
                }
                life.logs = logs;
            }
        }
    }

    /// Whether the lake has a steady CloudTrail of some account, so that a region or account without a record is missing and not quiet.
    pub(super) fn expects_all(&self) -> bool {
        self.accounts
            .values()
            .any(|days| days.are_most() && days.habit().is_some())
    }

    fn trail_of(&self, cluster: &Cluster, born: Option<Micros>, end: Micros) -> Log {
        let place = (cluster.account.clone(), cluster.region.clone());
        match self
            .accounts
            .get(&cluster.account)
            .filter(|_| self.regions.contains(&place))
        {
            Some(days) => self.log(LogKind::Trail, days, born.unwrap_or(Micros::MIN), born.is_some(), end),
            None => Log::without(LogKind::Trail, self.ends),
        }
    }

    fn log(&self, kind: LogKind, days: &Days, start: Micros, is_born: bool, end: Micros) -> Log {
        Log::of(kind, days, start, is_born, end, self.ends)
    }
}

/// Whether a reject is of a trail: Kubernetes's logs have a cluster.
fn is_of_trail(reject: &RejectSeen) -> bool {
    reject.kind == "cloudtrail" || (reject.place.cluster.is_none() && reject.kind != "audit")
}

/// The region that logs the IAM events of a region's partition.
pub(crate) fn home_region(region: &str) -> &'static str {
    match partition_of(region) {
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        "aws-iso" => "us-iso-east-1",
        "aws-iso-b" => "us-isob-east-1",
        "aws-eusc" => "eusc-de-east-1",
        _ => "us-east-1",
    }
}

/// What calls and looks say of a log type: off from then on, until on again or until the log speaks again.
fn switched_off(life: &Incarnation<'_>, log: &mut Log, kind: &str, days: &Days) {
    let by_call = life.calls.iter().filter_map(|call| {
        let request = json::parse(call.request_parameters.as_deref());
        let is_on = is_on(&request["logging"], kind)?;
        let by = actor(call);
        matches!(call.event_name.as_str(), "UpdateClusterConfig" | "CreateCluster").then_some((call.at.ts, is_on, by))
    });
    let by_look = life
        .snapshots
        .iter()
        .filter(|snapshot| snapshot.kind == "cluster")
        .filter_map(|snapshot| {
            let body = json::parse(Some(&snapshot.body));
            Some((snapshot.at.ts, is_on(&body["logging"], kind)?, None))
        });
    let mut switches: Vec<(Micros, bool, Option<String>)> = by_call.chain(by_look).collect();
    switches.sort();
    let mut switches = switches.into_iter().peekable();
    while let Some((from, is_on, by)) = switches.next() {
        if is_on {
            continue;
        }
        let on_again = switches.peek().filter(|(_, is_on, _)| *is_on).map(|(ts, ..)| *ts);
        let speaks_again = days.within(from + HOUR, Micros::MAX).bounds().map(|(first, _)| first);
        let to = [on_again, speaks_again]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(Micros::MAX);
        log.note(from, to, Why::SwitchedOff(by));
    }
}

/// Whether a logging configuration speaks of a type, and what.
fn is_on(logging: &Value, kind: &str) -> Option<bool> {
    let setups = logging["clusterLogging"].as_array()?;
    let mut said = None;
    for setup in setups {
        let names_it = setup["types"]
            .as_array()
            .is_some_and(|types| types.iter().any(|own| own == kind));
        if names_it {
            said = Some(setup["enabled"] == true);
        }
    }
    said
}

/// Who made a call, as sentences name it: `user/mallory`, `role/Admin`.
fn actor(call: &CloudTrailCall) -> Option<String> {
    let arn = call.canonical_arn.as_deref()?;
    Some(Arn::parse(arn).map_or_else(|_| arn.to_owned(), |arn| arn.resource.to_owned()))
}
