//! Members of tar and zip archives, one after the other, never written to disk.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};

use super::Zip;

/// Members of one archive that are read: more are no logs that somebody packed.
const MEMBERS: usize = 1_000_000;

/// What a visitor of members is handed.
pub(crate) struct Member<'m> {
    /// Path within the archive, as it is written there.
    pub(crate) name: String,
    /// Bytes as stored, packed where the archive packs.
    pub(crate) size: u64,
    /// When it was last changed, microseconds since 1970, where the archive tells that without a doubt.
    pub(crate) modified: Option<i64>,
    pub(crate) content: Box<dyn Read + 'm>,
}

/// Why an archive was left.
pub(crate) enum Fault<E> {
    /// What the visitor said.
    Visitor(E),
    /// The archive is damaged, or of a kind that is not read.
    Archive(io::Error),
}

impl<E> From<io::Error> for Fault<E> {
    fn from(error: io::Error) -> Self {
        Self::Archive(error)
    }
}

/// Shows every file of a tar archive.
pub(crate) fn tar<E>(
    source: Box<dyn Read + '_>,
    visit: &mut dyn FnMut(Member<'_>) -> Result<(), E>,
) -> Result<(), Fault<E>> {
    let mut archive = tar::Archive::new(source);
    for entry in archive.entries()?.take(MEMBERS) {
        let entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if is_wanted(&name) {
            let seconds = entry
                .header()
                .mtime()
                .ok()
                .and_then(|seconds| i64::try_from(seconds).ok());
            visit(Member {
                size: entry.size(),
                modified: seconds.and_then(|seconds| seconds.checked_mul(1_000_000)),
                content: Box::new(entry),
                name,
            })
            .map_err(Fault::Visitor)?;
        }
    }
    Ok(())
}

/// Shows every file of a zip archive; those that cannot be opened are given with why.
pub(crate) fn zip<E>(
    source: Zip<'_>,
    visit: &mut dyn FnMut(Member<'_>) -> Result<(), E>,
    refuse: &mut dyn FnMut(&str, String),
) -> Result<(), Fault<E>> {
    let file = match source {
        Zip::File(file) => file,
        Zip::Stream(stream) => spool(stream)?,
    };
    let mut archive = zip::ZipArchive::new(file).map_err(io::Error::other)?;
    if archive.index_for_name("[Content_Types].xml").is_some() {
        return Err(io::Error::other("a spreadsheet or document of Office: save the sheet as CSV").into());
    }
    for number in 0..archive.len().min(MEMBERS) {
        let (name, is_file) = match archive.by_index_raw(number) {
            Ok(member) => (
                String::from_utf8_lossy(member.name_raw()).into_owned(),
                member.is_file(),
            ),
            Err(error) => {
                refuse(&format!("member {}", number + 1), error.to_string());
                continue;
            }
        };
        if !is_file || !is_wanted(&name) {
            continue;
        }
        match archive.by_index(number) {
            Ok(member) => visit(Member {
                name,
                size: member.compressed_size(),
                // A zip tells its local time without a zone.
                modified: None,
                content: Box::new(member),
            })
            .map_err(Fault::Visitor)?,
            Err(error) => refuse(&name, error.to_string()),
        }
    }
    Ok(())
}

fn spool(mut stream: Box<dyn Read + '_>) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut stream, &mut file)?;
    Ok(file)
}

/// Not what a system leaves beside the files that were packed; as of folders, hidden files are not asked for.
fn is_wanted(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    !parts.any(|part| match part {
        Component::Normal(part) => {
            let part = part.to_string_lossy();
            part.starts_with('.') || part == "__MACOSX"
        }
        _ => false,
    })
}
