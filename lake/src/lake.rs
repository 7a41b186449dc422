//! The lake itself: opening, listing, checking, and finding a record by its id.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use eksplain_parse::time::format_rfc3339;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::check::{check, check_all};
use crate::error::{AtPath, Error, Result};
use crate::id::RecordId;
use crate::journal::{Commit, InputDone, Journal, STAGING, write_durably};
use crate::part::PartInfo;
use crate::session::IngestSession;
use crate::table::{Table, day_name, day_of};
use crate::tables::SCHEMA_VERSION;

const MARK: &str = "lake.json";
const LOCK: &str = "_state/lock";

/// What `lake.json` says.
#[derive(Debug, Serialize, Deserialize)]
struct Format {
    format: u32,
    created_by: String,
}

/// A lake in a folder.
#[derive(Debug)]
pub struct Lake {
    root: PathBuf,
    parts: Vec<PartInfo>,
    inputs: HashMap<InputDone, Option<Arc<str>>>,
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its table.
    pub table: Table,
    /// Every column that has a value, by name.
    pub columns: Map<String, Value>,
}

/// What a table holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holding {
    /// Parquet files.
    pub parts: u64,
    /// Records.
    pub records: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// A part that is not what its commit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path relative to the lake.
    pub path: PathBuf,
    /// What is wrong.
    pub what: String,
}

impl Lake {
    /// Opens a lake to read.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none, [`Error::Unsupported`] where a newer version wrote it, [`Error::Damaged`].
    pub fn open(root: &Path) -> Result<Self> {
        let lake = Self::open_as_it_is(root)?;
        // Parts come to their places after their commit: without one, the lake only looks empty.
        if lake.parts.is_empty() && lake.inputs.is_empty() && has_parts(root)? {
            return Err(Error::Damaged {
                path: root.join("_state/commits"),
                what: "no commit is there, and the lake has files of records: put the commits back from a backup, or \
                       ingest the logs into a new lake"
                    .to_owned(),
            });
        }
        Ok(lake)
    }

    /// Opens a lake to look for damage, even one that has lost its commits.
    ///
    /// # Errors
    /// As [`open`](Self::open), but for a lake without commits.
    pub fn open_as_it_is(root: &Path) -> Result<Self> {
        let mark = root.join(MARK);
        let text = match fs::read(&mark) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::NotFound { path: root.to_owned() });
            }
            Err(error) => return Err(Error::io("read", &mark, error)),
        };
        let format: Format = serde_json::from_slice(&text).map_err(|error| Error::Damaged {
            path: mark,
            what: error.to_string(),
        })?;
        if format.format > SCHEMA_VERSION {
            let what = format!(
                "it has format {}, this eksplain knows {SCHEMA_VERSION}: use the version that wrote it",
                format.format
            );
            return Err(Error::Unsupported {
                path: root.to_owned(),
                what,
            });
        }
        let (_, commits) = Journal::open(root)?;
        Ok(Self::of(root, commits))
    }

    /// Opens a lake, or makes one where the folder is empty or absent.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`Error::NotALake`] where the folder holds other things.
    pub fn open_or_create(root: &Path) -> Result<Self> {
        match Self::open(root) {
            Err(Error::NotFound { .. }) => {}
            opened => return opened,
        }
        fs::create_dir_all(root).at("make the lake", root)?;
        let holds_others = || -> Result<bool> {
            let mut entries = fs::read_dir(root).at("look into", root)?;
            let is_other = |name: &str| !name.starts_with('_') && !name.starts_with("lake.");
            Ok(entries.any(|entry| entry.is_ok_and(|entry| is_other(&entry.file_name().to_string_lossy()))))
        };
        if holds_others()? {
            // Another process may have made the lake, and begun to fill it, since this one looked.
            return match Self::open(root) {
                Err(Error::NotFound { .. }) => Err(Error::NotALake { path: root.to_owned() }),
                opened => opened,
            };
        }
        // Of several that come at once, one makes it.
        let (_, lock) = Self::of(root, Vec::new()).lock_file()?;
        lock.lock().at("lock", &root.join(LOCK))?;
        match Self::open(root) {
            Err(Error::NotFound { .. }) => {}
            opened => return opened,
        }
        let format = Format {
            format: SCHEMA_VERSION,
            created_by: concat!("eksplain ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        let text = serde_json::to_vec_pretty(&format).map_err(|error| Error::Damaged {
            path: root.to_owned(),
            what: error.to_string(),
        })?;
        write_durably(&root.join(MARK), &text)?;
        Ok(Self::of(root, Vec::new()))
    }

    fn of(root: &Path, commits: Vec<Commit>) -> Self {
        let (mut parts, mut inputs) = (Vec::new(), HashMap::new());
        for commit in commits {
            if !commit.removed.is_empty() {
                let gone: HashSet<PathBuf> = commit.removed.into_iter().collect();
                parts.retain(|part: &PartInfo| !gone.contains(&part.path));
            }
            // A part that sealing left as it is comes again, as sealed.
            if commit.parts.iter().any(|part| part.sealed) {
                let again: HashSet<&PathBuf> = commit.parts.iter().map(|part| &part.path).collect();
                parts.retain(|part| !again.contains(&part.path));
            }
            parts.extend(commit.parts);
            if !commit.forgotten.is_empty() {
                let gone: HashSet<String> = commit.forgotten.into_iter().collect();
                inputs.retain(|input: &InputDone, _| !gone.contains(&input.uri));
            }
            let hints: Option<Arc<str>> = commit.hints.map(Arc::from);
            inputs.extend(commit.inputs.into_iter().map(|input| (input, hints.clone())));
        }
        Self {
            root: root.to_owned(),
            parts,
            inputs,
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Begins a run. One run at a time writes to a lake.
    ///
    /// # Errors
    /// [`Error::Busy`] where another process writes; faults of the file system.
    pub fn ingest(&mut self) -> Result<IngestSession> {
        let (journal, lock) = self.lock()?;
        Ok(IngestSession::new(self.root.clone(), journal, self.parts.clone(), lock))
    }

    /// Begins a run that takes a share of the objects, as soon as no other process writes. Records that other shares hold are kept
    /// again: [`seal`](Self::seal) drops the repeats, so that it does not matter which share came first.
    ///
    /// # Errors
    /// Faults of the file system.
    pub fn ingest_share(&mut self) -> Result<IngestSession> {
        let (journal, lock) = self.lock_in_turn()?;
        Ok(IngestSession::new(self.root.clone(), journal, Vec::new(), lock))
    }

    /// Takes the lake for writing, and finishes what another run left behind its commit.
    pub(crate) fn lock(&mut self) -> Result<(Journal, File)> {
        let (path, lock) = self.lock_file()?;
        if let Err(error) = lock.try_lock() {
            return Err(match error {
                fs::TryLockError::WouldBlock => Error::Busy { path },
                fs::TryLockError::Error(error) => Error::io("lock", &path, error),
            });
        }
        Ok((self.own()?, lock))
    }

    /// As [`lock`](Self::lock), after those who write now.
    pub(crate) fn lock_in_turn(&mut self) -> Result<(Journal, File)> {
        let (path, lock) = self.lock_file()?;
        lock.lock().at("lock", &path)?;
        Ok((self.own()?, lock))
    }

    fn lock_file(&self) -> Result<(PathBuf, File)> {
        let path = self.root.join(LOCK);
        let folder = self.root.join("_state");
        fs::create_dir_all(&folder).at("make the folder", &folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .at("open the lock", &path)?;
        Ok((path, lock))
    }

    /// The journal of a lake that is locked, and the lake as it is now.
    fn own(&mut self) -> Result<Journal> {
        // Another run may have committed since this lake was opened, or died between its commit and its parts.
        let (journal, commits) = Journal::open(&self.root)?;
        journal.settle(&commits)?;
        let staging = self.root.join(STAGING);
        if staging.exists() {
            fs::remove_dir_all(&staging).at("clear", &staging)?;
        }
        fs::create_dir_all(&staging).at("make the folder", &staging)?;
        *self = Self::of(&self.root, commits);
        Ok(journal)
    }

    pub(crate) fn part_infos(&self) -> &[PartInfo] {
        &self.parts
    }

    /// Whether the object was read before, in this state.
    pub fn is_done(&self, input: &InputDone) -> bool {
        self.inputs.contains_key(input)
    }

    /// What was said of an object that was read, if anything was.
    pub fn hints_of(&self, input: &InputDone) -> Option<&str> {
        self.inputs.get(input)?.as_deref()
    }

    /// Objects that were read.
    pub fn inputs(&self) -> usize {
        self.inputs.len()
    }

    /// What was read whose name begins so: for sources that read ranges of time.
    pub fn inputs_under<'l>(&'l self, prefix: &'l str) -> impl Iterator<Item = &'l InputDone> {
        self.inputs.keys().filter(move |input| input.uri.starts_with(prefix))
    }

    /// The files of a table, sorted, each compared with its commit: what reads records reads these.
    ///
    /// # Errors
    /// [`Error::Damaged`] where one is not what was committed.
    pub fn sound_parts(&self, table: Table) -> Result<Vec<PathBuf>> {
        let of_table: Vec<_> = self.parts.iter().filter(|part| part.is_in(table)).collect();
        let mut paths = check_all(&self.root, &of_table)
            .into_iter()
            .collect::<Result<Vec<_>>>()?;
        paths.sort_unstable();
        Ok(paths)
    }

    /// Where the files of a table belong, sorted.
    pub fn parts(&self, table: Table) -> Vec<PathBuf> {
        let mut paths: Vec<_> = self
            .parts
            .iter()
            .filter(|part| part.is_in(table))
            .map(|part| self.root.join(&part.path))
            .collect();
        paths.sort_unstable();
        paths
    }

    /// Time of the newest record of a table, microseconds since 1970.
    pub fn last_record(&self, table: Table) -> Option<i64> {
        let of_table = self.parts.iter().filter(|part| part.is_in(table));
        let last = of_table.map(|part| part.last.as_str()).max()?;
        i64::try_from(last.parse::<RecordId>().ok()?.time()).ok()
    }

    /// What each table holds.
    pub fn holdings(&self) -> BTreeMap<&'static str, Holding> {
        let mut holdings: BTreeMap<_, _> = Table::ALL
            .iter()
            .map(|table| (table.dir(), Holding::default()))
            .collect();
        for part in &self.parts {
            if let Some(holding) = part.partition().and_then(|(table, _)| holdings.get_mut(table.dir())) {
                holding.parts += 1;
                holding.records += part.rows;
                holding.bytes += part.bytes;
            }
        }
        holdings
    }

    /// Finds records by their ids; the answer has the order of the ids, `None` for what the lake does not hold.
    ///
    /// # Errors
    /// Where a part that may hold one cannot be read.
    pub fn find(&self, ids: &[RecordId]) -> Result<Vec<Option<Found>>> {
        ids.iter().map(|id| self.find_one(*id)).collect()
    }

    fn find_one(&self, id: RecordId) -> Result<Option<Found>> {
        let text = id.to_string();
        let day = day_name(day_of(i64::try_from(id.time()).ok()));
        let may_hold = |part: &&PartInfo| {
            let in_partition = part
                .partition()
                .is_some_and(|(table, date)| table == id.table() && (id.is_clamped() || date == day));
            in_partition && (part.first.as_str()..=part.last.as_str()).contains(&text.as_str())
        };
        for part in self.parts.iter().filter(may_hold) {
            for batch in read(&check(&self.root, part)?)? {
                let batch = batch?;
                let ids = batch.column_by_name("id").and_then(|ids| ids.as_string_opt::<i32>());
                if let Some(row) = ids.and_then(|ids| ids.iter().position(|id| id == Some(&text))) {
                    return Ok(Some(Found {
                        table: id.table(),
                        columns: row_as_json(&batch, row),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Parquet files in the folders of the tables that no commit names, relative to the lake, sorted: nothing that eksplain says comes
    /// from them, and every other engine that reads the folders takes them for records.
    ///
    /// A part comes to its place after its commit is written, so an interrupted run leaves none. What a commit removes is named by it.
    ///
    /// # Errors
    /// Where a folder or the journal cannot be read.
    pub fn strays(&self) -> Result<Vec<PathBuf>> {
        let mut strays = Vec::new();
        for table in Table::ALL {
            parquet_files(&self.root.join(table.dir()), &mut strays)?;
        }
        // Read after the folders, so that the parts of a run that goes on meanwhile are known.
        let (_, commits) = Journal::open(&self.root)?;
        let named: HashSet<&Path> = commits
            .iter()
            .flat_map(|commit| commit.parts.iter().map(|part| &part.path).chain(&commit.removed))
            .map(PathBuf::as_path)
            .collect();
        let mut strays: Vec<PathBuf> = strays
            .iter()
            .filter_map(|path| path.strip_prefix(&self.root).ok())
            .filter(|path| !named.contains(path))
            .map(Path::to_owned)
            .collect();
        strays.sort_unstable();
        Ok(strays)
    }

    /// Compares every part with its commit, and reads it.
    pub fn verify(&self) -> Vec<Fault> {
        let parts: Vec<&PartInfo> = self.parts.iter().collect();
        let checked = check_all(&self.root, &parts).into_iter();
        parts
            .iter()
            .zip(checked)
            .filter_map(|(part, checked)| {
                let error = checked.and_then(|path| check_rows(&path, part)).err()?;
                Some(Fault {
                    path: part.path.clone(),
                    what: error.to_string(),
                })
            })
            .collect()
    }
}

/// Whether the rows of a part are as many as its commit says, and in order.
fn check_rows(path: &Path, part: &PartInfo) -> Result<()> {
    let damaged = |what: String| Error::Damaged {
        path: path.to_owned(),
        what,
    };
    let (mut rows, mut last) = (0, String::new());
    for batch in read(path)? {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        let ids = batch
            .column_by_name("id")
            .and_then(|ids| ids.as_string_opt::<i32>())
            .ok_or_else(|| damaged("it has no column id".to_owned()))?;
        for id in ids.iter().flatten() {
            if id <= last.as_str() {
                return Err(damaged(format!("its ids are not in order at {id}")));
            }
            last = id.to_owned();
        }
    }
    if rows != part.rows {
        return Err(damaged(format!(
            "it has {rows} rows, its commit recorded {}",
            part.rows
        )));
    }
    Ok(())
}

/// Whether a folder of a table holds a Parquet file.
fn has_parts(root: &Path) -> Result<bool> {
    let mut found = Vec::new();
    for table in Table::ALL {
        parquet_files(&root.join(table.dir()), &mut found)?;
    }
    Ok(!found.is_empty())
}

/// Every Parquet file below a folder.
fn parquet_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.at("look into", folder)?,
    };
    for entry in entries {
        let entry = entry.at("look into", folder)?;
        let path = entry.path();
        if entry.file_type().at("look at", &path)?.is_dir() {
            parquet_files(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "parquet") {
            found.push(path);
        }
    }
    Ok(())
}

/// The rows of a part, batch by batch.
pub(crate) fn read(path: &Path) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
    let file = File::open(path).at("read the part", path)?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .at("read the part", path)?
        .build()
        .at("read the part", path)?;
    let path = path.to_owned();
    Ok(reader.map(move |batch| {
        batch.map_err(|error| Error::Damaged {
            path: path.clone(),
            what: error.to_string(),
        })
    }))
}

fn row_as_json(batch: &RecordBatch, row: usize) -> Map<String, Value> {
    let schema = batch.schema();
    let cells = schema.fields().iter().zip(batch.columns());
    cells
        .filter(|(_, column)| column.is_valid(row))
        .map(|(field, column)| (field.name().clone(), cell(column, row)))
        .collect()
}

fn cell(column: &ArrayRef, row: usize) -> Value {
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::Timestamp(..) => format_rfc3339(column.as_primitive::<TimestampMicrosecondType>().value(row)).into(),
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            items
                .as_string::<i32>()
                .iter()
                .map(|item| item.map_or(Value::Null, Value::from))
                .collect::<Vec<_>>()
                .into()
        }
        _ => Value::Null,
    }
}
