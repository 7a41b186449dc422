//! Layer `authz`: the login worked, and no authorizer allowed the request (403).

use super::{Entry, Page, Rank, cause, entry, page};

const OWN: &str = "kubectl auth can-i --list -n {namespace}   # what you may do (access policies are not listed)";
const BIND: &[&str] = &["@bind"];

pub(super) const PAGES: &[Page] = &[
    page(
        "authz.rbac.no-binding",
        "The login worked; neither RBAC nor an access policy allows the request.",
        &[
            "no binding for the user or its groups",
            "a binding in another namespace, or for another verb, resource or API group",
        ],
        BIND,
    ),
    page(
        "authz.rbac.group-unbound",
        "The mapping works and gives a group; no binding names that group.",
        &["the RoleBinding was never created, or names another group"],
        BIND,
    ),
    page(
        "authz.rbac.wrong-namespace",
        "A binding would allow the request in another namespace.",
        &[
            "-n is missing or misspelt",
            "-A or a cluster-wide request, and only RoleBindings",
        ],
        &["run the command again with the right -n", "@bind"],
    ),
    page(
        "authz.rbac.missing-verb",
        "A role covers the resource, without this verb.",
        &["get without list and watch", "apply needs get, create and patch"],
        BIND,
    ),
    page(
        "authz.rbac.missing-resource",
        "A role has the verb, without this resource.",
        &[
            "a subresource such as pods/log or pods/exec is a resource of its own",
            "a singular or misspelt resource name",
        ],
        BIND,
    ),
    page(
        "authz.rbac.wrong-api-group",
        "A role names the resource under another API group.",
        &["deployments are in apps, ingresses in networking.k8s.io; under \"\" they never match"],
        BIND,
    ),
    page(
        "authz.rbac.resource-name",
        "A role allows the request for certain object names only.",
        &["list, watch and create carry no name, so a rule with resourceNames never allows them"],
        BIND,
    ),
    page(
        "authz.rbac.role-missing",
        "A binding names a role that does not exist.",
        &["the role was deleted or its name is misspelt"],
        &[
            "kubectl get clusterroles,roles -A   # is {role} there under another name?",
            "create the role again, or bind one that exists",
        ],
    ),
    page(
        "authz.rbac.near-miss.case",
        "A binding names the user or group in other letters: case counts in RBAC.",
        &["Dev and dev are two groups"],
        BIND,
    ),
    page(
        "authz.rbac.near-miss.subject-kind",
        "A binding names the right name as the wrong kind (User for Group), or an ARN instead of the mapped user name.",
        &["kind: User for a group", "the IAM ARN as user name"],
        BIND,
    ),
    page(
        "authz.rbac.near-miss.sa-namespace",
        "A binding names the service account in another namespace.",
        &["the subject's namespace is missing or wrong"],
        BIND,
    ),
    page(
        "authz.rbac.username-session",
        "A binding names a user name that contains a session name, which changes: bind a group.",
        &["the user name of an assumed role ends in the session name"],
        BIND,
    ),
    page(
        "authz.rbac.escalation",
        "Kubernetes does not let you grant permissions you do not have yourself. Permissions from access policies do not count, other than AmazonEKSClusterAdminPolicy.",
        &[
            "the role contains more than you have by RBAC",
            "a chart or operator that brings its own ClusterRole",
        ],
        &[
            "let a cluster administrator apply it: this is the right fix in most cases",
            "kubectl auth can-i escalate clusterroles   # only with this, or bind, may you do it yourself",
        ],
    ),
    page(
        "authz.impersonate",
        "The caller may not act as another user or group (--as, --as-group).",
        &[
            "--as in the command, in the kubeconfig or in the tool's settings",
            "a tool such as Rancher whose service account lost its ClusterRole",
        ],
        &["run the command again without --as and --as-group", "@impersonate"],
    ),
    page(
        "authz.access-policy.scope",
        "The caller's access policy covers the request in other namespaces only.",
        &["the policy is associated with a list of namespaces"],
        &[
            "aws eks list-associated-access-policies --cluster-name {cluster} --region {region} --principal-arn {principal}   # the namespaces it has now",
            "associate the policy again with those namespaces and the new one: it replaces the list",
        ],
    ),
    page(
        "authz.access-policy.missing",
        "The access entry exists, with no access policy and no groups: the login works, and nothing is allowed.",
        &["create-access-entry without associate-access-policy"],
        BIND,
    ),
    page(
        "authz.access-policy.insufficient",
        "The caller's access policy is in scope and does not include the request.",
        &[
            "AmazonEKSViewPolicy has no Secrets; no policy but AmazonEKSClusterAdminPolicy and AmazonEKSAdminViewPolicy covers custom resources and nodes",
        ],
        BIND,
    ),
    page(
        "authz.access-policy.lost-by-impersonation",
        "The caller has an access policy that would allow it; with --as, access policies do not count.",
        &["kubectl --as, or kubectl auth can-i --as"],
        &["run the command again without --as"],
    ),
    page(
        "authz.node",
        "The Node authorizer refused a kubelet: it may read only what its own pods use.",
        &[
            "a pod that was just deleted or moved: harmless",
            "a person or tool uses a node's role",
        ],
        &[
            "kubectl get pods -A -o wide   # does a pod on that node use the object?",
            "do not bind anything to system:node or system:nodes",
        ],
    ),
    page(
        "authz.anonymous",
        "The request had no credentials: it was made as system:anonymous. This is not a missing binding; bind nothing to system:anonymous.",
        &[
            "a kubeconfig without a user, or a client without a token",
            "a browser, a health check or a scanner",
            "a node without a valid kubeconfig",
        ],
        &[
            "aws eks update-kubeconfig --name {cluster} --region {region}",
            "kubectl auth whoami   # must name you, not system:anonymous",
        ],
    ),
    page(
        "authz.serviceaccount",
        "No role that is bound to the service account allows the request.",
        &[
            "the RoleBinding is missing, or names another namespace or account",
            "a chart installed with rbac.create=false",
        ],
        BIND,
    ),
    page(
        "authz.webhook",
        "A custom authorizer answered.",
        &["an authorizer of AWS"],
        &[OWN],
    ),
    page(
        "authz.error",
        "An authorizer failed; the request was neither allowed nor refused.",
        &["a temporary fault of the control plane"],
        &["try again"],
    ),
    page(
        "authz.eks-console",
        "The EKS console's principal may not read these objects.",
        &["the console's principal is often not the one of your CLI"],
        BIND,
    ),
];

pub(super) const ENTRIES: &[Entry] = &[
    cause(
        "E16",
        r#"is forbidden: User "[^"]*" cannot \S+ "#,
        "authz.rbac.no-binding",
    ),
    entry(
        "E16",
        r#"Cannot (get|list|watch|create|update|patch|delete) resource|\bis forbidden\b"#,
        Rank::General,
        "authz.rbac.no-binding",
    ),
    cause("E17", r#"cannot impersonate resource"#, "authz.impersonate"),
    cause(
        "E18",
        r"attempting to grant RBAC permissions not currently held|attempt to grant extra privileges",
        "authz.rbac.escalation",
    ),
    cause(
        "E19",
        r#"RBAC: \[?(cluster)?role\.rbac\.authorization\.k8s\.io "[^"]+" not found"#,
        "authz.rbac.role-missing",
    ),
];
