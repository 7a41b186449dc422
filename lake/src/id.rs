//! What the id of a record is: its time, its table, and a hash of what it says.
//!
//! 29 characters that sort by time: 12 of base32hex (RFC 4648 section 7, lower case) for microseconds since 1970, one letter for
//! the table, 16 of base32hex for 80 bits of content hash. The same record has the same id in every run and every lake.
//! Microseconds outside the years 1970 to 9999 are clamped here, and stay as they are in the `ts` column; no time counts as 0.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use eksplain_parse::time::Micros;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use crate::error::{AtPath, Result};
use crate::table::Table;

/// 80 bits of xxh3-128 over a record's content.
pub(crate) type ContentHash = [u8; 10];

/// Characters of an id.
pub const ID_LENGTH: usize = 29;
const TIME_LENGTH: usize = 12;
/// 9999-12-31T23:59:59.999999Z.
const LAST_TIME: i64 = 253_402_300_799_999_999;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// The id of a record; ordered as its text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    time: u64,
    table: Table,
    hash: ContentHash,
}

/// The text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read {0:?} as a record ID: a record ID has 29 letters and digits")]
pub struct NotAnId(pub String);

impl RecordId {
    pub(crate) fn new(ts: Option<Micros>, table: Table, hash: ContentHash) -> Self {
        let time = ts.unwrap_or(0).clamp(0, LAST_TIME).unsigned_abs();
        Self { time, table, hash }
    }

    /// The table that the record is in.
    pub fn table(self) -> Table {
        self.table
    }

    /// Microseconds since 1970, as far as an id can say them.
    pub fn time(self) -> u64 {
        self.time
    }

    pub(crate) fn hash(self) -> ContentHash {
        self.hash
    }

    /// Whether the time is one that other times were clamped to.
    pub(crate) fn is_clamped(self) -> bool {
        self.time == 0 || self.time == LAST_TIME.unsigned_abs()
    }

    /// The id of the same time and table with another content.
    pub(crate) fn with_hash(self, hash: ContentHash) -> Self {
        Self { hash, ..self }
    }

    /// The text as bytes, all of them ASCII.
    pub(crate) fn to_bytes(self) -> [u8; ID_LENGTH] {
        let mut text = [0; ID_LENGTH];
        for (at, place) in text[..TIME_LENGTH].iter_mut().enumerate() {
            *place = digit(self.time >> (5 * (TIME_LENGTH - 1 - at)));
        }
        text[TIME_LENGTH] = self.table.letter();
        text[TIME_LENGTH + 1..].copy_from_slice(&hash_text(self.hash));
        text
    }

    /// The id that these bytes write.
    pub(crate) fn from_bytes(text: &[u8]) -> Option<Self> {
        let text: &[u8; ID_LENGTH] = text.try_into().ok()?;
        let time = text[..TIME_LENGTH]
            .iter()
            .try_fold(0, |sum: u64, c| Some(sum << 5 | value(*c)?))?;
        let table = Table::of_letter(text[TIME_LENGTH])?;
        let bits = text[TIME_LENGTH + 1..]
            .iter()
            .try_fold(0, |sum: u128, c| Some(sum << 5 | u128::from(value(*c)?)))?;
        let mut hash = ContentHash::default();
        hash.copy_from_slice(&bits.to_be_bytes()[6..]);
        Some(Self { time, table, hash })
    }
}

/// The first 80 bits of a hash.
pub(crate) fn cut_hash(hash: u128) -> ContentHash {
    let mut cut = ContentHash::default();
    cut.copy_from_slice(&hash.to_be_bytes()[..10]);
    cut
}

/// 16 characters of base32hex.
pub(crate) fn hash_text(hash: ContentHash) -> [u8; 16] {
    let mut wide = [0; 16];
    wide[6..].copy_from_slice(&hash);
    let bits = u128::from_be_bytes(wide);
    std::array::from_fn(|at| ALPHABET[(bits >> (5 * (15 - at)) & 31) as usize])
}

/// What a file is named by: a hash of its content.
pub(crate) fn content_name(content: &[u8]) -> String {
    name_of_hash(xxh3_128(content))
}

/// The name that the content of a file gives it.
pub(crate) fn content_name_of_file(path: &Path) -> Result<String> {
    let mut file = File::open(path).at("read", path)?;
    let (mut hasher, mut window) = (Xxh3Default::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut window).at("read", path)? {
            0 => return Ok(name_of_hash(hasher.digest128())),
            read => hasher.update(&window[..read]),
        }
    }
}

fn name_of_hash(hash: u128) -> String {
    hash_text(cut_hash(hash)).iter().copied().map(char::from).collect()
}

fn digit(bits: u64) -> u8 {
    ALPHABET[(bits & 31) as usize]
}

fn value(c: u8) -> Option<u64> {
    match c {
        b'0'..=b'9' => Some(u64::from(c - b'0')),
        b'a'..=b'v' => Some(u64::from(c - b'a') + 10),
        _ => None,
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.to_bytes()).expect("the alphabet is ASCII"))
    }
}

impl FromStr for RecordId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        Self::from_bytes(text.as_bytes()).ok_or_else(|| NotAnId(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_has_its_documented_form() {
        let id = RecordId::new(Some(32), Table::Audit, [0xff; 10]);
        assert_eq!(id.to_string(), "000000000010avvvvvvvvvvvvvvvv");
        assert_eq!(
            RecordId::new(None, Table::Rejects, [0; 10]).to_string(),
            "000000000000r0000000000000000"
        );
    }

    #[test]
    fn times_outside_the_calendar_are_clamped() {
        for (far, near) in [
            (i64::MIN, 0),
            (-1, 0),
            (i64::MAX, LAST_TIME),
            (LAST_TIME + 1, LAST_TIME),
        ] {
            let id = RecordId::new(Some(far), Table::Audit, [1; 10]);
            assert_eq!(id, RecordId::new(Some(near), Table::Audit, [1; 10]));
            assert!(id.is_clamped());
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "x",
            "000000000010avvvvvvvvvvvvvvv",
            "000000000010xvvvvvvvvvvvvvvvv",
            "000000000010avvvvvvvvvvvvvvvw",
            "000000000010Avvvvvvvvvvvvvvvv",
        ] {
            assert!(text.parse::<RecordId>().is_err(), "{text}");
        }
    }

    fn any_id() -> impl Strategy<Value = RecordId> {
        (any::<Option<i64>>(), 0..5_usize, any::<[u8; 10]>())
            .prop_map(|(ts, table, hash)| RecordId::new(ts, Table::ALL[table], hash))
    }

    proptest! {
        #[test]
        fn ids_sort_as_their_text_and_their_time(a in any_id(), b in any_id()) {
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            if a.time() < b.time() {
                prop_assert!(a.to_string() < b.to_string());
            }
            prop_assert_eq!(a.to_string().parse::<RecordId>().unwrap(), a);
        }
    }
}
