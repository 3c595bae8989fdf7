//! From fluorescence to activity: neuropil and baseline off, decay undone.

mod oasis;

use crate::Params;
use crate::numeric::{gaussian_kernel, running_extreme, smooth_line};
pub(crate) use oasis::oasis;

/// Window of the running minimum and maximum the baseline is made of, s.
const WINDOW_S: f64 = 60.0;
/// Smoothing before it, s.
const SMOOTH_S: f64 = 1.0;

/// Events per frame, in units of `corrected` (fluorescence less neuropil), never negative.
///
/// What the trace starts with decayed from before the recording and counts as no event.
pub(crate) fn deconvolve(corrected: &[f32], params: &Params) -> Vec<f32> {
    let base = baseline(corrected, params.frame_rate_hz);
    let above: Vec<f32> = corrected.iter().zip(&base).map(|(v, b)| v - b).collect();
    let decay = libm::exp(-1.0 / (params.tau_s * params.frame_rate_hz));
    let mut events = oasis(&above, decay);
    if let Some(first) = events.first_mut() {
        *first = 0.0;
    }
    events
}

/// Slow lower envelope: Gaussian smoothing, then running minimum, then running maximum (a morphological opening).
pub(crate) fn baseline(trace: &[f32], frame_rate_hz: f64) -> Vec<f32> {
    if trace.is_empty() {
        return Vec::new();
    }
    // Half a recording is as long as smoothing can mean anything.
    let sigma = (SMOOTH_S * frame_rate_hz).min(0.1 * trace.len() as f64).max(0.5);
    let half = libm::round(0.5 * WINDOW_S * frame_rate_hz).max(1.0) as usize;
    let smooth = smooth_line(trace, &gaussian_kernel(sigma));
    running_extreme(&running_extreme(&smooth, half, 1.0), half, -1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drifting_baseline_is_followed_and_transients_are_not() {
        let params = Params { frame_rate_hz: 10.0, tau_s: 1.0, ..Params::default() };
        let mut level = 0.0f32;
        let trace: Vec<f32> = (0..3000)
            .map(|t| {
                level = level * 0.904_837_4 + if t % 300 == 150 { 50.0 } else { 0.0 };
                1000.0 - 0.01 * t as f32 + level
            })
            .collect();
        let events = deconvolve(&trace, &params);
        for t in (150..3000).step_by(300) {
            assert!((events[t] - 50.0).abs() < 8.0, "{t} {}", events[t]);
        }
        let rest: f32 = (0..3000).filter(|t| t % 300 != 150).map(|t| events[t]).sum();
        assert!(rest < 60.0, "{rest}");
    }
}
