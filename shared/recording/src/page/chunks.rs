//! Where the strips or tiles of a page lie, held against the file and the limits.

use super::{Compression, Page};
use crate::bytes::Bytes;
use crate::ifd::{Fault, Ifd, tag};
use crate::{Limits, RecordingError};

/// A strip or tile in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// Reads the offsets and sizes of the page's chunks.
pub(super) fn read(page: &Page, ifd: &Ifd, bytes: &mut Bytes, limits: &Limits) -> Result<Vec<Chunk>, Fault> {
    let planes = if page.separate { page.shape.samples as u64 } else { 1 };
    let count = page.chunks_of_a_sample() as u64 * planes;
    if count > limits.max_chunks_per_page {
        return Err(RecordingError::too_big(
            format!("a frame is cut into `{count}` pieces, at most `{}` are read", limits.max_chunks_per_page),
            "save the recording again from Fiji, which stores a frame in one piece",
        )
        .into());
    }
    let (offsets, sizes) = tags(ifd);
    let (found, sized) = (ifd.count(offsets), ifd.count(sizes));
    if found < count || (sized < count && sized != 0) {
        return Err(RecordingError::corrupt(format!(
            "a frame needs `{count}` pieces of data, its description lists `{}`",
            if sized == 0 { found } else { found.min(sized) }
        ))
        .into());
    }
    let offsets = ifd.uints(bytes, offsets, count)?;
    let sizes = ifd.uints(bytes, sizes, count)?;
    let chunk =
        |(i, offset): (usize, u64)| check(page, i, Chunk { offset, bytes: size_of(&sizes, i, offset, bytes) }, bytes, limits);
    offsets.into_iter().enumerate().map(chunk).collect()
}

/// Some writers list tiles under the tags of strips.
fn tags(ifd: &Ifd) -> (u16, u16) {
    let offsets = if ifd.has(tag::TILE_OFFSETS) { tag::TILE_OFFSETS } else { tag::STRIP_OFFSETS };
    let sizes = if ifd.has(tag::TILE_BYTE_COUNTS) { tag::TILE_BYTE_COUNTS } else { tag::STRIP_BYTE_COUNTS };
    (offsets, sizes)
}

/// The stated size; where no sizes are stated at all, whatever the file still has.
fn size_of(sizes: &[u64], i: usize, offset: u64, bytes: &Bytes) -> u64 {
    if sizes.is_empty() { bytes.len().saturating_sub(offset) } else { sizes.get(i).copied().unwrap_or(0) }
}

/// Holds a chunk against the file's end and against what it must decode to.
fn check(page: &Page, i: usize, mut chunk: Chunk, bytes: &Bytes, limits: &Limits) -> Result<Chunk, Fault> {
    let decoded = page.decoded_bytes(i) as u64;
    if (chunk.offset, chunk.bytes) == (0, 0) {
        // Others show such pieces as black, which a measurement must not.
        return Err(RecordingError::corrupt("a piece of a frame was never written to the file").into());
    }
    if page.compression == Compression::None {
        // Some writers leave the size of uncompressed data at 0, or give that of the whole stack; the shape says it anyway.
        if chunk.bytes == 0 || chunk.bytes > decoded {
            chunk.bytes = decoded;
        }
        if chunk.bytes < decoded && bytes.holds(chunk.offset, decoded) {
            return Err(too_small(chunk, decoded).into());
        }
        chunk.bytes = decoded;
    }
    if chunk.bytes == 0 {
        return Err(too_small(chunk, decoded).into());
    }
    if !bytes.holds(chunk.offset, chunk.bytes) {
        return Err(Fault::PastEnd);
    }
    chunk.bytes = chunk.bytes.min(page.compression.most_packed(decoded));
    if decoded / limits.max_expansion > chunk.bytes {
        return Err(RecordingError::corrupt(format!(
            "`{}` bytes claim to unpack to `{decoded}`, which no compression can do",
            chunk.bytes
        ))
        .into());
    }
    Ok(chunk)
}

fn too_small(chunk: Chunk, decoded: u64) -> RecordingError {
    RecordingError::corrupt(format!("a piece of a frame has `{}` bytes and needs `{decoded}`", chunk.bytes))
}
