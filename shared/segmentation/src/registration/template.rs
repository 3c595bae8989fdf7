//! Where every part of a frame lies against the reference: weighted least squares over a grid of displacements.
//!
//! A frame is the reference moved by a smooth field, with brightness and offset that differ a little from place to place
//! (neuropil, bleaching): `F(p + d(p)) − R(p) ≈ ∇R·(d − D) + a(p) R + o(p)`, all four linear between the nodes of the grid.
//! Gauss–Newton steps of the weighted squares (Lucas & Kanade 1981; many windows at once as in Baker & Matthews 2004,
//! IJCV 56:221, with the gradient of the reference) find `d`; a prior that neighbours move alike carries blocks without
//! contrast along.

use super::grid::{Field, Grid};
use super::normal::{BASES, Normal, Products};
use super::warp::{Edge, RowField, row};
use crate::numeric::{Plane, gaussian_kernel, smooth_plane};
use rayon::prelude::*;

/// Lanes of the sums: fixed, so that they never depend on the machine.
const LANES: usize = 4;
/// A step smaller than this ends the search, pixels.
const SETTLED_PX: f32 = 0.02;
/// Frames smaller than this are not halved.
const SMALLEST_HALVED_PX: usize = 128;

/// One look at a frame, from coarse to fine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Side of the blocks of pixels averaged beforehand, 1 or 2.
    pub(super) block: usize,
    /// Blur of the reference, pixels of the frame.
    pub(super) blur: f64,
    /// Steps, at most.
    pub(super) steps: usize,
}

/// The reference at one resolution, seen through one blur.
struct Level {
    grid: Grid,
    block: usize,
    reference: Vec<f32>,
    /// Weighted gradient along y and x, weighted reference, weights: what residuals are multiplied by.
    bases: [Vec<f32>; BASES],
    /// Share of the node on the right, for every column.
    shares: Vec<f32>,
    normal: Normal,
    steps: usize,
}

/// A reference image that frames are aligned with.
pub(crate) struct Template {
    grid: Grid,
    reference: Vec<f32>,
    /// Frames that the reference was made of.
    averaged: usize,
    levels: Vec<Level>,
}

/// Memory one thread aligns in.
pub(crate) struct TemplateWork {
    small: Vec<f32>,
    /// A row, the row of the field and the sums, for each level.
    levels: Vec<(Vec<f32>, RowField, Products)>,
}

impl Template {
    /// `weights` are one over the variance of each pixel of a frame, of which `averaged` made the reference.
    pub(super) fn new(grid: &Grid, reference: Vec<f32>, averaged: usize, weights: &[f32], looks: &[Look]) -> Self {
        // A frame too small to be halved is looked at whole.
        let halves = grid.plane.smaller_side() >= SMALLEST_HALVED_PX;
        let level = |look: &Look| {
            Level::new(grid, &reference, averaged, weights, Look { block: if halves { look.block } else { 1 }, ..*look })
        };
        let levels = looks.par_iter().map(level).collect();
        Self { grid: grid.clone(), reference, averaged, levels }
    }

    pub(crate) fn work(&self) -> TemplateWork {
        let of = |l: &Level| (vec![0.0; l.grid.plane.width], RowField::new(&l.grid), Products::new(l.grid.nodes()));
        TemplateWork { small: Vec::new(), levels: self.levels.iter().map(of).collect() }
    }

    pub(crate) fn reference(&self) -> &[f32] {
        &self.reference
    }

    pub(super) fn averaged(&self) -> usize {
        self.averaged
    }

    /// The weights that it was made with, if it has a level that looks at whole pixels.
    pub(super) fn weights(&self) -> Option<&[f32]> {
        let whole = self.levels.iter().find(|level| level.block == 1)?;
        Some(&whole.bases[BASES - 1])
    }

    /// What the finest level knows about the displacements of one frame.
    pub(crate) fn finest(&self) -> Option<&Normal> {
        self.levels.last().map(|s| &s.normal)
    }

    /// The field through which `frame` looks like the reference, near `start`.
    pub(crate) fn fit(&self, frame: &[f32], start: Field, work: &mut TemplateWork) -> Field {
        let mut field = start;
        if self.levels.iter().any(|l| l.block == 2) {
            halved(frame, self.grid.plane.width, &mut work.small);
        }
        for (level, (line, row, sums)) in self.levels.iter().zip(&mut work.levels) {
            let frame = if level.block == 2 { &work.small } else { frame };
            let scale = level.block as f32;
            let mut own = level.grid.resampled(&field, &self.grid, 1.0 / scale);
            for _ in 0..level.steps {
                level.residuals(frame, &own, line, row, sums);
                if level.normal.step(sums, &mut own) < SETTLED_PX {
                    break;
                }
            }
            field = self.grid.resampled(&own, &level.grid, scale);
        }
        field
    }
}

/// Blocks of two by two pixels averaged; an odd row or column at the end is left out.
pub(super) fn halved(frame: &[f32], width: usize, out: &mut Vec<f32>) {
    out.clear();
    for rows in frame.chunks_exact(2 * width) {
        let (a, b) = rows.split_at(width);
        let pairs = a.chunks_exact(2).zip(b.chunks_exact(2));
        out.extend(pairs.map(|(p, q)| 0.25 * ((p[0] + p[1]) + (q[0] + q[1]))));
    }
}

impl Level {
    fn new(grid: &Grid, reference: &[f32], averaged: usize, weights: &[f32], look: Look) -> Self {
        let (grid, reference, weights) = if look.block == 2 {
            let (mut small, mut light) = (Vec::new(), Vec::new());
            halved(reference, grid.plane.width, &mut small);
            halved(weights, grid.plane.width, &mut light);
            // The mean of four pixels has a quarter of their variance.
            light.iter_mut().for_each(|w| *w *= 4.0);
            let plane = Plane { height: grid.plane.height / 2, width: grid.plane.width / 2 };
            (Grid::new(plane), small, light)
        } else {
            (grid.clone(), reference.to_vec(), weights.to_vec())
        };
        let blur = look.blur / look.block as f64;
        let image = blurred(&grid, &reference, blur);
        let [y, x] = gradient(&grid, &image);
        let weighted = |v: &[f32]| v.iter().zip(&weights).map(|(v, w)| v * w).collect::<Vec<f32>>();
        // The blur is applied to one side of the product, so each side of the normal equations gets half of it.
        let shared = blur * std::f64::consts::FRAC_1_SQRT_2;
        let half = blurred(&grid, &reference, shared);
        let noise = gradient_noise(shared) / averaged.max(1) as f64;
        let normal = Normal::new(&grid, &half, &gradient(&grid, &half), &weights, noise);
        let bases = [weighted(&y), weighted(&x), weighted(&image), weights];
        let shares = grid.x.cells.iter().flat_map(|c| (0..c.to - c.from).map(|k| c.start + c.step * k as f32)).collect();
        Self { grid, block: look.block, reference, bases, shares, normal, steps: look.steps }
    }

    /// Sums of residual times basis around every node.
    fn residuals(&self, frame: &[f32], field: &Field, line: &mut [f32], work: &mut RowField, sums: &mut Products) {
        let (grid, w) = (&self.grid, self.grid.plane.width);
        sums.clear();
        for (y, reference) in self.reference.chunks_exact(w).enumerate() {
            row(frame, grid, field, y, Edge::Missing, work, line);
            for (v, r) in line.iter_mut().zip(reference) {
                let d = *v - r;
                // Off the frame there is nothing to compare with.
                *v = if d.is_nan() { 0.0 } else { d };
            }
            let (above, share) = grid.y.locate(y as f64);
            let below = grid.y.next(above);
            for cell in &grid.x.cells {
                let (left, right) = (cell.node, grid.x.next(cell.node));
                let part = y * w + cell.from..y * w + cell.to;
                let bases = self.bases.each_ref().map(|values| &values[part.clone()]);
                let found = dots(&line[cell.from..cell.to], bases, &self.shares[cell.from..cell.to]);
                for (base, (plain, sloped)) in found.into_iter().enumerate() {
                    let nx = grid.x.nodes;
                    let (l, r) = (f64::from(plain - sloped), f64::from(sloped));
                    sums.add(base, above * nx + left, (1.0 - share) * l);
                    sums.add(base, above * nx + right, (1.0 - share) * r);
                    sums.add(base, below * nx + left, share * l);
                    sums.add(base, below * nx + right, share * r);
                }
            }
        }
    }
}

/// `Σ a b` and `Σ a b f` for each of the bases `b`, all of one length.
fn dots(a: &[f32], bases: [&[f32]; BASES], shares: &[f32]) -> [(f32, f32); BASES] {
    let (mut plain, mut sloped) = ([[0.0f32; LANES]; BASES], [[0.0f32; LANES]; BASES]);
    let n = a.len();
    let (shares, bases) = (&shares[..n], bases.map(|b| &b[..n]));
    let whole = n / LANES * LANES;
    let mut at = 0;
    while at < whole {
        let (mut once, mut tilted) = ([0.0f32; LANES], [0.0f32; LANES]);
        once.copy_from_slice(&a[at..at + LANES]);
        tilted.iter_mut().zip(&once).zip(&shares[at..at + LANES]).for_each(|((t, o), s)| *t = o * s);
        for ((plain, sloped), base) in plain.iter_mut().zip(&mut sloped).zip(bases) {
            let base = &base[at..at + LANES];
            for l in 0..LANES {
                plain[l] += once[l] * base[l];
                sloped[l] += tilted[l] * base[l];
            }
        }
        at += LANES;
    }
    for (l, k) in (whole..n).enumerate() {
        for ((plain, sloped), base) in plain.iter_mut().zip(&mut sloped).zip(bases) {
            plain[l] += a[k] * base[k];
            sloped[l] += a[k] * shares[k] * base[k];
        }
    }
    std::array::from_fn(|i| (plain[i].iter().sum(), sloped[i].iter().sum()))
}

/// Variance of the gradient of noise after a blur, where the noise is that of interpolated frames, its variance before
/// interpolation one.
fn gradient_noise(blur: f64) -> f64 {
    // Linear interpolation at every fraction alike leaves two thirds of the variance, and neighbours share a sixth.
    let alike = |lag: usize| [2.0 / 3.0, 1.0 / 6.0].get(lag).copied().unwrap_or(0.0);
    let energy = |taps: &[f64]| -> f64 {
        let pairs = taps.iter().enumerate().flat_map(|(i, a)| taps.iter().enumerate().map(move |(j, b)| (i, j, a * b)));
        pairs.map(|(i, j, product)| product * alike(i.abs_diff(j))).sum()
    };
    let kernel: Vec<f64> = gaussian_kernel(blur).iter().map(|&k| f64::from(k)).collect();
    let tap = |i: usize| kernel.get(i).copied().unwrap_or(0.0);
    let slope: Vec<f64> = (0..kernel.len() + 2).map(|i| 0.5 * (tap(i) - i.checked_sub(2).map_or(0.0, tap))).collect();
    energy(&kernel) * energy(&slope)
}

fn blurred(grid: &Grid, image: &[f32], sigma: f64) -> Vec<f32> {
    let mut out = vec![0.0; image.len()];
    let kernel = gaussian_kernel(sigma);
    smooth_plane(image, grid.plane, &kernel, &mut out);
    // Outside counts as zero there; dividing by what ones become makes it count as nothing.
    let mut ones = vec![0.0; image.len()];
    smooth_plane(&vec![1.0; image.len()], grid.plane, &kernel, &mut ones);
    out.iter_mut().zip(&ones).for_each(|(v, o)| *v /= o.max(f32::MIN_POSITIVE));
    out
}

/// Central differences along y and x; zero at the edges, where there is one side only.
pub(super) fn gradient(grid: &Grid, image: &[f32]) -> [Vec<f32>; 2] {
    let (h, w) = (grid.plane.height, grid.plane.width);
    let (mut y, mut x) = (vec![0.0; h * w], vec![0.0; h * w]);
    for i in 0..h * w {
        let (row, column) = (i / w, i % w);
        if row > 0 && row + 1 < h {
            y[i] = 0.5 * (image[i + w] - image[i - w]);
        }
        if column > 0 && column + 1 < w {
            x[i] = 0.5 * (image[i + 1] - image[i - 1]);
        }
    }
    [y, x]
}
