//! The compact rows that the reductions of `sql/` give: all that analysis ever sees of a lake.
//!
//! Every row carries ids of records (`id`, or `first_id` and `last_id`): the evidence. Ids sort by time. Times are
//! microseconds since 1970 in UTC. Strings are as the log held them: hostile until escaped.

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// Where a record belongs: the cluster columns of every table. `None` where the record names none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Account id, 12 digits with leading zeros.
    pub account: Option<String>,
    /// AWS region.
    pub region: Option<String>,
    /// Name of the cluster.
    pub cluster: Option<String>,
}

/// The record that a row is, or that it begins or ends with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark {
    /// Record id: sorts by time.
    pub id: String,
    /// Time of the record.
    pub ts: Micros,
}

/// `coverage.sql`: what one table holds of one cluster on one UTC day; sorted by table, place, day.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CoverageDay {
    /// `authenticator`, `audit`, `cloudtrail` or `snapshot`.
    pub table: String,
    /// The cluster, or for CloudTrail the account and region (`cluster` is `None` where records name none).
    pub place: Place,
    /// Days since 1970-01-01.
    pub day: i32,
    /// First record of the day.
    pub first: Mark,
    /// Last record of the day.
    pub last: Mark,
    /// Number of records.
    pub records: u64,
}

/// `writes.sql`: one successful audit write that may change access: aws-auth, RBAC objects, namespaces; sorted by id.
///
/// One row for each audit record of stage `ResponseComplete`, code 200..=299, verb create, update, patch, delete or
/// deletecollection on: configmaps in kube-system (named aws-auth, or a deletecollection), roles, rolebindings,
/// clusterroles, clusterrolebindings, namespaces (delete). Dry runs are left out by analysis (`request_uri` tells).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AuditWrite {
    /// The record.
    pub at: Mark,
    /// The cluster.
    pub place: Place,
    /// Kubernetes verb.
    pub verb: String,
    /// `configmaps`, `roles`, `rolebindings`, `clusterroles`, `clusterrolebindings`, `namespaces`.
    pub resource: String,
    /// API group; empty for core.
    pub api_group: String,
    /// Namespace of the object.
    pub namespace: Option<String>,
    /// Name of the object (absent for deletecollection and for some creates).
    pub name: Option<String>,
    /// Who wrote: Kubernetes user name.
    pub username: Option<String>,
    /// Who wrote: canonical ARN, where the user came by IAM.
    pub canonical_arn: Option<String>,
    /// Who wrote: role session.
    pub session: Option<String>,
    /// Who wrote: key of the session.
    pub access_key_id: Option<String>,
    /// As the client sent it.
    pub request_uri: Option<String>,
    /// JSON text of the patch or object sent, where the audit level kept it.
    pub request_object: Option<String>,
    /// JSON text of the object after the write, where the audit level kept it.
    pub response_object: Option<String>,
}

/// `calls.sql`: one CloudTrail event that may change access or life: every non-read `eks.amazonaws.com` event, and IAM's
/// Create/Delete/Update User/Role, UpdateAssumeRolePolicy; failed ones too; sorted by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CloudTrailCall {
    /// The record.
    pub at: Mark,
    /// Recipient account, region, and the cluster it names.
    pub place: Place,
    /// CloudTrail `eventID`.
    pub event_id: Option<String>,
    /// `eks.amazonaws.com` or `iam.amazonaws.com`.
    pub event_source: String,
    /// API action.
    pub event_name: String,
    /// `userIdentity.type`.
    pub principal_type: Option<String>,
    /// `userIdentity.principalId`.
    pub principal_id: Option<String>,
    /// `userIdentity.arn`.
    pub arn: Option<String>,
    /// Canonical ARN of the caller (path and session removed).
    pub canonical_arn: Option<String>,
    /// `userIdentity.accountId`.
    pub identity_account: Option<String>,
    /// Key that signed the call.
    pub access_key_id: Option<String>,
    /// `userIdentity.userName`.
    pub user_name: Option<String>,
    /// `sessionContext.sessionIssuer.arn` (with its path).
    pub session_issuer_arn: Option<String>,
    /// Role session.
    pub session: Option<String>,
    /// `sessionContext.sourceIdentity`.
    pub source_identity: Option<String>,
    /// AWS service that called for the identity.
    pub invoked_by: Option<String>,
    /// `sourceIPAddress`.
    pub source_ip: Option<String>,
    /// Free text of the client.
    pub user_agent: Option<String>,
    /// Set when the call failed.
    pub error_code: Option<String>,
    /// Text of the failure.
    pub error_message: Option<String>,
    /// Equal in the copies that two accounts get of one call.
    pub shared_event_id: Option<String>,
    /// JSON text.
    pub request_parameters: Option<String>,
    /// JSON text.
    pub response_elements: Option<String>,
}

/// `assumed.sql`: one successful STS AssumeRole*, GetSessionToken or GetFederationToken: which key it issued to whom.
/// Asked only for the keys that analysis wants to follow back; sorted by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionIssued {
    /// The STS record: its caller is the previous link.
    pub call: CloudTrailCall,
}

/// `logins.sql`: granted logins of the authenticator log that are alike; sorted by place, first id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Login {
    /// The cluster.
    pub place: Place,
    /// ARN as the log spells it, role sessions and paths removed; `None` for accounts that AWS scrubs.
    pub canonical_arn: Option<String>,
    /// The `arn` field (a user's path is kept there).
    pub arn: Option<String>,
    /// Kubernetes user name.
    pub username: Option<String>,
    /// Kubernetes groups.
    pub groups: Vec<String>,
    /// `groups` holds exactly `system:masters`.
    pub masters: bool,
    /// `aws-iam-authenticator:<account>:<unique id>`.
    pub uid: Option<String>,
    /// How many lines.
    pub count: u64,
    /// First line.
    pub first: Mark,
    /// Last line.
    pub last: Mark,
}

/// `sessions.sql`: the role sessions and unique ids behind a principal, from `STS response` lines and audit events;
/// sorted by place, principal, session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionSeen {
    /// The cluster.
    pub place: Place,
    /// Canonical ARN.
    pub canonical_arn: String,
    /// Role session; empty text is never given.
    pub session: Option<String>,
    /// Unique id (`AROA…`, `AIDA…`).
    pub unique_id: Option<String>,
    /// Key of a session that several people may share; `None` for nodes and sessions named after somebody.
    pub access_key_id: Option<String>,
    /// How many records.
    pub count: u64,
    /// First record.
    pub first: Mark,
    /// Last record.
    pub last: Mark,
}

/// `aws_calls.sql`: calls of one principal to one AWS service that are alike, of one day; sorted by principal, first id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AwsCalls {
    /// Recipient account, region, and the cluster that the calls name.
    pub place: Place,
    /// Canonical ARN of the caller.
    pub canonical_arn: String,
    /// Role session.
    pub session: Option<String>,
    /// Service.
    pub event_source: String,
    /// Action, for the services that decide about access.
    pub event_name: Option<String>,
    /// AWS refused them, or they failed.
    pub refused: bool,
    /// How many calls.
    pub count: u64,
    /// First call.
    pub first: Mark,
    /// Last call.
    pub last: Mark,
}

/// `reviews.sql`: SelfSubjectAccessReviews of one user that are alike, of one day; sorted by place, username, first id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Review {
    /// The cluster.
    pub place: Place,
    /// Who asked.
    pub username: Option<String>,
    /// Canonical ARN, for users that came by IAM.
    pub canonical_arn: Option<String>,
    /// `user.groups`.
    pub groups: Vec<String>,
    /// The review as sent: JSON text.
    pub request_object: String,
    /// `status.allowed`.
    pub allowed: bool,
    /// How often.
    pub count: u64,
    /// First record.
    pub first: Mark,
    /// Last record.
    pub last: Mark,
}

/// `activity.sql`: audit events (one stage for each request) of one identity that are alike, 401s left out; sorted by
/// place, username, first id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Activity {
    /// The cluster.
    pub place: Place,
    /// `user.username`: who called.
    pub username: Option<String>,
    /// `user.uid`, only where the authenticator gave it or the user is no service account; else `None`.
    pub uid: Option<String>,
    /// Canonical ARN, for users that came by IAM.
    pub canonical_arn: Option<String>,
    /// `user.groups`.
    pub groups: Vec<String>,
    /// `groups` holds exactly `system:masters`.
    pub masters: bool,
    /// `impersonatedUser.username`.
    pub impersonated_username: Option<String>,
    /// `impersonatedUser.groups`.
    pub impersonated_groups: Vec<String>,
    /// The request was let through (code below 400).
    pub allowed: bool,
    /// For requests that an EKS access policy let through: the whole audit reason; else `None`.
    pub access_policy_reason: Option<String>,
    /// The namespace of those requests; `None` for cluster-scoped ones.
    pub access_policy_namespace: Option<String>,
    /// Number of requests.
    pub count: u64,
    /// First record.
    pub first: Mark,
    /// Last record.
    pub last: Mark,
}

/// `denied_logins.sql`: one `access denied` line; sorted by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeniedLogin {
    /// The line.
    pub at: Mark,
    /// The cluster.
    pub place: Place,
    /// CloudWatch stream.
    pub stream: Option<String>,
    /// The `arn` field; `None` before the identity was known.
    pub arn: Option<String>,
    /// Canonical ARN.
    pub canonical_arn: Option<String>,
    /// The `error` field, one layer of quoting undone.
    pub error: Option<String>,
    /// API server's connection.
    pub client: Option<String>,
    /// Session of the nearest `STS response` line before it in the stream with the same client and ARN, where the lake joined it.
    pub session: Option<String>,
}

/// `sts_responses.sql`: one `STS response` line near denials; sorted by id. Names the session and unique id of the login that follows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StsResponse {
    /// The line.
    pub at: Mark,
    /// The cluster.
    pub place: Place,
    /// CloudWatch stream.
    pub stream: Option<String>,
    /// Canonical ARN.
    pub canonical_arn: Option<String>,
    /// Role session.
    pub session: Option<String>,
    /// Unique id.
    pub user_id: Option<String>,
    /// Key.
    pub access_key_id: Option<String>,
    /// API server's connection.
    pub client: Option<String>,
}

/// `denied_requests.sql`: one audit event with code 400 and up, one stage for each request; sorted by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeniedRequest {
    /// The record.
    pub at: Mark,
    /// The cluster.
    pub place: Place,
    /// `auditID`.
    pub audit_id: Option<String>,
    /// `ResponseComplete`, `ResponseStarted`, `Panic`.
    pub stage: Option<String>,
    /// `user.username`; `None` or empty for 401.
    pub username: Option<String>,
    /// `user.uid`.
    pub uid: Option<String>,
    /// `user.groups`.
    pub groups: Vec<String>,
    /// Canonical ARN.
    pub canonical_arn: Option<String>,
    /// Role session.
    pub session: Option<String>,
    /// Key of the session.
    pub access_key_id: Option<String>,
    /// `impersonatedUser.username`.
    pub impersonated_username: Option<String>,
    /// `impersonatedUser.groups`.
    pub impersonated_groups: Vec<String>,
    /// Source addresses.
    pub source_ips: Vec<String>,
    /// Free text of the client.
    pub user_agent: Option<String>,
    /// Verb.
    pub verb: Option<String>,
    /// As the client sent it.
    pub request_uri: Option<String>,
    /// API group; empty for core.
    pub api_group: Option<String>,
    /// `None` for URLs that are no resource.
    pub resource: Option<String>,
    /// Subresource.
    pub subresource: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// HTTP status.
    pub code: i32,
    /// `responseStatus.reason`.
    pub status_reason: Option<String>,
    /// `responseStatus.message`.
    pub status_message: Option<String>,
    /// `allow`, `forbid` or absent.
    pub decision: Option<String>,
    /// `authorization.k8s.io/reason`.
    pub decision_reason: Option<String>,
}

/// `denied_calls.sql`: one CloudTrail event with an `errorCode`; sorted by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeniedCall {
    /// The event.
    pub call: CloudTrailCall,
}

/// `request_successes.sql`: the last audit event below 400 of one identity and request shape; sorted by place, username.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestSuccess {
    /// The cluster.
    pub place: Place,
    /// Who: the effective user name (impersonated, if any).
    pub username: Option<String>,
    /// Canonical ARN.
    pub canonical_arn: Option<String>,
    /// Verb.
    pub verb: Option<String>,
    /// API group.
    pub api_group: Option<String>,
    /// Resource.
    pub resource: Option<String>,
    /// Subresource.
    pub subresource: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// The last one.
    pub last: Mark,
}

/// `call_successes.sql`: the last CloudTrail event without error of one caller, action and cluster; sorted by place, caller.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallSuccess {
    /// Account, region, cluster.
    pub place: Place,
    /// Canonical ARN of the caller.
    pub canonical_arn: Option<String>,
    /// Service.
    pub event_source: String,
    /// Action.
    pub event_name: String,
    /// Role asked for, for sts:AssumeRole (`requestParameters.roleArn` stays in JSON): JSON text.
    pub request_parameters: Option<String>,
    /// The last one.
    pub last: Mark,
}

/// `snapshots.sql`: one record of the snapshot table; sorted by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// When the state was seen.
    pub at: Mark,
    /// The cluster, or the account for IAM principals.
    pub place: Place,
    /// `cluster`, `access_entry`, `access_policy_association`, `iam_role`, `iam_user`, `config_map`, `cluster_role`,
    /// `cluster_role_binding`, `role`, `role_binding`.
    pub kind: String,
    /// Name of the object.
    pub name: Option<String>,
    /// JSON text with the field names of AWS or Kubernetes.
    pub body: String,
}

/// `rejects.sql`: a record of a cluster's or account's log that could not be read; sorted by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RejectSeen {
    /// The reject; its time is that of the envelope, 0 where there is none.
    pub at: Mark,
    /// The object that it was in.
    pub source_uri: String,
    /// Where it belongs, as far as the envelope and the hints say.
    pub place: Place,
    /// What it was taken for: `audit`, `cloudtrail`, `authenticator`, …
    pub kind: String,
    /// The beginning of its text.
    pub text: String,
}

/// Everything the three questions need to know of a lake, up to one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// What the lake holds.
    pub coverage: Vec<CoverageDay>,
    /// Writes of aws-auth and RBAC.
    pub writes: Vec<AuditWrite>,
    /// EKS and IAM events.
    pub calls: Vec<CloudTrailCall>,
    /// The STS calls behind the keys of sessions and of callers that changed something, hop by hop.
    pub issued: Vec<SessionIssued>,
    /// Granted logins.
    pub logins: Vec<Login>,
    /// Sessions and unique ids.
    pub sessions: Vec<SessionSeen>,
    /// Audit activity.
    pub activity: Vec<Activity>,
    /// Activity in AWS.
    pub aws_calls: Vec<AwsCalls>,
    /// What people asked about their own rights.
    pub reviews: Vec<Review>,
    /// Present state.
    pub snapshots: Vec<Snapshot>,
    /// Records that could not be read.
    pub rejects: Vec<RejectSeen>,
    /// Refused logins.
    pub denied_logins: Vec<DeniedLogin>,
    /// `STS response` lines that may name a refused caller.
    pub sts_responses: Vec<StsResponse>,
    /// Refused requests.
    pub denied_requests: Vec<DeniedRequest>,
    /// Refused AWS calls.
    pub denied_calls: Vec<DeniedCall>,
    /// Successes by request shape.
    pub request_successes: Vec<RequestSuccess>,
    /// Successes by AWS action.
    pub call_successes: Vec<CallSuccess>,
}
