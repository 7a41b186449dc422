//! Why requests were refused: the layer that said no, the reason, and what lets the call through.
//!
//! Rule: the denial taxonomy of the domain (section 5). The layer that really answered decides: an AWS error, else the authenticator's
//! refusal, else the audit event by its code and decision. Inside a layer the most specific reason whose proof is complete wins.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_queries::facts::{Mark, Micros};

use crate::Options;
use crate::evidence;
use crate::findings::{Cluster, Confidence, Denial, Evidence, Fix, Reason, RequestShape};
use crate::state::World;

mod admission;
mod authn;
mod authz;
mod aws;
pub(crate) mod fixes;
pub(crate) mod heard;
mod not_mapped;
mod request;
mod seen;
mod trust;

/// One refused call, all its records together.
#[derive(Debug, Clone)]
struct Refusal {
    cluster: Option<Cluster>,
    principal: Option<String>,
    username: Option<String>,
    groups: Vec<String>,
    session: Option<String>,
    verdict: Verdict,
    request: RequestShape,
    at: Mark,
    evidence: Vec<Evidence>,
    only_with_all: bool,
    /// When the same principal last succeeded at the same request.
    last_success: Option<Micros>,
    /// What the terminal showed.
    seen: Vec<String>,
}

/// Why a call was refused.
#[derive(Debug, Clone)]
struct Verdict {
    reason: Reason,
    cause: String,
    confidence: Confidence,
    fix: Vec<Fix>,
}

impl Verdict {
    fn new(reason: Reason, cause: impl Into<String>, confidence: Confidence) -> Self {
        Self {
            reason,
            cause: cause.into(),
            confidence,
            fix: Vec::new(),
        }
    }

    fn with(mut self, fix: impl IntoIterator<Item = Fix>) -> Self {
        self.fix.extend(fix);
        self
    }
}

/// One finding for each group of alike denials, sorted.
pub(crate) fn denials(world: &World<'_>, options: &Options) -> Vec<Denial> {
    let mut refusals = authn::refusals(world);
    refusals.extend(request::refusals(world));
    refusals.extend(aws::refusals(world, options.scope_all));
    let is_asked = |refusal: &Refusal| {
        options.since.is_none_or(|since| refusal.at.ts >= since)
            && options.until.is_none_or(|until| refusal.at.ts <= until)
    };
    refusals.retain(is_asked);
    refusals.sort_by(|a, b| a.at.cmp(&b.at));
    let mut groups: BTreeMap<_, Vec<Refusal>> = BTreeMap::new();
    for refusal in refusals {
        let shape = RequestShape {
            name: None,
            ..refusal.request.clone()
        };
        let key = (
            refusal.cluster.clone(),
            refusal.principal.clone(),
            refusal.verdict.reason,
            shape,
            refusal.only_with_all,
        );
        groups.entry(key).or_default().push(refusal);
    }
    groups
        .into_iter()
        .filter_map(|((_, _, _, shape, _), refusals)| finding(shape, refusals))
        .collect()
}

fn day_of(refusal: &Refusal) -> i64 {
    refusal.at.ts.div_euclid(86_400_000_000)
}

/// A group as one finding; what differs within it is left out.
fn finding(shape: RequestShape, refusals: Vec<Refusal>) -> Option<Denial> {
    let shared = |of: &dyn Fn(&Refusal) -> Option<String>| {
        let values: BTreeSet<Option<String>> = refusals.iter().map(of).collect();
        values
            .into_iter()
            .next()
            .flatten()
            .filter(|value| refusals.iter().all(|refusal| of(refusal).as_ref() == Some(value)))
    };
    let session = shared(&|refusal| refusal.session.clone());
    let name = shared(&|refusal| refusal.request.name.clone());
    let (first, last) = (refusals.first()?.at.ts, refusals.last()?.at.ts);
    let count = refusals.len() as u64;
    let resolved = refusals
        .iter()
        .filter_map(|refusal| refusal.last_success)
        .max()
        .is_some_and(|success| success > last);
    let evidence = evidence::shown(
        refusals
            .iter()
            .flat_map(|refusal| refusal.evidence.iter().cloned())
            .collect(),
    );
    let by_day = refusals
        .chunk_by(|a, b| day_of(a) == day_of(b))
        .filter_map(|day| Some((day.first()?.at.ts, day.len() as u64)))
        .collect();
    // The last word: state may have been known better by then.
    let last_refusal = refusals.into_iter().next_back()?;
    let layer = last_refusal.verdict.reason.layer();
    Some(Denial {
        cluster: last_refusal.cluster,
        principal: last_refusal.principal,
        kubernetes_username: last_refusal.username,
        groups: last_refusal.groups,
        session,
        layer,
        reason: last_refusal.verdict.reason,
        cause: last_refusal.verdict.cause,
        seen_by_user_as: last_refusal.seen,
        request: RequestShape { name, ..shape },
        count,
        by_day,
        first_seen: first,
        last_seen: last,
        resolved,
        fix: last_refusal.verdict.fix,
        confidence: last_refusal.verdict.confidence,
        only_with_all: last_refusal.only_with_all,
        evidence,
    })
}
