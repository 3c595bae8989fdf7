//! The images of the planes, small enough to carry.

use dropscope_segmentation::Segmentation;
use ndarray::Array2;

use super::encode;
use crate::{OutputError, figure::binned, gray_png, robust_range};

/// Pixels of all pictures of a report.
const MOST_PIXELS: usize = 3 << 20;

/// Names of the pictures, as the page knows them, with the fractions of the values that are black and white.
const KINDS: [(&str, f64, f64); 4] = [("mean", 0.01, 0.998), ("max", 0.01, 0.998), ("sd", 0.01, 0.998), ("first", 0.005, 0.995)];

/// One picture: an 8-bit grey PNG in base64.
pub(super) struct Picture {
    pub(super) plane: usize,
    pub(super) kind: &'static str,
    pub(super) png: String,
    /// Values of black and white, raw units.
    pub(super) range: (f32, f32),
}

/// The pictures of all planes; means of square blocks of pixels where there are too many.
///
/// # Errors
/// When a picture has no pixels.
pub(super) fn all(planes: &[Segmentation]) -> Result<Vec<Picture>, OutputError> {
    let pixels: usize = planes.iter().map(|seg| seg.first_frame.len() * KINDS.len()).sum();
    let factor = (1..).find(|f| pixels / (f * f) <= MOST_PIXELS).unwrap_or(1);
    let mut found = Vec::new();
    for (plane, seg) in planes.iter().enumerate() {
        for ((kind, dark, bright), image) in KINDS.into_iter().zip(images(seg)) {
            let image = binned(image, image.nrows().max(image.ncols()).div_ceil(factor));
            let range = robust_range(&image, dark, bright);
            let png = encode::text(&gray_png(&image, range.0, range.1)?);
            found.push(Picture { plane, kind, png, range });
        }
    }
    Ok(found)
}

/// In the order of `KINDS`.
fn images(seg: &Segmentation) -> [&Array2<f32>; 4] {
    let reg = &seg.registration;
    [&reg.mean, &reg.max, &reg.sd, &seg.first_frame]
}
