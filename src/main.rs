//! eksplain: who is admin of an Amazon EKS cluster, who created it, and why a request was denied, answered from its logs.
//!
//! `cli` holds what was typed, `settings` what it means, `view` the documents that go out, `render` their forms. Reading logs,
//! asking the lake and reasoning are the work of the crates beside this one.

mod accept;
mod cli;
mod config;
mod delivery;
mod demo;
mod diff;
mod error;
mod render;
mod report;
mod runtime;
mod settings;
mod view;
mod whole;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli::run(&cli) {
        Ok(exit) => exit,
        Err(error) => error.report(),
    }
}
