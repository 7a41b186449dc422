//! A report into a folder: written aside, synced, then put in the place of the old one in one step.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, rename, renameat_with};
use rustix::io::Errno;

use super::{Content, MANIFEST, Manifest, is_later};

/// Where files are written before they are seen; leftovers of a killed run are taken away by the next.
const ASIDE: &str = ".new";

/// Names of the folders of reports, sorted; none where nothing was delivered yet.
pub(super) fn reports(root: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(root.join("reports")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether a report can be written there: nothing is taken away that no report left.
pub(super) fn probe(root: &Path) -> io::Result<()> {
    fs::create_dir_all(root.join("reports"))?;
    let latest = root.join("latest");
    if let Ok(about) = fs::symlink_metadata(&latest) {
        let is_ours = about.is_dir() && (latest.join(MANIFEST).is_file() || fs::read_dir(&latest)?.next().is_none());
        if !is_ours {
            let text = "latest there was not written by eksplain, and would be replaced: move it away first";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
    }
    let _lock = lock(root)?;
    let aside = root.join(ASIDE);
    remove(&aside)?;
    fs::create_dir(&aside)?;
    fs::remove_dir(&aside)
}

/// Writes all; gives whether it is the latest: one of a later time stays.
pub(super) fn deliver(root: &Path, manifest: &Manifest, files: &[Content]) -> io::Result<bool> {
    let lock = lock(root)?;
    let manifest_file = (MANIFEST, manifest.to_json()?);
    let all: Vec<&Content> = files.iter().chain([&manifest_file]).collect();
    let latest = fs::read(root.join("latest").join(MANIFEST)).unwrap_or_default();
    let is_latest = !is_later(&latest, &manifest.at);
    let places = [Some(manifest.folder.as_str()), Some("latest").filter(|_| is_latest)];
    for place in places.into_iter().flatten() {
        let aside = root.join(ASIDE);
        remove(&aside)?;
        write(&aside, &all)?;
        replace(&aside, &root.join(place))?;
        remove(&aside)?;
    }
    lock.sync_all()?;
    Ok(is_latest)
}

/// Held until it is dropped; a second writer waits, a killed one holds nothing.
fn lock(root: &Path) -> io::Result<File> {
    let lock = File::open(root)?;
    lock.lock()?;
    Ok(lock)
}

fn write(folder: &Path, files: &[&Content]) -> io::Result<()> {
    fs::create_dir(folder)?;
    for (name, content) in files {
        let mut file = File::create_new(folder.join(name))?;
        file.write_all(content)?;
        file.sync_all()?;
    }
    File::open(folder)?.sync_all()
}

/// Puts the new folder in the old one's place; the old one, if any, is where the new one was.
fn replace(new: &Path, old: &Path) -> io::Result<()> {
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        Err(Errno::NOENT) => Ok(rename(new, old)?),
        // A file system that cannot exchange: for an instant there is none, never a mixture.
        Err(_) => {
            let gone = old.with_extension("old");
            remove(&gone)?;
            rename(old, &gone)?;
            rename(new, old)?;
            remove(&gone)
        }
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
