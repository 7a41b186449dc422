//! Tables that fit the terminal; where columns would be too narrow to read, each row becomes a block of lines.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell, ContentArrangement, Table, TableComponent, presets};

use super::escape;
use super::page::{Margin, Page};
use super::terminal::Terminal;
use super::text::Text;

/// A column narrower than this is a puzzle.
const NARROW: usize = 14;

/// Writes rows under their heads.
pub(crate) fn table(out: &mut dyn Write, columns: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let terminal = Terminal::current();
    let natural: usize = (0..columns.len()).map(|at| natural(columns, rows, at) + 3).sum();
    if natural > terminal.width && terminal.width < columns.len() * NARROW && columns.len() > 1 {
        return blocks(out, columns, rows);
    }
    let head = columns
        .iter()
        .map(|name| Cell::new(escape(name)).add_attribute(Attribute::Bold));
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(terminal.width).unwrap_or(u16::MAX))
        .force_no_tty()
        .set_header(head);
    if terminal.is_coloured {
        table.enforce_styling();
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| escape(cell)).collect::<Vec<_>>());
    }
    table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

/// Columns that the widest cell takes.
fn natural(columns: &[&str], rows: &[Vec<String>], at: usize) -> usize {
    let width = |text: &str| Text::from(text).width();
    let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell));
    cells.chain(columns.get(at).map(|name| width(name))).max().unwrap_or(0)
}

/// One row after another, a line or more for each cell that says something.
fn blocks(out: &mut dyn Write, columns: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let mut page = Page::new(out);
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            page.blank()?;
        }
        let told = columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        let lines: Vec<_> = told
            .map(|(name, cell)| vec![Text::new().strong(name), Text::from(cell.as_str())])
            .collect();
        page.rows(&Margin::default(), &lines)?;
    }
    Ok(())
}
