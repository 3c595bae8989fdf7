//! One ROI per cell.

use super::grow::Grown;
use crate::numeric::correlation;

/// Share of the smaller mask that makes two ROIs one.
const SHARED: f64 = 0.5;
/// Correlation and distance (diameters) that make two neighbours pieces of one cell.
const ALIKE: f64 = 0.6;
const NEAR: f64 = 0.75;
/// Activity, share of a strong ROI's, below which what lies on its edge is taken for what motion left of it.
const FAINT: f32 = 0.1;

/// `grown` ordered by activity, without those that repeat a stronger one.
pub(super) fn without_duplicates(mut grown: Vec<Grown>, diameter: f64, width: usize) -> Vec<Grown> {
    grown.sort_by(|a, b| b.activity.total_cmp(&a.activity));
    let mut kept: Vec<Grown> = Vec::new();
    for candidate in grown {
        let repeats = |k: &Grown| {
            let shared = shared(&k.pixels, &candidate.pixels) as f64;
            let smaller = k.pixels.len().min(candidate.pixels.len()) as f64;
            let (a, b) = (centre(&k.pixels, width), centre(&candidate.pixels, width));
            let near = (a.0 - b.0).hypot(a.1 - b.1) < NEAR * diameter;
            let residue =
                candidate.activity < FAINT * k.activity && within(&candidate.pixels, k, 0.25 * diameter, width) > SHARED;
            residue || shared > SHARED * smaller || (near && correlation(&k.trace, &candidate.trace) > ALIKE)
        };
        if !kept.iter().any(repeats) {
            kept.push(candidate);
        }
    }
    kept
}

/// Share of `pixels` within the radius of `strong` and `margin` pixels more around its centre.
fn within(pixels: &[usize], strong: &Grown, margin: f64, width: usize) -> f64 {
    let (cy, cx) = centre(&strong.pixels, width);
    let reach = (strong.pixels.len() as f64 / std::f64::consts::PI).sqrt() + margin;
    let near = |i: &&usize| ((**i / width) as f64 - cy).hypot((**i % width) as f64 - cx) <= reach;
    pixels.iter().filter(near).count() as f64 / pixels.len().max(1) as f64
}

/// Number of indices two ascending lists have in common.
fn shared(a: &[usize], b: &[usize]) -> usize {
    a.iter().filter(|i| b.binary_search(i).is_ok()).count()
}

fn centre(pixels: &[usize], width: usize) -> (f64, f64) {
    let n = pixels.len().max(1) as f64;
    let sum = |f: fn(usize, usize) -> usize| pixels.iter().map(|&i| f(i, width) as f64).sum::<f64>();
    (sum(|i, w| i / w) / n, sum(|i, w| i % w) / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roi(pixels: &[usize], trace: &[f32], activity: f32) -> Grown {
        Grown { pixels: pixels.to_vec(), lam: vec![1.0; pixels.len()], trace: trace.to_vec(), activity, halo: 0.0 }
    }

    #[test]
    fn a_repeat_goes_and_an_independent_neighbour_stays() {
        let (up, down) = ([0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]);
        let strong = roi(&[0, 1, 2, 3], &up, 9.0);
        let repeat = roi(&[2, 3, 4], &down, 5.0);
        let piece = roi(&[5, 6], &up, 4.0);
        let other = roi(&[6, 7], &down, 3.0);
        let kept = without_duplicates(vec![other, repeat, piece, strong], 8.0, 100);
        let strengths: Vec<f32> = kept.iter().map(|k| k.activity).collect();
        assert_eq!(strengths, [9.0, 3.0]);
    }
}
