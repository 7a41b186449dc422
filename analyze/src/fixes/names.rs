//! Names in fixes: the cluster's options, principals as the APIs want them, and unique names for what a fix creates.
//!
//! Rule: the EKS API, IAM policies and `sts:AssumeRole` compare whole ARNs, with the path; aws-auth compares roles without their path
//! and users with it. Objects of Kubernetes have names of RFC 1123 with at most 63 characters.

use eksplain_parse::arn::{Arn, PrincipalKind, sso_permission_set};

use crate::findings::Cluster;
use crate::shell::quote;
use crate::state::World;

/// `REGION` where it is not known.
pub(crate) fn region_of(region: &str) -> String {
    match region {
        "" => "REGION".to_owned(),
        region => quote(region),
    }
}

/// `--cluster-name C --region R`, of the commands about a part of a cluster.
pub(crate) fn of_cluster(cluster: &Cluster) -> String {
    format!(
        "--cluster-name {} --region {}",
        quote(&cluster.name),
        region_of(&cluster.region)
    )
}

/// `--name C --region R`, of the commands about the cluster itself.
pub(crate) fn cluster_itself(cluster: &Cluster) -> String {
    format!(
        "--name {} --region {}",
        quote(&cluster.name),
        region_of(&cluster.region)
    )
}

/// `--cluster C --region R`, of eksctl.
pub(crate) fn of_region(cluster: &Cluster) -> String {
    format!(
        "--cluster {} --region {}",
        quote(&cluster.name),
        region_of(&cluster.region)
    )
}

/// A principal where AWS compares its whole ARN.
#[derive(Debug, Clone)]
pub(crate) struct WholeArn {
    /// The ARN as far as it is known.
    pub(crate) arn: String,
    /// The word of a command: the ARN, or the command that prints it.
    pub(crate) word: String,
    /// Prints the ARN, where no record has it whole: it may have a path.
    pub(crate) print: Option<String>,
}

impl WholeArn {
    /// An ARN that is known to be whole.
    pub(crate) fn known(arn: &str) -> Self {
        Self {
            arn: arn.to_owned(),
            word: quote(arn),
            print: None,
        }
    }

    /// A principal in the form of answers, with the path that some record shows.
    pub(crate) fn of(world: &World<'_>, principal: &str) -> Self {
        if let Some(whole) = world.paths.whole(principal) {
            return Self::known(&whole);
        }
        let print = print(principal);
        let is_sso = Arn::parse(principal).is_ok_and(|arn| sso_permission_set(arn.name()).is_some());
        // Without the path the ARN of a role of Identity Center is surely wrong.
        let word = match &print {
            Some(print) if is_sso => format!("\"$({print})\""),
            _ => quote(principal),
        };
        Self {
            arn: principal.to_owned(),
            word,
            print,
        }
    }

    fn is_printed(&self) -> bool {
        self.word.starts_with("\"$(")
    }

    /// The command that shows the ARN where it is needed.
    pub(crate) fn look(&self) -> Option<&String> {
        self.print.as_ref().filter(|_| !self.is_printed())
    }

    /// The commands, after the one that shows the ARN where it is needed.
    pub(crate) fn before(&self, commands: Vec<String>) -> Vec<String> {
        self.look().cloned().into_iter().chain(commands).collect()
    }

    /// What a title adds where the path is not known.
    pub(crate) fn note(&self) -> &'static str {
        match self.look() {
            Some(_) => "; these logs do not show whether its ARN has a path: use the ARN that aws iam prints",
            None => "",
        }
    }
}

/// The command that prints a principal's ARN.
fn print(principal: &str) -> Option<String> {
    let arn = Arn::parse(principal).ok()?;
    let name = quote(arn.name());
    match arn.kind() {
        PrincipalKind::Role => Some(format!(
            "aws iam get-role --role-name {name} --query Role.Arn --output text"
        )),
        PrincipalKind::User => Some(format!(
            "aws iam get-user --user-name {name} --query User.Arn --output text"
        )),
        _ => None,
    }
}

/// A principal as aws-auth compares it, in IAM's own spelling: a role without its path, a user with it.
pub(crate) fn in_aws_auth(world: &World<'_>, principal: &str) -> String {
    let is_user = Arn::parse(principal).is_ok_and(|arn| arn.kind() == PrincipalKind::User);
    world
        .paths
        .whole(principal)
        .filter(|_| is_user)
        .unwrap_or_else(|| principal.to_owned())
}

/// Where commands about a principal run, for a title: nothing where it is the cluster's own account.
pub(crate) fn elsewhere(cluster_account: &str, principal: &str) -> String {
    match Arn::parse(principal) {
        Ok(arn) if !arn.account.is_empty() && !cluster_account.is_empty() && arn.account != cluster_account => format!(
            " (run in account {cluster_account}, which has the cluster; the principal is of account {}, where aws iam commands run)",
            arn.account
        ),
        _ => String::new(),
    }
}

const LONGEST: usize = 63;

/// A name of RFC 1123 from words; where letters had to go, or `all` says more than is shown, a hash of all makes it unique.
pub(crate) fn unique_name(shown: &[&str], all: &[&str]) -> String {
    let mut name = String::new();
    let mut is_whole = shown == all;
    for c in shown.iter().flat_map(|word| ["-", word]).flat_map(str::chars) {
        let is_plain = c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        // `/` and `.` only join words; anything else is lost.
        is_whole &= is_plain || matches!(c, '/' | '.');
        name.push(if is_plain || c.is_ascii_uppercase() {
            c.to_ascii_lowercase()
        } else {
            '-'
        });
    }
    let parts: Vec<&str> = name.split('-').filter(|part| !part.is_empty()).collect();
    let mut name = parts.join("-");
    if is_whole && name.len() <= LONGEST {
        return name;
    }
    let hash = format!("{:08x}", hash(all));
    name.truncate(LONGEST - hash.len() - 1);
    format!("{}-{hash}", name.trim_end_matches('-'))
}

/// FNV-1a, 32 bits: the same in every version of eksplain.
pub(crate) fn hash(words: &[&str]) -> u32 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_valid() {
        let name_of = |words: &[&str]| unique_name(words, words);
        assert_eq!(name_of(&["allow", "list", "pods", "dave"]), "allow-list-pods-dave");
        assert_eq!(
            name_of(&["allow", "get", "pods/log", "dave"]),
            "allow-get-pods-log-dave"
        );
        let upper = name_of(&["allow", "list", "pods", "Dave"]);
        assert!(upper.starts_with("allow-list-pods-dave-"), "{upper}");
        let long = name_of(&["allow", &"x".repeat(90)]);
        assert_eq!(long.len(), LONGEST);
        assert_ne!(long, name_of(&["allow", &"x".repeat(91)]));
        for hostile in ["$(rm -rf /)", "--flag", "ünïcode", "a\nb", "."] {
            let name = name_of(&["allow", hostile]);
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                    && !name.ends_with('-'),
                "{name}"
            );
        }
    }
}
