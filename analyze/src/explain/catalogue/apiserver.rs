//! Layer `apiserver`: outcomes of requests that are no access matter.

use super::{Entry, Page, Rank, cause, entry, page};

pub(super) const PAGES: &[Page] = &[
    page(
        "apiserver.invalid",
        "The object is not valid (422). This is not an access problem.",
        &["a field that the message names"],
        &["correct the field that the message names"],
    ),
    page(
        "apiserver.conflict",
        "The object exists already, or was changed in the meantime (409). This is not an access problem.",
        &["created twice", "another controller writes the same object"],
        &["read the object again, then apply the change to it"],
    ),
    page(
        "apiserver.not-found",
        "The object does not exist (404). This is not an access problem.",
        &["a typo, another namespace, or another cluster"],
        &["kubectl config current-context", "kubectl get namespaces"],
    ),
    page(
        "apiserver.bad-request",
        "The request is not well formed (400). This is not an access problem.",
        &["a field of the wrong type", "a client that is too old or too new"],
        &["kubectl version"],
    ),
    page(
        "apiserver.throttled",
        "Too many requests (429). No permission is missing.",
        &["API Priority and Fairness: a client that lists or watches too much"],
        &["try again; find the busy client in the audit log"],
    ),
    page(
        "apiserver.unavailable",
        "The API server, or what is behind it, did not answer (503, 504).",
        &[
            "a change or overload of the control plane",
            "an aggregated API (metrics-server) that is down",
        ],
        &[
            "kubectl get apiservices   # Available=False",
            "aws eks describe-cluster --name {cluster} --region {region} --query cluster.[status,health]",
        ],
    ),
    page(
        "apiserver.internal",
        "The API server failed (500). No permission is missing.",
        &["a temporary fault", "etcd or a webhook"],
        &[
            "try again",
            "aws eks describe-cluster --name {cluster} --region {region} --query cluster.[status,health]",
        ],
    ),
];

pub(super) const ENTRIES: &[Entry] = &[
    cause("E64", r"error dialing backend:", "apiserver.internal")
        .saying(
            "The control plane cannot reach the kubelet (logs, exec, port-forward). Permissions are not the problem.",
        )
        .because(&[
            "the node's security group does not allow port 10250 from the cluster's",
            "the kubelet's serving certificate",
        ])
        .solved_by(&[
            "allow TCP 10250 from the cluster security group to the nodes",
            "kubectl get csr   # pending serving certificates",
        ]),
    cause("E65", r#"an error on the server \("unknown"\)"#, "apiserver.internal"),
    entry(
        "E65",
        r#"etcdserver: |ServiceUnavailable|the server is currently unable to handle the request|503 Service|504 Gateway"#,
        Rank::General,
        "apiserver.unavailable",
    ),
    entry(
        "apiserver.throttled",
        r"TooManyRequests\b|429 Too Many Requests|the server has received too many requests",
        Rank::General,
        "apiserver.throttled",
    ),
];
