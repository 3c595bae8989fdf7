//! When cells spike, and what the indicator makes of it.

use rand::Rng;

use super::{
    random::{Stream, normal, stream, waiting},
    scene::Scene,
};

/// Chance that a cell joins a burst of its group.
const JOINS: f64 = 0.85;
/// Spread of the cells' spikes within a burst, s.
const JITTER_S: f64 = 0.08;
/// The indicator is over after so many decay times.
const TAIL: f64 = 9.0;

/// Spike times of every cell, s, ascending; cell `i` bursts with group `i % groups`.
pub(super) fn spikes(scene: &Scene) -> Vec<Vec<f64>> {
    let bursts: Vec<Vec<f64>> = (0..scene.groups)
        .map(|g| {
            let mut rng = stream(scene.seed, Stream::Activity, g as u64);
            poisson(&mut rng, scene.burst_rate_hz, scene.duration_s())
        })
        .collect();
    (0..scene.cells).map(|i| of_cell(scene, i, &bursts[i % scene.groups])).collect()
}

fn of_cell(scene: &Scene, cell: usize, bursts: &[f64]) -> Vec<f64> {
    let index = (scene.groups + cell) as u64;
    let mut rng = stream(scene.seed, Stream::Activity, index);
    let mut times = poisson(&mut rng, scene.lone_spike_rate_hz, scene.duration_s());
    for burst in bursts {
        if rng.gen_bool(JOINS) {
            for _ in 0..rng.gen_range(3..=6) {
                times.push(burst + JITTER_S * normal(&mut rng));
            }
        }
    }
    times.retain(|t| (0.0..scene.duration_s()).contains(t));
    times.sort_by(f64::total_cmp);
    times
}

fn poisson(rng: &mut impl Rng, rate_hz: f64, duration_s: f64) -> Vec<f64> {
    let mut times = Vec::new();
    let mut t = waiting(rng, rate_hz);
    while t < duration_s {
        times.push(t);
        t += waiting(rng, rate_hz);
    }
    times
}

/// ΔF/F of a cell at the middle of every frame.
pub(super) fn response(scene: &Scene, spikes: &[f64]) -> Vec<f32> {
    let kernel = |t: f64| (1.0 - libm::exp(-t / scene.rise_s)) * libm::exp(-t / scene.tau_s);
    // Where the derivative of the kernel is zero.
    let peak = kernel(scene.rise_s * libm::log(1.0 + scene.tau_s / scene.rise_s));
    let mut dff = vec![0.0_f32; scene.frames];
    for &spike in spikes {
        let first = (spike * scene.frame_rate_hz).floor() as usize;
        let last = ((spike + TAIL * scene.tau_s) * scene.frame_rate_hz).ceil() as usize;
        for (t, value) in dff.iter_mut().enumerate().take(last).skip(first) {
            let since = (t as f64 + 0.5) / scene.frame_rate_hz - spike;
            if since > 0.0 {
                *value += (scene.spike_dff * kernel(since) / peak) as f32;
            }
        }
    }
    dff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spike_peaks_at_its_amplitude_and_decays_with_tau() {
        let scene = Scene { frames: 1000, frame_rate_hz: 100.0, ..Scene::default() };
        let dff = response(&scene, &[2.0]);
        let peak = dff.iter().copied().fold(0.0, f32::max);
        assert!((f64::from(peak) - scene.spike_dff).abs() < 1e-3);
        assert!(dff[..199].iter().all(|&v| v == 0.0));
        let ratio = f64::from(dff[500] / dff[400]);
        assert!((ratio - libm::exp(-1.0)).abs() < 1e-3, "{ratio}");
    }

    #[test]
    fn lone_spikes_come_at_their_rate() {
        let scene = Scene { frames: 150_000, burst_rate_hz: 0.0, cells: 4, ..Scene::default() };
        let n: usize = spikes(&scene).iter().map(Vec::len).sum();
        let expected = 4.0 * scene.duration_s() * scene.lone_spike_rate_hz;
        assert!((n as f64 - expected).abs() < 4.0 * expected.sqrt(), "{n} of {expected}");
    }
}
