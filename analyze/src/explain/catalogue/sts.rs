//! Layer `sts`: credentials and roles, before a token is made.

use super::{Entry, Page, Rank, cause, entry, page};

pub(super) const PAGES: &[Page] = &[
    page(
        "sts.trust-policy",
        "STS did not let the caller assume the role.",
        &[
            "the role's trust policy does not name the caller",
            "the caller lacks sts:AssumeRole; across accounts both sides are needed",
            "the role does not exist: STS gives the same answer",
        ],
        &["@trust"],
    ),
    page(
        "sts.trust-policy.condition",
        "The role's trust policy names the caller under a condition that the call did not meet.",
        &["ExternalId, MFA, source address or session tags"],
        &[
            "aws iam get-role --role-name {role} --query Role.AssumeRolePolicyDocument",
            "pass what the condition asks for, such as --external-id",
        ],
    ),
    page(
        "sts.web-identity",
        "The role does not accept this web identity (IRSA, or OIDC of a CI system).",
        &[
            "no OIDC provider for this issuer in the account",
            "the trust policy names another subject (namespace or service account) or audience",
            "the cluster was rebuilt and has a new issuer",
        ],
        &[
            "aws eks describe-cluster --name {cluster} --region {region} --query cluster.identity.oidc.issuer",
            "aws iam list-open-id-connect-providers",
            "aws iam get-role --role-name {role} --query Role.AssumeRolePolicyDocument   # compare sub and aud",
        ],
    ),
    page(
        "sts.service-role-trust",
        "EKS cannot assume the service role that was given to CreateCluster, CreateNodegroup or CreateFargateProfile. It is not your own role.",
        &[
            "the role does not exist, or its ARN is misspelt",
            "its trust policy does not name eks.amazonaws.com (nodes: ec2.amazonaws.com; Fargate: eks-fargate-pods.amazonaws.com)",
            "it was created seconds ago: try again",
        ],
        &[
            "aws iam get-role --role-name {role} --query Role.AssumeRolePolicyDocument > trust.json",
            "add the service to the Principal in trust.json, and keep what is there",
            "aws iam update-assume-role-policy --role-name {role} --policy-document file://trust.json",
        ],
    ),
    page(
        "sts.invalid-token",
        "AWS does not know the access key.",
        &[
            "the key or its user was deleted or made inactive",
            "temporary credentials without their session token",
            "a region that is not enabled, or another partition (China, GovCloud)",
        ],
        &[
            "aws sts get-caller-identity",
            "aws configure list   # which credentials are used, and from where",
        ],
    ),
    page(
        "sts.expired-token",
        "The temporary AWS credentials have expired.",
        &[
            "a session of an hour or more ended",
            "credentials exported into the environment hide newer ones",
        ],
        &[
            "aws sso login --profile {profile}   # or get new credentials the way you got these",
            "aws sts get-caller-identity",
        ],
    ),
    page(
        "sts.signature",
        "AWS rejects the signature of the call.",
        &[
            "the clock of this machine is off by more than 5 minutes",
            "a wrong secret key",
            "a region that does not fit the endpoint",
            "a proxy that edits requests",
        ],
        &[
            "date -u   # compare with the real time",
            "chronyc makestep",
            "aws configure list",
        ],
    ),
];

pub(super) const ENTRIES: &[Entry] = &[
    cause(
        "E02",
        r"could not be assumed because it does not exist or the trusted entity is not correct|required service principals .*were not found in the trust relationships|service principals .*not found in the trust relationship|role defined for the function cannot be assumed|trust policy .*does not (trust|allow) eks(-fargate-pods)?\.amazonaws\.com",
        "sts.service-role-trust",
    ),
    entry(
        "E04",
        r"An error occurred when calling the AssumeRole operation|An error occurred \(AccessDenied\w*\) when calling the AssumeRole operation|cannot assume role|is not authorized to perform: sts:AssumeRole",
        Rank::General,
        "sts.trust-policy",
    ),
    cause(
        "E04",
        r"An error occurred \(ValidationError\) when calling the AssumeRole operation",
        "sts.trust-policy",
    )
    .saying("The role ARN in the call is not a valid ARN.")
    .because(&["a role name instead of an ARN", "a placeholder or a blank in the ARN"])
    .solved_by(&["aws iam get-role --role-name {role} --query Role.Arn"]),
    cause("E53", r"could not get token: AccessDenied", "sts.trust-policy")
        .saying("aws-iam-authenticator could not assume the role in the kubeconfig."),
    entry(
        "E30",
        r"ExpiredToken(Exception)?\b|security token included in the request is expired|RequestExpired\b|The provided token has expired|credentials have expired|Your session has expired",
        Rank::Cause,
        "sts.expired-token",
    ),
    cause(
        "E31",
        r"InvalidClientTokenId|UnrecognizedClientException|security token included in the request is invalid|InvalidAccessKeyId|The AWS Access Key Id you provided does not exist|AuthFailure\b",
        "sts.invalid-token",
    ),
    cause(
        "E32",
        r"SignatureDoesNotMatch|Signature expired|Signature not yet current|Credential should be scoped to a valid region|InvalidSignatureException|request signature we calculated does not match|RequestTimeTooSkewed",
        "sts.signature",
    ),
    cause(
        "E68",
        r"Not authorized to perform sts:AssumeRoleWithWebIdentity|No OpenIDConnect provider found|InvalidIdentityToken|WebIdentityErr|IDPCommunicationError",
        "sts.web-identity",
    ),
];
