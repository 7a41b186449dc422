//! Pages of the AWS console, for links. Whatever does not look like a region or a name gives none: log content never becomes an address.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A cluster's page.
pub(crate) fn cluster(region: &str, name: &str) -> Option<String> {
    let domain = domain(region)?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 100
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    is_name.then(|| format!("https://{region}.{domain}/eks/home?region={region}#/clusters/{name}"))
}

/// The page of a role or a user.
pub(crate) fn principal(arn: &str) -> Option<String> {
    let mut parts = arn.splitn(6, ':');
    let ("arn", partition, "iam", "", account, resource) = (
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    ) else {
        return None;
    };
    let domain = match partition {
        "aws" => "console.aws.amazon.com",
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        _ => return None,
    };
    let (kind, path) = resource.split_once('/')?;
    let kind = match kind {
        "role" => "roles",
        "user" => "users",
        _ => return None,
    };
    let name = path.rsplit('/').next()?;
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let is_name = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b));
    (is_account && is_name).then(|| {
        format!(
            "https://{domain}/iam/home#/{kind}/details/{}",
            utf8_percent_encode(name, RESERVED)
        )
    })
}

/// Where the console of a region's partition is; `None` for what is no region, and for partitions without a public console.
fn domain(region: &str) -> Option<&'static str> {
    let parts: Vec<&str> = region.split('-').collect();
    let (number, words) = parts.split_last()?;
    let is_region = (2..=3).contains(&words.len())
        && words
            .iter()
            .all(|word| (2..=12).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase()))
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit());
    match words.get(..2) {
        _ if !is_region => None,
        Some(["us", "gov"]) => Some("console.amazonaws-us-gov.com"),
        Some(["cn", _]) => Some("console.amazonaws.cn"),
        Some([place, area]) if place.len() == 2 && !area.starts_with("iso") => Some("console.aws.amazon.com"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_console_of_the_partition() {
        let of = |region: &str| cluster(region, "prod-1").unwrap_or_default();
        assert_eq!(
            of("us-west-2"),
            "https://us-west-2.console.aws.amazon.com/eks/home?region=us-west-2#/clusters/prod-1"
        );
        assert_eq!(
            of("cn-north-1"),
            "https://cn-north-1.console.amazonaws.cn/eks/home?region=cn-north-1#/clusters/prod-1"
        );
        assert_eq!(
            of("us-gov-west-1"),
            "https://us-gov-west-1.console.amazonaws-us-gov.com/eks/home?region=us-gov-west-1#/clusters/prod-1"
        );
        assert_eq!(of("us-iso-east-1"), "");
        assert_eq!(of("eusc-de-east-1"), "");
        assert_eq!(
            principal("arn:aws-cn:iam::111122223333:user/ops/ann@example.com").as_deref(),
            Some("https://console.amazonaws.cn/iam/home#/users/details/ann%40example.com")
        );
        assert_eq!(
            principal("arn:aws:iam::111122223333:role/Admin").as_deref(),
            Some("https://console.aws.amazon.com/iam/home#/roles/details/Admin")
        );
    }

    #[test]
    fn what_a_log_made_up_is_no_address() {
        for region in [
            "",
            "evil.example",
            "us-west-2.evil.example/",
            "us-west-2#",
            "US-WEST-2",
            "us-west",
            "1-2-3",
            "us-west-2\u{1b}\\",
        ] {
            assert_eq!(cluster(region, "prod"), None, "{region:?}");
        }
        for name in ["", "-x", "a/b", "a b", "a\u{7}", "é", "a\u{1b}\\"] {
            assert_eq!(cluster("us-west-2", name), None, "{name:?}");
        }
        for arn in [
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::1:role/x",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:role/a b",
            "arn:evil:iam::111122223333:role/a",
            "arn:aws:sts::111122223333:assumed-role/a/b",
            "User:x",
        ] {
            assert_eq!(principal(arn), None, "{arn:?}");
        }
    }
}
