//! One principal's whole story: as whom it logs in where, who stands behind its sessions, what it did, whether it exists.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_parse::arn::{Arn, canonical_arn};
use eksplain_queries::facts::{Facts, Micros};

use crate::admins::reaches;
use crate::evidence;
use crate::findings::{Answers, Cluster, Evidence, PrincipalState, PrincipalType};
use crate::people::{self, Person};
use crate::principal::{of_user, principal_type};
use crate::rbac::service_account;
use crate::state::World;

mod deeds;

pub use deeds::Deed;

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
    /// Role sessions, or the people behind them, sorted.
    pub sessions: Vec<String>,
    /// People who used its sessions.
    pub people: Vec<Behind>,
    /// Principals whose sessions it used.
    pub acted_as: Vec<Behind>,
    /// Mappings and access entries, in order.
    pub logins: Vec<LoginRight>,
    /// What it did, cluster by cluster.
    pub activity: Vec<ClusterActivity>,
    /// Calls to AWS, service by service.
    pub aws: Vec<AwsActivity>,
    /// What it changed of who has access, by time.
    pub did: Vec<Deed>,
}

impl Who {
    /// Every record that is shown with it.
    pub fn evidence(&self) -> impl Iterator<Item = &Evidence> {
        let chains = self
            .people
            .iter()
            .chain(&self.acted_as)
            .flat_map(|behind| &behind.evidence);
        let calls = self.aws.iter().flat_map(|calls| &calls.evidence);
        chains
            .chain(calls)
            .chain(self.did.iter().flat_map(|deed| &deed.evidence))
    }
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

/// Calls of one principal to one AWS service.
#[derive(Debug, Clone, PartialEq)]
pub struct AwsActivity {
    /// `eks.amazonaws.com`.
    pub service: String,
    /// Actions, for the services that decide about access, sorted.
    pub actions: Vec<String>,
    /// Calls.
    pub calls: u64,
    /// Those that failed.
    pub refused: u64,
    /// First record.
    pub first: Micros,
    /// Last record.
    pub last: Micros,
    /// First and last record.
    pub evidence: Vec<Evidence>,
}

/// Whose records are told of what somebody did; mappings and power are those of the moment whatever the window.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// Facts of the records within; all of them where nothing bounds the window.
    pub facts: &'a Facts,
    /// No record before this.
    pub since: Micros,
    /// No record after this.
    pub until: Micros,
}

/// A person who used the sessions of a principal in one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Behind {
    /// Name of the person.
    pub person: String,
    /// By whose rights the person began; `None` for identities outside AWS.
    pub person_principal: Option<String>,
    /// The principal whose session it was.
    pub principal: String,
    /// Name of the session.
    pub session: String,
    /// Where it was used.
    pub cluster: Cluster,
    /// Logins and requests.
    pub uses: u64,
    /// First record.
    pub first: Micros,
    /// Last record.
    pub last: Micros,
    /// The calls that issued the session, and its use.
    pub evidence: Vec<Evidence>,
}

/// The name that is asked for, in the spellings that it may have in records.
pub(crate) struct Asked<'a> {
    text: &'a str,
    lower: String,
    canonical: Option<String>,
    /// `ServiceAccount:ns/name` of the user name of a service account.
    account: Option<String>,
}

impl<'a> Asked<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            text,
            lower: text.to_lowercase(),
            canonical: canonical_arn(text).map(|arn| arn.to_lowercase()),
            account: service_account(text).map(|(namespace, name)| format!("ServiceAccount:{namespace}/{name}")),
        }
    }

    /// Whether a principal is meant, by its ARN or name, or by another name of it: user name, session.
    fn means<'n>(&self, principal: &str, mut other_names: impl Iterator<Item = &'n str>) -> bool {
        let lower = principal.to_lowercase();
        let by_kind = || {
            let name = ["user:", "group:"].iter().find_map(|kind| lower.strip_prefix(kind));
            name.is_some_and(|name| name == self.lower)
        };
        let bare = self.text.strip_prefix("User:").unwrap_or(self.text);
        self.canonical.as_ref() == Some(&lower)
            || lower == self.lower
            || self.account.as_deref() == Some(principal)
            || by_kind()
            || Arn::parse(principal).is_ok_and(|arn| arn.name().to_lowercase() == self.lower)
            || other_names.any(|name| name == bare)
    }

    fn means_person(&self, person: &Person) -> bool {
        self.means(
            person.principal.as_deref().unwrap_or_default(),
            [person.name.as_str()].into_iter(),
        )
    }
}

/// User names, requests, first and last record.
type Seen = (BTreeSet<String>, u64, Micros, Micros);

/// Every principal that a name may mean: an ARN, the name of a user or role, a role session, `User:x`, `ServiceAccount:ns/name`, or a
/// Kubernetes user name.
pub fn who(facts: &Facts, answers: &Answers, asked: &str, at: Micros, window: &Window<'_>) -> Vec<Who> {
    let world = World::build(facts, at);
    let asked = Asked::of(asked);
    let mut found: BTreeMap<String, Who> = BTreeMap::new();
    let mut entry = |principal: &str| -> String {
        found.entry(principal.to_owned()).or_insert_with(|| {
            let fate = world.iam.fate(principal, Micros::MIN, at, false);
            Who {
                principal: principal.to_owned(),
                principal_type: principal_type(principal),
                state: fate.state,
                deleted_at: fate.deleted_at(),
                sessions: Vec::new(),
                people: Vec::new(),
                acted_as: Vec::new(),
                logins: Vec::new(),
                activity: Vec::new(),
                aws: Vec::new(),
                did: Vec::new(),
            }
        });
        principal.to_owned()
    };
    let mut logins = Vec::new();
    for life in world.lives.values().flatten() {
        for reach in reaches(&world, life, at) {
            if asked.means(&reach.principal, reach.username.as_deref().into_iter()) {
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
    for row in &window.facts.activity {
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
        if asked.means(&principal, [username.as_str()].into_iter()) {
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
    let mut aws: BTreeMap<(String, String), AwsActivity> = BTreeMap::new();
    let mut sessions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in &window.facts.aws_calls {
        let canonical = world.spellings.canonical(&row.canonical_arn);
        let principal = canonical.unwrap_or_else(|| row.canonical_arn.clone());
        let session = row.session.as_deref().filter(|session| !session.is_empty());
        if !asked.means(&principal, session.into_iter()) {
            continue;
        }
        if let Some(session) = session.filter(|session| !people::is_generic(session)) {
            sessions
                .entry(entry(&principal))
                .or_default()
                .insert(session.to_owned());
        }
        let first = || {
            let service = row.event_source.clone();
            AwsActivity {
                service,
                actions: Vec::new(),
                calls: 0,
                refused: 0,
                first: row.first.ts,
                last: row.last.ts,
                evidence: Vec::new(),
            }
        };
        let own = aws
            .entry((entry(&principal), row.event_source.clone()))
            .or_insert_with(first);
        own.actions.extend(row.event_name.clone());
        own.calls += row.count;
        own.refused += if row.refused { row.count } else { 0 };
        (own.first, own.last) = (own.first.min(row.first.ts), own.last.max(row.last.ts));
        let what = format!("calls {}", row.event_name.as_deref().unwrap_or(&row.event_source));
        own.evidence.push(evidence::cloudtrail(&row.first, what.clone()));
        own.evidence.push(evidence::cloudtrail(&row.last, what));
    }
    let mut behind: BTreeMap<(String, bool), Vec<Behind>> = BTreeMap::new();
    for row in &window.facts.sessions {
        let principal = world
            .spellings
            .canonical(&row.canonical_arn)
            .unwrap_or_else(|| row.canonical_arn.clone());
        let Some(session) = row.session.as_deref().filter(|session| !session.is_empty()) else {
            continue;
        };
        let person = row.access_key_id.as_deref().and_then(|key| people::of_key(&world, key));
        let is_meant = asked.means(&principal, [session].into_iter());
        if is_meant && let Some(shown) = people::shown(&world, row) {
            sessions.entry(entry(&principal)).or_default().insert(shown);
        }
        let (Some(person), Some(cluster)) = (person, world.places.cluster(&row.place)) else {
            continue;
        };
        if !is_meant && !asked.means_person(&person) {
            continue;
        }
        let use_of_it = evidence::any(&row.last, format!("the session {session} of {principal} was used"));
        let one = Behind {
            person: person.name.clone(),
            person_principal: person.principal.clone(),
            principal: principal.clone(),
            session: session.to_owned(),
            cluster,
            uses: row.count,
            first: row.first.ts,
            last: row.last.ts,
            evidence: person.evidence.iter().cloned().chain([use_of_it]).collect(),
        };
        match person
            .principal
            .as_deref()
            .filter(|own| !is_meant && **own != *principal)
        {
            Some(own) => add(behind.entry((entry(own), true)).or_default(), one),
            None => add(behind.entry((entry(&principal), false)).or_default(), one),
        }
    }
    let by_answers = answers.admins.iter().map(|admin| admin.principal.as_str());
    let by_denials = answers.denials.iter().filter_map(|denial| denial.principal.as_deref());
    for principal in by_answers
        .chain(by_denials)
        .filter(|principal| asked.means(principal, std::iter::empty()))
    {
        entry(principal);
    }
    let deeds = deeds::deeds(&world, &asked, window);
    let deeds: Vec<(String, Vec<Deed>)> = deeds.into_iter().map(|(actor, own)| (entry(&actor), own)).collect();
    for (principal, did) in deeds {
        found.entry(principal).and_modify(|who| who.did = did);
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
    for ((principal, _), mut calls) in aws {
        calls.actions.sort_unstable();
        calls.actions.dedup();
        calls.evidence = ends(calls.evidence);
        found.entry(principal).and_modify(|who| who.aws.push(calls));
    }
    for ((principal, is_other), mut chains) in behind {
        chains.sort_by(|a, b| (a.first, &a.person, &a.principal).cmp(&(b.first, &b.person, &b.principal)));
        found.entry(principal).and_modify(|who| match is_other {
            true => who.acted_as = chains,
            false => who.people = chains,
        });
    }
    for (principal, names) in sessions {
        found
            .entry(principal)
            .and_modify(|who| who.sessions = names.into_iter().collect());
    }
    found.into_values().collect()
}

/// Joins the uses of one person by one session in one cluster.
fn add(chains: &mut Vec<Behind>, one: Behind) {
    let is_same = |known: &&mut Behind| {
        known.person == one.person
            && known.person_principal == one.person_principal
            && known.principal == one.principal
            && known.session == one.session
            && known.cluster == one.cluster
    };
    match chains.iter_mut().find(is_same) {
        Some(known) => {
            known.uses += one.uses;
            (known.first, known.last) = (known.first.min(one.first), known.last.max(one.last));
            known.evidence.extend(one.evidence);
            known.evidence = evidence::shown(std::mem::take(&mut known.evidence));
        }
        None => chains.push(Behind {
            evidence: evidence::shown(one.evidence),
            ..one
        }),
    }
}

/// The first and the last.
fn ends(evidence: Vec<Evidence>) -> Vec<Evidence> {
    let mut shown = evidence::shown(evidence);
    if shown.len() > 2 {
        shown.drain(1..shown.len() - 1);
    }
    shown
}
