//! Which records the lake holds already, in bounded memory: hour by hour, read back from the parts when an hour comes up again.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasherDefault, Hasher};
use std::path::Path;

use arrow::array::{Array, AsArray};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::check::check;
use crate::error::{AtPath, Error, Result};
use crate::fingerprint::Fingerprint;
use crate::id::{ContentHash, RecordId};
use crate::part::PartInfo;
use crate::rows::RowKey;
use crate::table::{Day, Table};

/// Ids held at most, but for one hour's: about 60 bytes each.
const IDS_HELD: usize = 1_000_000;
const MICROS_PER_HOUR: u64 = 3_600_000_000;

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    New,
    /// New, but another record of this lake has the same name and says something else.
    Differing,
    Repeated,
}

#[derive(Default)]
pub(crate) struct SeenIds {
    hours: HashMap<(Table, Day, u64), Hour>,
    held: usize,
    clock: u64,
    recent: RecentClaims,
}

/// Names that senders gave lately, whatever the time of their records: two generations bound the memory.
#[derive(Default)]
struct RecentClaims {
    young: Hashes<u64>,
    old: Hashes<u64>,
}

/// Names in one generation.
const CLAIMS_HELD: usize = 500_000;

impl RecentClaims {
    /// Whether the name is new.
    fn insert(&mut self, claim: u64) -> bool {
        if self.young.len() >= CLAIMS_HELD {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(claim) && !self.old.contains(&claim)
    }
}

/// Hashes need no hashing: their first bytes are as good as any.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        // An array is written with its length first, which is the same for all: the last eight bytes written count.
        let mut word = [0; 8];
        let kept = bytes.len().min(8);
        word[..kept].copy_from_slice(&bytes[..kept]);
        self.0 = u64::from_le_bytes(word);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type Hashes<T> = HashSet<T, BuildHasherDefault<FirstBytes>>;

#[derive(Default)]
struct Hour {
    ids: Hashes<ContentHash>,
    used: u64,
}

impl SeenIds {
    /// Notes the record of a lake that has these parts.
    pub(crate) fn arrive(&mut self, key: &RowKey, root: &Path, parts: &[PartInfo]) -> Result<Arrival> {
        let place = (key.id.table(), key.day, key.id.time() / MICROS_PER_HOUR);
        self.clock += 1;
        if !self.hours.contains_key(&place) {
            self.make_room();
            let hour = Hour::load(place, root, parts, &mut self.recent)?;
            self.held += hour.ids.len();
            self.hours.insert(place, hour);
        }
        let hour = self.hours.get_mut(&place).expect("it was inserted above");
        hour.used = self.clock;
        if !hour.ids.insert(key.id.hash()) {
            return Ok(Arrival::Repeated);
        }
        self.held += 1;
        let is_claimed = key.claim.is_some_and(|claim| !self.recent.insert(claim));
        Ok(if is_claimed { Arrival::Differing } else { Arrival::New })
    }

    /// Forgets the hours used longest ago.
    fn make_room(&mut self) {
        if self.held <= IDS_HELD {
            return;
        }
        let mut by_use: Vec<_> = self.hours.iter().map(|(place, hour)| (hour.used, *place)).collect();
        by_use.sort_unstable();
        for (_, place) in by_use {
            if self.held <= IDS_HELD / 2 {
                break;
            }
            self.held -= self.hours.remove(&place).map_or(0, |hour| hour.ids.len());
        }
    }
}

impl Hour {
    fn load(
        (table, day, hour): (Table, Day, u64),
        root: &Path,
        parts: &[PartInfo],
        recent: &mut RecentClaims,
    ) -> Result<Self> {
        let mut loaded = Self::default();
        let touches = |part: &PartInfo| {
            let hour_of = |id: &str| id.parse::<RecordId>().map_or(hour, |id| id.time() / MICROS_PER_HOUR);
            part.is_of(table, day) && (hour_of(&part.first)..=hour_of(&part.last)).contains(&hour)
        };
        for part in parts.iter().filter(|part| touches(part)) {
            loaded.add_part(table, hour, &check(root, part)?, recent)?;
        }
        Ok(loaded)
    }

    fn add_part(&mut self, table: Table, hour: u64, path: &Path, recent: &mut RecentClaims) -> Result<()> {
        let names: &[&str] = match table {
            Table::Audit => &["id", "audit_id", "stage"],
            Table::CloudTrail => &["id", "event_id"],
            _ => &["id"],
        };
        let file = File::open(path).at("read the part", path)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).at("read the part", path)?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
        let reader = builder
            .with_projection(mask)
            .with_batch_size(8192)
            .build()
            .at("read the part", path)?;
        let mut fingerprint = Fingerprint::default();
        for batch in reader {
            let batch = batch.map_err(|error| Error::Damaged {
                path: path.to_owned(),
                what: error.to_string(),
            })?;
            let column = |name: &str| {
                batch
                    .column_by_name(name)
                    .and_then(|column| column.as_string_opt::<i32>())
            };
            let missing = || Error::Damaged {
                path: path.to_owned(),
                what: "it has no column id".to_owned(),
            };
            let ids = column("id").ok_or_else(missing)?;
            let claims: Vec<_> = names[1..].iter().filter_map(|name| column(name)).collect();
            for row in 0..batch.num_rows() {
                let Some(id) = RecordId::from_bytes(ids.value(row).as_bytes()) else {
                    continue;
                };
                if id.time() / MICROS_PER_HOUR != hour {
                    continue;
                }
                self.ids.insert(id.hash());
                if claims.first().is_some_and(|claim| claim.is_valid(row)) {
                    fingerprint.begin();
                    fingerprint.texts(claims.iter().map(|claim| claim.is_valid(row).then(|| claim.value(row))));
                    recent.insert(fingerprint.claim());
                }
            }
        }
        Ok(())
    }
}
