//! The documents that eksplain prints, field by field as the interface names them. They are types of their own, so that the analysis
//! can change its mind without breaking a user's script.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use eksplain_analyze::findings;
use eksplain_analyze::time::format_rfc3339;
use eksplain_analyze::words::Source;
use serde::{Deserialize, Serialize};

use crate::accept::Accepted;
use crate::render::Page;
use crate::settings::Micros;

use fingerprint::Fingerprint;

pub(crate) mod admins;
pub(crate) mod changes;
pub(crate) mod checks;
pub(crate) mod creators;
pub(crate) mod denials;
pub(crate) mod fingerprint;
pub(crate) mod who;
pub(crate) mod words;

/// What every answer holds.
#[derive(Debug, Serialize)]
pub(crate) struct Document<F> {
    pub(crate) schema: &'static str,
    pub(crate) version: &'static str,
    pub(crate) generated_at: String,
    pub(crate) at: String,
    pub(crate) coverage: Vec<Coverage>,
    pub(crate) findings: Vec<F>,
    /// Accepted findings, where a form for people shows them apart.
    #[serde(skip)]
    pub(crate) accepted: Vec<F>,
}

/// Account and region are null where no record and no hint names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) name: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Coverage {
    pub(crate) cluster: Option<Cluster>,
    pub(crate) source: Source,
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
    pub(crate) records: u64,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) blind_spots: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Gap {
    pub(crate) from: String,
    pub(crate) to: String,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Evidence {
    pub(crate) id: String,
    pub(crate) ts: String,
    pub(crate) source: Source,
    pub(crate) summary: String,
    pub(crate) origin: Option<Origin>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Origin {
    pub(crate) uri: String,
    pub(crate) line: i64,
}

/// A way out, ready to copy.
#[derive(Debug, Serialize)]
pub(crate) struct Fix {
    pub(crate) title: String,
    pub(crate) commands: Vec<String>,
    pub(crate) manifest: Option<String>,
}

impl Fix {
    pub(crate) fn of(fix: &findings::Fix) -> Self {
        Self {
            title: fix.title.clone(),
            commands: fix.commands.clone(),
            manifest: fix.manifest.clone(),
        }
    }
}

/// Objects and lines by record id.
pub(crate) type Origins = BTreeMap<String, (String, i64)>;

/// A finding that can be shown in any form.
pub(crate) trait Finding: Serialize {
    /// Heads of the table's columns.
    const COLUMNS: &'static [&'static str];
    /// Columns of CSV: the fields of the JSON, a nested one behind its parent's name and `_`.
    const FIELDS: &'static [&'static str];
    /// One row: what a person needs first.
    fn row(&self) -> Vec<String>;
    /// All findings for people, grouped and sorted as they read best.
    fn show(findings: &[Self], page: &mut Page<'_>) -> io::Result<()>
    where
        Self: Sized;
    /// The command that is useful next, without `eksplain`, and what it gives.
    fn next(findings: &[Self]) -> Option<(String, &'static str)>
    where
        Self: Sized;
    /// Every word that some finding of this question may have: what `--fail-on` takes, besides `any`.
    fn rules() -> Vec<&'static str>;
    /// Which finding it is, in a few words.
    fn title(&self) -> String;
    /// Its words that `--fail-on` may name.
    fn words(&self) -> Vec<String>;
    /// What it is called for good.
    fn fingerprint(&self) -> &Fingerprint;
    /// The cluster that it is about.
    fn cluster(&self) -> Option<&Cluster>;
    /// Rule or reason, where the question has such.
    fn rule(&self) -> Option<&'static str> {
        None
    }
    /// Who accepted it and why, where somebody did.
    fn accepted(&self) -> Option<&Accepted>;
    /// Notes that it was accepted.
    fn accept(&mut self, accepted: Accepted);

    /// Whether a rule of `--fail-on` names this finding: `any`, one of its words, or what stands before a dot of one
    /// (`authn` of `authn.not-mapped`).
    /// An accepted finding counts in no gate.
    fn is_named_by(&self, rule: &str) -> bool {
        let is_rule = |word: &String| {
            rule == "any" || word == rule || word.strip_prefix(rule).is_some_and(|rest| rest.starts_with('.'))
        };
        self.accepted().is_none() && self.words().iter().any(is_rule)
    }
}

impl<F> Document<F> {
    pub(crate) fn new(schema: &'static str, at: Micros, coverage: Vec<Coverage>, findings: Vec<F>) -> Self {
        Self {
            schema,
            version: env!("CARGO_PKG_VERSION"),
            generated_at: crate::settings::made_at(),
            at: format_rfc3339(at),
            coverage,
            findings,
            accepted: Vec::new(),
        }
    }
}

impl<F: Finding> Document<F> {
    /// Takes the accepted findings out of the others.
    pub(crate) fn set_accepted_apart(&mut self) {
        let (accepted, open) = std::mem::take(&mut self.findings)
            .into_iter()
            .partition(|finding| finding.accepted().is_some());
        (self.accepted, self.findings) = (accepted, open);
    }
}

pub(crate) fn cluster(cluster: &findings::Cluster) -> Cluster {
    let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Cluster {
        account: known(&cluster.account),
        region: known(&cluster.region),
        name: cluster.name.clone(),
    }
}

pub(crate) fn time(time: Option<Micros>) -> Option<String> {
    time.map(format_rfc3339)
}

pub(crate) fn coverage(coverage: &findings::Coverage) -> Coverage {
    Coverage {
        cluster: coverage.cluster.as_ref().map(cluster),
        source: coverage.source,
        first: time(coverage.first),
        last: time(coverage.last),
        records: coverage.records,
        gaps: coverage
            .gaps
            .iter()
            .map(|(from, to)| Gap {
                from: format_rfc3339(*from),
                to: format_rfc3339(*to),
            })
            .collect(),
        blind_spots: coverage.blind_spots.clone(),
    }
}

pub(crate) fn evidence(evidence: &[findings::Evidence], origins: &Origins) -> Vec<Evidence> {
    let one = |item: &findings::Evidence| Evidence {
        id: item.id.clone(),
        ts: format_rfc3339(item.ts),
        source: item.source,
        summary: item.summary.clone(),
        origin: origins.get(&item.id).map(|(uri, line)| Origin {
            uri: uri.clone(),
            line: *line,
        }),
    };
    evidence.iter().map(one).collect()
}

/// Ids of all evidence in some items.
pub(crate) fn ids<'e>(evidence: impl Iterator<Item = &'e findings::Evidence>) -> BTreeSet<String> {
    evidence.map(|item| item.id.clone()).collect()
}

/// `prod` with its region and account, for people.
pub(crate) fn cluster_words(cluster: &Cluster) -> String {
    let place: Vec<&str> = [cluster.account.as_deref(), cluster.region.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    match place.as_slice() {
        [] => cluster.name.clone(),
        place => format!("{} ({})", cluster.name, place.join(" ")),
    }
}

/// ` in prod`, or nothing.
pub(crate) fn in_cluster(cluster: Option<&Cluster>) -> String {
    cluster
        .map(|cluster| format!(" in {}", cluster.name))
        .unwrap_or_default()
}

/// A time without its fraction, for tables.
pub(crate) fn short_time(time: Option<&String>) -> String {
    match time {
        Some(time) => format!("{}Z", time.split(['.', 'Z']).next().unwrap_or(time)),
        None => "-".to_owned(),
    }
}
