//! Lines of the aws-iam-authenticator log: text and JSON of logrus, klog, and what stands between.
//!
//! Rule: sirupsen/logrus `text_formatter.go` and `json_formatter.go` for the form, aws-iam-authenticator
//! `pkg/server/server.go` and `pkg/token/token.go` for the messages. A line is taken apart into pairs once, from the left;
//! nothing is ever searched for in it, since error texts hold what callers chose.
//!
//! ```
//! use eksplain_parse::authenticator::{Outcome, parse_line};
//! let line = r#"time="2026-03-02T09:14:05Z" level=info msg="access granted" arn="arn:aws:iam::111122223333:role/Ops" groups="[system:masters]" username=ops"#;
//! let record = parse_line(line);
//! assert_eq!(record.outcome(), Outcome::Granted);
//! assert!(record.masters());
//! ```

use std::borrow::Cow;

mod classify;
mod logfmt;
mod other;

pub use classify::{DenialClass, Kind, Outcome};

use crate::time::{Micros, parse_rfc3339};

/// The form that a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the forms' own")]
pub enum Format {
    Text,
    Json,
    Klog,
    Raw,
}

impl Format {
    /// The word of the specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Klog => "klog",
            Format::Raw => "raw",
        }
    }
}

/// What is odd about a line; a line may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "as_str says them")]
pub enum Problem {
    CrStripped,
    DuplicateKey,
    Empty,
    GroupsAmbiguous,
    IncompleteGrant,
    InvalidUtf8,
    Malformed,
    NoTime,
    Truncated,
}

impl Problem {
    /// The word of the specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Problem::CrStripped => "cr_stripped",
            Problem::DuplicateKey => "duplicate_key",
            Problem::Empty => "empty",
            Problem::GroupsAmbiguous => "groups_ambiguous",
            Problem::IncompleteGrant => "incomplete_grant",
            Problem::InvalidUtf8 => "invalid_utf8",
            Problem::Malformed => "malformed",
            Problem::NoTime => "no_time",
            Problem::Truncated => "truncated",
        }
    }
}

/// One line, taken apart; text borrows from the line where it stands there as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthenticatorRecord<'a> {
    /// Form of the line.
    pub format: Format,
    /// What it tells of.
    pub kind: Kind,
    /// Nothing is cut off or garbled.
    pub complete: bool,
    /// `time`, as written.
    pub time: Option<Cow<'a, str>>,
    /// `level`.
    pub level: Option<Cow<'a, str>>,
    /// `msg`.
    pub msg: Option<Cow<'a, str>>,
    /// Every other pair in the line's order, decoded.
    pub fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// `groups` as a list; `None` where the line has none.
    pub groups: Option<Vec<Cow<'a, str>>>,
    /// The pair at which a cut or garbled line stopped.
    pub partial: Option<(Cow<'a, str>, Cow<'a, str>)>,
    /// What stood around the line: `stern`, `docker_json`, …
    pub wrapped: Option<&'static str>,
    /// Sorted.
    pub problems: Vec<Problem>,
}

impl<'a> AuthenticatorRecord<'a> {
    fn empty(format: Format) -> AuthenticatorRecord<'a> {
        AuthenticatorRecord {
            format,
            kind: Kind::Other,
            complete: true,
            time: None,
            level: None,
            msg: None,
            fields: Vec::new(),
            groups: None,
            partial: None,
            wrapped: None,
            problems: Vec::new(),
        }
    }

    /// The value of a pair, decoded.
    pub fn field(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(k, _)| k == key).map(|(_, value)| &**value)
    }

    /// When, by the line itself.
    pub fn time_micros(&self) -> Option<Micros> {
        self.time.as_deref().and_then(parse_rfc3339)
    }

    /// `groups` holds exactly `system:masters`, and the line is whole.
    pub fn masters(&self) -> bool {
        let listed = self.groups.iter().flatten().any(|group| group == "system:masters");
        listed && self.complete && !self.problems.contains(&Problem::GroupsAmbiguous)
    }

    fn note(&mut self, problem: Problem) {
        if let Err(at) = self.problems.binary_search(&problem) {
            self.problems.insert(at, problem);
        }
    }
}

/// Takes one line apart. Any text gives a record; what is no line of the authenticator is `klog` or `raw`.
pub fn parse_line(line: &str) -> AuthenticatorRecord<'_> {
    let (text, had_cr) = match line.strip_suffix('\r') {
        Some(text) => (text, true),
        None => (line, false),
    };
    let mut record = if text.starts_with("time=\"") || text.starts_with("level=") || text.starts_with("msg=") {
        logfmt::parse(text)
    } else {
        other::parse(text)
    };
    if had_cr {
        record.note(Problem::CrStripped);
    }
    record
}
