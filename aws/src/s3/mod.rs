//! `ingest s3`: trails, exports and deliveries, listed folder by folder and read as files are.
//!
//! Folders that cannot hold what was asked for (another region, a day outside the window, digests) are not listed. Objects come in
//! parallel onto the disk, large ones in ranges, and are gone again once they are read.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use eksplain_ingest::{FileOptions, IngestReport, Object, Progress, ingest_objects};
use eksplain_lake::Lake;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};
use object_store::{CredentialProvider, ObjectStore};

use crate::access::{Account, Aws};
use crate::fault::{Fault, Kind};
use crate::pull::Range;
use crate::quota::Meter;
use crate::scope::Scope;

mod download;
mod shelf;
mod walk;

pub use shelf::Shelf;

/// A bucket and where to begin in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Bucket.
    pub bucket: String,
    /// Prefix, without slashes at its ends.
    pub prefix: String,
    /// Whether the caller pays for the requests.
    pub requester_pays: bool,
}

/// Why a place was not understood.
#[derive(Debug, thiserror::Error)]
#[error("read {0:?}: an S3 URI has the form s3://BUCKET/PREFIX")]
pub struct PlaceError(String);

impl std::str::FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let wrong = || PlaceError(text.to_owned());
        let rest = text.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            requester_pays: false,
        })
    }
}

/// What to read.
#[derive(Debug, Clone)]
pub struct Source {
    /// Where.
    pub places: Vec<Place>,
    /// Only objects that can hold records of this time.
    pub window: Option<Range>,
    /// Only these regions of trails; none means all.
    pub regions: Vec<String>,
}

/// Reads the places into the lake.
///
/// # Errors
/// Where the lake cannot be written.
pub async fn ingest(
    aws: &Arc<Aws>,
    lake: &mut Lake,
    source: &Source,
    options: &FileOptions,
    stop: &Arc<AtomicBool>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(IngestReport, Vec<Scope>), eksplain_ingest::Error> {
    let (accounts, mut scopes) = aws.accounts("s3").await;
    let Some(account) = accounts.first() else {
        return Ok((IngestReport::default(), scopes));
    };
    let region = account.region();
    let (report, read) = ingest_as(aws, account, &region, lake, source, options, stop, progress).await?;
    scopes.extend(read);
    Ok((report, scopes))
}

/// As [`ingest`], as one account.
#[expect(clippy::too_many_arguments, reason = "a source, where it goes, and who watches")]
pub(crate) async fn ingest_as(
    aws: &Arc<Aws>,
    account: &Account,
    region: &str,
    lake: &mut Lake,
    source: &Source,
    options: &FileOptions,
    stop: &Arc<AtomicBool>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(IngestReport, Vec<Scope>), eksplain_ingest::Error> {
    let mut objects: Vec<Object> = Vec::new();
    let mut scopes = Vec::new();
    let mut buckets = download::Buckets::new(lake.root(), Arc::clone(&aws.quotas.meter));
    for place in &source.places {
        let mut scope =
            Scope::new(account.id.as_deref(), None, "s3").part(format!("s3://{}/{}", place.bucket, place.prefix));
        match open(aws, account, region, place).await {
            Ok(store) => {
                match walk::list(&store, place, source, &aws.quotas.meter).await {
                    Ok(found) if found.is_empty() && source.window.is_none() && source.regions.is_empty() => {
                        scope = scope.refused(Fault {
                            kind: Kind::NotFound,
                            ..Fault::other("s3:ListBucket", "there is nothing under this prefix", "")
                        });
                    }
                    Ok(found) => objects.extend(found),
                    Err(error) => scope = scope.refused(fault_of("s3:ListBucket", &error)),
                }
                buckets.add(place, store);
            }
            Err(fault) => scope = scope.refused(fault),
        }
        scopes.push(scope);
    }
    objects.sort_by(|a, b| a.uri.cmp(&b.uri));
    objects.dedup_by(|a, b| a.uri == b.uri);
    let wanted: u64 = objects.iter().map(|object| object.size).sum();
    Meter::add(&aws.quotas.meter.wanted, wanted);
    let meter = Arc::clone(&aws.quotas.meter);
    let tell = |now: Progress| {
        meter.covered.store(now.bytes, std::sync::atomic::Ordering::Relaxed);
        meter.records.store(now.records, std::sync::atomic::Ordering::Relaxed);
        progress(now);
    };
    let report = tokio::task::block_in_place(|| ingest_objects(lake, objects, &buckets, options, stop, &tell))?;
    for (prefix, fault) in buckets.refusals() {
        if let Some(scope) = scopes
            .iter_mut()
            .find(|scope| scope.error.is_none() && scope.part.as_deref().is_some_and(|part| prefix.starts_with(part)))
        {
            *scope = scope.clone().partial(fault);
        }
    }
    Ok((report, scopes))
}

/// Whether nothing lies there.
pub(crate) async fn is_empty(aws: &Aws, account: &Account, region: &str, place: &Place) -> Result<bool, Fault> {
    use futures::StreamExt;
    let store = open(aws, account, region, place).await?;
    let prefix = object_store::path::Path::from(place.prefix.as_str());
    let mut listed = store.list(Some(&prefix));
    while let Some(object) = listed.next().await {
        let object = object.map_err(|error| fault_of("s3:ListBucket", &error))?;
        if object.location.filename() != Some("aws-logs-write-test") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Objects and bytes that would be read.
pub(crate) async fn measure(
    aws: &Aws,
    account: &Account,
    region: &str,
    place: &Place,
    source: &Source,
) -> Result<(u64, u64), Fault> {
    let store = open(aws, account, region, place).await?;
    let found = walk::list(&store, place, source, &aws.quotas.meter).await;
    let found = found.map_err(|error| fault_of("s3:ListBucket", &error))?;
    Ok((found.len() as u64, found.iter().map(|object| object.size).sum()))
}

/// The configuration key of object_store for encryption; it has no name in Rust.
const SSE: &str = "aws_server_side_encryption";

/// How objects are encrypted at rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Encryption {
    /// As the bucket is configured.
    #[default]
    OfBucket,
    /// SSE-S3, whatever the bucket says.
    S3,
    /// SSE-KMS with this key: id, ARN or alias.
    Kms(String),
}

async fn open(aws: &Aws, account: &Account, region: &str, place: &Place) -> Result<AmazonS3, Fault> {
    open_for(aws, account, region, place, &Encryption::OfBucket).await
}

async fn open_for(
    aws: &Aws,
    account: &Account,
    region: &str,
    place: &Place,
    encryption: &Encryption,
) -> Result<AmazonS3, Fault> {
    let endpoint = aws.settings.endpoint_url.clone().or_else(|| {
        ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]
            .iter()
            .find_map(|name| std::env::var(name).ok())
    });
    let region = match &endpoint {
        Some(_) => region.to_owned(),
        // The bucket may be elsewhere; where it cannot be asked, the caller's region is as good a guess as any.
        None => object_store::aws::resolve_bucket_region(&place.bucket, &object_store::ClientOptions::new())
            .await
            .unwrap_or_else(|_| region.to_owned()),
    };
    let credentials = account
        .config
        .credentials_provider()
        .ok_or_else(|| Fault::other("s3:GetObject", "no credentials", ""))?;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&place.bucket)
        .with_region(region)
        .with_request_payer(place.requester_pays)
        .with_credentials(Arc::new(FromSdk(credentials)));
    builder = match encryption {
        Encryption::OfBucket => builder,
        Encryption::S3 => builder.with_config(
            SSE.parse::<AmazonS3ConfigKey>()
                .expect("object_store documents this name"),
            "AES256",
        ),
        Encryption::Kms(key) => builder.with_sse_kms_encryption(key),
    };
    if let Some(endpoint) = endpoint {
        builder = builder
            .with_allow_http(endpoint.starts_with("http://"))
            .with_endpoint(endpoint);
    }
    builder
        .build()
        .map_err(|error| Fault::other("s3:ListBucket", "the bucket cannot be addressed", error.to_string()))
}

/// The caller's credentials, renewed as the SDK renews them.
#[derive(Debug)]
struct FromSdk(SharedCredentialsProvider);

#[async_trait::async_trait]
impl CredentialProvider for FromSdk {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let found = self.0.provide_credentials().await;
        let found = found.map_err(|error| object_store::Error::Generic {
            store: "S3",
            source: Box::new(error),
        })?;
        Ok(Arc::new(AwsCredential {
            key_id: found.access_key_id().to_owned(),
            secret_key: found.secret_access_key().to_owned(),
            token: found.session_token().map(str::to_owned),
        }))
    }
}

fn fault_of(action: &'static str, error: &object_store::Error) -> Fault {
    use object_store::Error;
    let (kind, code) = match error {
        Error::NotFound { .. } => (Kind::NotFound, "there is no such bucket or object"),
        Error::PermissionDenied { .. } => (Kind::Denied, "AccessDenied"),
        Error::Unauthenticated { .. } => (Kind::Unknown, "the credentials were not accepted"),
        _ => (Kind::Transient, "not reached"),
    };
    let text = crate::fault::chain(error);
    let said = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        Some(rest.split_once("</")?.0.to_owned())
    };
    let code = said("Code").unwrap_or_else(|| code.to_owned());
    let kind = match code.as_str() {
        "AccessDenied" | "AllAccessDisabled" => Kind::Denied,
        "NoSuchBucket" | "NoSuchKey" => Kind::NotFound,
        "SlowDown" => Kind::Transient,
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" => Kind::Unknown,
        "ExpiredToken" => Kind::Expired,
        "RequestTimeTooSkewed" => Kind::Clock,
        _ => kind,
    };
    let message = said("Message").unwrap_or_else(|| text.lines().next().unwrap_or_default().to_owned());
    Fault {
        kind,
        ..Fault::other(action, code, message)
    }
}

/// The path of an object as a path of files, by which known layouts are recognised.
fn as_path(key: &str) -> PathBuf {
    PathBuf::from("/").join(key)
}
