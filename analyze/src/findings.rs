//! The answers: what the analysis gives to whoever shows them. Shapes and words are those of the interface document, §3 to §6.

use eksplain_queries::facts::Micros;

pub use crate::words::{
    Basis, Confidence, Layer, Power, PrincipalState, PrincipalType, Reason, RouteKind, Source, Status, Works,
};

/// A cluster: account, region and name; two clusters of one name in two regions are two clusters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cluster {
    /// Account id; empty where no record and no hint names it.
    pub account: String,
    /// Region; empty where unknown.
    pub region: String,
    /// Name.
    pub name: String,
}

/// The record that proves a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// Record id, resolved by `eksplain evidence`.
    pub id: String,
    /// Time of the record; its precision is the record's.
    pub ts: Micros,
    /// The log that it is of.
    pub source: Source,
    /// What the record says, in words.
    pub summary: String,
}

/// What was seen of one cluster in one source, and what therefore cannot be known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coverage {
    /// The cluster; `None` for records that name none.
    pub cluster: Option<Cluster>,
    /// The log.
    pub source: Source,
    /// First record.
    pub first: Option<Micros>,
    /// Last record.
    pub last: Option<Micros>,
    /// Number of records.
    pub records: u64,
    /// Holes: from the last record before to the first after.
    pub gaps: Vec<(Micros, Micros)>,
    /// Plain sentences.
    pub blind_spots: Vec<String>,
}

/// One way to admin power.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Which way; interface, §4.
    pub route: RouteKind,
    /// Whether it stands.
    pub status: Status,
    /// One sentence.
    pub detail: String,
    /// Each hop in words.
    pub via: Vec<String>,
    /// Since when; `None` when it stood before the first record.
    pub valid_from: Option<Micros>,
    /// Until when; `None` while it stands.
    pub valid_to: Option<Micros>,
    /// A look, or a write behind a gap, found it where an earlier record shows that it did not stand: it stood by then.
    pub begun_by: Option<Micros>,
    /// It had ended by then, and no record tells when.
    pub ended_by: Option<Micros>,
    /// It stood then, and no log could have shown its end since: how it stands now is not known.
    pub as_of: Option<Micros>,
    /// At most 5, first and last among them, sorted by time.
    pub evidence: Vec<Evidence>,
}

/// `admins`: one cluster incarnation and principal.
#[derive(Debug, Clone, PartialEq)]
pub struct Admin {
    /// The cluster.
    pub cluster: Cluster,
    /// Life of the cluster, from 1.
    pub incarnation: u32,
    /// Canonical ARN, or `User:x`, `Group:x`, `ServiceAccount:ns/name`, or a service name.
    pub principal: String,
    /// What kind of principal.
    pub principal_type: PrincipalType,
    /// User name inside Kubernetes, as last seen or mapped.
    pub kubernetes_username: Option<String>,
    /// `active` if any route is, else `unproven` if any is, else `revoked`.
    pub status: Status,
    /// How much power.
    pub power: Power,
    /// AWS's own identity.
    pub aws_managed: bool,
    /// All routes, sorted by route id, then start.
    pub routes: Vec<Route>,
    /// First use.
    pub first_seen: Option<Micros>,
    /// Last use.
    pub last_seen: Option<Micros>,
    /// Requests in the audit log.
    pub uses: u64,
    /// Role sessions, sorted.
    pub sessions: Vec<String>,
    /// Whether the principal exists.
    pub principal_state: PrincipalState,
    /// When it was deleted.
    pub principal_deleted_at: Option<Micros>,
}

/// Who made a cluster.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CreatorIdentity {
    /// Canonical ARN or service name.
    pub principal: Option<String>,
    /// What kind of principal.
    pub principal_type: Option<PrincipalType>,
    /// Role session; `None` for users and root.
    pub session: Option<String>,
    /// The person, as far as the chain of sessions tells.
    pub human: Option<String>,
    /// `cloudformation`, `terraform`, `eksctl`, `console`, `cdk`, `sdk`, `cli`, `service`.
    pub via: Option<&'static str>,
    /// Address of the call.
    pub source_ip: Option<String>,
    /// Client of the call.
    pub user_agent: Option<String>,
}

/// A way back in.
#[derive(Debug, Clone, PartialEq)]
pub struct RecoveryOption {
    /// Short name.
    pub title: String,
    /// Whether it works.
    pub works: Works,
    /// Why.
    pub why: String,
    /// Ready to copy; values out of logs are quoted.
    pub commands: Vec<String>,
    /// What to mind.
    pub caveats: Vec<String>,
}

/// Whether a cluster needs rescue, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// Nobody is known to get in.
    pub needed: bool,
    /// Why, or why not.
    pub why: String,
    /// In order of preference.
    pub options: Vec<RecoveryOption>,
}

/// `creators`: one cluster incarnation.
#[derive(Debug, Clone, PartialEq)]
pub struct Creator {
    /// The cluster.
    pub cluster: Cluster,
    /// Its ARN, where a record holds it.
    pub cluster_arn: Option<String>,
    /// Creation.
    pub created_at: Option<Micros>,
    /// Deletion.
    pub deleted_at: Option<Micros>,
    /// Life, from 1.
    pub incarnation: u32,
    /// Who.
    pub creator: CreatorIdentity,
    /// Whether the creator became admin; `None` where no record tells.
    pub bootstrap_admin: Option<bool>,
    /// `CONFIG_MAP`, `API_AND_CONFIG_MAP`, `API`.
    pub authentication_mode: Option<String>,
    /// How sure.
    pub confidence: Confidence,
    /// What tells; `None` where nothing does.
    pub basis: Option<Basis>,
    /// Whether the creator exists.
    pub creator_state: PrincipalState,
    /// Its deletion.
    pub creator_deleted_at: Option<Micros>,
    /// Its re-creation.
    pub creator_recreated_at: Option<Micros>,
    /// Principals with an active admin route besides the creator.
    pub other_admins: Vec<String>,
    /// The way back in.
    pub recovery: Recovery,
    /// At most 5.
    pub evidence: Vec<Evidence>,
}

/// Shape of a refused request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestShape {
    /// Kubernetes verb.
    pub verb: Option<String>,
    /// API group, empty for core; `None` where there is no resource.
    pub api_group: Option<String>,
    /// Resource.
    pub resource: Option<String>,
    /// Subresource.
    pub subresource: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Name, where all calls of the group share it.
    pub name: Option<String>,
    /// URL that is no resource.
    pub non_resource_url: Option<String>,
    /// `eks:DescribeCluster`.
    pub aws_action: Option<String>,
}

/// A way to let the refused call through.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// What it does.
    pub title: String,
    /// Ready to copy; values out of logs are quoted.
    pub commands: Vec<String>,
    /// YAML or JSON, ready to apply.
    pub manifest: Option<String>,
}

/// `denials`: one group of alike denials.
#[derive(Debug, Clone, PartialEq)]
pub struct Denial {
    /// The cluster, where one is named.
    pub cluster: Option<Cluster>,
    /// Canonical ARN or Kubernetes subject.
    pub principal: Option<String>,
    /// User name inside Kubernetes.
    pub kubernetes_username: Option<String>,
    /// Its groups.
    pub groups: Vec<String>,
    /// Role session, where all calls of the group share it.
    pub session: Option<String>,
    /// The layer of the reason.
    pub layer: Layer,
    /// Why; denial taxonomy of the domain.
    pub reason: Reason,
    /// One sentence.
    pub cause: String,
    /// What was asked; all `None` for authn.
    pub request: RequestShape,
    /// Refused calls.
    pub count: u64,
    /// Refused calls of each UTC day that had some, by a moment of that day.
    pub by_day: Vec<(Micros, u64)>,
    /// First.
    pub first_seen: Micros,
    /// Last.
    pub last_seen: Micros,
    /// The same principal later succeeded at the same request.
    pub resolved: bool,
    /// What the terminal shows.
    pub seen_by_user_as: Vec<String>,
    /// How to let it through.
    pub fix: Vec<Fix>,
    /// How sure.
    pub confidence: Confidence,
    /// Refused calls of AWS's own services, nodes and controllers, and outcomes that are no access matter: shown with `--all`.
    pub only_with_all: bool,
    /// At most 5.
    pub evidence: Vec<Evidence>,
}

/// The whole answer to the three questions at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// What the lake held.
    pub coverage: Vec<Coverage>,
    /// Who has power.
    pub admins: Vec<Admin>,
    /// Who created what.
    pub creators: Vec<Creator>,
    /// What was refused.
    pub denials: Vec<Denial>,
}
