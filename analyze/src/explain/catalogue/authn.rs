//! Layer `authn`: the login was refused (401). The authenticator's log has the cause.

use super::{Entry, Page, Rank, cause, entry, page};

const KUBECONFIG: &str = "aws eks update-kubeconfig --name {cluster} --region {region}";
const AWS_AUTH: &str = "kubectl -n kube-system get configmap aws-auth -o yaml";
const MODE: &str =
    "aws eks describe-cluster --name {cluster} --region {region} --query cluster.accessConfig.authenticationMode";
const ENTRY: &str =
    "aws eks describe-access-entry --cluster-name {cluster} --region {region} --principal-arn {principal}";
const DENIALS: &str = "eksplain denials --cluster {cluster} --since 2h";
const MAPPING: &str = "@mapping";
const OTHER_SPELLING: &[&str] =
    &["the mapping in aws-auth was copied from elsewhere; it looks right and never matches"];

pub(super) const PAGES: &[Page] = &[
    page(
        "authn.not-mapped",
        "The cluster refused the login (401): AWS knows the caller, and nothing in the cluster maps it.",
        &[
            "the IAM principal has no access entry and no aws-auth mapping",
            "a mapping looks right and never matches (path, session ARN, account)",
            "another profile or role than you think",
        ],
        &["@map"],
    ),
    page(
        "authn.near-miss.sso-path",
        "aws-auth maps the SSO role with its path, which the authenticator never sees: remove aws-reserved/sso.amazonaws.com/REGION/ from the rolearn. (An access entry needs the path.)",
        OTHER_SPELLING,
        &[MAPPING],
    ),
    page(
        "authn.near-miss.role-path",
        "aws-auth maps the role with its path, which the authenticator never sees: remove the path from the rolearn. (An access entry needs the path.)",
        OTHER_SPELLING,
        &[MAPPING],
    ),
    page(
        "authn.near-miss.user-path",
        "aws-auth maps the user without its path, or with another: the userarn must have the user's path.",
        OTHER_SPELLING,
        &[MAPPING],
    ),
    page(
        "authn.near-miss.assumed-role-arn",
        "aws-auth maps the ARN of a session (assumed-role): map the ARN of the role, arn:aws:iam::ACCOUNT:role/NAME.",
        OTHER_SPELLING,
        &[MAPPING],
    ),
    page(
        "authn.near-miss.wrong-account",
        "aws-auth maps a principal of this name in another account.",
        &["digits of the account are wrong, or leading zeros were lost"],
        &[MAPPING],
    ),
    page(
        "authn.near-miss.partition",
        "aws-auth maps the ARN of another partition (arn:aws, arn:aws-cn, arn:aws-us-gov).",
        OTHER_SPELLING,
        &[MAPPING],
    ),
    page(
        "authn.near-miss.wildcard",
        "aws-auth has a wildcard, which never matches: map each principal, or use an access entry each.",
        OTHER_SPELLING,
        &[MAPPING],
    ),
    page(
        "authn.near-miss.sso-suffix",
        "aws-auth maps the SSO role with another suffix: the permission set was provisioned again, as a new role.",
        &["the permission set was removed from the account and assigned again"],
        &[MAPPING],
    ),
    page(
        "authn.near-miss.group-arn",
        "aws-auth maps an IAM group, an instance profile or an Identity Center group: only roles and users can be mapped.",
        &["groups have no credentials of their own"],
        &["map the role that the group's members assume", MAPPING],
    ),
    page(
        "authn.near-miss.name-typo",
        "aws-auth maps a name that differs by a letter or a hyphen.",
        &["a typo"],
        &[MAPPING],
    ),
    page(
        "authn.near-miss.whitespace",
        "The mapping in aws-auth contains a blank, a quote or an invisible character.",
        &["copied from a web page or document"],
        &[MAPPING],
    ),
    page(
        "authn.near-miss.case",
        "Case never matters for the ARN in aws-auth; it does for its top keys: mapRoles, mapUsers, mapAccounts.",
        &["maproles instead of mapRoles"],
        &[AWS_AUTH],
    ),
    page(
        "authn.aws-auth.malformed",
        "aws-auth does not parse: everybody in the section that fails (mapRoles or mapUsers) is locked out, nodes too.",
        &["indentation, a missing quote, a list that is not a list"],
        &[
            AWS_AUTH,
            "eksplain denials --cluster {cluster}   # prints the last content that parsed, where the audit log has it",
        ],
    ),
    page(
        "authn.aws-auth.missing",
        "aws-auth does not exist. That is normal in mode API; in the other modes nobody is mapped by it.",
        &[
            "the mode is API: access entries only",
            "it was never created, or it was deleted",
        ],
        &[MODE, "kubectl -n kube-system get configmap aws-auth"],
    ),
    page(
        "authn.aws-auth.ignored",
        "aws-auth maps the caller, and the cluster's mode is API, which ignores aws-auth: create an access entry.",
        &["the mode was changed to API"],
        &[MODE, "@entry"],
    ),
    page(
        "authn.template",
        "The mapping's user name contains a template that needs an EC2 instance's session.",
        &["a person uses a node's role", "a node role is used outside EC2"],
        &["map another role for people", "aws sts get-caller-identity"],
    ),
    page(
        "authn.reserved-username",
        "The mapping sets a user name with a reserved prefix (system:, eks:, aws:, amazon:, iam:).",
        &["the user name was copied from a node's mapping"],
        &["choose another user name in the mapping", AWS_AUTH],
    ),
    page(
        "authn.access-entry.stale-id",
        "The access entry belongs to the unique ID of an earlier principal of the same name: delete it and create it again, with its groups and policies.",
        &["the role or user was deleted and created again"],
        &[
            "aws eks list-associated-access-policies --cluster-name {cluster} --region {region} --principal-arn {principal}   # note them first",
            ENTRY,
            "aws eks delete-access-entry --cluster-name {cluster} --region {region} --principal-arn {principal}",
            "@entry",
        ],
    ),
    page(
        "authn.access-entry.renamed",
        "The IAM user was renamed or moved: its unique ID has an access entry, under its former ARN.",
        &["aws iam update-user --new-user-name or --new-path"],
        &[
            "rename the user back, or delete the old entry and create one for the new ARN",
            "aws eks list-access-entries --cluster-name {cluster} --region {region}",
        ],
    ),
    page(
        "authn.access-entry.propagating",
        "The access entry is less than a minute old and has not taken effect yet.",
        &["EKS distributes access entries within seconds"],
        &["kubectl auth whoami   # try again"],
    ),
    page(
        "authn.principal.deleted",
        "The IAM principal that had access was deleted.",
        &[
            "the creator of the cluster was deleted, and was its only admin",
            "the user left; a script still uses its keys",
        ],
        &[
            "eksplain rescue {cluster}   # the way back in",
            "eksplain creators --cluster {cluster}",
            "eksplain admins --cluster {cluster}",
        ],
    ),
    page(
        "authn.token.expired",
        "The token was older than 15 minutes. That limit cannot be changed; clients treat a token as expired after 14.",
        &[
            "the token was pasted, or kept by a CI job or script",
            "Terraform read it early in a long run",
            "the client's clock is slow",
        ],
        &[
            KUBECONFIG,
            "let the client get tokens itself: in kubeconfig and in Terraform's kubernetes and helm providers use exec with aws eks get-token",
            "date -u   # compare with the real time",
        ],
    ),
    page(
        "authn.token.clock-skew",
        "The client's clock is ahead: AWS rejects a signature from the future.",
        &["no time synchronisation"],
        &["date -u", "chronyc makestep"],
    ),
    page(
        "authn.token.malformed",
        "The bearer token is not an EKS token.",
        &[
            "a token of another issuer (OIDC, Vault) or of another cluster",
            "an expired service account token",
            "a token that was cut or has line breaks",
        ],
        &[
            KUBECONFIG,
            "aws eks get-token --cluster-name {cluster} --region {region}",
        ],
    ),
    page(
        "authn.token.wrong-cluster",
        "The token was made for another cluster: --cluster-name in the kubeconfig is not this cluster's name.",
        &["a kubeconfig that was copied and edited"],
        &[KUBECONFIG],
    ),
    page(
        "authn.token.wrong-partition",
        "The token was signed for an STS endpoint that this cluster does not accept.",
        &[
            "another partition (China, GovCloud)",
            "the global STS endpoint, where the regional one is required",
        ],
        &["export AWS_STS_REGIONAL_ENDPOINTS=regional", KUBECONFIG],
    ),
    page(
        "authn.sts.invalid-token",
        "STS does not know the access key in the token.",
        &[
            "the key or its user was deleted or made inactive: the classic sign of a deleted creator",
            "another partition",
        ],
        &[
            "aws sts get-caller-identity",
            "aws configure list",
            "eksplain creators --cluster {cluster}   # if this was the creator",
        ],
    ),
    page(
        "authn.sts.expired",
        "The temporary AWS credentials expired between signing the token and using it.",
        &["a session near its end", "a token that was kept"],
        &[
            "aws sso login --profile {profile}   # or get new credentials the way you got these",
            "aws sts get-caller-identity",
        ],
    ),
    page(
        "authn.sts.signature",
        "STS rejects the signature in the token.",
        &[
            "the token was made for another cluster name",
            "the clock",
            "a wrong secret key",
        ],
        &[KUBECONFIG, "date -u   # compare with the real time"],
    ),
    page(
        "authn.sts.denied",
        "STS denied GetCallerIdentity, which needs no permission.",
        &["a region or an STS endpoint that is disabled"],
        &["aws sts get-caller-identity --region {region}"],
    ),
    page(
        "authn.sts.unreachable",
        "The control plane could not reach STS.",
        &["a temporary AWS fault"],
        &["kubectl auth whoami   # try again"],
    ),
    page(
        "authn.sts.throttled",
        "Too many logins at once: STS throttled them.",
        &["a client that gets a new token for each call"],
        &["let the client reuse its token for 14 minutes", DENIALS],
    ),
    page(
        "authn.serviceaccount.expired",
        "A client inside the cluster sent a service account token that expired.",
        &["an old client library, which reads its token only once"],
        &[
            "kubectl rollout restart deployment {name} -n {namespace}",
            "update the client's Kubernetes library",
        ],
    ),
    page(
        "authn.oidc",
        "The token of an OIDC identity provider was refused.",
        &["issuer, audience (client ID) or a claim does not fit the configuration"],
        &["aws eks list-identity-provider-configs --cluster-name {cluster} --region {region}"],
    ),
    page(
        "authn.unknown",
        "The login failed (401), and the authenticator's line with the cause is not known.",
        &["the authenticator log is off, or not read yet"],
        &[
            "aws eks update-cluster-config --name {cluster} --region {region} --logging '{\"clusterLogging\":[{\"types\":[\"authenticator\",\"audit\"],\"enabled\":true}]}'",
            DENIALS,
        ],
    ),
];

const UNAUTHORIZED: &[&str] = &[
    "the IAM principal is not mapped, or its mapping never matches",
    "the token expired (15 minutes) or was made for another cluster",
    "the access entry belongs to a principal that was deleted and created again",
];

pub(super) const ENTRIES: &[Entry] = &[
    cause("E01", r"cluster is inaccessible due to the cluster creator IAM (user|role) being deleted", "authn.principal.deleted")
        .saying("A lockout: the creator was deleted, and nobody else is mapped to admin. (A description from the AWS article; no program prints it.)"),
    entry("E05", r"You must be logged in to the server \(Unauthorized\)", Rank::General, "authn.not-mapped").saying("The cluster refused the login (401). The authenticator log has the cause.").because(UNAUTHORIZED),
    entry("E06", r"the server has asked for the client to provide credentials", Rank::General, "authn.not-mapped")
        .saying("The cluster refused the login (401). This sentence and \"Unauthorized\" are the same refusal; the authenticator log has the cause.").because(UNAUTHORIZED),
    entry("E08", r"current user or role does not have access to Kubernetes objects on this EKS cluster", Rank::General, "authn.not-mapped")
        .saying("The EKS console reads Kubernetes objects as the console's principal, which is often not the one of your CLI.")
        .because(&["the console's principal has no access entry or mapping", "it has one without permission to read", "it lacks eks:AccessKubernetesApi"]),
    entry("E60", r#"You must be logged in to the server|401 Unauthorized|Unauthorized! |an error on the server \("Unauthorized"\)|HTTP response code: 401|status(Code)?:? 401\b"#, Rank::Last, "authn.not-mapped")
        .saying("The cluster refused the login (401). The authenticator log has the cause.").because(UNAUTHORIZED),
    cause("E61", r#"(\(NotFound\): |^|error: |: )configmaps "aws-auth" not found"#, "authn.aws-auth.missing"),
    cause("E37", r#"configmaps "aws-auth" not found"#, "authn.aws-auth.missing"),
    cause("E37", r#"configmaps "aws-auth" already exists"#, "apiserver.conflict")
        .saying("aws-auth exists already: EKS or eksctl made it for nodes.")
        .because(&["a managed node group or eksctl created it first"])
        .solved_by(&["import it, or in Terraform use kubernetes_config_map_v1_data with force = true", AWS_AUTH]),
    cause("E62", r"(Unable to register node|Failed to (contact API server|ensure lease exists)|Attempting to register node|Error getting (the current )?node|Error updating node status).*\b(Unauthorized|must be logged in)", "authn.not-mapped")
        .saying("A node cannot log in: its role is not mapped, so it cannot join the cluster.")
        .because(&["the node role has no access entry of type EC2_LINUX and no aws-auth mapping", "it is mapped with a path, or by its instance profile", "aws-auth does not parse"])
        .solved_by(&["@node"]),
    entry("E62", r#"\bnode "[^"]*" not found"#, Rank::General, "authn.not-mapped")
        .saying("The kubelet's node does not exist in the cluster: usually the node role may not log in, so the node never registered.")
        .because(&["the node role is not mapped, or mapped with a path", "aws-auth does not parse"]).solved_by(&["@node"]),
    entry("E63", r"Instances failed to join the kubernetes cluster|NodeCreationFailure", Rank::General, "authn.not-mapped")
        .saying("Nodes started and did not join the cluster.")
        .because(&["the node role is not mapped", "no route from the nodes to the cluster's endpoint, ECR or S3", "user data of a custom AMI that does not bootstrap"])
        .solved_by(&["@node", DENIALS]),
    cause("E67", r"error parsing config map|Errors parsing configmap|error converting YAML to JSON|yaml: line \d+:|yaml: unmarshal errors", "authn.aws-auth.malformed")
        .saying("aws-auth, or the file that you edit, is not valid YAML."),
    cause("authn.sts.throttled", r"getCallerIdentity was throttled", "authn.sts.throttled"),
];
