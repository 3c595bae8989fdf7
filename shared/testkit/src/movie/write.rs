//! The movie as a TIFF that ImageJ writes, and its truth as JSON.

use std::io::{Seek, Write};

use tiff::{
    encoder::{ImageEncoder, Rational, TiffEncoder, TiffKind, TiffKindBig, TiffKindStandard, colortype::Gray16},
    tags::Tag,
};

use super::Movie;

/// Classic TIFF addresses 4 GiB; a page's directory takes less than this many bytes.
const DIRECTORY: u64 = 1024;

/// Why a movie could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The frame is larger than a TIFF page can be.
    #[error("a frame of `{width}` × `{height}` does not fit a TIFF")]
    Size {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// The TIFF could not be written.
    #[error("the movie could not be written")]
    Tiff(#[from] tiff::TiffError),
    /// The truth could not be written.
    #[error("the truth could not be written")]
    Json(#[from] serde_json::Error),
}

impl Movie {
    /// Writes all frames, uncompressed uint16, one page each, with ImageJ's description (frame
    /// interval and pixel size). BigTIFF when 4 GiB would not do.
    ///
    /// # Errors
    /// [`WriteError`] when `out` fails or the frame is too large.
    pub fn write_tiff(&self, out: impl Write + Seek) -> Result<(), WriteError> {
        let scene = &self.scene;
        let page = (scene.height * scene.width * 2) as u64 + DIRECTORY;
        if page * scene.frames as u64 > u64::from(u32::MAX) {
            self.write_pages(TiffEncoder::<_, TiffKindBig>::new_generic(out)?)
        } else {
            self.write_pages(TiffEncoder::<_, TiffKindStandard>::new_generic(out)?)
        }
    }

    fn write_pages<W: Write + Seek, K: TiffKind>(&self, mut tiff: TiffEncoder<W, K>) -> Result<(), WriteError> {
        let (width, height) = self.page_size()?;
        let description = self.description();
        let mut pixels = Vec::new();
        for t in 0..self.scene.frames {
            let mut page = tiff.new_image::<Gray16>(width, height)?;
            page.rows_per_strip(height)?;
            if t == 0 {
                page.encoder().write_tag(Tag::ImageDescription, description.as_str())?;
            }
            self.resolution(&mut page);
            self.frame(t, &mut pixels);
            page.write_data(&pixels)?;
        }
        Ok(())
    }

    fn page_size(&self) -> Result<(u32, u32), WriteError> {
        let (width, height) = (self.scene.width, self.scene.height);
        let narrow = |n: usize| u32::try_from(n).map_err(|_| WriteError::Size { width, height });
        Ok((narrow(width)?, narrow(height)?))
    }

    fn description(&self) -> String {
        let n = self.scene.frames;
        let interval = 1.0 / self.scene.frame_rate_hz;
        format!("ImageJ=1.54f\nimages={n}\nframes={n}\nunit=micron\nfinterval={interval}\nloop=false\nmin=0.0\nmax=65535.0\n")
    }

    /// Pixels per micrometre, in millionths.
    fn resolution<W: Write + Seek, K: TiffKind>(&self, page: &mut ImageEncoder<'_, W, Gray16, K>) {
        let per_um = Rational { n: (1e6 / self.scene.pixel_size_um).round() as u32, d: 1_000_000 };
        page.x_resolution(Rational { ..per_um });
        page.y_resolution(per_um);
    }

    /// Writes scene and truth as one JSON object with the keys `scene` and `truth`.
    ///
    /// # Errors
    /// [`WriteError::Json`] when `out` fails.
    pub fn write_truth_json(&self, out: impl Write) -> Result<(), WriteError> {
        let both = serde_json::json!({ "scene": self.scene, "truth": self.truth });
        Ok(serde_json::to_writer(out, &both)?)
    }
}
