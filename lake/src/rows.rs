//! From typed records to columns: the builders that ingesting fills, one table beside the other.
//!
//! [`RowSet`] lives as long as one reader does; [`RowSet::take`] hands over what was pushed and keeps the buffers' owner. Ids are
//! made here, so that they depend on nothing but the record and its origin.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, RecordBatch, TimestampMicrosecondBuilder};
use eksplain_parse::audit::AuditEvent;
use eksplain_parse::authenticator::AuthenticatorRecord;
use eksplain_parse::cloudtrail::CloudTrailEvent;
use eksplain_parse::time::Micros;

use crate::fingerprint::Fingerprint;
use crate::id::{ContentHash, RecordId};
use crate::redact::redact_secret;
use crate::table::{Day, Table, day_of};
use crate::tables::audit::AuditColumns;
use crate::tables::authenticator::AuthenticatorColumns;
use crate::tables::cloudtrail::CloudTrailColumns;
use crate::tables::rejects::RejectsColumns;
use crate::tables::snapshot::{SnapshotColumns, SnapshotRecord};
use crate::tables::{Columns, Json, Long, Text, audit, authenticator, cloudtrail, rejects, snapshot};

/// Where a record comes from; the record's own account and region win over these.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// AWS account.
    pub account: Option<&'a str>,
    /// AWS region.
    pub region: Option<&'a str>,
    /// EKS cluster.
    pub cluster: Option<&'a str>,
    /// CloudWatch log stream.
    pub stream: Option<&'a str>,
    /// The object.
    pub uri: &'a str,
    /// Line or number of the record in the object, from 1.
    pub line: u64,
    /// The envelope's time, for records that have none.
    pub ts: Option<Micros>,
}

/// Which records to store with their raw text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeepRaw {
    /// Every record, and every request and response object.
    All,
    /// Records that can become evidence.
    #[default]
    Evidence,
    /// None; rejects keep their text all the same.
    None,
}

/// What decides where a row goes and whether it is new.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowKey {
    pub(crate) id: RecordId,
    pub(crate) day: Day,
    /// Short hash of the name that the sender gave, where senders give names.
    pub(crate) claim: Option<u64>,
    /// It should belong to a cluster, and names none.
    pub(crate) is_nameless: bool,
}

/// Rows of one table as columns.
#[derive(Debug)]
pub(crate) struct TableRows {
    pub(crate) table: Table,
    pub(crate) keys: Vec<RowKey>,
    pub(crate) batch: RecordBatch,
}

/// Rows ready for a lake.
#[derive(Debug, Default)]
pub struct Rows {
    pub(crate) tables: Vec<TableRows>,
    /// Secrets that were taken out of them.
    pub(crate) redacted: u64,
}

/// Builders of every table.
#[derive(Default)]
pub struct RowSet {
    keep: KeepRaw,
    authenticator: Builder<AuthenticatorColumns>,
    audit: Builder<AuditColumns>,
    cloudtrail: Builder<CloudTrailColumns>,
    snapshot: Builder<SnapshotColumns>,
    rejects: Builder<RejectsColumns>,
    fingerprint: Fingerprint,
    like: LikeLines,
}

impl RowSet {
    /// Empty builders.
    pub fn new(keep: KeepRaw) -> Self {
        Self {
            keep,
            ..Self::default()
        }
    }

    /// Says that the next records come from another object: like lines are counted anew.
    pub fn begin_object(&mut self) {
        self.like = LikeLines::default();
    }

    /// Adds a line of the authenticator; `raw` is the whole line.
    pub fn authenticator(&mut self, record: &AuthenticatorRecord<'_>, origin: &Origin<'_>, raw: &str) {
        let ts = record.time_micros().or(origin.ts);
        let line = authenticator::line_hash(ts, raw, origin, &mut self.fingerprint);
        let line = self.like.number(line, origin.cluster, &mut self.fingerprint);
        let hash = authenticator::in_cluster(line, origin.cluster, &mut self.fingerprint);
        let kept = (self.keep != KeepRaw::None).then_some(raw);
        self.authenticator
            .lead(RecordId::new(ts, Table::Authenticator, hash), ts, None, origin, kept);
        self.authenticator.own.push(record, origin);
    }

    /// Adds an audit event; `raw` is its JSON text.
    pub fn audit(&mut self, event: &AuditEvent<'_>, origin: &Origin<'_>, raw: &str) {
        let ts = event.ts().or(origin.ts);
        let (claim, hash) = audit::content_hash(event, &mut self.fingerprint);
        let kept = self.kept(raw, || audit::is_evidence(event));
        let kept = kept.map(|raw| match audit::is_of_secrets(event) {
            true => redact_secret(raw).0,
            false => raw.into(),
        });
        self.audit.lead(
            RecordId::new(ts, Table::Audit, hash),
            ts,
            event.audit_id.as_ref().map(|_| claim),
            origin,
            kept.as_deref(),
        );
        self.audit.own.push(event, origin, self.keep);
    }

    /// Adds a CloudTrail record; `raw` is its JSON text. The recipient's account and the record's region win over the origin's.
    pub fn cloudtrail(&mut self, event: &CloudTrailEvent<'_>, origin: &Origin<'_>, raw: &str) {
        let ts = event.ts().or(origin.ts);
        let (claim, hash) = cloudtrail::content_hash(event, &mut self.fingerprint);
        let cluster = event.cluster_name();
        let place = Origin {
            account: event
                .recipient_account_id
                .as_deref()
                .or(origin.account)
                .or(event.user_identity.account_id.as_deref()),
            region: event.aws_region.as_deref().or(origin.region),
            cluster: cluster.as_deref(),
            ..*origin
        };
        let kept = self.kept(raw, || cloudtrail::is_evidence(event));
        self.cloudtrail.lead(
            RecordId::new(ts, Table::CloudTrail, hash),
            ts,
            event.event_id.as_ref().map(|_| claim),
            &place,
            kept,
        );
        self.cloudtrail.own.push(event);
    }

    /// Adds one object of present state, seen at the origin's time.
    pub fn snapshot(&mut self, record: &SnapshotRecord<'_>, origin: &Origin<'_>) {
        let hash = snapshot::content_hash(record, origin, &mut self.fingerprint);
        self.snapshot.lead(
            RecordId::new(origin.ts, Table::Snapshot, hash),
            origin.ts,
            None,
            origin,
            None,
        );
        if let Some(key) = self.snapshot.keys.last_mut() {
            key.is_nameless = origin.cluster.is_none() && snapshot::is_of_cluster(record.kind, record.name);
        }
        self.snapshot.own.push(record);
    }

    /// Adds what was not understood: what it was taken for, why, and its text.
    pub fn reject(&mut self, kind: &str, reason: &str, text: &str, origin: &Origin<'_>) {
        let hash = rejects::content_hash(kind, reason, text, origin, &mut self.fingerprint);
        self.rejects.lead(
            RecordId::new(origin.ts, Table::Rejects, hash),
            origin.ts,
            None,
            origin,
            None,
        );
        self.rejects.own.push(kind, reason, text);
    }

    /// Rows since the last [`take`](Self::take).
    pub fn len(&self) -> usize {
        self.authenticator.keys.len()
            + self.audit.keys.len()
            + self.cloudtrail.keys.len()
            + self.snapshot.keys.len()
            + self.rejects.keys.len()
    }

    /// Whether nothing was pushed since the last [`take`](Self::take).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rejects since the last [`take`](Self::take).
    pub fn rejected(&self) -> usize {
        self.rejects.keys.len()
    }

    /// Memory of the rows, without the spare room of the builders.
    pub fn bytes(&mut self) -> usize {
        self.authenticator.bytes()
            + self.audit.bytes()
            + self.cloudtrail.bytes()
            + self.snapshot.bytes()
            + self.rejects.bytes()
    }

    /// What was pushed; the set is empty afterwards.
    pub fn take(&mut self) -> Rows {
        let redacted = self.authenticator.redacted()
            + self.audit.redacted()
            + self.cloudtrail.redacted()
            + self.snapshot.redacted()
            + self.rejects.redacted();
        let tables = [
            self.authenticator.take(Table::Authenticator),
            self.audit.take(Table::Audit),
            self.cloudtrail.take(Table::CloudTrail),
            self.snapshot.take(Table::Snapshot),
            self.rejects.take(Table::Rejects),
        ];
        Rows {
            tables: tables.into_iter().flatten().collect(),
            redacted,
        }
    }

    fn kept<'r>(&self, raw: &'r str, is_evidence: impl Fn() -> bool) -> Option<&'r str> {
        match self.keep {
            KeepRaw::All => Some(raw),
            KeepRaw::Evidence => is_evidence().then_some(raw),
            KeepRaw::None => None,
        }
    }
}

/// The shared columns around a table's own.
#[derive(Default)]
struct Builder<C> {
    keys: Vec<RowKey>,
    id: Long,
    ts: Vec<Option<Micros>>,
    account: Text,
    region: Text,
    cluster: Text,
    source_uri: Text,
    source_line: Vec<u64>,
    own: C,
    raw: Json,
}

impl<C: Columns> Builder<C> {
    fn lead(&mut self, id: RecordId, ts: Option<Micros>, claim: Option<u64>, origin: &Origin<'_>, raw: Option<&str>) {
        self.keys.push(RowKey {
            id,
            day: day_of(ts),
            claim,
            is_nameless: origin.cluster.is_none() && matches!(id.table(), Table::Authenticator | Table::Audit),
        });
        self.id.push(std::str::from_utf8(&id.to_bytes()).ok());
        self.ts.push(ts);
        self.account.push(origin.account);
        self.region.push(origin.region);
        self.cluster.push(origin.cluster);
        self.source_uri.push(Some(origin.uri));
        self.source_line.push(origin.line);
        self.raw.push(raw);
    }

    fn bytes(&mut self) -> usize {
        let shared = [
            self.id.bytes(),
            self.account.bytes(),
            self.region.bytes(),
            self.cluster.bytes(),
            self.source_uri.bytes(),
            self.raw.bytes(),
        ];
        shared.iter().sum::<usize>() + self.keys.len() * (size_of::<RowKey>() + 24) + self.own.bytes()
    }

    /// Secrets in the table's own columns; the raw text repeats them.
    fn redacted(&mut self) -> u64 {
        let _ = self.raw.redacted();
        self.own.redacted()
    }

    fn take(&mut self, table: Table) -> Option<TableRows> {
        if self.keys.is_empty() {
            return None;
        }
        let mut ts = TimestampMicrosecondBuilder::with_capacity(self.ts.len()).with_timezone("UTC");
        self.ts.drain(..).for_each(|time| ts.append_option(time));
        let mut line = Int64Builder::with_capacity(self.source_line.len());
        self.source_line
            .drain(..)
            .for_each(|number| line.append_value(i64::try_from(number).unwrap_or(i64::MAX)));
        let mut columns: Vec<ArrayRef> = vec![
            self.id.finish(),
            Arc::new(ts.finish()),
            self.account.finish(),
            self.region.finish(),
            self.cluster.finish(),
            self.source_uri.finish(),
            Arc::new(line.finish()),
        ];
        columns.extend(self.own.finish());
        columns.push(self.raw.finish());
        let batch = RecordBatch::try_new(table.schema(), columns)
            .expect("every push fills every column of the table's own list");
        Some(TableRows {
            table,
            keys: std::mem::take(&mut self.keys),
            batch,
        })
    }
}

/// Tells identical lines of one object and instant apart by their order.
///
/// Two generations bound the memory: a like line more than 500,000 others later would take the number of its first.
#[derive(Default)]
struct LikeLines {
    young: HashMap<ContentHash, u32>,
    old: HashMap<ContentHash, u32>,
}

const LIKE_LINES_KEPT: usize = 500_000;

impl LikeLines {
    fn number(&mut self, line: ContentHash, cluster: Option<&str>, fingerprint: &mut Fingerprint) -> ContentHash {
        let text = authenticator::in_cluster(line, cluster, fingerprint);
        if self.young.len() >= LIKE_LINES_KEPT {
            self.old = std::mem::take(&mut self.young);
        }
        let before = self.old.get(&text).copied().unwrap_or(0);
        let count = self.young.entry(text).or_insert(before);
        *count += 1;
        match *count {
            1 => line,
            number => {
                fingerprint.begin();
                fingerprint.hash(&line);
                fingerprint.number(Some(i64::from(number)));
                fingerprint.finish()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eksplain_parse::{audit, authenticator, cloudtrail};

    fn ids(rows: &Rows) -> Vec<String> {
        rows.tables
            .iter()
            .flat_map(|table| table.keys.iter().map(|key| key.id.to_string()))
            .collect()
    }

    #[test]
    fn like_lines_of_one_object_differ_and_are_the_same_in_the_next_run() {
        let line = "time=\"2026-11-23T10:00:00Z\" level=info msg=\"access granted\" groups=\"[]\" username=a";
        let origin = Origin {
            uri: "file:a",
            line: 1,
            ..Origin::default()
        };
        let run = || {
            let mut rows = RowSet::new(KeepRaw::Evidence);
            for _ in 0..2 {
                rows.authenticator(&authenticator::parse_line(line), &origin, line);
            }
            ids(&rows.take())
        };
        let first = run();
        assert_ne!(first[0], first[1]);
        assert_eq!(first, run());
    }

    #[test]
    fn a_line_is_the_same_whoever_says_its_account_and_another_in_another_cluster() {
        let line = "time=\"2026-11-23T10:00:00Z\" level=info msg=\"access granted\" username=a";
        let id = |account, cluster| {
            let mut rows = RowSet::new(KeepRaw::Evidence);
            let origin = Origin {
                account,
                cluster,
                ..Origin::default()
            };
            rows.authenticator(&authenticator::parse_line(line), &origin, line);
            ids(&rows.take()).remove(0)
        };
        assert_eq!(id(None, Some("prod")), id(Some("111122223333"), Some("prod")));
        assert_ne!(id(None, Some("prod")), id(None, Some("shop")));
        assert_ne!(id(None, Some("prod")), id(None, None));
    }

    #[test]
    fn one_event_in_two_spellings_has_one_id() {
        let mut rows = RowSet::new(KeepRaw::None);
        let origin = Origin {
            uri: "x",
            line: 1,
            ..Origin::default()
        };
        for text in [
            r#"{"eventID":"e","eventTime":"2026-11-23T10:00:00Z","eventName":"A","readOnly":true,"requestParameters":{"name":"p"}}"#,
            r#"{ "eventTime": "2026-11-23T10:00:00Z", "eventName": "A", "readOnly": "true", "requestParameters": { "name": "p" }, "eventID": "e" }"#,
        ] {
            rows.cloudtrail(&cloudtrail::parse_record(text).unwrap(), &origin, text);
        }
        let ids = ids(&rows.take());
        assert_eq!(ids[0], ids[1]);
    }

    #[test]
    fn one_audit_id_with_two_contents_is_two_records() {
        let mut rows = RowSet::new(KeepRaw::None);
        let origin = Origin {
            uri: "x",
            line: 1,
            ..Origin::default()
        };
        for verb in ["get", "list"] {
            let text = format!(
                r#"{{"auditID":"e","stage":"ResponseComplete","verb":"{verb}","stageTimestamp":"2026-11-23T10:00:00.000001Z"}}"#
            );
            rows.audit(&audit::parse_event(&text).unwrap(), &origin, &text);
        }
        let rows = rows.take();
        let keys = &rows.tables[0].keys;
        assert_ne!(keys[0].id, keys[1].id);
        assert_eq!(keys[0].claim, keys[1].claim);
    }
}
