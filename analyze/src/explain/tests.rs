//! One table: a text as tools print it, and the reason that must come first. `""` is for texts that say nothing known.

use super::*;

/// Texts in the words of the programs that print them; accounts and names are invented.
const TABLE: &[(&str, &str)] = &[
    // Bare words, any case, with numbers and marks: the likeliest gate first.
    ("Unauthorized", "authn.not-mapped"),
    ("unauthorized", "authn.not-mapped"),
    ("UNAUTHORIZED.", "authn.not-mapped"),
    ("401", "authn.not-mapped"),
    ("401 Unauthorized", "authn.not-mapped"),
    ("HTTP 401", "authn.not-mapped"),
    ("HTTP/1.1 401 Unauthorized", "authn.not-mapped"),
    ("HTTP/2 401", "authn.not-mapped"),
    ("Error: Unauthorized (401)", "authn.not-mapped"),
    ("Request failed with status code 401", "authn.not-mapped"),
    ("Forbidden", "authz.rbac.no-binding"),
    ("forbidden!", "authz.rbac.no-binding"),
    ("403", "authz.rbac.no-binding"),
    ("HTTP 403 Forbidden", "authz.rbac.no-binding"),
    ("Access Denied", "iam.identity-policy.unknown"),
    ("access denied", "iam.identity-policy.unknown"),
    ("AccessDenied", "iam.identity-policy.unknown"),
    ("Error: Access Denied.", "iam.identity-policy.unknown"),
    // kubectl and client-go
    (
        "error: You must be logged in to the server (Unauthorized)",
        "authn.not-mapped",
    ),
    (
        "error: You must be logged in to the server (the server has asked for the client to provide credentials)",
        "authn.not-mapped",
    ),
    (
        "error: You must be logged in to the server (the server has asked for the client to provide credentials ( pods/log web-0))",
        "authn.not-mapped",
    ),
    (
        "couldn't get current server API group list: the server has asked for the client to provide credentials",
        "authn.not-mapped",
    ),
    (
        "couldn't get current server API group list: Unauthorized",
        "authn.not-mapped",
    ),
    (
        "E0227 18:20:14.383530   26126 memcache.go:265] \"Unhandled Error\" err=\"couldn't get current server API group list: the server has asked for the client to provide credentials\"\nE0227 18:20:15.383530   26126 memcache.go:265] \"Unhandled Error\" err=\"couldn't get current server API group list: the server has asked for the client to provide credentials\"\nerror: You must be logged in to the server (the server has asked for the client to provide credentials)",
        "authn.not-mapped",
    ),
    (
        "E0227 18:20:14.383530   26126 memcache.go:265] couldn't get current server API group list: Get \"https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com/api?timeout=32s\": dial tcp 10.0.3.7:443: i/o timeout",
        "client.network.timeout",
    ),
    (
        "E0227 18:20:14.383530   26126 memcache.go:265] \"Unhandled Error\" err=\"couldn't get current server API group list: Get \\\"http://localhost:8080/api?timeout=32s\\\": dial tcp 127.0.0.1:8080: connect: connection refused\"\nThe connection to the server localhost:8080 was refused - did you specify the right host or port?",
        "client.kubeconfig.missing",
    ),
    (
        "E0227 18:20:14.383530   26126 memcache.go:265] couldn't get current server API group list: Get \"https://X.gr7.us-east-1.eks.amazonaws.com/api?timeout=32s\": getting credentials: exec: executable aws failed with exit code 255\nAn error occurred (ExpiredToken) when calling the AssumeRole operation: The security token included in the request is expired",
        "sts.expired-token",
    ),
    (
        "couldn't get current server API group list: Get \"https://ABC.gr7.us-east-1.eks.amazonaws.com/api\": dial tcp: lookup ABC.gr7.us-east-1.eks.amazonaws.com on 10.0.0.2:53: no such host",
        "client.network.dns",
    ),
    (
        "Unable to connect to the server: dial tcp 172.16.0.5:443: i/o timeout",
        "client.network.timeout",
    ),
    (
        "Unable to connect to the server: dial tcp 172.xx.xx.xx.xx:443: i/o timeout",
        "client.network.timeout",
    ),
    (
        "Unable to connect to the server: net/http: TLS handshake timeout",
        "client.network.refused",
    ),
    (
        "Get \"https://ABC.gr7.eu-west-1.eks.amazonaws.com/version\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
        "client.network.timeout",
    ),
    (
        "Unable to connect to the server: x509: certificate is valid for *.example.com, not ABC.gr7.eu-west-1.eks.amazonaws.com",
        "client.tls.name",
    ),
    ("x509: certificate is valid for * , , not", "client.tls.name"),
    (
        "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "client.tls.ca",
    ),
    (
        "Unable to connect to the server: x509: certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is before 2026-01-01T00:00:00Z",
        "client.tls.expired",
    ),
    (
        "Unable to connect to the server: proxyconnect tcp: dial tcp: lookup proxy.example.com: no such host",
        "client.proxy",
    ),
    (
        "Unable to connect to the server: Proxy Authentication Required",
        "client.proxy",
    ),
    ("Unable to connect to the server: EOF", "client.network.refused"),
    (
        "Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255",
        "client.exec.failed",
    ),
    (
        "Unable to locate credentials. You can configure credentials by running \"aws configure\".\nUnable to connect to the server: getting credentials: exec: executable aws failed with exit code 253",
        "client.credentials.none",
    ),
    (
        "Unable to connect to the server: getting credentials: exec: executable aws not found\n\nIt looks like you are trying to use a client-go credential plugin that is not installed.",
        "client.exec.not-found",
    ),
    (
        "Unable to connect to the server: getting credentials: exec: \"aws\": executable file not found in $PATH",
        "client.exec.not-found",
    ),
    (
        "error: exec plugin: invalid apiVersion \"client.authentication.k8s.io/v1alpha1\"",
        "client.exec.api-version",
    ),
    (
        "no kind \"ExecCredential\" is registered for version \"client.authentication.k8s.io/v1alpha1\" in scheme",
        "client.exec.api-version",
    ),
    (
        "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
        "client.kubeconfig.missing",
    ),
    (
        "The connection to the server 10.1.2.3:6443 was refused - did you specify the right host or port?",
        "client.network.refused",
    ),
    (
        "error: invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable",
        "client.kubeconfig.missing",
    ),
    (
        "error: error loading config file \"/root/.kube/config\": open /root/.kube/config: permission denied",
        "client.kubeconfig.permissions",
    ),
    (
        "WARNING: Kubernetes configuration file is group-readable. This is insecure. Location: /home/ann/.kube/config",
        "client.kubeconfig.permissions",
    ),
    ("error: context \"prod\" does not exist", "client.kubeconfig.context"),
    (
        "error: no context exists with the name: \"prod\"",
        "client.kubeconfig.context",
    ),
    (
        "error: the server doesn't have a resource type \"podss\"",
        "client.resource-type",
    ),
    (
        "E0227 18:20:14.383530   26126 memcache.go:265] \"Unhandled Error\" err=\"couldn't get current server API group list: Unauthorized\"\nerror: the server doesn't have a resource type \"pods\"",
        "authn.not-mapped",
    ),
    (
        "Error from server (Forbidden): pods is forbidden: User \"ann\" cannot list resource \"pods\" in API group \"\" in the namespace \"dev\"",
        "authz.rbac.no-binding",
    ),
    (
        "Error from server (Forbidden): secrets is forbidden: User \"ann\" cannot list resource \"secrets\" in API group \"\" at the cluster scope",
        "authz.rbac.no-binding",
    ),
    (
        "Error from server (Forbidden): pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"",
        "authz.anonymous",
    ),
    (
        "Error from server (Forbidden): forbidden: User \"dave\" cannot get path \"/metrics\"",
        "authz.rbac.no-binding",
    ),
    (
        "forbidden: User \"dave\" cannot get path \"/metrics\"",
        "authz.rbac.no-binding",
    ),
    (
        "forbidden: User \"system:anonymous\" cannot get path \"/\"",
        "authz.anonymous",
    ),
    (
        "User \"dave\" cannot list resource \"nodes\" in API group \"\" at the cluster scope",
        "authz.rbac.no-binding",
    ),
    (
        "pods is forbidden: User \"dave\" cannot list pods in the namespace \"default\"",
        "authz.rbac.no-binding",
    ),
    (
        "Cannot list resource \"nodes\" in API group \"\" at the cluster scope",
        "authz.rbac.no-binding",
    ),
    (
        "Error from server (Forbidden): secrets \"x\" is forbidden: User \"system:node:ip-10-0-1-2.ec2.internal\" cannot get resource \"secrets\" in API group \"\" in the namespace \"dev\": no relationship found between node 'ip-10-0-1-2.ec2.internal' and this object",
        "authz.node",
    ),
    (
        "secrets is forbidden: User \"system:node:ip-1\" cannot list resource \"secrets\" in API group \"\" at the cluster scope: node 'x' cannot read all secrets",
        "authz.node",
    ),
    (
        "pods is forbidden: User \"system:serviceaccount:ci:runner\" cannot create resource \"pods\" in API group \"\" in the namespace \"ci\"",
        "authz.serviceaccount",
    ),
    (
        "Error from server (Forbidden): users \"ann\" is forbidden: User \"bob\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope",
        "authz.impersonate",
    ),
    (
        "Error from server: impersonation request has been denied, group header \"system:master\" value is not allowed in roles",
        "",
    ),
    (
        "Error from server (Forbidden): error when creating \"cr.yaml\": clusterroles.rbac.authorization.k8s.io \"x\" is forbidden: user \"ann\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\"]}",
        "authz.rbac.escalation",
    ),
    (
        "Error from server (Forbidden): pods is forbidden: User \"ann\" cannot list resource \"pods\" in API group \"\" in the namespace \"dev\": RBAC: clusterrole.rbac.authorization.k8s.io \"viewer\" not found",
        "authz.rbac.role-missing",
    ),
    (
        "Error from server (NotFound): configmaps \"aws-auth\" not found",
        "authn.aws-auth.missing",
    ),
    (
        "Error from server (NotFound): pods \"web-0\" not found",
        "apiserver.not-found",
    ),
    (
        "Error from server (AlreadyExists): namespaces \"dev\" already exists",
        "apiserver.conflict",
    ),
    (
        "Error from server (NotFound): error when creating \"d.yaml\": namespaces \"dev\" not found",
        "admission.namespace-not-found",
    ),
    (
        "The Deployment \"web\" is invalid: spec.replicas: Invalid value: -1",
        "apiserver.invalid",
    ),
    (
        "Error from server (TooManyRequests): the server has received too many requests and has asked us to try again later",
        "apiserver.throttled",
    ),
    (
        "Error from server (InternalError): an error on the server (\"unknown\") has prevented the request from succeeding",
        "apiserver.internal",
    ),
    (
        "Error from server: etcdserver: request timed out",
        "apiserver.unavailable",
    ),
    (
        "Error from server (ServiceUnavailable): the server is currently unable to handle the request",
        "apiserver.unavailable",
    ),
    (
        "Error from server: error dialing backend: remote error: tls: internal error",
        "apiserver.internal",
    ),
    (
        "error: failed to list *v1.Secret: secrets is forbidden: User \"system:serviceaccount:argocd:argocd-server\" cannot list resource \"secrets\" in API group \"\" at the cluster scope",
        "authz.serviceaccount",
    ),
    (
        "W0102 10:00:00.000000       1 reflector.go:539] k8s.io/client-go/informers/factory.go:150: failed to list *v1.Node: nodes is forbidden: User \"ops\" cannot list resource \"nodes\" in API group \"\" at the cluster scope",
        "authz.rbac.no-binding",
    ),
    (
        "Post \"https://ABC.gr7.us-east-1.eks.amazonaws.com/apis/apps/v1/namespaces/dev/deployments\": Unauthorized",
        "authn.not-mapped",
    ),
    // admission
    (
        "Error from server (Forbidden): error when creating \"p.yaml\": admission webhook \"validate.kyverno.svc-fail\" denied the request: policy Pod/dev/x for resource violation",
        "admission.webhook",
    ),
    (
        "admission webhook \"v.example.com\" denied the request: pods \"y\" is forbidden: exceeded quota: q",
        "admission.webhook",
    ),
    (
        "Error from server (InternalError): error when creating \"p.yaml\": Internal error occurred: failed calling webhook \"v.example.com\": failed to call webhook: Post \"https://v.example.svc:443/v?timeout=10s\": context deadline exceeded",
        "admission.webhook.unavailable",
    ),
    (
        "Error creating: failed calling webhook \"v.example.com\": no endpoints available for service \"v\"",
        "admission.webhook.unavailable",
    ),
    (
        "Error creating: pods \"web-\" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=5, limited: pods=5",
        "admission.quota",
    ),
    (
        "pods \"web\" is forbidden: failed quota: compute: must specify limits.cpu",
        "admission.quota",
    ),
    (
        "Error from server (Forbidden): pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false",
        "admission.pod-security",
    ),
    (
        "The deployments \"x\" is invalid: : ValidatingAdmissionPolicy 'p' with binding 'b' denied request: replicas",
        "admission.policy",
    ),
    (
        "Error from server (Forbidden): pods \"x\" is forbidden: [maximum cpu usage per Container is 1, but limit is 2]",
        "admission.limitrange",
    ),
    (
        "Error from server (Forbidden): configmaps \"x\" is forbidden: unable to create new content in namespace dev because it is being terminated",
        "admission.namespace-terminating",
    ),
    (
        "Error creating: pods \"job-\" is forbidden: error looking up service account dev/runner: serviceaccount \"runner\" not found",
        "admission.serviceaccount",
    ),
    (
        "nodes \"ip-2\" is forbidden: node \"ip-1\" is not allowed to modify node \"ip-2\"",
        "admission.noderestriction",
    ),
    (
        "Error from server (Forbidden): pods \"x\" is forbidden: PodSecurityPolicy: unable to admit pod: []",
        "admission.denied",
    ),
    // Helm
    (
        "Error: INSTALLATION FAILED: Kubernetes cluster unreachable: the server has asked for the client to provide credentials",
        "authn.not-mapped",
    ),
    (
        "Error: UPGRADE FAILED: Kubernetes cluster unreachable: Get \"https://ABC.gr7.us-east-1.eks.amazonaws.com/version\": getting credentials: exec: executable aws failed with exit code 255",
        "client.exec.failed",
    ),
    (
        "Error: Kubernetes cluster unreachable: Get \"http://localhost:8080/version\": dial tcp 127.0.0.1:8080: connect: connection refused",
        "client.kubeconfig.missing",
    ),
    (
        "Error: query: failed to query with labels: secrets is forbidden: User \"ann\" cannot list resource \"secrets\" in API group \"\" in the namespace \"dev\"",
        "authz.rbac.no-binding",
    ),
    (
        "Error: list: failed to list: secrets is forbidden: User \"system:anonymous\" cannot list resource \"secrets\" in API group \"\" in the namespace \"dev\"",
        "authz.anonymous",
    ),
    (
        "Error: query: failed to query with labels: secrets is forbidden",
        "authz.rbac.no-binding",
    ),
    (
        "Error: INSTALLATION FAILED: clusterroles.rbac.authorization.k8s.io is forbidden: User \"ann\" cannot create resource \"clusterroles\" in API group \"rbac.authorization.k8s.io\" at the cluster scope",
        "authz.rbac.no-binding",
    ),
    (
        "Error: UPGRADE FAILED: cannot patch \"web\" with kind Deployment: admission webhook \"v.example.com\" denied the request: no",
        "admission.webhook",
    ),
    // Argo CD, Flux and other controllers
    (
        "Failed to load live state: failed to get managed objects: unexpected error getting managed object: failed to get api resource: failed to discover server resources for group version v1: Unauthorized",
        "authn.not-mapped",
    ),
    (
        "Failed to load live state: failed to get cluster info for \"https://ABC.gr7.us-east-1.eks.amazonaws.com\": error synchronizing cache state : the server has asked for the client to provide credentials",
        "authn.not-mapped",
    ),
    (
        "rpc error: code = Unknown desc = Get \"https://ABC.gr7.us-east-1.eks.amazonaws.com/version?timeout=32s\": dial tcp 10.0.0.7:443: i/o timeout",
        "client.network.timeout",
    ),
    ("rpc error: code = Unknown desc = Unauthorized", "authn.not-mapped"),
    (
        "rpc error: code = Unknown desc = error creating SA Manager: the server has asked for the client to provide credentials",
        "authn.not-mapped",
    ),
    (
        "time=\"2026-01-02T10:00:00Z\" level=error msg=\"finished unary call\" error=\"rpc error: code = Unknown desc = pods is forbidden: User \\\"ann\\\" cannot list resource \\\"pods\\\" in API group \\\"\\\" in the namespace \\\"dev\\\"\" grpc.code=Unknown",
        "authz.rbac.no-binding",
    ),
    (
        "Kustomization/flux-system reconciliation failed: namespaces is forbidden: User \"system:serviceaccount:apps:flux\" cannot create resource \"namespaces\" in API group \"\" at the cluster scope",
        "authz.serviceaccount",
    ),
    (
        "{\"level\":\"error\",\"ts\":\"2026-01-02T10:00:00.000Z\",\"msg\":\"Reconciler error\",\"controller\":\"kustomization\",\"error\":\"Unauthorized\"}",
        "authn.not-mapped",
    ),
    // Terraform
    (
        "╷\n│ Error: Unauthorized\n│ \n│   with kubernetes_namespace.x,\n│   on main.tf line 3, in resource \"kubernetes_namespace\" \"x\":\n│    3: resource \"kubernetes_namespace\" \"x\" {\n╵",
        "authn.not-mapped",
    ),
    (
        "╷\n│ Error: the server has asked for the client to provide credentials\n╵",
        "authn.not-mapped",
    ),
    (
        "Error: the server has asked for the client to provide credentials",
        "authn.not-mapped",
    ),
    (
        "╷\n│ Error: creating EKS Access Entry (prod:arn:aws:iam::111122223333:role/ops): operation error EKS:\n│ CreateAccessEntry, https response error StatusCode: 409, RequestID:\n│ 00000000-1111-4222-8333-444444444401, ResourceInUseException: The specified access entry resource\n│ is already in use on this cluster.\n│\n│   with aws_eks_access_entry.this,\n╵",
        "eks.access-entry.exists",
    ),
    (
        "╷\n│ Error: configmaps \"aws-auth\" is forbidden: User \"arn:aws:sts::111122223333:assumed-role/tf/EKSGetTokenAuth\"\n│ cannot get resource \"configmaps\" in API group \"\" in the namespace \"kube-system\"\n│\n╵",
        "authz.rbac.no-binding",
    ),
    ("│ Error: configmaps \"aws-auth\" already exists", "apiserver.conflict"),
    (
        "│ Error: Get \"http://localhost/api/v1/namespaces/kube-system/configmaps/aws-auth\": dial tcp [::1]:80: connect: connection refused",
        "client.kubeconfig.missing",
    ),
    (
        "Error: Post \"http://localhost/api/v1/namespaces\": dial tcp 127.0.0.1:80: connect: connection refused",
        "client.kubeconfig.missing",
    ),
    (
        "Error: creating EKS Cluster (prod): operation error EKS: CreateCluster, https response error StatusCode: 400, RequestID: 0, InvalidParameterException: Role with arn: arn:aws:iam::111122223333:role/eks, could not be assumed because it does not exist or the trusted entity is not correct",
        "sts.service-role-trust",
    ),
    // AWS CLI, botocore
    (
        "An error occurred (AccessDeniedException) when calling the DescribeCluster operation: User: arn:aws:iam::111122223333:user/ana is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:us-west-2:111122223333:cluster/prod because no identity-based policy allows the eks:DescribeCluster action",
        "iam.identity-policy.missing",
    ),
    (
        "botocore.exceptions.ClientError: An error occurred (AccessDeniedException) when calling the DescribeCluster operation: User: arn:aws:iam::111122223333:user/ana is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:us-west-2:111122223333:cluster/prod",
        "iam.identity-policy.unknown",
    ),
    (
        "An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::111122223333:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/x",
        "sts.trust-policy",
    ),
    (
        "An error occurred (AccessDenied) when calling the AssumeRole operation: Access denied",
        "sts.trust-policy",
    ),
    (
        "An error occurred when calling the AssumeRole operation",
        "sts.trust-policy",
    ),
    (
        "An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:sts::111122223333:assumed-role/a/s is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/x because no identity-based policy allows the sts:AssumeRole action",
        "iam.identity-policy.missing",
    ),
    (
        "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        "sts.web-identity",
    ),
    (
        "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: No OpenIDConnect provider found in your account for https://oidc.eks.us-east-1.amazonaws.com/id/ABC",
        "sts.web-identity",
    ),
    (
        "An error occurred (AccessDeniedException) when calling the DescribeCluster operation: User: arn:aws:sts::111122223333:assumed-role/dev/ann is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:us-east-1:111122223333:cluster/prod with an explicit deny in a service control policy",
        "iam.scp.explicit",
    ),
    (
        "User: arn:aws:sts::111122223333:assumed-role/dev/ann is not authorized to perform: eks:ListClusters because no service control policy allows the eks:ListClusters action",
        "iam.scp",
    ),
    (
        "User: arn:aws:sts::111122223333:assumed-role/dev/ann is not authorized to perform: eks:ListClusters because no permissions boundary allows the eks:ListClusters action",
        "iam.permissions-boundary",
    ),
    (
        "User: arn:aws:sts::111122223333:assumed-role/dev/ann is not authorized to perform: eks:ListClusters because no session policy allows the eks:ListClusters action",
        "iam.session-policy",
    ),
    (
        "User: arn:aws:sts::111122223333:assumed-role/dev/ann is not authorized to perform: eks:ListClusters with an explicit deny in an identity-based policy",
        "iam.explicit-deny",
    ),
    (
        "User: arn:aws:sts::111122223333:assumed-role/dev/ann is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/node because no identity-based policy allows the iam:PassRole action",
        "iam.pass-role",
    ),
    (
        "User: arn:aws:sts::111122223333:assumed-role/dev/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/x because no VPC endpoint policy allows the sts:AssumeRole action",
        "iam.vpc-endpoint-policy",
    ),
    (
        "prod-Capability is not authorized to perform: eks:CreateAccessEntry\non resource: arn:aws:eks:eu-central-1:111122223333:cluster/prod\nbecause no identity-based policy allows the eks:CreateAccessEntry action",
        "iam.identity-policy.missing",
    ),
    (
        "An error occurred (ThrottlingException) when calling the DescribeCluster operation (reached max retries: 4): Rate exceeded",
        "eks.throttled",
    ),
    (
        "An error occurred (ResourceNotFoundException) when calling the DescribeCluster operation: No cluster found for name: prod.",
        "eks.cluster.not-found",
    ),
    (
        "An error occurred (InvalidRequestException) when calling the CreateAccessEntry operation: The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.",
        "eks.auth-mode",
    ),
    (
        "An error occurred (InvalidParameterException) when calling the UpdateClusterConfig operation: Unsupported authentication mode update from CONFIG_MAP to API",
        "eks.auth-mode",
    ),
    (
        "An error occurred (InvalidParameterException) when calling the CreateAccessEntry operation: The kubernetes group name system:masters is invalid, it cannot start with system:",
        "eks.access-entry.system-group",
    ),
    (
        "An error occurred (InvalidParameterException) when calling the CreateAccessEntry operation: The username must not begin with system:",
        "eks.access-entry.system-user",
    ),
    (
        "An error occurred (ResourceNotFoundException) when calling the AssociateAccessPolicy operation: The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'.",
        "eks.access-entry.invalid-principal",
    ),
    (
        "operation error EKS: CreateAccessEntry, https response error StatusCode: 400, RequestID: 0, InvalidParameterException: The caller is not allowed to modify access entries with a principalArn value of a Service Linked Role",
        "eks.access-entry.invalid-principal",
    ),
    (
        "An error occurred (ExpiredToken) when calling the GetCallerIdentity operation: The security token included in the request is expired",
        "sts.expired-token",
    ),
    (
        "An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: The security token included in the request is invalid",
        "sts.invalid-token",
    ),
    (
        "An error occurred (UnrecognizedClientException) when calling the DescribeCluster operation: The security token included in the request is invalid.",
        "sts.invalid-token",
    ),
    (
        "An error occurred (SignatureDoesNotMatch) when calling the GetCallerIdentity operation: Signature not yet current: 20260102T100000Z is still later than 20260102T095000Z",
        "sts.signature",
    ),
    (
        "Error loading SSO Token: Token for my-sso does not exist",
        "client.sso.expired",
    ),
    (
        "The SSO session associated with this profile has expired or is otherwise invalid. To refresh this SSO session run aws sso login with the corresponding profile.",
        "client.sso.expired",
    ),
    (
        "aws: error: the following arguments are required: --name",
        "client.cli.usage",
    ),
    ("Unknown options: —-region, eu-west-1", "client.cli.usage"),
    (
        "aws: error: argument operation: Invalid choice, valid choices are:\n\ncreate-cluster | delete-cluster",
        "client.version",
    ),
    // Go SDKs, eksctl
    (
        "Error: unable to describe cluster control plane: operation error EKS: DescribeCluster, AccessDeniedException",
        "iam.identity-policy.missing",
    ),
    (
        "Error: unable to describe cluster control plane: operation error EKS: DescribeCluster, https response error StatusCode: 403, RequestID: 00000000-1111-4222-8333-444444444401, AccessDeniedException: User: arn:aws:iam::111122223333:user/ana is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:us-west-2:111122223333:cluster/prod",
        "iam.identity-policy.unknown",
    ),
    (
        "Error: checking AWS STS access – cannot get role ARN for current session: operation error STS: GetCallerIdentity, https response error StatusCode: 403, RequestID: 00000000-1111-4222-8333-444444444401, api error ExpiredToken: The security token included in the request is expired",
        "sts.expired-token",
    ),
    (
        "Error: checking AWS STS access – cannot get role ARN for current session: operation error STS: GetCallerIdentity, get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, request canceled, context deadline exceeded",
        "client.credentials.none",
    ),
    ("Error: getting auth ConfigMap: Unauthorized", "authn.not-mapped"),
    (
        "2026-01-02 10:00:00 [✖]  getting auth ConfigMap: configmaps \"aws-auth\" is forbidden: User \"ann\" cannot get resource \"configmaps\" in API group \"\" in the namespace \"kube-system\"",
        "authz.rbac.no-binding",
    ),
    ("Error: re-listing nodes: Unauthorized", "authn.not-mapped"),
    (
        "could not get token: AccessDenied: Access denied\n\tstatus code: 403, request id: 00000000-1111-4222-8333-444444444401",
        "sts.trust-policy",
    ),
    (
        "AccessDeniedException: User: arn:aws:iam::111122223333:user/ana is not authorized to perform: eks:DescribeCluster on resource: x\n\tstatus code: 403, request id: 0000",
        "iam.identity-policy.unknown",
    ),
    (
        "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of nodeRole arn:aws:iam::111122223333:role/node",
        "sts.service-role-trust",
    ),
    (
        "Resource handler returned message: \"User: arn:aws:sts::111122223333:assumed-role/cfn/s is not authorized to perform: eks:CreateCluster on resource: arn:aws:eks:us-east-1:111122223333:cluster/prod because no identity-based policy allows the eks:CreateCluster action\" (RequestToken: 0, HandlerErrorCode: AccessDenied)",
        "iam.identity-policy.missing",
    ),
    // Java, JavaScript, Ruby, Python
    (
        "software.amazon.awssdk.services.eks.model.AccessDeniedException: User: arn:aws:iam::111122223333:user/ana is not authorized to perform: eks:ListClusters because no identity-based policy allows the eks:ListClusters action (Service: Eks, Status Code: 403, Request ID: 00000000-1111-4222-8333-444444444401)",
        "iam.identity-policy.missing",
    ),
    (
        "com.amazonaws.services.eks.model.AmazonEKSException: User: arn:aws:iam::111122223333:user/ana is not authorized to perform: eks:ListClusters (Service: AmazonEKS; Status Code: 403; Error Code: AccessDeniedException; Request ID: 0; Proxy: null)",
        "iam.identity-policy.unknown",
    ),
    (
        "No cluster found for name: prod. (Service: Eks, Status Code: 404, Request ID: 0)",
        "eks.cluster.not-found",
    ),
    (
        "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: https://kubernetes.default/api/v1/namespaces/default/pods. Message: Forbidden!Configured service account doesn't have access. Service account may have been revoked. pods \"build-1\" is forbidden: error looking up service account default/jenkins: serviceaccount \"jenkins\" not found.\n\tat io.fabric8.kubernetes.client.dsl.base.OperationSupport.requestFailure(OperationSupport.java:472)",
        "admission.serviceaccount",
    ),
    (
        "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: GET at: https://10.100.0.1/api/v1/namespaces/dev/pods. Message: pods is forbidden: User \"system:serviceaccount:dev:app\" cannot list resource \"pods\" in API group \"\" in the namespace \"dev\". Received status: Status(apiVersion=v1, code=403, kind=Status)",
        "authz.serviceaccount",
    ),
    (
        "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: GET at: https://ABC.gr7.us-east-1.eks.amazonaws.com/api/v1/pods. Message: Unauthorized! Token may have expired! Please log-in again. Unauthorized.",
        "authn.not-mapped",
    ),
    (
        "io.kubernetes.client.openapi.ApiException: Message: Unauthorized\nHTTP response code: 401\nHTTP response body: {\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401}",
        "authn.not-mapped",
    ),
    (
        "(401)\nReason: Unauthorized\nHTTP response headers: HTTPHeaderDict({'Audit-Id': 'x'})\nHTTP response body: {\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401}",
        "authn.not-mapped",
    ),
    (
        "Exception when calling CoreV1Api->create_namespaced_config_map: (401)\nReason: Unauthorized",
        "authn.not-mapped",
    ),
    (
        "kubernetes.client.exceptions.ApiException: (403)\nReason: Forbidden\nHTTP response headers: HTTPHeaderDict({'Audit-Id': 'x'})\nHTTP response body: {\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"pods is forbidden: User \\\"system:serviceaccount:dev:app\\\" cannot list resource \\\"pods\\\" in API group \\\"\\\" in the namespace \\\"dev\\\"\",\"reason\":\"Forbidden\",\"details\":{\"kind\":\"pods\"},\"code\":403}",
        "authz.serviceaccount",
    ),
    (
        "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://ABC.gr7.us-east-1.eks.amazonaws.com/api/v1/pods",
        "authn.not-mapped",
    ),
    (
        "HttpError: HTTP request failed\n    at Request._callback (/app/node_modules/@kubernetes/client-node/dist/api.js:10:2)\n  statusCode: 401,",
        "authn.not-mapped",
    ),
    (
        "AccessDeniedException: User: arn:aws:iam::111122223333:user/ana is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:us-west-2:111122223333:cluster/prod because no identity-based policy allows the eks:DescribeCluster action\n    at throwDefaultError (/app/node_modules/@smithy/smithy-client/dist-cjs/index.js:867:20)",
        "iam.identity-policy.missing",
    ),
    (
        "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: eks:DescribeCluster on resource: x (Aws::EKS::Errors::AccessDeniedException)",
        "iam.identity-policy.unknown",
    ),
    (
        "Kubeclient::HttpError: HTTP status code 403, pods is forbidden: User \"system:serviceaccount:a:b\" cannot list resource \"pods\" in API group \"\" at the cluster scope",
        "authz.serviceaccount",
    ),
    // kubelet, nodes
    (
        "Jun 06 19:33:03 ip-10-0-33-7 kubelet[3214]: E0606 19:33:03.828406 3214 kubelet_node_status.go:96] \"Unable to register node with API server\" err=\"Unauthorized\" node=\"ip-10-0-33-7.ec2.internal\"",
        "authn.not-mapped",
    ),
    (
        "Jun 06 19:33:03 ip-10-0-33-7 kubelet: E0606 19:33:03.828481 3214 controller.go:145] \"Failed to ensure lease exists, will retry\" err=\"Unauthorized\" interval=\"7s\"",
        "authn.not-mapped",
    ),
    (
        "E0606 19:33:03.828406    3214 kubelet_node_status.go:92] Unable to register node \"ip-1\" with API server: nodes is forbidden: User \"system:anonymous\" cannot create resource \"nodes\" in API group \"\" at the cluster scope",
        "authz.anonymous",
    ),
    (
        "E0606 19:33:03.828406    3214 kubelet.go:2448] \"Error getting node\" err=\"node \\\"ip-10-0-1-2.ec2.internal\\\" not found\"",
        "authn.not-mapped",
    ),
    (
        "NodeCreationFailure: Instances failed to join the kubernetes cluster",
        "authn.not-mapped",
    ),
    // the authenticator
    (
        "time=\"2026-01-02T10:00:00Z\" level=warning msg=\"access denied\" arn=\"arn:aws:iam::111122223333:role/dev\" client=\"127.0.0.1:4711\" error=\"ARN is not mapped\" method=POST path=/authenticate",
        "authn.not-mapped",
    ),
    (
        "level=warning msg=\"access denied\" error=\"ARN is not mapped: arn:aws:iam::111122223333:role/dev\"",
        "authn.not-mapped",
    ),
    (
        "time=\"2026-01-02T10:00:00Z\" level=warning msg=\"access denied\" client=\"127.0.0.1:4711\" error=\"input token was not properly formatted: X-Amz-Date parameter is expired (15 minute expiration) 2026-01-02 09:00:00 +0000 UTC\"",
        "authn.token.expired",
    ),
    (
        "input token was not properly formatted: X-Amz-Date parameter is expired (15 minute expiration) 2026-01-02 09:00:00 +0000 UTC",
        "authn.token.expired",
    ),
    (
        "time=\"2026-01-02T10:00:00Z\" level=warning msg=\"access denied\" client=\"127.0.0.1:4711\" error=\"sts getCallerIdentity failed: error from AWS (expected 200, got 403) on sts.us-east-1.amazonaws.com endpoint. Body: {\\\"Error\\\":{\\\"Code\\\":\\\"ExpiredToken\\\",\\\"Message\\\":\\\"The security token included in the request is expired\\\",\\\"Type\\\":\\\"Sender\\\"},\\\"RequestId\\\":\\\"0\\\"}\" method=POST",
        "authn.sts.expired",
    ),
    (
        "sts getCallerIdentity failed: error from AWS (expected 200, got 403) on sts.us-east-1.amazonaws.com endpoint. Body: {\"Error\":{\"Code\":\"InvalidClientTokenId\",\"Message\":\"The security token included in the request is invalid.\",\"Type\":\"Sender\"},\"RequestId\":\"0\"}",
        "authn.sts.invalid-token",
    ),
    ("identity is not mapped", "authn.not-mapped"),
    ("error=\"identity is not mapped\"", "authn.not-mapped"),
    (
        "{\"level\":\"warning\",\"msg\":\"access denied\",\"arn\":\"arn:aws:iam::111122223333:role/dev\",\"error\":\"identity is not mapped\",\"time\":\"2026-01-02T10:00:00Z\"}",
        "authn.not-mapped",
    ),
    (
        "input token was not properly formatted: token is missing expected \"k8s-aws-v1.\" prefix",
        "authn.token.malformed",
    ),
    (
        "sts getCallerIdentity was throttled: error from AWS (expected 200, got 400)",
        "authn.sts.throttled",
    ),
    (
        "mapper DynamicFile Map error: ARN does not match User ID",
        "authn.access-entry.renamed",
    ),
    // records
    (
        "{\"eventVersion\":\"1.08\",\"userIdentity\":{\"type\":\"IAMUser\",\"arn\":\"arn:aws:iam::111122223333:user/ana\"},\"eventTime\":\"2026-01-02T10:00:00Z\",\"eventSource\":\"eks.amazonaws.com\",\"eventName\":\"DescribeCluster\",\"awsRegion\":\"us-west-2\",\"errorCode\":\"AccessDeniedException\",\"errorMessage\":\"User: arn:aws:iam::111122223333:user/ana is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:us-west-2:111122223333:cluster/prod because no identity-based policy allows the eks:DescribeCluster action\",\"requestParameters\":{\"name\":\"prod\"}}",
        "iam.identity-policy.missing",
    ),
    (
        "{\"Records\":[{\"eventSource\":\"sts.amazonaws.com\",\"eventName\":\"AssumeRole\",\"userIdentity\":{},\"errorCode\":\"AccessDenied\",\"errorMessage\":\"User: arn:aws:iam::111122223333:user/ana is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/x because no role trust policy allows the sts:AssumeRole action\"}]}",
        "sts.trust-policy",
    ),
    (
        "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\"auditID\":\"0\",\"stage\":\"ResponseComplete\",\"requestURI\":\"/api/v1/pods\",\"verb\":\"list\",\"user\":{\"username\":\"ann\",\"groups\":[\"dev\"]},\"objectRef\":{\"resource\":\"pods\",\"apiVersion\":\"v1\"},\"responseStatus\":{\"status\":\"Failure\",\"message\":\"pods is forbidden: User \\\"ann\\\" cannot list resource \\\"pods\\\" in API group \\\"\\\" at the cluster scope\",\"reason\":\"Forbidden\",\"code\":403},\"annotations\":{\"authorization.k8s.io/decision\":\"forbid\",\"authorization.k8s.io/reason\":\"\"}}",
        "authz.rbac.no-binding",
    ),
    (
        "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"auditID\":\"0\",\"stage\":\"ResponseComplete\",\"verb\":\"list\",\"user\":{},\"responseStatus\":{\"code\":401,\"message\":\"Unauthorized\"}}",
        "authn.unknown",
    ),
    (
        "{\n \"kind\": \"Status\", \"apiVersion\": \"v1\", \"status\": \"Failure\",\n \"message\": \"groups \\\"github_org://x\\\" is forbidden: User \\\"system:serviceaccount:cattle:u\\\" cannot impersonate resource \\\"groups\\\" in API group \\\"\\\" at the cluster scope\",\n \"reason\": \"Forbidden\", \"code\": 403\n}",
        "authz.impersonate",
    ),
    (
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"Unauthorized\",\"reason\":\"Unauthorized\",\"code\":401}",
        "authn.not-mapped",
    ),
    ("{\"message\":\"Unauthorized\"}", "authn.not-mapped"),
    (
        "an error on the server (\"Unauthorized\") has prevented the request from succeeding",
        "authn.not-mapped",
    ),
    (
        "WebIdentityErr: failed to retrieve credentials caused by: AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity status code: 403, request id: 0000",
        "sts.web-identity",
    ),
    (
        "Error: Unauthorized on .terraform/modules/eks/aws_auth.tf line 64, in resource \"kubernetes_config_map\" \"aws_auth\":",
        "authn.not-mapped",
    ),
    (
        "Operation returned an invalid status code 'Forbidden'",
        "authz.rbac.no-binding",
    ),
    (
        "ERROR: Job failed (system failure): prepare environment: setting up credentials: secrets is forbidden: User \"system:serviceaccount:gitlab:runner\" cannot create resource \"secrets\" in API group \"\" in the namespace \"gitlab\"",
        "authz.serviceaccount",
    ),
    (
        "{\"log\":\"time=\\\"2026-01-02T10:00:00Z\\\" level=warning msg=\\\"access denied\\\" error=\\\"ARN is not mapped\\\"\\n\",\"stream\":\"stderr\"}",
        "authn.not-mapped",
    ),
    // decoration
    (
        "\u{1b}[1;31mError:\u{1b}[0m \u{1b}[1mUnauthorized\u{1b}[0m\r\n",
        "authn.not-mapped",
    ),
    (
        "2026-01-02T10:00:00.0000000Z ##[error]error: You must be logged in to the server (Unauthorized)\r\n2026-01-02T10:00:00.1000000Z ##[error]Process completed with exit code 1.",
        "authn.not-mapped",
    ),
    (
        "Error: failed to run kubectl: error: You must be logged in to the server (Unauthorized): exit status 1",
        "authn.not-mapped",
    ),
    ("Error: getting pods: Unauthorized: exit status 1", "authn.not-mapped"),
    (
        "kubectl failed: \"error: You must be logged in to the server (Unauthorized)\"",
        "authn.not-mapped",
    ),
    (
        "stderr: \"Error from server (Forbidden): pods is forbidden: User \\\"ann\\\" cannot list resource \\\"pods\\\" in API group \\\"\\\" in the namespace \\\"dev\\\"\": exit status 1",
        "authz.rbac.no-binding",
    ),
    (
        "pods is forbidden: User \\\"ann\\\" cannot list resource \\\"pods\\\" in API group \\\"\\\" in the namespace \\\"dev\\\"",
        "authz.rbac.no-binding",
    ),
    (
        "error: You must be logged in to the server (Unauthorized) \u{fffd}\u{fffd}",
        "authn.not-mapped",
    ),
    ("“Unauthorized”", "authn.not-mapped"),
    // the article and the console
    (
        "The cluster is inaccessible due to the cluster creator IAM user being deleted",
        "authn.principal.deleted",
    ),
    (
        "Your current user or role does not have access to Kubernetes objects on this EKS cluster.",
        "authn.not-mapped",
    ),
    (
        "Changing the cluster creator IAM to another user/role",
        "client.cli.usage",
    ),
    ("yaml: line 7: did not find expected key", "authn.aws-auth.malformed"),
    // names that speak: what a caller chose never decides
    (
        "Error from server (Forbidden): pods is forbidden: User \"x is forbidden: exceeded quota\" cannot list resource \"pods\" in API group \"\" in the namespace \"dev\"",
        "authz.rbac.no-binding",
    ),
    (
        "User \"x is forbidden: exceeded quota: y\" cannot list resource \"pods\" in API group \"\" in the namespace \"dev\"",
        "authz.rbac.no-binding",
    ),
    (
        "pods is forbidden: User \"a\\\" is forbidden: User \\\"system:anonymous\" cannot list resource \"pods\" in API group \"\" at the cluster scope",
        "authz.rbac.no-binding",
    ),
    (
        "Error from server (Forbidden): pods \"admission webhook \\\"x\\\" denied the request\" is forbidden: exceeded quota: q",
        "admission.quota",
    ),
    (
        "Error from server (Forbidden): pods \"ExpiredToken\" is forbidden: User \"ann\" cannot get resource \"pods\" in API group \"\" in the namespace \"InvalidClientTokenId\"",
        "authz.rbac.no-binding",
    ),
    (
        "error when creating \"violates PodSecurity \\\"x\\\".yaml\": pods \"a\" is forbidden: exceeded quota: q",
        "admission.quota",
    ),
    (
        "level=warning msg=\"access denied\" arn=\"arn:aws:iam::111122223333:role/error=\" error=\"identity is not mapped\" client=\"X-Amz-Date parameter is expired\"",
        "authn.not-mapped",
    ),
    (
        "Error from server (Forbidden): pods is forbidden: User \"You must be logged in to the server (Unauthorized)\" cannot list resource \"pods\" in API group \"\" at the cluster scope",
        "authz.rbac.no-binding",
    ),
    (
        "WARNING: Kubernetes configuration file is group-readable. This is insecure. Location: /home/ann/.kube/config\nError: Kubernetes cluster unreachable: Unauthorized",
        "authn.not-mapped",
    ),
    (
        "WARNING: Kubernetes configuration file is world-readable.\nError: UPGRADE FAILED: Kubernetes cluster unreachable: Get \"https://A.gr7.us-east-1.eks.amazonaws.com/version\": dial tcp 10.0.0.1:443: i/o timeout",
        "client.network.timeout",
    ),
    // nothing known
    ("all is well", ""),
    ("", ""),
    ("Error: Kubernetes cluster unreachable: something new", ""),
    ("NAME READY STATUS\nweb-0 1/1 Running", ""),
];

#[test]
fn every_text_has_its_reason_first() {
    assert!(TABLE.len() >= 150, "{}", TABLE.len());
    let mut wrong = Vec::new();
    for (text, reason) in TABLE {
        let found = explain(text);
        let first = found.first().map_or("", |first| first.reason);
        if first != *reason {
            let all: Vec<_> = found.iter().map(|one| (one.pattern, one.reason)).collect();
            wrong.push(format!(
                "{text}\n    wanted {reason:?}, got {all:?}\n    {:?}",
                normalise::statements(text)
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn fixes(text: &str) -> String {
    explain(text)
        .first()
        .map(|first| first.fix.join("\n"))
        .unwrap_or_default()
}

#[test]
fn every_reason_has_a_page_and_every_line_is_filled() {
    for (entry, _) in catalogue::ENTRIES
        .iter()
        .filter(|(entry, _)| entry.rank != Rank::Carrier)
    {
        assert!(
            catalogue::page_of(entry.reason).is_some(),
            "{} {}",
            entry.id,
            entry.reason
        );
    }
    let mut once = std::collections::BTreeSet::new();
    for page in catalogue::pages() {
        assert!(once.insert(page.reason), "{} twice", page.reason);
        let shown = explain(page.reason);
        assert_eq!(shown[0].reason, page.reason);
        assert!(
            !shown[0].meaning.is_empty() && !shown[0].causes.is_empty() && !shown[0].fix.is_empty(),
            "{}",
            page.reason
        );
        for line in &shown[0].fix {
            assert!(
                !line.starts_with('@') && !line.contains("{cluster}") && !line.contains("  {"),
                "{line}"
            );
            assert!(
                !line.contains("AmazonEKSClusterAdminPolicy --access-scope") && !line.contains("--clusterrole=view"),
                "{line}"
            );
        }
    }
    assert!(once.len() > 100, "{}", once.len());
}

#[test]
fn ids_layers_and_topics_have_pages() {
    let first = |text: &str| {
        explain(text)
            .first()
            .map(|first| (first.pattern, first.reason))
            .unwrap_or_default()
    };
    assert_eq!(first("E05"), ("E05", "authn.not-mapped"));
    assert_eq!(first("e51"), ("E51", "eks.cluster.not-found"));
    assert_eq!(first("authn.not-mapped"), ("authn.not-mapped", "authn.not-mapped"));
    assert_eq!(first("g3"), ("G3", "authz.rbac.no-binding"));
    assert!(explain("authn.near-miss").len() > 8);
    for topic in [
        "sso",
        "creator",
        "token",
        "aws-auth",
        "15 minutes",
        "SSO?",
        "Identity Center",
    ] {
        assert_eq!(first(topic).0, "topic", "{topic}");
    }
    assert_eq!(explain("E99"), Vec::new());
}

#[test]
fn a_fix_gives_the_least_that_was_asked_for() {
    let secrets = fixes(
        r#"secrets is forbidden: User "ann" cannot list resource "secrets" in API group "" in the namespace "dev""#,
    );
    assert!(
        secrets.contains("kubectl create role ann-list-secrets -n dev --verb=list --resource=secrets"),
        "{secrets}"
    );
    assert!(
        secrets.contains("AmazonEKSSecretReaderPolicy --access-scope type=namespace,namespaces=dev"),
        "{secrets}"
    );
    let nodes =
        fixes(r#"nodes is forbidden: User "ann" cannot list resource "nodes" in API group "" at the cluster scope"#);
    assert!(
        nodes.contains("clusterrolebinding ann-list-nodes") && !nodes.contains(" rolebinding "),
        "{nodes}"
    );
    let named = fixes(
        r#"deployments.apps "web" is forbidden: User "ann" cannot get resource "deployments" in API group "apps" in the namespace "dev""#,
    );
    assert!(
        named.contains("--verb=get --resource=deployments.apps --resource-name=web"),
        "{named}"
    );
    let anonymous = explain(
        r#"pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope"#,
    );
    assert!(
        !anonymous[0].fix.iter().any(|line| line.contains("binding")) && !anonymous[0].meaning.contains("login worked")
    );
    let power = fixes(
        r#"x is forbidden: User "ann" cannot create resource "clusterrolebindings" in API group "rbac.authorization.k8s.io" at the cluster scope"#,
    );
    assert!(power.starts_with("ask a cluster administrator"), "{power}");
    let sso = fixes(
        "User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/ann is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:us-west-2:111122223333:cluster/prod because no identity-based policy allows the eks:DescribeCluster action",
    );
    assert!(
        sso.contains("permission set Dev") && !sso.contains("put-role-policy"),
        "{sso}"
    );
    let own = fixes(
        "level=warning msg=\"access denied\" arn=\"arn:aws:iam::111122223333:role/dev\" error=\"identity is not mapped\"",
    );
    assert!(
        own.contains("--principal-arn arn:aws:iam::111122223333:role/dev") && !own.contains("get-caller-identity"),
        "{own}"
    );
}

#[test]
fn a_hostile_name_stays_one_word_of_the_shell() {
    let text = r#"pods is forbidden: User "a'; rm -rf / #" cannot list resource "pods" in API group "" in the namespace "$(id)""#;
    let fixes = fixes(text);
    assert!(fixes.contains(r"--user='a'\''; rm -rf / #'"), "{fixes}");
    assert!(fixes.contains("-n '$(id)'"), "{fixes}");
}

#[test]
fn a_carrier_has_the_reason_of_what_it_carries() {
    let text = "Error: UPGRADE FAILED: Kubernetes cluster unreachable: Get \"https://A.gr7.us-east-1.eks.amazonaws.com/version\": dial tcp 10.0.0.1:443: i/o timeout";
    let found = explain(text);
    assert_eq!((found[0].pattern, found[0].reason), ("E11", "client.network.timeout"));
    let carriers: Vec<_> = found
        .iter()
        .filter(|one| one.is_carrier)
        .map(|one| (one.pattern, one.reason))
        .collect();
    assert_eq!(carriers, [("E33", "client.network.timeout")]);
}

proptest::proptest! {
    /// Any text, and pieces of known ones in any order, are explained or not, and never take the program down.
    #[test]
    fn any_text_is_survived(noise in "[\\PC\n\"\\\\{}\\[\\]:=()]{0,200}", at in 0..TABLE.len(), cut in 0usize..400, other in 0..TABLE.len()) {
        let text = TABLE[at].0;
        let cut = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        explain(&format!("{}{noise}{}", &text[..cut], TABLE[other].0));
    }
}

#[test]
fn a_long_hostile_text_takes_no_time() {
    let started = std::time::Instant::now();
    for piece in [
        "{\n",
        "[0,\n",
        "a\n\n",
        "\"",
        ": ",
        "pods is forbidden: ",
        "x (",
        "\\\"",
        "User: a is not authorized to perform: ",
    ] {
        explain(&piece.repeat(300_000 / piece.len()));
    }
    assert!(
        started.elapsed() < std::time::Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
}
