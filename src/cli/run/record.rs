//! `eksplain.run/1`: what the last pass did, as it stands in `_state/last-run.json`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

use eksplain_analyze::time::format_rfc3339;
use eksplain_lake::{Lake, Table};
use serde::Serialize;

use super::severity;
use crate::cli::ingest::Run;
use crate::error::{Exit, Failure};
use crate::settings::{Micros, now};
use crate::whole::write_whole;

/// How many of something, by its name.
pub(super) type Counts = BTreeMap<String, u64>;

#[derive(Debug, Serialize)]
pub(super) struct LastRun {
    schema: &'static str,
    version: &'static str,
    pub(super) config: String,
    pub(super) lake: String,
    host: String,
    pid: u32,
    pub(super) began_at: String,
    pub(super) ended_at: String,
    pub(super) seconds: f64,
    pub(super) exit: u8,
    pub(super) interrupted: bool,
    pub(super) steps: Vec<Step>,
    /// By question, then by status (admins), state of the creator, layer (denials) or severity (checks); null where none was made.
    pub(super) findings: Option<BTreeMap<&'static str, Counts>>,
    /// By kind, since the last report; null where there was none to compare with.
    pub(super) changes: Option<Counts>,
    /// What `fail-on` names and was found.
    pub(super) matched: Vec<String>,
    pub(super) report: Option<Delivered>,
    /// Who was told; null where there was no reason to.
    pub(super) notified: Option<String>,
    /// What the lake holds now.
    pub(super) records: BTreeMap<&'static str, Held>,
    #[serde(skip)]
    clock: (Micros, Instant),
}

/// One step of the pass.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) command: String,
    pub(super) exit: u8,
    pub(super) seconds: f64,
    /// Null where the step is no ingest, or did not come to read.
    #[serde(flatten)]
    pub(super) ingested: Option<Ingested>,
    /// Why it is not wholly done; null where it is.
    pub(super) error: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Ingested {
    pub(super) read: u64,
    pub(super) kept: u64,
    pub(super) repeated: u64,
    pub(super) rejected: u64,
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) requests: u64,
    pub(super) throttled: u64,
}

/// Where the report went, and the moment it speaks of.
#[derive(Debug, Serialize)]
pub(super) struct Delivered {
    pub(super) to: String,
    pub(super) at: String,
    /// Its files.
    pub(super) folder: String,
    /// The page that people open, or the folder that holds it.
    pub(super) latest: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Held {
    pub(super) records: u64,
    pub(super) last: Option<String>,
    #[serde(skip)]
    pub(super) last_micros: Option<Micros>,
}

/// What the report step found, for the record.
pub(super) struct Answered {
    pub(super) findings: BTreeMap<&'static str, Counts>,
    pub(super) changes: Option<Counts>,
    pub(super) matched: Vec<String>,
    pub(super) report: Option<Delivered>,
    /// Why it could not be compared with the last one.
    pub(super) trouble: Option<Failure>,
}

impl LastRun {
    pub(super) fn begin(config: &str, lake: &Path) -> Self {
        let began = now();
        Self {
            schema: "eksplain.run/1",
            version: env!("CARGO_PKG_VERSION"),
            config: config.to_owned(),
            lake: lake.display().to_string(),
            host: host(),
            pid: std::process::id(),
            began_at: format_rfc3339(began),
            ended_at: String::new(),
            seconds: 0.0,
            exit: 0,
            interrupted: false,
            steps: Vec::new(),
            findings: None,
            changes: None,
            matched: Vec::new(),
            report: None,
            notified: None,
            records: BTreeMap::new(),
            clock: (began, Instant::now()),
        }
    }

    /// Does the report step and takes what it found.
    pub(super) fn report<M>(&mut self, step: impl FnOnce() -> Result<(Answered, M), Failure>) -> Option<M> {
        let (began, mut told) = (Instant::now(), Step::new("report", "report"));
        let made = match step() {
            Ok((answered, made)) => {
                if let Some(report) = &answered.report {
                    told.command = format!("report --to={}", report.to);
                }
                if !answered.matched.is_empty() {
                    told.exit = Exit::Matched as u8;
                }
                self.findings = Some(answered.findings);
                self.changes = answered.changes;
                self.matched = answered.matched;
                self.report = answered.report;
                if let Some(failure) = answered.trouble {
                    failure.report();
                    told.fail(&failure);
                }
                Some(made)
            }
            Err(failure) => {
                failure.report();
                told.fail(&failure);
                None
            }
        };
        told.seconds = began.elapsed().as_secs_f64();
        self.steps.push(told);
        made
    }

    /// Tells somebody; whom, the step says.
    pub(super) fn notify(&mut self, step: impl FnOnce(&Self) -> Result<String, Failure>) {
        let (began, mut told) = (Instant::now(), Step::new("notify", "notify"));
        match step(self) {
            Ok(whom) => self.notified = Some(whom),
            Err(failure) => {
                failure.report();
                told.fail(&failure);
            }
        }
        told.seconds = began.elapsed().as_secs_f64();
        self.steps.push(told);
        self.settle();
    }

    /// Reads the lake and the clock: what follows is the telling.
    pub(super) fn end(&mut self, lake: &Path, is_interrupted: bool) {
        self.interrupted = is_interrupted;
        // A lake that cannot be opened is an error of the steps already.
        if let Ok(lake) = Lake::open(lake) {
            let holdings = lake.holdings();
            for table in Table::ALL {
                let last = lake.last_record(table);
                let held = Held {
                    records: holdings.get(table.dir()).map_or(0, |holding| holding.records),
                    last: last.map(format_rfc3339),
                    last_micros: last,
                };
                self.records.insert(table.dir(), held);
            }
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.seconds = self.clock.1.elapsed().as_secs_f64();
        self.ended_at = format_rfc3339(self.ended_micros());
        let worst = self
            .steps
            .iter()
            .map(|step| step.exit)
            .max_by_key(|exit| severity(*exit))
            .unwrap_or(0);
        self.exit = if self.interrupted {
            Exit::Interrupted as u8
        } else {
            worst
        };
    }

    pub(super) fn ended_micros(&self) -> Micros {
        self.clock.0 + (self.seconds * 1e6) as Micros
    }

    /// Whether all was read, answered and delivered, whatever was found.
    pub(super) fn is_success(&self) -> bool {
        severity(self.exit) <= severity(Exit::Matched as u8)
    }

    pub(super) fn write(&self, lake: &Path) -> io::Result<()> {
        write_whole(&lake.join("_state/last-run.json"), &serde_json::to_vec_pretty(self)?)
    }

    /// For people: each step on a line, then what was found.
    pub(super) fn summary(&self) -> String {
        let mut out = String::new();
        let ends = if self.interrupted {
            "interrupted after"
        } else {
            "done in"
        };
        let _ = writeln!(out, "{}: {ends} {:.1} s, exit {}", self.config, self.seconds, self.exit);
        for step in &self.steps {
            let read = step.ingested.map_or_else(String::new, |ingested| {
                format!(
                    "  {} read, {} kept, {} repeated, {} rejected",
                    ingested.read, ingested.kept, ingested.repeated, ingested.rejected
                )
            });
            let _ = writeln!(
                out,
                "  {:<18} {:<8} {:>6.1} s{read}",
                step.name,
                word(step.exit),
                step.seconds
            );
            // Whoever is told reads no log.
            for trouble in step.error.iter().flat_map(|error| error.lines().take(3)) {
                let _ = writeln!(out, "    {trouble}");
            }
        }
        if let Some(report) = &self.report {
            let _ = writeln!(out, "  the report of {} is in {}", report.at, report.folder);
        }
        match &self.changes {
            Some(changes) if changes.is_empty() => out.push_str("  nothing changed since the last report\n"),
            Some(changes) => {
                let told: Vec<String> = changes.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
                let _ = writeln!(out, "  changed since the last report: {}", told.join(", "));
            }
            None => {}
        }
        if !self.matched.is_empty() {
            let _ = writeln!(out, "  fail-on found: {}", self.matched.join(", "));
        }
        if let Some(whom) = &self.notified {
            let _ = writeln!(out, "  sent to {whom}");
        }
        if self.interrupted {
            out.push_str("  what was done is kept; the next run resumes from there\n");
        }
        out
    }
}

impl Step {
    pub(super) fn new(name: impl Into<String>, command: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            command: command.into(),
            exit: 0,
            seconds: 0.0,
            ingested: None,
            error: None,
        }
    }

    pub(super) fn read(&mut self, run: &Run) {
        let report = &run.report;
        self.exit = run.exit() as u8;
        self.ingested = Some(Ingested {
            read: report.read,
            kept: report.kept,
            repeated: report.repeated,
            rejected: report.rejected,
            files: report.files,
            bytes: report.bytes,
            requests: run.requests,
            throttled: run.throttled,
        });
        self.error = Some(run.troubles().join("\n")).filter(|troubles| !troubles.is_empty());
    }

    pub(super) fn fail(&mut self, failure: &Failure) {
        self.exit = failure.exit() as u8;
        self.error = Some(failure.to_string());
    }
}

/// An exit code in a word.
fn word(exit: u8) -> &'static str {
    match Exit::try_from(exit) {
        Ok(Exit::Answered) => "ok",
        Ok(Exit::Matched) => "findings",
        Ok(Exit::Usage) => "wrong",
        Ok(Exit::Rejected) => "rejects",
        Ok(Exit::Refused) => "refused",
        Ok(Exit::Damaged) => "damaged",
        Ok(Exit::Interrupted) => "stopped",
        Err(_) => "failed",
    }
}

/// The machine's name, as it calls itself.
pub(super) fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "an unnamed host".to_owned())
}
