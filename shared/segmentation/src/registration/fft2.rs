//! Two-dimensional FFT of real images of any size.
//!
//! The spectrum is kept column by column (`width / 2 + 1` columns of `height`), so that both passes run over
//! contiguous memory and no transpose back is paid for.

use crate::numeric::Plane;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner, num_complex::Complex32};
use std::sync::Arc;

/// Plans for one image size; shared between threads.
pub(crate) struct Fft2 {
    plane: Plane,
    columns: usize,
    row_forward: Arc<dyn RealToComplex<f32>>,
    row_inverse: Arc<dyn ComplexToReal<f32>>,
    column_forward: Arc<dyn Fft<f32>>,
    column_inverse: Arc<dyn Fft<f32>>,
}

/// Memory one thread works in.
pub(crate) struct Workspace {
    line: Vec<f32>,
    half_line: Vec<Complex32>,
    row_scratch: Vec<Complex32>,
    column_scratch: Vec<Complex32>,
}

impl Fft2 {
    pub(crate) fn new(plane: Plane) -> Self {
        let mut real = RealFftPlanner::new();
        let mut complex = FftPlanner::new();
        Self {
            plane,
            columns: plane.width / 2 + 1,
            row_forward: real.plan_fft_forward(plane.width),
            row_inverse: real.plan_fft_inverse(plane.width),
            column_forward: complex.plan_fft_forward(plane.height),
            column_inverse: complex.plan_fft_inverse(plane.height),
        }
    }

    pub(crate) fn workspace(&self) -> Workspace {
        let rows = self.row_forward.get_scratch_len();
        let rows = rows.max(self.row_inverse.get_scratch_len());
        let columns = self.column_forward.get_inplace_scratch_len();
        let columns = columns.max(self.column_inverse.get_inplace_scratch_len());
        Workspace {
            line: vec![0.0; self.plane.width],
            half_line: vec![Complex32::default(); self.columns],
            row_scratch: vec![Complex32::default(); rows],
            column_scratch: vec![Complex32::default(); columns],
        }
    }

    /// Number of complex values in a spectrum.
    pub(crate) fn spectrum_len(&self) -> usize {
        self.columns * self.plane.height
    }

    /// Vertical and horizontal frequency, cycles per pixel, of each value of a spectrum.
    pub(crate) fn frequencies(&self) -> impl Iterator<Item = (f64, f64)> {
        let (h, w) = (self.plane.height, self.plane.width);
        (0..self.columns).flat_map(move |x| {
            (0..h).map(move |y| {
                let y = if 2 * y > h { y as f64 - h as f64 } else { y as f64 };
                (y / h as f64, x as f64 / w as f64)
            })
        })
    }

    /// Spectrum of `image`, not normalised.
    pub(crate) fn forward(&self, image: &[f32], spectrum: &mut [Complex32], work: &mut Workspace) {
        let (h, w) = (self.plane.height, self.plane.width);
        for (y, row) in image.chunks_exact(w).enumerate() {
            work.line.copy_from_slice(row);
            // Lengths are right by construction, the only error realfft knows here.
            let _ = self.row_forward.process_with_scratch(&mut work.line, &mut work.half_line, &mut work.row_scratch);
            for (x, &value) in work.half_line.iter().enumerate() {
                spectrum[x * h + y] = value;
            }
        }
        self.column_forward.process_with_scratch(spectrum, &mut work.column_scratch);
    }

    /// Rows `rows` of the inverse transform of `spectrum` (destroyed), divided by the number of pixels.
    pub(crate) fn inverse_rows(
        &self,
        spectrum: &mut [Complex32],
        rows: impl Iterator<Item = usize>,
        work: &mut Workspace,
        mut visit: impl FnMut(usize, &[f32]),
    ) {
        let h = self.plane.height;
        self.column_inverse.process_with_scratch(spectrum, &mut work.column_scratch);
        let scale = 1.0 / self.plane.pixels() as f32;
        for y in rows {
            for (x, value) in work.half_line.iter_mut().enumerate() {
                *value = spectrum[x * h + y] * scale;
            }
            // A real signal has real ends; rounding leaves a trace there that realfft would refuse.
            work.half_line[0].im = 0.0;
            if self.plane.width.is_multiple_of(2) {
                work.half_line[self.columns - 1].im = 0.0;
            }
            let _ = self.row_inverse.process_with_scratch(&mut work.half_line, &mut work.line, &mut work.row_scratch);
            visit(y, &work.line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_inverse_undoes_the_transform(h in 1usize..20, w in 1usize..20, seed in 0u32..999) {
            let plane = Plane { height: h, width: w };
            let image: Vec<f32> = (0..h * w).map(|i| ((i as u32 * 7919 + seed * 31) % 257) as f32).collect();
            let fft = Fft2::new(plane);
            let mut work = fft.workspace();
            let mut spectrum = vec![Complex32::default(); fft.spectrum_len()];
            fft.forward(&image, &mut spectrum, &mut work);
            let sum: f32 = image.iter().sum();
            prop_assert!((spectrum[0].re - sum).abs() < 1e-2);
            let mut back = vec![0.0; h * w];
            fft.inverse_rows(&mut spectrum, 0..h, &mut work, |y, row| {
                back[y * w..(y + 1) * w].copy_from_slice(row);
            });
            for (a, b) in image.iter().zip(&back) {
                prop_assert!((a - b).abs() < 1e-2, "{} {}", a, b);
            }
        }
    }
}
