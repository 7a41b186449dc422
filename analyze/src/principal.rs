//! Principals: the form of answers, their type, and which of them are AWS's own.
//!
//! Rule for what is AWS's: EKS User Guide, "Default Amazon EKS created RBAC roles and users" and "Service-linked roles". A name proves
//! nothing where the unique id shows a customer's principal.

use std::collections::BTreeMap;

use eksplain_parse::arn::{Arn, PrincipalKind, canonical_arn, sso_permission_set};
use eksplain_queries::facts::Facts;

use crate::rbac::service_account;
use crate::words::PrincipalType;

/// Type of a principal in the form of answers.
pub(crate) fn principal_type(principal: &str) -> PrincipalType {
    if principal.starts_with("User:") {
        return PrincipalType::K8sUser;
    }
    if principal.starts_with("Group:") {
        return PrincipalType::K8sGroup;
    }
    if principal.starts_with("ServiceAccount:") {
        return PrincipalType::ServiceAccount;
    }
    match Arn::parse(principal) {
        Ok(arn) => match arn.kind() {
            PrincipalKind::Root => PrincipalType::Root,
            PrincipalKind::User => PrincipalType::IamUser,
            PrincipalKind::FederatedUser => PrincipalType::Federated,
            _ if sso_permission_set(arn.name()).is_some() => PrincipalType::SsoRole,
            _ => PrincipalType::IamRole,
        },
        Err(_) => PrincipalType::AwsService,
    }
}

/// A Kubernetes user as a principal: its ARN where it came by IAM, else its name.
pub(crate) fn of_user(username: Option<&str>, canonical: Option<&str>) -> Option<String> {
    if let Some(arn) = canonical {
        return Some(arn.to_owned());
    }
    let username = username.filter(|name| !name.is_empty())?;
    Some(match service_account(username) {
        Some((namespace, name)) => format!("ServiceAccount:{namespace}/{name}"),
        None => format!("User:{username}"),
    })
}

/// Whether a Kubernetes user is Kubernetes itself or EKS. `canonical` is the ARN behind it, if any.
pub(crate) fn is_aws_user(username: &str, canonical: Option<&str>, uid: Option<&str>) -> bool {
    if uid.is_some_and(|uid| uid.starts_with("aws-iam-authenticator:administrative:")) {
        return true;
    }
    match canonical {
        Some(arn) => is_aws_role(arn) || username.starts_with("system:node:"),
        None => {
            let by_name = username.starts_with("eks:")
                || username.starts_with("system:node:")
                || matches!(
                    username,
                    "system:apiserver"
                        | "system:kube-controller-manager"
                        | "system:kube-scheduler"
                        | "system:kube-proxy"
                        | "system:cloud-controller-manager"
                );
            by_name
                || service_account(username)
                    .is_some_and(|(namespace, name)| namespace == "kube-system" && is_controller(name))
        }
    }
}

/// Roles that belong to AWS, in any account.
pub(crate) fn is_aws_role(canonical: &str) -> bool {
    let Ok(arn) = Arn::parse(canonical) else { return false };
    let name = arn.name();
    arn.kind() == PrincipalKind::Role
        && (name.starts_with("AWSWesleyClusterManagerLambda-") || name.starts_with("AWSServiceRoleForAmazonEKS"))
}

/// Service accounts in kube-system that Kubernetes and EKS make for their own controllers.
fn is_controller(name: &str) -> bool {
    name.ends_with("-controller")
        || matches!(
            name,
            "aws-node"
                | "coredns"
                | "kube-proxy"
                | "eks-pod-identity-agent"
                | "generic-garbage-collector"
                | "bootstrap-signer"
                | "token-cleaner"
        )
        || name.ends_with("-provisioner-for-eks")
}

/// Spellings of ARNs as IAM has them, where a record shows them; ARNs are compared without case.
#[derive(Debug, Default)]
pub(crate) struct Spellings(BTreeMap<String, String>);

impl Spellings {
    pub(crate) fn of(facts: &Facts) -> Self {
        let seen = facts.sessions.iter().map(|row| row.canonical_arn.as_str());
        let called = facts.calls.iter().filter_map(|row| row.canonical_arn.as_deref());
        let refused = facts
            .denied_calls
            .iter()
            .filter_map(|row| row.call.canonical_arn.as_deref());
        let asked = facts.activity.iter().filter_map(|row| row.canonical_arn.as_deref());
        // The authenticator may fold case in its own lines: other sources come first.
        let logged_in = facts.logins.iter().filter_map(|row| row.canonical_arn.as_deref());
        let mut spellings = BTreeMap::new();
        for arn in seen.chain(called).chain(refused).chain(asked).chain(logged_in) {
            spellings.entry(arn.to_lowercase()).or_insert_with(|| arn.to_owned());
        }
        Self(spellings)
    }

    /// The ARN in the form of answers, in IAM's spelling where it is known.
    pub(crate) fn canonical(&self, arn: &str) -> Option<String> {
        let canonical = canonical_arn(arn)?;
        Some(
            self.0
                .get(&canonical.to_lowercase())
                .cloned()
                .unwrap_or_else(|| canonical.into_owned()),
        )
    }

    /// Every ARN that was seen.
    pub(crate) fn seen(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }
}
