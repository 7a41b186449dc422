//! What can be typed. One file a command; nothing here decides anything about logs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Style, Styles};
use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use eksplain_analyze::quote;

use crate::error::Failure;
use crate::render::{Color, Output, Terminal, say};

mod ask;
mod can_i;
mod demo;
mod diff;
mod doctor;
mod evidence;
mod explain;
mod ingest;
mod init;
mod lake;
mod plan;
mod query;
mod register;
mod report;
mod rescue;
mod run;
mod select;
mod shell;

/// The lake where none is named.
const DEFAULT_LAKE: &str = "eksplain-lake";

/// Headings bold, what is typed as it stands cyan, as in the answers.
const STYLES: Styles = Styles::styled()
    .header(Style::new().bold())
    .usage(Style::new().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(Style::new());

/// Find out from logs who is admin of an EKS cluster, who created it, and why requests were denied, with the records that prove it.
#[derive(Debug, Parser)]
#[command(name = "eksplain", version, propagate_version = true, max_term_width = 120, styles = STYLES)]
#[command(after_help = "\
Start here:
  eksplain demo                               the three questions on sample logs that come with eksplain
  eksplain ingest files ./logs                read log files and folders of any supported format
  eksplain admins                             who can do anything, and how they got that access
  eksplain creators                           who created each cluster, and how to get back in
  eksplain denials --since 2h                 why requests were refused, and the fix

Exit codes: 0 answered, 1 findings matched --fail-on (or can-i says no), 2 usage, 3 some input was rejected,
4 a source refused us, 5 the lake is damaged, 130 interrupted.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Folder of the lake: the Parquet files that ingest writes and questions read
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "EKSPLAIN_LAKE",
        default_value = DEFAULT_LAKE,
        value_parser = PathBufValueParser::new().try_map(folder)
    )]
    pub(crate) lake: PathBuf,
    /// Profile from the AWS configuration files
    #[arg(long, global = true, value_name = "NAME", env = "AWS_PROFILE", hide_env = true)]
    pub(crate) profile: Option<String>,
    /// AWS region to call; for a question, only clusters in this region; for ingest, the region to assume for records that do not name one
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Configuration of run, and of the findings that questions show as accepted [default: eksplain.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Endpoint for all AWS services, for emulators
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Output format
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    /// Print only the answer and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Print more on stderr: what was read and how long it took
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colours (NO_COLOR also turns them off)
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, hide_possible_values = true, value_name = "auto|always|never")]
    pub(crate) color: Color,
    /// Do not show progress
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
}

const ADMINS: &str = "\
Examples:
  eksplain admins --cluster prod
  eksplain admins --at 2026-11-01 -o json
  eksplain admins --fail-on unproven        exit 1 if there is one, for CI
  eksplain admins --all                     with what belongs to AWS itself";

const CREATORS: &str = "\
Examples:
  eksplain creators --cluster 'prod-*'
  eksplain creators --fail-on recovery-needed     exit 1 if one is locked out
  eksplain creators -o json";

const INGEST: &str = "\
Examples:
  eksplain ingest files ./AWSLogs
  eksplain ingest cloudtrail --regions us-west-2,eu-west-1
  eksplain ingest cloudwatch --cluster prod --since 7d

eksplain ingest SOURCE --help has more of each.";

const LAKE: &str = "\
Examples:
  eksplain lake status
  eksplain lake verify
  eksplain lake compact
  eksplain lake assign --cluster prod ./logs";

#[derive(Debug, Subcommand)]
enum Command {
    /// Show who has, or had, cluster-admin power, by which route, and since when
    #[command(after_help = ADMINS)]
    Admins(ask::AskNow),
    /// Show who created each cluster, whether they still exist, how to get back in
    #[command(after_help = CREATORS)]
    Creators(ask::AskNow),
    /// Why requests were denied: the layer, the reason, and the fix
    Denials(ask::AskDenials),
    /// Everything about one principal: mappings, groups, power, activity, denials
    Who(ask::AskWho),
    /// Check the access configuration for risks and mistakes, each with its fix
    Check(ask::AskCheck),
    /// Who gained or lost power, what was written: when, and by whom
    Changes(ask::AskChanges),
    /// Answer `kubectl auth can-i` from the lake
    CanI(can_i::Arguments),
    /// Locked out? Find who can let you back in, and how
    Rescue(rescue::Arguments),
    /// Explain an error message: what it means, where it comes from, the fix
    Explain(explain::Arguments),
    /// Read logs into the lake
    #[command(subcommand, after_help = INGEST)]
    Ingest(ingest::Source),
    /// Estimate an ingest from AWS: requests, bytes, time at quota, price
    Plan(plan::Arguments),
    /// Check credentials, permissions, log settings and the lake, and suggest fixes
    Doctor(doctor::Arguments),
    /// Show what the lake contains, verify it, and maintain it
    #[command(subcommand, after_help = LAKE)]
    Lake(lake::Action),
    /// Run a named query, or any SQL, over the lake's tables
    Query(query::Arguments),
    /// Show the stored record behind a piece of evidence, with its source
    Evidence(evidence::Arguments),
    /// Write all answers as HTML, JSON, CSV, Markdown and Parquet
    Report(report::Arguments),
    /// Show what changed between two times, or between two reports
    Diff(diff::Arguments),
    /// Run once on a schedule: ingest what is new, report, notify about changes
    Run(run::Arguments),
    /// Write a commented eksplain.toml, from questions or options
    Init(init::Arguments),
    /// Try the three questions on sample logs that come with eksplain
    Demo(demo::Arguments),
    /// Print the completion script for a shell
    Completions(shell::Completions),
    /// Print the manual: the main page, a command's page, or all as files
    Man(shell::Manual),
}

/// A configuration file, understood.
pub(crate) use run::configuration;

/// The lake is a folder: without this, an address would silently become one of that name.
fn folder(path: PathBuf) -> Result<PathBuf, &'static str> {
    if path.to_string_lossy().contains("://") {
        return Err("a lake is a folder: name one, on a mounted volume if need be; reports can go to S3");
    }
    Ok(path)
}

/// Does what was typed.
pub(crate) fn run(cli: &Cli) -> Result<ExitCode, Failure> {
    let global = &cli.global;
    Terminal::choose(global.color);
    match &cli.command {
        Command::Admins(arguments) => ask::admins(global, arguments),
        Command::Creators(arguments) => ask::creators(global, arguments),
        Command::Denials(arguments) => ask::denials(global, arguments),
        Command::Who(arguments) => ask::who(global, arguments),
        Command::Check(arguments) => ask::check(global, arguments),
        Command::Changes(arguments) => ask::changes(global, arguments),
        Command::CanI(arguments) => can_i::run(global, arguments),
        Command::Rescue(arguments) => rescue::run(global, arguments),
        Command::Plan(arguments) => plan::run(global, arguments),
        Command::Doctor(arguments) => doctor::run(global, arguments),
        Command::Explain(arguments) => explain::run(global, arguments),
        Command::Ingest(source) => ingest::run(global, source),
        Command::Lake(action) => lake::run(global, action),
        Command::Query(arguments) => query::run(global, arguments),
        Command::Evidence(arguments) => evidence::run(global, arguments),
        Command::Report(arguments) => report::run(global, arguments),
        Command::Diff(arguments) => diff::run(global, arguments),
        Command::Run(arguments) => run::run(global, arguments),
        Command::Init(arguments) => init::run(global, arguments),
        Command::Demo(arguments) => demo::run(global, arguments),
        Command::Completions(arguments) => shell::completions(arguments),
        Command::Man(arguments) => shell::man(global, arguments),
    }
}

/// Says which command is useful next: it asks the same lake.
fn hint(global: &Global, words: &str, gives: &str) {
    if global.quiet || global.output != Output::Table {
        return;
    }
    say::hint(&command(global, words), gives);
}

/// A command on the same lake, as it is typed.
fn command(global: &Global, words: &str) -> String {
    let of_environment = std::env::var_os("EKSPLAIN_LAKE").map(PathBuf::from);
    let usual = of_environment.unwrap_or_else(|| PathBuf::from(DEFAULT_LAKE));
    let lake = if global.lake == usual {
        String::new()
    } else {
        format!(" --lake {}", quote(&global.lake.display().to_string()))
    };
    format!("eksplain{lake} {words}")
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::Cli;

    /// Every command with what is typed for it.
    fn walk(command: &Command, typed: &str, visit: &mut dyn FnMut(&Command, &str)) {
        for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
            let typed = format!("{typed} {}", command.get_name());
            visit(command, &typed);
            walk(command, &typed, visit);
        }
    }

    fn every(visit: &mut dyn FnMut(&Command, &str)) {
        let mut all = Cli::command();
        all.build();
        walk(&all, "eksplain", visit);
    }

    #[test]
    fn the_help_of_every_command_has_examples_of_it() {
        let mut seen = 0;
        every(&mut |command, typed| {
            seen += 1;
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let (_, examples) = help
                .split_once("Examples:\n")
                .unwrap_or_else(|| panic!("{typed} has no examples"));
            let lines = examples
                .lines()
                .take_while(|line| line.starts_with("  ") || line.is_empty());
            let own = lines
                .filter(|line| line.contains(typed) || line.contains(command.get_name()))
                .count();
            assert!(own >= 2, "{typed} has {own} examples");
        });
        assert!(seen > 25, "{seen}");
    }

    #[test]
    fn the_first_line_of_every_help_fits_a_terminal() {
        every(&mut |command, typed| {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let first = about.lines().next().unwrap_or_default();
            assert!(!first.is_empty() && first.chars().count() < 80, "{typed}: {first}");
        });
    }

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }
}
