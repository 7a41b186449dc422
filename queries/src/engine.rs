//! Polars as the engine: tables are scanned lazily from the lake's parts, and a statement reads only the columns it names.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_lake::tables::Kind;
use eksplain_lake::{Lake, Table};
use polars::prelude as pl;
use polars::prelude::{DataType, IntoLazy, LazyFrame, TimeUnit, TimeZone, col, lit};
use polars::sql::SQLContext;
use serde_json::Value;

use crate::allowed;
use crate::columns::Frame;
use crate::facts::{Facts, Micros};
use crate::reductions;

/// Why a question to the lake got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The statement is not understood, or names what is not there.
    #[error("run the statement: {what}")]
    Statement {
        /// What the engine said.
        what: String,
    },
    /// The statement would change something, and a lake is only read.
    #[error("run {statement}: only queries (SELECT …) are run, and the lake stays as it is")]
    NotAQuery {
        /// Its first words.
        statement: String,
    },
    /// A part is not what was committed.
    #[error(transparent)]
    Part(#[from] eksplain_lake::Error),
    /// A part cannot be read.
    #[error("read the lake: {what}")]
    Lake {
        /// What the engine said.
        what: String,
    },
}

/// Enough for the longest statement that is run.
const STACK: usize = 256 * 1024 * 1024;

/// What bounds a question; both ends inclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// No record before this.
    pub since: Option<Micros>,
    /// No record after this.
    pub until: Option<Micros>,
}

/// The answer to a statement: each cell as JSON has it, times as RFC 3339 text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows in the statement's order.
    pub rows: Vec<Vec<Value>>,
}

/// The tables of one lake.
pub struct Engine {
    tables: BTreeMap<&'static str, LazyFrame>,
}

impl Engine {
    /// Lays the tables open; nothing is read yet.
    ///
    /// # Errors
    /// [`Error::Lake`] where a part's schema cannot be read.
    pub fn open(lake: &Lake) -> Result<Self, Error> {
        let tables = Table::ALL
            .into_iter()
            .map(|table| Ok((table.dir(), scan(lake, table)?)))
            .collect::<Result<_, Error>>()?;
        Ok(Self { tables })
    }

    /// Everything that the questions need to know of the lake within the bounds.
    ///
    /// # Errors
    /// [`Error::Lake`] where a part cannot be read.
    pub fn facts(&self, bounds: Bounds) -> Result<Facts, Error> {
        reductions::facts(self, bounds)
    }

    /// The object and the line of each record, by its id; ids that the lake does not hold are left out.
    ///
    /// # Errors
    /// [`Error::Lake`] where a part cannot be read.
    pub fn origins(&self, ids: &BTreeSet<String>) -> Result<BTreeMap<String, (String, i64)>, Error> {
        let wanted = id_column(ids.iter()).map_err(|error| Error::Lake {
            what: error.to_string(),
        })?;
        let mut origins = BTreeMap::new();
        for table in [Table::Authenticator, Table::Audit, Table::CloudTrail, Table::Snapshot] {
            let text = format!("SELECT id, source_uri, source_line FROM {}", table.dir());
            let only_wanted = |rows: LazyFrame| rows.semi_join(wanted.clone(), col("id"), col("id"));
            let rows = self
                .run(&text, Bounds::default(), only_wanted)
                .and_then(|frame| frame.origins());
            origins.extend(rows.map_err(|error| Error::Lake {
                what: error.to_string(),
            })?);
        }
        Ok(origins)
    }

    /// The rows of a statement that have one of these ids.
    pub(crate) fn of_ids(&self, text: &str, bounds: Bounds, ids: &[String]) -> pl::PolarsResult<Frame> {
        let wanted = id_column(ids.iter())?;
        self.run(text, bounds, |rows| rows.semi_join(wanted, col("id"), col("id")))
    }

    /// Runs one statement over all records.
    ///
    /// # Errors
    /// [`Error::Statement`] where it is not understood, [`Error::NotAQuery`] where it asks for nothing.
    pub fn sql(&self, text: &str) -> Result<Answer, Error> {
        allowed::check(&quote_cluster(text), &self.tables.keys().copied().collect())?;
        let run = || self.run(text, Bounds::default(), |rows| rows);
        // A long statement is deep, and the engine goes down into it step by step.
        let frame = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
            thread.map(|thread| thread.join())
        });
        let statement = |what: String| Error::Statement { what };
        match frame {
            Ok(Ok(frame)) => Ok(frame.map_err(|error| statement(error.to_string()))?.as_json()),
            Ok(Err(_)) => Err(statement("the engine failed".to_owned())),
            Err(error) => Err(statement(error.to_string())),
        }
    }

    /// Runs a statement over the records within the bounds, and narrows its rows.
    pub(crate) fn run(
        &self,
        text: &str,
        bounds: Bounds,
        narrow: impl FnOnce(LazyFrame) -> LazyFrame,
    ) -> pl::PolarsResult<Frame> {
        let mut context = SQLContext::new();
        for (name, table) in &self.tables {
            // A table that the statement does not name is never read.
            context.register(name, bounds.narrow(table.clone()));
        }
        narrow(context.execute(&quote_cluster(text))?).collect().map(Frame)
    }
}

/// Ids as a table of their own: a join looks each up once, a list would be gone through for every record.
fn id_column<'i>(ids: impl ExactSizeIterator<Item = &'i String>) -> pl::PolarsResult<LazyFrame> {
    let height = ids.len();
    let ids: Vec<&str> = ids.map(String::as_str).collect();
    let column = <pl::Series as pl::NamedFrom<_, [&str]>>::new("id".into(), ids);
    pl::DataFrame::new(height, vec![column.into()]).map(IntoLazy::lazy)
}

impl Bounds {
    fn narrow(self, table: LazyFrame) -> LazyFrame {
        let time = |micros: Micros| lit(micros).cast(timestamp());
        let table = self
            .since
            .into_iter()
            .fold(table, |table, since| table.filter(col("ts").gt_eq(time(since))));
        self.until
            .into_iter()
            .fold(table, |table, until| table.filter(col("ts").lt_eq(time(until))))
    }
}

/// Quotes the column name `cluster`, which this engine's parser takes for `CLUSTER BY`; Athena and Spark read it as it is.
fn quote_cluster(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' | '`' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            c if c.is_alphabetic() || c == '_' => rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, behind) = rest.split_at(end);
        let is_clause = behind
            .trim_start()
            .get(..2)
            .is_some_and(|next| next.eq_ignore_ascii_case("by"));
        if token.eq_ignore_ascii_case("cluster") && !is_clause {
            out.push_str("\"cluster\"");
        } else {
            out.push_str(token);
        }
        rest = behind;
    }
    out
}

fn timestamp() -> DataType {
    DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
}

fn scan(lake: &Lake, table: Table) -> Result<LazyFrame, Error> {
    let parts = lake.sound_parts(table)?;
    if parts.is_empty() {
        let column =
            |info: eksplain_lake::tables::ColumnInfo| pl::Column::new_empty(info.name.into(), &data_type(info.kind));
        let frame = pl::DataFrame::new(0, table.columns().into_iter().map(column).collect());
        return frame.map(IntoLazy::lazy).map_err(|error| Error::Lake {
            what: error.to_string(),
        });
    }
    let paths: Vec<pl::PlRefPath> = parts
        .iter()
        .map(|path| pl::PlRefPath::new(path.to_string_lossy()))
        .collect();
    let mut options = pl::ScanArgsParquet {
        glob: false,
        ..Default::default()
    };
    options.hive_options.enabled = Some(false);
    LazyFrame::scan_parquet_files(paths.into_iter().collect(), options).map_err(|error| Error::Lake {
        what: error.to_string(),
    })
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text | Kind::Long | Kind::Json => DataType::String,
        Kind::Texts => DataType::List(Box::new(DataType::String)),
        Kind::Flag => DataType::Boolean,
        Kind::Code => DataType::Int32,
        Kind::Number => DataType::Int64,
        Kind::Time => timestamp(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_column_name_is_quoted() {
        let text = "SELECT cluster, a.Cluster, 'cluster', \"cluster\" -- cluster\nFROM clusters CLUSTER BY x";
        assert_eq!(
            quote_cluster(text),
            "SELECT \"cluster\", a.\"cluster\", 'cluster', \"cluster\" -- cluster\nFROM clusters CLUSTER BY x"
        );
    }
}
