//! What one frame says by itself: mean, extremes, profiles.

use dropscope_recording::{FrameBuffer, Pixels};

use crate::narrow::Narrow;

/// Rows taken at once: the sums of columns are then fetched and stored once for all of them.
const ROWS: usize = 4;
/// Columns taken at once: their sums stay in the first cache.
const COLUMNS: usize = 4096;
/// Rows, a multiple of [`ROWS`], whose columns are added up in 32 bits: 65 535 × 65 536 fits.
const SHEET: usize = 1 << 16;

/// Sums and extremes of one frame; samples that are not finite are left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    /// Sum of each row.
    pub(crate) rows: Vec<f64>,
    /// Sum of each column.
    pub(crate) columns: Vec<f64>,
    /// Largest sample; infinite below 0 when there is none.
    pub(crate) most: f64,
    /// How many samples are the largest.
    pub(crate) at_most: u64,
    /// Samples that are infinite or no number.
    pub(crate) not_finite: u64,
    /// Whether every sample is the same, or none is finite.
    pub(crate) blank: bool,
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

    /// Mean of the finite samples; not a number when there is none.
    pub(crate) fn mean(&self) -> f64 {
        let count = (self.rows.len() * self.columns.len()) as f64 - self.not_finite as f64;
        self.rows.iter().sum::<f64>() / count
    }
}

/// Whether every sample is the same, where that is known without measuring the frame: for samples of up to 16 bits.
pub(crate) fn is_blank(pixels: &Pixels) -> Option<bool> {
    fn same<T: PartialEq>(samples: &[T]) -> bool {
        samples.split_first().is_none_or(|(first, rest)| rest.iter().all(|sample| sample == first))
    }
    match pixels {
        Pixels::U8(v) => Some(same(v)),
        Pixels::I8(v) => Some(same(v)),
        Pixels::U16(v) => Some(same(v)),
        Pixels::I16(v) => Some(same(v)),
        Pixels::U32(_) | Pixels::I32(_) | Pixels::U64(_) | Pixels::I64(_) | Pixels::F32(_) | Pixels::F64(_) => None,
    }
}

fn narrow<T: Narrow>(samples: &[T], width: usize) -> Measured {
    let side = width.max(1);
    let mut rows = vec![0_u64; samples.len() / side];
    let mut columns = vec![0_u64; width];
    let mut top = Top { most: 0, count: 0 };
    let mut sheet_columns = vec![0_u32; width];
    for (sheet, sums) in samples.chunks(SHEET * side).zip(rows.chunks_mut(SHEET)) {
        sheet_columns.fill(0);
        for (block, sums) in sheet.chunks(ROWS * side).zip(sums.chunks_mut(ROWS)) {
            top.see(block, add_block(block, side, sums, &mut sheet_columns));
        }
        for (total, column) in columns.iter_mut().zip(&sheet_columns) {
            *total += u64::from(*column);
        }
    }
    let lifted = |sums: &[u64], each: usize| sums.iter().map(|sum| *sum as f64 - f64::from(T::LIFT) * each as f64).collect();
    Measured {
        // No sample exceeds the largest, so they add up to it only where all are.
        blank: rows.iter().sum::<u64>() == u64::from(top.most) * samples.len() as u64,
        rows: lifted(&rows, width),
        columns: lifted(&columns, rows.len()),
        most: if samples.is_empty() { f64::NEG_INFINITY } else { f64::from(i32::from(top.most) - T::LIFT) },
        at_most: top.count,
        not_finite: 0,
    }
}

/// The largest sample so far, lifted, and how often it was seen.
struct Top {
    most: u16,
    count: u64,
}

impl Top {
    /// Takes in samples of which the largest is `most`. They are looked at again only where it is a record: seldom.
    fn see<T: Narrow>(&mut self, samples: &[T], most: u16) {
        if most > self.most {
            *self = Self { most, count: 0 };
        }
        if most == self.most {
            let at = |part: &[T]| part.iter().map(|sample| u16::from(sample.lifted() == most)).sum::<u16>();
            self.count += samples.chunks(1 << 15).map(|part| u64::from(at(part))).sum::<u64>();
        }
    }
}

/// Adds up to [`ROWS`] rows to the sums of their own and of the columns. Returns the largest sample, lifted.
fn add_block<T: Narrow>(block: &[T], width: usize, sums: &mut [u64], columns: &mut [u32]) -> u16 {
    let mut rows = block.chunks_exact(width);
    match (rows.next(), rows.next(), rows.next(), rows.next()) {
        (Some(a), Some(b), Some(c), Some(d)) => add_rows([a, b, c, d], sums, columns),
        _ => {
            let each = block.chunks_exact(width).zip(sums.chunks_mut(1));
            each.map(|(row, sum)| add_rows([row], sum, columns)).max().unwrap_or(0)
        }
    }
}

fn add_rows<T: Narrow, const N: usize>(rows: [&[T]; N], sums: &mut [u64], columns: &mut [u32]) -> u16 {
    let mut most = 0;
    for (tile, columns) in columns.chunks_mut(COLUMNS).enumerate() {
        let rows = rows.map(|row| row.get(tile * COLUMNS..).unwrap_or_default());
        let (tile_sums, tile_most) = add_tile(rows, columns);
        sums.iter_mut().zip(tile_sums).for_each(|(sum, tile)| *sum += u64::from(tile));
        most = most.max(tile_most);
    }
    most
}

/// The innermost loop: plain integers side by side, for the compiler to take eight at a time.
fn add_tile<T: Narrow, const N: usize>(rows: [&[T]; N], columns: &mut [u32]) -> ([u32; N], u16) {
    let count = rows.iter().fold(columns.len(), |count, row| count.min(row.len()));
    let rows = rows.map(|row| &row[..count]);
    let (mut sums, mut most) = ([0_u32; N], 0_u16);
    for (i, column) in columns[..count].iter_mut().enumerate() {
        let samples = rows.map(|row| row[i].lifted());
        most = samples.into_iter().fold(most, u16::max);
        let samples = samples.map(u32::from);
        sums.iter_mut().zip(samples).for_each(|(sum, sample)| *sum += sample);
        *column += samples.into_iter().sum::<u32>();
    }
    (sums, most)
}

fn wide<T: Copy>(samples: &[T], width: usize, to_f64: impl Fn(T) -> f64) -> Measured {
    let mut measured = Measured {
        rows: Vec::new(),
        columns: vec![0.0; width],
        most: f64::NEG_INFINITY,
        at_most: 0,
        not_finite: 0,
        blank: false,
    };
    let mut least = f64::INFINITY;
    for row in samples.chunks_exact(width.max(1)) {
        let (mut sum, mut finite) = (0.0, 0_u64);
        for (column, sample) in measured.columns.iter_mut().zip(row) {
            let value = to_f64(*sample);
            if !value.is_finite() {
                continue;
            }
            finite += 1;
            sum += value;
            *column += value;
            least = least.min(value);
            if value > measured.most {
                (measured.most, measured.at_most) = (value, 0);
            }
            measured.at_most += u64::from(value == measured.most);
        }
        measured.rows.push(sum);
        measured.not_finite += width as u64 - finite;
    }
    measured.blank = least >= measured.most;
    measured
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, sample by sample.
    fn plainly(samples: &[i32], width: usize) -> Measured {
        let height = samples.len() / width;
        let at = |y: usize, x: usize| i64::from(samples[y * width + x]);
        let (least, most) = (samples.iter().min().unwrap(), samples.iter().max().unwrap());
        Measured {
            rows: (0..height).map(|y| (0..width).map(|x| at(y, x)).sum::<i64>() as f64).collect(),
            columns: (0..width).map(|x| (0..height).map(|y| at(y, x)).sum::<i64>() as f64).collect(),
            most: f64::from(*most),
            at_most: samples.iter().filter(|s| *s == most).count() as u64,
            not_finite: 0,
            blank: least == most,
        }
    }

    fn agrees<T: Narrow + Into<i32>>(samples: &[T], width: usize) -> bool {
        let plain: Vec<i32> = samples.iter().map(|s| (*s).into()).collect();
        narrow(samples, width) == plainly(&plain, width)
    }

    proptest! {
        #[test]
        fn a_frame_of_any_width_gives_the_same_figures_as_a_plain_loop(
            width in 1_usize..70, height in 1_usize..20, values in prop::collection::vec(any::<u16>(), 1400), mask in any::<u16>(),
        ) {
            let wide: Vec<u16> = values.iter().take(width * height).map(|v| v & mask).collect();
            prop_assert!(agrees(&wide, width));
            prop_assert!(agrees(&wide.iter().map(|v| v.cast_signed()).collect::<Vec<_>>(), width));
            prop_assert!(agrees(&wide.iter().map(|v| *v as u8).collect::<Vec<_>>(), width));
            prop_assert!(agrees(&wide.iter().map(|v| *v as i8).collect::<Vec<_>>(), width));
        }
    }

    proptest! {
        #[test]
        fn a_glance_and_a_measure_agree_on_what_is_blank(value in any::<u16>(), count in 1_usize..200, odd in 0_usize..400) {
            let mut samples = vec![value; count];
            samples.iter_mut().skip(odd).take(1).for_each(|sample| *sample ^= 1);
            let signed: Vec<i16> = samples.iter().map(|v| v.cast_signed()).collect();
            let blank = samples.iter().all(|sample| *sample == samples[0]);
            prop_assert_eq!((narrow(&samples, count).blank, is_blank(&Pixels::U16(samples))), (blank, Some(blank)));
            prop_assert_eq!((narrow(&signed, count).blank, is_blank(&Pixels::I16(signed))), (blank, Some(blank)));
        }
    }

    #[test]
    fn sums_of_the_longest_rows_and_columns_do_not_overflow() {
        assert!(agrees(&vec![u16::MAX; 5 * 70_001], 70_001));
        assert!(agrees(&vec![u16::MAX; 3 * 140_003], 3));
        assert!(agrees(&vec![i16::MIN; 2 * 70_001], 2));
    }
}
