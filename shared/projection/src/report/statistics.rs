//! Robust statistics.

/// Points the line is fitted to: all pairs of them are compared.
const MOST_POINTS: usize = 200;

/// The value that the fraction `q` of finite `values` do not exceed; none if there are none.
pub(crate) fn quantile(values: impl Iterator<Item = f64>, q: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = values.filter(|v| v.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get((sorted.len().saturating_sub(1) as f64 * q).round() as usize).copied()
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    quantile(values, 0.5)
}

/// Relative decline of a trace from its first to its last tenth, in percent; negative if it rises.
///
/// Read off a line through medians of up to 200 stretches, fitted by the median of slopes (Theil 1950; Sen 1968), so
/// that neither activity nor a few blank frames move it. None for fewer than 20 values, or where the start is not
/// above 0 or the change exceeds it.
pub(crate) fn decline_percent(trace: &[f64]) -> Option<f64> {
    if trace.len() < 20 {
        return None;
    }
    let n = trace.len();
    let count = n.min(MOST_POINTS);
    let points: Vec<(f64, f64)> = (0..count)
        .filter_map(|i| {
            let (from, to) = (i * n / count, (i + 1) * n / count);
            let level = median(trace[from..to].iter().copied())?;
            Some(((from + to - 1) as f64 / 2.0, level))
        })
        .collect();
    let slopes = points.iter().enumerate().flat_map(|(i, a)| points[..i].iter().map(move |b| (a.1 - b.1) / (a.0 - b.0)));
    let slope = median(slopes)?;
    let offset = median(points.iter().map(|(t, level)| level - slope * t))?;
    let at = |part: f64| offset + slope * part * (n - 1) as f64;
    let (first, last) = (at(0.05), at(0.95));
    let decline = 100.0 * (first - last) / first;
    // A mean that more than doubles, or ends below 0, started near 0: its offset says nothing of the dye.
    (first > 0.0 && (-100.0..=100.0).contains(&decline)).then_some(decline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_decline_is_read_off_exactly_whatever_flashes() {
        let mut trace: Vec<f64> = (0..1000).map(|t| 200.0 - 0.1 * f64::from(t)).collect();
        for t in (0..1000).step_by(9) {
            trace[t] = 5000.0;
        }
        trace[500] = 0.0;
        let (first, last) = (200.0 - 0.1 * 0.05 * 999.0, 200.0 - 0.1 * 0.95 * 999.0);
        let expected = 100.0 * (first - last) / first;
        assert!((decline_percent(&trace).unwrap() - expected).abs() < 0.5, "{:?} {expected}", decline_percent(&trace));
    }

    #[test]
    fn what_has_no_start_or_too_few_values_has_no_decline() {
        assert_eq!(decline_percent(&[1.0; 19]), None);
        assert_eq!(decline_percent(&[-1.0; 50]), None);
        assert_eq!(decline_percent(&[0.0; 50]), None);
        assert_eq!(decline_percent(&[f64::NAN; 50]), None);
        assert_eq!(decline_percent(&[3.0; 50]), Some(0.0));
    }
}
