//! Every fix: what lets a refused call through, with names filled in and ready to copy.
//!
//! Rule: the domain's sections 4 and 5. A fix is made from the state that is known last, names the least that lets the call through,
//! keeps what is there (types, groups, user names, policies, scopes, paths), and goes for the cause where there is one. What no log
//! can tell stands as a name in capitals, never as a guess. What would give power over access itself gets a warning and no grant.

use eksplain_queries::facts::Micros;

use crate::findings::Fix;

pub(crate) mod access_entry;
pub(crate) mod advice;
pub(crate) mod aws_auth;
pub(crate) mod client;
pub(crate) mod iam;
pub(crate) mod names;
pub(crate) mod power;
pub(crate) mod rbac;
pub(crate) mod sts;

/// The moment of a fix: the newest that is known. The facts hold nothing later than the moment of the answer.
pub(crate) const NOW: Micros = Micros::MAX;

/// A fix of commands.
pub(crate) fn fix(title: impl Into<String>, commands: Vec<String>) -> Fix {
    Fix {
        title: title.into(),
        commands,
        manifest: None,
    }
}

/// A fix that no command can do: the sentence is what to do.
pub(crate) fn words(title: impl Into<String>) -> Fix {
    fix(title, Vec::new())
}

/// A fix of commands that use a file with this content.
pub(crate) fn with_file(title: impl Into<String>, commands: Vec<String>, content: &serde_json::Value) -> Fix {
    Fix {
        title: title.into(),
        commands,
        manifest: serde_json::to_string_pretty(content).ok(),
    }
}
