//! Bytes of an object without their gzip, however many times it was packed.
//!
//! Whole small objects are inflated in one call into a buffer that is used again; objects of more than one gzip member, and large
//! ones, come through a stream.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// Largest object that is held whole, packed or not.
pub(crate) const WHOLE: u64 = 32 * 1024 * 1024;
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Firehose packs what CloudWatch packed; nobody packs more often.
const LEVELS: usize = 3;

/// What came of opening an object.
pub(crate) enum Content {
    /// All of it is in the buffer.
    Whole,
    /// It comes piece by piece.
    Stream(Box<dyn Read>),
}

/// Buffers of one thread.
#[derive(Default)]
pub(crate) struct Buffers {
    packed: Vec<u8>,
    pub(crate) plain: Vec<u8>,
}

/// Reads an object whole into `buffers.plain` where it is small, else gives its stream.
pub(crate) fn open(path: &Path, size: u64, buffers: &mut Buffers) -> io::Result<Content> {
    let mut file = File::open(path)?;
    if size > WHOLE {
        return Ok(Content::Stream(stream(Box::new(file))?));
    }
    let mut head = [0; 2];
    let sniffed = read_head(&mut file, &mut head)?;
    let is_packed = head[..sniffed] == GZIP;
    // Plain text goes where it is parsed, without a stop on the way.
    let target = if is_packed {
        &mut buffers.packed
    } else {
        &mut buffers.plain
    };
    target.clear();
    target.extend_from_slice(&head[..sniffed]);
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
        if is_one_member && !buffers.plain.starts_with(&GZIP) {
            return Ok(Content::Whole);
        }
    }
    let packed = std::mem::take(&mut buffers.packed);
    Ok(Content::Stream(stream(Box::new(io::Cursor::new(packed)))?))
}

/// Fills `head` as far as the file goes.
fn read_head(file: &mut File, head: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Whether a gzip header stands somewhere behind the first: then the one-call answer may be only the first member.
fn has_second_member(packed: &[u8]) -> bool {
    memchr::memmem::find_iter(&packed[2..], &[0x1f, 0x8b, 0x08]).any(|at| {
        // flags of a real header use the low five bits only
        packed.get(at + 5).is_some_and(|flags| flags & 0xe0 == 0)
    })
}

fn stream(source: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut source: Box<dyn BufRead> = Box::new(BufReader::with_capacity(256 * 1024, source));
    for _ in 0..LEVELS {
        if !source.fill_buf()?.starts_with(&GZIP) {
            break;
        }
        source = Box::new(BufReader::with_capacity(256 * 1024, MultiGzDecoder::new(source)));
    }
    Ok(Box::new(source))
}

/// What the first bytes of a file that is no text say it is.
pub(crate) fn foreign_format(head: &[u8]) -> Option<&'static str> {
    let formats: [(&[u8], &str); 7] = [
        (b"PAR1", "a Parquet file"),
        (b"PK\x03\x04", "a zip archive: unpack it first"),
        (b"BZh", "packed with bzip2: unpack it first"),
        (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it first"),
        (b"\xfd7zXZ", "packed with xz: unpack it first"),
        (b"ORC", "an ORC file"),
        (b"Obj\x01", "an Avro file"),
    ];
    let known = formats
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, name)| *name);
    known.or_else(|| memchr::memchr(0, &head[..head.len().min(1024)]).map(|_| "no text"))
}
