//! The five tables of a lake, and where the parts of each stand.

use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use eksplain_parse::time::{self, Micros};

use crate::tables::{audit, authenticator, cloudtrail, rejects, snapshot};

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// Lines of the EKS authenticator log.
    Authenticator,
    /// Kubernetes audit events.
    Audit,
    /// CloudTrail events.
    CloudTrail,
    /// Present state, as an API or a file showed it at one time.
    Snapshot,
    /// What could not be understood.
    Rejects,
}

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Days of 0001-01-01 and 9999-12-31, counted from 1970: the years that a partition's name can hold.
const DAYS_WITH_A_NAME: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;
const UNDATED: &str = "__HIVE_DEFAULT_PARTITION__";

/// The partition of a record: its UTC day as days since 1970, or none.
pub(crate) type Day = Option<i32>;

impl Table {
    /// Every table, in the order of the documents.
    pub const ALL: [Self; 5] = [
        Self::Authenticator,
        Self::Audit,
        Self::CloudTrail,
        Self::Snapshot,
        Self::Rejects,
    ];

    /// The name of its folder, which is its name in SQL.
    pub fn dir(self) -> &'static str {
        match self {
            Self::Authenticator => "authenticator",
            Self::Audit => "audit",
            Self::CloudTrail => "cloudtrail",
            Self::Snapshot => "snapshot",
            Self::Rejects => "rejects",
        }
    }

    /// The table of this folder name.
    pub fn of_dir(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.dir() == name)
    }

    /// Columns and their types, in the order of the file.
    pub fn schema(self) -> SchemaRef {
        crate::tables::schema_of(self.columns())
    }

    /// Columns with what they hold, in the order of the file.
    pub fn columns(self) -> Vec<crate::tables::ColumnInfo> {
        crate::tables::all_columns(match self {
            Self::Authenticator => authenticator::COLUMNS,
            Self::Audit => audit::COLUMNS,
            Self::CloudTrail => cloudtrail::COLUMNS,
            Self::Snapshot => snapshot::COLUMNS,
            Self::Rejects => rejects::COLUMNS,
        })
    }

    /// Its place in [`ALL`](Self::ALL).
    pub(crate) fn position(self) -> usize {
        self as usize
    }

    /// The letter that stands for the table in an id.
    pub(crate) fn letter(self) -> u8 {
        match self {
            Self::Audit => b'a',
            Self::CloudTrail => b'c',
            Self::Authenticator => b'l',
            Self::Rejects => b'r',
            Self::Snapshot => b's',
        }
    }

    pub(crate) fn of_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.letter() == letter)
    }

    /// The folder of one day's parts, relative to the lake.
    pub(crate) fn partition(self, day: Day) -> PathBuf {
        Path::new(self.dir()).join(format!("date={}", day_name(day)))
    }
}

impl PartialOrd for Table {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of the letters in ids.
impl Ord for Table {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.letter().cmp(&other.letter())
    }
}

/// The day that a record of this time is filed under: none without a time, or for one that no date names.
pub(crate) fn day_of(ts: Option<Micros>) -> Day {
    let day = ts?.div_euclid(MICROS_PER_DAY);
    i32::try_from(day).ok().filter(|_| DAYS_WITH_A_NAME.contains(&day))
}

/// `2026-11-23`, or Hive's name for no value.
pub(crate) fn day_name(day: Day) -> String {
    day.map_or_else(
        || UNDATED.to_owned(),
        |day| time::format_date(i64::from(day) * MICROS_PER_DAY),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_filed_under_its_utc_day() {
        let name = |text: &str| day_name(day_of(time::parse_rfc3339(text)));
        assert_eq!(name("2026-11-23T23:59:59.999999Z"), "2026-11-23");
        assert_eq!(name("2026-11-23T23:59:59-08:00"), "2026-11-24");
        assert_eq!(name("1969-12-31T23:59:59Z"), "1969-12-31");
        assert_eq!(name("no time"), UNDATED);
        for far in [i64::MIN, i64::MAX] {
            assert_eq!(day_name(day_of(Some(far))), UNDATED);
        }
        assert_eq!(name("0001-01-01T00:00:00Z"), "0001-01-01");
        assert_eq!(name("9999-12-31T23:59:59Z"), "9999-12-31");
    }

    #[test]
    fn letters_and_folders_lead_back_to_their_table() {
        for table in Table::ALL {
            assert_eq!(Table::of_letter(table.letter()), Some(table));
            assert_eq!(Table::of_dir(table.dir()), Some(table));
        }
    }
}
