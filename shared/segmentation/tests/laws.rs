//! Laws of the whole segmentation, on movies whose truth is known.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod movie;

use dropscope_segmentation::{Params, Progress, SegmentError, Segmentation, Silent, Stage, segment};
use movie::Movie;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const SIDE: usize = 96;
const RADIUS: f64 = 5.0;
/// Centres of the planted cells, far enough from the edge for the motion.
const CENTRES: [(f64, f64); 6] = [(22.0, 24.0), (25.0, 60.0), (48.0, 40.0), (50.0, 74.0), (73.0, 22.0), (74.0, 58.0)];

fn gaussian(rng: &mut Xoshiro256PlusPlus) -> f32 {
    // Irwin–Hall: twelve uniforms are normal enough for camera noise.
    (0..12).map(|_| rng.r#gen::<f32>()).sum::<f32>() - 6.0
}

fn noise(shape: (usize, usize), frames: usize, seed: u64) -> Movie {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let frame = |rng: &mut Xoshiro256PlusPlus| {
        let v = (0..shape.0 * shape.1).map(|_| (100.0 + 10.0 * gaussian(rng)).round());
        v.collect()
    };
    Movie { shape, frames: (0..frames).map(|_| frame(&mut rng)).collect() }
}

/// Six active cells on a textured ground that moves by known whole pixels; also the shifts (y, x) of each frame.
fn planted(frames: usize, seed: u64) -> (Movie, Vec<(i32, i32)>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let wide = SIDE + 20;
    let ground: Vec<f32> = (0..wide * wide).map(|_| 40.0 * rng.r#gen::<f32>()).collect();
    let mut levels = [0.0f64; 6];
    let mut movie = Vec::new();
    let mut shifts = Vec::new();
    for t in 0..frames {
        let shift = if t % 9 == 0 { (rng.gen_range(-5..=5), rng.gen_range(-5..=5)) } else { *shifts.last().unwrap() };
        for level in &mut levels {
            *level = *level * 0.97 + if rng.gen_bool(0.008) { 60.0 } else { 0.0 };
        }
        let mut frame = Vec::with_capacity(SIDE * SIDE);
        for y in 0..SIDE as i32 {
            for x in 0..SIDE as i32 {
                let (sy, sx) = (y - shift.0, x - shift.1);
                let mut v = f64::from(ground[(sy + 10) as usize * wide + (sx + 10) as usize]) + 100.0;
                for (&(cy, cx), level) in CENTRES.iter().zip(levels) {
                    let r = (f64::from(sy) - cy).hypot(f64::from(sx) - cx);
                    v += (30.0 + level) * (RADIUS + 0.5 - r).clamp(0.0, 1.0);
                }
                frame.push((v as f32 + 6.0 * gaussian(&mut rng)).round().max(0.0));
            }
        }
        movie.push(frame);
        shifts.push(shift);
    }
    let shape = (SIDE, SIDE);
    (Movie { shape, frames: movie }, shifts)
}

fn run(movie: &mut Movie, params: &Params) -> Result<Segmentation, SegmentError> {
    segment(movie, params, &Silent)
}

/// The offset between reference and truth, the same in every frame, pixels.
fn constant(found: &[f32], truth: impl Iterator<Item = i32>) -> f64 {
    let mut d: Vec<f64> = found.iter().zip(truth).map(|(&f, t)| f64::from(f) - f64::from(t)).collect();
    d.sort_unstable_by(f64::total_cmp);
    d[d.len() / 2]
}

fn check_planted(result: &Segmentation, dy: f64, dx: f64) {
    for (cy, cx) in CENTRES {
        let (cy, cx) = (cy - dy, cx - dx);
        let within = |y: f64, x: f64| (y - cy).hypot(x - cx) <= RADIUS;
        let truth = (0..SIDE * SIDE).filter(|i| within((i / SIDE) as f64, (i % SIDE) as f64)).count() as f64;
        let iou = |r: &dropscope_segmentation::Roi| {
            let pairs = r.ypix.iter().zip(&r.xpix);
            let hit = pairs.filter(|(y, x)| within(f64::from(**y), f64::from(**x))).count() as f64;
            hit / (truth + r.ypix.len() as f64 - hit)
        };
        let best = result.rois.iter().filter(|r| r.is_cell).map(iou).fold(0.0, f64::max);
        assert!(best > 0.75, "cell at {cy},{cx}: IoU {best}");
    }
    assert_eq!(result.rois.iter().filter(|r| r.is_cell).count(), CENTRES.len());
}

#[test]
fn planted_cells_and_motion_are_recovered() {
    let (mut movie, truth) = planted(500, 11);
    let result = run(&mut movie, &Params::default()).unwrap();
    let r = &result.registration;
    let dy = constant(&r.yoff, truth.iter().map(|s| s.0));
    let dx = constant(&r.xoff, truth.iter().map(|s| s.1));
    for (t, s) in truth.iter().enumerate() {
        let (ey, ex) = (f64::from(r.yoff[t]) - f64::from(s.0) - dy, f64::from(r.xoff[t]) - f64::from(s.1) - dx);
        assert!(ey.hypot(ex) < 0.2, "frame {t}: {ey} {ex}");
    }
    check_planted(&result, dy, dx);
    assert_eq!(result.first_frame.as_slice().unwrap(), movie.frames[0]);
    assert!(result.spks.iter().all(|&s| s >= 0.0));
    assert_eq!(result.f.dim(), (result.rois.len(), 500));
}

#[test]
fn a_third_of_blank_frames_is_survived_and_named() {
    let (mut movie, truth) = planted(600, 12);
    for t in (0..600).step_by(3) {
        movie.frames[t].fill(0.0);
    }
    let result = run(&mut movie, &Params::default()).unwrap();
    let bad: Vec<bool> = (0..600).map(|t| t % 3 == 0).collect();
    assert_eq!(result.registration.bad_frames, bad);
    let good = |v: &[f32]| -> Vec<f32> { (0..600).filter(|t| t % 3 != 0).map(|t| v[t]).collect() };
    let kept: Vec<(i32, i32)> = (0..600).filter(|t| t % 3 != 0).map(|t| truth[t]).collect();
    let dy = constant(&good(&result.registration.yoff), kept.iter().map(|s| s.0));
    let dx = constant(&good(&result.registration.xoff), kept.iter().map(|s| s.1));
    check_planted(&result, dy, dx);
}

#[test]
fn threads_do_not_change_a_bit() {
    let (mut movie, _) = planted(240, 13);
    let of = |threads: usize, movie: &mut Movie| {
        let params = Params { threads, ..Params::default() };
        let mut s = run(movie, &params).unwrap();
        // -0 and 0 print alike, every other bit shows.
        s.registration.reference.mapv_inplace(|v| f32::from_bits(v.to_bits()));
        format!("{s:?}{:?}", s.f.iter().chain(&s.spks).map(|v| v.to_bits()).collect::<Vec<_>>())
    };
    assert!(of(1, &mut movie) == of(3, &mut movie));
}

#[test]
fn pure_noise_claims_at_most_one_roi() {
    let result = run(&mut noise((512, 512), 200, 14), &Params::default()).unwrap();
    assert!(result.rois.len() <= 1, "{}", result.rois.len());
}

#[test]
fn odd_shapes_and_lengths_survive() {
    for (shape, frames) in
        [((12, 77), 90), ((40, 40), 2), ((20, 192), 30), ((1, 1), 5), ((1, 30), 9), ((3, 2), 40), ((33, 47), 7)]
    {
        let result = run(&mut noise(shape, frames, 15), &Params::default()).unwrap();
        assert_eq!(result.f.ncols(), frames);
        let r = &result.registration;
        assert!(r.yrange.0 < r.yrange.1 && r.yrange.1 <= shape.0, "{shape:?}");
        assert!(r.xrange.0 < r.xrange.1 && r.xrange.1 <= shape.1, "{shape:?}");
    }
}

#[test]
fn movies_without_content_give_no_rois_and_finite_images() {
    let all = |v: f32| Movie { shape: (32, 40), frames: vec![vec![v; 32 * 40]; 60] };
    for value in [0.0, 1234.0, f32::NAN, f32::INFINITY, 1e30, -5.0] {
        let result = run(&mut all(value), &Params::default()).unwrap();
        assert!(result.rois.is_empty());
        assert!(result.registration.bad_frames.iter().all(|&b| b));
        assert!(result.registration.mean.iter().all(|v| v.is_finite()));
    }
    let mut holes = noise((40, 40), 60, 16);
    holes.frames.iter_mut().for_each(|f| f[7] = f32::NAN);
    let result = run(&mut holes, &Params::default()).unwrap();
    assert_eq!(result.registration.mean_raw[[0, 7]], 0.0);
}

#[test]
fn one_frame_is_too_few() {
    let error = run(&mut noise((20, 20), 1, 17), &Params::default()).unwrap_err();
    assert!(matches!(error, SegmentError::TooFewFrames { frames: 1, needed: 2 }));
}

#[test]
fn settings_out_of_range_are_refused() {
    let params = Params { tau_s: f64::NAN, ..Params::default() };
    let error = run(&mut noise((20, 20), 9, 18), &params).unwrap_err();
    assert!(matches!(error, SegmentError::Params(_)));
}

#[test]
fn a_wish_to_stop_is_granted() {
    struct Stop;
    impl Progress for Stop {
        fn step(&self, _: Stage, _: usize, _: usize) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let error = segment(&mut noise((20, 20), 9, 19), &Params::default(), &Stop);
    assert!(matches!(error.unwrap_err(), SegmentError::Cancelled));
}

/// What shows frames a second relies on it.
#[test]
fn registration_and_extraction_count_each_frame_once() {
    #[derive(Default)]
    struct Totals(std::sync::Mutex<Vec<(Stage, usize)>>);
    impl Progress for Totals {
        fn step(&self, stage: Stage, _: usize, total: usize) {
            self.0.lock().unwrap().push((stage, total));
        }
    }
    let totals = Totals::default();
    let (mut movie, _) = planted(300, 5);
    let frames = movie.frames.len();
    segment(&mut movie, &Params::default(), &totals).unwrap();
    let said = totals.0.into_inner().unwrap();
    for stage in [Stage::Registration, Stage::Extraction] {
        let of = || said.iter().filter(|s| s.0 == stage);
        assert!(of().count() > 0 && of().all(|s| s.1 == frames), "{stage:?}");
    }
}

/// A scene that every frame shows through a field of its own: a shift, and a stretch of up to two pixels at the corners.
fn stretched(frames: usize, seed: u64) -> (Movie, Vec<[f64; 4]>) {
    const WIDE: usize = 160;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let waves: Vec<[f64; 4]> = (0..60)
        .map(|_| [rng.gen_range(-0.9..0.9), rng.gen_range(-0.9..0.9), rng.gen_range(0.0..6.3), rng.gen_range(0.5..1.5)])
        .collect();
    let scene = |y: f64, x: f64| 300.0 + 12.0 * waves.iter().map(|w| w[3] * (w[0] * y + w[1] * x + w[2]).sin()).sum::<f64>();
    let middle = 0.5 * (WIDE - 1) as f64;
    let (mut movie, mut truth) = (Vec::new(), Vec::new());
    for t in 0..frames {
        let slow = |k: f64| (t as f64 / 23.0 + k).sin();
        let motion = [3.0 * slow(0.0), 2.0 * slow(2.0), 1.5 * slow(4.0), 1.5 * slow(5.0)];
        let frame = (0..WIDE * WIDE).map(|i| {
            let (y, x) = ((i / WIDE) as f64, (i % WIDE) as f64);
            let (dy, dx) = displacement(&motion, (y - middle) / middle, (x - middle) / middle);
            (scene(y - dy, x - dx) + 15.0 * f64::from(gaussian(&mut rng))).round().max(0.0) as f32
        });
        movie.push(frame.collect());
        truth.push(motion);
    }
    (Movie { shape: (WIDE, WIDE), frames: movie }, truth)
}

/// Displacement at a place, −1 to 1 from edge to edge.
fn displacement(motion: &[f64; 4], y: f64, x: f64) -> (f64, f64) {
    (motion[0] + motion[2] * x, motion[1] + motion[3] * y)
}

#[test]
fn every_part_of_a_stretched_frame_is_put_back() {
    let (mut movie, truth) = stretched(120, 21);
    let result = run(&mut movie, &Params::default()).unwrap();
    let r = &result.registration;
    let blocks = r.blocks.y.len();
    for b in 0..blocks {
        let centre = |(from, to): (usize, usize)| (0.5 * (from + to - 1) as f64 - 79.5) / 79.5;
        let (y, x) = (centre(r.blocks.y[b]), centre(r.blocks.x[b]));
        let errors: Vec<(f64, f64)> = (0..120)
            .map(|t| {
                let (dy, dx) = displacement(&truth[t], y, x);
                let found = (r.yoff[t] + r.blocks.yoff1[[t, b]], r.xoff[t] + r.blocks.xoff1[[t, b]]);
                (f64::from(found.0) - dy, f64::from(found.1) - dx)
            })
            .collect();
        let mean = errors.iter().fold((0.0, 0.0), |s, e| (s.0 + e.0 / 120.0, s.1 + e.1 / 120.0));
        let square: f64 = errors.iter().map(|e| (e.0 - mean.0).powi(2) + (e.1 - mean.1).powi(2)).sum();
        assert!((square / 120.0).sqrt() < 0.2, "block {b}: {}", (square / 120.0).sqrt());
    }
}
