//! Smoothing along lines and over planes.

use super::Plane;
use std::collections::VecDeque;
use std::ops::Range;

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

/// Pixels summed at a time: enough to keep the machine busy, few enough to stay in its registers.
const LANES: usize = 16;

/// `image` convolved with a symmetric odd `kernel` along both axes; outside is zero.
pub(crate) fn smooth_plane(image: &[f32], plane: Plane, kernel: &[f32], out: &mut [f32]) {
    smooth_part(image, plane, kernel, (0..plane.height, 0..plane.width), out);
}

/// The same for a `part` (rows, columns) of the image only.
pub(crate) fn smooth_part(image: &[f32], plane: Plane, kernel: &[f32], part: (Range<usize>, Range<usize>), out: &mut [f32]) {
    let ((h, w), half) = ((plane.height, plane.width), kernel.len() / 2);
    let (y, x) = part;
    // Zeros around everything: no pixel is at an edge then.
    let mut padded = vec![0.0f32; x.len() + 2 * half];
    let mut rows = vec![0.0f32; (y.len() + 2 * half) * x.len()];
    let (from, to) = (x.start.saturating_sub(half), (x.end + half).min(w));
    for (r, dst) in rows.chunks_exact_mut(x.len()).enumerate() {
        if let Some(row) = (y.start + r).checked_sub(half).filter(|&row| row < h) {
            padded[from + half - x.start..][..to - from].copy_from_slice(&image[row * w..][from..to]);
            folded(&padded, 1, kernel, dst);
        }
    }
    for (r, dst) in out.chunks_exact_mut(x.len()).enumerate() {
        folded(&rows[r * x.len()..], x.len(), kernel, dst);
    }
}

/// `out[i] = Σ kernel[k] from[i + k stride]`; both halves of the kernel are alike, so each weight is used once for two.
fn folded(from: &[f32], stride: usize, kernel: &[f32], out: &mut [f32]) {
    let half = kernel.len() / 2;
    for (block, out) in out.chunks_mut(LANES).enumerate() {
        let (n, first) = (out.len(), block * LANES);
        let taps = |k: usize| &from[first + k * stride..][..n];
        let mut sum = [0.0f32; LANES];
        sum.iter_mut().zip(taps(half)).for_each(|(s, v)| *s = kernel[half] * v);
        for (k, weight) in kernel[..half].iter().enumerate() {
            let both = taps(k).iter().zip(taps(2 * half - k));
            sum.iter_mut().zip(both).for_each(|(s, (a, b))| *s += weight * (a + b));
        }
        out.copy_from_slice(&sum[..n]);
    }
}

/// Mean over a square window of `2 half + 1` pixels, cut at the edges.
pub(crate) fn box_mean(image: &[f32], plane: Plane, half: usize) -> Vec<f32> {
    let (h, w) = (plane.height, plane.width);
    let mut rows = vec![0.0f32; h * w];
    let mut window = Window::new(w, half);
    for (src, dst) in image.chunks_exact(w).zip(rows.chunks_exact_mut(w)) {
        window.sums(src, dst);
    }
    let share = |n: usize| move |i: usize| 1.0 / ((i + half).min(n - 1) + 1 - i.saturating_sub(half)) as f32;
    let across: Vec<f32> = (0..w).map(share(w)).collect();
    let down = share(h);
    // Running sums down the columns, in double precision, since what was added is taken away again.
    let mut column = vec![0.0f64; w];
    let row = |y: usize| &rows[y * w..(y + 1) * w];
    for y in 0..half.min(h) {
        column.iter_mut().zip(row(y)).for_each(|(c, r)| *c += f64::from(*r));
    }
    let mut out = vec![0.0f32; h * w];
    for (y, out) in out.chunks_exact_mut(w).enumerate() {
        if y + half < h {
            column.iter_mut().zip(row(y + half)).for_each(|(c, r)| *c += f64::from(*r));
        }
        let down = down(y);
        out.iter_mut().zip(&column).zip(&across).for_each(|((o, c), a)| *o = *c as f32 * (down * a));
        if let Some(first) = y.checked_sub(half) {
            column.iter_mut().zip(row(first)).for_each(|(c, r)| *c -= f64::from(*r));
        }
    }
    out
}

/// Sums over a window that moves along a line.
struct Window {
    half: usize,
    /// Sums of 1, 2, 4 … neighbours, in turn, and the ones before.
    runs: Vec<f32>,
    last: Vec<f32>,
}

impl Window {
    fn new(length: usize, half: usize) -> Self {
        let padded = vec![0.0; length + 2 * half];
        Self { half, runs: padded.clone(), last: padded }
    }

    /// `out[i] = Σ line[i − half..=i + half]`, outside is zero: the window is put together from runs whose lengths are powers
    /// of two, so that a pixel takes a logarithm of the window's width and no sum waits for its neighbour's.
    fn sums(&mut self, line: &[f32], out: &mut [f32]) {
        let (n, width) = (line.len(), 2 * self.half + 1);
        self.runs.fill(0.0);
        self.runs[self.half..self.half + n].copy_from_slice(line);
        out.fill(0.0);
        let (mut run, mut done) = (1, 0);
        while done < width {
            if width & run != 0 {
                out.iter_mut().zip(&self.runs[done..]).for_each(|(o, r)| *o += r);
                done += run;
            }
            if done == width {
                break;
            }
            std::mem::swap(&mut self.runs, &mut self.last);
            let (runs, rest) = self.runs.split_at_mut(self.last.len() - run);
            let pairs = self.last.iter().zip(&self.last[run..]);
            runs.iter_mut().zip(pairs).for_each(|(r, (a, b))| *r = a + b);
            // Beyond the end everything is zero.
            rest.copy_from_slice(&self.last[runs.len()..]);
            run *= 2;
        }
    }
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
    fn a_part_is_smoothed_as_it_is_within_the_whole() {
        let plane = Plane { height: 17, width: 23 };
        let image: Vec<f32> = (0..17 * 23).map(|i| (i * 7919 % 101) as f32).collect();
        let kernel = gaussian_kernel(1.4);
        let mut whole = vec![0.0; image.len()];
        smooth_plane(&image, plane, &kernel, &mut whole);
        for (y, x) in [(0..17, 0..23), (3..9, 2..20), (0..4, 19..23), (16..17, 5..6)] {
            let mut part = vec![0.0; y.len() * x.len()];
            smooth_part(&image, plane, &kernel, (y.clone(), x.clone()), &mut part);
            let expected: Vec<f32> = y.flat_map(|r| whole[r * 23 + x.start..r * 23 + x.end].to_vec()).collect();
            assert_eq!(part, expected);
        }
    }

    #[test]
    fn a_constant_line_stays_constant_at_its_ends() {
        let out = smooth_line(&[3.0; 5], &gaussian_kernel(4.0));
        assert!(out.iter().all(|v| (v - 3.0).abs() < 1e-5));
    }
}
