//! What somebody changed of who has access: calls to EKS and IAM, writes of aws-auth and RBAC.

use std::collections::BTreeMap;

use eksplain_queries::facts::{AuditWrite, CloudTrailCall, Mark, Micros};
use serde_json::Value;

use super::{Asked, Window};
use crate::evidence;
use crate::findings::{Cluster, Evidence};
use crate::json;
use crate::people;
use crate::principal::of_user;
use crate::state::World;

/// Alike changes by one principal.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// The last one.
    pub ts: Micros,
    /// The first one.
    pub first: Micros,
    /// How many.
    pub count: u64,
    /// What was done, in words.
    pub what: String,
    /// Where; `None` for IAM.
    pub cluster: Option<Cluster>,
    /// As whom, where a person used another principal's session.
    pub acting_as: Option<String>,
    /// Session, or the person behind it.
    pub session: Option<String>,
    /// First and last record.
    pub evidence: Vec<Evidence>,
}

/// One change, before alike ones are joined.
struct Change<'f> {
    /// Who did it, in the form of answers.
    actor: String,
    session: Option<&'f str>,
    key: Option<&'f str>,
    cluster: Option<Cluster>,
    what: String,
    at: &'f Mark,
}

/// What those who are asked for changed, by principal; a person's deeds by another principal's session are the person's too.
pub(super) fn deeds(world: &World<'_>, asked: &Asked<'_>, window: &Window<'_>) -> BTreeMap<String, Vec<Deed>> {
    type Key = (String, Option<Cluster>, String, Option<String>, Option<String>);
    let mut alike: BTreeMap<Key, Vec<&Mark>> = BTreeMap::new();
    let is_within = |change: &Change<'_>| (window.since..=window.until).contains(&change.at.ts);
    for change in changes(world).filter(is_within) {
        let person = change.key.and_then(|key| people::of_key(world, key));
        let session = change.session.filter(|session| !session.is_empty());
        let session = session.map(|session| match &person {
            Some(person) if people::is_generic(session) => person.name.clone(),
            _ => session.to_owned(),
        });
        // A person who is a principal has the deed below; the session's own name means whoever had it.
        let has_principal = person.as_ref().is_some_and(|person| person.principal.is_some());
        let name = if has_principal {
            change.session
        } else {
            session.as_deref()
        };
        if asked.means(&change.actor, name.into_iter()) {
            let key = (
                change.actor.clone(),
                change.cluster.clone(),
                change.what.clone(),
                None,
                session.clone(),
            );
            alike.entry(key).or_default().push(change.at);
        }
        let other = person.as_ref().filter(|person| asked.means_person(person));
        if let Some(principal) = other.and_then(|person| person.principal.clone())
            && principal != change.actor
        {
            let key = (principal, change.cluster, change.what, Some(change.actor), session);
            alike.entry(key).or_default().push(change.at);
        }
    }
    let mut deeds: BTreeMap<String, Vec<Deed>> = BTreeMap::new();
    for ((actor, cluster, what, acting_as, session), mut marks) in alike {
        marks.sort_unstable();
        let (Some(first), Some(last)) = (marks.first(), marks.last()) else {
            continue;
        };
        deeds.entry(actor).or_default().push(Deed {
            ts: last.ts,
            first: first.ts,
            count: marks.len() as u64,
            evidence: evidence::shown(vec![
                evidence::any(first, what.clone()),
                evidence::any(last, what.clone()),
            ]),
            what,
            cluster,
            acting_as,
            session,
        });
    }
    for own in deeds.values_mut() {
        own.sort_by(|a, b| (a.ts, &a.what, &a.cluster).cmp(&(b.ts, &b.what, &b.cluster)));
    }
    deeds
}

fn changes<'w>(world: &'w World<'_>) -> impl Iterator<Item = Change<'w>> {
    let calls = world.facts.calls.iter().filter(|call| call.error_code.is_none());
    let by_call = calls.filter_map(|call| {
        let actor = call
            .canonical_arn
            .as_deref()
            .and_then(|arn| world.spellings.canonical(arn));
        Some(Change {
            actor: actor.or_else(|| call.invoked_by.clone())?,
            session: call.session.as_deref(),
            key: call.access_key_id.as_deref(),
            cluster: world
                .places
                .cluster(&call.place)
                .filter(|_| call.place.cluster.is_some()),
            what: call_in_words(call)?,
            at: &call.at,
        })
    });
    let writes = world
        .facts
        .writes
        .iter()
        .filter(|write| !crate::state::aws_auth::is_dry_run(write));
    let by_write = writes.filter_map(|write| {
        let canonical = write
            .canonical_arn
            .as_deref()
            .and_then(|arn| world.spellings.canonical(arn));
        Some(Change {
            actor: of_user(write.username.as_deref(), canonical.as_deref())?,
            session: write.session.as_deref(),
            key: write.access_key_id.as_deref(),
            cluster: world.places.cluster(&write.place),
            what: write_in_words(write),
            at: &write.at,
        })
    });
    by_call.chain(by_write)
}

/// A call that changes who has access or what is logged; `None` for the others.
fn call_in_words(call: &CloudTrailCall) -> Option<String> {
    let name = call.event_name.as_str();
    let request = json::parse(call.request_parameters.as_deref());
    let text =
        |keys: &[&str]| json::text(&request, keys).map(|text| eksplain_parse::arn::decode_percent(text).into_owned());
    let of = |subject: Option<String>| subject.map_or_else(|| name.to_owned(), |subject| format!("{name} {subject}"));
    match call.event_source.as_str() {
        "eks.amazonaws.com" => match name {
            "CreateCluster" | "DeleteCluster" | "RegisterCluster" | "DeregisterCluster" => Some(name.to_owned()),
            "UpdateClusterConfig" => Some(config_in_words(&request)),
            _ if name.contains("AccessEntry") => Some(of(text(&["principalArn"]))),
            "AssociateAccessPolicy" | "DisassociateAccessPolicy" => {
                let policy = text(&["policyArn"]).unwrap_or_default();
                let policy = policy.rsplit('/').next().unwrap_or_default();
                let principal = text(&["principalArn"]).unwrap_or_default();
                Some(format!("{name} {policy} {principal}").trim_end().to_owned())
            }
            _ if name.contains("IdentityProviderConfig") => Some(name.to_owned()),
            _ if name.contains("PodIdentityAssociation") => Some(of(text(&["roleArn"]))),
            _ => None,
        },
        "iam.amazonaws.com" => Some(of(text(&["roleName", "userName"]))),
        _ => None,
    }
}

/// `UpdateClusterConfig authenticationMode API`, `UpdateClusterConfig logging`.
fn config_in_words(request: &Value) -> String {
    let mode = request["accessConfig"]["authenticationMode"].as_str();
    match (mode, &request["logging"]) {
        (Some(mode), _) => format!("UpdateClusterConfig authenticationMode {mode}"),
        (None, Value::Null) => "UpdateClusterConfig".to_owned(),
        (None, logging) => {
            let setups = logging["clusterLogging"].as_array().into_iter().flatten();
            let words = setups.map(|setup| {
                let on = if setup["enabled"] == true { "on" } else { "off" };
                format!("{} {on}", json::texts(&setup["types"]).join(", "))
            });
            let words: Vec<String> = words.collect();
            format!("UpdateClusterConfig logging {}", words.join("; "))
                .trim_end()
                .to_owned()
        }
    }
}

/// `update configmap kube-system/aws-auth`.
fn write_in_words(write: &AuditWrite) -> String {
    let kind = write.resource.strip_suffix('s').unwrap_or(&write.resource);
    let is_namespace = write.resource == "namespaces";
    let place = write.namespace.as_deref().filter(|_| !is_namespace);
    let object = match (
        place,
        write
            .name
            .as_deref()
            .or(write.namespace.as_deref().filter(|_| is_namespace)),
    ) {
        (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
        (Some(namespace), None) => format!("in {namespace}"),
        (None, Some(name)) => name.to_owned(),
        (None, None) => String::new(),
    };
    format!("{} {kind} {object}", write.verb).trim_end().to_owned()
}
