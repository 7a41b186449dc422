//! What a run of ingesting tells its caller: while it goes on, and at its end.

use std::collections::BTreeMap;

use eksplain_lake::TableSummary;

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Objects read.
    pub files: u64,
    /// Objects of the run, those done before not counted.
    pub files_total: u64,
    /// Bytes read, as stored.
    pub bytes: u64,
    /// Bytes of the run, as stored.
    pub bytes_total: u64,
    /// Records read.
    pub records: u64,
}

/// An object that could not be read, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The object.
    pub uri: String,
    /// What is wrong, and what was done about it.
    pub reason: String,
}

/// When present state was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    /// Microseconds since 1970.
    pub at: i64,
    /// Nobody said when: it is the time of the file.
    pub is_of_file: bool,
}

/// What a run did. `read` is `kept` + `repeated` + `rejected`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IngestReport {
    /// Records read, understood or not.
    pub read: u64,
    /// New in the lake.
    pub kept: u64,
    /// In the lake already, or twice in the input.
    pub repeated: u64,
    /// Not understood: in `rejects`.
    pub rejected: u64,
    /// Kept beside a record of the same `eventID` or `auditID` that says something else.
    pub differing: u64,
    /// Secrets that were taken out of what was read.
    pub redacted: u64,
    /// Records and objects that are known and that no question asks about: not stored.
    pub skipped: u64,
    /// What they are, and how many of each.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// Objects read.
    pub files: u64,
    /// Objects that an earlier run had read.
    pub files_known: u64,
    /// Bytes read, as stored.
    pub bytes: u64,
    /// Records whose own account or region differs from a hint: the record wins.
    pub conflicts: u64,
    /// The run was interrupted; what was committed stays.
    pub interrupted: bool,
    /// Objects in trouble, sorted.
    pub problems: Vec<Problem>,
    /// Times of the present state that files show, sorted.
    pub taken: Vec<Taken>,
    /// What was rejected, by reason.
    pub refused: BTreeMap<String, Refused>,
    /// What became of the records of each table that had some.
    pub tables: BTreeMap<&'static str, TableSummary>,
}

/// Records that were rejected for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// How many.
    pub count: u64,
    /// The first object that has one, in the order of names.
    pub uri: String,
}

impl Refused {
    pub(crate) fn add(&mut self, count: u64, uri: &str) {
        self.count += count;
        if self.uri.is_empty() || uri < self.uri.as_str() {
            self.uri = uri.to_owned();
        }
    }
}

impl IngestReport {
    /// Takes what another part of the same run did.
    pub fn add(&mut self, other: Self) {
        self.read += other.read;
        self.kept += other.kept;
        self.repeated += other.repeated;
        self.rejected += other.rejected;
        self.differing += other.differing;
        self.redacted += other.redacted;
        self.skipped += other.skipped;
        for (what, count) in other.passed_over {
            *self.passed_over.entry(what).or_default() += count;
        }
        self.files += other.files;
        self.files_known += other.files_known;
        self.bytes += other.bytes;
        self.conflicts += other.conflicts;
        self.interrupted |= other.interrupted;
        self.problems.extend(other.problems);
        self.taken.extend(other.taken);
        for (reason, refused) in other.refused {
            self.refused.entry(reason).or_default().add(refused.count, &refused.uri);
        }
        for (table, more) in other.tables {
            let own = self.tables.entry(table).or_default();
            own.kept += more.kept;
            own.repeated += more.repeated;
            own.nameless += more.nameless;
        }
    }
}
