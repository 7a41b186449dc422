//! Who made a change, and the person behind: by the record that shows it.

use std::collections::BTreeMap;

use eksplain_parse::arn::Arn;
use eksplain_queries::facts::{AuditWrite, CloudTrailCall};

use crate::creators::human;
use crate::findings::Evidence;
use crate::json;
use crate::people;
use crate::principal::{is_aws_role, is_aws_user, of_user};
use crate::state::World;

/// Who did something.
#[derive(Debug, Clone, Default)]
pub(super) struct Actor {
    /// In the form of answers.
    pub(super) principal: Option<String>,
    pub(super) human: Option<String>,
    /// AWS or Kubernetes itself.
    pub(super) is_aws: bool,
    /// What leads to the person.
    pub(super) evidence: Vec<Evidence>,
}

/// Calls and writes by record id.
pub(super) struct Actors<'w, 'f> {
    world: &'w World<'f>,
    calls: BTreeMap<&'f str, &'f CloudTrailCall>,
    writes: BTreeMap<&'f str, &'f AuditWrite>,
    /// Calls of CloudFormation that made an access entry, with the stack's tags.
    stacked: Vec<&'f CloudTrailCall>,
}

impl<'w, 'f> Actors<'w, 'f> {
    pub(super) fn of(world: &'w World<'f>) -> Self {
        let facts = world.facts;
        let by_id = |call: &'f CloudTrailCall| (call.at.id.as_str(), call);
        let is_stacked = |call: &&CloudTrailCall| call.event_name == "CreateAccessEntry" && human::is_stack_role(call);
        Self {
            world,
            calls: facts.calls.iter().map(by_id).collect(),
            writes: facts.writes.iter().map(|write| (write.at.id.as_str(), write)).collect(),
            stacked: facts.calls.iter().filter(is_stacked).collect(),
        }
    }

    /// The one whom a record names.
    pub(super) fn of_record(&self, id: &str) -> Option<Actor> {
        let by_call = self.calls.get(id).map(|call| self.of_call(call));
        by_call.or_else(|| self.writes.get(id).map(|write| self.of_write(write)))
    }

    pub(super) fn of_call(&self, call: &CloudTrailCall) -> Actor {
        let canonical = call
            .canonical_arn
            .as_deref()
            .and_then(|arn| self.world.spellings.canonical(arn));
        let principal = canonical.or_else(|| call.invoked_by.clone());
        let cluster = call.place.cluster.as_deref().unwrap_or_default();
        let chain = human::trace(self.world, cluster, call, self.tagged(call));
        Actor {
            is_aws: principal
                .as_deref()
                .is_some_and(|principal| is_aws_role(principal) || principal.ends_with(".amazonaws.com")),
            principal,
            human: chain.human.filter(|name| !people::is_generic(name)),
            evidence: chain.evidence,
        }
    }

    /// A policy has no tags: those of the entry that it belongs to name the stack.
    fn tagged<'c>(&'c self, call: &'c CloudTrailCall) -> &'c CloudTrailCall {
        if !human::is_stack_role(call) {
            return call;
        }
        let principal = |call: &CloudTrailCall| {
            let request = json::parse(call.request_parameters.as_deref());
            json::text(&request, &["principalArn"]).map(|arn| eksplain_parse::arn::decode_percent(arn).into_owned())
        };
        let Some(own) = principal(call) else { return call };
        let of_its_entry = |made: &&&CloudTrailCall| {
            made.place == call.place && made.at <= call.at && principal(made).as_ref() == Some(&own)
        };
        self.stacked.iter().rev().find(of_its_entry).copied().unwrap_or(call)
    }

    pub(super) fn of_write(&self, write: &AuditWrite) -> Actor {
        let canonical = write
            .canonical_arn
            .as_deref()
            .and_then(|arn| self.world.spellings.canonical(arn));
        let username = write.username.as_deref();
        let is_aws = is_aws_user(username.unwrap_or_default(), canonical.as_deref(), None);
        let person = write
            .access_key_id
            .as_deref()
            .and_then(|key| people::of_key(self.world, key));
        let session = write.session.as_deref().filter(|session| !session.is_empty());
        let (human, evidence) = match (person, session) {
            (Some(person), _) => (Some(person.name), person.evidence),
            (None, Some(session)) => (
                Some(session.to_owned()).filter(|name| !people::is_generic(name)),
                Vec::new(),
            ),
            (None, None) => (canonical.as_deref().and_then(name_of_user), Vec::new()),
        };
        Actor {
            principal: of_user(username, canonical.as_deref()),
            human: human.filter(|_| !is_aws),
            is_aws,
            evidence,
        }
    }
}

/// The name of an IAM user; roles are nobody.
fn name_of_user(canonical: &str) -> Option<String> {
    let arn = Arn::parse(canonical).ok()?;
    canonical.contains(":user/").then(|| arn.name().to_owned())
}
