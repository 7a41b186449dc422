//! Stretches of time, both ends included, in microseconds since 1970; and how the lake remembers which of them it has.

use std::collections::BTreeSet;

use eksplain_lake::{InputDone, Lake};
use serde::{Deserialize, Serialize};

/// Microseconds since 1970, UTC.
pub type Micros = i64;

/// From and to, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Range {
    /// First microsecond.
    pub from: Micros,
    /// Last microsecond.
    pub to: Micros,
}

impl Range {
    pub(crate) fn is_empty(self) -> bool {
        self.from > self.to
    }

    pub(crate) fn millis(self) -> u64 {
        u64::try_from((self.to - self.from + 1) / 1000).unwrap_or(0)
    }

    /// Cuts it into equal pieces whose ends are whole steps.
    pub(crate) fn split(self, pieces: usize, step: Micros) -> Vec<Self> {
        let steps = (self.to - self.from + 1) / step;
        let pieces = i64::try_from(pieces).unwrap_or(1).clamp(1, steps.max(1));
        (0..pieces)
            .map(|at| Self {
                from: self.from + steps * at / pieces * step,
                to: if at + 1 == pieces {
                    self.to
                } else {
                    self.from + steps * (at + 1) / pieces * step - 1
                },
            })
            .collect()
    }

    /// What of it is in none of the others.
    pub(crate) fn without(self, others: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let others: BTreeSet<Self> = others.into_iter().collect();
        let (mut left, mut from) = (Vec::new(), self.from);
        for other in others {
            if other.from > from {
                left.push(Self {
                    from,
                    to: self.to.min(other.from - 1),
                });
            }
            from = from.max(other.to.saturating_add(1));
        }
        left.push(Self { from, to: self.to });
        left.retain(|range| !range.is_empty());
        left
    }

    /// How much of something written evenly from `from` to now lies in this range.
    pub(crate) fn share_of(self, from: Micros, now: Micros) -> f64 {
        let age = (now - from).max(1) as f64;
        let wanted = (self.to.min(now) - self.from.max(from)).max(0) as f64;
        (wanted / age).min(1.0)
    }

    /// The range as an input of the lake.
    pub(crate) fn as_input(self, name: &str) -> InputDone {
        InputDone {
            uri: self.uri(name),
            size: 0,
            modified: None,
        }
    }

    pub(crate) fn uri(self, name: &str) -> String {
        format!("{name}?from={}&to={}", rfc3339(self.from), rfc3339(self.to))
    }

    fn of_uri(uri: &str) -> Option<Self> {
        let (from, to) = uri.split_once("?from=")?.1.split_once("&to=")?;
        let parse = |text: &str| {
            text.parse::<jiff::Timestamp>()
                .ok()
                .map(jiff::Timestamp::as_microsecond)
        };
        Some(Self {
            from: parse(from)?,
            to: parse(to)?,
        })
    }
}

pub(crate) fn rfc3339(micros: Micros) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |time| time.to_string())
}

/// What the lake has of a source.
pub(crate) fn had(lake: &Lake, name: &str) -> Vec<Range> {
    let prefix = format!("{name}?");
    lake.inputs_under(&prefix)
        .filter_map(|input| Range::of_uri(&input.uri))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: i64, to: i64) -> Range {
        Range { from, to }
    }

    #[test]
    fn pieces_join_without_hole_or_overlap() {
        for (whole, pieces, step) in [
            (range(0, 999), 3, 10),
            (range(5, 5), 4, 1),
            (range(0, 9), 4, 5),
            (range(10, 47), 5, 1),
        ] {
            let parts = whole.split(pieces, step);
            assert_eq!((parts[0].from, parts[parts.len() - 1].to), (whole.from, whole.to));
            assert!(parts.windows(2).all(|pair| pair[0].to + 1 == pair[1].from), "{parts:?}");
            assert!(parts.iter().all(|part| !part.is_empty()), "{parts:?}");
        }
    }

    #[test]
    fn what_is_missing_is_found() {
        let whole = range(10, 100);
        assert_eq!(whole.without([]), [whole]);
        assert_eq!(
            whole.without([range(20, 30), range(25, 40), range(90, 200)]),
            [range(10, 19), range(41, 89)]
        );
        assert_eq!(whole.without([range(0, 100)]), []);
        assert_eq!(whole.without([range(0, 5), range(101, 105)]), [whole]);
    }

    #[test]
    fn a_window_has_its_share() {
        assert!((range(50, 100).share_of(0, 100) - 0.5).abs() < 1e-9);
        assert!((range(50, 100).share_of(60, 100) - 1.0).abs() < 1e-9);
        assert_eq!(range(0, 10).share_of(20, 100), 0.0);
    }

    #[test]
    fn a_range_survives_its_name() {
        let own = range(1_764_000_000_000_000, 1_764_000_000_999_999);
        assert_eq!(Range::of_uri(&own.uri("cloudtrail://1/r/eks")), Some(own));
        assert_eq!(Range::of_uri("file:///x"), None);
    }
}
