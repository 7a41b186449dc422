//! Present state out of `kubectl get … -o json`: RBAC objects and aws-auth, as they were when the file was written.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use eksplain_lake::{KeepRaw, Lake, Origin, RowSet, SnapshotRecord};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::files::{Error, uri_of};
use crate::place::Hints;
use crate::report::{IngestReport, Problem};

/// An object, or a list of them.
#[derive(Debug, Deserialize)]
struct Document<'a> {
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Object {
    kind: String,
    metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

/// Reads files of `kubectl get … -o json` into the lake's snapshot table; `-` is standard input. The time of a snapshot is the file's.
///
/// # Errors
/// [`Error::Path`] where a file cannot be read, [`Error::Lake`]. Objects of other kinds are counted as skipped; what is no Kubernetes
/// object goes to rejects.
pub fn ingest_kubectl(lake: &mut Lake, files: &[PathBuf], hints: &Hints) -> Result<IngestReport, Error> {
    let session = lake.ingest()?;
    let mut report = IngestReport::default();
    for (group, path) in (0..).zip(files) {
        let (text, modified) = read(path).map_err(|source| Error::Path {
            path: path.clone(),
            source,
        })?;
        let uri = if path == Path::new("-") {
            "stdin:".to_owned()
        } else {
            uri_of(path)
        };
        let mut rows = RowSet::new(KeepRaw::Evidence);
        let origin = Origin {
            account: hints.account.as_deref(),
            region: hints.region.as_deref(),
            cluster: hints.cluster.as_deref(),
            uri: &uri,
            line: 1,
            ts: Some(modified),
            ..Origin::default()
        };
        if let Err(error) = add(&mut rows, &text, &origin, &mut report) {
            report.read += 1;
            rows.reject("snapshot", &format!("no JSON of kubectl: {error}"), &text, &origin);
            report.problems.push(Problem {
                uri: uri.clone(),
                reason: format!("is no JSON that kubectl printed: {error}"),
            });
        }
        session.finish_group(group, rows.take(), Vec::new())?;
        report.files += 1;
        report.bytes += text.len() as u64;
    }
    let summary = session.summary();
    (report.kept, report.repeated, report.rejected) = (summary.kept, summary.repeated, summary.rejected);
    Ok(report)
}

fn read(path: &Path) -> io::Result<(String, i64)> {
    let micros = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|age| i64::try_from(age.as_micros()).ok())
            .unwrap_or(0)
    };
    if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        return Ok((text, micros(SystemTime::now())));
    }
    let modified = std::fs::metadata(path)?.modified()?;
    Ok((std::fs::read_to_string(path)?, micros(modified)))
}

fn add(rows: &mut RowSet, text: &str, origin: &Origin<'_>, report: &mut IngestReport) -> serde_json::Result<()> {
    let whole: &RawValue = serde_json::from_str(text)?;
    let document: Document<'_> = serde_json::from_str(text)?;
    for (line, item) in (1..).zip(document.items.unwrap_or_else(|| vec![whole])) {
        let object: Object = serde_json::from_str(item.get())?;
        let is_aws_auth =
            object.metadata.namespace.as_deref() == Some("kube-system") && object.metadata.name == "aws-auth";
        let kind = match object.kind.as_str() {
            "Role" => "role",
            "RoleBinding" => "role_binding",
            "ClusterRole" => "cluster_role",
            "ClusterRoleBinding" => "cluster_role_binding",
            "ConfigMap" if is_aws_auth => "config_map",
            _ => {
                report.skipped += 1;
                continue;
            }
        };
        report.read += 1;
        rows.snapshot(
            &SnapshotRecord {
                kind,
                name: &object.metadata.name,
                body: item.get(),
            },
            &Origin { line, ..*origin },
        );
    }
    Ok(())
}
