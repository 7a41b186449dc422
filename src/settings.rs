//! What was typed, as what it means: times are absolute.

use eksplain_analyze::time::parse_rfc3339;

use crate::error::Failure;

/// Microseconds since 1970, UTC.
pub(crate) type Micros = i64;

const SECOND: Micros = 1_000_000;
const DAY: Micros = 86_400 * SECOND;

/// The present moment.
pub(crate) fn now() -> Micros {
    jiff::Timestamp::now().as_microsecond()
}

/// The present moment in whole seconds, as documents say when they were made.
pub(crate) fn made_at() -> String {
    eksplain_analyze::time::format_rfc3339(now() / SECOND * SECOND)
}

/// Which end of a day a bare date means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DayEnd {
    First,
    Last,
}

/// A time as a person writes it, a date for its whole day: RFC 3339, a date, or how long ago (`90d`, `2h`).
pub(crate) fn time(option: &str, text: &str, now: Micros, end: DayEnd) -> Result<Micros, Failure> {
    if let Some(time) = relative(text) {
        return Ok(now - time);
    }
    let is_date = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| {
            if at == 4 || at == 7 {
                b == b'-'
            } else {
                b.is_ascii_digit()
            }
        });
    let time = if is_date {
        parse_rfc3339(&format!("{text}T00:00:00Z"))
    } else {
        parse_rfc3339(text)
    };
    match (time, is_date, end) {
        // Of today, what has passed.
        (Some(time), true, DayEnd::Last) if (time..time + DAY).contains(&now) => Ok(now),
        (Some(time), true, DayEnd::Last) => Ok(time + DAY - 1),
        (Some(time), ..) => Ok(time),
        (None, ..) => Err(Failure::usage(
            format!("could not read {option} {text:?} as a time"),
            "write 2026-11-23T10:00:00Z, 2026-11-23, or how long ago: 90d, 2h, 30m",
        )),
    }
}

fn relative(text: &str) -> Option<Micros> {
    let unit = match text.chars().last()? {
        's' => SECOND,
        'm' => 60 * SECOND,
        'h' => 3600 * SECOND,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    let count: i64 = text[..text.len() - 1].parse().ok().filter(|count| *count >= 0)?;
    count.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = parse_rfc3339("2026-11-24T12:00:00Z").unwrap();
        let read = |text: &str, end| {
            time("--at", text, now, end)
                .ok()
                .map(eksplain_analyze::time::format_rfc3339)
        };
        assert_eq!(read("2h", DayEnd::First).as_deref(), Some("2026-11-24T10:00:00Z"));
        assert_eq!(
            read("2026-11-23", DayEnd::First).as_deref(),
            Some("2026-11-23T00:00:00Z")
        );
        assert_eq!(
            read("2026-11-23", DayEnd::Last).as_deref(),
            Some("2026-11-23T23:59:59.999999Z")
        );
        assert_eq!(
            read("2026-11-23T10:00:00+01:00", DayEnd::First).as_deref(),
            Some("2026-11-23T09:00:00Z")
        );
        assert_eq!(
            read("2026-11-24", DayEnd::Last).as_deref(),
            Some("2026-11-24T12:00:00Z")
        );
        for wrong in ["", "d", "yesterday", "-2h", "2026-13-40"] {
            assert_eq!(read(wrong, DayEnd::First), None, "{wrong}");
        }
    }
}
