//! Images as PNG.

use super::canvas::Canvas;
use super::contrast::Contrast;
use super::layout::Layout;
use super::text::labels;
use crate::{Image, ProjectionError};
use dropscope_picture::{Color, PictureError, encode_png};

/// Encodes planes side by side, pixel for pixel, in one contrast.
pub(crate) fn montage_png(planes: &[&Image]) -> Result<Vec<u8>, ProjectionError> {
    let Some(first) = planes.first() else { return Err(PictureError::Size { width: 0, height: 0 }.into()) };
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
    Ok(encode_png(width, height, Color::Gray, &canvas.pixels)?)
}
