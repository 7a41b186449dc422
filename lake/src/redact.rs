//! Secrets that logs hold stay outside: what is stored has a mark in their place.
//!
//! Rules have names, and look at marks that a secret has by itself (a token's head, a key block) or by the name of its field. The mark
//! keeps the rule, the length and 16 bits of a hash, so that equal secrets can be told equal and none can be guessed: of 65,536 guesses
//! one fits by chance. The ids of records are made of the original text, so that a record is the same whatever the rules are. Access key
//! IDs are no secrets: they are what leads from a session to a person.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::packed::{self, Searcher};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// No secret is shorter than a text that could hold one with its name.
const SHORTEST_TEXT: usize = 12;
/// Makes the hashes of marks others than those of the same texts elsewhere.
const SEED: u64 = 0x656b_7370_6c61_696e;

/// What stands in the place of a secret begins so.
const MARK: &str = "(redacted";

/// What a mark at a place leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// `k8s-aws-v1.…`: a presigned URL that logs in.
    EksToken,
    /// Three parts of base64url with dots between.
    Jwt,
    /// `X-Amz-Signature=…`, `X-Amz-Security-Token=…`, `Signature=…`.
    Signature,
    /// What stands between the lines of a private key.
    PrivateKey,
    /// The credential of an `Authorization` header.
    Authorization,
    /// `Bearer …`.
    Bearer,
    /// A session token of STS, by its head.
    SessionToken,
    /// The value of a field that is called so.
    Field,
    /// An object of kind Secret.
    SecretObject,
}

/// Marks, with what they are of. They are compared letter by letter, because that is several times as fast; so those that are spelt in
/// several ways stand here in each, or without their first letter.
const MARKS: &[(&str, Rule)] = &[
    ("k8s-aws-v1.", Rule::EksToken),
    ("eyJ", Rule::Jwt),
    ("X-Amz-Signature", Rule::Signature),
    ("x-amz-signature", Rule::Signature),
    ("X-Amz-Security-Token", Rule::Signature),
    ("x-amz-security-token", Rule::Signature),
    ("Signature=", Rule::Signature),
    ("PRIVATE KEY-----", Rule::PrivateKey),
    ("uthorization\"", Rule::Authorization),
    ("uthorization\\\"", Rule::Authorization),
    ("uthorization:", Rule::Authorization),
    ("uthorization=", Rule::Authorization),
    ("earer ", Rule::Bearer),
    ("IQoJ", Rule::SessionToken),
    ("FwoGZX", Rule::SessionToken),
    ("ecretAccessKey", Rule::Field),
    ("ecretaccesskey", Rule::Field),
    ("ecret_access_key", Rule::Field),
    ("ECRET_ACCESS_KEY", Rule::Field),
    ("ecretKey", Rule::Field),
    ("ecret_key", Rule::Field),
    ("ECRET_KEY", Rule::Field),
    ("lientSecret", Rule::Field),
    ("lient_secret", Rule::Field),
    ("LIENT_SECRET", Rule::Field),
    ("ecretString", Rule::Field),
    ("essionToken", Rule::Field),
    ("ession_token", Rule::Field),
    ("ESSION_TOKEN", Rule::Field),
    ("ccessToken", Rule::Field),
    ("ccess_token", Rule::Field),
    ("efreshToken", Rule::Field),
    ("efresh_token", Rule::Field),
    ("dToken", Rule::Field),
    ("d_token", Rule::Field),
    ("uthToken", Rule::Field),
    ("uth_token", Rule::Field),
    ("UTH_TOKEN", Rule::Field),
    ("piKey", Rule::Field),
    ("pi_key", Rule::Field),
    ("PI_KEY", Rule::Field),
    ("assword", Rule::Field),
    ("ASSWORD", Rule::Field),
    ("asswd", Rule::Field),
    ("\"Secret\"", Rule::SecretObject),
    ("\"SecretList\"", Rule::SecretObject),
];

static FINDER: LazyLock<Searcher> = LazyLock::new(|| {
    packed::Config::new()
        .match_kind(packed::MatchKind::LeftmostFirst)
        .builder()
        .extend(MARKS.iter().map(|(mark, _)| mark))
        .build()
        .expect("the marks are few and short")
});

impl Rule {
    /// The word of the mark that stays.
    const fn id(self) -> &'static str {
        match self {
            Self::EksToken => "eks-token",
            Self::Jwt => "jwt",
            Self::Signature => "signature",
            Self::PrivateKey => "private-key",
            Self::Authorization => "authorization",
            Self::Bearer => "bearer",
            Self::SessionToken => "session-token",
            Self::Field => "field",
            Self::SecretObject => "secret-data",
        }
    }
}

/// A message without the secrets that a log, or a service that was asked, put into it.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    redact(text).0
}

/// The text without secrets, and how many it had.
pub(crate) fn redact(text: &str) -> (Cow<'_, str>, u64) {
    if text.len() < SHORTEST_TEXT {
        return (Cow::Borrowed(text), 0);
    }
    let mut found: Vec<(Range<usize>, Rule)> = Vec::new();
    let mut has_secret_object = false;
    for hit in FINDER.find_iter(text) {
        let rule = MARKS[hit.pattern().as_usize()].1;
        has_secret_object |= rule == Rule::SecretObject;
        let range = range_of(text, rule, hit.start(), hit.end());
        let range = range.filter(|range| !text[range.clone()].starts_with(MARK));
        if let Some(range) = range.filter(|range| found.last().is_none_or(|(last, _)| last.end <= range.start)) {
            found.push((range, rule));
        }
    }
    let text = match found.is_empty() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(replaced(text, &found)),
    };
    let count = found.len() as u64;
    if !has_secret_object {
        return (text, count);
    }
    let (text, more) = match secret_data(&text, false) {
        Some((cleaned, more)) => (Cow::Owned(cleaned), more),
        None => (text, 0),
    };
    (text, count + more)
}

/// The JSON of a request for secrets, or of what it answered: all of their data is secret, whether the object says its kind or not.
pub(crate) fn redact_secret(json: &str) -> (Cow<'_, str>, u64) {
    match secret_data(json, true) {
        Some((text, count)) => {
            let (again, more) = redact(&text);
            (Cow::Owned(again.into_owned()), count + more)
        }
        None => redact(json),
    }
}

/// Where the secret stands that a mark announces.
fn range_of(text: &str, rule: Rule, start: usize, end: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let run = |from: usize, is_of: &dyn Fn(u8) -> bool| {
        from + bytes[from..]
            .iter()
            .position(|b| !is_of(*b))
            .unwrap_or(bytes.len() - from)
    };
    let is_base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'%' | b'_' | b'-');
    let begins = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
    match rule {
        Rule::EksToken => {
            let stop = run(end, &is_base64url);
            (stop - end >= 16).then_some(start..stop)
        }
        Rule::Jwt => {
            let head = run(start, &is_base64url);
            if !begins || head - start < 10 || bytes.get(head) != Some(&b'.') {
                return None;
            }
            let body = run(head + 1, &is_base64url);
            if body - head < 10 || bytes.get(body) != Some(&b'.') {
                return None;
            }
            Some(start..run(body + 1, &is_base64url))
        }
        Rule::SessionToken => {
            let stop = run(start, &is_base64);
            (begins && stop - start >= 80).then_some(start..stop)
        }
        Rule::PrivateKey => {
            let stop = text[end..].find("-----END").map_or(text.len(), |at| end + at);
            (stop > end).then_some(end..stop)
        }
        Rule::Bearer => {
            let is_of = |b: u8| is_base64(b) || matches!(b, b'.' | b'~');
            let stop = run(end, &is_of);
            (stop - end >= 8).then_some(end..stop)
        }
        Rule::Signature => {
            let name_end = if bytes[end - 1] == b'=' { end - 1 } else { end };
            value_of(text, name_end).filter(|range| range.len() >= 16)
        }
        Rule::Authorization => {
            let name_end = start + "uthorization".len();
            let range = value_of(text, name_end)?;
            let value = &text[range.clone()];
            // The scheme stays; AWS's own header names its key, and its signature is found by itself.
            if value.starts_with("AWS4-") {
                return None;
            }
            let scheme = ["Bearer ", "Basic ", "bearer ", "basic ", "token ", "Token "]
                .into_iter()
                .find(|scheme| text[range.start..].starts_with(scheme));
            let from = range.start + scheme.map_or(0, str::len);
            let stop = match scheme {
                Some(_) => run(from, &|b| is_base64(b) || matches!(b, b'.' | b'~' | b':')),
                None => range.end,
            };
            // `decision=…` of an annotation's name and the like have no credential.
            (stop - from >= 8).then_some(from..stop)
        }
        Rule::Field => value_of(text, end),
        Rule::SecretObject => None,
    }
}

/// The value behind a field's name: after `"`, `:`, `=` or their escapes, to where it ends. `null`, truth values and nested values are
/// none.
fn value_of(text: &str, name_end: usize) -> Option<Range<usize>> {
    let rest = &text[name_end..];
    let bytes = rest.as_bytes();
    let mut at = 0;
    let skip_blanks = |at: &mut usize| {
        while bytes.get(*at).is_some_and(|b| matches!(b, b' ' | b'\t')) {
            *at += 1;
        }
    };
    // The end of a quoted name, once or more times escaped.
    let quote_at = |at: usize| {
        let slashes = bytes[at..].iter().take_while(|b| **b == b'\\').count();
        matches!(bytes.get(at + slashes), Some(b'"' | b'\'')).then_some(slashes + 1)
    };
    let name_quote = quote_at(at);
    at += name_quote.unwrap_or(0);
    skip_blanks(&mut at);
    match bytes.get(at) {
        Some(b':' | b'=') => at += 1,
        Some(b'%') if rest[at..].starts_with("%3D") || rest[at..].starts_with("%3d") => at += 3,
        _ => return None,
    }
    skip_blanks(&mut at);
    let from = at;
    match quote_at(at) {
        Some(quote) => {
            let (open, from) = (&rest[at..at + quote], at + quote);
            // To the same quote, with no more slashes before it.
            let mut end = from;
            loop {
                let next = rest[end..].find(open)? + end;
                let before = rest[from..next].bytes().rev().take_while(|b| *b == b'\\').count();
                if before % 2 == 0 {
                    end = next;
                    break;
                }
                end = next + open.len();
            }
            (end > from).then_some(name_end + from..name_end + end)
        }
        None => {
            let is_end = |b: &u8| {
                b.is_ascii_whitespace()
                    || matches!(
                        b,
                        b'&' | b',' | b';' | b'"' | b'\'' | b'\\' | b'}' | b'{' | b'[' | b']' | b'<' | b'>'
                    )
            };
            let end = from + bytes[from..].iter().position(is_end).unwrap_or(bytes.len() - from);
            let value = &rest[from..end];
            let is_none = matches!(value, "" | "null" | "true" | "false" | "None");
            (!is_none).then_some(name_end + from..name_end + end)
        }
    }
}

fn replaced(text: &str, found: &[(Range<usize>, Rule)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (range, rule) in found {
        out.push_str(&text[from..range.start]);
        out.push_str(&mark(*rule, &text[range.clone()]));
        from = range.end;
    }
    out.push_str(&text[from..]);
    out
}

/// What stands in the place of a secret: nothing in it has a meaning in JSON, URLs or headers.
fn mark(rule: Rule, secret: &str) -> String {
    let hash = xxh3_64_with_seed(secret.as_bytes(), SEED) & 0xffff;
    format!("{MARK} {} {} {hash:04x})", rule.id(), secret.len())
}

/// The JSON without the data of Secret objects; `None` where it has none. `is_secret` takes every object for one.
fn secret_data(json: &str, is_secret: bool) -> Option<(String, u64)> {
    let mut document: Value = serde_json::from_str(json).ok()?;
    let mut secrets = Vec::new();
    clean(&mut document, is_secret, &mut secrets);
    if secrets.is_empty() {
        return None;
    }
    // As it was written, where the values can be found in it; what a value repeats elsewhere (the last applied configuration) goes too.
    let mut text = json.to_owned();
    for secret in &secrets {
        let spelled = Value::from(secret.as_str()).to_string();
        let inner = &spelled[1..spelled.len() - 1];
        let mark = mark(Rule::SecretObject, secret);
        if inner.len() >= 6 {
            text = text.replace(inner, &mark);
        } else {
            text = text.replace(&spelled, &format!("\"{mark}\""));
        }
    }
    let mut left = Vec::new();
    let is_clean = serde_json::from_str::<Value>(&text).is_ok_and(|mut again| {
        clean(&mut again, is_secret, &mut left);
        left.is_empty()
    });
    let text = if is_clean { text } else { document.to_string() };
    Some((text, secrets.len() as u64))
}

/// Takes the values of `data` and `stringData` out of Secret objects.
fn clean(value: &mut Value, is_secret: bool, secrets: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, is_secret, secrets)),
        Value::Object(fields) => {
            let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
            let is_own = is_secret || kind == "Secret" || kind == "SecretList";
            for (name, field) in fields.iter_mut() {
                match (name.as_str(), &mut *field) {
                    ("data" | "stringData", Value::Object(entries)) if is_own => {
                        for entry in entries.values_mut() {
                            let Value::String(text) = entry else { continue };
                            let is_mark = text.starts_with(MARK);
                            if !is_mark && !text.is_empty() {
                                secrets.push(std::mem::replace(text, mark(Rule::SecretObject, text)));
                            }
                        }
                    }
                    (_, field) => clean(field, is_own && name == "items" || is_secret, secrets),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJlLW9mLWl0";

    #[test]
    fn secrets_of_every_kind_go_and_what_surrounds_them_stays() {
        let token = format!("k8s-aws-v1.{}", "aHR0cHM6Ly9zdHMu".repeat(4));
        let session = format!("IQoJb3JpZ2luX2Vj{}", "Ab3/+=".repeat(20));
        let cases = [
            (format!("Authorization: Bearer {token} x"), token.as_str()),
            (format!("\"token\":\"{token}\""), &token),
            (format!("a {JWT} b"), JWT),
            (
                "GET /?X-Amz-Signature=0123456789abcdef0123456789abcdef&x=1".to_owned(),
                "0123456789abcdef0123456789abcdef",
            ),
            (format!("?X-Amz-Security-Token={session}&x=1"), &session),
            (
                "Credential=AKIAEXAMPLE/x, Signature=0123456789abcdef0123456789abcdef".to_owned(),
                "0123456789abcdef0123456789abcdef",
            ),
            (
                format!("{{\"credentials\":{{\"accessKeyId\":\"ASIA1\",\"sessionToken\":\"{session}\"}}}}"),
                &session,
            ),
            (format!("token is {session}"), &session),
            (
                "{\"secretAccessKey\": \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"}".to_owned(),
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            ),
            (
                "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY next".to_owned(),
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            ),
            (
                "{\"password\":\"hunter \\\"2\\\"\",\"b\":1}".to_owned(),
                "hunter \\\"2\\\"",
            ),
            ("a\\\"password\\\":\\\"hunter2\\\",b".to_owned(), "hunter2"),
            ("https://x/?password=hunter2&a=b".to_owned(), "hunter2"),
            (
                "{\"Authorization\":\"Basic dXNlcjpodW50ZXIy\"}".to_owned(),
                "dXNlcjpodW50ZXIy",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\\nMIIEowIBAAKCAQEA\\n-----END RSA PRIVATE KEY-----".to_owned(),
                "MIIEowIBAAKCAQEA",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA".to_owned(),
                "MIIEowIBAAKCAQEA",
            ),
        ];
        for (text, secret) in cases {
            let (clean, count) = redact(&text);
            assert!(count >= 1 && !clean.contains(secret), "{text}: {clean}");
            let whole: Value = serde_json::from_str(&text).unwrap_or_default();
            assert!(
                whole.is_null() || serde_json::from_str::<Value>(&clean).is_ok(),
                "{clean}"
            );
            assert_eq!(redact(&clean).0, clean, "once is enough");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "{\"authorization.k8s.io/decision\":\"allow\",\"authorization.k8s.io/reason\":\"RBAC: allowed\"}",
            "{\"passwordResetRequired\":true,\"passwordLastUsed\":\"2026-11-01T00:00:00Z\",\"password\":null}",
            "{\"resource\":\"secrets\",\"verb\":\"get\",\"nextToken\":\"eyJhIjoxfQ==\",\"clientRequestToken\":\"6e7f\"}",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef",
            "{\"accessKeyId\":\"ASIAEXAMPLEEXAMPLE\",\"kind\":\"ConfigMap\",\"data\":{\"mapRoles\":\"- rolearn: x\"}}",
            "the user changed the password policy",
            "bearer of news",
        ] {
            assert_eq!(redact(text), (Cow::Borrowed(text), 0));
        }
    }

    #[test]
    fn data_of_secret_objects_goes_wherever_it_is_repeated() {
        let object = r#"{ "kind":"Secret", "metadata":{"name":"db","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"user\":\"YWRtaW4tdXNlcg==\"}}"}}, "data":{"user":"YWRtaW4tdXNlcg==","x":"YQ=="} }"#;
        let (clean, count) = redact(object);
        assert_eq!(count, 2);
        assert!(
            !clean.contains("YWRtaW4tdXNlcg") && !clean.contains("\"YQ==\""),
            "{clean}"
        );
        assert!(clean.contains("\"name\":\"db\"") && clean.starts_with("{ \"kind\""));
        let list = r#"{"kind":"SecretList","items":[{"metadata":{},"stringData":{"a":"plain text"}}]}"#;
        assert!(!redact(list).0.contains("plain text"));
        let patch = r#"{"data":{"a":"c2VjcmV0"}}"#;
        assert_eq!(redact(patch).1, 0);
        assert!(!redact_secret(patch).0.contains("c2VjcmV0"));
    }

    #[test]
    fn equal_secrets_are_told_equal() {
        let marks: Vec<String> = ["hunter2", "hunter2", "hunter3"]
            .iter()
            .map(|secret| redact(&format!("password={secret}")).0.into_owned())
            .collect();
        assert_eq!(marks[0], marks[1]);
        assert_ne!(marks[0], marks[2]);
        assert!(marks[0].starts_with("password=(redacted field 7 "), "{}", marks[0]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in ".{0,200}", mark in 0..MARKS.len(), tail in ".{0,60}") {
            let text = format!("{text}{}{tail}", MARKS[mark].0);
            let (clean, _) = redact(&text);
            let _ = redact_secret(&clean);
        }
    }
}
