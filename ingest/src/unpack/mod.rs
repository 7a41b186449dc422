//! Bytes of an object without what they are packed in, however many times: gzip, zstd, bzip2, xz, and UTF-16.
//!
//! Whole small objects are inflated in one call into a buffer that is used again; objects of more than one gzip member, large ones, and
//! those packed in other ways come through a stream. Archives are told from their beginning too; [`archive`] opens them.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

pub(crate) mod archive;

/// Largest object that is held whole, packed or not.
pub(crate) const WHOLE: u64 = 32 * 1024 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Firehose packs what CloudWatch packed, people pack that into a `.tar.gz`; nobody packs more often.
const LEVELS: usize = 4;
/// Logs shrink to a twentieth, those that repeat themselves to a few hundredths: what shrinks more is made to fill a disk.
const LARGEST_RATIO: u64 = 1000;
/// This much is read whatever the ratio.
const HARMLESS: u64 = 1024 * 1024 * 1024;
/// Bytes that tell what something is: a tar's mark is at 257.
const HEAD: usize = 512;

/// What came of opening an object.
pub(crate) enum Content<'r> {
    /// All of it is in the buffer.
    Whole,
    /// Text, piece by piece.
    Stream(Box<dyn Read + 'r>),
    /// A tar archive.
    Tar(Box<dyn Read + 'r>),
    /// A zip archive, which is read from its end.
    Zip(Zip<'r>),
}

/// Where a zip archive lies.
pub(crate) enum Zip<'r> {
    File(File),
    Stream(Box<dyn Read + 'r>),
}

/// Buffers of one thread.
#[derive(Default)]
pub(crate) struct Buffers {
    packed: Vec<u8>,
    pub(crate) plain: Vec<u8>,
}

/// How many bytes an object may still unpack to, in all its layers and members together.
#[derive(Clone)]
pub(crate) struct Budget(Rc<Cell<u64>>);

impl Budget {
    /// Of an object of this size, as stored.
    pub(crate) fn of(size: u64) -> Self {
        Self(Rc::new(Cell::new(HARMLESS.max(size.saturating_mul(LARGEST_RATIO)))))
    }

    /// A stream that ends in an error where nothing is left.
    pub(crate) fn limit<'r>(&self, inner: Box<dyn Read + 'r>) -> Box<dyn Read + 'r> {
        Box::new(Limited {
            inner,
            budget: self.clone(),
        })
    }
}

struct Limited<'r> {
    inner: Box<dyn Read + 'r>,
    budget: Budget,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let left = self.budget.0.get().checked_sub(read as u64).ok_or_else(|| {
            io::Error::other("it unpacks to more than 1,000 times its size: unpack it yourself if you trust it")
        })?;
        self.budget.0.set(left);
        Ok(read)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrapping {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
    Utf16,
    Zip,
    Tar,
}

fn wrapping(head: &[u8]) -> Option<Wrapping> {
    let marks: [(&[u8], Wrapping); 8] = [
        (&GZIP, Wrapping::Gzip),
        (b"\x28\xb5\x2f\xfd", Wrapping::Zstd),
        (b"\xfd7zXZ\0", Wrapping::Xz),
        (b"PK\x03\x04", Wrapping::Zip),
        (b"PK\x05\x06", Wrapping::Zip),
        (b"\xff\xfe", Wrapping::Utf16),
        (b"\xfe\xff", Wrapping::Utf16),
        (b"BZh", Wrapping::Bzip2),
    ];
    let mark = marks.into_iter().find(|(mark, _)| head.starts_with(mark));
    mark.map(|(_, wrapping)| wrapping)
        .filter(|wrapping| *wrapping != Wrapping::Bzip2 || head.get(4..10) == Some(b"1AY&SY"))
        .or_else(|| (head.get(257..262) == Some(b"ustar")).then_some(Wrapping::Tar))
}

/// Reads an object whole into `buffers.plain` where it is small, else gives its stream.
pub(crate) fn open(path: &Path, size: u64, budget: &Budget, buffers: &mut Buffers) -> io::Result<Content<'static>> {
    let mut file = File::open(path)?;
    if size > WHOLE {
        return peel(Box::new(file), budget, Some(path));
    }
    let head = read_head(&mut file)?;
    let wrapping = wrapping(&head);
    if !matches!(wrapping, None | Some(Wrapping::Gzip)) {
        return peel(Box::new(Cursor::new(head).chain(file)), budget, Some(path));
    }
    let is_packed = wrapping == Some(Wrapping::Gzip);
    // Plain text goes where it is parsed, without a stop on the way.
    let target = if is_packed {
        &mut buffers.packed
    } else {
        &mut buffers.plain
    };
    target.clear();
    target.extend_from_slice(&head);
    file.read_to_end(target)?;
    if !is_packed {
        return Ok(Content::Whole);
    }
    // The last four bytes tell the length of the last member, modulo 2^32: right for one member, and checked by inflating.
    let tail = buffers
        .packed
        .len()
        .checked_sub(4)
        .and_then(|at| buffers.packed[at..].try_into().ok())
        .map(u32::from_le_bytes);
    let length = tail.map_or(0, u64::from);
    if length <= WHOLE {
        buffers.plain.resize(usize::try_from(length).unwrap_or(0), 0);
        let mut decompressor = libdeflater::Decompressor::new();
        let inflated = decompressor.gzip_decompress(&buffers.packed, &mut buffers.plain);
        let is_one_member = inflated == Ok(buffers.plain.len()) && !has_second_member(&buffers.packed);
        if is_one_member && self::wrapping(&buffers.plain).is_none() {
            return Ok(Content::Whole);
        }
    }
    let packed = std::mem::take(&mut buffers.packed);
    peel(Box::new(Cursor::new(packed)), budget, None)
}

/// Takes off what is around a text or an archive; `path` is the file that the source is, if it is one.
pub(crate) fn peel<'r>(
    mut source: Box<dyn Read + 'r>,
    budget: &Budget,
    mut path: Option<&Path>,
) -> io::Result<Content<'r>> {
    for _ in 0..=LEVELS {
        let head = read_head(&mut source)?;
        let wrapping = wrapping(&head);
        source = Box::new(Cursor::new(head).chain(source));
        let Some(wrapping) = wrapping else {
            return Ok(Content::Stream(source));
        };
        let input = BufReader::with_capacity(256 * 1024, source);
        let plain: Box<dyn Read + 'r> = match wrapping {
            Wrapping::Gzip => Box::new(MultiGzDecoder::new(input)),
            Wrapping::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(input)?),
            Wrapping::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
            Wrapping::Xz => Box::new(lzma_rust2::XzReader::new(input, true)),
            Wrapping::Utf16 => Box::new(encoding_rs_io::DecodeReaderBytes::new(input)),
            Wrapping::Tar => return Ok(Content::Tar(Box::new(input))),
            Wrapping::Zip => {
                return Ok(Content::Zip(match path {
                    Some(path) => Zip::File(File::open(path)?),
                    None => Zip::Stream(Box::new(input)),
                }));
            }
        };
        path = None;
        source = budget.limit(plain);
    }
    Err(io::Error::other("packed more than four times: unpack it first"))
}

/// The first bytes, as far as there are any.
fn read_head(source: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    source.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether a gzip header stands somewhere behind the first: then the one-call answer may be only the first member.
fn has_second_member(packed: &[u8]) -> bool {
    memchr::memmem::find_iter(&packed[2..], &[0x1f, 0x8b, 0x08]).any(|at| {
        // flags of a real header use the low five bits only
        packed.get(at + 5).is_some_and(|flags| flags & 0xe0 == 0)
    })
}

/// What the first bytes of a file that is no text say it is, and the way that works.
pub(crate) fn foreign_format(head: &[u8]) -> Option<&'static str> {
    let formats: [(&[u8], &str); 9] = [
        (
            b"PAR1",
            "a Parquet file (Security Lake, or a lake of eksplain): read the trail's own JSON files, eksplain ingest s3 s3://BUCKET/AWSLogs",
        ),
        (
            b"SQLite format 3\0",
            "a SQLite database: export its records as JSON lines or CSV",
        ),
        (b"ORC", "an ORC file: export its records as JSON lines"),
        (b"Obj\x01", "an Avro file: export its records as JSON lines"),
        (b"%PDF", "a PDF file: save the logs as text, CSV or JSON"),
        (b"\xd0\xcf\x11\xe0", "an Office file: save the sheet as CSV"),
        (
            b"7z\xbc\xaf\x27\x1c",
            "a 7-Zip archive: extract it, or pack it as .zip or .tar.gz",
        ),
        (b"Rar!", "a RAR archive: extract it, or pack it as .zip or .tar.gz"),
        (b"\x1f\x9d", "packed with compress (.Z): unpack it first"),
    ];
    let known = formats
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, name)| *name);
    known.or_else(|| {
        memchr::memchr(0, &head[..head.len().min(1024)])
            .map(|_| "not text: eksplain reads text, JSON, CSV and YAML, also packed")
    })
}
