//! `query`: named queries and SQL.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use eksplain_lake::{Lake, Table};
use eksplain_queries::{Engine, NAMED, named};

use super::Global;
use crate::error::{Exit, Failure};
use crate::render;

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
    /// Named queries, tables and their columns
    #[arg(long)]
    list: bool,
    /// Print the query's text for CloudWatch Logs Insights
    #[arg(long)]
    insights: bool,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    let Some(text) = arguments.query.as_deref().filter(|_| !arguments.list) else {
        list(&mut out)?;
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
    let rows: Vec<Vec<String>> = answer
        .rows
        .into_iter()
        .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
        .collect();
    render::rows(&mut out, global.output, &columns, &rows)?;
    Ok(Exit::Answered.into())
}

fn list(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Named queries:")?;
    for query in NAMED {
        let insights = if query.insights.is_some() { " [--insights]" } else { "" };
        writeln!(out, "  {:<16} {}{insights}", query.name, query.about())?;
    }
    for table in Table::ALL {
        writeln!(out, "\nTable {}:", table.dir())?;
        for column in table.columns() {
            writeln!(out, "  {:<24} {}", column.name, column.about)?;
        }
    }
    Ok(())
}
