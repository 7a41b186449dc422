//! What a run could reach: one account, region and source, and what became of it.

/// What became of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// All of it was fetched.
    Done,
    /// Some of it.
    Partial,
    /// AWS refused.
    Refused,
}

/// One account, region and source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Account, where known.
    pub account: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// `cloudtrail`, `cloudwatch`, `s3`, `snapshot`.
    pub source: &'static str,
    /// What of it: an event source, a log group, a prefix.
    pub part: Option<String>,
    /// What became of it.
    pub state: State,
    /// Why it is not done.
    pub error: Option<String>,
}

impl Scope {
    pub(crate) fn new(account: Option<&str>, region: Option<&str>, source: &'static str) -> Self {
        Self {
            account: account.map(str::to_owned),
            region: region.map(str::to_owned),
            source,
            part: None,
            state: State::Done,
            error: None,
        }
    }

    pub(crate) fn part(mut self, part: impl Into<String>) -> Self {
        self.part = Some(part.into());
        self
    }

    pub(crate) fn refused(mut self, error: impl ToString) -> Self {
        self.state = State::Refused;
        self.error = Some(error.to_string());
        self
    }

    pub(crate) fn partial(mut self, error: impl ToString) -> Self {
        self.state = State::Partial;
        self.error = Some(error.to_string());
        self
    }
}
