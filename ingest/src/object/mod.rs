//! One object, from bytes to records.
//!
//! The text is read through a window: all of a small object, or a stretch of a large one that moves on as records are taken. The
//! reader in [`envelope`] is the same for both; [`record`] tells what a record is and gives it to the rows.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::Path;

use eksplain_lake::{Origin, RowSet};

use crate::inflate::{Buffers, Content, foreign_format, open};
use crate::place::{Hints, Place};
use crate::report::{Problem, Taken};

mod envelope;
mod json;
mod record;
mod state;

use record::Records;

/// A stretch of a large object.
const WINDOW: usize = 8 * 1024 * 1024;
/// The longest record: what does not end within it is no record.
const LONGEST: usize = 64 * 1024 * 1024;
/// Rows are handed over when they take this much memory.
const FLUSH: usize = 24 * 1024 * 1024;

/// What one thread counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) read: u64,
    pub(crate) skipped: u64,
    pub(crate) conflicts: u64,
    pub(crate) problems: Vec<Problem>,
    /// Times of present state, microseconds since 1970, and whether it is only the file's.
    pub(crate) taken: BTreeSet<Taken>,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.read += other.read;
        self.skipped += other.skipped;
        self.conflicts += other.conflicts;
        self.problems.extend(other.problems);
        self.taken.extend(other.taken);
    }
}

/// Hands rows over when they are many.
type Flush<'f> = &'f mut dyn FnMut(&mut RowSet) -> Result<(), eksplain_lake::Error>;

/// Reads one object. The outer error is the lake's; the inner one means that the object may be readable another time.
#[expect(clippy::too_many_arguments, reason = "the buffers of one thread, lent to one object")]
pub(crate) fn read_object(
    path: &Path,
    uri: &str,
    size: u64,
    modified: Option<i64>,
    place: &Place,
    hints: &Hints,
    rows: &mut RowSet,
    buffers: &mut Buffers,
    counts: &mut Counts,
    flush: Flush<'_>,
) -> Result<io::Result<()>, eksplain_lake::Error> {
    if uri.rsplit('/').next() == Some("aws-logs-write-test") {
        counts.skipped += 1;
        return Ok(Ok(()));
    }
    if size == 0 {
        counts.problems.push(Problem {
            uri: uri.to_owned(),
            reason: "is empty".to_owned(),
        });
        return Ok(Ok(()));
    }
    let content = match open(path, size, buffers) {
        Ok(content) => content,
        Err(error) => return Ok(Err(error)),
    };
    let mut reader = envelope::Reader::new(
        Records {
            rows,
            counts,
            uri,
            hints,
            modified,
            expects: None,
            has_authenticator_line: false,
            seen: 0,
            is_refused: false,
        },
        place,
    );
    match content {
        Content::Whole => {
            if let Some(format) = foreign_format(&buffers.plain) {
                reader.refuse_object(format);
                return Ok(Ok(()));
            }
            match std::str::from_utf8(&buffers.plain) {
                Ok(text) => reader.feed(text, true, flush)?,
                Err(_) => reader.feed(&String::from_utf8_lossy(&buffers.plain), true, flush)?,
            };
        }
        Content::Stream(stream) => read_stream(stream, &mut reader, flush)?,
    }
    reader.finish();
    Ok(Ok(()))
}

fn read_stream(
    mut stream: Box<dyn Read>,
    reader: &mut envelope::Reader<'_>,
    flush: Flush<'_>,
) -> Result<(), eksplain_lake::Error> {
    let mut window: Vec<u8> = Vec::new();
    let mut wanted = WINDOW;
    let mut is_first = true;
    loop {
        let before = window.len();
        let mut fault = None;
        while window.len() < wanted {
            let room = (wanted - window.len()) as u64;
            match stream.by_ref().take(room).read_to_end(&mut window) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    fault = Some(error);
                    break;
                }
            }
        }
        let is_last = fault.is_some() || window.len() < wanted;
        if is_first {
            is_first = false;
            if let Some(format) = foreign_format(&window) {
                reader.refuse_object(format);
                return Ok(());
            }
        }
        if let Some(error) = &fault {
            reader.note(format!("ends too early ({error}): what came before was read"));
        }
        let consumed = match std::str::from_utf8(&window) {
            Ok(text) => reader.feed(text, is_last, flush)?,
            // A letter may be cut by the window's end; anything else is no UTF-8, and its place is marked by U+FFFD.
            Err(error) if error.error_len().is_none() && !is_last => {
                let whole = std::str::from_utf8(&window[..error.valid_up_to()]).unwrap_or_default();
                reader.feed(whole, false, flush)?
            }
            Err(error) => {
                let valid = std::str::from_utf8(&window[..error.valid_up_to()]).unwrap_or_default();
                match reader.feed(valid, false, flush)? {
                    0 => {
                        let repaired = String::from_utf8_lossy(&window).into_owned();
                        reader.feed(&repaired, true, flush)?;
                        window.len()
                    }
                    consumed => consumed,
                }
            }
        };
        window.drain(..consumed.min(window.len()));
        if is_last && (consumed == 0 || window.is_empty()) {
            return Ok(());
        }
        // A record longer than the window needs a larger one, up to the limit.
        wanted = if consumed == 0 {
            (wanted * 2).max(before)
        } else {
            WINDOW.max(window.len() + WINDOW / 2)
        };
        if wanted > LONGEST {
            reader.refuse_rest(&String::from_utf8_lossy(&window), "a record longer than 64 MiB");
            return Ok(());
        }
    }
}

/// Where a record stands and what is known of its place.
#[derive(Clone, Copy)]
struct At<'p> {
    place: &'p Place,
    /// Line or number in the object, from 1.
    line: u64,
    /// The envelope's time.
    ts: Option<i64>,
    /// Inside an envelope, where a log's writer chose the text: no document of its own.
    is_inside: bool,
}

impl<'p> At<'p> {
    fn inside(self) -> Self {
        Self {
            is_inside: true,
            ..self
        }
    }

    fn origin(self, uri: &'p str) -> Origin<'p> {
        let Place {
            account,
            region,
            cluster,
            stream,
        } = self.place;
        Origin {
            account: account.as_deref(),
            region: region.as_deref(),
            cluster: cluster.as_deref(),
            stream: stream.as_deref(),
            uri,
            line: self.line,
            ts: self.ts,
        }
    }
}
