//! Reports into a bucket: first all files under `reports/date=…/`, then the page alone under `latest/`.
//!
//! S3 replaces one object at once and never two: `latest/` therefore holds the self-contained page and nothing else, so that whoever
//! reads it sees the old report or the new one. What lies beside the page is found by date.

use object_store::path::Path;
use object_store::{Attribute, Attributes, ObjectStore, PutOptions, PutPayload};

use super::{Encryption, Place, fault_of, open_for};
use crate::access::Aws;
use crate::fault::Fault;

/// The page that `latest/` holds.
const PAGE: &str = "report.html";

/// Writes the files of a report; the page last.
///
/// # Errors
/// Where S3 refuses a file: the files before it are written, `latest/` is as it was.
pub async fn deliver(
    aws: &Aws,
    place: &Place,
    day: &str,
    files: &[(&str, Vec<u8>)],
    encryption: &Encryption,
) -> Result<(), Fault> {
    let account = aws.own();
    let store = open_for(aws, account, &account.region(), place, encryption).await?;
    let key = |rest: String| {
        if place.prefix.is_empty() {
            rest
        } else {
            format!("{}/{rest}", place.prefix)
        }
    };
    let dated = files
        .iter()
        .map(|(name, content)| (key(format!("reports/date={day}/{name}")), name, content));
    let page = files.iter().filter(|(name, _)| *name == PAGE);
    let latest = page.map(|(name, content)| (key(format!("latest/{name}")), name, content));
    for (key, name, content) in dated.chain(latest) {
        let path = Path::parse(&key)
            .map_err(|error| Fault::other("s3:PutObject", "a key that cannot be written", error.to_string()))?;
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, content_type(name).into());
        let options = PutOptions {
            attributes,
            ..PutOptions::default()
        };
        store
            .put_opts(&path, PutPayload::from(content.clone()), options)
            .await
            .map_err(|error| fault_of("s3:PutObject", &error))?;
    }
    Ok(())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        Some("csv") => "text/csv; charset=utf-8",
        Some("md") => "text/markdown; charset=utf-8",
        _ => "application/octet-stream",
    }
}
