//! The lives of IAM principals: created, deleted, created again under the same name.
//!
//! Rule: IAM's unique ids; the ARN of a re-created principal is equal, its id is not (IAM User Guide, "IAM identifiers"). A renamed
//! user is gone under its old name.

use std::collections::BTreeMap;

use eksplain_parse::arn::Arn;
use eksplain_queries::facts::{CloudTrailCall, Facts, Mark, Micros};

use super::entries::key_of;
use crate::findings::PrincipalState;
use crate::json;

/// Births and deaths by canonical ARN in lower case.
#[derive(Debug, Default)]
pub(crate) struct IamHistory {
    events: BTreeMap<String, Vec<IamEvent>>,
    /// Last time that a principal was seen to act.
    seen: BTreeMap<String, Micros>,
}

#[derive(Debug, Clone)]
pub(crate) struct IamEvent {
    pub(crate) at: Mark,
    pub(crate) is_birth: bool,
    pub(crate) by: Option<String>,
}

/// What became of a principal since a moment.
#[derive(Debug, Clone)]
pub(crate) struct Fate<'h> {
    pub(crate) state: PrincipalState,
    pub(crate) deleted: Option<&'h IamEvent>,
    pub(crate) recreated: Option<&'h IamEvent>,
}

impl IamHistory {
    pub(crate) fn build(facts: &Facts) -> Self {
        let mut history = Self::default();
        for call in facts
            .calls
            .iter()
            .filter(|call| call.event_source == "iam.amazonaws.com" && call.error_code.is_none())
        {
            history.apply(call);
        }
        for snapshot in facts
            .snapshots
            .iter()
            .filter(|snapshot| matches!(snapshot.kind.as_str(), "iam_role" | "iam_user"))
        {
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
                continue;
            };
            let is_gone = body["exists"] == false || json::text(&body["Error"], &["Code"]) == Some("NoSuchEntity");
            if is_gone {
                history.events.entry(key).or_default().push(IamEvent {
                    at: snapshot.at.clone(),
                    is_birth: false,
                    by: None,
                });
            } else {
                let seen = history.seen.entry(key).or_insert(snapshot.at.ts);
                *seen = (*seen).max(snapshot.at.ts);
            }
        }
        let sessions = facts
            .sessions
            .iter()
            .map(|row| (row.canonical_arn.as_str(), row.last.ts));
        let logins = facts
            .logins
            .iter()
            .filter_map(|row| Some((row.canonical_arn.as_deref()?, row.last.ts)));
        let calls = facts
            .calls
            .iter()
            .filter_map(|row| Some((row.canonical_arn.as_deref()?, row.at.ts)));
        for (arn, ts) in sessions.chain(logins).chain(calls) {
            let seen = history.seen.entry(arn.to_lowercase()).or_insert(ts);
            *seen = (*seen).max(ts);
        }
        for events in history.events.values_mut() {
            events.sort_by(|a, b| a.at.cmp(&b.at));
        }
        history
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
        let mut note = |name: &str, is_birth: bool| {
            self.events.entry(key(name)).or_default().push(IamEvent {
                at: call.at.clone(),
                is_birth,
                by: by.clone(),
            });
        };
        match call.event_name.as_str() {
            "CreateUser" | "CreateRole" => note(name, true),
            "DeleteUser" | "DeleteRole" => note(name, false),
            "UpdateUser" => {
                if let Some(new) = json::text(&request, &["newUserName"]).filter(|new| *new != name) {
                    note(name, false);
                    note(new, true);
                }
            }
            _ => {}
        }
    }

    /// What became of a principal between two moments.
    pub(crate) fn fate(&self, canonical: &str, since: Micros, until: Micros) -> Fate<'_> {
        let key = canonical.to_lowercase();
        let events = self.events.get(&key).map_or(&[][..], Vec::as_slice);
        let mut fate = Fate {
            state: PrincipalState::Unknown,
            deleted: None,
            recreated: None,
        };
        let was_born = events.iter().any(|event| event.is_birth && event.at.ts <= until);
        for event in events
            .iter()
            .filter(|event| event.at.ts >= since && event.at.ts <= until)
        {
            match (event.is_birth, fate.deleted) {
                (false, _) => {
                    fate = Fate {
                        state: PrincipalState::Deleted,
                        deleted: Some(event),
                        recreated: None,
                    }
                }
                (true, Some(_)) => {
                    fate.state = PrincipalState::Recreated;
                    fate.recreated = Some(event);
                }
                (true, None) => {}
            }
        }
        let died_before = events
            .iter()
            .rev()
            .find(|event| event.at.ts < since)
            .is_some_and(|event| !event.is_birth);
        if fate.state == PrincipalState::Unknown && !died_before && (was_born || self.seen.contains_key(&key)) {
            fate.state = PrincipalState::Present;
        }
        fate
    }

    /// The first deletion after a moment: an entry made before it does not admit whoever has the name later.
    pub(crate) fn first_death(&self, canonical: &str, since: Micros, until: Micros) -> Option<&IamEvent> {
        let events = self.events.get(&canonical.to_lowercase())?;
        events
            .iter()
            .find(|event| !event.is_birth && event.at.ts >= since && event.at.ts <= until)
    }
}
