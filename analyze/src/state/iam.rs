//! The lives of IAM principals: created, deleted, created again under the same name.
//!
//! Rule: IAM's unique ids; the ARN of a re-created principal is equal, its id is not (IAM User Guide, "IAM identifiers"). A renamed
//! user is gone under its old name. IAM's events are logged in one region of the partition: an account whose events of that region
//! are not in the lake says nothing of who exists, and a principal that was seen long ago is not known to exist still.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_parse::arn::Arn;
use eksplain_queries::facts::{CloudTrailCall, Facts, Mark, Micros, Snapshot};

use super::entries::key_of;
use crate::findings::PrincipalState;
use crate::json;
use crate::knowledge::{Ends, Gap, Log, LogKind, Measure, Why};

/// Births and deaths by canonical ARN in lower case.
#[derive(Debug)]
pub(crate) struct IamHistory {
    events: BTreeMap<String, Vec<IamEvent>>,
    /// First and last time that a principal was seen to exist.
    seen: BTreeMap<String, (Micros, Micros)>,
    /// What CloudTrail could show of the principals of each account.
    logs: BTreeMap<String, Log>,
    without: Log,
}

/// Something that became of a principal.
#[derive(Debug, Clone)]
pub(crate) struct IamEvent {
    pub(crate) at: Mark,
    /// When it happened; where a look tells, when it had happened at the latest.
    pub(crate) ts: Micros,
    pub(crate) is_birth: bool,
    /// A call or IAM's own date says when; else it had happened by then.
    pub(crate) is_exact: bool,
    pub(crate) by: Option<String>,
    /// The new name, where a user was renamed.
    pub(crate) renamed_to: Option<String>,
}

/// What became of a principal since a moment.
#[derive(Debug, Clone)]
pub(crate) struct Fate<'h> {
    pub(crate) state: PrincipalState,
    /// Its deletion, where a record tells of it.
    pub(crate) deleted: Option<&'h IamEvent>,
    pub(crate) recreated: Option<&'h IamEvent>,
    /// Why the state is not known.
    pub(crate) gap: Option<&'h Gap>,
}

impl Fate<'_> {
    /// When it was deleted, where a record proves the time.
    pub(crate) fn deleted_at(&self) -> Option<Micros> {
        self.deleted.filter(|event| event.is_exact).map(|event| event.ts)
    }

    /// When it was created again, where a record proves the time.
    pub(crate) fn recreated_at(&self) -> Option<Micros> {
        self.recreated.filter(|event| event.is_exact).map(|event| event.ts)
    }
}

/// IAM dates a principal within this time of the call that made it.
const CLOCKS: Micros = 120 * 1_000_000;

impl IamHistory {
    pub(crate) fn build(facts: &Facts, logs: BTreeMap<String, Log>, ends: Ends) -> Self {
        let mut history = Self {
            events: BTreeMap::new(),
            seen: BTreeMap::new(),
            logs,
            without: Log::without(LogKind::Iam, ends),
        };
        for call in facts
            .calls
            .iter()
            .filter(|call| call.event_source == "iam.amazonaws.com" && call.error_code.is_none())
        {
            history.apply(call);
        }
        history.sort();
        let sessions = facts
            .sessions
            .iter()
            .map(|row| (row.canonical_arn.as_str(), row.first.ts, row.last.ts));
        let logins = facts
            .logins
            .iter()
            .filter_map(|row| Some((row.canonical_arn.as_deref()?, row.first.ts, row.last.ts)));
        let calls = facts
            .calls
            .iter()
            .filter_map(|row| Some((row.canonical_arn.as_deref()?, row.at.ts, row.at.ts)));
        for (arn, first, last) in sessions.chain(logins).chain(calls) {
            history.saw(arn.to_lowercase(), first, last);
        }
        for snapshot in facts
            .snapshots
            .iter()
            .filter(|snapshot| matches!(snapshot.kind.as_str(), "iam_role" | "iam_user"))
        {
            history.look(snapshot);
        }
        history.sort();
        history.compare_ids(facts);
        history.sort();
        history
    }

    fn sort(&mut self) {
        for events in self.events.values_mut() {
            events.sort_by(|a, b| (a.ts, &a.at).cmp(&(b.ts, &b.at)));
        }
    }

    fn saw(&mut self, key: String, first: Micros, last: Micros) {
        let seen = self.seen.entry(key).or_insert((first, last));
        *seen = (seen.0.min(first), seen.1.max(last));
    }

    fn look(&mut self, snapshot: &Snapshot) {
        let body = json::parse(Some(&snapshot.body));
        let inner = ["Role", "User", "role", "user"]
            .into_iter()
            .map(|key| &body[key])
            .find(|value| value.is_object())
            .unwrap_or(&body);
        let arn = json::text(inner, &["Arn", "arn"]).map(str::to_owned).or_else(|| {
            let noun = if snapshot.kind == "iam_role" { "role" } else { "user" };
            Some(format!(
                "arn:aws:iam::{}:{noun}/{}",
                snapshot.place.account.as_deref()?,
                snapshot.name.as_deref()?
            ))
        });
        let Some(key) = arn.as_deref().and_then(key_of) else {
            return;
        };
        let at = &snapshot.at;
        let is_gone = body["exists"] == false || json::text(&body["Error"], &["Code"]) == Some("NoSuchEntity");
        let events = self.events.entry(key.clone()).or_default();
        let standing = events.iter().rev().find(|event| event.ts <= at.ts);
        if is_gone {
            // A deletion that is recorded is the same deletion, seen from later.
            if standing.is_none_or(|event| event.is_birth) {
                events.push(IamEvent::seen(at, at.ts, false, false));
                events.sort_by(|a, b| (a.ts, &a.at).cmp(&(b.ts, &b.at)));
            }
            return;
        }
        let born = json::text(inner, &["CreateDate", "createDate"]).and_then(eksplain_parse::time::parse_rfc3339);
        if let Some(born) = born {
            let is_recorded = events
                .iter()
                .any(|event| event.is_birth && (event.ts - born).abs() < CLOCKS);
            if !is_recorded {
                events.push(IamEvent::seen(at, born, true, true));
                events.sort_by(|a, b| (a.ts, &a.at).cmp(&(b.ts, &b.at)));
            }
        } else if standing.is_some_and(|event| !event.is_birth) {
            // Deleted, and here again: created meanwhile.
            events.push(IamEvent::seen(at, at.ts, true, false));
        }
        self.saw(key, born.unwrap_or(at.ts).min(at.ts), at.ts);
    }

    /// The same ARN with another unique id is another principal: the first was deleted, whatever CloudTrail says.
    fn compare_ids(&mut self, facts: &Facts) {
        let mut ids: BTreeMap<String, BTreeMap<&str, (&Mark, &Mark)>> = BTreeMap::new();
        for row in &facts.sessions {
            let is_id = |id: &&str| ["AROA", "AIDA"].iter().any(|prefix| id.starts_with(prefix));
            let Some(id) = row.unique_id.as_deref().filter(is_id) else {
                continue;
            };
            let own = ids.entry(row.canonical_arn.to_lowercase()).or_default();
            let seen = own.entry(id).or_insert((&row.first, &row.last));
            *seen = (seen.0.min(&row.first), seen.1.max(&row.last));
        }
        for (key, ids) in ids.into_iter().filter(|(_, ids)| ids.len() > 1) {
            let mut stretches: Vec<_> = ids.into_values().collect();
            stretches.sort();
            for pair in stretches.windows(2) {
                let [(_, last), (first, _)] = pair else { continue };
                let events = self.events.entry(key.clone()).or_default();
                let is_told = events
                    .iter()
                    .any(|event| !event.is_birth && event.ts >= last.ts && event.ts <= first.ts);
                if last.ts < first.ts && !is_told {
                    events.push(IamEvent::seen(first, first.ts, false, false));
                    events.push(IamEvent::seen(first, first.ts, true, false));
                }
            }
        }
    }

    fn apply(&mut self, call: &CloudTrailCall) {
        let request = json::parse(call.request_parameters.as_deref());
        let (noun, key) = if call.event_name.contains("Role") {
            ("role", "roleName")
        } else {
            ("user", "userName")
        };
        let Some(name) = json::text(&request, &[key]) else {
            return;
        };
        let partition = call
            .arn
            .as_deref()
            .and_then(|arn| Arn::parse(arn).ok())
            .map_or("aws", |arn| arn.partition);
        let Some(account) = call.place.account.as_deref().or(call.identity_account.as_deref()) else {
            return;
        };
        let key = |name: &str| format!("arn:{partition}:iam::{account}:{noun}/{name}").to_lowercase();
        let by = call.canonical_arn.clone();
        let mut note = |name: &str, is_birth: bool, renamed_to: Option<String>| {
            self.events.entry(key(name)).or_default().push(IamEvent {
                at: call.at.clone(),
                ts: call.at.ts,
                is_birth,
                is_exact: true,
                by: by.clone(),
                renamed_to,
            });
        };
        match call.event_name.as_str() {
            "CreateUser" | "CreateRole" => note(name, true, None),
            "DeleteUser" | "DeleteRole" => note(name, false, None),
            "UpdateUser" => {
                if let Some(new) = json::text(&request, &["newUserName"]).filter(|new| *new != name) {
                    note(name, false, Some(new.to_owned()));
                    note(new, true, None);
                }
            }
            _ => {}
        }
    }

    /// What became of a principal between two moments; `existed` says that it is known to have existed at the first.
    pub(crate) fn fate(&self, canonical: &str, since: Micros, until: Micros, existed: bool) -> Fate<'_> {
        let key = canonical.to_lowercase();
        let events = self.events.get(&key).map_or(&[][..], Vec::as_slice);
        let seen = self.seen.get(&key).copied();
        let mut fate = Fate {
            state: PrincipalState::Unknown,
            deleted: None,
            recreated: None,
            gap: None,
        };
        let mut last_proof = seen.map(|(_, last)| last.min(until));
        // Of a beginning that is not known, nothing is known to have existed then.
        let mut was_there = (existed && since > Micros::MIN) || seen.is_some_and(|(first, _)| first <= since);
        for event in events.iter().filter(|event| event.ts <= until) {
            last_proof = Some(last_proof.map_or(event.ts, |ts| ts.max(event.ts)));
            if event.ts < since {
                was_there |= event.is_birth;
                continue;
            }
            let was_seen_before = seen.is_some_and(|(first, _)| first + CLOCKS < event.ts);
            match (event.is_birth, fate.deleted) {
                (false, _) => {
                    fate.state = PrincipalState::Deleted;
                    (fate.deleted, fate.recreated) = (Some(event), None);
                }
                // Born while it was there already: it had been deleted, and no record tells when.
                (true, None) if (was_there && event.ts > since + CLOCKS) || was_seen_before => {
                    fate.state = PrincipalState::Recreated;
                    fate.recreated = Some(event);
                }
                (true, None) => was_there = true,
                (true, Some(_)) => {
                    fate.state = PrincipalState::Recreated;
                    fate.recreated = Some(event);
                }
            }
        }
        let died_before = events
            .iter()
            .rev()
            .find(|event| event.ts < since)
            .is_some_and(|event| !event.is_birth);
        if fate.state == PrincipalState::Unknown && !died_before && (was_there || last_proof.is_some()) {
            fate.state = PrincipalState::Present;
            last_proof = last_proof.or(Some(since));
        }
        // A deletion that a record tells of is known, and that somebody made the name again is not assumed where no log could show it.
        let is_told = fate.state == PrincipalState::Deleted && !self.logs.contains_key(account_of(canonical));
        if fate.state != PrincipalState::Unknown
            && !is_told
            && let Some(gap) = last_proof.and_then(|proof| self.gap_since(canonical, fate.state, proof, until))
        {
            fate.gap = Some(gap);
            fate.state = PrincipalState::Unknown;
        }
        fate
    }

    /// Why it is not known that what was proven once holds still. That somebody exists holds for a day beyond the last record.
    fn gap_since(&self, canonical: &str, state: PrincipalState, proof: Micros, until: Micros) -> Option<&Gap> {
        let log = self.log_of(canonical);
        let ended = || {
            log.gap_between(Measure::Fresh, proof, until)
                .filter(|gap| gap.why == Why::LakeEnds)
        };
        log.hole_between(proof, until)
            .or_else(|| ended().filter(|_| state == PrincipalState::Present))
    }

    /// The name that a user has at a moment, where it was renamed after another; `None` where it was not, or the renamed one is gone.
    pub(crate) fn renamed(&self, canonical: &str, since: Micros, until: Micros) -> Option<String> {
        let mut now = canonical.to_owned();
        let mut from = since;
        // A chain of renames ends: each is later than the one before.
        while let Some(event) = self.fate(&now, from, until, true).deleted {
            let new = event.renamed_to.as_deref()?;
            let (head, _) = now.rsplit_once('/')?;
            (now, from) = (format!("{head}/{new}"), event.ts);
        }
        (now != canonical).then_some(now)
    }

    /// The first end of a principal after a moment at which it existed: an entry made before it does not admit whoever has the name
    /// later.
    pub(crate) fn first_end(&self, canonical: &str, since: Micros, until: Micros) -> Option<&IamEvent> {
        let events = self.events.get(&canonical.to_lowercase())?;
        let mut after = events.iter().filter(|event| event.ts > since && event.ts <= until);
        after.find(|event| !event.is_birth || event.ts > since + CLOCKS)
    }

    /// What became of a principal, in order.
    pub(crate) fn events_of(&self, canonical: &str) -> &[IamEvent] {
        self.events.get(&canonical.to_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// CloudTrail of the account that a principal is of.
    pub(crate) fn log_of(&self, canonical: &str) -> &Log {
        let account = Arn::parse(canonical).ok().map(|arn| arn.account.to_owned());
        account
            .and_then(|account| self.logs.get(&account))
            .unwrap_or(&self.without)
    }

    /// Accounts whose IAM events are in the lake.
    pub(crate) fn accounts(&self) -> BTreeSet<&str> {
        self.logs.keys().map(String::as_str).collect()
    }
}

fn account_of(canonical: &str) -> &str {
    Arn::parse(canonical).map_or("", |arn| arn.account)
}

impl IamEvent {
    fn seen(at: &Mark, ts: Micros, is_birth: bool, is_exact: bool) -> Self {
        Self {
            at: at.clone(),
            ts,
            is_birth,
            is_exact,
            by: None,
            renamed_to: None,
        }
    }
}
