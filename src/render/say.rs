//! What is said beside the answer, on stderr: errors, warnings, notes, hints. The first word is coloured and says the same without.

use super::escape;
use super::terminal::Terminal;
use super::text::Style;

pub(crate) fn error(text: &str) {
    say(Style::Error, "error", text);
}

pub(crate) fn warning(text: &str) {
    say(Style::Warning, "warning", text);
}

pub(crate) fn note(text: &str) {
    say(Style::Warning, "note", text);
}

/// What an error's cause is and what to do, below it.
pub(crate) fn below(label: &str, text: &str) {
    let style = if label == "do" { Style::Literal } else { Style::Strong };
    eprintln!("  {}: {}", painted(style, label), escape(text));
}

/// A command that is useful next, between backticks, and what it gives.
pub(crate) fn hint(command: &str, gives: &str) {
    let command = painted(Style::Good, &escape(command));
    eprintln!("{}: `{command}` {}", painted(Style::Literal, "hint"), escape(gives));
}

fn say(style: Style, label: &str, text: &str) {
    eprintln!("{}: {}", painted(style, label), escape(text));
}

fn painted(style: Style, text: &str) -> String {
    if Terminal::current().is_stderr_coloured {
        style.paint(text)
    } else {
        text.to_owned()
    }
}
