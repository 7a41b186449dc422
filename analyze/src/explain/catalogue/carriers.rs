//! Sentences that wrap another message. None has a reason of its own: the message inside decides.

use super::{Entry, Rank, entry};

const fn carrier(id: &'static str, pattern: &'static str, meaning: &'static str) -> Entry {
    entry(id, pattern, Rank::Carrier, "").saying(meaning)
}

pub(super) const ENTRIES: &[Entry] = &[
    carrier(
        "E03",
        r"couldn't get current server API group list|failed to get API group resources|failed to discover server resources",
        "kubectl or another client could not ask the server which resources it has.",
    ),
    carrier(
        "E07",
        r"(can't|unable to|cannot) describe cluster control plane",
        "eksctl could not call eks:DescribeCluster.",
    ),
    carrier(
        "E33",
        r"Kubernetes cluster unreachable|(INSTALLATION|UPGRADE|ROLLBACK) FAILED|uninstall: |uninstallation completed with",
        "Helm could not use the cluster.",
    ),
    carrier(
        "E34",
        r"failed to query with labels|query: failed|list: failed to list",
        "Helm keeps its releases in Secrets of the namespace and could not read them.",
    ),
    carrier(
        "E35",
        r"^\W*Error: (Unauthorized|the server has asked for the client to provide credentials)",
        "Terraform's kubernetes or helm provider, or another tool, passes on the refusal. In a long Terraform run, a token that was read early has often expired.",
    ),
    carrier(
        "E38",
        r"operation error [\w ]+: \w+,|^\W*Error: creating EKS ",
        "A Go tool (Terraform, eksctl) passes on an error of an AWS API.",
    ),
    carrier(
        "E39",
        r"An error occurred (\([\w.]+\) )?when calling the \w+ operation",
        "The AWS CLI or botocore passes on an error of an AWS API.",
    ),
    carrier(
        "E40",
        r"getting auth ConfigMap:",
        "eksctl needs a Kubernetes login to read or write aws-auth.",
    ),
    carrier(
        "E41",
        r"checking AWS STS access|cannot get role ARN for current session",
        "eksctl checks its AWS credentials first.",
    ),
    carrier(
        "controller",
        r"Failed to load (live|target) state|rpc error: code = \w+ desc =|ComparisonError|failed to sync cluster|reconcil(er|iation) (error|failed)|ReconciliationFailed",
        "Argo CD, Flux or another controller passes on an error of the cluster it manages.",
    ),
];
