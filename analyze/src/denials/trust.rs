//! What trust policies say of a caller, as far as a snapshot shows them.
//!
//! Rule: IAM User Guide, "AWS JSON policy elements: Principal" and "Condition". STS gives one answer whether the caller is not trusted or
//! a condition is not met: a policy that trusts the caller under conditions alone makes these the likely cause.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_parse::arn::{Arn, canonical_arn};
use eksplain_parse::denied::DeniedMessage;
use eksplain_parse::glob::glob_matches;
use eksplain_queries::facts::{CloudTrailCall, Micros};
use serde_json::Value;

use crate::json;
use crate::state::World;

/// Trust policies by the role's ARN in the form of answers, in lower case; each with the time at which it was seen.
#[derive(Debug, Default)]
pub(super) struct Trusts<'f>(BTreeMap<String, Vec<(Micros, &'f str)>>);

impl<'f> Trusts<'f> {
    pub(super) fn of(world: &World<'f>) -> Self {
        let mut roles: BTreeMap<String, Vec<(Micros, &'f str)>> = BTreeMap::new();
        for snapshot in world
            .facts
            .snapshots
            .iter()
            .filter(|snapshot| snapshot.kind == "iam_role")
        {
            let body = json::parse(Some(&snapshot.body));
            let arn = json::text(&body, &["Arn", "arn"]).and_then(canonical_arn);
            if let Some(arn) = arn {
                roles
                    .entry(arn.to_lowercase())
                    .or_default()
                    .push((snapshot.at.ts, &snapshot.body));
            }
        }
        Self(roles)
    }

    /// The conditions under which the role of a refused AssumeRole trusts the caller, in words; `None` where it trusts the caller without
    /// any, does not trust it, or is not known.
    pub(super) fn condition_for(&self, call: &CloudTrailCall, message: Option<&DeniedMessage<'_>>) -> Option<String> {
        let request = json::parse(call.request_parameters.as_deref());
        let role = json::text(&request, &["roleArn"]).or_else(|| message?.resource)?;
        let seen = self.0.get(&canonical_arn(role)?.to_lowercase())?;
        // The last look before the call, else the first after it.
        let before = seen.iter().rfind(|(ts, _)| *ts <= call.at.ts);
        let (_, body) = before.or_else(|| seen.first())?;
        let caller = call.canonical_arn.as_deref().or_else(|| Some(message?.principal))?;
        conditions(&policy(&json::parse(Some(body)))?, &call.event_name, caller)
    }
}

/// The trust policy of a role: an object, or its text, which IAM's own API percent-encodes.
fn policy(role: &Value) -> Option<Value> {
    match &role["AssumeRolePolicyDocument"] {
        Value::String(text) => serde_json::from_str(&eksplain_parse::percent::decode(text)).ok(),
        document @ Value::Object(_) => Some(document.clone()),
        _ => None,
    }
}

/// `sts:ExternalId, aws:MultiFactorAuthPresent` of the statements that allow the caller, if each has some.
fn conditions(policy: &Value, operation: &str, caller: &str) -> Option<String> {
    let action = format!("sts:{operation}");
    let allows = |statement: &&Value| {
        statement["Effect"] == "Allow"
            && each(&statement["Action"]).any(|pattern| glob_matches(&pattern.to_lowercase(), &action.to_lowercase()))
            && trusts(&statement["Principal"], caller)
    };
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        one => vec![one],
    };
    for statement in statements.into_iter().filter(allows) {
        let operators = statement["Condition"]
            .as_object()
            .filter(|operators| !operators.is_empty())?;
        keys.extend(
            operators
                .values()
                .filter_map(Value::as_object)
                .flat_map(|keys| keys.keys().map(String::as_str)),
        );
    }
    (!keys.is_empty()).then(|| keys.into_iter().collect::<Vec<_>>().join(", "))
}

/// Whether a principal element covers the caller: itself, its account, or everybody.
fn trusts(principal: &Value, caller: &str) -> bool {
    if principal == "*" {
        return true;
    }
    let Ok(arn) = Arn::parse(caller) else { return false };
    each(&principal["AWS"]).any(|named| {
        let is_account = named == arn.account || named.ends_with(&format!("::{}:root", arn.account));
        let is_itself = || match (canonical_arn(named), canonical_arn(caller)) {
            (Some(named), Some(caller)) => named.eq_ignore_ascii_case(&caller),
            _ => false,
        };
        named == "*" || is_account || is_itself()
    })
}

/// One text or a list of them.
fn each(value: &Value) -> impl Iterator<Item = &str> {
    let one = value.as_str().into_iter();
    one.chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(statement: Value) -> Option<String> {
        let policy = json!({"Version": "2012-10-17", "Statement": statement});
        conditions(&policy, "AssumeRole", "arn:aws:iam::111122223333:user/eng/bob")
    }

    #[test]
    fn a_condition_counts_where_the_caller_is_trusted_under_it_alone() {
        let allow = |principal: Value, condition: Value| json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, "Condition": condition});
        let account = json!({"AWS": "arn:aws:iam::111122223333:root"});
        let id = json!({"StringEquals": {"sts:ExternalId": "42"}});
        let mfa = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        assert_eq!(
            of(allow(account.clone(), id.clone())).as_deref(),
            Some("sts:ExternalId")
        );
        assert_eq!(
            of(json!([allow(account.clone(), id.clone()), allow(json!("*"), mfa)])).as_deref(),
            Some("aws:MultiFactorAuthPresent, sts:ExternalId")
        );
        let itself = json!({"AWS": ["arn:aws:iam::444455556666:root", "arn:aws:iam::111122223333:user/eng/bob"]});
        assert_eq!(
            of(json!([allow(account.clone(), id.clone()), allow(itself, json!({}))])),
            None
        );
        assert_eq!(of(allow(json!({"AWS": "444455556666"}), id.clone())), None);
        assert_eq!(of(allow(json!({"Service": "ec2.amazonaws.com"}), id)), None);
    }
}
