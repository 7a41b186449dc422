//! From facts to findings: state over time, and the reasoning over it.
//!
//! [`answer`] rebuilds what the records prove of every cluster up to a moment and answers the three questions from it; [`can_i`]
//! answers one request. It promises that every statement leads to a record or is called `unproven`, that matching follows the real
//! components (the authenticator, RBAC, the EKS API), and that the same facts give the same findings in the same order.
//!
//! It never knows of Parquet, SQL, AWS clients or terminals.

mod admins;
pub mod can_i;
pub mod changes;
pub mod check;
mod coverage;
mod creators;
mod denials;
mod evidence;
pub mod explain;
pub mod findings;
mod fixes;
mod identify;
mod json;
mod knowledge;
mod near_miss;
mod people;
mod places;
mod principal;
mod rbac;
mod shell;
mod state;
mod username;
pub mod who;
pub mod words;

use eksplain_queries::facts::{Facts, Micros};

/// Whether a name fits a pattern with `*` and `?`.
pub use eksplain_parse::glob::glob_matches;
/// Times as text, and back.
pub use eksplain_parse::time;
/// A word out of a log for a command that somebody may copy.
pub use shell::quote;

use findings::Answers;
use state::World;

/// What is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// The moment that the answers speak of; facts hold no later record.
    pub at: Micros,
    /// Denials from here on.
    pub since: Option<Micros>,
    /// Denials up to here.
    pub until: Option<Micros>,
    /// Denials of every AWS service, not only of those that decide about access.
    pub scope_all: bool,
}

/// Fills in what other records tell of a fact: do this once, before asking.
pub fn complete(facts: &mut Facts) {
    identify::fill_arns(facts);
    identify::fill_arns_by_mapping(facts);
}

/// The three answers.
pub fn answer(facts: &Facts, options: &Options) -> Answers {
    let world = World::build(facts, options.at);
    let admins = admins::admins(&world, options.at);
    Answers {
        coverage: coverage::coverage(&world, options.at),
        creators: creators::creators(&world, &admins, options.at),
        denials: denials::denials(&world, options),
        admins,
    }
}
