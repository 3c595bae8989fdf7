//! What a file may claim, and what its owner may state instead of it.

use crate::RecordingError;

/// Bounds on what a file may claim; every number read from a file is held against one before it sizes anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Most pages with a directory of their own (each costs 8 to 24 bytes of memory).
    pub max_pages: usize,
    /// Most frames of any sort, also those of a stack with a single directory.
    pub max_frames: u64,
    /// Fewest time points that make a recording, per plane and channel.
    pub min_frames: usize,
    /// Most pixels in one frame.
    pub max_frame_pixels: u64,
    /// Most bytes in one frame as delivered, and in one strip or tile as stored. Reading a page takes one frame, one
    /// piece as it lies in the file and at times one piece unpacked: some 400 MB in all at the default.
    pub max_frame_bytes: u64,
    /// Most strips or tiles in one page.
    pub max_chunks_per_page: u64,
    /// Most entries in one TIFF directory.
    pub max_ifd_entries: u64,
    /// Bytes of a description that are looked at; what lies beyond is ignored.
    pub max_description_bytes: u64,
    /// Most decoded bytes per byte of file. Deflate cannot exceed 1032 and LZW 1365 to 1; more
    /// than that is a blank movie in ZSTD at best and a bomb at worst.
    pub max_expansion: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pages: 20_000_000,
            max_frames: 2_000_000_000,
            min_frames: 2,
            max_frame_pixels: 1 << 26,
            max_frame_bytes: 1 << 27,
            max_chunks_per_page: 1 << 18,
            max_ifd_entries: 4096,
            max_description_bytes: 4 << 20,
            max_expansion: 1500,
        }
    }
}

/// What the owner states about a recording; each value that is `Some` wins over the file's own metadata.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Volumes per second (frames per second of each plane), in Hz, above 0.
    pub frame_rate_hz: Option<f64>,
    /// Imaging planes per volume, at least 1.
    pub planes: Option<usize>,
    /// Channels per plane, at least 1.
    pub channels: Option<usize>,
    /// Width of a pixel in µm, above 0.
    pub pixel_size_um: Option<f64>,
}

impl Overrides {
    /// Checks that each stated value is possible at all.
    pub(crate) fn check(&self) -> Result<(), RecordingError> {
        for (name, value) in [("frame rate", self.frame_rate_hz), ("pixel size", self.pixel_size_um)] {
            let Some(value) = value.filter(|v| !v.is_finite() || *v <= 0.0) else {
                continue;
            };
            return Err(RecordingError::settings(
                format!("the stated {name} is `{value}`"),
                format!("state a {name} above 0, or leave it out"),
            ));
        }
        for (name, value) in [("planes", self.planes), ("channels", self.channels)] {
            if value == Some(0) {
                return Err(RecordingError::settings(
                    format!("the stated number of {name} is `0`"),
                    format!("state at least 1 for {name}, or leave it out"),
                ));
            }
        }
        Ok(())
    }
}
