//! Strips and tiles to samples. Decompression and predictors are the `tiff` crate's, ZSTD is `ruzstd`'s.

use std::error::Error;
use std::io::{self, Cursor, Read};

use ruzstd::decoding::StreamingDecoder;
use tiff::decoder::{Decoder, Limits as TiffLimits};

use crate::bytes::{ByteOrder, Bytes};
use crate::ifd::tag;
use crate::page::{Compression, Page};

/// Scratch space that is kept from page to page.
#[derive(Default)]
pub(crate) struct Scratch {
    /// The frame as bytes.
    frame: Vec<u8>,
    /// One chunk as it lies in the file.
    packed: Vec<u8>,
    /// The same after the header that [`one_strip_tiff`] gives it.
    strip: Vec<u8>,
    /// One chunk, decoded.
    decoded: Vec<u8>,
}

impl Scratch {
    /// Reads a frame that lies in the file as one run.
    pub(crate) fn read_run(&mut self, bytes: &mut Bytes, offset: u64, count: usize) -> io::Result<&[u8]> {
        self.frame.resize(count, 0);
        bytes.read_at(offset, &mut self.frame)?;
        Ok(&self.frame)
    }

    /// Reads and decodes a frame chunk by chunk. Returns its samples as bytes and their order.
    pub(crate) fn read_chunks(
        &mut self,
        bytes: &mut Bytes,
        page: &Page,
        order: ByteOrder,
    ) -> Result<(&[u8], ByteOrder), DecodeFault> {
        self.frame.resize(page.shape.bytes(), 0);
        for i in 0..page.chunks.len() {
            self.decoded.resize(page.decoded_bytes(i), 0);
            if page.is_raw() {
                bytes.read_at(page.chunks[i].offset, &mut self.decoded)?;
            } else {
                self.decode(bytes, page, i, order)?;
            }
            place(&mut self.frame, &self.decoded, page, i);
        }
        let order = if page.is_raw() { order } else { ByteOrder::NATIVE };
        Ok((&self.frame, order))
    }

    /// Shows chunk `i` to the decoder as a file of one strip whose header is written here, so that no number of the
    /// recording's own headers reaches it unchecked.
    fn decode(&mut self, bytes: &mut Bytes, page: &Page, i: usize, order: ByteOrder) -> Result<(), DecodeFault> {
        let chunk = page.chunks[i];
        self.packed.resize(chunk.bytes as usize, 0);
        bytes.read_at(chunk.offset, &mut self.packed)?;
        self.strip.clear();
        one_strip_tiff(&mut self.strip, page, i, order);
        if page.compression == Compression::Zstd {
            // Left to the decoder as plain samples, for the predictor.
            let start = self.strip.len();
            self.strip.resize(start + self.decoded.len(), 0);
            StreamingDecoder::new(&self.packed[..])
                .map_err(DecodeFault::damaged)?
                .read_exact(&mut self.strip[start..])
                .map_err(DecodeFault::damaged)?;
        } else {
            self.strip.extend(&self.packed);
        }
        let mut limits = TiffLimits::default();
        limits.decoding_buffer_size = self.decoded.len();
        limits.intermediate_buffer_size = self.strip.len();
        Decoder::new(Cursor::new(&self.strip[..]))
            .and_then(|decoder| decoder.with_limits(limits).read_image_bytes(&mut self.decoded))
            .map_err(DecodeFault::damaged)
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

/// Copies a decoded chunk to its place in the frame, without the padding.
fn place(frame: &mut [u8], decoded: &[u8], page: &Page, i: usize) {
    let sample = page.shape.stored.bytes();
    let (top, left) = ((i / page.across) * page.chunk_height, (i % page.across) * page.chunk_width);
    let columns = page.chunk_width.min(page.shape.width - left);
    let frame_rows = frame.chunks_exact_mut(page.shape.width * sample).skip(top);
    let chunk_rows = decoded.chunks_exact(page.chunk_width * sample);
    for (to, from) in frame_rows.zip(chunk_rows) {
        to[left * sample..(left + columns) * sample].copy_from_slice(&from[..columns * sample]);
    }
}

/// Writes the header of a classic TIFF whose single strip follows it.
fn one_strip_tiff(out: &mut Vec<u8>, page: &Page, i: usize, order: ByteOrder) {
    const ENTRIES: usize = 11;
    const HEADER: usize = 8 + 2 + ENTRIES * 12 + 4;
    let compression = match page.compression {
        Compression::None | Compression::Zstd => 1,
        Compression::Lzw => 5,
        Compression::Deflate => 8,
        Compression::PackBits => 32773,
    };
    let (bits, format) = sample_code(page);
    let rows = page.stored_rows(i) as u32;
    let strip_bytes = match page.compression {
        Compression::Zstd => page.decoded_bytes(i) as u64,
        _ => page.chunks[i].bytes,
    };
    let entries: [(u16, u32); ENTRIES] = [
        (tag::WIDTH, page.chunk_width as u32),
        (tag::HEIGHT, rows),
        (tag::BITS_PER_SAMPLE, bits),
        (tag::COMPRESSION, compression),
        (tag::PHOTOMETRIC, 1),
        (tag::STRIP_OFFSETS, HEADER as u32),
        (tag::SAMPLES_PER_PIXEL, 1),
        (tag::ROWS_PER_STRIP, rows),
        (tag::STRIP_BYTE_COUNTS, strip_bytes as u32),
        (tag::PREDICTOR, u32::from(page.predictor)),
        (tag::SAMPLE_FORMAT, format),
    ];
    let mut header = HeaderWriter { out, order };
    header.out.extend(match order {
        ByteOrder::Little => b"II",
        ByteOrder::Big => b"MM",
    });
    header.short(42);
    header.long(8);
    header.short(ENTRIES as u16);
    for (tag, value) in entries {
        // Each value as one LONG.
        header.short(tag);
        header.short(4);
        header.long(1);
        header.long(value);
    }
    header.long(0);
}

struct HeaderWriter<'a> {
    out: &'a mut Vec<u8>,
    order: ByteOrder,
}

impl HeaderWriter<'_> {
    fn short(&mut self, value: u16) {
        self.out.extend(match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        });
    }

    fn long(&mut self, value: u32) {
        self.out.extend(match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        });
    }
}

/// Bits per sample and TIFF sample format.
fn sample_code(page: &Page) -> (u32, u32) {
    use crate::SampleType as S;
    let format = match page.shape.stored {
        S::U8 | S::U16 | S::U32 => 1,
        S::I8 | S::I16 | S::I32 => 2,
        S::F32 => 3,
    };
    (page.shape.stored.bytes() as u32 * 8, format)
}
