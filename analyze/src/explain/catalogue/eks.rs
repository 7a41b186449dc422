//! Layer `eks`: the EKS API refused a call for a reason other than permissions.

use super::{Entry, Page, Rank, cause, entry, page};

const ENTRIES_OF: &str = "aws eks list-access-entries --cluster-name {cluster} --region {region}";
const CHANGE_MODE: &str = "aws eks update-cluster-config --name {cluster} --region {region} --access-config authenticationMode=API_AND_CONFIG_MAP   # cannot be undone";
const MODE: &str =
    "aws eks describe-cluster --name {cluster} --region {region} --query cluster.accessConfig.authenticationMode";

pub(super) const PAGES: &[Page] = &[
    page(
        "eks.auth-mode",
        "The cluster's authentication mode does not allow this: access entries need API or API_AND_CONFIG_MAP, and the mode moves one way, one step at a time.",
        &[
            "the mode is CONFIG_MAP",
            "a step back, or from CONFIG_MAP to API at once",
        ],
        &[MODE, CHANGE_MODE],
    ),
    page(
        "eks.access-entry.exists",
        "The principal already has an access entry on this cluster.",
        &[
            "the cluster's creator: EKS made its entry at creation",
            "Terraform: enable_cluster_creator_admin_permissions and an entry for the same ARN",
            "an entry of an earlier principal of the same name",
        ],
        &[
            "aws eks describe-access-entry --cluster-name {cluster} --region {region} --principal-arn {principal}",
            "aws eks list-associated-access-policies --cluster-name {cluster} --region {region} --principal-arn {principal}",
            "import the entry into your tool, or leave it out",
        ],
    ),
    page(
        "eks.access-entry.invalid-principal",
        "An access entry needs the ARN of an IAM role or user that exists, with its path.",
        &[
            "the path is missing: SSO roles have aws-reserved/sso.amazonaws.com/REGION/ in it",
            "a session ARN (assumed-role) instead of the role's",
            "the principal was created seconds ago: try again",
            "a service-linked role: EKS does not accept those",
        ],
        &["@path"],
    ),
    page(
        "eks.access-entry.system-group",
        "Groups of access entries cannot begin with system:. system:masters is not possible in an access entry.",
        &["a mapping of aws-auth, copied into an access entry"],
        &[
            "leave the group out, and associate AmazonEKSClusterAdminPolicy if the principal is meant to be an administrator",
            "for nodes, make the entry with --type EC2_LINUX instead of groups",
        ],
    ),
    page(
        "eks.access-entry.system-user",
        "User names of access entries cannot begin with system:, eks:, aws:, amazon: or iam:.",
        &["the user name of a node, copied out of aws-auth"],
        &[
            "for nodes, make the entry with --type EC2_LINUX; EKS then sets the user name",
            "choose another user name",
        ],
    ),
    page(
        "eks.cluster.not-found",
        "There is no cluster of this name in this account and region.",
        &["another region, profile or account", "the cluster was deleted"],
        &[
            "aws sts get-caller-identity --query Account",
            "aws eks list-clusters --region {region}",
        ],
    ),
    page(
        "eks.throttled",
        "Too many calls: AWS throttled them. No permission is missing.",
        &["many tools or loops at once"],
        &["try again with fewer calls in parallel"],
    ),
];

pub(super) const ENTRIES: &[Entry] = &[
    cause("E43", r"authentication mode must be set to one of", "eks.auth-mode").because(&["the mode is CONFIG_MAP"]),
    cause(
        "E44",
        r"Unsupported authentication mode update from \w+ to \w+",
        "eks.auth-mode",
    )
    .because(&[
        "the mode moves CONFIG_MAP → API_AND_CONFIG_MAP → API, never back and never two steps at once",
        "the same value again: nothing to do",
    ]),
    cause(
        "E45",
        r"bootstrapClusterCreatorAdminPermissions must be true if cluster authentication mode is set to CONFIG_MAP",
        "eks.auth-mode",
    )
    .saying("In mode CONFIG_MAP the creator of a cluster is always an administrator.")
    .because(&["the flag is false, and the mode is CONFIG_MAP or not given"])
    .solved_by(&["create the cluster with authenticationMode=API_AND_CONFIG_MAP"]),
    cause(
        "E46",
        r"access entry resource is already in use on this cluster",
        "eks.access-entry.exists",
    ),
    cause(
        "E47",
        r"specified principalArn is invalid",
        "eks.access-entry.invalid-principal",
    ),    cause("E47", r"modify access entries with a principalArn value of a Service Linked Role", "eks.access-entry.invalid-principal")
        .saying("EKS does not let you create or change access entries for service-linked roles (AWSServiceRoleFor…): it makes the ones it needs itself.")
        .because(&["a list of principals that includes an AWS service's role", "the wrong role: the service uses another one for what you want to allow"])
        .solved_by(&["leave this principal out of your access entries"]),

    cause(
        "E48",
        r"specified principalArn could not be found",
        "eks.access-entry.invalid-principal",
    )
    .saying("This principal has no access entry on this cluster.")
    .because(&["never made, or deleted", "the ARN is spelt differently (path)"])
    .solved_by(&[ENTRIES_OF]),
    cause(
        "E49",
        r"kubernetes group name \S+ is invalid, it cannot start with",
        "eks.access-entry.system-group",
    ),
    cause(
        "E50",
        r"username must not begin with system:",
        "eks.access-entry.system-user",
    ),
    cause("E51", r"No cluster found for name: [^.]+", "eks.cluster.not-found"),
    entry(
        "eks.throttled",
        r"ThrottlingException|TooManyRequestsException|Rate exceeded",
        Rank::General,
        "eks.throttled",
    ),
];
