//! From columns to facts: the SQL reductions, and the engine that runs them.
//!
//! The texts in `sql/` are a portable subset of SQL: the same file runs on Polars (here), Athena and Spark. What bounds a question in
//! time is a typed predicate beside the text, because a timestamp literal does not mean the same on every engine. It promises that
//! facts are compact, sorted, and carry the ids of the records behind them.
//!
//! It never knows what a fact means. No polars type leaves this crate.

mod allowed;
mod columns;
mod engine;
pub mod facts;
mod reductions;

pub use engine::{Answer, Bounds, Engine, Error};

/// A query that comes with eksplain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedQuery {
    /// What `eksplain query` takes.
    pub name: &'static str,
    /// Its text; the first line says what it is for.
    pub sql: &'static str,
    /// The same question for CloudWatch Logs Insights, where it can be asked there.
    pub insights: Option<&'static str>,
}

/// Every named query, by name.
pub const NAMED: &[NamedQuery] = &[
    NamedQuery {
        name: "cluster_calls",
        sql: include_str!("../sql/named/cluster_calls.sql"),
        insights: None,
    },
    NamedQuery {
        name: "denied_logins",
        sql: include_str!("../sql/named/denied_logins.sql"),
        insights: None,
    },
    NamedQuery {
        name: "masters_logins",
        sql: include_str!("../sql/named/masters_logins.sql"),
        insights: Some(include_str!("../sql/named/masters_logins.insights")),
    },
    NamedQuery {
        name: "rejects",
        sql: include_str!("../sql/named/rejects.sql"),
        insights: None,
    },
];

impl NamedQuery {
    /// What it answers: the comment on its first line.
    pub fn about(&self) -> &'static str {
        self.sql.lines().next().unwrap_or_default().trim_start_matches("-- ")
    }
}

/// The query of this name.
pub fn named(name: &str) -> Option<&'static NamedQuery> {
    NAMED.iter().find(|query| query.name == name)
}
