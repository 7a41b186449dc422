//! Repair: parts that are not what was committed leave the lake, and the objects whose records they may hold are read again.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::check::place_of;
use crate::error::{AtPath, Result};
use crate::journal::{Commit, Journal};
use crate::lake::Lake;

/// Where damaged files are kept: a person may still save something from them.
const DAMAGED: &str = "_state/damaged";

/// What repairing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Parts that are dropped, relative to the lake.
    pub dropped: Vec<PathBuf>,
    /// Objects that the next ingest reads again, sorted.
    pub again: Vec<String>,
}

impl Lake {
    /// Drops every part that is not what was committed; a copy of it stays in `_state/damaged`.
    ///
    /// Which object a lost record came from only the record knew: every object that gave records to the part's table and day is read
    /// again, and what the lake still has of them is told as repeated.
    ///
    /// # Errors
    /// [`Busy`](crate::Error::Busy) where another process writes; [`Damaged`](crate::Error::Damaged) where the journal itself is; faults of the file system.
    pub fn repair(&mut self) -> Result<Repaired> {
        let (mut journal, _lock) = self.lock()?;
        let mut repaired = Repaired {
            dropped: self.verify().into_iter().map(|fault| fault.path).collect(),
            again: Vec::new(),
        };
        if repaired.dropped.is_empty() {
            return Ok(repaired);
        }
        let damaged: Vec<_> = self
            .part_infos()
            .iter()
            .filter(|part| repaired.dropped.contains(&part.path))
            .collect();
        let days: BTreeSet<_> = damaged.iter().filter_map(|part| part.partition()).collect();
        let (_, commits) = Journal::open(self.root())?;
        let gave = |commit: &&Commit| {
            commit
                .parts
                .iter()
                .filter_map(|part| part.partition())
                .any(|day| days.contains(&day))
        };
        let again: BTreeSet<String> = commits
            .iter()
            .filter(gave)
            .flat_map(|commit| commit.inputs.iter().map(|input| input.uri.clone()))
            .collect();
        repaired.again = again.into_iter().collect();

        let kept = self.root().join(DAMAGED);
        fs::create_dir_all(&kept).at("make the folder", &kept)?;
        for part in &damaged {
            let (from, to) = (place_of(self.root(), part), part.staged(&kept));
            match fs::copy(&from, &to) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                copied => {
                    copied.at("keep a copy of the damaged part", &to)?;
                }
            }
        }
        journal.append(&Commit {
            removed: repaired.dropped.clone(),
            forgotten: repaired.again.clone(),
            ..Commit::default()
        })?;
        *self = Self::open_as_it_is(self.root())?;
        Ok(repaired)
    }
}
