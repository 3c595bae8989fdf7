//! ZSTD (RFC 8878), by `ruzstd`.

use std::io::Read;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{DecodeFault, TooShort};

/// Blocks are not larger than this, nor than the window.
const BLOCK: usize = 1 << 17;
/// The largest window that is kept in memory; encoders go beyond only when told to spend memory without measure.
const MOST_WINDOW: u64 = 1 << 25;
/// Magic number, descriptor, window: the bytes of a frame's header that may be rewritten.
const START: usize = 6;

/// The decoder's tables, kept from chunk to chunk.
#[derive(Default)]
pub(super) struct Zstd {
    decoder: FrameDecoder,
}

impl Zstd {
    /// Unpacks until `out` is full. `chunk` is the size of the chunk with its padding.
    pub(super) fn decode(&mut self, packed: &[u8], chunk: usize, out: &mut [u8]) -> Result<(), DecodeFault> {
        let (start, rest) = packed.split_at(START.min(packed.len()));
        let mut start = start.to_vec();
        narrow_window(&mut start, chunk);
        let mut stream = start.chain(rest);
        self.decoder.set_max_window_size(MOST_WINDOW);
        self.decoder.reset(&mut stream).map_err(DecodeFault::damaged)?;
        let mut done = 0;
        while done < out.len() {
            if !self.decoder.is_finished() {
                self.decoder.decode_blocks(&mut stream, BlockDecodingStrategy::UptoBlocks(1)).map_err(DecodeFault::damaged)?;
            }
            let read = self.decoder.read(&mut out[done..])?;
            done += read;
            if read == 0 && self.decoder.is_finished() {
                return Err(DecodeFault::damaged(TooShort { done, wanted: out.len() }));
            }
        }
        Ok(())
    }
}

/// A stream that was written without knowing its length asks for a window of megabytes for the smallest chunk; no match
/// reaches back further than the chunk itself, so more need not be kept.
fn narrow_window(start: &mut [u8], chunk: usize) {
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor, window] = start else { return };
    let single_segment = *descriptor & 0x20 > 0;
    // Exponent above a mantissa of 3 bits: the window is 2^(10 + exponent) and some eighths of it.
    let exponent = chunk.max(BLOCK).next_power_of_two().trailing_zeros() - 10;
    if !single_segment && u32::from(*window >> 3) >= exponent {
        *window = (exponent << 3) as u8;
    }
}
