//! Present state out of what `kubectl`, `aws` and `eksctl` print, as JSON or YAML: the same records as the API's snapshot.
//!
//! A document is known by its shape: `kind` and `metadata` of Kubernetes, the one key around an answer of the AWS CLI, the fields of
//! eksctl's lists. Only a whole document is present state, never a text inside a log record: who writes to a log chooses that text.
//!
//! A document that shows all there is of one kind is noted as a `list`, so that what it does not name is known to be gone; each
//! module says which documents those are.

use eksplain_lake::SnapshotRecord;
use serde_json::{Value, json};

use crate::place::Place;

mod eks;
mod eksctl;
mod iam;
mod kubernetes;
mod yaml;

pub(crate) use eksctl::is_list as is_eksctl_list;
pub(crate) use yaml::{documents as yaml_documents, may_be as may_be_yaml};

/// The kind of the record that says that a list is complete.
pub const LIST: &str = "list";

/// What a list says of its completeness where it has no mark of it, and looks complete.
pub(crate) const ASSUMED: &str = "assumed";

/// One object of present state, as a document shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// A word of the snapshot table's `kind`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) body: Value,
    /// What the object says of its own place.
    pub(crate) place: Place,
    pub(crate) belongs: Belongs,
}

/// What an object is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belongs {
    Cluster,
    /// Of an account, and no cluster.
    Region,
    /// IAM knows no regions.
    Account,
}

/// What a document shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) seen: Vec<Seen>,
    /// Objects of kinds that no question asks about.
    pub(crate) others: u64,
}

/// Reads a document. `account` is the hint, for answers that name none.
///
/// `None` where it is no document of present state; the error says what makes one useless, and the way that works.
pub(crate) fn read(document: &Value, account: Option<&str>) -> Option<Result<State, String>> {
    if let Some(list) = document.as_array() {
        return eksctl::read(list);
    }
    kubernetes::read(document)
        .or_else(|| eks::read(document))
        .map(Ok)
        .or_else(|| iam::read(document, account))
}

/// As [`read`], of a text that is no document: an error message of the AWS CLI that says that a principal is gone.
pub(crate) fn read_message(text: &str, account: Option<&str>) -> Option<Result<State, String>> {
    iam::read_message(text, account)
}

/// The body of a `list` record: the names of all that there is, and of what.
pub fn complete_list<N: AsRef<str>>(names: &[N], scope: Value) -> Value {
    let mut names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    json!({"complete": true, "count": names.len(), "names": names, "scope": scope})
}

impl Seen {
    fn of_cluster(kind: &'static str, name: &str, body: Value, place: Place) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            body,
            place,
            belongs: Belongs::Cluster,
        }
    }

    fn of_account(kind: &'static str, name: &str, body: Value, place: Place) -> Self {
        Self {
            belongs: Belongs::Account,
            ..Self::of_cluster(kind, name, body, place)
        }
    }

    /// The record, with its body's text.
    pub(crate) fn record<'r>(&'r self, body: &'r str) -> SnapshotRecord<'r> {
        SnapshotRecord {
            kind: self.kind,
            name: &self.name,
            body,
        }
    }
}

/// The fields of an object that are wanted and there; a null is as good as none.
fn pick(from: &Value, keys: &[&str]) -> Value {
    let fields = keys.iter().filter_map(|key| {
        let value = from.get(*key).filter(|value| !value.is_null())?;
        Some(((*key).to_owned(), value.clone()))
    });
    Value::Object(fields.collect())
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}
