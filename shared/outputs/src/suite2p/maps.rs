//! Images that suite2p's GUI shows beside the mean.

use dropscope_segmentation::Registration;
use ndarray::Array2;

/// Half the side of the square that a pixel is compared with; a cell and its surround are inside.
const REACH: usize = 24;
/// Mean deviations from the surround that are black below and white above.
const SPREADS: f32 = 6.0;
/// Groups of pixels of alike brightness.
const GROUPS: usize = 32;
/// The darker ones of them, which tell of noise.
const DARKER: usize = 24;

/// The mean image with its shading taken off: how far each pixel lies from the mean of the square around it, in mean
/// deviations of that square, from 0 (six below) to 1 (six above).
pub(super) fn enhanced(mean: &Array2<f32>) -> Array2<f32> {
    let away = mean - &blurred(mean);
    let spread = blurred(&away.mapv(f32::abs));
    let scaled = |away: f32, spread: f32| if spread > 0.0 { away / spread } else { 0.0 };
    let mut out = away;
    out.zip_mut_with(&spread, |v, s| *v = (scaled(*v, *s) / (2.0 * SPREADS) + 0.5).clamp(0.0, 1.0));
    out
}

/// How much more each pixel varies than the noise of light does: its variance over that of a quiet pixel as bright, less one,
/// never negative.
///
/// It stands where suite2p has its map of correlations (`Vcorr`), which dropscope does not compute, and shows the same: where
/// something is active.
pub(super) fn liveliness(reg: &Registration) -> Array2<f32> {
    let noise = Noise::of(reg);
    let mut out = reg.sd.clone();
    out.zip_mut_with(&reg.mean, |v, mean| {
        let expected = noise.variance(*mean);
        *v = if expected > 0.0 { (*v * *v / expected - 1.0).max(0.0) } else { 0.0 };
    });
    out
}

/// Variance of a quiet pixel: a straight line over its brightness, since photons are counted.
struct Noise {
    slope: f32,
    base: f32,
    least: f32,
}

impl Noise {
    /// From groups of pixels of alike brightness, each for its median; most of the darker ones are tissue between cells. The
    /// slope is the median of those between any two (Theil 1950, Sen 1968).
    fn of(reg: &Registration) -> Self {
        let mut pixels: Vec<(f32, f32)> = reg.mean.iter().zip(&reg.sd).map(|(mean, sd)| (*mean, sd * sd)).collect();
        pixels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let groups = pixels.chunks(pixels.len().div_ceil(GROUPS).max(1)).take(DARKER);
        let points: Vec<(f32, f32)> = groups.map(|g| (median(g.iter().map(|p| p.0)), median(g.iter().map(|p| p.1)))).collect();
        let rising = points.iter().enumerate().flat_map(|(i, a)| points[..i].iter().map(move |b| (a, b)));
        let slopes = rising.filter(|(a, b)| a.0 > b.0).map(|(a, b)| (a.1 - b.1) / (a.0 - b.0));
        let slope = median(slopes).max(0.0);
        let base = median(points.iter().map(|p| p.1 - slope * p.0));
        Self { slope, base, least: points.iter().map(|p| p.1).filter(|v| *v > 0.0).fold(f32::INFINITY, f32::min) }
    }

    /// That of pixels of this brightness; infinite where nothing varies.
    fn variance(&self, mean: f32) -> f32 {
        (self.slope * mean + self.base).max(self.least)
    }
}

/// The middle one of some values, 0 of none.
fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut sorted: Vec<f32> = values.collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Zero outside what every frame covers.
pub(super) fn in_view(full: &Array2<f32>, reg: &Registration) -> Array2<f32> {
    let ((y0, y1), (x0, x1)) = view(full, reg);
    Array2::from_shape_fn(full.dim(), |(y, x)| if (y0..y1).contains(&y) && (x0..x1).contains(&x) { full[[y, x]] } else { 0.0 })
}

/// The part that every frame covers, `yrange` × `xrange`.
pub(super) fn cropped(full: &Array2<f32>, reg: &Registration) -> Array2<f32> {
    let ((y0, y1), (x0, x1)) = view(full, reg);
    Array2::from_shape_fn((y1 - y0, x1 - x0), |(y, x)| full[[y0 + y, x0 + x]])
}

fn view(full: &Array2<f32>, reg: &Registration) -> ((usize, usize), (usize, usize)) {
    let (height, width) = full.dim();
    let (y1, x1) = (reg.yrange.1.min(height), reg.xrange.1.min(width));
    ((reg.yrange.0.min(y1), y1), (reg.xrange.0.min(x1), x1))
}

/// Mean over the square around each pixel, as much of it as there is.
fn blurred(image: &Array2<f32>) -> Array2<f32> {
    let rows = along_rows(image);
    along_rows(&rows.reversed_axes()).reversed_axes()
}

fn along_rows(image: &Array2<f32>) -> Array2<f32> {
    let (height, width) = image.dim();
    let mut out = Array2::zeros((height, width));
    for (row, mut to) in image.rows().into_iter().zip(out.rows_mut()) {
        let sums: Vec<f64> = std::iter::once(0.0)
            .chain(row.iter().scan(0.0, |sum, v| {
                *sum += f64::from(*v);
                Some(*sum)
            }))
            .collect();
        for (x, mean) in to.iter_mut().enumerate() {
            let (from, until) = (x.saturating_sub(REACH), (x + REACH + 1).min(width));
            *mean = ((sums[until] - sums[from]) / (until - from) as f64) as f32;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shading_and_scale_do_not_show_in_the_enhanced_image() {
        let tissue = |y: usize, x: usize| if (y / 4 + x / 4).is_multiple_of(3) { 20.0 } else { 0.0 };
        let plain = enhanced(&Array2::from_shape_fn((90, 70), |(y, x)| 100.0 + tissue(y, x)));
        let bright = enhanced(&Array2::from_shape_fn((90, 70), |(y, x)| 900.0 + 7.0 * tissue(y, x)));
        assert!(plain.iter().zip(&bright).all(|(a, b)| (a - b).abs() < 1e-3));
        assert!(plain[[44, 44]] != plain[[44, 48]] && plain.iter().all(|v| (0.0..=1.0).contains(v)));
        assert!(enhanced(&Array2::from_elem((5, 5), 3.0)).iter().all(|v| *v == 0.5));
    }

    #[test]
    fn the_blur_of_a_line_is_the_mean_of_what_there_is_of_the_square() {
        let image = Array2::from_shape_fn((3, 60), |(y, x)| (y * 100 + x) as f32);
        let got = blurred(&image);
        // All three rows, columns 0 to 24 and 35 to 59.
        assert!((got[[1, 0]] - 112.0).abs() < 1e-3 && (got[[2, 59]] - 147.0).abs() < 1e-3);
    }
}
