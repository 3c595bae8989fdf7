//! Text and plots to pixels, with the embedded fonts only.

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree},
};

use crate::ProjectionError;

// The fonts of the figure, so that all pictures of a run look alike.
const REGULAR: &[u8] = include_bytes!("../../../outputs/assets/DejaVuSans-subset.ttf");
const BOLD: &[u8] = include_bytes!("../../../outputs/assets/DejaVuSans-Bold-subset.ttf");

/// Rasterises an SVG at its own size: RGBA, not premultiplied, with width and height.
pub(crate) fn rasterize(svg: &str) -> Result<(Vec<u8>, usize, usize), ProjectionError> {
    let mut options = Options { font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    options.fontdb_mut().load_font_data(REGULAR.to_vec());
    options.fontdb_mut().load_font_data(BOLD.to_vec());
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size();
    let (width, height) = (size.width() as usize, size.height() as usize);
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or(ProjectionError::PictureSize { width, height })?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    Ok((pixels.take_demultiplied(), width, height))
}

/// Writes labels (text, top, left) in white on black: grey pixels of a picture of this size.
pub(crate) fn labels(
    height: usize,
    width: usize,
    labels: impl Iterator<Item = (String, usize, usize)>,
) -> Result<Vec<u8>, ProjectionError> {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"DejaVu Sans\">\
         <rect width=\"{width}\" height=\"{height}\" fill=\"black\"/>"
    );
    for (text, top, left) in labels {
        svg.push_str(&format!("<text x=\"{}\" y=\"{}\" font-size=\"12\" fill=\"white\">{text}</text>", left + 2, top + 12));
    }
    svg.push_str("</svg>");
    let (rgba, ..) = rasterize(&svg)?;
    Ok(rgba.chunks_exact(4).filter_map(|pixel| pixel.first().copied()).collect())
}
