//! A place in S3 that is written to: objects appear whole or not at all, and reading back tells what is there.

use bytes::Bytes;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, MultipartUpload, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
    PutResult,
};

use super::{Encryption, Place, fault_of, open_for};
use crate::access::Aws;
use crate::fault::{Fault, Kind};

/// What is larger goes up in parts of this size: one call would not end within its time on a slow line.
const PART: usize = 16 * 1024 * 1024;

/// A prefix of a bucket, opened for writing.
pub struct Shelf {
    store: AmazonS3,
    prefix: String,
}

impl Shelf {
    /// Finds the bucket; nothing is written yet.
    ///
    /// # Errors
    /// Where there are no credentials, or the bucket's name is none.
    pub async fn open(aws: &Aws, place: &Place, encryption: &Encryption) -> Result<Self, Fault> {
        let account = aws.own();
        Ok(Self {
            store: open_for(aws, account, &account.region(), place, encryption).await?,
            prefix: place.prefix.clone(),
        })
    }

    /// Writes an object; gives its version where the bucket keeps versions.
    ///
    /// # Errors
    /// Where S3 refuses it, with the action that is missing.
    pub async fn put(&self, key: &str, content: Vec<u8>) -> Result<Option<String>, Fault> {
        let path = self.path(key, "s3:PutObject")?;
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, content_type(key).into());
        let put = if content.len() > PART {
            self.put_in_parts(&path, Bytes::from(content), attributes).await
        } else {
            let options = PutOptions {
                attributes,
                ..PutOptions::default()
            };
            self.store.put_opts(&path, PutPayload::from(content), options).await
        };
        Ok(put.map_err(|error| fault_of("s3:PutObject", &error))?.version)
    }

    /// Each part is a call of its own, which can be made again; the object appears when the last has come.
    async fn put_in_parts(
        &self,
        path: &Path,
        content: Bytes,
        attributes: Attributes,
    ) -> object_store::Result<PutResult> {
        let options = PutMultipartOptions {
            attributes,
            ..PutMultipartOptions::default()
        };
        let mut upload = self.store.put_multipart_opts(path, options).await?;
        for from in (0..content.len()).step_by(PART) {
            let part = content.slice(from..content.len().min(from + PART));
            if let Err(error) = upload.put_part(PutPayload::from(part)).await {
                // What was sent is forgotten; the bucket's lifecycle does the same where this fails too.
                let _ = upload.abort().await;
                return Err(error);
            }
        }
        upload.complete().await
    }

    /// Reads an object; `None` where there is none.
    ///
    /// # Errors
    /// Where S3 refuses it.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        let path = self.path(key, "s3:GetObject")?;
        let read = async { self.store.get(&path).await?.bytes().await };
        match read.await.map_err(|error| fault_of("s3:GetObject", &error)) {
            Ok(content) => Ok(Some(content.to_vec())),
            Err(fault) if fault.kind == Kind::NotFound && fault.code != "NoSuchBucket" => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Names of the folders directly below one, sorted.
    ///
    /// # Errors
    /// Where S3 refuses to list.
    pub async fn folders(&self, below: &str) -> Result<Vec<String>, Fault> {
        let path = self.path(below, "s3:ListBucket")?;
        let listed = self.store.list_with_delimiter(Some(&path)).await;
        let listed = listed.map_err(|error| fault_of("s3:ListBucket", &error))?;
        let mut names: Vec<String> = listed
            .common_prefixes
            .iter()
            .filter_map(|folder| folder.filename().map(str::to_owned))
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    fn path(&self, key: &str, action: &'static str) -> Result<Path, Fault> {
        let key = if self.prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{}/{key}", self.prefix)
        };
        Path::parse(&key).map_err(|error| Fault::other(action, "not a valid object key", error.to_string()))
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        Some("csv") => "text/csv; charset=utf-8",
        Some("md") => "text/markdown; charset=utf-8",
        Some("parquet") => "application/vnd.apache.parquet",
        _ => "application/octet-stream",
    }
}
