//! Objects as a source: files and folders, or whatever a store lends as files.
//!
//! The objects are sorted; the list is cut into groups that depend on nothing but the list, and threads take group by group.
//! An object that an earlier run did is passed over, so that an interrupted run goes on where it stopped and ends in the same lake.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use eksplain_lake::{IngestSession, InputDone, KeepRaw, Lake, RowSet, Shard, Summary, Table, TableSummary};

use crate::object::{Counts, Desk, Source, read_object};
use crate::place::Hints;
use crate::report::{IngestReport, Problem, Progress};
use crate::unpack::Buffers;

mod walk;

/// A group ends when its files hold this much, packed files counted ten times.
const GROUP_BYTES: u64 = 24 * 1024 * 1024;
const GROUP_FILES: usize = 256;

/// One object of a store.
#[derive(Debug, Clone)]
pub struct Object {
    /// Path or key: known layouts of AWS are read from it.
    pub path: PathBuf,
    /// Relative to what was asked for: what [`Layout`](crate::Layout) speaks of.
    pub relative: PathBuf,
    /// The object as the lake names it.
    pub uri: String,
    /// Bytes, as stored.
    pub size: u64,
    /// When it was last changed, microseconds since 1970.
    pub modified: Option<i64>,
}

impl Object {
    fn as_input(&self) -> InputDone {
        InputDone {
            uri: self.uri.clone(),
            size: self.size,
            modified: self.modified,
        }
    }
}

/// Where objects lie.
pub trait Store: Sync {
    /// Says which objects are wanted next, in this order.
    fn announce(&self, _objects: &[&Object]) {}

    /// The object as a file.
    ///
    /// # Errors
    /// Where it cannot be had now: it is asked for again in the next run.
    fn file(&self, object: &Object) -> std::io::Result<LocalFile>;
}

/// A file that holds an object.
#[derive(Debug)]
pub enum LocalFile {
    /// The object itself.
    Own(PathBuf),
    /// A copy, gone once it was read.
    Copy(tempfile::TempPath),
}

impl LocalFile {
    fn path(&self) -> &Path {
        match self {
            Self::Own(path) => path,
            Self::Copy(path) => path,
        }
    }
}

struct Disk;

impl Store for Disk {
    fn file(&self, object: &Object) -> std::io::Result<LocalFile> {
        Ok(LocalFile::Own(object.path.clone()))
    }
}

/// How to read files.
#[derive(Debug, Clone, Default)]
pub struct FileOptions {
    /// For files that do not say where they come from.
    pub hints: Hints,
    /// Which records keep their text.
    pub keep_raw: KeepRaw,
    /// Threads; 0 takes as many as there are cores.
    pub threads: usize,
    /// The objects that this process reads, where others read the rest.
    pub shard: Option<Shard>,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A path was given that is not there or cannot be listed.
    #[error("list {}: {source}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The lake could not be written.
    #[error(transparent)]
    Lake(#[from] eksplain_lake::Error),
}

/// Reads files and folders into a lake.
///
/// `-` is standard input. `stop` asks the run to end after the groups at hand; `progress` is called from several threads, after each file.
///
/// # Errors
/// [`Error::Path`] before anything is read; [`Error::Lake`] where the lake cannot be written. A file in trouble is no error: see
/// [`IngestReport::problems`].
pub fn ingest_files(
    lake: &mut Lake,
    paths: &[PathBuf],
    options: &FileOptions,
    stop: &AtomicBool,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<IngestReport, Error> {
    let spooled = spool(paths)?;
    let input = spooled.as_ref().map(|file| file.path());
    ingest_objects(lake, walk::walk(paths, input)?, &Disk, options, stop, progress)
}

/// How the lake names standard input, which is never known from an earlier run.
const STDIN: &str = "stdin:";

/// Standard input as a file, where `-` is among the paths: forms are told by looking at the beginning, archives from their end.
fn spool(paths: &[PathBuf]) -> Result<Option<tempfile::NamedTempFile>, Error> {
    if !paths.iter().any(|path| path == Path::new("-")) {
        return Ok(None);
    }
    let copy = || {
        let mut file = tempfile::NamedTempFile::new()?;
        std::io::copy(&mut std::io::stdin().lock(), &mut file)?;
        Ok(file)
    };
    copy().map(Some).map_err(|source| Error::Path {
        path: "-".into(),
        source,
    })
}

/// Reads the objects of a store into a lake, in the order given; otherwise as [`ingest_files`].
///
/// # Errors
/// [`Error::Lake`].
pub fn ingest_objects(
    lake: &mut Lake,
    mut objects: Vec<Object>,
    store: &dyn Store,
    options: &FileOptions,
    stop: &AtomicBool,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<IngestReport, Error> {
    if let Some(shard) = options.shard {
        objects.retain(|object| shard.takes(&object.uri));
    }
    // Of an object that is known something else may be said now: then its records are taken anew. To say nothing changes nothing.
    let said = options.hints.said();
    let is_said_anew = |file: &&Object| {
        let input = file.as_input();
        said.is_some() && lake.is_done(&input) && lake.hints_of(&input) != said.as_deref()
    };
    let again: Vec<String> = objects
        .iter()
        .filter(is_said_anew)
        .map(|file| file.uri.clone())
        .collect();
    lake.forget(&again)?;
    let session = match options.shard {
        Some(_) => lake.ingest_share()?,
        None => lake.ingest()?,
    };
    let session = session.with_hints(said);
    let groups = group(objects);
    let is_new = |file: &Object| file.uri == STDIN || !lake.is_done(&file.as_input());
    let new_files = || groups.iter().flatten().filter(|file| is_new(file));
    let run = Run {
        session: &session,
        store,
        options,
        stop,
        progress,
        next: AtomicUsize::new(0),
        files_total: new_files().count() as u64,
        bytes_total: new_files().map(|file| file.size).sum(),
        done: [const { AtomicU64::new(0) }; 3],
        counts: Mutex::default(),
        failure: Mutex::default(),
    };
    let threads = match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.min(groups.len()).max(1) {
            scope.spawn(|| {
                if let Err(error) = run.work(&groups, &is_new) {
                    run.session.stop();
                    let mut failure = run.failure.lock().unwrap_or_else(PoisonError::into_inner);
                    // The first fault is the cause; the others only heard of it.
                    if failure.is_none() || matches!(*failure, Some(eksplain_lake::Error::Stopped)) {
                        *failure = Some(error);
                    }
                }
            });
        }
    });
    let interrupted = stop.load(Ordering::Relaxed);
    match run.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(eksplain_lake::Error::Stopped) | None => {}
        Some(error) => return Err(error.into()),
    }
    let counts = run.counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    let summary = session.summary();
    let all: u64 = groups.iter().map(|group| group.len() as u64).sum();
    let [files, bytes, _] = run.done.map(AtomicU64::into_inner);
    let mut problems = counts.problems;
    problems.sort();
    Ok(IngestReport {
        read: counts.read,
        kept: summary.kept,
        repeated: summary.repeated,
        rejected: summary.rejected,
        differing: summary.differing,
        redacted: summary.redacted,
        skipped: counts.skipped.values().sum(),
        passed_over: counts.skipped,
        files,
        files_known: all - run.files_total,
        bytes,
        conflicts: counts.conflicts,
        interrupted,
        problems,
        taken: counts.taken.into_iter().collect(),
        refused: counts.refused,
        tables: tables_of(&summary),
    })
}

/// What became of the records of each table that had some.
pub(crate) fn tables_of(summary: &Summary) -> BTreeMap<&'static str, TableSummary> {
    let counts = Table::ALL.into_iter().zip(summary.tables);
    counts
        .filter(|(table, of_table)| *table != Table::Rejects && *of_table != TableSummary::default())
        .map(|(table, of_table)| (table.dir(), of_table))
        .collect()
}

/// Cuts the sorted list where a group is full.
fn group(files: Vec<Object>) -> Vec<Vec<Object>> {
    let mut groups: Vec<Vec<Object>> = Vec::new();
    let mut room = 0;
    for file in files {
        let weight = file.size
            * if file.path.extension().is_some_and(|e| e == "gz") {
                10
            } else {
                1
            };
        match groups.last_mut() {
            Some(group) if weight <= room && group.len() < GROUP_FILES => {
                room -= weight;
                group.push(file);
            }
            _ => {
                room = GROUP_BYTES.saturating_sub(weight);
                groups.push(vec![file]);
            }
        }
    }
    groups
}

/// What the threads of one run share.
struct Run<'r> {
    session: &'r IngestSession,
    store: &'r dyn Store,
    options: &'r FileOptions,
    stop: &'r AtomicBool,
    progress: &'r (dyn Fn(Progress) + Sync),
    next: AtomicUsize,
    files_total: u64,
    bytes_total: u64,
    /// Files, bytes, records.
    done: [AtomicU64; 3],
    counts: Mutex<Counts>,
    failure: Mutex<Option<eksplain_lake::Error>>,
}

impl Run<'_> {
    /// Takes groups until none is left.
    fn work(&self, groups: &[Vec<Object>], is_new: &dyn Fn(&Object) -> bool) -> Result<(), eksplain_lake::Error> {
        let mut rows = RowSet::new(self.options.keep_raw);
        let mut buffers = Buffers::default();
        let mut counts = Counts::default();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(files) = groups.get(number) else { break };
            if self.stop.load(Ordering::Relaxed) {
                self.session.stop();
                break;
            }
            let mut inputs = Vec::new();
            let wanted: Vec<_> = files.iter().filter(|file| is_new(file)).collect();
            self.store.announce(&wanted);
            for file in wanted {
                let is_done = self.read_file(file, number as u64, &mut rows, &mut buffers, &mut counts)?;
                if is_done && file.uri != STDIN {
                    inputs.push(file.as_input());
                }
            }
            self.session.finish_group(number as u64, rows.take(), inputs)?;
        }
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).add(counts);
        Ok(())
    }

    /// Reads one file; true if it is done with, false if it may be readable another time.
    fn read_file(
        &self,
        file: &Object,
        group: u64,
        rows: &mut RowSet,
        buffers: &mut Buffers,
        counts: &mut Counts,
    ) -> Result<bool, eksplain_lake::Error> {
        let read_before = counts.read;
        let mut flush = |rows: &mut RowSet| self.session.submit(group, rows.take());
        let outcome = match self.store.file(file) {
            Err(error) => Err(error),
            Ok(local) => {
                let source = Source {
                    uri: &file.uri,
                    size: file.size,
                    modified: file.modified,
                    path: Some(&file.path),
                    relative: &file.relative,
                    hints: &self.options.hints,
                };
                let mut desk = Desk {
                    rows,
                    buffers,
                    counts,
                    flush: &mut flush,
                };
                read_object(local.path(), source, &mut desk)?
            }
        };
        let is_done = match outcome {
            Ok(()) => true,
            Err(error) => {
                counts.problems.push(Problem {
                    uri: file.uri.clone(),
                    reason: format!("could not be read: {error}"),
                });
                false
            }
        };
        let add = |at: usize, by: u64| self.done[at].fetch_add(by, Ordering::Relaxed) + by;
        (self.progress)(Progress {
            files: add(0, 1),
            files_total: self.files_total,
            bytes: add(1, file.size),
            bytes_total: self.bytes_total,
            records: add(2, counts.read - read_before),
        });
        Ok(is_done)
    }
}

/// A path as the lake names it: `file:` and the absolute path, so that it stays true elsewhere.
pub fn uri_of(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    format!("file://{}", absolute.display())
}
