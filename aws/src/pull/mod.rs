//! Paged APIs, fetched in parallel, at quota, resumable.
//!
//! A [`Job`] is one stream of records by time (one event source of one region, one log of one cluster). What the lake lacks of its
//! window is cut into leaves; a leaf that turns out large is divided. Leaves are fetched side by side, each page on disk before the
//! next is asked for, and enter the lake in their order, so that the lake does not depend on who was fast. A run that is killed
//! goes on with the pages it has.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use eksplain_ingest::{Hints, IngestReport, Intake, KeepRaw};
use eksplain_lake::Lake;
use tokio::sync::Notify;

use crate::fault::{Fault, Kind};
use crate::quota::Meter;
use crate::scope::{Scope, State};

mod range;
mod spool;

pub use range::{Micros, Range};
pub(crate) use range::{had, rfc3339};
use spool::{Leaf, Progress, Spool};

/// A page with this many to follow makes its leaf be divided.
const LARGE: u64 = 40;
/// Pages that a leaf should have after dividing.
const GOOD: u64 = 200;
const MOST_PIECES: u64 = 16;
const DEEPEST: u8 = 3;
/// Answers that lead nowhere, one after the other, before a leaf is given up.
const PATIENCE: u32 = 6;

/// One answer of an API.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The records.
    pub(crate) records: Vec<Record>,
    /// Where to go on.
    pub(crate) next: Option<String>,
    /// The API gave less than there is and no way to go on: the range must be divided.
    pub(crate) is_cut: bool,
}

/// A record as it goes to the spool.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) ts: Micros,
    /// Hash of what makes it itself.
    pub(crate) key: u64,
    pub(crate) text: String,
}

/// An API that lists records of a stretch of time page by page.
#[async_trait]
pub(crate) trait Pages: Send + Sync {
    /// One page; retries of what may pass are inside.
    async fn page(&self, range: Range, token: Option<&str>) -> Result<Page, Fault>;
}

/// One stream of records by time.
pub(crate) struct Job {
    /// Its name in the lake: `cloudtrail://111122223333/us-east-1/eks.amazonaws.com`.
    pub(crate) name: String,
    pub(crate) scope: Scope,
    pub(crate) place: Hints,
    pub(crate) pages: Box<dyn Pages>,
    pub(crate) window: Range,
    /// The API's resolution.
    pub(crate) step: Micros,
    /// Whether the API lists the newest first.
    pub(crate) is_newest_first: bool,
    /// Whether leaves should be fetched from the newest on.
    pub(crate) wants_newest_first: bool,
    /// How late a record may appear.
    pub(crate) lateness: Micros,
    /// Leaves fetched at a time.
    pub(crate) width: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Running,
    Ready,
    Failed,
}

/// The leaves of a job, in the order in which they enter the lake.
struct Board {
    leaves: Mutex<Vec<(Leaf, Stage)>>,
    changed: Notify,
    fault: Mutex<Option<Fault>>,
}

/// Runs the jobs and gives what became of each.
///
/// # Errors
/// Where the lake cannot be written. A job that AWS refuses is a [`Scope`].
pub(crate) async fn run(
    lake: &mut Lake,
    mut jobs: Vec<Job>,
    meter: &Arc<Meter>,
    stop: &Arc<AtomicBool>,
) -> Result<(IngestReport, Vec<Scope>), eksplain_ingest::Error> {
    jobs.sort_by(|a, b| a.name.cmp(&b.name));
    let mut intake = Intake::begin(lake, KeepRaw::Evidence)?;
    let began = jiff::Timestamp::now().as_microsecond();
    let mut running = Vec::new();
    for job in jobs {
        let fault = |source| eksplain_ingest::Error::Path {
            path: PathBuf::from(&job.name),
            source,
        };
        let spool = Spool::of(lake.root(), &job.name);
        let leaves = leaves(lake, &job, &spool, began).map_err(fault)?;
        spool.set_plan(&leaves).map_err(fault)?;
        Meter::add(&meter.wanted, leaves.iter().map(|leaf| leaf.range.millis()).sum());
        let work = Arc::new(Work {
            job,
            spool,
            board: Board {
                leaves: Mutex::new(leaves.into_iter().map(|leaf| (leaf, Stage::Waiting)).collect()),
                changed: Notify::new(),
                fault: Mutex::default(),
            },
            meter: Arc::clone(meter),
            stop: Arc::clone(stop),
        });
        let tasks: Vec<_> = (0..work.job.width)
            .map(|_| tokio::spawn(Arc::clone(&work).fetch_leaves()))
            .collect();
        running.push((work, tasks));
    }
    let mut scopes = Vec::new();
    for (work, tasks) in running {
        while let Some(leaf) = work.next_ready().await {
            tokio::task::block_in_place(|| work.commit(&mut intake, leaf))?;
        }
        for task in tasks {
            // A task that panicked has told its story on stderr; its leaves are still on the board.
            let _ = task.await;
        }
        scopes.push(work.outcome());
    }
    let mut report = intake.finish();
    report.interrupted = stop.load(Ordering::Relaxed);
    Ok((report, scopes))
}

/// What an earlier run began and what the lake lacks, in order.
fn leaves(lake: &Lake, job: &Job, spool: &Spool, began: Micros) -> std::io::Result<Vec<Leaf>> {
    let had = had(lake, &job.name);
    let mut leaves = Vec::new();
    for leaf in spool.plan()? {
        let is_wanted = leaf.range.to >= job.window.from && leaf.range.from <= job.window.to;
        // Committed, but killed before the plan was told.
        if is_wanted && !had.iter().any(|range| range.from == leaf.range.from) {
            leaves.push(leaf);
        } else {
            spool.remove(&leaf)?;
        }
    }
    let known = had.iter().copied().chain(leaves.iter().map(|leaf| leaf.range));
    let missing = job.window.without(known);
    leaves.extend(missing.into_iter().map(|range| Leaf { range, depth: 0, began }));
    leaves.sort_by_key(|leaf| {
        if job.wants_newest_first {
            -leaf.range.from
        } else {
            leaf.range.from
        }
    });
    Ok(leaves)
}

enum Fetched {
    Ready,
    Divided(Vec<Leaf>),
    Stopped,
}

struct Work {
    job: Job,
    spool: Spool,
    board: Board,
    meter: Arc<Meter>,
    stop: Arc<AtomicBool>,
}

impl Work {
    /// Takes leaf after leaf until none waits.
    async fn fetch_leaves(self: Arc<Self>) {
        loop {
            let changed = self.board.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let Some(leaf) = self.take_waiting() else {
                // A leaf that runs may yet be divided.
                if self.has(Stage::Running) {
                    changed.await;
                    continue;
                }
                return;
            };
            match self.fetch(&leaf).await {
                Ok(Fetched::Ready) => self.set(&leaf, Stage::Ready),
                Ok(Fetched::Stopped) => self.set(&leaf, Stage::Failed),
                Ok(Fetched::Divided(pieces)) => {
                    if let Err(error) = self.divide(&leaf, pieces) {
                        self.fail(&leaf, Fault::other("spool", "could not be written", error.to_string()));
                    }
                }
                Err(fault) => self.fail(&leaf, fault),
            }
        }
    }

    async fn fetch(&self, leaf: &Leaf) -> Result<Fetched, Fault> {
        let spool_fault = |error: std::io::Error| Fault::other("spool", "could not be written", error.to_string());
        let mut progress = self.spool.progress(leaf).map_err(spool_fault)?;
        let mut impasses = 0;
        let mut covered = 0;
        while !progress.is_complete {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(Fetched::Stopped);
            }
            let asks = progress.asks.unwrap_or(leaf.range);
            let page = match self.job.pages.page(asks, progress.next.as_deref()).await {
                Err(fault) if fault.kind == Kind::Token && impasses < PATIENCE => {
                    impasses += 1;
                    progress.next = None;
                    progress.asks = Some(self.beyond_edge(leaf.range, progress.edge));
                    continue;
                }
                answer => answer?,
            };
            if page.is_cut {
                let halves = leaf.range.split(2, self.job.step);
                if halves.len() < 2 {
                    return Err(Fault::other(
                        "paging",
                        "more records in one instant than one response can return",
                        "use --via filter",
                    ));
                }
                let depth = leaf.depth;
                let piece = |range| Leaf { range, depth, ..*leaf };
                return Ok(Fetched::Divided(halves.into_iter().map(piece).collect()));
            }
            let is_first = progress.bytes == 0 && progress.next.is_none();
            if is_first
                && leaf.depth < DEEPEST
                && let Some(pieces) = self.pieces(leaf, &page)
            {
                return Ok(Fetched::Divided(pieces));
            }
            // A token that leads to itself would be followed for ever.
            if page.next.is_some() && page.next == progress.next {
                impasses += 1;
                if impasses >= PATIENCE {
                    return Err(Fault::other("paging", "the same page token again and again", ""));
                }
                if page.records.is_empty() {
                    continue;
                }
            } else if !page.records.is_empty() {
                impasses = 0;
            }
            let (text, fresh) = self.take(&page, &mut progress);
            progress.bytes += text.len() as u64;
            progress.records += fresh;
            progress.is_complete = page.next.is_none();
            progress.next = page.next;
            self.spool.add(leaf, text.as_bytes(), &progress).map_err(spool_fault)?;
            Meter::add(&self.meter.records, fresh);
            let done = match progress.edge {
                _ if progress.is_complete => leaf.range.millis(),
                Some(edge) if self.job.is_newest_first => Range {
                    from: edge,
                    ..leaf.range
                }
                .millis(),
                Some(edge) => Range { to: edge, ..leaf.range }.millis(),
                None => 0,
            };
            Meter::add(
                &self.meter.covered,
                done.min(leaf.range.millis()).saturating_sub(covered),
            );
            covered = covered.max(done);
        }
        Ok(Fetched::Ready)
    }

    /// The text of a page's records without those that a lost token brought again.
    fn take(&self, page: &Page, progress: &mut Progress) -> (String, u64) {
        let mut text = String::with_capacity(page.records.iter().map(|record| record.text.len() + 1).sum());
        let known: HashSet<u64> = if progress.asks.is_some() {
            progress.at_edge.iter().copied().collect()
        } else {
            HashSet::new()
        };
        let mut fresh = 0;
        for record in &page.records {
            if progress.edge == Some(record.ts) && known.contains(&record.key) {
                continue;
            }
            let is_further = progress.edge.is_none_or(|edge| {
                if self.job.is_newest_first {
                    record.ts < edge
                } else {
                    record.ts > edge
                }
            });
            if is_further {
                progress.edge = Some(record.ts);
                progress.at_edge.clear();
            }
            if progress.edge == Some(record.ts) {
                progress.at_edge.push(record.key);
            }
            text.push_str(&record.text);
            text.push('\n');
            fresh += 1;
        }
        (text, fresh)
    }

    /// What is still to be asked for when the token is lost: from the last record on, which comes again.
    fn beyond_edge(&self, whole: Range, edge: Option<Micros>) -> Range {
        match edge {
            Some(edge) if self.job.is_newest_first => Range {
                to: whole.to.min(edge + self.job.step - 1),
                ..whole
            },
            Some(edge) => Range {
                from: whole.from.max(edge),
                ..whole
            },
            None => whole,
        }
    }

    /// How to divide a leaf whose first page says that many more follow. The page itself is fetched again: no order of the records
    /// has to be relied on.
    fn pieces(&self, leaf: &Leaf, page: &Page) -> Option<Vec<Leaf>> {
        page.next.as_ref()?;
        let times = || page.records.iter().map(|record| record.ts);
        let span = u64::try_from(times().max()? - times().min()?)
            .unwrap_or(0)
            .max(1_000_000)
            / 1000;
        let pages = leaf.range.millis() / span.max(1);
        if pages < LARGE {
            return None;
        }
        let count = (pages / GOOD).clamp(4, MOST_PIECES);
        let mut pieces = leaf.range.split(usize::try_from(count).unwrap_or(1), self.job.step);
        if self.job.wants_newest_first {
            pieces.reverse();
        }
        (pieces.len() > 1).then(|| {
            let piece = |range| Leaf {
                range,
                depth: leaf.depth + 1,
                began: leaf.began,
            };
            pieces.into_iter().map(piece).collect()
        })
    }

    fn divide(&self, leaf: &Leaf, pieces: Vec<Leaf>) -> std::io::Result<()> {
        let plan: Vec<Leaf> = {
            let mut leaves = lock(&self.board.leaves);
            if let Some(at) = leaves.iter().position(|(own, _)| own == leaf) {
                leaves.splice(at..=at, pieces.into_iter().map(|piece| (piece, Stage::Waiting)));
            }
            leaves.iter().map(|(leaf, _)| *leaf).collect()
        };
        self.board.changed.notify_waiters();
        self.spool.remove(leaf)?;
        self.spool.set_plan(&plan)
    }

    fn take_waiting(&self) -> Option<Leaf> {
        let mut leaves = lock(&self.board.leaves);
        let (leaf, stage) = leaves.iter_mut().find(|(_, stage)| *stage == Stage::Waiting)?;
        *stage = Stage::Running;
        Some(*leaf)
    }

    fn has(&self, wanted: Stage) -> bool {
        lock(&self.board.leaves).iter().any(|(_, stage)| *stage == wanted)
    }

    fn set(&self, leaf: &Leaf, stage: Stage) {
        if let Some((_, own)) = lock(&self.board.leaves).iter_mut().find(|(own, _)| own == leaf) {
            *own = stage;
        }
        self.board.changed.notify_waiters();
    }

    /// A refusal ends the job: the next leaf would meet the same.
    fn fail(&self, leaf: &Leaf, fault: Fault) {
        if !matches!(fault.kind, Kind::Transient | Kind::Throttled) {
            for (_, stage) in lock(&self.board.leaves).iter_mut() {
                if *stage == Stage::Waiting {
                    *stage = Stage::Failed;
                }
            }
        }
        lock(&self.board.fault).get_or_insert(fault);
        self.set(leaf, Stage::Failed);
    }

    /// Waits for the next leaf in order that is whole; none when all are done or given up.
    async fn next_ready(&self) -> Option<Leaf> {
        loop {
            let changed = self.board.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let next = lock(&self.board.leaves)
                .iter()
                .find(|(_, stage)| *stage != Stage::Failed)
                .copied();
            match next {
                None => return None,
                Some((leaf, Stage::Ready)) => return Some(leaf),
                Some(_) => changed.await,
            }
        }
    }

    fn commit(&self, intake: &mut Intake, leaf: Leaf) -> Result<(), eksplain_ingest::Error> {
        let pages = self.spool.pages(&leaf);
        intake.object(&pages, &leaf.range.uri(&self.job.name), &self.job.place)?;
        // What may still appear is asked for again by the next run.
        let settled = Range {
            to: leaf.range.to.min(leaf.began - self.job.lateness),
            ..leaf.range
        };
        let done = if settled.is_empty() {
            Vec::new()
        } else {
            vec![settled.as_input(&self.job.name)]
        };
        intake.commit(done)?;
        let plan: Vec<Leaf> = {
            let mut leaves = lock(&self.board.leaves);
            leaves.retain(|(own, _)| *own != leaf);
            leaves.iter().map(|(leaf, _)| *leaf).collect()
        };
        let fault = |source| eksplain_ingest::Error::Path {
            path: pages.clone(),
            source,
        };
        self.spool.set_plan(&plan).map_err(fault)?;
        if !plan.is_empty() {
            self.spool.remove(&leaf).map_err(fault)?;
        }
        Ok(())
    }

    fn outcome(&self) -> Scope {
        let left = lock(&self.board.leaves).len();
        let fault = lock(&self.board.fault).take();
        let mut scope = self.job.scope.clone();
        scope.state = match &fault {
            Some(fault) if matches!(fault.kind, Kind::Transient | Kind::Throttled) => State::Partial,
            Some(_) => State::Refused,
            None if left > 0 => State::Partial,
            None => State::Done,
        };
        if let Some(fault) = fault {
            let missing: Vec<String> = lock(&self.board.leaves)
                .iter()
                .take(3)
                .map(|(leaf, _)| format!("{} to {}", rfc3339(leaf.range.from), rfc3339(leaf.range.to)))
                .collect();
            scope.error = Some(if missing.is_empty() {
                fault.to_string()
            } else {
                format!("{fault}; not fetched: {}", missing.join(", "))
            });
        }
        scope
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
