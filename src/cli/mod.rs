//! What can be typed. One file a command; nothing here decides anything about logs.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::error::Failure;
use crate::render::{self, Output};

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
mod shell;

/// The lake where none is named.
const DEFAULT_LAKE: &str = "eksplain-lake";

/// Who is admin of an EKS cluster, who created it, and why requests were denied: answered from logs, with proof.
#[derive(Debug, Parser)]
#[command(name = "eksplain", version, propagate_version = true, max_term_width = 120)]
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
        default_value = DEFAULT_LAKE
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

/// What `--color` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Who has, or had, cluster-admin power: by which route, since when, proven by what
    Admins(ask::Ask),
    /// Who created each cluster, whether that identity still exists, how to get back in
    Creators(ask::Ask),
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
    #[command(subcommand)]
    Ingest(ingest::Source),
    /// What pulling from AWS would cost before it runs: requests, bytes, time at quota, price
    Plan(plan::Arguments),
    /// Credentials, permissions, log types, lake: each with its fix
    Doctor(doctor::Arguments),
    /// What the lake holds, and whether it is whole
    #[command(subcommand)]
    Lake(lake::Action),
    /// A named query, or any SQL over the lake's tables
    Query(query::Arguments),
    /// The stored record behind a piece of evidence, with its origin
    Evidence(evidence::Arguments),
    /// The whole answer as HTML, JSON, CSV and Markdown, into a folder
    Report(report::Arguments),
    /// What changed between two times, or between two reports
    Diff(diff::Arguments),
    /// One scheduled pass: ingest what is new, report, say what changed (eksplain.toml)
    Run(run::Arguments),
    /// Writes a commented eksplain.toml, by asking or by options
    Init(init::Arguments),
    /// A small estate that comes with eksplain: ingests it and answers the three questions
    Demo(demo::Arguments),
    /// Completion for a shell
    Completions(shell::Completions),
    /// The manual page
    Man,
}

/// Does what was typed.
pub(crate) fn run(cli: &Cli) -> Result<ExitCode, Failure> {
    let global = &cli.global;
    let is_plain =
        std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || !std::io::stdout().is_terminal();
    render::use_colour(global.color == Color::Always || (global.color == Color::Auto && !is_plain));
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
        Command::Man => shell::man(),
    }
}
