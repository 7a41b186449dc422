//! What can keep a lake from being read or written, by what the caller can do about it.
//!
//! Every message is a fragment that fits after "could not …" and names the path it is about.

use std::io;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;

/// Why something with a lake did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing was ingested here yet, or the path is wrong.
    #[error("open the lake {}: there is no lake.json in it", path.display())]
    NotFound {
        /// Folder that was to be a lake.
        path: PathBuf,
    },
    /// The folder holds other things: another one must be named.
    #[error("make a lake in {}: the folder is not empty and not a lake", path.display())]
    NotALake {
        /// Folder that was to become a lake.
        path: PathBuf,
    },
    /// A newer eksplain wrote it, or the place is of a kind that this version cannot keep a lake in.
    #[error("use the lake {}: {what}", path.display())]
    Unsupported {
        /// The lake.
        path: PathBuf,
        /// What this version does not know.
        what: String,
    },
    /// Another process writes: wait for its end, or use another lake.
    #[error("write to the lake: another eksplain is writing to it (lock {})", path.display())]
    Busy {
        /// The lock file; it is free as soon as that process ends.
        path: PathBuf,
    },
    /// The disk or the quota is full: make room and run again; what was committed stays.
    #[error("{action} {}: no space is left", path.display())]
    NoSpace {
        /// What was being done.
        action: &'static str,
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system does not allow it: the owner or the mode of the path must change.
    #[error("{action} {}: permission is denied", path.display())]
    Refused {
        /// What was being done.
        action: &'static str,
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Any other fault of the file system.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of the lake is not what it should be: `lake verify` says more.
    #[error("read {}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Another group of the same run failed first; its error tells why.
    #[error("go on: the run was stopped")]
    Stopped,
    /// The caller broke the protocol of a run: a bug in eksplain.
    #[error("take group {ordinal} of the run: it was submitted before (this is a bug in eksplain)")]
    OutOfTurn {
        /// The group's number.
        ordinal: u64,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A fault of the file system at a path; `action` is a verb with its object, such as `write the part`.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { action, path, source },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Refused { action, path, source }
            }
            _ => Self::Io { action, path, source },
        }
    }

    /// A fault of the Parquet library at a path: the file system's where one lies beneath, else damage.
    pub(crate) fn parquet(action: &'static str, path: &Path, source: ParquetError) -> Self {
        match source {
            ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(inner) => Self::io(action, path, *inner),
                Err(inner) => Self::Damaged {
                    path: path.to_owned(),
                    what: inner.to_string(),
                },
            },
            other => Self::Damaged {
                path: path.to_owned(),
                what: other.to_string(),
            },
        }
    }
}

/// Adds the path to a fault of the file system.
pub(crate) trait AtPath<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::io(action, path, source))
    }
}

impl<T> AtPath<T> for std::result::Result<T, ParquetError> {
    fn at(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::parquet(action, path, source))
    }
}
