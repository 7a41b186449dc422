//! Access entries and the policies associated with them, over time: calls and looks in one stream.
//!
//! Rule: EKS API; the cluster is `requestParameters.name`, `principalArn` and `policyArn` are percent-encoded where they travel in
//! the URL; associating again replaces the scope; deleting an entry takes its associations with it. EKS makes the creator's entry
//! itself, without a call. What a complete list lacks is gone by then; EKS's own dates say since when the rest is there.

use eksplain_parse::arn::{Arn, decode_percent};
use eksplain_queries::facts::{CloudTrailCall, Mark, Micros, Snapshot};
use serde_json::Value;

use super::lists::Look;
use super::{Incarnation, Mode};
use crate::json;
use crate::principal::Spellings;
use crate::rbac::policies::CLUSTER_ADMIN;

/// One entry, from its making to its end.
#[derive(Debug, Clone)]
pub(crate) struct AccessEntry {
    /// As the API has it, with the path.
    pub(crate) principal_arn: String,
    /// What tells it from others; `None` where the ARN is none.
    key: Option<String>,
    /// In the form of answers.
    pub(crate) canonical: String,
    /// As it was given or generated; `None` where no record tells.
    pub(crate) username: Option<String>,
    /// Groups from one moment on.
    pub(crate) groups: Vec<(Micros, Vec<String>)>,
    /// `STANDARD`, `EC2_LINUX`, …
    pub(crate) entry_type: Option<String>,
    /// When it was made; `None` where only later records show that it is there.
    pub(crate) made_at: Option<Micros>,
    pub(crate) stay: Stay,
    /// EKS made it for the creator.
    pub(crate) of_creator: bool,
    pub(crate) associations: Vec<Association>,
}

/// A policy that an entry has for a time.
#[derive(Debug, Clone)]
pub(crate) struct Association {
    /// The last part of the policy's ARN.
    pub(crate) policy: String,
    /// `None` at cluster scope.
    pub(crate) namespaces: Option<Vec<String>>,
    pub(crate) stay: Stay,
}

/// How long something was there.
#[derive(Debug, Clone)]
pub(crate) struct Stay {
    /// The first record that shows it.
    pub(crate) first: Mark,
    /// The last one.
    pub(crate) last: Mark,
    /// Since when: by the call that made it, or by EKS's own date.
    pub(crate) since: Option<Micros>,
    pub(crate) end: Option<StayEnd>,
}

/// How it ended.
#[derive(Debug, Clone)]
pub(crate) struct StayEnd {
    /// The record.
    pub(crate) mark: Mark,
    /// When it ended.
    pub(crate) at: Micros,
    /// It ended at that moment; else it had ended by then, and nothing tells when.
    pub(crate) is_exact: bool,
    /// The call that ended it, `None` where a list lacks it.
    pub(crate) call: Option<String>,
    pub(crate) by: Option<String>,
}

impl Stay {
    fn new(mark: &Mark, since: Option<Micros>) -> Self {
        Self {
            first: mark.clone(),
            last: mark.clone(),
            since,
            end: None,
        }
    }

    /// The earliest moment at which it is known to be there.
    pub(crate) fn start(&self) -> Micros {
        self.since.map_or(self.first.ts, |since| since.min(self.first.ts))
    }

    pub(crate) fn covers(&self, ts: Micros) -> bool {
        self.start() <= ts && self.end.as_ref().is_none_or(|end| end.at > ts)
    }

    fn seen(&mut self, mark: &Mark) {
        if self.last < *mark {
            self.last = mark.clone();
        }
    }

    fn end(&mut self, end: &StayEnd) {
        if self.end.is_none() {
            self.end = Some(end.clone());
        }
    }
}

impl AccessEntry {
    /// Whether it is the entry of this key.
    pub(crate) fn is_of(&self, key: Option<&str>) -> bool {
        self.key.as_deref() == key
    }

    pub(crate) fn associations_at(&self, ts: Micros) -> impl Iterator<Item = &Association> {
        self.associations.iter().filter(move |a| a.stay.covers(ts))
    }

    /// The groups at a moment.
    pub(crate) fn groups_at(&self, ts: Micros) -> &[String] {
        let by_then = self.groups.iter().rev().find(|(from, _)| *from <= ts);
        by_then.or(self.groups.first()).map_or(&[], |(_, groups)| groups)
    }

    fn new(principal_arn: &str, canonical: String, mark: &Mark, made_at: Option<Micros>) -> Self {
        Self {
            principal_arn: principal_arn.to_owned(),
            key: key_of(principal_arn),
            canonical,
            username: None,
            groups: Vec::new(),
            entry_type: None,
            made_at,
            stay: Stay::new(mark, made_at),
            of_creator: false,
            associations: Vec::new(),
        }
    }

    fn end(&mut self, end: &StayEnd) {
        self.stay.end(end);
        for association in &mut self.associations {
            association.stay.end(end);
        }
    }

    fn associate(&mut self, policy: &str, namespaces: Option<Vec<String>>, mark: &Mark, since: Option<Micros>) {
        self.associations.push(Association {
            policy: policy.to_owned(),
            namespaces,
            stay: Stay::new(mark, since),
        });
    }

    fn open_association(&mut self, policy: &str) -> Option<&mut Association> {
        self.associations.iter_mut().find(|a| a.stay.end.is_none() && a.policy == policy)
    }

    /// Fills in what a description of the entry says.
    fn describe(&mut self, entry: &Value, since: Micros) {
        if let Some(username) = json::text(entry, &["username"]) {
            self.username = Some(username.to_owned());
        }
        if let Some(kind) = json::text(entry, &["type"]) {
            self.entry_type = Some(kind.to_owned());
        }
        if entry["kubernetesGroups"].is_array() {
            let groups = json::texts(&entry["kubernetesGroups"]);
            if self.groups.last().is_none_or(|(_, known)| *known != groups) {
                self.groups.push((since, groups));
            }
        }
    }
}

/// Every entry of a life, in the order of their beginning.
pub(super) fn entries(life: &Incarnation<'_>, spellings: &Spellings) -> Vec<AccessEntry> {
    enum Change<'c> {
        Call(&'c CloudTrailCall),
        Look(&'c Snapshot),
    }
    let calls = life.calls.iter().map(|call| (&call.at, false, Change::Call(call)));
    let looks = life.snapshots.iter().map(|look| (&look.at, true, Change::Look(look)));
    let mut changes: Vec<_> = calls.chain(looks).collect();
    changes.sort_by_key(|(mark, is_look, _)| (mark.ts, *is_look, mark.id.as_str()));
    let mut stream = Stream {
        life,
        spellings,
        entries: Vec::new(),
        mode: Mode::Unknown,
        modes_done: 0,
    };
    for (mark, _, change) in changes {
        stream.follow_mode(mark.ts);
        match change {
            Change::Call(call) => stream.call(call),
            Change::Look(snapshot) => stream.look(snapshot),
        }
    }
    stream.follow_mode(Micros::MAX);
    let mut entries = stream.entries;
    entries.sort_by(|a, b| (&a.stay.first, &a.canonical).cmp(&(&b.stay.first, &b.canonical)));
    entries
}

/// The entries as the stream of changes makes them.
struct Stream<'s, 'f> {
    life: &'s Incarnation<'f>,
    spellings: &'s Spellings,
    entries: Vec<AccessEntry>,
    mode: Mode,
    modes_done: usize,
}

impl Stream<'_, '_> {
    /// EKS makes the creator's entry when the cluster begins to read entries.
    fn follow_mode(&mut self, until: Micros) {
        while let Some(change) = self.life.modes.get(self.modes_done).filter(|change| change.at.ts <= until) {
            self.modes_done += 1;
            let created = self.life.created;
            let is_birth = created.is_some_and(|created| created.at == change.at);
            let begins = change.mode.reads_entries() && (is_birth || self.mode == Mode::ConfigMap);
            if begins
                && self.life.bootstrap_admin() == Some(true)
                && let Some(created) = created
                && let Some(canonical) = created.canonical_arn.clone()
            {
                let issuer = created.session_issuer_arn.clone().or_else(|| created.arn.clone());
                let arn = issuer.unwrap_or_else(|| canonical.clone());
                let mut entry = AccessEntry::new(&arn, canonical, &change.at, Some(change.at.ts));
                // A switch from CONFIG_MAP binds the entry to the identity that created the cluster, not to one of the same name.
                entry.made_at = Some(created.at.ts);
                entry.stay.since = Some(change.at.ts);
                entry.of_creator = true;
                entry.groups.push((change.at.ts, Vec::new()));
                entry.associate(CLUSTER_ADMIN, None, &change.at, Some(change.at.ts));
                self.entries.push(entry);
            }
            self.mode = change.mode;
        }
    }

    fn call(&mut self, call: &CloudTrailCall) {
        let request = json::parse(call.request_parameters.as_deref());
        let response = json::parse(call.response_elements.as_deref());
        let said =
            json::text(&request, &["principalArn"]).or_else(|| json::text(&response["accessEntry"], &["principalArn"]));
        let Some(arn) = said.map(decode_percent) else { return };
        let policy = json::text(&request, &["policyArn"]).map(decode_percent);
        let policy = policy.as_deref().map(policy_name);
        let ended = |is_exact: bool| StayEnd {
            mark: call.at.clone(),
            at: call.at.ts,
            is_exact,
            call: Some(call.event_name.clone()),
            by: call.canonical_arn.clone().or_else(|| call.invoked_by.clone()),
        };
        match call.event_name.as_str() {
            "CreateAccessEntry" => {
                // The API refuses a second entry: one that was there had been deleted without a record.
                if let Some(old) = self.standing(&arn) {
                    old.end(&StayEnd {
                        call: None,
                        by: None,
                        ..ended(false)
                    });
                }
                let Some(canonical) = self.spellings.canonical(&arn) else {
                    return;
                };
                let mut entry = AccessEntry::new(&arn, canonical, &call.at, Some(call.at.ts));
                entry.groups.push((call.at.ts, Vec::new()));
                entry.describe(&request, call.at.ts);
                entry.describe(&response["accessEntry"], call.at.ts);
                self.entries.push(entry);
            }
            "UpdateAccessEntry" => {
                if let Some(entry) = self.stand(&arn, &call.at) {
                    entry.describe(&request, call.at.ts);
                    entry.describe(&response["accessEntry"], call.at.ts);
                }
            }
            "DeleteAccessEntry" => {
                if let Some(entry) = self.stand(&arn, &call.at) {
                    entry.end(&ended(true));
                }
            }
            "AssociateAccessPolicy" => {
                let Some(policy) = policy else { return };
                let scope = if request["accessScope"].is_object() {
                    &request["accessScope"]
                } else {
                    &response["associatedAccessPolicy"]["accessScope"]
                };
                let namespaces = namespaces(scope);
                let Some(entry) = self.stand(&arn, &call.at) else { return };
                if let Some(old) = entry.open_association(policy) {
                    old.stay.seen(&call.at);
                    // Associating again with the same scope changes nothing.
                    if old.namespaces == namespaces {
                        return;
                    }
                    old.stay.end(&ended(true));
                }
                entry.associate(policy, namespaces, &call.at, Some(call.at.ts));
            }
            "DisassociateAccessPolicy" => {
                let Some(policy) = policy else { return };
                let Some(entry) = self.stand(&arn, &call.at) else { return };
                // Of one that no record showed before, the scope is not known: it is no grant that could be told.
                if let Some(old) = entry.open_association(policy) {
                    old.stay.end(&ended(true));
                }
            }
            _ => {}
        }
    }

    fn look(&mut self, snapshot: &Snapshot) {
        if let Some(look) = Look::of(snapshot) {
            if look.what == "access_entries" {
                self.end_missing(&look);
            }
            return;
        }
        let body = json::parse(Some(&snapshot.body));
        let entry = if body["accessEntry"].is_object() {
            &body["accessEntry"]
        } else {
            &body
        };
        let Some(arn) = json::text(entry, &["principalArn"]).map(str::to_owned) else {
            return;
        };
        match snapshot.kind.as_str() {
            "access_entry" => self.saw_entry(&arn, entry, &snapshot.at),
            "access_policy_association" => self.saw_policies(&arn, entry, &snapshot.at),
            _ => {}
        }
    }

    fn saw_entry(&mut self, arn: &str, entry: &Value, at: &Mark) {
        let made_at = super::incarnation::created_at(&entry["createdAt"]);
        let modified = super::incarnation::created_at(&entry["modifiedAt"]).or(made_at);
        // One that was made later than the one known is another: that had ended.
        const CLOCKS: Micros = 120 * 1_000_000;
        if let Some(old) = self.standing(arn)
            && let Some((known, made)) = old.stay.since.or(Some(old.stay.first.ts)).zip(made_at)
            && made > known + CLOCKS
        {
            old.end(&StayEnd {
                mark: at.clone(),
                at: made,
                is_exact: false,
                call: None,
                by: None,
            });
        }
        if self.standing(arn).is_none() {
            let Some(canonical) = self.spellings.canonical(arn) else {
                return;
            };
            let mut new = AccessEntry::new(arn, canonical, at, made_at);
            new.of_creator = self.is_creators(arn, made_at);
            self.entries.push(new);
        }
        if let Some(standing) = self.stand(arn, at) {
            standing.made_at = standing.made_at.or(made_at);
            standing.describe(entry, modified.unwrap_or(at.ts));
        }
    }

    fn saw_policies(&mut self, arn: &str, entry: &Value, at: &Mark) {
        let Some(standing) = self.stand(arn, at) else { return };
        let whole = entry["associatedAccessPolicies"].as_array();
        let policies = whole.cloned().unwrap_or_else(|| vec![entry.clone()]);
        let mut listed = Vec::new();
        for policy in &policies {
            let Some(name) = json::text(policy, &["policyArn"]).map(policy_name) else {
                continue;
            };
            let namespaces = namespaces(&policy["accessScope"]);
            let date = |key: &str| super::incarnation::created_at(&policy[key]);
            let since = date("modifiedAt").or(date("associatedAt"));
            listed.push(name.to_owned());
            match standing.open_association(name) {
                Some(known) if known.namespaces == namespaces => {
                    known.stay.seen(at);
                    continue;
                }
                Some(other) => other.stay.end(&StayEnd {
                    mark: at.clone(),
                    at: since.unwrap_or(at.ts),
                    is_exact: since.is_some(),
                    call: None,
                    by: None,
                }),
                None => {}
            }
            standing.associate(name, namespaces, at, since);
        }
        if whole.is_some() {
            for missing in &mut standing.associations {
                if missing.stay.end.is_none() && !listed.contains(&missing.policy) {
                    missing.stay.end(&gone_by(at));
                }
            }
        }
    }

    /// Entries that a complete list lacks are gone.
    fn end_missing(&mut self, look: &Look<'_>) {
        for entry in self.entries.iter_mut().filter(|entry| entry.stay.end.is_none()) {
            if entry.key.as_deref().is_some_and(|key| !look.names_arn(key)) {
                entry.end(&gone_by(look.at));
            }
        }
    }

    /// Whether an entry is the one that EKS made with the cluster for who created it.
    fn is_creators(&self, arn: &str, made_at: Option<Micros>) -> bool {
        const WITH_IT: Micros = 5 * 60 * 1_000_000;
        let Some(created) = self.life.created else { return false };
        let is_its = created.canonical_arn.as_deref().and_then(key_of) == key_of(arn);
        is_its && self.life.bootstrap_admin() == Some(true) && made_at.is_some_and(|made| (made - created.at.ts).abs() < WITH_IT)
    }

    /// The entry of this ARN that has not ended.
    fn standing(&mut self, arn: &str) -> Option<&mut AccessEntry> {
        let key = key_of(arn)?;
        let is_it = |entry: &&mut AccessEntry| entry.stay.end.is_none() && entry.is_of(Some(&key));
        self.entries.iter_mut().rev().find(is_it)
    }

    /// The entry of this ARN, which a record proves to be there.
    fn stand(&mut self, arn: &str, at: &Mark) -> Option<&mut AccessEntry> {
        if self.standing(arn).is_none() {
            let canonical = self.spellings.canonical(arn)?;
            self.entries.push(AccessEntry::new(arn, canonical, at, None));
        }
        let entry = self.standing(arn)?;
        entry.stay.seen(at);
        Some(entry)
    }
}

fn gone_by(at: &Mark) -> StayEnd {
    StayEnd {
        mark: at.clone(),
        at: at.ts,
        is_exact: false,
        call: None,
        by: None,
    }
}

/// What tells entries apart: IAM names are unique in an account whatever their path and case.
pub(crate) fn key_of(arn: &str) -> Option<String> {
    Arn::parse(arn)
        .ok()?
        .canonical()
        .map(|canonical| canonical.to_lowercase())
}

fn policy_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// `None` at cluster scope.
fn namespaces(scope: &Value) -> Option<Vec<String>> {
    match scope["type"].as_str() {
        Some("namespace") => Some(json::texts(&scope["namespaces"])),
        _ => None,
    }
}
