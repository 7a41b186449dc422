//! What wraps the records of an object: recognised by how the text begins, read value by value or line by line.
//!
//! | beginning | envelope |
//! |---|---|
//! | `{"Records":[`, `{"Events":[`, `{"events":[`, `{"results":[` | CloudTrail, LookupEvents, CloudWatch API, Insights: an array that is read as it comes |
//! | `[` | a bare array of records |
//! | a line that is a whole JSON value | NDJSON |
//! | `{` otherwise | JSON values one after the other, with or without white space (Firehose) |
//! | `2026-11-23T10:00:00.000Z …` | CloudWatch export, `aws logs tail`; a message goes on over lines without a time |
//! | other text | lines of the authenticator, or nothing known |

use eksplain_lake::RowSet;
use eksplain_parse::time::parse_rfc3339;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::csv::{self, Header};
use super::json::{Top, end_of_open, first_value};
use super::record::Records;
use super::{At, FLUSH, Flush, neighbours};
use crate::place::Place;
use crate::report::Problem;
use crate::state::{is_eksctl_list, may_be_yaml, yaml_documents};

/// What the elements of an array are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elements {
    /// Records, or anything that one object may hold.
    Values,
    /// `filter-log-events`, `get-log-events`, subscription.
    LogEvents,
    /// Rows of an Insights query.
    InsightsRows,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Lines,
    Export,
    Values,
    Array(Elements),
    /// Rows of a table of messages.
    Csv,
    /// All of it is one matter: present state as YAML, a list of eksctl, an error message.
    Document,
    /// Behind the array of an object: its other keys are of no interest.
    Tail,
    /// The rest was refused.
    Over,
}

/// Reads one object's text.
pub(super) struct Reader<'r> {
    records: Records<'r>,
    place: Place,
    state: State,
    /// Lines taken.
    line: u64,
    /// Values taken.
    number: u64,
    /// Whether the array stands in an object.
    in_object: bool,
    /// The columns, where the object is a table.
    table: Option<csv::Table>,
}

impl<'r> Reader<'r> {
    pub(super) fn new(records: Records<'r>, place: &Place) -> Self {
        Self {
            records,
            place: place.clone(),
            state: State::Start,
            line: 0,
            number: 0,
            in_object: false,
            table: None,
        }
    }

    /// Takes what is whole; gives the bytes that were taken. With `is_last` everything is taken.
    pub(super) fn feed(&mut self, text: &str, is_last: bool, flush: Flush<'_>) -> Result<usize, eksplain_lake::Error> {
        let place = std::mem::take(&mut self.place);
        let mut at = 0;
        loop {
            let rest = &text[at..];
            let taken = match self.state {
                State::Start => self.start(rest, is_last),
                State::Lines => self.line(rest, is_last, &place),
                State::Export => self.export_message(rest, is_last, &place),
                State::Values => self.value(rest, is_last, &place),
                State::Array(elements) => self.element(rest, is_last, elements, &place),
                State::Csv => self.row(rest, is_last, &place),
                State::Document => self.document(rest, is_last, &place),
                State::Tail => self.tail(rest, is_last),
                State::Over => None,
            };
            let Some(taken) = taken else { break };
            at += taken;
            flush_if_full(self.records.rows, flush)?;
        }
        self.place = place;
        Ok(at)
    }

    /// Says that an object has nothing of what was asked for.
    pub(super) fn finish(&mut self) {
        let is_useless = self.records.hints.only_state && self.records.seen == 0 && !self.records.is_refused;
        if is_useless {
            self.note(
                "has no present state that eksplain uses: clusters, access entries, IAM principals, RBAC or aws-auth"
                    .to_owned(),
            );
        }
    }

    /// Refuses the object as a whole.
    pub(super) fn refuse_object(&mut self, format: &str) {
        self.note(format!("is {format}"));
        let place = std::mem::take(&mut self.place);
        self.records.reject(
            "object",
            &format!("is {format}"),
            "",
            At {
                place: &place,
                line: 1,
                ts: None,
                is_inside: false,
            },
        );
    }

    /// Refuses what is left, in pieces that are kept whole.
    pub(super) fn refuse_rest(&mut self, text: &str, reason: &str) {
        let place = self.place.clone();
        self.refuse_pieces(text, reason, &place);
    }

    pub(super) fn note(&mut self, reason: String) {
        self.records.counts.problems.push(Problem {
            uri: self.records.uri.to_owned(),
            reason,
        });
    }

    fn refuse_pieces(&mut self, text: &str, reason: &str, place: &Place) {
        self.note(format!(
            "record {}: {reason}; it and what follows are in rejects",
            self.number + 1
        ));
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.floor_char_boundary(eksplain_lake::tables::rejects::TEXT_LIMIT));
            self.number += 1;
            self.records.reject(
                "unknown",
                reason,
                piece,
                At {
                    place,
                    line: self.number,
                    ts: None,
                    is_inside: false,
                },
            );
            rest = behind;
        }
        self.state = State::Over;
    }

    /// Looks at the beginning of the object, or of what follows a whole document in it.
    fn start(&mut self, text: &str, is_last: bool) -> Option<usize> {
        let body = text.trim_start_matches('\u{feff}').trim_start();
        let skipped = text.len() - body.len();
        if body.is_empty() {
            return None;
        }
        // Lines are counted from the file's first, white space included.
        self.line += text[..skipped].bytes().filter(|b| *b == b'\n').count() as u64;
        if let Some(what) = neighbours::of_object(self.records.uri, body) {
            self.records.counts.pass_over(what, 1);
            self.state = State::Over;
            return Some(text.len());
        }
        if body.starts_with('{') {
            if let Some((elements, end)) = opening(body) {
                self.state = State::Array(elements);
                self.in_object = true;
                return Some(skipped + end);
            }
            let first_line = body.lines().next().unwrap_or_default();
            let is_one_value =
                first_value::<IgnoredAny>(first_line).is_ok_and(|(_, end)| first_line[end..].trim().is_empty());
            self.state = if is_one_value { State::Lines } else { State::Values };
        } else if let Some(first) = body
            .strip_prefix('[')
            .map(str::trim_start)
            .filter(|rest| rest.starts_with(['{', ']', '"', '[']))
        {
            match first_value::<Top<'_>>(first) {
                Err(error) if error.is_eof() && !is_last => return None,
                Ok((top, _)) if is_eksctl_list(|key| top.has(key)) => self.state = State::Document,
                _ => {
                    self.state = State::Array(Elements::Values);
                    self.in_object = false;
                    return Some(skipped + 1);
                }
            }
        } else if body.starts_with("\"{") {
            self.state = State::Values;
        } else if let Some(header) = csv::header(body) {
            match header {
                Header::Messages(table, end) => {
                    self.line += 1;
                    self.state = State::Csv;
                    self.table = Some(table);
                    return Some(skipped + end);
                }
                Header::Useless(what) => {
                    self.refuse_object(what);
                    self.state = State::Over;
                    return Some(text.len());
                }
            }
        } else if may_be_yaml(body) || ERRORS.iter().any(|start| body.starts_with(start)) {
            self.state = State::Document;
        } else if let Some(end) = prompt(body) {
            // What was typed came along with the answer.
            self.records
                .counts
                .pass_over("typed commands, pasted with their answer", 1);
            self.line += 1;
            return Some(skipped + end);
        } else {
            self.state = if timed(body).is_some() {
                State::Export
            } else {
                State::Lines
            };
        }
        Some(skipped)
    }

    /// One line: a JSON value, or text.
    fn line(&mut self, text: &str, is_last: bool, place: &Place) -> Option<usize> {
        let (line, taken) = match memchr::memchr(b'\n', text.as_bytes()) {
            Some(end) => (&text[..end], end + 1),
            None if is_last && !text.is_empty() => (text, text.len()),
            None => return None,
        };
        self.line += 1;
        if !line.trim().is_empty() {
            self.records.line(
                line.trim_end_matches(['\r', '\n']),
                At {
                    place,
                    line: self.line,
                    ts: None,
                    is_inside: false,
                },
            );
        }
        Some(taken)
    }

    /// One message of an export: up to the next line that begins with a time.
    fn export_message(&mut self, text: &str, is_last: bool, place: &Place) -> Option<usize> {
        if text.is_empty() {
            return None;
        }
        let Some((ts, stream, start)) = timed(text) else {
            return self.line(text, is_last, place);
        };
        let mut end = start;
        let (message_end, taken) = loop {
            match memchr::memchr(b'\n', &text.as_bytes()[end..]) {
                Some(length) => {
                    end += length + 1;
                    match &text[end..] {
                        "" if !is_last => return None,
                        rest if rest.is_empty() || timed(rest).is_some() => break (end, end),
                        _ => {}
                    }
                }
                None if is_last => break (text.len(), text.len()),
                None => return None,
            }
        };
        let message = text[start..message_end].trim_end_matches(['\r', '\n']);
        let own = stream.map(|stream| Place {
            stream: Some(stream.to_owned()),
            ..place.clone()
        });
        self.records.message(
            message,
            At {
                place: own.as_ref().unwrap_or(place),
                line: self.line + 1,
                ts: Some(ts),
                is_inside: true,
            },
        );
        self.line += text[..taken].bytes().filter(|b| *b == b'\n').count() as u64;
        Some(taken)
    }

    /// One value of several that follow each other.
    fn value(&mut self, text: &str, is_last: bool, place: &Place) -> Option<usize> {
        let body = text.trim_start();
        let skipped = text.len() - body.len();
        if body.is_empty() {
            return None;
        }
        if body.starts_with('{') && opening(body).is_some() {
            self.state = State::Start;
            return Some(skipped);
        }
        match self.records.json(
            body,
            At {
                place,
                line: self.number + 1,
                ts: None,
                is_inside: false,
            },
        ) {
            Ok(taken) => {
                self.number += 1;
                Some(skipped + taken)
            }
            Err(error) if error.is_eof() && !is_last => None,
            Err(error) if body.starts_with(DELIVERY) && next_delivery(body).is_some() => {
                let end = next_delivery(body).unwrap_or(body.len());
                self.number += 1;
                let at = At {
                    place,
                    line: self.number,
                    ts: None,
                    is_inside: false,
                };
                self.records.reject(
                    "unknown",
                    &format!("not valid JSON: {error}"),
                    body[..end].trim_end(),
                    at,
                );
                Some(skipped + end)
            }
            Err(error) => {
                let line_end = memchr::memchr(b'\n', body.as_bytes()).map_or(body.len(), |end| end + 1);
                let (bad, behind) = body.split_at(line_end);
                if behind.trim().is_empty() || error.is_eof() {
                    self.refuse_pieces(body, &format!("not valid JSON: {error}"), place);
                    return Some(text.len());
                }
                // One bad line among good ones: the next lines may be values.
                self.number += 1;
                self.records.reject(
                    "unknown",
                    &format!("not valid JSON: {error}"),
                    bad.trim_end(),
                    At {
                        place,
                        line: self.number,
                        ts: None,
                        is_inside: false,
                    },
                );
                Some(skipped + line_end)
            }
        }
    }

    /// One element of an array.
    fn element(&mut self, text: &str, is_last: bool, elements: Elements, place: &Place) -> Option<usize> {
        let body = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        let skipped = text.len() - body.len();
        if body.is_empty() {
            if is_last {
                self.note(format!(
                    "ends too early, after record {}: what came before was read",
                    self.number
                ));
                self.state = State::Over;
            }
            return (skipped > 0).then_some(skipped);
        }
        if body.starts_with(']') {
            self.state = if self.in_object { State::Tail } else { State::Start };
            return Some(skipped + 1);
        }
        let at = At {
            place,
            line: self.number + 1,
            ts: None,
            is_inside: self.in_object,
        };
        match self.records.element(body, elements, at) {
            Ok(taken) => {
                self.number += 1;
                Some(skipped + taken)
            }
            Err(error) if error.is_eof() && !is_last => None,
            Err(error) => match end_of_open(&body[1..], 1).filter(|_| body.starts_with('{')) {
                Some(end) => {
                    self.number += 1;
                    self.records
                        .reject("unknown", &format!("not valid JSON: {error}"), &body[..=end], at);
                    Some(skipped + end + 1)
                }
                None => {
                    self.refuse_pieces(body, &format!("not valid JSON: {error}"), place);
                    Some(text.len())
                }
            },
        }
    }

    /// One row of a table.
    fn row(&mut self, text: &str, is_last: bool, place: &Place) -> Option<usize> {
        let table = self.table.as_ref()?;
        let (cells, taken) = table.row(text, is_last)?;
        let raw = text[..taken].trim_end_matches(['\r', '\n']);
        if cells.iter().any(|cell| !cell.is_empty()) {
            let at = At {
                place,
                line: self.line + 1,
                ts: None,
                is_inside: true,
            };
            table.take(&cells, raw, &mut self.records, at);
        }
        self.line += text[..taken].bytes().filter(|b| *b == b'\n').count() as u64;
        Some(taken)
    }

    /// All that is left, as present state; lines where it is something else.
    fn document(&mut self, text: &str, is_last: bool, place: &Place) -> Option<usize> {
        if !is_last || text.is_empty() {
            return None;
        }
        let at = At {
            place,
            line: 1,
            ts: None,
            is_inside: false,
        };
        if ERRORS.iter().any(|start| text.starts_with(start)) {
            if !self.records.error_message(text, at) {
                self.state = State::Lines;
                return Some(0);
            }
        } else {
            let documents = match text.starts_with('[') {
                true => first_value::<Value>(text)
                    .map(|(list, _)| vec![list])
                    .map_err(|error| error.to_string()),
                false => yaml_documents(text),
            };
            match documents {
                Ok(documents) => {
                    for (line, document) in (1..).zip(&documents) {
                        let at = At { line, ..at };
                        if !self.records.document(document, at) {
                            let reason = "not present state of EKS, IAM or RBAC";
                            self.records.reject("snapshot", reason, &document.to_string(), at);
                        }
                    }
                }
                Err(error) => {
                    let reason = format!("not valid YAML ({error}): save it again, or with -o json");
                    self.records.reject("snapshot", &reason, text, at);
                }
            }
        }
        self.state = State::Over;
        Some(text.len())
    }

    fn tail(&mut self, text: &str, is_last: bool) -> Option<usize> {
        match end_of_open(text, 1) {
            Some(end) => {
                self.state = State::Start;
                Some(end)
            }
            None if is_last && !text.trim().is_empty() => {
                self.note("ends too early, behind its last record".to_owned());
                self.state = State::Over;
                Some(text.len())
            }
            None => None,
        }
    }
}

fn flush_if_full(rows: &mut RowSet, flush: Flush<'_>) -> Result<(), eksplain_lake::Error> {
    if rows.len() % 512 == 511 && rows.bytes() > FLUSH {
        flush(rows)?;
    }
    Ok(())
}

/// How an object of a subscription begins, as Firehose joins them. Quotes inside a text are escaped, so that no message holds this.
const DELIVERY: &str = "{\"messageType\"";

/// Where the next object of a subscription begins.
fn next_delivery(text: &str) -> Option<usize> {
    memchr::memmem::find(&text.as_bytes()[1..], DELIVERY.as_bytes()).map(|at| at + 1)
}

/// How an error message of the AWS CLI begins.
const ERRORS: [&str; 2] = [
    "An error occurred (NoSuchEntity)",
    "aws: [ERROR]: An error occurred (NoSuchEntity)",
];

/// Where a line ends that is a command, pasted with the answer that follows.
fn prompt(text: &str) -> Option<usize> {
    let (line, answer) = text.split_once('\n')?;
    let mut words = line.split_whitespace();
    let is_command = words.any(|word| matches!(word, "kubectl" | "aws" | "eksctl"));
    let is_answer = may_be_yaml(answer) || answer.starts_with(['{', '[']);
    (is_command && is_answer && timed(line).is_none()).then_some(line.len() + 1)
}

/// `{"Records": [` and its like: what the array holds, and where it begins.
fn opening(text: &str) -> Option<(Elements, usize)> {
    let rest = text.strip_prefix('{')?.trim_start().strip_prefix('"')?;
    let (key, rest) = rest.split_at(memchr::memchr(b'"', rest.as_bytes())?);
    let elements = match key {
        "Records" | "Events" => Elements::Values,
        "events" | "logEvents" => Elements::LogEvents,
        "results" => Elements::InsightsRows,
        _ => return None,
    };
    let rest = rest[1..]
        .trim_start()
        .strip_prefix(':')?
        .trim_start()
        .strip_prefix('[')?;
    // Subscription objects whose first key is the array tell their stream behind it: they are read whole.
    (key != "logEvents").then(|| (elements, text.len() - rest.len()))
}

/// A line of an export or of `aws logs tail`: its time, its stream if it says one, where the message begins.
fn timed(text: &str) -> Option<(i64, Option<&str>, usize)> {
    let bytes = text.as_bytes();
    if bytes.len() < 20 || bytes[4] != b'-' || bytes[10] != b'T' || !bytes[0].is_ascii_digit() {
        return None;
    }
    let end = bytes.iter().take(40).position(|b| *b == b' ')?;
    let ts = parse_rfc3339(&text[..end])?;
    // An export's line, and one of `aws logs tail --format short`, which has no zone and means UTC.
    if bytes[end - 1] == b'Z' || end == "2026-11-23T10:00:00".len() {
        return Some((ts, None, end + 1));
    }
    // `--format json` begins a new line behind the stream.
    let length = bytes[end + 1..].iter().position(|b| *b == b' ' || *b == b'\n')?;
    Some((ts, Some(&text[end + 1..end + 1 + length]), end + 1 + length + 1))
}
