//! Pages on their way to the lake: each is on disk, with the place to go on from, before the next is asked for.
//!
//! `_state/fetch/<job>/plan.json` lists the leaves of a job that are not in the lake yet; beside it each leaf has its pages and a note
//! of how far it is. A page counts once the note says so: what a killed run wrote behind it is cut off.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::range::{Micros, Range};

/// A stretch of time that enters the lake as one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leaf {
    pub(crate) range: Range,
    /// How often it was divided.
    pub(crate) depth: u8,
    /// When the first run began to fetch it: what came later than that may be missing.
    pub(crate) began: Micros,
}

/// How far a leaf is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Bytes of whole pages.
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    /// What is asked for at present: less than the leaf after a token was lost.
    pub(crate) asks: Option<Range>,
    /// Where the answer to that goes on.
    pub(crate) next: Option<String>,
    /// Time of the record that was fetched last, and the records of just that time: they come again if the token is lost.
    pub(crate) edge: Option<Micros>,
    pub(crate) at_edge: Vec<u64>,
    pub(crate) is_complete: bool,
}

/// The spool of one job.
#[derive(Debug, Clone)]
pub(crate) struct Spool {
    folder: PathBuf,
}

impl Spool {
    pub(crate) fn of(lake: &Path, job: &str) -> Self {
        Self {
            folder: lake
                .join("_state/fetch")
                .join(format!("{:016x}", xxh3_64(job.as_bytes()))),
        }
    }

    /// The leaves that an earlier run left behind.
    pub(crate) fn plan(&self) -> io::Result<Vec<Leaf>> {
        match fs::read(self.folder.join("plan.json")) {
            // A plan that cannot be read is no loss: its leaves are fetched anew.
            Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Says which leaves are left; none removes the spool.
    pub(crate) fn set_plan(&self, leaves: &[Leaf]) -> io::Result<()> {
        if leaves.is_empty() {
            return match fs::remove_dir_all(&self.folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        fs::create_dir_all(&self.folder)?;
        write_whole(&self.folder.join("plan.json"), &serde_json::to_vec(leaves)?)
    }

    pub(crate) fn pages(&self, leaf: &Leaf) -> PathBuf {
        self.folder.join(format!("{}-{}.pages", leaf.range.from, leaf.range.to))
    }

    fn note(&self, leaf: &Leaf) -> PathBuf {
        self.pages(leaf).with_extension("json")
    }

    /// How far the leaf is.
    pub(crate) fn progress(&self, leaf: &Leaf) -> io::Result<Progress> {
        let progress: Progress = match fs::read(self.note(leaf)) {
            Ok(text) => serde_json::from_slice(&text).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Progress::default(),
            Err(error) => return Err(error),
        };
        let pages = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(self.pages(leaf))?;
        if pages.metadata()?.len() < progress.bytes {
            pages.set_len(0)?;
            return Ok(Progress::default());
        }
        pages.set_len(progress.bytes)?;
        Ok(progress)
    }

    /// Adds a page.
    pub(crate) fn add(&self, leaf: &Leaf, page: &[u8], progress: &Progress) -> io::Result<()> {
        if !page.is_empty() {
            let mut pages = OpenOptions::new().append(true).open(self.pages(leaf))?;
            pages.write_all(page)?;
            pages.sync_data()?;
        }
        write_whole(&self.note(leaf), &serde_json::to_vec(progress)?)
    }

    /// Forgets a leaf that is in the lake, or was divided.
    pub(crate) fn remove(&self, leaf: &Leaf) -> io::Result<()> {
        for path in [self.note(leaf), self.pages(leaf)] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let aside = path.with_extension("tmp");
    let mut file = File::create(&aside)?;
    file.write_all(content)?;
    file.sync_data()?;
    fs::rename(aside, path)
}
