//! A page for people: paragraphs, aligned rows, commands, all fitted to the terminal.

use std::io::{self, Write};

use super::terminal::Terminal;
use super::text::{Style, Text, lines};

/// Columns between two cells.
const GUTTER: usize = 2;

/// The last cell of a row needs this much room beside the others.
const LAST_CELL: usize = 30;

/// Where an answer is written to.
pub(crate) struct Page<'w> {
    out: &'w mut dyn Write,
    terminal: Terminal,
}

/// What stands left of every line: a tree's branch on the first, its trunk on the others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Margin {
    first: Text,
    others: Text,
}

impl Margin {
    /// So many spaces.
    pub(crate) fn of(spaces: usize) -> Self {
        let spaces = Text::from(" ".repeat(spaces).as_str());
        Self {
            first: spaces.clone(),
            others: spaces,
        }
    }

    /// A branch of a tree.
    pub(crate) fn branch(is_last: bool) -> Self {
        let (first, others) = if is_last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        Self {
            first: Text::new().faint(first),
            others: Text::new().faint(others),
        }
    }

    /// A word before the text; the other lines begin below the text.
    pub(crate) fn labelled(&self, label: Text) -> Self {
        let spaces = label.width();
        Self {
            first: self.first.clone().then(label),
            others: self.others.clone().plain(&" ".repeat(spaces)),
        }
    }

    /// What goes on below the first line, further in.
    pub(crate) fn below(&self, spaces: usize) -> Self {
        let others = self.others.clone().plain(&" ".repeat(spaces));
        Self {
            first: others.clone(),
            others,
        }
    }

    /// The first line as it is, the others further in.
    pub(crate) fn hanging(&self, spaces: usize) -> Self {
        Self {
            first: self.first.clone(),
            others: self.others.clone().plain(&" ".repeat(spaces)),
        }
    }
}

impl<'w> Page<'w> {
    pub(crate) fn new(out: &'w mut dyn Write) -> Self {
        Self {
            out,
            terminal: Terminal::current(),
        }
    }

    pub(crate) fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// Text at the left edge; what does not fit goes on two columns further in.
    pub(crate) fn line(&mut self, text: &Text) -> io::Result<()> {
        self.paragraph(&Margin::default().hanging(2), text)
    }

    /// Text beside a margin, broken at spaces.
    pub(crate) fn paragraph(&mut self, margin: &Margin, text: &Text) -> io::Result<()> {
        let room = |margin: &Text| self.terminal.width.saturating_sub(margin.width()).max(8);
        let fitted = lines(text, room(&margin.first), room(&margin.others));
        for (at, line) in fitted.iter().enumerate() {
            let margin = if at == 0 { &margin.first } else { &margin.others };
            margin.write(self.out, self.terminal)?;
            line.write(self.out, self.terminal)?;
            self.blank()?;
        }
        Ok(())
    }

    /// A command to copy: on one line whatever its length. What a here-document holds stands at the left edge, as the shell needs it.
    pub(crate) fn command(&mut self, margin: &Margin, command: &str) -> io::Result<()> {
        margin.first.write(self.out, self.terminal)?;
        if !command.contains("<<'EOF'\n") {
            return self.verbatim_line(Style::Good, command);
        }
        command
            .split('\n')
            .try_for_each(|line| self.verbatim_line(Style::Good, line))
    }

    /// Lines as they are but for what would act on the terminal.
    pub(crate) fn verbatim(&mut self, margin: &Margin, text: &str) -> io::Result<()> {
        text.split('\n').try_for_each(|line| {
            margin.first.write(self.out, self.terminal)?;
            self.verbatim_line(Style::Plain, line)
        })
    }

    fn verbatim_line(&mut self, style: Style, line: &str) -> io::Result<()> {
        Text::new().styled(style, line).write(self.out, self.terminal)?;
        self.blank()
    }

    /// Rows of cells in columns. The last cell wraps beside the others; where there is no room for that, each row becomes its first
    /// cell with the others below.
    pub(crate) fn rows(&mut self, margin: &Margin, rows: &[Vec<Text>]) -> io::Result<()> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(Text::width).max();
        let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
        let Some((last, others)) = widths.split_last() else {
            return Ok(());
        };
        let left: usize = others
            .iter()
            .filter(|width| **width > 0)
            .map(|width| width + GUTTER)
            .sum();
        let room = self.terminal.width.saturating_sub(margin.others.width() + left);
        if room >= LAST_CELL.min(*last) {
            rows.iter().try_for_each(|row| self.aligned(margin, row, others, left))
        } else {
            rows.iter().try_for_each(|row| self.stacked(margin, row))
        }
    }

    fn aligned(&mut self, margin: &Margin, row: &[Text], widths: &[usize], left: usize) -> io::Result<()> {
        let mut line = Text::new();
        for (cell, width) in row.iter().zip(widths).filter(|(_, width)| **width > 0) {
            line = line.then(cell.clone().padded(width + GUTTER));
        }
        let first = margin.first.clone().then(line);
        let margin = Margin {
            first,
            others: margin.hanging(left).others,
        };
        match row.get(widths.len()).filter(|cell| !cell.is_empty()) {
            Some(cell) => self.paragraph(&margin, cell),
            None => self.paragraph(&Margin::default(), &margin.first),
        }
    }

    fn stacked(&mut self, margin: &Margin, row: &[Text]) -> io::Result<()> {
        let Some((first, others)) = row.split_first() else {
            return Ok(());
        };
        self.paragraph(&margin.hanging(2), first)?;
        let told = others.iter().filter(|cell| !cell.is_empty()).cloned();
        match told.reduce(|line, cell| line.faint(" · ").then(cell.whole())) {
            Some(line) => self.paragraph(&margin.below(2), &line),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_width(width: usize, write: impl Fn(&mut Page<'_>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        let mut page = Page::new(&mut out);
        page.terminal.width = width;
        write(&mut page).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_are_columns_where_there_is_room_and_stacked_where_not() {
        let rows = [
            vec!["role/Admin".into(), "list pods".into(), "never before".into()],
            vec!["user/b".into(), "get".into(), "twice".into()],
        ];
        let write = |page: &mut Page<'_>| page.rows(&Margin::of(2), &rows);
        assert_eq!(
            at_width(80, write),
            "  role/Admin  list pods  never before\n  user/b      get        twice\n"
        );
        assert_eq!(
            at_width(30, write),
            "  role/Admin\n    list pods · never before\n  user/b\n    get · twice\n"
        );
    }

    #[test]
    fn a_command_stays_on_one_line() {
        let command = "aws eks create-access-entry --cluster-name prod --region us-west-2";
        assert_eq!(
            at_width(30, |page| page.command(&Margin::of(4), command)),
            format!("    {command}\n")
        );
        let here = "kubectl apply -f - <<'EOF'\n{}\nEOF";
        assert_eq!(
            at_width(30, |page| page.command(&Margin::of(4), here)),
            format!("    {here}\n")
        );
    }
}
