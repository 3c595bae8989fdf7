//! The figure as pixels.

use crate::OutputError;
use dropscope_picture::Raster;

/// Rasterises an SVG at its own size into a PNG.
///
/// # Errors
/// [`OutputError::Picture`] for text that is not an SVG, or one without an area.
pub fn rasterize(svg: &str) -> Result<Vec<u8>, OutputError> {
    Ok(Raster::of_svg(svg)?.png()?)
}
