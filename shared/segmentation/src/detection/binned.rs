//! One pass over the registered movie: its images, and the binned movie detection works on.

use crate::checkpoint::{Point, Trail};
use crate::movie::{RegisteredMovie, chunk_frames};
use crate::numeric::Plane;
use crate::pipeline::Watch;
use crate::registration::{self, Registered};
use crate::{Params, SegmentError, Stage};
use rayon::prelude::*;

/// Most bins held in memory.
const MAX_BINS: usize = 2000;
/// Most memory for them, bytes.
const MAX_BYTES: usize = 400 << 20;
/// A short recording is cut into about this many bins, even if they are shorter than the indicator's decay.
const WANTED_BINS: usize = 64;
/// Pixels a worker takes at a time: their sums stay in its nearest cache.
const BLOCK: usize = 1024;
/// Frames summed in single precision before the sum goes into one of double precision.
const SHORT: usize = 16;

/// Images of the registered good frames, whole frame, row-major.
pub(crate) struct Images {
    pub(crate) mean: Vec<f32>,
    pub(crate) max: Vec<f32>,
    pub(crate) sd: Vec<f32>,
}

/// Binned movie of the common view; bin by bin, row-major.
pub(crate) struct Binned {
    pub(crate) plane: Plane,
    pub(crate) bins: usize,
    /// Frames a bin holds.
    pub(crate) frames: usize,
    pub(crate) data: Vec<f32>,
    /// Noise of each pixel, raw units; filled by the normalisation.
    pub(crate) noise: Vec<f32>,
}

impl Binned {
    pub(crate) fn bin(&self, t: usize) -> &[f32] {
        let n = self.plane.pixels();
        &self.data[t * n..(t + 1) * n]
    }
}

/// Frames per bin: the decay time of the indicator, less for short recordings, more where memory asks for it.
pub(crate) fn bin_frames(good: usize, crop_pixels: usize, params: &Params) -> usize {
    let decay = libm::round(params.tau_s * params.frame_rate_hz).max(1.0) as usize;
    let wanted = decay.min((good / WANTED_BINS).max(1));
    let fit = (MAX_BYTES / (4 * crop_pixels.max(1))).clamp(1, MAX_BINS);
    wanted.max(good.div_ceil(fit))
}

/// Running sums of one pass, of the differences to a centre.
struct Sums {
    mean: Vec<f64>,
    square: Vec<f64>,
    bin: Vec<f64>,
    /// Frames in `bin` so far.
    filled: usize,
    max: Vec<f32>,
}

/// Reads the movie once. Without a single good frame every frame counts for the images and there are no bins.
pub(crate) fn bin_movie(
    movie: &mut RegisteredMovie<'_>,
    registered: &Registered,
    plane: Plane,
    params: &Params,
    (watch, trail): (&Watch, &mut Trail<'_>),
) -> Result<(Images, Binned), SegmentError> {
    let (y, x) = (registered.yrange, registered.xrange);
    let crop = Plane { height: y.1 - y.0, width: x.1 - x.0 };
    let good = registered.bad.iter().filter(|b| !**b).count();
    let size = bin_frames(good, crop.pixels(), params);
    let mut sums = Sums::new(plane.pixels());
    let mut data = Vec::with_capacity(good / size * crop.pixels());
    let mut keep = |mean: &[f32]| {
        let rows = mean.chunks_exact(plane.width).take(y.1).skip(y.0);
        rows.take(if good > 0 { crop.height } else { 0 }).for_each(|r| data.extend_from_slice(&r[x.0..x.1]));
    };
    let (pixels, total) = (plane.pixels(), movie.len());
    let chunk = chunk_frames(pixels).min(total);
    let mut buffer = vec![0.0f32; chunk * pixels];
    let usable: Vec<bool> = registered.bad.iter().map(|b| good == 0 || !b).collect();
    for start in (0..total).step_by(chunk) {
        watch.step(Stage::Detection, start, 2 * total);
        watch.check()?;
        // Sums and bins are too large to be kept; what came before is not.
        if trail.due(Point::Within) {
            registration::keep(trail, registered, movie.path())?;
        }
        let count = chunk.min(total - start);
        movie.read(start, &mut buffer[..count * pixels])?;
        let usable = &usable[start..start + count];
        sums.take(&buffer, usable, size, &registered.reference, &mut keep);
    }
    let images = sums.images(if good == 0 { total } else { good }, &registered.reference);
    let binned = Binned { plane: crop, bins: data.len() / crop.pixels(), frames: size, data, noise: Vec::new() };
    Ok((images, binned))
}

impl Sums {
    fn new(pixels: usize) -> Self {
        Self {
            mean: vec![0.0; pixels],
            square: vec![0.0; pixels],
            bin: vec![0.0; pixels],
            filled: 0,
            max: vec![f32::MIN; pixels],
        }
    }

    /// Adds the usable ones of `frames`; `keep` gets the mean of every bin that becomes full.
    fn take(&mut self, frames: &[f32], usable: &[bool], size: usize, centre: &[f32], keep: &mut impl FnMut(&[f32])) {
        let pixels = centre.len();
        let mut at = 0;
        while at < usable.len() {
            let room = (size - self.filled).min(usable.len() - at);
            let run = usable[at..at + room].iter().take_while(|u| **u).count();
            self.add(&frames[at * pixels..(at + run) * pixels], centre);
            self.filled += run;
            // A run ends at the end of the bin or before a bad frame, which is stepped over.
            at += run.max(1);
            if self.filled == size {
                self.close_bin(centre, keep);
            }
        }
    }

    /// Adds frames, each pixel in frame order; differences to `centre` keep the squares small.
    fn add(&mut self, frames: &[f32], centre: &[f32]) {
        let pixels = centre.len();
        let blocks = (self.mean.par_chunks_mut(BLOCK)).zip(self.square.par_chunks_mut(BLOCK)).zip(self.bin.par_chunks_mut(BLOCK));
        blocks.enumerate().for_each(|(b, ((mean, square), bin))| {
            let range = b * BLOCK..b * BLOCK + mean.len();
            for short in frames.chunks(SHORT * pixels) {
                let (mut once, mut twice) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
                for frame in short.chunks_exact(pixels) {
                    let part = frame[range.clone()].iter().zip(&centre[range.clone()]);
                    for ((once, twice), (v, c)) in once.iter_mut().zip(&mut twice).zip(part) {
                        let d = v - c;
                        *once += d;
                        *twice += d * d;
                    }
                }
                let sums = mean.iter_mut().zip(square.iter_mut()).zip(bin.iter_mut());
                for (((mean, square), bin), (once, twice)) in sums.zip(once.iter().zip(&twice)) {
                    *mean += f64::from(*once);
                    *bin += f64::from(*once);
                    *square += f64::from(*twice);
                }
            }
        });
    }

    fn close_bin(&mut self, centre: &[f32], keep: &mut impl FnMut(&[f32])) {
        let n = self.filled as f64;
        let mean: Vec<f32> = self.bin.iter().zip(centre).map(|(s, c)| (f64::from(*c) + s / n) as f32).collect();
        self.max.iter_mut().zip(&mean).for_each(|(m, &v)| *m = m.max(v));
        self.bin.fill(0.0);
        self.filled = 0;
        keep(&mean);
    }

    fn images(self, frames: usize, centre: &[f32]) -> Images {
        let n = frames.max(1) as f64;
        let spread = |(s, q): (&f64, &f64)| (q / n - (s / n) * (s / n)).max(0.0).sqrt().min(f64::from(f32::MAX)) as f32;
        let mean = |(s, c): (&f64, &f32)| (f64::from(*c) + s / n) as f32;
        let mean: Vec<f32> = self.mean.iter().zip(centre).map(mean).collect();
        // Fewer frames than one bin leave no maximum; the mean is the best that is known.
        let max = self.max.iter().zip(&mean).map(|(&m, &v)| m.max(v));
        Images { max: max.collect(), sd: self.mean.iter().zip(&self.square).map(spread).collect(), mean }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_follow_the_decay_and_never_exceed_memory() {
        let params = Params { tau_s: 1.0, frame_rate_hz: 30.0, ..Params::default() };
        assert_eq!(bin_frames(100_000, 1 << 14, &params), 50);
        assert_eq!(bin_frames(10_000, 1 << 14, &params), 30);
        assert_eq!(bin_frames(800, 1 << 14, &params), 12);
        assert_eq!(bin_frames(2, 1 << 14, &params), 1);
        let bins = 1_000_000 / bin_frames(1_000_000, 1 << 22, &params);
        assert!(bins * (4 << 22) <= MAX_BYTES);
    }
}
