//! Amazon Resource Names of principals: parts, the form of answers, the form that the authenticator compares.
//!
//! Rule: aws-iam-authenticator, `pkg/arn/arn.go` (`Canonicalize`, `StripPath`) and `pkg/mapper/configmap/mapper.go`.
//!
//! ```
//! use eksplain_parse::arn::Arn;
//! let arn = Arn::parse("arn:aws:sts::111122223333:assumed-role/Admin/alice").unwrap();
//! assert_eq!(arn.canonical().unwrap(), "arn:aws:iam::111122223333:role/Admin");
//! assert_eq!(arn.session(), Some("alice"));
//! ```

use std::borrow::Cow;

use nom::bytes::complete::{tag, take_till};
use nom::{IResult, Parser};
use percent_encoding::percent_decode_str;

/// The partitions that the authenticator accepts.
pub const PARTITIONS: [&str; 8] = [
    "aws",
    "aws-cn",
    "aws-us-gov",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
    "aws-eusc",
];

/// An ARN taken apart; every part borrows from the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// `iam`, `sts`, `eks`, …
    pub service: &'a str,
    /// Empty for IAM.
    pub region: &'a str,
    /// Account id as written: leading zeros stay.
    pub account: &'a str,
    /// Everything after the fifth colon.
    pub resource: &'a str,
}

/// What kind of principal an ARN names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// `iam::A:role/…`
    Role,
    /// `iam::A:user/…`
    User,
    /// `iam::A:root`
    Root,
    /// `sts::A:assumed-role/R/S`
    AssumedRole,
    /// `sts::A:federated-user/N`
    FederatedUser,
    /// `iam::A:group/…`, which is no principal
    Group,
    /// `iam::A:instance-profile/…`, which is no principal
    InstanceProfile,
    /// Anything else
    Other,
}

/// Why a text is no ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// It does not begin with `arn:`.
    #[error("an ARN begins with `arn:`")]
    NoPrefix,
    /// Fewer than five colons.
    #[error("an ARN has six parts between colons")]
    TooFewParts,
}

impl<'a> Arn<'a> {
    /// Takes an ARN apart.
    ///
    /// # Errors
    /// [`ArnError`] where the text does not begin with `arn:` or has fewer than six parts. Parts may hold anything.
    pub fn parse(text: &'a str) -> Result<Arn<'a>, ArnError> {
        if !text.starts_with("arn:") {
            return Err(ArnError::NoPrefix);
        }
        let (resource, (partition, service, region, account)) = parts(text).map_err(|_| ArnError::TooFewParts)?;
        Ok(Arn {
            partition,
            service,
            region,
            account,
            resource,
        })
    }

    /// The kind of principal.
    pub fn kind(&self) -> PrincipalKind {
        let noun = self.resource.split('/').next().unwrap_or_default();
        match (self.service, noun) {
            ("iam", "role") => PrincipalKind::Role,
            ("iam", "user") => PrincipalKind::User,
            ("iam", "root") => PrincipalKind::Root,
            ("iam", "group") => PrincipalKind::Group,
            ("iam", "instance-profile") => PrincipalKind::InstanceProfile,
            ("sts", "assumed-role") => PrincipalKind::AssumedRole,
            ("sts", "federated-user") => PrincipalKind::FederatedUser,
            _ => PrincipalKind::Other,
        }
    }

    /// The name without noun, path and session: `Admin` of `role/team/Admin` and of `assumed-role/Admin/alice`.
    pub fn name(&self) -> &'a str {
        match self.kind() {
            PrincipalKind::AssumedRole => {
                let role = self.resource.strip_prefix("assumed-role/").unwrap_or(self.resource);
                let role = role.rsplit_once('/').map_or(role, |(role, _)| role);
                role.rsplit('/').next().unwrap_or(role)
            }
            _ => self.resource.rsplit('/').next().unwrap_or(self.resource),
        }
    }

    /// The path of a user or role, with both slashes: `/team/`; `None` where there is none.
    pub fn path(&self) -> Option<&'a str> {
        if !matches!(self.kind(), PrincipalKind::User | PrincipalKind::Role) {
            return None;
        }
        let first = self.resource.find('/')?;
        let last = self.resource.rfind('/')?;
        (last > first).then(|| &self.resource[first..=last])
    }

    /// The role session of an assumed role.
    pub fn session(&self) -> Option<&'a str> {
        let rest = self
            .resource
            .strip_prefix("assumed-role/")
            .filter(|_| self.service == "sts")?;
        rest.rsplit_once('/').map(|(_, session)| session)
    }

    /// The form of answers: role session and path removed. `None` where the ARN names no principal.
    pub fn canonical(&self) -> Option<String> {
        let noun = match self.kind() {
            PrincipalKind::Role | PrincipalKind::AssumedRole => "role",
            PrincipalKind::User => "user",
            PrincipalKind::Root => return Some(format!("arn:{}:iam::{}:root", self.partition, self.account)),
            PrincipalKind::FederatedUser => return Some(self.to_string()),
            _ => return None,
        };
        Some(format!(
            "arn:{}:iam::{}:{noun}/{}",
            self.partition,
            self.account,
            self.name()
        ))
    }

    /// The form that the authenticator compares, letters lowered: an assumed role becomes its role; a user's path stays;
    /// a role ARN stays as it is written, so that a role mapping with a path matches nobody.
    pub fn matching(&self) -> Option<String> {
        let text = match self.kind() {
            PrincipalKind::AssumedRole => {
                let rest = self.resource.strip_prefix("assumed-role/")?;
                let role = rest.rsplit_once('/').map(|(role, _)| role)?;
                format!("arn:{}:iam::{}:role/{role}", self.partition, self.account)
            }
            PrincipalKind::Role | PrincipalKind::User | PrincipalKind::Root | PrincipalKind::FederatedUser => {
                self.to_string()
            }
            _ => return None,
        };
        Some(text.to_lowercase())
    }

    /// For a role that IAM Identity Center made: the permission set's name, `AWSReservedSSO_<name>_<16 hex>`.
    pub fn sso_permission_set(&self) -> Option<&'a str> {
        if !matches!(self.kind(), PrincipalKind::Role | PrincipalKind::AssumedRole) {
            return None;
        }
        sso_permission_set(self.name())
    }
}

impl std::fmt::Display for Arn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "arn:{}:{}:{}:{}:{}",
            self.partition, self.service, self.region, self.account, self.resource
        )
    }
}

/// The permission set in a role name of the form `AWSReservedSSO_<name>_<16 hex>`; the name may hold underscores.
pub fn sso_permission_set(role_name: &str) -> Option<&str> {
    const PREFIX: &str = "AWSReservedSSO_";
    let head = role_name.get(..PREFIX.len())?;
    let rest = head.eq_ignore_ascii_case(PREFIX).then(|| &role_name[PREFIX.len()..])?;
    let (set, suffix) = rest.rsplit_once('_')?;
    (suffix.len() == 16 && suffix.bytes().all(|b| b.is_ascii_hexdigit())).then_some(set)
}

/// The canonical ARN of a text, borrowed where it already is canonical; `None` where it names no principal.
pub fn canonical_arn(text: &str) -> Option<Cow<'_, str>> {
    let arn = Arn::parse(text).ok()?;
    let is_canonical = match arn.kind() {
        PrincipalKind::Role | PrincipalKind::User => {
            arn.resource.bytes().filter(|b| *b == b'/').count() == 1 && arn.region.is_empty()
        }
        PrincipalKind::Root | PrincipalKind::FederatedUser => true,
        PrincipalKind::AssumedRole => false,
        _ => return None,
    };
    if is_canonical {
        Some(Cow::Borrowed(text))
    } else {
        arn.canonical().map(Cow::Owned)
    }
}

/// Undoes percent-encoding once, and only where the text is an encoded ARN (`arn%3Aaws…`), as path parameters in
/// CloudTrail are; anything else comes back as it is.
pub fn decode_percent(text: &str) -> Cow<'_, str> {
    let encoded = text.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("arn%3A"));
    if !encoded {
        return Cow::Borrowed(text);
    }
    percent_decode_str(text).decode_utf8().unwrap_or(Cow::Borrowed(text))
}

fn part(input: &str) -> IResult<&str, &str> {
    let (rest, text) = take_till(|c| c == ':')(input)?;
    let (rest, _) = tag(":")(rest)?;
    Ok((rest, text))
}

fn parts(input: &str) -> IResult<&str, (&str, &str, &str, &str)> {
    let (rest, _) = tag("arn:")(input)?;
    (part, part, part, part).parse(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_comparison_use_different_forms() {
        let check = |text: &str, canonical: Option<&str>, matching: Option<&str>| {
            let arn = Arn::parse(text).unwrap();
            assert_eq!(arn.canonical().as_deref(), canonical, "{text}");
            assert_eq!(arn.matching().as_deref(), matching, "{text}");
            assert_eq!(canonical_arn(text).as_deref(), canonical, "{text}");
        };
        let role = "arn:aws:iam::111122223333:role/Admin";
        check(
            "arn:aws:sts::111122223333:assumed-role/Admin/alice",
            Some(role),
            Some("arn:aws:iam::111122223333:role/admin"),
        );
        check(
            "arn:aws:iam::111122223333:role/team/Admin",
            Some(role),
            Some("arn:aws:iam::111122223333:role/team/admin"),
        );
        check(
            "arn:aws:iam::111122223333:user/x/Bob",
            Some("arn:aws:iam::111122223333:user/Bob"),
            Some("arn:aws:iam::111122223333:user/x/bob"),
        );
        check(
            "arn:aws-cn:iam::011122223333:root",
            Some("arn:aws-cn:iam::011122223333:root"),
            Some("arn:aws-cn:iam::011122223333:root"),
        );
        let federated = "arn:aws:sts::111122223333:federated-user/bob";
        check(federated, Some(federated), Some(federated));
        check("arn:aws:iam::111122223333:group/devs", None, None);
        assert_eq!(Arn::parse("role/x"), Err(ArnError::NoPrefix));
        assert_eq!(Arn::parse("arn:aws:iam"), Err(ArnError::TooFewParts));
    }

    #[test]
    fn a_permission_set_may_hold_underscores() {
        assert_eq!(
            sso_permission_set("AWSReservedSSO_devops_admin_595c0f4da82205f0"),
            Some("devops_admin")
        );
        assert_eq!(sso_permission_set("AWSReservedSSO_devops_admin"), None);
    }

    #[test]
    fn an_encoded_arn_is_decoded_once() {
        assert_eq!(
            decode_percent("arn%3Aaws%3Aiam%3A%3A1%3Arole%2FX"),
            "arn:aws:iam::1:role/X"
        );
        assert_eq!(decode_percent("arn%3Aa%253A"), "arn:a%3A");
        assert_eq!(decode_percent("50%25"), "50%25");
    }

    #[test]
    fn the_tables_of_the_authenticator_hold() {
        let Ok(folder) = std::env::var("EKSPLAIN_REAL_DATA") else {
            eprintln!("skipped: EKSPLAIN_REAL_DATA is not set");
            return;
        };
        let path = format!("{folder}/data/peer-cases/authenticator-identities.json");
        let facts: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for case in facts["canonicalize"].as_array().unwrap() {
            let Some(expected) = case["canonical"].as_str() else {
                continue;
            };
            let found = Arn::parse(case["arn"].as_str().unwrap()).unwrap().matching();
            assert_eq!(found, Some(expected.to_lowercase()), "{case}");
        }
        for case in facts["strip_role_path"].as_array().unwrap() {
            let Some(expected) = case["stripped"].as_str() else {
                continue;
            };
            assert_eq!(
                canonical_arn(case["arn"].as_str().unwrap()).as_deref(),
                Some(expected),
                "{case}"
            );
        }
        for partition in facts["partitions"].as_array().unwrap() {
            assert!(PARTITIONS.contains(&partition.as_str().unwrap()));
        }
    }
}
