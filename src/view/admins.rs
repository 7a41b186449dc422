//! `eksplain.admins/1`.

use std::io;

use eksplain_analyze::findings;
use eksplain_analyze::words::{Power, PrincipalState, PrincipalType, RouteKind, Status};
use serde::Serialize;

use super::fingerprint::{Fingerprint, Parts};
use super::{Cluster, Evidence, Finding, Origins, cluster, cluster_words, evidence, in_cluster, short_time, time};
use crate::accept::Accepted;
use crate::render::Page;

mod text;

pub(crate) const SCHEMA: &str = "eksplain.admins/1";

#[derive(Debug, Serialize)]
pub(crate) struct Admin {
    pub(crate) cluster: Cluster,
    pub(crate) incarnation: u32,
    pub(crate) principal: String,
    principal_type: PrincipalType,
    kubernetes_username: Option<String>,
    pub(crate) status: Status,
    pub(crate) power: Power,
    aws_managed: bool,
    pub(crate) routes: Vec<Route>,
    first_seen: Option<String>,
    last_seen: Option<String>,
    uses: u64,
    sessions: Vec<String>,
    pub(crate) principal_state: PrincipalState,
    principal_deleted_at: Option<String>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) accepted: Option<Accepted>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Route {
    pub(crate) route: RouteKind,
    pub(crate) status: Status,
    detail: String,
    via: Vec<String>,
    pub(crate) valid_from: Option<String>,
    valid_to: Option<String>,
    pub(crate) as_of: Option<String>,
    evidence: Vec<Evidence>,
}

/// Cluster and life, who, and by which right: whoever gains another right is another finding.
fn fingerprint(admin: &findings::Admin) -> Fingerprint {
    let rights: std::collections::BTreeSet<&str> = admin
        .routes
        .iter()
        .filter(|route| route.status == admin.status)
        .map(|route| route.route.id())
        .collect();
    let who = Parts::of("admins")
        .in_cluster(Some(&cluster(&admin.cluster)))
        .of_life(admin.incarnation)
        .with(Some(&admin.principal))
        .with(Some(admin.status.id()))
        .with(Some(admin.power.id()));
    rights
        .into_iter()
        .fold(who, |identity, right| identity.with(Some(right)))
        .fingerprint()
}

impl Admin {
    pub(crate) fn of(admin: &findings::Admin, origins: &Origins) -> Self {
        let route = |route: &findings::Route| Route {
            route: route.route,
            status: route.status,
            detail: route.detail.clone(),
            via: route.via.clone(),
            valid_from: time(route.valid_from),
            valid_to: time(route.valid_to),
            as_of: time(route.as_of),
            evidence: evidence(&route.evidence, origins),
        };
        Self {
            cluster: cluster(&admin.cluster),
            incarnation: admin.incarnation,
            principal: admin.principal.clone(),
            principal_type: admin.principal_type,
            kubernetes_username: admin.kubernetes_username.clone(),
            status: admin.status,
            power: admin.power,
            aws_managed: admin.aws_managed,
            routes: admin.routes.iter().map(route).collect(),
            first_seen: time(admin.first_seen),
            last_seen: time(admin.last_seen),
            uses: admin.uses,
            sessions: admin.sessions.clone(),
            principal_state: admin.principal_state,
            principal_deleted_at: time(admin.principal_deleted_at),
            fingerprint: fingerprint(admin),
            accepted: None,
        }
    }
}

impl Finding for Admin {
    const COLUMNS: &'static [&'static str] =
        &["CLUSTER", "PRINCIPAL", "STATUS", "ROUTES", "SINCE", "LAST SEEN", "USES"];
    const FIELDS: &'static [&'static str] = &[
        "account",
        "region",
        "cluster",
        "incarnation",
        "principal",
        "principal_type",
        "kubernetes_username",
        "status",
        "power",
        "aws_managed",
        "routes_route",
        "routes_status",
        "routes_detail",
        "routes_via",
        "routes_valid_from",
        "routes_valid_to",
        "routes_as_of",
        "first_seen",
        "last_seen",
        "uses",
        "sessions",
        "principal_state",
        "principal_deleted_at",
        "evidence_ids",
        "fingerprint",
        "accepted_why",
        "accepted_owner",
        "accepted_until",
    ];

    fn row(&self) -> Vec<String> {
        let which = super::words::which(self.incarnation);
        let gone = match self.principal_state {
            PrincipalState::Deleted | PrincipalState::Recreated => format!(" [{}]", self.principal_state),
            _ => String::new(),
        };
        let power = if self.power == Power::Admin {
            ""
        } else {
            " (can become admin)"
        };
        let routes: Vec<String> = self
            .routes
            .iter()
            .map(|route| {
                if route.status == self.status {
                    route.route.to_string()
                } else {
                    format!("{} ({})", route.route, route.status)
                }
            })
            .collect();
        let since = self
            .routes
            .iter()
            .filter(|route| route.status == self.status)
            .filter_map(|route| route.valid_from.as_ref())
            .min();
        vec![
            format!("{}{which}", cluster_words(&self.cluster)),
            format!("{}{gone}", self.principal),
            format!("{}{power}", self.status),
            routes.join(", "),
            short_time(since),
            short_time(self.last_seen.as_ref()),
            self.uses.to_string(),
        ]
    }

    fn show(findings: &[Self], page: &mut Page<'_>) -> io::Result<()> {
        text::show(findings, page)
    }

    fn next(findings: &[Self]) -> Option<(String, &'static str)> {
        text::next(findings)
    }

    fn rules() -> Vec<&'static str> {
        let own = Status::ALL
            .iter()
            .map(|word| word.id())
            .chain(Power::ALL.iter().map(|word| word.id()));
        let states = PrincipalState::ALL.iter().map(|word| word.id());
        own.chain(states)
            .chain(RouteKind::ALL.iter().map(|word| word.id()))
            .collect()
    }

    fn title(&self) -> String {
        let routes: Vec<&str> = self.routes.iter().map(|route| route.route.id()).collect();
        format!(
            "{}{} ({}: {})",
            self.principal,
            in_cluster(Some(&self.cluster)),
            self.status,
            routes.join(", ")
        )
    }

    fn words(&self) -> Vec<String> {
        let own = [self.status.id(), self.power.id(), self.principal_state.id()];
        let routes = self.routes.iter().map(|route| route.route.id());
        own.into_iter().chain(routes).map(str::to_owned).collect()
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    fn cluster(&self) -> Option<&Cluster> {
        Some(&self.cluster)
    }

    fn accepted(&self) -> Option<&Accepted> {
        self.accepted.as_ref()
    }

    fn accept(&mut self, accepted: Accepted) {
        self.accepted = Some(accepted);
    }
}
