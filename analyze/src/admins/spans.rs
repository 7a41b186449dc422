//! Spans: how long something stood, as far as records tell, and who could log in as whom over time.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_parse::arn::Arn;
use eksplain_parse::aws_auth::{AwsAuth, Mapping};
use eksplain_parse::glob::glob_matches;
use eksplain_parse::time::format_rfc3339;
use eksplain_queries::facts::{Mark, Micros};

use crate::evidence;
use crate::findings::{Evidence, Route, RouteKind, Status};
use crate::knowledge::{Doubt, FRESH, Known, Log, Measure, Why, moment};
use crate::near_miss::{Home, can_match};
use crate::state::aws_auth::Content;
use crate::state::entries::{Stay, key_of};
use crate::state::history::{EndOf, History, How, State, Stretch, Version};
use crate::state::{AccessEntry, Incarnation, World};
use crate::username::renders;

/// A stretch of time in which something stood.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    /// Proven from here on.
    pub(crate) start: Micros,
    /// It did not stand before `start`: a record shows the change.
    pub(crate) is_born: bool,
    /// It stood by then, and an earlier record shows that it did not.
    pub(crate) begun_by: Option<Micros>,
    pub(crate) end: Option<End>,
    /// When it was seen last, where no log could have shown its end since.
    pub(crate) as_of: Option<Micros>,
    pub(crate) evidence: Vec<Evidence>,
}

/// How a span ends.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) at: Micros,
    /// How sure it is.
    pub(crate) proof: EndProof,
    /// Why, in words, with whoever did it.
    pub(crate) why: String,
}

/// What proves the end of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndProof {
    /// A record: it ended then.
    Record,
    /// A record that only saw the result: it had ended by then.
    GoneBy,
    /// None: from then on it is not known.
    Nothing,
}

impl Span {
    /// From a record on, open.
    pub(crate) fn open(mark: &Mark, is_born: bool, summary: String) -> Self {
        Self {
            start: mark.ts,
            is_born,
            begun_by: None,
            end: None,
            as_of: None,
            evidence: vec![evidence::any(mark, summary)],
        }
    }

    /// Ends it there, unless it ended before.
    pub(crate) fn cut(&mut self, at: Micros, proof: EndProof, why: &str) {
        if self.end.as_ref().is_none_or(|end| end.at > at) {
            self.end = Some(End {
                at,
                proof,
                why: why.to_owned(),
            });
        }
    }

    /// A stretch of a history as a span; `what` names the subject, `shows` says what a record of it shows.
    pub(crate) fn of_stretch<T>(
        stretch: &Stretch<'_, T>,
        log: &Log,
        at: Micros,
        what: &str,
        shows: impl Fn(&Version<T>) -> String,
    ) -> Self {
        let mut span = Self {
            start: stretch.start,
            is_born: stretch.is_born,
            begun_by: stretch.begun_by,
            end: None,
            as_of: stretch.seen.last().and_then(|version| as_of(log, version.at.ts, at)),
            evidence: stretch
                .seen
                .iter()
                .map(|version| evidence::any(&version.at, shows(version)))
                .collect(),
        };
        let Some(end) = &stretch.end else { return span };
        let by = |version: &Version<T>| version.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let (proof, why, mark) = match &end.why {
            EndOf::Record(version) => {
                let how = match (version.how, &version.state) {
                    (How::Death, _) => "was deleted",
                    (_, State::Absent) => "was removed",
                    _ => "was changed",
                };
                (
                    EndProof::Record,
                    format!("{what} {how}{}", by(version)),
                    Some(&version.at),
                )
            }
            EndOf::GoneBy(version) => (
                EndProof::GoneBy,
                format!("{what} was gone by {}", format_rfc3339(version.at.ts)),
                Some(&version.at),
            ),
            EndOf::Obscured(version) => (
                EndProof::Nothing,
                format!(
                    "{what} was written{} at {} and the log does not show how",
                    by(version),
                    format_rfc3339(version.at.ts)
                ),
                Some(&version.at),
            ),
            EndOf::Hole(gap) => (
                EndProof::Nothing,
                format!("whether it is still in effect is not known: {}", gap.sentence()),
                None,
            ),
        };
        span.cut(end.at, proof, &why);
        span.evidence.extend(mark.map(|mark| evidence::any(mark, why)));
        span
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.at <= self.start)
    }

    pub(crate) fn covers(&self, ts: Micros) -> bool {
        self.start <= ts && self.end.as_ref().is_none_or(|end| end.at > ts)
    }

    /// What both stand in.
    pub(crate) fn and(&self, other: &Self) -> Option<Self> {
        let (later, earlier) = if self.start >= other.start {
            (self, other)
        } else {
            (other, self)
        };
        let mut both = later.clone();
        both.as_of = [self.as_of, other.as_of].into_iter().flatten().min();
        both.is_born = later.is_born || (later.start == earlier.start && earlier.is_born);
        both.begun_by = self.begun_by.max(other.begun_by).filter(|_| !both.is_born);
        both.evidence.extend(earlier.evidence.iter().cloned());
        if let Some(end) = &earlier.end {
            both.cut(end.at, end.proof, &end.why);
        }
        (!both.is_empty()).then_some(both)
    }

    /// What of it lies outside the other, in order.
    fn without(self, other: &Self, why: &str) -> Vec<Self> {
        let mut before = self.clone();
        before.cut(other.start, EndProof::Record, why);
        let mut pieces = if before.is_empty() { Vec::new() } else { vec![before] };
        if let Some(end) = other.end.as_ref().filter(|end| end.at > self.start) {
            let mut after = self;
            if after.start < end.at {
                after.start = end.at;
                after.is_born = true;
            }
            pieces.extend((!after.is_empty()).then_some(after));
        }
        if other.end.as_ref().is_some_and(|end| end.at <= other.start) {
            pieces.truncate(1)
        }
        pieces
    }

    /// The span as a route of a life.
    pub(crate) fn route(
        mut self,
        kind: RouteKind,
        life: &Incarnation<'_>,
        at: Micros,
        detail: String,
        via: Vec<String>,
    ) -> Route {
        if let Some(end) = life.deleted_at {
            self.cut(end, EndProof::Record, "the cluster was deleted");
        }
        let end = self.end.filter(|end| end.at <= at);
        let status = match &end {
            None => Status::Active,
            Some(end) if end.proof != EndProof::Nothing => Status::Revoked,
            Some(_) => Status::Unproven,
        };
        let detail = match &end {
            Some(end) => format!("{detail}; {}", end.why),
            None if !self.is_born && self.start > Micros::MIN => {
                format!("{detail}; at least since {}", format_rfc3339(self.start))
            }
            None => detail,
        };
        let as_of = self.as_of.filter(|_| status == Status::Active);
        let detail = match as_of {
            Some(seen) => format!("{detail} (as of {}; later changes are not in the lake)", moment(seen)),
            None => detail,
        };
        Route {
            route: kind,
            status,
            detail,
            via,
            as_of,
            begun_by: self.begun_by.filter(|by| !self.is_born && *by <= at),
            ended_by: end
                .as_ref()
                .filter(|end| end.proof == EndProof::GoneBy)
                .map(|end| end.at),
            valid_from: self.is_born.then_some(self.start),
            valid_to: end.filter(|end| end.proof == EndProof::Record).map(|end| end.at),
            evidence: evidence::shown(self.evidence),
        }
    }
}

/// A principal that can log in, as whom, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    /// Canonical ARN.
    pub(crate) principal: String,
    /// What the mapping renders; `None` where it is generated or not known.
    pub(crate) username: Option<String>,
    pub(crate) groups: Vec<String>,
    /// `aws-auth mapRoles entry …`, `access entry …`.
    pub(crate) how: String,
    pub(crate) is_aws_auth: bool,
    pub(crate) span: Span,
}

/// Every login that records show to be possible, by aws-auth and by access entries.
pub(crate) fn reaches(world: &World<'_>, life: &Incarnation<'_>, at: Micros) -> Vec<Reach> {
    let mut reaches = by_aws_auth(world, life, at);
    for entry in &life.entries {
        // An entry hides the mapping of the same ARN.
        let span = entry_span(world, life, entry, at);
        let mut hidden = span.clone();
        hidden.end = entry.stay.end.as_ref().map(|end| End {
            at: end.at,
            proof: EndProof::Record,
            why: String::new(),
        });
        let mut kept = Vec::with_capacity(reaches.len());
        for reach in reaches {
            if !reach.is_aws_auth || !entry.is_of(key_of(&reach.principal).as_deref()) {
                kept.push(reach);
                continue;
            }
            for span in reach
                .span
                .clone()
                .without(&hidden, "an access entry of the same ARN overrides it")
            {
                kept.push(Reach { span, ..reach.clone() });
            }
        }
        reaches = kept;
    }
    for entry in &life.entries {
        reaches.extend(by_entry(world, life, entry, at));
    }
    reaches
}

/// How long an entry admits its principal: to its end, or to the death of the identity that it is bound to, if another has the
/// name since.
pub(crate) fn entry_span(world: &World<'_>, life: &Incarnation<'_>, entry: &AccessEntry, at: Micros) -> Span {
    let summary = match entry.of_creator {
        true => format!(
            "EKS made an access entry for {}, who created the cluster",
            entry.canonical
        ),
        false => format!("access entry of {}", entry.canonical),
    };
    let mut span = stay_span(life, &entry.stay, at, "the access entry", summary);
    if let Some(bound_at) = entry.made_at {
        cut_at_death(world, &mut span, &entry.canonical, bound_at, at);
    } else {
        cut_at_death(world, &mut span, &entry.canonical, entry.stay.first.ts, at);
    }
    span
}

/// How long an entry or an association was there, as far as calls and looks tell.
pub(crate) fn stay_span(life: &Incarnation<'_>, stay: &Stay, at: Micros, what: &str, summary: String) -> Span {
    let mut span = Span::open(&stay.first, stay.since.is_some(), summary);
    span.start = stay.start();
    if stay.last != stay.first {
        span.evidence
            .push(evidence::any(&stay.last, format!("{what} is still there")));
    }
    match &stay.end {
        Some(end) => {
            let by = end.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
            let (proof, why) = match (&end.call, end.is_exact) {
                (Some(call), true) => (EndProof::Record, format!("{what} was ended by {call}{by}")),
                (_, true) => (EndProof::Record, format!("{what} was changed")),
                (_, false) => (
                    EndProof::GoneBy,
                    format!("{what} was gone by {}", format_rfc3339(end.at)),
                ),
            };
            span.cut(end.at, proof, &why);
            span.evidence.push(evidence::any(&end.mark, why));
        }
        None => {
            span.as_of = as_of(&life.logs.trail, stay.last.ts, at);
            if let Some(hole) = life.logs.trail.hole_between(stay.last.ts, at) {
                let from = hole.from.max(stay.last.ts.saturating_add(1));
                let why = format!("whether it is still in effect is not known: {}", hole.sentence());
                span.cut(from, EndProof::Nothing, &why);
            }
        }
    }
    span
}

/// When something was seen last, where the log that would show its end says nothing since, for a day at least.
pub(super) fn as_of(log: &Log, seen: Micros, at: Micros) -> Option<Micros> {
    let gap = log.gap_between(Measure::Whole, seen, at).filter(|gap| gap.is_as_of())?;
    let since = gap.from.max(seen);
    (at > since.saturating_add(FRESH)).then_some(since)
}

/// Ends a span where the identity that it was bound to died and another took its name.
pub(crate) fn cut_at_death(world: &World<'_>, span: &mut Span, canonical: &str, bound_at: Micros, at: Micros) {
    let fate = world.iam.fate(canonical, bound_at, at, true);
    let Some(reborn) = fate.recreated else { return };
    let Some(death) = world.iam.first_end(canonical, bound_at, at) else {
        return;
    };
    let why = "its principal was deleted and another of the same name has a new unique ID, which the access entry does not admit";
    let proof = match !death.is_birth && death.is_exact {
        true => EndProof::Record,
        false => EndProof::GoneBy,
    };
    span.cut(death.ts, proof, why);
    let by = death.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
    if !death.is_birth {
        span.evidence
            .push(evidence::any(&death.at, format!("{canonical} was deleted{by}")));
    }
    span.evidence
        .push(evidence::any(&reborn.at, format!("{canonical} was created again")));
}

fn by_entry(world: &World<'_>, life: &Incarnation<'_>, entry: &AccessEntry, at: Micros) -> Vec<Reach> {
    let whole = entry_span(world, life, entry, at);
    let mut segments: Vec<(Micros, Vec<String>)> = entry.groups.clone();
    if segments.first().is_none_or(|(from, _)| *from > whole.start) {
        segments.insert(
            0,
            (
                whole.start,
                segments.first().map(|(_, groups)| groups.clone()).unwrap_or_default(),
            ),
        );
    }
    segments.dedup_by(|next, first| {
        next.1 == first.1
            || next.0 == first.0 && {
                first.1 = next.1.clone();
                true
            }
    });
    let ends = segments
        .iter()
        .skip(1)
        .map(|(from, _)| Some(*from))
        .chain([None])
        .collect::<Vec<_>>();
    let spans = segments.iter().zip(ends).filter_map(|((from, groups), end)| {
        let mut span = whole.clone();
        if *from > span.start {
            span.start = *from;
            span.is_born = true;
        }
        if let Some(end) = end {
            span.cut(end, EndProof::Record, "the groups of the access entry were changed");
        }
        (!span.is_empty()).then(|| (span, groups.clone()))
    });
    let how = format!("access entry {}", entry.principal_arn);
    spans
        .map(|(span, groups)| Reach {
            principal: entry.canonical.clone(),
            username: entry.username.clone(),
            groups,
            how: how.clone(),
            is_aws_auth: false,
            span,
        })
        .collect()
}

/// The principals that a mapping admits, in the form of answers: one, but for SSO patterns.
fn admitted(world: &World<'_>, auth: &AwsAuth, mapping: &Mapping) -> Vec<String> {
    if mapping.is_sso {
        let pattern = mapping.arn.to_lowercase();
        return world
            .spellings
            .seen()
            .filter(|arn| glob_matches(&pattern, &arn.to_lowercase()))
            .map(str::to_owned)
            .collect();
    }
    let Some(caller) = mapping.caller_arn() else {
        return Vec::new();
    };
    let Ok(arn) = Arn::parse(&caller) else {
        return Vec::new();
    };
    // The same ARN may stand in both sections: the first found decides.
    let decides = auth.find(&arn).is_none_or(|found| std::ptr::eq(found, mapping));
    world
        .spellings
        .canonical(&caller)
        .filter(|_| decides)
        .into_iter()
        .collect()
}

/// What a mapping makes of its principal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mapped {
    username: String,
    groups: Vec<String>,
    section: &'static str,
    arn: String,
}

fn by_aws_auth(world: &World<'_>, life: &Incarnation<'_>, at: Micros) -> Vec<Reach> {
    let home = Home::of(&life.cluster);
    // Each version of aws-auth says of every principal that any version maps what it maps it to, or that it does not.
    let versions: Vec<(&Version<Content>, BTreeMap<String, Mapped>)> = life
        .aws_auth
        .versions()
        .iter()
        .map(|version| {
            let mut mapped = BTreeMap::new();
            if let State::Is(content) = &version.state {
                let auth = &content.auth;
                for mapping in auth.mappings.iter().filter(|mapping| can_match(mapping, home)) {
                    for principal in admitted(world, auth, mapping) {
                        mapped.entry(principal).or_insert_with(|| Mapped {
                            username: mapping.username.clone(),
                            groups: mapping.groups.clone(),
                            section: mapping.section.as_str(),
                            arn: mapping.arn.clone(),
                        });
                    }
                }
            }
            (version, mapped)
        })
        .collect();
    let principals: BTreeSet<&String> = versions.iter().flat_map(|(_, mapped)| mapped.keys()).collect();
    let mut reaches = Vec::new();
    for principal in principals {
        let own = versions.iter().map(|(version, mapped)| Version {
            at: version.at.clone(),
            by: version.by.clone(),
            // A mapping is written with the whole: only looks are looks.
            how: match version.how {
                How::Death | How::Birth => How::Write,
                how => how,
            },
            state: match (&version.state, mapped.get(principal)) {
                (_, Some(mapping)) => State::Is(mapping.clone()),
                (State::Obscured, None) => State::Obscured,
                (State::Is(_) | State::Absent, None) => State::Absent,
            },
        });
        let history = History::of(own.collect());
        let is_same = |a: &Mapped, b: &Mapped| a.username == b.username && a.groups == b.groups;
        for stretch in history.stretches(&life.logs.audit, life.born, at, is_same) {
            let mapping = stretch.value;
            let summary = format!(
                "aws-auth {} maps {} to {:?} with groups {:?}",
                mapping.section, mapping.arn, mapping.username, mapping.groups
            );
            reaches.push(Reach {
                principal: principal.clone(),
                username: Some(mapping.username.clone()),
                groups: mapping.groups.clone(),
                how: format!("aws-auth {} entry {}", mapping.section, mapping.arn),
                is_aws_auth: true,
                span: Span::of_stretch(&stretch, &life.logs.audit, at, "the mapping", |_| summary.clone()),
            });
        }
    }
    if let Some(change) = life.api_only_from() {
        for reach in &mut reaches {
            let (proof, why) = match change.is_look {
                false => (
                    EndProof::Record,
                    "the authentication mode became API, which ignores aws-auth",
                ),
                true => (
                    EndProof::GoneBy,
                    "the authentication mode is API, which ignores aws-auth",
                ),
            };
            reach.span.cut(change.at.ts, proof, why);
        }
    } else if life.modes.is_empty() {
        cut_where_no_mode_is_known(life, at, &mut reaches);
    } else if let Known::Unknown(Doubt { gap: Some(gap), .. }) = life.mode_known_at(at, Measure::Standing) {
        // The mode may have moved to API unseen.
        let sentence = format!(
            "whether the cluster still reads aws-auth is not known: {}",
            gap.sentence()
        );
        let is_hole = life.logs.trail.hole_between(gap.from, at).is_some();
        let is_missing = life.lacks_trail();
        let may_have_moved = is_missing || (is_hole && gap.why != Why::NotIngested);
        for reach in reaches
            .iter_mut()
            .filter(|reach| is_missing || (may_have_moved && reach.span.end.is_none()))
        {
            let from = gap.from.max(reach.span.start.saturating_add(1));
            reach.span.cut(from, EndProof::Nothing, &sentence);
        }
    }
    if life.may_have_unseen_entries(at) {
        cut_where_entries_may_hide(life, &mut reaches);
    }
    reaches.retain(|reach| !reach.span.is_empty());
    reaches
}

/// Where not every access entry is known, one may override the mapping of the same ARN: a mapping counts as far as a login of its principal
/// shows what only the mapping gives.
fn cut_where_entries_may_hide(life: &Incarnation<'_>, reaches: &mut [Reach]) {
    for reach in reaches.iter_mut() {
        let is_as_mapped = |arn: Option<&str>, name: Option<&str>, groups: &[String]| {
            arn.is_some_and(|arn| arn.eq_ignore_ascii_case(&reach.principal))
                && name.is_some_and(|name| reach.username.as_deref().is_none_or(|mapped| renders(mapped, name)))
                && reach.groups.iter().all(|group| groups.contains(group))
        };
        let logins = life.logins.iter().filter_map(|login| {
            is_as_mapped(login.canonical_arn.as_deref(), login.username.as_deref(), &login.groups)
                .then_some(login.last.ts)
        });
        let requests = life.activity.iter().filter_map(|row| {
            is_as_mapped(row.canonical_arn.as_deref(), row.username.as_deref(), &row.groups).then_some(row.last.ts)
        });
        let is_shown = logins.chain(requests).any(|ts| reach.span.covers(ts));
        if is_shown {
            continue;
        }
        let from = reach.span.start.saturating_add(1);
        let why =
            "whether an access entry of the same ARN overrides it is not known: no record shows all access entries";
        reach.span.cut(from, EndProof::Nothing, why);
    }
}

/// Where no record tells the mode, whoever writes aws-auth is taken to do it with effect; a mapping that only a look shows counts as
/// far as a login shows that aws-auth is read, for the mode only moves forward.
fn cut_where_no_mode_is_known(life: &Incarnation<'_>, at: Micros, reaches: &mut [Reach]) {
    let is_written = |version: &Version<Content>| version.how != How::Look && version.state != State::Absent;
    if life.aws_auth.versions().iter().any(is_written) && !life.mode_at(at).reads_entries() {
        return;
    }
    let (from, why) = match life.read_aws_auth_at() {
        None => (
            Micros::MIN,
            "no record tells the authentication mode, and mode API ignores aws-auth".to_owned(),
        ),
        Some(read) => match life.logs.trail.hole_between(read, at) {
            None => return,
            Some(hole) => (hole.from.max(read.saturating_add(1)), hole.sentence()),
        },
    };
    for reach in reaches {
        let from = from.max(reach.span.start.saturating_add(1));
        let why = format!("whether the cluster reads aws-auth is not known: {why}");
        reach.span.cut(from, EndProof::Nothing, &why);
    }
}
