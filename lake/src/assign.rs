//! Giving a cluster to records that name none, and letting go of objects that are to be read again.
//!
//! The logs of Kubernetes do not say their cluster; files that were read without a hint have records of nowhere. What a record has
//! said of its place stays. Where its id rests on its place it gets the id that it would have been given with the hint; a record
//! that the lake has already under that id goes.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::TimestampMicrosecondType;

use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::id::RecordId;
use crate::lake::{Lake, read};
use crate::rewrite::{Change, Sources};
use crate::rows::Origin;
use crate::seal::keys;
use crate::table::Table;
use crate::tables::authenticator::in_cluster;
use crate::tables::snapshot::{SnapshotRecord, content_hash, is_of_cluster};

/// Which records get which place.
#[derive(Debug, Clone, Copy)]
pub struct Assignment<'a> {
    /// Name of the cluster.
    pub cluster: &'a str,
    /// Account to assume for records that name none.
    pub account: Option<&'a str>,
    /// Region to assume for records that name none.
    pub region: Option<&'a str>,
    /// Objects as the lake names them, folders of objects, archives; none for all.
    pub sources: &'a [String],
}

/// What became of records without a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assigned {
    /// Records that have the cluster now, by table.
    pub records: BTreeMap<&'static str, u64>,
    /// Records that the lake had of that cluster already: one of each is kept.
    pub repeated: u64,
    /// Records that keep an account or a region of their own that differs from the one given.
    pub differing: u64,
}

impl Lake {
    /// Gives records that name no cluster one.
    ///
    /// # Errors
    /// [`Error::Busy`] where another process writes; where a part cannot be read or written. All of it happens, or nothing.
    pub fn assign(&mut self, assignment: &Assignment<'_>) -> Result<Assigned> {
        let (mut journal, _lock) = self.lock()?;
        let mut change = Assign {
            assignment,
            known: self.ids_in(assignment)?,
            done: Assigned::default(),
            fingerprint: Fingerprint::default(),
        };
        let commit = self.rewrite(&mut change)?;
        let done = change.done;
        if !commit.removed.is_empty() {
            journal.append(&commit)?;
        }
        *self = Self::open(self.root())?;
        Ok(done)
    }

    /// Takes the records of objects out of the lake, so that the objects are read again.
    ///
    /// # Errors
    /// As [`assign`](Self::assign).
    pub fn forget(&mut self, sources: &[String]) -> Result<()> {
        if sources.is_empty() {
            return Ok(());
        }
        let (mut journal, _lock) = self.lock()?;
        let mut commit = self.rewrite(&mut Forget(sources.iter().map(String::as_str).collect()))?;
        commit.forgotten = sources.to_vec();
        journal.append(&commit)?;
        *self = Self::open(self.root())?;
        Ok(())
    }

    /// Ids of the records of this cluster whose ids rest on their place: what gets the cluster may be among them.
    fn ids_in(&self, assignment: &Assignment<'_>) -> Result<HashSet<RecordId>> {
        let mut ids = HashSet::new();
        for table in [Table::Authenticator, Table::Snapshot] {
            for path in self.parts(table) {
                for batch in read(&path)? {
                    let batch = batch?;
                    let Some(keys) = keys(&batch) else { continue };
                    let clusters = batch
                        .column_by_name("cluster")
                        .and_then(|column| column.as_string_opt::<i32>());
                    let Some(clusters) = clusters else { continue };
                    let own = keys
                        .iter()
                        .zip(clusters)
                        .filter(|(_, cluster)| *cluster == Some(assignment.cluster));
                    ids.extend(own.map(|(key, _)| key.id));
                }
            }
        }
        Ok(ids)
    }
}

struct Forget<'s>(HashSet<&'s str>);

impl Change for Forget<'_> {
    fn is_about(&self, _: Table) -> bool {
        true
    }

    fn wants(&self, _: Option<&str>, uri: &str) -> bool {
        // Members go with their archive.
        uri.match_indices("!/").any(|(end, _)| self.0.contains(&uri[..end])) || self.0.contains(uri)
    }

    fn apply(&mut self, _: Table, rows: RecordBatch, wanted: &[bool]) -> Result<(RecordBatch, Vec<u32>)> {
        let rest = (0..).zip(wanted).filter(|(_, wanted)| !**wanted).map(|(row, _)| row);
        Ok((rows, rest.collect()))
    }
}

struct Assign<'a> {
    assignment: &'a Assignment<'a>,
    /// Ids that records of this cluster have.
    known: HashSet<RecordId>,
    done: Assigned,
    fingerprint: Fingerprint,
}

impl Change for Assign<'_> {
    /// A call of AWS names the cluster that it is about; one that names none is about none.
    fn is_about(&self, table: Table) -> bool {
        table != Table::CloudTrail
    }

    fn wants(&self, cluster: Option<&str>, uri: &str) -> bool {
        cluster.is_none() && Sources(self.assignment.sources).hold(uri)
    }

    fn apply(&mut self, table: Table, rows: RecordBatch, wanted: &[bool]) -> Result<(RecordBatch, Vec<u32>)> {
        let given = self.assignment;
        let count = rows.num_rows();
        let keep = (0..).take(count);
        let column = |name: &str| -> Result<StringArray> {
            let column = rows
                .column_by_name(name)
                .and_then(|column| column.as_string_opt::<i32>());
            column.cloned().ok_or_else(|| lacks(table, name))
        };
        let (ids, accounts, regions, clusters) =
            (column("id")?, column("account")?, column("region")?, column("cluster")?);
        let text = |column: &StringArray, row: usize| column.is_valid(row).then(|| column.value(row).to_owned());
        let objects = match table {
            Table::Snapshot => Some((column("kind")?, column("name")?, column("body")?)),
            _ => None,
        };
        let times = rows
            .column_by_name("ts")
            .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        let mut new: [Vec<Option<String>>; 4] = Default::default();
        let mut order = Vec::with_capacity(count);
        for (row, number) in (0..count).zip(keep) {
            let (mut id, mut account, mut region, mut cluster) = (
                text(&ids, row),
                text(&accounts, row),
                text(&regions, row),
                text(&clusters, row),
            );
            let is_of_cluster = objects
                .as_ref()
                .is_none_or(|(kinds, names, _)| is_of_cluster(kinds.value(row), names.value(row)));
            let mut is_kept = true;
            if wanted[row] && is_of_cluster {
                let differs = |own: &Option<String>, given: Option<&str>| {
                    own.is_some() && given.is_some() && own.as_deref() != given
                };
                self.done.differing += u64::from(differs(&account, given.account) || differs(&region, given.region));
                account = account.or_else(|| given.account.map(str::to_owned));
                region = region.or_else(|| given.region.map(str::to_owned));
                cluster = Some(given.cluster.to_owned());
                let old = RecordId::from_bytes(ids.value(row).as_bytes()).ok_or_else(|| lacks(table, "id"))?;
                let hash = match &objects {
                    Some((kinds, names, bodies)) => {
                        let origin = Origin {
                            account: account.as_deref(),
                            region: region.as_deref(),
                            cluster: cluster.as_deref(),
                            ts: times.filter(|times| times.is_valid(row)).map(|times| times.value(row)),
                            ..Origin::default()
                        };
                        let record = SnapshotRecord {
                            kind: kinds.value(row),
                            name: names.value(row),
                            body: bodies.value(row),
                        };
                        Some(content_hash(&record, &origin, &mut self.fingerprint))
                    }
                    None if table == Table::Authenticator => {
                        Some(in_cluster(old.hash(), Some(given.cluster), &mut self.fingerprint))
                    }
                    None => None,
                };
                if let Some(hash) = hash {
                    let own = old.with_hash(hash);
                    is_kept = self.known.insert(own);
                    id = Some(own.to_string());
                }
                if is_kept {
                    *self.done.records.entry(table.dir()).or_default() += 1;
                } else {
                    self.done.repeated += 1;
                }
            }
            if is_kept {
                order.push(number);
            }
            for (column, value) in new.iter_mut().zip([id, account, region, cluster]) {
                column.push(value);
            }
        }
        let [ids, accounts, regions, clusters] = new;
        let mut changed: BTreeMap<&str, Vec<Option<String>>> = BTreeMap::from([
            ("id", ids),
            ("account", accounts),
            ("region", regions),
            ("cluster", clusters),
        ]);
        let schema = rows.schema();
        let columns: Vec<ArrayRef> = schema
            .fields()
            .iter()
            .zip(rows.columns())
            .map(|(field, column)| match changed.remove(field.name().as_str()) {
                Some(values) => Arc::new(StringArray::from(values)) as ArrayRef,
                None => Arc::clone(column),
            })
            .collect();
        let rows = RecordBatch::try_new(schema, columns).map_err(|error| Error::Damaged {
            path: table.dir().into(),
            what: error.to_string(),
        })?;
        Ok((rows, order))
    }
}

fn lacks(table: Table, column: &str) -> Error {
    Error::Damaged {
        path: table.dir().into(),
        what: format!("a part has no valid column {column}"),
    }
}
