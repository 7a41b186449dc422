//! The one place where errors become text and exit codes: what did not happen, why, and what to do.

use std::process::ExitCode;

/// Exit codes of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Answered = 0,
    Matched = 1,
    Usage = 2,
    Rejected = 3,
    Refused = 4,
    Damaged = 5,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What a person is told.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    cause: Option<String>,
    help: Option<String>,
    exit: Exit,
    /// There is no way to AWS at all: no credentials, no region.
    is_without_access: bool,
}

impl Failure {
    pub(crate) fn is_without_access(&self) -> bool {
        self.is_without_access
    }

    pub(crate) fn usage(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            cause: None,
            help: Some(help.into()),
            exit: Exit::Usage,
            is_without_access: false,
        }
    }

    fn new(what: impl Into<String>, cause: impl Into<String>, help: impl Into<String>, exit: Exit) -> Self {
        Self {
            what: what.into(),
            cause: Some(cause.into()),
            help: Some(help.into()),
            exit,
            is_without_access: false,
        }
    }

    /// Writes it to stderr.
    pub(crate) fn report(&self) -> ExitCode {
        use crate::render::say;
        // Whoever read the answer has seen enough (`| head`): no fault.
        if self.exit == Exit::Answered {
            return self.exit.into();
        }
        say::error(&self.what);
        if let Some(cause) = &self.cause {
            say::below("cause", cause);
        }
        if let Some(help) = &self.help {
            say::below("do", help);
        }
        self.exit.into()
    }
}

impl From<eksplain_lake::Error> for Failure {
    fn from(error: eksplain_lake::Error) -> Self {
        use eksplain_lake::Error;
        let what = format!("could not {error}");
        match &error {
            Error::NotFound { .. } => Self::usage(
                what,
                "ingest logs first: eksplain ingest files PATH…, or name another lake with --lake",
            ),
            Error::NotALake { .. } => Self::usage(what, "name another folder with --lake"),
            Error::Unsupported { .. } => Self::usage(what, "update eksplain, or name another lake with --lake"),
            Error::Busy { .. } => Self::usage(what, "wait until it ends, or name another lake with --lake"),
            Error::NoSpace { source, .. } => Self::new(
                what,
                source.to_string(),
                "make room and run the same command again: what was done is kept",
                Exit::Damaged,
            ),
            Error::Refused { source, .. } => Self::new(
                what,
                source.to_string(),
                "let your user read and write there, or name another lake with --lake",
                Exit::Usage,
            ),
            Error::Damaged { .. } => Self {
                what,
                cause: None,
                help: Some(
                    "eksplain lake verify lists what is damaged; a lake can be made again from its logs".to_owned(),
                ),
                exit: Exit::Damaged,
                is_without_access: false,
            },
            _ => Self {
                what,
                cause: None,
                help: None,
                exit: Exit::Damaged,
                is_without_access: false,
            },
        }
    }
}

impl From<eksplain_aws::Fault> for Failure {
    fn from(fault: eksplain_aws::Fault) -> Self {
        let what = if fault.action.is_empty() {
            fault.code.clone()
        } else {
            format!("AWS refused {}: {}", fault.action, fault.code)
        };
        let fix = if fault.action.is_empty() {
            fault.message.clone()
        } else {
            fault.fix()
        };
        Self {
            what,
            cause: Some(fault.message.clone()).filter(|cause| !cause.is_empty() && *cause != fix),
            help: Some(fix).filter(|fix| !fix.is_empty()),
            exit: Exit::Refused,
            is_without_access: fault.kind == eksplain_aws::Kind::NoCredentials || fault.action.is_empty(),
        }
    }
}

impl From<eksplain_ingest::Error> for Failure {
    fn from(error: eksplain_ingest::Error) -> Self {
        match error {
            eksplain_ingest::Error::Lake(error) => error.into(),
            other => Self::usage(format!("could not {other}"), "check the path"),
        }
    }
}

impl From<eksplain_queries::Error> for Failure {
    fn from(error: eksplain_queries::Error) -> Self {
        match &error {
            eksplain_queries::Error::Statement { .. } => Self::usage(
                format!("could not {error}"),
                "eksplain query --list shows the tables' columns and the named queries",
            ),
            _ => Self {
                what: format!("could not {error}"),
                cause: None,
                help: Some("eksplain lake verify lists what is damaged".to_owned()),
                exit: Exit::Damaged,
                is_without_access: false,
            },
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let is_reader_gone = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self {
            what: format!("could not write the answer: {error}"),
            cause: None,
            help: None,
            exit: if is_reader_gone { Exit::Answered } else { Exit::Damaged },
            is_without_access: false,
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        std::io::Error::from(error).into()
    }
}
