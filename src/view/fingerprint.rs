//! What a finding is called for good: the same in every run and every report, whatever else the logs come to say of it.
//!
//! It follows from what identifies the finding (question, cluster and life, principal or subject, reason or rule, request), never from
//! times of records, counts, evidence or wording. What a team accepted is found again by it, and a link into the page leads to it.

use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Cluster;

/// 16 letters and digits: 80 bits of SHA-256 in the lower-case letters and digits of base32hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Fingerprint(String);

/// Collects what identifies a finding; the order counts.
pub(crate) struct Parts(Sha256);

const LENGTH: usize = 16;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

impl Parts {
    /// Of a finding of this question.
    pub(crate) fn of(question: &str) -> Self {
        Self(Sha256::new()).with(Some(question))
    }

    /// A part, with its length, so that no two lists of parts read alike; none is another part than an empty one.
    pub(crate) fn with(mut self, part: Option<&str>) -> Self {
        match part {
            None => self.0.update(u64::MAX.to_be_bytes()),
            Some(text) => {
                self.0.update((text.len() as u64).to_be_bytes());
                self.0.update(text.as_bytes());
            }
        }
        self
    }

    /// The cluster, where there is one.
    pub(crate) fn in_cluster(self, cluster: Option<&Cluster>) -> Self {
        let Some(cluster) = cluster else { return self.with(None) };
        self.with(Some(&cluster.name))
            .with(cluster.account.as_deref())
            .with(cluster.region.as_deref())
    }

    /// The life of the cluster.
    pub(crate) fn of_life(self, incarnation: u32) -> Self {
        self.with(Some(&incarnation.to_string()))
    }

    pub(crate) fn fingerprint(self) -> Fingerprint {
        let digest = self.0.finalize();
        let letter = |at: usize| {
            // Five bits from the place on; two bytes hold them.
            let (byte, bit) = (at * 5 / 8, at * 5 % 8);
            let pair = u16::from_be_bytes([digest[byte], digest[byte + 1]]);
            char::from(ALPHABET[usize::from(pair >> (11 - bit) & 31)])
        };
        Fingerprint((0..LENGTH).map(letter).collect())
    }
}

impl Fingerprint {
    /// Whether a text can be one.
    pub(crate) fn is_one(text: &str) -> bool {
        text.len() == LENGTH && text.bytes().all(|letter| ALPHABET.contains(&letter))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[Option<&str>]) -> Fingerprint {
        parts
            .iter()
            .fold(Parts::of("check"), |identity, part| identity.with(*part))
            .fingerprint()
    }

    #[test]
    fn parts_do_not_run_together() {
        let lists: &[&[Option<&str>]] = &[
            &[],
            &[None],
            &[Some("")],
            &[Some("ab")],
            &[Some("a"), Some("b")],
            &[Some("ab"), None],
            &[None, Some("ab")],
            &[Some("b"), Some("a")],
        ];
        let all: std::collections::BTreeSet<Fingerprint> = lists.iter().map(|parts| of(parts)).collect();
        assert_eq!(all.len(), lists.len());
        assert!(all.iter().all(|one| Fingerprint::is_one(one.as_str())));
    }

    #[test]
    fn it_is_the_same_in_every_version() {
        // Files of accepted findings hold it: a change of this value makes every acceptance void.
        assert_eq!(of(&[Some("aws-auth.malformed"), None]).as_str(), "a7nh9ml3rq0lth22");
    }
}
