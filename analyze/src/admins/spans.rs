//! Spans: how long something stood, as far as records tell, and who could log in as whom over time.

use std::collections::BTreeMap;

use eksplain_parse::arn::{Arn, PrincipalKind};
use eksplain_parse::aws_auth::{AwsAuth, Mapping};
use eksplain_parse::glob::glob_matches;
use eksplain_parse::region::partition_of;
use eksplain_queries::facts::{Mark, Micros};

use crate::evidence;
use crate::findings::{Evidence, Route, RouteKind, Status};
use crate::state::entries::key_of;
use crate::state::{AccessEntry, Incarnation, MappingState, World};

/// A stretch of time in which something stood.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    /// Proven from here on.
    pub(crate) start: Micros,
    /// It did not stand before `start`: a record shows the change.
    pub(crate) is_born: bool,
    pub(crate) end: Option<End>,
    pub(crate) evidence: Vec<Evidence>,
}

/// How a span ends.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) at: Micros,
    /// A record proves the end; else from here on nothing is known.
    pub(crate) is_proven: bool,
    /// Why, in words, with whoever did it.
    pub(crate) why: String,
}

impl Span {
    /// From a record on, open.
    pub(crate) fn open(mark: &Mark, is_born: bool, summary: String) -> Self {
        Self {
            start: mark.ts,
            is_born,
            end: None,
            evidence: vec![evidence::any(mark, summary)],
        }
    }

    /// Ends it there, unless it ended before.
    pub(crate) fn cut(&mut self, at: Micros, is_proven: bool, why: &str) {
        if self.end.as_ref().is_none_or(|end| end.at > at) {
            self.end = Some(End {
                at,
                is_proven,
                why: why.to_owned(),
            });
        }
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
        both.is_born = later.is_born || (later.start == earlier.start && earlier.is_born);
        both.evidence.extend(earlier.evidence.iter().cloned());
        if let Some(end) = &earlier.end {
            both.cut(end.at, end.is_proven, &end.why);
        }
        (!both.is_empty()).then_some(both)
    }

    /// What of it lies outside the other, in order.
    fn without(self, other: &Self, why: &str) -> Vec<Self> {
        let mut before = self.clone();
        before.cut(other.start, true, why);
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
            self.cut(end, true, "the cluster was deleted");
        }
        let end = self.end.filter(|end| end.at <= at);
        let status = match &end {
            None => Status::Active,
            Some(end) if end.is_proven => Status::Revoked,
            Some(_) => Status::Unproven,
        };
        let detail = match &end {
            Some(end) => format!("{detail}; {}", end.why),
            None if !self.is_born => format!(
                "{detail}; at least since {}",
                eksplain_parse::time::format_rfc3339(self.start)
            ),
            None => detail,
        };
        Route {
            route: kind,
            status,
            detail,
            via,
            valid_from: self.is_born.then_some(self.start),
            valid_to: end.filter(|end| end.is_proven).map(|end| end.at),
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
    let mut reaches = by_aws_auth(world, life);
    for entry in &life.entries {
        // An entry hides the mapping of the same ARN.
        let span = entry_span(world, entry, at);
        let mut hidden = span.clone();
        hidden.end = entry.to.as_ref().map(|end| End {
            at: end.ts,
            is_proven: true,
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
        reaches.extend(by_entry(world, entry, at));
    }
    reaches
}

/// How long an entry admits its principal: to its end, or to the death of the identity that it is bound to, if another has the
/// name since.
pub(crate) fn entry_span(world: &World<'_>, entry: &AccessEntry, at: Micros) -> Span {
    let summary = match entry.of_creator {
        true => format!(
            "EKS made an access entry for {}, who created the cluster",
            entry.canonical
        ),
        false => format!("access entry of {}", entry.canonical),
    };
    let mut span = Span::open(&entry.from, entry.made_at.is_some(), summary);
    if let Some(end) = &entry.to {
        span.cut(end.ts, true, "the access entry was deleted");
        span.evidence.push(evidence::any(
            end,
            format!("the access entry of {} ended", entry.canonical),
        ));
    }
    cut_at_death(
        world,
        &mut span,
        &entry.canonical,
        entry.made_at.unwrap_or(entry.from.ts),
        at,
    );
    span
}

/// Ends a span where the identity that it was bound to died and another took its name.
pub(crate) fn cut_at_death(world: &World<'_>, span: &mut Span, canonical: &str, bound_at: Micros, at: Micros) {
    let Some(death) = world.iam.first_death(canonical, bound_at, at) else {
        return;
    };
    let fate = world.iam.fate(canonical, bound_at, at);
    if fate.recreated.is_some() {
        span.cut(death.at.ts, true, "its principal was deleted and another of the same name has a new unique id, which the access entry does not admit");
        let by = death.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        span.evidence
            .push(evidence::any(&death.at, format!("{canonical} was deleted{by}")));
    }
}

fn by_entry(world: &World<'_>, entry: &AccessEntry, at: Micros) -> Vec<Reach> {
    let whole = entry_span(world, entry, at);
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
            span.cut(end, true, "the groups of the access entry were changed");
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

/// Whether the authenticator can ever match this mapping to a caller of this cluster.
pub(crate) fn can_match(mapping: &Mapping, partition: &str) -> bool {
    let Ok(arn) = Arn::parse(&mapping.arn) else {
        return false;
    };
    let has_no_pattern = mapping.is_sso || !mapping.arn.contains(['*', '?']);
    let is_caller = match arn.kind() {
        PrincipalKind::Role => arn.path().is_none_or(|path| path.trim_matches('/').is_empty()),
        PrincipalKind::User | PrincipalKind::Root | PrincipalKind::FederatedUser => true,
        _ => false,
    };
    has_no_pattern && is_caller && arn.partition.eq_ignore_ascii_case(partition)
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
    let Ok(arn) = Arn::parse(&mapping.arn) else {
        return Vec::new();
    };
    // The same ARN may stand in both sections: the first found decides.
    let decides = auth.find(&arn).is_none_or(|found| std::ptr::eq(found, mapping));
    world
        .spellings
        .canonical(&mapping.arn)
        .filter(|_| decides)
        .into_iter()
        .collect()
}

fn by_aws_auth(world: &World<'_>, life: &Incarnation<'_>) -> Vec<Reach> {
    let partition = partition_of(&life.cluster.region);
    let mut open: BTreeMap<String, Reach> = BTreeMap::new();
    let mut done = Vec::new();
    let mut was_known = false;
    for version in &life.aws_auth {
        let by = version.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let mut next: BTreeMap<String, Reach> = BTreeMap::new();
        if let MappingState::Known(auth, _) = &version.state {
            for mapping in auth.mappings.iter().filter(|mapping| can_match(mapping, partition)) {
                for principal in admitted(world, auth, mapping) {
                    let summary = format!(
                        "aws-auth {} maps {} to {:?} with groups {:?}",
                        mapping.section.as_str(),
                        mapping.arn,
                        mapping.username,
                        mapping.groups
                    );
                    let reach = match open.remove(&principal) {
                        Some(mut same)
                            if same.username.as_deref() == Some(&mapping.username) && same.groups == mapping.groups =>
                        {
                            same.span.evidence.push(evidence::any(&version.at, summary));
                            same
                        }
                        changed => {
                            let is_born = was_known || changed.is_some();
                            done.extend(changed.map(|mut old| {
                                old.span
                                    .cut(version.at.ts, true, &format!("the mapping was changed{by}"));
                                old.span
                                    .evidence
                                    .push(evidence::any(&version.at, format!("aws-auth was written{by}")));
                                old
                            }));
                            Reach {
                                principal: principal.clone(),
                                username: Some(mapping.username.clone()),
                                groups: mapping.groups.clone(),
                                how: format!("aws-auth {} entry {}", mapping.section.as_str(), mapping.arn),
                                is_aws_auth: true,
                                span: Span::open(&version.at, is_born, summary),
                            }
                        }
                    };
                    next.entry(principal).or_insert(reach);
                }
            }
        }
        let is_unknown = version.state == MappingState::Unknown;
        for mut gone in std::mem::take(&mut open).into_values() {
            let why = match &version.state {
                MappingState::Unknown => format!("aws-auth was written{by} and the log does not show what"),
                MappingState::Missing => format!("aws-auth was deleted{by}"),
                MappingState::Known(..) => format!("aws-auth was written without it{by}"),
            };
            gone.span.cut(version.at.ts, !is_unknown, &why);
            gone.span.evidence.push(evidence::any(&version.at, why));
            done.push(gone);
        }
        open = next;
        was_known = !is_unknown;
    }
    done.extend(open.into_values());
    if let Some(change) = life.api_only_from() {
        for reach in &mut done {
            reach.span.cut(
                change.at.ts,
                true,
                "the authentication mode became API, which ignores aws-auth",
            );
        }
    }
    done.retain(|reach| !reach.span.is_empty());
    done
}
