//! What one frame says by itself: mean, extremes, profiles.

use dropscope_recording::{FrameBuffer, Pixels};

/// Rows whose columns are added up in 32 bits: 65 535 × 16 384 fits.
const ROWS: usize = 16_384;

/// Sums and extremes of one frame; samples that are not finite are left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    /// Sum of each row.
    pub(crate) rows: Vec<f64>,
    /// Sum of each column.
    pub(crate) columns: Vec<f64>,
    /// Smallest sample; infinite when there is none.
    pub(crate) least: f64,
    /// Largest sample.
    pub(crate) most: f64,
    /// How many samples are the largest.
    pub(crate) at_most: u64,
    /// Samples that are infinite or no number.
    pub(crate) not_finite: u64,
}

impl Measured {
    /// Measures a frame; exact for samples of up to 16 bits.
    pub(crate) fn of(frame: &FrameBuffer) -> Self {
        let width = frame.width();
        match frame.pixels() {
            Pixels::U8(v) => narrow(v, width),
            Pixels::I8(v) => narrow(v, width),
            Pixels::U16(v) => narrow(v, width),
            Pixels::I16(v) => narrow(v, width),
            Pixels::U32(v) => wide(v, width, f64::from),
            Pixels::I32(v) => wide(v, width, f64::from),
            Pixels::U64(v) => wide(v, width, |sample| sample as f64),
            Pixels::I64(v) => wide(v, width, |sample| sample as f64),
            Pixels::F32(v) => wide(v, width, f64::from),
            Pixels::F64(v) => wide(v, width, |sample| sample),
        }
    }

    fn empty(width: usize) -> Self {
        Self {
            rows: Vec::new(),
            columns: vec![0.0; width],
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
            at_most: 0,
            not_finite: 0,
        }
    }

    /// Mean of the finite samples; not a number when there is none.
    pub(crate) fn mean(&self) -> f64 {
        let count = (self.rows.len() * self.columns.len()) as f64 - self.not_finite as f64;
        self.rows.iter().sum::<f64>() / count
    }

    /// Whether every sample is the same, or none is finite.
    pub(crate) fn is_blank(&self) -> bool {
        self.least >= self.most
    }

    /// Takes in a row's extremes.
    fn see(&mut self, least: f64, most: f64, at_most: impl FnOnce() -> u64) {
        self.least = self.least.min(least);
        if most > self.most {
            self.most = most;
            self.at_most = at_most();
        } else if most == self.most {
            self.at_most += at_most();
        }
    }
}

fn narrow<T: Copy + Ord + Into<i32>>(samples: &[T], width: usize) -> Measured {
    let mut measured = Measured::empty(width);
    let mut columns = vec![0_i32; width];
    for block in samples.chunks(ROWS * width.max(1)) {
        columns.fill(0);
        for row in block.chunks_exact(width.max(1)) {
            let sum: i64 = row.chunks(ROWS).map(|part| i64::from(part.iter().map(|s| (*s).into()).sum::<i32>())).sum();
            measured.rows.push(sum as f64);
            for (column, sample) in columns.iter_mut().zip(row) {
                *column += (*sample).into();
            }
            let (Some(first), rest) = (row.first(), row) else { continue };
            let least = rest.iter().fold(*first, |a, b| a.min(*b));
            let most = rest.iter().fold(*first, |a, b| a.max(*b));
            measured.see(f64::from(least.into()), f64::from(most.into()), || row.iter().filter(|s| **s == most).count() as u64);
        }
        for (total, column) in measured.columns.iter_mut().zip(&columns) {
            *total += f64::from(*column);
        }
    }
    measured
}

fn wide<T: Copy>(samples: &[T], width: usize, to_f64: impl Fn(T) -> f64) -> Measured {
    let mut measured = Measured::empty(width);
    for row in samples.chunks_exact(width.max(1)) {
        let (mut sum, mut finite) = (0.0, 0_u64);
        let (mut least, mut most, mut at_most) = (f64::INFINITY, f64::NEG_INFINITY, 0);
        for (column, sample) in measured.columns.iter_mut().zip(row) {
            let value = to_f64(*sample);
            if !value.is_finite() {
                continue;
            }
            finite += 1;
            sum += value;
            *column += value;
            least = least.min(value);
            if value > most {
                (most, at_most) = (value, 0);
            }
            at_most += u64::from(value == most);
        }
        measured.rows.push(sum);
        measured.not_finite += width as u64 - finite;
        measured.see(least, most, || at_most);
    }
    measured
}
