//! Where a record comes from.

use super::words;

words! {
    /// The log that a record is of; sorted by id, because answers are sorted by source.
    pub enum Source {
        Audit = "audit": "The Kubernetes audit log",
        Authenticator = "authenticator": "The log of the EKS authenticator",
        Cloudtrail = "cloudtrail": "CloudTrail",
        Snapshot = "snapshot": "A snapshot of AWS and of the cluster",
    }
}
