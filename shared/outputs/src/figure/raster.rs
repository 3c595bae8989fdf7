//! From SVG to PNG with the embedded fonts only.

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree},
};

use crate::{OutputError, picture::rgba_png};

const REGULAR: &[u8] = include_bytes!("../../assets/DejaVuSans-subset.ttf");
const BOLD: &[u8] = include_bytes!("../../assets/DejaVuSans-Bold-subset.ttf");

/// Rasterises an SVG at its own size into a PNG.
///
/// Fonts of the machine are never used. Letters outside Latin, Greek and Cyrillic leave a gap.
///
/// # Errors
/// [`OutputError::Svg`] for text that is not an SVG, [`OutputError::PictureSize`] for one without
/// an area.
pub fn rasterize(svg: &str) -> Result<Vec<u8>, OutputError> {
    let mut options = Options { font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    options.fontdb_mut().load_font_data(REGULAR.to_vec());
    options.fontdb_mut().load_font_data(BOLD.to_vec());
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size().to_int_size();
    let (width, height) = (size.width() as usize, size.height() as usize);
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or(OutputError::PictureSize { width, height })?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    rgba_png(width, height, &pixels.take_demultiplied())
}
