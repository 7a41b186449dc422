//! Access entries that are bound to an identity that is no more.

use super::fix::delete_entry;
use super::{Asked, Check, by};
use crate::evidence;
use crate::findings::PrincipalState;
use crate::fixes::access_entry;
use crate::fixes::names::WholeArn;
use crate::state::Mode;
use crate::words::{Rule, Severity};

impl Asked<'_, '_> {
    /// Entries in effect whose principal was deleted, or is another by the same name: nobody gets in by them.
    pub(super) fn entries(&self) -> Vec<Check> {
        if self.life.mode_at(self.at) == Mode::ConfigMap {
            return Vec::new();
        }
        let (cluster, at) = (&self.life.cluster, self.at);
        let mut checks = Vec::new();
        for entry in self.life.entries_at(at) {
            let bound = entry.made_at.unwrap_or(entry.stay.first.ts);
            let fate = self.world.iam.fate(&entry.canonical, bound, at, true);
            let name = &entry.canonical;
            let is_node = entry.entry_type.as_deref().is_some_and(|kind| kind != "STANDARD");
            let whom = if is_node {
                "no node of this role can join"
            } else {
                "nobody gets access through it"
            };
            let deleted = fate.deleted.map(|event| by(event.by.as_deref())).unwrap_or_default();
            let (message, fix) = match fate.state {
                PrincipalState::Deleted => (
                    format!(
                        "{name} was deleted{deleted}, and its access entry still exists: {whom}, and a new principal of the same name would not either"
                    ),
                    delete_entry(cluster, &entry.principal_arn),
                ),
                PrincipalState::Recreated => (
                    format!(
                        "{name} was deleted{deleted} and recreated, and its access entry is bound to the old unique ID: {whom}"
                    ),
                    access_entry::renew(cluster, entry, at, &WholeArn::of(self.world, name)),
                ),
                PrincipalState::Present | PrincipalState::Unknown => continue,
            };
            let events = [(fate.deleted, "was deleted"), (fate.recreated, "was created again")];
            let events = events.into_iter().filter_map(|(event, what)| Some((event?, what)));
            let proof = events
                .map(|(event, what)| evidence::any(&event.at, format!("{name} {what}{}", by(event.by.as_deref()))));
            checks.push(
                Check::new(Rule::AccessEntryStale, Severity::High, name, message)
                    .fix([fix])
                    .proof(proof)
                    .proof([evidence::any(&entry.stay.last, format!("access entry of {name}"))]),
            );
        }
        checks
    }
}
