//! The gaps of one log: where the lake cannot show what happened.
//!
//! A log that speaks often, or every day, has a habit, and silence that is longer than the habit is a gap. A control plane writes its
//! audit log all the time. A log that speaks rarely (a trail of few calls, a selection of events) has no habit: its silence says nothing,
//! and only what a record tells of it is a gap.

use std::collections::BTreeMap;

use eksplain_queries::facts::{CoverageDay, Micros};

use super::{Gap, LogKind, Why};

const HOUR: Micros = 3600 * 1_000_000;
const DAY: Micros = 24 * HOUR;
/// What was seen is taken to hold for this long where nothing could have shown a change.
pub(crate) const FRESH: Micros = DAY;
/// So many recorded days, with so many records a day, are a log that speaks often.
const OFTEN: [(u64, u64); 2] = [(2, 6), (5, 4)];
const WEEKEND: Micros = 90 * HOUR;
/// A log without a habit that begins this long after the cluster did was not there from the beginning.
const LATE: Micros = 7 * DAY;

/// What one log could show, from the beginning of a life to the moment asked about.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    kind: LogKind,
    gaps: Vec<Gap>,
    lake_end: Micros,
    /// The newest record of a log, which a snapshot is not.
    logs_end: Micros,
    /// How long it may be silent; `None` where its silence tells nothing.
    habit: Option<Micros>,
    /// First and last record.
    pub(crate) bounds: Option<(Micros, Micros)>,
}

/// How much silence a statement can bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// None: for what is called certain.
    Whole,
    /// Where nothing could have shown a change, what was seen holds for a day: for "no".
    Fresh,
    /// As of the end of the lake: for grants that are in effect.
    Standing,
}

/// Where the lake ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    /// The newest record of any kind.
    pub(crate) lake: Micros,
    /// The newest record of a log.
    pub(crate) logs: Micros,
}

/// The logs of one life of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Logs {
    pub(crate) audit: Log,
    pub(crate) authenticator: Log,
    pub(crate) trail: Log,
}

impl Logs {
    /// Of a life whose logs were not looked at yet.
    pub(crate) fn none() -> Self {
        let ends = Ends {
            lake: Micros::MAX,
            logs: Micros::MAX,
        };
        let without = |kind| Log::without(kind, ends);
        Self {
            audit: without(LogKind::Audit),
            authenticator: without(LogKind::Authenticator),
            trail: without(LogKind::Trail),
        }
    }

    /// The newest record of any log.
    pub(crate) fn lake_end(&self) -> Micros {
        self.audit.lake_end
    }
}

/// What the days of a log say of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Days(BTreeMap<i32, Day>);

#[derive(Debug, Clone, Copy)]
struct Day {
    first: Micros,
    last: Micros,
    records: u64,
}

impl Days {
    pub(crate) fn add(&mut self, day: &CoverageDay) {
        let own = self.0.entry(day.day).or_insert(Day {
            first: day.first.ts,
            last: day.last.ts,
            records: 0,
        });
        own.first = own.first.min(day.first.ts);
        own.last = own.last.max(day.last.ts);
        own.records += day.records;
    }

    /// First and last record.
    pub(crate) fn bounds(&self) -> Option<(Micros, Micros)> {
        Some((self.0.values().next()?.first, self.0.values().next_back()?.last))
    }

    /// The days of a stretch of time.
    pub(crate) fn within(&self, from: Micros, to: Micros) -> Self {
        let days = self.0.iter().filter(|(_, day)| day.last >= from && day.first <= to);
        let cut = |day: &Day| Day {
            first: day.first.max(from),
            last: day.last.min(to),
            ..*day
        };
        Self(days.map(|(number, day)| (*number, cut(day))).collect())
    }

    /// Whether most days of several have a record.
    pub(crate) fn are_most(&self) -> bool {
        let span = self
            .0
            .keys()
            .next()
            .zip(self.0.keys().next_back())
            .map_or(0, |(first, last)| last - first + 1);
        self.0.len() >= 5 && self.0.len() * 5 >= usize::try_from(span).unwrap_or(usize::MAX).saturating_mul(3)
    }

    /// Stretches without a record between days that have some.
    fn silences(&self) -> Vec<(Micros, Micros)> {
        let next = self.0.values().skip(1);
        self.0
            .values()
            .zip(next)
            .map(|(day, next)| (day.last, next.first))
            .collect()
    }

    /// How long a log without a habit is silent at most, if it goes on as it does: five times the mean time between its records.
    fn pace(&self) -> Option<Micros> {
        let (first, last) = self.bounds()?;
        let records: u64 = self.0.values().map(|day| day.records).sum();
        let between = i64::try_from(records).ok().filter(|records| *records >= 10)? - 1;
        Some(((last - first) / between * 5).clamp(DAY, LATE))
    }

    /// How long the log may be silent by its own habit; `None` where it has none.
    pub(crate) fn habit(&self) -> Option<Micros> {
        let (first, last) = (self.0.keys().next()?, self.0.keys().next_back()?);
        let span = u64::try_from(last - first + 1).ok()?;
        let days = self.0.len() as u64;
        let records: u64 = self.0.values().map(|day| day.records).sum();
        let speaks_often = OFTEN.iter().any(|(few, often)| days >= *few && records >= days * often);
        // One or two records a day come by chance: that no day was without is no habit.
        let speaks_daily = days >= 10 && days * 10 >= span * 9 && records >= days * 3;
        if !speaks_often && !speaks_daily {
            return None;
        }
        let mut lengths: Vec<Micros> = self.silences().into_iter().map(|(from, to)| to - from).collect();
        lengths.sort_unstable();
        let at = |share: usize| lengths.get(lengths.len().saturating_sub(1) * share / 100).copied();
        let (usual, long) = (at(50)?, at(90)?);
        // One that speaks at the same hour every day may be silent for a day, one that rests at weekends for a weekend.
        let is_regular = long <= usual / 2 * 3;
        let habit = match is_regular {
            true => long / 4 * 7,
            // Long silences that come back are a habit too.
            false if lengths.len() >= 5 => (long / 4 * 7).min(WEEKEND).max(at(75)? / 4 * 7),
            false => (at(75)? / 4 * 7).max((usual * 5).min(WEEKEND)),
        };
        Some(habit.max(12 * HOUR))
    }
}

impl Log {
    /// The log of something that begins at `start`, which is a real beginning only if `is_born`; `lake_end` is the newest record of
    /// any log, `until` the end of the life.
    pub(crate) fn of(kind: LogKind, days: &Days, start: Micros, is_born: bool, until: Micros, ends: Ends) -> Self {
        let Some((first, last)) = days.bounds() else {
            return Self::without(kind, ends);
        };
        let lake_end = ends.lake;
        let mut gaps = Vec::new();
        let mut add = |from, to, why| {
            gaps.push(Gap {
                log: kind,
                from,
                to,
                why,
            })
        };
        // The calls of an account are no steady stream: a trail has a habit only where it speaks on most days.
        let is_trail = matches!(kind, LogKind::Trail | LogKind::Iam);
        let habit = days.habit().filter(|_| !is_trail || days.are_most());
        // A trail is the account's: it was there before the cluster's first call.
        let is_late = match kind {
            LogKind::Audit | LogKind::Authenticator => {
                !is_born || first - start > habit.or(days.pace()).unwrap_or(LATE)
            }
            LogKind::Trail | LogKind::Iam => first > start,
        };
        if is_late {
            add(start, first, Why::NotYet);
        }
        if let Some(habit) = habit {
            for (from, to) in days.silences().into_iter().filter(|(from, to)| to - from > habit) {
                add(from, to, Why::Silence);
            }
            if until.min(lake_end) - last > habit {
                add(last, until, Why::Ended);
            }
        }
        if until > lake_end.saturating_add(FRESH) {
            add(lake_end.max(last), until, Why::LakeEnds);
        }
        Self {
            kind,
            gaps,
            lake_end,
            logs_end: ends.logs,
            habit,
            bounds: Some((first, last)),
        }
    }

    /// A log of which the lake holds nothing.
    pub(crate) fn without(kind: LogKind, ends: Ends) -> Self {
        let whole = Gap {
            log: kind,
            from: Micros::MIN,
            to: Micros::MAX,
            why: Why::NotIngested,
        };
        Self {
            kind,
            gaps: vec![whole],
            lake_end: ends.lake,
            logs_end: ends.logs,
            habit: None,
            bounds: None,
        }
    }

    /// Notes the silences in which another log shows that there was something to tell: who logs in asks for something.
    pub(crate) fn compare(&mut self, own: &Days, other: &Days, until: Micros) {
        let spoke_within = |from: Micros, to: Micros| {
            let days = other.within(from.saturating_add(HOUR), to.saturating_sub(HOUR));
            let mut bounds = days.0.values().filter(|day| day.first > from && day.last < to);
            bounds.next().is_some()
        };
        for (from, to) in own.silences().into_iter().filter(|(from, to)| to - from > DAY) {
            if spoke_within(from, to) {
                self.note(from, to, Why::Silence);
            }
        }
        if let Some((_, last)) = own.bounds()
            && other.bounds().is_some_and(|(_, spoke)| spoke > last + DAY)
        {
            self.note(last, until, Why::Ended);
        }
    }

    /// Notes a gap that a record tells of.
    pub(crate) fn note(&mut self, from: Micros, to: Micros, why: Why) {
        self.gaps.push(Gap {
            log: self.kind,
            from,
            to,
            why,
        });
        self.gaps.sort_by_key(|gap| gap.from);
    }

    /// The first gap between two moments, by this measure.
    pub(crate) fn gap_between(&self, measure: Measure, from: Micros, to: Micros) -> Option<&Gap> {
        if to <= from {
            return None;
        }
        let looks_as_of = measure == Measure::Standing;
        let to = if looks_as_of {
            to.min(self.lake_end.max(from))
        } else {
            to
        };
        let hides = |gap: &&Gap| match gap.why {
            Why::LakeEnds if looks_as_of => false,
            // What was seen shortly before the log began is followed by it; of a trail that speaks rarely the first record is not its
            // beginning.
            Why::NotYet => {
                let silence = gap.to.min(to).saturating_sub(from);
                let bearable = match (self.habit, self.kind) {
                    (Some(habit), _) => habit.min(FRESH / 2),
                    (None, LogKind::Trail | LogKind::Iam) if looks_as_of => Micros::MAX,
                    (None, _) if measure != Measure::Whole => FRESH / 2,
                    (None, _) => 0,
                };
                gap.lies_between(from, to) && silence > bearable
            }
            // Where there are looks and no logs, nothing went on behind the last look.
            Why::NotIngested if looks_as_of => to.min(self.logs_end).saturating_sub(from) > FRESH,
            Why::NotIngested if measure == Measure::Fresh => to.saturating_sub(from) > FRESH,
            _ => gap.lies_between(from, to),
        };
        self.gaps.iter().find(hides)
    }

    /// The first gap between a cluster's birth and a moment. A birth is no look: without the log, nothing is known from it.
    pub(crate) fn gap_since_birth(&self, measure: Measure, born: Micros, to: Micros) -> Option<&Gap> {
        let absent = self.gaps.iter().find(|gap| gap.why == Why::NotIngested);
        absent.or_else(|| self.gap_between(measure, born, to))
    }

    /// The first gap between two moments that hides what other records of the lake followed: what an `active` grant may not cross.
    pub(crate) fn hole_between(&self, from: Micros, to: Micros) -> Option<&Gap> {
        self.gap_between(Measure::Standing, from, to)
    }

    /// The earliest moment from which on the log is whole up to this one.
    pub(crate) fn whole_since(&self, ts: Micros) -> Micros {
        let ends = self.gaps.iter().filter(|gap| gap.from < ts).map(|gap| gap.to.min(ts));
        ends.max().unwrap_or(Micros::MIN)
    }

    /// Every gap, in order of time.
    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.gaps
    }
}

#[cfg(test)]
mod tests {
    use eksplain_queries::facts::Mark;

    use super::*;

    fn days(list: &[(i32, i64, i64)]) -> Days {
        let mut days = Days::default();
        for (day, from, to) in list {
            let mark = |hour: i64| Mark {
                id: String::new(),
                ts: i64::from(*day) * DAY + hour * HOUR,
            };
            days.add(&CoverageDay {
                day: *day,
                first: mark(*from),
                last: mark(*to),
                records: if from == to { 3 } else { 100 },
                ..CoverageDay::default()
            });
        }
        days
    }

    fn whole_days(range: impl Iterator<Item = i32>) -> Days {
        days(&range.map(|day| (day, 0, 23)).collect::<Vec<_>>())
    }

    fn gaps(days: &Days, start: i32, until: i32) -> Vec<(i64, i64, Why)> {
        let at = |day: i32| i64::from(day) * DAY;
        let ends = Ends {
            lake: at(until),
            logs: at(until),
        };
        let log = Log::of(LogKind::Audit, days, at(start), true, at(until), ends);
        log.gaps
            .into_iter()
            .map(|gap| (gap.from.div_euclid(DAY), gap.to.div_euclid(DAY), gap.why))
            .collect()
    }

    #[test]
    fn a_dense_log_without_a_day_has_a_gap() {
        assert_eq!(gaps(&whole_days(10..30), 10, 30), []);
        let holed = whole_days((10..30).filter(|day| *day != 17));
        assert_eq!(gaps(&holed, 10, 30), [(16, 18, Why::Silence)]);
    }

    #[test]
    fn a_log_that_begins_late_or_ends_early_says_so() {
        assert_eq!(gaps(&whole_days(10..20), 5, 20), [(5, 10, Why::NotYet)]);
        assert_eq!(gaps(&whole_days(10..20), 10, 25), [(19, 25, Why::Ended)]);
    }

    #[test]
    fn a_log_that_speaks_once_a_day_may_be_silent_for_a_day_and_not_for_two() {
        let daily = |skip: i32| {
            days(
                &(1..20)
                    .filter(|day| *day != skip)
                    .map(|day| (day, 10, 10))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(gaps(&daily(0), 1, 20), []);
        assert_eq!(gaps(&daily(9), 1, 20), [(8, 10, Why::Silence)]);
    }

    #[test]
    fn silence_of_a_log_that_speaks_rarely_is_no_gap() {
        assert_eq!(
            gaps(
                &days(&[(1, 1, 1), (9, 1, 1), (20, 1, 1), (22, 1, 1), (31, 1, 1)]),
                1,
                40
            ),
            []
        );
    }

    #[test]
    fn a_log_that_rests_at_weekends_has_no_gap_at_a_weekend() {
        let working = |skip: i32| whole_days((0..40).filter(move |day| day % 7 < 5 && !(skip..skip + 5).contains(day)));
        assert_eq!(gaps(&working(100), 0, 40), []);
        assert_eq!(gaps(&working(14), 0, 40), [(11, 21, Why::Silence)]);
    }

    #[test]
    fn few_days_of_many_records_are_a_habit() {
        assert_eq!(
            gaps(&whole_days([1, 2, 8, 9].into_iter()), 1, 10),
            [(2, 8, Why::Silence)]
        );
    }

    #[test]
    fn a_lake_that_ended_is_not_a_hole_and_still_a_gap() {
        let ends = Ends {
            lake: 20 * DAY,
            logs: 20 * DAY,
        };
        let log = Log::of(LogKind::Audit, &whole_days(10..20), 10 * DAY, true, 40 * DAY, ends);
        assert_eq!(log.hole_between(12 * DAY, 40 * DAY), None);
        assert_eq!(
            log.gap_between(Measure::Whole, 12 * DAY, 40 * DAY).map(|gap| &gap.why),
            Some(&Why::LakeEnds)
        );
    }
}
