//! A report into a folder: written aside, synced, then put in the place of the old one in one step.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, rename, renameat_with};
use rustix::io::Errno;

use super::{Content, MANIFEST, Manifest};

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

pub(super) fn deliver(root: &Path, manifest: &Manifest, files: &[Content]) -> io::Result<()> {
    fs::create_dir_all(root.join("reports"))?;
    // Held until the end; a second writer waits, a killed one holds nothing.
    let lock = File::open(root)?;
    lock.lock()?;
    let manifest_file = (MANIFEST, manifest.to_json()?);
    let all: Vec<&Content> = files.iter().chain([&manifest_file]).collect();
    for place in [manifest.folder.as_str(), "latest"] {
        let aside = root.join(ASIDE);
        remove(&aside)?;
        write(&aside, &all)?;
        replace(&aside, &root.join(place))?;
        remove(&aside)?;
    }
    lock.sync_all()
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
