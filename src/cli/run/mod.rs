//! `run`: one scheduled pass. Every source is read, whatever became of those before it; then the report is made and delivered, and
//! what was done is written down.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Instant;

use clap::Args;
use eksplain_lake::Lake;

use super::Global;
use super::ingest::{self, fetch, stop_on_interrupt};
use crate::config::{Config, From, Source};
use crate::error::{Exit, Failure};
use crate::render::{self, Output, escape};
use crate::settings::now;

mod check;
mod lock;
mod metrics;
mod record;
mod report_step;

use record::{LastRun, Step};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain init                                    write a commented eksplain.toml
  eksplain run --check                             all errors in it, with their lines; what the run would do
  eksplain run                                     read the sources, write the report, say what changed
  eksplain run /etc/eksplain.toml -q               as cron does it
  eksplain run env:EKSPLAIN_CONFIG                 the configuration is the value of a variable, as ECS hands it over
  eksplain run - < eksplain.toml                   or standard input

The exit code is the worst step's: 1 something that fail-on names, 2 a source that cannot be read as configured, 3 rejects,
4 a source refused, 5 the lake is damaged, 130 interrupted (Ctrl-C or SIGTERM; what was done is kept). What the last run did is in the
lake, as _state/last-run.json and _state/metrics.json, and _state/metrics.prom (OpenMetrics text). -o json prints the record.")]
pub(super) struct Arguments {
    /// The configuration: a file, - for standard input, or env:NAME [default: --config, or eksplain.toml]
    #[arg(value_name = "CONFIG")]
    path: Option<PathBuf>,
    /// Only check the configuration and show what the run would do
    #[arg(long)]
    check: bool,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let named = arguments.path.clone().or_else(|| global.config.clone());
    let text = Text::read(named.unwrap_or_else(|| PathBuf::from("eksplain.toml")))?;
    let mut config = text.understand()?;
    if !global.quiet {
        for warning in &config.warnings {
            eprintln!("{}", warning.show(&text.name, &text.content));
        }
    }
    if let Some(region) = &global.region {
        call_in(&mut config.sources, region);
    }
    let is_default_lake = global.lake == Path::new(super::DEFAULT_LAKE);
    let global = Global {
        lake: config
            .lake
            .clone()
            .filter(|_| is_default_lake)
            .unwrap_or_else(|| global.lake.clone()),
        profile: config.profile.clone().or_else(|| global.profile.clone()),
        ..global.clone()
    };
    if arguments.check {
        return check::tell(&global, &text.name, &config);
    }
    pass(&global, &text.name, &config)
}

/// The configuration, and what it is called.
struct Text {
    name: String,
    content: String,
    /// What relative paths begin at.
    folder: PathBuf,
}

impl Text {
    fn read(source: PathBuf) -> Result<Self, Failure> {
        let here = PathBuf::new();
        let word = source.to_string_lossy();
        if word == "-" {
            let content = std::io::read_to_string(std::io::stdin()).map_err(|error| {
                Failure::usage(
                    format!("could not read standard input: {error}"),
                    "send a configuration, or name a file",
                )
            })?;
            return Ok(Self {
                name: "standard input".to_owned(),
                content,
                folder: here,
            });
        }
        if let Some(name) = word.strip_prefix("env:") {
            let content = std::env::var(name).map_err(|error| {
                Failure::usage(
                    format!("could not read the variable {name}: {error}"),
                    "set it to the text of an eksplain.toml",
                )
            })?;
            return Ok(Self {
                name: word.clone().into_owned(),
                content,
                folder: here,
            });
        }
        let content = std::fs::read_to_string(&source).map_err(|error| {
            Failure::usage(
                format!("could not read {}: {error}", source.display()),
                "eksplain init writes one",
            )
        })?;
        Ok(Self {
            name: word.clone().into_owned(),
            content,
            folder: source.parent().map(Path::to_owned).unwrap_or(here),
        })
    }

    fn understand(&self) -> Result<Config, Failure> {
        Config::read(&self.content, &self.folder, now()).map_err(|found| {
            let count = match found.iter().filter(|pointer| !pointer.is_warning()).count() {
                1 => "1 error".to_owned(),
                count => format!("{count} errors"),
            };
            Failure::pointed(
                format!("{} has {count}", self.name),
                "fix the places marked above; eksplain run --check checks again without running anything",
                &self.name,
                &self.content,
                &found,
            )
        })
    }
}

/// What a file says, as a pass would understand it.
pub(crate) fn configuration(path: &Path) -> Result<Config, Failure> {
    Text::read(path.to_owned())?.understand()
}

/// `--region` says where to call for the sources that name no regions.
fn call_in(sources: &mut [Source], region: &str) {
    for source in sources {
        let is_called = !matches!(source.from, From::Files { .. } | From::S3 { .. });
        if is_called && source.access.regions.is_empty() {
            source.access.regions = vec![region.to_owned()];
        }
    }
}

fn pass(global: &Global, name: &str, config: &Config) -> Result<ExitCode, Failure> {
    Lake::open_or_create(&global.lake)?;
    let _lock = lock::take(&global.lake)?;
    let stop = stop_on_interrupt();
    let is_stopped = || stop.load(Ordering::Relaxed);
    let mut last = LastRun::begin(name, &global.lake);
    for source in &config.sources {
        if is_stopped() {
            break;
        }
        last.steps.push(ingest_step(global, source));
    }
    let mut made = None;
    if !is_stopped() && report_step::is_wanted(config) {
        made = last.report(|| report_step::run(global, config));
    }
    last.end(&global.lake, is_stopped());
    if report_step::is_told(config, &last) {
        last.notify(|last| report_step::tell(global, config, last, made.as_ref()));
    }
    if let Some(made) = &made {
        report_step::remember(global, config, &last, made)?;
    }
    last.write(&global.lake)?;
    metrics::write(&global.lake, &last)?;
    if !global.quiet {
        eprint!("{}", escape(&last.summary()));
    }
    if global.output == Output::Json {
        render::json(&mut std::io::stdout().lock(), &last)?;
    }
    Ok(ExitCode::from(last.exit))
}

/// One source; its failure does not end the others.
fn ingest_step(global: &Global, source: &Source) -> Step {
    let began = Instant::now();
    let mut step = Step::new(source.name(), source.command());
    if !global.quiet {
        eprintln!("$ eksplain {}", escape(&step.command));
    }
    let own = Global {
        profile: source.access.profile.clone().or_else(|| global.profile.clone()),
        output: Output::Table,
        ..global.clone()
    };
    let told = fetch(&own, &ingest::Source::from(source)).and_then(|run| {
        run.sum_up(&own)?;
        Ok(run)
    });
    match told {
        Ok(run) => step.read(&run),
        Err(failure) => {
            failure.report();
            step.fail(&failure);
        }
    }
    step.seconds = began.elapsed().as_secs_f64();
    step
}

/// A damaged lake is worse than a refusal, a refusal than a reject, a reject than a finding.
fn severity(exit: u8) -> u8 {
    match Exit::try_from(exit) {
        Ok(Exit::Answered) => 0,
        Ok(Exit::Matched) => 1,
        Ok(Exit::Rejected) => 2,
        Ok(Exit::Usage) => 3,
        Ok(Exit::Refused) => 4,
        Ok(Exit::Damaged) => 5,
        Ok(Exit::Interrupted) => 6,
        Err(_) => 7,
    }
}
