//! What a file that is not a TIFF is instead, told by its first bytes, and how to make a TIFF of it.

use crate::RecordingError;

// The ways from a format to a TIFF stack.

const FIJI: &str = "export the recording from the acquisition program, or open it in Fiji with Bio-Formats (File > Import > Bio-Formats) \
    and save it as TIFF, and upload that";
const PICTURE: &str = "upload the whole recording as one TIFF stack; a series of pictures becomes one in Fiji by File > Import > Image \
    Sequence and then File > Save As > Tiff";
const DOCUMENT: &str = "upload the recording itself as a TIFF stack";
const ARCHIVE: &str = "unpack the archive and upload the TIFF files that are in it";
const HDF5: &str = "save it as TIFF, in Python: tifffile.imwrite('movie.tif', h5py.File('FILE')['DATASET'][:], bigtiff=True, \
    photometric='minisblack'), with the path of the pixels in place of DATASET (in NWB /acquisition/NAME/data); an Imaris \
    .ims opens in Fiji with Bio-Formats";
const NIKON: &str = "in NIS-Elements File > Export ND Document as multi-page TIFF, or open it in Fiji with Bio-Formats (File > Import > \
    Bio-Formats) and save it as TIFF";
const OLD_NIKON: &str = "open it in Fiji with Bio-Formats (File > Import > Bio-Formats) and save it as TIFF";
const ZEISS: &str = "in ZEN Processing > Image Export (or Export) as OME-TIFF or TIFF without compression, or open it in Fiji with \
    Bio-Formats (File > Import > Bio-Formats) and save it as TIFF";
const OLYMPUS: &str = "in FLUOVIEW or cellSens export it as TIFF or OME-TIFF, or open it in Fiji with Bio-Formats (File > Import > \
    Bio-Formats) and save it as TIFF";
const LEICA: &str = "in LAS X export the series as TIFF, or open it in Fiji with Bio-Formats (File > Import > Bio-Formats), choose the \
    series and save it as TIFF";
const NUMPY: &str =
    "save it as TIFF, in Python: tifffile.imwrite('movie.tif', numpy.load('FILE'), bigtiff=True, photometric='minisblack')";
const MATLAB: &str = "save it as TIFF, in Python: tifffile.imwrite('movie.tif', scipy.io.loadmat('FILE')['NAME'], bigtiff=True, \
    photometric='minisblack'), with time as the first axis of the array NAME";
const FILM: &str = "in Fiji File > Import > AVI as an 8-bit gray stack, and File > Save As > Tiff, and upload that TIFF; a film that was \
    compressed with loss has no fluorescence values any more and is no recording: then export the original again";
const LOSSY_FILM: &str = "such a film is compressed with loss and has no fluorescence values any more: export the original recording from the \
    acquisition program as a TIFF stack";
const ZARR: &str = "save it as TIFF, in Python: tifffile.imwrite('movie.tif', zarr.open('FOLDER')['ARRAY'][:], bigtiff=True, \
    photometric='minisblack'), with the path of the pixels in place of ARRAY (in OME-Zarr mostly 0)";
const XML: &str = "upload the TIFF files that it describes, with it in their folder";
const RAW: &str = "export the recording from the acquisition program as a TIFF stack; raw numbers without a header (.raw, .bin, the .sbx \
    of Scanbox) become one in Fiji by File > Import > Raw with the size and type that the microscope's notes state, and then \
    File > Save As > Tiff";

/// First bytes, offset, the name a microscopist knows the format by, and what to do; the first that fits counts.
const FORMATS: &[(usize, &[u8], &str, &str)] = &[
    (0, b"\xff\xd8\xff", "a JPEG picture", PICTURE),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture", PICTURE),
    (0, b"GIF8", "a GIF picture", PICTURE),
    (0, b"BM", "a BMP picture", PICTURE),
    (8, b"WEBP", "a WebP picture", PICTURE),
    (0, b"%PDF", "a PDF document", DOCUMENT),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file (NWB, Imaris .ims and MATLAB 7.3 are such)", HDF5),
    (0, b"PK\x03\x04", "a ZIP archive", ARCHIVE),
    (0, b"\x1f\x8b", "a gzip archive", ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", ARCHIVE),
    (0, b"Rar!", "a RAR archive", ARCHIVE),
    (0, b"BZh", "a bzip2 archive", ARCHIVE),
    (0, b"\xfd7zXZ\x00", "an XZ archive", ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive", ARCHIVE),
    (257, b"ustar", "a tar archive", ARCHIVE),
    (0, b"\xda\xce\xbe\x0a", "a Nikon ND2 file", NIKON),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 or old Nikon ND2 file", OLD_NIKON),
    (0, b"ZISRAWFILE", "a Zeiss CZI file", ZEISS),
    (0, b"OLYMPUSRAWFORMAT", "an Olympus OIR file", OLYMPUS),
    (0, b"\xd0\xcf\x11\xe0", "an Olympus OIB, Zeiss ZVI or Office file", FIJI),
    (0, b"\x70\x00\x00\x00", "a Leica LIF file", LEICA),
    (0, b"\x93NUMPY", "a NumPy array", NUMPY),
    // The text is followed by when and where it was written.
    (0, b"MATLAB 5.0", "a MATLAB file", MATLAB),
    (0, b"MATLAB 7.3", "a MATLAB 7.3 file, which is an HDF5 file", HDF5),
    (0, b"Iout", "an ImageJ region of interest", DOCUMENT),
    (4, b"ftyp", "an MP4 or QuickTime film", LOSSY_FILM),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM film", LOSSY_FILM),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media film", LOSSY_FILM),
    (8, b"AVI ", "an AVI film", FILM),
    (8, b"WAVE", "a WAVE sound", DOCUMENT),
    (0, b"<?xml", "an XML document", XML),
    (0, b"<html", "a web page", DOCUMENT),
    (0, b"<!DOCTYPE", "a web page", DOCUMENT),
];

/// Bytes from the start that [`refuse`] looks at.
pub(crate) const LOOKED_AT: usize = 512;

/// The refusal of a file whose first bytes are `start` and are not a TIFF's.
pub(crate) fn refuse(start: &[u8]) -> RecordingError {
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
    let known = FORMATS.iter().find(|(at, magic, ..)| start.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    let (name, remedy) = match known {
        Some((_, _, name, remedy)) => (*name, *remedy),
        None if is_json(start) => json(start),
        None => {
            return RecordingError::not_a_recording("the file is not a TIFF recording", RAW);
        }
    };
    RecordingError::not_a_recording(format!("the file is not a TIFF recording but {name}"), remedy)
}

fn is_json(start: &[u8]) -> bool {
    start.trim_ascii_start().starts_with(b"{")
}

/// A JSON text by its keys: Zarr keeps such beside its pixels (zarr-specs.readthedocs.io, versions 2 and 3).
fn json(start: &[u8]) -> (&'static str, &'static str) {
    if [&b"\"zarr_format\""[..], b"\"zarr_consolidated_format\""].iter().any(|key| start.windows(key.len()).any(|w| w == *key)) {
        ("the description of a Zarr array", ZARR)
    } else {
        ("a JSON text", DOCUMENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starting(at: usize, magic: &[u8]) -> Vec<u8> {
        let mut start = vec![b' '; 300];
        start[at..at + magic.len()].copy_from_slice(magic);
        start
    }

    #[test]
    fn every_known_format_is_named_with_its_way_out() {
        for (at, magic, name, remedy) in FORMATS {
            let refusal = refuse(&starting(*at, magic));
            assert!(refusal.cause().contains(name), "{name}");
            assert_eq!(refusal.remedy(), *remedy, "{name}");
        }
    }

    #[test]
    fn the_remedy_names_the_conversion_that_helps() {
        for (magic, words) in [
            (&b"\x89HDF\r\n\x1a\n"[..], "h5py"),
            (b"\xda\xce\xbe\x0a", "NIS-Elements"),
            (b"ZISRAWFILE", "ZEN"),
            (b"\x70\x00\x00\x00", "LAS X"),
            (b"OLYMPUSRAWFORMAT", "FLUOVIEW"),
            (b"RIFF....AVI ", "Import > AVI"),
            (b"    ftypisom", "with loss"),
            (b"PK\x03\x04", "unpack"),
            (b"\x1f\x8b\x08", "unpack"),
            (b"{\n  \"zarr_format\": 2,", "zarr.open"),
            (b"{\"node_type\": \"array\", \"zarr_format\": 3", "zarr.open"),
            (b"\x93NUMPY", "numpy.load"),
            (b"\x12\x34\x12\x35", "Import > Raw"),
        ] {
            let remedy = refuse(&starting(0, magic)).remedy();
            assert!(remedy.contains(words), "{remedy}");
        }
    }

    #[test]
    fn nothing_is_told_from_something_unknown() {
        assert!(refuse(b"").cause().contains("empty"));
        assert!(refuse(&[0; 512]).cause().contains("zeros"));
        assert_eq!(refuse(b"hello").cause(), "the file is not a TIFF recording");
        assert!(refuse(b"{\"a\": 1}").cause().contains("a JSON text"));
    }
}
