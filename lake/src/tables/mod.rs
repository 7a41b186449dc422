//! The schemas of a lake: every column of every table, by name, kind and meaning.
//!
//! One module a table. Each says its columns once, in a table of data from which the Arrow schema, the builders and the Parquet
//! settings follow, and holds the one function that turns a record into a row. The columns that all tables share are here.
//! Rule: the documented columns of the lake; a column may be added, a column that stands keeps its name and type.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, Int32Builder, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::redact::redact;

pub mod audit;
pub mod authenticator;
pub mod cloudtrail;
pub mod rejects;
pub mod snapshot;

/// The number that rises when a column is added or changes its meaning; part of every part's file.
pub const SCHEMA_VERSION: u32 = 1;

/// What a column holds, and so how it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text that repeats from row to row: stored by dictionary.
    Text,
    /// Text that is unique or long.
    Long,
    /// JSON, or a whole record as text: stored without statistics too.
    Json,
    /// List of texts.
    Texts,
    /// True or false.
    Flag,
    /// 32-bit number.
    Code,
    /// 64-bit number.
    Number,
    /// UTC time in microseconds.
    Time,
}

/// One column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Name in the file and in SQL.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether every row has a value.
    pub required: bool,
    /// One line for the reader of the schema.
    pub about: &'static str,
}

/// The columns that every table begins with.
pub const LEADING_COLUMNS: &[ColumnInfo] = &[
    required(
        "id",
        Kind::Long,
        "Sorts by time, is unique in the lake and the same in every run",
    ),
    optional("ts", Kind::Time, "When it happened"),
    optional("account", Kind::Text, "AWS account, 12 digits"),
    optional("region", Kind::Text, "AWS region"),
    optional(
        "cluster",
        Kind::Text,
        "Name of the EKS cluster, where the record belongs to one",
    ),
    required("source_uri", Kind::Text, "The object that the record was read from"),
    required(
        "source_line",
        Kind::Number,
        "Line or number of the record in that object, from 1",
    ),
];

/// The column that every table ends with.
pub const TRAILING_COLUMNS: &[ColumnInfo] = &[optional("raw", Kind::Json, "The record's own text, where it is kept")];

const fn required(name: &'static str, kind: Kind, about: &'static str) -> ColumnInfo {
    ColumnInfo {
        name,
        kind,
        required: true,
        about,
    }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> ColumnInfo {
    ColumnInfo {
        name,
        kind,
        required: false,
        about,
    }
}

/// A table's own columns between those that all tables share.
pub(crate) fn all_columns(own: &[ColumnInfo]) -> Vec<ColumnInfo> {
    [LEADING_COLUMNS, own, TRAILING_COLUMNS].concat()
}

/// The Arrow schema of these columns: plain types, no Arrow dictionaries.
pub(crate) fn schema_of(columns: Vec<ColumnInfo>) -> SchemaRef {
    let field = |column: ColumnInfo| Field::new(column.name, column.kind.data_type(), !column.required);
    Arc::new(Schema::new(columns.into_iter().map(field).collect::<Vec<_>>()))
}

impl Kind {
    /// The Arrow type.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text | Self::Long | Self::Json => DataType::Utf8,
            Self::Texts => DataType::List(Arc::new(list_item())),
            Self::Flag => DataType::Boolean,
            Self::Code => DataType::Int32,
            Self::Number => DataType::Int64,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }
}

fn list_item() -> Field {
    Field::new("element", DataType::Utf8, true)
}

/// Text columns of each kind, which differ only in how they are stored.
macro_rules! text_builder {
    ($($name:ident),*) => {$(
        pub(crate) struct $name(StringBuilder, u64);

        impl Default for $name {
            fn default() -> Self {
                Self(StringBuilder::with_capacity(0, 0), 0)
            }
        }

        impl $name {
            /// Adds the text without the secrets in it.
            pub(crate) fn push(&mut self, value: Option<&str>) {
                let Some(text) = value else { return self.0.append_null() };
                let (text, secrets) = redact(text);
                self.0.append_value(text);
                self.1 += secrets;
            }
            /// How many secrets were taken out since this was asked last.
            pub(crate) fn redacted(&mut self) -> u64 {
                std::mem::take(&mut self.1)
            }
            pub(crate) fn bytes(&self) -> usize {
                self.0.values_slice().len() + size_of_val(self.0.offsets_slice())
            }
            pub(crate) fn finish(&mut self) -> ArrayRef {
                Arc::new(self.0.finish())
            }
        }
    )*};
}

text_builder!(Text, Long, Json);

/// A column of lists of texts.
pub(crate) struct Texts(ListBuilder<StringBuilder>, u64);

impl Default for Texts {
    fn default() -> Self {
        Self(
            ListBuilder::with_capacity(StringBuilder::with_capacity(0, 0), 0).with_field(list_item()),
            0,
        )
    }
}

impl Texts {
    pub(crate) fn push<T: AsRef<str>>(&mut self, items: Option<&[T]>) {
        for item in items.unwrap_or_default() {
            let (text, secrets) = redact(item.as_ref());
            self.0.values().append_value(text);
            self.1 += secrets;
        }
        self.0.append(items.is_some());
    }

    pub(crate) fn redacted(&mut self) -> u64 {
        std::mem::take(&mut self.1)
    }

    pub(crate) fn bytes(&mut self) -> usize {
        let lists = size_of_val(self.0.offsets_slice());
        let items = self.0.values();
        lists + items.values_slice().len() + size_of_val(items.offsets_slice())
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// Columns of plain values.
macro_rules! plain_builder {
    ($($name:ident, $builder:ident, $type:ty, $bytes:literal;)*) => {$(
        pub(crate) struct $name($builder);

        impl Default for $name {
            fn default() -> Self {
                Self($builder::with_capacity(0))
            }
        }

        impl $name {
            pub(crate) fn push(&mut self, value: Option<$type>) {
                self.0.append_option(value);
            }
            pub(crate) fn redacted(&mut self) -> u64 {
                0
            }
            pub(crate) fn bytes(&self) -> usize {
                arrow::array::ArrayBuilder::len(&self.0) * $bytes
            }
            pub(crate) fn finish(&mut self) -> ArrayRef {
                Arc::new(self.0.finish())
            }
        }
    )*};
}

plain_builder! {
    Flag, BooleanBuilder, bool, 1;
    Code, Int32Builder, i32, 4;
}

/// A table's own columns: the constant that describes them and the builders that fill them, from one list.
macro_rules! columns {
    ($(#[$meta:meta])* struct $name:ident { $(#[doc = $about:literal] $field:ident: $kind:ident,)* }) => {
        /// The table's own columns, in the order of the file.
        pub const COLUMNS: &[$crate::tables::ColumnInfo] = &[$($crate::tables::ColumnInfo {
            name: stringify!($field),
            kind: $crate::tables::Kind::$kind,
            required: false,
            about: $about.trim_ascii_start(),
        },)*];

        $(#[$meta])*
        #[derive(Default)]
        pub(crate) struct $name { $(#[doc = $about] $field: $crate::tables::$kind,)* }

        impl $crate::tables::Columns for $name {
            fn bytes(&mut self) -> usize {
                0 $(+ self.$field.bytes())*
            }
            fn redacted(&mut self) -> u64 {
                0 $(+ self.$field.redacted())*
            }
            fn finish(&mut self) -> Vec<arrow::array::ArrayRef> {
                vec![$(self.$field.finish(),)*]
            }
        }
    };
}

pub(crate) use columns;

/// The builders of one table's own columns.
pub(crate) trait Columns: Default {
    /// Memory of what was pushed.
    fn bytes(&mut self) -> usize;
    /// How many secrets were taken out since this was asked last.
    fn redacted(&mut self) -> u64;
    /// The columns, in order; the builders are empty afterwards.
    fn finish(&mut self) -> Vec<ArrayRef>;
}

/// Empty text is as good as none where a source writes a key without a value.
pub(crate) fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// A list as JSON text; `None` for an empty one. Most names need no escape, and are copied as they are.
pub(crate) fn json_list<T: AsRef<str>>(items: &[T]) -> Option<String> {
    if items.is_empty() {
        return None;
    }
    let is_plain = |text: &str| text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\');
    let mut text = String::with_capacity(items.iter().map(|item| item.as_ref().len() + 3).sum::<usize>() + 2);
    text.push('[');
    for (at, item) in items.iter().map(AsRef::as_ref).enumerate() {
        if at > 0 {
            text.push(',');
        }
        if is_plain(item) {
            text.push('"');
            text.push_str(item);
            text.push('"');
        } else {
            text.push_str(&serde_json::Value::from(item).to_string());
        }
    }
    text.push(']');
    Some(text)
}

#[cfg(test)]
mod tests {
    use crate::table::Table;

    #[test]
    fn every_table_has_the_columns_of_the_contract() {
        let names = |table: Table| {
            table
                .columns()
                .iter()
                .map(|column| column.name)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let common = |own: &str| format!("id ts account region cluster source_uri source_line {own} raw");
        assert_eq!(names(Table::Snapshot), common("kind name body"));
        assert_eq!(names(Table::Rejects), common("kind reason text"));
        for (table, documented) in [
            (
                Table::Authenticator,
                "stream level msg outcome arn canonical_arn username groups masters uid user_id access_key_id session client method path \
                 sts_endpoint error",
            ),
            (
                Table::Audit,
                "stream audit_id stage level verb username uid groups masters arn canonical_arn access_key_id session \
                 impersonated_username impersonated_groups source_ips user_agent request_uri api_group api_version resource subresource \
                 namespace name code status_reason status_message decision decision_reason annotations request_object response_object",
            ),
            (
                Table::CloudTrail,
                "event_id event_version event_source event_name event_type read_only principal_type principal_id arn canonical_arn \
                 identity_account access_key_id user_name session_issuer_arn session source_identity invoked_by source_ip user_agent \
                 error_code error_message request_id shared_event_id resources request_parameters response_elements additional_event_data",
            ),
        ] {
            let found = names(table);
            for name in documented.split_whitespace().chain([
                "id",
                "ts",
                "account",
                "region",
                "cluster",
                "source_uri",
                "source_line",
                "raw",
            ]) {
                assert!(
                    found.split(' ').any(|column| column == name),
                    "{table:?} has no column {name}"
                );
            }
        }
    }

    #[test]
    fn types_are_plain() {
        let types = |table: Table, name: &str| table.schema().field_with_name(name).unwrap().data_type().to_string();
        assert_eq!(types(Table::Audit, "ts"), "Timestamp(µs, \"UTC\")");
        assert_eq!(types(Table::Audit, "code"), "Int32");
        assert_eq!(types(Table::Audit, "masters"), "Boolean");
        assert_eq!(types(Table::Audit, "source_line"), "Int64");
        assert_eq!(types(Table::Audit, "annotations"), "Utf8");
        assert!(types(Table::Audit, "groups").starts_with("List("));
    }
}
