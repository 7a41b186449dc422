//! Text with meaning: what is strong, an error, a command. It is escaped when it is made, before any style, so that nothing out of a
//! log acts on the terminal.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::escape;
use super::terminal::Terminal;

mod fit;

pub(super) use fit::lines;

/// What a piece of text is. Colours only repeat what words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Style {
    #[default]
    Plain,
    /// A name, a heading: bold
    Strong,
    /// What is read second: dim
    Faint,
    /// Red
    Error,
    /// Yellow
    Warning,
    /// Success, and commands to copy: green
    Good,
    /// A hint, a word to be typed as it is: cyan
    Literal,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Error => "31",
            Self::Warning => "33",
            Self::Good => "32",
            Self::Literal => "36",
        }
    }

    /// Wraps escaped text for a terminal with colours.
    pub(super) fn paint(self, text: &str) -> String {
        match self.code() {
            "" => text.to_owned(),
            code => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

/// A run of text in one style.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Span {
    text: String,
    style: Style,
    link: Option<String>,
    /// Its spaces end no line.
    is_whole: bool,
}

/// A line of spans, before it is fitted to a width.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    spans: Vec<Span>,
}

impl Text {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// More text, in a style.
    pub(crate) fn styled(mut self, style: Style, text: &str) -> Self {
        self.spans.push(Span {
            text: one_line(text),
            style,
            link: None,
            is_whole: false,
        });
        self
    }

    pub(crate) fn plain(self, text: &str) -> Self {
        self.styled(Style::Plain, text)
    }

    pub(crate) fn strong(self, text: &str) -> Self {
        self.styled(Style::Strong, text)
    }

    pub(crate) fn faint(self, text: &str) -> Self {
        self.styled(Style::Faint, text)
    }

    pub(crate) fn warning(self, text: &str) -> Self {
        self.styled(Style::Warning, text)
    }

    pub(crate) fn literal(self, text: &str) -> Self {
        self.styled(Style::Literal, text)
    }

    /// Makes the latest piece lead somewhere. The address is one of `render::link`, never out of a log.
    pub(crate) fn linked(mut self, link: Option<String>) -> Self {
        if let Some(span) = self.spans.last_mut() {
            span.link = link;
        }
        self
    }

    /// The same, strong.
    pub(crate) fn made_strong(mut self) -> Self {
        self.spans.iter_mut().for_each(|span| span.style = Style::Strong);
        self
    }

    /// Keeps the latest piece on one line, if a line has room for it.
    pub(crate) fn whole(mut self) -> Self {
        if let Some(span) = self.spans.last_mut() {
            span.is_whole = true;
        }
        self
    }

    /// This text, then another.
    pub(crate) fn then(mut self, other: Self) -> Self {
        self.spans.extend(other.spans);
        self
    }

    /// Spaces up to a width.
    pub(crate) fn padded(self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        self.plain(&" ".repeat(missing))
    }

    /// Columns on one line.
    pub(crate) fn width(&self) -> usize {
        self.spans.iter().map(|span| span.text.width()).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans.iter().all(|span| span.text.is_empty())
    }

    /// Writes it as the terminal shows it, without an end of line.
    pub(super) fn write(&self, out: &mut dyn Write, terminal: Terminal) -> io::Result<()> {
        for span in &self.spans {
            if !terminal.is_coloured {
                out.write_all(span.text.as_bytes())?;
                continue;
            }
            let text = span.style.paint(&span.text);
            match span.link.as_ref().filter(|_| terminal.has_links) {
                Some(link) => write!(out, "\u{1b}]8;;{link}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\")?,
                None => out.write_all(text.as_bytes())?,
            }
        }
        Ok(())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new().plain(text)
    }
}

/// Escaped, and on one line: a line break out of a log would make a line that eksplain did not say.
fn one_line(text: &str) -> String {
    escape(text).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_out_of_a_log_makes_no_line_and_no_style_of_its_own() {
        let text = Text::new().strong("a\n● active\u{1b}[0m\u{9b}1m");
        let mut out = Vec::new();
        let terminal = Terminal {
            width: 80,
            is_coloured: true,
            has_links: true,
            is_stderr_coloured: true,
        };
        text.write(&mut out, terminal).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\u{1b}[1ma\\n● active\\u{1b}[0m\\u{9b}1m\u{1b}[0m"
        );
    }
}
