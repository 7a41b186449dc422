//! The words that a configuration may hold, and the nearest of them to one that it may not.

use crate::diff::KINDS;

/// What findings say of themselves: statuses, powers, routes, severities, states, layers.
const FINDINGS: &[&str] = &[
    "any",
    "active",
    "revoked",
    "unproven",
    "admin",
    "can_become_admin",
    "creator",
    "aws_auth",
    "access_policy",
    "rbac_binding",
    "certificate",
    "impersonation",
    "escalation",
    "observed",
    "recovery-needed",
    "present",
    "deleted",
    "recreated",
    "unknown",
    "certain",
    "likely",
    "guess",
    "resolved",
    "unresolved",
    "critical",
    "high",
    "medium",
    "low",
    "info",
];

/// Reasons of denials and rules of `check`; each stands for those below it too (`authn`, `authn.near-miss`).
const IDS: &[&str] = &[
    "admin.stale",
    "admission.denied",
    "admission.limitrange",
    "admission.namespace-not-found",
    "admission.namespace-terminating",
    "admission.noderestriction",
    "admission.pod-security",
    "admission.policy",
    "admission.quota",
    "admission.serviceaccount",
    "admission.webhook",
    "admission.webhook.unavailable",
    "apiserver.bad-request",
    "apiserver.conflict",
    "apiserver.internal",
    "apiserver.invalid",
    "apiserver.not-found",
    "apiserver.throttled",
    "apiserver.unavailable",
    "authn.access-entry.propagating",
    "authn.access-entry.renamed",
    "authn.access-entry.stale-id",
    "authn.aws-auth.ignored",
    "authn.aws-auth.malformed",
    "authn.aws-auth.missing",
    "authn.near-miss.assumed-role-arn",
    "authn.near-miss.case",
    "authn.near-miss.group-arn",
    "authn.near-miss.name-typo",
    "authn.near-miss.partition",
    "authn.near-miss.role-path",
    "authn.near-miss.sso-path",
    "authn.near-miss.sso-suffix",
    "authn.near-miss.user-path",
    "authn.near-miss.whitespace",
    "authn.near-miss.wildcard",
    "authn.near-miss.wrong-account",
    "authn.not-mapped",
    "authn.oidc",
    "authn.principal.deleted",
    "authn.reserved-username",
    "authn.serviceaccount.expired",
    "authn.sts.denied",
    "authn.sts.expired",
    "authn.sts.invalid-token",
    "authn.sts.signature",
    "authn.sts.throttled",
    "authn.sts.unreachable",
    "authn.template",
    "authn.token.clock-skew",
    "authn.token.expired",
    "authn.token.malformed",
    "authn.token.wrong-cluster",
    "authn.token.wrong-partition",
    "authn.unknown",
    "authz.access-policy.insufficient",
    "authz.access-policy.lost-by-impersonation",
    "authz.access-policy.missing",
    "authz.access-policy.scope",
    "authz.anonymous",
    "authz.eks-console",
    "authz.error",
    "authz.impersonate",
    "authz.node",
    "authz.rbac.escalation",
    "authz.rbac.group-unbound",
    "authz.rbac.missing-resource",
    "authz.rbac.missing-verb",
    "authz.rbac.near-miss.case",
    "authz.rbac.near-miss.sa-namespace",
    "authz.rbac.near-miss.subject-kind",
    "authz.rbac.no-binding",
    "authz.rbac.resource-name",
    "authz.rbac.role-missing",
    "authz.rbac.username-session",
    "authz.rbac.wrong-api-group",
    "authz.rbac.wrong-namespace",
    "authz.serviceaccount",
    "authz.webhook",
    "aws-auth.ignored",
    "aws-auth.malformed",
    "aws-auth.near-miss.assumed-role-arn",
    "aws-auth.near-miss.group-arn",
    "aws-auth.near-miss.no-arn",
    "aws-auth.near-miss.partition",
    "aws-auth.near-miss.role-path",
    "aws-auth.near-miss.sso-path",
    "aws-auth.near-miss.wildcard",
    "aws-auth.reserved-username",
    "creator.locked-out",
    "creator.only-admin",
    "creator.root",
    "eks.access-entry.exists",
    "eks.access-entry.invalid-principal",
    "eks.access-entry.system-group",
    "eks.access-entry.system-user",
    "eks.auth-mode",
    "eks.cluster.not-found",
    "eks.throttled",
    "iam.explicit-deny",
    "iam.identity-policy.missing",
    "iam.identity-policy.unknown",
    "iam.organization-opt-in",
    "iam.pass-role",
    "iam.permissions-boundary",
    "iam.rcp",
    "iam.resource-policy",
    "iam.scp",
    "iam.scp.explicit",
    "iam.session-policy",
    "iam.vpc-endpoint-policy",
    "logs.missing",
    "principal.deleted",
    "principal.recreated",
    "rbac.anonymous",
    "rbac.authenticated",
    "rbac.role-missing",
    "rbac.wildcard",
    "rbac.wrong-api-group",
    "sts.expired-token",
    "sts.invalid-token",
    "sts.service-role-trust",
    "sts.signature",
    "sts.trust-policy",
    "sts.trust-policy.condition",
    "sts.web-identity",
];

/// Regions of the commercial and the named partitions (AWS General Reference, 2026-06); AWS adds some each year.
pub(super) const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-west-1",
    "us-west-2",
];

/// Whether `fail-on` may name it as a finding, not as a change.
pub(crate) fn is_finding_word(word: &str) -> bool {
    let is_above = |id: &str| id == word || id.strip_prefix(word).is_some_and(|rest| rest.starts_with('.'));
    FINDINGS.contains(&word) || (!word.is_empty() && IDS.iter().any(|id| is_above(id)))
}

/// Everything that `fail-on` may name, changes first.
pub(super) fn fail_on() -> impl Iterator<Item = &'static str> {
    let layers = [
        "iam",
        "sts",
        "eks",
        "authn",
        "authz",
        "admission",
        "apiserver",
        "client",
    ];
    KINDS
        .iter()
        .chain(FINDINGS)
        .copied()
        .chain(layers)
        .chain(IDS.iter().copied())
}

/// The word that was probably meant: at most a third of its letters differ.
pub(crate) fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&word, known), known))
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Every word in double quotes of the sources below a folder.
    fn quoted(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                quoted(&path, found);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                found.extend(text.split('"').map(str::to_owned));
            }
        }
    }

    #[test]
    fn what_the_analysis_may_answer_may_be_named() {
        let mut words = BTreeSet::new();
        quoted(&Path::new(env!("CARGO_MANIFEST_DIR")).join("analyze/src"), &mut words);
        let layers = ["iam.", "sts.", "eks.", "authn.", "authz.", "admission.", "apiserver."];
        let is_id = |word: &&String| {
            layers.iter().any(|layer| word.starts_with(layer))
                && !word.ends_with('.')
                && !word.contains("amazonaws")
                && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'-')
        };
        let missing: Vec<_> = words
            .iter()
            .filter(is_id)
            .filter(|word| !is_finding_word(word))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        let stale: Vec<_> = IDS
            .iter()
            .filter(|id| !words.contains(**id) && !id.contains("near-miss"))
            .collect();
        assert!(stale.is_empty(), "{stale:?}");
    }

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("new-amdin", fail_on()), Some("new-admin"));
        assert_eq!(nearest("authn.not-maped", fail_on()), Some("authn.not-mapped"));
        assert_eq!(nearest("us-esat-1", REGIONS.iter().copied()), Some("us-east-1"));
        assert_eq!(nearest("entirely-else", fail_on()), None);
        assert!(is_finding_word("authn") && is_finding_word("authn.near-miss") && !is_finding_word("authn.near"));
    }
}
