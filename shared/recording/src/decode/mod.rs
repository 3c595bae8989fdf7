//! Strips and tiles to samples.
//!
//! A chunk is decompressed into memory of exactly the size that its shape calls for and stopped there, so that what it
//! claims to hold beyond costs nothing. Where its rows are rows of the frame that memory is the frame's own.

mod floating;
#[cfg(any(test, fuzzing))]
mod fuzz;
mod inflate;
mod lzw;
mod order;
mod packbits;
mod place;
mod predictor;
mod unpack;
mod zstd;

use std::error::Error;
use std::io;
use std::ops::Range;

use crate::bytes::{ByteOrder, Bytes};
use crate::page::{Chunk, Compression, Page};
use crate::{Pixels, SampleType};

#[cfg(fuzzing)]
pub(crate) use fuzz::decode_arbitrary;

/// Chunks that lie one after the other are read together up to this many bytes: over an object store that is one request.
const BATCH: u64 = 1 << 20;

/// Scratch space that is kept from page to page.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Some chunks as they lie in the file.
    packed: Vec<u8>,
    decoder: ChunkDecoder,
}

/// What a chunk is decoded with.
#[derive(Default)]
struct ChunkDecoder {
    lzw: lzw::Lzw,
    inflate: inflate::Inflate,
    zstd: zstd::Zstd,
    /// One chunk decompressed, where its rows are no rows of the frame.
    decoded: Vec<u8>,
    /// One row of it, unpacked.
    row: Vec<u8>,
    /// Rows on their way through the `tiff` crate.
    strip: Vec<u8>,
}

/// What to read of a page, and in what order of bytes the file has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) order: ByteOrder,
    /// Which of a pixel's samples, counted from 0.
    pub(crate) sample: usize,
    /// The type that the pixels shall have: the stored one, or another of the same width.
    pub(crate) dtype: SampleType,
}

impl Scratch {
    /// Reads and decodes one sample of each pixel, chunk by chunk.
    pub(crate) fn read_chunks(
        &mut self,
        bytes: &mut Bytes,
        page: &Page,
        wanted: Wanted,
        out: &mut Pixels,
    ) -> Result<(), DecodeFault> {
        let frame = out.make_room(wanted.dtype, page.shape.height * page.shape.width);
        let count = page.chunks_of_a_sample();
        let first = if page.separate { wanted.sample * count } else { 0 };
        if page.compression == Compression::None && page.is_in_place() {
            return self.read_raw(bytes, page, wanted, first..first + count, frame);
        }
        let mut i = first;
        while i < first + count {
            let batch = batch(&page.chunks[i..first + count]);
            let start = page.chunks[i].offset;
            let size: u64 = page.chunks[i..i + batch].iter().map(|chunk| chunk.bytes).sum();
            self.packed.resize(size as usize, 0);
            bytes.read_at(start, &mut self.packed)?;
            if page.reversed {
                order::reverse_bits(&mut self.packed);
            }
            for i in i..i + batch {
                let from = (page.chunks[i].offset - start) as usize;
                let packed = &self.packed[from..from + page.chunks[i].bytes as usize];
                self.decoder.decode(page, i, packed, wanted, frame)?;
            }
            i += batch;
        }
        Ok(())
    }

    /// Reads uncompressed rows straight to where they belong.
    fn read_raw(
        &mut self,
        bytes: &mut Bytes,
        page: &Page,
        wanted: Wanted,
        chunks: Range<usize>,
        frame: &mut [u8],
    ) -> Result<(), DecodeFault> {
        for i in chunks {
            let rows = place::rows_in_place(page, i, frame);
            bytes.read_at(page.chunks[i].offset, rows)?;
            if page.reversed {
                order::reverse_bits(rows);
            }
            self.decoder.finish_in_place(page, wanted.order, rows)?;
        }
        Ok(())
    }
}

/// How many chunks, at least one, follow one another in the file and are not too much at once.
fn batch(chunks: &[Chunk]) -> usize {
    let mut size = chunks.first().map_or(0, |chunk| chunk.bytes);
    let more = chunks.windows(2).take_while(|pair| {
        size += pair[1].bytes;
        size <= BATCH && pair[0].offset.checked_add(pair[0].bytes) == Some(pair[1].offset)
    });
    1 + more.count()
}

impl ChunkDecoder {
    /// Decodes chunk `i` to its place in the frame.
    fn decode(&mut self, page: &Page, i: usize, packed: &[u8], wanted: Wanted, frame: &mut [u8]) -> Result<(), DecodeFault> {
        if page.is_in_place() {
            let rows = place::rows_in_place(page, i, frame);
            self.decompress(page, packed, rows)?;
            return self.finish_in_place(page, wanted.order, rows);
        }
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.resize(page.decoded_bytes(i), 0);
        let done = self.decompress(page, packed, &mut decoded);
        let done = done.and_then(|()| self.deliver(page, i, &mut decoded, wanted, frame));
        self.decoded = decoded;
        done
    }

    /// Decompresses until `out` is full; less is damage.
    fn decompress(&mut self, page: &Page, packed: &[u8], out: &mut [u8]) -> Result<(), DecodeFault> {
        let done = match page.compression {
            Compression::None => {
                let present = packed.len().min(out.len());
                out[..present].copy_from_slice(&packed[..present]);
                present
            }
            Compression::PackBits => packbits::decode(packed, out),
            Compression::Lzw => self.lzw.decode(packed, out),
            Compression::Deflate => return self.inflate.decode(packed, out).map_err(DecodeFault::damaged),
            Compression::Zstd => return self.zstd.decode(packed, page.chunk_height * page.row_bytes(), out),
        };
        if done == out.len() { Ok(()) } else { Err(DecodeFault::damaged(TooShort { done, wanted: out.len() })) }
    }

    /// Turns rows that are already where they belong into native samples.
    fn finish_in_place(&mut self, page: &Page, order: ByteOrder, rows: &mut [u8]) -> Result<(), DecodeFault> {
        if page.predictor == 3 {
            return floating::undo(page, rows, &mut self.strip);
        }
        let width = page.stored.delivered.bytes();
        order.make_native(rows, width);
        if page.predictor == 2 {
            rows.chunks_exact_mut(page.row_bytes()).for_each(|row| predictor::undo_horizontal(row, width, 1, page.stored.bits));
        }
        Ok(())
    }

    /// Unpacks the rows of a chunk and copies the wanted samples to their place.
    fn deliver(
        &mut self,
        page: &Page,
        i: usize,
        decoded: &mut [u8],
        wanted: Wanted,
        frame: &mut [u8],
    ) -> Result<(), DecodeFault> {
        let (width, bits) = (page.stored.unpacked_bytes(), page.stored.bits);
        if page.predictor == 3 {
            floating::undo(page, decoded, &mut self.strip)?;
        } else if !page.stored.is_packed() {
            wanted.order.make_native(decoded, width);
        }
        self.row.resize(page.row_samples() * width, 0);
        for (n, stored) in decoded.chunks_exact_mut(page.row_bytes()).enumerate() {
            let row = if page.stored.is_packed() {
                unpack::bits(stored, bits, width, &mut self.row);
                &mut self.row[..]
            } else {
                stored
            };
            if page.predictor == 2 {
                predictor::undo_horizontal(row, width, page.samples_of_a_chunk(), bits);
            }
            place::row(page, i, n, row, wanted.sample, frame);
        }
        Ok(())
    }
}

/// Why a page was not decoded: reading failed, or what was read is damaged.
#[derive(Debug)]
pub(crate) enum DecodeFault {
    Io(io::Error),
    Damaged(Box<dyn Error + Send + Sync>),
}

impl DecodeFault {
    fn damaged(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Damaged(Box::new(error))
    }
}

impl From<io::Error> for DecodeFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A piece that ends, or turns into nonsense, before its rows are full.
#[derive(Debug, thiserror::Error)]
#[error("the piece unpacks to `{done}` bytes and needs `{wanted}`")]
struct TooShort {
    done: usize,
    wanted: usize,
}
