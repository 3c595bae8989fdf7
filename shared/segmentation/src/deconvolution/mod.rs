//! From fluorescence to activity: neuropil and baseline off, rise and decay undone.

mod barrier;
mod kernel;
mod noise;
mod oasis;

use crate::Params;
use crate::numeric::{gaussian_kernel, running_extreme, smooth_line};
use barrier::Prior;
use kernel::Kernel;
pub(crate) use oasis::oasis;

/// Window of the running minimum and maximum the baseline is made of, s.
const WINDOW_S: f64 = 60.0;
/// Smoothing before it, s.
const SMOOTH_S: f64 = 1.0;
/// Price of an event per noise in a second's mean: the same evidence costs the same at every frame rate. Its size, and
/// the barrier's, were read off a coarse grid on generated recordings.
const SPARSITY: f64 = 0.4;
/// Barrier weight of a second. Above the limit of zero the events are nearer to their posterior mean than to its mode.
const BARRIER: f64 = 2.0;
/// Rise over decay where no rise is stated. Time to peak and half decay of GCaMP6f (45, 142 ms) and GCaMP6s (179, 550 ms)
/// in Chen et al. 2013 (Nature 499:295) would give 0.08 in this kernel; 0.07 is what the comparisons were made with.
const RISE_PER_TAU: f64 = 0.07;

/// Events per frame, in units of `corrected` (fluorescence less neuropil), never negative.
///
/// With a rise of 0 s, and on a trace without noise to weigh a rise by, it is OASIS on a pure decay, else the barrier method of Vogelstein et al. 2010 (J Neurophysiol
/// 104:3691). What the trace starts with decayed from before the recording and counts as no event.
#[must_use]
pub fn deconvolve(corrected: &[f32], params: &Params) -> Vec<f32> {
    deconvolve_or_decay(corrected, params).0
}

/// The same, and whether a pure decay had to do where a rise was asked for.
pub(crate) fn deconvolve_or_decay(corrected: &[f32], params: &Params) -> (Vec<f32>, bool) {
    let base = baseline(corrected, params.frame_rate_hz);
    let above: Vec<f32> = corrected.iter().zip(&base).map(|(v, b)| v - b).collect();
    let decay = params.tau_s * params.frame_rate_hz;
    let rise = params.rise_s.unwrap_or(RISE_PER_TAU * params.tau_s).min(0.5 * params.tau_s) * params.frame_rate_hz;
    let risen = with_rise(&above, decay, rise, params.frame_rate_hz);
    let decayed = rise > 0.0 && risen.is_none();
    let mut events = risen.unwrap_or_else(|| oasis(&above, libm::exp(-1.0 / decay)));
    if let Some(first) = events.first_mut() {
        *first = 0.0;
    }
    (events, decayed)
}

/// None where the rise is none, or the trace has no noise to weigh it by.
fn with_rise(above: &[f32], decay: f64, rise: f64, frame_rate_hz: f64) -> Option<Vec<f32>> {
    let sd = noise::sd(above);
    if rise <= 0.0 || sd <= 0.0 {
        return None;
    }
    let prior = Prior { sparsity: SPARSITY * libm::sqrt(frame_rate_hz), barrier: (BARRIER / frame_rate_hz).clamp(1e-4, 1.0) };
    let scaled: Vec<f64> = above.iter().map(|&v| f64::from(v) / sd).collect();
    let events = barrier::deconvolve(&scaled, Kernel::new(decay, rise), prior)?;
    Some(events.iter().map(|v| (v * sd) as f32).collect())
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
        // The transients jump, so the kernel that fits them has no rise.
        let params = Params { frame_rate_hz: 10.0, tau_s: 1.0, rise_s: Some(0.0), ..Params::default() };
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

    /// A spike every 6 s at 30 Hz, seen through a rise of 0.1 s and a decay of 1.25 s, on ripple that stands for noise.
    fn planted() -> Vec<f32> {
        let response = |t: f64| libm::exp(-t / 1.25) - libm::exp(-t / 0.1);
        let value = |t: usize| {
            let spikes = (100..1800).step_by(180).filter(|&s| s <= t);
            let seen: f64 = spikes.map(|s| 100.0 * response((t - s) as f64 / 30.0 + 0.5 / 30.0)).sum();
            (500.0 + seen + 2.0 * libm::sin(12.9898 * (t * t) as f64)) as f32
        };
        (0..1800).map(value).collect()
    }

    /// Centre of gravity of the events within a second of the planted spikes, frames after them.
    fn lateness(events: &[f32]) -> f64 {
        let near = (100..1800usize).step_by(180).flat_map(|s| (s - 30..s + 30).map(move |t| (t as f64 - s as f64, t)));
        let (moment, mass) = near.fold((0.0, 0.0), |(m, n), (d, t)| (m + d * f64::from(events[t]), n + f64::from(events[t])));
        moment / mass
    }

    #[test]
    fn a_pure_decay_is_late_and_a_rise_is_on_time() {
        let late = Params { frame_rate_hz: 30.0, tau_s: 1.25, rise_s: Some(0.0), ..Params::default() };
        let timely = Params { rise_s: None, ..late.clone() };
        let (late, timely) = (lateness(&deconvolve(&planted(), &late)), lateness(&deconvolve(&planted(), &timely)));
        assert!(late > 1.5 && timely.abs() < 1.0, "{late} {timely}");
    }

    #[test]
    fn a_pure_decay_that_was_not_asked_for_is_told() {
        let params = Params::default();
        assert!(!deconvolve_or_decay(&planted(), &params).1);
        assert!(deconvolve_or_decay(&[7.0; 200], &params).1);
        assert!(!deconvolve_or_decay(&[7.0; 200], &Params { rise_s: Some(0.0), ..params }).1);
    }

    #[test]
    fn events_scale_with_the_trace() {
        let params = Params { tau_s: 1.25, ..Params::default() };
        let once = deconvolve(&planted(), &params);
        let large: Vec<f32> = planted().iter().map(|v| v * 1024.0).collect();
        for (a, b) in once.iter().zip(deconvolve(&large, &params)) {
            assert!((a * 1024.0 - b).abs() <= 1e-2 * b.abs().max(100.0), "{a} {b}");
        }
    }

    #[test]
    fn events_are_finite_and_not_negative_at_every_rate_and_length() {
        for frames in [0, 1, 2, 3, 50, 2000] {
            let noisy: Vec<f32> = (0..frames).map(|t| 1e6 * libm::sin((t * t) as f64) as f32).collect();
            for trace in [vec![0.0; frames], vec![7.0; frames], noisy] {
                for frame_rate_hz in [0.01, 2.0, 30.0, 500.0, 10_000.0] {
                    for tau_s in [0.05, 1.0, 20.0] {
                        let params = Params { frame_rate_hz, tau_s, ..Params::default() };
                        let events = deconvolve(&trace, &params);
                        assert_eq!(events.len(), frames);
                        assert!(events.iter().all(|v| v.is_finite() && *v >= 0.0), "{frames} {frame_rate_hz} {tau_s}");
                    }
                }
            }
        }
    }
}
