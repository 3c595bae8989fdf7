//! The reference image: what most frames look like when they lie on one another.

use super::coarse::CoarsePlan;
use super::phase::{Shift, moved};
use crate::numeric::{Plane, mean, median};
use rayon::prelude::*;

/// Neighbours a frame is judged by, and averaged with.
const NEIGHBOURS: usize = 20;
/// Rounds of align and average.
pub(super) const ROUNDS: usize = 5;

/// Reference image made of `frames` (none of them blank; at least one) moved as a whole, with nothing of their mean
/// motion, and where each frame lies against it.
pub(super) fn rigid_reference(
    plan: &CoarsePlan,
    plane: Plane,
    frames: &[&[f32]],
    mut each_round: impl FnMut(usize),
) -> (Vec<f32>, Vec<Shift>) {
    let mut image = seed_image(plane, frames);
    for round in 0..ROUNDS {
        each_round(round);
        let shifts = rigid_shifts(plan, frames, &image);
        // Few sure frames first, half of them in the end: a bad start does not get averaged in.
        let share = frames.len() * (round + 1) / (2 * ROUNDS);
        let best = best_by(share.max(2), &shifts);
        let centre = if round + 1 == ROUNDS { centre(&shifts, &best) } else { (0, 0) };
        image = average(plane, frames, &shifts, &best, centre);
    }
    let shifts = rigid_shifts(plan, frames, &image);
    (image, shifts)
}

fn rigid_shifts(plan: &CoarsePlan, frames: &[&[f32]], image: &[f32]) -> Vec<Shift> {
    let coarse = plan.against(image);
    frames.par_iter().map_init(|| coarse.work(), |work, f| coarse.shift(f, work)).collect()
}

/// Mean of the frame that is most like its twenty likest, and of those.
fn seed_image(plane: Plane, frames: &[&[f32]]) -> Vec<f32> {
    let small: Vec<Vec<f32>> = frames.par_iter().map(|f| standardised(coarse(f, plane))).collect();
    let neighbours = NEIGHBOURS.min(frames.len() - 1);
    let ranked = |i: usize| {
        let others = (0..small.len()).filter(|&j| j != i);
        let mut c: Vec<(f32, usize)> = others.map(|j| (dot(&small[i], &small[j]), j)).collect();
        c.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        c.truncate(neighbours);
        c
    };
    let all: Vec<Vec<(f32, usize)>> = (0..small.len()).into_par_iter().map(ranked).collect();
    let score = |c: &[(f32, usize)]| c.iter().map(|p| p.0).sum::<f32>();
    let best = (0..all.len()).fold(0, |b, i| if score(&all[i]) > score(&all[b]) { i } else { b });
    let mut members: Vec<usize> = all[best].iter().map(|p| p.1).collect();
    members.push(best);
    average(plane, frames, &vec![Shift::default(); frames.len()], &members, (0, 0))
}

/// `frame` averaged over blocks so that about 64 × 64 remain: pixels noise hides say nothing alone.
fn coarse(frame: &[f32], plane: Plane) -> Vec<f32> {
    let block = (plane.smaller_side() / 64).max(1);
    let (h, w) = (plane.height / block, plane.width / block);
    let mut out = vec![0.0; h * w];
    for (y, row) in frame.chunks_exact(plane.width).take(h * block).enumerate() {
        for (x, &v) in row.iter().take(w * block).enumerate() {
            out[y / block * w + x / block] += v;
        }
    }
    out
}

/// `values` with mean 0 and norm 1, so that a product of two is their correlation; zeros when they are all alike.
fn standardised(mut values: Vec<f32>) -> Vec<f32> {
    let middle = mean(&values) as f32;
    values.iter_mut().for_each(|v| *v -= middle);
    let norm = dot(&values, &values).sqrt();
    values.iter_mut().for_each(|v| *v = if norm > 0.0 { *v / norm } else { 0.0 });
    values
}

/// `Σ a b` in a fixed number of lanes.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(s, (a, b))| *s += a * b);
    }
    sums.iter().sum()
}

/// Indices of the `count` best correlated frames.
fn best_by(count: usize, shifts: &[Shift]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..shifts.len()).collect();
    order.sort_by(|&a, &b| shifts[b].corr.total_cmp(&shifts[a].corr).then(a.cmp(&b)));
    order.truncate(count);
    order
}

/// Median shift of the chosen frames: the reference sits where the tissue usually is.
fn centre(shifts: &[Shift], chosen: &[usize]) -> (i32, i32) {
    let along = |pick: fn(&Shift) -> i32| {
        let v: Vec<f32> = chosen.iter().map(|&i| pick(&shifts[i]) as f32).collect();
        libm::roundf(median(&v)) as i32
    };
    (along(|s| s.y), along(|s| s.x))
}

fn average(plane: Plane, frames: &[&[f32]], shifts: &[Shift], chosen: &[usize], centre: (i32, i32)) -> Vec<f32> {
    let mut sum = vec![0.0f64; plane.pixels()];
    let mut frame = vec![0.0f32; plane.pixels()];
    for &i in chosen {
        let shift = Shift { y: shifts[i].y - centre.0, x: shifts[i].x - centre.1, corr: 0.0 };
        moved(frames[i], plane, shift, &mut frame);
        sum.iter_mut().zip(&frame).for_each(|(s, &v)| *s += f64::from(v));
    }
    let n = chosen.len().max(1) as f64;
    sum.iter().map(|s| (s / n) as f32).collect()
}
