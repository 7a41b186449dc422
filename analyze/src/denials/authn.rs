//! Layer `authn`: logins that the authenticator refused, and 401s that no such line explains.
//!
//! Rule: aws-iam-authenticator `pkg/server`, `pkg/token`; refusals are not cached, so each makes a line. A line has the ARN and no
//! request, a 401 has the request and nobody: they are joined by cluster and time.

use eksplain_parse::arn::Arn;
use eksplain_parse::authenticator::DenialClass;
use eksplain_parse::aws_auth::Section;
use eksplain_queries::facts::{DeniedLogin, DeniedRequest, Micros, StsResponse};

use super::near_miss::nearest;
use super::{Refusal, Verdict, fixes};
use crate::evidence;
use crate::findings::{Cluster, PrincipalState, RequestShape};
use crate::state::entries::key_of;
use crate::state::{Incarnation, MappingState, Mode, World};

const SECOND: Micros = 1_000_000;
/// A 401 within this time of a refused login is its consequence.
const JOIN: Micros = 2 * SECOND;
/// The STS answer to a token comes this shortly before its refusal.
const STS_LEAD: Micros = 10 * SECOND;
/// A new access entry takes effect within this time.
const PROPAGATION: Micros = 60 * SECOND;

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
    evidence.extend(sts.map(|sts| evidence::authenticator(&sts.at, "what STS said of the caller")));
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
        text: line.error.clone(),
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

fn last_login(world: &World<'_>, line: &DeniedLogin, principal: &str) -> Option<Micros> {
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
    let certain = |reason, cause: &str| Verdict::new(reason, cause, "certain");
    match DenialClass::of(error) {
        DenialClass::NotMapped => match (life, cluster, line.arn.as_deref(), principal) {
            (Some(life), Some(cluster), Some(arn), Some(principal)) => not_mapped(world, life, cluster, line, arn, principal, sts),
            _ => certain("authn.not-mapped", "no mapping and no access entry admits the caller"),
        },
        DenialClass::IdArnMismatch => {
            let fix = cluster.zip(principal).map(|(cluster, principal)| fixes::renew_entry(cluster, principal));
            certain("authn.access-entry.renamed", "the IAM user was renamed or moved: its unique id has an access entry, its ARN is another").with(fix)
        }
        DenialClass::Template => certain("authn.template", "the mapping's template needs an EC2 instance's session: a person uses a node's role, or the role is used outside EC2"),
        DenialClass::ReservedPrefix => certain("authn.reserved-username", "the mapping gives a user name with a reserved prefix (system:, eks:, aws:, amazon:, iam:)"),
        DenialClass::MapperError => Verdict::new("authn.unknown", "a mapper of the authenticator failed", "guess"),
        DenialClass::TokenExpired => certain("authn.token.expired", "the token was older than 15 minutes: pasted, kept by CI, or the client's clock is slow").with([fixes::fix(
            "Let kubectl make tokens by itself",
            vec![update_kubeconfig(cluster)],
        )]),
        DenialClass::TokenMalformed if error.contains("x-k8s-aws-id header") => wrong_cluster(cluster),
        DenialClass::TokenMalformed | DenialClass::BadRequest => {
            certain("authn.token.malformed", "the bearer token is no EKS token: of another issuer, another cluster's, or an expired service account token")
        }
        DenialClass::TokenWrongEndpoint => certain("authn.token.wrong-partition", "the token was signed for an STS endpoint that this cluster's partition does not accept")
            .with([fixes::fix("Sign with the regional endpoint", vec!["export AWS_STS_REGIONAL_ENDPOINTS=regional".to_owned(), update_kubeconfig(cluster)])]),
        DenialClass::StsInvalidKey => certain("authn.sts.invalid-token", "STS does not know the access key: it is deleted or inactive, or its user is gone").with([fixes::verify()]),
        DenialClass::StsSignature if error.contains("not yet current") => {
            certain("authn.token.clock-skew", "the client's clock is ahead").with([fixes::fix("Set the clock", vec!["chronyc makestep".to_owned()])])
        }
        DenialClass::StsSignature => certain("authn.sts.signature", "STS refuses the signature: the token was made for another cluster name, with a wrong secret, or by a wrong clock")
            .with([fixes::fix("Make the kubeconfig anew", vec![update_kubeconfig(cluster)])]),
        DenialClass::StsExpired => certain("authn.sts.expired", "the temporary credentials ran out before the token was used")
            .with([fixes::fix("Renew the credentials", vec!["aws sso login".to_owned(), "aws sts get-caller-identity".to_owned()])]),
        DenialClass::StsThrottled => certain("authn.sts.throttled", "too many logins at once: STS throttled them"),
        DenialClass::StsUnreachable => certain("authn.sts.unreachable", "the control plane could not reach STS: try again"),
        DenialClass::StsOther if error.contains("\"AccessDenied\"") => Verdict::new("authn.sts.denied", "STS denied GetCallerIdentity, which needs no right: look for a disabled region", "guess"),
        DenialClass::StsOther | DenialClass::Other => Verdict::new("authn.unknown", "the authenticator refused the login for a reason that is not in the catalogue", "guess"),
    }
}

fn update_kubeconfig(cluster: Option<&Cluster>) -> String {
    let (name, region) = cluster.map_or(("CLUSTER", "REGION"), |cluster| {
        (cluster.name.as_str(), cluster.region.as_str())
    });
    format!(
        "aws eks update-kubeconfig --name {} --region {}",
        crate::creators::quote(name),
        crate::creators::quote(region)
    )
}

fn wrong_cluster(cluster: Option<&Cluster>) -> Verdict {
    Verdict::new(
        "authn.token.wrong-cluster",
        "the token was made for another cluster: --cluster-name of the kubeconfig's exec section is wrong",
        "certain",
    )
    .with([fixes::fix("Make the kubeconfig anew", vec![update_kubeconfig(cluster)])])
}

/// Why nobody knows the caller, by the state of that moment.
fn not_mapped(
    world: &World<'_>,
    life: &Incarnation<'_>,
    cluster: &Cluster,
    line: &DeniedLogin,
    arn: &str,
    principal: &str,
    sts: Option<&StsResponse>,
) -> Verdict {
    let ts = line.at.ts;
    let mode = life.mode_at(ts);
    let caller = Arn::parse(arn)
        .ok()
        .and_then(|parsed| parsed.matching())
        .unwrap_or_else(|| arn.to_owned());
    let defaults = || {
        [
            fixes::access_entry(cluster, principal, Some("NAMESPACE")),
            fixes::mapping(cluster, &caller),
            fixes::verify(),
        ]
    };
    if mode != Mode::ConfigMap
        && let Some(entry) = life
            .entries_at(ts)
            .find(|entry| entry.is_of(key_of(principal).as_deref()))
    {
        let bound = entry.made_at.unwrap_or(entry.from.ts);
        let is_stranger = world.iam.fate(principal, bound, ts).state == PrincipalState::Recreated;
        let is_new = !is_stranger
            && ts - entry.from.ts < PROPAGATION
            && last_login(world, line, principal).is_some_and(|login| login > ts);
        if is_new {
            return Verdict::new(
                "authn.access-entry.propagating",
                "the access entry was made less than a minute before: it had not taken effect yet",
                "likely",
            );
        }
        let had_other_id = sts
            .and_then(|sts| sts.user_id.as_deref())
            .is_some_and(|id| logged_in_with_another_id(world, line, principal, id));
        let confidence = if is_stranger || had_other_id {
            "certain"
        } else {
            "likely"
        };
        let cause = "its access entry is bound to the unique id of an earlier principal of the same name";
        return Verdict::new("authn.access-entry.stale-id", cause, confidence)
            .with([fixes::renew_entry(cluster, &entry.principal_arn)]);
    }
    let is_gone = world.iam.fate(principal, Micros::MIN, ts).state == PrincipalState::Deleted;
    let state = life.aws_auth_at(ts);
    if mode == Mode::Api {
        let is_mapped = state
            .known()
            .zip(Arn::parse(&caller).ok())
            .is_some_and(|(auth, parsed)| auth.find(&parsed).is_some());
        if is_mapped {
            return Verdict::new(
                "authn.aws-auth.ignored",
                "aws-auth maps it, and the cluster's mode is API, which ignores aws-auth",
                "certain",
            )
            .with([fixes::access_entry(cluster, principal, Some("NAMESPACE"))]);
        }
    } else {
        match state {
            MappingState::Known(auth, data) => {
                let is_user = caller.contains(":user/");
                let (section, key) = if is_user {
                    (Section::Users, "mapUsers")
                } else {
                    (Section::Roles, "mapRoles")
                };
                let names_caller = || data[key].as_str().is_some_and(|text| holds_word(text, &caller));
                if auth.lost(section) && (names_caller() || was_mapped(life, ts, &caller)) {
                    let cause = format!(
                        "{key} of aws-auth does not parse, so that nobody in it is known; it would map the caller"
                    );
                    return Verdict::new("authn.aws-auth.malformed", cause, "certain").with([restore(life, ts)]);
                }
                if let Some(miss) = nearest(auth, &caller) {
                    let cause = format!("{}: {}", miss.cause, miss.mapping.arn);
                    let fix = fixes::replace_mapping(
                        cluster,
                        &miss.mapping.arn,
                        &caller,
                        &miss.mapping.username,
                        &miss.mapping.groups,
                    );
                    return Verdict::new(miss.reason, cause, miss.confidence).with([fix, fixes::verify()]);
                }
            }
            MappingState::Missing => return missing(life),
            MappingState::Unknown
                if never_written(world, life, ts) && mode != Mode::Unknown && mode != Mode::SomeApi =>
            {
                return missing(life);
            }
            MappingState::Unknown => {}
        }
    }
    if is_gone {
        let cause = "the IAM principal was deleted; credentials from before still worked at STS";
        return Verdict::new("authn.principal.deleted", cause, "likely").with(defaults());
    }
    let known = match (mode, state) {
        (Mode::Api, _) | (_, MappingState::Known(..)) => "no mapping and no access entry admits the caller",
        _ => "nothing that is known admits the caller; what aws-auth holds is not in these logs",
    };
    Verdict::new("authn.not-mapped", known, "certain").with(defaults())
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
            "authn.serviceaccount.expired",
            "a client inside the cluster sent a token that nobody accepts, most likely its service account token from before it was renewed",
            "guess",
        )
        .with([fixes::fix(
            "Update the client's Kubernetes library, which must read the token anew, and restart it",
            Vec::new(),
        )]);
    }
    let has_provider = facts.calls.iter().any(|call| {
        call.event_name == "AssociateIdentityProviderConfig"
            && call.error_code.is_none()
            && call.at.ts <= request.at.ts
            && is_here(&call.place)
    });
    if has_log && has_provider {
        return Verdict::new(
            "authn.oidc",
            "the cluster has an OIDC identity provider, and the authenticator saw no token of AWS: the provider's token was refused",
            "guess",
        )
        .with([fixes::fix("Compare issuer, audience and claims of the token with the provider's configuration", Vec::new())]);
    }
    let name = cluster.map_or("CLUSTER", |cluster| cluster.name.as_str());
    let command = format!(
        "aws eks update-cluster-config --name {} --logging '{{\"clusterLogging\":[{{\"types\":[\"authenticator\",\"audit\"],\"enabled\":true}}]}}'",
        crate::creators::quote(name)
    );
    let cause = "the login failed, and no line of the authenticator says why: its log is off, or not in the lake";
    Verdict::new("authn.unknown", cause, "guess").with([fixes::fix("Turn the authenticator's log on", vec![command])])
}

fn logged_in_with_another_id(world: &World<'_>, line: &DeniedLogin, principal: &str, id: &str) -> bool {
    let is_other = |uid: &str| uid.rsplit(':').next().is_some_and(|known| known != id);
    let of_principal = |arn: Option<&str>| arn.is_some_and(|arn| arn.eq_ignore_ascii_case(principal));
    world.index.logins(&line.place).iter().any(|login| {
        login.last.ts < line.at.ts
            && of_principal(login.canonical_arn.as_deref())
            && login.uid.as_deref().is_some_and(is_other)
    })
}

/// Whether the text has the ARN as a word of its own, not as the beginning of a longer one.
fn holds_word(text: &str, arn: &str) -> bool {
    let (text, arn) = (text.to_lowercase(), arn.to_lowercase());
    text.match_indices(&arn).any(|(at, found)| {
        text[at + found.len()..]
            .chars()
            .next()
            .is_none_or(|c| !(c.is_ascii_alphanumeric() || "/_-+=,.@".contains(c)))
    })
}

/// Whether the last aws-auth that parsed mapped the caller.
fn was_mapped(life: &Incarnation<'_>, ts: Micros, caller: &str) -> bool {
    let Ok(parsed) = Arn::parse(caller) else { return false };
    let before = life
        .aws_auth
        .iter()
        .rev()
        .filter(|version| version.at.ts <= ts)
        .filter_map(|version| version.state.known());
    before
        .skip_while(|auth| auth.problems.iter().any(|problem| problem.lost_section))
        .take(1)
        .any(|auth| auth.find(&parsed).is_some())
}

/// The last content that parsed, as a manifest.
fn restore(life: &Incarnation<'_>, ts: Micros) -> crate::findings::Fix {
    let good = life
        .aws_auth
        .iter()
        .rev()
        .filter(|version| version.at.ts <= ts)
        .find_map(|version| match &version.state {
            MappingState::Known(auth, data) if !auth.problems.iter().any(|problem| problem.lost_section) => Some(data),
            _ => None,
        });
    let manifest = good.map(|data| serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}, "data": data}));
    crate::findings::Fix {
        title:
            "Restore the last aws-auth that parsed, as an admin whom it does not map (the creator, or an access entry)"
                .to_owned(),
        commands: match manifest {
            Some(_) => vec!["kubectl apply -f aws-auth.json".to_owned()],
            None => vec!["kubectl -n kube-system edit configmap aws-auth".to_owned()],
        },
        manifest: manifest.and_then(|manifest| serde_json::to_string_pretty(&manifest).ok()),
    }
}

fn missing(life: &Incarnation<'_>) -> Verdict {
    let deleted = life
        .aws_auth
        .iter()
        .rev()
        .find(|version| version.state == MappingState::Missing);
    let cause = match deleted {
        Some(version) => format!(
            "aws-auth is not there: it was deleted by {}",
            version.by.as_deref().unwrap_or("somebody")
        ),
        None => "aws-auth was never made".to_owned(),
    };
    Verdict::new("authn.aws-auth.missing", cause, "certain").with([fixes::fix(
        "Make aws-auth again, as the creator or another admin",
        vec!["kubectl apply -f aws-auth-cm.yaml".to_owned()],
    )])
}

/// Whether the records prove that nobody wrote aws-auth since the cluster was made: it is in the lake from its birth on.
fn never_written(world: &World<'_>, life: &Incarnation<'_>, ts: Micros) -> bool {
    life.created.is_some()
        && world.index.has_records(&life.cluster, "audit")
        && life.aws_auth.iter().all(|version| version.at.ts > ts)
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
                text: request.status_message.clone(),
            })
        })
        .collect()
}
