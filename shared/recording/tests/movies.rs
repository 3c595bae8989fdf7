//! Real recordings, read against tifffile.
//!
//! The checksums are `zlib.crc32` of all pages as little-endian bytes, made with tifffile and NumPy:
//! `zlib.crc32(np.stack([p.asarray() for p in tifffile.TiffFile(f).pages]).astype(little_endian).tobytes())`,
//! or of `TiffFile(f).asarray()` for a stack with one directory; for the signed 16 bit one, of the pages − 32768 as int16.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::File;
use std::io::Cursor;
use std::path::PathBuf;

use dropscope_recording::{FrameBuffer, Limits, Overrides, Pixels, Recording, RecordingError, SampleType, Source, open};

fn data() -> PathBuf {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    assert!(data.is_dir(), "missing: the recordings for tests, expected in {}", data.display());
    data
}

fn open_as(name: &str, overrides: &Overrides) -> Result<Recording, RecordingError> {
    let path = data().join(name);
    let file = File::open(&path).unwrap_or_else(|e| panic!("missing: {}: {e}", path.display()));
    open(Box::new(file), &Limits::default(), overrides)
}

fn recording(name: &str) -> Recording {
    open_as(name, &Overrides::default()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Checksum of the first `pages` pages as little-endian bytes.
fn checksum(recording: &Recording, pages: usize) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    let mut buffer = FrameBuffer::new();
    for page in 0..pages {
        recording.read_page(page, &mut buffer).unwrap();
        crc.update(&buffer.pixels().to_le_bytes());
    }
    crc.finalize()
}

type Row = (&'static str, usize, usize, usize, &'static str, u32);

/// File, pages, height, width, type, checksum.
const TRUTH: &[Row] = &[
    ("movies/astrocast_sample_0_100f_imagej.tiff", 100, 100, 100, "int16", 0xef58b671),
    ("movies/imageio_calcium_1000f.tif", 1000, 30, 40, "uint16", 0x8c5e1396),
    ("movies/oopsi_TS108_6_001_500f_ephys.tif", 500, 12, 77, "uint8", 0xb64b77cb),
    ("movies/oopsi_TS108_6_002_500f_ephys.tif", 500, 12, 77, "uint8", 0xf90fb9de),
    ("movies/oopsi_TS108_6_003_500f_ephys.tif", 500, 12, 79, "uint8", 0x90730907),
    ("movies/optinist_mouse2p_200f_imagej_be.tiff", 200, 128, 128, "uint16", 0x32325475),
    ("movies/optinist_mouse2p_first800f_packbits.tiff", 800, 128, 128, "uint16", 0x71299532),
    ("movies/thunder_fish_lightsheet_240t2z_imagej.tif", 480, 87, 76, "uint8", 0x5314d214),
    ("movies/thunder_fish_pertimepoint/time001.tif", 2, 76, 87, "uint8", 0x1daea9d3),
    ("movies/thunder_fish_pertimepoint/time002.tif", 2, 76, 87, "uint8", 0xbb9a1f75),
    ("movies/thunder_fish_pertimepoint/time003.tif", 2, 76, 87, "uint8", 0xa26f4386),
    ("movies/thunder_fish_pertimepoint/time004.tif", 2, 76, 87, "uint8", 0xd3aa8e11),
    ("movies/thunder_fish_pertimepoint/time005.tif", 2, 76, 87, "uint8", 0xeada4ddb),
    ("movies/thunder_fish_pertimepoint/time006.tif", 2, 76, 87, "uint8", 0xe214e12a),
    ("movies/thunder_fish_pertimepoint/time007.tif", 2, 76, 87, "uint8", 0xf2eede60),
    ("movies/thunder_fish_pertimepoint/time008.tif", 2, 76, 87, "uint8", 0x2c52d52d),
    ("movies/thunder_fish_pertimepoint/time009.tif", 2, 76, 87, "uint8", 0xf89f8b54),
    ("movies/thunder_fish_pertimepoint/time010.tif", 2, 76, 87, "uint8", 0x3b89468e),
    ("movies/thunder_fish_pertimepoint/time011.tif", 2, 76, 87, "uint8", 0xdae793e6),
    ("movies/thunder_fish_pertimepoint/time012.tif", 2, 76, 87, "uint8", 0x2f5903cd),
    ("movies/thunder_fish_pertimepoint/time013.tif", 2, 76, 87, "uint8", 0x540d050e),
    ("movies/thunder_fish_pertimepoint/time014.tif", 2, 76, 87, "uint8", 0x6642b4ba),
    ("movies/thunder_fish_pertimepoint/time015.tif", 2, 76, 87, "uint8", 0x7683aff8),
    ("movies/thunder_fish_pertimepoint/time016.tif", 2, 76, 87, "uint8", 0x9c986837),
    ("movies/thunder_fish_pertimepoint/time017.tif", 2, 76, 87, "uint8", 0x15490d47),
    ("movies/thunder_fish_pertimepoint/time018.tif", 2, 76, 87, "uint8", 0x3723cc82),
    ("movies/thunder_fish_pertimepoint/time019.tif", 2, 76, 87, "uint8", 0xc3db7681),
    ("movies/thunder_fish_pertimepoint/time020.tif", 2, 76, 87, "uint8", 0x73fa52bf),
    ("movies/thunder_mouse2p_500f_int16.tif", 500, 64, 64, "int16", 0x207e101b),
    ("odd/exampletiffs_ome/multi-channel-time-series.ome.tif", 21, 167, 439, "int8", 0x5df55993),
    ("odd/exampletiffs_ome/time-series.ome.tif", 7, 167, 439, "int8", 0xfb126cba),
    ("odd/ndtiff_11bit/ndtiff3.2_11bit_NDTiffStack.tif", 10, 64, 64, "uint16", 0xa87fa45f),
    ("odd/thunder_res/dotdot_lzw.tif", 2, 70, 75, "uint8", 0x4cdcb769),
    ("odd/thunder_res/dotdotdot_float32.tif", 3, 70, 75, "float32", 0x22b465c7),
    ("odd/thunder_res/dotdotdot_lzw.tif", 3, 70, 75, "uint8", 0x9ef5e1fc),
    ("odd/thunder_res/dotdotdot_lzw2.tif", 3, 70, 75, "uint8", 0x9ef5e1fc),
    ("odd/thunder_res/test_signed.tif", 2, 120, 120, "int16", 0x44adcd76),
    ("odd/tiffstack/TS_UnitTestImage_BigTIFF.tif", 3, 512, 512, "int16", 0x430adf2a),
    ("odd/tiffstack/TS_UnitTestImage_ImageJ_BigStack_8frames.tif", 8, 65, 128, "float32", 0x2a25f870),
    ("odd/image-tiff_images/seq__seq-1c-8b-multipage-adeefdcc.tiff", 3, 16, 16, "uint8", 0xdb309cd9),
];

#[test]
fn every_page_equals_tifffile() {
    for &(name, pages, height, width, dtype, crc) in TRUTH {
        let recording = recording(name);
        let info = recording.info().clone();
        assert_eq!((info.pages, info.height, info.width, info.dtype.name()), (pages, height, width, dtype), "{name}");
        assert_eq!(checksum(&recording, pages), crc, "{name}");
    }
}

/// Also single pictures, so that more layouts are held against tifffile; `fixtures/odd_checksums.py` made the list.
#[test]
fn every_odd_gray_file_equals_tifffile() {
    let limits = Limits { min_frames: 1, ..Limits::default() };
    let list = include_str!("fixtures/odd_checksums.txt");
    for line in list.lines() {
        let fields: Vec<_> = line.split('\t').collect();
        let path = data().join("odd").join(fields[0]);
        let file = File::open(&path).unwrap_or_else(|e| panic!("missing: {}: {e}", path.display()));
        let recording =
            open(Box::new(file), &limits, &Overrides::default()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let info = recording.info().clone();
        let found = format!(
            "{}\t{}\t{}\t{}\t{}\t{:08x}",
            fields[0],
            info.pages,
            info.height,
            info.width,
            info.dtype,
            checksum(&recording, info.pages)
        );
        assert_eq!(found, line);
    }
}

#[test]
fn frames_stored_as_slices_are_time_points() {
    let recording = recording("movies/optinist_mouse2p_200f_imagej_be.tiff");
    let info = recording.info();
    assert_eq!((info.frames, info.planes, info.channels), (200, 1, 1));
    assert!(info.notes[0].contains("slices are read as time points"));
    assert_eq!(info.frame_rate_hz, None);
}

#[test]
fn big_endian_and_packbits_hold_the_same_frames() {
    let imagej = recording("movies/optinist_mouse2p_200f_imagej_be.tiff");
    let packbits = recording("movies/optinist_mouse2p_first800f_packbits.tiff");
    assert_eq!(packbits.info().compression, "packbits");
    assert_eq!(checksum(&imagej, 200), checksum(&packbits, 200));
}

#[test]
fn signed_16_bit_calibration_is_undone() {
    // Minimum, maximum, sum of frame 50 and pixel [50, 11, 56] of pages.astype(int32) - 32768 in NumPy.
    let recording = recording("movies/astrocast_sample_0_100f_imagej.tiff");
    assert_eq!(recording.info().dtype, SampleType::I16);
    let frames: Vec<_> = recording.frames(0, 0).map(Result::unwrap).collect();
    let samples = |i: usize| match frames[i].pixels() {
        Pixels::I16(v) => v.clone(),
        other => panic!("{}", other.dtype()),
    };
    let all: Vec<i16> = (0..frames.len()).flat_map(samples).collect();
    assert_eq!((all.iter().min(), all.iter().max()), (Some(&0), Some(&32)));
    assert_eq!(samples(50).iter().map(|v| i64::from(*v)).sum::<i64>(), 13412);
    assert_eq!(samples(50)[11 * 100 + 56], 26);
}

#[test]
fn a_hyperstack_is_planes_within_time() {
    let fish = recording("movies/thunder_fish_lightsheet_240t2z_imagej.tif");
    let info = fish.info().clone();
    assert_eq!((info.frames, info.planes, info.channels), (240, 2, 1));
    assert_eq!(info.sources["planes"], Source::Metadata("ImageJ slices".to_owned()));
    assert_eq!(fish.page_of(3, 1, 0), Some(7));
    assert_eq!(fish.page_of(240, 0, 0), None);
    let third = fish.frames(1, 0).nth(3).unwrap().unwrap();
    let mut page = FrameBuffer::new();
    fish.read_page(7, &mut page).unwrap();
    assert_eq!((third.index, third.page, &third.buffer), (3, 7, &page));
    assert_eq!(fish.frames(2, 0).count(), 0);
}

#[test]
fn ome_order_of_channels_and_time_is_kept() {
    let ome = recording("odd/exampletiffs_ome/multi-channel-time-series.ome.tif");
    let info = ome.info();
    assert_eq!((info.frames, info.planes, info.channels), (7, 1, 3));
    // tifffile: series axes TCYX, so the page after frame 0 of channel 0 is channel 1.
    assert_eq!(ome.page_of(2, 0, 1), Some(7));
}

#[test]
fn scanimage_states_its_frame_rate() {
    let info = recording("odd/tiffstack/TS_UnitTestImage_BigTIFF.tif").info().clone();
    assert_eq!(info.frame_rate_hz, Some(30.012));
}

#[test]
fn overrides_win_and_an_incomplete_volume_is_dropped() {
    let overrides = Overrides { frame_rate_hz: Some(7.5), planes: Some(3), channels: None, pixel_size_um: Some(1.25) };
    let recording = open_as("movies/optinist_mouse2p_200f_imagej_be.tiff", &overrides).unwrap();
    let info = recording.info().clone();
    assert_eq!((info.frames, info.planes, info.pages), (66, 3, 200));
    assert_eq!((info.frame_rate_hz, info.pixel_size_um), (Some(7.5), Some(1.25)));
    assert_eq!(info.sources["planes"], Source::Settings);
    assert!(info.notes.iter().any(|n| n.contains("dropped")), "{:?}", info.notes);
    assert_eq!(recording.page_of(65, 2, 0), Some(197));
    assert_eq!(recording.frames(2, 0).filter(Result::is_ok).count(), 66);
}

#[test]
fn reading_one_frame_at_random_equals_reading_in_order() {
    let recording = recording("movies/optinist_mouse2p_first800f_packbits.tiff");
    let mut buffer = FrameBuffer::new();
    let in_order: Vec<_> = recording.frames(0, 0).take(40).map(Result::unwrap).collect();
    for i in [39, 0, 17, 17, 3] {
        recording.read_page(i, &mut buffer).unwrap();
        assert_eq!(buffer, in_order[i].buffer);
    }
}

#[test]
fn a_page_that_does_not_exist_is_refused() {
    let recording = recording("movies/thunder_mouse2p_500f_int16.tif");
    let error = recording.read_page(500, &mut FrameBuffer::new()).unwrap_err();
    assert!(matches!(error, RecordingError::NoSuchPage { page: 500, pages: 500 }));
}

#[test]
fn a_cut_copy_says_how_many_frames_are_whole() {
    // ImageJ writes the frames right after the first directory: 385 bytes, then 32768 a frame.
    let cut = |name: &str, length: usize| {
        let path = data().join(name);
        let mut file = std::fs::read(&path).unwrap_or_else(|e| panic!("missing: {}: {e}", path.display()));
        file.truncate(length);
        open(Box::new(Cursor::new(file)), &Limits::default(), &Overrides::default()).unwrap_err().cause()
    };
    let imagej = "movies/optinist_mouse2p_200f_imagej_be.tiff";
    assert!(cut(imagej, 3_000_000).contains("`91` of `200` frames are whole"));
    assert!(cut(imagej, 385 + 17 * 32768 - 1).contains("`16` of `200` frames are whole"));
    // tifffile 2011 writes all frames first and the other directories last.
    let fish = cut("movies/thunder_fish_lightsheet_240t2z_imagej.tif", 1_000_000);
    assert!(fish.contains("`151` of `480` frames are whole"), "{fish}");
    let packbits = cut("movies/optinist_mouse2p_first800f_packbits.tiff", 20_000_000);
    assert!(packbits.contains("`602` frames are whole"), "{packbits}");
}
