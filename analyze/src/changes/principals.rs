//! What became of the principals that matter: those that a cluster admits, and those that created one.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_queries::facts::Micros;

use super::{Asked, Change, ChangeKind};
use crate::findings::{Answers, Cluster};
use crate::state::iam::IamEvent;

impl Asked<'_, '_> {
    pub(super) fn principals(&self, answers: &Answers) -> Vec<Change> {
        let mut changes = Vec::new();
        for (principal, clusters) in self.who_matters(answers) {
            let events = self.world.iam.events_of(&principal);
            let own = events.iter().filter(|event| event.ts <= self.at);
            changes.extend(own.filter_map(|event| self.event(&principal, &clusters, event)));
        }
        changes
    }

    /// Mapped principals, those with entries, creators, and admins, each with the clusters that it matters for.
    fn who_matters(&self, answers: &Answers) -> BTreeMap<String, BTreeSet<Cluster>> {
        let mut who: BTreeMap<String, BTreeSet<Cluster>> = BTreeMap::new();
        let mut add = |principal: &str, cluster: &Cluster| {
            if principal.starts_with("arn:") {
                who.entry(principal.to_owned()).or_default().insert(cluster.clone());
            }
        };
        let canonical = |arn: &str| self.world.spellings.canonical(arn);
        for life in self.world.lives.values().flatten() {
            life.entries
                .iter()
                .for_each(|entry| add(&entry.canonical, &life.cluster));
            let creator = life.created.and_then(|call| call.canonical_arn.as_deref());
            creator
                .and_then(canonical)
                .iter()
                .for_each(|arn| add(arn, &life.cluster));
            let mapped = life.aws_auth_contents().flat_map(|(_, content)| &content.auth.mappings);
            for arn in mapped.filter_map(|mapping| mapping.caller_arn()) {
                canonical(&arn).iter().for_each(|arn| add(arn, &life.cluster));
            }
        }
        for admin in &answers.admins {
            add(&admin.principal, &admin.cluster);
        }
        who
    }

    fn event(&self, principal: &str, clusters: &BTreeSet<Cluster>, event: &IamEvent) -> Option<Change> {
        let new_name = event.renamed_to.as_deref().and_then(|new| {
            let (head, _) = principal.rsplit_once('/')?;
            Some(format!("{head}/{new}"))
        });
        // The first of a name is no news; only one that follows another is.
        let follows = || {
            let fate = self.world.iam.fate(principal, Micros::MIN, event.ts, false);
            fate.recreated
                .is_some_and(|again| again.ts == event.ts && again.at == event.at)
        };
        let kind = match (event.is_birth, &new_name) {
            (true, _) if follows() => ChangeKind::PrincipalRecreated,
            (true, _) => return None,
            (false, Some(_)) => ChangeKind::PrincipalRenamed,
            (false, None) => ChangeKind::PrincipalDeleted,
        };
        let (was, is, shows) = match kind {
            ChangeKind::PrincipalRecreated => (
                "deleted",
                "another principal of the same name, with another unique id".to_owned(),
                "was created again",
            ),
            ChangeKind::PrincipalRenamed => ("present", new_name.unwrap_or_default(), "was renamed"),
            _ => ("present", "deleted".to_owned(), "was deleted"),
        };
        let was = match kind {
            ChangeKind::PrincipalRenamed => principal,
            _ => was,
        };
        let change = Change {
            ts: event.ts,
            kind,
            cluster: None,
            incarnation: None,
            matters_for: clusters.clone(),
            actor: None,
            actor_human: None,
            subject: principal.to_owned(),
            was: Some(was.to_owned()),
            is: Some(is),
            aws_managed: false,
            evidence: Vec::new(),
        };
        let change = change.shown_by(&event.at, format!("{principal} {shows}"));
        Some(
            match self.actors.of_record(&event.at.id).filter(|_| event.by.is_some()) {
                Some(actor) => change.by(actor),
                None if event.is_exact => change,
                None => change.at_the_latest(),
            },
        )
    }
}
