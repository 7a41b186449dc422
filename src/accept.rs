//! Accepted findings: what a team knows, has a reason for, and does not want to be woken by. `[[accept]]` of `eksplain.toml` names them.

use std::path::{Path, PathBuf};

use eksplain_analyze::time::format_date;
use serde::Serialize;

use crate::config::Config;
use crate::error::Failure;
use crate::render::say;
use crate::settings::{Micros, now};
use crate::view::{Cluster, Finding};

/// One `[[accept]]`: which findings, why, who answers for it, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Accept {
    #[serde(flatten)]
    pub(crate) which: Which,
    /// Names or globs; none means every cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) clusters: Vec<String>,
    pub(crate) why: String,
    pub(crate) owner: String,
    /// The last day, as it was written, and its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    #[serde(skip)]
    pub(crate) ends: Option<Micros>,
}

/// Which findings are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Which {
    /// Findings of `check` by this rule.
    Rule(String),
    /// Denials for this reason.
    Reason(String),
    /// This one finding.
    Fingerprint(String),
}

/// What a finding carries that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Accepted {
    pub(crate) why: String,
    pub(crate) owner: String,
    /// The last day; null for good.
    pub(crate) until: Option<String>,
}

/// Every `[[accept]]` of a configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Accepts {
    all: Vec<Accept>,
    used: std::cell::RefCell<Vec<bool>>,
}

/// The configuration that a question reads where none is named.
const USUAL: &str = "eksplain.toml";

impl Accepts {
    pub(crate) fn of(all: Vec<Accept>) -> Self {
        let used = vec![false; all.len()].into();
        Self { all, used }
    }

    /// Those of the configuration that was named, or of `eksplain.toml` where there is one.
    ///
    /// # Errors
    /// Where the named one cannot be read or understood. One that merely lies there is told of, and accepts nothing.
    pub(crate) fn read(named: Option<&Path>) -> Result<Self, Failure> {
        let path = named.map_or_else(|| PathBuf::from(USUAL), Path::to_owned);
        if named.is_none() && !path.is_file() {
            return Ok(Self::default());
        }
        match crate::cli::configuration(&path) {
            Ok(Config { accepts, .. }) => Ok(Self::of(accepts)),
            Err(failure) if named.is_some() => Err(failure),
            Err(_) => {
                say::warning(&format!(
                    "{USUAL} has errors, so no finding is accepted: eksplain run --check shows them"
                ));
                Ok(Self::default())
            }
        }
    }

    /// Marks the findings that are accepted.
    pub(crate) fn mark<F: Finding>(&self, findings: &mut [F]) {
        let now = now();
        for finding in findings {
            for (number, accept) in self.all.iter().enumerate() {
                let names = match &accept.which {
                    Which::Fingerprint(text) => finding.fingerprint().as_str() == text,
                    Which::Rule(word) | Which::Reason(word) => {
                        finding.rule().is_some_and(|rule| is_at_or_below(rule, word))
                    }
                };
                if !names || !accept.is_about(finding.cluster()) {
                    continue;
                }
                self.used.borrow_mut()[number] = true;
                if accept.ends.is_none_or(|end| now <= end) {
                    finding.accept(Accepted {
                        why: accept.why.clone(),
                        owner: accept.owner.clone(),
                        until: accept.until.clone(),
                    });
                    break;
                }
            }
        }
    }

    /// Says what has run out, and what is about nothing: for commands that ask every question.
    pub(crate) fn tell(&self) {
        let now = now();
        for (accept, used) in self.all.iter().zip(self.used.borrow().iter()) {
            let which = accept.which.told();
            match (accept.ends.filter(|end| *end < now), used) {
                (Some(end), true) => say::warning(&format!(
                    "the acceptance of {which} by {} ended {}: its findings count again",
                    accept.owner,
                    format_date(end)
                )),
                (_, false) => say::note(&format!("[[accept]] {which} matches no finding")),
                (None, true) => {}
            }
        }
    }
}

impl Accept {
    fn is_about(&self, cluster: Option<&Cluster>) -> bool {
        self.clusters.is_empty()
            || cluster.is_some_and(|cluster| {
                self.clusters
                    .iter()
                    .any(|glob| eksplain_analyze::glob_matches(glob, &cluster.name))
            })
    }
}

impl Which {
    fn told(&self) -> String {
        match self {
            Self::Rule(word) => format!("rule {word}"),
            Self::Reason(word) => format!("reason {word}"),
            Self::Fingerprint(word) => format!("fingerprint {word}"),
        }
    }
}

/// `authn` stands for `authn.not-mapped` too.
fn is_at_or_below(id: &str, word: &str) -> bool {
    id == word || id.strip_prefix(word).is_some_and(|rest| rest.starts_with('.'))
}
