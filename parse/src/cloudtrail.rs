//! CloudTrail records: every variant of `userIdentity`, the cluster that a call names, the form of the caller for answers.
//!
//! Rule: CloudTrail User Guide, "CloudTrail record contents" and "CloudTrail userIdentity element"; the EKS service model for
//! which parameter names the cluster.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::arn::{self, Arn, canonical_arn};
use crate::audit::ParseError;
use crate::denied;
use crate::lenient::lenient_struct;
use crate::time::{Micros, parse_rfc3339};

lenient_struct! {
    /// One call to an AWS API; text and JSON subtrees borrow from the input.
    pub struct CloudTrailEvent<'a> {
        /// UUID of the record.
        "eventID" => event_id: Option<Cow<'a, str>>,
        /// `1.11`.
        "eventVersion" => event_version: Option<Cow<'a, str>>,
        /// Whole seconds, UTC.
        "eventTime" => event_time: Option<Cow<'a, str>>,
        /// `eks.amazonaws.com`.
        "eventSource" => event_source: Option<Cow<'a, str>>,
        /// API action.
        "eventName" => event_name: Option<Cow<'a, str>>,
        /// `AwsApiCall`, …
        "eventType" => event_type: Option<Cow<'a, str>>,
        /// Region that logged it.
        "awsRegion" => aws_region: Option<Cow<'a, str>>,
        /// A bool, or its text.
        "readOnly" => read_only: Option<bool>,
        /// Who called.
        "userIdentity" => user_identity: UserIdentity<'a>,
        /// Address or service name.
        "sourceIPAddress" => source_ip_address: Option<Cow<'a, str>>,
        /// Free text of the client.
        "userAgent" => user_agent: Option<Cow<'a, str>>,
        /// Set when the call failed.
        "errorCode" => error_code: Option<Cow<'a, str>>,
        /// Text of the failure.
        "errorMessage" => error_message: Option<Cow<'a, str>>,
        /// Joins with client-side logs.
        "requestID" => request_id: Option<Cow<'a, str>>,
        /// Equal in the copies that two accounts get.
        "sharedEventID" => shared_event_id: Option<Cow<'a, str>>,
        /// Account whose trail this is.
        "recipientAccountId" => recipient_account_id: Option<Cow<'a, str>>,
        /// JSON text.
        "resources" => resources: Option<&'a RawValue>,
        /// JSON text.
        "requestParameters" => request_parameters: Option<&'a RawValue>,
        /// JSON text.
        "responseElements" => response_elements: Option<&'a RawValue>,
        /// JSON text.
        "additionalEventData" => additional_event_data: Option<&'a RawValue>,
        /// The console's session.
        "sessionCredentialFromConsole" => session_credential_from_console: Option<bool>,
    }
}

lenient_struct! {
    /// The caller; which fields it has depends on `type`.
    pub struct UserIdentity<'a> {
        /// `Root`, `IAMUser`, `AssumedRole`, `FederatedUser`, `AWSService`, …
        "type" => principal_type: Option<Cow<'a, str>>,
        /// Unique id, for roles with `:session`.
        "principalId" => principal_id: Option<Cow<'a, str>>,
        /// ARN with the session.
        "arn" => arn: Option<Cow<'a, str>>,
        /// The caller's account.
        "accountId" => account_id: Option<Cow<'a, str>>,
        /// Key that signed.
        "accessKeyId" => access_key_id: Option<Cow<'a, str>>,
        /// User name, or the subject of a web identity.
        "userName" => user_name: Option<Cow<'a, str>>,
        /// Service that called with the caller's rights.
        "invokedBy" => invoked_by: Option<Cow<'a, str>>,
        /// SAML or OIDC provider.
        "identityProvider" => identity_provider: Option<Cow<'a, str>>,
        /// How a session came to be.
        "sessionContext" => session_context: SessionContext<'a>,
        /// Identity Center user: JSON text.
        "onBehalfOf" => on_behalf_of: Option<&'a RawValue>,
    }
}

lenient_struct! {
    /// The session of temporary credentials.
    pub struct SessionContext<'a> {
        /// Role or user behind the session.
        "sessionIssuer" => session_issuer: SessionIssuer<'a>,
        /// Survives role chains.
        "sourceIdentity" => source_identity: Option<Cow<'a, str>>,
    }
}

lenient_struct! {
    /// Who issued a session.
    pub struct SessionIssuer<'a> {
        /// `Role`, `IAMUser`, `Root`.
        "type" => issuer_type: Option<Cow<'a, str>>,
        /// Unique id.
        "principalId" => principal_id: Option<Cow<'a, str>>,
        /// ARN with its path.
        "arn" => arn: Option<Cow<'a, str>>,
        /// Account.
        "accountId" => account_id: Option<Cow<'a, str>>,
        /// Name of the role or user.
        "userName" => user_name: Option<Cow<'a, str>>,
    }
}

lenient_struct! {
    /// Parameters and results that may name a cluster.
    pub struct ClusterNames<'a> {
        /// Path parameter.
        "name" => name: Option<Cow<'a, str>>,
        /// Of 2018, of eks-auth, and of calls on parts of clusters.
        "clusterName" => cluster_name: Option<Cow<'a, str>>,
        /// Result of cluster calls.
        "cluster" => cluster: ClusterName<'a>,
        /// Result of access entry calls.
        "accessEntry" => access_entry: ClusterName<'a>,
    }
}

lenient_struct! {
    /// An object that names its cluster.
    pub struct ClusterName<'a> {
        /// Name.
        "name" | "clusterName" => name: Option<Cow<'a, str>>,
    }
}

/// Reads one CloudTrail record.
///
/// # Errors
/// [`ParseError`] where the text is not JSON; it says the place.
pub fn parse_record(text: &str) -> Result<CloudTrailEvent<'_>, ParseError> {
    Ok(serde_json::from_str(text)?)
}

/// Whether an object with these top-level keys is a CloudTrail record: `eventName` or `eventSource`, and one more of its
/// own. Stripped copies lack `eventVersion` and `eventTime`.
pub fn looks_like_cloudtrail(has: impl Fn(&str) -> bool) -> bool {
    let marks = [
        "eventName",
        "eventSource",
        "eventTime",
        "eventID",
        "userIdentity",
        "awsRegion",
    ];
    (has("eventName") || has("eventSource")) && marks.iter().filter(|key| has(key)).count() >= 2
}

impl<'a> CloudTrailEvent<'a> {
    /// When the call ended.
    pub fn ts(&self) -> Option<Micros> {
        self.event_time.as_deref().and_then(parse_rfc3339)
    }

    /// Role session: the last part of the ARN, else what follows the first colon of `principalId`; `None` for users.
    pub fn session(&self) -> Option<&str> {
        let identity = &self.user_identity;
        if let Some(session) = identity
            .arn
            .as_deref()
            .and_then(|text| Arn::parse(text).ok())
            .and_then(|arn| arn.session())
        {
            return Some(session);
        }
        let is_role = identity.principal_type.as_deref() == Some("AssumedRole");
        identity
            .principal_id
            .as_deref()
            .filter(|_| is_role)?
            .split_once(':')
            .map(|(_, session)| session)
    }

    /// The caller in the form of answers; for roles that of the session's issuer, whose name the session's ARN repeats.
    pub fn canonical_arn(&self) -> Option<Cow<'_, str>> {
        let identity = &self.user_identity;
        let arn = identity.arn.as_deref().and_then(canonical_arn);
        if arn.is_some() || identity.principal_type.as_deref() != Some("AssumedRole") {
            return arn;
        }
        identity
            .session_context
            .session_issuer
            .arn
            .as_deref()
            .and_then(canonical_arn)
    }

    /// The cluster that an EKS call names, even if it never existed: `name`, else `clusterName`, of the request, else of the
    /// response, else of the ARN in the sentence of refusal.
    pub fn cluster_name(&self) -> Option<Cow<'_, str>> {
        let by_path = match self.event_source.as_deref()? {
            "eks.amazonaws.com" => true,
            "eks-auth.amazonaws.com" => false,
            _ => return None,
        };
        let names = |raw: Option<&'a RawValue>| -> ClusterNames<'a> {
            raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
                .unwrap_or_default()
        };
        let request = names(self.request_parameters);
        // Calls on parts of a cluster say `clusterName`, and there `name` is the part's own.
        let named = match request.cluster_name {
            Some(name) => Some(name),
            None => request
                .name
                .filter(|_| by_path && !self.event_name.as_deref().is_some_and(names_no_cluster)),
        };
        let named = named.or_else(|| {
            let response = names(self.response_elements);
            response
                .cluster_name
                .or(response.cluster.name)
                .or(response.access_entry.name)
        });
        if let Some(name) = named.filter(|name| !name.is_empty()) {
            return Some(Cow::Owned(arn::decode_percent(&name).into_owned()));
        }
        let message = denied::parse_message(self.error_message.as_deref()?)?;
        let resource = Arn::parse(message.resource?).ok()?.resource;
        let name = resource.strip_prefix("cluster/")?.split('/').next()?;
        (name != "*" && !name.is_empty()).then(|| Cow::Owned(name.to_owned()))
    }
}

/// EKS calls whose `name` is not a cluster's.
fn names_no_cluster(event_name: &str) -> bool {
    event_name.contains("Subscription")
        || event_name.contains("AddonVersions")
        || event_name.contains("ClusterVersions")
}
