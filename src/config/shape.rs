//! What a single value must look like. Each function gives what to write instead.

use eksplain_aws::s3::Place;
use eksplain_ingest::Layout;

use super::words::{REGIONS, nearest};
use crate::settings::{DayEnd, Micros, time};

/// What to do about a value; the caller knows which one it is.
pub(crate) type Advice = String;

const TIMES: &str = "write 2026-11-23T10:00:00Z, 2026-11-23, or how long ago: 90d, 2h, 30m";

/// Any text but none.
pub(super) fn not_empty(text: &str) -> Result<(), Advice> {
    if text.is_empty() {
        Err("write something, or leave the key out".to_owned())
    } else {
        Ok(())
    }
}

/// The form of a region's name; whether AWS has such a region is another question ([`unknown_region`]).
pub(crate) fn region(text: &str) -> Result<(), Advice> {
    let mut parts = text.rsplitn(2, '-');
    let number = parts
        .next()
        .is_some_and(|part| (1..=2).contains(&part.len()) && is_of(part, |b| b.is_ascii_digit()));
    let place = parts.next().unwrap_or_default();
    let is_place = place.split('-').count() >= 2
        && place
            .split('-')
            .all(|part| part.len() >= 2 && is_of(part, |b| b.is_ascii_lowercase()));
    if number && is_place && text.len() <= 25 {
        return Ok(());
    }
    Err(nearest(text, REGIONS.iter().copied()).map_or_else(
        || "write a region code, for instance us-east-1".to_owned(),
        |region| format!("did you mean `{region}`?"),
    ))
}

/// Whether a region is new to eksplain, with the one that was perhaps meant.
pub(super) fn unknown_region(text: &str) -> Option<Advice> {
    if REGIONS.contains(&text) {
        return None;
    }
    Some(nearest(text, REGIONS.iter().copied()).map_or_else(
        || "if AWS has it, it works".to_owned(),
        |region| format!("did you mean `{region}`?"),
    ))
}

/// An account id: twelve digits.
pub(crate) fn account(text: &str) -> Result<(), Advice> {
    if text.len() == 12 && is_of(text, |b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err("an account id has 12 digits, for instance \"111122223333\"".to_owned())
}

/// A role's name or its ARN.
pub(crate) fn role(text: &str) -> Result<(), Advice> {
    let is_name = |name: &str| {
        (1..=64).contains(&name.len()) && is_of(name, |b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b))
    };
    let is_role = match text.strip_prefix("arn:") {
        None => is_name(text),
        Some(rest) => match rest.split(':').collect::<Vec<_>>().as_slice() {
            [partition, "iam", "", id, role] => {
                partition.starts_with("aws")
                    && account(id).is_ok()
                    && role
                        .strip_prefix("role/")
                        .is_some_and(|path| path.rsplit('/').next().is_some_and(is_name))
            }
            _ => false,
        },
    };
    if is_role {
        return Ok(());
    }
    Err(
        "write the role's name (`eksplain-read`) or its ARN (`arn:aws:iam::111122223333:role/eksplain-read`)"
            .to_owned(),
    )
}

/// An external id as STS takes it.
pub(crate) fn external_id(text: &str) -> Result<(), Advice> {
    if (2..=1224).contains(&text.len()) && is_of(text, |b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b)) {
        return Ok(());
    }
    Err("an external id has 2 to 1224 letters, digits and +=,.@:/-_".to_owned())
}

/// A time, as `--since` takes it, without `last`.
pub(super) fn moment(text: &str, now: Micros, end: DayEnd) -> Result<Micros, Advice> {
    time("a time", text, now, end).map_err(|_| TIMES.to_owned())
}

/// A beginning, as `--since` takes it.
pub(crate) fn window(text: &str, now: Micros) -> Result<(), Advice> {
    if text == "last" {
        return Ok(());
    }
    moment(text, now, DayEnd::First)
        .map(drop)
        .map_err(|advice| format!("{advice}, or last to continue where the lake ends"))
}

/// A place in S3.
pub(crate) fn place(text: &str) -> Result<(), Advice> {
    let place: Place = text.parse().map_err(|_| "write s3://BUCKET/PREFIX".to_owned())?;
    let name = &place.bucket;
    let is_edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let is_bucket = (3..=63).contains(&name.len())
        && is_of(name, |b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-'
        })
        && is_edge(name.as_bytes().first())
        && is_edge(name.as_bytes().last());
    if is_bucket {
        return Ok(());
    }
    Err("a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens".to_owned())
}

/// A name of a cluster, in which `*` is any text and `?` any letter.
pub(super) fn glob(text: &str) -> Result<(), Advice> {
    if !text.is_empty() && is_of(text, |b| b.is_ascii_alphanumeric() || b"-_*?".contains(&b)) {
        return Ok(());
    }
    Err("a cluster's name has letters, digits, - and _; `*` matches any text, `?` one character".to_owned())
}

/// The service whose events are looked up.
pub(super) fn event_source(text: &str) -> Result<(), Advice> {
    let name = text.strip_suffix(".amazonaws.com").unwrap_or(text);
    if !name.is_empty() && is_of(name, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Ok(());
    }
    Err("write for instance `eks`, `iam.amazonaws.com`, or `all`".to_owned())
}

/// What the steps of each path mean.
pub(super) fn layout(text: &str) -> Result<(), Advice> {
    match text.parse::<Layout>() {
        Ok(_) => Ok(()),
        Err(_) => Err("steps are {account} {region} {cluster} {stream} * ** and names, for instance '{account}/{region}/{cluster}/{stream}/*'".to_owned()),
    }
}

/// A log group's name.
pub(super) fn log_group(text: &str) -> Result<(), Advice> {
    if (1..=512).contains(&text.len()) && is_of(text, |b| b.is_ascii_alphanumeric() || b"_-/.#".contains(&b)) {
        return Ok(());
    }
    Err("write for instance `/aws/eks/prod/cluster`".to_owned())
}

/// A topic of SNS.
pub(crate) fn topic(text: &str) -> Result<(), Advice> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_topic = match parts.as_slice() {
        ["arn", partition, "sns", place, id, name] => {
            partition.starts_with("aws")
                && region(place).is_ok()
                && account(id).is_ok()
                && (1..=256).contains(&name.len())
                && is_of(name, |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        }
        _ => false,
    };
    if is_topic {
        return Ok(());
    }
    Err("write the ARN of a standard topic, for instance `arn:aws:sns:us-east-1:111122223333:eks-access`".to_owned())
}

/// A key of KMS: its id, ARN or alias.
pub(super) fn kms_key(text: &str) -> Result<(), Advice> {
    let is_name = |name: &str| !name.is_empty() && is_of(name, |b| b.is_ascii_alphanumeric() || b"/_-:".contains(&b));
    let is_key = match text.strip_prefix("arn:") {
        Some(rest) => {
            let parts: Vec<&str> = rest.splitn(5, ':').collect();
            matches!(parts.as_slice(), [_, "kms", place, id, key]
                if region(place).is_ok() && account(id).is_ok() && (key.starts_with("key/") || key.starts_with("alias/")))
        }
        None => text
            .strip_prefix("alias/")
            .map_or_else(|| text.contains('-') && is_name(text), is_name),
    };
    if is_key {
        return Ok(());
    }
    Err("write the key's id, its ARN, or `alias/NAME`".to_owned())
}

fn is_of(text: &str, is_member: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(is_member)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(is_right: impl Fn(&str) -> bool, right: &[&str], wrong: &[&str]) {
        right.iter().for_each(|text| assert!(is_right(text), "{text}"));
        wrong.iter().for_each(|text| assert!(!is_right(text), "{text}"));
    }

    #[test]
    fn values_have_their_shapes() {
        check(
            |text| region(text).is_ok(),
            &[
                "us-east-1",
                "us-gov-west-1",
                "eusc-de-east-1",
                "us-isob-east-1",
                "xx-new-12",
            ],
            &[
                "",
                "us-east",
                "us-east-1a",
                "US-EAST-1",
                "useast1",
                "us--1",
                "all",
                "us-east-123",
                "é-east-1",
            ],
        );
        assert_eq!(region("us-east1").unwrap_err(), "did you mean `us-east-1`?");
        assert_eq!(
            unknown_region("us-esat-1").as_deref(),
            Some("did you mean `us-east-1`?")
        );
        check(
            |text| account(text).is_ok(),
            &["111122223333", "000000000001"],
            &[
                "",
                "11112222333",
                "1111222233334",
                "1111-2222-3333",
                "org",
                "११११२२२२३३३३",
            ],
        );
        check(
            |text| role(text).is_ok(),
            &[
                "eksplain-read",
                "arn:aws:iam::111122223333:role/x",
                "arn:aws-cn:iam::111122223333:role/path/to/x",
            ],
            &[
                "",
                "role/x",
                "arn:aws:iam::1:role/x",
                "arn:aws:iam::111122223333:user/x",
                "a b",
                "arn:aws:iam::111122223333:role/",
            ],
        );
        check(
            |text| place(text).is_ok(),
            &["s3://my-trail", "s3://my-trail/AWSLogs/", "s3://a.b.c/x y"],
            &[
                "",
                "my-trail",
                "s3://",
                "s3://My/x",
                "s3:///x",
                "http://x/y",
                "s3://-a-/x",
            ],
        );
        check(
            |text| topic(text).is_ok(),
            &["arn:aws:sns:us-east-1:111122223333:eks-access"],
            &[
                "arn:aws:sns:us-east-1:111122223333:a.fifo",
                "arn:aws:sqs:us-east-1:111122223333:q",
                "arn:aws:sns:::x",
                "topic",
            ],
        );
        check(
            |text| kms_key(text).is_ok(),
            &[
                "alias/reports",
                "1234abcd-12ab-34cd-56ef-1234567890ab",
                "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                "arn:aws:kms:us-east-1:111122223333:alias/reports",
            ],
            &["", "alias/", "arn:aws:kms:us-east-1:111122223333:x", "reports"],
        );
        check(
            |text| glob(text).is_ok(),
            &["prod", "prod-*", "?"],
            &["", "prod/*", "[a]", "a b"],
        );
        check(
            |text| window(text, 0).is_ok(),
            &["last", "90d", "2026-11-23"],
            &["", "lst", "90", "yesterday"],
        );
        check(
            |text| event_source(text).is_ok(),
            &["eks", "iam.amazonaws.com"],
            &["", "eks.com", "E"],
        );
    }
}
