//! One object, from bytes to records.
//!
//! The text is read through a window: all of a small object, or a stretch of a large one that moves on as records are taken. The
//! reader in [`envelope`] is the same for both; [`record`] tells what a record is and gives it to the rows.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::Path;

use eksplain_lake::{Origin, RowSet};

use crate::place::{Hints, Place};
use crate::report::{Problem, Refused, Taken};
use crate::unpack::{self, Budget, Buffers, Content, archive, foreign_format};

mod csv;
mod envelope;
mod json;
mod neighbours;
mod packed;
mod record;
mod state;

use record::Records;

/// A stretch of a large object.
const WINDOW: usize = 8 * 1024 * 1024;
/// The longest record: what does not end within it is no record.
const LONGEST: usize = 64 * 1024 * 1024;
/// Archives in archives that are opened.
const NESTED: usize = 2;
/// Rows are handed over when they take this much memory.
const FLUSH: usize = 24 * 1024 * 1024;

/// What one thread counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) read: u64,
    /// What was passed over, and how often.
    pub(crate) skipped: BTreeMap<&'static str, u64>,
    pub(crate) conflicts: u64,
    pub(crate) problems: Vec<Problem>,
    /// Times of present state, microseconds since 1970, and whether it is only the file's.
    pub(crate) taken: BTreeSet<Taken>,
    /// What was rejected, by reason.
    pub(crate) refused: BTreeMap<String, Refused>,
}

/// Reasons that are told apart in a summary; the rejects themselves have them all.
const REASONS: usize = 50;

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.read += other.read;
        for (what, count) in other.skipped {
            self.pass_over(what, count);
        }
        self.conflicts += other.conflicts;
        self.problems.extend(other.problems);
        self.taken.extend(other.taken);
        for (reason, refused) in other.refused {
            self.refuse(&reason, refused.count, &refused.uri);
        }
    }

    /// Counts what is rejected: by its reason, without the place in the text where that is.
    pub(crate) fn refuse(&mut self, reason: &str, count: u64, uri: &str) {
        let reason = reason.split(" at line ").next().unwrap_or_default();
        let is_one_more = self.refused.len() < REASONS || self.refused.contains_key(reason);
        let key = if is_one_more { reason } else { "other reasons" };
        self.refused.entry(key.to_owned()).or_default().add(count, uri);
    }

    /// Counts what is known and of no interest.
    pub(crate) fn pass_over(&mut self, what: &'static str, count: u64) {
        if count > 0 {
            *self.skipped.entry(what).or_default() += count;
        }
    }
}

/// Hands rows over when they are many.
type Flush<'f> = &'f mut dyn FnMut(&mut RowSet) -> Result<(), eksplain_lake::Error>;

/// An object to read.
#[derive(Clone, Copy)]
pub(crate) struct Source<'s> {
    /// The name by which the lake knows it.
    pub(crate) uri: &'s str,
    /// Bytes as stored.
    pub(crate) size: u64,
    /// When it was last changed, microseconds since 1970.
    pub(crate) modified: Option<i64>,
    /// Path or key, from which known layouts are read; none for what has no path.
    pub(crate) path: Option<&'s Path>,
    /// The path from what was asked for.
    pub(crate) relative: &'s Path,
    pub(crate) hints: &'s Hints,
}

impl Source<'_> {
    fn place(&self) -> Place {
        match self.path {
            Some(path) => Place::of(path, self.relative, self.hints),
            None => Place::told(self.hints),
        }
    }
}

/// What one thread reads with.
pub(crate) struct Desk<'d> {
    pub(crate) rows: &'d mut RowSet,
    pub(crate) buffers: &'d mut Buffers,
    pub(crate) counts: &'d mut Counts,
    pub(crate) flush: Flush<'d>,
}

/// Reads one object, which is this file. The outer error is the lake's; the inner one means that it may be readable another time.
pub(crate) fn read_object(
    file: &Path,
    source: Source<'_>,
    desk: &mut Desk<'_>,
) -> Result<io::Result<()>, eksplain_lake::Error> {
    if source.uri.rsplit('/').next() == Some("aws-logs-write-test") {
        desk.counts.pass_over("permission checks of CloudWatch exports", 1);
        return Ok(Ok(()));
    }
    if source.size == 0 {
        desk.counts.pass_over("empty files", 1);
        return Ok(Ok(()));
    }
    desk.rows.begin_object();
    let budget = Budget::of(source.size);
    let content = match unpack::open(file, source.size, &budget, desk.buffers) {
        Ok(content) => content,
        Err(error) => return Ok(Err(error)),
    };
    read_content(content, source, &budget, 0, desk)?;
    Ok(Ok(()))
}

fn read_content(
    content: Content<'_>,
    source: Source<'_>,
    budget: &Budget,
    depth: usize,
    desk: &mut Desk<'_>,
) -> Result<(), eksplain_lake::Error> {
    let place = source.place();
    let plain = std::mem::take(&mut desk.buffers.plain);
    let mut reader = envelope::Reader::new(Records::new(desk.rows, desk.counts, source), &place);
    let read = match content {
        Content::Whole => read_whole(&plain, &mut reader, desk.flush),
        Content::Stream(stream) => read_stream(stream, &mut reader, desk.flush),
        Content::Tar(_) | Content::Zip(_) if depth > NESTED => {
            reader.refuse_object("an archive in an archive in an archive: extract it first");
            Ok(())
        }
        Content::Tar(_) | Content::Zip(_) => {
            drop(reader);
            return read_archive(content, source, budget, depth, desk);
        }
    };
    reader.finish();
    desk.buffers.plain = plain;
    read
}

fn read_whole(plain: &[u8], reader: &mut envelope::Reader<'_>, flush: Flush<'_>) -> Result<(), eksplain_lake::Error> {
    if let Some(format) = foreign_format(plain) {
        reader.refuse_object(format);
        return Ok(());
    }
    match std::str::from_utf8(plain) {
        Ok(text) => reader.feed(text, true, flush)?,
        Err(_) => reader.feed(&String::from_utf8_lossy(plain), true, flush)?,
    };
    Ok(())
}

/// Reads every member of an archive as an object of its own, named `ARCHIVE!/MEMBER`; it stands for the folder that was packed.
fn read_archive(
    content: Content<'_>,
    source: Source<'_>,
    budget: &Budget,
    depth: usize,
    desk: &mut Desk<'_>,
) -> Result<(), eksplain_lake::Error> {
    let uri_of = |name: &str| format!("{}!/{name}", source.uri);
    let mut refused: Vec<Problem> = Vec::new();
    let mut visit = |member: archive::Member<'_>| {
        let (uri, name) = (uri_of(&member.name), Path::new(&member.name));
        if member.size == 0 {
            desk.counts.pass_over("empty files", 1);
            return Ok(());
        }
        let path = source.path.map(|path| path.join(name));
        let relative = source.relative.parent().unwrap_or(Path::new("")).join(name);
        let own = Source {
            uri: &uri,
            size: member.size,
            modified: member.modified.or(source.modified),
            path: path.as_deref(),
            relative: &relative,
            hints: source.hints,
        };
        desk.rows.begin_object();
        match unpack::peel(budget.limit(member.content), budget, None) {
            Ok(content) => read_content(content, own, budget, depth + 1, desk),
            Err(error) => {
                desk.counts.problems.push(Problem {
                    uri,
                    reason: format!("could not be read: {error}"),
                });
                Ok(())
            }
        }
    };
    let outcome = match content {
        Content::Zip(zip) => archive::zip(zip, &mut visit, &mut |name, error| {
            refused.push(Problem {
                uri: uri_of(name),
                reason: format!("could not be read: {error}"),
            });
        }),
        Content::Tar(stream) => archive::tar(stream, &mut visit),
        Content::Whole | Content::Stream(_) => Ok(()),
    };
    desk.counts.problems.extend(refused);
    match outcome {
        Ok(()) => Ok(()),
        Err(archive::Fault::Visitor(error)) => Err(error),
        Err(archive::Fault::Archive(error)) => {
            desk.counts.problems.push(Problem {
                uri: source.uri.to_owned(),
                reason: format!("could not be read to its end: {error}"),
            });
            Ok(())
        }
    }
}

fn read_stream(
    mut stream: Box<dyn Read + '_>,
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
