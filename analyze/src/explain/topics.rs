//! Short texts on subjects that people ask about by a word instead of an error.

use super::catalogue::Page;

/// Words, as somebody may type them, then the page; its reason is the one that such cases usually have.
pub(super) const TOPICS: &[(&[&str], Page)] = &[
    (
        &[
            "sso",
            "identity center",
            "iam identity center",
            "awsreservedsso",
            "permission set",
        ],
        Page {
            reason: "authn.near-miss.sso-path",
            meaning: "IAM Identity Center (SSO) gives each permission set a role in each account: AWSReservedSSO_NAME_SUFFIX, with a path. The same role is written in two ways: \
                      without its path in aws-auth, with its path in an access entry. The session name is the person's user name.",
            causes: &[
                "aws-auth: the rolearn contains /aws-reserved/sso.amazonaws.com/REGION/: remove that part",
                "access entry: the path is missing, and EKS answers invalid principal",
                "the permission set was assigned again and its role has a new suffix",
                "the permission set lacks eks:DescribeCluster, which update-kubeconfig needs (sts:AssumeRole on * is not needed)",
            ],
            fix: &[
                "in IAM Identity Center: create a permission set with eks:DescribeCluster, and assign it with the group of users to the account",
                "aws sso login --profile {profile}",
                "aws iam list-roles --path-prefix /aws-reserved/sso.amazonaws.com/ --query 'Roles[].Arn'   # the ARNs with their paths",
                "aws eks create-access-entry --cluster-name {cluster} --region {region} --principal-arn ROLE_ARN_WITH_PATH",
                "eksctl create iamidentitymapping --cluster {cluster} --region {region} --arn ROLE_ARN_WITHOUT_PATH --username USERNAME --group GROUP --no-duplicate-arns   # mode CONFIG_MAP",
                "aws eks update-kubeconfig --name {cluster} --region {region} --profile {profile}",
                "eksplain who AWSReservedSSO_NAME_SUFFIX   # its sessions: which people logged in",
            ],
        },
    ),
    (
        &["creator", "cluster creator", "who created", "lockout", "locked out"],
        Page {
            reason: "authn.principal.deleted",
            meaning: "The IAM identity that creates a cluster becomes its administrator: in mode CONFIG_MAP by a built-in mapping that does not appear in aws-auth, in the API modes by an access \
                      entry (unless it was switched off at creation). The creator cannot be changed.",
            causes: &[
                "the creator was deleted, and nobody else is mapped to admin",
                "the creator is a role of CI or of CloudFormation that people cannot assume",
            ],
            fix: &[
                "eksplain creators --cluster {cluster}   # who it is, whether it still exists, the way back in",
                "eksplain admins --cluster {cluster}   # who else can give you access",
                "eksplain rescue {cluster}",
            ],
        },
    ),
    (
        &[
            "token",
            "15 minutes",
            "fifteen minutes",
            "15 min",
            "get-token",
            "expired token",
            "token expiry",
        ],
        Page {
            reason: "authn.token.expired",
            meaning: "aws eks get-token signs a call to STS GetCallerIdentity for one cluster. The cluster accepts the token for 15 minutes; that cannot be changed. Clients get a new one \
                      after 14 minutes by running the exec section of the kubeconfig again.",
            causes: &[
                "the token was pasted, or kept by a CI job, a script or a Terraform data source",
                "the clock of the client is slow",
                "the AWS credentials behind it ended earlier",
            ],
            fix: &[
                "aws eks update-kubeconfig --name {cluster} --region {region}   # an exec section, which gets tokens itself",
                "in Terraform's kubernetes and helm providers use exec with aws eks get-token instead of a token",
                "date -u   # compare with the real time",
            ],
        },
    ),
    (
        &[
            "aws-auth",
            "aws auth",
            "awsauth",
            "mapRoles",
            "mapUsers",
            "configmap aws-auth",
        ],
        Page {
            reason: "authn.aws-auth.malformed",
            meaning: "aws-auth is the ConfigMap in kube-system that maps IAM roles and users to Kubernetes names and groups, in the modes CONFIG_MAP and API_AND_CONFIG_MAP. In mode API it is ignored.",
            causes: &[
                "one YAML error in mapRoles locks out everybody in it, nodes too",
                "a role with its path, a session ARN or a wildcard never matches",
                "two entries for one role: the last one counts",
            ],
            fix: &[
                "kubectl -n kube-system get configmap aws-auth -o yaml > aws-auth.yaml   # keep a copy before any change",
                "eksctl get iamidentitymapping --cluster {cluster} --region {region}",
                "eksctl create iamidentitymapping --cluster {cluster} --region {region} --arn ROLE_ARN_WITHOUT_PATH --username USERNAME --group GROUP --no-duplicate-arns",
                "eksplain check --cluster {cluster}   # mappings that never match",
            ],
        },
    ),
];

/// The topic that a text names and nothing else.
pub(super) fn topic(text: &str) -> Option<(&'static str, &'static Page)> {
    let words = text.to_lowercase();
    let words = words.trim_matches(|c: char| !c.is_alphanumeric()).trim();
    TOPICS
        .iter()
        .find(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(words)))
        .map(|(names, page)| (names[0], page))
}
