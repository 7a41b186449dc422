//! Percent-encoding, as URLs in logs have it.
//!
//! Rule: RFC 3986, section 2.1.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Decodes once; text that would not be UTF-8 stays as it is.
pub fn decode(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8().unwrap_or(Cow::Borrowed(text))
}
