//! From values to grey, so that a person sees cells.

use crate::Image;

/// Fraction of the pixels at and below which the picture is black, and at and above which it is white.
const BLACK: f64 = 0.01;
const WHITE: f64 = 0.997;
/// Below 1 lifts dim tissue out of the dark that bright cells leave it in.
const GAMMA: f64 = 0.8;
/// Values looked at for the percentiles; more would not move them.
const MOST_VALUES: usize = 1 << 20;
/// Steps of grey before rounding to 256.
const STEPS: usize = 4096;
/// An image without contrast.
const MIDDLE: u8 = 128;

/// One mapping for every picture it is made from: steady through time and planes.
pub(crate) struct Contrast {
    low: f32,
    scale: f32,
    table: Vec<u8>,
}

impl Contrast {
    /// Takes the range from the 1st to the 99.7th percentile of all known pixels of `images`.
    pub(crate) fn of<'a>(images: impl Iterator<Item = &'a Image> + Clone) -> Self {
        let total: usize = images.clone().map(|image| image.values.len()).sum();
        let step = total.div_ceil(MOST_VALUES).max(1);
        let all = images.flat_map(|image| image.values.iter().step_by(step));
        let mut values: Vec<f32> = all.copied().filter(|v| v.is_finite()).collect();
        let (low, high) = range(&mut values);
        let scale = if high > low { (STEPS - 1) as f32 / (high - low) } else { 0.0 };
        let gray = |step: usize| libm::round(255.0 * libm::pow(step as f64 / (STEPS - 1) as f64, GAMMA)) as u8;
        Self { low, scale, table: (0..STEPS).map(gray).collect() }
    }

    /// The grey of a value; unknown ones are black, and everything is mid-grey where nothing differs.
    pub(crate) fn gray(&self, value: f32) -> u8 {
        if !value.is_finite() {
            return 0;
        }
        if self.scale == 0.0 {
            return MIDDLE;
        }
        // The cast saturates at 0.
        let step = ((value - self.low) * self.scale) as usize;
        self.table.get(step).copied().unwrap_or(u8::MAX)
    }
}

fn range(values: &mut [f32]) -> (f32, f32) {
    let mut at = |q: f64| {
        let rank = (values.len().saturating_sub(1) as f64 * q) as usize;
        if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(rank, f32::total_cmp).1 }
    };
    let (low, high) = (at(BLACK), at(WHITE));
    // Where nearly all pixels are the same, what differs is the picture.
    if high > low { (low, high) } else { (at(0.0), at(1.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(values: Vec<f32>) -> Image {
        Image { height: 1, width: values.len(), values }
    }

    #[test]
    fn one_hot_pixel_does_not_darken_the_rest() {
        let mut values: Vec<f32> = (0..1000).map(|v| v as f32).collect();
        values[3] = 1e9;
        let image = image(values);
        let contrast = Contrast::of(std::iter::once(&image));
        assert!(contrast.gray(990.0) > 250 && contrast.gray(1e9) == 255 && contrast.gray(500.0) > 100);
    }

    #[test]
    fn blank_unknown_and_nearly_blank_images_have_a_grey() {
        let blank = image(vec![7.0; 50]);
        assert_eq!(Contrast::of(std::iter::once(&blank)).gray(7.0), MIDDLE);
        let unknown = image(vec![f32::NAN; 50]);
        assert_eq!(Contrast::of(std::iter::once(&unknown)).gray(f32::NAN), 0);
        let mut spark = vec![0.0; 2000];
        spark[9] = 1.0;
        let spark = image(spark);
        let contrast = Contrast::of(std::iter::once(&spark));
        assert_eq!((contrast.gray(0.0), contrast.gray(1.0)), (0, 255));
    }

    #[test]
    fn the_largest_and_the_smallest_float_do_not_overflow() {
        let wild = image(vec![f32::MIN, 0.0, f32::MAX]);
        let contrast = Contrast::of(std::iter::once(&wild));
        assert!(contrast.gray(f32::MIN) <= contrast.gray(0.0) && contrast.gray(0.0) <= contrast.gray(f32::MAX));
    }
}
