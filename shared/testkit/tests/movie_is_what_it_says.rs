//! The movie against its own truth, and its file against tifffile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, io::Cursor, process::Command};

use dropscope_testkit::{
    movie::{Expression, Movie, Scene, SceneError, score},
    python,
};

fn small() -> Scene {
    Scene { height: 80, width: 100, frames: 150, cells: 12, ..Scene::default() }
}

fn movie(scene: Scene) -> Movie {
    scene.generate().expect("a scene of the tests can be made")
}

#[test]
fn same_scene_same_bytes() {
    let write = || {
        let mut out = Cursor::new(Vec::new());
        movie(small()).write_tiff(&mut out).unwrap();
        let mut truth = Vec::new();
        movie(small()).write_truth_json(&mut truth).unwrap();
        (out.into_inner(), truth)
    };
    assert_eq!(write(), write());
}

#[test]
fn another_seed_is_another_movie() {
    let other = movie(Scene { seed: 2, ..small() });
    assert_ne!(movie(small()).frames().next(), other.frames().next());
}

#[test]
fn a_frame_does_not_depend_on_the_order_of_asking() {
    let m = movie(small());
    let all: Vec<Vec<u16>> = m.frames().collect();
    let mut one = Vec::new();
    for t in [149, 3, 77, 0] {
        m.frame(t, &mut one);
        assert_eq!(one, all[t], "frame {t}");
    }
}

#[test]
fn cells_keep_their_distance_and_stay_in_view() {
    let m = movie(Scene::default());
    for (i, a) in m.truth.cells.iter().enumerate() {
        for b in &m.truth.cells[..i] {
            assert!((a.y - b.y).hypot(a.x - b.x) >= 2.2 * m.scene.radius_px);
        }
        let edge = m.scene.motion_px + 1.0;
        assert!(a.ypix.iter().all(|&y| f64::from(y) > edge && f64::from(y) < 191.0 - edge));
        assert!(a.xpix.iter().all(|&x| f64::from(x) > edge && f64::from(x) < 191.0 - edge));
    }
}

#[test]
fn motion_stays_within_its_limit_and_happens() {
    let m = movie(Scene::default());
    let limit = m.scene.motion_px as f32;
    let far = |s: &(f32, f32)| s.0.abs().max(s.1.abs());
    assert!(m.truth.shifts.iter().all(|s| far(s) <= limit));
    assert!(m.truth.shifts.iter().any(|s| far(s) > limit / 2.0));
    let still = movie(Scene { motion_px: 0.0, ..small() });
    assert!(still.truth.shifts.iter().all(|&s| s == (0.0, 0.0)));
}

/// The brightness of a cell's own pixels, followed by its known motion.
fn measured(m: &Movie, cell: usize) -> Vec<f64> {
    let c = &m.truth.cells[cell];
    m.frames()
        .zip(&m.truth.shifts)
        .map(|(frame, &(dy, dx))| {
            let at = |(&y, &x): (&u32, &u32)| {
                let row = (y as f32 + dy).round() as usize;
                let column = (x as f32 + dx).round() as usize;
                f64::from(frame[row * m.scene.width + column])
            };
            c.ypix.iter().zip(&c.xpix).map(at).sum::<f64>() / c.ypix.len() as f64
        })
        .collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let product = |f: &dyn Fn(usize) -> f64| (0..a.len()).map(f).sum::<f64>();
    let ab = product(&|i| (a[i] - ma) * (b[i] - mb));
    let aa = product(&|i| (a[i] - ma) * (a[i] - ma));
    let bb = product(&|i| (b[i] - mb) * (b[i] - mb));
    ab / (aa * bb).sqrt()
}

/// Catches a wrong sign of the shifts too: pixels of a stray place do not follow the cell.
#[test]
fn pixels_follow_the_planted_activity_through_the_planted_motion() {
    for expression in [Expression::Cytosolic, Expression::Nuclear] {
        let m = movie(Scene { expression, frames: 600, ..small() });
        for cell in 0..m.truth.cells.len() {
            let planted: Vec<f64> = m.response(cell).iter().map(|&v| f64::from(v)).collect();
            let r = correlation(&measured(&m, cell), &planted);
            assert!(r > 0.8, "{expression:?} cell {cell}: {r}");
        }
    }
}

#[test]
fn cells_of_a_group_vary_together_and_others_do_not() {
    let m = movie(Scene { frames: 6000, ..small() });
    let traces: Vec<Vec<f64>> = (0..12).map(|c| m.response(c).iter().map(|&v| f64::from(v)).collect()).collect();
    for i in 0..12 {
        for j in 0..i {
            let r = correlation(&traces[i], &traces[j]);
            let same = m.truth.cells[i].group == m.truth.cells[j].group;
            assert!(if same { r > 0.5 } else { r.abs() < 0.3 }, "{i} {j}: {r}");
        }
    }
}

/// Mean and variance of dark and lit pixels are those of the physics.
#[test]
fn noise_is_shot_noise_plus_read_noise() {
    let m = movie(Scene { frames: 2000, cells: 0, motion_px: 0.0, neuropil_fluctuation: 0.0, bleaching: 0.0, ..small() });
    let at = 40 * 100 + 50;
    let values: Vec<f64> = m.frames().map(|f| f64::from(f[at])).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0);
    let s = &m.scene;
    let expected = s.gain * (mean - s.offset) + s.read_noise * s.read_noise;
    // The standard error of a variance of 2000 samples is 3 %.
    assert!((variance / expected - 1.0).abs() < 0.13, "{variance} {expected}");
}

#[test]
fn too_many_cells_are_refused() {
    let crowded = Scene { cells: 5000, ..small() };
    assert!(matches!(
        crowded.generate().err(),
        Some(SceneError::TooCrowded { wanted: 5000, placed }) if placed > 12
    ));
    let stopped = Scene { frame_rate_hz: 0.0, ..small() };
    assert!(matches!(stopped.generate().err(), Some(SceneError::Setting { name: "frame_rate_hz", .. })));
}

#[test]
fn tifffile_reads_the_very_frames_and_the_frame_rate() {
    let python = python().expect("tests need a Python");
    let dir = tempfile::tempdir().unwrap();
    let (tif, raw) = (dir.path().join("m.tif"), dir.path().join("m.raw"));
    let m = movie(small());
    m.write_tiff(std::io::BufWriter::new(fs::File::create(&tif).unwrap())).unwrap();
    let bytes: Vec<u8> = m.frames().flatten().flat_map(u16::to_le_bytes).collect();
    fs::write(&raw, bytes).unwrap();
    let script = r"
import sys, numpy, tifffile
with tifffile.TiffFile(sys.argv[1]) as f:
    movie, meta = f.asarray(), f.imagej_metadata
    assert movie.dtype == numpy.uint16 and movie.shape == (150, 80, 100), movie.shape
    assert (movie.ravel() == numpy.fromfile(sys.argv[2], '<u2')).all()
    assert meta['frames'] == 150 and abs(1 / meta['finterval'] - 15) < 1e-9, meta
    assert f.pages[0].tags['XResolution'].value == (1250000, 1000000)
    assert f.series[0].axes == 'TYX', f.series[0].axes
";
    let output = Command::new(python).args(["-c", script]).arg(&tif).arg(&raw).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_truth_scores_full_marks_wherever_the_reference_lies() {
    let m = movie(small());
    for (dy, dx) in [(0, 0), (3, 2)] {
        let rois: Vec<(Vec<u32>, Vec<u32>)> = m
            .truth
            .cells
            .iter()
            .map(|c| {
                let move_by = |v: &[u32], d: u32| v.iter().map(|p| p + d).collect();
                (move_by(&c.ypix, dy), move_by(&c.xpix, dx))
            })
            .collect();
        let score = score::found(&m.truth, &rois);
        assert_eq!((score.planted, score.found, score.false_positives), (12, 12, 0));
    }
}

#[test]
fn duplicates_and_strays_are_false_positives() {
    let m = movie(small());
    let c = &m.truth.cells[0];
    let own = (c.ypix.clone(), c.xpix.clone());
    let stray = (vec![0, 0, 1], vec![0, 1, 0]);
    let score = score::found(&m.truth, &[own.clone(), own, stray]);
    assert_eq!((score.found, score.false_positives), (1, 2));
    let none = score::found(&m.truth, &[]);
    assert_eq!((none.planted, none.found, none.false_positives), (12, 0, 0));
}
