//! Complete lists in a snapshot: what they lack is not there at that moment.
//!
//! A record of kind `list` says which list was seen whole and what was in it (`{"complete": true, "names": […]}`).

use std::collections::BTreeSet;

use eksplain_queries::facts::{Mark, Snapshot};

use crate::json;

/// A list that was seen whole.
#[derive(Debug, Clone)]
pub(crate) struct Look<'s> {
    pub(crate) at: &'s Mark,
    /// `access_entries`, `cluster_role_bindings`, `role_bindings`, …
    pub(crate) what: &'s str,
    /// Behind the colon of its name: a namespace or a principal; `None` for all.
    pub(crate) scope: Option<&'s str>,
    names: BTreeSet<String>,
    /// It looks complete, and does not have what every complete list of its kind has.
    pub(crate) is_assumed: bool,
}

impl<'s> Look<'s> {
    /// The list that a snapshot's record shows; `None` where it is no whole list.
    pub(crate) fn of(snapshot: &'s Snapshot) -> Option<Self> {
        if snapshot.kind != "list" {
            return None;
        }
        let body = json::parse(Some(&snapshot.body));
        let name = snapshot.name.as_deref()?;
        let (what, scope) = name.split_once(':').map_or((name, None), |(what, scope)| (what, Some(scope)));
        let is_assumed = body["complete"] == "assumed";
        (is_assumed || body["complete"] == true).then_some(())?;
        Some(Self {
            is_assumed,
            at: &snapshot.at,
            what,
            scope,
            names: json::texts(&body["names"]).into_iter().collect(),
        })
    }

    pub(crate) fn names_it(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Compared as ARNs are.
    pub(crate) fn names_arn(&self, key: &str) -> bool {
        self.names.iter().any(|name| super::entries::key_of(name).as_deref() == Some(key))
    }
}

pub(crate) fn is_config_maps(list: &str) -> bool {
    list == "config_maps" || list == "config_maps:kube-system"
}
