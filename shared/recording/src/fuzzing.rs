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

/// Decodes bytes as the strips of some page, by every decompressor.
pub fn strips(bytes: &[u8]) {
    crate::decode::decode_arbitrary(bytes);
}

/// Reads bytes as every text that programs write about a recording.
pub fn metadata(bytes: &[u8]) {
    let _ = crate::metadata::parse_all(&String::from_utf8_lossy(bytes));
}

/// Arranges files of these names, one a line.
///
/// # Panics
/// When a file is lost or placed twice.
pub fn names(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let names: Vec<String> = text.lines().map(str::to_owned).collect();
    for is_list in [false, true] {
        if let Ok(arranged) = crate::names::arrange(&names, is_list) {
            let mut order = arranged.order;
            order.sort_unstable();
            assert!(order.into_iter().eq(0..names.len()));
        }
    }
}
