//! Policies of IAM and of the organization: the grant of exactly the refused action, or where to find what refuses.
//!
//! Rule: IAM User Guide, "Troubleshoot access denied error messages". Roles of Identity Center and service-linked roles refuse edits.
//! `put-…-policy` replaces the policy of the same name: each grant has a name of its own.

use eksplain_parse::arn::{Arn, PrincipalKind, sso_permission_set};
use serde_json::{Value, json};

use super::names::{WholeArn, hash};
use super::{fix, power, with_file, words};
use crate::findings::Fix;
use crate::shell::quote;

fn document(action: &str, resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]})
}

/// Grants exactly an action on a resource, for whatever kind the caller is.
pub(crate) fn grant(caller: &str, action: &str, resource: &str, title: &str) -> Fix {
    let document = document(action, resource);
    let Ok(arn) = Arn::parse(caller) else {
        return words(
            "The caller is an AWS service: the permission belongs to the role or policy that lets the service act, and a policy of a person does not help",
        );
    };
    let name = quote(arn.name());
    let policy: String = action
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(80)
        .collect();
    let policy = format!("allow-{policy}-{:08x}", hash(&[action, resource]));
    let text = quote(&document.to_string());
    if let Some(set) = sso_permission_set(arn.name()) {
        let ids = "--instance-arn INSTANCE_ARN --permission-set-arn PERMISSION_SET_ARN";
        return with_file(
            format!(
                "Add the statement to the permission set {set}, in the account that administers IAM Identity Center: the role itself cannot be edited. policy.json is the inline policy that the third command prints, with this statement added"
            ),
            vec![
                "aws sso-admin list-instances".to_owned(),
                "aws sso-admin list-permission-sets --instance-arn INSTANCE_ARN".to_owned(),
                format!("aws sso-admin get-inline-policy-for-permission-set {ids}"),
                format!("aws sso-admin put-inline-policy-to-permission-set {ids} --inline-policy file://policy.json"),
                format!(
                    "aws sso-admin provision-permission-set {ids} --target-type AWS_ACCOUNT --target-id {}",
                    quote(arn.account)
                ),
            ],
            &document,
        );
    }
    match arn.kind() {
        PrincipalKind::User => fix(
            title,
            vec![format!(
                "aws iam put-user-policy --user-name {name} --policy-name {policy} --policy-document {text}"
            )],
        ),
        PrincipalKind::Role | PrincipalKind::AssumedRole if arn.name().starts_with("AWSServiceRoleFor") => {
            words("The caller is a service-linked role, whose policy only AWS can change")
        }
        PrincipalKind::Role | PrincipalKind::AssumedRole => fix(
            title,
            vec![format!(
                "aws iam put-role-policy --role-name {name} --policy-name {policy} --policy-document {text}"
            )],
        ),
        PrincipalKind::Root => words(
            "The caller is the root user, which needs no policy: look for a service control policy of the organization",
        ),
        _ => with_file(
            "Add this policy to the identity that the session came from",
            Vec::new(),
            &document,
        ),
    }
}

/// The grant, or the warning where the action gives power over access.
pub(crate) fn grant_or_warning(caller: &str, action: &str, resource: &str) -> Vec<Fix> {
    match power::of_action(action) {
        Some(power) if action == "iam:PassRole" => {
            let role = Arn::parse(resource)
                .ok()
                .filter(|arn| arn.kind() == PrincipalKind::Role);
            let look = role.map(|arn| {
                let name = quote(arn.name());
                fix(
                    "See what the role that was to be passed may do",
                    vec![
                        format!("aws iam list-attached-role-policies --role-name {name}"),
                        format!("aws iam list-role-policies --role-name {name}"),
                    ],
                )
            });
            [power::warning(power)].into_iter().chain(look).collect()
        }
        Some(power) => vec![power::warning(power)],
        None => vec![grant(
            caller,
            action,
            resource,
            "Grant exactly this action to the caller",
        )],
    }
}

/// Finds the policy that refuses.
pub(crate) fn simulate(arn: &WholeArn, caller: &str, action: &str, resource: &str) -> Fix {
    let can = Arn::parse(caller).is_ok_and(|arn| matches!(arn.kind(), PrincipalKind::User | PrincipalKind::Role));
    if !can {
        return words(
            "Look for the policy that refuses: the policies of the caller, the service control policies of its organization, and the policy of the resource",
        );
    }
    let resource = match resource {
        arn if arn.starts_with("arn:") => format!(" --resource-arns {}", quote(arn)),
        _ => String::new(),
    };
    fix(
        format!("Find the policy that refuses{}", arn.note()),
        arn.before(vec![format!(
            "aws iam simulate-principal-policy --policy-source-arn {} --action-names {}{resource}",
            arn.word,
            quote(action)
        )]),
    )
}

/// Finds the policy with an explicit deny, which no Allow beats.
pub(crate) fn find_deny(arn: &WholeArn, caller: &str, action: &str, resource: &str, policy: Option<&str>) -> Vec<Fix> {
    let named = policy.map(|policy| {
        let policy = quote(policy);
        fix(
            "Change the Deny in the policy that the message names, or keep it: an Allow never overrides it",
            vec![
                format!("aws iam get-policy --policy-arn {policy}"),
                format!("aws iam list-policy-versions --policy-arn {policy}"),
            ],
        )
    });
    vec![named.unwrap_or_else(|| simulate(arn, caller, action, resource))]
}

/// Policies of the organization, which only its administrator changes.
pub(crate) fn organization(account: &str, policy: Option<&str>, filter: &str) -> Vec<Fix> {
    let id = policy
        .and_then(|arn| arn.rsplit('/').next())
        .filter(|id| id.starts_with("p-"));
    let command = match id {
        Some(id) => format!("aws organizations describe-policy --policy-id {}", quote(id)),
        None => format!(
            "aws organizations list-policies-for-target --target-id {} --filter {filter}",
            if account.is_empty() {
                "ACCOUNT".to_owned()
            } else {
                quote(account)
            }
        ),
    };
    vec![fix(
        "Ask the organization's administrator, who sees the policy from the management account (policies of the parent units count too)",
        vec![command],
    )]
}

/// The boundary, which has to allow what the policies allow.
pub(crate) fn boundary(caller: &str) -> Vec<Fix> {
    let Ok(arn) = Arn::parse(caller) else {
        return vec![words("Extend the policy that is the caller's permissions boundary")];
    };
    let name = quote(arn.name());
    let command = match arn.kind() {
        PrincipalKind::User => format!("aws iam get-user --user-name {name} --query User.PermissionsBoundary"),
        _ => format!("aws iam get-role --role-name {name} --query Role.PermissionsBoundary"),
    };
    vec![fix(
        "Find the permissions boundary; whoever owns it adds the action to that policy, and the caller's own policies must allow it too",
        vec![command],
    )]
}

/// The policy of the VPC endpoint that the call went through.
pub(crate) fn vpc_endpoint(region: &str, service: &str) -> Vec<Fix> {
    let region_word = super::names::region_of(region);
    let filter = quote(&format!(
        "Name=service-name,Values=com.amazonaws.{}.{service}",
        if region.is_empty() { "REGION" } else { region }
    ));
    vec![fix(
        "Find the endpoint's policy and add the action to it",
        vec![format!(
            "aws ec2 describe-vpc-endpoints --region {region_word} --filters {filter} --query 'VpcEndpoints[].[VpcEndpointId,PolicyDocument]'"
        )],
    )]
}

/// A region or service that is switched off.
pub(crate) fn opt_in(region: &str) -> Vec<Fix> {
    let command = match region {
        "" => "aws account list-regions".to_owned(),
        region => format!("aws account get-region-opt-status --region-name {}", quote(region)),
    };
    vec![fix(
        "See whether the region is enabled in this account; its administrator enables it, or use another region",
        vec![command],
    )]
}

/// Gives a renamed user its old name, which its access rests on.
pub(crate) fn rename_back(now: &str, before: &str) -> Fix {
    fix(
        "Rename the user back: its access rests on the old name",
        vec![rename_command(now, before)],
    )
}

/// The command that renames a user back.
pub(crate) fn rename_command(now: &str, before: &str) -> String {
    let name = |arn: &str| quote(Arn::parse(arn).map_or(arn, |arn| arn.name()));
    format!(
        "aws iam update-user --user-name {} --new-user-name {}",
        name(now),
        name(before)
    )
}
