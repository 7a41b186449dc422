//! A polars frame as rows of our own types: each column is looked up once and read by row number.

use polars::prelude as pl;
use polars::prelude::{AnyValue, DataType};
use serde_json::Value;

use crate::engine::Answer;
use crate::facts::{Mark, Micros, Place};

/// The rows of one statement.
pub(crate) struct Frame(pub(crate) pl::DataFrame);

/// A column of texts.
pub(crate) struct Texts(pl::StringChunked);
/// A column of numbers, times and dates among them.
pub(crate) struct Numbers(pl::Int64Chunked);
/// A column of truth values.
pub(crate) struct Flags(pl::BooleanChunked);
/// `account`, `region`, `cluster`.
pub(crate) struct Places([Texts; 3]);
/// An id with its time.
pub(crate) struct Marks(Texts, Numbers);

impl Texts {
    pub(crate) fn get(&self, row: usize) -> Option<String> {
        self.0.get(row).map(str::to_owned)
    }

    pub(crate) fn or_empty(&self, row: usize) -> String {
        self.get(row).unwrap_or_default()
    }

    /// A list that is kept as JSON text.
    pub(crate) fn list(&self, row: usize) -> Vec<String> {
        self.0
            .get(row)
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }
}

impl Numbers {
    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        self.0.get(row)
    }

    pub(crate) fn count(&self, row: usize) -> u64 {
        self.0.get(row).and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
    }
}

impl Flags {
    pub(crate) fn is_true(&self, row: usize) -> bool {
        self.0.get(row).unwrap_or(false)
    }
}

impl Places {
    pub(crate) fn get(&self, row: usize) -> Place {
        let [account, region, cluster] = &self.0;
        Place {
            account: account.get(row),
            region: region.get(row),
            cluster: cluster.get(row),
        }
    }
}

impl Marks {
    pub(crate) fn get(&self, row: usize) -> Mark {
        Mark {
            id: self.0.or_empty(row),
            ts: self.1.get(row).unwrap_or_default() as Micros,
        }
    }
}

impl Frame {
    pub(crate) fn height(&self) -> usize {
        self.0.height()
    }

    /// One column in one piece: a lake of many parts gives as many pieces, and a row would be looked for among them.
    fn column(&self, name: &str, kind: &DataType) -> pl::PolarsResult<pl::Series> {
        let column = self.0.column(name)?.as_materialized_series();
        Ok(column.cast(kind)?.rechunk())
    }

    pub(crate) fn texts(&self, name: &str) -> pl::PolarsResult<Texts> {
        self.column(name, &DataType::String)?.str().cloned().map(Texts)
    }

    pub(crate) fn numbers(&self, name: &str) -> pl::PolarsResult<Numbers> {
        self.column(name, &DataType::Int64)?.i64().cloned().map(Numbers)
    }

    pub(crate) fn flags(&self, name: &str) -> pl::PolarsResult<Flags> {
        self.column(name, &DataType::Boolean)?.bool().cloned().map(Flags)
    }

    pub(crate) fn places(&self) -> pl::PolarsResult<Places> {
        Ok(Places([
            self.texts("account")?,
            self.texts("region")?,
            self.texts("cluster")?,
        ]))
    }

    pub(crate) fn marks(&self, id: &str, ts: &str) -> pl::PolarsResult<Marks> {
        Ok(Marks(self.texts(id)?, self.numbers(ts)?))
    }

    /// The list column as rows.
    pub(crate) fn lists(&self, name: &str) -> pl::PolarsResult<Vec<Vec<String>>> {
        let column = self.0.column(name)?.as_materialized_series().rechunk();
        let lists = column.list()?;
        let texts = |items: pl::Series| -> Vec<String> {
            items
                .str()
                .map(|items| items.iter().flatten().map(str::to_owned).collect())
                .unwrap_or_default()
        };
        Ok((0..self.height())
            .map(|row| lists.get_as_series(row).map(texts).unwrap_or_default())
            .collect())
    }

    /// Id, object, line.
    pub(crate) fn origins(&self) -> pl::PolarsResult<Vec<(String, (String, i64))>> {
        let (id, uri, line) = (
            self.texts("id")?,
            self.texts("source_uri")?,
            self.numbers("source_line")?,
        );
        Ok((0..self.height())
            .map(|row| (id.or_empty(row), (uri.or_empty(row), line.get(row).unwrap_or_default())))
            .collect())
    }

    /// Every cell as JSON; times in RFC 3339.
    pub(crate) fn as_json(&self) -> Answer {
        let columns = self.0.columns();
        let rows = (0..self.height())
            .map(|row| {
                columns
                    .iter()
                    .map(|column| column.get(row).map_or(Value::Null, |cell| json(&cell)))
                    .collect()
            })
            .collect();
        Answer {
            columns: columns.iter().map(|column| column.name().to_string()).collect(),
            rows,
        }
    }
}

fn json(cell: &AnyValue<'_>) -> Value {
    let time = |micros: i64| Value::from(eksplain_parse::time::format_rfc3339(micros));
    match cell {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(flag) => (*flag).into(),
        AnyValue::String(text) => (*text).into(),
        AnyValue::StringOwned(text) => text.as_str().into(),
        AnyValue::UInt8(number) => (*number).into(),
        AnyValue::UInt16(number) => (*number).into(),
        AnyValue::UInt32(number) => (*number).into(),
        AnyValue::UInt64(number) => (*number).into(),
        AnyValue::Int8(number) => (*number).into(),
        AnyValue::Int16(number) => (*number).into(),
        AnyValue::Int32(number) => (*number).into(),
        AnyValue::Int64(number) => (*number).into(),
        // JSON has no infinity: `Value` makes null of it.
        AnyValue::Float32(number) => f64::from(*number).into(),
        AnyValue::Float64(number) => (*number).into(),
        AnyValue::Datetime(ticks, unit, _) | AnyValue::DatetimeOwned(ticks, unit, _) => time(match unit {
            pl::TimeUnit::Nanoseconds => ticks.div_euclid(1_000),
            pl::TimeUnit::Microseconds => *ticks,
            pl::TimeUnit::Milliseconds => ticks.saturating_mul(1_000),
        }),
        AnyValue::List(items) => items.iter().map(|item| json(&item)).collect(),
        other => other.to_string().into(),
    }
}
