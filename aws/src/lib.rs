//! Pulls logs and present state from AWS into the lake, by the official SDK.
//!
//! It promises to stay below the published quotas, to lose nothing and double nothing whatever the network does, to go on where a
//! killed run stopped, and to name the missing permission where AWS refuses. Records take the same way through
//! [`eksplain_ingest`] as those of files.
//!
//! It never knows what a record proves, nor what a terminal is.

mod access;
pub mod cloudtrail;
pub mod cloudwatch;
pub mod doctor;
mod fault;
pub mod plan;
pub mod policy;
mod pull;
mod quota;
mod regions;
pub mod rescue;
pub mod s3;
mod scope;
pub mod snapshot;
pub mod sns;

pub use access::{Account, Accounts, Aws, Regions, Settings};
pub use fault::{Fault, Kind};
pub use pull::{Micros, Range};
pub use quota::{Api, Meter};
pub use scope::{Scope, State};
