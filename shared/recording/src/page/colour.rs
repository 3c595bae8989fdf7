//! What the samples of a pixel mean: gray, several channels, look-up tables; colour is refused.

use crate::RecordingError;
use crate::bytes::Bytes;
use crate::ifd::{Fault, Ifd, tag};

/// Most samples of a pixel that are read as channels.
const MOST_SAMPLES: u64 = 16;

const SPLIT: &str = "in Fiji choose Image > Color > Split Channels, or Image > Type > 16-bit, save as TIFF and upload that";

/// The meaning of a pixel's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour {
    /// Samples of a pixel, each a channel; 1 to 16.
    pub(super) samples: u64,
    pub(super) white_is_zero: bool,
    /// Whether samples point into a table of colours, see [`check_palette`].
    pub(super) palette: bool,
}

impl Colour {
    /// Reads the tags; refuses colour pictures and transparency.
    pub(super) fn read(ifd: &Ifd, bytes: &mut Bytes) -> Result<Self, Fault> {
        let samples = ifd.uint(bytes, tag::SAMPLES_PER_PIXEL)?.unwrap_or(1);
        let photometric = ifd.uint(bytes, tag::PHOTOMETRIC)?.unwrap_or(1);
        let (cause, remedy) = match (photometric, samples) {
            (0 | 1, 1) | (3, 1) => {
                return Ok(Self { samples: 1, white_is_zero: photometric == 0, palette: photometric == 3 });
            }
            (0 | 1, 2..=MOST_SAMPLES) => {
                check_alpha(ifd, bytes, samples)?;
                return Ok(Self { samples, white_is_zero: photometric == 0, palette: false });
            }
            (0 | 1, n) => (format!("each pixel has `{n}` samples, at most `{MOST_SAMPLES}` are read"), SPLIT),
            (3, _) => return Err(palette_refused().into()),
            _ => ("the frames are colour pictures, not intensities".to_owned(), SPLIT),
        };
        Err(RecordingError::unsupported(cause, remedy).into())
    }
}

/// Refuses samples that are transparency (ExtraSamples 1 or 2).
fn check_alpha(ifd: &Ifd, bytes: &mut Bytes, samples: u64) -> Result<(), Fault> {
    if ifd.uints(bytes, tag::EXTRA_SAMPLES, samples)?.iter().all(|kind| *kind == 0) {
        return Ok(());
    }
    Err(RecordingError::unsupported(
        format!("`1` of the `{samples}` samples of each pixel is transparency (alpha), not an intensity"),
        "save the recording without an alpha channel, in Fiji by Image > Type > 16-bit, and upload that",
    )
    .into())
}

/// Refuses a table of colours unless its indices are intensities: ImageJ stores a gray image that is shown in false
/// colours so, and so does whoever writes a table that only grows brighter.
pub(crate) fn check_palette(ifd: &Ifd, bytes: &mut Bytes) -> Result<(), Fault> {
    let imagej = ifd.text(bytes, tag::DESCRIPTION, 8).is_some_and(|text| text.starts_with("ImageJ="));
    if imagej || grows_brighter(&ifd.uints(bytes, tag::COLOR_MAP, 3 << 16)?) {
        return Ok(());
    }
    Err(palette_refused().into())
}

pub(super) fn palette_refused() -> RecordingError {
    RecordingError::unsupported(
        "the frames are stored as palette colours, not as intensities",
        "in Fiji choose Image > Lookup Tables > Grays, save as TIFF and upload that",
    )
}

/// Whether brightness (ITU-R BT.601 luma) never falls from one index to the next. The map holds all reds, then greens, blues.
fn grows_brighter(map: &[u64]) -> bool {
    let (reds, rest) = map.split_at(map.len() / 3);
    let (greens, blues) = rest.split_at(rest.len() / 2);
    let brightness: Vec<u64> =
        reds.iter().zip(greens).zip(blues).map(|((red, green), blue)| 299 * red + 587 * green + 114 * blue).collect();
    brightness.is_sorted() && brightness.first() < brightness.last()
}

#[cfg(test)]
mod tests {
    use super::grows_brighter;

    #[test]
    fn ramps_are_intensities_and_rainbows_are_not() {
        let ramp: Vec<u64> = (0..256).map(|i| i * 257).collect();
        let nothing = vec![0; 256];
        assert!(grows_brighter(&[ramp.clone(), ramp.clone(), ramp.clone()].concat()));
        assert!(grows_brighter(&[nothing.clone(), ramp.clone(), nothing.clone()].concat()), "green");
        let falling: Vec<u64> = ramp.iter().rev().copied().collect();
        assert!(!grows_brighter(&[ramp.clone(), falling.clone(), ramp].concat()));
        assert!(!grows_brighter(&[falling.clone(), falling.clone(), falling].concat()));
        assert!(!grows_brighter(&[nothing.clone(), nothing.clone(), nothing].concat()));
        assert!(!grows_brighter(&[]));
    }
}
