//! Mappings that look right and match nobody, or not the caller that they were meant for: one list of slips for `denials` and `check`.
//!
//! Rule: what aws-iam-authenticator compares (`pkg/arn`, `pkg/config/mapper.go`); the order of precedence is the domain's.

use eksplain_parse::arn::{Arn, PrincipalKind, sso_permission_set};
use eksplain_parse::aws_auth::{AwsAuth, Mapping, caller_arn, is_account};
use eksplain_parse::glob::glob_matches;
use eksplain_parse::region::partition_of;

use crate::findings::Cluster;
use crate::words::{Confidence, Reason, Rule};

/// What is wrong with a mapping; the likeliest to have been meant for a refused caller first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slip {
    SsoPath,
    RolePath,
    UserPath,
    AssumedRoleArn,
    InvalidAccount,
    WrongAccount,
    Partition,
    Wildcard,
    SsoSuffix,
    /// A group or an instance profile.
    NoPrincipal,
    Spelling,
    InvalidArn,
    NameTypo,
    /// A group of the account that the refused user is of.
    GroupOfUsers,
}

impl Slip {
    /// A clause about the mapping.
    pub(crate) fn cause(self) -> &'static str {
        match self {
            Self::SsoPath => {
                "the mapping keeps /aws-reserved/sso.amazonaws.com/…/ in the role's ARN, which aws-auth never matches"
            }
            Self::RolePath => "the mapping has the role's path, which is not part of the ARN that is compared",
            Self::UserPath => "the mapping lacks the user's path, or has another: it must be the one in IAM",
            Self::AssumedRoleArn => "the mapping names an assumed-role session, not the role",
            Self::InvalidAccount => "the mapping's account is not an account ID of 12 digits",
            Self::WrongAccount => "the mapping names the same principal in another account",
            Self::Partition => "the mapping names another AWS partition than the cluster's",
            Self::Wildcard => "the mapping has a wildcard, which aws-auth takes literally",
            Self::SsoSuffix => {
                "the mapping names an earlier role of the same permission set, which was provisioned again"
            }
            Self::NoPrincipal => "the mapping names a group or an instance profile, which nobody logs in as",
            Self::Spelling => {
                "the mapping contains spaces, quotes, invisible characters or letters that only look alike"
            }
            Self::InvalidArn => "the mapping does not have the ARN of an IAM role or user",
            Self::NameTypo => "the mapping's name is one letter away",
            Self::GroupOfUsers => "the mapping names an IAM group, which aws-auth cannot map: its members stay unknown",
        }
    }

    /// The reason of a refusal that it explains.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::SsoPath => Reason::AuthnNearMissSsoPath,
            Self::RolePath => Reason::AuthnNearMissRolePath,
            Self::UserPath => Reason::AuthnNearMissUserPath,
            Self::AssumedRoleArn => Reason::AuthnNearMissAssumedRoleArn,
            Self::InvalidAccount | Self::WrongAccount => Reason::AuthnNearMissWrongAccount,
            Self::Partition => Reason::AuthnNearMissPartition,
            Self::Wildcard => Reason::AuthnNearMissWildcard,
            Self::SsoSuffix => Reason::AuthnNearMissSsoSuffix,
            Self::NoPrincipal | Self::GroupOfUsers => Reason::AuthnNearMissGroupArn,
            Self::Spelling => Reason::AuthnNearMissWhitespace,
            Self::InvalidArn | Self::NameTypo => Reason::AuthnNearMissNameTypo,
        }
    }

    pub(crate) fn confidence(self) -> Confidence {
        match self {
            Self::InvalidAccount | Self::WrongAccount | Self::SsoSuffix | Self::InvalidArn => Confidence::Likely,
            Self::NameTypo | Self::GroupOfUsers => Confidence::Guess,
            _ => Confidence::Certain,
        }
    }

    /// The rule of a mapping that matches nobody at all; `None` where only the refused caller shows that it is wrong.
    pub(crate) fn rule(self) -> Option<Rule> {
        Some(match self {
            Self::SsoPath => Rule::AwsAuthNearMissSsoPath,
            Self::RolePath => Rule::AwsAuthNearMissRolePath,
            Self::AssumedRoleArn => Rule::AwsAuthNearMissAssumedRoleArn,
            Self::InvalidAccount => Rule::AwsAuthNearMissAccount,
            Self::Partition => Rule::AwsAuthNearMissPartition,
            Self::Wildcard => Rule::AwsAuthNearMissWildcard,
            Self::NoPrincipal => Rule::AwsAuthNearMissGroupArn,
            Self::Spelling => Rule::AwsAuthNearMissWhitespace,
            Self::InvalidArn => Rule::AwsAuthNearMissNoArn,
            Self::UserPath | Self::WrongAccount | Self::SsoSuffix | Self::NameTypo | Self::GroupOfUsers => return None,
        })
    }
}

/// A mapping that matches nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) slip: Slip,
    /// The ARN that was meant, where it follows from the wrong one.
    pub(crate) meant: Option<String>,
}

/// Where a mapping stands: what an ARN that lacks something was meant to have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home<'h> {
    /// `None` where the cluster's region is not known.
    partition: Option<&'h str>,
    /// Empty where it is not known.
    account: &'h str,
}

impl<'h> Home<'h> {
    pub(crate) fn of(cluster: &'h Cluster) -> Self {
        Self {
            partition: (!cluster.region.is_empty()).then(|| partition_of(&cluster.region)),
            account: &cluster.account,
        }
    }
}

/// Whether the authenticator can ever match this mapping to a caller of the cluster.
pub(crate) fn can_match(mapping: &Mapping, home: Home<'_>) -> bool {
    flaw(mapping, home).is_none()
}

/// Why a mapping can match nobody; `None` where it can.
pub(crate) fn flaw(mapping: &Mapping, home: Home<'_>) -> Option<Flaw> {
    let is_home = |partition: &str| home.partition.is_none_or(|own| own.eq_ignore_ascii_case(partition));
    if mapping.is_sso {
        // Its pattern is made of an account and a permission set, in the partition `aws`.
        let arn = Arn::parse(&mapping.arn).ok();
        let slip = match arn {
            Some(arn) if !is_account(arn.account) => Slip::InvalidAccount,
            Some(arn) if !arn.partition.is_empty() && is_home(arn.partition) => return None,
            _ => Slip::Partition,
        };
        return Some(Flaw { slip, meant: None });
    }
    if mapping
        .caller_arn()
        .is_some_and(|arn| Arn::parse(&arn).is_ok_and(|arn| is_home(arn.partition)))
    {
        return None;
    }
    let text = plain(&mapping.arn);
    let mut slips = Vec::new();
    if text != mapping.arn {
        slips.push(Slip::Spelling);
    }
    let meant = repaired(&text, home, &mut slips).filter(|arn| caller_arn(arn).is_some());
    let slip = slips.first().copied().unwrap_or(Slip::InvalidArn);
    Some(Flaw { slip, meant })
}

/// The ARN that a text was meant to be, noting each slip on the way.
fn repaired(text: &str, home: Home<'_>, slips: &mut Vec<Slip>) -> Option<String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [prefix, partition, service, region, account, resource] = parts[..] else {
        slips.push(Slip::InvalidArn);
        return None;
    };
    if text.contains(['*', '?']) {
        slips.push(Slip::Wildcard);
        return None;
    }
    let mut account = account;
    if !is_account(account) {
        slips.push(Slip::InvalidAccount);
        let is_meant = is_account(home.account) && (account.is_empty() || is_one_edit(account, home.account));
        account = is_meant.then_some(home.account)?;
    }
    let (noun, name) = resource.split_once('/').unwrap_or((resource, ""));
    let (service, noun) = (service.to_lowercase(), noun.to_lowercase());
    let last = name.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
    let (service, resource) = match (service.as_str(), noun.as_str()) {
        ("iam" | "sts", "role") => {
            let is_sso = name
                .to_lowercase()
                .trim_start_matches('/')
                .starts_with("aws-reserved/sso.amazonaws.com");
            match () {
                () if is_sso => slips.push(Slip::SsoPath),
                () if name.contains('/') => slips.push(Slip::RolePath),
                () => {}
            }
            ("iam", format!("role/{last}"))
        }
        ("iam" | "sts", "assumed-role") => {
            slips.push(Slip::AssumedRoleArn);
            let role = name.rsplit_once('/').map_or(name, |(role, _)| role);
            ("iam", format!("role/{}", role.rsplit('/').next().unwrap_or(role)))
        }
        ("iam", "group" | "instance-profile") => {
            slips.push(Slip::NoPrincipal);
            return None;
        }
        ("iam", "user" | "root") => ("iam", resource.replacen(resource.split('/').next()?, &noun, 1)),
        ("sts", "federated-user") => ("sts", format!("{noun}/{name}")),
        _ => {
            slips.push(Slip::InvalidArn);
            return None;
        }
    };
    if !prefix.eq_ignore_ascii_case("arn") || !region.is_empty() {
        slips.push(Slip::InvalidArn);
    }
    let partition = match home.partition {
        Some(own) if !own.eq_ignore_ascii_case(partition) => {
            slips.push(Slip::Partition);
            own.to_owned()
        }
        _ => partition.to_lowercase(),
    };
    Some(format!("arn:{partition}:{service}::{account}:{resource}"))
}

/// A mapping that was meant for a caller, and why it does not match.
pub(crate) struct NearMiss<'m> {
    pub(crate) mapping: &'m Mapping,
    pub(crate) slip: Slip,
}

/// The mapping that comes nearest to a caller; `caller` is the ARN that the authenticator compares.
pub(crate) fn nearest<'m>(auth: &'m AwsAuth, caller: &str) -> Option<NearMiss<'m>> {
    let arn = Arn::parse(caller).ok()?;
    let near = auth.mappings.iter().filter_map(|mapping| {
        let slip = slip_for(mapping, caller, &arn)?;
        Some(NearMiss { mapping, slip })
    });
    near.min_by_key(|miss| miss.slip)
}

/// Why a mapping that was meant for a caller does not match it; `None` where nothing says that it was.
fn slip_for(mapping: &Mapping, caller: &str, arn: &Arn<'_>) -> Option<Slip> {
    if mapping.is_sso {
        return None;
    }
    let home = Home {
        partition: Some(arn.partition),
        account: arn.account,
    };
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let flaw = flaw(mapping, home);
    let text = plain(&mapping.arn);
    let mapped = Arn::parse(&text).ok();
    let of_account = |mapped: &Arn<'_>| mapped.account == arn.account && same(mapped.partition, arn.partition);
    if let Some(flaw) = &flaw {
        match (flaw.slip, &flaw.meant) {
            (slip, Some(meant)) if same(meant, caller) => return Some(slip),
            (Slip::Wildcard, _) => return glob_matches(&text, caller).then_some(Slip::Wildcard),
            (Slip::NoPrincipal, _) => {
                let mapped = mapped.filter(of_account)?;
                if same(mapped.name(), arn.name()) {
                    return Some(Slip::NoPrincipal);
                }
                // Whether the caller is in the group is in no log; that the mapping was meant for users of this account is plain.
                let is_group_of_users = mapped.kind() == PrincipalKind::Group && arn.kind() == PrincipalKind::User;
                return is_group_of_users.then_some(Slip::GroupOfUsers);
            }
            _ => {}
        }
    }
    let own = mapping.caller_arn();
    let meant = flaw
        .as_ref()
        .and_then(|flaw| flaw.meant.as_deref())
        .or(own.as_deref())?;
    let meant = Arn::parse(meant).ok()?;
    if meant.kind() != arn.kind() {
        return None;
    }
    if !of_account(&meant) {
        let is_same = same(meant.resource, arn.resource) && same(meant.partition, arn.partition);
        return (is_same && flaw.is_none()).then_some(Slip::WrongAccount);
    }
    if same(meant.name(), arn.name()) {
        let is_user = arn.kind() == PrincipalKind::User && !same(meant.resource, arn.resource);
        return is_user.then_some(Slip::UserPath);
    }
    match (sso_permission_set(meant.name()), sso_permission_set(arn.name())) {
        (Some(mapped), Some(own)) => same(mapped, own).then_some(Slip::SsoSuffix),
        (None, None) if flaw.is_none() && meant.path().is_none() => {
            is_typo(&meant.name().to_lowercase(), &arn.name().to_lowercase()).then_some(Slip::NameTypo)
        }
        _ => None,
    }
}

/// A word without what the eye does not see: blanks, invisible characters, quotes and brackets around it; dashes and letters that
/// only look like those of ASCII become them.
pub(crate) fn plain(text: &str) -> String {
    let letters: String = text.chars().filter_map(plain_letter).collect();
    let around = |c: char| matches!(c, '"' | '\'' | '`' | '<' | '>' | '«' | '»' | '\u{2018}'..='\u{201f}');
    letters.trim_matches(around).to_owned()
}

fn plain_letter(c: char) -> Option<char> {
    const ALIKE: [(&str, &str); 2] = [
        ("аеорсхуіјѕԁһӏАВЕКМНОРСТХУІЈЅ", "aeopcxyijsdhlABEKMHOPCTXYIJS"),
        ("οναΑΒΕΗΙΚΜΝΟΡΤΥΧΖıſK", "ovaABEHIKMNOPTYXZisK"),
    ];
    match c {
        '\u{ad}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => None,
        _ if c.is_whitespace() || c.is_control() => None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => Some('-'),
        // Full-width forms are ASCII at another place.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        _ if c.is_ascii() => Some(c),
        _ => {
            let found = ALIKE
                .iter()
                .find_map(|(from, to)| from.chars().zip(to.chars()).find(|(own, _)| *own == c));
            Some(found.map_or(c, |(_, ascii)| ascii))
        }
    }
}

/// Whether one letter, or hyphens for underscores, makes one name of the other; short names differ by chance, and a digit that differs
/// tells two names apart on purpose: worker-1 and worker-2.
fn is_typo(a: &str, b: &str) -> bool {
    if a == b || a.len().min(b.len()) < 5 {
        return false;
    }
    if a.replace('_', "-") == b.replace('_', "-") {
        return true;
    }
    let prefix = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let is_digit = |word: &str| word.chars().nth(prefix).is_some_and(|c| c.is_ascii_digit());
    !is_digit(a) && !is_digit(b) && is_one_edit(a, b)
}

/// Whether one letter added, taken away, changed, or two that swap make one word of the other.
pub(crate) fn is_one_edit(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let prefix = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[prefix..], &b[prefix..]);
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Equal => {
            let is_swap = a.len() >= 2 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..];
            is_swap || (!a.is_empty() && a[1..] == b[1..])
        }
        std::cmp::Ordering::Greater => a[1..] == *b,
        std::cmp::Ordering::Less => b[1..] == *a,
    }
}

#[cfg(test)]
mod tests {
    use eksplain_parse::aws_auth::{AwsAuthData, parse};

    use super::*;

    const HOME: Home<'static> = Home {
        partition: Some("aws"),
        account: "111122223333",
    };

    fn mapped(arn: &str) -> AwsAuth {
        let yaml = format!("- rolearn: {}\n  username: x\n", serde_json::json!(arn));
        parse(&AwsAuthData {
            map_roles: Some(&yaml),
            ..AwsAuthData::default()
        })
    }

    #[test]
    fn a_mapping_that_matches_nobody_has_its_slip_and_the_arn_that_was_meant() {
        let ops = Some("arn:aws:iam::111122223333:role/Ops");
        for (arn, slip, meant) in [
            ("arn:aws:iam::111122223333:role/Ops ", Slip::Spelling, ops),
            (" arn:aws:iam::111122223333:role/Ops", Slip::Spelling, ops),
            ("arn:aws:iam::111122223333:role/O\u{200b}ps", Slip::Spelling, ops),
            ("“arn:aws:iam::111122223333:role/Ops”", Slip::Spelling, ops),
            ("<arn:aws:iam::111122223333:role/Ops>", Slip::Spelling, ops),
            ("arn:aws:iam::111122223333:role/Орs", Slip::Spelling, ops),
            ("arn:aws:iam::111122223333:role/team/Ops\t", Slip::Spelling, ops),
            (
                "arn:aws:iam::111122223333:role/team—ops",
                Slip::Spelling,
                Some("arn:aws:iam::111122223333:role/team-ops"),
            ),
            ("arn:aws:iam::11112222333:role/Ops", Slip::InvalidAccount, ops),
            ("arn:aws:iam::1111222233334:role/Ops", Slip::InvalidAccount, ops),
            ("arn:aws:iam:::role/Ops", Slip::InvalidAccount, ops),
            ("arn:aws:iam::99:role/Ops", Slip::InvalidAccount, None),
            ("arn:aws:iam::111122223333:role/team/Ops", Slip::RolePath, ops),
            ("arn:aws:iam::111122223333:role/Ops/", Slip::RolePath, ops),
            ("arn:aws-cn:iam::111122223333:role/team/Ops", Slip::RolePath, ops),
            (
                "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_A_0123456789abcdef",
                Slip::SsoPath,
                Some("arn:aws:iam::111122223333:role/AWSReservedSSO_A_0123456789abcdef"),
            ),
            (
                "arn:aws:sts::111122223333:assumed-role/Ops/me",
                Slip::AssumedRoleArn,
                ops,
            ),
            ("arn:aws:sts::111122223333:assumed-role/Ops", Slip::AssumedRoleArn, ops),
            ("arn:aws-cn:iam::111122223333:role/Ops", Slip::Partition, ops),
            ("arn:amazon:iam::111122223333:role/Ops", Slip::Partition, ops),
            ("arn:aws:iam::111122223333:role/O*", Slip::Wildcard, None),
            ("arn:aws:iam::111122223333:group/Ops", Slip::NoPrincipal, None),
            (
                "arn:aws:iam::111122223333:instance-profile/Ops",
                Slip::NoPrincipal,
                None,
            ),
            ("arn:aws:iam:eu-west-1:111122223333:role/Ops", Slip::InvalidArn, ops),
            ("arn:aws:eks::111122223333:cluster/Ops", Slip::InvalidArn, None),
            ("arn:aws:iam::111122223333:role/O(ps)", Slip::InvalidArn, None),
            ("Ops", Slip::InvalidArn, None),
        ] {
            let auth = mapped(arn);
            let found = flaw(&auth.mappings[0], HOME).unwrap_or_else(|| panic!("{arn} is not flawed"));
            assert_eq!((found.slip, found.meant.as_deref()), (slip, meant), "{arn}");
            assert!(slip.rule().is_some(), "{arn}");
        }
    }

    #[test]
    fn what_can_match_has_no_flaw() {
        for arn in [
            "arn:aws:iam::111122223333:role/Ops",
            "ARN:AWS:IAM::111122223333:Role/Ops",
            "arn:aws:iam::444455556666:user/ops/ann",
            "arn:aws:iam::111122223333:root",
            "arn:aws:sts::111122223333:federated-user/bob",
            "arn:aws:iam::111122223333:role/\u{212a}iosk",
        ] {
            assert_eq!(flaw(&mapped(arn).mappings[0], HOME), None, "{arn}");
        }
        let unknown = Home {
            partition: None,
            account: "",
        };
        assert_eq!(
            flaw(&mapped("arn:aws-cn:iam::111122223333:role/Ops").mappings[0], unknown),
            None
        );
    }

    #[test]
    fn each_near_miss_has_its_name() {
        let role = "arn:aws:iam::111122223333:role/Deployer";
        let sso = "arn:aws:iam::111122223333:role/AWSReservedSSO_Admin_0123456789abcdef";
        let ann = "arn:aws:iam::111122223333:user/ops/ann";
        for (mapped_arn, caller, expected) in [
            (
                "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0123456789abcdef",
                sso,
                Some("sso-path"),
            ),
            ("arn:aws:iam::111122223333:role/ci/Deployer", role, Some("role-path")),
            ("arn:aws:iam::111122223333:user/ann", ann, Some("user-path")),
            (
                "arn:aws:sts::111122223333:assumed-role/Deployer/me",
                role,
                Some("assumed-role-arn"),
            ),
            ("arn:aws:iam::444455556666:role/Deployer", role, Some("wrong-account")),
            ("arn:aws:iam::11112222333:role/Deployer", role, Some("wrong-account")),
            ("arn:aws-cn:iam::111122223333:role/Deployer", role, Some("partition")),
            ("arn:aws:iam::111122223333:role/Dep*", role, Some("wildcard")),
            ("arn:aws:iam::111122223333:role/Other*", role, None),
            (
                "arn:aws:iam::111122223333:role/AWSReservedSSO_Admin_fedcba9876543210",
                sso,
                Some("sso-suffix"),
            ),
            ("arn:aws:iam::111122223333:role/Deployer ", role, Some("whitespace")),
            ("arn:aws:iam::111122223333:role/Dеployer", role, Some("whitespace")),
            ("arn:aws:iam::111122223333:role/Depolyer", role, Some("name-typo")),
            ("arn:aws:iam::111122223333:group/Deployer", role, Some("group-arn")),
            (
                "arn:aws:iam::111122223333:instance-profile/Deployer",
                role,
                Some("group-arn"),
            ),
            ("arn:aws:iam::111122223333:group/admins", ann, Some("group-arn")),
            ("arn:aws:iam::444455556666:group/admins", ann, None),
            ("arn:aws:iam::111122223333:group/admins", role, None),
            ("arn:aws:iam::111122223333:role/Other", role, None),
            (
                "arn:aws:iam::111122223333:role/worker-1",
                "arn:aws:iam::111122223333:role/worker-2",
                None,
            ),
        ] {
            let auth = mapped(mapped_arn);
            let found = nearest(&auth, caller).map(|miss| miss.slip.reason());
            assert_eq!(
                found.and_then(|reason| reason.id().strip_prefix("authn.near-miss.")),
                expected,
                "{mapped_arn} for {caller}"
            );
        }
    }
}
