//! Shift of a frame against a reference by phase correlation (Kuglin & Hines 1975; as used for calcium imaging by
//! Guizar-Sicairos 2008 and Pachitariu 2017, section "Registration").

use super::fft2::{Fft2, Workspace};
use crate::numeric::{Plane, quantile};
use rustfft::num_complex::Complex32;
use std::f64::consts::PI;

/// Width of the Gaussian the correlation surface is smoothed by, pixels: about the blur of a two-photon microscope.
const SMOOTH_PX: f64 = 1.15;
/// Largest shift searched, share of the smaller side of the frame.
const MAX_SHIFT: f64 = 0.12;

/// Where a frame lies: `registered(y, x) = frame(y + y, x + x)`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Shift {
    pub(crate) y: i32,
    pub(crate) x: i32,
    /// Height of the correlation peak, 1 for the reference itself.
    pub(crate) corr: f32,
}

/// A reference image, ready to be compared with frames.
pub(crate) struct Aligner<'a> {
    fft: &'a Fft2,
    plane: Plane,
    clip: (f32, f32),
    level: f32,
    taper: Vec<f32>,
    target: Vec<Complex32>,
    peak: f32,
    reach: (usize, usize),
}

/// Memory one thread aligns in.
pub(crate) struct AlignWorkspace {
    image: Vec<f32>,
    spectrum: Vec<Complex32>,
    fft: Workspace,
}

impl<'a> Aligner<'a> {
    pub(crate) fn new(fft: &'a Fft2, plane: Plane, reference: &[f32]) -> Self {
        let clip = (quantile(reference, 0.01), quantile(reference, 0.99));
        let reach = reach(plane);
        let mut aligner = Self {
            fft,
            plane,
            clip,
            level: 0.5 * (clip.0 + clip.1),
            taper: taper(plane, reach),
            target: Vec::new(),
            peak: 1.0,
            reach,
        };
        let mut work = aligner.workspace();
        aligner.whitened(reference, &mut work);
        let mut total = 0.0f64;
        let weight = |(fy, fx): (f64, f64)| libm::exp(-2.0 * PI * PI * SMOOTH_PX * SMOOTH_PX * (fy * fy + fx * fx));
        let columns = plane.width / 2 + 1;
        let values = work.spectrum.iter().zip(fft.frequencies()).enumerate();
        let mut target = Vec::with_capacity(work.spectrum.len());
        for (i, (value, frequency)) in values {
            let w = weight(frequency);
            let x = i / plane.height;
            let mirrored = x > 0 && !(x + 1 == columns && plane.width.is_multiple_of(2));
            total += w * if mirrored { 2.0 } else { 1.0 };
            target.push(value.conj() * w as f32);
        }
        aligner.target = target;
        aligner.peak = (total / plane.pixels() as f64) as f32;
        aligner
    }

    pub(crate) fn workspace(&self) -> AlignWorkspace {
        AlignWorkspace {
            image: vec![0.0; self.plane.pixels()],
            spectrum: vec![Complex32::default(); self.fft.spectrum_len()],
            fft: self.fft.workspace(),
        }
    }

    /// Integer shift of `frame` against the reference.
    pub(crate) fn shift(&self, frame: &[f32], work: &mut AlignWorkspace) -> Shift {
        self.whitened(frame, work);
        for (value, target) in work.spectrum.iter_mut().zip(&self.target) {
            *value *= target;
        }
        let (h, w) = (self.plane.height, self.plane.width);
        let (ry, rx) = self.reach;
        let mut best = (f32::MIN, 0i32, 0i32);
        let rows = (0..=ry).chain(h - ry..h);
        self.fft.inverse_rows(&mut work.spectrum, rows, &mut work.fft, |y, row| {
            for x in (0..=rx).chain(w - rx..w) {
                if row[x] > best.0 {
                    best = (row[x], signed(y, h), signed(x, w));
                }
            }
        });
        Shift { y: best.1, x: best.2, corr: (best.0 / self.peak).clamp(0.0, 1.0) }
    }

    /// Spectrum of the clipped, tapered `frame` with every amplitude set to one.
    fn whitened(&self, frame: &[f32], work: &mut AlignWorkspace) {
        let (low, high) = self.clip;
        let pixels = frame.iter().zip(&self.taper);
        for (out, (&v, &t)) in work.image.iter_mut().zip(pixels) {
            *out = t * (v.clamp(low, high) - self.level);
        }
        self.fft.forward(&work.image, &mut work.spectrum, &mut work.fft);
        for value in &mut work.spectrum {
            let amplitude = (value.re * value.re + value.im * value.im).sqrt();
            *value *= 1.0 / amplitude.max(1e-20);
        }
    }
}

/// Largest shift along y and x, pixels; less than half of each side so that no shift is ambiguous.
pub(crate) fn reach(plane: Plane) -> (usize, usize) {
    let wanted = libm::round(MAX_SHIFT * plane.smaller_side() as f64).max(2.0) as usize;
    let along = |side: usize| wanted.min(side.saturating_sub(1) / 2);
    (along(plane.height), along(plane.width))
}

fn signed(index: usize, side: usize) -> i32 {
    if 2 * index > side { index as i32 - side as i32 } else { index as i32 }
}

/// 1 inside, falling smoothly to 0 at the edges: pixels that may leave the view should not speak.
fn taper(plane: Plane, reach: (usize, usize)) -> Vec<f32> {
    let line = |side: usize, reach: usize| -> Vec<f32> {
        let width = reach as f64 + 1.0;
        let ramp = |distance: usize| {
            let t = ((distance as f64 + 0.5) / width).min(1.0);
            (0.5 - 0.5 * libm::cos(PI * t)) as f32
        };
        (0..side).map(|i| ramp(i.min(side - 1 - i))).collect()
    };
    let (rows, columns) = (line(plane.height, reach.0), line(plane.width, reach.1));
    let outer = rows.iter().flat_map(|r| columns.iter().map(move |c| r * c));
    outer.collect()
}

/// `frame` moved by `shift`; pixels from outside repeat the edge.
pub(crate) fn moved(frame: &[f32], plane: Plane, shift: Shift, out: &mut [f32]) {
    let (h, w) = (plane.height as i64, plane.width as i64);
    let (dy, dx) = (i64::from(shift.y), i64::from(shift.x));
    for (y, row) in out.chunks_exact_mut(plane.width).enumerate() {
        let source = (y as i64 + dy).clamp(0, h - 1) * w;
        for (x, o) in row.iter_mut().enumerate() {
            *o = frame[(source + (x as i64 + dx).clamp(0, w - 1)) as usize];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::gaussian_kernel;
    use rand::{Rng, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn texture(plane: Plane, seed: u64) -> Vec<f32> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let white: Vec<f32> = (0..plane.pixels()).map(|_| rng.r#gen::<f32>()).collect();
        let mut out = vec![0.0; white.len()];
        crate::numeric::smooth_plane(&white, plane, &gaussian_kernel(1.5), &mut out);
        out
    }

    #[test]
    fn every_shift_of_a_noisy_texture_is_recovered() {
        for (height, width) in [(64, 64), (37, 90), (128, 101)] {
            let plane = Plane { height, width };
            let scene = texture(plane, 5);
            let fft = Fft2::new(plane);
            let aligner = Aligner::new(&fft, plane, &scene);
            let mut work = aligner.workspace();
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
            let (ry, rx) = reach(plane);
            for y in -(ry as i32)..=ry as i32 {
                let x = rng.gen_range(-(rx as i32)..=rx as i32);
                let shift = Shift { y: -y, x: -x, corr: 0.0 };
                let mut frame = vec![0.0; plane.pixels()];
                moved(&scene, plane, shift, &mut frame);
                frame.iter_mut().for_each(|v| *v += 0.05 * rng.r#gen::<f32>());
                let found = aligner.shift(&frame, &mut work);
                assert_eq!((found.y, found.x), (y, x), "{height}x{width}");
            }
        }
    }

    #[test]
    fn the_reference_correlates_fully_with_itself() {
        let plane = Plane { height: 48, width: 50 };
        let scene = texture(plane, 1);
        let fft = Fft2::new(plane);
        let aligner = Aligner::new(&fft, plane, &scene);
        let found = aligner.shift(&scene, &mut aligner.workspace());
        assert_eq!((found.y, found.x), (0, 0));
        assert!((found.corr - 1.0).abs() < 1e-3, "{}", found.corr);
    }
}
