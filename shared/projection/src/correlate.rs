//! The shift at which two profiles correlate best.

/// A shift is believed from this correlation on.
const BELIEVED: f64 = 0.3;
/// Shorter profiles hold too little to be matched.
const SHORTEST: usize = 16;
/// Largest shift that is looked for, pixels; no more than an eighth of the side.
const FARTHEST: usize = 32;
/// Shifts that are worked on side by side.
const LANES: usize = 16;

/// A profile that others are matched to.
pub(crate) struct Matcher {
    reference: Vec<f64>,
    /// Largest shift that is looked for.
    farthest: usize,
    /// Sum of the squares of the reference but its last so many values, and but its first so many.
    squares: Squares,
}

/// Sums of squares of a profile of which `k` values are left out at one end, `k` from 0 to the largest shift.
struct Squares {
    but_last: Vec<f64>,
    but_first: Vec<f64>,
}

impl Matcher {
    pub(crate) fn new(reference: Vec<f64>) -> Self {
        let farthest = (reference.len() / 8).clamp(2, FARTHEST);
        let squares = Squares::of(&reference, farthest);
        Self { reference, farthest, squares }
    }

    /// The best match of a profile, to a part of a pixel by a parabola through the best three.
    pub(crate) fn shift(&self, profile: &[f64]) -> Option<f64> {
        if self.reference.len() < SHORTEST || profile.len() != self.reference.len() {
            return None;
        }
        let scores = self.scores(profile);
        let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(b.cmp(a)))?;
        if scores[best] < BELIEVED {
            return None;
        }
        let at = |i: Option<usize>| i.and_then(|i| scores.get(i)).copied();
        let part = match (at(best.checked_sub(1)), at(Some(best + 1))) {
            (Some(before), Some(after)) => {
                let bend = before - 2.0 * scores[best] + after;
                if bend < 0.0 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 }
            }
            _ => 0.0,
        };
        Some(best as f64 - self.farthest as f64 + part)
    }

    /// Correlation of `reference[i]` with `profile[i + by]` where both are, for each shift from the farthest up to the
    /// farthest down.
    fn scores(&self, profile: &[f64]) -> Vec<f64> {
        let (far, own, other) = (self.farthest, &self.squares, Squares::of(profile, self.farthest));
        let products = products(&self.reference, profile, far);
        let squares = (0..far).map(|i| (own.but_first[far - i], other.but_last[far - i]));
        let squares = squares.chain((0..=far).map(|i| (own.but_last[i], other.but_first[i])));
        let score = |(product, (a, b)): (&f64, (f64, f64))| {
            let size = (a * b).sqrt();
            if size > 0.0 { product / size } else { 0.0 }
        };
        products.iter().zip(squares).map(score).collect()
    }
}

impl Squares {
    fn of(profile: &[f64], farthest: usize) -> Self {
        let mut squares = Self { but_last: vec![0.0; farthest + 1], but_first: vec![0.0; farthest + 1] };
        let mut whole = 0.0;
        for (i, value) in profile.iter().enumerate() {
            let square = value * value;
            whole += square;
            // Each of these sums is taken from its first value to its last, as one alone would be.
            squares.but_first.iter_mut().take(i + 1).for_each(|sum| *sum += square);
            if let Some(sum) = squares.but_last.get_mut(profile.len() - 1 - i) {
                *sum = whole;
            }
        }
        squares
    }
}

/// Sums of `reference[i] * profile[i + by]` for each shift from the farthest up to the farthest down, each in the order
/// of `i`: several are worked on at a time, and each is what it would be alone.
fn products(reference: &[f64], profile: &[f64], farthest: usize) -> Vec<f64> {
    let count = 2 * farthest + 1;
    // Beyond its ends the profile is 0, which adds nothing.
    let mut padded = vec![0.0; farthest + reference.len() + farthest + LANES];
    padded[farthest..farthest + profile.len()].copy_from_slice(profile);
    let mut products = Vec::with_capacity(count.next_multiple_of(LANES));
    for first in (0..count).step_by(LANES) {
        let mut sums = [0.0; LANES];
        for (value, window) in reference.iter().zip(padded[first..].array_windows::<LANES>()) {
            sums.iter_mut().zip(window).for_each(|(sum, other)| *sum += value * other);
        }
        products.extend(sums);
    }
    products.truncate(count);
    products
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, one shift at a time.
    fn plainly(reference: &[f64], profile: &[f64], by: isize) -> f64 {
        let gap = by.unsigned_abs();
        let kept = reference.len() - gap;
        let (a, b) = if by < 0 { (&reference[gap..], &profile[..kept]) } else { (&reference[..kept], &profile[gap..]) };
        let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
        for (a, b) in a.iter().zip(b) {
            ab += a * b;
            aa += a * a;
            bb += b * b;
        }
        let size = (aa * bb).sqrt();
        if size > 0.0 { ab / size } else { 0.0 }
    }

    proptest! {
        #[test]
        fn shifts_side_by_side_give_the_bits_of_one_at_a_time(
            pairs in prop::collection::vec((-1e6_f64..1e6, -1e6_f64..1e6), SHORTEST..400),
        ) {
            let (reference, profile): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let matcher = Matcher::new(reference.clone());
            let far = matcher.farthest as isize;
            let expected: Vec<f64> = (-far..=far).map(|by| plainly(&reference, &profile, by)).collect();
            prop_assert_eq!(matcher.scores(&profile), expected);
        }
    }
}
