//! Messages that are read by their grammar: refusals of AWS, of the authenticator, and of the API server. Their reason is the one
//! that `denials` gives a record with the same text.

use std::sync::LazyLock;

use eksplain_parse::authenticator::DenialClass;
use eksplain_queries::facts::{CloudTrailCall, DeniedLogin, DeniedRequest};
use regex::Regex;
use serde_json::Value;

use super::names::Names;
use super::quoted::beginnings;
use super::sentence;
use crate::denials::heard;

/// A message whose grammar is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recognised {
    /// Id of the denial taxonomy.
    pub(super) reason: &'static str,
    /// Where in its statement it begins; what stands before is its carrier.
    pub(super) from: usize,
    /// What it names.
    pub(super) names: Names,
    /// Whether a more telling message of the same text goes first.
    pub(super) is_general: bool,
}

impl Recognised {
    fn new(reason: &'static str, from: usize, names: Names) -> Self {
        Self {
            reason,
            from,
            names,
            is_general: false,
        }
    }
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a test compiles every pattern")
}

/// The outermost message of a sentence that has a grammar; `masked` is the sentence with its quoted names blanked.
pub(super) fn sentence(text: &str, masked: &str) -> Option<Recognised> {
    let found = [login(text, masked), request(text, masked), aws(text, masked)];
    let outermost = found.into_iter().flatten().min_by_key(|found| found.from);
    outermost.or_else(|| by_status(text, masked))
}

/// A refusal of the authenticator, by its own classifier.
fn login(text: &str, masked: &str) -> Option<Recognised> {
    let is_refusal = |error: &str| match DenialClass::of(error) {
        DenialClass::Other => false,
        DenialClass::MapperError => error.contains(" error: ") || error.contains(" Map error"),
        _ => true,
    };
    let from = beginnings(masked)
        .into_iter()
        .take(64)
        .find(|at| is_refusal(&text[*at..]))?;
    let mut error = &text[from..];
    if DenialClass::of(error) == DenialClass::Other {
        error = error.trim_end_matches(['.', ' ']);
    }
    Some(of_login(error, None, from))
}

/// A refused login: its error text, and the caller where the line names one.
pub(super) fn of_login(error: &str, arn: Option<&str>, from: usize) -> Recognised {
    let told = error.strip_prefix("ARN is not mapped: ").map(str::trim);
    let principal = arn.or(told).filter(|arn| !arn.is_empty()).map(str::to_owned);
    let reason = heard::login(&DeniedLogin {
        arn: principal.clone(),
        canonical_arn: principal.clone(),
        error: Some(error.to_owned()),
        ..DeniedLogin::default()
    });
    let names = Names {
        principal,
        ..Names::default()
    };
    Recognised::new(reason, from, names)
}

/// Beginnings of the API server's sentences, with the code that it answers.
static SENTENCES: LazyLock<Vec<(Regex, i32)>> = LazyLock::new(|| {
    let table = [
        (r#"admission webhook "[^"]*" denied the request"#, 403),
        (r#"(Internal error occurred: )?failed calling webhook "[^"]*""#, 500),
        (
            r"ValidatingAdmissionPolicy '[^']*'( with binding '[^']*')? denied request",
            422,
        ),
        (r#"([\w./-]+ ("[^"]*" )?is )?\bforbidden: "#, 403),
        (r#"namespaces "[^"]*" not found"#, 404),
        (r#"User "[^"]*" cannot \w+ "#, 403),
        (r#"exceeded quota: |failed quota: |violates PodSecurity ""#, 403),
        (
            r"error looking up service account |is attempting to grant RBAC permissions not currently held",
            403,
        ),
        (
            r"\b(maximum|minimum) \S+ usage per (Container|Pod|PersistentVolumeClaim)\b",
            403,
        ),
    ];
    table
        .into_iter()
        .map(|(pattern, code)| (regex(pattern), code))
        .collect()
});

fn request(text: &str, masked: &str) -> Option<Recognised> {
    let found = SENTENCES
        .iter()
        .filter_map(|(pattern, code)| pattern.find(masked).map(|place| (place.start(), place.end(), *code)));
    let (from, end, code) = found.min_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)))?;
    let mut message = text[from..].to_owned();
    if code == 404 {
        message.truncate(end - from);
    } else if code == 500 && !message.starts_with("Internal") {
        message.insert_str(0, "Internal error occurred: ");
    } else if message.starts_with("User \"") {
        message.insert_str(0, "request is forbidden: ");
    }
    Some(of_request(code, &message, from))
}

/// A refused request of the API server.
pub(super) fn of_request(code: i32, message: &str, from: usize) -> Recognised {
    let behind = heard::after_forbidden(message);
    let mut names = behind.and_then(sentence::parse).unwrap_or_default();
    let head = behind.map_or(message, |behind| &message[..message.len() - behind.len()]);
    names.name = sentence::object(head).filter(|_| names.resource.is_some());
    if behind.is_none() && code == 404 {
        names.namespace = sentence::object(message);
    }
    names.object = match code {
        403 | 500 if behind.is_none() => sentence::object(message),
        _ => message.split('\'').nth(1).map(str::to_owned).filter(|_| code == 422),
    };
    if let Some(account) = behind.and_then(|behind| behind.strip_prefix("error looking up service account ")) {
        let named = account
            .split([':', ' '])
            .next()
            .and_then(|account| account.split_once('/'));
        (names.namespace, names.object) = named
            .map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
            .unzip();
    }
    // Only a node is told so.
    let is_node = behind.is_some_and(|behind| behind.starts_with("node \"") || behind.starts_with("node '"));
    let username = names
        .user
        .clone()
        .or_else(|| is_node.then(|| "system:node:".to_owned()));
    let reason = heard::request(&DeniedRequest {
        username,
        verb: names
            .verb
            .clone()
            .or_else(|| (code == 404).then(|| "create".to_owned())),
        api_group: names.api_group.clone(),
        resource: names.resource.clone(),
        subresource: names.subresource.clone(),
        namespace: names.namespace.clone(),
        name: names.name.clone(),
        code,
        status_message: Some(message.to_owned()),
        ..DeniedRequest::default()
    });
    if reason == "authz.rbac.role-missing" {
        names.role = missing_role(message);
    }
    Recognised::new(reason, from, names)
}

fn missing_role(message: &str) -> Option<String> {
    let at = message.rfind("role.rbac.authorization.k8s.io ")?;
    sentence::object(&message[at..])
}

/// A `Status` of the Kubernetes API.
pub(super) fn of_status(code: Option<i32>, reason: Option<&str>, message: &str) -> Option<Recognised> {
    let code = code.or_else(|| reason.and_then(code_of));
    let masked = super::quoted::masked(message);
    if let Some(found) = request(message, &masked) {
        return Some(match code {
            Some(code) if code >= 400 && code != 401 => of_request(code, &message[found.from..], 0),
            _ => found,
        });
    }
    let code = code.filter(|code| *code >= 400 && !matches!(code, 401 | 403))?;
    let mut found = of_request(code, message, 0);
    found.is_general = true;
    Some(found)
}

/// `Error from server (NotFound): …` with no sentence that is known.
fn by_status(text: &str, masked: &str) -> Option<Recognised> {
    static SERVER: LazyLock<Regex> = LazyLock::new(|| regex(r"Error from server \((\w+)\): |(The \S+ .* is invalid:)"));
    let found = SERVER.captures(masked)?;
    let whole = found.get(0)?;
    let code = match found.get(1) {
        Some(reason) => code_of(reason.as_str()).filter(|code| !matches!(code, 401 | 403))?,
        None => 422,
    };
    let mut recognised = of_request(code, &text[whole.end()..], whole.start());
    recognised.is_general = true;
    Some(recognised)
}

/// The code of a reason of the Kubernetes API (apimachinery `meta/v1/types.go`).
fn code_of(reason: &str) -> Option<i32> {
    Some(match reason {
        "Unauthorized" => 401,
        "Forbidden" => 403,
        "NotFound" => 404,
        "AlreadyExists" | "Conflict" => 409,
        "Invalid" => 422,
        "TooManyRequests" => 429,
        "BadRequest" => 400,
        "InternalError" => 500,
        "ServiceUnavailable" => 503,
        "Timeout" | "ServerTimeout" => 504,
        _ => return None,
    })
}

/// An audit event; `None` where nothing was refused.
pub(super) fn of_audit(event: &Value) -> Option<Recognised> {
    let text = |at: &str| event.pointer(at).and_then(Value::as_str).map(str::to_owned);
    let code = event.pointer("/responseStatus/code").and_then(Value::as_i64)?;
    let code = i32::try_from(code).ok().filter(|code| *code >= 400)?;
    let annotation = |key: &str| event.get("annotations")?.get(key)?.as_str().map(str::to_owned);
    let groups = |at: &str| {
        let items = event.pointer(at).and_then(Value::as_array);
        let names = items.into_iter().flatten().filter_map(Value::as_str);
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let request = DeniedRequest {
        username: text("/user/username"),
        groups: groups("/user/groups"),
        impersonated_username: text("/impersonatedUser/username"),
        impersonated_groups: groups("/impersonatedUser/groups"),
        verb: text("/verb"),
        request_uri: text("/requestURI"),
        api_group: text("/objectRef/apiGroup"),
        resource: text("/objectRef/resource"),
        subresource: text("/objectRef/subresource"),
        namespace: text("/objectRef/namespace"),
        name: text("/objectRef/name"),
        code,
        status_reason: text("/responseStatus/reason"),
        status_message: text("/responseStatus/message"),
        decision: annotation("authorization.k8s.io/decision"),
        decision_reason: annotation("authorization.k8s.io/reason"),
        ..DeniedRequest::default()
    };
    let url = request.request_uri.clone().filter(|_| request.resource.is_none());
    let names = Names {
        user: request
            .impersonated_username
            .clone()
            .or_else(|| request.username.clone())
            .filter(|name| !name.is_empty()),
        verb: request.verb.clone(),
        api_group: request
            .resource
            .as_ref()
            .map(|_| request.api_group.clone().unwrap_or_default()),
        resource: request.resource.clone(),
        subresource: request.subresource.clone(),
        namespace: request.namespace.clone(),
        name: request.name.clone(),
        url: url.map(|uri| uri.split('?').next().unwrap_or(&uri).to_owned()),
        ..Names::default()
    };
    // A 401 has no user, and its cause stands in the authenticator's log only.
    let reason = if code == 401 {
        "authn.unknown"
    } else {
        heard::request(&request)
    };
    Some(Recognised::new(reason, 0, names))
}

/// A CloudTrail event; `None` where nothing was refused.
pub(super) fn of_event(event: &Value) -> Option<Recognised> {
    let text = |at: &str| event.pointer(at).and_then(Value::as_str).map(str::to_owned);
    let call = CloudTrailCall {
        event_source: text("/eventSource").unwrap_or_default(),
        event_name: text("/eventName").unwrap_or_default(),
        arn: text("/userIdentity/arn"),
        error_code: Some(text("/errorCode")?),
        error_message: text("/errorMessage"),
        ..CloudTrailCall::default()
    };
    heard::call(&call).map(|reason| Recognised::new(reason, 0, Names::of_event(event)))
}

/// How programs print an error of an AWS API. Groups: `service`, `operation`, `code`, `message`.
static CALLS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    // What AWS calls its refusals; other words before a colon are no codes.
    const CODES: &str = "AccessDenied(?:Exception)?|UnauthorizedOperation|UnauthorizedException|NotAuthorizedException|ExpiredToken(?:Exception)?|RequestExpired|\
                         InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException|OptInRequired|SubscriptionRequiredException|\
                         RegionDisabledException|InvalidIdentityToken(?:Exception)?|IDPCommunicationError|InvalidParameterException|InvalidRequestException|\
                         ResourceInUseException|ResourceNotFoundException|ThrottlingException|TooManyRequestsException|Throttling";
    let table = [
        // AWS CLI, botocore
        r"An error occurred (?:\((?P<code>[\w.]+)\) )?when calling the (?P<operation>\w+) operation(?: \(reached max retries: \d+\))?(?:: (?P<message>.*))?".to_owned(),
        // SDK for Go, version 2: eksctl, Terraform, Argo CD
        r"operation error (?P<service>[\w ]+): (?P<operation>\w+),(?: [^:]*,)? https response error StatusCode: \d+, RequestID: [^,]*,(?: api error)? (?P<code>\w+)(?:: (?P<message>.*))?".to_owned(),
        // SDKs for Java, version 2 and 1
        r"(?:(?P<code>\w+Exception): )?(?P<message>[^()]*(?:\([^()]*\)[^()]*)*)\((?:Service: (?P<service>\w+), Status Code: \d+, Request ID: [^)]*)\)".to_owned(),
        r"(?P<message>[^()]*(?:\([^()]*\)[^()]*)*)\(Service: (?P<service>\w+); Status Code: \d+; Error Code: (?P<code>\w+);[^)]*\)".to_owned(),
        // SDK for Ruby
        r"(?P<message>.*) \(Aws::(?P<service>\w+)::Errors::(?P<code>\w+)\)".to_owned(),
        // Everything else: the code, then the message
        format!(r"\b(?P<code>{CODES})\b:? ?(?P<message>.*)"),
        // Only the message
        r"(?P<message>(?:User: )?\S+ is not authorized to perform: .*)".to_owned(),
    ];
    table.iter().map(|pattern| regex(pattern)).collect()
});

fn aws(text: &str, masked: &str) -> Option<Recognised> {
    CALLS.iter().find_map(|pattern| of_form(pattern, text, masked))
}

fn of_form(pattern: &Regex, text: &str, masked: &str) -> Option<Recognised> {
    let found = pattern.captures(masked)?;
    let from = found.get(0)?.start();
    let part = |name: &str| found.name(name).map(|place| &text[place.range()]);
    let message = part("message").unwrap_or_default().trim();
    // A class of Java names its service, or the code.
    let code = part("code").filter(|code| !matches!(*code, "EksException" | "StsException" | "IamException"));
    let is_access = message.contains(" is not authorized to perform: ");
    let code = code.or_else(|| is_access.then_some("AccessDenied"))?;
    let names = Names::of_aws(message);
    let is_assumed = masked[..from].contains("could not get token") || masked[..from].contains("assume role");
    let operation = part("operation")
        .or_else(|| {
            names
                .action
                .as_deref()
                .and_then(|action| action.split_once(':'))
                .map(|(_, name)| name)
        })
        .unwrap_or(match is_assumed {
            _ if message.starts_with("Not authorized to perform sts:AssumeRoleWithWebIdentity") => {
                "AssumeRoleWithWebIdentity"
            }
            true => "AssumeRole",
            false => "",
        });
    let service = part("service")
        .and_then(service_named)
        .or_else(|| {
            names
                .action
                .as_deref()
                .and_then(|action| action.split_once(':'))
                .and_then(|(name, _)| service_named(name))
        })
        .or_else(|| service_of(operation))
        .unwrap_or("eks");
    let reason = heard::call(&CloudTrailCall {
        event_source: format!("{service}.amazonaws.com"),
        event_name: operation.to_owned(),
        error_code: Some(code.to_owned()),
        error_message: Some(message.to_owned()).filter(|message| !message.is_empty()),
        ..CloudTrailCall::default()
    })?;
    let mut found = Recognised::new(reason, from, names);
    // A code alone may be the end of a sentence that says more.
    found.is_general = message.is_empty() && reason == "iam.identity-policy.unknown";
    Some(found)
}

fn service_named(name: &str) -> Option<&'static str> {
    Some(
        match name
            .to_ascii_lowercase()
            .trim_start_matches("amazon")
            .trim_start_matches("aws")
        {
            "eks" => "eks",
            "sts" | "securitytokenservice" => "sts",
            "iam" | "identitymanagement" => "iam",
            "ec2" => "ec2",
            "sso" => "sso",
            _ => return None,
        },
    )
}

/// The service that an operation belongs to, where the text does not say.
fn service_of(operation: &str) -> Option<&'static str> {
    let is_sts = operation.starts_with("AssumeRole")
        || matches!(
            operation,
            "GetCallerIdentity" | "GetSessionToken" | "DecodeAuthorizationMessage"
        );
    let is_iam = [
        "Role",
        "User",
        "Policy",
        "Policies",
        "InstanceProfile",
        "OpenIDConnectProvider",
    ]
    .iter()
    .any(|noun| operation.ends_with(noun));
    let is_access_policy = operation.ends_with("AccessPolicy") || operation.ends_with("AccessPolicies");
    match () {
        () if is_sts => Some("sts"),
        () if is_iam && !is_access_policy => Some("iam"),
        () => None,
    }
}

/// A word that says no and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bare {
    /// `Unauthorized`, 401.
    Unauthorized,
    /// `Forbidden`, 403.
    Forbidden,
    /// `Access Denied`.
    AccessDenied,
}

/// The bare word at the end of a statement, and whether it is all that the statement says.
pub(super) fn bare(masked: &str) -> Option<(Bare, bool)> {
    static TAIL: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"(?i)[\s:;,.]*(exit status \d+|exit code:? \d+|\(?attempt \d+(/\d+)?\)?|will retry.*|retrying\b.*|for url:? .*|on \S+ line \d+\b.*|\(user=.*|for \S*https?://.*|request id:? [\w-]+)$",
        )
    });
    let mut text = masked.trim();
    while let Some(tail) = TAIL.find(text).filter(|tail| tail.start() > 0) {
        text = text[..tail.start()].trim();
    }
    if let Some(word) = word_of(text) {
        return Some((word, true));
    }
    let from = beginnings(text)
        .into_iter()
        .rev()
        .take(64)
        .find_map(|at| word_of(&text[at..]));
    from.map(|word| (word, false))
}

/// The word, where the text has no other that says anything.
fn word_of(text: &str) -> Option<Bare> {
    const NOISE: &[&str] = &[
        "http",
        "https",
        "error",
        "errors",
        "err",
        "status",
        "statuscode",
        "code",
        "response",
        "server",
        "client",
        "reason",
        "fatal",
        "exception",
        "request",
        "failed",
        "operation",
        "an",
        "a",
        "invalid",
        "with",
        "unexpected",
        "returned",
        "received",
        "got",
        "message",
        "the",
        "api",
        "returns",
        "was",
        "is",
        "s",
        "http error",
        "1",
        "0",
        "2",
    ];
    if text.len() > 120 {
        return None;
    }
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !NOISE.contains(word))
        .collect();
    match words.as_slice() {
        ["401"]
        | ["unauthorized"]
        | ["401", "unauthorized"]
        | ["unauthorized", "401"]
        | ["unauthorized", "unauthorized"]
        | ["unauthorised"] => Some(Bare::Unauthorized),
        ["401", "unauthorized", "unauthorized"] | ["401", "401"] => Some(Bare::Unauthorized),
        ["403"]
        | ["forbidden"]
        | ["403", "forbidden"]
        | ["forbidden", "403"]
        | ["403", "403"]
        | ["forbidden", "forbidden"]
        | ["403", "forbidden", "forbidden"] => Some(Bare::Forbidden),
        ["access", "denied"]
        | ["accessdenied"]
        | ["permission", "denied"]
        | ["access", "denied", "403"]
        | ["403", "access", "denied"]
        | ["accessdeniedexception"]
        | ["accessdenied", "access", "denied"]
        | ["access", "denied", "access", "denied"]
        | ["403", "accessdenied"] => Some(Bare::AccessDenied),
        _ => None,
    }
}
