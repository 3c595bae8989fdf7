//! Order statistics and moments; sums run in f64 from first to last.

/// Linear-interpolated quantile `q` (0 to 1) of `values`; 0 for an empty slice.
pub(crate) fn quantile(values: &[f32], q: f64) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let mut v = values.to_vec();
    let at = q.clamp(0.0, 1.0) * (v.len() - 1) as f64;
    let low = at as usize;
    let (_, &mut a, rest) = v.select_nth_unstable_by(low, f32::total_cmp);
    let b = rest.iter().copied().min_by(f32::total_cmp).unwrap_or(a);
    a + (b - a) * (at - low as f64) as f32
}

/// Median of `values`; 0 for an empty slice.
pub(crate) fn median(values: &[f32]) -> f32 {
    quantile(values, 0.5)
}

/// Median of `values`, and their spread: the median absolute deviation, scaled to the standard deviation of a normal one.
pub(crate) fn median_and_spread(values: &[f32]) -> (f32, f64) {
    let middle = median(values);
    let off: Vec<f32> = values.iter().map(|v| (v - middle).abs()).collect();
    (middle, 1.4826 * f64::from(median(&off)))
}

/// Mean of `values`; 0 for an empty slice.
pub(crate) fn mean(values: &[f32]) -> f64 {
    let sum: f64 = values.iter().map(|&v| f64::from(v)).sum();
    sum / values.len().max(1) as f64
}

/// Pearson correlation of two series of one length; 0 when one of them is constant.
pub(crate) fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let (ma, mb) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (f64::from(x) - ma, f64::from(y) - mb);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    let scale = (aa * bb).sqrt();
    if scale > 0.0 { ab / scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// numpy.quantile([7, 1, 5, 3], [0, .25, .5, .9, 1]).
    #[test]
    fn quantiles_are_those_of_numpy() {
        let v = [7.0, 1.0, 5.0, 3.0];
        for (q, expected) in [(0.0, 1.0), (0.25, 2.5), (0.5, 4.0), (0.9, 6.4), (1.0, 7.0)] {
            assert!((quantile(&v, q) - expected).abs() < 1e-6, "{q}");
        }
    }

    #[test]
    fn a_constant_series_correlates_with_nothing() {
        assert_eq!(correlation(&[2.0; 4], &[1.0, 2.0, 3.0, 4.0]), 0.0);
    }
}
