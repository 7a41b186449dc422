//! `completions` and `man`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;

use super::{Cli, Global};
use crate::error::{Exit, Failure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(eksplain completions bash)
  eksplain completions zsh > ~/.zfunc/_eksplain    in a folder of fpath
  eksplain completions fish > ~/.config/fish/completions/eksplain.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain man | man -l -
  eksplain man ingest cloudwatch | man -l -
  eksplain man --dir ~/.local/share/man/man1

With --dir there is a page for every command: man eksplain-ingest-cloudwatch.")]
pub(crate) struct Manual {
    /// Page of this command [default: the main page]
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

pub(super) fn completions(arguments: &Completions) -> Result<ExitCode, Failure> {
    // Into memory first: the generator takes a closed pipe for a bug.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "eksplain", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Exit::Answered.into())
}

pub(super) fn man(global: &Global, arguments: &Manual) -> Result<ExitCode, Failure> {
    if let Some(folder) = &arguments.dir {
        std::fs::create_dir_all(folder)?;
        clap_mangen::generate_to(Cli::command(), folder)?;
        super::hint(global, "man --help", "shows how to read a single page");
        return Ok(Exit::Answered.into());
    }
    let mut all = Cli::command().disable_help_subcommand(true);
    all.build();
    let mut command = &all;
    for name in &arguments.command {
        command = command.find_subcommand(name).ok_or_else(|| unknown(command, name))?;
    }
    Man::new(command.clone()).render(&mut io::stdout().lock())?;
    Ok(Exit::Answered.into())
}

fn unknown(within: &Command, name: &str) -> Failure {
    let names: Vec<&str> = within.get_subcommands().map(Command::get_name).collect();
    let help = if names.is_empty() {
        format!("{} has no subcommands", within.get_name())
    } else {
        format!("commands of {}: {}", within.get_name(), names.join(", "))
    };
    Failure::usage(format!("could not find a command {name:?}"), help)
}
