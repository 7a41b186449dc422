//! JSON text as text: white space outside strings removed without reading the values.

use std::borrow::Cow;

/// The text without white space outside strings, borrowed where a look at its beginning shows that it has none.
///
/// Writers of JSON are consistent: whoever puts no blank after the first bracket and the first colon puts none later. A text
/// that breaks this habit only stays as it is. The value is the same either way.
pub fn minify(raw: &str) -> Cow<'_, str> {
    let bytes = raw.as_bytes();
    let blank_inside = bytes.get(1).is_some_and(u8::is_ascii_whitespace);
    // The first colon and the first comma behind a string: a look without the set-up of a substring search.
    let blank_after = |mark: u8| {
        let mut places = memchr::memchr_iter(mark, bytes);
        let first = places.find(|at| *at > 0 && bytes[at - 1] == b'"');
        first
            .and_then(|at| bytes.get(at + 1))
            .is_some_and(u8::is_ascii_whitespace)
    };
    let (blank_after_colon, blank_after_comma) = (blank_after(b':'), blank_after(b','));
    if !(blank_inside || blank_after_colon || blank_after_comma) || !matches!(bytes.first(), Some(b'{' | b'[')) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in raw.chars() {
        if in_string {
            out.push(c);
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if !c.is_ascii_whitespace() {
            in_string = c == '"';
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_go_and_strings_stay() {
        assert_eq!(
            minify("{ \"a b\" : [ 1, \"x \\\" y\" ] }"),
            "{\"a b\":[1,\"x \\\" y\"]}"
        );
        assert!(matches!(minify("{\"a\":\"b c\"}"), Cow::Borrowed(_)));
    }
}
