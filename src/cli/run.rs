//! `run` and `init`: one scheduled pass, and the file that describes it.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser};
use eksplain_lake::Lake;
use serde::Serialize;

use super::{Cli, Global};
use crate::config::{Config, EXAMPLE};
use crate::error::{Exit, Failure};
use crate::settings::now;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain init                       write a commented eksplain.toml
  eksplain run                        read it, ingest what is new, write the report
  eksplain run /etc/eksplain.toml -q

The exit code is that of the worst step: 1 a change that fail-on names, 3 rejects, 4 a source refused, 5 the lake is damaged. What the
last run did stands in the lake, as _state/last-run.json and _state/metrics.prom (OpenMetrics).")]
pub(super) struct Arguments {
    /// The configuration [default: --config, or eksplain.toml]
    #[arg(value_name = "CONFIG")]
    path: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain init
  eksplain init --to /etc/eksplain.toml")]
pub(super) struct Init {
    /// Where to write it
    #[arg(long, value_name = "FILE", default_value = "eksplain.toml")]
    to: PathBuf,
}

pub(super) fn init(global: &Global, arguments: &Init) -> Result<ExitCode, Failure> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&arguments.to)
        .map_err(|error| {
            Failure::usage(
                format!("could not write {}: {error}", arguments.to.display()),
                "name another file with --to, or remove it first",
            )
        })?;
    file.write_all(EXAMPLE.as_bytes())?;
    if !global.quiet {
        eprintln!(
            "wrote {}: put in your regions and accounts, then eksplain run",
            arguments.to.display()
        );
    }
    Ok(Exit::Answered.into())
}

/// `eksplain.run/1`: what the last run did.
#[derive(Debug, Serialize)]
struct LastRun {
    schema: &'static str,
    version: &'static str,
    began_at: String,
    seconds: f64,
    exit: u8,
    steps: Vec<Step>,
    records: u64,
}

#[derive(Debug, Serialize)]
struct Step {
    command: String,
    exit: u8,
    seconds: f64,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let named = arguments.path.clone().or_else(|| global.config.clone());
    let file = named.unwrap_or_else(|| PathBuf::from("eksplain.toml"));
    let path = file.display();
    let text = fs::read_to_string(&file)
        .map_err(|error| Failure::usage(format!("could not read {path}: {error}"), "eksplain init writes one"))?;
    let config = Config::parse(&text).map_err(|error| {
        Failure::usage(
            format!("could not understand {path}: {error}"),
            "eksplain init writes an example",
        )
    })?;
    let is_default_lake = global.lake == Path::new(super::DEFAULT_LAKE);
    let lake = config
        .lake
        .clone()
        .filter(|_| is_default_lake)
        .unwrap_or_else(|| global.lake.clone());
    Lake::open_or_create(&lake)?;
    let _lock = lock(&lake)?;
    let began = (now(), Instant::now());
    let mut steps = Vec::new();
    for source in &config.source {
        steps.push(step(global, &config, &lake, source.words()));
    }
    if let Some(report) = &config.report {
        let old = report.to.join("latest/report.json");
        let before = tempfile::NamedTempFile::with_suffix(".json")?;
        let has_before = fs::copy(&old, before.path()).is_ok();
        let mut words = vec!["report".to_owned(), format!("--to={}", report.to.display())];
        words.extend(report.forms.iter().map(|form| format!("--form={form}")));
        steps.push(step(global, &config, &lake, words));
        if has_before && old.is_file() {
            let words = ["diff", &before.path().display().to_string(), &old.display().to_string()].map(str::to_owned);
            let fail_on = report.fail_on.iter().map(|kind| format!("--fail-on={kind}"));
            steps.push(step(global, &config, &lake, words.into_iter().chain(fail_on).collect()));
        }
    }
    let exit = steps
        .iter()
        .map(|step| step.exit)
        .max_by_key(|exit| severity(*exit))
        .unwrap_or(0);
    let records = Lake::open(&lake)?
        .holdings()
        .values()
        .map(|holding| holding.records)
        .sum();
    let last = LastRun {
        schema: "eksplain.run/1",
        version: env!("CARGO_PKG_VERSION"),
        began_at: eksplain_analyze::time::format_rfc3339(began.0),
        seconds: began.1.elapsed().as_secs_f64(),
        exit,
        steps,
        records,
    };
    fs::write(lake.join("_state/last-run.json"), serde_json::to_vec_pretty(&last)?)?;
    fs::write(lake.join("_state/metrics.prom"), metrics(&last, began.0))?;
    Ok(ExitCode::from(exit))
}

/// One command of the pass; its failure does not end the others.
fn step(global: &Global, config: &Config, lake: &Path, words: Vec<String>) -> Step {
    let began = Instant::now();
    let command = words.join(" ");
    if !global.quiet {
        eprintln!("$ eksplain {}", crate::render::escape(&command));
    }
    let mut typed = vec![
        "eksplain".to_owned(),
        format!("--lake={}", lake.display()),
        "--no-progress".to_owned(),
    ];
    let options = [
        ("--profile", config.profile.as_ref().or(global.profile.as_ref())),
        ("--endpoint-url", global.endpoint_url.as_ref()),
    ];
    typed.extend(
        options
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value?))),
    );
    if global.quiet {
        typed.push("--quiet".to_owned());
    }
    typed.extend(words);
    let exit = match Cli::try_parse_from(typed) {
        Ok(cli) => super::run(&cli).unwrap_or_else(|failure| failure.report()),
        Err(error) => {
            eprintln!("{error}");
            Exit::Usage.into()
        }
    };
    Step {
        command,
        exit: code_of(exit),
        seconds: began.elapsed().as_secs_f64(),
    }
}

/// The standard library does not tell a code again: it is found by comparing.
fn code_of(exit: ExitCode) -> u8 {
    (0..=u8::MAX).find(|code| ExitCode::from(*code) == exit).unwrap_or(1)
}

/// A damaged lake is worse than a refusal, a refusal than a reject, a reject than a finding.
fn severity(exit: u8) -> u8 {
    match exit {
        130 => 6,
        5 => 5,
        4 => 4,
        2 => 3,
        3 => 2,
        1 => 1,
        _ => 0,
    }
}

fn lock(lake: &Path) -> Result<File, Failure> {
    fs::create_dir_all(lake.join("_state"))?;
    let path = lake.join("_state/run.lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)?;
    file.try_lock().map_err(|_| {
        Failure::usage(
            format!("another run is at work on {}", lake.display()),
            "wait until it ends; a run that died holds no lock",
        )
    })?;
    Ok(file)
}

/// OpenMetrics text.
fn metrics(last: &LastRun, began: i64) -> String {
    let failed = last.steps.iter().filter(|step| step.exit > 1).count();
    format!(
        "# TYPE eksplain_last_run_timestamp_seconds gauge\neksplain_last_run_timestamp_seconds {}\n\
         # TYPE eksplain_last_run_duration_seconds gauge\neksplain_last_run_duration_seconds {:.3}\n\
         # TYPE eksplain_last_run_exit_code gauge\neksplain_last_run_exit_code {}\n\
         # TYPE eksplain_last_run_failed_steps gauge\neksplain_last_run_failed_steps {failed}\n\
         # TYPE eksplain_lake_records gauge\neksplain_lake_records {}\n# EOF\n",
        began / 1_000_000,
        last.seconds,
        last.exit,
        last.records
    )
}
