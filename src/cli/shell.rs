//! `completions` and `man`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, CommandFactory};

use super::Cli;
use crate::error::{Exit, Failure};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  eksplain completions bash > ~/.local/share/bash-completion/completions/eksplain")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(super) fn completions(arguments: &Completions) -> Result<ExitCode, Failure> {
    // Into memory first: the generator takes a closed pipe for a bug.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "eksplain", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Exit::Answered.into())
}

pub(super) fn man() -> Result<ExitCode, Failure> {
    clap_mangen::Man::new(Cli::command()).render(&mut io::stdout().lock())?;
    Ok(Exit::Answered.into())
}
