//! Spikes from traces, held against spikes that an electrode on the cell saw.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_segmentation::{Params, deconvolve};
use dropscope_testkit::python_with;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// What both are smoothed by before they are compared, s.
const SMOOTH_S: f64 = 0.2;

#[derive(Deserialize)]
struct Trial {
    file: String,
    indicator: String,
    frame_rate_hz: f64,
    trace: Vec<f32>,
    spikes: Vec<f64>,
}

/// What a script beside this file tells of a folder of the shared data, a line of JSON each; none where that is not there.
fn told_by<T: DeserializeOwned>(script: &str, folder: &str) -> Option<Vec<T>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("../../shared/data").join(folder);
    if !folder.is_dir() {
        eprintln!("skipped: recordings with an electrode, {}, are not beside this checkout", folder.display());
        return None;
    }
    let python = python_with(&["scipy==1.*"]).unwrap();
    let out = Command::new(python).arg(here.join("tests").join(script)).arg(folder).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    Some(String::from_utf8(out.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Decay as docs/SETTINGS.md recommends it; GCaMP5k and OGB-1, which it does not name, as in benches/cascade.py.
fn tau_s(indicator: &str) -> f64 {
    match indicator {
        "GCaMP6s" => 1.25,
        "GCaMP6f" => 0.7,
        "OGB1" | "GCaMP5k" => 0.8,
        other => panic!("no decay is known of `{other}`"),
    }
}

/// Gaussian smoothing; what lies beyond the ends counts as nothing.
fn smooth(values: &[f64], sigma: f64) -> Vec<f64> {
    let reach = (4.0 * sigma).ceil() as i64;
    let weight = |k: i64| (-0.5 * (k as f64 / sigma).powi(2)).exp();
    let at = |i: i64| usize::try_from(i).ok().and_then(|i| values.get(i)).copied().unwrap_or(0.0);
    (0..values.len() as i64).map(|i| (-reach..=reach).map(|k| weight(k) * at(i + k)).sum()).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let dot = |x: &[f64], mx: f64, y: &[f64], my: f64| x.iter().zip(y).map(|(p, q)| (p - mx) * (q - my)).sum::<f64>();
    let scale = (dot(a, ma, a, ma) * dot(b, mb, b, mb)).sqrt();
    if scale > 0.0 { dot(a, ma, b, mb) / scale } else { 0.0 }
}

/// Correlation with the true spikes over all trials of a file; `rise_s` of 0 is OASIS on a pure decay (AR1).
fn with_truth(trials: &[&Trial], rise_s: Option<f64>) -> f64 {
    let (mut found, mut truth) = (Vec::new(), Vec::new());
    for trial in trials {
        let params = Params { frame_rate_hz: trial.frame_rate_hz, tau_s: tau_s(&trial.indicator), rise_s, ..Params::default() };
        let events: Vec<f64> = deconvolve(&trial.trace, &params).iter().map(|v| f64::from(*v)).collect();
        found.extend(smooth(&events, SMOOTH_S * trial.frame_rate_hz));
        truth.extend(smooth(&trial.spikes, SMOOTH_S * trial.frame_rate_hz));
    }
    correlation(&found, &truth)
}

#[test]
fn a_rise_brings_spikes_closer_to_the_electrode_than_a_pure_decay() {
    let Some(trials) = told_by::<Trial>("spikes.py", "truth/cascade") else { return };
    let mut files: BTreeMap<&str, Vec<&Trial>> = BTreeMap::new();
    trials.iter().for_each(|trial| files.entry(&trial.file).or_default().push(trial));
    let pairs: Vec<(f64, f64)> = files.values().map(|of| (with_truth(of, None), with_truth(of, Some(0.0)))).collect();
    for (file, (rise, decay)) in files.keys().zip(&pairs) {
        println!("{file}: {rise:.3}, pure decay {decay:.3}");
    }
    let mean = |pick: fn(&(f64, f64)) -> f64| pairs.iter().map(pick).sum::<f64>() / pairs.len() as f64;
    let (rise, decay) = (mean(|p| p.0), mean(|p| p.1));
    println!("mean of {} files: {rise:.3}, pure decay {decay:.3}", pairs.len());
    assert!(pairs.len() >= 8, "{} files", pairs.len());
    assert!(rise > decay, "{rise} is no better than {decay}");
    assert!(rise > 0.4, "{rise}");
}

/// The neuron of a movie, and when an electrode saw it fire.
#[derive(Deserialize)]
struct Neuron {
    file: String,
    frame_rate_hz: f64,
    trace: Vec<f32>,
    /// Frames, counted from 0.
    spikes: Vec<usize>,
}

/// Confocal movies of one neuron with OGB-1 at 60 ms a frame (Vogelstein et al. 2010, J Neurophysiol 104:3691).
#[test]
fn every_spike_comes_within_a_frame_of_that_which_the_electrode_saw() {
    let Some(neurons) = told_by::<Neuron>("oopsi.py", "") else { return };
    let tau_s = "OGB-1".parse::<dropscope_pipeline::Indicator>().unwrap().tau_s();
    let (mut seen, mut invented) = (0, 0);
    for Neuron { file, frame_rate_hz, trace, spikes } in &neurons {
        let events = deconvolve(trace, &Params { frame_rate_hz: *frame_rate_hz, tau_s, ..Params::default() });
        let largest = events.iter().copied().fold(0.0, f32::max);
        let large = |at: usize| events.get(at).is_some_and(|event| *event > 0.3 * largest);
        let missed: Vec<_> = spikes.iter().filter(|at| !(**at - 1..=**at + 1).any(large)).collect();
        assert!(missed.is_empty(), "{file}: no event within a frame of {missed:?}");
        seen += spikes.len();
        invented += (0..events.len()).filter(|at| large(*at) && spikes.iter().all(|spike| spike.abs_diff(*at) > 1)).count();
    }
    println!("{seen} spikes, each with an event within a frame; {invented} events where there was none");
    assert!(seen == 16 && invented <= 3, "{seen} spikes, {invented} events where there was none");
}
