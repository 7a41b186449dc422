//! The gates that a request passes, in order, for a word that does not say which of them refused.

use super::{Page, page};

/// Id, then what the gate is and how to tell that it was this one.
pub(in crate::explain) const GATES: &[(&str, Page)] = &[
    (
        "G1",
        page(
            "iam.identity-policy.unknown",
            "Gate 1, AWS: IAM or STS refused a call before a token was made. The full message contains AccessDenied, AccessDeniedException or \
         \"is not authorized to perform\". CloudTrail has an event with an errorCode; the cluster's logs have nothing.",
            &[
                "no policy allows eks:DescribeCluster",
                "the role's trust policy does not allow sts:AssumeRole",
                "an SCP, a permissions boundary or an explicit deny",
            ],
            &[
                "aws sts get-caller-identity",
                "aws eks describe-cluster --name {cluster} --region {region} --query cluster.status   # AccessDenied here: it was this gate",
            ],
        ),
    ),
    (
        "G2",
        page(
            "authn.not-mapped",
            "Gate 2, authentication: the cluster does not accept the login (HTTP 401). The full message contains \"You must be logged in to the server\", \
         \"Unauthorized\" or \"the server has asked for the client to provide credentials\". The authenticator log has a line with msg=\"access denied\" and the \
         cause; the audit log has code 401 without a user.",
            &[
                "the IAM principal has no access entry and no aws-auth mapping, or one that never matches",
                "the token expired (15 minutes), or is for another cluster",
                "the access entry belongs to a principal that was deleted and created again",
            ],
            &[
                "kubectl auth whoami   # Unauthorized here: it was this gate",
                "aws sts get-caller-identity   # the identity that must be mapped",
            ],
        ),
    ),
    (
        "G2b",
        page(
            "authz.impersonate",
            "Gate 2b, impersonation, only with --as or --as-group: HTTP 403 \"cannot impersonate resource\". The audit log has code 403 without the annotation \
         authorization.k8s.io/decision.",
            &["--as or --as-group without the impersonate permission"],
            &["run the command again without --as and --as-group"],
        ),
    ),
    (
        "G3",
        page(
            "authz.rbac.no-binding",
            "Gate 3, authorization: the login worked and neither RBAC nor an access policy allows the request (HTTP 403). The full message is \
         \"… is forbidden: User … cannot VERB resource …\". The audit log has code 403 with decision=forbid.",
            &[
                "no binding for the user or its groups",
                "a binding in another namespace, or for another verb, resource or API group",
            ],
            &["kubectl auth can-i VERB RESOURCE -n {namespace}   # no: it was this gate"],
        ),
    ),
    (
        "G4",
        page(
            "admission.denied",
            "Gate 4, admission: RBAC allowed the request, and a quota, Pod Security, a webhook or a policy refused the object (403, 400, 422 or 500). The full \
         message names it: \"admission webhook … denied the request\", \"exceeded quota\", \"violates PodSecurity\". The audit log has that code with decision=allow.",
            &[
                "a policy of Gatekeeper, Kyverno or another webhook",
                "ResourceQuota, LimitRange, Pod Security",
            ],
            &["run the command again with the full message; more permissions do not help here"],
        ),
    ),
    (
        "G0",
        page(
            "client.proxy",
            "Before all gates: a proxy, load balancer or web application firewall on the way can answer 401 or 403 itself, often with an HTML page. No log of AWS or of \
         the cluster has the request.",
            &["HTTPS_PROXY is set and NO_PROXY does not cover the cluster's endpoint"],
            &["env | grep -i proxy"],
        ),
    ),
];
