//! The stages in order.

use crate::checkpoint::{Checkpoints, FINISHED, Forgetful, Point, Trail, read_finished};
use crate::detection::{Detected, Found};
use crate::extraction::Weights;
use crate::movie::RegisteredMovie;
use crate::numeric::Plane;
use crate::registration::Registered;
use crate::{
    FrameSource, Params, Progress, Registration, Roi, SegmentError, Segmentation, Stage, Viewer, classification, deconvolution,
    detection, extraction, measures, quality, registration,
};
use measures::Activity;
use ndarray::Array2;
use rayon::prelude::*;
use std::f64::consts::PI;

/// Frames without which there is no activity to see.
const FEWEST_FRAMES: usize = 2;
/// Share of the surround that reaches a cell's own pixels: the usual value for two-photon recordings of cortex
/// (Kerlin et al. 2010; Chen et al. 2013 measured 0.7).
const NEUROPIL: f32 = 0.7;

/// Progress and the wish to stop, together.
pub(crate) struct Watch<'a>(pub(crate) &'a dyn Progress);

impl Watch<'_> {
    pub(crate) fn step(&self, stage: Stage, done: usize, total: usize) {
        self.0.step(stage, done, total);
    }

    pub(crate) fn check(&self) -> Result<(), SegmentError> {
        if self.0.cancelled() {
            return Err(SegmentError::Cancelled);
        }
        Ok(())
    }
}

/// Segments one plane: registration, detection, extraction, deconvolution, classification.
///
/// The recording is read three times and never held; nothing is written. Values that are not finite are read as 0. The
/// result is the same to the bit on any number of threads.
///
/// # Errors
/// [`SegmentError::Params`] for settings out of range, [`SegmentError::TooFewFrames`] and
/// [`SegmentError::EmptyFrame`] for recordings without content, [`SegmentError::Source`] when reading fails,
/// [`SegmentError::Threads`] when workers cannot be started, [`SegmentError::Cancelled`] when `progress` says so. A recording in which nothing is found is no error.
pub fn segment(source: &mut dyn FrameSource, params: &Params, progress: &dyn Progress) -> Result<Segmentation, SegmentError> {
    segment_kept(source, params, progress, &mut Forgetful)
}

/// The same, from where `checkpoints` are to the end; they are added to when they say that it is time. The result is the same
/// to the bit, wherever it was stopped before, and however often.
///
/// # Errors
/// See [`segment`]; also [`SegmentError::Cancelled`] when the keeper says so.
pub fn segment_kept(
    source: &mut dyn FrameSource,
    params: &Params,
    progress: &dyn Progress,
    checkpoints: &mut dyn Checkpoints,
) -> Result<Segmentation, SegmentError> {
    segment_shown(source, params, progress, checkpoints, None)
}

/// The same, and a viewer is shown every registered frame; that reads the recording once more.
///
/// # Errors
/// See [`segment_kept`]; also [`SegmentError::Shown`] when the viewer cannot take it.
pub fn segment_shown(
    source: &mut dyn FrameSource,
    params: &Params,
    progress: &dyn Progress,
    checkpoints: &mut dyn Checkpoints,
    viewer: Option<&mut dyn Viewer>,
) -> Result<Segmentation, SegmentError> {
    params.check()?;
    let (height, width) = source.shape();
    if height == 0 || width == 0 {
        return Err(SegmentError::EmptyFrame { height, width });
    }
    let frames = source.frames();
    if frames < FEWEST_FRAMES {
        return Err(SegmentError::TooFewFrames { frames, needed: FEWEST_FRAMES });
    }
    let plane = Plane { height, width };
    let mut trail = Trail::new(checkpoints, (height, width), frames, params);
    if let Some(finished) = trail.load(FINISHED, |from| read_finished(from, plane, frames)) {
        trail.resumed(Stage::Classification, (frames, frames), readings((height, width), frames));
        if let Some(viewer) = viewer {
            workers(params)?.install(|| show_again(source, plane, params, &Watch(progress), viewer))?;
        }
        return Ok(finished);
    }
    workers(params)?.install(|| run(source, plane, params, &Watch(progress), (&mut trail, viewer)))
}

/// Shows the movie of a plane that an earlier attempt finished: only its offsets are found again, to the same bits.
fn show_again(
    source: &mut dyn FrameSource,
    plane: Plane,
    params: &Params,
    watch: &Watch,
    viewer: &mut dyn Viewer,
) -> Result<(), SegmentError> {
    let (mut nobody, frames) = (Forgetful, source.frames());
    let mut trail = Trail::new(&mut nobody, (plane.height, plane.width), frames, params);
    let (_, path) = registration::register(source, watch, &mut trail)?;
    RegisteredMovie::new(source, path).show(viewer, watch)
}

/// How often a frame of a plane (height, width) of `frames` frames is read in all: those of the sample once more than the
/// others.
#[must_use]
pub fn readings((height, width): (usize, usize), frames: usize) -> usize {
    registration::sampled(frames, Plane { height, width }) + 3 * frames
}

/// As many workers as the settings ask for.
pub(crate) fn workers(params: &Params) -> Result<rayon::ThreadPool, SegmentError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(params.threads);
    pool.build().map_err(|source| SegmentError::Threads { threads: params.threads, source })
}

fn run(
    source: &mut dyn FrameSource,
    plane: Plane,
    params: &Params,
    watch: &Watch,
    (trail, viewer): (&mut Trail<'_>, Option<&mut dyn Viewer>),
) -> Result<Segmentation, SegmentError> {
    let (registered, path) = registration::register(source, watch, trail)?;
    if trail.due(Point::Between) {
        registration::keep(trail, &registered, &path)?;
    }
    let mut movie = RegisteredMovie::new(source, path);
    let detected = detected(&mut movie, &registered, plane, params, (watch, trail))?;
    let overlap = extraction::overlaps(&detected.found, plane);
    let view = extraction::View { y: registered.yrange, x: registered.xrange };
    let rings = extraction::surrounds(&detected.found, plane, view);
    let weights = weights(&detected.found, &overlap, &rings);
    let (f, fneu) = extract(&mut movie, plane, (&registered, &detected), &weights, (watch, trail))?;
    if let Some(viewer) = viewer {
        movie.show(viewer, watch)?;
    }
    let corrected = &f - &(&fneu * NEUROPIL);
    watch.step(Stage::Deconvolution, 0, f.nrows());
    let (spks, decayed) = deconvolved(&corrected, params);
    watch.check()?;
    watch.step(Stage::Classification, 0, f.nrows());
    let rois = describe(&detected, overlap, &rings, &corrected, plane);
    Ok(Segmentation {
        first_frame: image(&registered.first, plane),
        registration: published(&registered, &detected, plane),
        rois,
        f,
        fneu,
        spks,
        quality: quality::quality(&registered, plane, &detected.images.mean, decayed),
    })
}

fn detected(
    movie: &mut RegisteredMovie<'_>,
    registered: &Registered,
    plane: Plane,
    params: &Params,
    (watch, trail): (&Watch, &mut Trail<'_>),
) -> Result<Detected, SegmentError> {
    if let Some(known) = detection::load(trail, plane) {
        trail.resumed(Stage::Detection, (movie.len(), movie.len()), movie.len());
        return Ok(known);
    }
    let found = detection::detect(movie, registered, plane, params, (watch, trail))?;
    if trail.due(Point::Between) && registration::keep(trail, registered, movie.path())? {
        detection::keep(trail, &found)?;
    }
    Ok(found)
}

/// What the traces of the ROIs are made of, then what those of their surrounds are.
fn weights(found: &[Found], overlap: &[Vec<bool>], rings: &[Vec<usize>]) -> Vec<Weights> {
    let rois = found.iter().zip(overlap).map(|(f, o)| Weights::of_roi(f, o));
    rois.chain(rings.iter().cloned().map(Weights::equal)).collect()
}

/// Fluorescence of the ROIs and of their surrounds.
fn extract(
    movie: &mut RegisteredMovie<'_>,
    plane: Plane,
    (registered, detected): (&Registered, &Detected),
    weights: &[Weights],
    (watch, trail): (&Watch, &mut Trail<'_>),
) -> Result<(Array2<f32>, Array2<f32>), SegmentError> {
    let frames = movie.len();
    let known = extraction::load(trail, weights.len(), frames);
    let mut kept = known.frames;
    if kept > 0 {
        trail.resumed(Stage::Extraction, (kept, frames), kept);
    }
    let both = extraction::traces(movie, plane, weights, known, watch, |movie, known| {
        let point = if known.frames == frames { Point::Between } else { Point::Within };
        let due = trail.due(point) && registration::keep(trail, registered, movie.path())?;
        if due && detection::keep(trail, detected)? {
            extraction::keep(trail, &known.traces, &mut kept, known.frames)?;
        }
        Ok(())
    })?;
    let (f, fneu) = both.view().split_at(ndarray::Axis(0), detected.found.len());
    Ok((f.to_owned(), fneu.to_owned()))
}

/// Events of every ROI, and how many ROIs had to do with a pure decay.
fn deconvolved(corrected: &Array2<f32>, params: &Params) -> (Array2<f32>, usize) {
    let of = |i: usize| deconvolution::deconvolve_or_decay(&corrected.row(i).to_vec(), params);
    let rows: Vec<(Vec<f32>, bool)> = (0..corrected.nrows()).into_par_iter().map(of).collect();
    let decayed = rows.iter().filter(|(_, decayed)| *decayed).count();
    (Array2::from_shape_fn(corrected.dim(), |(i, t)| rows[i].0[t]), decayed)
}

fn describe(
    detected: &Detected,
    overlap: Vec<Vec<bool>>,
    rings: &[Vec<usize>],
    corrected: &Array2<f32>,
    plane: Plane,
) -> Vec<Roi> {
    let activities: Vec<Activity> =
        (0..corrected.nrows()).into_par_iter().map(|i| measures::activity(&corrected.row(i).to_vec())).collect();
    let pairs = detected.found.iter().zip(rings);
    let contrasts: Vec<f64> = pairs.map(|(f, ring)| measures::contrast(&detected.images.mean, &f.pixels, ring)).collect();
    let areas: Vec<f64> = detected.found.iter().map(|f| f.pixels.len() as f64).collect();
    let usual_contrast = usual(&contrasts, &activities);
    let usual_area =
        if detected.diameter_given { PI / 4.0 * detected.diameter * detected.diameter } else { usual(&areas, &activities) };
    let rois = detected.found.iter().zip(overlap).zip(&activities).enumerate();
    let roi = |(i, ((found, overlap), activity)): (usize, ((&Found, Vec<bool>), &Activity))| {
        let shape = measures::shape(&found.pixels, plane.width);
        let features = classification::Features {
            relative_area: areas[i] / usual_area.max(1.0),
            aspect_ratio: shape.aspect_ratio,
            compact: shape.compact,
            skew: activity.skew,
            snr: activity.snr,
            contrast: contrasts[i],
            usual_contrast,
            halo: f64::from(found.halo),
        };
        let probability = classification::cell_probability(features);
        Roi {
            ypix: found.pixels.iter().map(|i| (i / plane.width) as u32).collect(),
            xpix: found.pixels.iter().map(|i| (i % plane.width) as u32).collect(),
            lam: found.lam.clone(),
            overlap,
            med: shape.median,
            radius: shape.radius as f32,
            aspect_ratio: shape.aspect_ratio as f32,
            compact: shape.compact as f32,
            skew: activity.skew as f32,
            std: activity.sd as f32,
            snr: activity.snr as f32,
            contrast: features.contrast as f32,
            halo: found.halo,
            relative_area: features.relative_area as f32,
            neuropil_coefficient: NEUROPIL,
            is_cell: probability > 0.5,
            cell_probability: probability as f32,
        }
    };
    rois.map(roi).collect()
}

/// What cells of this recording usually have of something: the median over the ROIs, each weighted by its squared signal to
/// noise (what is out of focus is large and faint, and must not vote down the cells).
fn usual(values: &[f64], activities: &[Activity]) -> f64 {
    let weight = |a: &Activity| a.snr.max(0.0) * a.snr.max(0.0);
    let mut votes: Vec<(f64, f64)> = values.iter().copied().zip(activities.iter().map(weight)).collect();
    votes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = 0.5 * votes.iter().map(|v| v.1).sum::<f64>();
    let mut below = 0.0;
    let reached = votes.iter().find(|v| {
        below += v.1;
        below >= half
    });
    reached.map_or(1.0, |v| v.0)
}

fn published(registered: &Registered, detected: &Detected, plane: Plane) -> Registration {
    Registration {
        reference: image(&registered.reference, plane),
        yoff: registered.yoff.clone(),
        xoff: registered.xoff.clone(),
        blocks: registered.blocks.clone(),
        corr: registered.corr.clone(),
        bad_frames: registered.bad.clone(),
        yrange: registered.yrange,
        xrange: registered.xrange,
        mean: image(&detected.images.mean, plane),
        mean_raw: image(&registered.mean_raw, plane),
        max: image(&detected.images.max, plane),
        sd: image(&detected.images.sd, plane),
    }
}

fn image(values: &[f32], plane: Plane) -> Array2<f32> {
    Array2::from_shape_fn((plane.height, plane.width), |(y, x)| values[y * plane.width + x])
}
