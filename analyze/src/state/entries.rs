//! Access entries and the policies associated with them, over time.
//!
//! Rule: EKS API; the cluster is `requestParameters.name`, `principalArn` and `policyArn` are percent-encoded where they travel in
//! the URL; associating again replaces the scope; deleting an entry takes its associations with it. EKS makes the creator's entry
//! itself, without a call.

use eksplain_parse::arn::{Arn, decode_percent};
use eksplain_queries::facts::{CloudTrailCall, Mark, Micros};
use serde_json::Value;

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
    /// When it was made; `None` where only later calls show that it is there.
    pub(crate) made_at: Option<Micros>,
    /// The first record that shows it.
    pub(crate) from: Mark,
    pub(crate) to: Option<Mark>,
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
    pub(crate) from: Mark,
    pub(crate) to: Option<Mark>,
}

impl AccessEntry {
    /// Whether it is the entry of this key.
    pub(crate) fn is_of(&self, key: Option<&str>) -> bool {
        self.key.as_deref() == key
    }

    pub(crate) fn stands_at(&self, ts: Micros) -> bool {
        self.from.ts <= ts && self.to.as_ref().is_none_or(|end| end.ts > ts)
    }

    pub(crate) fn associations_at(&self, ts: Micros) -> impl Iterator<Item = &Association> {
        self.associations
            .iter()
            .filter(move |a| a.from.ts <= ts && a.to.as_ref().is_none_or(|end| end.ts > ts))
    }

    fn new(principal_arn: &str, canonical: String, from: &Mark) -> Self {
        Self {
            principal_arn: principal_arn.to_owned(),
            key: key_of(principal_arn),
            canonical,
            username: None,
            groups: Vec::new(),
            entry_type: None,
            made_at: None,
            from: from.clone(),
            to: None,
            of_creator: false,
            associations: Vec::new(),
        }
    }

    fn end(&mut self, at: &Mark) {
        self.to = Some(at.clone());
        for association in self.associations.iter_mut().filter(|a| a.to.is_none()) {
            association.to = Some(at.clone());
        }
    }

    fn associate(&mut self, policy: &str, namespaces: Option<Vec<String>>, at: &Mark) {
        self.disassociate(policy, at);
        self.associations.push(Association {
            policy: policy.to_owned(),
            namespaces,
            from: at.clone(),
            to: None,
        });
    }

    fn disassociate(&mut self, policy: &str, at: &Mark) {
        for association in self
            .associations
            .iter_mut()
            .filter(|a| a.to.is_none() && a.policy == policy)
        {
            association.to = Some(at.clone());
        }
    }

    /// Fills in what a description of the entry says.
    fn describe(&mut self, entry: &Value, at: Micros) {
        if let Some(username) = json::text(entry, &["username"]) {
            self.username = Some(username.to_owned());
        }
        if let Some(kind) = json::text(entry, &["type"]) {
            self.entry_type = Some(kind.to_owned());
        }
        if entry["kubernetesGroups"].is_array() {
            self.groups.push((at, json::texts(&entry["kubernetesGroups"])));
        }
    }
}

/// Every entry of a life, in the order of their beginning.
pub(super) fn entries(life: &Incarnation<'_>, spellings: &Spellings) -> Vec<AccessEntry> {
    let mut entries: Vec<AccessEntry> = Vec::new();
    let creator_entry = |at: &Mark| -> Option<AccessEntry> {
        let created = life.created?;
        let canonical = created.canonical_arn.clone()?;
        let arn = created
            .session_issuer_arn
            .clone()
            .or_else(|| created.arn.clone())
            .unwrap_or_else(|| canonical.clone());
        let mut entry = AccessEntry::new(&arn, canonical, at);
        entry.made_at = Some(at.ts);
        entry.of_creator = true;
        entry.groups.push((at.ts, Vec::new()));
        entry.associate(CLUSTER_ADMIN, None, at);
        Some(entry)
    };
    let mut mode = Mode::Unknown;
    let mut changes = life.modes.iter().peekable();
    let mut follow_mode = |until: Micros, entries: &mut Vec<AccessEntry>| {
        while let Some(change) = changes.next_if(|change| change.at.ts <= until) {
            let is_birth = life.created.is_some_and(|created| created.at == change.at);
            let begins = change.mode.reads_entries() && (is_birth || mode == Mode::ConfigMap);
            if begins && life.bootstrap_admin() == Some(true) {
                // A switch from CONFIG_MAP binds the entry to the identity that created the cluster, not to one of the same name.
                entries.extend(creator_entry(&change.at).map(|entry| match life.created {
                    Some(created) => AccessEntry {
                        made_at: Some(created.at.ts),
                        ..entry
                    },
                    None => entry,
                }));
            }
            mode = change.mode;
        }
    };
    for call in &life.calls {
        follow_mode(call.at.ts, &mut entries);
        apply(call, &mut entries, spellings);
    }
    for snapshot in &life.snapshots {
        follow_mode(snapshot.at.ts, &mut entries);
        let body = json::parse(Some(&snapshot.body));
        let entry = if body["accessEntry"].is_object() {
            &body["accessEntry"]
        } else {
            &body
        };
        let Some(arn) = json::text(entry, &["principalArn"]) else {
            continue;
        };
        match snapshot.kind.as_str() {
            "access_entry" => {
                let made_at = super::incarnation::created_at(&entry["createdAt"]);
                let standing = stand(&mut entries, arn, &snapshot.at, spellings);
                if let Some(standing) = standing {
                    standing.made_at = standing.made_at.or(made_at);
                    standing.describe(entry, snapshot.at.ts);
                }
            }
            "access_policy_association" => {
                let policies = entry["associatedAccessPolicies"]
                    .as_array()
                    .cloned()
                    .unwrap_or_else(|| vec![entry.clone()]);
                for policy in &policies {
                    let Some(name) = json::text(policy, &["policyArn"]).map(policy_name) else {
                        continue;
                    };
                    let namespaces = namespaces(&policy["accessScope"]);
                    let Some(standing) = stand(&mut entries, arn, &snapshot.at, spellings) else {
                        continue;
                    };
                    if !standing
                        .associations_at(snapshot.at.ts)
                        .any(|a| a.policy == name && a.namespaces == namespaces)
                    {
                        standing.associate(name, namespaces, &snapshot.at);
                    }
                }
            }
            _ => {}
        }
    }
    follow_mode(Micros::MAX, &mut entries);
    entries.sort_by(|a, b| (&a.from, &a.canonical).cmp(&(&b.from, &b.canonical)));
    entries
}

fn apply(call: &CloudTrailCall, entries: &mut Vec<AccessEntry>, spellings: &Spellings) {
    let request = json::parse(call.request_parameters.as_deref());
    let response = json::parse(call.response_elements.as_deref());
    let said =
        json::text(&request, &["principalArn"]).or_else(|| json::text(&response["accessEntry"], &["principalArn"]));
    let Some(arn) = said.map(decode_percent) else { return };
    let policy = json::text(&request, &["policyArn"]).map(decode_percent);
    match call.event_name.as_str() {
        "CreateAccessEntry" => {
            // The API refuses a second entry: one that stood was deleted without a record.
            if let Some(old) = standing(entries, &arn) {
                old.end(&call.at);
            }
            let Some(canonical) = spellings.canonical(&arn) else {
                return;
            };
            let mut entry = AccessEntry::new(&arn, canonical, &call.at);
            entry.made_at = Some(call.at.ts);
            entry.groups.push((call.at.ts, Vec::new()));
            entry.describe(&request, call.at.ts);
            entry.describe(&response["accessEntry"], call.at.ts);
            entries.push(entry);
        }
        "UpdateAccessEntry" => {
            if let Some(entry) = stand(entries, &arn, &call.at, spellings) {
                entry.describe(&request, call.at.ts);
                entry.describe(&response["accessEntry"], call.at.ts);
            }
        }
        "DeleteAccessEntry" => {
            if let Some(entry) = stand(entries, &arn, &call.at, spellings) {
                entry.end(&call.at);
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
            if let Some(entry) = stand(entries, &arn, &call.at, spellings) {
                entry.associate(policy_name(&policy), namespaces, &call.at);
            }
        }
        "DisassociateAccessPolicy" => {
            let Some(policy) = policy else { return };
            if let Some(entry) = stand(entries, &arn, &call.at, spellings) {
                entry.disassociate(policy_name(&policy), &call.at);
            }
        }
        _ => {}
    }
}

/// The entry of this ARN that has not ended.
fn standing<'e>(entries: &'e mut [AccessEntry], arn: &str) -> Option<&'e mut AccessEntry> {
    let key = key_of(arn)?;
    entries
        .iter_mut()
        .rev()
        .find(|entry| entry.to.is_none() && entry.is_of(Some(&key)))
}

/// The entry of this ARN, which a call that succeeded proves to be there.
fn stand<'e>(
    entries: &'e mut Vec<AccessEntry>,
    arn: &str,
    at: &Mark,
    spellings: &Spellings,
) -> Option<&'e mut AccessEntry> {
    if standing(entries, arn).is_none() {
        entries.push(AccessEntry::new(arn, spellings.canonical(arn)?, at));
    }
    standing(entries, arn)
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
