//! Lines that do not begin with a pair: JSON, klog, and lines inside a wrapper.
//!
//! A wrapper is recognised by its own form at the beginning of the line, never by a `time=` somewhere in it: callers can
//! write that.

use std::borrow::Cow;

use serde_json::Value;

use super::classify::finish;
use super::{AuthenticatorRecord, Format, Kind, Problem, parse_line};

/// Parses whatever is no plain text line.
pub(super) fn parse(text: &str) -> AuthenticatorRecord<'_> {
    if text.is_empty() {
        let mut record = raw();
        record.note(Problem::Empty);
        return record;
    }
    let found = match text.as_bytes()[0] {
        b'{' => json(text),
        b'"' => quoted_cell(text),
        b'I' | b'W' | b'E' | b'F' => klog(text).or_else(|| prefixed(text)),
        _ => prefixed(text),
    };
    found.unwrap_or_else(raw)
}

fn raw<'a>() -> AuthenticatorRecord<'a> {
    AuthenticatorRecord {
        kind: Kind::Raw,
        ..AuthenticatorRecord::empty(Format::Raw)
    }
}

/// JSON of logrus, or a container's JSON around a text line.
fn json(text: &str) -> Option<AuthenticatorRecord<'static>> {
    let Value::Object(object) = serde_json::from_str::<Value>(text).ok()? else {
        return None;
    };
    if let (Some(Value::String(line)), Some(Value::String(_))) = (object.get("log"), object.get("stream")) {
        return Some(owned(line.trim_end_matches('\n'), "docker_json"));
    }
    if let (Some(Value::String(line)), Some(_)) = (object.get("message"), object.get("timestamp")) {
        return Some(owned(line, "cloudwatch_event_json"));
    }
    if !object.contains_key("msg") || !object.contains_key("level") {
        return None;
    }
    let mut record = AuthenticatorRecord::empty(Format::Json);
    for (name, value) in object {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        match (name.as_str(), value) {
            ("time", value) => record.time = Some(text(value).into()),
            ("level", value) => record.level = Some(text(value).into()),
            ("msg", value) => record.msg = Some(text(value).into()),
            ("groups", Value::Array(items)) => {
                record.groups = Some(items.into_iter().map(|v| text(v).into()).collect())
            }
            (_, value) => record.fields.push((name.into(), text(value).into())),
        }
    }
    finish(&mut record);
    Some(record)
}

/// A line in quotes: a cell of CSV (quotes doubled) or a JSON string.
fn quoted_cell(text: &str) -> Option<AuthenticatorRecord<'static>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.starts_with("time=\"\"") {
        return Some(owned(&inner.replace("\"\"", "\""), "csv_cell"));
    }
    let line: String = serde_json::from_str(text).ok()?;
    line.starts_with("time=\"").then(|| owned(&line, "json_string"))
}

/// `I0102 15:04:05.123456       1 file.go:123] text`
fn klog(text: &str) -> Option<AuthenticatorRecord<'_>> {
    let level = match text.as_bytes()[0] {
        b'I' => "info",
        b'W' => "warning",
        b'E' => "error",
        _ => "fatal",
    };
    let (head, message) = text.split_once("] ")?;
    let mut words = head[1..].split_ascii_whitespace();
    let (date, time, thread, source) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if date.len() != 4
        || !digits(date)
        || !digits(thread)
        || time.as_bytes().get(2) != Some(&b':')
        || !source.contains(':')
    {
        return None;
    }
    let mut record = AuthenticatorRecord {
        kind: Kind::Klog,
        ..AuthenticatorRecord::empty(Format::Klog)
    };
    record.level = Some(Cow::Borrowed(level));
    record.msg = Some(Cow::Borrowed(message));
    let when = &head[1..head[1..].find(time)? + 1 + time.len()];
    record.fields = [("klog_time", when), ("thread", thread), ("source", source)]
        .map(|(k, v)| (k.into(), v.into()))
        .to_vec();
    record.note(Problem::NoTime);
    Some(record)
}

/// `pod container time=…` (stern), `ns/pod[container]: time=…` (kail), `2026-…Z time=…` (CloudWatch export).
fn prefixed(text: &str) -> Option<AuthenticatorRecord<'_>> {
    let (first, rest) = text.split_once(' ')?;
    let is_line = |s: &str| s.starts_with("time=\"");
    let (line, wrapper) = if is_line(rest) && first.ends_with("]:") && first.contains('[') {
        (rest, "kail")
    } else if is_line(rest) && first.ends_with('Z') && crate::time::parse_rfc3339(first).is_some() {
        (rest, "cloudwatch_s3_export")
    } else {
        let (second, line) = rest.split_once(' ')?;
        let is_name =
            |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
        if !(is_line(line) && is_name(first) && is_name(second)) {
            return None;
        }
        (line, "stern")
    };
    let mut record = parse_line(line);
    record.wrapped = Some(wrapper);
    Some(record)
}

/// A record of a line that had to be decoded first.
fn owned(line: &str, wrapper: &'static str) -> AuthenticatorRecord<'static> {
    fn own(text: Cow<'_, str>) -> Cow<'static, str> {
        Cow::Owned(text.into_owned())
    }
    let r = parse_line(line);
    AuthenticatorRecord {
        format: r.format,
        kind: r.kind,
        complete: r.complete,
        time: r.time.map(own),
        level: r.level.map(own),
        msg: r.msg.map(own),
        fields: r.fields.into_iter().map(|(k, v)| (own(k), own(v))).collect(),
        groups: r.groups.map(|groups| groups.into_iter().map(own).collect()),
        partial: r.partial.map(|(k, v)| (own(k), own(v))),
        wrapped: Some(wrapper),
        problems: r.problems,
    }
}
