//! What the fuzz targets call: bytes from outside to the parts that meet them first.

use std::io::Cursor;

use crate::{FrameBuffer, Limits, Overrides, open};

/// Small, so that one input takes milliseconds.
fn limits() -> Limits {
    Limits { min_frames: 1, max_frame_pixels: 1 << 16, ..Limits::default() }
}

/// Opens bytes as a file and reads some pages.
pub fn headers(bytes: &[u8]) {
    let Ok(recording) = open(Box::new(Cursor::new(bytes.to_vec())), &limits(), &Overrides::default()) else { return };
    let pages = recording.info().pages;
    let mut buffer = FrameBuffer::new();
    for page in [0, 1, pages / 2, pages - 1] {
        // Damaged pixels are refused; what matters is that nothing worse happens.
        let _ = recording.read_page(page, &mut buffer);
    }
}
