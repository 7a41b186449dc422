//! Documents of present state in an object: `kubectl`, `aws` and `eksctl` output, to the snapshot table.

use eksplain_lake::Origin;
use serde_json::Value;

use super::At;
use super::record::Records;
use crate::report::Taken;
use crate::state::{self, Belongs, State};

/// What a file that is a log hears where present state was asked for.
const WRONG_KIND: &str = "a log, not present state: read it with eksplain ingest files";

impl Records<'_> {
    /// Takes a document of present state; false where it is none.
    pub(super) fn document(&mut self, document: &Value, at: At<'_>) -> bool {
        match state::read(document, at.place.account.as_deref()) {
            Some(Ok(state)) => self.state(&state, at),
            Some(Err(reason)) => self.reject("snapshot", &reason, &document.to_string(), at),
            None => return false,
        }
        true
    }

    /// As [`document`](Self::document), of an error message that is the whole text.
    pub(super) fn error_message(&mut self, text: &str, at: At<'_>) -> bool {
        match state::read_message(text, at.place.account.as_deref()) {
            Some(Ok(state)) => self.state(&state, at),
            Some(Err(reason)) => self.reject("snapshot", &reason, text, at),
            None => return false,
        }
        true
    }

    fn state(&mut self, state: &State, at: At<'_>) {
        let told = self.hints.taken_at;
        let ts = told.or(self.modified);
        self.counts
            .pass_over("objects of Kubernetes other than RBAC and aws-auth", state.others);
        if let Some(at) = ts.filter(|_| !state.seen.is_empty()) {
            let is_of_file = told.is_none();
            self.counts.taken.insert(Taken { at, is_of_file });
        }
        for seen in &state.seen {
            let (own, hint) = (&seen.place, self.hints);
            let pairs = [
                (&own.account, &hint.account),
                (&own.region, &hint.region),
                (&own.cluster, &hint.cluster),
            ];
            if pairs
                .iter()
                .any(|pair| matches!(pair, (Some(own), Some(hint)) if own != hint))
            {
                self.counts.conflicts += 1;
            }
            let known = at.place;
            self.seen += 1;
            self.counts.read += 1;
            let body = seen.body.to_string();
            let origin = Origin {
                account: own.account.as_deref().or(known.account.as_deref()),
                region: own
                    .region
                    .as_deref()
                    .or(known.region.as_deref())
                    .filter(|_| seen.belongs != Belongs::Account),
                cluster: own
                    .cluster
                    .as_deref()
                    .or(known.cluster.as_deref())
                    .filter(|_| seen.belongs == Belongs::Cluster),
                stream: None,
                uri: self.uri,
                line: self.seen,
                ts,
            };
            self.rows.snapshot(&seen.record(&body), &origin);
        }
    }

    /// Whether records of logs are wanted; where they are not, the object is refused, once.
    pub(super) fn is_wanted(&mut self, at: At<'_>) -> bool {
        if self.hints.only_state && !self.is_refused {
            self.is_refused = true;
            self.reject("snapshot", WRONG_KIND, "", at);
            self.counts.problems.push(crate::report::Problem {
                uri: self.uri.to_owned(),
                reason: format!("is {WRONG_KIND}"),
            });
        }
        !self.hints.only_state
    }
}
