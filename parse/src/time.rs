//! Times of logs: RFC 3339 in and out, as microseconds since 1970 in UTC.
//!
//! Rule: RFC 3339, with the liberties that logs take (a space for the `T`, no zone for UTC, up to 9 decimals).
//!
//! ```
//! use eksplain_parse::time::{format_rfc3339, parse_rfc3339};
//! let t = parse_rfc3339("2026-11-23T10:02:03.25Z").unwrap();
//! assert_eq!(format_rfc3339(t), "2026-11-23T10:02:03.250Z");
//! ```

/// Microseconds since 1970-01-01T00:00:00Z; negative before.
pub type Micros = i64;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// The time a text says, or `None` where it is no time of the years 1 to 9999. Decimals beyond the sixth are cut.
pub fn parse_rfc3339(text: &str) -> Option<Micros> {
    let b = text.as_bytes();
    if b.len() < 19 || !matches!(b[10], b'T' | b't' | b' ') {
        return None;
    }
    if b[4] != b'-' || b[7] != b'-' || b[13] != b':' || b[16] != b':' {
        return None;
    }
    let (year, month, day) = (digits(&b[0..4])?, digits(&b[5..7])?, digits(&b[8..10])?);
    let (hour, minute, second) = (digits(&b[11..13])?, digits(&b[14..16])?, digits(&b[17..19])?);
    if year == 0 || !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = &b[19..];
    let mut fraction = 0;
    if let [b'.' | b',', decimals @ ..] = rest {
        let count = decimals.iter().take_while(|c| c.is_ascii_digit()).count();
        if count == 0 || count > 9 {
            return None;
        }
        fraction = (0..6).fold(0, |sum, i| {
            sum * 10 + decimals.get(i).filter(|_| i < count).map_or(0, |c| i64::from(c - b'0'))
        });
        rest = &decimals[count..];
    }
    let offset = match rest {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] | [sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
            let seconds = digits(&[*h1, *h2])? * 3600 + digits(&[*m1, *m2])? * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(seconds * MICROS_PER_SECOND + fraction)
}

/// RFC 3339 in UTC with the fewest decimals (none, 3 or 6) that lose nothing.
pub fn format_rfc3339(time: Micros) -> String {
    let days = time.div_euclid(MICROS_PER_DAY);
    let rest = time.rem_euclid(MICROS_PER_DAY);
    let (year, month, day) = civil_from_days(days);
    let (seconds, micros) = (rest / MICROS_PER_SECOND, rest % MICROS_PER_SECOND);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let head = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    match micros {
        0 => format!("{head}Z"),
        m if m % 1000 == 0 => format!("{head}.{:03}Z", m / 1000),
        m => format!("{head}.{m:06}Z"),
    }
}

/// The UTC date of a time, as `2026-11-23`.
pub fn format_date(time: Micros) -> String {
    let (year, month, day) = civil_from_days(time.div_euclid(MICROS_PER_DAY));
    format!("{year:04}-{month:02}-{day:02}")
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes
        .iter()
        .try_fold(0, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_every_spelling() {
        let noon = parse_rfc3339("2026-03-02T12:00:00Z").unwrap();
        for same in [
            "2026-03-02 12:00:00",
            "2026-03-02T12:00:00.000000Z",
            "2026-03-02T04:00:00-08:00",
            "2026-03-02T12:00:00+0000",
        ] {
            assert_eq!(parse_rfc3339(same), Some(noon), "{same}");
        }
        assert_eq!(parse_rfc3339("2026-03-02T12:00:00.1234567Z"), Some(noon + 123_456));
        for wrong in [
            "",
            "2026-13-02T12:00:00Z",
            "2026-02-30T12:00:00Z",
            "2026-03-02T12:00:00.Z",
            "2026-03-02T12:00:00 UTC",
            "x",
        ] {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_time_is_written_as_it_was_read() {
        for text in [
            "1969-12-31T23:59:59.999999Z",
            "2000-02-29T00:00:00Z",
            "2026-11-23T10:02:03.250Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(format_rfc3339(parse_rfc3339(text).unwrap()), text);
        }
    }
}
