//! Objects on their way: fetched ahead of the reader, at most so many at a time, large ones in ranges.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eksplain_ingest::{LocalFile, Object, Store};
use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use tempfile::TempPath;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::{Place, fault_of};
use crate::fault::{Fault, Kind};
use crate::quota::Meter;

/// Objects that come at a time.
const WIDTH: usize = 16;
/// Bytes asked for at a time.
const RANGE: u64 = 8 * 1024 * 1024;
/// Ranges of one object that come at a time.
const RANGES: usize = 4;
const ATTEMPTS: u32 = 5;

type Download = JoinHandle<io::Result<TempPath>>;

/// The buckets of a run.
pub(super) struct Buckets {
    stores: Vec<(String, Arc<AmazonS3>)>,
    folder: PathBuf,
    runtime: Handle,
    room: Arc<Semaphore>,
    meter: Arc<Meter>,
    coming: Mutex<HashMap<String, Download>>,
    refused: Arc<Mutex<Vec<(String, Fault)>>>,
}

impl Buckets {
    pub(super) fn new(lake: &FilePath, meter: Arc<Meter>) -> Self {
        Self {
            stores: Vec::new(),
            folder: lake.join("_state/download"),
            runtime: Handle::current(),
            room: Arc::new(Semaphore::new(WIDTH)),
            meter,
            coming: Mutex::default(),
            refused: Arc::default(),
        }
    }

    pub(super) fn add(&mut self, place: &Place, store: AmazonS3) {
        self.stores.push((format!("s3://{}/", place.bucket), Arc::new(store)));
    }

    /// Objects that AWS did not give.
    pub(super) fn refusals(&self) -> Vec<(String, Fault)> {
        lock(&self.refused).clone()
    }

    fn start(&self, object: &Object) -> Option<Download> {
        let (bucket, store) = self.stores.iter().find(|(bucket, _)| object.uri.starts_with(bucket))?;
        let key = object.uri[bucket.len()..].to_owned();
        let (store, room, meter) = (Arc::clone(store), Arc::clone(&self.room), Arc::clone(&self.meter));
        let (folder, refused) = (self.folder.clone(), Arc::clone(&self.refused));
        let (uri, size) = (object.uri.clone(), object.size);
        Some(self.runtime.spawn(async move {
            let _room = room.acquire().await;
            fetch(&store, &key, size, &folder, &meter).await.map_err(|fault| {
                let error = io::Error::other(fault.to_string());
                lock(&refused).push((uri, fault));
                error
            })
        }))
    }
}

impl Store for Buckets {
    fn announce(&self, objects: &[&Object]) {
        for object in objects {
            if let Some(download) = self.start(object) {
                lock(&self.coming).insert(object.uri.clone(), download);
            }
        }
    }

    fn file(&self, object: &Object) -> io::Result<LocalFile> {
        let coming = lock(&self.coming).remove(&object.uri).or_else(|| self.start(object));
        let download = coming.ok_or_else(|| io::Error::other("it is in no bucket of this run"))?;
        let path = self.runtime.block_on(download).map_err(io::Error::other)??;
        Ok(LocalFile::Copy(path))
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        for (_, download) in lock(&self.coming).drain() {
            download.abort();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn fetch(store: &AmazonS3, key: &str, size: u64, folder: &FilePath, meter: &Meter) -> Result<TempPath, Fault> {
    let disk = |error: io::Error| Fault::other("download", "could not be written", error.to_string());
    std::fs::create_dir_all(folder).map_err(disk)?;
    let (file, path) = tempfile::NamedTempFile::new_in(folder).map_err(disk)?.into_parts();
    let key = Path::parse(key).map_err(|error| {
        Fault::other(
            "s3:GetObject",
            "an object key that cannot be requested",
            error.to_string(),
        )
    })?;
    let starts = (0..size).step_by(usize::try_from(RANGE).unwrap_or(usize::MAX));
    let mut ranges = futures::stream::iter(starts)
        .map(|from| fetch_range(store, &key, from..size.min(from + RANGE), &file, meter))
        .buffer_unordered(RANGES);
    while let Some(done) = ranges.next().await {
        done?;
    }
    Ok(path)
}

async fn fetch_range(
    store: &AmazonS3,
    key: &Path,
    range: std::ops::Range<u64>,
    file: &File,
    meter: &Meter,
) -> Result<(), Fault> {
    let mut attempt = 1;
    loop {
        Meter::add(&meter.requests, 1);
        let fault = match store.get_range(key, range.clone()).await {
            // A body that is cut short is asked for again: the length is known.
            Ok(bytes) if bytes.len() as u64 == range.end - range.start => {
                return file
                    .write_all_at(&bytes, range.start)
                    .map_err(|error| Fault::other("download", "could not be written", error.to_string()));
            }
            Ok(_) => Fault {
                kind: Kind::Transient,
                ..Fault::other("s3:GetObject", "answer cut short", "")
            },
            Err(error) => fault_of("s3:GetObject", &error),
        };
        if fault.kind != Kind::Transient || attempt >= ATTEMPTS {
            return Err(fault);
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..200 << attempt))).await;
        attempt += 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
