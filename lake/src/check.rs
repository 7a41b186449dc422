//! Whether a part is what its commit says: nothing reads one before that is known.
//!
//! A part's name is a hash of its content, so that one flipped bit shows, and so does a part that was put in another's place.
//! Parquet's own libraries do not look: they answer wrongly, or panic.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::error::{AtPath, Error, Result};
use crate::id::content_name_of_file;
use crate::journal::STAGING;
use crate::part::PartInfo;

/// Where the part is: in its place, or still in staging where a run was killed, or is, between its commit and its parts.
pub(crate) fn place_of(root: &Path, part: &PartInfo) -> PathBuf {
    let place = root.join(&part.path);
    if place.exists() {
        return place;
    }
    let staged = part.staged(&root.join(STAGING));
    if staged.exists() { staged } else { place }
}

/// Compares a part with what its commit says of it, and returns where it is.
pub(crate) fn check(root: &Path, part: &PartInfo) -> Result<PathBuf> {
    let path = place_of(root, part);
    let damaged = |what: String| Error::Damaged {
        path: path.clone(),
        what,
    };
    let size = match fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(damaged("it is gone".to_owned())),
        looked => looked.at("look at", &path)?.len(),
    };
    if size != part.bytes {
        return Err(damaged(format!(
            "it has {size} bytes, its commit recorded {}",
            part.bytes
        )));
    }
    let name = format!("part-{}.parquet", content_name_of_file(&path)?);
    if part.path.file_name() != Some(name.as_ref()) {
        return Err(damaged("its content is not what was committed".to_owned()));
    }
    Ok(path)
}

/// Checks many parts side by side; the answers have their order.
pub(crate) fn check_all(root: &Path, parts: &[&PartInfo]) -> Vec<Result<PathBuf>> {
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(parts.len().max(1));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((at, part)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            parts.get(at).map(|part| (at, part))
        } {
            done.push((at, check(root, part)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, checked)| checked).collect()
}
