//! Files that must be refused by `open` alone, each with its cause and remedy, fast and without memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs::File;
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{Tiff, open_bytes};
use dropscope_recording::{FrameBuffer, Limits, Overrides, ReadAt, RecordingError, open};

/// Opens, expecting a refusal within a second, and checks that it reads like a sentence with a remedy.
fn refusal(file: Vec<u8>) -> RecordingError {
    let start = Instant::now();
    let error = open_bytes(file).map(|r| r.info().clone()).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(1), "{error}");
    let (cause, remedy) = (error.cause(), error.remedy());
    assert_eq!(error.to_string(), format!("{cause}: {remedy}"));
    for text in [&cause, &remedy] {
        assert!(text.len() > 15 && !text.ends_with('.'), "{text}");
    }
    error
}

fn assert_cause(file: Vec<u8>, part: &str) -> RecordingError {
    let error = refusal(file);
    assert!(error.cause().contains(part), "{:?} lacks {part:?}", error.cause());
    error
}

#[test]
fn an_empty_object_is_no_recording() {
    let error = assert_cause(Vec::new(), "empty");
    assert!(matches!(error, RecordingError::NotARecording { .. }));
}

#[test]
fn other_formats_named_tif_are_called_by_their_name() {
    for (start, name) in [
        (&b"\xff\xd8\xff\xe0\0\x10JFIF"[..], "JPEG"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        (b"%PDF-1.7\n%", "PDF"),
        (b"\x89HDF\r\n\x1a\n\0\0", "HDF5"),
        (b"PK\x03\x04\x14\0\0\0", "ZIP"),
        (b"\xda\xce\xbe\x0a\x10\0\0\0", "ND2"),
        (b"ZISRAWFILE\0\0\0", "CZI"),
        (b"RIFF\x10\0\0\0AVI LIST", "AVI"),
    ] {
        let mut file = start.to_vec();
        file.resize(5000, 7);
        let error = assert_cause(file, name);
        assert!(matches!(error, RecordingError::NotARecording { .. }), "{name}");
        assert!(error.remedy().contains("TIFF"), "{name}");
    }
}

#[test]
fn one_frame_is_no_recording() {
    let error = assert_cause(Tiff::counting(1, 8, 8).bytes(), "`1` picture");
    assert!(matches!(error, RecordingError::NotARecording { .. }));
}

#[test]
fn every_prefix_of_a_recording_is_refused() {
    let mut interleaved = Tiff::counting(5, 6, 7);
    interleaved.big = true;
    for tiff in [Tiff::counting(5, 6, 7), interleaved] {
        let file = tiff.bytes();
        for length in 0..file.len() {
            refusal(file[..length].to_vec());
        }
        assert!(open_bytes(file).is_ok());
    }
}

#[test]
fn a_truncated_file_says_how_many_frames_are_whole() {
    // The list of an ImageJ stack stands at its start here, so the frames that are missing are known.
    let mut stack = Tiff::counting(10, 16, 16).described("ImageJ=1.54f\nimages=10\nslices=10\n");
    stack.one_directory = true;
    let whole = stack.bytes();
    let directory = whole.len() - 10 * 512 - 8;
    let moved = front_directory(&whole, directory, 10 * 512);
    let cut = moved[..moved.len() - 3 * 512 - 1].to_vec();
    assert!(open_bytes(moved).is_ok());
    let error = assert_cause(cut, "`6` of `10` frames are whole");
    assert!(error.remedy().contains("upload the file again"));
}

/// Moves the directory and texts that follow the samples of a little-endian classic TIFF in front of them.
fn front_directory(file: &[u8], directory: usize, samples: usize) -> Vec<u8> {
    let start = 8 + samples;
    let mut out = file[..8].to_vec();
    out.extend(&file[start..]);
    out.extend(&file[8..start]);
    let first = u32::from_le_bytes(file[4..8].try_into().unwrap()) - samples as u32;
    out[4..8].copy_from_slice(&first.to_le_bytes());
    let first = first as usize;
    let count = u16::from_le_bytes(out[first..first + 2].try_into().unwrap()) as usize;
    for entry in (0..count).map(|i| first + 2 + 12 * i) {
        let tag = u16::from_le_bytes(out[entry..entry + 2].try_into().unwrap());
        let field: [u8; 4] = out[entry + 8..entry + 12].try_into().unwrap();
        let moved = match tag {
            270 => u32::from_le_bytes(field) - samples as u32,
            273 => u32::from_le_bytes(field) + directory as u32,
            _ => continue,
        };
        out[entry + 8..entry + 12].copy_from_slice(&moved.to_le_bytes());
    }
    out
}

#[test]
fn a_circle_of_directories_is_refused() {
    for frames in [1, 2, 3, 50] {
        let mut tiff = Tiff::counting(frames, 4, 4);
        let straight = tiff.bytes();
        tiff.last_next = u64::from(u32::from_le_bytes(straight[4..8].try_into().unwrap()));
        let error = assert_cause(tiff.bytes(), "circle");
        assert!(matches!(error, RecordingError::Corrupt { .. }));
    }
}

#[test]
fn a_claim_of_a_million_million_frames_is_refused() {
    let claim = "ImageJ=1.54f\nimages=1000000000000\nslices=1000000000000\n";
    for one_directory in [true, false] {
        let mut tiff = Tiff::counting(3, 8, 8).described(claim);
        tiff.one_directory = one_directory;
        assert_cause(tiff.bytes(), "`1000000000000`");
    }
    let mut shaped = Tiff::counting(3, 8, 8).described("{\"shape\": [1000000000000, 8, 8], \"truncated\": true}");
    shaped.one_directory = true;
    assert_cause(shaped.bytes(), "`3` of `1000000000000` frames");
}

#[test]
fn absurd_numbers_in_a_bigtiff_are_refused() {
    let mut honest = Tiff::counting(3, 8, 8);
    honest.big = true;
    assert!(open_bytes(honest.bytes()).is_ok());
    for tag in [256, 257, 258, 273, 277, 278, 279, 322] {
        for value in [1 << 31, 1 << 40, u64::MAX, u64::MAX - 7] {
            let file = honest.clone().lie(tag, value).bytes();
            // Rows per strip beyond the height and an oversized count mean no more than all there is.
            if tag != 278 && tag != 279 && tag != 322 {
                refusal(file);
            } else {
                read_through(file);
            }
        }
    }
    let mut entries = honest.bytes();
    let first = u64::from_le_bytes(entries[8..16].try_into().unwrap()) as usize;
    entries[first..first + 8].copy_from_slice(&(1u64 << 50).to_le_bytes());
    assert_cause(entries, "entries");
}

/// Opens and reads everything; only panics and hangs are failures.
fn read_through(file: Vec<u8>) {
    if let Ok(recording) = open_bytes(file) {
        let mut buffer = FrameBuffer::new();
        for page in 0..recording.info().pages.min(100) {
            let _ = recording.read_page(page, &mut buffer);
        }
    }
}

#[test]
fn colour_and_odd_samples_are_refused() {
    for (tag, value, part) in [
        (262, 2, "colour"),
        (262, 3, "palette"),
        (262, 6, "colour"),
        (277, 17, "`17` samples"),
        (258, 1, "masks of `1` bit"),
        (258, 33, "`33` bit"),
        (258, 128, "`128` bit"),
    ] {
        let error = assert_cause(Tiff::counting(3, 8, 8).lie(tag, value).bytes(), part);
        assert!(matches!(error, RecordingError::Unsupported { .. }), "{part}");
    }
}

#[test]
fn compressions_that_are_not_read_are_named() {
    for (code, name) in [(7, "JPEG"), (34712, "JPEG 2000"), (34925, "LZMA"), (4, "fax"), (999, "not known")] {
        let error = assert_cause(Tiff::counting(3, 8, 8).lie(259, code).bytes(), name);
        assert!(matches!(error, RecordingError::Unsupported { .. }), "{name}");
    }
}

#[test]
fn pages_of_different_size_or_type_are_refused() {
    let first = Tiff::counting(2, 8, 8).bytes();
    for (tag, value) in [(257, 4), (256, 4), (339, 2)] {
        // Only the second directory lies: it is the last thing in the file.
        let lying = Tiff::counting(2, 8, 8).lie(tag, value).bytes();
        let second = (first.len() + 8 + 2 * 128) / 2;
        let mut file = first[..second].to_vec();
        file.extend(&lying[second..]);
        assert_cause(file, "frame 2 is");
    }
}

#[test]
fn pages_that_share_few_bytes_are_no_bomb() {
    // 400 directories, all pointing at the same strip, claim more than any compression could hold.
    let shared = Tiff::counting(400, 1, 2).lie(259, 5).lie(257, 2000).lie(256, 2000).lie(278, 2000);
    let error = refusal(shared.bytes());
    assert!(matches!(error, RecordingError::Corrupt { .. }), "{error}");
}

#[test]
fn directories_that_share_large_arrays_are_refused_in_time() {
    // One frame of 60000 strips of one byte, and 5000 directories that all point at its arrays: reading the arrays
    // each time would be 5 GB of work for a file of 1.3 MB.
    let mut tiff = Tiff::counting(0, 60_000, 1);
    (tiff.bits, tiff.rows_per_strip) = (8, 1);
    tiff.frames = vec![vec![vec![7]; 60_000]];
    let mut file = tiff.bytes();
    let first = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize;
    let directory = file[first..].to_vec();
    for _ in 0..5000 {
        let at = file.len();
        file[at - 4..].copy_from_slice(&(at as u32).to_le_bytes());
        file.extend(&directory);
    }
    assert_cause(file, "on top of one another");
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let attempt = |overrides: Overrides| {
        let file = Cursor::new(Tiff::counting(6, 4, 4).bytes());
        open(Box::new(file), &Limits::default(), &overrides).unwrap_err()
    };
    let planes = |planes| Overrides { planes: Some(planes), ..Overrides::default() };
    for planes_set in [0, 7, usize::MAX] {
        assert!(matches!(attempt(planes(planes_set)), RecordingError::Settings { .. }));
    }
    assert!(matches!(attempt(planes(6)), RecordingError::NotARecording { .. }));
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let overrides = Overrides { frame_rate_hz: Some(rate), ..Overrides::default() };
        assert!(matches!(attempt(overrides), RecordingError::Settings { .. }));
    }
}

#[test]
fn limits_are_kept() {
    let attempt = |limits: Limits| {
        let file = Cursor::new(Tiff::counting(6, 4, 4).bytes());
        open(Box::new(file), &limits, &Overrides::default()).map(|r| r.info().pages)
    };
    assert!(matches!(attempt(Limits { max_pages: 5, ..Limits::default() }), Err(RecordingError::TooBig { .. })));
    assert!(matches!(attempt(Limits { max_frame_pixels: 15, ..Limits::default() }), Err(RecordingError::TooBig { .. })));
    assert!(attempt(Limits { max_pages: 6, max_frame_pixels: 16, ..Limits::default() }).is_ok());
}

#[test]
fn a_stack_beyond_4_gb_with_one_directory_is_read_to_its_end() {
    // A sparse file: 40000 frames of 256 × 256 uint16 are 5.2 GB.
    let frames = 40_000u64;
    let mut tiff =
        Tiff::counting(1, 256, 256).described(&format!("ImageJ=1.54f\nimages={frames}\nframes={frames}\nfinterval=0.1\n"));
    tiff.one_directory = true;
    let head = tiff.bytes();
    let directory = head.len() - 256 * 256 * 2 - 8;
    let head = front_directory(&head, directory, 256 * 256 * 2);
    let frame = 256 * 256 * 2;
    let start = (head.len() - frame) as u64;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&head).unwrap();
    file.set_len(start + frames * frame as u64).unwrap();
    file.seek(SeekFrom::Start(start + (frames - 1) * frame as u64)).unwrap();
    file.write_all(&[0xff, 0xee, 0x01]).unwrap();
    let recording = open(Box::new(file), &Limits::default(), &Overrides::default()).unwrap();
    assert_eq!((recording.info().frames, recording.info().frame_rate_hz), (40_000, Some(10.0)));
    let mut buffer = FrameBuffer::new();
    recording.read_page(39_999, &mut buffer).unwrap();
    assert_eq!(buffer.pixels().to_le_bytes()[..4], [0xff, 0xee, 0x01, 0]);
}

/// A reader that fails after some reads, as a connection does.
struct Failing {
    file: Cursor<Vec<u8>>,
    reads_left: AtomicUsize,
}

impl ReadAt for Failing {
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
        let one_less = |left: usize| left.checked_sub(1);
        self.reads_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).map_err(|_| reset())?;
        self.file.read_exact_at(offset, out)
    }
}

#[test]
fn a_failing_connection_is_not_blamed_on_the_file() {
    let file = Tiff::counting(200, 40, 40).bytes();
    for reads_left in 0..40 {
        let reader = Failing { file: Cursor::new(file.clone()), reads_left: reads_left.into() };
        let outcome = open(Box::new(reader), &Limits::default(), &Overrides::default())
            .and_then(|r| r.frames(0, 0).try_for_each(|f| f.map(|_| ())));
        if let Err(error) = outcome {
            assert!(matches!(error, RecordingError::Io(_)), "{reads_left}: {error}");
        }
    }
}

#[test]
fn a_directory_cannot_be_opened_as_a_recording_silently() {
    if let Ok(folder) = File::open(env!("CARGO_MANIFEST_DIR")) {
        assert!(open(Box::new(folder), &Limits::default(), &Overrides::default()).is_err());
    }
}
