//! Layer `iam`: a policy of AWS refused a call to an AWS API. Kubernetes' logs have nothing of it.

use super::{Entry, Page, Rank, cause, entry, page};

const ONE_OF_SEVERAL: &str =
    "AWS names one kind of policy even if several refuse: expect the next one after this is fixed";

pub(super) const PAGES: &[Page] = &[
    page(
        "iam.identity-policy.missing",
        "IAM refused the call: no policy of the caller allows this action on this resource.",
        &["the policy is missing, or names another resource", ONE_OF_SEVERAL],
        &["@grant"],
    ),
    page(
        "iam.identity-policy.unknown",
        "IAM refused the call, and the message does not name the policy that decided.",
        &[
            "no policy of the caller allows the action",
            "an explicit deny, an SCP, a permissions boundary or a session policy",
        ],
        &["aws sts get-caller-identity", "@simulate"],
    ),
    page(
        "iam.explicit-deny",
        "A policy denies the call explicitly. An Allow never beats a Deny: find the Deny.",
        &["a Deny statement in a policy of the caller, often with a condition (MFA, source IP, region, tag)"],
        &[
            "@policies",
            "change or narrow the Deny statement; another Allow does not help",
        ],
    ),
    page(
        "iam.scp",
        "No service control policy of the organization allows the call. Only the organization's administrator can change that.",
        &["an SCP that allows listed services or regions only"],
        &["ask the organization's administrator to allow {action} for this account"],
    ),
    page(
        "iam.scp.explicit",
        "A service control policy of the organization denies the call. Only the organization's administrator can change that.",
        &["an SCP that denies regions, services or accounts; an ARN at the end of the message names it"],
        &["ask the organization's administrator to exempt {action} for this principal"],
    ),
    page(
        "iam.rcp",
        "A resource control policy of the organization denies the call. Only the organization's administrator can change that.",
        &["an RCP on the account that owns the resource"],
        &["ask the organization's administrator to exempt {action} on this resource"],
    ),
    page(
        "iam.permissions-boundary",
        "The caller's permissions boundary does not allow the call, whatever its policies allow.",
        &["the boundary leaves the action or resource out"],
        &["@boundary", "add {action} to the policy that is the boundary"],
    ),
    page(
        "iam.session-policy",
        "The policy that was passed when the session was made does not allow the call.",
        &[
            "a tool or broker passes a session policy to AssumeRole",
            "EKS Pod Identity or IAM Identity Center adds its own",
        ],
        &["change what assumes the role: the session policy is an argument of that call"],
    ),
    page(
        "iam.resource-policy",
        "The policy on the resource itself (KMS key, bucket, queue, secret) does not allow the call.",
        &["a resource of another account that does not name the caller"],
        &["allow the caller in the policy of the resource named in the message"],
    ),
    page(
        "iam.vpc-endpoint-policy",
        "The policy of the VPC endpoint that the call went through does not allow it.",
        &["an endpoint for eks, sts or iam with a policy of its own"],
        &[
            "aws ec2 describe-vpc-endpoints --region {region} --query 'VpcEndpoints[].[VpcEndpointId,ServiceName,PolicyDocument]'",
        ],
    ),
    page(
        "iam.pass-role",
        "The caller may not pass this role to the service (iam:PassRole).",
        &["CreateCluster, CreateNodegroup and EC2 access entries pass a role to EKS"],
        &["@grant"],
    ),
    page(
        "iam.organization-opt-in",
        "The region or the service is switched off for this account.",
        &[
            "an opt-in region that is not enabled",
            "a new account that is not activated yet",
        ],
        &[
            "aws account get-region-opt-status --region-name {region}",
            "aws account enable-region --region-name {region}",
        ],
    ),
];

pub(super) const ENTRIES: &[Entry] = &[
    cause("E07", r"(can't|unable to|cannot) describe cluster control plane: .*AccessDenied\w*", "iam.identity-policy.missing")
        .saying("eksctl may not call eks:DescribeCluster.").because(&["no policy of yours allows eks:DescribeCluster on this cluster", ONE_OF_SEVERAL]),
    entry("E42", r"is not authorized to perform: [\w:*-]+", Rank::General, "iam.identity-policy.unknown"),
    entry("E69", r"Unable to access the EKS cluster|is not authorized to perform: eks:AccessKubernetesApi|Access denied: .*kubernetes", Rank::General, "iam.identity-policy.missing")
        .saying("The EKS console reads Kubernetes objects with eks:AccessKubernetesApi, which the console's principal lacks; it needs a mapping in the cluster as well.")
        .because(&["the principal in the console is often not the one of your CLI"]),
    cause("iam.organization-opt-in", r"OptInRequired|SubscriptionRequiredException|RegionDisabledException|is not subscribed to this service|STS is not activated in this region", "iam.organization-opt-in"),
];
