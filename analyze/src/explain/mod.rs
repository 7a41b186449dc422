//! What an error message means: which layer says it, why, and what helps.
//!
//! The catalogue is data (`catalogue.rs`). A text is pasted from a terminal: prefixes of log libraries, repeats, wrapped lines and
//! typographic quotes are folded away first. Several patterns may fit: the innermost cause comes first, carriers that only wrap
//! another message come last.

use std::sync::LazyLock;

use eksplain_parse::denied::{Cause, PolicyKind, parse_message};
use regex::{Regex, RegexBuilder};

mod catalogue;

/// One pattern that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Id in the catalogue: `E05`.
    pub pattern: &'static str,
    /// `iam`, `sts`, `eks`, `authn`, `authz`, `admission`, `apiserver` or `client`.
    pub layer: &'static str,
    /// Id of the denial taxonomy.
    pub reason: &'static str,
    /// What it means, in a sentence.
    pub meaning: &'static str,
    /// What usually causes it.
    pub causes: Vec<&'static str>,
    /// Commands and advice.
    pub fix: Vec<&'static str>,
    /// Logs that would tell more; empty where none does.
    pub logs_to_look_in: Vec<&'static str>,
}

/// One row of the catalogue.
struct Entry {
    id: &'static str,
    pattern: &'static str,
    /// It wraps another message, which decides.
    is_carrier: bool,
    reason: &'static str,
    meaning: &'static str,
    causes: &'static [&'static str],
    fix: &'static [&'static str],
    logs: &'static [&'static str],
}

static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let compile = |entry: &Entry| RegexBuilder::new(entry.pattern).case_insensitive(true).build();
    catalogue::ENTRIES
        .iter()
        .map(|entry| compile(entry).expect("a test compiles every pattern"))
        .collect()
});

/// Everything in the catalogue that fits a pasted text, best first; empty where nothing does.
pub fn explain(text: &str) -> Vec<Explanation> {
    let text = fold(text);
    let mut found: Vec<(bool, std::cmp::Reverse<usize>, usize)> = Vec::new();
    for (at, (entry, pattern)) in catalogue::ENTRIES.iter().zip(PATTERNS.iter()).enumerate() {
        // The last place counts: what stands further back is further in.
        if let Some(place) = pattern.find_iter(&text).last() {
            found.push((entry.is_carrier, std::cmp::Reverse(place.start()), at));
        }
    }
    found.sort_unstable();
    found
        .into_iter()
        .map(|(_, _, at)| explanation(&catalogue::ENTRIES[at], &text))
        .collect()
}

fn explanation(entry: &Entry, text: &str) -> Explanation {
    let reason = match entry.id {
        "E42" | "E04" | "E07" => reason_of_refusal(text).unwrap_or(entry.reason),
        "E16" if text.contains("User \"system:anonymous\"") => "authz.anonymous",
        _ => entry.reason,
    };
    Explanation {
        pattern: entry.id,
        layer: reason.split('.').next().unwrap_or_default(),
        reason,
        meaning: entry.meaning,
        causes: entry.causes.to_vec(),
        fix: entry.fix.to_vec(),
        logs_to_look_in: entry.logs.to_vec(),
    }
}

/// The reason that AWS's own clause names.
fn reason_of_refusal(text: &str) -> Option<&'static str> {
    let message = parse_message(text)?;
    let is_pass_role = message.action == "iam:PassRole";
    Some(match message.cause {
        Cause::NoAllow(PolicyKind::RoleTrust) | Cause::ExplicitDeny(PolicyKind::RoleTrust, _) => "sts.trust-policy",
        Cause::NoAllow(PolicyKind::Identity) | Cause::Unsaid if is_pass_role => "iam.pass-role",
        Cause::NoAllow(PolicyKind::Identity) => "iam.identity-policy.missing",
        Cause::NoAllow(PolicyKind::ServiceControl) => "iam.scp",
        Cause::ExplicitDeny(PolicyKind::ServiceControl, _) => "iam.scp.explicit",
        Cause::NoAllow(PolicyKind::ResourceControl) | Cause::ExplicitDeny(PolicyKind::ResourceControl, _) => "iam.rcp",
        Cause::NoAllow(PolicyKind::PermissionsBoundary) | Cause::ExplicitDeny(PolicyKind::PermissionsBoundary, _) => {
            "iam.permissions-boundary"
        }
        Cause::NoAllow(PolicyKind::Session) | Cause::ExplicitDeny(PolicyKind::Session, _) => "iam.session-policy",
        Cause::NoAllow(PolicyKind::Resource) => "iam.resource-policy",
        Cause::NoAllow(PolicyKind::VpcEndpoint) | Cause::ExplicitDeny(PolicyKind::VpcEndpoint, _) => {
            "iam.vpc-endpoint-policy"
        }
        Cause::ExplicitDeny(..) => "iam.explicit-deny",
        Cause::Unsaid if message.action == "sts:AssumeRole" => "sts.trust-policy",
        Cause::NoAllow(_) | Cause::Unsaid => "iam.identity-policy.unknown",
    })
}

/// A pasted text as one line of plain characters.
fn fold(text: &str) -> String {
    static KLOG: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"[EWIF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w.]+:\d+\] ?("Unhandled Error" err=)?"#)
            .expect("a test compiles it")
    });
    let text = KLOG.replace_all(text, " ");
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2018}' | '\u{2019}' => folded.push('\''),
            '\u{201c}' | '\u{201d}' => folded.push('"'),
            c if c.is_whitespace() => {
                if !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            c => folded.push(c),
        }
    }
    folded.replace("\\\"", "\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_every_id_is_its_own() {
        assert_eq!(PATTERNS.len(), catalogue::ENTRIES.len());
        let mut ids: Vec<_> = catalogue::ENTRIES.iter().map(|entry| entry.id).collect();
        ids.dedup();
        assert_eq!(ids.len(), catalogue::ENTRIES.len());
    }

    #[test]
    fn messages_of_the_article_are_known() {
        for (text, pattern, reason) in [
            (
                "error: You must be logged in to the server (Unauthorized)",
                "E05",
                "authn.not-mapped",
            ),
            (
                "error: You must be logged in to the server (the server has asked for the client to provide credentials)",
                "E06",
                "authn.not-mapped",
            ),
            (
                "Error: unable to describe cluster control plane: operation error EKS: DescribeCluster, AccessDeniedException",
                "E07",
                "iam.identity-policy.missing",
            ),
            (
                "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
                "E14",
                "client.kubeconfig.missing",
            ),
            (
                "Unable to connect to the server: dial tcp 172.16.0.5:443: i/o timeout",
                "E11",
                "client.network.timeout",
            ),
            (
                "Unable to connect to the server: x509: certificate is valid for *.example.com, not ABC.gr7.eu-west-1.eks.amazonaws.com",
                "E10",
                "client.tls.name",
            ),
            (
                "Your current user or role does not have access to Kubernetes objects on this EKS cluster.",
                "E08",
                "authn.not-mapped",
            ),
            (
                "Error from server (Forbidden): pods is forbidden: User \"ann\" cannot list resource \"pods\" in API group \"\" in the namespace \"dev\"",
                "E16",
                "authz.rbac.no-binding",
            ),
            (
                "Error from server (Forbidden): pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\"",
                "E16",
                "authz.anonymous",
            ),
            (
                "aws: error: the following arguments are required: --name",
                "E58",
                "client.cli.usage",
            ),
            (
                "An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::111122223333:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/x",
                "E42",
                "sts.trust-policy",
            ),
        ] {
            let first = explain(text)
                .into_iter()
                .next()
                .unwrap_or_else(|| panic!("nothing explains {text}"));
            assert_eq!((first.pattern, first.reason), (pattern, reason), "{text}");
        }
    }

    #[test]
    fn the_inner_cause_comes_before_its_carrier() {
        let text = "E0227 18:20:14.383530   26126 memcache.go:265] \"Unhandled Error\" err=\"couldn't get current server API group list: the server has asked for the client to provide credentials\"\n\
                    error: You must be logged in to the server (the server has asked for the client to provide credentials)";
        let found: Vec<_> = explain(text)
            .into_iter()
            .map(|explanation| explanation.pattern)
            .collect();
        assert_eq!(
            (found.first(), found.contains(&"E03")),
            (Some(&"E06"), true),
            "{found:?}"
        );
        assert!(explain("all is well").is_empty());
    }
}
