//! `cloudtrail`: one call to an AWS API.

use eksplain_parse::cloudtrail::CloudTrailEvent;
use eksplain_parse::json::minify;

use crate::fingerprint::Fingerprint;
use crate::id::ContentHash;
use crate::tables::{columns, filled};

columns! {
    /// Builders of the table's own columns.
    struct CloudTrailColumns {
        /// UUID that the sender gave; a claim, not a key
        event_id: Long,
        /// Version of the record's form
        event_version: Text,
        /// Service, such as eks.amazonaws.com
        event_source: Text,
        /// API action
        event_name: Text,
        /// AwsApiCall, AwsServiceEvent, …
        event_type: Text,
        /// Whether the call only reads
        read_only: Flag,
        /// Type of the caller: Root, IAMUser, AssumedRole, …
        principal_type: Text,
        /// Unique id of the caller, for roles with the session
        principal_id: Text,
        /// ARN of the caller, with the session
        arn: Text,
        /// ARN in the form of answers
        canonical_arn: Text,
        /// Account of the caller
        identity_account: Text,
        /// Key that signed the call
        access_key_id: Text,
        /// User name, or the subject of a web identity
        user_name: Text,
        /// Role or user behind a session, with its path
        session_issuer_arn: Text,
        /// Role session
        session: Text,
        /// Name that survives role chains
        source_identity: Text,
        /// AWS service that called for the identity
        invoked_by: Text,
        /// Address or name of a service
        source_ip: Text,
        /// Free text of the client
        user_agent: Text,
        /// Set when the call failed
        error_code: Text,
        /// Text of the failure
        error_message: Text,
        /// Joins with what the client logged
        request_id: Long,
        /// Equal in the copies that two accounts get of one call
        shared_event_id: Long,
        /// Resources of the call
        resources: Json,
        /// Parameters of the call
        request_parameters: Json,
        /// Answer to the call
        response_elements: Json,
        /// What the service added
        additional_event_data: Json,
        /// Whether a console session made the call
        session_credential_from_console: Flag,
        /// Whom an Identity Center session acts for
        on_behalf_of: Json,
        /// Provider of a SAML or web identity
        identity_provider: Text,
    }
}

impl CloudTrailColumns {
    pub(crate) fn push(&mut self, event: &CloudTrailEvent<'_>) {
        let identity = &event.user_identity;
        let context = &identity.session_context;
        let json = |raw: Option<&serde_json::value::RawValue>, column: &mut crate::tables::Json| {
            column.push(raw.map(|raw| minify(raw.get())).as_deref())
        };
        self.event_id.push(event.event_id.as_deref());
        self.event_version.push(event.event_version.as_deref());
        self.event_source.push(event.event_source.as_deref());
        self.event_name.push(event.event_name.as_deref());
        self.event_type.push(event.event_type.as_deref());
        self.read_only.push(event.read_only);
        self.principal_type.push(identity.principal_type.as_deref());
        self.principal_id.push(identity.principal_id.as_deref());
        self.arn.push(identity.arn.as_deref());
        self.canonical_arn.push(event.canonical_arn().as_deref());
        self.identity_account.push(identity.account_id.as_deref());
        self.access_key_id.push(filled(identity.access_key_id.as_deref()));
        self.user_name.push(identity.user_name.as_deref());
        self.session_issuer_arn.push(context.session_issuer.arn.as_deref());
        self.session.push(event.session());
        self.source_identity.push(filled(context.source_identity.as_deref()));
        self.invoked_by.push(identity.invoked_by.as_deref());
        self.source_ip.push(event.source_ip_address.as_deref());
        self.user_agent.push(event.user_agent.as_deref());
        self.error_code.push(filled(event.error_code.as_deref()));
        self.error_message.push(filled(event.error_message.as_deref()));
        self.request_id.push(event.request_id.as_deref());
        self.shared_event_id.push(filled(event.shared_event_id.as_deref()));
        json(event.resources, &mut self.resources);
        json(event.request_parameters, &mut self.request_parameters);
        json(event.response_elements, &mut self.response_elements);
        json(event.additional_event_data, &mut self.additional_event_data);
        self.session_credential_from_console
            .push(event.session_credential_from_console);
        json(identity.on_behalf_of, &mut self.on_behalf_of);
        self.identity_provider.push(identity.identity_provider.as_deref());
    }
}

/// Whether the call can become evidence of access: to EKS, IAM or STS, or refused.
pub(crate) fn is_evidence(event: &CloudTrailEvent<'_>) -> bool {
    let source = event.event_source.as_deref();
    event.error_code.is_some()
        || matches!(
            source,
            Some("eks.amazonaws.com" | "iam.amazonaws.com" | "sts.amazonaws.com")
        )
}

/// The claim `eventID`, and the hash of all that the record says with it.
pub(crate) fn content_hash(event: &CloudTrailEvent<'_>, fingerprint: &mut Fingerprint) -> (u64, ContentHash) {
    fingerprint.begin();
    fingerprint.text(event.event_id.as_deref());
    let claim = fingerprint.claim();
    let identity = &event.user_identity;
    fingerprint.texts(
        [
            &event.event_source,
            &event.event_name,
            &event.event_type,
            &event.aws_region,
            &event.recipient_account_id,
            &identity.principal_type,
            &identity.principal_id,
            &identity.arn,
            &identity.account_id,
            &identity.access_key_id,
            &identity.user_name,
            &identity.invoked_by,
            &identity.session_context.session_issuer.arn,
            &identity.session_context.source_identity,
            &event.source_ip_address,
            &event.user_agent,
            &event.error_code,
            &event.error_message,
            &event.request_id,
            &event.shared_event_id,
        ]
        .map(|value| value.as_deref()),
    );
    fingerprint.number(event.ts());
    fingerprint.number(event.read_only.map(i64::from));
    for raw in [
        event.resources,
        event.request_parameters,
        event.response_elements,
        event.additional_event_data,
    ] {
        fingerprint.json(raw.map(|raw| raw.get()));
    }
    (claim, fingerprint.finish())
}
