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

use eksplain_parse::time::parse_rfc3339;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::csv::{self, Header};
use super::json::{Scan, Start, Top, first_value};
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
    Tail(Scan),
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
    /// How its records begin, from the first that was sound.
    start: Option<Start>,
    /// Inside a record that is too long to be one: where its end is looked for.
    skips: Option<Scan>,
    /// Bytes taken since the rows were measured.
    unmeasured: usize,
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
            start: None,
            skips: None,
            unmeasured: 0,
        }
    }

    /// Takes what is whole; gives the bytes that were taken. With `is_last` everything is taken.
    pub(super) fn feed(&mut self, text: &str, is_last: bool, flush: Flush<'_>) -> Result<usize, eksplain_lake::Error> {
        let place = std::mem::take(&mut self.place);
        let mut at = 0;
        loop {
            let rest = &text[at..];
            let taken = match self.state {
                _ if self.skips.is_some() => self.skip(rest, is_last, &place),
                State::Start => self.start(rest, is_last),
                State::Lines => self.line(rest, is_last, &place),
                State::Export => self.export_message(rest, is_last, &place),
                State::Values => self.value(rest, is_last, &place),
                State::Array(elements) => self.element(rest, is_last, elements, &place),
                State::Csv => self.row(rest, is_last, &place),
                State::Document => self.document(rest, is_last, &place),
                State::Tail(scan) => self.tail(rest, is_last, scan),
                State::Over => None,
            };
            let Some(taken) = taken else { break };
            at += taken;
            // What rows take is summed over their columns: not for every record.
            self.unmeasured += taken;
            if self.unmeasured > MEASURE_EVERY {
                self.unmeasured = 0;
                if self.records.rows.bytes() > FLUSH {
                    flush(self.records.rows)?;
                }
            }
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

    /// Gives up the record at the beginning of the text, all of which is taken: its end is looked for in what comes.
    pub(super) fn give_up_record(&mut self, text: &str) {
        let place = self.place.clone();
        self.note(format!(
            "record {}: {TOO_LONG}; it is in rejects",
            self.number.max(self.line) + 1
        ));
        let mut scan = Scan::open();
        let is_closed = scan.end(text.trim_start().get(1..).unwrap_or_default()).is_some();
        let by_lines = matches!(self.state, State::Lines | State::Export | State::Csv);
        self.skips = (by_lines || !is_closed).then_some(scan);
        self.reject_pieces(text, TOO_LONG, &place);
    }

    pub(super) fn note(&mut self, reason: String) {
        self.records.counts.problems.push(Problem {
            uri: self.records.uri.to_owned(),
            reason,
        });
    }

    /// More of a record that is too long to be one.
    fn skip(&mut self, text: &str, is_last: bool, place: &Place) -> Option<usize> {
        if text.is_empty() {
            return None;
        }
        let behind_line = || memchr::memchr(b'\n', text.as_bytes()).map(|end| end + 1);
        let end = match self.state {
            State::Lines | State::Export | State::Csv => behind_line(),
            State::Document | State::Over => None,
            State::Start | State::Values | State::Array(_) | State::Tail(_) => {
                let closed = self.skips?.end(text);
                let next = self.next_record(text);
                match closed.into_iter().chain(next).min() {
                    // The next record's beginning may be cut by the end of the text.
                    None if !is_last => {
                        let kept = Start::LONGEST.min(text.len());
                        let taken = text.floor_char_boundary(text.len() - kept);
                        if taken == 0 {
                            return None;
                        }
                        self.skips.as_mut()?.end(&text[..taken]);
                        self.reject_pieces(&text[..taken], TOO_LONG, place);
                        return Some(taken);
                    }
                    end => end,
                }
            }
        };
        if end.is_some() {
            self.skips = None;
        }
        let taken = end.unwrap_or(text.len());
        self.reject_pieces(&text[..taken], TOO_LONG, place);
        Some(taken)
    }

    /// Where reading goes on behind a record that cannot be read: at its last bracket or at the beginning of the next, whichever comes
    /// first, so that it does not matter how much of the text is seen.
    fn behind_damage(&self, body: &str) -> Option<usize> {
        let own = Start::of(body).filter(|_| self.start.is_none());
        // In stretches that double: what is damaged a million times must not be looked through to its end each time.
        let mut length = NEAR;
        loop {
            let seen = &body[..body.floor_char_boundary(length)];
            let closed = seen
                .strip_prefix(['{', '['])
                .and_then(|inside| Scan::open().end(inside))
                .map(|end| end + 1);
            let line = (self.state == State::Values)
                .then(|| memchr::memmem::find(seen.as_bytes(), b"\n{"))
                .flatten()
                .map(|at| at + 1);
            let alike = own.as_ref().and_then(|start| start.find_behind(seen));
            let found = [closed, line, alike, self.next_record(seen)]
                .into_iter()
                .flatten()
                .min();
            let is_whole = seen.len() == body.len();
            if is_whole || found.is_some_and(|end| end + Start::LONGEST <= seen.len()) {
                return found;
            }
            length *= 2;
        }
    }

    /// Rejects the record at the beginning of the text and says where the next begins; `None` where more of the text must tell.
    fn reject_damaged(&mut self, body: &str, is_last: bool, error: &serde_json::Error, place: &Place) -> Option<usize> {
        let reason = format!("not valid JSON: {error}");
        let Some(end) = self.behind_damage(body) else {
            if !is_last {
                return None;
            }
            self.note(format!(
                "record {}: {reason}; it and what follows are in rejects",
                self.number + 1
            ));
            self.reject_pieces(body, &reason, place);
            return Some(body.len());
        };
        let text = body[..end].trim_end_matches(|c: char| c == ',' || c.is_ascii_whitespace());
        self.reject_pieces(text, &reason, place);
        Some(end)
    }

    /// Rejects a text, in pieces that are kept whole.
    fn reject_pieces(&mut self, text: &str, reason: &str, place: &Place) {
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
            let is_one_line = match first_value::<IgnoredAny>(body) {
                Err(error) if error.is_eof() && !is_last => return None,
                Ok((_, end)) => {
                    let behind = body[end..].lines().next().unwrap_or_default();
                    !body[..end].contains('\n') && behind.trim().is_empty()
                }
                Err(_) => false,
            };
            self.state = if is_one_line { State::Lines } else { State::Values };
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
                self.note_start(body);
                Some(skipped + taken)
            }
            Err(error) if error.is_eof() && !is_last => None,
            Err(error) if body.starts_with(['{', '[']) => self
                .reject_damaged(body, is_last, &error, place)
                .map(|taken| skipped + taken),
            // Text between values: the next line, or what begins as a record does, may be one.
            Err(error) => {
                let line = memchr::memchr(b'\n', body.as_bytes()).map(|end| end + 1);
                let next = self.next_record(line.map_or(body, |end| &body[..end]));
                let end = match line.into_iter().chain(next).min() {
                    Some(end) => end,
                    None if is_last => body.len(),
                    None => return None,
                };
                self.reject_pieces(body[..end].trim_end(), &format!("not valid JSON: {error}"), place);
                Some(skipped + end)
            }
        }
    }

    /// Where the next record seems to begin, the beginning of the text aside.
    fn next_record(&self, text: &str) -> Option<usize> {
        // The one that was noted may itself have been damaged.
        let noted = self.start.as_ref().and_then(|start| start.find_behind(text));
        noted.into_iter().chain(Start::find_known_behind(text)).min()
    }

    fn note_start(&mut self, record: &str) {
        if self.start.is_none() {
            self.start = Start::of(record);
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
        if let Some(behind) = body.strip_prefix(']') {
            let next = behind.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
            if self.in_object && next.is_empty() && !is_last {
                return None;
            }
            // Behind an object's array a key comes, or the object's end: a record behind it says that the bracket is damage.
            if self.in_object && next.starts_with(['{', '[']) {
                self.reject_pieces("]", "not valid JSON: an array's end before its last record", place);
                return Some(skipped + 1);
            }
            self.state = if self.in_object {
                State::Tail(Scan::open())
            } else {
                State::Start
            };
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
                self.note_start(body);
                Some(skipped + taken)
            }
            Err(error) if error.is_eof() && !is_last => None,
            Err(error) => self
                .reject_damaged(body, is_last, &error, place)
                .map(|taken| skipped + taken),
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

    fn tail(&mut self, text: &str, is_last: bool, mut scan: Scan) -> Option<usize> {
        match scan.end(text) {
            Some(end) => {
                self.state = State::Start;
                Some(end)
            }
            None if text.is_empty() => None,
            None => {
                self.state = State::Tail(scan);
                if is_last && !text.trim().is_empty() {
                    self.note("ends too early, behind its last record".to_owned());
                    self.state = State::Over;
                }
                Some(text.len())
            }
        }
    }
}

/// Bytes of text after which the rows are measured again.
const MEASURE_EVERY: usize = 256 * 1024;

/// Bytes behind a damaged record in which the next is looked for first.
const NEAR: usize = 4096;

const TOO_LONG: &str = "a record longer than 64 MiB";

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
