//! What a line tells of: its kind, its outcome, and for a refusal the class of its text.

use std::borrow::Cow;

use super::{AuthenticatorRecord, Problem};

/// What a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "as_str says them")]
pub enum Kind {
    AccessGranted,
    AccessDenied,
    StsResponse,
    BadRequest,
    MappingRole,
    MappingUser,
    MappingAccount,
    Startup,
    Configmap,
    ConfigmapError,
    DynamicFile,
    Ec2Lookup,
    HttpError,
    Klog,
    Raw,
    Other,
}

impl Kind {
    /// The word of the specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::AccessGranted => "access_granted",
            Kind::AccessDenied => "access_denied",
            Kind::StsResponse => "sts_response",
            Kind::BadRequest => "bad_request",
            Kind::MappingRole => "mapping_role",
            Kind::MappingUser => "mapping_user",
            Kind::MappingAccount => "mapping_account",
            Kind::Startup => "startup",
            Kind::Configmap => "configmap",
            Kind::ConfigmapError => "configmap_error",
            Kind::DynamicFile => "dynamic_file",
            Kind::Ec2Lookup => "ec2_lookup",
            Kind::HttpError => "http_error",
            Kind::Klog => "klog",
            Kind::Raw => "raw",
            Kind::Other => "other",
        }
    }
}

/// The verdict of a line: the `outcome` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Authenticated and mapped.
    Granted,
    /// Refused.
    Denied,
    /// The authenticator itself failed at something.
    Error,
    /// Anything else.
    Info,
}

impl Outcome {
    /// The word of the column.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Granted => "granted",
            Outcome::Denied => "denied",
            Outcome::Error => "error",
            Outcome::Info => "info",
        }
    }
}

/// Classes of refusal texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "as_str says them")]
pub enum DenialClass {
    NotMapped,
    IdArnMismatch,
    Template,
    ReservedPrefix,
    MapperError,
    TokenExpired,
    TokenMalformed,
    TokenWrongEndpoint,
    StsInvalidKey,
    StsSignature,
    StsExpired,
    StsThrottled,
    StsUnreachable,
    StsOther,
    BadRequest,
    Other,
}

impl DenialClass {
    /// The word of the specification.
    pub fn as_str(self) -> &'static str {
        match self {
            DenialClass::NotMapped => "not_mapped",
            DenialClass::IdArnMismatch => "id_arn_mismatch",
            DenialClass::Template => "template",
            DenialClass::ReservedPrefix => "reserved_prefix",
            DenialClass::MapperError => "mapper_error",
            DenialClass::TokenExpired => "token_expired",
            DenialClass::TokenMalformed => "token_malformed",
            DenialClass::TokenWrongEndpoint => "token_wrong_endpoint",
            DenialClass::StsInvalidKey => "sts_invalid_key",
            DenialClass::StsSignature => "sts_signature",
            DenialClass::StsExpired => "sts_expired",
            DenialClass::StsThrottled => "sts_throttled",
            DenialClass::StsUnreachable => "sts_unreachable",
            DenialClass::StsOther => "sts_other",
            DenialClass::BadRequest => "bad_request",
            DenialClass::Other => "other",
        }
    }

    /// The class of an `error` text, one layer of quoting undone. Anchored at the text's beginning, where the authenticator
    /// writes its own words; only STS's answer is looked into, and only for its code.
    pub fn of(error: &str) -> DenialClass {
        if let Some(cause) = error.strip_prefix("input token was not properly formatted: ") {
            return token_class(cause);
        }
        if error.starts_with("invalid host format") {
            return DenialClass::TokenWrongEndpoint;
        }
        if error.starts_with("sts getCallerIdentity was throttled") {
            return DenialClass::StsThrottled;
        }
        if let Some(cause) = error.strip_prefix("sts getCallerIdentity failed: ") {
            return sts_class(cause);
        }
        let lower = error.to_ascii_lowercase();
        if lower == "identity is not mapped" || lower == "arn is not mapped" || lower.starts_with("arn is not mapped: ")
        {
            return DenialClass::NotMapped;
        }
        if error == "ARN does not match User ID" {
            return DenialClass::IdArnMismatch;
        }
        if error.starts_with("invalid username '") {
            return DenialClass::ReservedPrefix;
        }
        if error.starts_with("failed mapping username: ") || error.starts_with("failed mapping group: ") {
            return DenialClass::Template;
        }
        // Several mappers that failed are listed in brackets: the first that names a cause decides.
        if let Some(list) = error.strip_prefix("[mapper ").and_then(|rest| rest.strip_suffix(']')) {
            let classes = list
                .split(", mapper ")
                .map(|item| DenialClass::of(&format!("mapper {item}")));
            return classes
                .reduce(|first, next| if first == DenialClass::MapperError { next } else { first })
                .unwrap_or(DenialClass::MapperError);
        }
        if let Some(rest) = error
            .strip_prefix("mapper ")
            .and_then(|rest| rest.split_once(' '))
            .map(|(_, rest)| rest)
        {
            return match rest {
                "Map error: ARN does not match User ID" => DenialClass::IdArnMismatch,
                _ if rest.starts_with("renderTemplates error: ") => DenialClass::Template,
                _ => DenialClass::MapperError,
            };
        }
        DenialClass::Other
    }
}

fn token_class(cause: &str) -> DenialClass {
    let wrong_endpoint = [
        "unexpected hostname",
        "partition {",
        "global endpoint unsupported",
        "could not parse region",
        "invalid region identifier",
    ];
    if cause.starts_with("X-Amz-Date parameter is expired") {
        DenialClass::TokenExpired
    } else if wrong_endpoint.iter().any(|start| cause.starts_with(start)) {
        DenialClass::TokenWrongEndpoint
    } else {
        DenialClass::TokenMalformed
    }
}

fn sts_class(cause: &str) -> DenialClass {
    if cause.starts_with("error during GET: ") {
        return DenialClass::StsUnreachable;
    }
    match sts_code(cause).as_deref() {
        Some("InvalidClientTokenId" | "UnrecognizedClientException") => DenialClass::StsInvalidKey,
        Some("SignatureDoesNotMatch") => DenialClass::StsSignature,
        Some("ExpiredToken" | "ExpiredTokenException") => DenialClass::StsExpired,
        Some("Throttling" | "ThrottlingException") => DenialClass::StsThrottled,
        _ => DenialClass::StsOther,
    }
}

/// The error code in the body of STS's answer.
pub(super) fn sts_code(error: &str) -> Option<String> {
    let body = &error[error.find("Body: ")? + 6..];
    let mut values = serde_json::Deserializer::from_str(body).into_iter::<serde_json::Value>();
    let value = values.next()?.ok()?;
    value["Error"]["Code"].as_str().map(str::to_owned)
}

impl AuthenticatorRecord<'_> {
    /// The verdict. A grant is only what says so by `msg` at level info with whole `groups` and `username`.
    pub fn outcome(&self) -> Outcome {
        match self.kind {
            Kind::AccessGranted => Outcome::Granted,
            Kind::AccessDenied => Outcome::Denied,
            Kind::Klog | Kind::Raw => Outcome::Info,
            _ => match self.level.as_deref() {
                Some("error" | "fatal" | "panic") => Outcome::Error,
                _ => Outcome::Info,
            },
        }
    }

    /// The class of a refusal.
    pub fn denial(&self) -> Option<DenialClass> {
        (self.kind == Kind::AccessDenied).then(|| self.field("error").map_or(DenialClass::Other, DenialClass::of))
    }
}

/// Groups, problems and kind of a record whose pairs are read.
pub(super) fn finish(record: &mut AuthenticatorRecord<'_>) {
    if record.time.is_none() {
        record.note(Problem::NoTime);
    }
    if record.groups.is_none() {
        split_groups(record);
    }
    let is_info = record.level.as_deref() == Some("info");
    let kind = record.msg.as_deref().map_or(Kind::Other, kind_of_message);
    record.kind = match kind {
        Kind::AccessGranted if !is_info || record.groups.is_none() || record.field("username").is_none() => {
            if is_info {
                record.note(Problem::IncompleteGrant);
            }
            Kind::Other
        }
        kind => kind,
    };
    if let Some(at) = record
        .fields
        .iter()
        .position(|(k, _)| k == "groups")
        .filter(|_| record.format == super::Format::Json)
    {
        record.fields.remove(at);
    }
}

/// `[a b]` to a list: logrus joins with a blank, so a name with a blank cannot be told apart.
fn split_groups(record: &mut AuthenticatorRecord<'_>) {
    let Some((_, text)) = record.fields.iter().find(|(k, _)| k == "groups") else {
        return;
    };
    let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) else {
        return;
    };
    let groups: Vec<Cow<'_, str>> = match (text, inner) {
        (_, "") => Vec::new(),
        (Cow::Borrowed(whole), _) => whole[1..whole.len() - 1].split(' ').map(Cow::Borrowed).collect(),
        (Cow::Owned(_), inner) => inner.split(' ').map(|g| Cow::Owned(g.to_owned())).collect(),
    };
    let is_ambiguous = groups.iter().any(|g| g.is_empty());
    record.groups = Some(groups);
    if is_ambiguous {
        record.note(Problem::GroupsAmbiguous);
    }
}

fn kind_of_message(msg: &str) -> Kind {
    match msg {
        "access granted" => return Kind::AccessGranted,
        "access denied" => return Kind::AccessDenied,
        "STS response" => return Kind::StsResponse,
        "mapping IAM role" => return Kind::MappingRole,
        "mapping IAM user" => return Kind::MappingUser,
        "mapping IAM Account" => return Kind::MappingAccount,
        "unexpected request method" | "empty request body" | "could not parse request body" => return Kind::BadRequest,
        "logging latency metric" => return Kind::DynamicFile,
        "received a watch error" => return Kind::ConfigmapError,
        "Received aws-auth watch event" | "Resetting configmap on delete" => return Kind::Configmap,
        _ => {}
    }
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| msg.starts_with(prefix));
    if starts(&[
        "Errors parsing configmap",
        "There was an error parsing the config maps",
        "error parsing config map",
        "Unable to re-establish watch",
    ]) {
        Kind::ConfigmapError
    } else if starts(&[
        "startLoadConfigMap",
        "stopCh is closed in startLoadConfigMap",
        "Watch channel closed",
    ]) {
        Kind::Configmap
    } else if starts(&[
        "LoadDynamicFile",
        "startLoadDynamicFile",
        "StartLoadDynamicFile",
        "ParseMap",
        "additional arn comparison",
        "invalid mapping arn in dynamic file",
        "BackendMode dynamic file",
    ]) {
        Kind::DynamicFile
    } else if starts(&["http: "]) {
        Kind::HttpError
    } else if starts(&[
        "Starting the h.ec2Provider",
        "Using assumed role for EC2 API",
        "Calling ec2:",
        "Making Batch Query",
        "Batch call failed",
    ]) {
        Kind::Ec2Lookup
    } else if starts(&[
        "starting mapper ",
        "start mapper ",
        "warning: backend-mode",
        "Creating certificate",
        "generated a new private key",
        "saving new key",
        "loaded existing keypair",
        "listening on ",
        "reconfigure your apiserver",
        "writing webhook kubeconfig",
        "creating event broadcaster",
    ]) {
        Kind::Startup
    } else {
        Kind::Other
    }
}
