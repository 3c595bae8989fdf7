//! Running maximum, mean and standard deviation of one plane.
//!
//! Sums are of samples minus a shift common to the plane, in float64. Samples of up to 16 bits are first added up as
//! integers over a batch, so their sums are exact (up to 2^53); others lose nothing to a large offset because of the shift.

use dropscope_recording::Pixels;
use rayon::prelude::*;

use crate::image::Image;
use crate::narrow::Narrow;
use crate::survey::Projections;

/// Pixels that are taken through all frames of a batch at once: their sums stay in the first cache.
const BAND: usize = 2048;
/// Frames taken at once: the sums are then fetched and stored once for all of them.
const FRAMES: usize = 4;

/// Sums over some frames of one plane, pixel by pixel.
pub(crate) struct Sums {
    height: usize,
    width: usize,
    frames: u32,
    /// Subtracted from each sample before it is added.
    shift: Option<f64>,
    sum: Vec<f64>,
    squares: Vec<f64>,
    most: Vec<f32>,
    /// Samples that were not finite; empty as long as the type has none.
    missing: Vec<u32>,
}

impl Sums {
    pub(crate) fn new(height: usize, width: usize) -> Self {
        let zeros = || vec![0.0; height * width];
        let most = vec![f32::NEG_INFINITY; height * width];
        Self { height, width, frames: 0, shift: None, sum: zeros(), squares: zeros(), most, missing: Vec::new() }
    }

    /// Adds frames in the order of time, all of one type. `largest` is none of their samples below, `near` the mean of
    /// one of them.
    pub(crate) fn add(&mut self, frames: &[&Pixels], near: f64, largest: f64) {
        self.frames += frames.len() as u32;
        match frames.first() {
            Some(Pixels::U8(_)) => self.add_narrow::<u8>(frames, largest),
            Some(Pixels::I8(_)) => self.add_narrow::<i8>(frames, largest),
            Some(Pixels::U16(_)) => self.add_narrow::<u16>(frames, largest),
            Some(Pixels::I16(_)) => self.add_narrow::<i16>(frames, largest),
            Some(Pixels::U32(_)) => {
                self.add_wide(&pick(frames, |p| if let Pixels::U32(v) = p { Some(v) } else { None }), near, f64::from);
            }
            Some(Pixels::I32(_)) => {
                self.add_wide(&pick(frames, |p| if let Pixels::I32(v) = p { Some(v) } else { None }), near, f64::from);
            }
            Some(Pixels::U64(_)) => {
                self.add_wide(&pick(frames, |p| if let Pixels::U64(v) = p { Some(v) } else { None }), near, |v| v as f64);
            }
            Some(Pixels::I64(_)) => {
                self.add_wide(&pick(frames, |p| if let Pixels::I64(v) = p { Some(v) } else { None }), near, |v| v as f64);
            }
            Some(Pixels::F32(_)) => {
                self.add_wide(&pick(frames, |p| if let Pixels::F32(v) = p { Some(v) } else { None }), near, f64::from);
            }
            Some(Pixels::F64(_)) => {
                self.add_wide(&pick(frames, |p| if let Pixels::F64(v) = p { Some(v) } else { None }), near, |v| v);
            }
            None => {}
        }
    }

    fn add_narrow<T: Narrow>(&mut self, frames: &[&Pixels], largest: f64) {
        self.shift = Some(0.0);
        let frames: Vec<&[T]> = frames.iter().filter_map(|pixels| T::of(pixels)).collect();
        let small = squares_are_small(largest + f64::from(T::LIFT), frames.len());
        let bands = (self.sum.par_chunks_mut(BAND), self.squares.par_chunks_mut(BAND), self.most.par_chunks_mut(BAND));
        bands.into_par_iter().enumerate().for_each(|(number, (sum, squares, most))| {
            let mut band = Band::new();
            let from = number * BAND;
            for group in frames.chunks(FRAMES) {
                match group {
                    [a, b, c, d] => band.add([*a, b, c, d], from, small),
                    rest => rest.iter().for_each(|frame| band.add([*frame], from, small)),
                }
            }
            band.give::<T>(frames.len(), sum, squares, most);
        });
    }

    fn add_wide<T: Copy + Sync>(&mut self, frames: &[&[T]], near: f64, to_f64: impl Fn(T) -> f64 + Sync) {
        let shift = *self.shift.get_or_insert(near);
        self.missing.resize(self.sum.len(), 0);
        let (sum, squares) = (self.sum.par_chunks_mut(BAND), self.squares.par_chunks_mut(BAND));
        let bands = (sum, squares, self.most.par_chunks_mut(BAND), self.missing.par_chunks_mut(BAND));
        bands.into_par_iter().enumerate().for_each(|(band, (sum, squares, most, missing))| {
            for frame in frames {
                let samples = frame.get(band * BAND..).unwrap_or_default();
                let pixels = sum.iter_mut().zip(&mut *squares).zip(&mut *most).zip(&mut *missing).zip(samples);
                for ((((sum, squares), most), missing), sample) in pixels {
                    let value = to_f64(*sample);
                    if value.is_finite() {
                        *sum += value - shift;
                        *squares += (value - shift) * (value - shift);
                        *most = most.max(value as f32);
                    } else {
                        *missing += 1;
                    }
                }
            }
        });
    }

    /// Adds a window to the whole and empties it.
    pub(crate) fn absorb(&mut self, window: &mut Self) {
        self.frames += window.frames;
        self.shift = self.shift.or(window.shift);
        self.missing.resize(window.missing.len(), 0);
        take_over(&mut self.sum, &mut window.sum, 0.0, |a, b| a + b);
        take_over(&mut self.squares, &mut window.squares, 0.0, |a, b| a + b);
        take_over(&mut self.most, &mut window.most, f32::NEG_INFINITY, larger);
        take_over(&mut self.missing, &mut window.missing, 0, |a, b| a + b);
        window.frames = 0;
    }

    /// The projections of all frames so far; unknown where no sample was finite.
    pub(crate) fn projections(&self) -> Projections {
        Projections { mean: self.mean(), max: self.max(), sd: self.sd() }
    }

    /// The mean of all frames so far.
    fn mean(&self) -> Image {
        let shift = self.shift.unwrap_or(0.0);
        // Without samples this is 0 / 0: not a number.
        self.image(|sum, _, _, count| (shift + sum / count) as f32)
    }

    /// The maximum of all frames so far.
    pub(crate) fn max(&self) -> Image {
        self.image(|_, _, most, count| if count > 0.0 { most } else { f32::NAN })
    }

    /// The standard deviation of all frames so far.
    pub(crate) fn sd(&self) -> Image {
        self.image(|sum, squares, _, count| {
            let variance = ((squares - sum * (sum / count)) / count).max(0.0);
            // The maximum of 0 and what is not a number is 0.
            if count > 0.0 { variance.sqrt() as f32 } else { f32::NAN }
        })
    }

    /// Works out each pixel from its sum, its squares, its maximum and the number of its samples.
    fn image(&self, of: impl Fn(f64, f64, f32, f64) -> f32 + Sync) -> Image {
        let mut image = Image::unknown(self.height, self.width);
        let (sum, squares) = (self.sum.par_chunks(BAND), self.squares.par_chunks(BAND));
        let bands = (image.values.par_chunks_mut(BAND), sum, squares, self.most.par_chunks(BAND));
        bands.into_par_iter().enumerate().for_each(|(band, (values, sum, squares, most))| {
            let pixels = values.iter_mut().zip(sum).zip(squares).zip(most);
            match self.missing.get(band * BAND..) {
                Some(missing) if !missing.is_empty() => {
                    for ((((value, sum), squares), most), missing) in pixels.zip(missing) {
                        *value = of(*sum, *squares, *most, f64::from(self.frames - missing));
                    }
                }
                _ => {
                    for (((value, sum), squares), most) in pixels {
                        *value = of(*sum, *squares, *most, f64::from(self.frames));
                    }
                }
            }
        });
        image
    }
}

/// Adds `from` to `to`, which is as long, and leaves `nothing` behind.
fn take_over<T: Copy + Send + Sync>(to: &mut [T], from: &mut [T], nothing: T, add: impl Fn(T, T) -> T + Sync) {
    to.par_chunks_mut(BAND).zip(from.par_chunks_mut(BAND)).for_each(|(to, from)| {
        for (to, from) in to.iter_mut().zip(from) {
            *to = add(*to, *from);
            *from = nothing;
        }
    });
}

fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

fn pick<'a, T>(frames: &[&'a Pixels], of: impl Fn(&'a Pixels) -> Option<&'a Vec<T>>) -> Vec<&'a [T]> {
    frames.iter().filter_map(|frame| of(frame)).map(Vec::as_slice).collect()
}

/// Whether the squares of so many samples of up to `largest` add up to 32 bits, each sample of 15 bits at most.
fn squares_are_small(largest: f64, frames: usize) -> bool {
    largest <= f64::from(i16::MAX) && largest * largest * frames as f64 <= f64::from(u32::MAX)
}

/// Sums of lifted samples over the frames of one batch, which 32 bits hold for as many as 2^16.
struct Band {
    sum: [u32; BAND],
    /// The lower 16 bits of the squares, added up; or the whole squares where those are small.
    low: [u32; BAND],
    /// The upper 16 bits of the squares, added up.
    high: [u32; BAND],
    most: [u16; BAND],
}

impl Band {
    fn new() -> Self {
        Self { sum: [0; BAND], low: [0; BAND], high: [0; BAND], most: [0; BAND] }
    }

    /// Adds the pixels of some frames, from the band's first one on.
    fn add<T: Narrow, const N: usize>(&mut self, frames: [&[T]; N], first: usize, small: bool) {
        let frames = frames.map(|frame| frame.get(first..).unwrap_or_default());
        if small { self.add_small(frames) } else { self.add_any(frames) }
    }

    fn add_small<T: Narrow, const N: usize>(&mut self, frames: [&[T]; N]) {
        let count = frames.iter().fold(BAND, |count, frame| count.min(frame.len()));
        let frames = frames.map(|frame| &frame[..count]);
        let (sum, squares, most) = (&mut self.sum[..count], &mut self.low[..count], &mut self.most[..count]);
        for i in 0..count {
            let samples = frames.map(|frame| frame[i].lifted());
            most[i] = samples.into_iter().fold(most[i], u16::max);
            // Changes nothing, and tells the compiler that a product of 16 bits serves.
            let samples = samples.map(|sample| u32::from(sample & 0x7fff));
            sum[i] += samples.into_iter().sum::<u32>();
            squares[i] += samples.into_iter().map(|sample| sample * sample).sum::<u32>();
        }
    }

    fn add_any<T: Narrow, const N: usize>(&mut self, frames: [&[T]; N]) {
        let count = frames.iter().fold(BAND, |count, frame| count.min(frame.len()));
        let frames = frames.map(|frame| &frame[..count]);
        let (sum, low) = (&mut self.sum[..count], &mut self.low[..count]);
        let (high, most) = (&mut self.high[..count], &mut self.most[..count]);
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

    /// Adds the sums of so many frames to those in float64, unlifted: (v + l)² − 2 l (v + l) + l² is v². All of them
    /// are integers below 2^53, so nothing is rounded.
    fn give<T: Narrow>(&self, frames: usize, sums: &mut [f64], squares: &mut [f64], most: &mut [f32]) {
        let (lift, frames) = (f64::from(T::LIFT), frames as f64);
        for (to, (sum, (low, high))) in squares.iter_mut().zip(self.sum.iter().zip(self.low.iter().zip(&self.high))) {
            let lifted = 65_536.0 * f64::from(*high) + f64::from(*low);
            *to += lifted - 2.0 * lift * f64::from(*sum) + lift * lift * frames;
        }
        for (to, sum) in sums.iter_mut().zip(&self.sum) {
            *to += f64::from(*sum) - lift * frames;
        }
        for (to, most) in most.iter_mut().zip(&self.most) {
            *to = larger(*to, f32::from(*most) - T::LIFT as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sum, sum of squares and maximum of each pixel, by integers of 128 bits.
    fn plainly(frames: &[Vec<i128>]) -> Vec<(i128, i128, i128)> {
        let of = |at: usize| frames.iter().map(move |frame| frame[at]);
        let pixel = |at| (of(at).sum(), of(at).map(|v| v * v).sum(), of(at).max().unwrap());
        (0..frames[0].len()).map(pixel).collect()
    }

    fn agrees<T: Narrow + Into<i128>>(frames: &[Vec<T>], wrap: fn(Vec<T>) -> Pixels) -> bool {
        let pixels: Vec<Pixels> = frames.iter().map(|frame| wrap(frame.clone())).collect();
        let plain: Vec<Vec<i128>> = frames.iter().map(|frame| frame.iter().map(|s| (*s).into()).collect()).collect();
        let largest = plain.iter().flatten().max().map_or(0.0, |most| *most as f64);
        let mut sums = Sums::new(1, frames[0].len());
        sums.add(&pixels.iter().collect::<Vec<_>>(), 0.0, largest);
        let found = sums.sum.iter().zip(&sums.squares).zip(&sums.most);
        let found: Vec<_> = found.map(|((sum, squares), most)| (*sum as i128, *squares as i128, *most as i128)).collect();
        found == plainly(&plain)
    }

    proptest! {
        #[test]
        fn squares_are_exact_for_any_values(
            width in 1_usize..40, count in 1_usize..64, values in prop::collection::vec(any::<u16>(), 40 * 64), mask in any::<u16>(),
        ) {
            let frames: Vec<Vec<u16>> = values.chunks(40).take(count).map(|f| f[..width].iter().map(|v| v & mask).collect()).collect();
            fn cast<T>(frames: &[Vec<u16>], to: impl Fn(u16) -> T) -> Vec<Vec<T>> {
                frames.iter().map(|frame| frame.iter().map(|v| to(*v)).collect()).collect()
            }
            prop_assert!(agrees(&frames, Pixels::U16));
            prop_assert!(agrees(&cast(&frames, |v| v >> 4), Pixels::U16));
            prop_assert!(agrees(&cast(&frames, u16::cast_signed), Pixels::I16));
            prop_assert!(agrees(&cast(&frames, |v| v as u8), Pixels::U8));
            prop_assert!(agrees(&cast(&frames, |v| v as i8), Pixels::I8));
        }
    }

    #[test]
    fn squares_of_the_largest_values_are_exact() {
        for (most, frames) in [(u16::MAX, 64), (8191, 64), (8192, 64), (11_585, 32), (32_767, 4), (32_768, 4)] {
            assert!(agrees(&vec![vec![most; BAND + 3]; frames], Pixels::U16), "{frames} of {most}");
        }
        assert!(agrees(&vec![vec![i16::MIN; 3]; 64], Pixels::I16));
    }
}
