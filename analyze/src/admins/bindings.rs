//! Route `rbac_binding`: a binding to cluster-admin, or to rules that amount to it; and `escalation` by rules that lead there.
//!
//! Subjects become principals: a user or group through whoever the mappings let be it, a service account as itself.

use eksplain_queries::facts::{Activity, Micros};

use super::Drafts;
use super::powers::{escalation, is_admin};
use super::spans::{Reach, Span};
use crate::evidence;
use crate::findings::RouteKind;
use crate::principal::of_user;
use crate::rbac::{Asker, Binding, RbacObject, Role, Subject};
use crate::state::rbac_history::{ObjectState, Version};
use crate::state::{Incarnation, Mode};

/// A stretch in which a binding gave power to its subjects.
struct Power<'s> {
    binding: &'s Binding,
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
    for power in powers(life) {
        for subject in &power.binding.subjects {
            for (principal, username, hops, span) in holders(subject, &power.span, life, reaches, activity) {
                let mut via = hops;
                via.push(crate::rbac::in_words(power.binding));
                let route = span.route(power.route, life, at, power.why.clone(), via);
                drafts.add(&principal, username.as_deref(), route);
            }
        }
    }
}

/// Every stretch of every binding in which its role gives power.
fn powers<'s>(life: &'s Incarnation<'_>) -> Vec<Power<'s>> {
    let mut powers = Vec::new();
    for (_, versions) in life.rbac.bindings() {
        for (binding, bound) in binding_spans(versions) {
            if binding.is_default {
                continue;
            }
            for (role, span) in role_spans(life, binding) {
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
                    route,
                    why,
                    span: both,
                });
            }
        }
    }
    powers
}

/// The versions of a binding as spans; one that says the same again goes on.
fn binding_spans(versions: &[Version]) -> Vec<(&Binding, Span)> {
    let mut spans: Vec<(&Binding, Span)> = Vec::new();
    let mut was_absent = false;
    for version in versions {
        let by = version.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
        let open = spans.last_mut().filter(|(_, span)| span.end.is_none());
        if let ObjectState::Present(RbacObject::Binding(binding)) = &version.state {
            let summary = format!("{} was written{by}", crate::rbac::in_words(binding));
            let had_open = open.is_some();
            match open {
                Some((same, span)) if *same == binding => span.evidence.push(evidence::any(&version.at, summary)),
                changed => {
                    if let Some((_, span)) = changed {
                        span.cut(version.at.ts, true, &format!("the binding was changed{by}"));
                        span.evidence.push(evidence::any(&version.at, summary.clone()));
                    }
                    spans.push((
                        binding,
                        Span::open(&version.at, version.is_birth || was_absent || had_open, summary),
                    ));
                }
            }
        } else if let Some((binding, span)) = open {
            let is_gone = version.state == ObjectState::Absent;
            let why = if is_gone {
                format!("the binding was deleted{by}")
            } else {
                format!("the binding was written{by} and the log does not show how")
            };
            span.cut(version.at.ts, is_gone, &why);
            span.evidence.push(evidence::any(
                &version.at,
                format!("{}: {why}", crate::rbac::in_words(binding)),
            ));
        }
        was_absent = version.state == ObjectState::Absent;
    }
    // One whose subjects or role changed at once is not empty by accident.
    spans.retain(|(_, span)| !span.is_empty());
    spans
}

/// The role of a binding over time; one that no record names is Kubernetes's own, if it has one of that name.
fn role_spans(life: &Incarnation<'_>, binding: &Binding) -> Vec<(Role, Span)> {
    let versions = life.rbac.role(binding);
    let always = |role: Role| {
        (
            role,
            Span {
                start: Micros::MIN,
                is_born: false,
                end: None,
                evidence: Vec::new(),
            },
        )
    };
    let default = || life.rbac.at(Micros::MIN).role_of(binding).cloned();
    let Some(first) = versions.first() else {
        return default().map(always).into_iter().collect();
    };
    let mut spans: Vec<(Role, Span)> = Vec::new();
    if !first.is_birth
        && let Some(role) = default()
    {
        spans.push(always(role));
    }
    for version in versions {
        if let Some((_, span)) = spans.last_mut().filter(|(_, span)| span.end.is_none()) {
            let is_proven = version.state != ObjectState::Unknown;
            span.cut(version.at.ts, is_proven, "the role was changed");
        }
        if let ObjectState::Present(RbacObject::Role(role)) = &version.state {
            // An edit that leaves the rules alone changes nothing.
            if let Some((same, span)) = spans.last_mut().filter(|(same, span)| {
                same.rules == role.rules && span.end.as_ref().is_some_and(|end| end.at == version.at.ts)
            }) {
                let _ = same;
                span.end = None;
                continue;
            }
            spans.push((
                role.clone(),
                Span::open(&version.at, true, format!("role {:?} was written", role.name)),
            ));
        }
    }
    spans
}

/// The principal whom `mapAccounts` lets in under its own ARN, which the binding names.
fn by_account(subject: &Subject, life: &Incarnation<'_>) -> Option<String> {
    let Subject::User(name) = subject else { return None };
    let arn = eksplain_parse::arn::Arn::parse(name).ok()?;
    let lists = |auth: &eksplain_parse::aws_auth::AwsAuth| auth.accounts.iter().any(|account| account == arn.account);
    let is_listed = life
        .aws_auth
        .iter()
        .filter_map(|version| version.state.known())
        .any(lists);
    arn.canonical().filter(|_| is_listed)
}

/// Whether a mapping's username can become this one: `{{SessionName}}` and its like stand for any text.
fn renders(template: &str, username: &str) -> bool {
    if !template.contains("{{") {
        return template == username;
    }
    let mut pattern = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once("{{") {
        pattern.push_str(before);
        pattern.push('*');
        rest = behind.split_once("}}").map_or("", |(_, behind)| behind);
    }
    pattern.push_str(rest);
    eksplain_parse::glob::glob_matches(&pattern, username)
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
            false,
            "no record shows the mapping that makes it so",
        );
        holders.push((principal, row.username.clone(), vec![format!("seen as {hop}")], span));
    }
    let stands_alone = match subject {
        // A binding that outlives the mapping stands for a user whom no mapping explains any more.
        Subject::User(_) => {
            power.end.is_none() && holders.iter().all(|(.., span)| span.end.is_some()) || holders.is_empty()
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
