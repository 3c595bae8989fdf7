//! Recordings that no microscope should make and some do: a right result, or none, and never a panic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod movie;
mod planted;

use dropscope_segmentation::{Note, Registration, SegmentError, Segmentation};
use movie::Movie;
use planted::{Planted, planted, run};

/// A small walk, always the same.
fn walk(t: usize) -> (i32, i32) {
    let step = |k: f64| libm::round(2.0 * (t as f64 / 7.0 + k).sin()) as i32;
    (step(0.0), step(2.0))
}

fn bad(found: &Registration) -> usize {
    found.bad_frames.iter().filter(|b| **b).count()
}

/// Nine of ten cells are there, and one in ten at most is none.
fn check_cells(made: &Planted, found: &Segmentation) {
    let ((hits, vain), all) = (made.score(found), made.centres.len());
    assert!(10 * hits >= 9 * all && 10 * vain <= all, "{:?}: {hits} of {all}, {vain} in vain", made.movie.shape);
}

/// What the notes of a result say, in one.
fn said(found: &Segmentation) -> String {
    found.quality.notes.iter().map(|note| format!("{note}\n")).collect()
}

#[test]
fn small_and_odd_frames_give_their_cells() {
    for (shape, border) in [((128, 128), 16), ((40, 40), 8), ((20, 192), 10)] {
        // Frames of twenty rows leave a search of two pixels.
        let mut made = planted(shape, 200, border, |t| (walk(t).0.signum(), walk(t).1.signum()));
        let result = run(&mut made.movie).unwrap();
        assert!(made.residual(&result.registration) < 1.0, "{shape:?}: {}", made.residual(&result.registration));
        assert_eq!(said(&result), "", "{shape:?}");
        check_cells(&made, &result);
    }
}

#[test]
fn a_lasting_jump_is_undone() {
    let mut made = planted((336, 336), 120, 110, |t| if t < 70 { (0, 0) } else { (40, -28) });
    let result = run(&mut made.movie).unwrap();
    assert!(made.residual(&result.registration) < 1.0, "{}", made.residual(&result.registration));
    assert_eq!(bad(&result.registration), 0);
    assert!(matches!(result.quality.notes[..], [Note::Jumped { frame: 70, .. }]), "{}", said(&result));
    assert!(result.quality.crispness > result.quality.crispness_raw);
    check_cells(&made, &result);
}

#[test]
fn a_jump_farther_than_registration_looks_is_told() {
    let mut made = planted((128, 128), 80, 28, |t| if t < 50 { (0, 0) } else { (40, 0) });
    let result = run(&mut made.movie).unwrap();
    assert!(matches!(result.quality.notes[..], [Note::Unlike { frame: 50, .. }]), "{}", said(&result));
}

#[test]
fn brightness_changing_tenfold_hides_neither_motion_nor_cells() {
    for (before, after) in [(1.0, 10.0), (10.0, 1.0)] {
        let mut made = planted((128, 128), 200, 16, walk);
        for (t, frame) in made.movie.frames.iter_mut().enumerate() {
            let gain = if t < 100 { before } else { after };
            frame.iter_mut().for_each(|v| *v *= gain);
        }
        let result = run(&mut made.movie).unwrap();
        assert!(made.residual(&result.registration) < 1.0, "{}", made.residual(&result.registration));
        assert_eq!(bad(&result.registration), 0);
        let [Note::BrightnessChanged { frame: 100, factor }] = result.quality.notes[..] else { panic!("{}", said(&result)) };
        assert!((factor * before / after - 1.0).abs() < 0.2, "{factor}");
        check_cells(&made, &result);
        for trace in result.f.rows() {
            let middle = |range: std::ops::Range<usize>| {
                let mut values: Vec<f32> = range.map(|t| trace[t]).collect();
                values.sort_unstable_by(f32::total_cmp);
                values[values.len() / 2]
            };
            let rest = middle(0..100) / middle(100..200);
            assert!((0.6..1.6).contains(&rest), "{rest}");
        }
    }
}

#[test]
fn scattered_values_that_are_no_numbers_hide_no_cell() {
    let mut made = planted((128, 128), 200, 16, walk);
    for (t, frame) in made.movie.frames.iter_mut().enumerate() {
        // One pixel in five hundred, elsewhere in every frame.
        for i in (t % 500..frame.len()).step_by(500) {
            frame[i] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][i % 3];
        }
    }
    let result = run(&mut made.movie).unwrap();
    assert!(result.f.iter().chain(&result.fneu).chain(&result.spks).all(|v| v.is_finite()));
    assert!(made.residual(&result.registration) < 1.0, "{}", made.residual(&result.registration));
    check_cells(&made, &result);
}

#[test]
fn a_saturated_detector_hides_no_cell() {
    let mut made = planted((128, 128), 200, 16, walk);
    for frame in &mut made.movie.frames {
        // Scaled so that the ground fits below the top of 16 bits and every event is cut off.
        frame.iter_mut().for_each(|v| *v = (*v * 400.0).min(65_535.0));
    }
    let result = run(&mut made.movie).unwrap();
    assert!(made.residual(&result.registration) < 1.0, "{}", made.residual(&result.registration));
    check_cells(&made, &result);
    made.movie.frames.iter_mut().for_each(|f| f.fill(65_535.0));
    let result = run(&mut made.movie).unwrap();
    assert!(result.rois.is_empty() && bad(&result.registration) == 200);
}

#[test]
fn repeated_frames_change_no_cell() {
    let mut made = planted((128, 128), 200, 16, walk);
    for t in (1..200).step_by(4) {
        made.movie.frames[t] = made.movie.frames[t - 1].clone();
        made.shifts[t] = made.shifts[t - 1];
    }
    let result = run(&mut made.movie).unwrap();
    assert!(made.residual(&result.registration) < 1.0, "{}", made.residual(&result.registration));
    check_cells(&made, &result);
}

#[test]
fn one_frame_is_refused_and_two_give_nothing() {
    let mut made = planted((128, 128), 2, 16, |_| (0, 0));
    let result = run(&mut made.movie).unwrap();
    assert_eq!(result.f.dim(), (result.rois.len(), 2));
    let mut one = Movie { shape: (128, 128), frames: made.movie.frames.split_off(1) };
    assert!(matches!(run(&mut one).unwrap_err(), SegmentError::TooFewFrames { frames: 1, needed: 2 }));
}
