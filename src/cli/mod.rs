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

/// Who is admin of an EKS cluster, who created it, and why requests were denied: answered from logs, with proof.
#[derive(Debug, Parser)]
#[command(name = "eksplain", version, propagate_version = true, max_term_width = 120, styles = STYLES)]
#[command(after_help = "\
Start here:
  eksplain demo                               the three questions on a small estate that comes with eksplain
  eksplain ingest files ./logs                read log files and folders, whatever their form
  eksplain admins                             who can do anything, and by which route
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
    /// The lake: the folder of Parquet files that ingest writes and questions read
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "EKSPLAIN_LAKE",
        default_value = DEFAULT_LAKE,
        value_parser = PathBufValueParser::new().try_map(folder)
    )]
    pub(crate) lake: PathBuf,
    /// Profile of the AWS configuration files
    #[arg(long, global = true, value_name = "NAME", env = "AWS_PROFILE", hide_env = true)]
    pub(crate) profile: Option<String>,
    /// AWS region to call; for a question, only clusters of this region; for ingest, that of records that do not say it
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Configuration of run [default: eksplain.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Endpoint of every AWS service, for emulators
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Form of the answer
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    /// Say nothing but the answer and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more on stderr: what was read and how long it took
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colours (NO_COLOR turns them off too)
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, hide_possible_values = true, value_name = "auto|always|never")]
    pub(crate) color: Color,
    /// Show no progress
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
    /// Who has, or had, cluster-admin power: by which route, since when
    #[command(after_help = ADMINS)]
    Admins(ask::AskNow),
    /// Who created each cluster, whether it still exists, how to get back in
    #[command(after_help = CREATORS)]
    Creators(ask::AskNow),
    /// Why requests were denied: layer, reason, how to fix it
    Denials(ask::AskDenials),
    /// One principal: mappings, groups, power, activity, denials
    Who(ask::AskWho),
    /// Lint of the access configuration: rule ids, severity, fix
    Check(ask::AskCheck),
    /// `kubectl auth can-i`, answered from the lake
    CanI(can_i::Arguments),
    /// Locked out, now: who can let you in, and the plan to get back
    Rescue(rescue::Arguments),
    /// What an error message means, which layer says it, the fix
    Explain(explain::Arguments),
    /// Read logs into the lake
    #[command(subcommand, after_help = INGEST)]
    Ingest(ingest::Source),
    /// What pulling from AWS would cost: requests, bytes, time at quota, price
    Plan(plan::Arguments),
    /// Credentials, permissions, log types, lake: each with its fix
    Doctor(doctor::Arguments),
    /// What the lake holds, and whether it is whole
    #[command(subcommand, after_help = LAKE)]
    Lake(lake::Action),
    /// A named query, or any SQL over the lake's tables
    Query(query::Arguments),
    /// The stored record behind a piece of evidence, with its origin
    Evidence(evidence::Arguments),
    /// The whole answer as HTML, JSON, CSV and Markdown, into a folder
    Report(report::Arguments),
    /// What changed between two times, or between two reports
    Diff(diff::Arguments),
    /// One scheduled pass: ingest what is new, report, say what changed
    Run(run::Arguments),
    /// Writes a commented eksplain.toml, by asking or by options
    Init(init::Arguments),
    /// A small estate that comes with eksplain, and the three questions about it
    Demo(demo::Arguments),
    /// Completion for a shell
    Completions(shell::Completions),
    /// The manual: its main page, that of a command, or all as files
    Man(shell::Manual),
}

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
