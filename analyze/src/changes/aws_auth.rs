//! Writes of aws-auth: which mappings each added, removed and changed.

use std::collections::BTreeSet;

use eksplain_parse::aws_auth::{AwsAuth, Mapping};

use super::{Asked, Change, ChangeKind, by_then, listed};
use crate::state::Incarnation;
use crate::state::aws_auth::Content;
use crate::state::history::{How, State, Version};

const SUBJECT: &str = "ConfigMap kube-system/aws-auth";

impl Asked<'_, '_> {
    pub(super) fn aws_auth(&self, life: &Incarnation<'_>) -> Vec<Change> {
        let versions = life.aws_auth.versions();
        let before = [None].into_iter().chain(versions.iter().map(Some));
        before
            .zip(versions)
            .filter_map(|(before, version)| self.version(life, before, version))
            .collect()
    }

    fn version(
        &self,
        life: &Incarnation<'_>,
        before: Option<&Version<Content>>,
        version: &Version<Content>,
    ) -> Option<Change> {
        let change = Change::of(life, ChangeKind::AwsAuthWritten, version.at.ts, SUBJECT);
        let known = |version: &Version<Content>| match &version.state {
            State::Is(content) => Some(content.auth.clone()),
            State::Absent => Some(AwsAuth::default()),
            State::Obscured => None,
        };
        // One that was created was not there before, and a cluster is made without.
        let old = match (version.how, before) {
            (How::Birth, _) => Some(AwsAuth::default()),
            (_, Some(before)) => known(before),
            (How::Look, None) => life.born.map(|_| AwsAuth::default()),
            (_, None) => None,
        };
        let (was, is) = in_words(old.as_ref(), known(version).as_ref(), &version.state);
        if version.how == How::Look {
            // A look that finds what was not known before shows no change.
            let has_changed = old.is_some_and(|old| !is_alike(&old, known(version).as_ref()));
            return has_changed.then(|| {
                let change = change.was(was).is(by_then(&is, version.at.ts));
                change.shown_by(&version.at, "a look found aws-auth so")
            });
        }
        let actor = self.actors.of_record(&version.at.id);
        let change = change.was(was).is(is).shown_by(&version.at, "wrote aws-auth");
        Some(match actor {
            Some(actor) => change.by(actor),
            // Of a record that was cut, only the name is left.
            None => Change {
                actor: version.by.clone(),
                ..change
            },
        })
    }
}

fn is_alike(old: &AwsAuth, new: Option<&AwsAuth>) -> bool {
    new.is_some_and(|new| lines(old) == lines(new))
}

/// What stood before of that which changed, and what became of it.
fn in_words(old: Option<&AwsAuth>, new: Option<&AwsAuth>, state: &State<Content>) -> (Option<String>, String) {
    let Some(new) = new else {
        let was = old.map(lines).filter(|lines| !lines.is_empty());
        let was = was.map(|lines| listed(&lines.into_iter().collect::<Vec<_>>()));
        return (was, "not known: the log does not show what was written".to_owned());
    };
    let new_lines = lines(new);
    let Some(old) = old else {
        let is = match state {
            State::Absent => "deleted: it maps nobody".to_owned(),
            _ => format!(
                "maps {}; what it was before is not in the logs",
                listed(&new_lines.into_iter().collect::<Vec<_>>())
            ),
        };
        return (None, is);
    };
    let old_lines = lines(old);
    let removed: Vec<&Mapping> = only(&old.mappings, &new_lines);
    let added: Vec<&Mapping> = only(&new.mappings, &old_lines);
    let is_same = |a: &Mapping, b: &Mapping| a.section == b.section && a.arn.eq_ignore_ascii_case(&b.arn);
    let mut said = Vec::new();
    for mapping in &added {
        let verb = match removed.iter().any(|gone| is_same(gone, mapping)) {
            true => "changed",
            false => "added",
        };
        said.push(format!("{verb} {}", line(mapping)));
    }
    for mapping in removed
        .iter()
        .filter(|gone| !added.iter().any(|new| is_same(gone, new)))
    {
        said.push(format!("removed {} {}", mapping.section.as_str(), mapping.arn));
    }
    let accounts = |auth: &AwsAuth, other: &AwsAuth| -> Vec<String> {
        let own = auth.accounts.iter().filter(|account| !other.accounts.contains(account));
        own.map(|account| format!("mapAccounts {account}")).collect()
    };
    let lost_accounts = accounts(old, new);
    said.extend(accounts(new, old).into_iter().map(|account| format!("added {account}")));
    said.extend(lost_accounts.iter().map(|account| format!("removed {account}")));
    for problem in new.problems.iter().filter(|problem| problem.lost_section) {
        said.push(format!("{} cannot be read and maps nobody", problem.section.as_str()));
    }
    if matches!(state, State::Absent) {
        said.insert(0, "deleted: it maps nobody".to_owned());
    }
    let was: Vec<String> = removed
        .iter()
        .map(|mapping| line(mapping))
        .chain(lost_accounts)
        .collect();
    let is = match said.is_empty() {
        true => "no mapping changed".to_owned(),
        false => said.join("; "),
    };
    ((!was.is_empty()).then(|| was.join("; ")), is)
}

fn only<'m>(mappings: &'m [Mapping], others: &BTreeSet<String>) -> Vec<&'m Mapping> {
    mappings
        .iter()
        .filter(|mapping| !others.contains(&line(mapping)))
        .collect()
}

fn lines(auth: &AwsAuth) -> BTreeSet<String> {
    let accounts = auth.accounts.iter().map(|account| format!("mapAccounts {account}"));
    auth.mappings.iter().map(line).chain(accounts).collect()
}

/// `mapRoles arn:… as "admin", groups system:masters`.
fn line(mapping: &Mapping) -> String {
    format!(
        "{} {} as {:?}, groups {}",
        mapping.section.as_str(),
        mapping.arn,
        mapping.username,
        listed(&mapping.groups)
    )
}
