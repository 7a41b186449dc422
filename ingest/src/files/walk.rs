//! Which files a list of paths means, in a stable order.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Error, Object, STDIN, uri_of};

/// Every file under the paths, once, sorted by its absolute path; `input` holds what came by standard input.
pub(super) fn walk(paths: &[PathBuf], input: Option<&Path>) -> Result<Vec<Object>, Error> {
    let mut found = BTreeMap::new();
    for path in paths {
        match input.filter(|_| path == Path::new("-")) {
            Some(file) => {
                let mut object = object(Path::new("-"), file, &meta(file)?);
                object.uri = STDIN.to_owned();
                found.insert(object.uri.clone(), object);
            }
            None => visit(path, path, &mut found)?,
        }
    }
    Ok(found.into_values().collect())
}

fn visit(root: &Path, path: &Path, found: &mut BTreeMap<String, Object>) -> Result<(), Error> {
    let fault = |source| Error::Path {
        path: path.to_owned(),
        source,
    };
    let meta = meta(path)?;
    if meta.is_dir() {
        for entry in fs::read_dir(path).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            // A link to nowhere, or out of a folder that was walked already, is not what was asked for.
            if entry.file_type().is_ok_and(|kind| kind.is_symlink())
                && fs::metadata(entry.path()).map_or(true, |meta| meta.is_dir())
            {
                continue;
            }
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            visit(root, &entry.path(), found)?;
        }
        return Ok(());
    }
    let object = object(root, path, &meta);
    found.insert(object.uri.clone(), object);
    Ok(())
}

fn meta(path: &Path) -> Result<fs::Metadata, Error> {
    fs::metadata(path).map_err(|source| Error::Path {
        path: path.to_owned(),
        source,
    })
}

fn object(root: &Path, path: &Path, meta: &fs::Metadata) -> Object {
    let relative = match path.strip_prefix(root) {
        Ok(relative) if relative.as_os_str().is_empty() => path.file_name().map(PathBuf::from).unwrap_or_default(),
        Ok(relative) => relative.to_owned(),
        Err(_) => path.to_owned(),
    };
    let micros = |time: SystemTime| {
        let age = time.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(age.as_micros()).ok()
    };
    Object {
        path: path.to_owned(),
        relative,
        uri: uri_of(path),
        size: meta.len(),
        modified: meta.modified().ok().and_then(micros),
    }
}
