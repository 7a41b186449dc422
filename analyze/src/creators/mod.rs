//! Who created each cluster, whether that identity still exists, and how to get back in.
//!
//! Rule: only an `eks.amazonaws.com` CreateCluster that succeeded makes a creator; without one the earliest masters login is a hint,
//! and is called one.

use std::collections::BTreeSet;

use eksplain_queries::facts::Micros;

use crate::admins::of_life;
use crate::evidence;
use crate::findings::{
    Admin, Basis, Confidence, Creator, CreatorIdentity, Evidence, Power, PrincipalState, RouteKind, Status,
};
use crate::json;
use crate::knowledge::Measure;
use crate::principal::principal_type;
use crate::rbac::policies::CLUSTER_ADMIN;
use crate::state::{Incarnation, Mode, World};
use recovery::{Case, OwnGrant};

pub(crate) mod human;
mod recovery;

pub(crate) use crate::fixes::access_entry::admin_entry_commands;

/// What tells who created a cluster.
struct Known {
    identity: CreatorIdentity,
    confidence: Confidence,
    basis: Option<Basis>,
    evidence: Vec<Evidence>,
}

/// One finding for each life of a cluster, sorted.
pub(crate) fn creators(world: &World<'_>, admins: &[Admin], at: Micros) -> Vec<Creator> {
    world
        .lives
        .values()
        .flatten()
        .filter(|life| life.start <= at)
        .map(|life| creator(world, life, admins, at))
        .collect()
}

fn creator(world: &World<'_>, life: &Incarnation<'_>, admins: &[Admin], at: Micros) -> Creator {
    let Known {
        identity,
        confidence,
        basis,
        mut evidence,
    } = by_event(world, life)
        .or_else(|| by_entry(life))
        .or_else(|| by_login(world, life))
        .unwrap_or_else(|| Known {
            identity: CreatorIdentity::default(),
            confidence: Confidence::Guess,
            basis: None,
            evidence: Vec::new(),
        });
    let born = life.born.unwrap_or(life.start);
    let fate = identity
        .principal
        .as_deref()
        .filter(|arn| arn.starts_with("arn:"))
        .map(|arn| world.iam.fate(arn, born, at, true));
    let state = fate.as_ref().map_or(PrincipalState::Unknown, |fate| fate.state);
    let events = fate
        .iter()
        .flat_map(|fate| [(fate.deleted, "was deleted"), (fate.recreated, "was created again")]);
    for (event, what) in events {
        if let (Some(event), Some(principal)) = (event, &identity.principal) {
            let by = event.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
            let what = if event.is_exact { what } else { "had gone by then" };
            evidence.push(evidence::any(&event.at, format!("{principal} {what}{by}")));
        }
    }
    if let Some(deleted) = life.deleted {
        evidence.push(evidence::cloudtrail(&deleted.at, "DeleteCluster"));
    }
    let is_other = |admin: &&Admin| {
        Some(&admin.principal) != identity.principal.as_ref()
            && !admin.aws_managed
            && admin.power == Power::Admin
            && has_active_route(admin)
    };
    let other_admins: BTreeSet<String> = of_life(admins, life)
        .iter()
        .filter(is_other)
        .map(|admin| admin.principal.clone())
        .collect();
    let mode = life.mode_at(at);
    let mut creator = Creator {
        cluster: life.cluster.clone(),
        cluster_arn: cluster_arn(life),
        created_at: life.born,
        deleted_at: life.deleted_at,
        incarnation: life.number,
        bootstrap_admin: life.bootstrap_admin(),
        authentication_mode: mode.as_str().map(str::to_owned),
        confidence,
        basis,
        creator_state: state,
        creator_deleted_at: fate.as_ref().and_then(|fate| fate.deleted_at()),
        creator_recreated_at: fate.as_ref().and_then(|fate| fate.recreated_at()),
        other_admins: other_admins.into_iter().collect(),
        recovery: crate::findings::Recovery {
            needed: false,
            why: String::new(),
            options: Vec::new(),
        },
        evidence: evidence::shown(evidence),
        creator: identity,
    };
    // A re-created creator gets in by its name where the hidden mapping is what counts, not where an access entry is.
    let rests_on_id = life.entries.iter().any(|entry| entry.of_creator) || mode == Mode::Api;
    let own_grant = own_grant(
        &creator,
        of_life(admins, life),
        life.entries_doubt_at(at, Measure::Standing).is_none(),
    );
    creator.recovery = recovery::recovery(&Case {
        world,
        life,
        creator: &creator,
        mode,
        rests_on_id,
        own_grant,
        at,
    });
    creator
}

/// Whether the creator is admin, by its own routes.
fn own_grant(creator: &Creator, admins: &[Admin], knows_entries: bool) -> OwnGrant {
    // Who is only guessed to have made the cluster was given nothing that is known.
    if !matches!(creator.basis, Some(Basis::CreateClusterEvent | Basis::AccessEntry)) {
        return OwnGrant::Unknown;
    }
    let principal = creator.creator.principal.as_ref();
    let own = admins
        .iter()
        .find(|admin| Some(&admin.principal) == principal && admin.power == Power::Admin);
    match own.map(|own| own.status) {
        Some(Status::Active) => OwnGrant::Active,
        Some(Status::Revoked) => OwnGrant::None,
        Some(Status::Unproven) => OwnGrant::Unknown,
        // Nothing was given, and no entry or policy came later.
        None if creator.bootstrap_admin == Some(false) && knows_entries => OwnGrant::None,
        None => OwnGrant::Unknown,
    }
}

fn has_active_route(admin: &Admin) -> bool {
    admin
        .routes
        .iter()
        .any(|route| route.status == Status::Active && route.route != RouteKind::Escalation)
}

fn cluster_arn(life: &Incarnation<'_>) -> Option<String> {
    let response = json::parse(life.created.and_then(|call| call.response_elements.as_deref()));
    if let Some(arn) = json::text(&response["cluster"], &["arn"]) {
        return Some(arn.to_owned());
    }
    let clusters = life.snapshots.iter().filter(|snapshot| snapshot.kind == "cluster");
    clusters
        .map(|snapshot| json::parse(Some(&snapshot.body)))
        .find_map(|body| json::text(&body, &["arn"]).map(str::to_owned))
}

/// The CreateCluster call.
fn by_event(world: &World<'_>, life: &Incarnation<'_>) -> Option<Known> {
    let call = life.created?;
    let canonical = call
        .canonical_arn
        .as_deref()
        .and_then(|arn| world.spellings.canonical(arn));
    let principal = canonical.or_else(|| call.invoked_by.clone());
    let chain = human::trace(world, &life.cluster.name, call, call);
    let is_session = call.session.is_some();
    let mut evidence = vec![evidence::cloudtrail(
        &call.at,
        format!(
            "CreateCluster by {}",
            call.arn
                .as_deref()
                .or(principal.as_deref())
                .unwrap_or("an unnamed caller")
        ),
    )];
    evidence.extend(chain.evidence);
    Some(Known {
        identity: CreatorIdentity {
            principal_type: principal.as_deref().map(principal_type),
            principal,
            session: call.session.clone().filter(|_| is_session),
            human: chain.human,
            via: human::tool(call),
            source_ip: call.source_ip.clone(),
            user_agent: call.user_agent.clone(),
        },
        confidence: Confidence::Certain,
        basis: Some(Basis::CreateClusterEvent),
        evidence,
    })
}

/// An admin entry made with the cluster, which no call explains.
fn by_entry(life: &Incarnation<'_>) -> Option<Known> {
    const MINUTES: Micros = 5 * 60 * 1_000_000;
    let born = life.born?;
    let is_admin = |entry: &&crate::state::AccessEntry| {
        entry
            .associations
            .iter()
            .any(|a| a.policy == CLUSTER_ADMIN && a.namespaces.is_none())
    };
    let made_by_call = |arn: &str| {
        life.calls.iter().any(|call| {
            call.event_name == "CreateAccessEntry"
                && call
                    .request_parameters
                    .as_deref()
                    .is_some_and(|text| text.contains(arn))
        })
    };
    let fits = |entry: &&crate::state::AccessEntry| {
        entry.made_at.is_some_and(|made| (made - born).abs() < MINUTES) && !made_by_call(&entry.principal_arn)
    };
    let entry = life.entries.iter().filter(is_admin).find(fits)?;
    Some(Known {
        identity: CreatorIdentity {
            principal: Some(entry.canonical.clone()),
            principal_type: Some(principal_type(&entry.canonical)),
            ..CreatorIdentity::default()
        },
        confidence: Confidence::Likely,
        basis: Some(Basis::AccessEntry),
        evidence: vec![evidence::any(
            &entry.stay.first,
            "an admin access entry as old as the cluster, which no call explains",
        )],
    })
}

/// The earliest login that the hidden mapping would give.
fn by_login(world: &World<'_>, life: &Incarnation<'_>) -> Option<Known> {
    let logins = life.logins.iter().filter(|row| row.masters);
    let mut found: Vec<_> = logins
        .map(|row| {
            (
                &row.first,
                row.username.as_deref(),
                row.canonical_arn.as_deref(),
                &row.groups,
                row.uid.as_deref(),
            )
        })
        .collect();
    let requests = life
        .activity
        .iter()
        .filter(|row| row.masters && row.canonical_arn.is_some());
    found.extend(requests.map(|row| {
        (
            &row.first,
            row.username.as_deref(),
            row.canonical_arn.as_deref(),
            &row.groups,
            row.uid.as_deref(),
        )
    }));
    found.retain(|(_, username, canonical, _, uid)| {
        !username.is_some_and(|name| crate::principal::is_aws_user(name, *canonical, *uid))
    });
    found.sort();
    let is_hidden = |username: Option<&str>| username == Some("kubernetes-admin");
    let maps_the_name = life.aws_auth_contents().any(|(_, content)| {
        let mut mappings = content.auth.mappings.iter();
        mappings.any(|mapping| mapping.username == "kubernetes-admin")
    });
    let hidden: BTreeSet<&str> = found
        .iter()
        .filter(|(_, username, ..)| is_hidden(*username))
        .filter_map(|(_, _, canonical, ..)| *canonical)
        .collect();
    let (mark, username, canonical, groups, _) = found
        .iter()
        .find(|(_, username, ..)| is_hidden(*username))
        .or(found.first())?;
    let only_masters = groups
        .iter()
        .filter(|group| *group != "system:authenticated")
        .eq(["system:masters"].iter());
    let is_likely = is_hidden(*username) && only_masters && !maps_the_name && hidden.len() == 1;
    let principal = canonical.and_then(|arn| world.spellings.canonical(arn))?;
    let mut evidence = vec![evidence::any(
        mark,
        format!(
            "first login with system:masters: {principal} as {:?}",
            username.unwrap_or_default()
        ),
    )];
    if hidden.len() > 1 {
        evidence.extend(found.iter().filter(|(_, username, ..)| is_hidden(*username)).map(
            |(mark, _, canonical, ..)| {
                evidence::any(mark, format!("kubernetes-admin is {}", canonical.unwrap_or("unknown")))
            },
        ));
    }
    Some(Known {
        identity: CreatorIdentity {
            principal_type: Some(principal_type(&principal)),
            principal: Some(principal),
            ..CreatorIdentity::default()
        },
        confidence: if is_likely {
            Confidence::Likely
        } else {
            Confidence::Guess
        },
        basis: Some(Basis::FirstMastersLogin),
        evidence,
    })
}
