//! `key=value` pairs as logrus prints them.

use std::borrow::Cow;

use nom::bytes::complete::{tag, take_while, take_while1};
use nom::{IResult, Parser};

use super::classify::finish;
use super::{AuthenticatorRecord, Format, Problem};

/// A key: logrus never quotes one.
fn key(input: &str) -> IResult<&str, &str> {
    let is_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@');
    (take_while1(is_key), tag("=")).map(|(key, _)| key).parse(input)
}

/// A value without quotes; may be empty.
fn bare(input: &str) -> IResult<&str, &str> {
    take_while(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/' | '@' | '^' | '+'))(input)
}

/// What a quoted value turned out to be.
enum Quoted<'a> {
    Whole {
        value: Cow<'a, str>,
        rest: &'a str,
        bad_utf8: bool,
    },
    Cut {
        value: Cow<'a, str>,
    },
}

/// Parses a text line that begins with a pair.
pub(super) fn parse(line: &str) -> AuthenticatorRecord<'_> {
    let mut record = AuthenticatorRecord::empty(Format::Text);
    record.fields.reserve(8);
    let mut rest = line;
    while !rest.is_empty() {
        let Ok((after_key, name)) = key(rest) else {
            // `stsendpo` at the end is a cut; anything else is not logrus's.
            let is_cut = rest
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
            stop(
                &mut record,
                if is_cut { Problem::Truncated } else { Problem::Malformed },
            );
            if !is_cut {
                record.partial = Some((Cow::Borrowed(""), Cow::Borrowed(rest)));
            }
            break;
        };
        let after_value = if after_key.starts_with('"') {
            match quoted(after_key) {
                Quoted::Whole { value, rest, bad_utf8 } => {
                    if bad_utf8 {
                        record.note(Problem::InvalidUtf8);
                    }
                    keep(&mut record, name, value);
                    rest
                }
                Quoted::Cut { value } => {
                    record.partial = Some((Cow::Borrowed(name), value));
                    stop(&mut record, Problem::Truncated);
                    break;
                }
            }
        } else {
            let (after, value) = bare(after_key).unwrap_or((after_key, ""));
            if !after.is_empty() && !after.starts_with(' ') {
                record.partial = Some((Cow::Borrowed(name), Cow::Borrowed(value)));
                stop(&mut record, Problem::Malformed);
                break;
            }
            keep(&mut record, name, Cow::Borrowed(value));
            after
        };
        if after_value.is_empty() {
            break;
        }
        let Some(next) = after_value.strip_prefix(' ') else {
            record.partial = Some((Cow::Borrowed(""), Cow::Borrowed(after_value)));
            stop(&mut record, Problem::Malformed);
            break;
        };
        rest = next;
    }
    finish(&mut record);
    record
}

fn stop(record: &mut AuthenticatorRecord<'_>, problem: Problem) {
    record.complete = false;
    record.note(problem);
}

/// Keeps the first of two equal keys: logrus never writes a second.
fn keep<'a>(record: &mut AuthenticatorRecord<'a>, name: &'a str, value: Cow<'a, str>) {
    let slot = match name {
        "time" => &mut record.time,
        "level" => &mut record.level,
        "msg" => &mut record.msg,
        _ => {
            if record.fields.iter().any(|(k, _)| k == name) {
                record.note(Problem::DuplicateKey);
            } else {
                record.fields.push((Cow::Borrowed(name), value));
            }
            return;
        }
    };
    if slot.is_some() {
        record.note(Problem::DuplicateKey);
    } else {
        *slot = Some(value);
    }
}

/// Reads a Go `%q` string, which begins with its quote.
fn quoted(input: &str) -> Quoted<'_> {
    let body = &input[1..];
    match memchr::memchr2(b'"', b'\\', body.as_bytes()) {
        None => Quoted::Cut {
            value: Cow::Borrowed(body),
        },
        Some(end) if body.as_bytes()[end] == b'"' => Quoted::Whole {
            value: Cow::Borrowed(&body[..end]),
            rest: &body[end + 1..],
            bad_utf8: false,
        },
        Some(_) => unescape(body),
    }
}

/// Undoes `strconv.Quote`; `\xNN` is a byte, so the result is decoded at the end.
fn unescape(body: &str) -> Quoted<'_> {
    let bytes = body.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(body.len());
    let mut at = 0;
    loop {
        let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else {
            out.extend_from_slice(&bytes[at..]);
            return Quoted::Cut { value: decode(out).0 };
        };
        out.extend_from_slice(&bytes[at..at + found]);
        at += found;
        if bytes[at] == b'"' {
            let (value, bad_utf8) = decode(out);
            return Quoted::Whole {
                value,
                rest: &body[at + 1..],
                bad_utf8,
            };
        }
        let Some(used) = escape(&bytes[at + 1..], &mut out) else {
            return Quoted::Cut { value: decode(out).0 };
        };
        at += 1 + used;
    }
}

fn decode<'a>(bytes: Vec<u8>) -> (Cow<'a, str>, bool) {
    match String::from_utf8(bytes) {
        Ok(text) => (Cow::Owned(text), false),
        Err(error) => (Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()), true),
    }
}

/// Decodes what follows a backslash; gives how many bytes it took, or `None` where the line ends inside.
fn escape(rest: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let (letter, digits) = (
        *rest.first()?,
        match rest.first()? {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        },
    );
    if digits > 0 {
        let hex = std::str::from_utf8(rest.get(1..=digits)?)
            .ok()
            .and_then(|h| u32::from_str_radix(h, 16).ok());
        match (letter, hex) {
            (b'x', Some(byte)) => out.push(byte as u8),
            (_, Some(code)) => {
                let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            // Not Go's: kept as written.
            (_, None) => {
                out.extend_from_slice(&[b'\\', letter]);
                return Some(1);
            }
        }
        return Some(1 + digits);
    }
    let byte = match letter {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'v' => 11,
        b'"' | b'\\' | b'\'' => letter,
        other => {
            out.push(b'\\');
            other
        }
    };
    out.push(byte);
    Some(1)
}

/// Writes a value as logrus would: quoted where it holds any letter outside the bare set.
#[cfg(test)]
pub(super) fn quote(value: &str) -> String {
    let is_bare = value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/' | '@' | '^' | '+'));
    if is_bare {
        return value.to_owned();
    }
    let mut out = String::from('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if (c as u32) < 32 || c as u32 == 127 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if c.is_ascii() || c.is_alphanumeric() => out.push(c),
            c if (c as u32) < 0x10000 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Outcome, parse_line};
    use super::quote;

    proptest! {
        #[test]
        fn what_logrus_quotes_is_read_back(error in any::<String>(), session in any::<String>()) {
            let line = format!(
                "time=\"2026-03-02T09:14:05Z\" level=warning msg=\"access denied\" error={} session={}",
                quote(&error), quote(&session));
            let record = parse_line(&line);
            prop_assert!(record.complete, "{:?}", record);
            prop_assert_eq!(record.field("error"), Some(error.as_str()));
            prop_assert_eq!(record.field("session"), Some(session.as_str()));
            prop_assert_eq!(record.fields.len(), 2);
            prop_assert_eq!(record.outcome(), Outcome::Denied);
        }

        #[test]
        fn no_text_panics(line in any::<String>()) {
            let _ = parse_line(&line);
        }

        #[test]
        fn a_cut_line_is_never_a_grant_by_accident(cut in 0usize..220) {
            let line = "time=\"2026-03-02T09:14:05Z\" level=info msg=\"access granted\" arn=\"arn:aws:iam::111122223333:role/Ops\" groups=\"[system:masters x]\" method=POST path=/authenticate uid=\"aws-iam-authenticator:1:AROA\" username=ops";
            let cut = cut.min(line.len() - 1);
            let record = parse_line(&line[..cut]);
            if record.outcome() == Outcome::Granted {
                // Only the last, bare value can have been cut unseen.
                prop_assert!(line[..cut].contains(" username="));
            }
        }
    }

    #[test]
    fn a_line_of_many_kilobytes_is_read_whole() {
        let long = "a\"b ".repeat(32 * 1024);
        let line = format!("time=\"2026-03-02T09:14:05Z\" level=info msg={}", quote(&long));
        assert_eq!(parse_line(&line).msg.as_deref(), Some(long.as_str()));
    }
}
