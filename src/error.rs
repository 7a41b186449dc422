//! The one place where errors become text and exit codes: what did not happen, why, and what to do.

use std::io::IsTerminal;
use std::ops::Range;
use std::process::ExitCode;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Severity, ThemeCharacters,
    ThemeStyles,
};

use crate::render::escape;

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

impl TryFrom<u8> for Exit {
    type Error = u8;

    fn try_from(code: u8) -> Result<Self, u8> {
        const ALL: [Exit; 7] = [
            Exit::Answered,
            Exit::Matched,
            Exit::Usage,
            Exit::Rejected,
            Exit::Refused,
            Exit::Damaged,
            Exit::Interrupted,
        ];
        ALL.into_iter().find(|exit| *exit as u8 == code).ok_or(code)
    }
}

/// A place in typed text, what is wrong or odd there, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pointer {
    at: Range<usize>,
    what: String,
    advice: Option<String>,
    is_warning: bool,
}

impl Pointer {
    /// `at` are bytes of the text; empty advice is none.
    pub(crate) fn new(at: Range<usize>, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            at,
            what: what.into(),
            advice: Some(advice.into()).filter(|advice| !advice.is_empty()),
            is_warning: false,
        }
    }

    /// The same as something odd, which stops nothing.
    pub(crate) fn warning(self) -> Self {
        Self {
            is_warning: true,
            ..self
        }
    }

    pub(crate) fn is_warning(&self) -> bool {
        self.is_warning
    }

    pub(crate) fn start(&self) -> usize {
        self.at.start
    }

    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    #[cfg(test)]
    pub(crate) fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    #[cfg(test)]
    pub(crate) fn range(&self) -> Range<usize> {
        self.at.clone()
    }

    /// The place with file, line and column, the line itself, and a caret under it.
    pub(crate) fn show(&self, name: &str, text: &str) -> String {
        // One byte for one byte, so that every place stays where it is.
        let is_acting = |c: char| c.is_ascii_control() && !matches!(c, '\n' | '\t');
        let text: String = text.chars().map(|c| if is_acting(c) { '?' } else { c }).collect();
        let label = LabeledSpan::new_primary_with_span(self.advice.as_deref().map(escape), self.visible(&text));
        let severity = if self.is_warning {
            Severity::Warning
        } else {
            Severity::Error
        };
        let diagnostic = MietteDiagnostic::new(escape(&self.what))
            .with_severity(severity)
            .with_label(label);
        let report = miette::Report::from(diagnostic).with_source_code(NamedSource::new(name, text));
        let mut characters = ThemeCharacters::unicode();
        (characters.underline, characters.underbar) = ('^', '^');
        (characters.error, characters.warning) = ("error:".to_owned(), "warning:".to_owned());
        let is_plain =
            std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || !std::io::stderr().is_terminal();
        let styles = if is_plain {
            ThemeStyles::none()
        } else {
            ThemeStyles::ansi()
        };
        let mut shown = String::new();
        let written = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
            .with_links(false)
            .with_context_lines(1)
            .with_width(120)
            .render_report(&mut shown, report.as_ref());
        match written {
            Ok(()) => shown.trim_start().to_owned(),
            Err(_) => format!("{}: {}\n", escape(name), escape(&self.what)),
        }
    }

    /// What of the place can stand above carets: its first line alone (a table's place is its head and all below), and at least a letter.
    fn visible(&self, text: &str) -> Range<usize> {
        let from = self.at.start.min(text.len());
        let to = self.at.end.clamp(from, text.len());
        let Some(place) = text.get(from..to) else {
            return from..from;
        };
        let to = place.find('\n').map_or(to, |end| from + end);
        if to > from {
            return from..to;
        }
        // What is missing is missing behind the last letter.
        let before = text[..from].trim_end();
        let last = before.chars().next_back().map_or(0, char::len_utf8);
        before.len() - last..before.len()
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
    /// Places in typed text, as they are shown.
    places: Vec<String>,
}

impl Failure {
    /// Typed text that cannot be understood: each fault is shown where it stands.
    pub(crate) fn pointed(
        what: impl Into<String>,
        help: impl Into<String>,
        name: &str,
        text: &str,
        faults: &[Pointer],
    ) -> Self {
        Self {
            places: faults.iter().map(|fault| fault.show(name, text)).collect(),
            ..Self::usage(what, help)
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

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
            places: Vec::new(),
        }
    }

    fn new(what: impl Into<String>, cause: impl Into<String>, help: impl Into<String>, exit: Exit) -> Self {
        Self {
            what: what.into(),
            cause: Some(cause.into()),
            help: Some(help.into()),
            exit,
            is_without_access: false,
            places: Vec::new(),
        }
    }

    /// Writes it to stderr.
    pub(crate) fn report(&self) -> ExitCode {
        use crate::render::say;
        // Whoever read the answer has seen enough (`| head`): no fault.
        if self.exit == Exit::Answered {
            return self.exit.into();
        }
        for place in &self.places {
            eprintln!("{place}");
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

/// What and why, on one line.
impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.what)?;
        match &self.cause {
            Some(cause) => write!(out, ": {cause}"),
            None => Ok(()),
        }
    }
}

const WAY_OUT_OF_DAMAGE: &str = "eksplain lake verify lists what is damaged; with --repair it drops the damaged files, and the \
                                 next ingest reads their logs again";

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
                "free some space and run the same command again: what was done is kept",
                Exit::Damaged,
            ),
            Error::Refused { source, .. } => Self::new(
                what,
                source.to_string(),
                "grant your user read and write access, or name another lake with --lake",
                Exit::Usage,
            ),
            Error::Damaged { .. } => Self {
                what,
                cause: None,
                help: Some(WAY_OUT_OF_DAMAGE.to_owned()),
                exit: Exit::Damaged,
                is_without_access: false,
                places: Vec::new(),
            },
            _ => Self {
                what,
                cause: None,
                help: None,
                exit: Exit::Damaged,
                is_without_access: false,
                places: Vec::new(),
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
            places: Vec::new(),
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
        match error {
            eksplain_queries::Error::Part(error) => error.into(),
            eksplain_queries::Error::Statement { .. } => Self::usage(
                format!("could not {error}"),
                "eksplain query --list shows the tables' columns and the named queries",
            ),
            eksplain_queries::Error::NotAQuery { .. } => Self::usage(
                format!("could not {error}"),
                "to change what the lake holds, use eksplain ingest, lake compact or lake assign",
            ),
            _ => Self {
                what: format!("could not {error}"),
                cause: None,
                help: Some(WAY_OUT_OF_DAMAGE.to_owned()),
                exit: Exit::Damaged,
                is_without_access: false,
                places: Vec::new(),
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
            places: Vec::new(),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        std::io::Error::from(error).into()
    }
}
