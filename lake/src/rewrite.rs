//! Changing records that are in the lake: parts that hold some are replaced by others, all in one commit.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::check::check;
use crate::error::{AtPath, Error, Result};
use crate::journal::{Commit, STAGING};
use crate::lake::{Lake, read};
use crate::part::{PartInfo, encode};
use crate::seal::keys;
use crate::table::Table;

/// Objects by their names in the lake: a name stands for the object, for what is under it as a folder, and for the members of it as
/// an archive. None stands for every object.
pub(crate) struct Sources<'s>(pub(crate) &'s [String]);

impl Sources<'_> {
    pub(crate) fn hold(&self, uri: &str) -> bool {
        let is_of = |source: &String| {
            let source = source.trim_end_matches('/');
            let rest = uri.strip_prefix(source);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with("!/"))
        };
        self.0.is_empty() || self.0.iter().any(is_of)
    }
}

/// A change of the rows of one table.
pub(crate) trait Change {
    /// Whether the change is about rows of this table at all.
    fn is_about(&self, table: Table) -> bool;

    /// Whether a row is to be changed, by its cluster and its object.
    fn wants(&self, cluster: Option<&str>, uri: &str) -> bool;

    /// The rows as they are to be, with rows that are to go left out of the second list. Rows that are not wanted stay as they are.
    fn apply(&mut self, table: Table, rows: RecordBatch, wanted: &[bool]) -> Result<(RecordBatch, Vec<u32>)>;
}

impl Lake {
    /// The commit that changes the rows; its new parts wait in staging. The lake is locked by the caller.
    pub(crate) fn rewrite(&self, change: &mut dyn Change) -> Result<Commit> {
        let mut commit = Commit::default();
        for part in self.part_infos() {
            let Some((table, _)) = part.partition() else { continue };
            if !change.is_about(table) {
                continue;
            }
            let path = check(self.root(), part)?;
            let wanted = wanted_rows(&path, change)?;
            if !wanted.contains(&true) {
                continue;
            }
            let rows = all_rows(&path)?;
            let (rows, mut order) = change.apply(table, rows, &wanted)?;
            commit.removed.push(part.path.clone());
            if order.is_empty() {
                continue;
            }
            let keys = keys(&rows).ok_or_else(|| damaged(part, "it has no ids"))?;
            order.sort_unstable_by_key(|row| keys[*row as usize].id);
            let new = encode(table, keys[order[0] as usize].day, &keys, &order, &rows)?;
            let staged = new.info.staged(&self.root().join(STAGING));
            let mut file = File::create(&staged).at("write the part", &staged)?;
            file.write_all(&new.file).at("write the part", &staged)?;
            file.sync_data().at("write the part", &staged)?;
            commit.parts.push(new.info);
        }
        // A part that came out as it was stays.
        let same: BTreeSet<_> = commit.parts.iter().map(|part| part.path.clone()).collect();
        commit.removed.retain(|path| !same.contains(path));
        commit
            .parts
            .retain(|part| !self.part_infos().iter().any(|own| own.path == part.path));
        Ok(commit)
    }
}

fn damaged(part: &PartInfo, what: &str) -> Error {
    Error::Damaged {
        path: part.path.clone(),
        what: what.to_owned(),
    }
}

/// Which rows of a part the change is about; only the two columns that tell are read.
fn wanted_rows(path: &Path, change: &dyn Change) -> Result<Vec<bool>> {
    let file = File::open(path).at("read the part", path)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).at("read the part", path)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["cluster", "source_uri"]);
    let reader = builder.with_projection(mask).build().at("read the part", path)?;
    let mut wanted = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| at_path(path, error.to_string()))?;
        let column = |name: &str| {
            batch
                .column_by_name(name)
                .and_then(|column| column.as_string_opt::<i32>())
        };
        let (Some(clusters), Some(uris)) = (column("cluster"), column("source_uri")) else {
            return Err(at_path(path, "it has no columns cluster and source_uri".to_owned()));
        };
        wanted.extend((0..batch.num_rows()).map(|row| {
            let cluster = clusters.is_valid(row).then(|| clusters.value(row));
            change.wants(cluster, uris.value(row))
        }));
    }
    Ok(wanted)
}

fn all_rows(path: &Path) -> Result<RecordBatch> {
    let batches = read(path)?.collect::<Result<Vec<RecordBatch>>>()?;
    let schema = batches
        .first()
        .ok_or_else(|| at_path(path, "it has no rows".to_owned()))?
        .schema();
    concat_batches(&schema, &batches).map_err(|error| at_path(path, error.to_string()))
}

fn at_path(path: &Path, what: String) -> Error {
    Error::Damaged {
        path: path.to_owned(),
        what,
    }
}
