//! Where a series of pairs changes at once and for good.

use crate::numeric::median;

/// Values on either side that a lasting change is seen in.
pub(crate) const WINDOW: usize = 20;
/// Fewest values on either side; less does not last.
const FEWEST: usize = 5;

/// A series that changed at once and for good.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// First value after the change.
    pub(crate) at: usize,
    /// Medians of the values on either side.
    pub(crate) before: [f32; 2],
    pub(crate) after: [f32; 2],
}

impl Step {
    pub(crate) fn length(&self) -> f32 {
        length([self.after[0] - self.before[0], self.after[1] - self.before[1]])
    }
}

fn length([y, x]: [f32; 2]) -> f32 {
    (y * y + x * x).sqrt()
}

/// Where `values` change by `least` or more, at least half of it from one frame to the next; in order.
pub(crate) fn steps(values: &[[f32; 2]], least: f32) -> Vec<Step> {
    let middle = |range: std::ops::Range<usize>| {
        let along = |axis: usize| median(&values[range.clone()].iter().map(|v| v[axis]).collect::<Vec<f32>>());
        [along(0), along(1)]
    };
    let mut found: Vec<(f32, Step)> = Vec::new();
    for at in FEWEST..(values.len() + 1).saturating_sub(FEWEST) {
        let (a, b) = (values[at - 1], values[at]);
        let hop = length([b[0] - a[0], b[1] - a[1]]);
        if hop < 0.5 * least {
            continue;
        }
        let (before, after) = (middle(at.saturating_sub(WINDOW)..at), middle(at..(at + WINDOW).min(values.len())));
        let step = Step { at, before, after };
        if step.length() >= least {
            found.push((hop, step));
        }
    }
    // Of several hops near one another the largest is the step.
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.at.cmp(&b.1.at)));
    let mut kept: Vec<Step> = Vec::new();
    for (_, step) in found {
        if kept.iter().all(|k| k.at.abs_diff(step.at) > WINDOW) {
            kept.push(step);
        }
    }
    kept.sort_by_key(|s| s.at);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ripple(t: usize) -> f32 {
        libm::sinf((t * t) as f32)
    }

    #[test]
    fn a_lasting_change_is_found_at_its_frame_and_a_passing_one_is_not() {
        let mut values: Vec<[f32; 2]> = (0..200).map(|t| [ripple(t) + if t < 77 { 0.0 } else { 30.0 }, ripple(t + 1)]).collect();
        values[20] = [500.0, 0.0];
        let found = steps(&values, 10.0);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].at == 77 && (found[0].length() - 30.0).abs() < 2.0, "{found:?}");
        let drift: Vec<[f32; 2]> = (0..200).map(|t| [t as f32, ripple(t)]).collect();
        assert_eq!(steps(&drift, 10.0), Vec::new());
        assert_eq!(steps(&values[..3], 10.0), Vec::new());
    }
}
