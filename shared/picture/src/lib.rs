//! Pixels to PNG, and SVG to pixels with the embedded fonts only: so that all pictures of a run look alike, on any
//! machine.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, Options, Tree};

const REGULAR: &[u8] = include_bytes!("../assets/DejaVuSans-subset.ttf");
const BOLD: &[u8] = include_bytes!("../assets/DejaVuSans-Bold-subset.ttf");

/// A picture that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The picture has a size no image of its kind can have.
    #[error("a picture cannot be `{width}` × `{height}` pixels")]
    Size {
        /// Width, pixels.
        width: usize,
        /// Height, pixels.
        height: usize,
    },
    /// The pixels could not be encoded.
    #[error("the picture could not be encoded")]
    Png(#[from] png::EncodingError),
    /// The text is not an SVG that the rasteriser takes.
    #[error("the picture could not be rasterised")]
    Svg(#[from] usvg::Error),
}

/// What a pixel is made of, 8 bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// One grey.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, opacity; not premultiplied.
    Rgba,
}

/// Encodes `width` × `height` pixels, row by row, as a PNG.
///
/// # Errors
/// [`PictureError::Size`] for a picture without pixels or beyond 2³² of them a side; [`PictureError::Png`] when `pixels`
/// has another length than the size says.
pub fn encode_png(width: usize, height: usize, color: Color, pixels: &[u8]) -> Result<Vec<u8>, PictureError> {
    let size = || PictureError::Size { width, height };
    let (w, h) = (u32::try_from(width).map_err(|_| size())?, u32::try_from(height).map_err(|_| size())?);
    if w == 0 || h == 0 {
        return Err(size());
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, w, h);
    encoder.set_color(match color {
        Color::Gray => png::ColorType::Grayscale,
        Color::Rgb => png::ColorType::Rgb,
        Color::Rgba => png::ColorType::Rgba,
    });
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(out)
}

/// An SVG as pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    /// Width, pixels.
    pub width: usize,
    /// Height, pixels.
    pub height: usize,
    /// Red, green, blue, opacity of each pixel, row by row; not premultiplied.
    pub rgba: Vec<u8>,
}

impl Raster {
    /// Rasterises an SVG at its own size. Fonts of the machine are never used; letters outside Latin, Greek and Cyrillic
    /// leave a gap.
    ///
    /// # Errors
    /// [`PictureError::Svg`] for text that is not an SVG, [`PictureError::Size`] for one without an area.
    pub fn of_svg(svg: &str) -> Result<Self, PictureError> {
        let mut options = Options { font_family: "DejaVu Sans".to_owned(), ..Options::default() };
        options.fontdb_mut().load_font_data(REGULAR.to_vec());
        options.fontdb_mut().load_font_data(BOLD.to_vec());
        let tree = Tree::from_str(svg, &options)?;
        let size = tree.size().to_int_size();
        let (width, height) = (size.width() as usize, size.height() as usize);
        let mut pixels = Pixmap::new(size.width(), size.height()).ok_or(PictureError::Size { width, height })?;
        resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
        Ok(Self { width, height, rgba: pixels.take_demultiplied() })
    }

    /// The pixels as a PNG.
    ///
    /// # Errors
    /// See [`encode_png`].
    pub fn png(&self) -> Result<Vec<u8>, PictureError> {
        encode_png(self.width, self.height, Color::Rgba, &self.rgba)
    }
}
