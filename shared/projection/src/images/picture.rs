//! Images as PNG.

use super::canvas::Canvas;
use super::contrast::Contrast;
use super::layout::Layout;
use super::text::labels;
use crate::{Image, ProjectionError};

/// Encodes planes side by side, pixel for pixel, in one contrast.
pub(crate) fn montage_png(planes: &[&Image]) -> Result<Vec<u8>, ProjectionError> {
    let Some(first) = planes.first() else { return Err(ProjectionError::PictureSize { width: 0, height: 0 }) };
    let columns = Layout::of(planes.len(), first.height, first.width).columns;
    let grid = Layout { tiles: planes.len(), columns: columns.min(planes.len()), factor: 1 }.grid(first.height, first.width);
    let (height, width) = grid.size();
    let mut canvas = Canvas::new(height, width);
    if planes.len() > 1 {
        canvas.pixels = labels(height, width, grid.labels(planes.len()))?;
    }
    let contrast = Contrast::of(planes.iter().copied());
    for (tile, plane) in planes.iter().enumerate() {
        let (top, left) = grid.place(tile);
        let grey: Vec<u8> = plane.values.iter().map(|v| contrast.gray(*v)).collect();
        canvas.paste(top, left, plane.width, 1, &grey);
    }
    gray_png(width, height, &canvas.pixels)
}

/// Encodes `width` × `height` grey pixels.
fn gray_png(width: usize, height: usize, grey: &[u8]) -> Result<Vec<u8>, ProjectionError> {
    encode(width, height, png::ColorType::Grayscale, grey)
}

/// Encodes `width` × `height` RGBA quadruples, not premultiplied.
pub(crate) fn rgba_png(width: usize, height: usize, rgba: &[u8]) -> Result<Vec<u8>, ProjectionError> {
    encode(width, height, png::ColorType::Rgba, rgba)
}

fn encode(width: usize, height: usize, color: png::ColorType, pixels: &[u8]) -> Result<Vec<u8>, ProjectionError> {
    let size_error = || ProjectionError::PictureSize { width, height };
    let w = u32::try_from(width).map_err(|_| size_error())?;
    let h = u32::try_from(height).map_err(|_| size_error())?;
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, w, h);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(out)
}
