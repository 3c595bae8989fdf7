//! Laws of the survey, held against NumPy, a known truth, and hostile recordings.
//!
//! Expected values of real recordings are NumPy's, in float64, of the frames as tifffile reads them:
//! `a = tifffile.imread(path).astype(float); a[:, p, y, x].mean(), .max(), .std()`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use dropscope_projection::{About, Purpose, Survey, Windows, survey};
use dropscope_testkit::movie::Scene;
use proptest::prelude::*;
use std::io::Cursor;
use support::{open, open_shared, stack_f32, stack_u16};

const ABOUT: fn() -> About = || About { name: "x".into(), frame_rate_hz: 10.0, frame_rate_assumed: false };

fn look(bytes: Vec<u8>) -> Survey {
    survey(&open(bytes), &Windows::default(), &|_, _| {}).unwrap()
}

fn noise(height: usize, width: usize, frames: usize) -> Vec<Vec<u16>> {
    let mut state = 7_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 20) as u16
    };
    (0..frames).map(|_| (0..height * width).map(|_| next()).collect()).collect()
}

fn near(found: f32, expected: f64) -> bool {
    (f64::from(found) - expected).abs() <= 1e-6 * expected.abs().max(1.0)
}

#[test]
fn a_volume_is_projected_as_numpy_does() {
    let Some(recording) = open_shared("movies/thunder_fish_lightsheet_240t2z_imagej.tif") else { return };
    let found = survey(&recording, &Windows::default(), &|_, _| {}).unwrap();
    for (plane, y, x, mean, max, sd) in [
        (0, 0, 0, 25.825, 26.0, 0.3799671038392666),
        (0, 40, 30, 62.75833333333333, 65.0, 0.8113346343457112),
        (0, 70, 50, 123.96666666666667, 186.0, 21.579864586126476),
        (1, 0, 0, 25.0125, 26.0, 0.11110243021644485),
        (1, 40, 30, 89.08333333333333, 92.0, 1.4808968753952974),
        (1, 70, 50, 105.06666666666666, 111.0, 2.377790758012338),
    ] {
        let (whole, at) = (&found.planes[plane].whole, y * 76 + x);
        assert!(near(whole.mean.values[at], mean) && near(whole.sd.values[at], sd), "plane {plane} at {y} {x}");
        assert_eq!(f64::from(whole.max.values[at]), max);
    }
    for (plane, max_sum, sd_sum, mean_of_frame_7) in
        [(0, 365_761.0, 12_533.104559747982, 49.79219600725953), (1, 401_359.0, 11_655.30804157654, 55.54491833030853)]
    {
        let found = &found.planes[plane];
        let sum = |values: &[f32]| values.iter().map(|v| f64::from(*v)).sum::<f64>();
        assert_eq!(sum(&found.whole.max.values), max_sum);
        assert!((sum(&found.whole.sd.values) - sd_sum).abs() < 1e-3);
        assert!((found.frames[7].mean - mean_of_frame_7).abs() < 1e-9);
    }
}

#[test]
fn a_plane_is_projected_as_numpy_does_and_its_clipped_detector_is_found() {
    let Some(recording) = open_shared("movies/optinist_mouse2p_first800f_packbits.tiff") else { return };
    let found = survey(&recording, &Windows::default(), &|_, _| {}).unwrap();
    for (y, x, mean, max, sd) in [
        (0, 0, 7177.67, 24476.0, 4522.50242411212),
        (64, 64, 9522.0375, 26260.0, 5005.7607195204355),
        (35, 18, 27200.42625, 55824.0, 14059.100707711035),
    ] {
        let (whole, at) = (&found.planes[0].whole, y * 128 + x);
        assert!(near(whole.mean.values[at], mean) && near(whole.sd.values[at], sd), "{y} {x}");
        assert_eq!(f64::from(whole.max.values[at]), max);
    }
    let figures = found.summary(&ABOUT()).figures;
    assert!((figures.mean.unwrap() - 10757.470728988648).abs() < 1e-6);
    // The histogram of all samples has a second peak of 11 060 in 54 000..55 000, between 4 245 and 3 520.
    let saturation = figures.saturation.unwrap();
    assert!((53_000.0..55_000.0).contains(&saturation.at) && (5e-4..3e-3).contains(&saturation.share), "{saturation:?}");
}

#[test]
fn planted_motion_is_found_to_a_pixel() {
    let scene = Scene { frames: 300, height: 96, width: 128, cells: 16, ..Scene::default() };
    let movie = scene.generate().unwrap();
    let truth = &movie.truth.shifts;
    let mut bytes = Cursor::new(Vec::new());
    movie.write_tiff(&mut bytes).unwrap();
    let found = look(bytes.into_inner());
    let shifts: Vec<(f64, f64)> =
        found.planes[0].frames.iter().map(|f| f.shift.map(|s| (f64::from(s.y), f64::from(s.x))).unwrap()).collect();
    let mean = |of: &dyn Fn(usize) -> f64| (0..300).map(of).sum::<f64>() / 300.0;
    // The reference of the estimate and the origin of the truth differ by a constant.
    let off_y = mean(&|t| shifts[t].0 - f64::from(truth[t].0));
    let off_x = mean(&|t| shifts[t].1 - f64::from(truth[t].1));
    let good = (0..300).filter(|t| {
        (shifts[*t].0 - f64::from(truth[*t].0) - off_y).abs() < 1.0 && (shifts[*t].1 - f64::from(truth[*t].1) - off_x).abs() < 1.0
    });
    assert!(good.count() >= 297);
}

#[test]
fn blank_frames_are_counted_and_left_out_of_pictures() {
    let mut frames = noise(24, 24, 60);
    let without = look(stack_u16(24, 24, &frames));
    for (at, value) in [(0, 0), (31, 900), (59, 65_535)] {
        frames.insert(at, vec![value; 24 * 24]);
    }
    let with = look(stack_u16(24, 24, &frames));
    assert_eq!(with.summary(&ABOUT()).figures.blank_frames, 3);
    assert!(with.summary(&ABOUT()).flags.iter().any(|f| f.id == "blank_frames"));
    assert_eq!(with.planes[0].whole, without.planes[0].whole);
}

#[test]
fn exact_repeats_are_counted() {
    let mut frames = noise(20, 20, 40);
    frames[11] = frames[10].clone();
    frames[12] = frames[10].clone();
    assert_eq!(look(stack_u16(20, 20, &frames)).summary(&ABOUT()).figures.repeated_frames, 2);
}

#[test]
fn sampling_reads_evenly_and_says_so() {
    let frames = noise(16, 16, 50);
    let plan = Windows::default().within(1000, 50, 100);
    let found = survey(&open(stack_u16(16, 16, &frames)), &plan, &|_, _| {}).unwrap();
    let picked: Vec<Vec<u16>> = frames.into_iter().step_by(10).collect();
    assert_eq!(found.planes[0].whole, look(stack_u16(16, 16, &picked)).planes[0].whole);
    let summary = found.summary(&ABOUT());
    assert_eq!((summary.sampled.every, summary.sampled.frames_read, summary.frames), (10, 5, 50));
    assert!(summary.flags.iter().any(|f| f.id == "sampled"));
}

#[test]
fn samples_that_are_no_numbers_are_left_out_and_counted() {
    let mut frames: Vec<Vec<f32>> = noise(8, 16, 30).iter().map(|f| f.iter().map(|v| 1e6 + f32::from(*v)).collect()).collect();
    frames.iter_mut().for_each(|f| f[5] = f32::NAN);
    frames[3][7] = f32::INFINITY;
    let found = look(stack_f32(8, 16, &frames));
    assert_eq!(found.planes[0].not_finite, 31);
    let whole = &found.planes[0].whole;
    assert!(whole.mean.values[5].is_nan() && whole.max.values[5].is_nan() && whole.sd.values[5].is_nan());
    let rest: Vec<f64> = frames.iter().map(|f| f64::from(f[7])).filter(|v| v.is_finite()).collect();
    let mean = rest.iter().sum::<f64>() / 29.0;
    let sd = (rest.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / 29.0).sqrt();
    assert!(near(whole.mean.values[7], mean) && (f64::from(whole.sd.values[7]) - sd).abs() < 1e-3 * sd);
}

#[test]
fn every_hostile_recording_gives_every_file() {
    let recordings = [
        ("two frames", stack_u16(16, 16, &noise(16, 16, 2))),
        ("constant", stack_u16(16, 16, &vec![vec![7; 256]; 30])),
        ("saturated", stack_u16(16, 16, &vec![vec![65_535; 256]; 30])),
        ("one row", stack_u16(1, 2000, &noise(1, 2000, 9))),
        ("one column", stack_u16(2000, 1, &noise(2000, 1, 9))),
        ("one pixel", stack_u16(1, 1, &noise(1, 1, 9))),
        ("no number", stack_f32(4, 4, &vec![vec![f32::NAN; 16]; 5])),
        ("largest floats", stack_f32(4, 4, &vec![[f32::MAX, f32::MIN].repeat(8); 5])),
    ];
    for (what, bytes) in recordings {
        let found = look(bytes);
        for (name, bytes) in found.preview_files(&ABOUT()).unwrap().into_iter().chain(found.summary_files(&ABOUT()).unwrap()) {
            let head: &[u8] = match name.rsplit('.').next() {
                Some("gif") => b"GIF89a",
                Some("png") => b"\x89PNG",
                Some("csv") => b"frame,time_s,mean,motion_px",
                _ => b"{",
            };
            assert!(bytes.starts_with(head), "{what} {name}");
        }
    }
}

#[test]
fn saturated_samples_are_flagged() {
    let mut frames = noise(32, 32, 40);
    frames.iter_mut().for_each(|f| f[..100].fill(4095));
    let summary = look(stack_u16(32, 32, &frames)).summary(&ABOUT());
    let share = summary.figures.saturation.unwrap().share;
    assert!((share - 100.0 / 1024.0).abs() < 1e-3, "{share}");
    assert_eq!(summary.flags[0].id, "saturation");
}

#[test]
fn the_files_do_not_depend_on_the_number_of_threads() {
    let bytes = stack_u16(40, 50, &noise(40, 50, 150));
    let files = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let found = look(bytes.clone());
            (found.preview_files(&ABOUT()).unwrap(), found.summary_files(&ABOUT()).unwrap())
        })
    };
    assert_eq!(files(1), files(3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn projections_are_those_of_the_definition(height in 1_usize..12, width in 1_usize..70, count in 2_usize..90, lift in 0_u16..60_000) {
        let mut frames = noise(height, width, count);
        frames.iter_mut().flatten().for_each(|v| *v = v.saturating_add(lift));
        // No frame may be blank, or it is left out.
        frames.iter_mut().for_each(|f| f[0] = if f.iter().all(|v| *v == f[0]) { f[0] ^ 1 } else { f[0] });
        let single = height * width == 1;
        let found = look(stack_u16(height, width, &frames));
        for at in (0..height * width).filter(|_| !single) {
            let values: Vec<f64> = frames.iter().map(|f| f64::from(f[at])).collect();
            let mean = values.iter().sum::<f64>() / count as f64;
            let sd = (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count as f64).sqrt();
            let whole = &found.planes[0].whole;
            prop_assert!(near(whole.mean.values[at], mean));
            prop_assert!((f64::from(whole.sd.values[at]) - sd).abs() <= 1e-4 * sd.max(1.0));
            prop_assert_eq!(f64::from(whole.max.values[at]), values.iter().copied().fold(0.0, f64::max));
        }
    }
}

#[test]
fn a_look_for_one_purpose_gives_the_files_of_a_look_for_both() {
    let mut frames = noise(20, 24, 90);
    [(0, 0), (40, 65_535), (41, 7)].into_iter().for_each(|(at, value)| frames[at].fill(value));
    let recording = open(stack_u16(20, 24, &frames));
    let look = |purpose| survey(&recording, &Windows { purpose, ..Windows::default() }, &|_, _| {}).unwrap();
    let both = look(Purpose::Both);
    assert!(look(Purpose::Pictures).preview_files(&ABOUT()).unwrap() == both.preview_files(&ABOUT()).unwrap());
    assert!(look(Purpose::Figures).summary_files(&ABOUT()).unwrap() == both.summary_files(&ABOUT()).unwrap());
}
