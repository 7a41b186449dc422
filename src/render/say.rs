//! What is said beside the answer, on stderr: errors, warnings, notes, hints. The first word is coloured and says the same without.

use std::borrow::Cow;

use eksplain_lake::without_secrets;

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
    eprintln!("  {}: {}", painted(style, label), one_line(text));
}

/// A command that is useful next, between backticks, and what it gives.
pub(crate) fn hint(command: &str, gives: &str) {
    let command = painted(Style::Good, &one_line(command));
    eprintln!("{}: `{command}` {}", painted(Style::Literal, "hint"), one_line(gives));
}

fn say(style: Style, label: &str, text: &str) {
    eprintln!("{}: {}", painted(style, label), one_line(text));
}

/// Nobody reads more than this of one message; what is longer came from outside.
const LONGEST: usize = 4_000;

/// A message on its own line: nothing in it begins another, and what is long is cut in the middle.
fn one_line(text: &str) -> String {
    let text = match text.chars().count() {
        length if length > LONGEST => {
            let begin: String = text.chars().take(LONGEST / 2).collect();
            let end: String = text.chars().skip(length - LONGEST / 4).collect();
            Cow::from(format!("{begin} … ({length} characters) … {end}"))
        }
        _ => Cow::from(text),
    };
    escape(&without_secrets(&text)).replace('\n', "\\n")
}

fn painted(style: Style, text: &str) -> String {
    if Terminal::current().is_stderr_coloured {
        style.paint(text)
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_of_bounded_length() {
        assert_eq!(one_line("a\nerror: all is well\r"), "a\\nerror: all is well\\u{d}");
        let long = one_line(&"x".repeat(1_000_000));
        assert!(long.len() < LONGEST && long.contains("(1000000 characters)"));
    }
}
