//! The words that a configuration may hold, and the nearest of them to one that it may not.

use eksplain_analyze::words::{Confidence, Layer, Power, PrincipalState, Reason, RouteKind, Rule, Severity, Status};

use crate::diff::KINDS;

/// What findings say of themselves: statuses, powers, routes, severities, states.
fn findings() -> impl Iterator<Item = &'static str> {
    ["any", "recovery-needed", "resolved", "unresolved"]
        .into_iter()
        .chain(Status::ALL.iter().map(|word| word.id()))
        .chain(Power::ALL.iter().map(|word| word.id()))
        .chain(RouteKind::ALL.iter().map(|word| word.id()))
        .chain(PrincipalState::ALL.iter().map(|word| word.id()))
        .chain(Confidence::ALL.iter().map(|word| word.id()))
        .chain(Severity::ALL.iter().map(|word| word.id()))
}

/// Reasons of denials and rules of `check`; each stands for those below it too (`authn`, `authn.near-miss`). No log shows what a client
/// refuses by itself.
fn ids() -> impl Iterator<Item = &'static str> {
    let of_logs = |reason: &&Reason| reason.layer() != Layer::Client;
    let reasons = Reason::ALL.iter().filter(of_logs).map(|reason| reason.id());
    reasons.chain(Rule::ALL.iter().map(|rule| rule.id()))
}

/// Regions of the commercial and the named partitions (AWS General Reference, 2026-06); AWS adds some each year.
pub(super) const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-west-1",
    "us-west-2",
];

/// Whether `fail-on` may name it as a finding, not as a change.
pub(crate) fn is_finding_word(word: &str) -> bool {
    let is_above = |id: &str| id == word || id.strip_prefix(word).is_some_and(|rest| rest.starts_with('.'));
    findings().any(|known| known == word) || (!word.is_empty() && ids().any(is_above))
}

/// Everything that `fail-on` may name, changes first.
pub(super) fn fail_on() -> impl Iterator<Item = &'static str> {
    let layers = Layer::ALL.iter().map(|layer| layer.id());
    KINDS.iter().copied().chain(findings()).chain(layers).chain(ids())
}

/// The word that was probably meant: at most a third of its letters differ.
pub(crate) fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&word, known), known))
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("new-amdin", fail_on()), Some("new-admin"));
        assert_eq!(nearest("authn.not-maped", fail_on()), Some("authn.not-mapped"));
        assert_eq!(nearest("us-esat-1", REGIONS.iter().copied()), Some("us-east-1"));
        assert_eq!(nearest("entirely-else", fail_on()), None);
        assert!(is_finding_word("authn") && is_finding_word("authn.near-miss") && !is_finding_word("authn.near"));
    }
}
