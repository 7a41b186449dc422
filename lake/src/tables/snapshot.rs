//! `snapshot`: present state, one object a row, as an API or `kubectl get -o json` showed it at one time.
//!
//! A row of kind `list` says what there was of one kind at that time, so that what it does not name is known to be gone. Its
//! `name` is which list: `clusters` (of an account and region), `iam_roles` (of an account); of a cluster `access_entries`,
//! `access_policy_associations:<principalArn>`, `cluster_roles`, `cluster_role_bindings`, and `roles`, `role_bindings`,
//! `config_maps` of all namespaces, or `roles:<namespace>` and its like of one. Its body is
//! `{"complete": true, "names": […], "count": n, "scope": {"of": <kind of the members>, …}}`; members of all namespaces or of one are
//! named `<namespace>/<name>`, access entries by principal, policies by ARN.

use crate::fingerprint::Fingerprint;
use crate::id::ContentHash;
use crate::rows::Origin;
use crate::tables::columns;

columns! {
    /// Builders of the table's own columns.
    struct SnapshotColumns {
        /// cluster, access_entry, access_policy_association, iam_role, iam_user, config_map, cluster_role, cluster_role_binding, role, role_binding, list
        kind: Text,
        /// Name of the object
        name: Long,
        /// The object as JSON, with the field names of AWS or Kubernetes
        body: Json,
    }
}

/// One object of present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotRecord<'a> {
    /// What it is: a word of the `kind` column.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its JSON text.
    pub body: &'a str,
}

impl SnapshotColumns {
    pub(crate) fn push(&mut self, record: &SnapshotRecord<'_>) {
        self.kind.push(Some(record.kind));
        self.name.push(Some(record.name));
        self.body.push(Some(&eksplain_parse::json::minify(record.body)));
    }
}

/// Whether such an object belongs to a cluster: principals of IAM, and lists of an account, do not.
pub(crate) fn is_of_cluster(kind: &str, name: &str) -> bool {
    match kind {
        "list" => !matches!(name, "clusters" | "iam_roles" | "iam_users"),
        kind => !kind.starts_with("iam_"),
    }
}

/// What makes an object of one time and place the same: everything it says.
pub(crate) fn content_hash(
    record: &SnapshotRecord<'_>,
    origin: &Origin<'_>,
    fingerprint: &mut Fingerprint,
) -> ContentHash {
    fingerprint.begin();
    fingerprint.texts([
        origin.account,
        origin.region,
        origin.cluster,
        Some(record.kind),
        Some(record.name),
    ]);
    fingerprint.number(origin.ts);
    fingerprint.json(Some(record.body));
    fingerprint.finish()
}
