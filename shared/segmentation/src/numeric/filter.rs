//! Smoothing along lines and over planes.

use super::Plane;
use std::collections::VecDeque;

/// Gaussian of `sigma` samples cut at three sigma, sum 1, odd length.
pub(crate) fn gaussian_kernel(sigma: f64) -> Vec<f32> {
    let half = libm::ceil(3.0 * sigma).max(0.0) as i64;
    let value = |i: i64| {
        let z = i as f64 / sigma.max(1e-9);
        libm::exp(-0.5 * z * z)
    };
    let sum: f64 = (-half..=half).map(value).sum();
    (-half..=half).map(|i| (value(i) / sum) as f32).collect()
}

/// `line` convolved with an odd `kernel`; edges are mirrored (the edge sample is repeated).
pub(crate) fn smooth_line(line: &[f32], kernel: &[f32]) -> Vec<f32> {
    let (n, half) = (line.len() as i64, (kernel.len() / 2) as i64);
    let mirrored = |i: i64| {
        let m = i.rem_euclid(2 * n);
        line[(if m < n { m } else { 2 * n - 1 - m }) as usize]
    };
    let at = |i: i64| -> f32 {
        let taps = kernel.iter().zip(i - half..);
        taps.map(|(&k, j)| k * mirrored(j)).sum()
    };
    (0..n).map(at).collect()
}

/// `plane` convolved with an odd `kernel` along both axes; outside is zero.
pub(crate) fn smooth_plane(image: &[f32], plane: Plane, kernel: &[f32], out: &mut [f32]) {
    let (h, w, half) = (plane.height, plane.width, kernel.len() / 2);
    let mut rows = vec![0.0f32; h * w];
    for (src, dst) in image.chunks_exact(w).zip(rows.chunks_exact_mut(w)) {
        for (k, &weight) in kernel.iter().enumerate() {
            // dst[x] += weight * src[x + k - half] wherever that exists
            let (from, to) = (half.saturating_sub(k).min(w), (w + half).saturating_sub(k).min(w));
            if from < to {
                let start = from + k - half;
                let taps = &src[start..start + (to - from)];
                for (d, &s) in dst[from..to].iter_mut().zip(taps) {
                    *d += weight * s;
                }
            }
        }
    }
    for (y, dst) in out.chunks_exact_mut(w).enumerate() {
        dst.fill(0.0);
        for (k, &weight) in kernel.iter().enumerate() {
            let Some(from) = (y + k).checked_sub(half).filter(|&r| r < h) else {
                continue;
            };
            for (d, &s) in dst.iter_mut().zip(&rows[from * w..(from + 1) * w]) {
                *d += weight * s;
            }
        }
    }
}

/// Mean over a square window of `2 half + 1` pixels, cut at the edges, by running sums.
pub(crate) fn box_mean(image: &[f32], plane: Plane, half: usize) -> Vec<f32> {
    let (h, w) = (plane.height, plane.width);
    let mut rows = vec![0.0f64; h * w];
    for (src, dst) in image.chunks_exact(w).zip(rows.chunks_exact_mut(w)) {
        let mut sum: f64 = src.iter().take(half).map(|&v| f64::from(v)).sum();
        for (x, total) in dst.iter_mut().enumerate() {
            sum += src.get(x + half).map_or(0.0, |&v| f64::from(v));
            *total = sum;
            sum -= x.checked_sub(half).map_or(0.0, |i| f64::from(src[i]));
        }
    }
    let span = |i: usize, n: usize| (i + half).min(n - 1) + 1 - i.saturating_sub(half);
    let mut column = vec![0.0f64; w];
    for row in rows.chunks_exact(w).take(half) {
        column.iter_mut().zip(row).for_each(|(c, r)| *c += r);
    }
    let mut out = vec![0.0f32; h * w];
    for y in 0..h {
        if let Some(row) = rows.chunks_exact(w).nth(y + half) {
            column.iter_mut().zip(row).for_each(|(c, r)| *c += r);
        }
        for x in 0..w {
            out[y * w + x] = (column[x] / (span(y, h) * span(x, w)) as f64) as f32;
        }
        if let Some(first) = y.checked_sub(half) {
            let row = &rows[first * w..(first + 1) * w];
            column.iter_mut().zip(row).for_each(|(c, r)| *c -= r);
        }
    }
    out
}

/// Running minimum (`sign` 1) or maximum (`sign` −1) over `2 half + 1` samples, cut at the ends.
///
/// Monotone deque (Lemire 2006, arXiv cs/0610046): one pass whatever the window.
pub(crate) fn running_extreme(line: &[f32], half: usize, sign: f32) -> Vec<f32> {
    let mut window: VecDeque<usize> = VecDeque::new();
    let mut out = Vec::with_capacity(line.len());
    let mut next = 0;
    for i in 0..line.len() {
        while next < line.len() && next <= i + half {
            while window.back().is_some_and(|&b| sign * line[b] >= sign * line[next]) {
                window.pop_back();
            }
            window.push_back(next);
            next += 1;
        }
        while window.front().is_some_and(|&f| f + half < i) {
            window.pop_front();
        }
        out.push(window.front().map_or(line[i], |&f| line[f]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn running_extremes_equal_brute_force(
            line in prop::collection::vec(-9.0f32..9.0, 1..40),
            half in 0usize..12,
        ) {
            let window = |i: usize| &line[i.saturating_sub(half)..(i + half + 1).min(line.len())];
            let low: Vec<f32> = (0..line.len()).map(|i| window(i).iter().copied().fold(f32::MAX, f32::min)).collect();
            let high: Vec<f32> = (0..line.len()).map(|i| window(i).iter().copied().fold(f32::MIN, f32::max)).collect();
            prop_assert_eq!(running_extreme(&line, half, 1.0), low);
            prop_assert_eq!(running_extreme(&line, half, -1.0), high);
        }

        #[test]
        fn box_means_equal_brute_force(
            (h, w) in (1usize..9, 1usize..9), half in 0usize..5, seed in 0u32..1000,
        ) {
            let plane = Plane { height: h, width: w };
            let image: Vec<f32> = (0..h * w).map(|i| ((i as u32 * 7919 + seed) % 101) as f32).collect();
            let out = box_mean(&image, plane, half);
            for y in 0..h { for x in 0..w {
                let (mut sum, mut n) = (0.0f64, 0.0);
                for yy in y.saturating_sub(half)..(y + half + 1).min(h) {
                    for xx in x.saturating_sub(half)..(x + half + 1).min(w) {
                        sum += f64::from(image[yy * w + xx]);
                        n += 1.0;
                    }
                }
                prop_assert!((f64::from(out[y * w + x]) - sum / n).abs() < 1e-4);
            } }
        }
    }

    #[test]
    fn an_impulse_becomes_the_kernel() {
        let plane = Plane { height: 9, width: 11 };
        let mut image = vec![0.0; 99];
        image[4 * 11 + 5] = 1.0;
        let kernel = gaussian_kernel(1.0);
        let mut out = vec![0.0; 99];
        smooth_plane(&image, plane, &kernel, &mut out);
        for y in 0..9usize {
            for x in 0..11usize {
                let tap = |i: usize, c: usize| kernel.get((i + 3).wrapping_sub(c)).copied().unwrap_or(0.0);
                assert!((out[y * 11 + x] - tap(y, 4) * tap(x, 5)).abs() < 1e-7);
            }
        }
    }

    #[test]
    fn a_constant_line_stays_constant_at_its_ends() {
        let out = smooth_line(&[3.0; 5], &gaussian_kernel(4.0));
        assert!(out.iter().all(|v| (v - 3.0).abs() < 1e-5));
    }
}
