//! `audit`: one stage of one request to the Kubernetes API.

use std::borrow::Cow;

use eksplain_parse::arn::canonical_arn;
use eksplain_parse::audit::{AuditEvent, Authorization, User};
use eksplain_parse::json::minify;

use crate::fingerprint::Fingerprint;
use crate::id::ContentHash;
use crate::redact::redact_secret;
use crate::rows::{KeepRaw, Origin};
use crate::tables::{columns, filled, json_list};

columns! {
    /// Builders of the table's own columns.
    struct AuditColumns {
        /// CloudWatch log stream
        stream: Text,
        /// One for each request; a client may choose it
        audit_id: Long,
        /// RequestReceived, ResponseStarted, ResponseComplete or Panic
        stage: Text,
        /// Metadata, Request or RequestResponse
        level: Text,
        /// Kubernetes verb, or the HTTP method in lower case
        verb: Text,
        /// Who called; empty where authentication failed
        username: Text,
        /// Unique id of the user
        uid: Text,
        /// Groups of the user
        groups: Texts,
        /// Groups as JSON text, for engines that cannot group by lists
        groups_json: Text,
        /// groups holds exactly system:masters
        masters: Flag,
        /// ARN as STS gave it, with the session
        arn: Text,
        /// ARN in the form of answers
        canonical_arn: Text,
        /// Key that signed the token
        access_key_id: Text,
        /// Role session
        session: Text,
        /// As whom the request was made
        impersonated_username: Text,
        /// Groups as which the request was made
        impersonated_groups: Texts,
        /// Groups as which the request was made, as JSON text
        impersonated_groups_json: Text,
        /// Addresses; only the last is trustworthy
        source_ips: Texts,
        /// Free text of the client
        user_agent: Text,
        /// As the client sent it
        request_uri: Long,
        /// API group; empty text for core, null where no resource is asked for
        api_group: Text,
        /// Version of the API group
        api_version: Text,
        /// Plural name of the resource
        resource: Text,
        /// log, exec, …
        subresource: Text,
        /// Namespace
        namespace: Text,
        /// Name of the object
        name: Text,
        /// HTTP status
        code: Code,
        /// Reason of the status
        status_reason: Text,
        /// Sentence of the status
        status_message: Text,
        /// allow or forbid; null where authorization was not reached
        decision: Text,
        /// Which rule decided
        decision_reason: Text,
        /// All annotations
        annotations: Json,
        /// Object or patch that was sent, for writes that matter to access
        request_object: Json,
        /// Object after the write, for writes that matter to access
        response_object: Json,
    }
}

/// Whether the event changes who may do what: its objects are state, and are kept whatever else is left out.
fn changes_access(event: &AuditEvent<'_>) -> bool {
    let object = &event.object_ref;
    let is_write = matches!(
        event.verb.as_deref(),
        Some("create" | "update" | "patch" | "delete" | "deletecollection")
    );
    is_write
        && match object.resource.as_deref() {
            Some("configmaps") => {
                object.namespace.as_deref() == Some("kube-system")
                    && object.name.as_deref().is_none_or(|n| n == "aws-auth")
            }
            Some("roles" | "rolebindings" | "clusterroles" | "clusterrolebindings") => true,
            Some("selfsubjectaccessreviews" | "subjectaccessreviews" | "localsubjectaccessreviews") => true,
            Some("certificatesigningrequests") => true,
            Some("namespaces") => event.verb.as_deref() == Some("delete"),
            _ => false,
        }
}

fn masters(user: &User<'_>) -> bool {
    user.groups.iter().any(|group| group == "system:masters")
}

impl AuditColumns {
    pub(crate) fn push(&mut self, event: &AuditEvent<'_>, origin: &Origin<'_>, keep: KeepRaw) {
        let Authorization { decision, reason } = event.authorization();
        let user = &event.user;
        let (as_user, object, status) = (
            event.impersonated_user.as_ref(),
            &event.object_ref,
            &event.response_status,
        );
        let arn = user.extra.arn.as_deref();
        let canonical = user
            .extra
            .canonical_arn
            .as_deref()
            .and_then(canonical_arn)
            .or_else(|| arn.and_then(canonical_arn));
        let keeps_objects = keep == KeepRaw::All || changes_access(event);
        let json = |raw: Option<&serde_json::value::RawValue>| -> Option<String> {
            let minified = minify(raw?.get());
            Some(match is_of_secrets(event) {
                true => redact_secret(&minified).0.into_owned(),
                false => minified.into_owned(),
            })
        };
        self.stream.push(origin.stream);
        self.audit_id.push(event.audit_id.as_deref());
        self.stage.push(event.stage.as_deref());
        self.level.push(event.level.as_deref());
        self.verb.push(event.verb.as_deref());
        self.username.push(filled(user.username.as_deref()));
        self.uid.push(filled(user.uid.as_deref()));
        self.groups.push(Some(&user.groups));
        self.groups_json.push(json_list(&user.groups).as_deref());
        self.masters.push(Some(masters(user)));
        self.arn.push(arn);
        self.canonical_arn.push(canonical.as_deref());
        self.access_key_id.push(user.extra.access_key_id.as_deref());
        self.session.push(user.extra.session_name.as_deref());
        self.impersonated_username
            .push(as_user.and_then(|user| user.username.as_deref()));
        self.impersonated_groups
            .push(as_user.map(|user| user.groups.as_slice()));
        self.impersonated_groups_json
            .push(as_user.and_then(|user| json_list(&user.groups)).as_deref());
        self.source_ips.push(Some(&event.source_ips));
        self.user_agent.push(event.user_agent.as_deref());
        self.request_uri.push(event.request_uri.as_deref());
        let core = object.resource.as_ref().map(|_| "");
        self.api_group.push(object.api_group.as_deref().or(core));
        self.api_version.push(object.api_version.as_deref());
        self.resource.push(filled(object.resource.as_deref()));
        self.subresource.push(filled(object.subresource.as_deref()));
        self.namespace.push(filled(object.namespace.as_deref()));
        self.name.push(filled(object.name.as_deref()));
        self.code.push(status.code);
        self.status_reason.push(filled(status.reason.as_deref()));
        self.status_message.push(filled(status.message.as_deref()));
        self.decision.push(decision.as_deref());
        self.decision_reason.push(reason.as_deref());
        self.annotations
            .push(event.annotations.map(|raw| minify(raw.get())).as_deref());
        self.request_object
            .push(json(event.request_object.filter(|_| keeps_objects)).as_deref());
        self.response_object
            .push(json(event.response_object.filter(|_| keeps_objects)).as_deref());
    }
}

/// Whether what was asked for, or answered, is a Secret.
pub(crate) fn is_of_secrets(event: &AuditEvent<'_>) -> bool {
    event.object_ref.resource.as_deref() == Some("secrets")
}

/// Whether the event can become evidence: a refusal, a change of access, or power used by somebody other than Kubernetes itself.
pub(crate) fn is_evidence(event: &AuditEvent<'_>) -> bool {
    let power = event.impersonated_user.is_some()
        || (masters(&event.user) && event.user.username.as_deref().is_none_or(|u| !u.starts_with("system:")));
    power || event.response_status.code.is_some_and(|code| code >= 400) || changes_access(event)
}

/// The claim `auditID` and stage, and the hash of all that the event says with it.
pub(crate) fn content_hash(event: &AuditEvent<'_>, fingerprint: &mut Fingerprint) -> (u64, ContentHash) {
    fingerprint.begin();
    fingerprint.texts([event.audit_id.as_deref(), event.stage.as_deref()]);
    let claim = fingerprint.claim();
    let (user, object, status) = (&event.user, &event.object_ref, &event.response_status);
    let text = |value: &Option<Cow<'_, str>>, fingerprint: &mut Fingerprint| fingerprint.text(value.as_deref());
    for value in [
        &event.level,
        &event.verb,
        &event.request_uri,
        &event.user_agent,
        &user.username,
        &user.uid,
        &user.extra.arn,
        &user.extra.session_name,
        &user.extra.access_key_id,
        &object.resource,
        &object.subresource,
        &object.namespace,
        &object.name,
        &object.api_group,
        &status.reason,
        &status.message,
    ] {
        text(value, fingerprint);
    }
    fingerprint.number(event.ts());
    fingerprint.number(status.code.map(i64::from));
    fingerprint.list(&user.groups);
    fingerprint.list(&event.source_ips);
    if let Some(user) = &event.impersonated_user {
        text(&user.username, fingerprint);
        fingerprint.list(&user.groups);
    }
    fingerprint.json(event.annotations.map(|raw| raw.get()));
    fingerprint.json(event.request_object.map(|raw| raw.get()));
    fingerprint.json(event.response_object.map(|raw| raw.get()));
    (claim, fingerprint.finish())
}
