//! What writers do differently: tags left out, sizes that are not true, samples that do not fill bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Tiff, open_bytes};
use dropscope_recording::{FrameBuffer, Limits, Overrides, Pixels, RecordingError, open};
use proptest::prelude::*;
use weezl::BitOrder;

fn pages(file: Vec<u8>) -> Vec<Pixels> {
    let recording = open_bytes(file).unwrap_or_else(|e| panic!("{e}"));
    let count = recording.info().pages;
    let read = |page| {
        let mut frame = FrameBuffer::new();
        recording.read_page(page, &mut frame).unwrap_or_else(|e| panic!("page {page}: {e}"));
        frame.into_pixels()
    };
    (0..count).map(read).collect()
}

fn counting(frame: usize, pixels: usize) -> Pixels {
    Pixels::U16((frame * pixels..(frame + 1) * pixels).map(|n| n as u16).collect())
}

/// Three frames of 6 × 5 in strips of two rows.
fn strips() -> Tiff {
    let mut tiff = Tiff::counting(3, 6, 5);
    tiff.rows_per_strip = 2;
    tiff.frames = tiff.frames.iter().map(|frame| frame[0].chunks(2 * 5 * 2).map(<[u8]>::to_vec).collect()).collect();
    tiff
}

fn assert_counting(name: &str, file: Vec<u8>) {
    for (i, page) in pages(file).into_iter().enumerate() {
        assert_eq!(page, counting(i, 30), "{name}, page {i}");
    }
}

#[test]
fn tags_left_out_have_the_values_of_the_specification() {
    for tag in [259, 262, 277, 278, 279, 339] {
        let mut tiff = Tiff::counting(3, 6, 5);
        tiff.absent = vec![tag];
        assert_counting(&format!("without tag {tag}"), tiff.bytes());
    }
    // Compressed data of no stated size ends by itself.
    let mut packed = Tiff::counting(3, 6, 5).lie(259, 5);
    for frame in &mut packed.frames {
        frame[0] = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(&frame[0]).unwrap();
    }
    packed.absent = vec![279];
    assert_counting("LZW without tag 279", packed.bytes());
}

#[test]
fn untrue_sizes_of_uncompressed_data_change_nothing() {
    for rows in [0, 6, 7, u64::from(u32::MAX)] {
        assert_counting(&format!("{rows} rows"), Tiff::counting(3, 6, 5).lie(278, rows).bytes());
    }
    for bytes in [0, 61, 3 * 60, u64::from(u32::MAX)] {
        assert_counting(&format!("{bytes} bytes"), Tiff::counting(3, 6, 5).lie(279, bytes).bytes());
    }
    let mut strips = strips();
    strips.absent = vec![279];
    assert_counting("strips of no size", strips.bytes());
}

#[test]
fn strips_may_lie_in_any_order() {
    let mut tiff = strips();
    assert_counting("in order", tiff.bytes());
    let straight = tiff.bytes();
    for frame in &mut tiff.frames {
        frame.swap(0, 2);
    }
    let mut swapped = tiff.bytes();
    // The same lists of offsets, but those of the first and last strip exchanged.
    let strip = 20;
    for frame in 0..3 {
        let offset = |k: u32| (8 + frame * 60 + k * strip).to_le_bytes();
        let list: Vec<u8> = (0..3).flat_map(offset).collect();
        let at = swapped.windows(12).position(|window| window == list).unwrap();
        swapped[at..at + 12].copy_from_slice(&[offset(2), offset(1), offset(0)].concat());
    }
    assert_ne!(straight, swapped);
    assert_counting("exchanged", swapped);
}

#[test]
fn a_piece_that_was_never_written_is_not_read_as_black() {
    let error = open_bytes(Tiff::counting(3, 6, 5).lie(273, 0).lie(279, 0).bytes()).unwrap_err();
    assert!(error.cause().contains("never written"), "{error}");
}

#[test]
fn transparency_is_refused() {
    let gray_alpha = |kind| Tiff::counting(3, 6, 5).lie(277, 2).lie(258, 8).lie(338, kind);
    for kind in [1, 2] {
        let error = open_bytes(gray_alpha(kind).bytes()).unwrap_err();
        assert!(error.cause().contains("transparency"), "{error}");
    }
    let recording = open_bytes(gray_alpha(0).bytes()).unwrap();
    assert_eq!((recording.info().pages, recording.info().channels, recording.info().frames), (6, 2, 3));
}

#[test]
fn samples_of_a_pixel_are_channels_side_by_side() {
    let file = Tiff::counting(3, 6, 5).lie(277, 2).lie(258, 8).bytes();
    let recording = open_bytes(file).unwrap();
    assert_eq!(recording.page_of(1, 0, 1), Some(3));
    for channel in 0..2 {
        for frame in recording.frames(0, channel) {
            let frame = frame.unwrap();
            let truth = (frame.index * 30..frame.index * 30 + 30).map(|n| (n as u16).to_le_bytes()[channel]).collect();
            assert_eq!(frame.pixels(), &Pixels::U8(truth), "channel {channel}");
        }
    }
    let error = recording.read_page(6, &mut FrameBuffer::new()).unwrap_err();
    assert!(matches!(error, RecordingError::NoSuchPage { page: 6, pages: 6 }));
}

#[test]
fn a_frame_takes_no_more_memory_than_the_limit() {
    let attempt = |max_frame_bytes| {
        let limits = Limits { max_frame_bytes, ..Limits::default() };
        let file = std::io::Cursor::new(Tiff::counting(3, 6, 5).bytes());
        open(Box::new(file), &limits, &Overrides::default()).map(|r| r.info().pages)
    };
    assert!(matches!(attempt(60), Ok(3)));
    assert!(matches!(attempt(59), Err(RecordingError::TooBig { .. })));
    // The largest frames that are promised: 8192 × 8192 of 16 bits.
    assert!(Limits::default().max_frame_bytes >= 8192 * 8192 * 2);
}

/// Bits of numbers, the highest first, padded to whole bytes.
fn pack(numbers: &[u64], bits: u32) -> Vec<u8> {
    let digits: Vec<u8> = numbers.iter().flat_map(|n| (0..bits).rev().map(move |i| (n >> i & 1) as u8)).collect();
    digits.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |sum, (i, bit)| sum | bit << (7 - i))).collect()
}

fn compress(compression: u64, data: &[u8]) -> Vec<u8> {
    match compression {
        5 => weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(data).unwrap(),
        8 => fdeflate::compress_to_vec(data),
        // Literal runs of one byte, and a pair of them where a byte repeats.
        32773 => data
            .chunks(2)
            .flat_map(|pair| {
                if pair.len() == 2 && pair[0] == pair[1] {
                    vec![255, pair[0]]
                } else {
                    pair.iter().flat_map(|byte| [0, *byte]).collect()
                }
            })
            .collect(),
        _ => data.to_vec(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn packed_samples_are_read_losslessly(
        bits in 2u32..32, width in 1usize..9, height in 1usize..7, horizontal: bool, reversed: bool,
        compression in prop::sample::select(vec![1u64, 5, 8, 32773]), values in prop::collection::vec(any::<u64>(), 128),
        rows in 1usize..7,
    ) {
        prop_assume!(bits != 8 && bits != 16);
        let modulus = 1u64 << bits;
        let frames: Vec<Vec<u64>> = values.chunks(width * height).take(2).map(|f| f.iter().map(|v| v % modulus).collect()).collect();
        prop_assume!(frames.len() == 2 && frames[1].len() == width * height);
        let stored_row = |row: &[u64]| {
            let difference = |i: usize| if i == 0 { row[0] } else { (row[i] + modulus - row[i - 1]) % modulus };
            let numbers: Vec<u64> = if horizontal { (0..width).map(difference).collect() } else { row.to_vec() };
            pack(&numbers, bits)
        };
        let strip = |rows: &[u64]| {
            let packed = compress(compression, &rows.chunks(width).flat_map(stored_row).collect::<Vec<_>>());
            if reversed { packed.iter().map(|b| b.reverse_bits()).collect() } else { packed }
        };
        let mut tiff = Tiff::counting(0, height as u64, width as u64);
        tiff.frames = frames.iter().map(|f| f.chunks(rows * width).map(strip).collect()).collect();
        (tiff.bits, tiff.rows_per_strip) = (u64::from(bits), rows as u64);
        let tiff = tiff.lie(259, compression).lie(317, if horizontal { 2 } else { 1 }).lie(266, if reversed { 2 } else { 1 });
        let read: Vec<Vec<u64>> = pages(tiff.bytes()).into_iter().map(|page| match page {
            Pixels::U8(v) => v.into_iter().map(u64::from).collect(),
            Pixels::U16(v) => v.into_iter().map(u64::from).collect(),
            Pixels::U32(v) => v.into_iter().map(u64::from).collect(),
            other => panic!("{}", other.dtype()),
        }).collect();
        prop_assert_eq!(read, frames);
    }
}
