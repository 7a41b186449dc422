//! A part: one Parquet file of one table and UTC day, named by its content.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};

use crate::error::{AtPath, Error, Result};
use crate::id::content_name;
use crate::rows::RowKey;
use crate::table::{Day, Table, day_name};
use crate::tables::Kind;

/// Rows of one group: at the peak a writer holds one group of every column.
const ROWS_PER_GROUP: usize = 32_768;

/// What the journal says of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartInfo {
    /// Path relative to the lake: `audit/date=2026-11-23/part-….parquet`.
    pub path: PathBuf,
    /// Rows in it.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// Smallest id.
    pub first: String,
    /// Greatest id.
    pub last: String,
    /// Whether sealing made it, so that a day of such parts needs no sealing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
}

/// A part that was made and stands nowhere yet.
pub(crate) struct NewPart {
    pub(crate) info: PartInfo,
    pub(crate) file: Vec<u8>,
}

/// Makes the part of these rows (at least one), which the caller has sorted by id and which are all of one day.
pub(crate) fn encode(table: Table, day: Day, keys: &[RowKey], rows: &[u32], batch: &RecordBatch) -> Result<NewPart> {
    let place = table.partition(day);
    // Logs are mostly in order already: then the rows stay where they are.
    let is_run = rows.windows(2).all(|pair| pair[1] == pair[0] + 1);
    let sorted = match rows.first().filter(|_| is_run) {
        Some(first) => batch.slice(*first as usize, rows.len()),
        None => take_record_batch(batch, &UInt32Array::from(rows.to_vec())).map_err(|error| Error::Damaged {
            path: place.clone(),
            what: error.to_string(),
        })?,
    };
    let options = ArrowWriterOptions::new()
        .with_properties(properties(table))
        .with_skip_arrow_metadata(true);
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new_with_options(&mut file, Arc::clone(sorted.schema_ref()), options)
        .at("make the part", &place)?;
    writer.write(&sorted).at("make the part", &place)?;
    writer.close().at("make the part", &place)?;
    let id_of = |row: Option<&u32>| row.map(|row| keys[*row as usize].id.to_string()).unwrap_or_default();
    let info = PartInfo {
        path: place.join(format!("part-{}.parquet", content_name(&file))),
        rows: rows.len() as u64,
        bytes: file.len() as u64,
        first: id_of(rows.first()),
        last: id_of(rows.last()),
        sealed: false,
    };
    Ok(NewPart { info, file })
}

impl PartInfo {
    /// Table and partition of the part, as its path says them.
    pub(crate) fn partition(&self) -> Option<(Table, &str)> {
        let mut steps = self.path.iter().map(|step| step.to_str());
        let table = Table::of_dir(steps.next()??)?;
        Some((table, steps.next()??.strip_prefix("date=")?))
    }

    pub(crate) fn is_in(&self, table: Table) -> bool {
        self.partition().is_some_and(|(own, _)| own == table)
    }

    pub(crate) fn is_of(&self, table: Table, day: Day) -> bool {
        self.partition()
            .is_some_and(|(own, date)| own == table && date == day_name(day))
    }

    /// Where the part waits until its commit is written.
    pub(crate) fn staged(&self, staging: &Path) -> PathBuf {
        staging.join(
            self.path
                .iter()
                .map(|step| step.to_string_lossy())
                .collect::<Vec<_>>()
                .join("--"),
        )
    }
}

fn properties(table: Table) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("1 is a level of zstd")))
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_created_by("eksplain".to_owned())
        .set_statistics_enabled(EnabledStatistics::None);
    for column in table.columns() {
        let leaf = match column.kind {
            Kind::Texts => ColumnPath::new(vec![column.name.to_owned(), "list".to_owned(), "element".to_owned()]),
            _ => ColumnPath::from(column.name),
        };
        if matches!(column.kind, Kind::Long | Kind::Json) {
            properties = properties.set_column_dictionary_enabled(leaf.clone(), false);
        }
        if helps_to_skip(column.name) {
            properties = properties.set_column_statistics_enabled(leaf, EnabledStatistics::Chunk);
        }
    }
    properties.build()
}

/// Columns by which questions leave out whole row groups; statistics of the others would only cost time.
fn helps_to_skip(name: &str) -> bool {
    matches!(
        name,
        "id" | "ts"
            | "account"
            | "region"
            | "cluster"
            | "outcome"
            | "msg"
            | "verb"
            | "resource"
            | "code"
            | "event_source"
            | "event_name"
            | "error_code"
    )
}
