//! One image of floats.

/// An image in float32, row by row; NaN where nothing is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height` × `width` values.
    pub values: Vec<f32>,
}

impl Image {
    /// Creates an image in which nothing is known yet.
    pub(crate) fn unknown(height: usize, width: usize) -> Self {
        Self { height, width, values: vec![f32::NAN; height * width] }
    }

    /// Averages squares of `factor` × `factor` pixels; those at the lower and right edge may hold fewer.
    ///
    /// Unknown pixels are left out of the averages.
    pub(crate) fn binned(self, factor: usize) -> Self {
        if factor <= 1 {
            return self;
        }
        let width = self.width.div_ceil(factor);
        let mut values = Vec::with_capacity(self.height.div_ceil(factor) * width);
        for rows in self.values.chunks(factor * self.width.max(1)) {
            values.extend((0..width).map(|x| square_mean(rows, self.width, x * factor, factor)));
        }
        Self { height: self.height.div_ceil(factor), width, values }
    }

    /// Takes the larger of two images, pixel by pixel.
    pub(crate) fn raise_to(&mut self, other: &Self) {
        for (value, other) in self.values.iter_mut().zip(&other.values) {
            *value = value.max(*other);
        }
    }
}

fn square_mean(rows: &[f32], row_width: usize, left: usize, factor: usize) -> f32 {
    let (mut sum, mut count) = (0.0_f64, 0_u32);
    for row in rows.chunks(row_width) {
        for value in row.iter().skip(left).take(factor).filter(|v| v.is_finite()) {
            sum += f64::from(*value);
            count += 1;
        }
    }
    if count == 0 { f32::NAN } else { (sum / f64::from(count)) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binning_keeps_the_mean_and_skips_the_unknown() {
        let image = Image { height: 2, width: 3, values: vec![1.0, 3.0, 7.0, 5.0, f32::NAN, 9.0] };
        let binned = image.binned(2);
        assert_eq!((binned.height, binned.width), (1, 2));
        assert_eq!(binned.values, [3.0, 8.0]);
    }

    #[test]
    fn the_larger_of_a_number_and_the_unknown_is_the_number() {
        let mut image = Image::unknown(1, 2);
        image.raise_to(&Image { height: 1, width: 2, values: vec![4.0, f32::NAN] });
        assert_eq!(image.values[0], 4.0);
        assert!(image.values[1].is_nan());
    }
}
