//! A run of ingesting: groups of objects are read by several threads and enter the lake in their order.
//!
//! The order makes the lake the same whatever the threads do: which of two equal records is kept, and what each part holds, follows
//! from the order of the groups alone. A thread waits for its group's turn only to tell new records from known ones; sorting,
//! encoding and writing go on side by side. A group's parts and the note that its objects are done are one commit.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{AtPath, Error, Result};
use crate::journal::{Commit, InputDone, Journal, STAGING};
use crate::part::{self, PartInfo};
use crate::rows::{RowKey, Rows, TableRows};
use crate::seen::{Arrival, SeenIds};
use crate::table::Table;

/// What became of the records of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableSummary {
    /// New in the lake.
    pub kept: u64,
    /// In the lake before, or twice in the input.
    pub repeated: u64,
    /// Kept, and of no cluster although they should belong to one.
    pub nameless: u64,
}

/// What a run did to the lake, in records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// New in the lake, rejects not counted.
    pub kept: u64,
    /// In the lake before, or twice in the input.
    pub repeated: u64,
    /// New rejects.
    pub rejected: u64,
    /// Kept although a record of the same `eventID` or `auditID` that says something else is in the lake.
    pub differing: u64,
    /// Secrets that were taken out of what was read, and are not in the lake.
    pub redacted: u64,
    /// By table, in the order of [`Table::ALL`].
    pub tables: [TableSummary; 5],
}

/// An open run; dropping it keeps what was committed.
pub struct IngestSession {
    root: PathBuf,
    turn: Mutex<Turn>,
    turned: Condvar,
    commits: Mutex<Commits>,
    hints: Option<String>,
    /// Held until the run ends, so that nobody else writes.
    _lock: File,
}

struct Turn {
    group: u64,
    is_stopped: bool,
    seen: SeenIds,
    known: Vec<PartInfo>,
    summary: Summary,
}

struct Commits {
    journal: Journal,
    next: u64,
    waiting: BTreeMap<u64, Commit>,
    open: BTreeMap<u64, Commit>,
}

impl IngestSession {
    pub(crate) fn new(root: PathBuf, journal: Journal, known: Vec<PartInfo>, lock: File) -> Self {
        Self {
            root,
            turn: Mutex::new(Turn {
                group: 0,
                is_stopped: false,
                seen: SeenIds::default(),
                known,
                summary: Summary::default(),
            }),
            turned: Condvar::new(),
            commits: Mutex::new(Commits {
                journal,
                next: 0,
                waiting: BTreeMap::new(),
                open: BTreeMap::new(),
            }),
            hints: None,
            _lock: lock,
        }
    }

    /// Notes what is said of the objects of this run, so that it is known whether something else is said of them later.
    #[must_use]
    pub fn with_hints(mut self, hints: Option<String>) -> Self {
        self.hints = hints;
        self
    }

    /// Takes some rows of a group that is not at its end. Groups are numbered from 0 without holes; waits for the group's turn.
    ///
    /// # Errors
    /// Where a part cannot be written, or the run was stopped.
    pub fn submit(&self, group: u64, rows: Rows) -> Result<()> {
        let rows = self.take_new(group, rows, false)?;
        let parts = self.write(rows)?;
        lock(&self.commits)
            .open
            .entry(group)
            .or_default()
            .parts
            .extend(parts.iter().cloned());
        // Later rows of this or another group may repeat these.
        lock(&self.turn).known.extend(parts);
        Ok(())
    }

    /// Takes the last rows of a group with the objects that are done, and commits the group as soon as all before it are.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn finish_group(&self, group: u64, rows: Rows, inputs: Vec<InputDone>) -> Result<()> {
        let rows = self.take_new(group, rows, true)?;
        let parts = self.write(rows)?;
        lock(&self.turn).known.extend(parts.iter().cloned());
        let mut commits = lock(&self.commits);
        let mut commit = commits.open.remove(&group).unwrap_or_default();
        commit.parts.extend(parts);
        commit.hints = self.hints.clone().filter(|_| !inputs.is_empty());
        commit.inputs = inputs;
        commits.waiting.insert(group, commit);
        while let Some(commit) = {
            let next = commits.next;
            commits.waiting.remove(&next)
        } {
            if !(commit.inputs.is_empty() && commit.parts.is_empty()) {
                commits.journal.append(&commit)?;
            }
            commits.next += 1;
        }
        Ok(())
    }

    /// Makes every waiting thread give up: what is not committed is left to the next run.
    pub fn stop(&self) {
        lock(&self.turn).is_stopped = true;
        self.turned.notify_all();
    }

    /// What was taken so far.
    pub fn summary(&self) -> Summary {
        lock(&self.turn).summary
    }

    /// Waits for the group's turn and keeps the rows that the lake does not hold.
    fn take_new(&self, group: u64, rows: Rows, is_last: bool) -> Result<Vec<(TableRows, Vec<u32>)>> {
        let mut turn = lock(&self.turn);
        while turn.group < group && !turn.is_stopped {
            turn = self.turned.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        if turn.is_stopped {
            return Err(Error::Stopped);
        }
        if turn.group > group {
            return Err(Error::OutOfTurn { ordinal: group });
        }
        let turn = &mut *turn;
        turn.summary.redacted += rows.redacted;
        let mut fresh = Vec::with_capacity(rows.tables.len());
        for table in rows.tables {
            let indices = turn.take_new(&self.root, &table.keys)?;
            fresh.push((table, indices));
        }
        if is_last {
            turn.group += 1;
            self.turned.notify_all();
        }
        Ok(fresh)
    }

    /// Writes the rows aside, one part a table and day.
    fn write(&self, tables: Vec<(TableRows, Vec<u32>)>) -> Result<Vec<PartInfo>> {
        let staging = self.root.join(STAGING);
        let mut parts = Vec::new();
        for (TableRows { table, keys, batch }, mut rows) in tables {
            rows.sort_unstable_by_key(|row| (keys[*row as usize].day, keys[*row as usize].id));
            for day in rows.chunk_by(|a, b| keys[*a as usize].day == keys[*b as usize].day) {
                let new = part::encode(table, keys[day[0] as usize].day, &keys, day, &batch)?;
                let path = new.info.staged(&staging);
                let mut file = File::create(&path).at("write the part", &path)?;
                file.write_all(&new.file).at("write the part", &path)?;
                file.sync_data().at("write the part", &path)?;
                parts.push(new.info);
            }
        }
        Ok(parts)
    }
}

impl Turn {
    fn take_new(&mut self, root: &std::path::Path, keys: &[RowKey]) -> Result<Vec<u32>> {
        let known = &self.known;
        let mut rows = Vec::with_capacity(keys.len());
        for (row, key) in (0_u32..).zip(keys) {
            let of_table = &mut self.summary.tables[key.id.table().position()];
            match self.seen.arrive(key, root, known)? {
                Arrival::Repeated => {
                    of_table.repeated += 1;
                    self.summary.repeated += 1;
                    continue;
                }
                Arrival::Differing => self.summary.differing += 1,
                Arrival::New => {}
            }
            of_table.kept += 1;
            of_table.nameless += u64::from(key.is_nameless);
            match key.id.table() {
                Table::Rejects => self.summary.rejected += 1,
                _ => self.summary.kept += 1,
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

impl Drop for IngestSession {
    fn drop(&mut self) {
        // What was staged and not committed is of no use to anybody; the next run would remove it too.
        let _ = fs::remove_dir_all(self.root.join(STAGING));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
