//! Numbers that describe an ROI: its shape and the activity of its trace.

use crate::numeric::{mean, median, median_and_spread, quantile};
use std::f64::consts::PI;

/// Shape of a mask.
pub(crate) struct Shape {
    pub(crate) median: (u32, u32),
    pub(crate) radius: f64,
    pub(crate) aspect_ratio: f64,
    pub(crate) compact: f64,
}

/// Shape of the mask with row-major indices `pixels` (not empty) in an image of `width` columns.
pub(crate) fn shape(pixels: &[usize], width: usize) -> Shape {
    let ys: Vec<f32> = pixels.iter().map(|i| (i / width) as f32).collect();
    let xs: Vec<f32> = pixels.iter().map(|i| (i % width) as f32).collect();
    let (my, mx) = (mean(&ys), mean(&xs));
    let offsets = || {
        let pairs = ys.iter().zip(&xs);
        pairs.map(move |(&y, &x)| (f64::from(y) - my, f64::from(x) - mx))
    };
    let n = pixels.len().max(1) as f64;
    // A pixel is a square, not a point: its own variance keeps a line's width above zero.
    let own = 1.0 / 12.0;
    let yy = offsets().map(|(y, _)| y * y).sum::<f64>() / n + own;
    let xx = offsets().map(|(_, x)| x * x).sum::<f64>() / n + own;
    let xy = offsets().map(|(y, x)| y * x).sum::<f64>() / n;
    let (half, spread) = (0.5 * (yy + xx), (0.25 * (yy - xx) * (yy - xx) + xy * xy).sqrt());
    let radius = (n / PI).sqrt();
    let distance = offsets().map(|(y, x)| (y * y + x * x).sqrt()).sum::<f64>() / n;
    Shape {
        median: (median(&ys) as u32, median(&xs) as u32),
        radius,
        aspect_ratio: ((half + spread) / (half - spread).max(own)).sqrt(),
        compact: distance / (2.0 / 3.0 * radius),
    }
}

/// How far `pixels` stand out of their `surround` in an image: mean above the surround's median, in units of the
/// surround's spread (median absolute deviation, scaled to a standard deviation). 0 without a surround or a spread.
pub(crate) fn contrast(image: &[f32], pixels: &[usize], surround: &[usize]) -> f64 {
    let values = |of: &[usize]| -> Vec<f32> { of.iter().map(|&i| image[i]).collect() };
    let (middle, spread) = median_and_spread(&values(surround));
    if spread > 0.0 { (mean(&values(pixels)) - f64::from(middle)) / spread } else { 0.0 }
}

/// Activity of a trace.
pub(crate) struct Activity {
    pub(crate) skew: f64,
    pub(crate) sd: f64,
    pub(crate) snr: f64,
}

/// Skewness, standard deviation, and 95th percentile above the median over the noise, which is the median absolute
/// difference of successive frames over 0.6745 √2. All 0 for a constant trace.
pub(crate) fn activity(trace: &[f32]) -> Activity {
    let (m, n) = (mean(trace), trace.len().max(1) as f64);
    let moment = |p: i32| {
        let powers = trace.iter().map(|&v| {
            let d = f64::from(v) - m;
            if p == 2 { d * d } else { d * d * d }
        });
        powers.sum::<f64>() / n
    };
    let sd = moment(2).sqrt();
    let steps: Vec<f32> = trace.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    let noise = f64::from(median(&steps)) / (0.674_489_75 * std::f64::consts::SQRT_2);
    let rise = f64::from(quantile(trace, 0.95) - median(trace));
    Activity {
        skew: if sd > 0.0 { moment(3) / (sd * sd * sd) } else { 0.0 },
        sd,
        snr: if noise > 0.0 { rise / noise } else { 0.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(inside: impl Fn(f64, f64) -> bool) -> Vec<usize> {
        let at = |i: &usize| inside((i / 101) as f64 - 50.0, (i % 101) as f64 - 50.0);
        (0..101 * 101).filter(at).collect()
    }

    #[test]
    fn contrast_is_counted_in_spreads_of_the_surround() {
        let image: Vec<f32> = (0..101 * 101).map(|i| if i < 50 { 10.0 } else { (i % 3) as f32 }).collect();
        let (bright, plain, surround): (Vec<_>, Vec<_>, Vec<_>) = ((0..50).collect(), (50..101).collect(), (101..1001).collect());
        // Values 0, 1, 2 in equal shares: median 1, median deviation 1.
        assert!((contrast(&image, &bright, &surround) - 9.0 / 1.4826).abs() < 1e-6);
        assert!(contrast(&image, &plain, &surround).abs() < 0.1);
        assert_eq!(contrast(&image, &bright, &[]), 0.0);
    }

    #[test]
    fn a_disc_is_round_and_compact_and_an_ellipse_is_not_round() {
        let disc = shape(&pixels(|y, x| y.hypot(x) <= 20.0), 101);
        assert!((disc.radius - 20.0).abs() < 0.2 && disc.median == (50, 50));
        assert!((disc.aspect_ratio - 1.0).abs() < 0.01 && (disc.compact - 1.0).abs() < 0.01);
        let ellipse = shape(&pixels(|y, x| (y / 30.0).hypot((x + y) / 10.0) <= 1.0), 101);
        assert!(ellipse.aspect_ratio > 2.5 && ellipse.compact > 1.1);
        let point = shape(&[5], 101);
        assert_eq!((point.aspect_ratio, point.median), (1.0, (0, 5)));
    }

    /// scipy.stats.skew and numpy.std of [1, 2, 3, 4, 20].
    #[test]
    fn moments_are_those_of_scipy() {
        let a = activity(&[1.0, 2.0, 3.0, 4.0, 20.0]);
        assert!((a.skew - 1.425_527_270_872_079_9).abs() < 1e-9, "{}", a.skew);
        assert!((a.sd - 7.071_067_811_865_476).abs() < 1e-9);
        assert_eq!(activity(&[4.0; 9]).snr, 0.0);
    }
}
