//! One life of a cluster: its bounds, its authentication mode over time, and the state that its records prove.
//!
//! Rule for the mode: EKS API `CreateAccessConfigRequest` (absent means CONFIG_MAP) and the one way CONFIG_MAP, API_AND_CONFIG_MAP,
//! API. Rule for lives: a name may be used again after DeleteCluster; records after the deletion belong to the old life's tail.

use eksplain_queries::facts::{Activity, AuditWrite, CloudTrailCall, Login, Mark, Micros, SessionSeen, Snapshot};

use super::aws_auth::{self, Content};
use super::cut::Cut;
use super::entries::{self, AccessEntry};
use super::history::History;
use super::lists::Look;
use super::rbac_history::RbacHistory;
use crate::findings::Cluster;
use crate::json;
use crate::knowledge::{Doubt, Gap, Known, Logs, Measure};
use crate::principal::Spellings;

/// Which sources of identity the cluster reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Unknown,
    ConfigMap,
    ApiAndConfigMap,
    Api,
    /// One of the two that read access entries.
    SomeApi,
}

impl Mode {
    pub(crate) fn of(text: &str) -> Option<Self> {
        match text {
            "CONFIG_MAP" => Some(Self::ConfigMap),
            "API_AND_CONFIG_MAP" => Some(Self::ApiAndConfigMap),
            "API" => Some(Self::Api),
            _ => None,
        }
    }

    /// The word of the API, where the mode is known.
    pub(crate) fn as_str(self) -> Option<&'static str> {
        match self {
            Self::ConfigMap => Some("CONFIG_MAP"),
            Self::ApiAndConfigMap => Some("API_AND_CONFIG_MAP"),
            Self::Api => Some("API"),
            Self::Unknown | Self::SomeApi => None,
        }
    }

    pub(crate) fn reads_entries(self) -> bool {
        matches!(self, Self::ApiAndConfigMap | Self::Api | Self::SomeApi)
    }
}

/// A mode from one moment on.
#[derive(Debug, Clone)]
pub(crate) struct ModeChange {
    pub(crate) mode: Mode,
    pub(crate) at: Mark,
    /// It was so already: a snapshot saw it.
    pub(crate) is_look: bool,
}

/// One life.
#[derive(Debug)]
pub(crate) struct Incarnation<'f> {
    pub(crate) cluster: Cluster,
    pub(crate) number: u32,
    pub(crate) created: Option<&'f CloudTrailCall>,
    pub(crate) deleted: Option<&'f CloudTrailCall>,
    /// Records from here on are this life's; the least number where its creation is not known.
    pub(crate) start: Micros,
    /// When it was made: by the call, or by EKS's own date in a snapshot.
    pub(crate) born: Option<Micros>,
    /// Its end where it is known: DeleteCluster, or the creation of the next life.
    pub(crate) deleted_at: Option<Micros>,
    /// Calls that succeeded, in order.
    pub(crate) calls: Vec<&'f CloudTrailCall>,
    pub(crate) writes: Vec<&'f AuditWrite>,
    pub(crate) snapshots: Vec<&'f Snapshot>,
    pub(crate) activity: Vec<&'f Activity>,
    pub(crate) logins: Vec<&'f Login>,
    pub(crate) sessions: Vec<&'f SessionSeen>,
    /// First request that an access policy let through.
    pub(crate) policy_use: Option<Mark>,
    /// Records of its logs that could not be read, in order.
    pub(crate) cut: Vec<Cut>,
    /// What its logs could show.
    pub(crate) logs: Logs,
    /// The lake has CloudTrail of some account, so that what it lacks of this cluster's is a hole.
    pub(crate) expects_trail: bool,
    pub(crate) modes: Vec<ModeChange>,
    pub(crate) aws_auth: History<Content>,
    pub(crate) entries: Vec<AccessEntry>,
    pub(crate) rbac: RbacHistory,
}

/// Records this long before the first CreateCluster are another life's; a shorter time is the clocks'.
const SKEW: Micros = 10 * 60 * 1_000_000;

/// Cuts the calls of one cluster name into lives; `births` are the dates of creation that EKS gave in snapshots, in order.
pub(super) fn lives<'f>(
    cluster: &Cluster,
    calls: &[&'f CloudTrailCall],
    births: &[Micros],
    first_log: Option<Micros>,
) -> Vec<Incarnation<'f>> {
    let mut lives: Vec<Incarnation<'f>> = Vec::new();
    let open = |lives: &mut Vec<Incarnation<'f>>, created: Option<&'f CloudTrailCall>, born: Option<Micros>| {
        let start = born.unwrap_or(Micros::MIN);
        if let Some(before) = lives.last_mut() {
            before.deleted_at.get_or_insert(start);
        }
        let number = u32::try_from(lives.len()).unwrap_or(u32::MAX).saturating_add(1);
        lives.push(Incarnation::new(cluster.clone(), number, created, start, born));
    };
    let is_copy = |a: &CloudTrailCall, b: &CloudTrailCall| {
        (a.shared_event_id.is_some() && a.shared_event_id == b.shared_event_id)
            || (a.event_id.is_some() && a.event_id == b.event_id)
    };
    let is_before = |ts: Micros| first_log.is_some_and(|first| first < ts - SKEW);
    // EKS dates a cluster from the call that made it: the same birth, told twice.
    let has_call = |born: Micros| {
        let creations = calls.iter().filter(|call| call.event_name == "CreateCluster");
        creations.into_iter().any(|call| (call.at.ts - born).abs() < SKEW)
    };
    let mut births = births.iter().copied().filter(|born| !has_call(*born)).peekable();
    let mut open_births = |lives: &mut Vec<Incarnation<'f>>, until: Micros| {
        while let Some(born) = births.next_if(|born| *born <= until) {
            let is_known = lives
                .last()
                .and_then(|life| life.born)
                .is_some_and(|known| (known - born).abs() < SKEW);
            if is_known {
                continue;
            }
            if lives.is_empty() && is_before(born) {
                open(lives, None, None);
            }
            open(lives, None, Some(born));
        }
    };
    for call in calls {
        open_births(&mut lives, call.at.ts);
        match call.event_name.as_str() {
            "CreateCluster" => {
                if lives
                    .last()
                    .and_then(|life| life.created)
                    .is_some_and(|created| is_copy(created, call))
                {
                    continue;
                }
                if lives.is_empty() && is_before(call.at.ts) {
                    open(&mut lives, None, None);
                }
                open(&mut lives, Some(call), Some(call.at.ts));
            }
            "DeleteCluster" => {
                if lives.is_empty() {
                    open(&mut lives, None, None);
                }
                if let Some(life) = lives.last_mut().filter(|life| life.deleted_at.is_none()) {
                    life.deleted_at = Some(call.at.ts);
                    life.deleted = Some(call);
                }
            }
            _ => {
                if lives.is_empty() {
                    open(&mut lives, None, None);
                }
                if let Some(life) = lives.last_mut() {
                    life.calls.push(call);
                }
            }
        }
    }
    open_births(&mut lives, Micros::MAX);
    if lives.is_empty() {
        open(&mut lives, None, None);
    }
    lives
}

impl<'f> Incarnation<'f> {
    fn new(
        cluster: Cluster,
        number: u32,
        created: Option<&'f CloudTrailCall>,
        start: Micros,
        born: Option<Micros>,
    ) -> Self {
        Self {
            cluster,
            number,
            created,
            deleted: None,
            start,
            born,
            deleted_at: None,
            calls: Vec::new(),
            writes: Vec::new(),
            snapshots: Vec::new(),
            activity: Vec::new(),
            logins: Vec::new(),
            sessions: Vec::new(),
            policy_use: None,
            cut: Vec::new(),
            logs: Logs::none(),
            expects_trail: false,
            modes: Vec::new(),
            aws_auth: History::default(),
            entries: Vec::new(),
            rbac: RbacHistory::default(),
        }
    }

    /// Rebuilds the state from the records.
    pub(super) fn rebuild(&mut self, spellings: &Spellings) {
        self.modes = self.mode_changes();
        self.aws_auth = aws_auth::history(self);
        self.entries = entries::entries(self, spellings);
        self.rbac = RbacHistory::build(self);
    }

    /// Whether the creator was made an admin; `None` where no record tells.
    pub(crate) fn bootstrap_admin(&self) -> Option<bool> {
        let said =
            |value: &serde_json::Value| value["accessConfig"]["bootstrapClusterCreatorAdminPermissions"].as_bool();
        let snapshots = self.snapshots.iter().filter(|snapshot| snapshot.kind == "cluster");
        if let Some(flag) = snapshots
            .map(|snapshot| json::parse(Some(&snapshot.body)))
            .find_map(|body| said(&body))
        {
            return Some(flag);
        }
        let created = self.created?;
        let response = json::parse(created.response_elements.as_deref());
        let request = json::parse(created.request_parameters.as_deref());
        Some(said(&response["cluster"]).or_else(|| said(&request)).unwrap_or(true))
    }

    fn mode_changes(&self) -> Vec<ModeChange> {
        let mut changes = Vec::new();
        if let Some(created) = self.created {
            let said = |value: serde_json::Value| {
                json::text(&value["accessConfig"], &["authenticationMode"]).and_then(Mode::of)
            };
            let response = json::parse(created.response_elements.as_deref());
            let mode =
                said(response["cluster"].clone()).or_else(|| said(json::parse(created.request_parameters.as_deref())));
            changes.push(ModeChange {
                mode: mode.unwrap_or(Mode::ConfigMap),
                at: created.at.clone(),
                is_look: false,
            });
        }
        for call in self
            .calls
            .iter()
            .filter(|call| call.event_name == "UpdateClusterConfig")
        {
            let request = json::parse(call.request_parameters.as_deref());
            if let Some(mode) = json::text(&request["accessConfig"], &["authenticationMode"]).and_then(Mode::of) {
                changes.push(ModeChange {
                    mode,
                    at: call.at.clone(),
                    is_look: false,
                });
            }
        }
        for snapshot in self.snapshots.iter().filter(|snapshot| snapshot.kind == "cluster") {
            let body = json::parse(Some(&snapshot.body));
            if let Some(mode) = json::text(&body["accessConfig"], &["authenticationMode"]).and_then(Mode::of) {
                changes.push(ModeChange {
                    mode,
                    at: snapshot.at.clone(),
                    is_look: true,
                });
            }
        }
        changes.sort_by(|a, b| a.at.cmp(&b.at));
        changes
    }

    /// The mode at a moment.
    pub(crate) fn mode_at(&self, ts: Micros) -> Mode {
        if let Some(change) = self.modes.iter().rev().find(|change| change.at.ts <= ts) {
            return change.mode;
        }
        // The mode only moves forward: before a change to it, it was another one.
        match self.modes.first().map(|change| change.mode) {
            Some(Mode::ConfigMap) => return Mode::ConfigMap,
            Some(Mode::ApiAndConfigMap) if !self.used_entries_by(ts) => return Mode::Unknown,
            _ => {}
        }
        if self.used_entries_by(ts) {
            Mode::SomeApi
        } else {
            Mode::Unknown
        }
    }

    fn used_entries_by(&self, ts: Micros) -> bool {
        let by_call = self.calls.iter().any(|call| {
            call.at.ts <= ts && (call.event_name.contains("AccessEntry") || call.event_name.contains("AccessPolicy"))
        });
        by_call || self.policy_use.as_ref().is_some_and(|first| first.ts <= ts)
    }

    /// The last moment at which a login shows that the cluster reads aws-auth: no access entry can give `system:masters`, and the name
    /// `kubernetes-admin` may be the creator's hidden mapping.
    pub(crate) fn read_aws_auth_at(&self) -> Option<Micros> {
        let is_mapped = |name: Option<&str>| name.is_some_and(|name| name != "kubernetes-admin");
        let logins = self
            .logins
            .iter()
            .filter(|login| login.masters && login.canonical_arn.is_some() && is_mapped(login.username.as_deref()))
            .map(|login| login.last.ts);
        let requests = self
            .activity
            .iter()
            .filter(|row| row.masters && row.canonical_arn.is_some() && is_mapped(row.username.as_deref()))
            .map(|row| row.last.ts);
        logins.chain(requests).max()
    }

    /// When aws-auth ceased to be read.
    pub(crate) fn api_only_from(&self) -> Option<&ModeChange> {
        self.modes.iter().find(|change| change.mode == Mode::Api)
    }

    /// Access entries at a moment.
    pub(crate) fn entries_at(&self, ts: Micros) -> impl Iterator<Item = &AccessEntry> {
        self.entries.iter().filter(move |entry| entry.stay.covers(ts))
    }

    /// What is known of the mode at a moment; [`Incarnation::mode_at`] says what it most likely was.
    pub(crate) fn mode_known_at(&self, ts: Micros, measure: Measure) -> Known<Mode> {
        let mode = self.mode_at(ts);
        let last = self.modes.iter().rev().find(|change| change.at.ts <= ts);
        let next = self.modes.iter().find(|change| change.at.ts > ts);
        match (mode, last, next) {
            // The mode only moves forward: whatever was API stays it, whatever is CONFIG_MAP later was it before.
            (Mode::Api, Some(_), _)
            | (
                Mode::ConfigMap,
                _,
                Some(ModeChange {
                    mode: Mode::ConfigMap, ..
                }),
            ) => {
                return Known::Is(mode);
            }
            (Mode::ApiAndConfigMap, Some(_), Some(next)) if next.mode == Mode::ApiAndConfigMap => {
                return Known::Is(mode);
            }
            _ => {}
        }
        let gap = match last {
            Some(last) => self.logs.trail.gap_between(measure, last.at.ts, ts).cloned(),
            None => self
                .logs
                .trail
                .gap_since_birth(measure, self.born.unwrap_or(Micros::MIN), ts)
                .cloned(),
        };
        match (mode, gap) {
            (Mode::Unknown | Mode::SomeApi, gap) => Known::Unknown(Doubt {
                gap,
                nearest: (mode == Mode::SomeApi).then_some(mode),
                seen: None,
            }),
            (_, None) => Known::Is(mode),
            (_, Some(gap)) => Known::Unknown(Doubt {
                gap: Some(gap),
                nearest: Some(mode),
                seen: last.map(|last| last.at.ts),
            }),
        }
    }

    /// Whether the mode is known to be CONFIG_MAP: then there are no entries, and nothing takes the creator's hidden right away.
    pub(crate) fn mode_is_config_map(&self, ts: Micros) -> bool {
        matches!(self.mode_known_at(ts, Measure::Standing), Known::Is(Mode::ConfigMap))
    }

    /// Why it is not known which access entries there are at a moment; `None` where it is.
    pub(crate) fn entries_doubt_at(&self, ts: Micros, measure: Measure) -> Option<Gap> {
        let trail = &self.logs.trail;
        let since = self.born.unwrap_or(Micros::MIN);
        let from_birth = trail.gap_since_birth(measure, since, ts);
        let looks = self
            .snapshots
            .iter()
            .copied()
            .filter_map(Look::of)
            .filter(|look| look.what == "access_entries");
        let is_seen = looks.into_iter().any(|look| match look.at.ts <= ts {
            true => trail.gap_between(measure, look.at.ts, ts).is_none(),
            false => trail.gap_between(Measure::Whole, ts, look.at.ts).is_none(),
        });
        from_birth.filter(|_| !is_seen).cloned()
    }

    /// Whether the cluster reads access entries of which some may have been made before anything that the lake holds.
    pub(crate) fn may_have_unseen_entries(&self, at: Micros) -> bool {
        let (ts, measure) = match self.logs.trail.bounds {
            // Since the trail's last record nothing is assumed to have happened; before its first, much may have.
            Some((_, last)) => (at.min(last), Measure::Fresh),
            None => (at, Measure::Standing),
        };
        self.mode_at(at).reads_entries() && self.entries_doubt_at(ts, measure).is_some()
    }

    /// Whether CloudTrail of its account and region is missing in a lake that has others.
    pub(crate) fn lacks_trail(&self) -> bool {
        self.expects_trail && self.logs.trail.bounds.is_none() && !self.cluster.account.is_empty()
    }

    /// The newest record of the lake, where it is long before a moment at which the cluster lives.
    pub(crate) fn lake_ended_before(&self, at: Micros) -> Option<Micros> {
        let ended = self.logs.lake_end();
        (!self.is_over_at(at) && at > ended.saturating_add(crate::knowledge::FRESH)).then_some(ended)
    }

    /// The earlier of a moment and the life's end.
    pub(crate) fn is_over_at(&self, ts: Micros) -> bool {
        self.deleted_at.is_some_and(|end| end <= ts)
    }
}

/// `createdAt` as epoch seconds or RFC 3339.
pub(crate) fn created_at(value: &serde_json::Value) -> Option<Micros> {
    match value {
        serde_json::Value::Number(seconds) => seconds.as_f64().map(|seconds| (seconds * 1e6) as Micros),
        serde_json::Value::String(text) => eksplain_parse::time::parse_rfc3339(text),
        _ => None,
    }
}
