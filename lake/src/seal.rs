//! Sealing a day: its parts become one sorted run without repeats.
//!
//! Many pulls of few records leave many small files, which every question has to open; shards of an ingest leave records that two of
//! them read. Sealing merges the parts of one table and day by id, keeps one of the records that share an id (of the first object
//! and line), and cuts the run where its rows say so. What comes out depends on the records alone, so that one process and many
//! shards end in the same files. One commit names the new parts of a day and those that they replace.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};

use crate::check::check;
use crate::error::{AtPath, Error, Result};
use crate::id::RecordId;
use crate::journal::{Commit, STAGING};
use crate::lake::{Lake, read};
use crate::part::{PartInfo, encode};
use crate::rows::RowKey;
use crate::shard::Shard;
use crate::table::{Table, day_of};

/// A sealed part has at most so many rows …
const ROWS: usize = 131_072;
/// … and ends behind the row with which its texts take so much: that is what one part of a day takes in memory while it is made.
const BYTES: usize = 48 * 1024 * 1024;

/// What sealing did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Days of tables that were sealed; those that were sealed already do not count.
    pub days: u64,
    /// Parts that are gone.
    pub merged: u64,
    /// Parts that hold their rows.
    pub into: u64,
    /// Records that the lake held twice.
    pub repeated: u64,
}

impl Lake {
    /// Seals the days that the shard takes.
    ///
    /// # Errors
    /// [`Error::Busy`] where another process writes; where a part cannot be read or written. Days that were committed stay sealed.
    pub fn seal(&mut self, shard: Shard) -> Result<Sealed> {
        let (mut journal, _lock) = self.lock()?;
        let mut done = Sealed::default();
        for ((table, date), parts) in days(self.part_infos()) {
            let is_sealed = parts.iter().all(|part| part.sealed);
            if is_sealed || !shard.takes(&format!("{}/{date}", table.dir())) {
                continue;
            }
            let (commit, repeated) = self.seal_day(table, parts)?;
            done.days += 1;
            done.merged += commit.removed.len() as u64;
            let is_new = |part: &&PartInfo| !self.part_infos().iter().any(|own| own.path == part.path);
            done.into += commit.parts.iter().filter(is_new).count() as u64;
            done.repeated += repeated;
            journal.append(&commit)?;
        }
        *self = Self::open(self.root())?;
        Ok(done)
    }

    /// The commit that replaces these parts, all of one table and day; the new ones wait in staging.
    fn seal_day(&self, table: Table, parts: Vec<&PartInfo>) -> Result<(Commit, u64)> {
        let mut merge = Merge::of(self, parts.clone());
        let mut made: Vec<PartInfo> = Vec::new();
        while let Some(rows) = merge.next_run()? {
            let keys = keys(&rows).ok_or_else(|| damaged(parts[0], "it has no ids"))?;
            let order: Vec<u32> = (0..).take(keys.len()).collect();
            let mut new = encode(table, keys[0].day, &keys, &order, &rows)?;
            new.info.sealed = true;
            if !parts.iter().any(|part| part.path == new.info.path) {
                let staged = new.info.staged(&self.root().join(STAGING));
                let mut file = File::create(&staged).at("write the part", &staged)?;
                file.write_all(&new.file).at("write the part", &staged)?;
                file.sync_data().at("write the part", &staged)?;
            }
            made.push(new.info);
        }
        let stays = |part: &&&PartInfo| !made.iter().any(|new| new.path == part.path);
        let removed = parts.iter().filter(stays).map(|part| part.path.clone()).collect();
        let commit = Commit {
            removed,
            parts: made,
            ..Commit::default()
        };
        Ok((commit, merge.repeated))
    }
}

/// The parts of each table and day, in the order of their first ids.
fn days(parts: &[PartInfo]) -> BTreeMap<(Table, &str), Vec<&PartInfo>> {
    let mut days: BTreeMap<(Table, &str), Vec<&PartInfo>> = BTreeMap::new();
    for part in parts {
        if let Some(place) = part.partition() {
            days.entry(place).or_default().push(part);
        }
    }
    for parts in days.values_mut() {
        parts.sort_unstable_by(|a, b| (&a.first, &a.path).cmp(&(&b.first, &b.path)));
    }
    days
}

/// Rows of sorted parts in the order of their ids. A part is opened when the merge reaches its first id.
struct Merge<'l> {
    lake: &'l Lake,
    waiting: std::iter::Peekable<std::vec::IntoIter<&'l PartInfo>>,
    cursors: Vec<Cursor<'l>>,
    heap: BinaryHeap<Reverse<(RecordId, usize)>>,
    repeated: u64,
}

/// Where the merge is in one part.
struct Cursor<'l> {
    part: &'l PartInfo,
    batches: Box<dyn Iterator<Item = Result<RecordBatch>>>,
    rows: Arc<Rows>,
    row: usize,
}

/// A batch with the columns that the merge looks at.
struct Rows {
    batch: RecordBatch,
    ids: StringArray,
    uris: StringArray,
    lines: Int64Array,
}

impl<'l> Merge<'l> {
    fn of(lake: &'l Lake, parts: Vec<&'l PartInfo>) -> Self {
        Self {
            lake,
            waiting: parts.into_iter().peekable(),
            cursors: Vec::new(),
            heap: BinaryHeap::new(),
            repeated: 0,
        }
    }

    /// The rows of the next part to make; none when all are merged.
    fn next_run(&mut self) -> Result<Option<RecordBatch>> {
        let mut run = Run::default();
        while run.rows.len() < ROWS && run.bytes < BYTES {
            let Some((id, mut best)) = self.pop()? else { break };
            // Repeats of one id: the copy of the first object and line stays.
            while self.next_id()? == Some(id) {
                let Some((_, other)) = self.pop()? else { break };
                self.repeated += 1;
                if other.origin() < best.origin() {
                    best = other;
                }
            }
            run.push(best);
        }
        run.finish()
            .map_err(|error| damaged_by(self.cursors.first().map(|cursor| cursor.part), error))
    }

    /// The id of the next row, with every part opened that may hold it.
    fn next_id(&mut self) -> Result<Option<RecordId>> {
        loop {
            let open = self.heap.peek().map(|Reverse((id, _))| *id);
            let Some(part) = self.waiting.peek() else {
                return Ok(open);
            };
            let first = part
                .first
                .parse::<RecordId>()
                .map_err(|error| damaged(part, &error.to_string()))?;
            if open.is_some_and(|open| open < first) {
                return Ok(open);
            }
            let Some(part) = self.waiting.next() else {
                return Ok(open);
            };
            let mut batches: Box<dyn Iterator<Item = _>> = Box::new(read(&check(self.lake.root(), part)?)?);
            if let Some(batch) = batches.next() {
                let rows =
                    Rows::of(batch?).ok_or_else(|| damaged(part, "it has no columns id, source_uri, source_line"))?;
                self.cursors.push(Cursor {
                    part,
                    batches,
                    rows,
                    row: 0,
                });
                self.wait_at(self.cursors.len() - 1)?;
            }
        }
    }

    /// Takes the next row and goes on in its part.
    fn pop(&mut self) -> Result<Option<(RecordId, Pick)>> {
        self.next_id()?;
        let Some(Reverse((id, at))) = self.heap.pop() else {
            return Ok(None);
        };
        let cursor = &mut self.cursors[at];
        let pick = Pick {
            rows: Arc::clone(&cursor.rows),
            row: cursor.row,
        };
        cursor.row += 1;
        if cursor.row == cursor.rows.batch.num_rows() {
            match cursor.batches.next() {
                Some(batch) => {
                    cursor.rows = Rows::of(batch?).ok_or_else(|| damaged(cursor.part, "it has no ids"))?;
                    cursor.row = 0;
                }
                None => return Ok(Some((id, pick))),
            }
        }
        self.wait_at(at)?;
        Ok(Some((id, pick)))
    }

    fn wait_at(&mut self, at: usize) -> Result<()> {
        let cursor = &self.cursors[at];
        let id = RecordId::from_bytes(cursor.rows.ids.value(cursor.row).as_bytes())
            .ok_or_else(|| damaged(cursor.part, "a row has no ID"))?;
        self.heap.push(Reverse((id, at)));
        Ok(())
    }
}

impl Rows {
    fn of(batch: RecordBatch) -> Option<Arc<Self>> {
        let ids = batch.column_by_name("id")?.as_string_opt::<i32>()?.clone();
        let uris = batch.column_by_name("source_uri")?.as_string_opt::<i32>()?.clone();
        let lines = batch
            .column_by_name("source_line")?
            .as_primitive_opt::<Int64Type>()?
            .clone();
        (batch.num_rows() > 0).then(|| {
            Arc::new(Self {
                batch,
                ids,
                uris,
                lines,
            })
        })
    }
}

/// One row.
struct Pick {
    rows: Arc<Rows>,
    row: usize,
}

impl Pick {
    fn origin(&self) -> (&str, i64) {
        (self.rows.uris.value(self.row), self.rows.lines.value(self.row))
    }

    /// What its texts take.
    fn bytes(&self) -> usize {
        let text = |column: &ArrayRef| match column.data_type() {
            DataType::Utf8 => column.as_string::<i32>().value_length(self.row) as usize,
            _ => 8,
        };
        self.rows.batch.columns().iter().map(text).sum()
    }
}

/// Rows that will be one part.
#[derive(Default)]
struct Run {
    batches: Vec<Arc<Rows>>,
    /// Place of the batch, and row in it.
    rows: Vec<(usize, usize)>,
    bytes: usize,
    /// Places of the batches, by their addresses, which are theirs as long as the run holds them.
    places: HashMap<*const Rows, usize>,
}

impl Run {
    fn push(&mut self, pick: Pick) {
        self.bytes += pick.bytes();
        let batches = &mut self.batches;
        let place = *self.places.entry(Arc::as_ptr(&pick.rows)).or_insert_with(|| {
            batches.push(Arc::clone(&pick.rows));
            batches.len() - 1
        });
        self.rows.push((place, pick.row));
    }

    fn finish(self) -> std::result::Result<Option<RecordBatch>, String> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().map(|rows| &rows.batch).collect();
        interleave_record_batch(&batches, &self.rows)
            .map(Some)
            .map_err(|error| error.to_string())
    }
}

fn damaged(part: &PartInfo, what: &str) -> Error {
    damaged_by(Some(part), what.to_owned())
}

fn damaged_by(part: Option<&PartInfo>, what: String) -> Error {
    Error::Damaged {
        path: part.map(|part| part.path.clone()).unwrap_or_default(),
        what,
    }
}

pub(crate) fn keys(rows: &RecordBatch) -> Option<Vec<RowKey>> {
    let ids = rows.column_by_name("id")?.as_string_opt::<i32>()?;
    let times = rows
        .column_by_name("ts")?
        .as_primitive_opt::<TimestampMicrosecondType>()?;
    (0..rows.num_rows())
        .map(|row| {
            Some(RowKey {
                id: RecordId::from_bytes(ids.value(row).as_bytes())?,
                day: day_of(times.is_valid(row).then(|| times.value(row))),
                claim: None,
                is_nameless: false,
            })
        })
        .collect()
}
