//! What the pass did, for a monitor: `_state/metrics.json` and, the same, `_state/metrics.prom` as OpenMetrics text.
//!
//! Counters go on from run to run: what they were stands in `metrics.json`. A file that is gone or damaged starts them anew, as a counter
//! that is reset does.
//!
//! Format: OpenMetrics 1.0 (github.com/prometheus/OpenMetrics, specification/OpenMetrics.md), "Text format".

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::record::LastRun;
use super::report_step::all_kinds;
use crate::whole::write_whole;

type Labels = BTreeMap<String, String>;

/// `eksplain.metrics/1`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Metrics {
    schema: String,
    families: Vec<Family>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Family {
    name: String,
    #[serde(rename = "type")]
    kind: Kind,
    /// Also the end of the name; empty where a number counts things.
    unit: String,
    help: String,
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Gauge,
    /// Only grows; the name of its samples ends in `_total`.
    Counter,
    /// Always 1: its labels tell.
    Info,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sample {
    labels: Labels,
    value: f64,
}

/// Writes both files.
pub(super) fn write(lake: &Path, last: &LastRun) -> io::Result<()> {
    let state = lake.join("_state");
    let before = fs::read(state.join("metrics.json")).ok();
    let before: Metrics = before
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let metrics = measure(last, &before);
    write_whole(&state.join("metrics.json"), &serde_json::to_vec_pretty(&metrics)?)?;
    write_whole(&state.join("metrics.prom"), metrics.text().as_bytes())
}

fn measure(last: &LastRun, before: &Metrics) -> Metrics {
    let mut metrics = Metrics {
        schema: "eksplain.metrics/1".to_owned(),
        families: Vec::new(),
    };
    let ended = last.ended_micros() as f64 / 1e6;
    metrics.add(
        Kind::Info,
        "eksplain_build",
        "",
        "The eksplain that made the last run",
        vec![(vec![("version", env!("CARGO_PKG_VERSION"))], 1.0)],
    );
    metrics.gauge(
        "eksplain_last_run_timestamp",
        "seconds",
        "When the last run ended",
        ended,
    );
    let success = if last.is_success() {
        Some(ended)
    } else {
        before.value("eksplain_last_success_timestamp_seconds", &Labels::new())
    };
    if let Some(success) = success {
        metrics.gauge(
            "eksplain_last_success_timestamp",
            "seconds",
            "When the last run ended that read, answered and delivered everything",
            success,
        );
    }
    metrics.gauge(
        "eksplain_last_run_duration",
        "seconds",
        "How long the last run took",
        last.seconds,
    );
    metrics.gauge(
        "eksplain_last_run_exit_code",
        "",
        "Exit code of the last run",
        f64::from(last.exit),
    );
    let numbers: Vec<String> = (1..=last.steps.len()).map(|number| number.to_string()).collect();
    let steps = || {
        last.steps
            .iter()
            .zip(&numbers)
            .map(|(step, number)| (step, vec![("step", number.as_str()), ("name", step.name.as_str())]))
    };
    metrics.add(
        Kind::Gauge,
        "eksplain_last_run_step_exit_code",
        "",
        "Exit code of each step of the last run",
        steps().map(|(step, labels)| (labels, f64::from(step.exit))).collect(),
    );
    metrics.add(
        Kind::Gauge,
        "eksplain_last_run_step_duration",
        "seconds",
        "How long each step of the last run took",
        steps().map(|(step, labels)| (labels, step.seconds)).collect(),
    );
    metrics.add(
        Kind::Gauge,
        "eksplain_lake_records",
        "",
        "Records in the lake, by table",
        last.records
            .iter()
            .map(|(table, held)| (vec![("table", *table)], held.records as f64))
            .collect(),
    );
    let newest = |(table, held): (&&'static str, &super::record::Held)| {
        Some((vec![("table", *table)], held.last_micros? as f64 / 1e6))
    };
    metrics.add(
        Kind::Gauge,
        "eksplain_lake_last_record_timestamp",
        "seconds",
        "Time of the newest record in the lake, by table",
        last.records.iter().filter_map(newest).collect(),
    );
    if let Some(findings) = &last.findings {
        let samples = findings.iter().flat_map(|(question, counts)| {
            counts.iter().map(move |(status, count)| {
                (
                    vec![("question", *question), ("status", status.as_str())],
                    *count as f64,
                )
            })
        });
        metrics.add(
            Kind::Gauge,
            "eksplain_findings",
            "",
            "Findings of the last report, by question and status",
            samples.collect(),
        );
    }
    let changes = last.changes.as_ref().map(all_kinds);
    if let Some(changes) = &changes {
        let samples = changes
            .iter()
            .map(|(kind, count)| (vec![("kind", kind.as_str())], *count as f64));
        metrics.add(
            Kind::Gauge,
            "eksplain_changes",
            "",
            "Changes between the last two reports, by kind",
            samples.collect(),
        );
    }
    let exit = last.exit.to_string();
    metrics.count(
        before,
        "eksplain_runs",
        "Runs, by exit code",
        vec![(vec![("exit", exit.as_str())], 1)],
    );
    let ingested = || {
        last.steps
            .iter()
            .filter_map(|step| Some((step.name.strip_prefix("ingest ")?, step.ingested?)))
    };
    let records = ingested().flat_map(|(source, ingested)| {
        [
            ("kept", ingested.kept),
            ("repeated", ingested.repeated),
            ("rejected", ingested.rejected),
        ]
        .map(|(outcome, count)| (vec![("source", source), ("outcome", outcome)], count))
    });
    metrics.count(
        before,
        "eksplain_ingested_records",
        "Records that were read, by source and by what became of them",
        records.collect(),
    );
    let requests = ingested().map(|(source, ingested)| (vec![("source", source)], ingested.requests));
    metrics.count(
        before,
        "eksplain_aws_requests",
        "Requests to AWS, by source",
        requests.collect(),
    );
    let throttled = ingested().map(|(source, ingested)| (vec![("source", source)], ingested.throttled));
    metrics.count(
        before,
        "eksplain_aws_throttled_requests",
        "Requests that AWS asked to send later, by source",
        throttled.collect(),
    );
    metrics
}

impl Metrics {
    fn gauge(&mut self, name: &str, unit: &str, help: &str, value: f64) {
        self.add(Kind::Gauge, name, unit, help, vec![(Vec::new(), value)]);
    }

    /// A family with its samples. The unit, if any, ends its name, as the format asks.
    fn add(&mut self, kind: Kind, name: &str, unit: &str, help: &str, samples: Vec<(Vec<(&str, &str)>, f64)>) {
        if samples.is_empty() {
            return;
        }
        let sample = |(labels, value): (Vec<(&str, &str)>, f64)| Sample {
            labels: owned(&labels),
            value,
        };
        self.families.push(Family {
            name: if unit.is_empty() {
                name.to_owned()
            } else {
                format!("{name}_{unit}")
            },
            kind,
            unit: unit.to_owned(),
            help: help.to_owned(),
            samples: samples.into_iter().map(sample).collect(),
        });
    }

    /// A counter: what it was, and what came to it.
    fn count(&mut self, before: &Self, name: &str, help: &str, grown: Vec<(Vec<(&str, &str)>, u64)>) {
        let known = before
            .families
            .iter()
            .find(|family| family.name == name && family.kind == Kind::Counter);
        let mut totals: BTreeMap<Labels, f64> = known
            .into_iter()
            .flat_map(|family| &family.samples)
            .map(|sample| (sample.labels.clone(), sample.value))
            .collect();
        for (labels, count) in grown {
            *totals.entry(owned(&labels)).or_default() += count as f64;
        }
        if totals.is_empty() {
            return;
        }
        self.families.push(Family {
            name: name.to_owned(),
            kind: Kind::Counter,
            unit: String::new(),
            help: help.to_owned(),
            samples: totals
                .into_iter()
                .map(|(labels, value)| Sample { labels, value })
                .collect(),
        });
    }

    fn value(&self, name: &str, labels: &Labels) -> Option<f64> {
        let family = self.families.iter().find(|family| family.name == name)?;
        family
            .samples
            .iter()
            .find(|sample| sample.labels == *labels)
            .map(|sample| sample.value)
    }

    /// OpenMetrics text.
    fn text(&self) -> String {
        let mut out = String::new();
        for family in &self.families {
            let name = &family.name;
            let (kind, suffix) = match family.kind {
                Kind::Gauge => ("gauge", ""),
                Kind::Counter => ("counter", "_total"),
                Kind::Info => ("info", "_info"),
            };
            let _ = writeln!(out, "# TYPE {name} {kind}");
            if !family.unit.is_empty() {
                let _ = writeln!(out, "# UNIT {name} {}", family.unit);
            }
            let _ = writeln!(out, "# HELP {name} {}", escaped(&family.help));
            for sample in &family.samples {
                let labels: Vec<String> = sample
                    .labels
                    .iter()
                    .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
                    .collect();
                let labels = if labels.is_empty() {
                    String::new()
                } else {
                    format!("{{{}}}", labels.join(","))
                };
                let _ = writeln!(out, "{name}{suffix}{labels} {}", sample.value);
            }
        }
        out.push_str("# EOF\n");
        out
    }
}

fn owned(labels: &[(&str, &str)]) -> Labels {
    labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Text within quotes, and of a help line.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_go_on_and_labels_stay_labels() {
        let mut first = Metrics::default();
        first.count(
            &Metrics::default(),
            "c",
            "says \"c\"",
            vec![(vec![("source", "a\"b\\c\nd")], 2)],
        );
        let mut second = Metrics::default();
        second.count(
            &first,
            "c",
            "says \"c\"",
            vec![(vec![("source", "a\"b\\c\nd")], 3), (vec![("source", "x")], 0)],
        );
        second.add(Kind::Gauge, "g", "seconds", "A gauge", vec![(vec![], 1.5)]);
        let expect = "# TYPE c counter\n# HELP c says \\\"c\\\"\nc_total{source=\"a\\\"b\\\\c\\nd\"} 5\nc_total{source=\"x\"} 0\n\
                      # TYPE g_seconds gauge\n# UNIT g_seconds seconds\n# HELP g_seconds A gauge\ng_seconds 1.5\n# EOF\n";
        assert_eq!(second.text(), expect);
    }
}
