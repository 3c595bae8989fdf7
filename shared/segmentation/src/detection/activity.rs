//! The map of thresholded activity: where something the size of a cell lights up now and then.

use super::binned::Binned;
use super::threshold::ACTIVE;
use crate::numeric::{Plane, gaussian_kernel, median, smooth_part, smooth_plane};
use rayon::prelude::*;
use std::ops::Range;

/// Diameter of the disc a Gaussian of one pixel sigma answers to best: with u = r²/2σ² the signal to noise
/// σ(1 − e^−u) is greatest where e^u = 1 + 2u.
pub(super) const DIAMETER_PER_SIGMA: f64 = 3.17;
/// Partial sums a map is made of; fixed, so that the sum never depends on the number of threads.
const GROUPS: usize = 16;
/// Pairs of bins the noise of the filtered movie is measured on.
const NOISE_PAIRS: usize = 64;

/// A rectangle of pixels, ends exclusive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rect {
    pub(super) y: (usize, usize),
    pub(super) x: (usize, usize),
}

impl Rect {
    pub(super) fn whole(plane: Plane) -> Self {
        Self { y: (0, plane.height), x: (0, plane.width) }
    }

    /// Square of `2 half + 1` around a pixel, cut at the edges of `plane`.
    pub(super) fn around(pixel: usize, half: usize, plane: Plane) -> Self {
        let (y, x) = (pixel / plane.width, pixel % plane.width);
        let point = Self { y: (y, y + 1), x: (x, x + 1) };
        point.grown(half, plane)
    }

    pub(super) fn grown(self, by: usize, plane: Plane) -> Self {
        let side = |(a, b): (usize, usize), n: usize| (a.saturating_sub(by), (b + by).min(n));
        Self { y: side(self.y, plane.height), x: side(self.x, plane.width) }
    }

    pub(super) fn plane(self) -> Plane {
        Plane { height: self.y.1 - self.y.0, width: self.x.1 - self.x.0 }
    }

    /// Indices into `plane` of the pixels, row by row.
    pub(super) fn pixels(self, plane: Plane) -> impl Iterator<Item = usize> {
        let rows = self.y.0..self.y.1;
        rows.flat_map(move |y| (self.x.0..self.x.1).map(move |x| y * plane.width + x))
    }
}

/// `pixels` sums over `0..of`, made in groups on all threads; `add` adds the part of a range.
fn in_groups(of: usize, pixels: usize, add: impl Fn(Range<usize>, &mut [f32]) + Sync) -> Vec<f32> {
    let size = of.div_ceil(GROUPS).max(1);
    let group = |g: usize| {
        let mut sum = vec![0.0; pixels];
        add(g * size..((g + 1) * size).min(of), &mut sum);
        sum
    };
    let groups: Vec<Vec<f32>> = (0..of.div_ceil(size)).into_par_iter().map(group).collect();
    let mut sum = vec![0.0; pixels];
    for group in groups {
        sum.iter_mut().zip(&group).for_each(|(s, v)| *s += v);
    }
    sum
}

/// Matched filter for one cell size.
pub(super) struct Filter {
    kernel: Vec<f32>,
    unit: f32,
}

impl Filter {
    /// Filter for cells of `diameter` pixels whose output has unit noise in `movie`.
    pub(super) fn new(movie: &Binned, diameter: f64) -> Self {
        let kernel = gaussian_kernel(diameter / DIAMETER_PER_SIGMA);
        let pairs = movie.bins.saturating_sub(1);
        let used = pairs.min(NOISE_PAIRS);
        let square = in_groups(used, movie.plane.pixels(), |group, square| {
            let n = square.len();
            let (mut difference, mut smooth) = (vec![0.0f32; n], vec![0.0f32; n]);
            for i in group {
                let t = i * pairs / used;
                let both = movie.bin(t).iter().zip(movie.bin(t + 1));
                difference.iter_mut().zip(both).for_each(|(d, (a, b))| *d = b - a);
                smooth_plane(&difference, movie.plane, &kernel, &mut smooth);
                square.iter_mut().zip(&smooth).for_each(|(s, &v)| *s += v * v);
            }
        });
        let scale = 2.0 * used.max(1) as f32;
        let noise: Vec<f32> = square.iter().map(|s| (s / scale).sqrt()).collect();
        // Most pixels show no cell most of the time: their median is the noise.
        Self { kernel, unit: median(&noise).max(f32::MIN_POSITIVE) }
    }

    /// Pixels the filter reaches on each side.
    pub(super) fn half(&self) -> usize {
        self.kernel.len() / 2
    }

    /// Activity of the pixels of `rect`: the sum over bins of `max(0, z − 2)²`.
    pub(super) fn activity(&self, movie: &Binned, rect: Rect) -> Vec<f32> {
        in_groups(movie.bins, rect.plane().pixels(), |bins, sum| self.add_activity(movie, rect, bins, sum))
    }

    fn add_activity(&self, movie: &Binned, rect: Rect, bins: Range<usize>, sum: &mut [f32]) {
        let mut smooth = vec![0.0; sum.len()];
        let (scale, calm) = (1.0 / self.unit, ACTIVE as f32);
        for t in bins {
            let part = (rect.y.0..rect.y.1, rect.x.0..rect.x.1);
            smooth_part(movie.bin(t), movie.plane, &self.kernel, part, &mut smooth);
            for (s, z) in sum.iter_mut().zip(&smooth) {
                let over = (z * scale - calm).max(0.0);
                *s += over * over;
            }
        }
    }

    /// Filtered movie at one pixel, in units of its noise, bin by bin.
    pub(super) fn trace(&self, movie: &Binned, pixel: usize) -> Vec<f32> {
        let (y, x) = (pixel / movie.plane.width, pixel % movie.plane.width);
        let window = Rect::around(pixel, self.half(), movie.plane);
        let tap = |a: usize, centre: usize| self.kernel[a + self.half() - centre];
        let taps: Vec<(usize, f32)> =
            window.pixels(movie.plane).map(|i| (i, tap(i / movie.plane.width, y) * tap(i % movie.plane.width, x))).collect();
        let at = |t: usize| {
            let frame = movie.bin(t);
            taps.iter().map(|&(i, k)| frame[i] * k).sum::<f32>() / self.unit
        };
        (0..movie.bins).map(at).collect()
    }
}
