//! JSON that was cut off: what can be read before the cut.
//!
//! Rule: CloudWatch Logs cuts an event above its size limit at a byte. What stands before the cut is as good as ever; the value in which
//! the cut falls is left out.

/// The text up to the last whole value, with what was open closed; `None` where it is no object or nothing of it is whole.
///
/// ```
/// use eksplain_parse::cut::mend;
/// assert_eq!(mend(r#"{"verb":"patch","user":{"username":"ann","uid":"aws-"#).as_deref(), Some(r#"{"verb":"patch","user":{"username":"ann"}}"#));
/// ```
pub fn mend(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'{') {
        return None;
    }
    let mut open: Vec<u8> = Vec::new();
    // Where the last whole value ends, and how much was open there.
    let mut whole: Option<(usize, Vec<u8>)> = None;
    let mut is_key = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let Some(end) = string_end(bytes, at) else { break };
                // A key alone is no value.
                let is_value = !(open.last() == Some(&b'}') && is_key);
                at = end;
                if is_value {
                    whole = Some((at, open.clone()));
                }
                continue;
            }
            b'{' => {
                open.push(b'}');
                is_key = true;
            }
            b'[' => {
                open.push(b']');
                is_key = false;
            }
            b'}' | b']' => {
                if open.pop() != Some(bytes[at]) {
                    return None;
                }
                whole = Some((at + 1, open.clone()));
            }
            b':' => is_key = false,
            b',' => is_key = open.last() == Some(&b'}'),
            b if b.is_ascii_whitespace() => {}
            _ => {
                // A number or a word is whole only where something stands behind it.
                let end = bytes[at..].iter().position(|b| matches!(b, b',' | b'}' | b']') || b.is_ascii_whitespace());
                let Some(length) = end else { break };
                at += length;
                whole = Some((at, open.clone()));
                continue;
            }
        }
        at += 1;
    }
    let (end, closers) = whole?;
    let mut mended = text.get(..end)?.to_owned();
    mended.extend(closers.iter().rev().map(|closer| char::from(*closer)));
    Some(mended)
}

/// The place behind a string that begins here; `None` where it is cut.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at + 1;
    while let Some(b) = bytes.get(end) {
        match b {
            b'\\' => end += 2,
            b'"' => return Some(end + 1),
            _ => end += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_of_an_object_gives_an_object_that_says_less() {
        let whole = r#"{"a":1,"b":{"c":"x\"y","d":[true,{"e":null}],"f":""},"g":-2.5}"#;
        let value: serde_json::Value = serde_json::from_str(whole).unwrap();
        for end in 0..=whole.len() {
            let Some(mended) = mend(&whole[..end]) else { continue };
            let part: serde_json::Value = serde_json::from_str(&mended).unwrap_or_else(|error| panic!("{mended}: {error}"));
            for (key, inner) in part.as_object().unwrap() {
                assert!(inner.is_object() || value[key] == *inner, "{mended}");
            }
        }
        assert_eq!(mend(whole).as_deref(), Some(whole));
    }

    #[test]
    fn what_is_no_object_is_not_mended() {
        assert_eq!(mend("ey value map\"}}"), None);
        assert_eq!(mend(""), None);
        assert_eq!(mend("{"), None);
    }
}
