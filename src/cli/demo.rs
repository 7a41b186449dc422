//! `demo`: the whole job on data that comes with eksplain.

use std::process::ExitCode;

use clap::{Args, Parser};

use super::{Cli, Global};
use crate::demo::{AT, write_estate};
use crate::error::Failure;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Keep the logs and the lake in this folder, to go on with
    #[arg(long, value_name = "DIR")]
    keep: Option<std::path::PathBuf>,
}

pub(super) fn run(_global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = tempfile::tempdir()?;
    let root = arguments.keep.clone().unwrap_or_else(|| folder.path().to_owned());
    std::fs::create_dir_all(&root)?;
    write_estate(&root.join("logs"))?;
    let lake = root.join("lake").display().to_string();
    let trail = root.join("logs/trail").display().to_string();
    let clusters = root.join("logs/eks").display().to_string();
    let mut exit = ExitCode::SUCCESS;
    let steps: [(&str, Vec<&str>); 5] = [
        ("CloudTrail, as its bucket holds it", vec!["ingest", "files", &trail]),
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
        eprintln!("\n# {title}\n$ eksplain --lake DEMO/lake {}", shown.join(" "));
        let typed = ["eksplain", "--lake", &lake, "--no-progress"].into_iter().chain(words);
        exit = super::run(&Cli::parse_from(typed))?;
    }
    eprintln!(
        "\nEach statement has its proof: add -o json, then eksplain evidence ID. Next: eksplain ingest files YOUR-LOGS"
    );
    if arguments.keep.is_some() {
        eprintln!("Logs and lake are kept in {}", root.display());
    }
    Ok(exit)
}
