//! Roles and users as IAM shows them now: whether they exist, since when, under which unique id, who may assume them.

use std::collections::BTreeSet;

use futures::StreamExt;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{Seen, now};
use crate::access::{Account, Aws};
use crate::fault::{Fault, Kind};
use crate::quota::{Api, Meter};
use crate::scope::Scope;

const WIDTH: usize = 8;

/// What IAM says of the principals of this account; those of others are left to their own accounts.
pub(super) async fn principals(
    aws: &Aws,
    account: &Account,
    arns: BTreeSet<String>,
    mut scope: Scope,
) -> (Vec<Seen>, Scope) {
    let client = aws_sdk_iam::Client::new(&account.config);
    let region = account.region();
    let named: BTreeSet<(bool, String, String)> = arns
        .iter()
        .filter_map(|arn| {
            let principal = Principal::of(arn)?;
            let is_own = account.id.as_deref().is_none_or(|id| id == principal.account);
            is_own.then(|| (principal.is_role, principal.name.to_owned(), arn.clone()))
        })
        .collect();
    let mut asked = BTreeSet::new();
    let wanted: Vec<_> = named
        .into_iter()
        .filter(|(is_role, name, _)| asked.insert((*is_role, name.clone())))
        .collect();
    let answers: Vec<_> = futures::stream::iter(wanted)
        .map(|(is_role, name, arn)| {
            let (client, region) = (&client, &region);
            async move {
                let answer = aws
                    .call(account, region, Api::Iam, async || {
                        if is_role {
                            role(client, &name).await
                        } else {
                            user(client, &name).await
                        }
                    })
                    .await;
                (is_role, name, arn, answer)
            }
        })
        .buffered(WIDTH)
        .collect()
        .await;
    let mut seen = Vec::new();
    for (is_role, name, arn, answer) in answers {
        let (kind, label) = if is_role {
            ("iam_role", "RoleName")
        } else {
            ("iam_user", "UserName")
        };
        let body = match answer {
            Ok(body) => body,
            Err(fault) if fault.kind == Kind::NotFound => {
                json!({"exists": false, label: name, "Arn": arn, "Error": {"Code": "NoSuchEntity", "Message": fault.message}})
            }
            Err(fault) => {
                if scope.error.is_none() {
                    scope = if fault.kind == Kind::Denied {
                        scope.refused(fault)
                    } else {
                        scope.partial(fault)
                    };
                }
                continue;
            }
        };
        Meter::add(&aws.quotas.meter.records, 1);
        seen.push(Seen {
            kind,
            cluster: None,
            name,
            body,
            ts: now(),
        });
    }
    (seen, scope)
}

pub(super) async fn probe(aws: &Aws, account: &Account) -> Result<(), Fault> {
    let client = aws_sdk_iam::Client::new(&account.config);
    let region = account.region();
    aws.call(account, &region, Api::Iam, async || {
        role(&client, "eksplain-doctor-asks-whether-it-may-ask")
            .await
            .map(|_| ())
    })
    .await
}

/// The account of a principal's record.
pub(super) fn account_of(body: &Value) -> Option<&str> {
    body["Arn"].as_str()?.split(':').nth(4)
}

struct Principal<'a> {
    account: &'a str,
    is_role: bool,
    name: &'a str,
}

impl<'a> Principal<'a> {
    /// Of `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME` and its like for users.
    fn of(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (Some("arn"), Some(_), Some("iam"), Some(_), Some(account), Some(resource)) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return None;
        };
        let (noun, path) = resource.split_once('/')?;
        let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
        match noun {
            "role" | "user" => Some(Self {
                account,
                is_role: noun == "role",
                name,
            }),
            _ => None,
        }
    }
}

async fn role(client: &aws_sdk_iam::Client, name: &str) -> Result<Value, Fault> {
    let answer = client.get_role().role_name(name).send().await;
    let answer = answer.map_err(|error| Fault::of("iam:GetRole", error))?;
    let role = answer
        .role()
        .ok_or_else(|| Fault::other("iam:GetRole", "an answer without a role", name))?;
    // The document comes percent-encoded (RFC 3986), as the IAM API reference says of it.
    let trust = role
        .assume_role_policy_document()
        .map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
    let trust = trust.map(|text| serde_json::from_str::<Value>(&text).unwrap_or(Value::String(text)));
    Ok(json!({
        "RoleName": role.role_name(),
        "RoleId": role.role_id(),
        "Arn": role.arn(),
        "Path": role.path(),
        "CreateDate": role.create_date().to_string(),
        "MaxSessionDuration": role.max_session_duration(),
        "AssumeRolePolicyDocument": trust,
        "LastUsed": role.role_last_used().and_then(|used| used.last_used_date()).map(ToString::to_string),
    }))
}

async fn user(client: &aws_sdk_iam::Client, name: &str) -> Result<Value, Fault> {
    let answer = client.get_user().user_name(name).send().await;
    let answer = answer.map_err(|error| Fault::of("iam:GetUser", error))?;
    let user = answer
        .user()
        .ok_or_else(|| Fault::other("iam:GetUser", "an answer without a user", name))?;
    Ok(json!({
        "UserName": user.user_name(),
        "UserId": user.user_id(),
        "Arn": user.arn(),
        "Path": user.path(),
        "CreateDate": user.create_date().to_string(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_told_by_their_arns() {
        let of = |arn| Principal::of(arn).map(|p| (p.account, p.is_role, p.name));
        assert_eq!(
            of("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123"),
            Some(("111122223333", true, "AWSReservedSSO_Admin_0123"))
        );
        assert_eq!(
            of("arn:aws-cn:iam::111122223333:user/ops/ana"),
            Some(("111122223333", false, "ana"))
        );
        for other in [
            "arn:aws:iam::111122223333:root",
            "arn:aws:sts::1:assumed-role/a/b",
            "User:dave",
            "arn:aws:iam::1:role/",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
