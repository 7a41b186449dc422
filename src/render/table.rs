//! Tables that fit the terminal.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::{ContentArrangement, Table, TableComponent, presets};

use super::escape;

/// Width where there is no terminal, such as in a pipe or a file.
const WIDTH: u16 = 160;

static COLOUR: AtomicBool = AtomicBool::new(false);

/// Whether tables may have colours; set once, from the command line.
pub(crate) fn use_colour(wanted: bool) {
    COLOUR.store(wanted, Ordering::Relaxed);
}

/// Writes rows under their heads.
pub(crate) fn table(out: &mut dyn Write, columns: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(columns.to_vec());
    if !table.is_tty() {
        table.set_width(WIDTH);
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| escape(cell)).collect::<Vec<_>>());
    }
    let text = table.to_string();
    match text.split_once('\n').filter(|_| COLOUR.load(Ordering::Relaxed)) {
        Some((head, body)) => writeln!(out, "\u{1b}[1m{head}\u{1b}[0m\n{body}"),
        None => writeln!(out, "{text}"),
    }
}
