//! Growing ROIs from seeds, strongest first, each taken out of the movie before the next is looked for.

use super::activity::{Filter, Rect};
use super::binned::Binned;
use super::mask::{Mask, half_height, halo};
use super::seeds::Seeds;
use super::threshold::{ACTIVE, noise_limit};
use crate::measures::shape;
use crate::pipeline::Watch;
use crate::{SegmentError, Stage};
use rayon::prelude::*;
use std::f64::consts::PI;

/// Rounds of weights from trace and trace from weights.
const ROUNDS: usize = 4;
/// Half of the side of the patch a cell is looked at in, diameters.
const PATCH: f64 = 1.6;
/// Smallest mask, share of the area of a cell of the expected diameter.
const SMALLEST: f64 = 0.2;
/// Aspect ratio and spread (1 for a disc) beyond which it is a process, or the rim of a cell that moved.
const LONGEST: f64 = 3.0;
const RAGGED: f64 = 1.3;

/// An ROI in coordinates of the binned movie.
#[derive(Debug, Clone)]
pub(super) struct Grown {
    /// Ascending indices.
    pub(super) pixels: Vec<usize>,
    /// Weights, raw units.
    pub(super) lam: Vec<f32>,
    /// Activity in units of the noise, bin by bin.
    pub(super) trace: Vec<f32>,
    /// Thresholded activity at the seed.
    pub(super) activity: f32,
    /// Share of its height that is left around it.
    pub(super) halo: f32,
}

/// All ROIs whose activity noise does not explain, strongest first.
pub(super) fn grow_all(movie: &mut Binned, diameter: f64, watch: &Watch) -> Result<Vec<Grown>, SegmentError> {
    let plane = movie.plane;
    let mut grown = Vec::new();
    if movie.bins < 2 {
        return Ok(grown);
    }
    let filter = Filter::new(movie, diameter);
    let limit = noise_limit(movie.bins, plane.pixels()) as f32;
    let mut seeds = Seeds::new(filter.activity(movie, Rect::whole(plane)), plane);
    while let Some((seed, activity)) = seeds.strongest()
        && activity > limit
    {
        watch.check()?;
        watch.step(Stage::Detection, grown.len(), grown.len() + 1);
        seeds.spend(Rect::around(seed, libm::floor(diameter / 4.0) as usize, plane));
        let rect = Rect::around(seed, libm::ceil(PATCH * diameter) as usize, plane);
        let Some(patch) = Patch::fit(movie, &filter, rect, seed, diameter) else {
            continue;
        };
        patch.subtract(movie);
        let changed = rect.grown(filter.half(), plane);
        seeds.update(changed, &filter.activity(movie, changed));
        grown.extend(patch.into_grown(movie, limit, diameter));
    }
    Ok(grown)
}

/// One cell in its surroundings.
struct Patch {
    rect: Rect,
    /// Regression of every pixel on the trace, units of the noise.
    weights: Vec<f32>,
    mask: Mask,
    trace: Vec<f32>,
    seed_activity: f32,
}

impl Patch {
    fn fit(movie: &Binned, filter: &Filter, rect: Rect, seed: usize, diameter: f64) -> Option<Self> {
        let plane = rect.plane();
        let noise: Vec<f32> = rect.pixels(movie.plane).map(|i| movie.noise[i]).collect();
        let near = cut_out(movie, rect);
        let mut trace = filter.trace(movie, seed);
        let seed_activity = trace.iter().map(|&z| active(z) * active(z)).sum();
        let (sy, sx) = (seed / movie.plane.width - rect.y.0, seed % movie.plane.width - rect.x.0);
        let mut centre = (sy as f64, sx as f64);
        let mut last = None;
        for _ in 0..ROUNDS {
            let weights = regress(&near, &trace)?;
            let raw: Vec<f32> = weights.iter().zip(&noise).map(|(w, s)| w * s).collect();
            let mask = half_height(&raw, plane, centre, diameter)?;
            trace = project(&near, &weights, &mask.pixels)?;
            let moved = (mask.centre.0 - sy as f64).hypot(mask.centre.1 - sx as f64);
            if moved <= 0.5 * diameter {
                centre = mask.centre;
            }
            last = Some((weights, mask));
        }
        let (weights, mask) = last?;
        Some(Self { rect, weights, mask, trace, seed_activity })
    }

    /// Takes the cell, with its blurred foot, out of the movie.
    fn subtract(&self, movie: &mut Binned) {
        let pixels: Vec<usize> = self.rect.pixels(movie.plane).collect();
        let foot = self.foot();
        let norm: f32 = self.mask.pixels.iter().map(|&i| self.weights[i] * self.weights[i]).sum();
        let scale = 1.0 / norm.sqrt();
        let n = movie.plane.pixels();
        let frames = movie.data.par_chunks_mut(n).zip(&self.trace);
        frames.for_each(|(frame, &z)| {
            for &i in &foot {
                frame[pixels[i]] -= self.weights[i] * z * scale;
            }
        });
    }

    /// Pixels of the patch the cell shines on: positive weights within twice its radius.
    fn foot(&self) -> Vec<usize> {
        let plane = self.rect.plane();
        let radius = 2.0 * (self.mask.pixels.len() as f64 / PI).sqrt() + 1.0;
        let near = |i: usize| {
            let (y, x) = ((i / plane.width) as f64, (i % plane.width) as f64);
            (y - self.mask.centre.0).hypot(x - self.mask.centre.1) <= radius
        };
        (0..plane.pixels()).filter(|&i| self.weights[i] > 0.0 && near(i)).collect()
    }

    /// The ROI, if it is large enough and more than noise.
    fn into_grown(self, movie: &Binned, limit: f32, diameter: f64) -> Option<Grown> {
        let patch: Vec<usize> = self.rect.pixels(movie.plane).collect();
        let raw = |i: usize| self.weights[i] * movie.noise[patch[i]];
        let chosen: Vec<usize> = self.mask.pixels.iter().copied().filter(|&i| raw(i) > 0.0).collect();
        let smallest = SMALLEST * PI / 4.0 * diameter * diameter;
        let activity: f32 = self.trace.iter().map(|&z| active(z) * active(z)).sum();
        let pixels: Vec<usize> = chosen.iter().map(|&i| patch[i]).collect();
        if (pixels.len() as f64) < smallest || activity <= limit {
            return None;
        }
        let look = shape(&pixels, movie.plane.width);
        if look.aspect_ratio > LONGEST || look.compact > RAGGED {
            return None;
        }
        let all: Vec<f32> = (0..patch.len()).map(raw).collect();
        let halo = halo(&all, self.rect.plane(), &self.mask);
        let lam = chosen.iter().map(|&i| all[i]).collect();
        Some(Grown { pixels, lam, trace: self.trace, activity: self.seed_activity, halo })
    }
}

fn active(z: f32) -> f32 {
    (z - ACTIVE as f32).max(0.0)
}

/// The part of the movie inside `rect`, bin by bin: what is looked at again and again lies together then.
fn cut_out(movie: &Binned, rect: Rect) -> Vec<f32> {
    let plane = rect.plane();
    let mut near = vec![0.0; movie.bins * plane.pixels()];
    near.par_chunks_exact_mut(plane.pixels()).with_min_len(64).enumerate().for_each(|(t, out)| {
        let rows = movie.bin(t).chunks_exact(movie.plane.width).take(rect.y.1).skip(rect.y.0);
        out.chunks_exact_mut(plane.width).zip(rows).for_each(|(o, row)| o.copy_from_slice(&row[rect.x.0..rect.x.1]));
    });
    near
}

/// Weight of every pixel: its covariance with the active part of the trace, over that part's variance.
fn regress(near: &[f32], trace: &[f32]) -> Option<Vec<f32>> {
    let part: Vec<f32> = trace.iter().map(|&z| active(z)).collect();
    let bins = part.len().max(1);
    let mean = part.iter().sum::<f32>() / bins as f32;
    let variance: f32 = part.iter().map(|p| (p - mean) * (p - mean)).sum();
    if variance <= 0.0 {
        return None;
    }
    let mut weights = vec![0.0f32; near.len() / bins];
    for (frame, p) in near.chunks_exact(weights.len().max(1)).zip(&part) {
        let share = (p - mean) / variance;
        weights.iter_mut().zip(frame).for_each(|(w, v)| *w += share * v);
    }
    Some(weights)
}

/// Weighted mean over the mask, scaled to unit noise, bin by bin.
fn project(near: &[f32], weights: &[f32], mask: &[usize]) -> Option<Vec<f32>> {
    let norm = mask.iter().map(|&i| weights[i] * weights[i]).sum::<f32>().sqrt();
    if norm <= 0.0 {
        return None;
    }
    let at = |frame: &[f32]| mask.iter().map(|&i| weights[i] * frame[i]).sum::<f32>() / norm;
    Some(near.chunks_exact(weights.len()).map(at).collect())
}
