//! Layer `admission`: RBAC allowed the request, and something behind it refused the object. More permissions do not help.

use super::{Entry, Page, cause, page};

pub(super) const PAGES: &[Page] = &[
    page(
        "admission.webhook",
        "An admission webhook refused the object. RBAC had allowed the request: more permissions do not help.",
        &["a policy of Gatekeeper, Kyverno or another webhook; the message names it"],
        &[
            "change the object as the message says, or ask the owner of {object}",
            "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations",
        ],
    ),
    page(
        "admission.webhook.unavailable",
        "An admission webhook did not answer, and its failurePolicy refuses the request then.",
        &[
            "its pods are not running",
            "the security group does not let the control plane reach the webhook's port on the nodes",
            "its certificate expired",
        ],
        &[
            "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations   # find {object}: its service and namespace",
            "kubectl get pods,endpoints -n {namespace}",
        ],
    ),
    page(
        "admission.policy",
        "A ValidatingAdmissionPolicy refused the object.",
        &["the policy's expression; the message says which"],
        &["kubectl get validatingadmissionpolicy {object} -o yaml"],
    ),
    page(
        "admission.quota",
        "The namespace's resource quota is used up, or requires limits that the pod does not set.",
        &["ResourceQuota"],
        &["kubectl describe quota -n {namespace}"],
    ),
    page(
        "admission.limitrange",
        "The namespace's LimitRange does not allow these resources.",
        &["a request or limit above the maximum or below the minimum"],
        &["kubectl describe limitrange -n {namespace}"],
    ),
    page(
        "admission.pod-security",
        "The pod violates the Pod Security level of its namespace.",
        &["the pod's securityContext; the message lists what to set"],
        &[
            "kubectl get namespace {namespace} --show-labels   # pod-security.kubernetes.io/enforce",
            "set in the pod's securityContext what the message lists",
        ],
    ),
    page(
        "admission.namespace-terminating",
        "The namespace is being deleted.",
        &["kubectl delete namespace is still running, or hangs on a finalizer"],
        &["kubectl get namespace {namespace} -o yaml   # status.conditions says what is left"],
    ),
    page(
        "admission.namespace-not-found",
        "The namespace does not exist.",
        &[
            "a typo",
            "not created yet",
            "another cluster: look at the current context",
        ],
        &[
            "kubectl config current-context",
            "kubectl get namespaces",
            "kubectl create namespace {namespace}",
        ],
    ),
    page(
        "admission.serviceaccount",
        "The pod's service account does not exist in its namespace.",
        &[
            "serviceAccountName is misspelt",
            "the account is in another namespace, or was deleted",
        ],
        &["@serviceaccount"],
    ),
    page(
        "admission.noderestriction",
        "A kubelet may change only its own node and its own pods.",
        &["the node's name and its identity differ", "a person uses a node's role"],
        &["kubectl get nodes -o wide"],
    ),
    page(
        "admission.denied",
        "An admission plugin refused the object. RBAC had allowed the request: more permissions do not help.",
        &["the message says why"],
        &["change the object as the message says"],
    ),
];

pub(super) const ENTRIES: &[Entry] = &[
    cause(
        "E20",
        r#"admission webhook "[^"]+" denied the request"#,
        "admission.webhook",
    ),
    cause(
        "E21",
        r#"failed calling webhook "[^"]+""#,
        "admission.webhook.unavailable",
    ),
    cause("E22", r"exceeded quota: |failed quota: ", "admission.quota"),
    cause("E23", r#"violates PodSecurity ""#, "admission.pod-security"),
    cause(
        "E24",
        r"ValidatingAdmissionPolicy '[^']+'.* denied request",
        "admission.policy",
    ),
];
