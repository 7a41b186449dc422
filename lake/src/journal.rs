//! The journal: one file a commit, in order; what is in it is in the lake, and nothing else.
//!
//! A commit is written beside its place, synced, and renamed; then its parts are moved from `_staging` to where they belong. A run
//! that is killed between the two is finished by whoever writes next; who reads meanwhile finds the parts in `_staging`. Nothing in
//! a commit tells of clocks or processes, so that a run that was killed and repeated ends in the same files as one that never was.
//!
//! The journal is a chain: a commit's file is named by its number and its content, it names the one before it, and `_state/head`
//! names the last. A commit that is gone, altered or put in between is damage, and so is one that names a file that cannot be a part.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{AtPath, Error, Result};
use crate::id::content_name;
use crate::part::PartInfo;
use crate::table::Table;

/// An object that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct InputDone {
    /// The object.
    pub uri: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed, microseconds since 1970, where the store tells.
    pub modified: Option<i64>,
}

/// What a commit adds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Commit {
    /// Name of the commit before it. Commits of eksplain 0.1 do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
    /// Objects that are done with it.
    pub(crate) inputs: Vec<InputDone>,
    /// Parts that appear with it.
    pub(crate) parts: Vec<PartInfo>,
    /// Parts that go with it, because others hold their rows now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) removed: Vec<PathBuf>,
    /// Objects whose records went with it, so that they are read again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) forgotten: Vec<String>,
    /// What was said of objects that do not tell their place: others may be said of them later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hints: Option<String>,
}

pub(crate) const STAGING: &str = "_staging";
const COMMITS: &str = "_state/commits";
const HEAD: &str = "_state/head";

/// The commits of a lake.
pub(crate) struct Journal {
    root: PathBuf,
    /// How many there are, and the name of the last.
    commits: u64,
    last: Option<String>,
}

impl Journal {
    /// Reads every commit in order.
    pub(crate) fn open(root: &Path) -> Result<(Self, Vec<Commit>)> {
        let folder = root.join(COMMITS);
        let mut names: Vec<PathBuf> = match fs::read_dir(&folder) {
            Ok(entries) => entries
                .filter_map(|entry| entry.ok())
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|e| e == "json"))
                .collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Error::io("list the commits in", &folder, error)),
        };
        names.sort_unstable();
        let mut journal = Self {
            root: root.to_owned(),
            commits: 0,
            last: None,
        };
        let commits = names
            .iter()
            .map(|path| journal.follow(path))
            .collect::<Result<Vec<Commit>>>()?;
        // Without any commit the lake is told to have lost all, with the files that it still has.
        if !commits.is_empty() {
            journal.check_head()?;
        }
        Ok((journal, commits))
    }

    /// Reads the next commit, which must be the one that its name and its predecessor say.
    fn follow(&mut self, path: &Path) -> Result<Commit> {
        let text = fs::read(path).at("read the commit", path)?;
        let name = name_of(self.commits + 1, &text);
        if path.file_stem() != Some(name.as_ref()) {
            let what = format!("it is not commit {} as it was written: {WAY_OUT}", self.commits + 1);
            return Err(damaged(path, what));
        }
        let commit: Commit = serde_json::from_slice(&text).map_err(|error| damaged(path, error.to_string()))?;
        if commit.after.is_some() && commit.after != self.last {
            return Err(damaged(
                path,
                format!("it does not follow the commit before it: {WAY_OUT}"),
            ));
        }
        let mut named = commit.parts.iter().map(|part| &part.path).chain(&commit.removed);
        if let Some(other) = named.find(|path| !is_place_of_a_part(path)) {
            let what = format!("it names {}, which is no part of a lake: {WAY_OUT}", other.display());
            return Err(damaged(path, what));
        }
        self.commits += 1;
        self.last = Some(name);
        Ok(commit)
    }

    /// The head is written behind its commit: it may lag, and never leads.
    fn check_head(&self) -> Result<()> {
        let path = self.root.join(HEAD);
        let head = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            head => head.at("read", &path)?,
        };
        let number = head.split('-').next().and_then(|number| number.parse::<u64>().ok());
        let is_behind = number.is_some_and(|number| number < self.commits);
        if is_behind || self.last.as_deref() == Some(head.as_str()) {
            return Ok(());
        }
        Err(damaged(&path, format!("the commit {head} is gone: {WAY_OUT}")))
    }

    /// Makes the commit last, then moves its parts into place.
    pub(crate) fn append(&mut self, commit: &Commit) -> Result<()> {
        let commit = Commit {
            after: self.last.clone(),
            ..commit.clone()
        };
        let text = serde_json::to_vec(&commit).map_err(|error| damaged(&self.root, error.to_string()))?;
        let folder = self.root.join(COMMITS);
        fs::create_dir_all(&folder).at("make the folder", &folder)?;
        let name = name_of(self.commits + 1, &text);
        write_durably(&folder.join(format!("{name}.json")), &text)?;
        write_durably(&self.root.join(HEAD), name.as_bytes())?;
        self.commits += 1;
        self.last = Some(name);
        self.place_parts(&commit)?;
        self.remove_parts(&commit)
    }

    /// Finishes what a run that was killed behind its commit had not done.
    pub(crate) fn settle(&self, commits: &[Commit]) -> Result<()> {
        // A part is named by its content: one that went may have come again, and the last word counts.
        let mut live: HashSet<&PathBuf> = HashSet::new();
        for commit in commits {
            commit.removed.iter().for_each(|path| {
                live.remove(path);
            });
            live.extend(commit.parts.iter().map(|part| &part.path));
        }
        for commit in commits {
            let mut left = commit.clone();
            // One that is in neither place is damage, and who reads it is told.
            left.parts
                .retain(|part| live.contains(&part.path) && part.staged(&self.root.join(STAGING)).exists());
            self.place_parts(&left)?;
        }
        for commit in commits {
            let mut left = commit.clone();
            left.removed.retain(|path| !live.contains(path));
            self.remove_parts(&left)?;
        }
        if let Some(last) = &self.last {
            write_durably(&self.root.join(HEAD), last.as_bytes())?;
        }
        Ok(())
    }

    fn remove_parts(&self, commit: &Commit) -> Result<()> {
        for path in &commit.removed {
            let path = self.root.join(path);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("remove the part", &path, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Moves parts that still wait in staging to where they belong.
    fn place_parts(&self, commit: &Commit) -> Result<()> {
        let staging = self.root.join(STAGING);
        let mut folders = BTreeSet::new();
        for part in &commit.parts {
            let (from, to) = (part.staged(&staging), self.root.join(&part.path));
            if to.exists() {
                continue;
            }
            let folder = to.parent().unwrap_or(&self.root);
            fs::create_dir_all(folder).at("make the folder", folder)?;
            fs::rename(&from, &to).at("put the part in its place", &to)?;
            folders.insert(folder.to_owned());
        }
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }
}

const WAY_OUT: &str = "put _state back from a backup, or ingest the logs into a new lake";

fn damaged(path: &Path, what: String) -> Error {
    Error::Damaged {
        path: path.to_owned(),
        what,
    }
}

/// A commit's name: its number, and the hash of what it says.
fn name_of(number: u64, text: &[u8]) -> String {
    format!("{number:08}-{}", content_name(text))
}

/// Whether the path is one that this lake gives to a part: a commit that names another would have it read, or removed.
fn is_place_of_a_part(path: &Path) -> bool {
    let mut steps = path.components();
    let (Some(table), Some(day), Some(file), None) = (steps.next(), steps.next(), steps.next(), steps.next()) else {
        return false;
    };
    let texts = [table, day, file].map(|step| match step {
        Component::Normal(text) => text.to_str().unwrap_or_default(),
        _ => "",
    });
    Table::of_dir(texts[0]).is_some()
        && texts[1].starts_with("date=")
        && texts[2].starts_with("part-")
        && texts[2].ends_with(".parquet")
}

/// Writes a file that is either whole or not there, whatever happens.
pub(crate) fn write_durably(path: &Path, content: &[u8]) -> Result<()> {
    let aside = path.with_extension("tmp");
    let mut file = File::create(&aside).at("write", &aside)?;
    file.write_all(content).at("write", &aside)?;
    file.sync_all().at("write", &aside)?;
    fs::rename(&aside, path).at("write", path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes the names in a folder last: a file that was synced can lose its name with the power.
fn sync_folder(folder: &Path) -> Result<()> {
    // Only Unix opens a folder as a file.
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .at("write", folder)?;
    Ok(())
}
