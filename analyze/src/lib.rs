//! Facts from EKS logs to findings.
pub mod findings;
