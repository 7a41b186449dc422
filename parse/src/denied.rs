//! The sentences with which AWS refuses a call: who, which action, on what, and which kind of policy decided.
//!
//! Rule: IAM User Guide, "Troubleshoot access denied error messages"; the clause after the resource exists since 2021.
//! The scanner is linear and takes the marks in AWS's own order; resource text is the caller's choice and is only cut out.

/// What a refusal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedMessage<'a> {
    /// Caller, as AWS wrote it.
    pub principal: &'a str,
    /// `eks:DescribeCluster`: may differ from the event's own name.
    pub action: &'a str,
    /// ARN, `*`, or another spelling of the resource.
    pub resource: Option<&'a str>,
    /// Which policy decided.
    pub cause: Cause<'a>,
}

/// Which policy decided, as far as AWS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause<'a> {
    /// `because no <kind> allows the … action`.
    NoAllow(PolicyKind),
    /// `with an explicit deny in a <kind>`, and the policy's ARN where it is named.
    ExplicitDeny(PolicyKind, Option<&'a str>),
    /// Nothing said.
    Unsaid,
}

/// Kinds of policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are AWS's own")]
pub enum PolicyKind {
    Identity,
    Resource,
    ServiceControl,
    ResourceControl,
    PermissionsBoundary,
    Session,
    VpcEndpoint,
    RoleTrust,
    /// A kind that is not in the list, or none named.
    Other,
}

const MARK: &str = " is not authorized to perform: ";

/// Reads a refusal, or `None` where the text is another sentence.
pub fn parse_message(text: &str) -> Option<DeniedMessage<'_>> {
    let mark = text.find(MARK)?;
    let head = &text[..mark];
    // Some services leave `User:` out: then the principal is the last word.
    let principal = match head.rfind("User: ") {
        Some(at) => head[at + 6..].trim(),
        None => head.split_whitespace().next_back().unwrap_or_default(),
    };
    let rest = &text[mark + MARK.len()..];
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '*')))
        .unwrap_or(rest.len());
    let action = &rest[..end];
    if !action.contains(':') {
        return None;
    }
    let mut rest = &rest[end..];
    if let Some(cut) = rest.rfind(" Encoded authorization failure message:") {
        rest = rest[..cut].trim_end_matches(['.', ' ']);
    }
    let (body, cause) = split_cause(rest);
    let resource = body
        .trim_start()
        .strip_prefix("on resource: ")
        .map(|r| r.trim_end_matches(['.', ' ']));
    Some(DeniedMessage {
        principal,
        action,
        resource,
        cause,
    })
}

/// Cuts the clause that names the policy off the end.
fn split_cause(rest: &str) -> (&str, Cause<'_>) {
    let because = rest.rfind("because no ");
    let explicit = rest.rfind("with an explicit deny");
    match (because, explicit) {
        (Some(at), other) if other.is_none_or(|o| o < at) => {
            let clause = &rest[at + "because no ".len()..];
            let Some(allows) = clause.find(" allows the ") else {
                return (rest, Cause::Unsaid);
            };
            (rest[..at].trim_end(), Cause::NoAllow(policy_kind(&clause[..allows])))
        }
        (_, Some(at)) => {
            let clause = rest[at + "with an explicit deny".len()..].trim_end_matches('.');
            let (kind, arn) = match clause.find(": arn:") {
                Some(colon) => (&clause[..colon], Some(clause[colon + 2..].trim())),
                None => (clause, None),
            };
            let kind = kind.split(" transitively through ").next().unwrap_or(kind).trim_start();
            let kind = ["in an ", "in a ", "in the "]
                .iter()
                .find_map(|p| kind.strip_prefix(p))
                .unwrap_or(kind);
            (rest[..at].trim_end(), Cause::ExplicitDeny(policy_kind(kind), arn))
        }
        _ => (rest, Cause::Unsaid),
    }
}

fn policy_kind(text: &str) -> PolicyKind {
    match text.trim().to_ascii_lowercase().as_str() {
        "identity-based policy" => PolicyKind::Identity,
        "resource-based policy" => PolicyKind::Resource,
        "service control policy" => PolicyKind::ServiceControl,
        "resource control policy" => PolicyKind::ResourceControl,
        "permissions boundary" => PolicyKind::PermissionsBoundary,
        "session policy" | "sessions policy" => PolicyKind::Session,
        "vpc endpoint policy" => PolicyKind::VpcEndpoint,
        "role trust policy" => PolicyKind::RoleTrust,
        _ => PolicyKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, action: &str, resource: Option<&str>, cause: &Cause<'_>) {
        let found = parse_message(text).unwrap();
        assert_eq!(
            (found.action, found.resource, &found.cause),
            (action, resource, cause),
            "{text}"
        );
    }

    #[test]
    fn each_clause_names_its_policy() {
        let who = "User: arn:aws:sts::111122223333:assumed-role/Dev/ann is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:us-west-2:111122223333:cluster/prod";
        let cluster = Some("arn:aws:eks:us-west-2:111122223333:cluster/prod");
        let no = |kind: &str| format!("{who} because no {kind} allows the eks:DescribeCluster action");
        let deny = |kind: &str| format!("{who} with an explicit deny in {kind}");
        check(who, "eks:DescribeCluster", cluster, &Cause::Unsaid);
        check(
            &no("identity-based policy"),
            "eks:DescribeCluster",
            cluster,
            &Cause::NoAllow(PolicyKind::Identity),
        );
        check(
            &no("permissions boundary"),
            "eks:DescribeCluster",
            cluster,
            &Cause::NoAllow(PolicyKind::PermissionsBoundary),
        );
        check(
            &deny("a service control policy"),
            "eks:DescribeCluster",
            cluster,
            &Cause::ExplicitDeny(PolicyKind::ServiceControl, None),
        );
        let named = deny("a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1");
        let arn = Some("arn:aws:organizations::1:policy/o-1/service_control_policy/p-1");
        check(
            &named,
            "eks:DescribeCluster",
            cluster,
            &Cause::ExplicitDeny(PolicyKind::ServiceControl, arn),
        );
        check(
            &format!("{who} with an explicit deny"),
            "eks:DescribeCluster",
            cluster,
            &Cause::ExplicitDeny(PolicyKind::Other, None),
        );
    }

    #[test]
    fn the_words_around_it_do_not_confuse() {
        let ec2 = "You are not authorized to perform this operation. User: arn:aws:iam::1:user/a is not authorized to perform: ec2:RunInstances on resource: arn:aws:ec2:x because no identity-based policy allows the ec2:RunInstances action. Encoded authorization failure message: AbC-with an explicit deny";
        check(
            ec2,
            "ec2:RunInstances",
            Some("arn:aws:ec2:x"),
            &Cause::NoAllow(PolicyKind::Identity),
        );
        assert_eq!(parse_message("Access Denied"), None);
        let bare = parse_message("Error: prod-Capability is not authorized to perform: eks:ListClusters").unwrap();
        assert_eq!(bare.principal, "prod-Capability");
    }
}
