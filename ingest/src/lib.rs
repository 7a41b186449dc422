//! From sources to the lake: finds objects, opens their envelopes, and hands typed records to [`eksplain_lake`].
//!
//! What an object holds is told by its content, never by its name. It promises that every record that was read is kept, is known
//! already, or is in `rejects` with its text and place; that memory does not grow with the input; and that the same input
//! gives the same lake whatever the number of threads.
//!
//! It never knows what a record proves, nor what a terminal is: progress and problems are values.

mod files;
mod intake;
mod object;
mod place;
mod report;
mod state;
mod unpack;

pub use eksplain_lake::KeepRaw;
pub use files::{Error, FileOptions, LocalFile, Object, Store, ingest_files, ingest_objects, uri_of};
pub use intake::Intake;
pub use place::{Hints, Layout, LayoutError};
pub use report::{IngestReport, Problem, Progress, Refused, Taken};
pub use state::{LIST, complete_list};
