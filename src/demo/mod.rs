//! The estate that comes with eksplain: log files that the generator of the tests wrote, in the shapes of the real ones.

use std::io;
use std::path::Path;

/// The moment that the demo's questions are about.
pub(crate) const AT: &str = "2026-03-31T00:00:00Z";

/// Paths and contents.
const FILES: &[(&str, &[u8])] = include!("files.rs");

/// Writes the log files into a folder.
pub(crate) fn write_estate(folder: &Path) -> io::Result<()> {
    for (path, content) in FILES {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, content)?;
    }
    Ok(())
}
