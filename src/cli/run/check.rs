//! `run --check`: the configuration is right, and this is the pass that it describes.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::Global;
use crate::config::{Config, Scope, When};
use crate::error::{Exit, Failure};
use crate::render::{self, Output, escape};

/// `eksplain.pass/1`.
#[derive(Debug, Serialize)]
struct Pass<'c> {
    schema: &'static str,
    version: &'static str,
    configuration: &'c str,
    lake: String,
    commands: Vec<String>,
    #[serde(flatten)]
    config: &'c Config,
    warnings: Vec<&'c str>,
}

pub(super) fn tell(global: &Global, name: &str, config: &Config) -> Result<ExitCode, Failure> {
    let pass = Pass {
        schema: "eksplain.pass/1",
        version: env!("CARGO_PKG_VERSION"),
        configuration: name,
        lake: global.lake.display().to_string(),
        commands: config
            .sources
            .iter()
            .map(|source| format!("eksplain {}", source.command()))
            .collect(),
        config,
        warnings: config.warnings.iter().map(|warning| warning.what()).collect(),
    };
    let mut out = io::stdout().lock();
    match global.output {
        Output::Json => render::json(&mut out, &pass)?,
        Output::Jsonl => render::json_line(&mut out, &pass)?,
        _ => out.write_all(escape(&in_words(global, name, config, &pass.commands)).as_bytes())?,
    }
    Ok(Exit::Answered.into())
}

fn in_words(global: &Global, name: &str, config: &Config, commands: &[String]) -> String {
    let mut lines = vec![format!("{name} is valid. A run would:")];
    let mut number = 0;
    let mut step = |text: String| {
        number += 1;
        lines.push(format!("{number:>3}. {text}"));
    };
    step(format!("lock the lake {}", global.lake.display()));
    for command in commands {
        step(format!("run {command}"));
    }
    let questions = &config.questions;
    let of: Vec<String> = [
        (!questions.clusters.is_empty()).then(|| format!("clusters {}", questions.clusters.join(", "))),
        questions.account.as_ref().map(|account| format!("account {account}")),
        questions.region.as_ref().map(|region| format!("region {region}")),
        (questions.scope == Scope::All).then(|| "refused calls of every AWS service".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let of = if of.is_empty() {
        String::new()
    } else {
        format!(" of {}", of.join(", "))
    };
    if let Some(report) = &config.report {
        let forms = if report.forms.is_empty() {
            "every form".to_owned()
        } else {
            report.forms.join(", ")
        };
        let key = match (report.sse, &report.kms_key) {
            (_, Some(key)) => format!(", encrypted by the key {key}"),
            (Some(sse), None) => format!(", encrypted by {sse}"),
            (None, None) => String::new(),
        };
        step(format!("report{of} into {} ({forms}){key}", report.to));
    } else if config.notify.is_some() || !questions.fail_on.is_empty() {
        step(format!("answer the questions{of}, without a report"));
    }
    if let Some(notify) = &config.notify {
        let when = match notify.when {
            When::Always => "each time",
            When::Changes => "if something changed since the last report, or a step failed",
            When::Findings => "if something that fail-on names was found, or a step failed",
        };
        step(format!("notify {} {when}", notify.to));
    }
    if !questions.fail_on.is_empty() {
        step(format!("exit with 1 if it found {}", questions.fail_on.join(", ")));
    }
    step(format!(
        "write what it did into {}",
        global.lake.join("_state").display()
    ));
    lines.push(String::new());
    lines.join("\n")
}
