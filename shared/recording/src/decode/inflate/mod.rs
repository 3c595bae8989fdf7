//! Deflate in the wrapper of zlib (RFC 1950, RFC 1951), by `zlib-rs`.

#[cfg(test)]
mod tests;

use zlib_rs::{Inflate as Decoder, InflateFlush};

use super::TooShort;

/// The largest window of the format, as a power of two.
const WINDOW_BITS: u8 = 15;

/// Why a stream does not unpack.
#[derive(Debug, thiserror::Error)]
pub(super) enum InflateError {
    #[error("the deflate stream is damaged: {0}")]
    Damaged(&'static str),
    #[error(transparent)]
    TooShort(#[from] TooShort),
}

/// The decoder's tables, kept from chunk to chunk.
pub(super) struct Inflate {
    decoder: Decoder,
}

impl Default for Inflate {
    fn default() -> Self {
        Self { decoder: Decoder::new(true, WINDOW_BITS) }
    }
}

impl Inflate {
    /// Unpacks until `out` is full, and holds the bytes against their checksum if that is also where the stream ends.
    pub(super) fn decode(&mut self, packed: &[u8], out: &mut [u8]) -> Result<(), InflateError> {
        self.decoder.reset(true);
        self.decoder
            .decompress(packed, out, InflateFlush::Finish)
            .map_err(|error| InflateError::Damaged(self.decoder.error_message().unwrap_or(error.as_str())))?;
        let done = self.decoder.total_out() as usize;
        if done == out.len() { Ok(()) } else { Err(TooShort { done, wanted: out.len() }.into()) }
    }
}
