//! What is known, and since when: the difference between "it is not there" and "no record tells".
//!
//! A subject (aws-auth, an access entry, an RBAC object, the mode, an IAM principal) is known from a record that shows it, forward and
//! backward as far as the log that would show a change has no gap. Outside of that it is unknown, with the gap and the command that would
//! settle it. Rule: the domain's section 2.5; nothing becomes certain through a record that was not looked at.

mod log;

use eksplain_parse::time::format_rfc3339;
use eksplain_queries::facts::Micros;

pub(crate) use log::{Days, Ends, FRESH, Log, Logs, Measure};

use crate::findings::Cluster;

/// What is known of a subject at a moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Known<T> {
    /// It was this.
    Is(T),
    /// It was not there.
    Absent,
    /// No record settles it.
    Unknown(Doubt<T>),
}

/// Why something is not known, and what comes nearest to knowing it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Doubt<T> {
    /// The gap between the moment and the nearest record that shows the subject; `None` where a record says itself that it does not
    /// show it.
    pub(crate) gap: Option<Gap>,
    /// What the nearest record shows, across the gap.
    pub(crate) nearest: Option<T>,
    /// When the nearest record saw it.
    pub(crate) seen: Option<Micros>,
}

impl<T> Known<T> {
    /// The value that is known, or the nearest to it: what an answer that is called `likely` may rest on.
    pub(crate) fn likely(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent => None,
            Self::Unknown(doubt) => doubt.nearest.as_ref(),
        }
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

/// A log of one cluster or account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum LogKind {
    /// The Kubernetes audit log: aws-auth and RBAC.
    Audit,
    /// The authenticator's log: logins.
    Authenticator,
    /// CloudTrail of the cluster's account and region: entries, policies, mode.
    Trail,
    /// CloudTrail of the account's IAM events.
    Iam,
}

impl LogKind {
    /// As people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit log",
            Self::Authenticator => "authenticator log",
            Self::Trail => "CloudTrail of the cluster's account and region",
            Self::Iam => "CloudTrail of the account's IAM events",
        }
    }
}

/// A stretch of time in which a log could not show a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) log: LogKind,
    /// Exclusive: the record at this moment was seen.
    pub(crate) from: Micros,
    /// Exclusive.
    pub(crate) to: Micros,
    pub(crate) why: Why,
}

/// What makes a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// The lake has no record of the log.
    NotIngested,
    /// The log begins later.
    NotYet,
    /// Silence that is longer than the log's habit.
    Silence,
    /// The log type was switched off; by whom, where a record tells.
    SwitchedOff(Option<String>),
    /// A record of it was cut or could not be read.
    Unreadable,
    /// The log ends though others go on.
    Ended,
    /// The lake ends.
    LakeEnds,
}

impl Gap {
    /// Whether the stretch between two moments, each of which was seen, has a part in it.
    pub(crate) fn lies_between(&self, from: Micros, to: Micros) -> bool {
        self.from < to && self.to > from
    }

    /// Whether the log says nothing because there is none, or no more of it.
    pub(crate) fn is_as_of(&self) -> bool {
        matches!(self.why, Why::NotIngested | Why::LakeEnds)
    }

    /// One sentence without a full stop.
    pub(crate) fn sentence(&self) -> String {
        let log = self.log.name();
        let (from, to) = (moment(self.from), moment(self.to));
        match &self.why {
            Why::NotIngested => format!("the {log} is not in the lake"),
            Why::NotYet => format!("the {log} in the lake begins {to}"),
            Why::Silence => format!("the {log} has a gap from {from} to {to}"),
            Why::SwitchedOff(by) => {
                let by = by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
                format!("the {log} was switched off at {from}{by}")
            }
            Why::Unreadable => format!("a record of the {log} at {from} was cut or could not be read"),
            Why::Ended => format!("the {log} in the lake ends {from}"),
            Why::LakeEnds => format!("the lake ends {from}"),
        }
    }

    /// The command that would settle what the gap hides.
    pub(crate) fn settled_by(&self, cluster: &Cluster) -> String {
        let name = crate::quote(&cluster.name);
        match self.log {
            LogKind::Audit | LogKind::Authenticator => format!("eksplain ingest cloudwatch --cluster {name}"),
            LogKind::Trail => format!("eksplain ingest snapshot --cluster {name}"),
            LogKind::Iam => "eksplain ingest cloudtrail --event-source iam".to_owned(),
        }
    }
}

/// A moment in whole seconds, as sentences have it.
pub(crate) fn moment(ts: Micros) -> String {
    format_rfc3339(ts.saturating_sub(ts.rem_euclid(1_000_000)))
}
