//! Movies with planted cells and known motion, of any size.

use crate::movie::Movie;
use dropscope_segmentation::{Params, Registration, Roi, SegmentError, Segmentation, Silent, segment};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Radius of every cell, pixels.
const RADIUS: f64 = 5.0;
/// Distance of neighbouring cells, pixels.
const APART: usize = 24;

/// Active cells on a textured ground, and where every frame saw them.
pub(crate) struct Planted {
    pub(crate) movie: Movie,
    /// Centres (y, x) of the cells, pixels, in a frame that did not move.
    pub(crate) centres: Vec<(f64, f64)>,
    /// How far (y, x) each frame moved, whole pixels.
    pub(crate) shifts: Vec<(i32, i32)>,
}

fn gaussian(rng: &mut Xoshiro256PlusPlus) -> f32 {
    // Irwin–Hall: twelve uniforms are normal enough for camera noise.
    (0..12).map(|_| rng.r#gen::<f32>()).sum::<f32>() - 6.0
}

/// Plants as many cells as the frame holds, `border` pixels from its edges; frame `t` moves by `shift(t)`.
pub(crate) fn planted(shape: (usize, usize), frames: usize, border: usize, shift: impl Fn(usize) -> (i32, i32)) -> Planted {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(31);
    let (height, width) = shape;
    let places = |side: usize| (border..=side - border).step_by(APART).map(|at| at as f64).collect::<Vec<f64>>();
    let (ys, xs) = (places(height), places(width));
    let centres: Vec<(f64, f64)> = ys.iter().flat_map(|&y| xs.iter().map(move |&x| (y, x))).collect();
    // The ground repeats beyond what a frame sees of it at rest.
    let ground: Vec<f32> = (0..height * width).map(|_| 40.0 * rng.r#gen::<f32>()).collect();
    let mut levels = vec![0.0f32; centres.len()];
    let shifts: Vec<(i32, i32)> = (0..frames).map(shift).collect();
    let mut seen = Vec::new();
    for &(dy, dx) in &shifts {
        for level in &mut levels {
            *level = *level * 0.9 + if rng.gen_bool(0.02) { 60.0 } else { 0.0 };
        }
        let at = |y: i32, x: i32| y.rem_euclid(height as i32) as usize * width + x.rem_euclid(width as i32) as usize;
        let mut scene: Vec<f32> = ground.iter().map(|v| v + 100.0).collect();
        for (&(cy, cx), level) in centres.iter().zip(&levels) {
            for y in (cy as i32 - 6)..=(cy as i32 + 6) {
                for x in (cx as i32 - 6)..=(cx as i32 + 6) {
                    let r = (f64::from(y) - cy).hypot(f64::from(x) - cx);
                    scene[at(y, x)] += (30.0 + level) * (RADIUS + 0.5 - r).clamp(0.0, 1.0) as f32;
                }
            }
        }
        let frame = (0..height as i32).flat_map(|y| (0..width as i32).map(move |x| (y, x)));
        seen.push(frame.map(|(y, x)| (scene[at(y - dy, x - dx)] + 6.0 * gaussian(&mut rng)).round().max(0.0)).collect());
    }
    Planted { movie: Movie { shape, frames: seen }, centres, shifts }
}

/// Segments; the indicator decays to 0.9 in a frame, as in [`planted`].
pub(crate) fn run(movie: &mut Movie) -> Result<Segmentation, SegmentError> {
    let params = Params { frame_rate_hz: 10.0, tau_s: 0.95, ..Params::default() };
    segment(movie, &params, &Silent)
}

impl Planted {
    /// Where the reference lies against the truth (y, x), pixels: the same in every frame.
    fn origin(&self, found: &Registration) -> (f64, f64) {
        let middle = |found: &[f32], truth: fn(&(i32, i32)) -> i32| {
            let pairs = found.iter().zip(&self.shifts);
            let mut off: Vec<f64> = pairs.map(|(f, s)| f64::from(*f) - f64::from(truth(s))).collect();
            off.sort_unstable_by(f64::total_cmp);
            off[off.len() / 2]
        };
        (middle(&found.yoff, |s| s.0), middle(&found.xoff, |s| s.1))
    }

    /// How far the worst frame lies off, pixels.
    pub(crate) fn residual(&self, found: &Registration) -> f64 {
        let (oy, ox) = self.origin(found);
        let offs = found.yoff.iter().zip(&found.xoff).zip(&self.shifts);
        let error = |((y, x), s): ((&f32, &f32), &(i32, i32))| {
            (f64::from(*y) - f64::from(s.0) - oy).hypot(f64::from(*x) - f64::from(s.1) - ox)
        };
        offs.map(error).fold(0.0, f64::max)
    }

    /// Planted cells that one taken for a cell covers by more than half (intersection over union), and cells taken in vain.
    pub(crate) fn score(&self, found: &Segmentation) -> (usize, usize) {
        let (oy, ox) = self.origin(&found.registration);
        let overlap = |(cy, cx): (f64, f64), roi: &Roi| {
            let (cy, cx) = (cy - oy, cx - ox);
            let inside = |y: f64, x: f64| (y - cy).hypot(x - cx) <= RADIUS;
            let hit = roi.ypix.iter().zip(&roi.xpix).filter(|(y, x)| inside(f64::from(**y), f64::from(**x))).count() as f64;
            let area = std::f64::consts::PI * RADIUS * RADIUS;
            hit / (area + roi.ypix.len() as f64 - hit)
        };
        let cells: Vec<&Roi> = found.rois.iter().filter(|r| r.is_cell).collect();
        let hits = self.centres.iter().filter(|c| cells.iter().any(|r| overlap(**c, r) > 0.5)).count();
        (hits, cells.len() - hits)
    }
}
