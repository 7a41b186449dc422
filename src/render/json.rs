//! JSON as it leaves the program: what a terminal would obey is written as an escape, which every reader takes for the same text.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// One JSON document, indented.
pub(crate) fn json<T: Serialize>(out: &mut dyn Write, document: &T) -> io::Result<()> {
    write(out, document, Inert(PrettyFormatter::new()))
}

/// One JSON document on a line.
pub(crate) fn json_line<T: Serialize>(out: &mut dyn Write, document: &T) -> io::Result<()> {
    write(out, document, Inert(CompactFormatter))
}

fn write<T: Serialize, F: Formatter>(out: &mut dyn Write, document: &T, formatter: F) -> io::Result<()> {
    document.serialize(&mut Serializer::with_formatter(&mut *out, formatter))?;
    writeln!(out)
}

/// Another formatter, whose strings hold no control character: serde_json escapes those of C0 alone.
struct Inert<F>(F);

/// DEL, C1, and what turns the direction of writing or ends a line.
fn is_acting(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl<F: Formatter> Formatter for Inert<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(is_acting) {
            self.0.write_string_fragment(out, &rest[..at])?;
            let mut behind = rest[at..].chars();
            if let Some(c) = behind.next() {
                write!(out, "\\u{:04x}", u32::from(c))?;
            }
            rest = behind.as_str();
        }
        self.0.write_string_fragment(out, rest)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json as value};

    use super::*;

    #[test]
    fn control_characters_are_escapes_and_the_same_text() {
        let document =
            value!({"a\u{9b}": ["\u{1b}[31m\u{85}\u{9b}31m\u{7f}", "é \u{202e}x\u{2028}", null, 1.5], "b": {}});
        for write in [json::<Value>, json_line::<Value>] {
            let mut out = Vec::new();
            write(&mut out, &document).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(
                !text
                    .trim_end()
                    .chars()
                    .any(|c| c != '\n' && (c.is_control() || is_acting(c))),
                "{text:?}"
            );
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
        }
        let mut out = Vec::new();
        json(&mut out, &document).unwrap();
        assert!(
            String::from_utf8(out)
                .unwrap()
                .starts_with("{\n  \"a\\u009b\": [\n    ")
        );
    }
}
