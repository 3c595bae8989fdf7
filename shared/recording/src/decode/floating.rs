//! The floating-point predictor (Adobe Photoshop TIFF Technical Note 3), undone by the `tiff` crate.

use std::io::Cursor;

use tiff::decoder::{Decoder, Limits};

use super::DecodeFault;
use crate::bytes::ByteOrder;
use crate::ifd::tag;
use crate::page::Page;

/// Rows are shown to the decoder some at a time, so that it needs no second frame.
const BAND_BYTES: usize = 1 << 16;

/// Turns rows of stored differences into rows of native floats, in place. `strip` is scratch space.
pub(super) fn undo(page: &Page, rows: &mut [u8], strip: &mut Vec<u8>) -> Result<(), DecodeFault> {
    let row_bytes = page.row_bytes();
    for band in rows.chunks_mut(row_bytes * (BAND_BYTES / row_bytes).max(1)) {
        strip.clear();
        one_strip_tiff(page, band.len() / row_bytes, band.len(), strip);
        strip.extend_from_slice(band);
        let mut limits = Limits::default();
        limits.decoding_buffer_size = band.len();
        limits.intermediate_buffer_size = strip.len();
        Decoder::new(Cursor::new(&strip[..]))
            .and_then(|decoder| decoder.with_limits(limits).read_image_bytes(band))
            .map_err(DecodeFault::damaged)?;
    }
    Ok(())
}

/// Writes the header of a classic TIFF whose single uncompressed strip follows it. Every number in it is written here,
/// so that no number of the recording's own headers reaches the decoder unchecked.
fn one_strip_tiff(page: &Page, rows: usize, bytes: usize, out: &mut Vec<u8>) {
    const ENTRIES: usize = 11;
    const HEADER: usize = 8 + 2 + ENTRIES * 12 + 4;
    let mark: &[u8] = if ByteOrder::NATIVE == ByteOrder::Big { b"MM" } else { b"II" };
    let samples = page.samples_of_a_chunk() as u32;
    let bits = u32::from(page.stored.bits);
    let entries: [(u16, u32); ENTRIES] = [
        (tag::WIDTH, page.chunk_width as u32),
        (tag::HEIGHT, rows as u32),
        // One number stands for each of the samples.
        (tag::BITS_PER_SAMPLE, bits),
        (tag::COMPRESSION, 1),
        (tag::PHOTOMETRIC, 1),
        (tag::STRIP_OFFSETS, HEADER as u32),
        (tag::SAMPLES_PER_PIXEL, samples),
        (tag::ROWS_PER_STRIP, rows as u32),
        (tag::STRIP_BYTE_COUNTS, bytes as u32),
        (tag::PREDICTOR, 3),
        (tag::SAMPLE_FORMAT, 3),
    ];
    out.extend(mark);
    out.extend(42u16.to_ne_bytes());
    out.extend(8u32.to_ne_bytes());
    out.extend((ENTRIES as u16).to_ne_bytes());
    for (tag, value) in entries {
        // Each value as one LONG.
        out.extend([tag, 4].iter().flat_map(|short: &u16| short.to_ne_bytes()));
        out.extend([1, value].iter().flat_map(|long: &u32| long.to_ne_bytes()));
    }
    out.extend(0u32.to_ne_bytes());
}
