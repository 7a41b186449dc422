//! State over time: what the records prove of each cluster, life by life, and of the IAM principals behind it.
//!
//! Rules: what changes state and how (the domain's section 2). Unknown is a state of its own: what no record tells is not guessed.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_queries::facts::{CloudTrailCall, Facts, Mark, Micros, Place};

use crate::findings::Cluster;
use crate::places::Places;
use crate::principal::Spellings;

pub(crate) mod aws_auth;
pub(crate) mod cut;
pub(crate) mod entries;
pub(crate) mod history;
pub(crate) mod iam;
mod incarnation;
mod index;
mod lists;
mod logs;
pub(crate) mod rbac_history;

pub(crate) use entries::{AccessEntry, Association};
pub(crate) use iam::IamHistory;
pub(crate) use incarnation::{Incarnation, Mode};
use index::Index;
pub(crate) use logs::home_region;

/// All that is known.
pub(crate) struct World<'f> {
    pub(crate) facts: &'f Facts,
    pub(crate) index: Index<'f>,
    pub(crate) places: Places,
    pub(crate) spellings: Spellings,
    pub(crate) iam: IamHistory,
    pub(crate) lives: BTreeMap<Cluster, Vec<Incarnation<'f>>>,
}

impl<'f> World<'f> {
    /// All that the facts tell, for answers as of a moment; the facts hold no later record.
    pub(crate) fn build(facts: &'f Facts, at: Micros) -> Self {
        let places = Places::of(facts);
        let spellings = Spellings::of(facts);
        let trails = logs::Trails::of(facts, at);
        let iam = IamHistory::build(facts, trails.iam_logs(facts), trails.ends());
        let mut calls: BTreeMap<Cluster, Vec<&CloudTrailCall>> = BTreeMap::new();
        for call in facts
            .calls
            .iter()
            .filter(|call| call.error_code.is_none() && call.event_source == "eks.amazonaws.com")
        {
            if let Some(cluster) = places.cluster(&call.place) {
                calls.entry(cluster).or_default().push(call);
            }
        }
        // A cluster is one that logged, that a snapshot shows, or that a call that succeeded names.
        let mut first_log: BTreeMap<Cluster, Mark> = BTreeMap::new();
        let mut clusters: BTreeSet<Cluster> = calls.keys().cloned().collect();
        for day in facts.coverage.iter().filter(|day| day.table != "cloudtrail") {
            if let Some(cluster) = places.cluster(&day.place) {
                let first = first_log.entry(cluster.clone()).or_insert_with(|| day.first.clone());
                if day.first < *first {
                    *first = day.first.clone();
                }
                clusters.insert(cluster);
            }
        }
        let mut births = births(facts, &places);
        let lives = clusters.into_iter().map(|cluster| {
            let calls = calls.remove(&cluster).unwrap_or_default();
            let births = births.remove(&cluster).unwrap_or_default();
            let lives = incarnation::lives(&cluster, &calls, &births, first_log.get(&cluster).map(|mark| mark.ts));
            (cluster, lives)
        });
        let mut world = Self {
            lives: lives.collect(),
            facts,
            index: Index::of(facts, &places),
            places,
            spellings,
            iam,
        };
        world.fill();
        trails.fill(&mut world);
        for life in world.lives.values_mut().flatten() {
            life.rebuild(&world.spellings);
        }
        world
    }

    /// Gives each life the records of its time.
    fn fill(&mut self) {
        for write in &self.facts.writes {
            if aws_auth::is_dry_run(write) {
                continue;
            }
            if let Some(life) = self
                .places
                .cluster(&write.place)
                .and_then(|cluster| life_at(&mut self.lives, &cluster, write.at.ts))
            {
                life.writes.push(write);
            }
        }
        for snapshot in &self.facts.snapshots {
            if let Some(life) = self
                .places
                .cluster(&snapshot.place)
                .and_then(|cluster| life_at(&mut self.lives, &cluster, snapshot.at.ts))
            {
                life.snapshots.push(snapshot);
            }
        }
        let mut life_of = |place: &Place, ts: Micros, add: &dyn Fn(&mut Incarnation<'f>)| {
            let cluster = self.places.cluster(place);
            if let Some(life) = cluster.and_then(|cluster| life_at(&mut self.lives, &cluster, ts)) {
                add(life);
            }
        };
        for row in &self.facts.activity {
            life_of(&row.place, row.first.ts, &|life| {
                life.activity.push(row);
                if row.access_policy_reason.is_some() {
                    life.policy_use.get_or_insert_with(|| row.first.clone());
                }
            });
        }
        for row in &self.facts.logins {
            life_of(&row.place, row.first.ts, &|life| life.logins.push(row));
        }
        for row in &self.facts.sessions {
            life_of(&row.place, row.first.ts, &|life| life.sessions.push(row));
        }
    }

    /// The life that a record of this cluster and time belongs to.
    pub(crate) fn life(&self, cluster: &Cluster, ts: Micros) -> Option<&Incarnation<'f>> {
        let lives = self.lives.get(cluster)?;
        lives
            .iter()
            .rev()
            .find(|life| life.start <= ts)
            .or_else(|| lives.first())
    }

    /// The life that a fact belongs to.
    pub(crate) fn life_of(&self, place: &Place, ts: Micros) -> Option<&Incarnation<'f>> {
        self.life(&self.places.cluster(place)?, ts)
    }
}

/// The dates of creation that EKS gave of each cluster, in order.
fn births(facts: &Facts, places: &Places) -> BTreeMap<Cluster, Vec<Micros>> {
    let mut births: BTreeMap<Cluster, Vec<Micros>> = BTreeMap::new();
    for snapshot in facts.snapshots.iter().filter(|snapshot| snapshot.kind == "cluster") {
        let body = crate::json::parse(Some(&snapshot.body));
        let born = incarnation::created_at(&body["createdAt"]);
        if let Some((cluster, born)) = places.cluster(&snapshot.place).zip(born) {
            births.entry(cluster).or_default().push(born);
        }
    }
    for dates in births.values_mut() {
        dates.sort_unstable();
    }
    births
}

fn life_at<'a, 'f>(
    lives: &'a mut BTreeMap<Cluster, Vec<Incarnation<'f>>>,
    cluster: &Cluster,
    ts: Micros,
) -> Option<&'a mut Incarnation<'f>> {
    let lives = lives.get_mut(cluster)?;
    let at = lives.iter().rposition(|life| life.start <= ts).unwrap_or(0);
    lives.get_mut(at)
}
