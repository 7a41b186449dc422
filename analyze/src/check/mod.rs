//! Lint of the access configuration as it stands: what is dangerous, what never works, what will lock somebody out.
//!
//! Rules of severity: EKS Best Practices Guide, "Identity and Access Management". Only what records prove is found; what they cannot
//! show is coverage's to say. "Nobody else" is said only where everything that could hide somebody is known.

use eksplain_queries::facts::{Facts, Micros};

use crate::evidence;
use crate::findings::{Admin, Answers, Cluster, Evidence, Fix, Power, Status};
use crate::knowledge::moment;
use crate::state::{Incarnation, World};
use crate::words::{Rule, Severity};

mod aws_auth;
mod bindings;
mod changes;
mod creator;
mod entries;
mod fix;
mod groups;
mod logs;
mod principals;

/// One thing to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What it breaks.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// The cluster; `None` for records that name none.
    pub cluster: Option<Cluster>,
    /// What it is about: a mapping, a binding, a principal, a log.
    pub subject: String,
    /// A sentence.
    pub message: String,
    /// What helps.
    pub fix: Vec<Fix>,
    /// At most 5.
    pub evidence: Vec<Evidence>,
}

const DAY: Micros = 86_400 * 1_000_000;

/// Every rule over every cluster that lives, worst first.
pub fn check(facts: &Facts, answers: &Answers, at: Micros) -> Vec<Check> {
    let world = World::build(facts, at);
    let mut checks = logs::of_no_cluster(answers);
    for life in world
        .lives
        .values()
        .filter_map(|lives| lives.last())
        .filter(|life| !life.is_over_at(at))
    {
        let asked = Asked {
            world: &world,
            life,
            answers,
            at,
        };
        let found = [
            asked.aws_auth(),
            asked.groups(),
            asked.entries(),
            asked.bindings(),
            asked.principals(),
            asked.creator(),
            asked.changes(),
            asked.logs(),
        ];
        // Findings about a state are of the moment up to which it is known.
        let ended = life.lake_ended_before(at).map(moment);
        let as_of = |rule: Rule, message: String| match &ended {
            Some(end) if !rule.is_of_logs() && !message.contains("(as of ") => {
                format!("{message} (as of {end}; later changes are not in the lake)")
            }
            _ => message,
        };
        checks.extend(found.into_iter().flatten().map(|check| Check {
            message: as_of(check.rule, check.message),
            cluster: Some(life.cluster.clone()),
            evidence: evidence::shown(check.evidence),
            ..check
        }));
    }
    checks.sort_by(|a, b| {
        (a.severity, &a.cluster, a.rule, &a.subject).cmp(&(b.severity, &b.cluster, b.rule, &b.subject))
    });
    checks
}

/// One cluster, and the moment that is asked about.
struct Asked<'c, 'f> {
    world: &'c World<'f>,
    life: &'c Incarnation<'f>,
    answers: &'c Answers,
    at: Micros,
}

impl Check {
    fn new(rule: Rule, severity: Severity, subject: &str, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity,
            cluster: None,
            subject: subject.to_owned(),
            message: message.into(),
            fix: Vec::new(),
            evidence: Vec::new(),
        }
    }

    fn fix(mut self, fixes: impl IntoIterator<Item = Fix>) -> Self {
        self.fix.extend(fixes);
        self
    }

    fn proof(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}

fn is_active(admin: &Admin) -> bool {
    !admin.aws_managed && admin.power == Power::Admin && admin.status == Status::Active
}

/// ` by X`, where a record says who.
fn by(actor: Option<&str>) -> String {
    actor.map(|actor| format!(" by {actor}")).unwrap_or_default()
}
