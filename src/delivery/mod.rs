//! Where a report goes: a folder or a place in S3. It stays under `reports/date=…/`, and what people open is `latest/`.
//!
//! A report is never seen half-written. In a folder, files are written aside, synced, and change places with the old ones in one
//! step. S3 replaces one object at once and never two: there `latest/` holds the page alone, which needs nothing beside it, and
//! `latest.json` says where its other files lie, with their hashes and versions.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use eksplain_aws::s3::{Encryption, Place, Shelf};
use eksplain_aws::{Aws, Settings};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::diff::Brief;
use crate::error::Failure;
use crate::runtime::runtime;

mod bucket;
mod folder;
pub(crate) mod notify;

/// Name of the file that says what a report consists of; written after all others.
const MANIFEST: &str = "manifest.json";
/// The form in which reports are compared.
const DOCUMENT: &str = "report.json";
/// How many days back a report is looked for that holds [`DOCUMENT`].
const MOST_DAYS: usize = 30;

/// A file of a report: name and content.
pub(crate) type Content = (&'static str, Vec<u8>);

/// Where reports go.
pub(crate) enum Destination {
    Folder(PathBuf),
    Bucket {
        uri: String,
        shelf: Shelf,
        runtime: tokio::runtime::Runtime,
    },
}

/// `eksplain.delivery/1`: the files of one report.
#[derive(Debug, Serialize)]
pub(crate) struct Manifest {
    schema: &'static str,
    /// The moment that the report speaks of.
    at: String,
    /// Folder of the files, from where the destination begins.
    folder: String,
    files: Vec<Listed>,
}

#[derive(Debug, Serialize)]
struct Listed {
    name: &'static str,
    bytes: usize,
    sha256: String,
    /// The object's version, where the bucket keeps versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

/// Where a report lies now.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Delivered {
    /// Its files.
    pub(crate) folder: String,
    /// The page that people open, or the folder that holds it; `None` where a report of a later time is the latest.
    pub(crate) latest: Option<String>,
}

impl Destination {
    /// Finds the destination; nothing is written yet.
    pub(crate) fn open(to: &str, access: Settings, encryption: &Encryption) -> Result<Self, Failure> {
        if !to.starts_with("s3://") {
            if to.contains("://") {
                return Err(Failure::usage(
                    format!("could not deliver to {to}: it is neither a folder nor an S3 URI"),
                    "write --to DIR or --to s3://BUCKET/PREFIX",
                ));
            }
            if *encryption != Encryption::OfBucket {
                return Err(Failure::usage(
                    format!("could not encrypt what goes into the folder {to}"),
                    "--sse and --kms-key are for s3:// destinations",
                ));
            }
            let root = PathBuf::from(to);
            folder::probe(&root).map_err(|error| unwritable(&root, &error))?;
            return Ok(Self::Folder(root));
        }
        let place: Place = to
            .parse()
            .map_err(|error| Failure::usage(format!("could not {error}"), "write --to s3://BUCKET/PREFIX"))?;
        let runtime = runtime()?;
        let shelf = runtime.block_on(async {
            let aws = Aws::connect(access).await?;
            let shelf = Shelf::open(&aws, &place, encryption).await?;
            // A bucket that is not there, or not reached, is told before the work; who may not list may still write.
            match shelf.folders("reports").await {
                Err(fault) if fault.kind != eksplain_aws::Kind::Denied => Err(fault),
                _ => Ok(shelf),
            }
        })?;
        Ok(Self::Bucket {
            uri: to.trim_end_matches('/').to_owned(),
            shelf,
            runtime,
        })
    }

    /// The newest report of an earlier day: what a report compares itself with, so that making it again changes nothing.
    pub(crate) fn last_before(&self, day: &str) -> Result<Option<Brief>, Failure> {
        self.newest(|folder| folder < day)
    }

    /// The newest report of all.
    pub(crate) fn last(&self) -> Result<Option<Brief>, Failure> {
        self.newest(|_| true)
    }

    fn newest(&self, fits: impl Fn(&str) -> bool) -> Result<Option<Brief>, Failure> {
        let days: Vec<String> = match self {
            Self::Folder(root) => folder::reports(root).map_err(|error| {
                Failure::usage(
                    format!("could not list the reports in {}: {error}", root.display()),
                    "grant your user read access, or name another folder",
                )
            })?,
            Self::Bucket { shelf, runtime, .. } => runtime.block_on(shelf.folders("reports"))?,
        };
        let days = days.iter().rev().filter_map(|name| name.strip_prefix("date="));
        for day in days.filter(|day| fits(day)).take(MOST_DAYS) {
            let file = format!("reports/date={day}/{DOCUMENT}");
            let found = match self {
                Self::Folder(root) => File::open(root.join(&file))
                    .ok()
                    .map(|file| Brief::read(BufReader::new(file))),
                Self::Bucket { shelf, runtime, .. } => {
                    let content = runtime.block_on(shelf.get(&file))?;
                    content.map(|content| Brief::read(content.as_slice()))
                }
            };
            // What is no report of this version says nothing.
            if let Some(Ok(report)) = found {
                return Ok(Some(report));
            }
        }
        Ok(None)
    }

    /// Writes a report as that of its day, then as the latest.
    pub(crate) fn deliver(&self, at: &str, files: &[Content]) -> Result<Delivered, Failure> {
        let day = day_of(at);
        let dated = format!("reports/date={day}");
        match self {
            Self::Folder(root) => {
                let is_latest = folder::deliver(root, &Manifest::of(at, &dated, files), files)
                    .map_err(|error| unwritable(root, &error))?;
                let shown = |name: &str| root.join(name).display().to_string();
                Ok(Delivered {
                    folder: shown(&dated),
                    latest: is_latest.then(|| shown("latest")),
                })
            }
            Self::Bucket { uri, shelf, runtime } => {
                let is_latest = runtime.block_on(bucket::deliver(shelf, Manifest::of(at, &dated, files), files))?;
                Ok(Delivered {
                    folder: format!("{uri}/{dated}"),
                    latest: is_latest.then(|| format!("{uri}/latest")),
                })
            }
        }
    }
}

fn unwritable(root: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(
        format!("could not write the report into {}: {error}", root.display()),
        "grant your user write access, or name another folder with --to",
    )
}

/// Whether what a manifest tells of is of a later time.
fn is_later(manifest: &[u8], at: &str) -> bool {
    let known = serde_json::from_slice::<serde_json::Value>(manifest).ok();
    let of = |text: &str| eksplain_analyze::time::parse_rfc3339(text);
    known.and_then(|known| of(known["at"].as_str()?)) > of(at)
}

/// The day of a report: it is known by the day that it speaks of.
pub(crate) fn day_of(at: &str) -> &str {
    at.get(..10).unwrap_or(at)
}

impl Manifest {
    fn of(at: &str, folder: &str, files: &[Content]) -> Self {
        let listed = |(name, content): &Content| Listed {
            name,
            bytes: content.len(),
            sha256: Sha256::digest(content)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            version: None,
        };
        Self {
            schema: "eksplain.delivery/1",
            at: at.to_owned(),
            folder: folder.to_owned(),
            files: files.iter().map(listed).collect(),
        }
    }

    fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }
}
