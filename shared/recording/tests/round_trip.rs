//! What is written is read back: types × byte orders × classic and Big × strips × compressions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::Cursor;

use common::{Tiff, open_bytes};
use dropscope_recording::{Limits, Overrides, Pixels, open};
use proptest::prelude::*;
use tiff::encoder::colortype::{ColorType, Gray8, Gray16, Gray32, Gray32Float, GrayI16};
use tiff::encoder::{Compression, DeflateLevel, Predictor, TiffEncoder, TiffValue};

fn compressions() -> [Compression; 4] {
    [Compression::Uncompressed, Compression::Packbits, Compression::Lzw, Compression::Deflate(DeflateLevel::Balanced)]
}

/// Writes frames with the `tiff` crate's encoder.
fn encode<C: ColorType>(
    frames: &[Vec<C::Inner>],
    width: u32,
    height: u32,
    rows: u32,
    (compression, predictor): (Compression, Predictor),
) -> Vec<u8>
where
    [C::Inner]: TiffValue,
{
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file).unwrap().with_compression(compression).with_predictor(predictor);
    for frame in frames {
        let mut image = encoder.new_image::<C>(width, height).unwrap();
        image.rows_per_strip(rows).unwrap();
        image.write_data(frame).unwrap();
    }
    file.into_inner()
}

fn read_all(file: Vec<u8>) -> Vec<Pixels> {
    let recording = open_bytes(file).unwrap();
    recording.frames(0, 0).map(|f| f.unwrap().buffer.into_pixels()).collect()
}

fn frames<T: Clone + std::fmt::Debug + 'static>(
    sample: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = (u32, u32, u32, Vec<Vec<T>>)> {
    (1u32..12, 1u32..12, 1u32..12).prop_flat_map(move |(w, h, rows)| {
        let frame = prop::collection::vec(sample.clone(), (w * h) as usize);
        (Just(w), Just(h), Just(rows.min(h)), prop::collection::vec(frame, 2..5))
    })
}

proptest! {
    #[test]
    fn uint8_is_read_losslessly((w, h, rows, truth) in frames(any::<u8>()), c in 0usize..4) {
        let file = encode::<Gray8>(&truth, w, h, rows, (compressions()[c], Predictor::None));
        let expected: Vec<_> = truth.into_iter().map(Pixels::U8).collect();
        prop_assert_eq!(read_all(file), expected);
    }

    #[test]
    fn uint16_is_read_losslessly(
        (w, h, rows, truth) in frames(any::<u16>()), c in 0usize..4, horizontal: bool,
    ) {
        let predictor = if horizontal { Predictor::Horizontal } else { Predictor::None };
        let file = encode::<Gray16>(&truth, w, h, rows, (compressions()[c], predictor));
        let expected: Vec<_> = truth.into_iter().map(Pixels::U16).collect();
        prop_assert_eq!(read_all(file), expected);
    }

    #[test]
    fn int16_is_read_losslessly((w, h, rows, truth) in frames(any::<i16>()), c in 0usize..4) {
        let file = encode::<GrayI16>(&truth, w, h, rows, (compressions()[c], Predictor::None));
        let expected: Vec<_> = truth.into_iter().map(Pixels::I16).collect();
        prop_assert_eq!(read_all(file), expected);
    }

    #[test]
    fn uint32_is_read_losslessly((w, h, rows, truth) in frames(any::<u32>()), c in 0usize..4) {
        let file = encode::<Gray32>(&truth, w, h, rows, (compressions()[c], Predictor::None));
        let expected: Vec<_> = truth.into_iter().map(Pixels::U32).collect();
        prop_assert_eq!(read_all(file), expected);
    }

    #[test]
    fn float32_is_read_losslessly(
        (w, h, rows, truth) in frames(-1e30f32..1e30), c in 0usize..4,
    ) {
        let file = encode::<Gray32Float>(&truth, w, h, rows, (compressions()[c], Predictor::None));
        let expected: Vec<_> = truth.into_iter().map(Pixels::F32).collect();
        prop_assert_eq!(read_all(file), expected);
    }

    #[test]
    fn byte_order_and_width_of_offsets_do_not_change_samples(
        (w, h, rows, truth) in frames(any::<u16>()), big: bool, big_endian: bool, one_directory: bool,
    ) {
        let mut tiff = Tiff::counting(0, u64::from(h), u64::from(w));
        let sample = |s: &u16| if big_endian { s.to_be_bytes() } else { s.to_le_bytes() };
        let rows = if one_directory { h } else { rows };
        tiff.frames = truth
            .iter()
            .map(|f| {
                f.chunks((rows * w) as usize)
                    .map(|strip| strip.iter().flat_map(sample).collect())
                    .collect()
            })
            .collect();
        tiff.rows_per_strip = u64::from(rows);
        (tiff.big, tiff.big_endian, tiff.one_directory) = (big, big_endian, one_directory);
        let tiff = tiff.described(&format!("ImageJ=1.54f\nimages={}\n", truth.len()));
        let expected: Vec<_> = truth.into_iter().map(Pixels::U16).collect();
        prop_assert_eq!(read_all(tiff.bytes()), expected);
    }

    #[test]
    fn every_page_belongs_to_one_frame_plane_and_channel(
        pages in 2usize..60, planes in 1usize..5, channels in 1usize..4,
    ) {
        let overrides = Overrides {
            planes: Some(planes),
            channels: Some(channels),
            ..Overrides::default()
        };
        let file = Tiff::counting(pages, 2, 3).bytes();
        let opened = open(Box::new(Cursor::new(file)), &Limits::default(), &overrides);
        let frames = pages / (planes * channels);
        prop_assert_eq!(opened.is_ok(), frames >= 2);
        if let Ok(recording) = opened {
            let mut pages = Vec::new();
            for t in 0..frames {
                for z in 0..planes {
                    pages.extend((0..channels).filter_map(|c| recording.page_of(t, z, c)));
                }
            }
            // Channel fastest, then plane, then time.
            prop_assert_eq!(pages, (0..frames * planes * channels).collect::<Vec<_>>());
            prop_assert_eq!(recording.page_of(frames, 0, 0), None);
        }
    }
}

/// The sample that `fixtures/make.py` puts at frame, row, column.
fn fixture_sample(frame: u32, row: u32, column: u32) -> u32 {
    (frame * 7919 + row * 131 + column * 17) % 251
}

#[test]
fn files_written_by_tifffile_are_read_as_written() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "tif") {
            continue;
        }
        seen += 1;
        let recording = open_bytes(std::fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let channels = recording.info().channels;
        assert_eq!(channels, if name.starts_with("samples_") { 2 } else { 1 }, "{name}");
        let (height, width) = (recording.info().height as u32, recording.info().width as u32);
        assert_eq!(recording.info().frames, 3, "{}", path.display());
        for frame in recording.frames(0, 0) {
            let frame = frame.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let mut samples = vec![0.0; (height * width) as usize];
            frame.write_f32(&mut samples);
            let t = frame.index as u32;
            let truth: Vec<f32> = (0..height).flat_map(|y| (0..width).map(move |x| fixture_sample(t, y, x) as f32)).collect();
            assert_eq!(samples, truth, "{} frame {t}", path.display());
        }
        for frame in recording.frames(0, 1) {
            let frame = frame.unwrap();
            let mut samples = vec![0.0; (height * width) as usize];
            frame.write_f32(&mut samples);
            let truth = |(y, x)| (250 - fixture_sample(frame.index as u32, y, x)) as f32;
            let truth: Vec<f32> = (0..height).flat_map(|y| (0..width).map(move |x| (y, x))).map(truth).collect();
            assert_eq!(samples, truth, "{name} frame {} channel 1", frame.index);
        }
    }
    assert!(seen >= 36, "only {seen} fixtures in {folder}");
}
