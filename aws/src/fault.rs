//! What a call to AWS can come to, and what to do about it.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// What kind of trouble it is: decides whether the call is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Too many calls: later.
    Throttled,
    /// 5xx, a broken connection, a cut body, a timeout: again.
    Transient,
    /// The page token is no longer good: go on by time.
    Token,
    /// The credentials ended: with new ones.
    Expired,
    /// The clocks disagree.
    Clock,
    /// No credentials were found.
    NoCredentials,
    /// The credentials are not known there: wrong, or the region is off for the account.
    Unknown,
    /// A policy is missing.
    Denied,
    /// There is no such thing.
    NotFound,
    /// Anything else that will not pass.
    Other,
}

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Kind of trouble.
    pub kind: Kind,
    /// IAM action of the call.
    pub action: &'static str,
    /// AWS's code, or the fault of the network in words.
    pub code: String,
    /// AWS's message.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.action, self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        let fix = self.fix();
        if !fix.is_empty() {
            write!(f, " ({fix})")?;
        }
        Ok(())
    }
}

impl Fault {
    /// Names the trouble of an SDK call.
    pub(crate) fn of<E>(action: &'static str, error: SdkError<E, Response>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let (kind, code, message) = match &error {
            SdkError::ServiceError(service) => {
                let status = service.raw().status().as_u16();
                let code = service
                    .err()
                    .code()
                    .map_or_else(|| format!("HTTP {status}"), str::to_owned);
                let message = service.err().message().unwrap_or_default().to_owned();
                let kind = kind_of(&code, &message, status);
                (kind, code, message)
            }
            SdkError::TimeoutError(_) => (Kind::Transient, "timed out".to_owned(), String::new()),
            SdkError::ResponseError(_) => (
                Kind::Transient,
                "response incomplete or unreadable".to_owned(),
                chain(&error),
            ),
            SdkError::DispatchFailure(_) => {
                let text = chain(&error);
                // The SDK has no type for it at this place; its own words are all there is.
                let kind = if text.contains("credential") || text.contains("identity") {
                    Kind::NoCredentials
                } else {
                    Kind::Transient
                };
                let code = if kind == Kind::NoCredentials {
                    "no credentials"
                } else {
                    "not reached"
                };
                (kind, code.to_owned(), text)
            }
            _ => (Kind::Other, "call not made".to_owned(), chain(&error)),
        };
        Self {
            kind,
            action,
            code,
            message,
        }
    }

    /// What a person should do.
    pub fn fix(&self) -> String {
        match self.kind {
            Kind::Denied => format!(
                "allow the caller to do it: {{\"Effect\": \"Allow\", \"Action\": \"{}\", \"Resource\": \"*\"}}; eksplain doctor prints the whole policy",
                self.action
            ),
            Kind::NoCredentials => "name a profile with --profile, or run aws sso login, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned(),
            Kind::Expired => "renew the credentials (aws sso login) and run the same command again: what was fetched is kept".to_owned(),
            Kind::Unknown => "the credentials are wrong, or this region is not enabled for the account: enable it, or name others with --regions".to_owned(),
            Kind::Clock => "set the clock of this machine".to_owned(),
            Kind::Throttled | Kind::Transient => "run the same command again later: what was fetched is kept".to_owned(),
            Kind::NotFound => "check the name, the region (--regions) and the account (--profile)".to_owned(),
            Kind::Token | Kind::Other => String::new(),
        }
    }

    pub(crate) fn other(action: &'static str, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Other,
            action,
            code: code.into(),
            message: message.into(),
        }
    }
}

/// Codes as the services' models and the common errors of AWS name them.
fn kind_of(code: &str, message: &str, status: u16) -> Kind {
    match code {
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown"
        | "BandwidthLimitExceeded"
        | "LimitExceededException" => Kind::Throttled,
        "InvalidNextTokenException" | "InvalidNextToken" => Kind::Token,
        "InvalidParameterException" | "ValidationException" if message.to_ascii_lowercase().contains("token") => {
            Kind::Token
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Kind::Expired,
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => Kind::Clock,
        "InvalidSignatureException" | "SignatureDoesNotMatch"
            if message.contains("expired") || message.contains("not yet current") =>
        {
            Kind::Clock
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "OptInRequired"
        | "AuthFailure"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationTokenException" => Kind::Unknown,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "UnauthorizedException"
        | "AuthorizationError" => Kind::Denied,
        "ResourceNotFoundException" | "NoSuchEntity" | "NoSuchBucket" | "NotFoundException" => Kind::NotFound,
        _ if status == 429 => Kind::Throttled,
        _ if status >= 500 => Kind::Transient,
        _ if status == 403 => Kind::Denied,
        _ => Kind::Other,
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let own = error.to_string();
        if !text.contains(&own) {
            text.push_str(": ");
            text.push_str(&own);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_what_to_do() {
        for (code, message, status, kind) in [
            ("ThrottlingException", "Rate exceeded", 400, Kind::Throttled),
            ("InvalidNextTokenException", "", 400, Kind::Token),
            (
                "InvalidParameterException",
                "The specified nextToken is invalid",
                400,
                Kind::Token,
            ),
            ("InvalidParameterException", "limit is too large", 400, Kind::Other),
            ("ExpiredTokenException", "", 403, Kind::Expired),
            ("InvalidSignatureException", "Signature expired: 2026", 403, Kind::Clock),
            ("UnrecognizedClientException", "", 400, Kind::Unknown),
            ("AccessDeniedException", "", 400, Kind::Denied),
            ("InternalFailure", "", 500, Kind::Transient),
            ("no code", "", 503, Kind::Transient),
        ] {
            assert_eq!(kind_of(code, message, status), kind, "{code} {message} {status}");
        }
    }
}
