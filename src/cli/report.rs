//! `report`: what people read.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Global;
use super::ask::{self, Selectors};
use crate::error::{Exit, Failure};
use crate::render::{self, Output};
use crate::report::{Form, deliver};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain report                                    into ./eksplain-report: reports/date=…/ and latest/
  eksplain report --to /srv/www/eks --form html --form json
  eksplain report --at 2026-11-01 --cluster 'prod-*'
  eksplain report -o json > report.json              on stdout, for other programs

Without --at it speaks of the newest record of the lake, so that the same lake gives the same bytes.")]
pub(super) struct Arguments {
    #[command(flatten)]
    selectors: Selectors,
    /// Folder that gets the files
    #[arg(long, value_name = "DIR", default_value = "eksplain-report")]
    to: PathBuf,
    /// Forms (repeatable) [default: all]
    #[arg(long, value_enum, value_name = "FORM")]
    form: Vec<Form>,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let report = ask::report(global, &arguments.selectors)?;
    if global.output == Output::Json {
        render::json(&mut std::io::stdout().lock(), &report)?;
        return Ok(Exit::Answered.into());
    }
    let mut forms = arguments.form.clone();
    if forms.is_empty() {
        forms = vec![Form::Html, Form::Json, Form::Csv, Form::Md];
    }
    forms.sort_unstable();
    forms.dedup();
    let day = report.at.get(..10).unwrap_or(&report.at).to_owned();
    deliver(&arguments.to, &day, &report.files(&forms)?)?;
    if !global.quiet {
        eprintln!(
            "wrote {} and reports/date={day} beside it",
            arguments.to.join("latest").display()
        );
    }
    Ok(Exit::Answered.into())
}
