//! The binned movie in units of its own noise, without slow drift and without structure wider than cells.

use super::binned::Binned;
use crate::numeric::{Plane, box_mean, median};
use rayon::prelude::*;
use std::collections::VecDeque;

/// Half of the window of the running mean, s.
const HALF_WINDOW_S: f64 = 30.0;
/// Half of that window, bins, at least: a mean over few bins would take the transients with it.
const HALF_WINDOW_BINS: usize = 25;
/// Side of the square whose mean is taken as the neuropil around a pixel, in cell diameters.
const WIDE: f64 = 3.0;
/// Standard deviations of the noise beyond which a pixel does not count in that mean.
const CALM: f32 = 2.0;
/// Pixels a thread takes at least.
const BLOCK: usize = 16_384;

/// Subtracts from every pixel its running mean over a minute: bleaching and drift.
pub(super) fn remove_slow(movie: &mut Binned, frame_rate_hz: f64) {
    let (n, bins) = (movie.plane.pixels(), movie.bins);
    let seconds = movie.frames as f64 / frame_rate_hz;
    let half = (libm::ceil(HALF_WINDOW_S / seconds) as usize).max(HALF_WINDOW_BINS);
    let mut sum = vec![0.0f64; n];
    let mut past: VecDeque<Vec<f32>> = VecDeque::new();
    let mut next = 0;
    for t in 0..bins {
        while next < bins && next <= t + half {
            let frame = &movie.data[next * n..(next + 1) * n];
            sum.par_iter_mut().with_min_len(BLOCK).zip(frame).for_each(|(s, &v)| *s += f64::from(v));
            next += 1;
        }
        if past.len() > half
            && let Some(old) = past.pop_front()
        {
            sum.par_iter_mut().with_min_len(BLOCK).zip(&old).for_each(|(s, &v)| *s -= f64::from(v));
        }
        let held = (past.len() + next - t) as f64;
        let frame = &mut movie.data[t * n..(t + 1) * n];
        past.push_back(frame.to_vec());
        frame.par_iter_mut().with_min_len(BLOCK).zip(&sum).for_each(|(v, s)| *v -= (s / held) as f32);
    }
}

/// Divides every pixel by its noise: the root mean square of the differences of successive bins, over √2.
///
/// A pixel with less than a tenth of the median noise (a dead one, or one outside the tissue) is divided by that
/// instead; a movie without noise is left alone.
pub(super) fn scale_to_noise(movie: &mut Binned) {
    let n = movie.plane.pixels();
    let mut square = vec![0.0f64; n];
    for t in 1..movie.bins {
        let (a, b) = (movie.bin(t - 1), movie.bin(t));
        square.par_iter_mut().with_min_len(BLOCK).zip(a).zip(b).for_each(|((s, &x), &y)| {
            let d = f64::from(y) - f64::from(x);
            *s += d * d;
        });
    }
    let pairs = 2.0 * movie.bins.saturating_sub(1).max(1) as f64;
    let noise: Vec<f32> = square.iter().map(|s| (s / pairs).sqrt() as f32).collect();
    let floor = 0.1 * median(&noise);
    let usable = |s: f32| if floor > 0.0 { s.max(floor) } else { 1.0 };
    movie.noise = noise.into_iter().map(usable).collect();
    let noise = &movie.noise;
    movie.data.par_chunks_mut(n).for_each(|frame| {
        for (v, s) in frame.iter_mut().zip(noise) {
            *v /= s;
            if !v.is_finite() {
                *v = 0.0;
            }
        }
    });
}

/// Subtracts from every bin its mean over a square of three cell diameters: what the neuropil does together.
pub(super) fn remove_wide(movie: &mut Binned, diameter: f64) {
    let half = libm::ceil(0.5 * WIDE * diameter) as usize;
    let plane = movie.plane;
    movie.data.par_chunks_mut(plane.pixels()).for_each(|frame| {
        let wide = calm_mean(frame, plane, half);
        frame.iter_mut().zip(&wide).for_each(|(v, w)| *v -= w);
    });
}

/// Mean around every pixel of those pixels that are no brighter or darker than noise lets them be.
///
/// One step of a trimmed mean from a clipped one: unclipped, a bright cell would print its negative around itself, and
/// clipped it still would, fainter.
fn calm_mean(frame: &[f32], plane: Plane, half: usize) -> Vec<f32> {
    let clipped: Vec<f32> = frame.iter().map(|v| v.clamp(-CALM, CALM)).collect();
    let start = box_mean(&clipped, plane, half);
    let calm = |(v, w): (&f32, &f32)| (v - w).abs() <= CALM;
    let kept: Vec<bool> = frame.iter().zip(&start).map(calm).collect();
    let rest = frame.iter().zip(&start).zip(&kept);
    let rest: Vec<f32> = rest.map(|((v, w), &k)| if k { v - w } else { 0.0 }).collect();
    let share: Vec<f32> = kept.iter().map(|&k| f32::from(u8::from(k))).collect();
    let (rest, share) = (box_mean(&rest, plane, half), box_mean(&share, plane, half));
    let parts = start.iter().zip(rest.iter().zip(&share));
    // Where hardly a pixel is calm the clipped mean is the better guess.
    parts.map(|(w, (r, s))| if *s > 0.25 { w + r / s } else { *w }).collect()
}
