//! Text to pixels.

use crate::ProjectionError;
use dropscope_picture::Raster;

/// Writes labels (text, top, left) in white on black: grey pixels of a picture of this size.
pub(crate) fn labels(
    height: usize,
    width: usize,
    labels: impl Iterator<Item = (String, usize, usize)>,
) -> Result<Vec<u8>, ProjectionError> {
    let mut labels = labels.peekable();
    if labels.peek().is_none() {
        return Ok(vec![0; height * width]);
    }
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"DejaVu Sans\">\
         <rect width=\"{width}\" height=\"{height}\" fill=\"black\"/>"
    );
    for (text, top, left) in labels {
        svg.push_str(&format!("<text x=\"{}\" y=\"{}\" font-size=\"12\" fill=\"white\">{text}</text>", left + 2, top + 12));
    }
    svg.push_str("</svg>");
    Ok(Raster::of_svg(&svg)?.rgba.chunks_exact(4).filter_map(|pixel| pixel.first().copied()).collect())
}
