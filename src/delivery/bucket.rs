//! A report into S3, one object after the other: the files of its day, what they are, the page as the latest, where its files lie.

use eksplain_aws::s3::Shelf;

use super::{Content, MANIFEST, Manifest, is_later};
use crate::error::Failure;

/// What `latest/` holds.
const PAGE: &str = "report.html";
/// Says which files belong to the latest report; outside of `latest/`, which one object fills.
const LATEST: &str = "latest.json";

/// Writes all; where S3 refuses, what people open is as it was. Gives whether it is the latest: one of a later time stays.
pub(super) async fn deliver(shelf: &Shelf, mut manifest: Manifest, files: &[Content]) -> Result<bool, Failure> {
    // Who may not read replaces what is there.
    let latest = shelf.get(LATEST).await.ok().flatten();
    let is_latest = !latest.is_some_and(|latest| is_later(&latest, &manifest.at));
    for ((name, content), listed) in files.iter().zip(&mut manifest.files) {
        let key = format!("{}/{name}", manifest.folder);
        listed.version = shelf.put(&key, content.clone()).await?;
    }
    let said = manifest.to_json()?;
    shelf
        .put(&format!("{}/{MANIFEST}", manifest.folder), said.clone())
        .await?;
    if !is_latest {
        return Ok(false);
    }
    if let Some((_, page)) = files.iter().find(|(name, _)| *name == PAGE) {
        shelf.put(&format!("latest/{PAGE}"), page.clone()).await?;
    }
    shelf.put(LATEST, said).await?;
    Ok(true)
}
