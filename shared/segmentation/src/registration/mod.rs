//! Rigid registration: every frame moved, by whole pixels, onto a reference made of the recording itself.

mod fft2;
mod phase;
mod quality;
mod reference;

use crate::movie::{RegisteredMovie, chunk_frames};
use crate::numeric::Plane;
use crate::pipeline::Watch;
use crate::{FrameSource, SegmentError, Stage};
use fft2::Fft2;
use phase::{Aligner, Shift, moved};
use rayon::prelude::*;

/// Frames the reference is made of, at most.
const REFERENCE_FRAMES: usize = 240;
/// Memory those frames may take, bytes.
const REFERENCE_BYTES: usize = 256 << 20;

/// What registration found, images row-major.
pub(crate) struct Registered {
    pub(crate) first: Vec<f32>,
    pub(crate) reference: Vec<f32>,
    pub(crate) mean_raw: Vec<f32>,
    pub(crate) yoff: Vec<f32>,
    pub(crate) xoff: Vec<f32>,
    pub(crate) corr: Vec<f32>,
    pub(crate) bad: Vec<bool>,
    pub(crate) yrange: (usize, usize),
    pub(crate) xrange: (usize, usize),
}

/// Registers the whole recording into `movie`.
pub(crate) fn register(
    source: &mut dyn FrameSource,
    movie: &mut RegisteredMovie,
    watch: &Watch,
) -> Result<Registered, SegmentError> {
    let (height, width) = source.shape();
    let plane = Plane { height, width };
    let fft = Fft2::new(plane);
    let sample = reference_sample(source, plane, watch)?;
    let image = if sample.is_empty() {
        vec![0.0; plane.pixels()]
    } else {
        reference::reference(&fft, plane, &sample, |done, total| {
            watch.step(Stage::Reference, done, total);
        })
    };
    drop(sample);
    let aligner = Aligner::new(&fft, plane, &image);
    let moved = move_all(source, movie, &aligner, plane, watch)?;
    let bad = quality::bad_frames(&moved.shifts, &moved.blank);
    let [yrange, xrange] = quality::common_view(&moved.shifts, &bad, plane);
    let n = moved.shifts.len() as f64;
    Ok(Registered {
        first: moved.first,
        reference: image,
        mean_raw: moved.sum.iter().map(|s| (s / n) as f32).collect(),
        yoff: moved.shifts.iter().map(|s| s.y as f32).collect(),
        xoff: moved.shifts.iter().map(|s| s.x as f32).collect(),
        corr: moved.shifts.iter().map(|s| s.corr).collect(),
        bad,
        yrange,
        xrange,
    })
}

/// Evenly spaced frames that show something.
fn reference_sample(source: &mut dyn FrameSource, plane: Plane, watch: &Watch) -> Result<Vec<Vec<f32>>, SegmentError> {
    let total = source.frames();
    let fit = (REFERENCE_BYTES / (4 * plane.pixels())).max(16);
    let count = REFERENCE_FRAMES.min(fit).min(total);
    let mut frames = Vec::with_capacity(count);
    for i in 0..count {
        watch.check()?;
        let mut frame = vec![0.0; plane.pixels()];
        read_clean(source, i * total / count, &mut frame)?;
        if !is_blank(&frame) {
            frames.push(frame);
        }
    }
    Ok(frames)
}

struct Moved {
    first: Vec<f32>,
    sum: Vec<f64>,
    shifts: Vec<Shift>,
    blank: Vec<bool>,
}

fn move_all(
    source: &mut dyn FrameSource,
    movie: &mut RegisteredMovie,
    aligner: &Aligner,
    plane: Plane,
    watch: &Watch,
) -> Result<Moved, SegmentError> {
    let (total, pixels) = (source.frames(), plane.pixels());
    let chunk = chunk_frames(pixels);
    let mut raw = vec![0.0f32; chunk.min(total) * pixels];
    let mut registered = vec![0.0f32; raw.len()];
    let mut all =
        Moved { first: Vec::new(), sum: vec![0.0; pixels], shifts: Vec::with_capacity(total), blank: Vec::with_capacity(total) };
    for start in (0..total).step_by(chunk) {
        watch.step(Stage::Registration, start, total);
        watch.check()?;
        let count = chunk.min(total - start);
        let raw = &mut raw[..count * pixels];
        for (i, frame) in raw.chunks_exact_mut(pixels).enumerate() {
            read_clean(source, start + i, frame)?;
        }
        if start == 0 {
            all.first = raw[..pixels].to_vec();
        }
        let found = align_chunk(raw, &mut registered[..count * pixels], aligner, plane);
        add_frames(raw, pixels, &mut all.sum);
        for frame in registered.chunks_exact(pixels).take(count) {
            movie.push(frame)?;
        }
        all.blank.extend(found.iter().map(Option::is_none));
        all.shifts.extend(found.iter().map(|s| s.unwrap_or_default()));
    }
    Ok(all)
}

/// Shifts of a chunk of frames, which are moved into `out`; none for a blank frame, which stays where it is.
fn align_chunk(raw: &[f32], out: &mut [f32], aligner: &Aligner, plane: Plane) -> Vec<Option<Shift>> {
    let pairs = raw.par_chunks_exact(plane.pixels()).zip(out.par_chunks_exact_mut(plane.pixels()));
    pairs
        .map_init(
            || aligner.workspace(),
            |work, (frame, out)| {
                let shift = (!is_blank(frame)).then(|| aligner.shift(frame, work));
                moved(frame, plane, shift.unwrap_or_default(), out);
                shift
            },
        )
        .collect()
}

/// Adds every frame to `sum`, each pixel in frame order whatever the number of threads.
pub(crate) fn add_frames(frames: &[f32], pixels: usize, sum: &mut [f64]) {
    const BLOCK: usize = 4096;
    sum.par_chunks_mut(BLOCK).enumerate().for_each(|(b, sums)| {
        for frame in frames.chunks_exact(pixels) {
            let part = &frame[b * BLOCK..b * BLOCK + sums.len()];
            sums.iter_mut().zip(part).for_each(|(s, &v)| *s += f64::from(v));
        }
    });
}

/// Reads a frame; what is not a number, or infinite, is read as 0.
fn read_clean(source: &mut dyn FrameSource, index: usize, out: &mut [f32]) -> Result<(), SegmentError> {
    source.read(index, out)?;
    for v in out.iter_mut().filter(|v| !v.is_finite()) {
        *v = 0.0;
    }
    Ok(())
}

fn is_blank(frame: &[f32]) -> bool {
    frame.iter().all(|&v| v == frame[0])
}
