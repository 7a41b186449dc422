//! What the reader's terminal can show: its width, colours, links.

use std::env;
use std::io::{IsTerminal, stderr, stdout};
use std::sync::Mutex;

use supports_hyperlinks::Stream;

/// Width where there is no terminal, such as in a pipe or a file.
const WIDTH: usize = 160;

/// Fewer columns than this are not believed.
const LEAST: usize = 20;

/// When colours are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Columns of stdout.
    pub(super) width: usize,
    /// Whether stdout takes colours.
    pub(super) is_coloured: bool,
    /// Whether stdout takes links (OSC 8); never without colours.
    pub(super) has_links: bool,
    /// Whether stderr takes colours.
    pub(super) is_stderr_coloured: bool,
}

static CURRENT: Mutex<Terminal> = Mutex::new(Terminal::PLAIN);

impl Terminal {
    const PLAIN: Self = Self {
        width: WIDTH,
        is_coloured: false,
        has_links: false,
        is_stderr_coloured: false,
    };

    /// The one that all answers are written for.
    pub(crate) fn current() -> Self {
        CURRENT.lock().map_or(Self::PLAIN, |current| *current)
    }

    /// Looks at the environment: `--color`, `NO_COLOR`, `TERM=dumb`, `COLUMNS`, the terminal itself.
    pub(crate) fn choose(color: Color) {
        let is_plain = is_set("NO_COLOR") || env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = |is_terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !is_plain,
        };
        let is_coloured = colour(stdout().is_terminal());
        let chosen = Self {
            width: width(),
            is_coloured,
            has_links: is_coloured && supports_hyperlinks::on(Stream::Stdout),
            is_stderr_coloured: colour(stderr().is_terminal()),
        };
        if let Ok(mut current) = CURRENT.lock() {
            *current = chosen;
        }
    }
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// `COLUMNS` where it is set, else the terminal's.
fn width() -> usize {
    let typed = env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok());
    let own = || terminal_size::terminal_size_of(stdout()).map(|(width, _)| usize::from(width.0));
    typed
        .or_else(own)
        .filter(|width| *width > 0)
        .unwrap_or(WIDTH)
        .max(LEAST)
}
