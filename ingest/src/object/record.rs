//! What a text or a JSON value is: a record of one of the logs, an envelope around more, or nothing known.

use std::borrow::Cow;

use eksplain_lake::RowSet;
use eksplain_parse::audit::{AuditEvent, looks_like_audit};
use eksplain_parse::authenticator::{self, Format};
use eksplain_parse::cloudtrail::{CloudTrailEvent, looks_like_cloudtrail};
use eksplain_parse::time::parse_rfc3339;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::At;
use super::envelope::Elements;
use super::json::{Top, first_value};
use super::{Counts, Source};
use crate::place::{Hints, Place, StreamKind, is_account};

/// The records of one object on their way to the rows.
pub(super) struct Records<'r> {
    pub(super) rows: &'r mut RowSet,
    pub(super) counts: &'r mut Counts,
    pub(super) uri: &'r str,
    pub(super) hints: &'r Hints,
    /// When the object was last changed, microseconds since 1970.
    pub(super) modified: Option<i64>,
    /// What the last JSON value was: the next one is tried as the same first.
    pub(super) expects: Option<Log>,
    /// Whether a line of the authenticator was seen: then lines of other shape are its neighbours in the same stream.
    pub(super) has_authenticator_line: bool,
    /// Objects of present state so far.
    pub(super) seen: u64,
    /// The object is a log where present state was asked for: that is said once.
    pub(super) is_refused: bool,
}

const OTHER_LOGS: &str = "records of other control-plane logs (API server, scheduler, controllers)";

/// A log whose records are JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    Audit,
    CloudTrail,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct LogEvent<'a> {
    #[serde(borrow)]
    log_stream_name: Option<Cow<'a, str>>,
    timestamp: Option<serde_json::Value>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InsightsField<'a> {
    #[serde(borrow)]
    field: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

type Taken = serde_json::Result<usize>;

impl<'r> Records<'r> {
    pub(super) fn new(rows: &'r mut RowSet, counts: &'r mut Counts, source: Source<'r>) -> Self {
        Self {
            rows,
            counts,
            uri: source.uri,
            hints: source.hints,
            modified: source.modified,
            expects: None,
            has_authenticator_line: false,
            seen: 0,
            is_refused: false,
        }
    }
}

impl Records<'_> {
    /// One element of an array; gives where it ends.
    pub(super) fn element(&mut self, text: &str, elements: Elements, at: At<'_>) -> Taken {
        match elements {
            Elements::Values => self.json(text, at),
            Elements::LogEvents => {
                let (event, end) = first_value::<LogEvent<'_>>(text)?;
                self.log_event(&event, &text[..end], at);
                Ok(end)
            }
            Elements::InsightsRows => {
                let (row, end) = first_value::<Vec<InsightsField<'_>>>(text)?;
                self.insights_row(&row, &text[..end], at);
                Ok(end)
            }
        }
    }

    /// The JSON value at the beginning of a text, whatever it is; gives where it ends.
    pub(super) fn json(&mut self, text: &str, at: At<'_>) -> Taken {
        match self.expects {
            Some(Log::Audit) => {
                let (event, end) = first_value::<AuditEvent<'_>>(text)?;
                if event.audit_id.is_some() || (event.verb.is_some() && event.request_uri.is_some()) {
                    self.audit(&event, &text[..end], at);
                    return Ok(end);
                }
            }
            Some(Log::CloudTrail) => {
                let (event, end) = first_value::<CloudTrailEvent<'_>>(text)?;
                if event.event_name.is_some() && event.event_source.is_some() {
                    self.cloudtrail(&event, &text[..end], at);
                    return Ok(end);
                }
            }
            None => {}
        }
        let Ok((top, end)) = first_value::<Top<'_>>(text) else {
            if let Some(end) = self.nested(text, at)? {
                return Ok(end);
            }
            let (_, end) = first_value::<serde::de::IgnoredAny>(text)?;
            self.reject("unknown", "a JSON value that is not an object", &text[..end], at);
            return Ok(end);
        };
        self.object(&top, &text[..end], at)?;
        Ok(end)
    }

    /// A text that is a record, or a list that has some, as `lookup-events --query` prints them; `None` where it is neither.
    fn nested(&mut self, text: &str, at: At<'_>) -> serde_json::Result<Option<usize>> {
        if text.starts_with('"') {
            let (inner, end) = first_value::<Cow<'_, str>>(text)?;
            return Ok(inner.trim_start().starts_with('{').then(|| {
                self.inner(&inner, at);
                end
            }));
        }
        if !text.starts_with('[') {
            return Ok(None);
        }
        let (list, end) = first_value::<Vec<&RawValue>>(text)?;
        // Beside the event stand its time, its name and what else was asked for.
        let is_record = |value: &&RawValue| {
            let raw = value.get();
            raw.starts_with('{') || serde_json::from_str::<Cow<'_, str>>(raw).is_ok_and(|text| text.starts_with('{'))
        };
        let records: Vec<&RawValue> = list.into_iter().filter(is_record).collect();
        for record in &records {
            self.json(record.get(), at.inside())?;
        }
        Ok((!records.is_empty()).then_some(end))
    }

    /// One line of a file: an object may be an envelope, whatever stream the file's path names.
    pub(super) fn line(&mut self, text: &str, at: At<'_>) {
        let mut rest = text.trim_start();
        if !rest.starts_with('{') {
            if !self.tabbed(text, at) {
                self.message(text, at);
            }
            return;
        }
        while !rest.is_empty() {
            match self.json(rest, at) {
                Ok(end) => rest = rest[end..].trim_start(),
                Err(_) => return self.message(rest, at),
            }
        }
    }

    /// A line of `lookup-events --output text`: fields between tabs, one of them an event. False where it is none.
    fn tabbed(&mut self, text: &str, at: At<'_>) -> bool {
        let mut fields = text.split('\t');
        if text.starts_with("RESOURCES\t") || text.starts_with("NEXTTOKEN\t") {
            return self.expects == Some(Log::CloudTrail);
        }
        let event = fields.find(|field| {
            field.starts_with('{')
                && first_value::<Top<'_>>(field)
                    .is_ok_and(|(top, end)| end == field.len() && looks_like_cloudtrail(|key| top.has(key)))
        });
        event.is_some_and(|event| self.json(event, at.inside()).is_ok())
    }

    /// One message of CloudWatch, or a line that is no envelope: JSON, or a line of the authenticator, or nothing known.
    pub(super) fn message(&mut self, text: &str, at: At<'_>) {
        let at = at.inside();
        let stream = at.place.stream.as_deref().map_or(StreamKind::Unknown, StreamKind::of);
        match stream {
            StreamKind::Other => self.counts.pass_over(OTHER_LOGS, 1),
            StreamKind::Authenticator => self.authenticator(text, at),
            StreamKind::Audit | StreamKind::Unknown if text.trim_start().starts_with('{') => {
                let body = text.trim_start();
                match self.json(body, at) {
                    Ok(end) if body[end..].trim().is_empty() => {}
                    Ok(end) => self.reject("unknown", "text behind a JSON value", &body[end..], at),
                    Err(error) => {
                        let kind = if stream == StreamKind::Audit || self.expects == Some(Log::Audit) {
                            "audit"
                        } else {
                            "unknown"
                        };
                        let reason = if error.is_eof() {
                            format!("cut off: {error}")
                        } else {
                            format!("not valid JSON: {error}")
                        };
                        self.reject(kind, &reason, text, at);
                    }
                }
            }
            StreamKind::Audit => self.reject("audit", "no JSON object", text, at),
            StreamKind::Unknown if self.is_known_line(text) => {}
            StreamKind::Unknown => {
                let record = authenticator::parse_line(text);
                let is_own = matches!(record.format, Format::Text | Format::Json);
                if is_own || self.has_authenticator_line {
                    self.has_authenticator_line = true;
                    if self.is_wanted(at) {
                        self.counts.read += 1;
                        self.rows.authenticator(&record, &at.origin(self.uri), text);
                    }
                } else {
                    self.reject("unknown", "unrecognized line", text, at);
                }
            }
        }
    }

    /// What was not understood.
    pub(super) fn reject(&mut self, kind: &str, reason: &str, text: &str, at: At<'_>) {
        self.counts.read += 1;
        self.counts.refuse(reason, 1, self.uri);
        self.rows.reject(kind, reason, text, &at.origin(self.uri));
    }

    fn authenticator(&mut self, text: &str, at: At<'_>) {
        self.has_authenticator_line = true;
        if self.is_wanted(at) {
            self.counts.read += 1;
            self.rows
                .authenticator(&authenticator::parse_line(text), &at.origin(self.uri), text);
        }
    }

    fn audit(&mut self, event: &AuditEvent<'_>, raw: &str, at: At<'_>) {
        self.expects = Some(Log::Audit);
        if !self.is_wanted(at) {
            return;
        }
        self.counts.read += 1;
        self.rows.audit(event, &at.origin(self.uri), raw);
    }

    fn cloudtrail(&mut self, event: &CloudTrailEvent<'_>, raw: &str, at: At<'_>) {
        if event
            .event_source
            .as_deref()
            .is_some_and(|source| source.starts_with("aws:"))
        {
            return self.reject("cloudtrail", "a notification of S3, no record of CloudTrail", raw, at);
        }
        let differs = |hint: &Option<String>, own: &Option<Cow<'_, str>>| matches!((hint, own), (Some(hint), Some(own)) if hint != own);
        let (hints, account, region) = (self.hints, &event.recipient_account_id, &event.aws_region);
        if differs(&hints.account, account) || differs(&hints.region, region) {
            self.counts.conflicts += 1;
        }
        self.expects = Some(Log::CloudTrail);
        if !self.is_wanted(at) {
            return;
        }
        self.counts.read += 1;
        self.rows.cloudtrail(event, &at.origin(self.uri), raw);
    }

    /// An object by its keys.
    fn object(&mut self, top: &Top<'_>, text: &str, at: At<'_>) -> serde_json::Result<()> {
        let has = |key: &str| top.has(key);
        if self.is_neighbour(top) {
            return Ok(());
        }
        if !has("kinesis") && looks_like_cloudtrail(has) {
            self.cloudtrail(&serde_json::from_str(text)?, text, at);
        } else if looks_like_audit(has) || is_audit_event(top) {
            self.audit(&serde_json::from_str(text)?, text, at);
        } else if let Some(inner) = ["CloudTrailEvent", "eventJson", "eventjson"]
            .into_iter()
            .find_map(|key| {
                let as_object = || top.raw(key).filter(|raw| raw.starts_with('{')).map(Cow::Borrowed);
                top.text(key).or_else(as_object)
            })
        {
            self.inner(&inner, at);
        } else if top.has_array("logEvents") {
            self.subscription(top, at)?;
        } else if has("detail-type") && has("detail") {
            self.inner(top.raw("detail").unwrap_or_default(), at);
        } else if let Some((key, elements)) = array_key(top) {
            self.array(top.raw(key).unwrap_or_default(), elements, at)?;
        } else if has("@message") {
            self.insights_object(top, text, at);
        } else if self.packed(top, at) {
            // Each record that was packed is counted on its own.
        } else if has("msg") && (has("level") || has("time")) || has("log") && has("stream") {
            self.authenticator(text, at);
        } else if !at.is_inside && is_kubernetes(top) && self.document(&serde_json::from_str(text)?, at) {
            // An object of Kubernetes may have a field of this name.
        } else if top.text("message").is_some() {
            self.log_event(&serde_json::from_str(text)?, text, at);
        } else if at.is_inside || !self.document(&serde_json::from_str(text)?, at) {
            self.reject("unknown", &reason_for_unknown(top), text, at);
        }
        Ok(())
    }

    /// A record inside a string or a key of an envelope.
    fn inner(&mut self, text: &str, at: At<'_>) {
        match self.json(text, at.inside()) {
            Ok(_) => {}
            Err(error) => self.reject("cloudtrail", &format!("not valid JSON: {error}"), text, at),
        }
    }

    fn array(&mut self, raw: &str, elements: Elements, at: At<'_>) -> serde_json::Result<()> {
        let mut rest = raw.strip_prefix('[').unwrap_or_default();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
            if rest.is_empty() || rest.starts_with(']') {
                return Ok(());
            }
            rest = &rest[self.element(rest, elements, at.inside())?..];
        }
    }

    /// What CloudWatch sends to Firehose, Kinesis and Lambda.
    fn subscription(&mut self, top: &Top<'_>, at: At<'_>) -> serde_json::Result<()> {
        if top.text("messageType").is_some_and(|kind| kind == "CONTROL_MESSAGE") {
            self.counts.pass_over("control messages of CloudWatch", 1);
            return Ok(());
        }
        let mut place = at.place.clone();
        if let Some(owner) = top.text("owner").filter(|owner| is_account(owner)) {
            if self.hints.account.as_deref().is_some_and(|hint| hint != owner) {
                self.counts.conflicts += 1;
            }
            place.account = Some(owner.into_owned());
        }
        if let Some(group) = top.text("logGroup") {
            place.name_log_group(&group);
        }
        if let Some(stream) = top.text("logStream") {
            place.stream = Some(stream.into_owned());
        }
        self.array(
            top.raw("logEvents").unwrap_or_default(),
            Elements::LogEvents,
            At { place: &place, ..at },
        )
    }

    fn log_event(&mut self, event: &LogEvent<'_>, raw: &str, at: At<'_>) {
        let Some(message) = event.message.as_deref() else {
            return self.reject("unknown", "a log event without a message", raw, at);
        };
        let ts = match &event.timestamp {
            Some(serde_json::Value::Number(millis)) => millis.as_i64().and_then(|millis| millis.checked_mul(1000)),
            Some(serde_json::Value::String(text)) => parse_rfc3339(text),
            _ => None,
        };
        let own = event.log_stream_name.as_deref().map(|stream| Place {
            stream: Some(stream.to_owned()),
            ..at.place.clone()
        });
        self.message(
            message.trim_end_matches(['\r', '\n']),
            At {
                place: own.as_ref().unwrap_or(at.place),
                ts: ts.or(at.ts),
                ..at
            },
        );
    }

    fn insights_row(&mut self, row: &[InsightsField<'_>], raw: &str, at: At<'_>) {
        let field = |name: &str| {
            let field = row.iter().find(|field| field.field == name);
            field.map(|field| Cow::Borrowed(&*field.value))
        };
        self.insights(field, raw, at);
    }

    /// A row as the console saves it: an object whose `@message` may be the record itself.
    fn insights_object(&mut self, top: &Top<'_>, raw: &str, at: At<'_>) {
        let field = |name: &str| {
            let as_object = || top.raw(name).filter(|raw| raw.starts_with('{')).map(Cow::Borrowed);
            top.text(name).or_else(as_object)
        };
        self.insights(field, raw, at);
    }

    fn insights<'f>(&mut self, field: impl Fn(&str) -> Option<Cow<'f, str>>, raw: &str, at: At<'_>) {
        let field = |name: &str| field(name).filter(|value| !value.is_empty());
        let Some(message) = field("@message") else {
            return self.reject(
                "unknown",
                "an Insights row without @message: add it to the query's fields",
                raw,
                at,
            );
        };
        let mut place = at.place.clone();
        if let Some(stream) = field("@logStream") {
            place.stream = Some(stream.into_owned());
        }
        if let Some(log) = field("@log") {
            place.name_log(&log);
        }
        self.message(
            message.trim_end_matches(['\r', '\n']),
            At {
                place: &place,
                ts: field("@timestamp").and_then(|time| parse_rfc3339(&time)).or(at.ts),
                ..at
            },
        );
    }
}

fn is_kubernetes(top: &Top<'_>) -> bool {
    top.has("apiVersion") && top.has("kind")
}

/// An event that says its kind and lacks everything else that tells audit events.
fn is_audit_event(top: &Top<'_>) -> bool {
    top.text("kind").is_some_and(|kind| kind == "Event")
        && top
            .text("apiVersion")
            .is_some_and(|version| version.starts_with("audit.k8s.io/"))
}

/// The key under which an object holds an array of more.
fn array_key(top: &Top<'_>) -> Option<(&'static str, Elements)> {
    let is_event_list = top.text("kind").is_some_and(|kind| kind == "EventList");
    let keys = [
        ("Records", Elements::Values),
        ("Events", Elements::Values),
        ("events", Elements::LogEvents),
        ("results", Elements::InsightsRows),
    ];
    let known = keys.into_iter().find(|(key, _)| top.has_array(key));
    known.or_else(|| (is_event_list && top.has_array("items")).then_some(("items", Elements::Values)))
}

fn reason_for_unknown(top: &Top<'_>) -> String {
    if is_kubernetes(top) {
        return "a Kubernetes object inside a log, or of an unknown form".to_owned();
    }
    if top.has("class_uid") {
        return "an OCSF event (Security Lake): ingest the trail's own files".to_owned();
    }
    if top.has("eventid") || top.has("eventname") {
        return "a flat row of CloudTrail Lake, whose nested fields are lost: select eventJson".to_owned();
    }
    "unrecognized JSON object".to_owned()
}
