//! What makes two records the same record: a hash over their fields, not over their bytes.
//!
//! One event fetched in two ways (CloudTrail's S3 object and LookupEvents, an export and the API) differs in white space and in
//! what surrounds it, and has the same fields; so fields are hashed, each with its length so that no two lists of fields run
//! together, and JSON subtrees without their white space.

use eksplain_parse::json;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::id::{ContentHash, cut_hash};

/// Builds content hashes; reused from record to record for its memory.
#[derive(Debug, Default)]
pub(crate) struct Fingerprint {
    fields: Vec<u8>,
}

const ABSENT: u8 = 0;
const PRESENT: u8 = 1;

impl Fingerprint {
    /// Starts a record.
    pub(crate) fn begin(&mut self) {
        self.fields.clear();
    }

    /// Adds one text or its absence.
    pub(crate) fn text(&mut self, text: Option<&str>) {
        let Some(text) = text else {
            return self.fields.push(ABSENT);
        };
        self.fields.push(PRESENT);
        self.fields.extend_from_slice(&(text.len() as u64).to_le_bytes());
        self.fields.extend_from_slice(text.as_bytes());
    }

    /// Adds texts one by one.
    pub(crate) fn texts<'t>(&mut self, texts: impl IntoIterator<Item = Option<&'t str>>) {
        texts.into_iter().for_each(|text| self.text(text));
    }

    /// Adds a list of texts.
    pub(crate) fn list<T: AsRef<str>>(&mut self, items: &[T]) {
        self.fields.extend_from_slice(&(items.len() as u64).to_le_bytes());
        self.texts(items.iter().map(|item| Some(item.as_ref())));
    }

    /// Adds a number or its absence.
    pub(crate) fn number(&mut self, number: Option<i64>) {
        self.fields.push(if number.is_some() { PRESENT } else { ABSENT });
        self.fields.extend_from_slice(&number.unwrap_or_default().to_le_bytes());
    }

    /// Adds a JSON subtree by its hash; it may be long.
    pub(crate) fn json(&mut self, raw: Option<&str>) {
        let Some(raw) = raw else {
            return self.fields.push(ABSENT);
        };
        self.fields.push(PRESENT);
        self.fields
            .extend_from_slice(&xxh3_128(json::minify(raw).as_bytes()).to_le_bytes());
    }

    /// Adds another hash.
    pub(crate) fn hash(&mut self, hash: &ContentHash) {
        self.fields.extend_from_slice(hash);
    }

    /// The hash of what was added since the beginning.
    pub(crate) fn finish(&self) -> ContentHash {
        cut_hash(xxh3_128(&self.fields))
    }

    /// A short hash of what was added since the beginning, to find two records that claim the same name.
    pub(crate) fn claim(&self) -> u64 {
        xxh3_64(&self.fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_together() {
        let hash = |texts: &[Option<&str>]| {
            let mut fingerprint = Fingerprint::default();
            fingerprint.begin();
            fingerprint.texts(texts.iter().copied());
            fingerprint.finish()
        };
        assert_ne!(hash(&[Some("ab"), Some("c")]), hash(&[Some("a"), Some("bc")]));
        assert_ne!(hash(&[Some("")]), hash(&[None]));
        assert_ne!(hash(&[None, Some("a")]), hash(&[Some("a"), None]));
        assert_eq!(hash(&[Some("a"), None]), hash(&[Some("a"), None]));
    }

    #[test]
    fn white_space_of_a_subtree_does_not_count() {
        let hash = |raw: &str| {
            let mut fingerprint = Fingerprint::default();
            fingerprint.begin();
            fingerprint.json(Some(raw));
            fingerprint.finish()
        };
        assert_eq!(hash("{ \"name\": \"a b\" }"), hash("{\"name\":\"a b\"}"));
        assert_ne!(hash("{\"name\":\"a b\"}"), hash("{\"name\":\"ab\"}"));
    }
}
