//! ΔF/F of the neuropil-corrected trace.
//!
//! The surround is subtracted without its own median, `F − c·(Fneu − median Fneu)`, so that the
//! trace keeps the resting brightness of the cell and can be divided by it (taking all of
//! `c·Fneu` away leaves a baseline near zero in densely labelled tissue, and ΔF/F without
//! bound). The baseline is the running 8th percentile, after Dombeck et al. 2007, *Neuron*
//! 56:43–57, here in a window of 60 s, long against every indicator in use.

use dropscope_segmentation::{Roi, Segmentation};
use ndarray::ArrayView1;

const WINDOW_S: f64 = 60.0;
const PERCENTILE: f64 = 0.08;

/// Computes ΔF/F of one ROI, a fraction (1 = doubled), one value per frame.
///
/// `roi` is an index into `seg.rois`. NaN where the baseline is not positive, as in recordings whose black level was subtracted:
/// there the ratio has no meaning.
#[must_use]
pub fn delta_f_over_f(seg: &Segmentation, roi: usize, frame_rate_hz: f64) -> Vec<f32> {
    let trace = corrected(&seg.rois[roi], seg.f.row(roi), seg.fneu.row(roi));
    let f0 = baseline(&trace, frame_rate_hz);
    trace.iter().zip(&f0).map(|(&f, &b)| if b > 0.0 { (f - b) / b } else { f32::NAN }).collect()
}

/// Subtracts the fluctuations of the surround, raw units.
pub(crate) fn corrected(roi: &Roi, f: ArrayView1<f32>, fneu: ArrayView1<f32>) -> Vec<f32> {
    let resting = median(fneu.iter().copied());
    f.iter().zip(&fneu).map(|(&f, &n)| f - roi.neuropil_coefficient * (n - resting)).collect()
}

/// Finds the running 8th percentile in a centred window of 60 s, cut at the ends; raw units.
fn baseline(trace: &[f32], frame_rate_hz: f64) -> Vec<f32> {
    let half = (0.5 * WINDOW_S * frame_rate_hz).round().max(1.0) as usize;
    let mut window: Vec<f32> = trace[..half.min(trace.len())].to_vec();
    window.sort_by(f32::total_cmp);
    let mut out = Vec::with_capacity(trace.len());
    for t in 0..trace.len() {
        if let Some(&entering) = trace.get(t + half) {
            let at = window.partition_point(|v| v.total_cmp(&entering).is_lt());
            window.insert(at, entering);
        }
        if t > half {
            let leaving = trace[t - half - 1];
            let at = window.partition_point(|v| v.total_cmp(&leaving).is_lt());
            window.remove(at);
        }
        out.push(window[((window.len() - 1) as f64 * PERCENTILE).round() as usize]);
    }
    out
}

/// The middle value, 0 of nothing.
pub(crate) fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut sorted: Vec<f32> = values.filter(|v| v.is_finite()).collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_baseline_is_the_percentile_of_its_window() {
        let trace: Vec<f32> = (0..500).map(|i| ((i * 7919) % 613) as f32).collect();
        let half = 30;
        for (t, &found) in baseline(&trace, 1.0).iter().enumerate() {
            let mut w = trace[t.saturating_sub(half)..(t + half + 1).min(500)].to_vec();
            w.sort_by(f32::total_cmp);
            let expected = w[((w.len() - 1) as f64 * 0.08).round() as usize];
            assert_eq!(found, expected, "frame {t}");
        }
    }

    #[test]
    fn a_short_trace_has_a_baseline() {
        assert_eq!(baseline(&[3.0, 1.0], 30.0), [1.0, 1.0]);
        assert!(baseline(&[], 30.0).is_empty());
    }
}
