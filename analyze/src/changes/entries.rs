//! Access entries and their policies: made, changed, deleted.

use eksplain_queries::facts::{CloudTrailCall, Micros};

use super::{Asked, Change, ChangeKind, listed};
use crate::state::Incarnation;
use crate::state::entries::{AccessEntry, Association, Stay, StayEnd};

impl<'f> Asked<'_, 'f> {
    pub(super) fn entries(&self, life: &Incarnation<'f>) -> Vec<Change> {
        let mut changes = Vec::new();
        for entry in &life.entries {
            let subject = &entry.canonical;
            let groups = |ts: Micros| entry_in_words(entry, ts);
            let made =
                Change::of(life, ChangeKind::AccessEntry, entry.stay.start(), subject).is(groups(entry.stay.start()));
            let made = match entry.of_creator {
                true => Change {
                    is: made.is.map(|is| format!("{is}; EKS made it for the creator")),
                    ..made
                },
                false => made,
            };
            changes.extend(self.begun(life, &entry.stay, made, "CreateAccessEntry"));
            let last = groups_before_end(entry);
            let gone = |end: &StayEnd| {
                Change::of(life, ChangeKind::AccessEntry, end.at, subject)
                    .was(last.clone())
                    .is("deleted".to_owned())
            };
            changes.extend(entry.stay.end.as_ref().map(|end| self.ended(life, end, gone(end))));
            changes.extend(self.regrouped(life, entry));
            for association in &entry.associations {
                changes.extend(self.association(life, entry, association));
            }
        }
        changes
    }

    /// Changes of its groups.
    fn regrouped(&self, life: &Incarnation<'f>, entry: &AccessEntry) -> Vec<Change> {
        let pairs = entry.groups.windows(2).filter_map(|pair| match pair {
            [(_, old), (from, new)] if old != new && *from > entry.stay.start() => Some((old, *from, new)),
            _ => None,
        });
        pairs
            .map(|(old, from, new)| {
                let change = Change::of(life, ChangeKind::AccessEntry, from, &entry.canonical)
                    .was(format!("groups {}", listed(old)))
                    .is(format!("groups {}", listed(new)));
                match call_at(life, from, "UpdateAccessEntry") {
                    Some(call) => self.by_call(change, call),
                    // EKS's own date of the change, or the look that found it.
                    None => change.shown_by(&entry.stay.last, "a look found the entry so"),
                }
            })
            .collect()
    }

    fn association(&self, life: &Incarnation<'f>, entry: &AccessEntry, association: &Association) -> Vec<Change> {
        let words = policy_in_words(association);
        let start = association.stay.start();
        // Associating again with another scope replaces what was there.
        let replaced = entry.associations.iter().find(|other| {
            other.policy == association.policy
                && !std::ptr::eq(*other, association)
                && other.stay.end.as_ref().is_some_and(|end| end.at == start)
        });
        let made = Change::of(life, ChangeKind::AccessPolicy, start, &entry.canonical)
            .was(replaced.map(policy_in_words))
            .is(words.clone());
        let made = match entry.of_creator && association.stay.first == entry.stay.first {
            true => Change {
                is: made.is.map(|is| format!("{is}; EKS associated it for the creator")),
                ..made
            },
            false => made,
        };
        let mut changes: Vec<Change> = self
            .begun(life, &association.stay, made, "AssociateAccessPolicy")
            .into_iter()
            .collect();
        let is_replaced = |end: &StayEnd| {
            let next = |other: &Association| other.policy == association.policy && other.stay.start() == end.at;
            entry
                .associations
                .iter()
                .any(|other| !std::ptr::eq(other, association) && next(other))
        };
        if let Some(end) = association.stay.end.as_ref().filter(|end| !is_replaced(end)) {
            let gone = Change::of(life, ChangeKind::AccessPolicy, end.at, &entry.canonical)
                .was(words)
                .is("not associated any more".to_owned());
            changes.push(self.ended(life, end, gone));
        }
        changes
    }

    /// The beginning, where a call or EKS's own date tells it.
    fn begun(&self, life: &Incarnation<'f>, stay: &Stay, change: Change, name: &str) -> Option<Change> {
        stay.since?;
        if let Some(call) = call_at(life, change.ts, name).filter(|call| call.at == stay.first) {
            return Some(self.by_call(change, call));
        }
        // EKS makes the creator's with the cluster, or with the change of the mode: that call is the cause.
        Some(match self.actors.of_record(&stay.first.id) {
            Some(actor) => change.shown_by(&stay.first, "EKS made it then").by(actor),
            None => change.shown_by(&stay.first, "a look found it; the date is EKS's own"),
        })
    }

    fn ended(&self, life: &Incarnation<'f>, end: &StayEnd, change: Change) -> Change {
        let call = life.calls.iter().find(|call| call.at == end.mark);
        match call.filter(|_| end.is_exact) {
            Some(call) => self.by_call(change, call),
            None if end.is_exact => change.shown_by(&end.mark, "a look found it changed; the date is EKS's own"),
            None => change.shown_by(&end.mark, "by then it was gone").at_the_latest(),
        }
    }

    fn by_call(&self, change: Change, call: &CloudTrailCall) -> Change {
        change
            .shown_by(&call.at, call.event_name.clone())
            .by(self.actors.of_call(call))
    }
}

fn call_at<'f>(life: &Incarnation<'f>, ts: Micros, name: &str) -> Option<&'f CloudTrailCall> {
    let mut calls = life.calls.iter().copied();
    calls.find(|call| call.at.ts == ts && call.event_name == name)
}

/// `type STANDARD, user name x, groups a, b`.
fn entry_in_words(entry: &AccessEntry, ts: Micros) -> String {
    let kind = entry.entry_type.as_deref().map(|kind| format!("type {kind}, "));
    let username = entry.username.as_deref().map(|name| format!("user name {name}, "));
    format!(
        "access entry: {}{}groups {}",
        kind.unwrap_or_default(),
        username.unwrap_or_default(),
        listed(entry.groups_at(ts))
    )
}

/// As it stood before its end, with its policies.
fn groups_before_end(entry: &AccessEntry) -> String {
    let before = entry
        .stay
        .end
        .as_ref()
        .map_or(Micros::MAX, |end| end.at.saturating_sub(1));
    let policies: Vec<String> = entry.associations_at(before).map(policy_in_words).collect();
    format!("{}; policies {}", entry_in_words(entry, before), listed(&policies))
}

/// `AmazonEKSViewPolicy in namespaces dev, test`.
fn policy_in_words(association: &Association) -> String {
    match &association.namespaces {
        None => format!("{} at cluster scope", association.policy),
        Some(namespaces) => format!("{} in namespaces {}", association.policy, listed(namespaces)),
    }
}
