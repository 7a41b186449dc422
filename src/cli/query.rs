//! `query`: named queries and SQL.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use eksplain_analyze::quote;
use eksplain_lake::tables::{ColumnInfo, Kind};
use eksplain_lake::{Lake, Table};
use eksplain_queries::{Engine, NAMED, NamedQuery, named};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Global;
use crate::error::{Exit, Failure};
use crate::render::{self, Margin, Output, Page, Text, data};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain query --list
  eksplain query masters_logins
  eksplain query masters_logins --insights     the same question for CloudWatch Logs Insights
  eksplain query \"SELECT outcome, COUNT(*) AS lines FROM authenticator GROUP BY outcome ORDER BY outcome\"")]
pub(crate) struct Arguments {
    /// Name of a query, or SQL
    #[arg(required_unless_present = "list", value_name = "NAME|SQL")]
    query: Option<String>,
    /// List named queries, tables and their columns
    #[arg(long)]
    list: bool,
    /// Print the query's text for CloudWatch Logs Insights
    #[arg(long)]
    insights: bool,
}

/// `eksplain.query/1`.
#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'static str,
    columns: &'a [&'a str],
    rows: Vec<Map<String, Value>>,
}

/// `eksplain.query-list/1`.
#[derive(Debug, Serialize)]
struct Listed {
    schema: &'static str,
    version: &'static str,
    queries: Vec<Named>,
    tables: Vec<Columns>,
}

#[derive(Debug, Serialize)]
struct Named {
    name: &'static str,
    about: &'static str,
    /// Whether CloudWatch Logs Insights can be asked the same.
    insights: bool,
}

#[derive(Debug, Serialize)]
struct Columns {
    table: &'static str,
    columns: Vec<Column>,
}

#[derive(Debug, Serialize)]
struct Column {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    about: &'static str,
}

impl Named {
    fn of(query: &NamedQuery) -> Self {
        Self {
            name: query.name,
            about: query.about(),
            insights: query.insights.is_some(),
        }
    }
}

impl Column {
    fn of(column: &ColumnInfo) -> Self {
        Self {
            name: column.name,
            kind: match column.kind {
                Kind::Text | Kind::Long => "text",
                Kind::Json => "json",
                Kind::Texts => "list of texts",
                Kind::Flag => "boolean",
                Kind::Code | Kind::Number => "integer",
                Kind::Time => "timestamp",
            },
            about: column.about,
        }
    }
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    let Some(text) = arguments.query.as_deref().filter(|_| !arguments.list) else {
        list(&mut out, global.output)?;
        super::hint(global, "query masters_logins", "asks one of them");
        return Ok(Exit::Answered.into());
    };
    let query = named(text);
    if arguments.insights {
        let insights = query.and_then(|query| query.insights);
        let insights = insights.ok_or_else(|| {
            Failure::usage(
                format!("could not give {text:?} for Insights: there is none"),
                "eksplain query --list shows which have one",
            )
        })?;
        write!(out, "{insights}")?;
        return Ok(Exit::Answered.into());
    }
    if query.is_none() && !text.trim().contains(char::is_whitespace) {
        let names: Vec<&str> = NAMED.iter().map(|query| query.name).collect();
        return Err(Failure::usage(
            format!("could not find a query named {text:?}"),
            format!("named queries: {}; anything else is taken as SQL", names.join(", ")),
        ));
    }
    let engine = Engine::open(&Lake::open(&global.lake)?)?;
    let answer = engine.sql(query.map_or(text, |query| query.sql))?;
    let columns: Vec<&str> = answer.columns.iter().map(String::as_str).collect();
    let rows = &answer.rows;
    if global.output == Output::Json {
        let document = Document {
            schema: "eksplain.query/1",
            version: env!("CARGO_PKG_VERSION"),
            columns: &columns,
            rows: data::objects(&columns, rows).collect(),
        };
        render::json(&mut out, &document)?;
    } else {
        data::cells(&mut out, global.output, &columns, rows)?;
    }
    let id = columns.iter().position(|name| *name == "id");
    match id.and_then(|at| rows.first()?.get(at)?.as_str()) {
        Some(id) => super::hint(
            global,
            &format!("evidence {}", quote(id)),
            "shows the whole of the first record",
        ),
        None => super::hint(
            global,
            "query --list",
            "shows the tables' columns and the named queries",
        ),
    }
    Ok(Exit::Answered.into())
}

/// Everything that can be asked for.
fn list(out: &mut dyn Write, output: Output) -> io::Result<()> {
    let queries: Vec<Named> = NAMED.iter().map(Named::of).collect();
    match output {
        Output::Table => show(out),
        Output::Json | Output::Sarif => {
            let table = |table: Table| Columns {
                table: table.dir(),
                columns: table.columns().iter().map(Column::of).collect(),
            };
            let document = Listed {
                schema: "eksplain.query-list/1",
                version: env!("CARGO_PKG_VERSION"),
                queries,
                tables: Table::ALL.into_iter().map(table).collect(),
            };
            render::json(out, &document)
        }
        _ => {
            let columns = ["name", "about", "insights"];
            let rows: Vec<_> = queries.iter().map(|query| data::row(query, &columns)).collect();
            data::cells(out, output, &columns, &rows)
        }
    }
}

fn show(out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(out);
    page.line(&Text::new().strong("Named queries"))?;
    let rows: Vec<_> = NAMED
        .iter()
        .map(|query| {
            let insights = if query.insights.is_some() { " [--insights]" } else { "" };
            vec![
                Text::new().literal(query.name),
                Text::from(query.about()).faint(insights),
            ]
        })
        .collect();
    page.rows(&Margin::of(2), &rows)?;
    for table in Table::ALL {
        page.blank()?;
        page.line(&Text::from("Table ").strong(table.dir()))?;
        let columns = table.columns();
        let rows: Vec<_> = columns
            .iter()
            .map(|column| vec![Text::new().literal(column.name), Text::from(column.about)])
            .collect();
        page.rows(&Margin::of(2), &rows)?;
    }
    Ok(())
}
