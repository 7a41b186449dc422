//! What the facts say of one place, name or key, found without looking through all facts: a company has thousands of clusters.

use std::collections::{BTreeSet, HashMap};

use eksplain_queries::facts::{CallSuccess, CloudTrailCall, Facts, Login, Place, RequestSuccess};

use crate::findings::Cluster;
use crate::json;
use crate::places::Places;

/// Facts by what they are asked for.
#[derive(Default)]
pub(crate) struct Index<'f> {
    logins: HashMap<&'f Place, Vec<&'f Login>>,
    requests: HashMap<(&'f Place, Option<&'f str>), Vec<&'f RequestSuccess>>,
    calls: HashMap<(&'f str, &'f str, Option<&'f str>), Vec<&'f CallSuccess>>,
    issued: HashMap<String, &'f CloudTrailCall>,
    covered: BTreeSet<(Cluster, &'f str)>,
    /// Clusters whose authenticator spoke of logins; `None` for lines that name no cluster.
    with_logins: BTreeSet<Option<Cluster>>,
}

impl<'f> Index<'f> {
    pub(crate) fn of(facts: &'f Facts, places: &Places) -> Self {
        let mut index = Self::default();
        for login in &facts.logins {
            index.logins.entry(&login.place).or_default().push(login);
        }
        let mut covered: BTreeSet<(&Place, &str)> = BTreeSet::new();
        for day in &facts.coverage {
            covered.insert((&day.place, day.table.as_str()));
        }
        let clusters = covered.into_iter();
        index.covered = clusters
            .filter_map(|(place, table)| Some((places.cluster(place)?, table)))
            .collect();
        let refused: BTreeSet<&Place> = facts.denied_logins.iter().map(|line| &line.place).collect();
        let spoken = index.logins.keys().copied().chain(refused);
        index.with_logins = spoken.map(|place| places.cluster(place)).collect();
        for row in &facts.request_successes {
            let key = (&row.place, row.username.as_deref());
            index.requests.entry(key).or_default().push(row);
        }
        for row in &facts.call_successes {
            let key = (
                row.event_source.as_str(),
                row.event_name.as_str(),
                row.place.cluster.as_deref(),
            );
            index.calls.entry(key).or_default().push(row);
        }
        for issued in &facts.issued {
            let response = json::parse(issued.call.response_elements.as_deref());
            if let Some(key) = response["credentials"]["accessKeyId"].as_str() {
                index.issued.entry(key.to_owned()).or_insert(&issued.call);
            }
        }
        index
    }

    /// Logins of this place.
    pub(crate) fn logins(&self, place: &Place) -> &[&'f Login] {
        self.logins.get(place).map_or(&[], Vec::as_slice)
    }

    /// Whether the lake has records of this cluster in a table.
    pub(crate) fn has_records<'a>(&'a self, cluster: &Cluster, table: &'a str) -> bool {
        self.covered.contains(&(cluster.clone(), table))
    }

    /// Whether the lake has lines of the authenticator about logins to this cluster.
    pub(crate) fn has_logins(&self, cluster: Option<&Cluster>) -> bool {
        self.with_logins.contains(&cluster.cloned())
    }

    /// Requests of a user that succeeded.
    pub(crate) fn requests<'a>(&'a self, place: &'a Place, username: Option<&'a str>) -> &'a [&'f RequestSuccess] {
        self.requests.get(&(place, username)).map_or(&[], Vec::as_slice)
    }

    /// Calls that succeeded, by service, name and cluster.
    pub(crate) fn calls<'a>(&'a self, call: &'a CloudTrailCall) -> &'a [&'f CallSuccess] {
        let key = (
            call.event_source.as_str(),
            call.event_name.as_str(),
            call.place.cluster.as_deref(),
        );
        self.calls.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The STS call that issued an access key.
    pub(crate) fn issue_of(&self, key: &str) -> Option<&'f CloudTrailCall> {
        self.issued.get(key).copied()
    }
}
