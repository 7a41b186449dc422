//! Which cluster a record belongs to: the logs of Kubernetes do not say their account and region, CloudTrail does.

use std::collections::BTreeSet;

use eksplain_queries::facts::{Facts, Place};

use crate::findings::Cluster;

/// Every cluster that some record names with account and region.
#[derive(Debug, Default)]
pub(crate) struct Places {
    whole: BTreeSet<Cluster>,
}

impl Places {
    pub(crate) fn of(facts: &Facts) -> Self {
        let calls = facts
            .calls
            .iter()
            .filter(|call| call.error_code.is_none())
            .map(|call| &call.place);
        let is_k8s = |place: &&Place| place.account.is_some() && place.region.is_some();
        let from_logs = facts
            .coverage
            .iter()
            .filter(|day| day.table != "cloudtrail")
            .map(|day| &day.place)
            .filter(is_k8s);
        Self {
            whole: calls.filter(is_k8s).chain(from_logs).filter_map(as_cluster).collect(),
        }
    }

    /// The cluster of a place; where account or region are missing, the only cluster of that name that fits.
    pub(crate) fn cluster(&self, place: &Place) -> Option<Cluster> {
        let cluster = as_cluster(place)?;
        if place.account.is_some() && place.region.is_some() {
            return Some(cluster);
        }
        let fits = |own: &&Cluster| {
            own.name == cluster.name
                && (cluster.account.is_empty() || own.account == cluster.account)
                && (cluster.region.is_empty() || own.region == cluster.region)
        };
        let mut fitting = self.whole.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Some(only.clone()),
            _ => Some(cluster),
        }
    }
}

fn as_cluster(place: &Place) -> Option<Cluster> {
    Some(Cluster {
        account: place.account.clone().unwrap_or_default(),
        region: place.region.clone().unwrap_or_default(),
        name: place.cluster.clone()?,
    })
}
