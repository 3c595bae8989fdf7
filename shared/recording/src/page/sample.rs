//! How one sample is stored, and the type that it is delivered in.

use crate::bytes::Bytes;
use crate::ifd::{Fault, Ifd, tag};
use crate::{RecordingError, SampleType};

/// One sample as it lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    /// 2 to 7, 8, 9 to 15, 16, 17 to 31, 32 or 64.
    pub(crate) bits: u8,
    /// The type that holds it without loss.
    pub(crate) delivered: SampleType,
}

impl Stored {
    /// Says whether samples are packed without regard to the limits of bytes, the highest bit first.
    pub(crate) fn is_packed(self) -> bool {
        !matches!(self.bits, 8 | 16 | 32 | 64)
    }

    /// Says whether the sample is IEEE 754 half precision, which no [`SampleType`] is.
    pub(crate) fn is_half(self) -> bool {
        self.bits == 16 && self.delivered == SampleType::F32
    }

    /// Bytes of one sample once it is unpacked and before it is delivered.
    pub(crate) fn unpacked_bytes(self) -> usize {
        if self.is_half() { 2 } else { self.delivered.bytes() }
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self.delivered, SampleType::F32 | SampleType::F64)
    }

    /// Reads BitsPerSample and SampleFormat, which must be the same for each of `samples`.
    pub(super) fn read(ifd: &Ifd, bytes: &mut Bytes, samples: u64) -> Result<Self, Fault> {
        let bits = same_for_all(ifd, bytes, tag::BITS_PER_SAMPLE, samples)?;
        let format = same_for_all(ifd, bytes, tag::SAMPLE_FORMAT, samples)?;
        let stored = |delivered| Ok(Self { bits: bits as u8, delivered });
        // Format 4 is "undefined", which the specification lets readers take as unsigned.
        let (kind, remedy) = match (format, bits) {
            (1 | 4, 1) => {
                let cause = "the frames are black and white masks of `1` bit per pixel, without intensities";
                return Err(RecordingError::unsupported(cause, "upload the recording that the masks were made from").into());
            }
            (1 | 4, 2..=8) => return stored(SampleType::U8),
            (1 | 4, 9..=16) => return stored(SampleType::U16),
            (1 | 4, 17..=32) => return stored(SampleType::U32),
            (1 | 4, 64) => return stored(SampleType::U64),
            (2, 8) => return stored(SampleType::I8),
            (2, 16) => return stored(SampleType::I16),
            (2, 32) => return stored(SampleType::I32),
            (2, 64) => return stored(SampleType::I64),
            (3, 16 | 32) => return stored(SampleType::F32),
            (3, 64) => return stored(SampleType::F64),
            (1 | 4, _) => ("unsigned", "in Fiji choose Image > Type > 16-bit or 32-bit, save as TIFF and upload that"),
            (2, _) => ("signed", "in Fiji choose Image > Type > 16-bit or 32-bit, save as TIFF and upload that"),
            (3, _) => ("floating point", "in Fiji choose Image > Type > 32-bit, save as TIFF and upload that"),
            _ => ("complex or unknown", "save the magnitude as 32-bit TIFF and upload that"),
        };
        Err(RecordingError::unsupported(format!("the pixels are `{bits}` bit {kind} numbers"), remedy).into())
    }
}

/// The value of a tag that is stated once, or once for each sample; 1 where it is absent.
fn same_for_all(ifd: &Ifd, bytes: &mut Bytes, tag: u16, samples: u64) -> Result<u64, Fault> {
    let values = ifd.uints(bytes, tag, samples)?;
    let first = values.first().copied().unwrap_or(1);
    if values.iter().all(|value| *value == first) {
        return Ok(first);
    }
    Err(RecordingError::unsupported(
        format!("the samples of a pixel differ in type (entry `{tag}` of a frame's description says `{values:?}`)"),
        "in Fiji choose Image > Color > Split Channels, save each as TIFF and upload that",
    )
    .into())
}
