//! A subject over time: what each record says of it, in order, and what follows for the moments between.
//!
//! A write says what the subject is from then on. A look (a snapshot) says what it is at that moment, and was already, as far back as the
//! log that would show a change has no gap. Everything that changes has one of these histories: aws-auth, the mappings in it, RBAC objects.

use eksplain_queries::facts::{Mark, Micros};

use crate::knowledge::{Doubt, Gap, Known, Log, Measure};

/// What one record says of a subject.
#[derive(Debug, Clone)]
pub(crate) struct Version<T> {
    pub(crate) at: Mark,
    /// Who made it so: canonical ARN or user name; `None` for looks.
    pub(crate) by: Option<String>,
    pub(crate) how: How,
    pub(crate) state: State<T>,
}

/// How a record comes to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It was written.
    Write,
    /// It was made: it was not there before.
    Birth,
    /// This very subject was deleted: it was there until then.
    Death,
    /// It was looked at: it was so already.
    Look,
}

/// What the subject is, as the record has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum State<T> {
    Is(T),
    Absent,
    /// The record shows a change and not what it led to.
    Obscured,
}

/// The versions of one subject, in order.
#[derive(Debug, Clone)]
pub(crate) struct History<T>(Vec<Version<T>>);

/// A stretch of time in which the subject had one value.
#[derive(Debug, Clone)]
pub(crate) struct Stretch<'h, T> {
    pub(crate) value: &'h T,
    pub(crate) start: Micros,
    /// It began at `start`: a record shows it, and no gap makes that doubtful.
    pub(crate) is_born: bool,
    /// It stood by then, and an earlier record shows that it did not.
    pub(crate) begun_by: Option<Micros>,
    /// The records that show it so, in order.
    pub(crate) seen: Vec<&'h Version<T>>,
    pub(crate) end: Option<StretchEnd<'h, T>>,
}

/// How a stretch ends.
#[derive(Debug, Clone)]
pub(crate) struct StretchEnd<'h, T> {
    pub(crate) at: Micros,
    pub(crate) why: EndOf<'h, T>,
}

/// What ended a stretch.
#[derive(Debug, Clone)]
pub(crate) enum EndOf<'h, T> {
    /// This record did, then.
    Record(&'h Version<T>),
    /// It had ended when this was recorded, and nothing tells when.
    GoneBy(&'h Version<T>),
    /// From here on it is not known: the record does not show what it led to.
    Obscured(&'h Version<T>),
    /// From here on it is not known: the log has a hole.
    Hole(Gap),
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> History<T> {
    /// Sorts what records say; one that shows a change stands before one of the same moment that looked.
    pub(crate) fn of(mut versions: Vec<Version<T>>) -> Self {
        versions.sort_by(|a, b| (a.at.ts, a.how == How::Look, &a.at.id).cmp(&(b.at.ts, b.how == How::Look, &b.at.id)));
        Self(versions)
    }

    pub(crate) fn push(&mut self, version: Version<T>) {
        self.0.push(version);
    }

    pub(crate) fn versions(&self) -> &[Version<T>] {
        &self.0
    }

    /// The last version up to a moment.
    pub(crate) fn last_by(&self, ts: Micros) -> Option<&Version<T>> {
        self.0[..self.0.partition_point(|version| version.at.ts <= ts)].last()
    }

    /// What is known of the subject at a moment; `born` is when the cluster was made, with no such subject in it.
    pub(crate) fn at(&self, ts: Micros, log: &Log, born: Option<Micros>, measure: Measure) -> Known<&T> {
        let split = self.0.partition_point(|version| version.at.ts <= ts);
        let before = self.0[..split].last();
        let after = self.0.get(split);
        let gap_before = match (before, born) {
            (Some(version), _) => log.gap_between(measure, version.at.ts, ts),
            (None, Some(born)) => log.gap_since_birth(measure, born, ts),
            (None, None) => log.gap_between(measure, Micros::MIN, ts),
        };
        // A look that finds it with no change between finds what was there before, made before the log began.
        if before.is_none()
            && let Some(Version {
                how: How::Look,
                state: State::Is(value),
                at,
                ..
            }) = after
            && log.gap_between(Measure::Whole, ts, at.ts).is_none()
        {
            return Known::Is(value);
        }
        if gap_before.is_none() {
            match (before.map(|version| &version.state), born) {
                (Some(State::Is(value)), _) => return Known::Is(value),
                (Some(State::Absent), _) | (None, Some(_)) => return Known::Absent,
                (Some(State::Obscured), _) | (None, None) => {}
            }
        }
        // What a later record shows was so before, or was not there before it was made.
        let gap_after = after.and_then(|version| log.gap_between(Measure::Whole, ts, version.at.ts));
        if let Some(after) = after.filter(|_| gap_after.is_none()) {
            match (after.how, &after.state) {
                (How::Look, State::Is(value)) => return Known::Is(value),
                (How::Look, State::Absent) | (How::Birth, _) => return Known::Absent,
                _ => {}
            }
        }
        let across =
            |version: Option<&'_ Version<T>>| version.is_some_and(|version| matches!(version.state, State::Is(_)));
        let nearest = before
            .filter(|_| across(before))
            .or(after.filter(|after| across(Some(after)) && after.how == How::Look));
        let seen = nearest.map(|version| version.at.ts);
        let nearest = nearest.and_then(|version| match &version.state {
            State::Is(value) => Some(value),
            State::Absent | State::Obscured => None,
        });
        Known::Unknown(Doubt {
            gap: gap_before.or(gap_after).cloned(),
            nearest,
            seen,
        })
    }

    /// The stretches in which it had one value, up to `until`; `is_same` tells whether a change matters.
    pub(crate) fn stretches<'h>(
        &'h self,
        log: &Log,
        born: Option<Micros>,
        until: Micros,
        is_same: impl Fn(&T, &T) -> bool,
    ) -> Vec<Stretch<'h, T>> {
        let mut done: Vec<Stretch<'h, T>> = Vec::new();
        let mut open: Option<Stretch<'h, T>> = None;
        let mut before: Option<&'h Version<T>> = None;
        // What the last record that shows it shows; a cluster is made without any.
        let mut known: Option<Option<&'h T>> = born.map(|_| None);
        for version in self.0.iter().take_while(|version| version.at.ts <= until) {
            let since = before.map(|version| version.at.ts).or(born);
            let gap = log.gap_between(Measure::Whole, since.unwrap_or(Micros::MIN), version.at.ts);
            let is_whole = gap.is_none() && since.is_some();
            match (&version.state, open.take()) {
                (State::Is(value), Some(mut stretch)) if is_same(stretch.value, value) && version.how != How::Birth => {
                    // It may have been away meanwhile: since when it is there is not certain any more.
                    stretch.is_born &= is_whole;
                    stretch.seen.push(version);
                    open = Some(stretch);
                }
                (State::Is(value), previous) => {
                    let was_other = previous.is_some();
                    done.extend(previous.map(|stretch| stretch.ended(version, is_whole && version.how == How::Write)));
                    let mut stretch = Stretch::begin(value, version, before, is_whole, was_other, log);
                    let was_not = known.is_some_and(|known| known.is_none_or(|known| !is_same(known, value)));
                    stretch.begun_by = (was_not && !stretch.is_born).then_some(version.at.ts);
                    open = Some(stretch);
                }
                (State::Absent, Some(stretch)) => {
                    let is_exact = version.how == How::Death || (is_whole && version.how == How::Write);
                    done.push(stretch.ended(version, is_exact));
                }
                (State::Obscured, Some(stretch)) => done.push(Stretch {
                    end: Some(StretchEnd {
                        at: version.at.ts,
                        why: EndOf::Obscured(version),
                    }),
                    ..stretch
                }),
                (State::Absent | State::Obscured, None) => {}
            }
            known = match &version.state {
                State::Is(value) => Some(Some(value)),
                State::Absent => Some(None),
                State::Obscured => known,
            };
            before = Some(version);
        }
        if let Some(mut stretch) = open {
            let seen = stretch.seen.last().map_or(stretch.start, |version| version.at.ts);
            if let Some(hole) = log.hole_between(seen, until) {
                stretch.end = Some(StretchEnd {
                    at: hole.from.max(seen.saturating_add(1)),
                    why: EndOf::Hole(hole.clone()),
                });
            }
            done.push(stretch);
        }
        done.retain(|stretch| stretch.end.as_ref().is_none_or(|end| end.at > stretch.start));
        done
    }
}

impl<'h, T> Stretch<'h, T> {
    fn begin(
        value: &'h T,
        version: &'h Version<T>,
        before: Option<&'h Version<T>>,
        is_whole: bool,
        was_other: bool,
        log: &Log,
    ) -> Self {
        let is_known_before = was_other || before.is_none_or(|before| matches!(before.state, State::Absent));
        let (start, is_born) = match (version.how, before) {
            (How::Birth, _) => (version.at.ts, true),
            (How::Look, Some(before)) if is_whole && matches!(before.state, State::Obscured) => {
                // Nothing changed since the write whose content is not logged: that is what it wrote.
                (before.at.ts, before.how == How::Birth)
            }
            (How::Look, before) => {
                let since = before.map_or(Micros::MIN, |before| before.at.ts.saturating_add(1));
                (log.whole_since(version.at.ts).max(since), false)
            }
            (How::Write | How::Death, _) => (version.at.ts, is_whole && is_known_before),
        };
        Self {
            value,
            start,
            is_born,
            begun_by: None,
            seen: vec![version],
            end: None,
        }
    }

    fn ended(self, by: &'h Version<T>, is_exact: bool) -> Self {
        let why = if is_exact { EndOf::Record(by) } else { EndOf::GoneBy(by) };
        Self {
            end: Some(StretchEnd { at: by.at.ts, why }),
            ..self
        }
    }
}
