//! Images as PNG.

use ndarray::Array2;

use dropscope_picture::{Color, PictureError, encode_png};

/// Encodes an image as an 8-bit grey PNG: `low` and below is black, `high` and above white.
///
/// Values that are not numbers are black; an image without contrast is mid-grey.
///
/// # Errors
/// See [`encode_png`].
pub fn gray_png(image: &Array2<f32>, low: f32, high: f32) -> Result<Vec<u8>, PictureError> {
    let (height, width) = image.dim();
    let pixels: Vec<u8> = image.iter().map(|&v| gray(v, low, high)).collect();
    encode_png(width, height, Color::Gray, &pixels)
}

fn gray(value: f32, low: f32, high: f32) -> u8 {
    if high > low {
        // The cast saturates, and turns NaN into 0.
        (255.0 * (value - low) / (high - low)).round() as u8
    } else {
        128
    }
}

/// Encodes `width × height` RGB triples.
pub(crate) fn rgb_png(width: usize, height: usize, rgb: &[u8]) -> Result<Vec<u8>, PictureError> {
    encode_png(width, height, Color::Rgb, rgb)
}

/// Finds the values below which the fractions `low` and `high` (0 to 1) of the finite pixels lie.
///
/// (0, 1) when no pixel is finite.
#[must_use]
pub fn robust_range(image: &Array2<f32>, low: f64, high: f64) -> (f32, f32) {
    let mut sorted: Vec<f32> = image.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    if sorted.is_empty() {
        return (0.0, 1.0);
    }
    let at = |q: f64| sorted[((sorted.len() - 1) as f64 * q.clamp(0.0, 1.0)).round() as usize];
    (at(low), at(high))
}
