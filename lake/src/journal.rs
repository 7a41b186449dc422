//! The journal: one file a commit, in order; what is in it is in the lake, and nothing else.
//!
//! A commit is written beside its place, synced, and renamed; then its parts are moved from `_staging` to where they belong. A run
//! that is killed between the two is finished by whoever opens the lake next. Nothing in a commit tells of clocks or processes,
//! so that a run that was killed and repeated ends in the same files as one that never was.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use crate::error::{AtPath, Error, Result};
use crate::id::{cut_hash, hash_text};
use crate::part::PartInfo;

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

/// The commits of a lake.
pub(crate) struct Journal {
    root: PathBuf,
    next: u64,
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
        let commits = names
            .iter()
            .map(|path| {
                let text = fs::read(path).at("read the commit", path)?;
                serde_json::from_slice(&text).map_err(|error| Error::Damaged {
                    path: path.clone(),
                    what: error.to_string(),
                })
            })
            .collect::<Result<Vec<Commit>>>()?;
        Ok((
            Self {
                root: root.to_owned(),
                next: names.len() as u64 + 1,
            },
            commits,
        ))
    }

    /// Makes the commit last, then moves its parts into place.
    pub(crate) fn append(&mut self, commit: &Commit) -> Result<()> {
        let text = serde_json::to_vec(commit).map_err(|error| Error::Damaged {
            path: self.root.clone(),
            what: error.to_string(),
        })?;
        let folder = self.root.join(COMMITS);
        fs::create_dir_all(&folder).at("make the folder", &folder)?;
        let hash = hash_text(cut_hash(xxh3_128(&text)));
        let hash = std::str::from_utf8(&hash).expect("base32hex is ASCII");
        write_durably(&folder.join(format!("{:08}-{hash}.json", self.next)), &text)?;
        self.next += 1;
        self.place_parts(commit)?;
        self.remove_parts(commit)
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
            left.parts.retain(|part| live.contains(&part.path));
            self.place_parts(&left)?;
        }
        for commit in commits {
            let mut left = commit.clone();
            left.removed.retain(|path| !live.contains(path));
            self.remove_parts(&left)?;
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
        for part in &commit.parts {
            let (from, to) = (part.staged(&staging), self.root.join(&part.path));
            if to.exists() {
                continue;
            }
            let folder = to.parent().unwrap_or(&self.root);
            fs::create_dir_all(folder).at("make the folder", folder)?;
            fs::rename(&from, &to).at("put the part in its place", &to)?;
        }
        Ok(())
    }
}

/// Writes a file that is either whole or not there, whatever happens.
pub(crate) fn write_durably(path: &Path, content: &[u8]) -> Result<()> {
    let aside = path.with_extension("tmp");
    let mut file = File::create(&aside).at("write", &aside)?;
    file.write_all(content).at("write", &aside)?;
    file.sync_all().at("write", &aside)?;
    fs::rename(&aside, path).at("write", path)
}
