//! Evidence: which records prove a statement, and the sentence that says what each shows.

use eksplain_queries::facts::Mark;

use crate::findings::{Evidence, Source};

/// At most this many prove one item.
const SHOWN: usize = 5;

pub(crate) fn audit(mark: &Mark, summary: impl Into<String>) -> Evidence {
    evidence(mark, Source::Audit, summary)
}

pub(crate) fn authenticator(mark: &Mark, summary: impl Into<String>) -> Evidence {
    evidence(mark, Source::Authenticator, summary)
}

pub(crate) fn cloudtrail(mark: &Mark, summary: impl Into<String>) -> Evidence {
    evidence(mark, Source::Cloudtrail, summary)
}

/// By the table that the id names.
pub(crate) fn any(mark: &Mark, summary: impl Into<String>) -> Evidence {
    let source = match mark.id.as_bytes().get(12) {
        Some(b'a') => Source::Audit,
        Some(b'c') => Source::Cloudtrail,
        Some(b's') => Source::Snapshot,
        _ => Source::Authenticator,
    };
    evidence(mark, source, summary)
}

fn evidence(mark: &Mark, source: Source, summary: impl Into<String>) -> Evidence {
    Evidence {
        id: mark.id.clone(),
        ts: mark.ts,
        source,
        summary: summary.into(),
    }
}

/// Sorted by time, each record once, the first and the last among those shown.
pub(crate) fn shown(mut all: Vec<Evidence>) -> Vec<Evidence> {
    all.retain(|item| !item.id.is_empty());
    all.sort();
    all.dedup_by(|a, b| a.id == b.id);
    if all.len() > SHOWN {
        let last = all.split_off(all.len() - 1);
        all.truncate(SHOWN - 1);
        all.extend(last);
    }
    all
}
