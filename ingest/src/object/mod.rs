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

const WINDOW: Window = Window {
    stretch: 8 * 1024 * 1024,
    longest: 64 * 1024 * 1024,
};
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
        Content::Stream(stream) => read_stream(stream, &mut reader, WINDOW, desk.flush),
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

/// How much of a large object is held.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// A stretch.
    stretch: usize,
    /// What does not end within this is no record.
    longest: usize,
}

fn read_stream(
    mut stream: Box<dyn Read + '_>,
    reader: &mut envelope::Reader<'_>,
    limits: Window,
    flush: Flush<'_>,
) -> Result<(), eksplain_lake::Error> {
    let mut window: Vec<u8> = Vec::new();
    let mut wanted = limits.stretch;
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
        let consumed = reader.feed(as_text(&mut window, is_last), is_last, flush)?;
        window.drain(..consumed.min(window.len()));
        if is_last && (consumed == 0 || window.is_empty()) {
            return Ok(());
        }
        // A record longer than the window needs a larger one, up to the limit.
        wanted = if consumed == 0 {
            (wanted * 2).max(before)
        } else {
            limits.stretch.max(window.len() + limits.stretch / 2)
        };
        if wanted > limits.longest {
            let text = as_text(&mut window, false);
            reader.give_up_record(text);
            let taken = text.len();
            window.drain(..taken);
            wanted = limits.stretch;
        }
    }
}

/// The window as text. What is no UTF-8 becomes U+FFFD in place; a letter that the window's end cuts waits for its rest.
fn as_text(window: &mut Vec<u8>, is_last: bool) -> &str {
    let is_cut_only = |error: &std::str::Utf8Error| error.error_len().is_none() && !is_last;
    if let Err(error) = std::str::from_utf8(window)
        && !is_cut_only(&error)
    {
        let mut repaired = Vec::with_capacity(window.len() + 64);
        for chunk in window.utf8_chunks() {
            repaired.extend_from_slice(chunk.valid().as_bytes());
            let cut = chunk.invalid();
            let is_end = std::str::from_utf8(cut).is_err_and(|error| is_cut_only(&error)) && window.ends_with(cut);
            match cut {
                [] => {}
                cut if is_end => repaired.extend_from_slice(cut),
                _ => repaired.extend_from_slice("\u{fffd}".as_bytes()),
            }
        }
        *window = repaired;
    }
    match std::str::from_utf8(window) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&window[..error.valid_up_to()]).unwrap_or_default(),
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

#[cfg(test)]
mod tests {
    use eksplain_lake::KeepRaw;
    use proptest::prelude::*;

    use super::*;

    const RECORDS: usize = 40;

    /// What a reading gave: records kept and texts rejected, by reason.
    #[derive(Debug, PartialEq)]
    struct Outcome {
        kept: usize,
        rejected: BTreeMap<String, u64>,
    }

    fn outcome(read: impl FnOnce(&mut envelope::Reader<'_>, Flush<'_>) -> Result<(), eksplain_lake::Error>) -> Outcome {
        let (mut rows, mut counts) = (RowSet::new(KeepRaw::All), Counts::default());
        rows.begin_object();
        let hints = Hints::default();
        let source = Source {
            uri: "log",
            size: 0,
            modified: None,
            path: None,
            relative: Path::new(""),
            hints: &hints,
        };
        let mut reader = envelope::Reader::new(Records::new(&mut rows, &mut counts, source), &Place::default());
        read(&mut reader, &mut |_| Ok(())).unwrap();
        reader.finish();
        let rejected: BTreeMap<String, u64> = counts.refused.into_iter().map(|(why, of)| (why, of.count)).collect();
        Outcome {
            kept: rows.len() - rejected.values().sum::<u64>() as usize,
            rejected,
        }
    }

    fn whole(bytes: &[u8]) -> Outcome {
        outcome(|reader, flush| read_whole(bytes, reader, flush))
    }

    fn streamed(bytes: &[u8], limits: Window) -> Outcome {
        outcome(|reader, flush| read_stream(Box::new(bytes), reader, limits, flush))
    }

    fn trail(number: usize) -> String {
        format!(
            r#"{{"eventVersion":"1.08","eventID":"e-{number}","eventTime":"2026-11-23T10:00:00Z","eventSource":"eks.amazonaws.com",
                "eventName":"ListClusters","awsRegion":"us-west-2","userIdentity":{{"type":"IAMUser","userName":"a\"{{ü"}}}}"#
        )
        .replace("\n                ", "")
    }

    fn audit(number: usize) -> String {
        format!(
            r#"{{"kind":"Event","auditID":"a-{number}","stage":"ResponseComplete","verb":"get","requestURI":"/x","requestObject":{{"kind":"Pod"}}}}"#
        )
    }

    /// The envelopes, each with the same number of records.
    fn corpora() -> Vec<String> {
        let all =
            |record: fn(usize) -> String, between: &str| (0..RECORDS).map(record).collect::<Vec<_>>().join(between);
        let line = |number: usize| {
            format!("time=\"2026-11-23T10:00:{number:02}Z\" level=info msg=\"access granted\" groups=\"[]\" username=ü")
        };
        let event = |number: usize| {
            let message = serde_json::Value::from(audit(number));
            format!(r#"{{"timestamp":17639{number:08},"message":{message},"ingestionTime":1}}"#)
        };
        vec![
            format!("{{\"Records\":[{}]}}", all(trail, ",")),
            format!("{{\"Records\": [\n{}\n]}}\n", all(trail, ",\n")),
            format!("[{}]", all(audit, ", ")),
            all(audit, "\n"),
            all(audit, ""),
            all(line, "\n"),
            format!("{{\"events\":[{}],\"nextToken\":\"x\"}}", all(event, ",")),
        ]
    }

    #[derive(Debug, Clone)]
    enum Damage {
        Put(u8),
        Drop(usize),
    }

    fn damage() -> impl Strategy<Value = (prop::sample::Index, Damage)> {
        let put = prop::sample::select(&b"\xff\xc3\"{}[],:\\x\n"[..]).prop_map(Damage::Put);
        (
            any::<prop::sample::Index>(),
            prop_oneof![put, (1_usize..300).prop_map(Damage::Drop)],
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn any_damage_at_any_window_gives_what_the_whole_gives(
            which in 0_usize..7,
            damages in prop::collection::vec(damage(), 0..3),
            stretch in 64_usize..900,
        ) {
            let mut bytes = corpora().swap_remove(which).into_bytes();
            let mut dropped = 0;
            for (at, damage) in &damages {
                // The head tells the envelope, and what does not begin as one is another document.
                let head = 16.min(bytes.len());
                let at = head + at.index(bytes.len() - head);
                match damage {
                    Damage::Put(byte) => bytes[at] = *byte,
                    Damage::Drop(length) => {
                        let end = (at + length).min(bytes.len());
                        dropped += (end - at) / 90 + 1;
                        bytes.drain(at..end);
                    }
                }
            }
            let of_whole = whole(&bytes);
            let limits = Window { stretch, longest: 1 << 20 };
            prop_assert_eq!(&streamed(&bytes, limits), &of_whole);
            let lost = 2 * damages.len() + dropped;
            prop_assert!(of_whole.kept + lost >= RECORDS, "{:?}", of_whole);
        }
    }

    #[test]
    fn sound_envelopes_lose_nothing() {
        for corpus in corpora() {
            let outcome = whole(corpus.as_bytes());
            assert_eq!((outcome.kept, outcome.rejected.len()), (RECORDS, 0), "{corpus:.80}");
        }
    }

    #[test]
    fn behind_a_record_that_is_too_long_reading_goes_on() {
        let limits = Window {
            stretch: 512,
            longest: 4096,
        };
        for corpus in corpora() {
            // In the middle of the third record.
            let third = corpus.match_indices(['{', '\n']).nth(9).map_or(0, |(at, _)| at);
            let at = corpus[third..].find("\",\"").map_or(0, |quote| third + quote);
            let long = match corpus.starts_with("time") {
                true => corpus.replacen("groups=", &format!("x={} groups=", "y".repeat(20_000)), 1),
                false => format!("{}{}{}", &corpus[..at], "y".repeat(20_000), &corpus[at..]),
            };
            let outcome = streamed(long.as_bytes(), limits);
            assert!(outcome.kept + 2 >= RECORDS, "{outcome:?} {corpus:.80}");
            assert!(outcome.kept < RECORDS, "{outcome:?} {corpus:.80}");
        }
    }
}
