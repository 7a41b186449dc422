//! Mappings that look right and never match: which of them a refused caller was meant by.
//!
//! Rule: what aws-iam-authenticator compares (`pkg/arn`, `pkg/config/mapper.go`); the order of precedence is the domain's.

use eksplain_parse::arn::{Arn, PrincipalKind, sso_permission_set};
use eksplain_parse::aws_auth::{AwsAuth, Mapping};
use eksplain_parse::glob::glob_matches;

use crate::words::{Confidence, Reason};

/// A mapping that was meant, and why it does not match.
pub(super) struct NearMiss<'m> {
    pub(super) mapping: &'m Mapping,
    pub(super) reason: Reason,
    pub(super) cause: &'static str,
    pub(super) confidence: Confidence,
}

impl NearMiss<'_> {
    /// The mapping can match nobody, so that nobody misses it.
    pub(super) fn is_nobodys(&self) -> bool {
        matches!(
            self.reason,
            Reason::AuthnNearMissSsoPath
                | Reason::AuthnNearMissRolePath
                | Reason::AuthnNearMissAssumedRoleArn
                | Reason::AuthnNearMissPartition
                | Reason::AuthnNearMissWhitespace
        )
    }
}

/// From the likeliest on; the first that any mapping shows is taken.
const KINDS: [(Reason, &str, Confidence); 12] = [
    (
        Reason::AuthnNearMissSsoPath,
        "the mapping keeps /aws-reserved/sso.amazonaws.com/…/ in the role's ARN, which aws-auth never matches",
        Confidence::Certain,
    ),
    (
        Reason::AuthnNearMissRolePath,
        "the mapping has the role's path, which is not part of the ARN that is compared",
        Confidence::Certain,
    ),
    (
        Reason::AuthnNearMissUserPath,
        "the mapping lacks the user's path, or has another: it must be the one in IAM",
        Confidence::Certain,
    ),
    (
        Reason::AuthnNearMissAssumedRoleArn,
        "the mapping names an assumed-role session, not the role",
        Confidence::Certain,
    ),
    (
        Reason::AuthnNearMissWrongAccount,
        "the mapping names the same principal in another account",
        Confidence::Likely,
    ),
    (
        Reason::AuthnNearMissPartition,
        "only the partition differs",
        Confidence::Certain,
    ),
    (
        Reason::AuthnNearMissWildcard,
        "the mapping has a wildcard, which aws-auth takes literally",
        Confidence::Certain,
    ),
    (
        Reason::AuthnNearMissSsoSuffix,
        "the mapping names an earlier role of the same permission set, which was provisioned anew",
        Confidence::Likely,
    ),
    (
        Reason::AuthnNearMissGroupArn,
        "the mapping names a group or an instance profile, which nobody logs in as",
        Confidence::Certain,
    ),
    (
        Reason::AuthnNearMissWhitespace,
        "the mapping differs only by blanks, quotes or a typographic dash",
        Confidence::Certain,
    ),
    (
        Reason::AuthnNearMissNameTypo,
        "the mapping's name is one letter away",
        Confidence::Guess,
    ),
    (
        Reason::AuthnNearMissGroupArn,
        "the mapping names an IAM group, which aws-auth cannot map: its members stay unknown",
        Confidence::Guess,
    ),
];

/// The mapping that comes nearest to a caller; `caller` is the ARN that the authenticator compares.
pub(super) fn nearest<'m>(auth: &'m AwsAuth, caller: &str) -> Option<NearMiss<'m>> {
    let arn = Arn::parse(caller).ok()?;
    let found = auth
        .mappings
        .iter()
        .filter_map(|mapping| Some((kind(mapping, caller, &arn)?, mapping)))
        .min_by_key(|(kind, _)| *kind);
    let (kind, mapping) = found?;
    let (reason, cause, confidence) = KINDS[kind];
    Some(NearMiss {
        mapping,
        reason,
        cause,
        confidence,
    })
}

/// Which kind of near miss a mapping is, as an index of [`KINDS`].
fn kind(mapping: &Mapping, caller: &str, arn: &Arn<'_>) -> Option<usize> {
    let cleaned: String = mapping
        .arn
        .trim()
        .trim_matches(['"', '\''])
        .chars()
        .filter(|c| !matches!(c, '\u{200b}' | '\u{feff}' | '\u{a0}'))
        .map(|c| if matches!(c, '\u{2010}'..='\u{2015}') { '-' } else { c })
        .collect();
    if cleaned != mapping.arn && cleaned.eq_ignore_ascii_case(caller) {
        return Some(9);
    }
    let mapped = Arn::parse(&mapping.arn).ok()?;
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let same_account = mapped.account == arn.account;
    let same_partition = same(mapped.partition, arn.partition);
    let is_role = arn.kind() == PrincipalKind::Role || arn.kind() == PrincipalKind::AssumedRole;
    let same_kind = mapped.kind() == arn.kind() || (is_role && mapped.kind() == PrincipalKind::Role);
    let has_wildcard = mapping.arn.contains(['*', '?']);
    if has_wildcard {
        return glob_matches(&mapping.arn.to_lowercase(), &caller.to_lowercase()).then_some(6);
    }
    let same_name = same(mapped.name(), arn.name());
    let path = mapped
        .path()
        .map(|path| path.trim_matches('/'))
        .filter(|path| !path.is_empty());
    if same_name && same_account && same_partition {
        match mapped.kind() {
            PrincipalKind::Role if is_role => {
                if let Some(path) = path {
                    return Some(if path.to_lowercase().starts_with("aws-reserved/sso.amazonaws.com") {
                        0
                    } else {
                        1
                    });
                }
            }
            PrincipalKind::User if arn.kind() == PrincipalKind::User && !same(mapped.resource, arn.resource) => {
                return Some(2);
            }
            PrincipalKind::AssumedRole if is_role => return Some(3),
            PrincipalKind::Group | PrincipalKind::InstanceProfile => return Some(8),
            _ => {}
        }
    }
    if same_kind && same(mapped.resource, arn.resource) {
        if !same_account && same_partition {
            return Some(4);
        }
        if same_account && !same_partition {
            return Some(5);
        }
    }
    if same_account && same_kind && same_partition {
        let set = sso_permission_set(arn.name());
        if set.is_some()
            && sso_permission_set(mapped.name())
                .zip(set)
                .is_some_and(|(a, b)| same(a, b))
            && !same_name
        {
            return Some(7);
        }
        if path.is_none() && set.is_none() && is_one_edit(&mapped.name().to_lowercase(), &arn.name().to_lowercase()) {
            return Some(10);
        }
    }
    // Whether the caller is in the group is in no log; that the mapping was meant for users of this account is plain.
    let is_group_of_users = mapped.kind() == PrincipalKind::Group && arn.kind() == PrincipalKind::User;
    (is_group_of_users && same_account && same_partition).then_some(11)
}

/// Whether one letter, or hyphens for underscores, makes one name of the other; short names differ by chance.
pub(super) fn is_one_edit(a: &str, b: &str) -> bool {
    if a == b || a.len().min(b.len()) < 5 {
        return false;
    }
    if a.replace('_', "-") == b.replace('_', "-") {
        return true;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let prefix = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let rest = |chars: &[char]| chars[prefix..].to_vec();
    let (a, b) = (rest(&a), rest(&b));
    let is_swap = a.len() >= 2 && b.len() >= 2 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..];
    // A digit that differs tells two names apart on purpose: worker-1 and worker-2.
    let is_digit = |c: Option<&char>| c.is_some_and(char::is_ascii_digit);
    if is_digit(a.first()) || is_digit(b.first()) {
        return false;
    }
    is_swap
        || match a.len().cmp(&b.len()) {
            std::cmp::Ordering::Equal => a[1..] == b[1..],
            std::cmp::Ordering::Greater => a.len() == b.len() + 1 && a[1..] == b[..],
            std::cmp::Ordering::Less => b.len() == a.len() + 1 && b[1..] == a[..],
        }
}

#[cfg(test)]
mod tests {
    use eksplain_parse::aws_auth::{AwsAuthData, parse};

    use super::*;

    fn reason(mapped: &str, caller: &str) -> Option<Reason> {
        let yaml = format!("- rolearn: {mapped:?}\n  username: x\n");
        let auth = parse(&AwsAuthData {
            map_roles: Some(&yaml),
            ..AwsAuthData::default()
        });
        nearest(&auth, caller).map(|miss| miss.reason)
    }

    #[test]
    fn each_near_miss_has_its_name() {
        let role = "arn:aws:iam::111122223333:role/Deployer";
        let sso = "arn:aws:iam::111122223333:role/AWSReservedSSO_Admin_0123456789abcdef";
        for (mapped, caller, expected) in [
            (
                "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef",
                sso,
                Some("sso-path"),
            ),
            ("arn:aws:iam::111122223333:role/ci/Deployer", role, Some("role-path")),
            (
                "arn:aws:iam::111122223333:user/ann",
                "arn:aws:iam::111122223333:user/ops/ann",
                Some("user-path"),
            ),
            (
                "arn:aws:sts::111122223333:assumed-role/Deployer/me",
                role,
                Some("assumed-role-arn"),
            ),
            ("arn:aws:iam::444455556666:role/Deployer", role, Some("wrong-account")),
            ("arn:aws-cn:iam::111122223333:role/Deployer", role, Some("partition")),
            ("arn:aws:iam::111122223333:role/Dep*", role, Some("wildcard")),
            (
                "arn:aws:iam::111122223333:role/AWSReservedSSO_Admin_fedcba9876543210",
                sso,
                Some("sso-suffix"),
            ),
            ("arn:aws:iam::111122223333:role/Depolyer", role, Some("name-typo")),
            (
                "arn:aws:iam::111122223333:group/admins",
                "arn:aws:iam::111122223333:user/ops/ann",
                Some("group-arn"),
            ),
            (
                "arn:aws:iam::444455556666:group/admins",
                "arn:aws:iam::111122223333:user/ann",
                None,
            ),
            ("arn:aws:iam::111122223333:group/admins", role, None),
            ("arn:aws:iam::111122223333:role/Other", role, None),
            (
                "arn:aws:iam::111122223333:role/worker-1",
                "arn:aws:iam::111122223333:role/worker-2",
                None,
            ),
        ] {
            assert_eq!(
                reason(mapped, caller).and_then(|reason| reason.id().strip_prefix("authn.near-miss.")),
                expected,
                "{mapped} for {caller}"
            );
        }
    }
}
