//! `ingest files`: from paths to the lake, with progress and one summary.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{Args, Subcommand, ValueEnum};
use eksplain_ingest::{FileOptions, Hints, IngestReport, KeepRaw, Layout, Progress, ingest_files, ingest_kubectl};
use eksplain_lake::Lake;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Global;
use crate::error::{Exit, Failure};
use crate::render::{self, Output, escape};

/// Where logs come from.
#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Files and folders of logs, any supported form, found by content, not by name
    Files(Files),
    /// Present state: `kubectl get … -o json` of RBAC objects and aws-auth
    Snapshot(Snapshot),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl get clusterroles,clusterrolebindings,roles,rolebindings -A -o json > rbac.json
  kubectl get configmap aws-auth -n kube-system -o json > aws-auth.json
  eksplain ingest snapshot --kubectl rbac.json --kubectl aws-auth.json --account 111122223333 --region us-west-2 --cluster prod")]
pub(crate) struct Snapshot {
    /// Output of `kubectl get … -o json`; - reads standard input (repeatable)
    #[arg(long, required = true, value_name = "FILE|-")]
    kubectl: Vec<PathBuf>,
    /// Account of the cluster
    #[arg(long)]
    account: Option<String>,
    /// Region of the cluster
    #[arg(long)]
    region: Option<String>,
    /// The cluster
    #[arg(long)]
    cluster: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain ingest files ./AWSLogs                               a CloudTrail trail, as in its bucket
  eksplain ingest files ./export --cluster prod --region eu-west-1 --account 111122223333
  eksplain ingest files ./logs --layout '{account}/{region}/{cluster}/{stream}/*'
  eksplain ingest files filter-log-events.json --cluster prod   what `aws logs` printed

Known forms: CloudTrail files, LookupEvents output, NDJSON, EventBridge; CloudWatch exports, filter-log-events, get-log-events,
Insights results, subscription filters and Firehose; raw authenticator lines and audit events; plain or gzip.")]
pub(crate) struct Files {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Account of files that do not say it
    #[arg(long)]
    account: Option<String>,
    /// Region of files that do not say it
    #[arg(long)]
    region: Option<String>,
    /// Cluster of files that do not say it
    #[arg(long)]
    cluster: Option<String>,
    /// What the steps of each path mean, relative to PATH: {account} {region} {cluster} {stream} * **
    #[arg(long, value_name = "PATTERN")]
    layout: Option<String>,
    /// Which records keep their raw text
    #[arg(long, value_enum, default_value_t = Keep::Evidence)]
    keep_raw: Keep,
    /// Threads [default: one a core]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Keep {
    /// Every record
    All,
    /// What can become evidence
    Evidence,
    /// None
    None,
}

/// `eksplain.ingest/1`.
#[derive(Debug, Serialize)]
struct Report<'r> {
    schema: &'static str,
    read: u64,
    kept: u64,
    repeated: u64,
    rejected: u64,
    differing: u64,
    skipped: u64,
    files: u64,
    files_known: u64,
    bytes: u64,
    requests: u64,
    throttled: u64,
    conflicts: u64,
    problems: Vec<Problem<'r>>,
    scopes: Vec<Scope>,
}

#[derive(Debug, Serialize)]
struct Problem<'r> {
    uri: &'r str,
    reason: &'r str,
}

#[derive(Debug, Serialize)]
struct Scope {
    account: Option<String>,
    region: Option<String>,
    source: &'static str,
    state: &'static str,
    error: Option<String>,
}

pub(super) fn run(global: &Global, source: &Source) -> Result<ExitCode, Failure> {
    let (report, account, region, source) = match source {
        Source::Files(files) => (read(global, files)?, &files.account, &files.region, "files"),
        Source::Snapshot(snapshot) => (
            read_kubectl(global, snapshot)?,
            &snapshot.account,
            &snapshot.region,
            "snapshot",
        ),
    };
    if global.output == Output::Json {
        let scope = Scope {
            account: account.clone(),
            region: region.clone(),
            source,
            state: if report.interrupted || !report.problems.is_empty() {
                "partial"
            } else {
                "done"
            },
            error: None,
        };
        render::json(&mut io::stdout().lock(), &view(&report, scope))?;
    }
    Ok(if report.interrupted {
        Exit::Interrupted.into()
    } else if report.rejected > 0 || !report.problems.is_empty() {
        Exit::Rejected.into()
    } else {
        Exit::Answered.into()
    })
}

fn read(global: &Global, files: &Files) -> Result<IngestReport, Failure> {
    let layout = files.layout.as_deref().map(str::parse::<Layout>).transpose();
    let layout = layout.map_err(|error| {
        Failure::usage(
            format!("could not {error}"),
            "write for instance --layout '{account}/{region}/{cluster}/{stream}/*'",
        )
    })?;
    let hints = Hints {
        account: files.account.clone(),
        region: files.region.clone(),
        cluster: files.cluster.clone(),
        layout,
    };
    let keep_raw = match files.keep_raw {
        Keep::All => KeepRaw::All,
        Keep::Evidence => KeepRaw::Evidence,
        Keep::None => KeepRaw::None,
    };
    let options = FileOptions {
        hints,
        keep_raw,
        threads: files.threads,
    };
    let mut lake = Lake::open_or_create(&global.lake)?;
    let began = Instant::now();
    let bar = bar(global);
    let stop = &*Box::leak(Box::new(AtomicBool::new(false)));
    stop_on_interrupt(stop);
    let show = |progress: Progress| {
        bar.set_length(progress.bytes_total);
        bar.set_position(progress.bytes);
        bar.set_message(format!(
            "{}/{} files",
            HumanCount(progress.files),
            HumanCount(progress.files_total)
        ));
    };
    let report = ingest_files(&mut lake, &files.paths, &options, stop, &show);
    bar.finish_and_clear();
    let report = report?;
    if !global.quiet {
        summary(&report, began)?;
    }
    Ok(report)
}

fn read_kubectl(global: &Global, snapshot: &Snapshot) -> Result<IngestReport, Failure> {
    let hints = Hints {
        account: snapshot.account.clone(),
        region: snapshot.region.clone(),
        cluster: Some(snapshot.cluster.clone()),
        layout: None,
    };
    let began = Instant::now();
    let report = ingest_kubectl(&mut Lake::open_or_create(&global.lake)?, &snapshot.kubectl, &hints)?;
    if !global.quiet {
        summary(&report, began)?;
    }
    Ok(report)
}

/// One line for the run, one for each trouble.
fn summary(report: &IngestReport, began: Instant) -> io::Result<()> {
    let mut err = io::stderr().lock();
    for problem in &report.problems {
        writeln!(err, "warning: {} {}", escape(&problem.uri), escape(&problem.reason))?;
    }
    let known = if report.files_known > 0 {
        format!(" ({} more were known)", HumanCount(report.files_known))
    } else {
        String::new()
    };
    writeln!(
        err,
        "read {} records of {} files{known}, {}: {} kept, {} repeated, {} rejected, in {:.1} s",
        HumanCount(report.read),
        HumanCount(report.files),
        HumanBytes(report.bytes),
        HumanCount(report.kept),
        HumanCount(report.repeated),
        HumanCount(report.rejected),
        began.elapsed().as_secs_f64()
    )?;
    for (count, what) in [
        (
            report.skipped,
            "records of other logs (API server, scheduler, controllers, digests) were passed over",
        ),
        (
            report.differing,
            "records have an eventID or auditID that another record has too: both are kept, an id is the sender's claim",
        ),
        (
            report.conflicts,
            "records say another account or region than the hints: the record was believed",
        ),
    ] {
        if count > 0 {
            writeln!(err, "note: {} {what}", HumanCount(count))?;
        }
    }
    if report.rejected > 0 {
        writeln!(err, "note: eksplain query rejects shows what was not understood")?;
    }
    if report.interrupted {
        writeln!(
            err,
            "interrupted: what was done is kept, run the same command again to go on"
        )?;
    }
    Ok(())
}

fn view(report: &IngestReport, scope: Scope) -> Report<'_> {
    Report {
        schema: "eksplain.ingest/1",
        read: report.read,
        kept: report.kept,
        repeated: report.repeated,
        rejected: report.rejected,
        differing: report.differing,
        skipped: report.skipped,
        files: report.files,
        files_known: report.files_known,
        bytes: report.bytes,
        requests: 0,
        throttled: 0,
        conflicts: report.conflicts,
        problems: report
            .problems
            .iter()
            .map(|problem| Problem {
                uri: &problem.uri,
                reason: &problem.reason,
            })
            .collect(),
        scopes: vec![scope],
    }
}

fn bar(global: &Global) -> ProgressBar {
    if global.quiet || global.no_progress || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg} eta {eta}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Ctrl-C ends the run after the groups at hand; a second one ends it at once.
fn stop_on_interrupt(stop: &'static AtomicBool) {
    let wait = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        while runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            if stop.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            eprintln!("\ninterrupted: finishing what is at hand (once more to stop at once)");
        }
    };
    std::thread::spawn(wait);
}
