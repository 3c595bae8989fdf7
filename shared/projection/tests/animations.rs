//! Laws of the animations, read back with an independent decoder of their frames.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use dropscope_projection::{About, Windows, survey};
use dropscope_recording::{Limits, Overrides};
use std::collections::BTreeMap;
use std::io::Cursor;
use support::{open, stack_u16};

/// Rows below the picture: the caption, and the bar of time.
const FOOT: usize = 18 + 4;

/// Grey frames of a GIF, with its width and height.
fn frames(gif: &[u8]) -> (Vec<Vec<u8>>, usize, usize) {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(gif).unwrap();
    assert_eq!(decoder.repeat(), gif::Repeat::Infinite);
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    let mut all = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        all.push(frame.buffer.chunks_exact(4).map(|p| p[0]).collect());
    }
    (all, width, height)
}

fn file(bytes: Vec<u8>, name: &str) -> Vec<u8> {
    let found = survey(&open(bytes), &Windows::default(), &|_, _| {}).unwrap();
    let about = About { name: "x".into(), frame_rate_hz: 10.0, frame_rate_assumed: false };
    found.preview_files(&about).unwrap().into_iter().find(|(n, _)| *n == name).unwrap().1
}

#[test]
fn contrast_is_the_same_in_every_frame_of_the_animation() {
    // A ramp; in the second half a bright cell that must not darken the ramp around it.
    let frame = |t: usize| -> Vec<u16> {
        (0..64 * 64).map(|i| if t >= 48 && i % 64 > 50 && i / 64 > 50 { 60_000 } else { 100 + (i % 64) as u16 * 10 }).collect()
    };
    let (frames, width, height) = frames(&file(stack_u16(64, 64, &(0..96).map(frame).collect::<Vec<_>>()), "max.gif"));
    assert_eq!((frames.len(), width), (24, 256));
    for row in 0..height / 2 {
        let of = |frame: &Vec<u8>| frame[row * width..(row + 1) * width].to_vec();
        assert!(frames.iter().all(|frame| of(frame) == of(&frames[0])), "row {row}");
    }
    assert!(frames[23][220 * width + 240] > frames[0][220 * width + 240]);
    // Equal values have equal greys over the whole animation.
    let mut grey_of_column: BTreeMap<usize, u8> = BTreeMap::new();
    for frame in &frames {
        for (x, grey) in frame.iter().enumerate().take(width) {
            assert_eq!(*grey_of_column.entry(x / 4).or_insert(*grey), *grey);
        }
    }
}

#[test]
fn blank_frames_neither_flash_nor_move_the_contrast() {
    let frame =
        |t: usize| -> Vec<u16> { if (30..40).contains(&t) { vec![0; 400] } else { (0..400).map(|i| 1000 + i as u16).collect() } };
    let (frames, width, height) = frames(&file(stack_u16(20, 20, &(0..96).map(frame).collect::<Vec<_>>()), "max.gif"));
    let picture = |frame: &Vec<u8>| frame[..(height - FOOT) * width].to_vec();
    assert!(frames.iter().all(|frame| picture(frame) == picture(&frames[0])));
}

#[test]
fn noise_that_does_not_compress_still_fits_a_mail() {
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as u16
    };
    let stack: Vec<Vec<u16>> = (0..24).map(|_| (0..600 * 600).map(|_| next()).collect()).collect();
    assert!(file(stack_u16(600, 600, &stack), "max.gif").len() <= 8_000_000);
}

#[test]
fn every_frame_says_when_it_was_and_how_large_things_are() {
    let frame = |t: usize| -> Vec<u16> { (0..64 * 64).map(|i| (i + t) as u16).collect() };
    let bytes = stack_u16(64, 64, &(0..96).map(frame).collect::<Vec<_>>());
    let about = About { name: "x".into(), frame_rate_hz: 10.0, frame_rate_assumed: false };
    let gif = |pixel_size_um: Option<f64>| {
        let overrides = Overrides { pixel_size_um, ..Overrides::default() };
        let recording = dropscope_recording::open(Box::new(Cursor::new(bytes.clone())), &Limits::default(), &overrides).unwrap();
        let found = survey(&recording, &Windows::default(), &|_, _| {}).unwrap();
        found.preview_files(&about).unwrap().swap_remove(0).1
    };
    let captions = |gif: &[u8]| {
        let (frames, width, height) = frames(gif);
        let foot = |frame: Vec<u8>| frame[(height - FOOT) * width..(height - 4) * width].to_vec();
        (frames.into_iter().map(foot).collect::<Vec<_>>(), width)
    };
    let (with, width) = captions(&gif(Some(2.0)));
    let (without, _) = captions(&gif(None));
    let distinct: std::collections::BTreeSet<&Vec<u8>> = with.iter().collect();
    assert_eq!(distinct.len(), with.len());
    // Pixels of 2 µm are shown 4 wide: 20 µm are 40 pixels, and 50 would be more than a quarter of 256.
    let longest = |caption: &[u8]| {
        let lines = caption.chunks(width).map(|row| row.split(|grey| *grey < 250).map(<[u8]>::len).max().unwrap());
        lines.max().unwrap()
    };
    for (with, without) in with.iter().zip(&without) {
        assert_eq!(longest(with), 40);
        assert!(longest(without) < 10);
        // The times are the same.
        let left = |caption: &[u8]| caption.chunks(width).flat_map(|row| row[..100].to_vec()).collect::<Vec<u8>>();
        assert_eq!(left(with), left(without));
    }
}
