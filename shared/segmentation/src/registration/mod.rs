//! Registration: every part of every frame moved onto a reference made of the recording itself.
//!
//! 1. The reference: sample frames, moved as a whole by phase correlation, averaged; then in every part.
//! 2. One look at all frames: where each lies as a whole, then the displacement of every node of a grid.
//! 3. What the series knows and no frame does: noise is taken out of the displacements.
//!
//! The frames themselves are moved when they are looked at ([`crate::movie`]).

mod blocks;
mod brightness;
mod coarse;
mod fft2;
mod grid;
mod kept;
mod modes;
mod normal;
mod phase;
mod quality;
mod reference;
mod refine;
mod template;
mod turned;
mod warp;

use crate::checkpoint::{Point, Trail};
use crate::movie::chunk_frames;
use crate::numeric::Plane;
use crate::pipeline::Watch;
use crate::{FrameSource, Note, SegmentError, Stage};
pub(crate) use blocks::Blocks;
use brightness::{Brightness, Level};
use coarse::CoarsePlan;
use grid::{Field, Grid};
pub(crate) use kept::keep;
#[cfg(any(test, fuzzing))]
pub(crate) use kept::read_each;
use phase::Shift;
use rayon::prelude::*;
use template::Template;
pub(crate) use turned::{Gains, Turn};
pub(crate) use warp::warp;

/// Frames the reference is made of, at most.
const REFERENCE_FRAMES: usize = 240;
/// Frames of them read between two looks whether to stop.
const SAMPLED_AT_ONCE: usize = 16;
/// Memory those frames may take, bytes.
const REFERENCE_BYTES: usize = 256 << 20;

/// What registration found, images row-major.
pub(crate) struct Registered {
    pub(crate) first: Vec<f32>,
    pub(crate) reference: Vec<f32>,
    pub(crate) mean_raw: Vec<f32>,
    pub(crate) yoff: Vec<f32>,
    pub(crate) xoff: Vec<f32>,
    pub(crate) blocks: Blocks,
    pub(crate) corr: Vec<f32>,
    pub(crate) bad: Vec<bool>,
    pub(crate) yrange: (usize, usize),
    pub(crate) xrange: (usize, usize),
    /// Where the brightness of the frames was turned, in order.
    pub(crate) turns: Vec<Turn>,
    /// What had to go another way than usual.
    pub(crate) fallback: Option<Note>,
}

/// Where every part of every frame lies, and how bright it is.
pub(crate) struct Path {
    pub(crate) grid: Grid,
    pub(crate) fields: Vec<Field>,
    pub(crate) gains: Gains,
}

/// What registration found, without what follows from it.
struct Found {
    first: Vec<f32>,
    reference: Vec<f32>,
    mean_raw: Vec<f32>,
    corr: Vec<f32>,
    bad: Vec<bool>,
    fallback: Option<Note>,
    gains: Gains,
    fields: Vec<Field>,
}

/// Registers the whole recording, or as much of it as the trail does not know.
pub(crate) fn register(
    source: &mut dyn FrameSource,
    watch: &Watch,
    trail: &mut Trail<'_>,
) -> Result<(Registered, Path), SegmentError> {
    let (height, width) = source.shape();
    let (grid, frames) = (Grid::new(Plane { height, width }), source.frames());
    if let Some(found) = kept::load(trail, &grid, frames) {
        trail.resumed(Stage::Registration, (frames, frames), sampled(frames, grid.plane) + frames);
        return Ok(told(grid, found));
    }
    let plan = CoarsePlan::new(grid.plane);
    let known = kept::load_reference(trail, &grid);
    let mut seen = Seen { sum: vec![0.0; grid.plane.pixels()], ..Seen::default() };
    if known.is_some() {
        kept::load_seen(trail, &grid, frames, &mut seen);
        let done = seen.shifts.len();
        trail.resumed(Stage::Registration, (done, frames), sampled(frames, grid.plane) + done);
    }
    let (template, usual) = known.map_or_else(|| reference(source, &grid, &plan, watch), Ok)?;
    look(source, (&grid, &plan), (&template, &usual), &mut seen, (watch, trail))?;
    Ok(told(grid, found(seen, &template)))
}

/// What the look at all frames comes to.
fn found(seen: Seen, template: &Template) -> Found {
    let bad = quality::bad_frames(&seen.shifts, &seen.blank);
    let good: Vec<bool> = bad.iter().map(|b| !b).collect();
    let gains = Gains::of(&seen.levels, &good);
    let (fields, fallback) = match template.finest() {
        Some(normal) if normal.singular() => (seen.fields, Some(Note::MotionByPixels)),
        Some(normal) => {
            let (fields, smooth) = modes::smoothed(seen.fields, &good, normal);
            (fields, (!smooth).then_some(Note::MotionAsSeen))
        }
        None => (seen.fields, None),
    };
    let n = seen.shifts.len() as f64;
    Found {
        first: seen.first,
        reference: template.reference().to_vec(),
        mean_raw: seen.sum.iter().map(|s| (s / n) as f32).collect(),
        corr: seen.shifts.iter().map(|s| s.corr).collect(),
        bad,
        fallback,
        gains,
        fields,
    }
}

/// What was found, and what follows from it.
fn told(grid: Grid, found: Found) -> (Registered, Path) {
    let Found { first, reference, mean_raw, corr, bad, fallback, gains, fields } = found;
    let [yrange, xrange] = quality::common_view(&fields, &bad, grid.plane);
    let mean = |pick: fn(&Field) -> &Vec<f32>| fields.iter().map(|f| grid.mean(pick(f))).collect();
    let (yoff, xoff) = (mean(|f| &f.y), mean(|f| &f.x));
    let (blocks, turns) = (blocks::of_fields(&grid, &fields), gains.turns.clone());
    let registered = Registered { first, reference, mean_raw, yoff, xoff, blocks, corr, bad, yrange, xrange, turns, fallback };
    (registered, Path { grid, fields, gains })
}

/// The template, and how bright frames usually are, from a sample of the frames.
fn reference(
    source: &mut dyn FrameSource,
    grid: &Grid,
    plan: &CoarsePlan,
    watch: &Watch,
) -> Result<(Template, Brightness), SegmentError> {
    let mut sample = reference_sample(source, grid.plane, watch)?;
    let pixels = grid.plane.pixels();
    let usual = Brightness::usual(&sample, grid.plane);
    sample.par_chunks_exact_mut(pixels).for_each(|frame| {
        if let (_, Some(levelled)) = usual.levelled(frame) {
            frame.copy_from_slice(&levelled);
        }
    });
    let frames: Vec<&[f32]> = sample.chunks_exact(pixels).collect();
    Ok((template(&frames, grid, plan, watch)?, usual))
}

/// What every frame is held against.
fn template(sample: &[&[f32]], grid: &Grid, plan: &CoarsePlan, watch: &Watch) -> Result<Template, SegmentError> {
    let rounds = reference::ROUNDS + refine::ROUNDS;
    if sample.is_empty() {
        let flat = vec![0.0; grid.plane.pixels()];
        return Ok(Template::new(grid, flat.clone(), 1, &flat, &[]));
    }
    let (image, shifts) = reference::rigid_reference(plan, grid.plane, sample, |round| {
        watch.step(Stage::Reference, round, rounds);
    });
    watch.check()?;
    Ok(refine::template(grid, sample, &shifts, image, |round| {
        watch.step(Stage::Reference, reference::ROUNDS + round, rounds);
    }))
}

/// How many of `total` frames the reference is made of.
pub(crate) fn sampled(total: usize, plane: Plane) -> usize {
    let fit = (REFERENCE_BYTES / (4 * plane.pixels())).max(16);
    REFERENCE_FRAMES.min(fit).min(total)
}

/// Evenly spaced frames that show something, in one piece of memory: many small ones would not all be given back.
fn reference_sample(source: &mut dyn FrameSource, plane: Plane, watch: &Watch) -> Result<Vec<f32>, SegmentError> {
    let (total, pixels) = (source.frames(), plane.pixels());
    let count = sampled(total, plane);
    let mut frames = vec![0.0; count * pixels];
    let indices: Vec<usize> = (0..count).map(|i| i * total / count).collect();
    for (indices, some) in indices.chunks(SAMPLED_AT_ONCE).zip(frames.chunks_mut(SAMPLED_AT_ONCE * pixels)) {
        watch.check()?;
        read_clean(source, indices, some)?;
    }
    let shown: Vec<usize> = (0..count).filter(|i| !is_blank(&frames[i * pixels..(i + 1) * pixels])).collect();
    for (to, &from) in shown.iter().enumerate() {
        frames.copy_within(from * pixels..(from + 1) * pixels, to * pixels);
    }
    frames.truncate(shown.len() * pixels);
    Ok(frames)
}

/// What a look at the frames found, one after the other.
#[derive(Default)]
struct Seen {
    first: Vec<f32>,
    sum: Vec<f64>,
    shifts: Vec<Shift>,
    fields: Vec<Field>,
    blank: Vec<bool>,
    levels: Vec<Level>,
}

impl Seen {
    /// Adds what was seen of the frames that follow.
    fn go_on(&mut self, more: Self) {
        if self.shifts.is_empty() {
            self.first = more.first;
        }
        self.sum = more.sum;
        self.shifts.extend(more.shifts);
        self.fields.extend(more.fields);
        self.blank.extend(more.blank);
        self.levels.extend(more.levels);
    }
}

/// Where every frame lies that was not seen yet.
fn look(
    source: &mut dyn FrameSource,
    (grid, plan): (&Grid, &CoarsePlan),
    (template, usual): (&Template, &Brightness),
    seen: &mut Seen,
    (watch, trail): (&Watch, &mut Trail<'_>),
) -> Result<(), SegmentError> {
    let (total, pixels) = (source.frames(), grid.plane.pixels());
    let coarse = plan.against(template.reference());
    let mut kept = seen.shifts.len();
    in_chunks(source, pixels, kept, |start, raw| {
        watch.step(Stage::Registration, start, total);
        watch.check()?;
        if start == 0 {
            seen.first = raw[..pixels].to_vec();
        }
        add_frames(raw, pixels, &mut seen.sum);
        let place = |(coarse_work, work): &mut (_, _), frame: &[f32]| {
            if is_blank(frame) {
                return (Shift::default(), grid.rigid(0.0, 0.0), None);
            }
            let (level, levelled) = usual.levelled(frame);
            let frame = levelled.as_deref().unwrap_or(frame);
            let shift = coarse.shift(frame, coarse_work);
            (shift, template.fit(frame, grid.rigid(shift.y as f32, shift.x as f32), work), Some(level))
        };
        let found: Vec<_> = raw.par_chunks_exact(pixels).map_init(|| (coarse.work(), template.work()), place).collect();
        for (shift, field, level) in found {
            seen.shifts.push(shift);
            seen.fields.push(field);
            seen.blank.push(level.is_none());
            seen.levels.push(level.unwrap_or_default());
        }
        if trail.due(Point::Within) {
            kept::keep_seen(trail, (template, usual), seen, &mut kept)?;
        }
        Ok(())
    })
}

/// Reads the recording from frame `first` on, some frames at a time; `each` gets the index of the first of them.
fn in_chunks(
    source: &mut dyn FrameSource,
    pixels: usize,
    first: usize,
    mut each: impl FnMut(usize, &[f32]) -> Result<(), SegmentError>,
) -> Result<(), SegmentError> {
    let total = source.frames();
    let chunk = chunk_frames(pixels).min(total);
    let mut raw = vec![0.0f32; chunk * pixels];
    for start in (first..total).step_by(chunk) {
        let count = chunk.min(total - start);
        let raw = &mut raw[..count * pixels];
        let indices: Vec<usize> = (start..start + count).collect();
        read_clean(source, &indices, raw)?;
        each(start, raw)?;
    }
    Ok(())
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

/// Reads frames; what is not a number, or infinite, is read as 0.
pub(crate) fn read_clean(source: &mut dyn FrameSource, indices: &[usize], out: &mut [f32]) -> Result<(), SegmentError> {
    source.read_all(indices, out)?;
    out.par_chunks_mut(1 << 16).for_each(|part| {
        for v in part {
            *v = if v.is_finite() { *v } else { 0.0 };
        }
    });
    Ok(())
}

fn is_blank(frame: &[f32]) -> bool {
    frame.iter().all(|&v| v == frame[0])
}
