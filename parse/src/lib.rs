//! Text and bytes of EKS logs to typed records.
//!
//! One module for each form of text: authenticator lines ([`authenticator`]), Kubernetes audit events ([`audit`]), CloudTrail
//! records ([`cloudtrail`]), the aws-auth ConfigMap ([`aws_auth`]), ARNs ([`arn`]), the sentences with which AWS refuses a call
//! ([`denied`]), times ([`time`]), patterns ([`glob`]), regions ([`region`]), bare JSON text ([`json`]) and JSON that was cut off
//! ([`cut`]).
//!
//! Promises: no parser panics, whatever the bytes; nothing read is lost (what cannot be understood is kept as a problem with
//! its text); records borrow from the input wherever the text stands there as it is; time is linear in the length of the input.
//!
//! This crate never knows files, networks, clocks or Parquet, and never says what a record means for access.

pub mod arn;
pub mod audit;
pub mod authenticator;
pub mod aws_auth;
pub mod cloudtrail;
pub mod cut;
pub mod denied;
pub mod glob;
pub mod json;
mod lenient;
pub mod percent;
pub mod region;
pub mod time;

pub use time::Micros;
