//! One pass at a time on one lake. The lock goes with the process, so a pass that died holds none; what stands in the file only says
//! who holds it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use eksplain_analyze::time::format_rfc3339;
use serde::{Deserialize, Serialize};

use super::record::host;
use crate::error::Failure;
use crate::settings::now;

/// Who holds the lock.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    host: String,
    since: String,
}

/// Takes the lock until the file is dropped.
pub(super) fn take(lake: &Path) -> Result<File, Failure> {
    let state = lake.join("_state");
    fs::create_dir_all(&state)?;
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(state.join("run.lock"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = file.read_to_string(&mut text).ok();
            let holder: Option<Holder> = read.and_then(|_| serde_json::from_str(&text).ok());
            let who = holder.map_or_else(String::new, |holder| {
                format!(": process {} on {}, since {}", holder.pid, holder.host, holder.since)
            });
            return Err(Failure::usage(
                format!("another run is working on {}{who}", lake.display()),
                "wait until it ends, or stop it; a run that died does not keep the lock",
            ));
        }
        Err(TryLockError::Error(error)) => {
            return Err(Failure::usage(
                format!("could not lock {}: {error}", lake.display()),
                "keep the lake on a file system with locks (a local disk, EBS, EFS)",
            ));
        }
    }
    let holder = Holder {
        pid: std::process::id(),
        host: host(),
        since: format_rfc3339(now() / 1_000_000 * 1_000_000),
    };
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(&holder)?.as_bytes())?;
    file.flush()?;
    Ok(file)
}
