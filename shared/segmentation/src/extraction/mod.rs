//! Fluorescence of every ROI and of its surround, frame by frame.

mod kept;
mod surround;

use crate::detection::Found;
use crate::movie::{RegisteredMovie, chunk_frames};
use crate::numeric::Plane;
use crate::pipeline::Watch;
use crate::{SegmentError, Stage};
#[cfg(any(test, fuzzing))]
pub(crate) use kept::read;
pub(crate) use kept::{keep, load};
use ndarray::Array2;
use rayon::prelude::*;
pub(crate) use surround::{View, surrounds};

/// Which pixels a trace is made of, and with what share; the shares sum to 1.
pub(crate) struct Weights {
    pixels: Vec<usize>,
    shares: Vec<f64>,
}

impl Weights {
    /// Shares of `found`: its weights over the pixels no other ROI has, over all of them when it has none alone.
    pub(crate) fn of_roi(found: &Found, overlap: &[bool]) -> Self {
        let alone = overlap.iter().any(|o| !o);
        let chosen: Vec<usize> = (0..found.pixels.len()).filter(|&i| !alone || !overlap[i]).collect();
        let sum: f64 = chosen.iter().map(|&i| f64::from(found.lam[i])).sum();
        Self {
            pixels: chosen.iter().map(|&i| found.pixels[i]).collect(),
            shares: chosen.iter().map(|&i| f64::from(found.lam[i]) / sum).collect(),
        }
    }

    /// Equal shares of `pixels`; no pixels give a trace of zeros.
    pub(crate) fn equal(pixels: Vec<usize>) -> Self {
        let share = 1.0 / pixels.len().max(1) as f64;
        Self { shares: vec![share; pixels.len()], pixels }
    }

    fn apply(&self, frame: &[f32]) -> f32 {
        let pairs = self.pixels.iter().zip(&self.shares);
        pairs.map(|(&i, s)| s * f64::from(frame[i])).sum::<f64>() as f32
    }
}

/// Which pixels of each ROI another one has too.
pub(crate) fn overlaps(found: &[Found], plane: Plane) -> Vec<Vec<bool>> {
    let mut owners = vec![0u32; plane.pixels()];
    found.iter().flat_map(|f| &f.pixels).for_each(|&i| owners[i] += 1);
    let shared = |f: &Found| f.pixels.iter().map(|&i| owners[i] > 1).collect();
    found.iter().map(shared).collect()
}

/// Traces as far as they are known: all of them, the first frames.
pub(crate) struct Known {
    /// One row per trace, one column per frame of the recording.
    pub(crate) traces: Array2<f32>,
    /// How many columns are known.
    pub(crate) frames: usize,
}

/// Takes the traces on to the last frame, one row per entry of `weights`; `each` is shown them after every few frames.
pub(crate) fn traces(
    movie: &mut RegisteredMovie<'_>,
    plane: Plane,
    weights: &[Weights],
    mut known: Known,
    watch: &Watch,
    mut each: impl FnMut(&RegisteredMovie<'_>, &Known) -> Result<(), SegmentError>,
) -> Result<Array2<f32>, SegmentError> {
    let (total, pixels) = (movie.len(), plane.pixels());
    if weights.is_empty() {
        return Ok(known.traces);
    }
    let chunk = chunk_frames(pixels);
    let mut buffer = vec![0.0f32; chunk.min(total) * pixels];
    for start in (known.frames..total).step_by(chunk) {
        watch.step(Stage::Extraction, start, total);
        watch.check()?;
        let count = chunk.min(total - start);
        movie.read(start, &mut buffer[..count * pixels])?;
        let columns: Vec<Vec<f32>> = buffer[..count * pixels]
            .par_chunks_exact(pixels)
            .map(|frame| weights.iter().map(|w| w.apply(frame)).collect())
            .collect();
        for (t, column) in columns.iter().enumerate() {
            for (k, &v) in column.iter().enumerate() {
                known.traces[[k, start + t]] = v;
            }
        }
        known.frames = start + count;
        each(movie, &known)?;
    }
    Ok(known.traces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pixels: &[usize], lam: &[f32]) -> Found {
        Found { pixels: pixels.to_vec(), lam: lam.to_vec(), halo: 0.0 }
    }

    #[test]
    fn shared_pixels_do_not_speak_unless_there_are_no_others() {
        let plane = Plane { height: 1, width: 4 };
        let rois = [found(&[0, 1, 2], &[1.0, 3.0, 9.0]), found(&[2], &[5.0])];
        let shared = overlaps(&rois, plane);
        assert_eq!(shared, [vec![false, false, true], vec![true]]);
        let frame = [4.0, 8.0, 100.0, 0.0];
        assert_eq!(Weights::of_roi(&rois[0], &shared[0]).apply(&frame), 7.0);
        assert_eq!(Weights::of_roi(&rois[1], &shared[1]).apply(&frame), 100.0);
        assert_eq!(Weights::equal(vec![]).apply(&frame), 0.0);
    }
}
