//! What a file that is not a TIFF is instead, told by its first bytes.

use crate::RecordingError;

/// First bytes, offset, and the name a microscopist knows the format by.
const FORMATS: &[(usize, &[u8], &str)] = &[
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"BM", "a BMP picture"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\xda\xce\xbe\x0a", "a Nikon ND2 file"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 or old Nikon ND2 file"),
    (0, b"ZISRAWFILE", "a Zeiss CZI file"),
    (0, b"\xd0\xcf\x11\xe0", "an Olympus OIB, Zeiss ZVI or Office file"),
    (0, b"\x70\x00\x00\x00", "a Leica LIF file"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"MATLAB 5.0", "a MATLAB file"),
    (0, b"Iout", "an ImageJ region of interest"),
    (4, b"ftyp", "an MP4 or QuickTime film"),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM film"),
    (8, b"AVI ", "an AVI film"),
    (8, b"WAVE", "a WAVE sound"),
    (8, b"WEBP", "a WebP picture"),
    (0, b"<?xml", "an XML document"),
    (0, b"<html", "a web page"),
    (0, b"<!DOCTYPE", "a web page"),
    (0, b"{", "a JSON text"),
];

/// Bytes from the start that [`refuse`] looks at.
pub(crate) const LOOKED_AT: usize = 512;

/// The refusal of a file whose first bytes are `start` and are not a TIFF's.
pub(crate) fn refuse(start: &[u8]) -> RecordingError {
    let save_as_tiff = "export the recording from the acquisition program, or from Fiji, as a TIFF stack and upload that";
    if start.is_empty() {
        return RecordingError::not_a_recording(
            "the file is empty (0 bytes)",
            "check that the acquisition and the copy have finished, then upload the file again",
        );
    }
    if start.iter().all(|b| *b == 0) {
        return RecordingError::not_a_recording(
            "the file begins with zeros, as a file does whose copy never finished",
            "copy or upload the original file again",
        );
    }
    let known = FORMATS.iter().find(|(at, magic, _)| start.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    match known {
        Some((_, _, name)) => {
            RecordingError::not_a_recording(format!("the file is not a TIFF recording but {name}"), save_as_tiff)
        }
        None => RecordingError::not_a_recording("the file is not a TIFF recording", save_as_tiff),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_format_is_named() {
        for (at, magic, name) in FORMATS {
            let mut start = vec![b' '; 300];
            start[*at..*at + magic.len()].copy_from_slice(magic);
            assert!(refuse(&start).cause().contains(name), "{name}");
        }
    }

    #[test]
    fn nothing_is_told_from_something_unknown() {
        assert!(refuse(b"").cause().contains("empty"));
        assert!(refuse(&[0; 512]).cause().contains("zeros"));
        assert_eq!(refuse(b"hello").cause(), "the file is not a TIFF recording");
    }
}
