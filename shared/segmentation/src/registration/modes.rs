//! What a series of frames knows of its motion that no single frame does.
//!
//! The displacements of a frame are seen through noise of known size (the information of its pixels). In units of that
//! noise the motion of a recording lives in few independent modes, found as principal components; those that noise
//! explains (Marchenko & Pastur 1967) are dropped, the others are taken for first-order autoregressive signals and
//! smoothed by Kalman's filter run forth and back (Rauch, Tung & Striebel 1965, AIAA J 3:1445). A mode that stands far out
//! of the noise is left as it was seen.

use super::grid::Field;
use super::normal::Normal;
use crate::numeric::{Lower, Symmetric, median};
use rayon::prelude::*;

/// Frames without which a series tells nothing.
const FEWEST: usize = 40;
/// Frames the modes are found on, at most.
const MOST: usize = 4000;
/// Frames averaged to see what is slow.
const TOGETHER: [usize; 3] = [1, 4, 16];
/// Share of the prior that is left when the noise is gone: it now only carries along what cannot be seen at all, and
/// pulls no longer at what can.
const LOOSENED: f64 = 0.02;
/// Longest memory of a mode: the share that is left in the next frame.
const STICKIEST: f64 = 0.998;
/// What is lost of a mode from frame to frame is tried in steps of this factor.
const FINER: f64 = 0.75;
/// Frames the memory of a mode is learned from, at most.
const LEARNED: usize = 20_000;
/// Squared innovation, in units of its variance, beyond which a mode has jumped.
const JUMP: f64 = 16.0;

/// Displacements to and from units of the noise.
struct Units {
    nodes: usize,
    information: Lower,
    /// Information and prior together.
    both: Symmetric,
    /// The same with less of the prior.
    factor: Lower,
}

impl Units {
    fn new(normal: &Normal) -> Option<Self> {
        let mut both = normal.information.clone();
        both.data.iter_mut().zip(&normal.prior.data).for_each(|(b, p)| *b += p);
        let mut loose = normal.information.clone();
        loose.data.iter_mut().zip(&normal.prior.data).for_each(|(b, p)| *b += LOOSENED * p);
        let (information, factor) = (normal.information.cholesky()?, loose.cholesky()?);
        Some(Self { nodes: both.n / 2, information, both, factor })
    }

    /// What was seen before the prior smoothed it, with unit noise.
    fn seen(&self, field: &Field) -> Vec<f64> {
        let values: Vec<f64> = field.y.iter().chain(&field.x).map(|&v| f64::from(v)).collect();
        let n = self.both.n;
        let pulled: Vec<f64> =
            (0..n).map(|i| self.both.data[i * n..(i + 1) * n].iter().zip(&values).map(|(b, v)| b * v).sum()).collect();
        self.information.forward(&pulled)
    }

    /// The field that the prior makes of it.
    fn field(&self, seen: &[f64]) -> Field {
        let values = self.factor.solve(&self.information.times(seen));
        let part = |range: std::ops::Range<usize>| values[range].iter().map(|&v| v as f32).collect();
        Field { y: part(0..self.nodes), x: part(self.nodes..2 * self.nodes) }
    }
}

/// A direction in which the motion of the recording stands out of the noise.
struct Mode {
    direction: Vec<f64>,
    variance: f64,
}

/// `fields`, one a frame, freed of as much noise as the series can tell from motion. Frames that are not `usable` follow
/// their neighbours.
///
/// They come back as they are, and false with them, where no noise can be told: the matrix of what a frame tells is singular.
pub(super) fn smoothed(fields: Vec<Field>, usable: &[bool], normal: &Normal) -> (Vec<Field>, bool) {
    if usable.iter().filter(|u| **u).count() < FEWEST {
        return (fields, true);
    }
    let Some(units) = Units::new(normal) else { return (fields, false) };
    let seen: Vec<Vec<f64>> = fields.par_iter().map(|f| units.seen(f)).collect();
    let centre = centre(&seen, usable);
    let off = |t: usize, i: usize| seen[t][i] - centre[i];
    let modes = modes(&seen, &centre, usable);
    let paths: Vec<Vec<f64>> = modes
        .par_iter()
        .map(|mode| {
            let along = |t: usize| mode.direction.iter().enumerate().map(|(i, d)| d * off(t, i)).sum();
            let path: Vec<f64> = (0..seen.len()).map(along).collect();
            followed(&path, usable, mode.variance)
        })
        .collect();
    let rebuilt = |t: usize| {
        let mut values = centre.clone();
        for (mode, path) in modes.iter().zip(&paths) {
            values.iter_mut().zip(&mode.direction).for_each(|(v, d)| *v += path[t] * d);
        }
        units.field(&values)
    };
    ((0..seen.len()).into_par_iter().map(rebuilt).collect(), true)
}

/// Median of every coordinate over the usable frames.
fn centre(seen: &[Vec<f64>], usable: &[bool]) -> Vec<f64> {
    let width = seen.first().map_or(0, Vec::len);
    let along = |i: usize| {
        let column: Vec<f32> = seen.iter().zip(usable).filter(|(_, u)| **u).map(|(s, _)| s[i] as f32).collect();
        f64::from(median(&column))
    };
    (0..width).into_par_iter().map(along).collect()
}

/// Principal components that unit noise does not explain, with the variance that is theirs without the noise: those of single
/// frames first, then those that only show when frames are averaged, as tissue is slow and noise is not.
fn modes(seen: &[Vec<f64>], centre: &[f64], usable: &[bool]) -> Vec<Mode> {
    let good: Vec<usize> = (0..seen.len()).filter(|&t| usable[t]).collect();
    let mut modes = Vec::new();
    for together in TOGETHER {
        // A sum of so many frames has so much variance; divided by its root the noise has one again.
        let scale = 1.0 / (together as f64).sqrt();
        let sum = |frames: &[usize]| -> Vec<f64> {
            let along = |i: usize| frames.iter().map(|&t| seen[t][i] - centre[i]).sum::<f64>() * scale;
            (0..centre.len()).map(along).collect()
        };
        let runs: Vec<&[usize]> = good.chunk_by(|a, b| a + 1 == *b).flat_map(|run| run.chunks_exact(together)).collect();
        let count = runs.len().min(MOST);
        let rows: Vec<Vec<f64>> = (0..count).into_par_iter().map(|k| sum(runs[k * runs.len() / count])).collect();
        if count > 1 {
            let found = components(&rows, &modes);
            modes.extend(found.into_iter().map(|mode| Mode { variance: mode.variance / together as f64, ..mode }));
        }
    }
    modes
}

/// Principal components of `rows` beside those `known`, as far as unit noise does not explain them.
fn components(rows: &[Vec<f64>], known: &[Mode]) -> Vec<Mode> {
    let (n, count) = (rows.first().map_or(0, Vec::len), rows.len() as f64);
    let rest = |row: &Vec<f64>| {
        let mut row = row.clone();
        for mode in known {
            let along: f64 = mode.direction.iter().zip(&row).map(|(d, v)| d * v).sum();
            row.iter_mut().zip(&mode.direction).for_each(|(v, d)| *v -= along * d);
        }
        row
    };
    let rows: Vec<Vec<f64>> = rows.iter().map(rest).collect();
    let line = |i: usize| -> Vec<f64> {
        let mut sums = vec![0.0; n];
        for v in &rows {
            sums.iter_mut().zip(v).for_each(|(s, x)| *s += v[i] * x);
        }
        sums.iter().map(|s| s / count).collect()
    };
    let lines: Vec<Vec<f64>> = (0..n).into_par_iter().map(line).collect();
    let (values, vectors) = Symmetric { n, data: lines.concat() }.eigen();
    let share = n.saturating_sub(known.len()) as f64 / count;
    let edge = (1.0 + share.sqrt()) * (1.0 + share.sqrt());
    let pairs = values.into_iter().zip(vectors).take_while(|(value, _)| *value > edge);
    pairs.map(|(value, direction)| Mode { direction, variance: without_noise(value, share) }).collect()
}

/// Variance behind a sample eigenvalue above unit noise (Baik & Silverstein 2006, J Multivar Anal 97:1382).
fn without_noise(value: f64, share: f64) -> f64 {
    let sum = value + 1.0 - share;
    (0.5 * (sum + (sum * sum - 4.0 * value).max(0.0).sqrt()) - 1.0).max(0.0)
}

/// One mode, seen through unit noise, smoothed.
fn followed(path: &[f64], usable: &[bool], variance: f64) -> Vec<f64> {
    let memory = memory(path, usable, variance);
    let n = path.len();
    // Mean and variance of every frame, before and after it was seen.
    let (mut before, mut after) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let (mut mean, mut spread) = (0.0, variance);
    for t in 0..n {
        let innovation = path[t] - mean;
        if usable[t] && innovation * innovation > JUMP * (spread + 1.0) {
            // No noise makes such a step: the tissue jumped, and what it did before says little.
            spread = innovation * innovation;
        }
        before.push((mean, spread));
        let gain = if usable[t] { spread / (spread + 1.0) } else { 0.0 };
        (mean, spread) = (mean + gain * innovation, spread * (1.0 - gain));
        after.push((mean, spread));
        (mean, spread) = (memory * mean, memory * memory * spread + (1.0 - memory * memory) * variance);
    }
    let mut out = vec![0.0; n];
    let mut next = 0.0;
    for t in (0..n).rev() {
        let (m, s) = after[t];
        next = match before.get(t + 1) {
            Some(&(predicted, of)) if of > 0.0 => m + memory * s / of * (next - predicted),
            _ => m,
        };
        out[t] = next;
    }
    out
}

/// Share of a mode left in the next frame, by likelihood: the innovations of Kalman's filter are the most probable with it
/// (Schweppe 1965, IEEE Trans Inf Theory 11:61). The covariance of neighbours alone loses it in the noise of weak modes.
fn memory(path: &[f64], usable: &[bool], variance: f64) -> f64 {
    let (path, usable) = (&path[..path.len().min(LEARNED)], &usable[..usable.len().min(LEARNED)]);
    let (mut best, mut highest) = (0.0, f64::NEG_INFINITY);
    let mut lost = 1.0;
    while lost > 1.0 - STICKIEST {
        let found = likelihood(path, usable, (variance, 1.0 - lost));
        if found > highest {
            (best, highest) = (1.0 - lost, found);
        }
        lost *= FINER;
    }
    best
}

/// Twice the log likelihood of a path seen through unit noise, but for a constant; a jump counts no more than its bound.
fn likelihood(path: &[f64], usable: &[bool], (variance, memory): (f64, f64)) -> f64 {
    let (mut mean, mut spread, mut sum) = (0.0, variance, 0.0);
    for (value, usable) in path.iter().zip(usable) {
        if *usable {
            let (innovation, of) = (value - mean, spread + 1.0);
            sum -= libm::log(of) + (innovation * innovation / of).min(JUMP);
            mean += spread / of * innovation;
            spread /= of;
        }
        (mean, spread) = (memory * mean, memory * memory * spread + (1.0 - memory * memory) * variance);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn gaussian(rng: &mut Xoshiro256PlusPlus) -> f64 {
        let (u, v): (f64, f64) = (rng.r#gen::<f64>().max(1e-12), rng.r#gen());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    fn rms(a: &[f64], b: &[f64]) -> f64 {
        (a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>() / a.len() as f64).sqrt()
    }

    /// A path with memory 0.97 and variance `v`, and the same with unit noise.
    fn walk(v: f64, n: usize) -> (Vec<f64>, Vec<f64>) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut x = 0.0;
        let truth: Vec<f64> = (0..n)
            .map(|_| {
                x = 0.97 * x + ((1.0f64 - 0.97 * 0.97) * v).sqrt() * gaussian(&mut rng);
                x
            })
            .collect();
        let seen = truth.iter().map(|t| t + gaussian(&mut rng)).collect();
        (truth, seen)
    }

    #[test]
    fn a_slow_faint_mode_is_freed_of_noise_and_a_strong_one_is_left() {
        let (truth, seen) = walk(2.0, 3000);
        let found = followed(&seen, &[true; 3000], 2.0);
        // The steady state of Kalman's smoother for these figures leaves 0.41.
        assert!(rms(&found, &truth) < 0.47, "{}", rms(&found, &truth));
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let white: Vec<f64> = (0..3000).map(|_| 30.0 * gaussian(&mut rng)).collect();
        assert!(rms(&followed(&white, &[true; 3000], 900.0), &white) < 0.1);
    }

    #[test]
    fn the_memory_of_a_mode_fainter_than_its_noise_is_found() {
        for variance in [0.3, 2.0, 50.0] {
            let (_, seen) = walk(variance, 3000);
            let found = memory(&seen, &[true; 3000], variance);
            assert!((0.94..0.99).contains(&found), "{variance}: {found}");
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let white: Vec<f64> = (0..3000).map(|_| 2.0 * gaussian(&mut rng)).collect();
        assert!(memory(&white, &[true; 3000], 3.0) < 0.3);
    }

    #[test]
    fn a_jump_is_followed_at_once_and_a_gap_is_bridged() {
        let (_, mut seen) = walk(0.5, 400);
        seen[200..].iter_mut().for_each(|v| *v += 40.0);
        let mut usable = vec![true; 400];
        usable[100] = false;
        seen[100] = 1e6;
        let found = followed(&seen, &usable, 0.5);
        assert!(found[199].abs() < 5.0 && (found[200] - 40.0).abs() < 5.0, "{} {}", found[199], found[200]);
        assert!(found[100].abs() < 3.0);
    }

    #[test]
    fn the_variance_behind_an_eigenvalue_is_what_noise_made_it_from() {
        // (1 + l)(1 + share / l) is the sample eigenvalue of a variance l above unit noise.
        for (l, share) in [(2.0, 0.1), (10.0, 0.5), (0.9, 0.05)] {
            let value = (1.0 + l) * (1.0 + share / l);
            assert!((without_noise(value, share) - l).abs() < 1e-9);
        }
    }
}
