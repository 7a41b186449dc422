//! The Parquet lake: what ingesting writes and every question reads.
//!
//! It holds five tables ([`Table`]) as plain Parquet files by UTC day, readable by any engine with a glob. It promises that a part is
//! whole or absent, that a record is stored once however often it arrives, that the same input makes the same files, and that a
//! run killed at any instant leaves a lake that reads well. [`Lake`] opens it, [`RowSet`] turns records into rows,
//! [`IngestSession`] takes them in.
//!
//! It never knows what a record means, where objects come from, or how questions are asked.

mod assign;
mod check;
mod error;
mod fingerprint;
mod id;
mod journal;
mod lake;
mod part;
mod redact;
mod repair;
mod rewrite;
mod rows;
mod seal;
mod seen;
mod session;
mod shard;
mod table;
pub mod tables;

pub use assign::{Assigned, Assignment};
pub use error::{Error, Result};
pub use id::{ID_LENGTH, NotAnId, RecordId};
pub use journal::InputDone;
pub use lake::{Fault, Found, Holding, Lake};
pub use part::PartInfo;
pub use redact::without_secrets;
pub use repair::Repaired;
pub use rows::{KeepRaw, Origin, RowSet, Rows};
pub use seal::Sealed;
pub use session::{IngestSession, Summary, TableSummary};
pub use shard::{NotAShard, Shard};
pub use table::Table;
pub use tables::snapshot::SnapshotRecord;
