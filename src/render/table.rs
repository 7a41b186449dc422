//! Tables that fit the terminal.

use comfy_table::{ContentArrangement, Table, TableComponent, presets};

use super::escape;

/// Width where there is no terminal, such as in a pipe or a file.
const WIDTH: u16 = 160;

/// Rows under their heads.
pub(crate) fn table(columns: &[&str], rows: &[Vec<String>]) -> Table {
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
    table
}
