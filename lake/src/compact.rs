//! Merging small parts: many pulls of few records leave many small files, which every question has to open.
//!
//! Rows of one table and day are merged, sorted by id, into parts of a size that fits memory. One commit names the new part and those
//! that it replaces: eksplain reads one or the other, never both.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::TimestampMicrosecondType;

use crate::error::{AtPath, Error, Result};
use crate::id::RecordId;
use crate::journal::{Commit, STAGING};
use crate::lake::{Lake, read};
use crate::part::{PartInfo, encode};
use crate::rows::RowKey;
use crate::table::{Table, day_of};

/// A merged part is not larger than this, packed; its rows take some ten times as much while they are merged.
const LARGEST: u64 = 8 * 1024 * 1024;

/// What merging did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Parts that are gone.
    pub merged: u64,
    /// Parts that hold their rows.
    pub into: u64,
}

impl Lake {
    /// Merges small parts.
    ///
    /// # Errors
    /// [`Error::Busy`] where another process writes; where a part cannot be read or written. What was committed stays.
    pub fn compact(&mut self) -> Result<Compaction> {
        let (mut journal, _lock) = self.lock()?;
        let mut done = Compaction::default();
        for group in groups(self.part_infos()) {
            let commit = self.merge(&group)?;
            done.merged += commit.removed.len() as u64;
            done.into += commit.parts.len() as u64;
            journal.append(&commit)?;
        }
        *self = Self::open(self.root())?;
        Ok(done)
    }

    /// The commit that replaces these parts, all of one table and day, by one; the new one waits in staging.
    fn merge(&self, parts: &[&PartInfo]) -> Result<Commit> {
        let mut batches: Vec<RecordBatch> = Vec::new();
        for part in parts {
            for batch in read(&self.root().join(&part.path))? {
                batches.push(batch?);
            }
        }
        let damaged = |what: String| Error::Damaged {
            path: parts[0].path.clone(),
            what,
        };
        let schema = batches
            .first()
            .ok_or_else(|| damaged("it has no rows".to_owned()))?
            .schema();
        let rows = concat_batches(&schema, &batches).map_err(|error| damaged(error.to_string()))?;
        drop(batches);
        let (table, _) = parts[0]
            .partition()
            .ok_or_else(|| damaged("its path names no table".to_owned()))?;
        let keys = keys(&rows).ok_or_else(|| damaged("it has no ids".to_owned()))?;
        let mut order: Vec<u32> = (0..u32::try_from(keys.len()).map_err(|error| damaged(error.to_string()))?).collect();
        order.sort_unstable_by_key(|row| keys[*row as usize].id);
        let new = encode(table, keys[0].day, &keys, &order, &rows)?;
        let staged = new.info.staged(&self.root().join(STAGING));
        let mut file = File::create(&staged).at("write the part", &staged)?;
        file.write_all(&new.file).at("write the part", &staged)?;
        file.sync_data().at("write the part", &staged)?;
        Ok(Commit {
            removed: parts
                .iter()
                .map(|part| part.path.clone())
                .filter(|path| *path != new.info.path)
                .collect(),
            parts: vec![new.info],
            ..Commit::default()
        })
    }
}

/// Parts to merge, two or more at a time, in a stable order.
fn groups(parts: &[PartInfo]) -> Vec<Vec<&PartInfo>> {
    let mut by_day: BTreeMap<(Table, &str), Vec<&PartInfo>> = BTreeMap::new();
    for part in parts {
        if let Some(place) = part.partition() {
            by_day.entry(place).or_default().push(part);
        }
    }
    let mut groups = Vec::new();
    for mut parts in by_day.into_values() {
        parts.sort_unstable_by(|a, b| (&a.first, &a.path).cmp(&(&b.first, &b.path)));
        let mut group: Vec<&PartInfo> = Vec::new();
        let mut bytes = 0;
        for part in parts.into_iter().filter(|part| part.bytes < LARGEST / 2) {
            if bytes + part.bytes > LARGEST {
                groups.push(std::mem::take(&mut group));
                bytes = 0;
            }
            bytes += part.bytes;
            group.push(part);
        }
        groups.push(group);
    }
    groups.retain(|group| group.len() > 1);
    groups
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
