//! The compressions that are read, and words for those that are not.

use crate::RecordingError;

/// The compressions that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    PackBits,
    Lzw,
    Deflate,
    Zstd,
}

impl Compression {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::PackBits => "packbits",
            Self::Lzw => "lzw",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        }
    }

    pub(super) fn from_code(code: u64) -> Result<Self, RecordingError> {
        let unread = match code {
            1 => return Ok(Self::None),
            5 => return Ok(Self::Lzw),
            8 | 32946 => return Ok(Self::Deflate),
            32773 => return Ok(Self::PackBits),
            50000 => return Ok(Self::Zstd),
            2..=4 => "fax (CCITT) compression",
            6 | 7 => "JPEG compression, which also loses detail",
            33003 | 33005 | 34712 => "JPEG 2000 compression",
            34887 => "LERC compression",
            34925 => "LZMA compression",
            50001 => "WebP compression, which also loses detail",
            50002 => "JPEG XL compression",
            _ => "a compression that is not known",
        };
        Err(RecordingError::unsupported(
            format!("the frames are stored with {unread} (code `{code}`)"),
            "save the recording uncompressed, or with LZW or Deflate, and upload it again",
        ))
    }

    /// The most bytes that a piece of `decoded` bytes is believed to take in the file. LZW spends 12 bits on a byte at
    /// worst, the others a little more than the byte itself; what lies beyond is not read, so that a claim sizes no buffer.
    pub(super) fn most_packed(self, decoded: u64) -> u64 {
        let extra = match self {
            Self::Lzw | Self::PackBits => decoded / 2,
            Self::None | Self::Deflate | Self::Zstd => decoded / 8,
        };
        decoded + extra + 4096
    }
}
