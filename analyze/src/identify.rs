//! Who a Kubernetes user was, where the event itself does not say: old clusters and stripped events keep the uid and drop the ARN.
//!
//! Rule: `uid` is `aws-iam-authenticator:<account>:<unique id>` (`heptio-authenticator-aws:` before 2022), and the authenticator's own
//! lines have it beside the ARN.

use std::collections::{BTreeMap, BTreeSet};

use eksplain_parse::arn::Arn;
use eksplain_queries::facts::{Facts, Micros, Place};

use crate::admins::{Reach, reaches};
use crate::state::World;
use crate::username::renders;

/// Fills in ARNs that another record of the same uid has.
pub(crate) fn fill_arns(facts: &mut Facts) {
    let by_login = facts
        .logins
        .iter()
        .filter_map(|row| Some((row.uid.clone()?, row.canonical_arn.clone()?)));
    let by_request = facts
        .activity
        .iter()
        .filter_map(|row| Some((row.uid.clone()?, row.canonical_arn.clone()?)));
    let known: BTreeMap<String, String> = by_login.chain(by_request).filter(|(uid, _)| is_iam(uid)).collect();
    let find = |uid: &Option<String>| {
        uid.as_ref()
            .filter(|uid| is_iam(uid))
            .and_then(|uid| known.get(uid))
            .cloned()
    };
    for row in facts.activity.iter_mut().filter(|row| row.canonical_arn.is_none()) {
        row.canonical_arn = find(&row.uid);
    }
    for row in facts
        .denied_requests
        .iter_mut()
        .filter(|row| row.canonical_arn.is_none())
    {
        row.canonical_arn = find(&row.uid);
    }
}

/// Fills in the ARN of users who came by IAM, which their uid says, though no record of that uid has an ARN: from the one mapping that
/// can give them their name.
pub(crate) fn fill_arns_by_mapping(facts: &mut Facts) {
    type Key = (Place, String, String);
    let wanted: BTreeMap<Key, Micros> = {
        let asked = facts
            .activity
            .iter()
            .map(|row| (&row.place, &row.username, &row.uid, &row.canonical_arn, row.first.ts));
        let refused = facts
            .denied_requests
            .iter()
            .map(|row| (&row.place, &row.username, &row.uid, &row.canonical_arn, row.at.ts));
        asked
            .chain(refused)
            .filter(|(.., canonical, _)| canonical.is_none())
            .filter_map(|(place, username, uid, _, ts)| {
                let uid = uid.clone().filter(|uid| is_iam(uid))?;
                Some(((place.clone(), username.clone()?, uid), ts))
            })
            .collect()
    };
    if wanted.is_empty() {
        return;
    }
    let known: BTreeMap<Key, String> = {
        let world = World::build(facts, Micros::MAX);
        let mut by_life: BTreeMap<_, Vec<Reach>> = BTreeMap::new();
        wanted
            .into_iter()
            .filter_map(|(key, ts)| {
                let life = world.life_of(&key.0, ts)?;
                let reaches = by_life
                    .entry((&life.cluster, life.number))
                    .or_insert_with(|| reaches(&world, life, Micros::MAX));
                let arn = mapped(reaches, &key.1, &key.2, ts)?;
                Some((key, arn))
            })
            .collect()
    };
    let find = |place: &Place, username: &Option<String>, uid: &Option<String>| {
        let key = (place.clone(), username.clone()?, uid.clone()?);
        known.get(&key).cloned()
    };
    for row in facts.activity.iter_mut().filter(|row| row.canonical_arn.is_none()) {
        row.canonical_arn = find(&row.place, &row.username, &row.uid);
    }
    for row in facts
        .denied_requests
        .iter_mut()
        .filter(|row| row.canonical_arn.is_none())
    {
        row.canonical_arn = find(&row.place, &row.username, &row.uid);
    }
}

/// The only principal of the uid's account that a mapping gives this name: one that stood then, else one at all.
fn mapped(reaches: &[Reach], username: &str, uid: &str, ts: Micros) -> Option<String> {
    let account = uid.split(':').nth(1)?;
    // The creator has this name without a mapping.
    if username == "kubernetes-admin" {
        return None;
    }
    let is_its = |reach: &&Reach| {
        let is_of_account = Arn::parse(&reach.principal).is_ok_and(|arn| arn.account == account);
        is_of_account
            && reach
                .username
                .as_deref()
                .is_some_and(|template| renders(template, username))
    };
    let fitting: Vec<&Reach> = reaches.iter().filter(is_its).collect();
    let only = |reaches: &mut dyn Iterator<Item = &&Reach>| {
        let principals: BTreeSet<&str> = reaches.map(|reach| reach.principal.as_str()).collect();
        (principals.len() == 1)
            .then(|| principals.into_iter().next().map(str::to_owned))
            .flatten()
    };
    let standing = fitting.iter().filter(|reach| reach.span.covers(ts)).count();
    match standing {
        0 => only(&mut fitting.iter()),
        _ => only(&mut fitting.iter().filter(|reach| reach.span.covers(ts))),
    }
}

fn is_iam(uid: &str) -> bool {
    let rest = uid
        .strip_prefix("aws-iam-authenticator:")
        .or_else(|| uid.strip_prefix("heptio-authenticator-aws:"));
    rest.is_some_and(|rest| !rest.starts_with("administrative:"))
}
