//! How large the cells are: the filter size at which the brightest activity answers best.

use super::activity::{Filter, Rect};
use super::binned::Binned;
use super::normalise::remove_wide;
use super::threshold::noise_limit;
use crate::numeric::Plane;
use rayon::prelude::*;

/// Diameter assumed when nothing stands out, pixels.
const FALLBACK_PX: f64 = 10.0;
/// Smallest and largest diameter tried, pixels.
const RANGE_PX: (f64, f64) = (3.0, 64.0);
/// Bins the estimate is made on, at most.
const MAX_BINS: usize = 192;
/// Peaks that vote, at most.
const MAX_VOTES: usize = 200;
/// Pixels of the smallest view of the pyramid a cell should fill across: larger scales work on coarser pixels.
const COARSE_PX: f64 = 8.0;

struct Peak {
    y: f64,
    x: f64,
    diameter: f64,
    activity: f32,
}

/// Estimated diameter of a cell, pixels, 3 to 64; 10 (or less in a small view) when nothing stands out.
pub(super) fn diameter(movie: &Binned) -> f64 {
    let largest = RANGE_PX.1.min(0.5 * movie.plane.smaller_side() as f64);
    let mut peaks: Vec<Peak> = Vec::new();
    let mut size = RANGE_PX.0;
    while size <= largest {
        peaks.extend(peaks_at(movie, size));
        size *= std::f64::consts::SQRT_2;
    }
    peaks.sort_by(|a, b| b.activity.total_cmp(&a.activity));
    let mut votes: Vec<&Peak> = Vec::new();
    for peak in &peaks {
        let apart = |v: &&Peak| {
            let reach = 0.75 * v.diameter.max(peak.diameter);
            (v.y - peak.y).hypot(v.x - peak.x) > reach
        };
        if votes.len() < MAX_VOTES && votes.iter().all(apart) {
            votes.push(peak);
        }
    }
    if votes.is_empty() {
        return FALLBACK_PX.min(largest.max(2.0));
    }
    weighted_median(&votes)
}

/// Median diameter, every vote weighted by its signal (amplitude times area): boutons outnumber somata, and are not
/// what is looked for.
fn weighted_median(votes: &[&Peak]) -> f64 {
    let weight = |p: &Peak| f64::from(p.activity).sqrt() * p.diameter * p.diameter;
    let mut sorted = votes.to_vec();
    sorted.sort_by(|a, b| a.diameter.total_cmp(&b.diameter));
    let half = 0.5 * sorted.iter().map(|p| weight(p)).sum::<f64>();
    let mut below = 0.0;
    let reached = sorted.iter().find(|p| {
        below += weight(p);
        below >= half
    });
    reached.map_or(FALLBACK_PX, |p| p.diameter)
}

/// Local maxima of the activity at one filter size that noise does not explain.
fn peaks_at(movie: &Binned, diameter: f64) -> Vec<Peak> {
    let block = (libm::floor(diameter / COARSE_PX) as usize).max(1);
    let mut coarse = coarsened(movie, block);
    let plane = coarse.plane;
    remove_wide(&mut coarse, diameter / block as f64);
    let filter = Filter::new(&coarse, diameter / block as f64);
    let map = filter.activity(&coarse, Rect::whole(plane));
    let limit = noise_limit(coarse.bins, plane.pixels()) as f32;
    let place = |i: usize| (i as f64 + 0.5) * block as f64;
    (0..map.len())
        .filter(|&i| map[i] > limit && plane.neighbours(i).all(|j| map[j] <= map[i]))
        .map(|i| Peak { y: place(i / plane.width), x: place(i % plane.width), diameter, activity: map[i] })
        .collect()
}

/// Blocks of pixels averaged (their noise falls with the block's side), at most [`MAX_BINS`] bins kept.
fn coarsened(movie: &Binned, block: usize) -> Binned {
    let fine = movie.plane;
    let plane = Plane { height: fine.height / block, width: fine.width / block };
    let bins = movie.bins.min(MAX_BINS);
    let mut data = vec![0.0f32; bins * plane.pixels()];
    let share = 1.0 / block as f32;
    data.par_chunks_exact_mut(plane.pixels()).enumerate().for_each(|(k, out)| {
        let frame = movie.bin(k * movie.bins / bins);
        if block == 1 {
            return out.copy_from_slice(frame);
        }
        let rows = frame.chunks_exact(fine.width).take(plane.height * block);
        for (y, row) in rows.enumerate() {
            let out = &mut out[y / block * plane.width..][..plane.width];
            out.iter_mut().zip(row.chunks_exact(block)).for_each(|(o, part)| *o += part.iter().sum::<f32>() * share);
        }
    });
    Binned { plane, bins, frames: movie.frames, data, noise: Vec::new() }
}
