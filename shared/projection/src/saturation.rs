//! Samples that pile up below the top: a detector or amplifier at its limit.

use dropscope_recording::Pixels;
use serde::Serialize;

/// One sample in so many is counted, spread over rows and columns.
const STRIDE: usize = 17;
/// Values of the samples that are counted, 16 bits of them; `i16` is counted from its least.
const VALUES: usize = 1 << 16;
/// Bins between the least and the largest value.
const BINS: usize = 60;
/// Fewest samples in a bin that are no accident.
const FEWEST: u64 = 100;

/// Samples at the end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Saturation {
    /// Where the range ends, counts.
    pub at: f64,
    /// Fraction of all samples there, 0 to 1.
    pub share: f64,
}

/// How often values occur, for samples of up to 16 bits.
pub(crate) struct Histogram {
    counts: Vec<u64>,
    /// Value of the first count.
    first: i32,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; VALUES], first: 0 }
    }

    /// Counts some samples of a frame.
    pub(crate) fn add(&mut self, pixels: &Pixels) {
        match pixels {
            Pixels::U8(v) => self.count(v, 0),
            Pixels::I8(v) => self.count(v, i32::from(i8::MIN)),
            Pixels::U16(v) => self.count(v, 0),
            Pixels::I16(v) => self.count(v, i32::from(i16::MIN)),
            // A range of 32 bits or more has no end that a detector reaches.
            Pixels::U32(_) | Pixels::I32(_) | Pixels::U64(_) | Pixels::I64(_) | Pixels::F32(_) | Pixels::F64(_) => {}
        }
    }

    fn count<T: Copy + Into<i32>>(&mut self, samples: &[T], first: i32) {
        self.first = first;
        for sample in samples.iter().step_by(STRIDE) {
            let value: i32 = (*sample).into();
            if let Some(count) = self.counts.get_mut((value - first) as usize) {
                *count += 1;
            }
        }
    }

    /// Takes in the counts of another.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
    }

    /// Finds a second peak in the upper half of the range. Bright cells thin out towards the top; a limit, even one
    /// blurred by noise, gathers what would lie beyond it: two bins hold half as much again as the two below.
    pub(crate) fn pile_up(&self) -> Option<Saturation> {
        let least = self.counts.iter().position(|c| *c > 0)?;
        let most = self.counts.iter().rposition(|c| *c > 0)?;
        let span = most - least + 1;
        if span < 2 * BINS {
            return None;
        }
        let edge = |bin: usize| least + bin * span / BINS;
        let bins: Vec<u64> = (0..BINS).map(|bin| self.counts[edge(bin)..edge(bin + 1)].iter().sum()).collect();
        let piled = |bin: &usize| {
            let (below, here) = (bins[bin - 2] + bins[bin - 1], bins[*bin] + bins[bin + 1]);
            here >= FEWEST && 2 * here >= 3 * below
        };
        let first = (BINS / 2..BINS - 1).find(piled)?;
        // The peak may be the second of the two alone.
        let bin = first + usize::from(2 * bins[first] < bins[first + 1]);
        let all: u64 = bins.iter().sum();
        let there: u64 = bins[bin..].iter().sum();
        Some(Saturation { at: (edge(bin) as i32 + self.first).into(), share: there as f64 / all as f64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An exponential tail of brightness, cut at `limit`.
    fn tail(limit: u16) -> Pixels {
        let value = |i: u32| (-8000.0 * (f64::from(i) / 2e6).ln()) as u16;
        Pixels::U16((1..2_000_000).map(|i| value(i).min(limit).saturating_sub((i % 97) as u16)).collect())
    }

    fn pile_up(pixels: &Pixels) -> Option<Saturation> {
        let mut histogram = Histogram::new();
        histogram.add(pixels);
        histogram.pile_up()
    }

    #[test]
    fn a_tail_that_thins_out_is_no_limit() {
        assert_eq!(pile_up(&tail(u16::MAX)), None);
    }

    #[test]
    fn a_blurred_limit_is_found_with_its_share() {
        let found = pile_up(&tail(30_000)).unwrap();
        let truth = (-30_000.0_f64 / 8000.0).exp();
        assert!((found.share - truth).abs() < 0.1 * truth && (found.at - 30_000.0).abs() < 600.0, "{found:?} {truth}");
    }

    #[test]
    fn few_levels_and_other_types_have_no_limit_to_find() {
        assert_eq!(pile_up(&Pixels::U8((0..100_000_u32).map(|i| (i % 90) as u8).collect())), None);
        assert_eq!(pile_up(&Pixels::F32(vec![1.0; 1000])), None);
        assert_eq!(pile_up(&Pixels::U16(Vec::new())), None);
    }
}
