//! The catalogue, as data, a file a layer: pages say what a reason means and what to do; entries are the sentences that programs print.
//!
//! Sources of the sentences: kubectl, client-go, the API server, aws-iam-authenticator, AWS CLI and SDKs, eksctl, Helm, Argo CD, Flux,
//! Terraform's providers, kubelet, the EKS console and API, and the AWS article on EKS RBAC errors.
//!
//! In `fix`, `{cluster}` and alike become names of the text, or capitals where it has none; `@bind` and alike are made by `fixes.rs`.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

mod admission;
mod apiserver;
mod authn;
mod authz;
mod carriers;
mod client;
mod eks;
mod gates;
mod iam;
mod sts;

pub(super) use gates::GATES;

/// How much an entry tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Names a cause.
    Cause,
    /// How a connection failed; who asked for it may say more.
    Connection,
    /// Says that something was refused; several causes give the same sentence.
    General,
    /// The bare word behind a carrier.
    Word,
    /// Decides only where nothing else does.
    Last,
    /// Wraps another message, and has no reason of its own.
    Carrier,
}

/// One sentence. Empty fields are those of the reason's page.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: &'static str,
    pub(super) pattern: &'static str,
    pub(super) rank: Rank,
    pub(super) reason: &'static str,
    pub(super) meaning: &'static str,
    pub(super) causes: &'static [&'static str],
    pub(super) fix: &'static [&'static str],
}

/// What a reason means.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) reason: &'static str,
    pub(super) meaning: &'static str,
    pub(super) causes: &'static [&'static str],
    pub(super) fix: &'static [&'static str],
}

const fn page(
    reason: &'static str,
    meaning: &'static str,
    causes: &'static [&'static str],
    fix: &'static [&'static str],
) -> Page {
    Page {
        reason,
        meaning,
        causes,
        fix,
    }
}

/// An entry that names a cause and says nothing beyond its reason's page.
const fn cause(id: &'static str, pattern: &'static str, reason: &'static str) -> Entry {
    entry(id, pattern, Rank::Cause, reason)
}

/// The same of another rank.
const fn entry(id: &'static str, pattern: &'static str, rank: Rank, reason: &'static str) -> Entry {
    Entry {
        id,
        pattern,
        rank,
        reason,
        meaning: "",
        causes: &[],
        fix: &[],
    }
}

impl Entry {
    /// What this sentence means, where that is more than its reason's page says.
    const fn saying(self, meaning: &'static str) -> Self {
        Self { meaning, ..self }
    }

    const fn because(self, causes: &'static [&'static str]) -> Self {
        Self { causes, ..self }
    }

    const fn solved_by(self, fix: &'static [&'static str]) -> Self {
        Self { fix, ..self }
    }
}

const LAYERS: [(&[Entry], &[Page]); 9] = [
    (client::ENTRIES, client::PAGES),
    (iam::ENTRIES, iam::PAGES),
    (sts::ENTRIES, sts::PAGES),
    (eks::ENTRIES, eks::PAGES),
    (authn::ENTRIES, authn::PAGES),
    (authz::ENTRIES, authz::PAGES),
    (admission::ENTRIES, admission::PAGES),
    (apiserver::ENTRIES, apiserver::PAGES),
    (carriers::ENTRIES, &[]),
];

/// Every entry with its pattern.
pub(super) static ENTRIES: LazyLock<Vec<(&'static Entry, Regex)>> = LazyLock::new(|| {
    let compile = |entry: &'static Entry| {
        let pattern = RegexBuilder::new(entry.pattern).case_insensitive(true).build();
        (entry, pattern.expect("a test compiles every pattern"))
    };
    LAYERS
        .iter()
        .flat_map(|(entries, _)| entries.iter().map(compile))
        .collect()
});

/// Every page.
pub(super) fn pages() -> impl Iterator<Item = &'static Page> {
    LAYERS.iter().flat_map(|(_, pages)| pages.iter())
}

/// The page of a reason.
pub(super) fn page_of(reason: &str) -> Option<&'static Page> {
    pages().find(|page| page.reason == reason)
}

/// The entry of an id, in any case.
pub(super) fn entry_of(id: &str) -> Option<&'static Entry> {
    let entries = LAYERS.iter().flat_map(|(entries, _)| entries.iter());
    entries.into_iter().find(|entry| entry.id.eq_ignore_ascii_case(id))
}

/// The logs that tell more of a layer.
pub(super) fn logs_of(layer: &str) -> &'static [&'static str] {
    match layer {
        "iam" | "sts" | "eks" => &["cloudtrail"],
        "authn" => &["authenticator", "audit"],
        "authz" | "admission" | "apiserver" => &["audit"],
        _ => &[],
    }
}
