//! Lines of a width: broken at spaces; a word that is wider than a line, such as an ARN, is folded and never cut.

use textwrap::core::Fragment;
use textwrap::wrap_algorithms::wrap_first_fit;
use unicode_width::UnicodeWidthChar;

use super::{Span, Text};

/// Where a long word is folded best: behind these.
const SEAMS: [char; 7] = ['/', ':', '-', '_', '.', ',', '='];

/// Letters with the span that each is of, and the spaces behind them.
#[derive(Debug, Default)]
struct Word {
    letters: Vec<(char, usize)>,
    width: usize,
    spaces: usize,
}

impl Fragment for Word {
    fn width(&self) -> f64 {
        self.width as f64
    }

    fn whitespace_width(&self) -> f64 {
        self.spaces as f64
    }

    fn penalty_width(&self) -> f64 {
        0.0
    }
}

impl Word {
    fn push(&mut self, letter: (char, usize)) {
        self.width += letter.0.width().unwrap_or(0);
        self.letters.push(letter);
    }

    /// Parts that fit into a width.
    fn fold(self, width: usize) -> Vec<Self> {
        if self.width <= width {
            return vec![self];
        }
        let (mut parts, mut part) = (Vec::new(), Self::default());
        for letter in self.letters {
            if part.width + letter.0.width().unwrap_or(0) > width && part.width > 0 {
                let seam = part.letters.iter().rposition(|(letter, _)| SEAMS.contains(letter));
                // A seam near the beginning would waste the line.
                let cut = seam
                    .map(|seam| seam + 1)
                    .filter(|cut| *cut * 2 > part.letters.len())
                    .unwrap_or(part.letters.len());
                let behind = part.letters.split_off(cut);
                part.width = part.letters.iter().map(|(c, _)| c.width().unwrap_or(0)).sum();
                parts.push(std::mem::take(&mut part));
                behind.into_iter().for_each(|letter| part.push(letter));
            }
            part.push(letter);
        }
        part.spaces = self.spaces;
        parts.push(part);
        parts
    }
}

/// Breaks text into lines: the first of one width, the others of another.
pub(in crate::render) fn lines(text: &Text, first: usize, others: usize) -> Vec<Text> {
    let narrow = first.min(others).max(1);
    let words: Vec<Word> = words(text).into_iter().flat_map(|word| word.fold(narrow)).collect();
    let widths = [first as f64, others as f64];
    wrap_first_fit(&words, &widths)
        .into_iter()
        .map(|words| line(text, words))
        .collect()
}

fn words(text: &Text) -> Vec<Word> {
    let (mut words, mut word) = (Vec::new(), Word::default());
    for (at, span) in text.spans.iter().enumerate() {
        for letter in span.text.chars() {
            if letter == ' ' && !span.is_whole {
                word.spaces += 1;
                continue;
            }
            if word.spaces > 0 {
                words.push(std::mem::take(&mut word));
            }
            word.push((letter, at));
        }
    }
    words.push(word);
    words
}

/// The spans of one line; spaces at its end are left out.
fn line(text: &Text, words: &[Word]) -> Text {
    let mut line = Text::new();
    let mut last = None;
    let mut push = |letter: char, of: Option<usize>| {
        if last != Some(of) || line.spans.is_empty() {
            let span = of.and_then(|at| text.spans.get(at));
            line.spans.push(Span {
                text: String::new(),
                style: span.map(|span| span.style).unwrap_or_default(),
                link: span.and_then(|span| span.link.clone()),
                is_whole: false,
            });
            last = Some(of);
        }
        if let Some(span) = line.spans.last_mut() {
            span.text.push(letter);
        }
    };
    for (at, word) in words.iter().enumerate() {
        word.letters.iter().for_each(|(letter, of)| push(*letter, Some(*of)));
        let next = words.get(at + 1).and_then(|word| word.letters.first());
        let Some((_, next)) = next else { continue };
        // Spaces inside a span are of it, so that what is linked stays one.
        let of = word.letters.last().map(|(_, of)| *of).filter(|of| of == next);
        (0..word.spaces).for_each(|_| push(' ', of));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(text: Text, first: usize, others: usize) -> Vec<String> {
        let plain = |line: &Text| line.spans.iter().map(|span| span.text.as_str()).collect::<String>();
        lines(&text, first, others).iter().map(plain).collect()
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        let text = Text::new().strong("one").plain(", two three  four");
        assert_eq!(fitted(text, 10, 12), ["one, two", "three  four"]);
    }

    #[test]
    fn an_arn_is_folded_behind_its_seams_and_loses_nothing() {
        let arn = "arn:aws:iam::111122223333:role/AWSReservedSSO_PlatformAdmin_0123456789abcdef";
        let parts = fitted(arn.into(), 40, 40);
        assert_eq!(
            parts,
            [
                "arn:aws:iam::111122223333:role/",
                "AWSReservedSSO_PlatformAdmin_",
                "0123456789abcdef"
            ]
        );
        assert_eq!(parts.concat(), arn);
        let parts = fitted("x".repeat(50).as_str().into(), 20, 20);
        assert_eq!(parts.iter().map(String::len).collect::<Vec<_>>(), [20, 20, 10]);
    }

    #[test]
    fn wide_letters_take_two_columns() {
        assert_eq!(fitted("日本語日本語".into(), 6, 6), ["日本語", "日本語"]);
    }
}
