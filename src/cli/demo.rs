//! `demo`: the whole job on data that comes with eksplain.

use std::process::ExitCode;

use clap::{Args, Parser};
use eksplain_analyze::quote;

use super::{Cli, Global};
use crate::demo::{AT, write_estate};
use crate::error::Failure;
use crate::render::say;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain demo                       ingests, then asks the three questions
  eksplain demo --keep demo           keep the logs and the lake, to continue with
  eksplain --lake demo/lake check")]
pub(crate) struct Arguments {
    /// Keep the logs and the lake in this folder
    #[arg(long, value_name = "DIR")]
    keep: Option<std::path::PathBuf>,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = tempfile::tempdir()?;
    let root = arguments.keep.clone().unwrap_or_else(|| folder.path().to_owned());
    std::fs::create_dir_all(&root)?;
    write_estate(&root.join("logs"))?;
    let lake = root.join("lake").display().to_string();
    let trail = root.join("logs/trail").display().to_string();
    let clusters = root.join("logs/eks").display().to_string();
    let mut exit = ExitCode::SUCCESS;
    let steps: [(&str, Vec<&str>); 5] = [
        ("CloudTrail, as its bucket has it", vec!["ingest", "files", &trail]),
        (
            "the clusters' logs, whose folders say where they come from",
            vec![
                "ingest",
                "files",
                &clusters,
                "--layout",
                "{account}/{region}/{cluster}/{stream}/*",
            ],
        ),
        ("Who can do anything?", vec!["admins", "--at", AT]),
        (
            "Who created the clusters, and how does one get back in?",
            vec!["creators", "--at", AT],
        ),
        ("Why was I refused?", vec!["denials", "--at", AT]),
    ];
    for (title, words) in steps {
        let shown: Vec<String> = words
            .iter()
            .map(|word| {
                if word.contains(['{', '*']) {
                    format!("'{word}'")
                } else {
                    word.replace(&root.display().to_string(), "DEMO")
                }
            })
            .collect();
        let is_question = words.first() != Some(&"ingest");
        if !global.quiet {
            eprintln!("\n# {title}\n$ eksplain --lake DEMO/lake {}", shown.join(" "));
        }
        let typed = ["eksplain", "--lake", &lake, "--no-progress"].into_iter().chain(words);
        let mut step = Cli::parse_from(typed);
        // The lake may be gone before a hint can be followed; colours are as asked.
        step.global.quiet = global.quiet || is_question;
        step.global.color = global.color;
        exit = super::run(&step)?;
    }
    if global.quiet {
        return Ok(exit);
    }
    eprintln!();
    if arguments.keep.is_some() {
        say::note(&format!("logs and lake are kept in {}", root.display()));
        say::hint(
            &format!("eksplain --lake {} evidence ID", quote(&lake)),
            "shows the record behind a statement: -o json gives the ids",
        );
    } else {
        say::hint(
            "eksplain demo --keep demo",
            "keep the logs and the lake, to continue with",
        );
    }
    say::hint("eksplain ingest files YOUR-LOGS", "reads yours");
    Ok(exit)
}
