//! ΔF/F of the neuropil-corrected trace.
//!
//! The surround is subtracted without its own median, `F − c·(Fneu − median Fneu)`, so that the
//! trace keeps the resting brightness of the cell and can be divided by it (taking all of
//! `c·Fneu` away leaves a baseline near zero in densely labelled tissue, and ΔF/F without
//! bound). The baseline is the running 8th percentile, after Dombeck et al. 2007, *Neuron*
//! 56:43–57, here in a window of 60 s, long against every indicator in use.

use dropscope_segmentation::{Roi, Segmentation};
use ndarray::{ArrayView1, Axis, Slice};
use std::ops::Range;

const WINDOW_S: f64 = 60.0;
const PERCENTILE: f64 = 0.08;

/// Computes ΔF/F of one ROI, a fraction (1 = doubled), one value per frame.
///
/// `roi` is an index into `seg.rois`. NaN where the baseline is not positive, as in recordings whose black level was subtracted:
/// there the ratio has no meaning.
#[must_use]
pub fn delta_f_over_f(seg: &Segmentation, roi: usize, frame_rate_hz: f64) -> Vec<f32> {
    part(seg, roi, frame_rate_hz, resting(seg, roi), 0..seg.f.ncols())
}

/// The same of these frames alone, the same to the bit; `resting` is that of the ROI.
pub(crate) fn part(seg: &Segmentation, roi: usize, frame_rate_hz: f64, resting: f32, frames: Range<usize>) -> Vec<f32> {
    let half = half_window(frame_rate_hz);
    // All that the windows of these frames reach.
    let from = frames.start.saturating_sub(half + 1);
    let reach = Slice::from(from..frames.end.saturating_add(half).min(seg.f.ncols()));
    let (mut f, mut fneu) = (seg.f.row(roi), seg.fneu.row(roi));
    f.slice_axis_inplace(Axis(0), reach);
    fneu.slice_axis_inplace(Axis(0), reach);
    let trace = corrected(&seg.rois[roi], f, fneu, resting);
    let inner = frames.start - from..frames.end - from;
    let f0 = baseline(&trace, half, inner.clone());
    trace[inner].iter().zip(&f0).map(|(&f, &b)| if b > 0.0 { (f - b) / b } else { f32::NAN }).collect()
}

/// What the surround of a ROI usually is, raw units.
pub(crate) fn resting(seg: &Segmentation, roi: usize) -> f32 {
    median(seg.fneu.row(roi).iter().copied())
}

/// Subtracts the fluctuations of the surround, raw units.
pub(crate) fn corrected(roi: &Roi, f: ArrayView1<f32>, fneu: ArrayView1<f32>, resting: f32) -> Vec<f32> {
    f.iter().zip(&fneu).map(|(&f, &n)| f - roi.neuropil_coefficient * (n - resting)).collect()
}

fn half_window(frame_rate_hz: f64) -> usize {
    (0.5 * WINDOW_S * frame_rate_hz).round().max(1.0) as usize
}

/// Finds the running 8th percentile of these frames in a centred window of 60 s, cut at the ends of the trace; raw units.
fn baseline(trace: &[f32], half: usize, frames: Range<usize>) -> Vec<f32> {
    let first = frames.start.saturating_sub(half + 1);
    let mut window: Vec<f32> = trace[first..frames.start.saturating_add(half).min(trace.len())].to_vec();
    window.sort_by(f32::total_cmp);
    let mut out = Vec::with_capacity(frames.len());
    for t in frames {
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
        for (t, &found) in baseline(&trace, half, 0..500).iter().enumerate() {
            let mut w = trace[t.saturating_sub(half)..(t + half + 1).min(500)].to_vec();
            w.sort_by(f32::total_cmp);
            let expected = w[((w.len() - 1) as f64 * 0.08).round() as usize];
            assert_eq!(found, expected, "frame {t}");
        }
    }

    #[test]
    fn the_baseline_of_a_part_is_that_part_of_the_baseline() {
        let trace: Vec<f32> = (0..500).map(|i| ((i * 7919) % 613) as f32).collect();
        let half = 30;
        let whole = baseline(&trace, half, 0..500);
        for frames in [0..1, 0..500, 29..33, 30..31, 31..32, 200..333, 480..500, 499..500, 7..7] {
            assert_eq!(baseline(&trace, half, frames.clone()), whole[frames.clone()], "{frames:?}");
            // As a trace that begins just where the windows do.
            let from = frames.start.saturating_sub(half + 1);
            let cut = &trace[from..(frames.end + half).min(500)];
            assert_eq!(baseline(cut, half, frames.start - from..frames.end - from), whole[frames.clone()], "{frames:?}");
        }
    }

    #[test]
    fn a_short_trace_has_a_baseline() {
        assert_eq!(baseline(&[3.0, 1.0], 900, 0..2), [1.0, 1.0]);
        assert!(baseline(&[], 900, 0..0).is_empty());
    }
}
