//! `lake register`: the statements by which other engines know the tables of a lake.
//!
//! Columns come from the lake's own schema; nothing is read but the journal. Sources of the rules: AWS's documentation of partition
//! projection for Athena, Spark's and DuckDB's SQL references.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use eksplain_lake::tables::{ColumnInfo, Kind};
use eksplain_lake::{Lake, Table};
use serde::Serialize;

use super::Global;
use crate::error::{Exit, Failure};
use crate::render::{self, Output};

#[derive(Debug, Args)]
pub(crate) struct Register {
    /// The engine that will read the lake
    #[arg(long, value_enum)]
    engine: Engine,
    /// Name of the database that the tables belong to
    #[arg(long, value_name = "NAME", default_value = "eksplain")]
    database: String,
    /// Where the engine finds a copy of the lake [default: the lake itself]
    #[arg(long, value_name = "URI")]
    location: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// Amazon Athena: external tables whose days need no registration
    Athena,
    /// Spark SQL: external tables
    Spark,
    /// DuckDB: views over the files of the lake
    Duckdb,
}

/// `eksplain.lake-register/1`.
#[derive(Debug, Serialize)]
struct Statements {
    schema: &'static str,
    version: &'static str,
    engine: String,
    statements: Vec<String>,
}

pub(super) fn run(global: &Global, register: &Register) -> Result<ExitCode, Failure> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if register.database.is_empty() || !register.database.chars().all(is_name) {
        return Err(Failure::usage(
            "--database is not a name that every engine accepts",
            "use letters, digits and _, for instance --database eksplain",
        ));
    }
    let lake = Lake::open(&global.lake)?;
    let location = match (&register.location, register.engine) {
        (Some(uri), _) => uri.trim_end_matches('/').to_owned(),
        (None, Engine::Athena) => {
            return Err(Failure::usage(
                "Athena reads lakes in S3 only, and this lake is a local folder",
                "copy it (aws s3 sync LAKE s3://BUCKET/PREFIX --exclude '_st*'), then name the copy: --location s3://BUCKET/PREFIX",
            ));
        }
        (None, _) => std::path::absolute(lake.root())?.display().to_string(),
    };
    if register.engine == Engine::Athena && !location.starts_with("s3://") {
        return Err(Failure::usage(
            "--location is not an S3 URI",
            "write for instance --location s3://my-lake/eks",
        ));
    }
    let statements = match register.engine {
        Engine::Athena => athena(&lake, &register.database, &location),
        Engine::Spark => spark(&lake, &register.database, &location),
        Engine::Duckdb => duckdb(&lake, &location, register.location.is_none()),
    };
    let mut out = io::stdout().lock();
    match global.output {
        Output::Json => render::json(
            &mut out,
            &Statements {
                schema: "eksplain.lake-register/1",
                version: env!("CARGO_PKG_VERSION"),
                engine: register
                    .engine
                    .to_possible_value()
                    .map(|value| value.get_name().to_owned())
                    .unwrap_or_default(),
                statements,
            },
        )?,
        _ => {
            for statement in statements {
                writeln!(out, "{statement};\n")?;
            }
        }
    }
    Ok(Exit::Answered.into())
}

/// A text in SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The first day of a table that has a name which Athena can project.
fn first_day(lake: &Lake, table: Table) -> Option<String> {
    let days = lake.parts(table).into_iter().filter_map(|part| {
        let folder = part.parent()?.file_name()?.to_str()?.strip_prefix("date=")?.to_owned();
        folder.starts_with(|c: char| c.is_ascii_digit()).then_some(folder)
    });
    days.min()
}

fn athena(lake: &Lake, database: &str, location: &str) -> Vec<String> {
    let mut statements = vec![format!("CREATE DATABASE IF NOT EXISTS `{database}`")];
    for table in Table::ALL {
        let name = table.dir();
        // Days that are not projected are not read, so the first one has to be right.
        let first = first_day(lake, table).unwrap_or_else(|| "2018-06-05".to_owned());
        statements.push(format!("DROP TABLE IF EXISTS `{database}`.`{name}`"));
        let columns = columns(table, |column| match column.kind {
            Kind::Text | Kind::Long | Kind::Json => "string",
            Kind::Texts => "array<string>",
            Kind::Flag => "boolean",
            Kind::Code => "int",
            Kind::Number => "bigint",
            Kind::Time => "timestamp",
        });
        statements.push(format!(
            "CREATE EXTERNAL TABLE `{database}`.`{name}` (\n{columns}\n)\nPARTITIONED BY (`date` string)\nSTORED AS PARQUET\nLOCATION \
             {at}\nTBLPROPERTIES (\n  'projection.enabled' = 'true',\n  'projection.date.type' = 'date',\n  'projection.date.format' = \
             'yyyy-MM-dd',\n  'projection.date.range' = '{first},NOW+1DAYS',\n  'projection.date.interval' = '1',\n  \
             'projection.date.interval.unit' = 'DAYS'\n)",
            at = quoted(&format!("{location}/{name}/")),
        ));
    }
    statements
}

fn spark(lake: &Lake, database: &str, location: &str) -> Vec<String> {
    let mut statements = vec![
        // Ids and times are in UTC; without it, days would be those of the session.
        "SET spark.sql.session.timeZone = UTC".to_owned(),
        "SET spark.sql.parquet.datetimeRebaseModeInRead = CORRECTED".to_owned(),
        format!("CREATE DATABASE IF NOT EXISTS `{database}`"),
    ];
    for table in Table::ALL {
        let name = table.dir();
        statements.push(format!("DROP TABLE IF EXISTS `{database}`.`{name}`"));
        let columns = columns(table, |column| match column.kind {
            Kind::Text | Kind::Long | Kind::Json => "STRING",
            Kind::Texts => "ARRAY<STRING>",
            Kind::Flag => "BOOLEAN",
            Kind::Code => "INT",
            Kind::Number => "BIGINT",
            Kind::Time => "TIMESTAMP",
        });
        if lake.parts(table).is_empty() {
            // A folder that is not there cannot be a table's place.
            statements.push(format!(
                "CREATE TABLE `{database}`.`{name}` (\n{columns},\n  `date` STRING\n) USING parquet\nPARTITIONED BY (`date`)"
            ));
            continue;
        }
        statements.push(format!(
            "CREATE TABLE `{database}`.`{name}` (\n{columns},\n  `date` STRING\n) USING parquet\nPARTITIONED BY (`date`)\nLOCATION {}",
            quoted(&format!("{location}/{name}"))
        ));
        statements.push(format!("MSCK REPAIR TABLE `{database}`.`{name}`"));
    }
    statements
}

/// The parts that the journal names, where the lake itself is read; of a copy, whatever lies in the folders.
fn duckdb(lake: &Lake, location: &str, is_own: bool) -> Vec<String> {
    let view = |table: Table| {
        let name = table.dir();
        let parts = lake.parts(table);
        let files = if parts.is_empty() {
            let nothing = table.columns().iter().fold(String::new(), |mut all, column| {
                let kind = match column.kind {
                    Kind::Text | Kind::Long | Kind::Json => "VARCHAR",
                    Kind::Texts => "VARCHAR[]",
                    Kind::Flag => "BOOLEAN",
                    Kind::Code => "INTEGER",
                    Kind::Number => "BIGINT",
                    Kind::Time => "TIMESTAMPTZ",
                };
                let _ = write!(all, "CAST(NULL AS {kind}) AS \"{}\", ", column.name);
                all
            });
            return format!(
                "CREATE OR REPLACE VIEW {name} AS SELECT {nothing}CAST(NULL AS VARCHAR) AS date WHERE false"
            );
        } else if is_own {
            let parts = parts.iter().map(|part| {
                let path = std::path::absolute(part).unwrap_or_else(|_| part.clone());
                quoted(&path.to_string_lossy())
            });
            format!("[\n  {}\n]", parts.collect::<Vec<_>>().join(",\n  "))
        } else {
            quoted(&format!("{location}/{name}/*/*.parquet"))
        };
        format!(
            "CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet({files}, hive_partitioning = true, \
             hive_types = {{'date': VARCHAR}}, union_by_name = true)"
        )
    };
    // Days are those of UTC, whatever the session says.
    let mut statements = vec!["SET TimeZone = 'UTC'".to_owned()];
    statements.extend(Table::ALL.into_iter().map(view));
    statements
}

fn columns(table: Table, kind: impl Fn(&ColumnInfo) -> &'static str) -> String {
    let columns = table.columns();
    let lines = columns
        .iter()
        .map(|column| format!("  `{}` {} COMMENT {}", column.name, kind(column), comment(column.about)));
    lines.collect::<Vec<_>>().join(",\n")
}

/// What a column holds. Athena reads quotes in comments by backslash, Spark by either; so none is left in.
fn comment(about: &str) -> String {
    format!("'{}'", about.replace(['\'', '\\', ';'], " "))
}
