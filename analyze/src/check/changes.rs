//! Who changed who has access: calls about access entries, policies and the mode, and writes of aws-auth. No fault by themselves.

use std::collections::BTreeMap;

use eksplain_parse::time::format_rfc3339;
use eksplain_queries::facts::Mark;

use super::{Asked, Check};
use crate::evidence;
use crate::json;
use crate::principal::{is_aws_role, is_aws_user, of_user};
use crate::words::{Rule, Severity};

impl Asked<'_, '_> {
    /// One finding for each principal that did.
    pub(super) fn changes(&self) -> Vec<Check> {
        let mut done: BTreeMap<String, Vec<(&Mark, &str)>> = BTreeMap::new();
        for call in self.life.calls.iter().filter(|call| call.at.ts <= self.at) {
            let changes_mode = || {
                let request = json::parse(call.request_parameters.as_deref());
                !request["accessConfig"]["authenticationMode"].is_null()
            };
            let is_about_access = match call.event_name.as_str() {
                "CreateAccessEntry"
                | "UpdateAccessEntry"
                | "DeleteAccessEntry"
                | "AssociateAccessPolicy"
                | "DisassociateAccessPolicy" => true,
                "UpdateClusterConfig" => changes_mode(),
                _ => false,
            };
            let caller = call
                .canonical_arn
                .as_deref()
                .and_then(|arn| self.world.spellings.canonical(arn));
            if let Some(caller) = caller.filter(|arn| is_about_access && !is_aws_role(arn)) {
                done.entry(caller).or_default().push((&call.at, &call.event_name));
            }
        }
        let is_aws_auth = |name: Option<&str>| name == Some("aws-auth");
        let writes = self
            .life
            .writes
            .iter()
            .filter(|write| write.resource == "configmaps" && is_aws_auth(write.name.as_deref()));
        for write in writes.filter(|write| write.at.ts <= self.at) {
            let canonical = write
                .canonical_arn
                .as_deref()
                .and_then(|arn| self.world.spellings.canonical(arn));
            let is_aws = is_aws_user(
                write.username.as_deref().unwrap_or_default(),
                canonical.as_deref(),
                None,
            );
            if let Some(writer) = of_user(write.username.as_deref(), canonical.as_deref()).filter(|_| !is_aws) {
                done.entry(writer).or_default().push((&write.at, "write of aws-auth"));
            }
        }
        done.into_iter()
            .filter_map(|(principal, acts)| told(&principal, acts))
            .collect()
    }
}

fn told(principal: &str, mut acts: Vec<(&Mark, &str)>) -> Option<Check> {
    acts.sort();
    let last = acts.last()?.0.ts;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, act) in &acts {
        *counts.entry(act).or_default() += 1;
    }
    let words: Vec<String> = counts.iter().map(|(act, count)| format!("{act} ({count})")).collect();
    let message = format!(
        "{principal} changed who has access: {}; last at {}",
        words.join(", "),
        format_rfc3339(last)
    );
    let proof = acts
        .iter()
        .map(|(mark, act)| evidence::any(mark, format!("{act} by {principal}")));
    Some(Check::new(Rule::AccessChanged, Severity::Info, principal, message).proof(proof))
}
