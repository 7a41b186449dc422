//! Layer `client`: what fails before anything reaches AWS or the cluster. No log has it.

use super::{Entry, Page, Rank, cause, entry, page};

const KUBECONFIG: &str = "aws eks update-kubeconfig --name {cluster} --region {region}";

pub(super) const PAGES: &[Page] = &[
    page(
        "client.kubeconfig.missing",
        "kubectl has no kubeconfig, or none with a current context, and asks its default address.",
        &[
            "no kubeconfig for this user: sudo changes HOME",
            "KUBECONFIG names another file",
            "Terraform configures its provider before the cluster exists",
        ],
        &[KUBECONFIG, "kubectl config current-context"],
    ),
    page(
        "client.kubeconfig.context",
        "The kubeconfig has no such context, or none is selected.",
        &[
            "another kubeconfig (KUBECONFIG)",
            "the context has another name: aws eks update-kubeconfig names it after the cluster's ARN",
        ],
        &["kubectl config get-contexts", KUBECONFIG],
    ),
    page(
        "client.kubeconfig.permissions",
        "The permissions of the kubeconfig file are wrong: others can read it, or you cannot.",
        &[
            "others may read it: Helm warns and continues",
            "the file belongs to root: it was written under sudo",
        ],
        &[
            "chmod 600 ~/.kube/config",
            "sudo chown \"$(id -u):$(id -g)\" ~/.kube/config   # only if another user owns it",
        ],
    ),
    page(
        "client.exec.not-found",
        "The program that the kubeconfig runs to get a token is not installed, or not in PATH.",
        &[
            "no AWS CLI in a CI image or container",
            "a graphical tool that does not read the shell's PATH",
            "a kubeconfig written for aws-iam-authenticator",
        ],
        &["aws --version   # install AWS CLI v2 where this fails", KUBECONFIG],
    ),
    page(
        "client.exec.failed",
        "The program that gets the token failed; its own message is above this one.",
        &[
            "AWS credentials: none, expired, or of another profile",
            "a role that may not be assumed",
            "AWS CLI v1, which is too old for this kubeconfig",
        ],
        &[
            "aws sts get-caller-identity   # with the profile and role that the kubeconfig names",
            "aws eks get-token --cluster-name {cluster} --region {region}   # shows the cause",
        ],
    ),
    page(
        "client.exec.api-version",
        "The kubeconfig is older than this kubectl or Helm: the exec API version it names was removed.",
        &["written by an old AWS CLI; kubectl 1.24 and Helm 3.9 dropped v1alpha1"],
        &["aws --version   # update to AWS CLI v2", KUBECONFIG],
    ),
    page(
        "client.network.timeout",
        "Nothing answers at the cluster's endpoint: packets are dropped on the way.",
        &[
            "a private endpoint, asked from outside its VPC",
            "a security group, route or publicAccessCidrs that leaves your address out",
            "no VPN",
        ],
        &[
            "aws eks describe-cluster --name {cluster} --region {region} --query cluster.resourcesVpcConfig   # endpointPublicAccess, publicAccessCidrs, security groups",
        ],
    ),
    page(
        "client.network.refused",
        "The connection was refused or cut.",
        &[
            "a firewall or proxy",
            "a change of the control plane: it passes within minutes",
            "an endpoint of a deleted cluster",
        ],
        &["kubectl version", KUBECONFIG],
    ),
    page(
        "client.network.dns",
        "The name of the endpoint does not resolve.",
        &[
            "the cluster was deleted, or created again with another endpoint",
            "a private endpoint, resolved from outside the VPC",
            "local DNS",
        ],
        &[
            "aws eks describe-cluster --name {cluster} --region {region} --query cluster.[status,endpoint]",
            KUBECONFIG,
        ],
    ),
    page(
        "client.tls.name",
        "Something other than the cluster answered, with its own certificate.",
        &["a proxy that inspects TLS", "a wrong or old endpoint in the kubeconfig"],
        &["export NO_PROXY=\"$NO_PROXY,.eks.amazonaws.com\"", KUBECONFIG],
    ),
    page(
        "client.tls.ca",
        "The certificate is not signed by the CA in the kubeconfig.",
        &[
            "a kubeconfig of an earlier cluster of that name",
            "a proxy that inspects TLS",
        ],
        &[KUBECONFIG],
    ),
    page(
        "client.tls.expired",
        "The certificate is not valid at the time that this machine believes it is.",
        &["the local clock is wrong", "a proxy with an expired certificate"],
        &["date -u", "chronyc makestep"],
    ),
    page(
        "client.proxy",
        "A proxy on the way refuses or cannot be reached.",
        &["HTTPS_PROXY is set", "NO_PROXY does not cover the cluster's endpoint"],
        &[
            "env | grep -i proxy",
            "export NO_PROXY=\"$NO_PROXY,.eks.amazonaws.com\"",
        ],
    ),
    page(
        "client.cli.usage",
        "The command line was not understood: no request was made.",
        &[
            "an option is missing or misspelt",
            "a dash was pasted as a typographic one",
        ],
        &["retype the command with plain hyphens"],
    ),
    page(
        "client.credentials.none",
        "No AWS credentials were found.",
        &[
            "no profile, no environment variables, no instance role",
            "a container or CI job without a role",
            "AWS_PROFILE is not set for the program that kubectl runs",
        ],
        &["aws configure list", "aws sts get-caller-identity"],
    ),
    page(
        "client.sso.expired",
        "The IAM Identity Center (SSO) session has ended.",
        &["too long since the last login", "never logged in with this profile"],
        &[
            "aws sso login --profile {profile}",
            "aws sts get-caller-identity --profile {profile}",
        ],
    ),
    page(
        "client.resource-type",
        "The client does not know this resource type.",
        &[
            "a typo",
            "the CustomResourceDefinition is not installed",
            "discovery was refused: then the login failed, and it is really a 401",
        ],
        &[
            "kubectl auth whoami   # Unauthorized: the login is the problem",
            "kubectl api-resources",
        ],
    ),
    page(
        "client.version",
        "The tool is too old for this.",
        &[
            "AWS CLI before 1.16.156 has no eks get-token",
            "kubectl more than one minor version from the cluster",
        ],
        &["aws --version   # update to AWS CLI v2", "kubectl version"],
    ),
];

pub(super) const ENTRIES: &[Entry] = &[
    cause("E09", r"chang(e|ing) the cluster creator", "client.cli.usage")
        .saying("The creator of a cluster cannot be changed, in any mode. Give the other principal admin access; in the API modes the creator's access entry can be deleted afterwards.")
        .because(&["a wish, not an error message"])
        .solved_by(&["eksplain creators --cluster {cluster}", "eksplain admins --cluster {cluster}"]),
    cause("E10", r"certificate is valid for .*\bnot\b", "client.tls.name"),
    entry("E11", r"dial tcp [\dx.\[\]:a-f]+:\d+: (connect: |connectex: )?(i/o timeout|connection timed out|operation timed out|no route to host)|Client\.Timeout (or context cancellation )?exceeded|context deadline exceeded.*Client\.Timeout|ConnectTimeoutError|connect ETIMEDOUT|Connection timed out", Rank::Connection, "client.network.timeout"),
    entry("E12", r"(dial tcp: )?lookup \S+?( on \S+)?: (no such host|Temporary failure|server misbehaving)|getaddrinfo (ENOTFOUND|EAI_AGAIN)|Could not resolve host|UnknownHostException|Name or service not known|nodename nor servname", Rank::Connection, "client.network.dns"),
    entry("E13", r"dial tcp [^ ]+:\d+: (connect|connectex): (connection refused|connection reset)|TLS handshake timeout|net/http: request canceled|ECONNREFUSED|Connection refused", Rank::Connection, "client.network.refused"),
    cause("E14", r"The connection to the server (localhost|127\.0\.0\.1|\[::1\])(:\d+)? was refused|no configuration has been provided|KUBERNETES_MASTER|stat \S*kube/config: no such file|Could not load Kubernetes configuration|Service host/port is not set|Invalid kube-config file\. No configuration found", "client.kubeconfig.missing"),
    entry("E14", r"The connection to the server \S+ was refused", Rank::Cause, "client.network.refused")
        .saying("Nothing listens at the address in the kubeconfig.")
        .because(&["the kubeconfig names another cluster or an old endpoint", "a local tunnel or port-forward that is not running"]),
    entry("E15", r"Kubernetes configuration file is (group|world)-readable", Rank::Last, "client.kubeconfig.permissions")
        .saying("A warning of Helm, not a failure: other users can read your kubeconfig.")
        .because(&["the file's mode is wider than 600"])
        .solved_by(&["chmod 600 ~/.kube/config"]),
    cause("E15", r"(error loading config file|open|unable to read|Kubernetes client config)\b.*(kube|config).*: permission denied", "client.kubeconfig.permissions")
        .saying("Your user may not read the kubeconfig file.")
        .because(&["the file belongs to root: it was written under sudo", "KUBECONFIG names another user's file"])
        .solved_by(&["sudo chown \"$(id -u):$(id -g)\" ~/.kube/config", "chmod 600 ~/.kube/config"]),
    entry("E25", r"getting credentials: exec: executable \S+ failed with exit code \d+|getting credentials: (decoding stdout|exec: )", Rank::Last, "client.exec.failed"),
    cause("E26", r#"exec: (executable )?"?(aws|aws-iam-authenticator|heptio-authenticator-aws)"?:? .*(not found|no such file)|(aws|aws-iam-authenticator): (command )?not found|Unable to locate executable"#, "client.exec.not-found"),
    cause("E27", r#"invalid apiVersion "client\.authentication\.k8s\.io/v1alpha1"|no kind "ExecCredential" is registered|plugin is configured to use API version client\.authentication|exec plugin didn't return|Unrecognized ExecCredential"#, "client.exec.api-version"),
    cause("E28", r"Unable to locate credentials|NoCredentialProviders|no EC2 IMDS role found|failed to refresh cached credentials|Unable to load (AWS )?credentials|Missing credentials in config|CredentialsProviderError|No valid credential sources|NoCredentialsError|You must specify a region|could not find (config )?profile|config profile \(.*\) could not be found", "client.credentials.none"),
    cause("E29", r"Error loading SSO Token|Token for \S+ does not exist|SSO session associated with this profile (has expired|is otherwise invalid)|Error when retrieving token from sso|SSO (Token|session).*(expired|refresh failed)|refresh cached SSO token failed|the SSO session has expired|Token has expired and refresh failed", "client.sso.expired"),
    cause("E36", r#"(Get|Post|Put|Patch|Delete) "?http://(localhost|127\.0\.0\.1)(:\d+)?/\S*"?: dial tcp|http://localhost:8080|connect ECONNREFUSED 127\.0\.0\.1:(80|8080)\b"#, "client.kubeconfig.missing")
        .saying("The Kubernetes client has no host and asks localhost: in Terraform, the kubernetes provider is configured before the cluster is known.")
        .because(&["the cluster is created or replaced in the same run", "host is empty or unknown", "no kubeconfig for this user"])
        .solved_by(&["create the cluster and its contents in two states, and let the provider use exec with aws eks get-token", KUBECONFIG]),
    entry("E52", r#"the server doesn't have a resource type|the server could not find the requested resource|no matches for kind"#, Rank::Last, "client.resource-type"),
    cause("E54", r"certificate signed by unknown authority|unable to get local issuer certificate|self.signed certificate|CERTIFICATE_VERIFY_FAILED|PKIX path building failed", "client.tls.ca"),
    cause("E55", r"certificate has expired or is not yet valid|certificate has expired\b", "client.tls.expired"),
    cause("E56", r"proxyconnect tcp|Proxy Authentication Required|Tunnel connection failed|Cannot connect to proxy", "client.proxy"),
    cause("E57", r#"no context exists with the name|context "[^"]*" does not exist|context was not found for specified context|current-context is not set|cluster "[^"]*" does not exist"#, "client.kubeconfig.context"),
    cause("E58", r"the following arguments are required: --(name|cluster-name|region)|Unknown options: .*[—–]|[—–]-?(name|region|cluster-name|namespace)\b", "client.cli.usage")
        .saying("A dash in the command is a typographic one, so the option was not recognised.")
        .because(&["the command was copied from a web page or document"])
        .solved_by(&["aws eks update-kubeconfig --name {cluster} --region {region}"]),
    cause("E59", r"the following arguments are required: --assume-role-policy-document", "client.cli.usage")
        .saying("aws iam create-role needs a trust policy.")
        .because(&["the option is missing; the AWS article leaves it out"])
        .solved_by(&["aws iam create-role --role-name {role} --assume-role-policy-document file://trust.json"]),
    cause("client.version", r"aws: error: .*(Invalid choice|invalid choice)|argument operation: Invalid choice", "client.version")
        .saying("This AWS CLI does not know the command: it is too old, or the command is misspelt.")
        .because(&["AWS CLI before 1.16.156 has no eks get-token", "a typo"])
        .solved_by(&["aws --version   # update to AWS CLI v2"]),
    entry("E66", r"Unable to connect to the server: (net/http: )?EOF|unexpected EOF|: EOF$|http2: client connection (lost|force closed)|server sent GOAWAY|connection reset by peer", Rank::Connection, "client.network.refused")
        .saying("The connection was cut.").because(&["a change of the control plane: it passes within minutes", "a proxy or NAT gateway that drops idle connections"]),
];
