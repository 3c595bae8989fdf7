//! Frames of vast volumes, made smaller before they are projected.

use dropscope_recording::{FrameBuffer, Pixels};

use crate::image::Image;

/// Pixels of all planes together up to which projections keep full resolution; each costs about 40 bytes.
const MOST_PIXELS: usize = 16 << 20;

/// Returns the side of the squares that are averaged before projecting; 1 for all but vast volumes.
pub(crate) fn factor(height: usize, width: usize, planes: usize) -> usize {
    let pixels = |k: usize| height.div_ceil(k) * width.div_ceil(k) * planes;
    (1..).find(|k| pixels(*k) <= MOST_PIXELS.max(planes)).unwrap_or(1)
}

/// Averages squares of a frame, as float32.
pub(crate) fn frame(buffer: &FrameBuffer, factor: usize) -> Pixels {
    let mut image = Image::unknown(buffer.height(), buffer.width());
    buffer.write_f32(&mut image.values);
    Pixels::F32(image.binned(factor).values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_recordings_keep_their_resolution_and_vast_ones_fit() {
        assert_eq!(factor(512, 512, 30), 1);
        assert_eq!(factor(2048, 2048, 4), 1);
        let k = factor(2048, 2048, 100);
        assert!(k > 1 && (2048_usize.div_ceil(k)).pow(2) * 100 <= MOST_PIXELS);
        assert_eq!(factor(1, 1, 1), 1);
    }
}
