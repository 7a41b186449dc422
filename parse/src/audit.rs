//! Kubernetes audit events: `audit.k8s.io/v1`, and the older `v1beta1` where its fields differ.
//!
//! Rule: kubernetes/apiserver `pkg/apis/audit/v1/types.go`. An object is taken for an audit event if [`looks_like_audit`] says
//! so of its top-level keys; from then on no odd field fails it (see `lenient`): what is not as it should be is absent.

use std::borrow::Cow;

use serde::de::{Deserializer, IgnoredAny, MapAccess};
use serde_json::value::RawValue;

use crate::lenient::{Field, Key, lenient_struct, next_field, no_object};
use crate::time::{Micros, parse_rfc3339};

lenient_struct! {
    /// One stage of one request to the Kubernetes API; text and JSON subtrees borrow from the input.
    pub struct AuditEvent<'a> {
        /// `Event`.
        "kind" => kind: Option<Cow<'a, str>>,
        /// `audit.k8s.io/v1`.
        "apiVersion" => api_version: Option<Cow<'a, str>>,
        /// `Metadata`, `Request`, `RequestResponse`.
        "level" => level: Option<Cow<'a, str>>,
        /// One for each request; a client may choose it.
        "auditID" => audit_id: Option<Cow<'a, str>>,
        /// `RequestReceived`, `ResponseStarted`, `ResponseComplete`, `Panic`.
        "stage" => stage: Option<Cow<'a, str>>,
        /// As the client sent it.
        "requestURI" => request_uri: Option<Cow<'a, str>>,
        /// Kubernetes verb, or the HTTP method in lower case.
        "verb" => verb: Option<Cow<'a, str>>,
        /// Who called.
        "user" => user: User<'a>,
        /// As whom.
        "impersonatedUser" => impersonated_user: Option<User<'a>>,
        /// Only the last is trustworthy.
        "sourceIPs" => source_ips: Vec<Cow<'a, str>>,
        /// Free text of the client.
        "userAgent" => user_agent: Option<Cow<'a, str>>,
        /// What was asked for.
        "objectRef" => object_ref: ObjectReference<'a>,
        /// What came of it.
        "responseStatus" => response_status: ResponseStatus<'a>,
        /// JSON text.
        "requestObject" => request_object: Option<&'a RawValue>,
        /// JSON text.
        "responseObject" => response_object: Option<&'a RawValue>,
        /// When the request came.
        "requestReceivedTimestamp" => request_received_timestamp: Option<Cow<'a, str>>,
        /// When the stage was reached.
        "stageTimestamp" => stage_timestamp: Option<Cow<'a, str>>,
        /// v1beta1.
        "timestamp" => timestamp: Option<Cow<'a, str>>,
        /// v1beta1.
        "metadata" => metadata: OldMetadata<'a>,
        /// JSON text: a map of text to text.
        "annotations" => annotations: Option<&'a RawValue>,
    }
}

lenient_struct! {
    /// A user as the API server knows it.
    pub struct User<'a> {
        /// Empty for failed authentication.
        "username" => username: Option<Cow<'a, str>>,
        /// `aws-iam-authenticator:<account>:<unique id>` for IAM principals.
        "uid" => uid: Option<Cow<'a, str>>,
        /// Groups, `system:authenticated` among them.
        "groups" => groups: Vec<Cow<'a, str>>,
        /// What the authenticator added.
        "extra" => extra: Extra<'a>,
    }
}

lenient_struct! {
    /// The object of a request.
    pub struct ObjectReference<'a> {
        /// Plural name.
        "resource" => resource: Option<Cow<'a, str>>,
        /// Absent for cluster-scoped objects.
        "namespace" => namespace: Option<Cow<'a, str>>,
        /// Absent for lists and creates.
        "name" => name: Option<Cow<'a, str>>,
        /// Unique id.
        "uid" => uid: Option<Cow<'a, str>>,
        /// Absent for core.
        "apiGroup" => api_group: Option<Cow<'a, str>>,
        /// `v1`.
        "apiVersion" => api_version: Option<Cow<'a, str>>,
        /// Version of the object.
        "resourceVersion" => resource_version: Option<Cow<'a, str>>,
        /// `log`, `exec`, …
        "subresource" => subresource: Option<Cow<'a, str>>,
    }
}

lenient_struct! {
    /// `metav1.Status`.
    pub struct ResponseStatus<'a> {
        /// `Failure`.
        "status" => status: Option<Cow<'a, str>>,
        /// Sentence; may hold text of the caller's choice.
        "message" => message: Option<Cow<'a, str>>,
        /// `Forbidden`, …
        "reason" => reason: Option<Cow<'a, str>>,
        /// HTTP status.
        "code" => code: Option<i32>,
    }
}

lenient_struct! {
    /// Where v1beta1 keeps its time.
    pub struct OldMetadata<'a> {
        /// When the event was made.
        "creationTimestamp" => creation_timestamp: Option<Cow<'a, str>>,
    }
}

/// `user.extra` as aws-iam-authenticator fills it; keys are folded, since impersonation headers lower them.
#[derive(Debug, Clone, Default)]
pub struct Extra<'a> {
    /// ARN as STS gave it, with the session.
    pub arn: Option<Cow<'a, str>>,
    /// The authenticator's canonical ARN: a user's path stays.
    pub canonical_arn: Option<Cow<'a, str>>,
    /// Role session; empty text becomes absent.
    pub session_name: Option<Cow<'a, str>>,
    /// Key that signed the token.
    pub access_key_id: Option<Cow<'a, str>>,
    /// Unique id.
    pub principal_id: Option<Cow<'a, str>>,
}

impl<'a> Field<'a> for Extra<'a> {
    fn read<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'a> serde::de::Visitor<'a> for Object {
            type Value = Extra<'a>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("any value")
            }
            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut extra = Extra::default();
                while let Some(Key(key)) = map.next_key()? {
                    let key = key.strip_prefix("sigs.k8s.io/aws-iam-authenticator/").unwrap_or(&key);
                    let field = match key.len() {
                        3 if key.eq_ignore_ascii_case("arn") => &mut extra.arn,
                        12 if key.eq_ignore_ascii_case("canonicalArn") => &mut extra.canonical_arn,
                        11 if key.eq_ignore_ascii_case("sessionName") => &mut extra.session_name,
                        11 if key.eq_ignore_ascii_case("accessKeyId") => &mut extra.access_key_id,
                        11 if key.eq_ignore_ascii_case("principalId") => &mut extra.principal_id,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    let texts: Vec<Cow<'a, str>> = next_field(&mut map)?;
                    *field = texts.into_iter().next().filter(|text| !text.is_empty());
                }
                Ok(extra)
            }
            no_object!(Extra::default());
        }
        deserializer.deserialize_any(Object)
    }
}

impl<'a> Field<'a> for Option<User<'a>> {
    fn read<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        let user = User::read(deserializer)?;
        Ok((user.username.is_some() || !user.groups.is_empty()).then_some(user))
    }
}

lenient_struct! {
    /// The annotations that authorization leaves.
    pub struct Authorization<'a> {
        /// `allow` or `forbid`.
        "authorization.k8s.io/decision" => decision: Option<Cow<'a, str>>,
        /// Which rule, or empty.
        "authorization.k8s.io/reason" => reason: Option<Cow<'a, str>>,
    }
}

/// Why a text is no record at all.
#[derive(Debug, thiserror::Error)]
#[error("it is not valid JSON: {0}")]
pub struct ParseError(#[from] serde_json::Error);

/// Reads one audit event.
///
/// # Errors
/// [`ParseError`] where the text is not JSON; it says the place.
pub fn parse_event(text: &str) -> Result<AuditEvent<'_>, ParseError> {
    Ok(serde_json::from_str(text)?)
}

/// Whether an object with these top-level keys is an audit event: `auditID`, or `requestURI` and `verb`, or `stage` and `user`.
/// Shippers drop `kind` and `apiVersion`; no other log of EKS has these pairs.
pub fn looks_like_audit(has: impl Fn(&str) -> bool) -> bool {
    has("auditID")
        || (has("requestURI") && has("verb"))
        || (has("stage") && has("user"))
        || (has("objectRef") && has("verb"))
}

impl<'a> AuditEvent<'a> {
    /// When: the stage's time, else when the request came, else what v1beta1 says.
    pub fn ts(&self) -> Option<Micros> {
        let texts = [
            &self.stage_timestamp,
            &self.request_received_timestamp,
            &self.timestamp,
            &self.metadata.creation_timestamp,
        ];
        texts.into_iter().flatten().find_map(|text| parse_rfc3339(text))
    }

    /// Decision and reason of the authorizers.
    pub fn authorization(&self) -> Authorization<'a> {
        self.annotations
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default()
    }
}
