//! Running maximum, mean and standard deviation of one plane.
//!
//! Sums are of samples minus a shift common to the plane, in float64. Samples of up to 16 bits are first added up as
//! integers over a batch, so their sums are exact (up to 2^53); others lose nothing to a large offset because of the shift.

use dropscope_recording::Pixels;
use rayon::prelude::*;

use crate::image::Image;
use crate::survey::Projections;

/// Pixels that are taken through all frames of a batch at once: their sums stay in the first cache.
const BAND: usize = 2048;

/// Sums over some frames of one plane.
pub(crate) struct Sums {
    height: usize,
    width: usize,
    frames: u32,
    /// Subtracted from each sample before it is added.
    shift: Option<f64>,
    pixels: Vec<Pixel>,
}

/// Sums of one pixel.
#[derive(Clone, Copy)]
struct Pixel {
    sum: f64,
    squares: f64,
    most: f32,
    missing: u32,
}

const NOTHING: Pixel = Pixel { sum: 0.0, squares: 0.0, most: f32::NEG_INFINITY, missing: 0 };

impl Sums {
    pub(crate) fn new(height: usize, width: usize) -> Self {
        Self { height, width, frames: 0, shift: None, pixels: vec![NOTHING; height * width] }
    }

    /// Adds frames in the order of time; all of one type.
    pub(crate) fn add(&mut self, frames: &[&Pixels], near: f64) {
        self.frames += frames.len() as u32;
        match frames.first() {
            Some(Pixels::U8(_)) => self.add_narrow(&pick(frames, |p| if let Pixels::U8(v) = p { Some(v) } else { None })),
            Some(Pixels::I8(_)) => self.add_narrow(&pick(frames, |p| if let Pixels::I8(v) = p { Some(v) } else { None })),
            Some(Pixels::U16(_)) => self.add_narrow(&pick(frames, |p| if let Pixels::U16(v) = p { Some(v) } else { None })),
            Some(Pixels::I16(_)) => self.add_narrow(&pick(frames, |p| if let Pixels::I16(v) = p { Some(v) } else { None })),
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

    fn add_narrow<T: Narrow>(&mut self, frames: &[&[T]]) {
        self.shift = Some(0.0);
        self.pixels.par_chunks_mut(BAND).enumerate().for_each(|(band, pixels)| {
            let mut sum = [0_i32; BAND];
            let mut squares = [0_u64; BAND];
            let mut most = [T::LEAST; BAND];
            for frame in frames {
                let samples = frame.get(band * BAND..).unwrap_or_default();
                for (((sample, sum), squares), most) in samples.iter().zip(&mut sum).zip(&mut squares).zip(&mut most) {
                    *sum += (*sample).into();
                    let size = u64::from(sample.size());
                    *squares += size * size;
                    *most = (*most).max(*sample);
                }
            }
            for (((pixel, sum), squares), most) in pixels.iter_mut().zip(sum).zip(squares).zip(most) {
                pixel.sum += f64::from(sum);
                pixel.squares += squares as f64;
                pixel.most = pixel.most.max(most.into() as f32);
            }
        });
    }

    fn add_wide<T: Copy + Sync>(&mut self, frames: &[&[T]], near: f64, to_f64: impl Fn(T) -> f64 + Sync) {
        let shift = *self.shift.get_or_insert(near);
        self.pixels.par_chunks_mut(BAND).enumerate().for_each(|(band, pixels)| {
            for frame in frames {
                for (pixel, sample) in pixels.iter_mut().zip(frame.get(band * BAND..).unwrap_or_default()) {
                    let value = to_f64(*sample);
                    if value.is_finite() {
                        pixel.sum += value - shift;
                        pixel.squares += (value - shift) * (value - shift);
                        pixel.most = pixel.most.max(value as f32);
                    } else {
                        pixel.missing += 1;
                    }
                }
            }
        });
    }

    /// Adds a window to the whole and empties it.
    pub(crate) fn absorb(&mut self, window: &mut Self) {
        self.frames += window.frames;
        self.shift = self.shift.or(window.shift);
        self.pixels.par_chunks_mut(BAND).zip(window.pixels.par_chunks_mut(BAND)).for_each(|(to, from)| {
            for (to, from) in to.iter_mut().zip(from) {
                to.sum += from.sum;
                to.squares += from.squares;
                to.most = to.most.max(from.most);
                to.missing += from.missing;
                *from = NOTHING;
            }
        });
        window.frames = 0;
    }

    /// The projections of all frames so far; unknown where no sample was finite.
    pub(crate) fn projections(&self) -> Projections {
        let image = |of: fn(&Self, &Pixel) -> f64| Image {
            height: self.height,
            width: self.width,
            values: self.pixels.par_iter().map(|pixel| of(self, pixel) as f32).collect(),
        };
        Projections { mean: image(Self::mean), max: image(Self::max), sd: image(Self::sd) }
    }

    fn count(&self, pixel: &Pixel) -> f64 {
        f64::from(self.frames - pixel.missing)
    }

    fn mean(&self, pixel: &Pixel) -> f64 {
        // Without samples this is 0 / 0: not a number.
        self.shift.unwrap_or(0.0) + pixel.sum / self.count(pixel)
    }

    fn max(&self, pixel: &Pixel) -> f64 {
        if self.count(pixel) > 0.0 { f64::from(pixel.most) } else { f64::NAN }
    }

    fn sd(&self, pixel: &Pixel) -> f64 {
        let count = self.count(pixel);
        if count == 0.0 {
            return f64::NAN;
        }
        ((pixel.squares - pixel.sum * (pixel.sum / count)) / count).max(0.0).sqrt()
    }
}

fn pick<'a, T>(frames: &[&'a Pixels], of: impl Fn(&'a Pixels) -> Option<&'a Vec<T>>) -> Vec<&'a [T]> {
    frames.iter().filter_map(|frame| of(frame)).map(Vec::as_slice).collect()
}

/// Samples whose squares fit 32 bits.
trait Narrow: Copy + Ord + Into<i32> + Send + Sync {
    const LEAST: Self;
    /// Distance from 0.
    fn size(self) -> u32;
}

impl Narrow for u8 {
    const LEAST: Self = Self::MIN;
    fn size(self) -> u32 {
        u32::from(self)
    }
}

impl Narrow for i8 {
    const LEAST: Self = Self::MIN;
    fn size(self) -> u32 {
        u32::from(self.unsigned_abs())
    }
}

impl Narrow for u16 {
    const LEAST: Self = Self::MIN;
    fn size(self) -> u32 {
        u32::from(self)
    }
}

impl Narrow for i16 {
    const LEAST: Self = Self::MIN;
    fn size(self) -> u32 {
        u32::from(self.unsigned_abs())
    }
}
