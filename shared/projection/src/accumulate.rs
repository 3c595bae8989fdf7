//! Running maximum, mean and standard deviation of one plane.
//!
//! Samples of up to 16 bits are added up as integers over a window, so that their sums are exact (in float64 up to 2^53).
//! Of others the sums are of samples minus a shift common to the plane, which loses nothing to a large offset.

use dropscope_recording::Pixels;
use rayon::prelude::*;

use crate::image::Image;
use crate::narrow::Narrow;
use crate::survey::Projections;
use crate::tally::Tally;

/// Pixels that are taken through all frames of a batch at once: their sums stay in the first cache.
pub(crate) const BAND: usize = 2048;

/// Sums over some frames of one plane, pixel by pixel.
pub(crate) struct Sums {
    height: usize,
    width: usize,
    frames: u32,
    /// Subtracted from each sample before it is added.
    shift: Option<f64>,
    /// These take memory once there are frames.
    sum: Vec<f64>,
    squares: Vec<f64>,
    most: Vec<f32>,
    /// Samples that were not finite; empty as long as the type has none.
    missing: Vec<u32>,
}

/// The sums of some pixels.
pub(crate) struct SumsBand<'a> {
    pub(crate) sum: &'a mut [f64],
    pub(crate) squares: &'a mut [f64],
    pub(crate) most: &'a mut [f32],
}

/// Sums over the frames of one window.
pub(crate) struct Window {
    tally: Tally,
    /// What the tally cannot take: samples of more bits, and frames of very long windows.
    sums: Sums,
}

impl Window {
    pub(crate) fn new(height: usize, width: usize) -> Self {
        Self { tally: Tally::default(), sums: Sums::new(height, width) }
    }

    /// Adds frames in the order of time, all of one type. `near` is the mean of one of them, or near it.
    pub(crate) fn add(&mut self, frames: &[&Pixels], near: f64) {
        match frames.first() {
            Some(Pixels::U8(_)) => self.add_narrow::<u8>(frames),
            Some(Pixels::I8(_)) => self.add_narrow::<i8>(frames),
            Some(Pixels::U16(_)) => self.add_narrow::<u16>(frames),
            Some(Pixels::I16(_)) => self.add_narrow::<i16>(frames),
            _ => self.sums.add(frames, near),
        }
    }

    fn add_narrow<T: Narrow>(&mut self, frames: &[&Pixels]) {
        let frames: Vec<&[T]> = frames.iter().filter_map(|pixels| T::of(pixels)).collect();
        if !self.tally.has_room(frames.len()) {
            self.tally.close(&mut self.sums);
        }
        self.tally.add(&frames, self.sums.pixels());
    }

    /// Adds the window to the whole and empties it. Returns its maximum and its standard deviation.
    pub(crate) fn close(&mut self, whole: &mut Sums) -> (Image, Image) {
        if self.sums.frames == 0 {
            return self.tally.close(whole);
        }
        self.tally.close(&mut self.sums);
        let images = (self.sums.max(), self.sums.sd());
        whole.absorb(&mut self.sums);
        images
    }
}

impl Sums {
    pub(crate) fn new(height: usize, width: usize) -> Self {
        let (sum, squares, most, missing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { height, width, frames: 0, shift: None, sum, squares, most, missing }
    }

    fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// An image of this size.
    pub(crate) fn unknown(&self) -> Image {
        Image::unknown(self.height, self.width)
    }

    /// Counts frames whose samples, minus `shift` unless there was another, are about to be added to the bands.
    pub(crate) fn grow(&mut self, frames: u32, shift: f64) -> impl IndexedParallelIterator<Item = SumsBand<'_>> {
        let pixels = self.pixels();
        self.frames += frames;
        self.shift.get_or_insert(shift);
        self.sum.resize(pixels, 0.0);
        self.squares.resize(pixels, 0.0);
        self.most.resize(pixels, f32::NEG_INFINITY);
        let bands = (self.sum.par_chunks_mut(BAND), self.squares.par_chunks_mut(BAND), self.most.par_chunks_mut(BAND));
        bands.into_par_iter().map(|(sum, squares, most)| SumsBand { sum, squares, most })
    }

    /// Adds frames of samples of more than 16 bits.
    fn add(&mut self, frames: &[&Pixels], near: f64) {
        match frames.first() {
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
            _ => {}
        }
    }

    fn add_wide<T: Copy + Sync>(&mut self, frames: &[&[T]], near: f64, to_f64: impl Fn(T) -> f64 + Sync) {
        let shift = *self.shift.get_or_insert(near);
        let mut missing = std::mem::take(&mut self.missing);
        missing.resize(self.pixels(), 0);
        let bands = self.grow(frames.len() as u32, near).zip(missing.par_chunks_mut(BAND));
        bands.enumerate().for_each(|(number, (band, missing))| {
            for frame in frames {
                let samples = frame.get(number * BAND..).unwrap_or_default();
                let sums = band.sum.iter_mut().zip(&mut *band.squares).zip(&mut *band.most);
                for ((((sum, squares), most), missing), sample) in sums.zip(&mut *missing).zip(samples) {
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
        self.missing = missing;
    }

    /// Adds the sums of a window, which are emptied.
    fn absorb(&mut self, window: &mut Self) {
        let Some(shift) = window.shift else { return };
        drop(self.grow(window.frames, shift));
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
    fn max(&self) -> Image {
        self.image(|_, _, most, count| if count > 0.0 { most } else { f32::NAN })
    }

    /// The standard deviation of all frames so far.
    fn sd(&self) -> Image {
        self.image(|sum, squares, _, count| {
            // Without samples this would be 0: the larger of 0 and what is not a number.
            if count > 0.0 { deviation(sum, squares, count) } else { f32::NAN }
        })
    }

    /// Works out each pixel from its sum, its squares, its maximum and the number of its samples.
    fn image(&self, of: impl Fn(f64, f64, f32, f64) -> f32 + Sync) -> Image {
        let mut image = self.unknown();
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

/// The standard deviation of `count` samples from their sum and that of their squares.
pub(crate) fn deviation(sum: f64, squares: f64, count: f64) -> f32 {
    ((squares - sum * (sum / count)) / count).max(0.0).sqrt() as f32
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

pub(crate) fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

fn pick<'a, T>(frames: &[&'a Pixels], of: impl Fn(&'a Pixels) -> Option<&'a Vec<T>>) -> Vec<&'a [T]> {
    frames.iter().filter_map(|frame| of(frame)).map(Vec::as_slice).collect()
}
