//! Route `rbac_binding`: a binding to cluster-admin, or to rules that amount to it; and `escalation` by rules that lead there.
//!
//! Subjects become principals: a user or group through whoever the mappings let be it, a service account as itself.

use eksplain_queries::facts::{Activity, Micros};

use super::Drafts;
use super::powers::{escalation, is_admin};
use super::spans::{EndProof, Reach, Span};
use crate::evidence;
use crate::findings::RouteKind;
use crate::principal::of_user;
use crate::rbac::{Asker, Binding, RbacObject, Role, Subject, in_words};
use crate::state::history::{History, How, State, Version};
use crate::state::{Incarnation, Mode};
use crate::username::renders;

/// A stretch in which a binding gave power to a subject.
struct Power<'s> {
    binding: &'s Binding,
    subject: &'s Subject,
    route: RouteKind,
    why: String,
    span: Span,
}

pub(super) fn routes(
    life: &Incarnation<'_>,
    at: Micros,
    reaches: &[Reach],
    activity: &[&Activity],
    drafts: &mut Drafts,
) {
    for power in powers(life, at) {
        for (principal, username, hops, span) in holders(power.subject, &power.span, life, reaches, activity) {
            let mut via = hops;
            via.push(in_words(power.binding));
            let route = span.route(power.route, life, at, power.why.clone(), via);
            drafts.add(&principal, username.as_deref(), route);
        }
    }
}

/// Every stretch of every binding in which its role gives power to one of its subjects.
fn powers<'s>(life: &'s Incarnation<'_>, at: Micros) -> Vec<Power<'s>> {
    let mut powers = Vec::new();
    for (_, history) in life.rbac.bindings() {
        for (binding, subject, bound) in bound_spans(life, history, at) {
            for (role, span) in role_spans(life, binding, at) {
                let Some(both) = bound.and(&span) else { continue };
                let reads_aws_auth = !matches!(life.mode_at(both.start), Mode::Api);
                let (route, why) = if is_admin(&role) && binding.namespace.is_none() {
                    (
                        RouteKind::RbacBinding,
                        "RBAC gives it every right on every object".to_owned(),
                    )
                } else if let Some(why) = escalation(binding, &role, reads_aws_auth) {
                    (RouteKind::Escalation, why.to_owned())
                } else {
                    continue;
                };
                powers.push(Power {
                    binding,
                    subject,
                    route,
                    why,
                    span: both,
                });
            }
        }
    }
    powers
}

/// How long a binding named each of its subjects: a change of the others is none.
fn bound_spans<'s>(
    life: &Incarnation<'_>,
    history: &'s History<RbacObject>,
    at: Micros,
) -> Vec<(&'s Binding, &'s Subject, Span)> {
    let bindings: Vec<&'s Binding> = history
        .versions()
        .iter()
        .filter_map(|version| match &version.state {
            State::Is(RbacObject::Binding(binding)) => Some(binding),
            _ => None,
        })
        .collect();
    let mut subjects: Vec<&'s Subject> = bindings.iter().flat_map(|binding| &binding.subjects).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let mut spans = Vec::new();
    for subject in subjects {
        let own = history.versions().iter().map(|version| Version {
            at: version.at.clone(),
            by: version.by.clone(),
            how: version.how,
            state: match &version.state {
                State::Is(RbacObject::Binding(binding)) if binding.subjects.contains(subject) => State::Is(binding),
                State::Is(_) | State::Absent => State::Absent,
                State::Obscured => State::Obscured,
            },
        });
        let own = History::of(own.collect());
        let is_same = |a: &&Binding, b: &&Binding| a.role_name == b.role_name && a.is_default == b.is_default;
        for stretch in own.stretches(&life.logs.audit, life.born, at, is_same) {
            let binding: &'s Binding = stretch.value;
            if binding.is_default {
                continue;
            }
            let shows = |version: &Version<&Binding>| {
                let by = version.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
                let how = if version.how == How::Look {
                    "was seen"
                } else {
                    "was written"
                };
                format!("{} {how}{by}", in_words(binding))
            };
            spans.push((
                binding,
                subject,
                Span::of_stretch(&stretch, &life.logs.audit, at, "the binding", shows),
            ));
        }
    }
    spans
}

/// The role of a binding over time; one that no record names is Kubernetes's own, if it has one of that name.
fn role_spans(life: &Incarnation<'_>, binding: &Binding, at: Micros) -> Vec<(Role, Span)> {
    let always = |role: &Role| {
        let span = Span {
            start: Micros::MIN,
            is_born: false,
            begun_by: None,
            end: None,
            as_of: None,
            evidence: Vec::new(),
        };
        (role.clone(), span)
    };
    let default = crate::rbac::default_role(&binding.role_name).filter(|_| binding.role_is_cluster_role);
    let Some(history) = life.rbac.role(binding) else {
        return default.map(always).into_iter().collect();
    };
    let mut spans: Vec<(Role, Span)> = Vec::new();
    if let Some((role, mut span)) = default.map(always)
        && let Some(first) = history.versions().first().filter(|first| first.how != How::Birth)
    {
        let is_same = matches!(&first.state, State::Is(RbacObject::Role(own)) if own.rules == role.rules);
        // A look at Kubernetes's own role finds what was there from the beginning.
        if is_same && first.how == How::Look && history.versions().iter().all(|version| version.how == How::Look) {
            return vec![(role, span)];
        }
        span.cut(first.at.ts, EndProof::Record, "the role was changed");
        spans.push((role, span));
    }
    let is_same = |a: &RbacObject, b: &RbacObject| matches!((a, b), (RbacObject::Role(a), RbacObject::Role(b)) if a.rules == b.rules);
    for stretch in history.stretches(&life.logs.audit, life.born, at, is_same) {
        if let RbacObject::Role(role) = stretch.value {
            let name = format!("role {:?}", role.name);
            let span = Span::of_stretch(&stretch, &life.logs.audit, at, &name, |_| format!("{name} was written"));
            spans.push((role.clone(), span));
        }
    }
    spans
}

/// The principal whom `mapAccounts` lets in under its own ARN, which the binding names.
fn by_account(subject: &Subject, life: &Incarnation<'_>) -> Option<String> {
    let Subject::User(name) = subject else { return None };
    let arn = eksplain_parse::arn::Arn::parse(name).ok()?;
    let lists = |auth: &eksplain_parse::aws_auth::AwsAuth| auth.accounts.iter().any(|account| account == arn.account);
    let is_listed = life.aws_auth_contents().any(|(_, content)| lists(&content.auth));
    arn.canonical().filter(|_| is_listed)
}

type Holder = (String, Option<String>, Vec<String>, Span);

/// Who is the subject, and when.
fn holders(
    subject: &Subject,
    power: &Span,
    life: &Incarnation<'_>,
    reaches: &[Reach],
    activity: &[&Activity],
) -> Vec<Holder> {
    let is_of = |reach: &Reach| match subject {
        Subject::User(name) => reach
            .username
            .as_deref()
            .is_some_and(|username| renders(username, name)),
        Subject::Group(group) if group == "system:authenticated" => true,
        Subject::Group(group) => reach.groups.contains(group),
        Subject::ServiceAccount { .. } => false,
    };
    let hop = match subject {
        Subject::User(name) => format!("user {name}"),
        Subject::Group(group) => format!("group {group}"),
        Subject::ServiceAccount { namespace, name } => format!("service account {namespace}/{name}"),
    };
    let mut holders: Vec<Holder> = Vec::new();
    for reach in reaches.iter().filter(|reach| is_of(reach)) {
        holders.extend(power.and(&reach.span).map(|span| {
            (
                reach.principal.clone(),
                reach.username.clone(),
                vec![reach.how.clone(), hop.clone()],
                span,
            )
        }));
    }
    // Requests show who was in the group, though no mapping in the records says why.
    for row in activity.iter().filter(|row| power.covers(row.last.ts)) {
        let asker = Asker {
            username: row.username.clone().unwrap_or_default(),
            groups: row.groups.clone(),
        };
        let Some(principal) = of_user(row.username.as_deref(), row.canonical_arn.as_deref()) else {
            continue;
        };
        let is_named = matches!(subject, Subject::Group(group) if !group.starts_with("system:")) && subject.is(&asker)
            || row.canonical_arn.is_some() && matches!(subject, Subject::User(_)) && subject.is(&asker);
        if !is_named || holders.iter().any(|(known, ..)| known.eq_ignore_ascii_case(&principal)) {
            continue;
        }
        let mut span = power.clone();
        span.is_born = false;
        span.start = span.start.max(row.first.ts);
        span.evidence.push(evidence::audit(
            &row.last,
            format!("{principal} made requests as {hop}"),
        ));
        span.cut(
            row.last.ts.saturating_add(1),
            EndProof::Nothing,
            "no record shows the mapping that makes it so",
        );
        holders.push((principal, row.username.clone(), vec![format!("seen as {hop}")], span));
    }
    let stands_alone = match subject {
        // A binding that outlives the mapping stands for a user whom no mapping explains any more. Of a mapping that is only lost from
        // sight that is not known.
        Subject::User(_) => {
            let is_over = |span: &Span| span.end.as_ref().is_some_and(|end| end.proof != EndProof::Nothing);
            power.end.is_none() && holders.iter().all(|(.., span)| is_over(span)) || holders.is_empty()
        }
        Subject::Group(group) => holders.is_empty() && group.starts_with("system:") && group != "system:masters",
        Subject::ServiceAccount { .. } => true,
    };
    if stands_alone {
        let mut alone = power.clone();
        let explained_until = holders
            .iter()
            .filter_map(|(.., span)| span.end.as_ref())
            .map(|end| end.at)
            .max();
        if let Some(until) = explained_until.filter(|until| *until > alone.start) {
            alone.start = until;
            alone.is_born = true;
        }
        let principal = by_account(subject, life).unwrap_or_else(|| subject.principal());
        holders.push((principal, None, Vec::new(), alone));
    }
    holders
}
