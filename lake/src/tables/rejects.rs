//! `rejects`: what could not be understood, with its text, its place and the reason. Nothing that was read is lost.

use std::borrow::Cow;

use crate::fingerprint::Fingerprint;
use crate::id::ContentHash;
use crate::rows::Origin;
use crate::tables::columns;

columns! {
    /// Builders of the table's own columns.
    struct RejectsColumns {
        /// What it was taken for
        kind: Text,
        /// Why it was not understood
        reason: Text,
        /// The text itself
        text: Json,
    }
}

/// Bytes of a reject's text that are kept; the reason says where a text was cut.
pub const TEXT_LIMIT: usize = 64 * 1024;

impl RejectsColumns {
    pub(crate) fn push(&mut self, kind: &str, reason: &str, text: &str) {
        let kept = &text[..text.floor_char_boundary(TEXT_LIMIT)];
        let reason = match text.len() {
            whole if whole > kept.len() => {
                Cow::Owned(format!("{reason} (text cut: {} of {whole} bytes kept)", kept.len()))
            }
            _ => Cow::Borrowed(reason),
        };
        self.kind.push(Some(kind));
        self.reason.push(Some(&reason));
        self.text.push(Some(kept));
    }
}

/// What makes a reject the same: its place and its text. Two like texts in two places are two rejects.
pub(crate) fn content_hash(
    kind: &str,
    reason: &str,
    text: &str,
    origin: &Origin<'_>,
    fingerprint: &mut Fingerprint,
) -> ContentHash {
    fingerprint.begin();
    fingerprint.texts([Some(kind), Some(reason), Some(text), Some(origin.uri)]);
    fingerprint.number(i64::try_from(origin.line).ok());
    fingerprint.number(origin.ts);
    fingerprint.finish()
}
