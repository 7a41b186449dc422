//! Quotes in messages. What stands in double quotes is a name, and names are chosen by callers: patterns see only that there is one.

use std::borrow::Cow;

/// Names that programs write themselves, which patterns may rely on.
const KEPT: &[&str] = &[
    "aws-auth",
    "aws",
    "aws-iam-authenticator",
    "heptio-authenticator-aws",
    "ExecCredential",
    "client.authentication.k8s.io/v1alpha1",
    "unknown",
    "Unauthorized",
];

/// The spans between double quotes, without them. A backslash protects a quote inside; a quote that nothing closes opens nothing.
pub(super) fn spans(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut open = None;
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], open) {
            (b'\\', Some(_)) => at += 1,
            (b'"', None) => open = Some(at + 1),
            (b'"', Some(start)) => {
                found.push((start, at));
                open = None;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The text with everything in double quotes blanked, byte for byte, but for URLs and the names of [`KEPT`].
pub(super) fn masked(text: &str) -> String {
    let mut masked = text.to_owned();
    for (start, end) in spans(text) {
        let inner = &text[start..end];
        if KEPT.contains(&inner) || is_url(inner) {
            continue;
        }
        masked.replace_range(start..end, &"_".repeat(end - start));
    }
    masked
}

/// An address without blanks and brackets holds no sentence.
fn is_url(text: &str) -> bool {
    (text.starts_with("http://") || text.starts_with("https://"))
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~:/?&=%,+".contains(&b))
}

/// One layer of backslashes undone where the text was copied out of a quoted value: its first quote is a protected one.
pub(super) fn unescaped_once(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..3 {
        match text.find('"') {
            Some(at) if at > 0 && text.as_bytes()[at - 1] == b'\\' => {
                text = Cow::Owned(
                    text.replace("\\\\", "\u{1}")
                        .replace("\\\"", "\"")
                        .replace('\u{1}', "\\"),
                );
            }
            _ => break,
        }
    }
    text
}

/// The places where a message may begin inside another: behind `: `, ` = ` and opening brackets, outside quotes; the outermost first.
pub(super) fn beginnings(masked: &str) -> Vec<usize> {
    let bytes = masked.as_bytes();
    let mut quoted = spans(masked).into_iter().peekable();
    let mut found = vec![0];
    for at in 1..bytes.len() {
        while quoted.next_if(|(_, end)| *end <= at).is_some() {}
        let is_behind = bytes[at - 1] == b'('
            || (at > 1 && bytes[at - 1] == b' ' && matches!(bytes[at - 2], b':' | b'=' | b','))
            || bytes[at - 1] == b'=';
        let is_quoted = quoted.peek().is_some_and(|(start, _)| *start <= at);
        if is_behind && !is_quoted && masked.is_char_boundary(at) {
            found.push(at);
        }
    }
    found
}

/// A quoted message at the end of another, with its place: behind `: ` or `=`, up to the end but for closing marks.
pub(super) fn inner(text: &str) -> Option<(usize, String)> {
    let (start, end) = *spans(text).last()?;
    let before = text[..start - 1].trim_end();
    let is_carried = before.ends_with([':', '=']);
    let behind = &text[end + 1..];
    let is_last = behind
        .trim_matches(|c: char| c.is_ascii_punctuation() || c == ' ')
        .is_empty()
        || behind.starts_with(" (RequestToken: ")
        || behind.starts_with(": exit status ");
    let inner = &text[start..end];
    (is_carried && is_last && inner.contains(' ')).then(|| (start, inner.replace("\\\"", "\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_blanked_and_places_stay() {
        let text = r#"User "x\" is forbidden: exceeded quota" cannot list configmaps "aws-auth""#;
        let hidden = masked(text);
        assert_eq!(hidden.len(), text.len());
        assert!(
            !hidden.contains("exceeded") && hidden.contains("\"aws-auth\""),
            "{hidden}"
        );
        assert_eq!(masked("cut \"here and no end"), "cut \"here and no end");
        assert_eq!(masked("\"é forbidden\"").len(), "\"é forbidden\"".len());
    }

    #[test]
    fn a_copied_layer_of_quoting_is_undone() {
        assert_eq!(unescaped_once(r#"User \"a\" cannot"#), r#"User "a" cannot"#);
        assert_eq!(unescaped_once(r#"User \\\"a\\\" cannot"#), r#"User "a" cannot"#);
        assert_eq!(unescaped_once(r#"User "a\"b" cannot"#), r#"User "a\"b" cannot"#);
        assert_eq!(
            inner(r#"failed: "identity is not mapped"."#),
            Some((9, "identity is not mapped".to_owned()))
        );
        assert_eq!(inner(r#"User "a b" cannot"#), None);
    }
}
