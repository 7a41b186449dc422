//! Objects that a source fetched itself, handed over one commit after the other.

use std::path::Path;

use eksplain_lake::{IngestSession, InputDone, KeepRaw, Lake, Origin, RowSet, SnapshotRecord};

use crate::files::{Error, tables_of};
use crate::object::{Counts, Desk, Source, read_object};
use crate::place::Hints;
use crate::report::{IngestReport, Problem};
use crate::unpack::Buffers;

/// A run of ingesting whose commits are made by the caller, in the caller's order.
pub struct Intake {
    session: IngestSession,
    rows: RowSet,
    buffers: Buffers,
    counts: Counts,
    group: u64,
    objects: u64,
    bytes: u64,
}

impl Intake {
    /// Begins a run.
    ///
    /// # Errors
    /// Where another run is at work, or the lake cannot be written.
    pub fn begin(lake: &mut Lake, keep_raw: KeepRaw) -> Result<Self, Error> {
        Ok(Self {
            session: lake.ingest()?,
            rows: RowSet::new(keep_raw),
            buffers: Buffers::default(),
            counts: Counts::default(),
            group: 0,
            objects: 0,
            bytes: 0,
        })
    }

    /// Reads a file that holds records of one place, under the name by which the lake shall know it.
    ///
    /// # Errors
    /// [`Error::Path`] where the file cannot be read, [`Error::Lake`].
    pub fn object(&mut self, path: &Path, uri: &str, place: &Hints) -> Result<(), Error> {
        let fault = |source| Error::Path {
            path: path.to_owned(),
            source,
        };
        let size = std::fs::metadata(path).map_err(fault)?.len();
        if size == 0 {
            return Ok(());
        }
        let (session, group) = (&self.session, self.group);
        let source = Source {
            uri,
            size,
            modified: None,
            path: None,
            relative: Path::new(""),
            hints: place,
        };
        let mut desk = Desk {
            rows: &mut self.rows,
            buffers: &mut self.buffers,
            counts: &mut self.counts,
            flush: &mut |rows| session.submit(group, rows.take()),
        };
        read_object(path, source, &mut desk)?.map_err(fault)?;
        self.objects += 1;
        self.bytes += size;
        Ok(())
    }

    /// Takes one object of the present state as it is at `origin.ts`.
    pub fn snapshot(&mut self, record: &SnapshotRecord<'_>, origin: &Origin<'_>) {
        self.counts.read += 1;
        self.rows.snapshot(record, origin);
    }

    /// Makes what was taken since the last commit last, with the note that these inputs are done.
    ///
    /// # Errors
    /// [`Error::Lake`].
    pub fn commit(&mut self, inputs: Vec<InputDone>) -> Result<(), Error> {
        self.session.finish_group(self.group, self.rows.take(), inputs)?;
        self.group += 1;
        Ok(())
    }

    /// Records read so far.
    pub fn records(&self) -> u64 {
        self.counts.read
    }

    /// Notes an object that could not be had.
    pub fn problem(&mut self, uri: &str, reason: String) {
        self.counts.problems.push(Problem {
            uri: uri.to_owned(),
            reason,
        });
    }

    /// Ends the run.
    pub fn finish(self) -> IngestReport {
        let summary = self.session.summary();
        let mut problems = self.counts.problems;
        problems.sort();
        IngestReport {
            read: self.counts.read,
            kept: summary.kept,
            repeated: summary.repeated,
            rejected: summary.rejected,
            differing: summary.differing,
            redacted: summary.redacted,
            skipped: self.counts.skipped.values().sum(),
            passed_over: self.counts.skipped,
            files: self.objects,
            bytes: self.bytes,
            conflicts: self.counts.conflicts,
            problems,
            refused: self.counts.refused,
            tables: tables_of(&summary),
            ..IngestReport::default()
        }
    }
}
