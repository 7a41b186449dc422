//! One principal's whole story: as whom it logs in where, what it did, whether it exists.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_parse::arn::{Arn, canonical_arn};
use eksplain_queries::facts::{Facts, Micros};

use crate::admins::reaches;
use crate::findings::{Answers, Cluster, PrincipalState, PrincipalType};
use crate::principal::{of_user, principal_type};
use crate::state::World;

/// What is known of one principal; its admin routes and denials are in [`Answers`], by its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Who {
    /// Form of answers.
    pub principal: String,
    /// What kind of principal.
    pub principal_type: PrincipalType,
    /// Whether it exists.
    pub state: PrincipalState,
    /// When it was deleted.
    pub deleted_at: Option<Micros>,
    /// Role sessions, sorted.
    pub sessions: Vec<String>,
    /// Mappings and access entries, in order.
    pub logins: Vec<LoginRight>,
    /// What it did, cluster by cluster.
    pub activity: Vec<ClusterActivity>,
}

/// A right to log in.
#[derive(Debug, Clone, PartialEq)]
pub struct LoginRight {
    /// The cluster.
    pub cluster: Cluster,
    /// Its life.
    pub incarnation: u32,
    /// Mapping or access entry, in words.
    pub how: String,
    /// User name it gives; `None` where it is generated.
    pub username: Option<String>,
    /// Groups it gives.
    pub groups: Vec<String>,
    /// Since when; `None` where it stood before the first record.
    pub valid_from: Option<Micros>,
    /// Until when; `None` while it stands.
    pub valid_to: Option<Micros>,
}

/// Requests of one principal to one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterActivity {
    /// The cluster.
    pub cluster: Cluster,
    /// User names it had.
    pub usernames: Vec<String>,
    /// Requests.
    pub uses: u64,
    /// First record.
    pub first: Micros,
    /// Last record.
    pub last: Micros,
}

/// User names, requests, first and last record.
type Seen = (BTreeSet<String>, u64, Micros, Micros);

/// Every principal that a name may mean: an ARN, the name of a user or role, a role session, `User:x`, or a Kubernetes user name.
pub fn who(facts: &Facts, answers: &Answers, asked: &str, at: Micros) -> Vec<Who> {
    let world = World::build(facts, at);
    let mut found: BTreeMap<String, Who> = BTreeMap::new();
    let canonical = canonical_arn(asked).map(|arn| arn.to_lowercase());
    let is_meant = |principal: &str, other_names: &[&str]| {
        let lower = principal.to_lowercase();
        let name = Arn::parse(principal)
            .map(|arn| arn.name().to_lowercase())
            .unwrap_or_default();
        canonical.as_ref() == Some(&lower)
            || lower == asked.to_lowercase()
            || name == asked.to_lowercase()
            || other_names.contains(&asked)
    };
    let mut entry = |principal: &str| -> String {
        found.entry(principal.to_owned()).or_insert_with(|| {
            let fate = world.iam.fate(principal, Micros::MIN, at, false);
            Who {
                principal: principal.to_owned(),
                principal_type: principal_type(principal),
                state: fate.state,
                deleted_at: fate.deleted_at(),
                sessions: Vec::new(),
                logins: Vec::new(),
                activity: Vec::new(),
            }
        });
        principal.to_owned()
    };
    let mut logins = Vec::new();
    for life in world.lives.values().flatten() {
        for reach in reaches(&world, life, at) {
            if is_meant(&reach.principal, &[reach.username.as_deref().unwrap_or_default()]) {
                let end = reach
                    .span
                    .end
                    .as_ref()
                    .map(|end| end.at)
                    .into_iter()
                    .chain(life.deleted_at)
                    .min();
                let right = LoginRight {
                    cluster: life.cluster.clone(),
                    incarnation: life.number,
                    how: reach.how.clone(),
                    username: reach.username.clone(),
                    groups: reach.groups.clone(),
                    valid_from: reach.span.is_born.then_some(reach.span.start),
                    valid_to: end.filter(|end| *end <= at),
                };
                logins.push((entry(&reach.principal), right));
            }
        }
    }
    let mut activity: BTreeMap<(String, Cluster), Seen> = BTreeMap::new();
    for row in &facts.activity {
        let arn = row
            .canonical_arn
            .as_deref()
            .and_then(|arn| world.spellings.canonical(arn));
        let Some(principal) = of_user(row.username.as_deref(), arn.as_deref()) else {
            continue;
        };
        let Some(cluster) = world.places.cluster(&row.place) else {
            continue;
        };
        let username = row.username.clone().unwrap_or_default();
        if is_meant(&principal, &[&username]) {
            let key = (entry(&principal), cluster);
            let (usernames, uses, first, last) =
                activity
                    .entry(key)
                    .or_insert((BTreeSet::new(), 0, row.first.ts, row.last.ts));
            usernames.insert(username);
            *uses += row.count;
            (*first, *last) = ((*first).min(row.first.ts), (*last).max(row.last.ts));
        }
    }
    let mut sessions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in &facts.sessions {
        let principal = world
            .spellings
            .canonical(&row.canonical_arn)
            .unwrap_or_else(|| row.canonical_arn.clone());
        let session = row.session.clone().unwrap_or_default();
        if is_meant(&principal, &[&session]) && !session.is_empty() {
            sessions.entry(entry(&principal)).or_default().insert(session);
        }
    }
    let by_answers = answers.admins.iter().map(|admin| admin.principal.as_str());
    let by_denials = answers.denials.iter().filter_map(|denial| denial.principal.as_deref());
    for principal in by_answers
        .chain(by_denials)
        .filter(|principal| is_meant(principal, &[]))
    {
        entry(principal);
    }
    for (principal, right) in logins {
        found.entry(principal).and_modify(|who| who.logins.push(right));
    }
    for ((principal, cluster), (usernames, uses, first, last)) in activity {
        let row = ClusterActivity {
            cluster,
            usernames: usernames.into_iter().collect(),
            uses,
            first,
            last,
        };
        found.entry(principal).and_modify(|who| who.activity.push(row));
    }
    for (principal, names) in sessions {
        found
            .entry(principal)
            .and_modify(|who| who.sessions = names.into_iter().collect());
    }
    found.into_values().collect()
}
