//! Logs that were switched off, that the lake lacks, and records that nobody said the cluster of.

use eksplain_parse::time::format_rfc3339;
use eksplain_queries::facts::Mark;

use super::fix::{cluster_and_region, commands, log_on};
use super::{Asked, Check, by};
use crate::evidence;
use crate::findings::{Answers, Source};
use crate::knowledge::{Gap, Log, Why};
use crate::words::{Rule, Severity};

impl Asked<'_, '_> {
    pub(super) fn logs(&self) -> Vec<Check> {
        let logs = &self.life.logs;
        let of_cluster = [
            (Source::Audit, &logs.audit),
            (Source::Authenticator, &logs.authenticator),
        ];
        let mut checks: Vec<Check> = of_cluster
            .into_iter()
            .filter_map(|(source, log)| self.switched_off(source, log).or_else(|| self.missing(source)))
            .collect();
        checks.extend(self.trail());
        checks.extend(self.iam_events());
        checks
    }

    /// A log type that is off and was on before.
    fn switched_off(&self, source: Source, log: &Log) -> Option<Check> {
        let is_off = |gap: &&Gap| matches!(gap.why, Why::SwitchedOff(_)) && gap.from <= self.at && gap.to > self.at;
        let gap = log.gaps().iter().find(is_off)?;
        let Why::SwitchedOff(actor) = &gap.why else { return None };
        let mark = self.switch_at(gap.from)?;
        let spoke = log.bounds.is_some_and(|(first, _)| first <= gap.from);
        let is_call = self.life.calls.iter().any(|call| call.at == *mark);
        // A cluster that never logged has a log that is missing.
        if !spoke && !is_call {
            return None;
        }
        let when = format_rfc3339(gap.from);
        let message = match is_call {
            true => format!(
                "the {source} log was switched off{} at {when}: nothing that happened since is in it",
                by(actor.as_deref())
            ),
            false => format!(
                "the {source} log is switched off, as a snapshot of {when} shows: who did it is not in these logs"
            ),
        };
        Some(
            Check::new(Rule::LogsSwitchedOff, Severity::High, source.id(), message)
                .fix([log_on(&self.life.cluster, source.id())])
                .proof([evidence::any(
                    mark,
                    format!("logging of {source} off{}", by(actor.as_deref())),
                )]),
        )
    }

    /// The record of a change of logging.
    fn switch_at(&self, ts: i64) -> Option<&Mark> {
        let calls = self
            .life
            .calls
            .iter()
            .filter(|call| call.event_name == "UpdateClusterConfig")
            .map(|call| &call.at);
        let looks = self
            .life
            .snapshots
            .iter()
            .filter(|snapshot| snapshot.kind == "cluster")
            .map(|snapshot| &snapshot.at);
        calls.chain(looks).find(|mark| mark.ts == ts)
    }

    fn missing(&self, source: Source) -> Option<Check> {
        if self.world.index.has_records(&self.life.cluster, source.id()) {
            return None;
        }
        let message = format!("no {source} log of this cluster is in the lake: it is off, or was not ingested");
        let (name, _) = cluster_and_region(&self.life.cluster);
        let ingest = commands(
            "Ingest it",
            vec![format!("eksplain ingest cloudwatch --cluster {name}")],
        );
        Some(
            Check::new(Rule::LogsMissing, Severity::Medium, source.id(), message)
                .fix([log_on(&self.life.cluster, source.id()), ingest]),
        )
    }

    /// CloudTrail of the cluster's account and region.
    fn trail(&self) -> Option<Check> {
        let trail = &self.life.logs.trail;
        let is_hole = |gap: &&Gap| matches!(gap.why, Why::Silence | Why::Ended | Why::Unreadable) && gap.from < self.at;
        let gap = match trail.bounds {
            Some(_) => trail.gaps().iter().find(is_hole)?,
            None => trail.gaps().first()?,
        };
        let then = if gap.why == Why::NotIngested { "" } else { " then" };
        let message = format!(
            "{}: who created or deleted clusters, access entries and policies{then} is not known",
            gap.sentence()
        );
        let fix = commands(
            "Ingest CloudTrail",
            vec!["eksplain ingest cloudtrail --since 90d".to_owned()],
        );
        Some(Check::new(Rule::LogsMissing, Severity::Info, Source::Cloudtrail.id(), message).fix([fix]))
    }

    /// IAM's events are logged in one region of the partition.
    fn iam_events(&self) -> Option<Check> {
        let account = self.life.cluster.account.as_str();
        if account.is_empty() || self.life.logs.trail.bounds.is_none() || self.world.iam.accounts().contains(account) {
            return None;
        }
        let message = format!(
            "the IAM events of account {account} are not in the lake: whether principals were deleted is not known"
        );
        let fix = commands(
            "Ingest the IAM events",
            vec!["eksplain ingest cloudtrail --event-source iam".to_owned()],
        );
        Some(Check::new(Rule::LogsMissing, Severity::Info, "iam", message).fix([fix]))
    }
}

/// Kubernetes's logs do not name their cluster.
pub(super) fn of_no_cluster(answers: &Answers) -> Vec<Check> {
    let is_of_none = |source: Source| matches!(source, Source::Audit | Source::Authenticator);
    let rows = answers
        .coverage
        .iter()
        .filter(|row| row.cluster.is_none() && row.records > 0 && is_of_none(row.source));
    rows.map(|row| {
        let (plural, verb) = if row.records == 1 { ("", "names") } else { ("s", "name") };
        let message = format!(
            "{} {} record{plural} {verb} no cluster, so no answer uses them",
            row.records, row.source
        );
        let fix = commands(
            "Assign them to their cluster",
            vec!["eksplain lake assign --cluster NAME".to_owned()],
        );
        Check::new(Rule::RecordsNoCluster, Severity::Medium, row.source.id(), message).fix([fix])
    })
    .collect()
}
