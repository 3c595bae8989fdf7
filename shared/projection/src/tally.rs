//! Sums of samples of up to 16 bits over one window of time, in integers until the window closes.
//!
//! Integers of 32 bits are half the memory of float64, and memory is what a pass waits for. A square of 32 bits is added up
//! in two halves; where samples are small the lower one takes the whole square, and what it gathers is carried in time.

use rayon::prelude::*;

use crate::accumulate::{BAND, Sums, SumsBand, deviation, larger};
use crate::image::Image;
use crate::narrow::Narrow;

/// Frames that fit: 65 535 × 2^16 is below 2^32, and so is the upper half of as many squares, 65 535² × 2^16 / 2^16.
pub(crate) const MOST_FRAMES: usize = 1 << 16;
/// Frames taken at once: the sums are then fetched and stored once for all of them.
const FRAMES: usize = 4;
/// Samples up to this are squared whole: 64 frames of them come before a carry, which costs about as much as one frame.
const SMALL: u16 = (1 << 13) - 1;

/// Sums of lifted samples, pixel by pixel.
#[derive(Default)]
pub(crate) struct Tally {
    frames: usize,
    /// What lifting added to each sample.
    lift: i32,
    sum: Vec<u32>,
    most: Vec<u16>,
    /// The squares are 2^16 × `high` + `low`.
    low: Vec<u32>,
    high: Vec<u32>,
    /// For each band, what none of its `low` exceeds.
    bounds: Vec<u32>,
}

impl Tally {
    /// Whether so many frames can be added.
    pub(crate) fn has_room(&self, frames: usize) -> bool {
        self.frames + frames <= MOST_FRAMES
    }

    /// Adds frames of `pixels` samples, all of one type; there is room for them.
    pub(crate) fn add<T: Narrow>(&mut self, frames: &[&[T]], pixels: usize) {
        self.frames += frames.len();
        self.lift = T::LIFT;
        for sums in [&mut self.sum, &mut self.low, &mut self.high] {
            sums.resize(pixels, 0);
        }
        self.most.resize(pixels, 0);
        self.bounds.resize(pixels.div_ceil(BAND), 0);
        self.bands().enumerate().for_each(|(number, mut band)| {
            for group in frames.chunks(FRAMES) {
                match group {
                    [a, b, c, d] => band.add([*a, b, c, d], number * BAND),
                    rest => rest.iter().for_each(|frame| band.add([*frame], number * BAND)),
                }
            }
        });
    }

    /// Adds everything to `sums` and starts again from nothing. Returns maximum and standard deviation of what was here.
    pub(crate) fn close(&mut self, sums: &mut Sums) -> (Image, Image) {
        let (mut max, mut sd) = (sums.unknown(), sums.unknown());
        let (frames, lift) = (std::mem::take(&mut self.frames), f64::from(self.lift));
        if frames > 0 {
            let images = max.values.par_chunks_mut(BAND).zip(sd.values.par_chunks_mut(BAND));
            let bands = self.bands().zip(sums.grow(frames as u32, 0.0)).zip(images);
            bands.for_each(|((mut band, mut sums), (max, sd))| {
                band.unlift(lift, frames as f64, &mut sums, (max, sd));
                band.empty();
            });
        }
        (max, sd)
    }

    fn bands(&mut self) -> impl IndexedParallelIterator<Item = Band<'_>> {
        let sums = self.sum.par_chunks_mut(BAND).zip(self.most.par_chunks_mut(BAND));
        let squares = self.low.par_chunks_mut(BAND).zip(self.high.par_chunks_mut(BAND)).zip(&mut self.bounds);
        sums.zip(squares).map(|((sum, most), ((low, high), bound))| Band { sum, most, low, high, bound })
    }
}

/// Some pixels that are taken through all frames of a batch at once.
struct Band<'a> {
    sum: &'a mut [u32],
    most: &'a mut [u16],
    low: &'a mut [u32],
    high: &'a mut [u32],
    bound: &'a mut u32,
}

impl Band<'_> {
    /// Adds the pixels of some frames, [`FRAMES`] at most, from the band's first one on.
    fn add<T: Narrow, const N: usize>(&mut self, frames: [&[T]; N], first: usize) {
        let frames = frames.map(|frame| frame.get(first..).unwrap_or_default());
        let count = frames.iter().fold(self.sum.len(), |count, frame| count.min(frame.len()));
        let frames = frames.map(|frame| &frame[..count]);
        // No sample exceeds all their bits together.
        let bits = (0..count).fold(0, |bits, i| frames.iter().fold(bits, |bits, frame| bits | frame[i].lifted()));
        // 4 × 8191² and 4 × 65 535 are far below 2^32.
        let most = if bits <= SMALL { u32::from(bits) * u32::from(bits) } else { u32::from(u16::MAX) };
        let more = most * N as u32;
        if *self.bound > u32::MAX - more {
            self.carry();
        }
        *self.bound += more;
        if bits <= SMALL { self.add_small(frames) } else { self.add_any(frames) }
    }

    /// Moves what exceeds 16 bits of the lower halves to the upper ones.
    fn carry(&mut self) {
        for (low, high) in self.low.iter_mut().zip(&mut *self.high) {
            *high += *low >> 16;
            *low &= 0xffff;
        }
        *self.bound = 0xffff;
    }

    fn add_small<T: Narrow, const N: usize>(&mut self, frames: [&[T]; N]) {
        let count = frames[0].len();
        let frames = frames.map(|frame| &frame[..count]);
        let (sum, squares, most) = (&mut self.sum[..count], &mut self.low[..count], &mut self.most[..count]);
        for i in 0..count {
            let samples = frames.map(|frame| frame[i].lifted());
            most[i] = samples.into_iter().fold(most[i], u16::max);
            // Changes nothing, and tells the compiler that a product of 16 bits serves.
            let samples = samples.map(|sample| u32::from(sample & SMALL));
            sum[i] += samples.into_iter().sum::<u32>();
            squares[i] += samples.into_iter().map(|sample| sample * sample).sum::<u32>();
        }
    }

    fn add_any<T: Narrow, const N: usize>(&mut self, frames: [&[T]; N]) {
        let count = frames[0].len();
        let frames = frames.map(|frame| &frame[..count]);
        let (sum, most) = (&mut self.sum[..count], &mut self.most[..count]);
        let (low, high) = (&mut self.low[..count], &mut self.high[..count]);
        for i in 0..count {
            let samples = frames.map(|frame| frame[i].lifted());
            most[i] = samples.into_iter().fold(most[i], u16::max);
            let samples = samples.map(u32::from);
            sum[i] += samples.into_iter().sum::<u32>();
            let squares = samples.map(|sample| sample * sample);
            low[i] += squares.into_iter().map(|square| square & 0xffff).sum::<u32>();
            high[i] += squares.into_iter().map(|square| square >> 16).sum::<u32>();
        }
    }

    /// Adds the sums to those in float64, unlifted: (v + l)² − 2 l (v + l) + l² is v². All of them are integers below
    /// 2^53, so nothing is rounded.
    fn unlift(&self, lift: f64, frames: f64, to: &mut SumsBand, (max, sd): (&mut [f32], &mut [f32])) {
        let count = self.sum.len();
        let (low, high, most) = (&self.low[..count], &self.high[..count], &self.most[..count]);
        let (max, sd) = (&mut max[..count], &mut sd[..count]);
        let (sums, all_squares, all_most) = (&mut to.sum[..count], &mut to.squares[..count], &mut to.most[..count]);
        for i in 0..count {
            let sum = f64::from(self.sum[i]);
            let squares = 65_536.0 * f64::from(high[i]) + f64::from(low[i]);
            let squares = squares - 2.0 * lift * sum + lift * lift * frames;
            let sum = sum - lift * frames;
            sums[i] += sum;
            all_squares[i] += squares;
            max[i] = f32::from(most[i]) - lift as f32;
            sd[i] = deviation(sum, squares, frames);
            all_most[i] = larger(all_most[i], max[i]);
        }
    }

    fn empty(&mut self) {
        for sums in [&mut *self.sum, self.low, self.high] {
            sums.fill(0);
        }
        self.most.fill(0);
        *self.bound = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accumulate::Window;
    use dropscope_recording::Pixels;
    use proptest::prelude::*;

    /// Frames, and how many times they come.
    type Batch<T> = (Vec<Vec<T>>, usize);

    /// Sum, sum of squares and maximum of each pixel, by integers of 128 bits.
    fn plainly<T: Copy + Into<i128>>(batches: &[Batch<T>]) -> Vec<(i128, i128, i128)> {
        let all = || batches.iter().flat_map(|(frames, times)| frames.iter().map(|frame| (frame, *times as i128)));
        let of = |at: usize| all().map(move |(frame, times)| (frame[at].into(), times));
        let pixel = |at| {
            let (sum, squares) = (of(at).map(|(v, n)| n * v).sum(), of(at).map(|(v, n)| n * v * v).sum());
            (sum, squares, of(at).map(|(v, _)| v).max().unwrap())
        };
        (0..batches[0].0[0].len()).map(pixel).collect()
    }

    /// Whether a window of batches, each so many times, has the sums of the definition.
    fn agrees<T: Narrow + Into<i128>>(batches: &[Batch<T>], wrap: fn(Vec<T>) -> Pixels) -> bool {
        let width = batches[0].0[0].len();
        let (mut window, mut whole) = (Window::new(1, width), Sums::new(1, width));
        for (frames, times) in batches {
            let frames: Vec<Pixels> = frames.iter().map(|frame| wrap(frame.clone())).collect();
            let frames: Vec<&Pixels> = frames.iter().collect();
            (0..*times).for_each(|_| window.add(&frames, 0.0));
        }
        window.close(&mut whole);
        let exact: Vec<(i128, i128, i128)> = plainly(batches);
        let mut found = Vec::new();
        whole
            .grow(0, 0.0)
            .map(|band| (band.sum.to_vec(), band.squares.to_vec(), band.most.to_vec()))
            .collect_into_vec(&mut found);
        let found = found.iter().flat_map(|(sum, squares, most)| sum.iter().zip(squares).zip(most));
        found.map(|((sum, squares), most)| (*sum as i128, *squares as i128, *most as i128)).eq(exact)
    }

    fn once<T>(frames: Vec<Vec<T>>) -> Vec<Batch<T>> {
        vec![(frames, 1)]
    }

    proptest! {
        #[test]
        fn sums_are_exact_for_any_values(
            width in 1_usize..40, count in 1_usize..64, values in prop::collection::vec(any::<u16>(), 40 * 64), mask in any::<u16>(),
        ) {
            let frames: Vec<Vec<u16>> = values.chunks(40).take(count).map(|f| f[..width].iter().map(|v| v & mask).collect()).collect();
            fn cast<T>(frames: &[Vec<u16>], to: impl Fn(u16) -> T) -> Vec<Batch<T>> {
                once(frames.iter().map(|frame| frame.iter().map(|v| to(*v)).collect()).collect())
            }
            prop_assert!(agrees(&cast(&frames, |v| v), Pixels::U16));
            prop_assert!(agrees(&cast(&frames, |v| v >> 4), Pixels::U16));
            prop_assert!(agrees(&cast(&frames, u16::cast_signed), Pixels::I16));
            prop_assert!(agrees(&cast(&frames, |v| v as u8), Pixels::U8));
            prop_assert!(agrees(&cast(&frames, |v| v as i8), Pixels::I8));
        }
    }

    #[test]
    fn a_window_sum_never_overflows() {
        for most in [u16::MAX, SMALL, SMALL + 1] {
            for batches in [MOST_FRAMES / 64 - 1, MOST_FRAMES / 64, MOST_FRAMES / 64 + 1, 3 * MOST_FRAMES / 64] {
                assert!(agrees(&[(vec![vec![most; 3]; 64], batches)], Pixels::U16), "{batches} × 64 frames of {most}");
            }
        }
        assert!(agrees(&[(vec![vec![i16::MIN, i16::MAX, -1]; 64], MOST_FRAMES / 64 + 1)], Pixels::I16));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn small_and_large_samples_in_any_turn_leave_a_long_window_exact(
            values in prop::collection::vec(prop::sample::select(vec![0, SMALL - 1, SMALL, SMALL + 1, u16::MAX]), 56),
            lengths in prop::collection::vec(1_usize..8, 1..8),
            times in prop::collection::vec(1_usize..4000, 7),
        ) {
            let values = values.chunks(8).zip(&lengths).map(|(values, count)| values[..*count].iter().map(|v| vec![*v, v / 2]).collect());
            let batches: Vec<Batch<u16>> = values.zip(times).collect();
            prop_assert!(agrees(&batches, Pixels::U16));
        }
    }

    #[test]
    fn every_band_of_a_frame_is_exact() {
        for (most, frames) in [(u16::MAX, 64), (SMALL, 64), (SMALL + 1, 64), (11_585, 32), (32_767, 4), (32_768, 4)] {
            let mut batch = vec![vec![most; 2 * BAND + 3]; frames];
            batch[0][BAND] = 7;
            assert!(agrees(&once(batch), Pixels::U16), "{frames} of {most}");
        }
        assert!(agrees(&once(vec![vec![i16::MIN; 3]; 64]), Pixels::I16));
    }

    #[test]
    fn an_emptied_tally_remembers_nothing() {
        let (mut window, mut whole) = (Window::new(1, 2), Sums::new(1, 2));
        let images = |window: &mut Window, whole: &mut Sums, values: [u16; 2]| {
            values.map(|v| Pixels::U16(vec![v, v + 1])).iter().for_each(|pixels| window.add(&[pixels], 0.0));
            let (max, sd) = window.close(whole);
            (max.values, sd.values)
        };
        images(&mut window, &mut whole, [60_000, 50_000]);
        assert_eq!(images(&mut window, &mut whole, [2, 6]), (vec![6.0, 7.0], vec![2.0, 2.0]));
        let (max, sd) = window.close(&mut whole);
        assert!(max.values.iter().chain(&sd.values).all(|v| v.is_nan()), "a window without frames is unknown");
    }
}
