//! What narrows a question, and the check that its words mean something: a misspelt name would select nothing, and look like good news.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;
use eksplain_analyze::findings::Answers;

use super::Global;
use super::ask::Ask;
use crate::config::nearest;
use crate::error::{Exit, Failure};
use crate::render::say;
use crate::view::Finding;

/// Which clusters a question about one moment is about.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Standing {
    /// Only clusters with this name or glob (repeatable, or separated by commas)
    #[arg(long, value_name = "NAME|GLOB", value_delimiter = ',')]
    cluster: Vec<String>,
    /// Only clusters in this account
    #[arg(long)]
    account: Option<String>,
    /// Only clusters in this region
    #[arg(long)]
    region: Option<String>,
    /// Answer as the world stood then: RFC 3339, a date (its end), or how long ago (90d, 2h) [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

/// Which clusters and times a question is about.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Selectors {
    /// Only clusters with this name or glob (repeatable, or separated by commas)
    #[arg(long, value_name = "NAME|GLOB", value_delimiter = ',')]
    pub(super) cluster: Vec<String>,
    /// Only clusters in this account
    #[arg(long)]
    pub(super) account: Option<String>,
    /// Only clusters in this region
    #[arg(long)]
    pub(super) region: Option<String>,
    /// Only calls or changes since this time: RFC 3339, a date, or how long ago (90d, 2h)
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<String>,
    /// Only calls or changes up to this time (a date: its end)
    #[arg(long, value_name = "TIME")]
    pub(super) until: Option<String>,
    /// Answer as of this time (a date: its end) [default: now]
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
    /// Clusters that are not in the lake yet are only warned of: a configuration may name them before their first record.
    #[arg(skip)]
    pub(super) may_name_unknown: bool,
}

impl From<&Standing> for Selectors {
    fn from(standing: &Standing) -> Self {
        Self {
            cluster: standing.cluster.clone(),
            account: standing.account.clone(),
            region: standing.region.clone(),
            at: standing.at.clone(),
            ..Self::default()
        }
    }
}

/// Refuses a word of `--fail-on` that no finding of the question can have.
pub(super) fn check_rules<F: Finding>(rules: &[String]) -> Result<(), Failure> {
    let known = F::rules();
    let is_known = |rule: &str| {
        let is_above = |id: &&str| *id == rule || id.strip_prefix(rule).is_some_and(|rest| rest.starts_with('.'));
        rule == "any" || (!rule.is_empty() && known.iter().any(is_above))
    };
    let Some(unknown) = rules.iter().find(|rule| !is_known(rule)) else {
        return Ok(());
    };
    let help = match nearest(unknown, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("the words are any, {}", known.join(", ")),
    };
    Err(Failure::usage(
        format!("could not take --fail-on {unknown}: no finding of this question is called that"),
        help,
    ))
}

/// How many of the findings that matched are named.
const NAMED: usize = 3;

/// Exit 1 where a finding matches `--fail-on`; which ones is said on stderr.
pub(super) fn matched<F: Finding>(global: &Global, rules: &[String], findings: &[F]) -> ExitCode {
    let is_matched = |finding: &&F| rules.iter().any(|rule| finding.is_named_by(rule));
    let titles: Vec<String> = findings.iter().filter(is_matched).map(Finding::title).collect();
    matched_titles(global, rules, &titles)
}

/// The same for findings of any kind, by what they are called.
pub(super) fn matched_titles(global: &Global, rules: &[String], titles: &[String]) -> ExitCode {
    if titles.is_empty() {
        return Exit::Answered.into();
    }
    if !global.quiet {
        let more = titles.len().saturating_sub(NAMED);
        let shown: Vec<&str> = titles.iter().take(NAMED).map(String::as_str).collect();
        let more = if more > 0 {
            format!("; and {more} more")
        } else {
            String::new()
        };
        say::note(&format!(
            "--fail-on {} matched {}: {}{more}",
            rules.join(","),
            titles.len(),
            shown.join("; ")
        ));
    }
    Exit::Matched.into()
}

/// Names of the clusters that the answers know.
pub(super) fn names_in(answers: &Answers) -> BTreeSet<&str> {
    let covered = answers.coverage.iter().filter_map(|row| row.cluster.as_ref());
    let refused = answers.denials.iter().filter_map(|denial| denial.cluster.as_ref());
    let created = answers.creators.iter().map(|creator| &creator.cluster);
    let all = covered.chain(refused).chain(created);
    all.map(|cluster| cluster.name.as_str()).collect()
}

/// Refuses a name of `--cluster` that no cluster has; a pattern may match nothing, which is only said.
///
/// # Errors
/// Usage, with the nearest names.
pub(super) fn check_clusters<'n>(
    asked: &[String],
    known: impl IntoIterator<Item = &'n str>,
    may_name_unknown: bool,
) -> Result<(), Failure> {
    let known: BTreeSet<&str> = known.into_iter().collect();
    let matches_none = |glob: &&String| !known.iter().any(|name| eksplain_analyze::glob_matches(glob, name));
    for glob in asked.iter().filter(matches_none) {
        let what = format!("no cluster of the lake is called {glob}");
        if glob.contains(['*', '?']) {
            say::warning(&format!("--cluster {glob} matches no cluster of the lake"));
        } else if may_name_unknown {
            say::warning(&what);
        } else {
            return Err(Failure::usage(what, near(glob, &known)));
        }
    }
    Ok(())
}

/// How many clusters are named where none is near.
const SOME: usize = 8;

/// What was probably meant, or what there is.
fn near(asked: &str, known: &BTreeSet<&str>) -> String {
    if known.is_empty() {
        return "the lake names no cluster: give the records one with eksplain lake assign --cluster NAME".to_owned();
    }
    let begins = |name: &&&str| name.starts_with(asked) || asked.starts_with(**name);
    let near = nearest(asked, known.iter().copied());
    let near: BTreeSet<&str> = near.into_iter().chain(known.iter().filter(begins).copied()).collect();
    let listed = |names: &BTreeSet<&str>| names.iter().take(SOME).copied().collect::<Vec<_>>().join(", ");
    if near.is_empty() {
        let more = known.len().saturating_sub(SOME);
        let more = if more > 0 {
            format!(" and {more} more: eksplain lake status")
        } else {
            String::new()
        };
        format!("the lake has {}{more}", listed(known))
    } else {
        format!("did you mean {}?", listed(&near))
    }
}

impl Ask {
    /// The same question with the selectors of one moment.
    pub(super) fn of_moment(standing: &Standing, all: bool, fail_on: &[String]) -> Self {
        Self {
            selectors: standing.into(),
            all,
            fail_on: fail_on.to_vec(),
        }
    }
}
