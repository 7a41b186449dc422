//! How bad, how sure, whether it works, and what it rests on.

use super::words;

words! {
    /// How bad a finding of `check` is, worst first.
    pub enum Severity {
        Critical = "critical": "Act now: access is open, or lost",
        High = "high": "Act soon",
        Medium = "medium": "Worth correcting",
        Low = "low": "Harmless, but misleading",
        Info = "info": "Good to know",
    }
}

words! {
    /// How sure an answer is, surest first.
    pub enum Confidence {
        Certain = "certain": "The deciding field or text is in a record",
        Likely = "likely": "Records are joined by time, or state is rebuilt from logs without gaps",
        Guess = "guess": "The logs have a gap, or do not say",
    }
}

words! {
    /// Whether a way back in works.
    pub enum Works {
        Yes = "yes": "It works",
        Depends = "depends": "It depends on what the logs do not show",
        No = "no": "It does not work",
    }
}

words! {
    /// What the creator of a cluster is known by.
    pub enum Basis {
        CreateClusterEvent = "create_cluster_event": "The CreateCluster event in CloudTrail",
        AccessEntry = "access_entry": "The access entry that EKS made with the cluster",
        FirstMastersLogin = "first_masters_login": "The first login with system:masters",
        Snapshot = "snapshot": "A snapshot",
    }
}
