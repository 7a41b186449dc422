//! Findings as Parquet, one file a question, with the fields of the JSON: for an archive, and for DuckDB, Athena or Spark over many reports.

use std::io;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use arrow_json::ReaderBuilder;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::Serialize;

/// Findings that are turned into columns at a time.
const BATCH: usize = 8_192;

/// The file of these findings; no findings make a file without rows.
pub(super) fn file<F: Serialize>(columns: Fields, findings: &[F]) -> io::Result<Vec<u8>> {
    let schema = Arc::new(Schema::new(columns));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(format!("eksplain {}", env!("CARGO_PKG_VERSION")))
        .build();
    let options = ArrowWriterOptions::new()
        .with_properties(properties)
        .with_skip_arrow_metadata(true);
    let mut file = Vec::new();
    let mut writer =
        ArrowWriter::try_new_with_options(&mut file, Arc::clone(&schema), options).map_err(io::Error::other)?;
    let mut decoder = ReaderBuilder::new(schema)
        .with_batch_size(BATCH)
        .build_decoder()
        .map_err(io::Error::other)?;
    for findings in findings.chunks(BATCH) {
        decoder.serialize(findings).map_err(io::Error::other)?;
        if let Some(batch) = decoder.flush().map_err(io::Error::other)? {
            writer.write(&batch).map_err(io::Error::other)?;
        }
    }
    writer.close().map_err(io::Error::other)?;
    Ok(file)
}

pub(super) fn admins() -> Fields {
    Fields::from(vec![
        object("cluster", cluster()),
        whole("incarnation"),
        text("principal"),
        text("principal_type"),
        text("kubernetes_username"),
        text("status"),
        text("power"),
        yes_no("aws_managed"),
        objects(
            "routes",
            vec![
                text("route"),
                text("status"),
                text("detail"),
                texts("via"),
                time("valid_from"),
                time("valid_to"),
                time("as_of"),
                evidence(),
            ],
        ),
        time("first_seen"),
        time("last_seen"),
        whole("uses"),
        texts("sessions"),
        text("principal_state"),
        time("principal_deleted_at"),
        text("fingerprint"),
        accepted(),
    ])
}

pub(super) fn creators() -> Fields {
    let mut created = cluster();
    created.extend([text("arn"), time("created_at"), time("deleted_at")]);
    let option = vec![
        text("title"),
        text("works"),
        text("why"),
        texts("commands"),
        texts("caveats"),
    ];
    Fields::from(vec![
        object("cluster", created),
        whole("incarnation"),
        object(
            "creator",
            [
                "principal",
                "type",
                "session",
                "human",
                "via",
                "source_ip",
                "user_agent",
            ]
            .map(text)
            .to_vec(),
        ),
        yes_no("bootstrap_admin"),
        text("authentication_mode"),
        text("confidence"),
        text("basis"),
        text("creator_state"),
        time("creator_deleted_at"),
        time("creator_recreated_at"),
        texts("other_admins"),
        object(
            "recovery",
            vec![yes_no("needed"), text("why"), objects("options", option)],
        ),
        evidence(),
        text("fingerprint"),
        accepted(),
    ])
}

pub(super) fn denials() -> Fields {
    let request = [
        "verb",
        "api_group",
        "resource",
        "subresource",
        "namespace",
        "name",
        "non_resource_url",
        "aws_action",
    ];
    Fields::from(vec![
        object("cluster", cluster()),
        text("principal"),
        text("kubernetes_username"),
        texts("groups"),
        text("session"),
        text("layer"),
        text("reason"),
        text("cause"),
        object("request", request.map(text).to_vec()),
        whole("count"),
        objects(
            "by_day",
            vec![Field::new("date", DataType::Date32, true), whole("count")],
        ),
        time("first_seen"),
        time("last_seen"),
        yes_no("resolved"),
        texts("seen_by_user_as"),
        fixes(),
        text("confidence"),
        evidence(),
        text("fingerprint"),
        accepted(),
    ])
}

pub(super) fn checks() -> Fields {
    Fields::from(vec![
        text("rule"),
        text("severity"),
        object("cluster", cluster()),
        text("subject"),
        text("message"),
        fixes(),
        evidence(),
        text("fingerprint"),
        accepted(),
    ])
}

fn cluster() -> Vec<Field> {
    ["account", "region", "name"].map(text).to_vec()
}

fn evidence() -> Field {
    let origin = object("origin", vec![text("uri"), whole("line")]);
    objects(
        "evidence",
        vec![text("id"), time("ts"), text("source"), text("summary"), origin],
    )
}

fn accepted() -> Field {
    object("accepted", ["why", "owner", "until"].map(text).to_vec())
}

fn fixes() -> Field {
    objects("fix", vec![text("title"), texts("commands"), text("manifest")])
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn texts(name: &str) -> Field {
    Field::new(name, DataType::List(Arc::new(text("element"))), true)
}

fn whole(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

fn yes_no(name: &str) -> Field {
    Field::new(name, DataType::Boolean, true)
}

fn time(name: &str) -> Field {
    Field::new(
        name,
        DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
        true,
    )
}

fn object(name: &str, fields: Vec<Field>) -> Field {
    Field::new(name, DataType::Struct(Fields::from(fields)), true)
}

fn objects(name: &str, fields: Vec<Field>) -> Field {
    Field::new(name, DataType::List(Arc::new(object("element", fields))), true)
}
