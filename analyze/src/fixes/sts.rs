//! Trust policies of roles.
//!
//! Rule: IAM User Guide, "Update a role trust policy". `update-assume-role-policy` replaces the whole document, so that the document
//! that is there is read first and a statement added to it. A principal in it is a whole ARN, with the path.

use eksplain_parse::arn::{Arn, sso_permission_set};
use serde_json::{Value, json};

use super::names::WholeArn;
use super::{fix, with_file, words};
use crate::findings::Fix;
use crate::shell::quote;

/// Who may assume, and by which action.
pub(crate) fn statement(principal: &str, action: &str) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action})
}

/// The commands that add a statement to a role's trust policy; the statements that are there stay.
pub(crate) fn trust_commands(role_name: &str, statement: &Value) -> Vec<String> {
    let role = quote(role_name);
    // A backtick would end the literal of the query language.
    let literal = json!([statement]).to_string().replace('`', "\\u0060");
    let query = format!("Role.AssumeRolePolicyDocument.{{Version: Version, Statement: [Statement, `{literal}`][]}}");
    vec![
        format!(
            "aws iam get-role --role-name {role} --query {} --output json > trust.json",
            quote(&query)
        ),
        format!("aws iam update-assume-role-policy --role-name {role} --policy-document file://trust.json"),
    ]
}

/// Lets a role trust a caller.
pub(crate) fn trust(role_arn: &str, caller: &str, caller_arn: &WholeArn, action: &str) -> Vec<Fix> {
    let parsed = Arn::parse(role_arn);
    let name = parsed.map_or("ROLE", |arn| arn.name());
    let (role_account, caller_account) = (
        parsed.map_or("", |arn| arn.account),
        Arn::parse(caller).map_or("", |arn| arn.account),
    );
    if let Some(set) = sso_permission_set(name) {
        return vec![words(format!(
            "The role is of IAM Identity Center and its trust policy cannot be edited: assign the permission set {set} to the person"
        ))];
    }
    if name.starts_with("AWSServiceRoleFor") {
        return vec![words(
            "The role is a service-linked role: only its AWS service may assume it",
        )];
    }
    let note = caller_arn
        .print
        .as_ref()
        .map(|print| format!("; if `{print}` prints another ARN for the caller, use that one in the statement"));
    let note = note.unwrap_or_default();
    let statement = statement(&caller_arn.arn, action);
    let is_across = !role_account.is_empty() && !caller_account.is_empty() && role_account != caller_account;
    let place = match is_across {
        true => format!("In account {role_account}, which has the role: add"),
        false => "Add".to_owned(),
    };
    let mut fixes = vec![with_file(
        format!("{place} this statement to the role's trust policy{note}"),
        trust_commands(name, &statement),
        &statement,
    )];
    if is_across {
        fixes.push(super::iam::grant(
            caller,
            action,
            role_arn,
            &format!("In account {caller_account}, which has the caller: allow {action} on the role as well"),
        ));
    }
    fixes
}

/// A role that does not accept a web identity.
pub(crate) fn web_identity(
    role_arn: &str,
    subject: Option<&str>,
    provider: Option<&str>,
    audience: Option<&str>,
    is_provider_missing: bool,
) -> Vec<Fix> {
    let name = Arn::parse(role_arn).map_or("ROLE", |arn| arn.name());
    let mut fixes = vec![fix(
        "Compare the token's issuer, aud and sub with the OIDC providers of the role's account and with the role's trust policy",
        vec![
            "aws iam list-open-id-connect-providers".to_owned(),
            format!(
                "aws iam get-role --role-name {} --query Role.AssumeRolePolicyDocument",
                quote(name)
            ),
        ],
    )];
    if is_provider_missing {
        fixes.push(words("Create the IAM OIDC provider of the token's issuer in the role's account (for IAM roles for service accounts: eksctl utils associate-iam-oidc-provider)"));
        return fixes;
    }
    let issuer = provider
        .and_then(|arn| arn.split_once(":oidc-provider/"))
        .map(|(_, issuer)| issuer);
    if let (Some(subject), Some(provider), Some(issuer)) = (subject, provider, issuer) {
        let statement = json!({"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {format!("{issuer}:sub"): subject, format!("{issuer}:aud"): audience.unwrap_or("sts.amazonaws.com")}}});
        fixes.push(with_file(
            "Let the role trust exactly this subject",
            trust_commands(name, &statement),
            &statement,
        ));
    }
    fixes
}

/// A service role that does not trust its service.
pub(crate) fn service_role(role_arn: Option<&str>, service: Option<&str>) -> Vec<Fix> {
    let name = role_arn
        .and_then(|arn| Arn::parse(arn).ok())
        .map_or("SERVICE_ROLE", |arn| arn.name());
    let look = fix(
        "See whether the service role exists and whom it trusts: eks.amazonaws.com for a cluster, ec2.amazonaws.com for nodes, eks-fargate-pods.amazonaws.com for Fargate; a role just created may need some seconds",
        vec![format!(
            "aws iam get-role --role-name {} --query Role.AssumeRolePolicyDocument",
            quote(name)
        )],
    );
    let trust = role_arn.zip(service).map(|(_, service)| {
        let statement = json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"});
        with_file(
            "If it exists and does not trust the service, add this statement",
            trust_commands(name, &statement),
            &statement,
        )
    });
    [look].into_iter().chain(trust).collect()
}
