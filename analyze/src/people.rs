//! The person behind a session: followed back key by key, until somebody with a name begins the chain.
//!
//! Rule: the session's key is `responseElements.credentials.accessKeyId` of the STS call that issued it, whose caller is the link
//! before. `sourceIdentity` survives the whole chain.

use eksplain_parse::arn::Arn;
use eksplain_queries::facts::{CloudTrailCall, SessionSeen};

use crate::evidence;
use crate::findings::Evidence;
use crate::json;
use crate::state::World;

/// Links that are followed.
const HOPS: usize = 5;

/// Who began a chain of sessions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Person {
    /// As a person would say it: user name, Identity Center name, subject of a web identity.
    pub(crate) name: String,
    /// Whose rights they used to begin: canonical ARN; `None` for identities outside AWS.
    pub(crate) principal: Option<String>,
    /// The calls that issued the sessions, the last first.
    pub(crate) evidence: Vec<Evidence>,
}

/// The links behind a call, the last first, and the name that the chain leads to.
pub(crate) fn links<'w>(world: &'w World<'_>, call: &'w CloudTrailCall) -> (Vec<&'w CloudTrailCall>, Option<String>) {
    let mut links = Vec::new();
    let mut link = call;
    for _ in 0..HOPS {
        if let Some(person) = &link.source_identity {
            return (links, Some(person.clone()));
        }
        let Some(issued) = link.access_key_id.as_deref().and_then(|key| world.index.issue_of(key)) else {
            break;
        };
        // A key that issues itself would go round for ever.
        if links.iter().any(|known: &&CloudTrailCall| known.at == issued.at) {
            break;
        }
        links.push(issued);
        link = issued;
        if is_outside(issued) {
            break;
        }
    }
    (links, name_of(link))
}

/// Who was given a key; `None` where no record says who asked for it.
pub(crate) fn of_key(world: &World<'_>, key: &str) -> Option<Person> {
    let issued = world.index.issue_of(key)?;
    let (mut chain, name) = if is_outside(issued) {
        (Vec::new(), name_of(issued))
    } else {
        links(world, issued)
    };
    let request = json::parse(issued.request_parameters.as_deref());
    let name = json::text(&request, &["sourceIdentity"]).map(str::to_owned).or(name)?;
    chain.insert(0, issued);
    let first = chain.last()?;
    let principal = first
        .canonical_arn
        .as_deref()
        .and_then(|arn| world.spellings.canonical(arn));
    // A session that a tool named is nobody's name.
    (!is_generic(&name)).then(|| Person {
        name,
        principal,
        evidence: chain.iter().map(|issued| issue(issued)).collect(),
    })
}

/// Evidence of a link.
pub(crate) fn issue(issued: &CloudTrailCall) -> Evidence {
    evidence::cloudtrail(&issued.at, format!("{} issued the session", issued.event_name))
}

/// A session as answers name it: the person, where its name is one that a tool gave and a record shows who was given its key.
pub(crate) fn shown(world: &World<'_>, row: &SessionSeen) -> Option<String> {
    let session = row.session.as_deref().filter(|session| !session.is_empty())?;
    Some(named(world, session, row.access_key_id.as_deref()))
}

/// The same of a session and its key.
pub(crate) fn named(world: &World<'_>, session: &str, key: Option<&str>) -> String {
    let person = key.filter(|_| is_generic(session)).and_then(|key| of_key(world, key));
    person.map_or_else(|| session.to_owned(), |person| person.name)
}

/// Whether a tool chose the name of a session: the AWS CLI and SDKs, `aws eks get-token --role-arn`, CI, a number.
pub(crate) fn is_generic(session: &str) -> bool {
    const NAMES: [&str; 6] = [
        "EKSGetTokenAuth",
        "GitHubActions",
        "AWSCLI-Session",
        "AWSCloudFormation",
        "aws-cli-session",
        "default_session",
    ];
    const PREFIXES: [&str; 7] = [
        "botocore-session-",
        "aws-go-sdk-",
        "aws-sdk-",
        "AWSCodeBuild-",
        "GitLabRunner",
        "terraform-",
        "TerraformSession",
    ];
    NAMES.contains(&session)
        || PREFIXES.iter().any(|prefix| session.starts_with(prefix))
        || session.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'))
}

/// Identities outside AWS: nothing stands before them.
fn is_outside(issued: &CloudTrailCall) -> bool {
    matches!(
        issued.event_name.as_str(),
        "AssumeRoleWithSAML" | "AssumeRoleWithWebIdentity"
    )
}

/// Who a caller is, in the words that a person would use.
fn name_of(call: &CloudTrailCall) -> Option<String> {
    let by_arn = || {
        let arn = call.arn.as_deref().and_then(|arn| Arn::parse(arn).ok());
        arn.map(|arn| arn.name().to_owned())
    };
    match call.principal_type.as_deref() {
        Some("Root") => Some("the root user".to_owned()),
        Some("IAMUser") => call.user_name.clone().or_else(by_arn),
        Some("SAMLUser" | "WebIdentityUser" | "IdentityCenterUser") => {
            call.user_name.clone().or_else(|| call.principal_id.clone())
        }
        Some("FederatedUser") => by_arn(),
        _ => call.session.clone().filter(|session| session != "AWSCloudFormation"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_tools_choose_are_nobodys() {
        for name in [
            "EKSGetTokenAuth",
            "botocore-session-1716200000",
            "aws-go-sdk-1716200000000000000",
            "1716200000",
            "GitHubActions",
        ] {
            assert!(is_generic(name), "{name}");
        }
        for name in [
            "alice@example.com",
            "alice",
            "i-0123456789abcdef0",
            "eks-prod-web-6f1c",
            "deploy",
            "session-of-ann",
        ] {
            assert!(!is_generic(name), "{name}");
        }
    }
}
