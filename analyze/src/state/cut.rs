//! Records that could not be read: what they may have changed.
//!
//! An audit event that CloudWatch cut still says who wrote what; only the object is gone. One of which nothing can be read may have
//! changed anything that its log would show.

use eksplain_queries::facts::{Mark, Micros, RejectSeen};
use serde_json::Value;

use crate::json;

/// A record after which something is not known.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    pub(crate) at: Mark,
    pub(crate) by: Option<String>,
    pub(crate) what: CutWhat,
}

/// What the record was about, as far as it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CutWhat {
    /// A write of a Kubernetes object.
    Object {
        resource: String,
        namespace: Option<String>,
        name: Option<String>,
    },
    /// An AWS call.
    Call { source: String, name: String },
    /// Nothing can be read of it.
    Anything,
}

/// A tail follows the event that it was cut from within this time.
const TAIL: i64 = 5_000;

impl Cut {
    pub(crate) fn is_of_aws_auth(&self) -> bool {
        match &self.what {
            CutWhat::Object {
                resource,
                namespace,
                name,
            } => {
                resource == "configmaps"
                    && namespace.as_deref() == Some("kube-system")
                    && name.as_deref().is_none_or(|name| name == "aws-auth")
            }
            CutWhat::Call { .. } | CutWhat::Anything => false,
        }
    }
}

/// What rejects of one log may have changed; sorted by time.
pub(super) fn cuts<'r>(rejects: impl Iterator<Item = &'r RejectSeen>) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = Vec::new();
    let mut last_cut: Option<i64> = None;
    for reject in rejects {
        let mended = eksplain_parse::cut::mend(reject.text.trim_start());
        let event = json::parse(mended.as_deref());
        if !event.is_object() {
            let is_tail = last_cut.is_some_and(|at| (0..=TAIL).contains(&(reject.at.ts - at)));
            // Of what has neither words nor a time nothing can be said.
            if !is_tail && reject.at.ts > 0 {
                cuts.push(Cut {
                    at: reject.at.clone(),
                    by: None,
                    what: CutWhat::Anything,
                });
            }
            continue;
        }
        let at = Mark {
            ts: time_of(&event).unwrap_or(reject.at.ts),
            ..reject.at.clone()
        };
        last_cut = Some(at.ts);
        let what = if reject.kind == "cloudtrail" || event["eventName"].is_string() {
            call(&event)
        } else {
            object(&event)
        };
        cuts.extend(what.map(|(what, by)| Cut {
            at: at.clone(),
            by,
            what,
        }));
    }
    cuts.sort_by_key(|cut| cut.at.ts);
    cuts
}

/// When the event says that it happened: a record that cannot be read has no time of its own.
fn time_of(event: &Value) -> Option<Micros> {
    ["stageTimestamp", "requestReceivedTimestamp", "eventTime"]
        .into_iter()
        .find_map(|key| eksplain_parse::time::parse_rfc3339(event[key].as_str()?))
}

/// A stretch of time in which a trail's object hid a record.
#[derive(Debug, Clone)]
pub(super) struct TrailCut {
    pub(super) from: Micros,
    pub(super) to: Micros,
    pub(super) what: CutWhat,
}

const DAY: Micros = 86_400_000_000;

/// What rejects of CloudTrail may have hidden: at the time of the event where that can be read, else on the day of its object.
pub(super) fn trail_cuts<'r>(rejects: impl Iterator<Item = &'r RejectSeen>) -> Vec<TrailCut> {
    let cut = |reject: &RejectSeen| {
        let event = json::parse(eksplain_parse::cut::mend(reject.text.trim_start()).as_deref());
        let (what, _) = match event.is_object() {
            true => call(&event)?,
            false => (CutWhat::Anything, None),
        };
        let told = event["eventTime"]
            .as_str()
            .and_then(eksplain_parse::time::parse_rfc3339);
        let known = told.or(Some(reject.at.ts).filter(|ts| *ts > 0));
        let (from, to) = match known {
            Some(ts) => (ts, ts + 1),
            None => {
                let written = object_time(&reject.source_uri)?;
                (written - written.rem_euclid(DAY), written)
            }
        };
        Some(TrailCut { from, to, what })
    };
    rejects.filter_map(cut).collect()
}

/// When CloudTrail wrote an object, by its name: `ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHMMZ_ID.json.gz`.
fn object_time(uri: &str) -> Option<Micros> {
    let stamp = uri.rsplit('/').next()?.split('_').nth(3)?;
    let digits = |from: usize, to: usize| {
        stamp
            .get(from..to)
            .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
    };
    let (date, time) = (
        (digits(0, 4)?, digits(4, 6)?, digits(6, 8)?),
        (digits(9, 11)?, digits(11, 13)?),
    );
    eksplain_parse::time::parse_rfc3339(&format!("{}-{}-{}T{}:{}:00Z", date.0, date.1, date.2, time.0, time.1))
}

/// The write that a cut audit event tells of; `None` where it changed nothing.
fn object(event: &Value) -> Option<(CutWhat, Option<String>)> {
    let verb = event["verb"].as_str();
    if verb.is_some_and(|verb| !matches!(verb, "create" | "update" | "patch" | "delete" | "deletecollection")) {
        return None;
    }
    let by = event["user"]["extra"]["canonicalArn"][0]
        .as_str()
        .or(event["user"]["username"].as_str())
        .map(str::to_owned);
    let reference = &event["objectRef"];
    let (Some(_), Some(resource)) = (verb, reference["resource"].as_str()) else {
        return Some((CutWhat::Anything, by));
    };
    let is_failed = event["responseStatus"]["code"].as_i64().is_some_and(|code| code >= 400);
    let is_access = matches!(
        resource,
        "configmaps" | "roles" | "rolebindings" | "clusterroles" | "clusterrolebindings" | "namespaces"
    );
    if is_failed || !is_access {
        return None;
    }
    let text = |key: &str| reference[key].as_str().map(str::to_owned);
    let what = CutWhat::Object {
        resource: resource.to_owned(),
        namespace: text("namespace"),
        name: text("name"),
    };
    Some((what, by))
}

fn call(event: &Value) -> Option<(CutWhat, Option<String>)> {
    let by = event["userIdentity"]["arn"].as_str().map(str::to_owned);
    let (Some(source), Some(name)) = (event["eventSource"].as_str(), event["eventName"].as_str()) else {
        return Some((CutWhat::Anything, by));
    };
    let is_read = ["Describe", "List", "Get"].iter().any(|word| name.starts_with(word)) || event["readOnly"] == true;
    let is_access = matches!(source, "eks.amazonaws.com" | "iam.amazonaws.com");
    (is_access && !is_read).then(|| {
        let what = CutWhat::Call {
            source: source.to_owned(),
            name: name.to_owned(),
        };
        (what, by)
    })
}
