//! What changed of who has access: every grant and loss of admin power, every write that decides about access, by time, with who did it.
//!
//! Rule: what a call or a write shows has its time and its actor. What only a look shows happened by the time of the look at the latest,
//! between it and the record before: then no record names who did it, and the words say so. The date that EKS or IAM itself gives is
//! such a time, without an actor.

use std::collections::BTreeSet;

use eksplain_parse::time::format_rfc3339;
use eksplain_queries::facts::{Facts, Mark, Micros};

use crate::evidence;
use crate::findings::{Answers, Cluster, Evidence};
use crate::state::{Incarnation, World};
pub use crate::words::ChangeKind;

mod actor;
mod aws_auth;
mod cluster;
mod entries;
mod power;
mod principals;
mod rbac;

use actor::{Actor, Actors};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// When; where only a look shows it, the time of the look, by which it had happened.
    pub ts: Micros,
    /// What kind of change.
    pub kind: ChangeKind,
    /// Where; `None` for what becomes of a principal.
    pub cluster: Option<Cluster>,
    /// The life of the cluster, from 1; `None` without a cluster.
    pub incarnation: Option<u32>,
    /// The clusters that it matters for: its own, or those that admit the principal or were created by it.
    pub matters_for: BTreeSet<Cluster>,
    /// Who did it: canonical ARN, Kubernetes subject or service; `None` where no record names it.
    pub actor: Option<String>,
    /// The person behind, as far as the chain of sessions tells.
    pub actor_human: Option<String>,
    /// Who gained or lost, or what was written.
    pub subject: String,
    /// What it was; `None` where there was nothing, or no record tells.
    pub was: Option<String>,
    /// What it is since.
    pub is: Option<String>,
    /// By AWS or Kubernetes itself, about its own: shown with `--all`.
    pub aws_managed: bool,
    /// At most 5.
    pub evidence: Vec<Evidence>,
}

/// Every change between two times, by time.
pub fn changes(
    facts: &Facts,
    answers: &Answers,
    at: Micros,
    since: Option<Micros>,
    until: Option<Micros>,
) -> Vec<Change> {
    let world = World::build(facts, at);
    let asked = Asked {
        world: &world,
        actors: Actors::of(&world),
        at,
    };
    let mut changes = asked.power(answers);
    for life in world.lives.values().flatten() {
        changes.extend(asked.cluster(life));
        changes.extend(asked.entries(life));
        changes.extend(asked.aws_auth(life));
        changes.extend(asked.rbac(life));
    }
    changes.extend(asked.principals(answers));
    let until = until.map_or(at, |until| until.min(at));
    changes.retain(|change| since.is_none_or(|since| change.ts >= since) && change.ts <= until);
    changes.sort();
    // Two trails may each hold the same call.
    changes.dedup_by(|next, first| {
        let same = |a: &Change, b: &Change| {
            (a.ts, a.kind, &a.cluster, &a.actor, &a.subject, &a.was, &a.is)
                == (b.ts, b.kind, &b.cluster, &b.actor, &b.subject, &b.was, &b.is)
        };
        same(next, first)
    });
    changes
}

/// What the changes are read from.
struct Asked<'w, 'f> {
    world: &'w World<'f>,
    actors: Actors<'w, 'f>,
    at: Micros,
}

impl Change {
    /// One of a life, whose actor is not known yet.
    fn of(life: &Incarnation<'_>, kind: ChangeKind, ts: Micros, subject: impl Into<String>) -> Self {
        Self {
            ts,
            kind,
            cluster: Some(life.cluster.clone()),
            incarnation: Some(life.number),
            matters_for: BTreeSet::from([life.cluster.clone()]),
            actor: None,
            actor_human: None,
            subject: subject.into(),
            was: None,
            is: None,
            aws_managed: false,
            evidence: Vec::new(),
        }
    }

    fn was(mut self, was: impl Into<Option<String>>) -> Self {
        self.was = was.into();
        self
    }

    fn is(mut self, is: impl Into<Option<String>>) -> Self {
        self.is = is.into();
        self
    }

    /// Who did it.
    fn by(mut self, actor: Actor) -> Self {
        self.aws_managed |= actor.is_aws;
        self.actor = actor.principal;
        self.actor_human = actor.human;
        self.proven(actor.evidence)
    }

    /// A record that shows it.
    fn shown_by(self, mark: &Mark, summary: impl Into<String>) -> Self {
        self.proven([evidence::any(mark, summary)])
    }

    fn proven(mut self, proof: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(proof);
        self.evidence = evidence::shown(std::mem::take(&mut self.evidence));
        self
    }

    /// Says that it had happened by its time, and that nothing tells when and by whom.
    fn at_the_latest(mut self) -> Self {
        let is = self.is.take();
        self.is = Some(by_then(is.as_deref().unwrap_or("gone"), self.ts));
        self
    }
}

/// `gone, by T at the latest: no record shows when, or who did it`.
fn by_then(what: &str, ts: Micros) -> String {
    format!(
        "{what}; by {} at the latest: no record shows when, or who did it",
        format_rfc3339(ts)
    )
}

/// `none`, or the words with commas between.
fn listed(words: &[String]) -> String {
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}
