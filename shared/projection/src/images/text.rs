//! Text and bars to pixels.

use crate::ProjectionError;
use dropscope_picture::Raster;
use std::fmt::Write;

/// Something white at a place, pixels.
pub(crate) enum Piece {
    /// Text from `left` on.
    Text { text: String, top: usize, left: usize, size: usize },
    /// Text that ends at `right`.
    TextBefore { text: String, top: usize, right: usize, size: usize },
    /// A filled rectangle.
    Bar { top: usize, left: usize, width: usize, height: usize },
}

/// Writes pieces in white on black: grey pixels of a picture of this size. Text holds no `<`, `>` or `&`.
pub(crate) fn written(height: usize, width: usize, pieces: &[Piece]) -> Result<Vec<u8>, ProjectionError> {
    if pieces.is_empty() {
        return Ok(vec![0; height * width]);
    }
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"DejaVu Sans\">\
         <rect width=\"{width}\" height=\"{height}\" fill=\"black\"/>"
    );
    for piece in pieces {
        // Writing to a string does not fail.
        let _ = match piece {
            Piece::Text { text, top, left, size } => {
                write!(svg, "<text x=\"{}\" y=\"{}\" font-size=\"{size}\" fill=\"white\">{text}</text>", left + 2, top + size)
            }
            Piece::TextBefore { text, top, right, size } => write!(
                svg,
                "<text x=\"{right}\" y=\"{}\" font-size=\"{size}\" text-anchor=\"end\" fill=\"white\">{text}</text>",
                top + size
            ),
            Piece::Bar { top, left, width, height } => {
                write!(svg, "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"white\"/>")
            }
        };
    }
    svg.push_str("</svg>");
    Ok(Raster::of_svg(&svg)?.rgba.chunks_exact(4).filter_map(|pixel| pixel.first().copied()).collect())
}

/// Writes labels (text, top, left) in white on black.
pub(crate) fn labels(
    height: usize,
    width: usize,
    labels: impl Iterator<Item = (String, usize, usize)>,
) -> Result<Vec<u8>, ProjectionError> {
    let pieces: Vec<Piece> = labels.map(|(text, top, left)| Piece::Text { text, top, left, size: 12 }).collect();
    written(height, width, &pieces)
}
