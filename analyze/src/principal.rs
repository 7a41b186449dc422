//! Principals: the form of answers, their type, and which of them are AWS's own.
//!
//! Rule for what is AWS's: closed lists of names, because whoever may bind a role may also choose a name. A name proves nothing where the
//! unique id shows a customer's principal.

use std::collections::BTreeMap;

use eksplain_parse::arn::{Arn, PrincipalKind, canonical_arn, decode_percent, sso_permission_set};
use eksplain_parse::denied::parse_message;
use eksplain_queries::facts::Facts;

use crate::json;
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
        None => is_own_name(username),
    }
}

/// Names that Kubernetes and EKS give to their own, whoever else may take the prefix of one.
pub(crate) fn is_own_name(username: &str) -> bool {
    match service_account(username) {
        Some((namespace, name)) => namespace == "kube-system" && SERVICE_ACCOUNTS.contains(&name),
        None => username.starts_with("system:node:") || COMPONENTS.contains(&username) || EKS_USERS.contains(&username),
    }
}

/// Roles that belong to AWS, in any account.
pub(crate) fn is_aws_role(canonical: &str) -> bool {
    let Ok(arn) = Arn::parse(canonical) else { return false };
    let name = arn.name();
    arn.kind() == PrincipalKind::Role
        && (name.starts_with("AWSWesleyClusterManagerLambda-") || name.starts_with("AWSServiceRoleForAmazonEKS"))
}

/// Parts of the control plane.
const COMPONENTS: &[&str] = &[
    "system:apiserver",
    "system:cloud-controller-manager",
    "system:kube-controller-manager",
    "system:kube-proxy",
    "system:kube-scheduler",
];

/// Users of EKS's own components: EKS User Guide, "Understand Amazon EKS created RBAC roles and users", and the ClusterRoleBindings of a new
/// cluster. A user whom this list lacks is shown: better one too many than a person who took the prefix.
const EKS_USERS: &[&str] = &[
    "eks:addon-manager",
    "eks:authenticator",
    "eks:az-poller",
    "eks:certificate-controller",
    "eks:cloud-controller-manager",
    "eks:cloud-provider-extraction-migration",
    "eks:cluster-bootstrap",
    "eks:cluster-event-watcher",
    "eks:coredns-autoscaler",
    "eks:extension-metrics-apiserver",
    "eks:fargate-manager",
    "eks:fargate-scheduler",
    "eks:k8s-metrics",
    "eks:kms-storage-migrator",
    "eks:network-policy-controller",
    "eks:network-webhooks",
    "eks:node-manager",
    "eks:nodewatcher",
    "eks:pod-identity-mutating-webhook",
    "eks:service-operations",
    "eks:support-engineer",
    "eks:tagging-controller",
    "eks:vpc-resource-controller",
];

/// Service accounts in kube-system of kube-controller-manager's controllers (kubernetes/kubernetes
/// `plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go` and `cmd/kube-controller-manager`), and of what EKS installs in
/// every cluster.
const SERVICE_ACCOUNTS: &[&str] = &[
    "attachdetach-controller",
    "aws-cloud-provider",
    "aws-node",
    "bootstrap-signer",
    "certificate-controller",
    "cloud-provider",
    "clusterrole-aggregation-controller",
    "coredns",
    "cronjob-controller",
    "daemon-set-controller",
    "deployment-controller",
    "device-taint-eviction-controller",
    "disruption-controller",
    "eks-pod-identity-agent",
    "endpoint-controller",
    "endpointslice-controller",
    "endpointslicemirroring-controller",
    "ephemeral-volume-controller",
    "expand-controller",
    "generic-garbage-collector",
    "horizontal-pod-autoscaler",
    "job-controller",
    "kube-proxy",
    "legacy-service-account-token-cleaner",
    "namespace-controller",
    "node-controller",
    "persistent-volume-binder",
    "pod-garbage-collector",
    "podcertificaterequestcleaner-controller",
    "pv-protection-controller",
    "pvc-protection-controller",
    "replicaset-controller",
    "replication-controller",
    "resource-claim-controller",
    "resourcequota-controller",
    "root-ca-cert-publisher",
    "route-controller",
    "selinux-warning-controller",
    "service-account-controller",
    "service-cidrs-controller",
    "service-controller",
    "statefulset-controller",
    "storage-version-garbage-collector",
    "storage-version-migrator-controller",
    "tagging-controller",
    "token-cleaner",
    "tokens-controller",
    "ttl-after-finished-controller",
    "ttl-controller",
    "validatingadmissionpolicy-status-controller",
    "volumeattributesclass-protection-controller",
];

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

/// Principals with their path, as IAM has them: of callers, of IAM's answers, of access entries, and of users' logins.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    /// Whole ARNs by canonical ARN in lower case.
    whole: BTreeMap<String, String>,
    /// Path of the roles of Identity Center by account: it has the region, which is one for all.
    sso: BTreeMap<String, String>,
}

impl Paths {
    pub(crate) fn of(facts: &Facts) -> Self {
        let mut paths = Self::default();
        // A user's path is in the authenticator's lines, which may fold case: other sources come later and win.
        let logins = facts.logins.iter().filter_map(|row| row.arn.as_deref());
        let refused = facts.denied_logins.iter().filter_map(|row| row.arn.as_deref());
        for arn in logins
            .chain(refused)
            .filter(|arn| Arn::parse(arn).is_ok_and(|arn| arn.kind() == PrincipalKind::User))
        {
            paths.note(arn);
        }
        let issued = facts.issued.iter().map(|row| &row.call);
        let denied = facts.denied_calls.iter().map(|row| &row.call);
        let mut calls: Vec<_> = facts.calls.iter().chain(issued).chain(denied).collect();
        calls.sort_by(|a, b| a.at.cmp(&b.at));
        for call in calls {
            for arn in [&call.session_issuer_arn, &call.arn].into_iter().flatten() {
                paths.note(arn);
            }
            if call.error_code.is_some() {
                // AWS writes the caller's whole ARN into its refusals.
                let message = call.error_message.as_deref().and_then(parse_message);
                if let Some(message) = message {
                    paths.note(message.principal);
                }
                continue;
            }
            let response = json::parse(call.response_elements.as_deref());
            let made = [&response["role"], &response["user"]]
                .into_iter()
                .find_map(|made| json::text(made, &["arn"]));
            if let Some(arn) = made {
                paths.note(arn);
            }
            if call.event_name.contains("AccessEntry") {
                let request = json::parse(call.request_parameters.as_deref());
                if let Some(arn) = json::text(&request, &["principalArn"]) {
                    paths.note(&decode_percent(arn));
                }
            }
        }
        for snapshot in &facts.snapshots {
            let keys: &[&str] = match snapshot.kind.as_str() {
                "iam_role" | "iam_user" => &["Arn", "arn"],
                "access_entry" => &["principalArn"],
                _ => continue,
            };
            let body = json::parse(Some(&snapshot.body));
            let inner = ["Role", "User", "role", "user", "accessEntry"]
                .into_iter()
                .map(|key| &body[key])
                .find(|value| value.is_object())
                .unwrap_or(&body);
            if let Some(arn) = json::text(inner, keys) {
                paths.note(arn);
            }
        }
        paths
    }

    fn note(&mut self, text: &str) {
        let Ok(arn) = Arn::parse(text) else { return };
        if arn.service != "iam" || !matches!(arn.kind(), PrincipalKind::Role | PrincipalKind::User) {
            return;
        }
        if let Some(path) = arn.path().filter(|_| sso_permission_set(arn.name()).is_some()) {
            self.sso.insert(arn.account.to_owned(), path.to_owned());
        }
        if let Some(canonical) = arn.canonical() {
            self.whole.insert(canonical.to_lowercase(), text.to_owned());
        }
    }

    /// The whole ARN of a principal in the form of answers; `None` where no record shows whether it has a path.
    pub(crate) fn whole(&self, principal: &str) -> Option<String> {
        let arn = Arn::parse(principal).ok()?;
        let is_sso = sso_permission_set(arn.name()).is_some();
        let known = self.whole.get(&arn.canonical()?.to_lowercase());
        // An ARN of Identity Center's that has no path was written without it.
        if let Some(known) = known.filter(|known| !is_sso || known.contains("/aws-reserved/")) {
            return Some(known.clone());
        }
        let path = self.sso.get(arn.account).filter(|_| is_sso)?;
        Some(format!(
            "arn:{}:iam::{}:role{path}{}",
            arn.partition,
            arn.account,
            arn.name()
        ))
    }
}
