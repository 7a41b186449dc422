//! Layer `authn`: logins that the authenticator refused, and 401s that no such line explains.
//!
//! Rule: aws-iam-authenticator `pkg/server`, `pkg/token`; refusals are not cached, so each makes a line. A line has the ARN and no
//! request, a 401 has the request and nobody: they are joined by cluster and time.

use eksplain_parse::authenticator::DenialClass;
use eksplain_queries::facts::{DeniedLogin, DeniedRequest, Micros, StsResponse};

use super::not_mapped::{self, Refused};
use super::{Refusal, Verdict};
use crate::evidence;
use crate::findings::{Cluster, RequestShape};
use crate::fixes::names::WholeArn;
use crate::fixes::{self, access_entry, client};
use crate::state::{Incarnation, World};
use crate::words::{Confidence, Reason};

const SECOND: Micros = 1_000_000;
/// A 401 within this time of a refused login is its consequence.
const JOIN: Micros = 2 * SECOND;
/// The STS answer to a token comes this shortly before its refusal.
const STS_LEAD: Micros = 10 * SECOND;

pub(super) fn refusals(world: &World<'_>) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = world
        .facts
        .denied_logins
        .iter()
        .map(|line| refused_login(world, line))
        .collect();
    refusals.extend(unexplained_401s(world));
    refusals
}

fn refused_login(world: &World<'_>, line: &DeniedLogin) -> Refusal {
    let cluster = world.places.cluster(&line.place);
    let life = world.life_of(&line.place, line.at.ts);
    let principal = line.arn.as_deref().and_then(|arn| world.spellings.canonical(arn));
    let sts = principal.as_deref().and_then(|_| sts_before(world, line));
    let verdict = verdict(world, life, cluster.as_ref(), line, principal.as_deref(), sts);
    let mut evidence = vec![evidence::authenticator(
        &line.at,
        format!("access denied: {}", line.error.as_deref().unwrap_or("no error given")),
    )];
    evidence.extend(sts.map(|sts| evidence::authenticator(&sts.at, "STS response about the caller")));
    let success = principal
        .as_deref()
        .and_then(|principal| last_login(world, line, principal));
    Refusal {
        session: line.session.clone().or_else(|| sts.and_then(|sts| sts.session.clone())),
        cluster,
        principal,
        username: None,
        groups: Vec::new(),
        verdict,
        request: RequestShape::default(),
        at: line.at.clone(),
        evidence,
        only_with_all: false,
        last_success: success,
        seen: super::seen::by_login(),
    }
}

/// The STS answer that this line refuses: same connection and ARN, just before.
fn sts_before<'w>(world: &'w World<'_>, line: &DeniedLogin) -> Option<&'w StsResponse> {
    let is_its = |sts: &&StsResponse| {
        sts.client == line.client
            && sts.stream == line.stream
            && sts.place == line.place
            && sts.at.ts <= line.at.ts
            && sts.at.ts >= line.at.ts - STS_LEAD
            && sts.canonical_arn == line.canonical_arn
    };
    // Sorted by id, hence by time: only a short stretch can fit.
    let responses = &world.facts.sts_responses;
    let end = responses.partition_point(|sts| sts.at.ts <= line.at.ts);
    responses[..end]
        .iter()
        .rev()
        .take_while(|sts| sts.at.ts >= line.at.ts - STS_LEAD)
        .find(is_its)
}

pub(super) fn last_login(world: &World<'_>, line: &DeniedLogin, principal: &str) -> Option<Micros> {
    let is_same = |arn: Option<&str>| arn.is_some_and(|arn| arn.eq_ignore_ascii_case(principal));
    let logins = world.index.logins(&line.place).iter();
    logins
        .filter(|login| is_same(login.canonical_arn.as_deref()))
        .map(|login| login.last.ts)
        .max()
}

pub(super) fn verdict(
    world: &World<'_>,
    life: Option<&Incarnation<'_>>,
    cluster: Option<&Cluster>,
    line: &DeniedLogin,
    principal: Option<&str>,
    sts: Option<&StsResponse>,
) -> Verdict {
    let error = line.error.as_deref().unwrap_or_default();
    let certain = |reason, cause: &str| Verdict::new(reason, cause, Confidence::Certain);
    match DenialClass::of(error) {
        DenialClass::NotMapped => match (life, cluster, line.arn.as_deref(), principal) {
            (Some(life), Some(cluster), Some(arn), Some(principal)) => not_mapped::verdict(&Refused { world, life, cluster, line, arn, principal, sts }),
            _ => Verdict::new(
                Reason::AuthnNotMapped,
                "no known mapping or access entry admits the caller; the record names no cluster, so its mappings are not known",
                Confidence::Likely,
            ),
        },
        DenialClass::IdArnMismatch => {
            let fix = cluster.zip(principal).map(|(cluster, principal)| access_entry::renew_renamed(cluster, &WholeArn::of(world, principal)));
            certain(Reason::AuthnAccessEntryRenamed, "the IAM user was renamed or moved: its unique ID has an access entry, but its ARN has changed").with(fix)
        }
        DenialClass::Template => certain(Reason::AuthnTemplate, "the mapping's template needs an EC2 instance's session: a person uses a node's role, or the role is used outside EC2"),
        DenialClass::ReservedPrefix => certain(Reason::AuthnReservedUsername, "the mapping gives a user name with a reserved prefix (system:, eks:, aws:, amazon:, iam:)"),
        DenialClass::MapperError => Verdict::new(Reason::AuthnUnknown, "a mapper of the authenticator failed", Confidence::Guess),
        DenialClass::TokenExpired => certain(Reason::AuthnTokenExpired, "the token was older than 15 minutes: it was pasted, cached by CI, or the client's clock is slow").with([client::fresh_tokens(cluster)]),
        DenialClass::TokenMalformed if error.contains("x-k8s-aws-id header") => wrong_cluster(cluster),
        DenialClass::TokenMalformed | DenialClass::BadRequest => {
            certain(Reason::AuthnTokenMalformed, "the bearer token is not an EKS token: another issuer, another cluster, or an expired service account token")
        }
        DenialClass::TokenWrongEndpoint => certain(Reason::AuthnTokenWrongPartition, "the token was signed for an STS endpoint that this cluster's partition does not accept")
            .with([client::regional_sts(cluster)]),
        DenialClass::StsInvalidKey => certain(Reason::AuthnStsInvalidToken, "STS does not know the access key: it was deleted or is inactive, or its user is gone").with([fixes::advice::of(Reason::AuthnStsInvalidToken), client::verify()]),
        DenialClass::StsSignature if error.contains("not yet current") => {
            certain(Reason::AuthnTokenClockSkew, "the client's clock is ahead").with([client::set_clock()])
        }
        DenialClass::StsSignature => certain(Reason::AuthnStsSignature, "STS refuses the signature: the token was made for another cluster name, with a wrong secret, or with a wrong clock")
            .with([client::regenerate_kubeconfig(cluster)]),
        DenialClass::StsExpired => certain(Reason::AuthnStsExpired, "the temporary credentials expired before the token was used")
            .with([client::renew_credentials()]),
        DenialClass::StsThrottled => certain(Reason::AuthnStsThrottled, "too many logins at once: STS throttled them"),
        DenialClass::StsUnreachable => certain(Reason::AuthnStsUnreachable, "the control plane could not reach STS: try again"),
        DenialClass::StsOther if error.contains("\"AccessDenied\"") => Verdict::new(Reason::AuthnStsDenied, "STS denied GetCallerIdentity, which needs no permission: check for a disabled region", Confidence::Guess),
        DenialClass::StsOther | DenialClass::Other => Verdict::new(Reason::AuthnUnknown, "the authenticator refused the login for a reason that is not in the catalogue", Confidence::Guess),
    }
}

fn wrong_cluster(cluster: Option<&Cluster>) -> Verdict {
    Verdict::new(
        Reason::AuthnTokenWrongCluster,
        "the token was made for another cluster: --cluster-name of the kubeconfig's exec section is wrong",
        Confidence::Certain,
    )
    .with([client::regenerate_kubeconfig(cluster)])
}

/// A 401 of which the authenticator says nothing: where its log is in the lake, another way to log in failed.
fn unexplained(world: &World<'_>, request: &DeniedRequest, cluster: Option<&Cluster>) -> Verdict {
    let is_here = |place| world.places.cluster(place).as_ref() == cluster;
    let facts = world.facts;
    let has_log = world.index.has_logins(cluster);
    let agent = request.user_agent.as_deref().unwrap_or_default();
    let is_person = ["kubectl", "Mozilla/", "helm", "Helm", "HashiCorp", "k9s", "aws-"]
        .iter()
        .any(|name| agent.starts_with(name));
    // Only the last address is the API server's own observation.
    let is_inside = request
        .source_ips
        .last()
        .and_then(|ip| ip.parse::<std::net::Ipv4Addr>().ok())
        .is_some_and(|ip| ip.is_private());
    if has_log && is_inside && !agent.is_empty() && !is_person {
        return Verdict::new(
            Reason::AuthnServiceaccountExpired,
            "a client inside the cluster sent a token that nobody accepts, most likely its service account token from before it was renewed",
            Confidence::Guess,
        );
    }
    let has_provider = facts.calls.iter().any(|call| {
        call.event_name == "AssociateIdentityProviderConfig"
            && call.error_code.is_none()
            && call.at.ts <= request.at.ts
            && is_here(&call.place)
    });
    if has_log && has_provider {
        return Verdict::new(
            Reason::AuthnOidc,
            "the cluster has an OIDC identity provider, and the authenticator saw no AWS token: the provider's token was refused",
            Confidence::Guess,
        )
        .with(cluster.map(client::identity_providers));
    }
    let cause = "the login failed, and no authenticator record says why: its log is off, or not in the lake";
    Verdict::new(Reason::AuthnUnknown, cause, Confidence::Guess).with([client::enable_login_logs(cluster)])
}

/// Audit 401s that no refused login explains.
fn unexplained_401s(world: &World<'_>) -> Vec<Refusal> {
    let lines = &world.facts.denied_logins;
    let is_explained = |cluster: Option<&Cluster>, ts: Micros| {
        let from = lines.partition_point(|line| line.at.ts < ts - JOIN);
        lines[from..]
            .iter()
            .take_while(|line| line.at.ts <= ts + JOIN)
            .any(|line| world.places.cluster(&line.place).as_ref() == cluster)
    };
    let requests = super::request::one_stage_each(world).filter(|request| request.code == 401);
    requests
        .filter_map(|request| {
            let cluster = world.places.cluster(&request.place);
            if is_explained(cluster.as_ref(), request.at.ts) {
                return None;
            }
            Some(Refusal {
                verdict: unexplained(world, request, cluster.as_ref()),
                cluster,
                principal: None,
                username: None,
                groups: Vec::new(),
                session: None,
                request: RequestShape::default(),
                at: request.at.clone(),
                evidence: vec![evidence::audit(&request.at, "401 Unauthorized")],
                only_with_all: false,
                last_success: None,
                seen: super::seen::by_login(),
            })
        })
        .collect()
}
