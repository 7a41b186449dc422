//! `ingest`: from a source to the lake, with progress and one summary.

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use clap::Subcommand;
use eksplain_analyze::time::format_rfc3339;
use eksplain_aws::{Scope, State};
use eksplain_ingest::IngestReport;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Global;
use crate::error::{Exit, Failure};
use crate::render::{self, Output, say};

pub(super) mod aws;
mod cloudtrail;
mod cloudwatch;
mod configured;
mod files;
mod s3;
pub(super) mod snapshot;
mod summary;

/// Where logs come from.
#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Read log files and folders; formats are detected from content
    Files(files::Files),
    /// Read logs from S3: CloudTrail buckets, CloudWatch exports, Firehose deliveries
    S3(s3::Arguments),
    /// Read authenticator and audit logs from CloudWatch Logs
    Cloudwatch(cloudwatch::Arguments),
    /// Read CloudTrail management events of the last 90 days (LookupEvents)
    Cloudtrail(cloudtrail::Arguments),
    /// Present state of EKS and IAM, or saved output of kubectl, aws and eksctl
    Snapshot(snapshot::Arguments),
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
    redacted: u64,
    skipped: u64,
    files: u64,
    files_known: u64,
    bytes: u64,
    requests: u64,
    throttled: u64,
    conflicts: u64,
    problems: Vec<Problem<'r>>,
    scopes: Vec<ScopeView<'r>>,
    tables: Vec<TableView>,
    passed_over: Vec<PassedOver>,
    refused: Vec<Refused<'r>>,
    /// Times of present state that files show.
    taken: Vec<Taken>,
}

#[derive(Debug, Serialize)]
struct TableView {
    table: &'static str,
    kept: u64,
    repeated: u64,
    /// Kept, and of no cluster although they should belong to one.
    without_cluster: u64,
}

#[derive(Debug, Serialize)]
struct PassedOver {
    what: &'static str,
    count: u64,
}

#[derive(Debug, Serialize)]
struct Refused<'r> {
    reason: &'r str,
    count: u64,
    first: &'r str,
}

#[derive(Debug, Serialize)]
struct Taken {
    at: String,
    is_file_time: bool,
}

#[derive(Debug, Serialize)]
struct Problem<'r> {
    uri: &'r str,
    reason: &'r str,
}

#[derive(Debug, Serialize)]
struct ScopeView<'r> {
    account: Option<&'r str>,
    region: Option<&'r str>,
    source: &'r str,
    part: Option<&'r str>,
    state: &'static str,
    error: Option<&'r str>,
}

pub(super) fn run(global: &Global, source: &Source) -> Result<ExitCode, Failure> {
    fetch(global, source)?.tell(global)
}

/// Brings what the source has into the lake.
pub(super) fn fetch(global: &Global, source: &Source) -> Result<Run, Failure> {
    match source {
        Source::Files(files) => files::run(global, files),
        Source::S3(arguments) => s3::run(global, arguments),
        Source::Cloudwatch(arguments) => cloudwatch::run(global, arguments),
        Source::Cloudtrail(arguments) => cloudtrail::run(global, arguments),
        Source::Snapshot(arguments) => snapshot::run(global, arguments),
    }
}

/// What came of a run, whatever its source.
pub(super) struct Run {
    pub(super) report: IngestReport,
    pub(super) scopes: Vec<Scope>,
    pub(super) requests: u64,
    pub(super) throttled: u64,
    /// Files or addresses as they were typed.
    asked: Vec<String>,
    began: Instant,
}

impl Run {
    /// A run that asked AWS nothing.
    fn local(
        report: IngestReport,
        account: Option<&str>,
        region: Option<&str>,
        source: &'static str,
        began: Instant,
    ) -> Self {
        let is_partial = report.interrupted || !report.problems.is_empty();
        let scope = Scope {
            account: account.map(str::to_owned),
            region: region.map(str::to_owned),
            source,
            part: None,
            state: if is_partial { State::Partial } else { State::Done },
            error: None,
        };
        Self {
            report,
            scopes: vec![scope],
            requests: 0,
            throttled: 0,
            asked: Vec::new(),
            began,
        }
    }

    /// Takes what another part of the same command did.
    pub(in crate::cli) fn add(&mut self, other: Self) {
        self.report.add(other.report);
        self.scopes.extend(other.scopes);
        self.requests += other.requests;
        self.throttled += other.throttled;
    }

    /// Summary on stderr; the exit code it comes to.
    pub(super) fn sum_up(&self, global: &Global) -> Result<Exit, Failure> {
        if !global.quiet {
            summary::tell(global, self)?;
        }
        tell_scopes(&self.scopes);
        Ok(self.exit())
    }

    /// What it comes to.
    pub(super) fn exit(&self) -> Exit {
        let is_refused = |scope: &Scope| scope.error.is_some();
        if self.report.interrupted {
            Exit::Interrupted
        } else if self.scopes.iter().any(is_refused) {
            Exit::Refused
        } else if self.report.rejected > 0 || !self.report.problems.is_empty() {
            Exit::Rejected
        } else {
            Exit::Answered
        }
    }

    /// Why it is not wholly done, a line for each trouble; none where it is.
    pub(super) fn troubles(&self) -> Vec<String> {
        let scopes = self
            .scopes
            .iter()
            .filter_map(|scope| Some(format!("{}: {}", name_of(scope), scope.error.as_ref()?)));
        let problems = self
            .report
            .problems
            .iter()
            .map(|problem| format!("{} {}", problem.uri, problem.reason));
        scopes.chain(problems).collect()
    }

    /// What became of each scope, as the JSON of `ingest` has it.
    pub(super) fn document(&self) -> impl Serialize + '_ {
        view(self)
    }

    /// Summary, JSON and exit code.
    fn tell(&self, global: &Global) -> Result<ExitCode, Failure> {
        let exit = self.sum_up(global)?;
        if global.output == Output::Json {
            render::json(&mut io::stdout().lock(), &view(self))?;
        }
        Ok(exit.into())
    }
}

/// Says on stderr what AWS refused, and what to do.
pub(super) fn tell_scopes(scopes: &[Scope]) {
    for scope in scopes {
        match &scope.error {
            Some(error) => say::error(&format!("{}: {error}", name_of(scope))),
            None if scope.state != State::Done => {
                say::note(&format!("{}: some input could not be read in full", name_of(scope)))
            }
            None => {}
        }
    }
}

/// `cloudtrail 111122223333 us-east-1 eks.amazonaws.com`.
fn name_of(scope: &Scope) -> String {
    let parts = [
        Some(scope.source),
        scope.account.as_deref(),
        scope.region.as_deref(),
        scope.part.as_deref(),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn view(run: &Run) -> Report<'_> {
    let report = &run.report;
    Report {
        schema: "eksplain.ingest/1",
        read: report.read,
        kept: report.kept,
        repeated: report.repeated,
        rejected: report.rejected,
        differing: report.differing,
        redacted: report.redacted,
        skipped: report.skipped,
        files: report.files,
        files_known: report.files_known,
        bytes: report.bytes,
        requests: run.requests,
        throttled: run.throttled,
        conflicts: report.conflicts,
        problems: report
            .problems
            .iter()
            .map(|problem| Problem {
                uri: &problem.uri,
                reason: &problem.reason,
            })
            .collect(),
        scopes: run
            .scopes
            .iter()
            .map(|scope| ScopeView {
                account: scope.account.as_deref(),
                region: scope.region.as_deref(),
                source: scope.source,
                part: scope.part.as_deref(),
                state: match scope.state {
                    State::Done => "done",
                    State::Partial => "partial",
                    State::Refused => "refused",
                },
                error: scope.error.as_deref(),
            })
            .collect(),
        tables: report
            .tables
            .iter()
            .map(|(table, of_table)| TableView {
                table,
                kept: of_table.kept,
                repeated: of_table.repeated,
                without_cluster: of_table.nameless,
            })
            .collect(),
        passed_over: report
            .passed_over
            .iter()
            .map(|(what, count)| PassedOver { what, count: *count })
            .collect(),
        refused: report
            .refused
            .iter()
            .map(|(reason, refused)| Refused {
                reason,
                count: refused.count,
                first: &refused.uri,
            })
            .collect(),
        taken: report
            .taken
            .iter()
            .map(|taken| Taken {
                at: format_rfc3339(taken.at),
                is_file_time: taken.is_of_file,
            })
            .collect(),
    }
}

fn bar(global: &Global) -> ProgressBar {
    if global.quiet || global.no_progress || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg} eta {eta}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Progress of a run whose length shows only on the way.
fn spinner(global: &Global) -> ProgressBar {
    if global.quiet || global.no_progress || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    ProgressBar::new(0)
}

/// The flag that Ctrl-C and SIGTERM set, one for the process: what runs ends after what is at hand; a second one ends it at once.
///
/// SIGTERM is how Kubernetes and ECS end a task that took too long; the first process of a container that does not ask for it never
/// gets it.
pub(super) fn stop_on_interrupt() -> Arc<AtomicBool> {
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let listen = || {
        let stop = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&stop);
        std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            while runtime.block_on(interrupt()).is_ok() {
                if own.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
                eprintln!("\ninterrupted: finishing current work (press Ctrl-C again to stop now)");
            }
        });
        stop
    };
    Arc::clone(STOP.get_or_init(listen))
}

#[cfg(unix)]
async fn interrupt() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        answer = tokio::signal::ctrl_c() => answer,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn interrupt() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
