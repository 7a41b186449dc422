//! The life of a cluster, its authentication mode, and which of its logs are on.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Asked, Change, ChangeKind};
use crate::json;
use crate::state::Incarnation;

impl<'f> Asked<'_, 'f> {
    pub(super) fn cluster(&self, life: &Incarnation<'f>) -> Vec<Change> {
        let mut changes: Vec<Change> = self.created(life).into_iter().chain(self.deleted(life)).collect();
        changes.extend(self.modes(life));
        changes.extend(self.logging(life));
        changes
    }

    fn created(&self, life: &Incarnation<'f>) -> Option<Change> {
        let mode = life.mode_at(life.born?).as_str();
        let admin = match life.bootstrap_admin() {
            Some(true) => "; its creator is admin",
            Some(false) => "; its creator is no admin",
            None => "",
        };
        let mode = mode.map_or_else(String::new, |mode| format!(", authentication mode {mode}"));
        let change = Change::of(life, ChangeKind::ClusterCreated, life.born?, &life.cluster.name)
            .is(format!("life {}{mode}{admin}", life.number));
        if let Some(call) = life.created {
            let change = change.shown_by(&call.at, "CreateCluster");
            return Some(change.by(self.actors.of_call(call)));
        }
        // EKS's own date, that a look found.
        let look = life.snapshots.iter().find(|snapshot| snapshot.kind == "cluster")?;
        Some(change.shown_by(&look.at, "a look found it; the date is EKS's own"))
    }

    fn deleted(&self, life: &Incarnation<'f>) -> Option<Change> {
        let end = life.deleted_at?;
        let change = Change::of(life, ChangeKind::ClusterDeleted, end, &life.cluster.name)
            .was(format!("life {}", life.number))
            .is("deleted".to_owned());
        if let Some(call) = life.deleted {
            let change = change.shown_by(&call.at, "DeleteCluster");
            return Some(change.by(self.actors.of_call(call)));
        }
        let lives = self.world.lives.get(&life.cluster)?;
        let next = lives.iter().find(|next| next.number > life.number)?;
        let created = next.created.map(|call| &call.at);
        let look = next.snapshots.iter().find(|snapshot| snapshot.kind == "cluster");
        let proof = created.or(look.map(|look| &look.at))?;
        Some(
            change
                .shown_by(proof, "by then a cluster of the same name had been created")
                .at_the_latest(),
        )
    }

    /// Changes of the mode after the creation, which tells the first.
    fn modes(&self, life: &Incarnation<'f>) -> Vec<Change> {
        let before = [None].into_iter().chain(life.modes.iter().map(Some));
        let told = before.zip(&life.modes).filter_map(|(before, change)| {
            let is_birth = life.created.is_some_and(|created| created.at == change.at);
            let is_same = before.is_some_and(|before| before.mode == change.mode);
            if is_birth || is_same || (change.is_look && before.is_none()) {
                return None;
            }
            let was = before.and_then(|before| before.mode.as_str());
            let told = Change::of(life, ChangeKind::Mode, change.at.ts, "authentication mode")
                .was(was.map(str::to_owned))
                .is(change.mode.as_str().map(str::to_owned));
            Some(match self.actors.of_record(&change.at.id).filter(|_| !change.is_look) {
                Some(actor) => told.shown_by(&change.at, "UpdateClusterConfig").by(actor),
                None => told.shown_by(&change.at, "a look found the mode so").at_the_latest(),
            })
        });
        told.collect()
    }

    fn logging(&self, life: &Incarnation<'f>) -> Vec<Change> {
        let mut on: BTreeMap<String, bool> = BTreeMap::new();
        if let Some(created) = life.created {
            let request = json::parse(created.request_parameters.as_deref());
            on = TYPES.iter().map(|kind| ((*kind).to_owned(), false)).collect();
            on.extend(switches(&request["logging"]));
        }
        let calls = life
            .calls
            .iter()
            .filter(|call| call.event_name == "UpdateClusterConfig");
        let by_call = calls.map(|call| {
            let request = json::parse(call.request_parameters.as_deref());
            (&call.at, false, switches(&request["logging"]))
        });
        let looks = life.snapshots.iter().filter(|snapshot| snapshot.kind == "cluster");
        let by_look = looks.filter_map(|look| {
            let body = json::parse(Some(&look.body));
            let logging = body["logging"]["clusterLogging"].as_array()?;
            // What is not listed as on is off.
            let mut whole: BTreeMap<String, bool> = TYPES.iter().map(|kind| ((*kind).to_owned(), false)).collect();
            whole.extend(switches(&body["logging"]));
            (!logging.is_empty()).then_some((&look.at, true, whole))
        });
        let mut events: Vec<_> = by_call.chain(by_look).collect();
        events.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let mut changes = Vec::new();
        for (at, is_look, switched) in events {
            let is_other = |(kind, now): &(&String, &bool)| on.get(*kind).is_some_and(|known| known != *now);
            let news: Vec<(&String, &bool)> = match is_look {
                true => switched.iter().filter(is_other).collect(),
                // A call says what it is about, whether it was so before or not.
                false => switched.iter().filter(|pair| on.get(pair.0) != Some(pair.1)).collect(),
            };
            if !news.is_empty() {
                let old = news.iter().filter_map(|(kind, _)| Some((*kind, on.get(*kind)?)));
                let change = Change::of(life, ChangeKind::Logging, at.ts, "control plane logs")
                    .was(Some(in_words(old)).filter(|words| !words.is_empty()))
                    .is(in_words(news.into_iter()));
                changes.push(match self.actors.of_record(&at.id).filter(|_| !is_look) {
                    Some(actor) => change.shown_by(at, "UpdateClusterConfig").by(actor),
                    None => change.shown_by(at, "a look found the logs so").at_the_latest(),
                });
            }
            on.extend(switched);
        }
        changes
    }
}

/// Every log of a control plane.
const TYPES: [&str; 5] = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

/// Which logs a request or a description switches, and how.
fn switches(logging: &Value) -> BTreeMap<String, bool> {
    let setups = logging["clusterLogging"].as_array().into_iter().flatten();
    let each = setups.flat_map(|setup| {
        let is_on = setup["enabled"].as_bool();
        let types = json::texts(&setup["types"]);
        types.into_iter().filter_map(move |kind| Some((kind, is_on?)))
    });
    each.collect()
}

/// `audit, authenticator off`.
fn in_words<'k>(switched: impl Iterator<Item = (&'k String, &'k bool)>) -> String {
    let mut by_state: [Vec<&str>; 2] = [Vec::new(), Vec::new()];
    for (kind, is_on) in switched {
        by_state[usize::from(*is_on)].push(kind);
    }
    let [off, on] = by_state;
    let told = [(on, "on"), (off, "off")]
        .into_iter()
        .filter(|(kinds, _)| !kinds.is_empty());
    told.map(|(kinds, word)| format!("{} {word}", kinds.join(", ")))
        .collect::<Vec<_>>()
        .join("; ")
}
