//! The stages in order.

use crate::detection::{Detected, Found};
use crate::movie::RegisteredMovie;
use crate::numeric::Plane;
use crate::registration::Registered;
use crate::{
    FrameSource, Params, Progress, Registration, Roi, SegmentError, Segmentation, Stage, classification, clustering,
    deconvolution, detection, extraction, measures, quality, registration,
};
use ndarray::Array2;
use rayon::prelude::*;
use std::path::Path;

/// Frames without which there is no activity to see.
const FEWEST_FRAMES: usize = 2;
/// Share of the surround that reaches a cell's own pixels: the usual value for two-photon recordings of cortex
/// (Kerlin et al. 2010; Chen et al. 2013 measured 0.7).
const NEUROPIL: f32 = 0.7;

/// Progress and the wish to stop, together.
pub(crate) struct Watch<'a>(&'a dyn Progress);

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

/// Segments one plane: registration, detection, extraction, deconvolution, classification, clustering.
///
/// `scratch` is a folder (made when missing) for one temporary file as large as the recording unpacked, removed at
/// the end; two runs at a time need two folders. Values that are not finite are read as 0. The result is the same to
/// the bit on any number of threads.
///
/// # Errors
/// [`SegmentError::Params`] for settings out of range, [`SegmentError::TooFewFrames`] and
/// [`SegmentError::EmptyFrame`] for recordings without content, [`SegmentError::Source`] and
/// [`SegmentError::Scratch`] when reading or writing fails, [`SegmentError::Threads`] when workers cannot be started,
/// [`SegmentError::Cancelled`] when `progress` says so. A recording in which nothing is found is no error.
pub fn segment(
    source: &mut dyn FrameSource,
    params: &Params,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<Segmentation, SegmentError> {
    params.check()?;
    let (height, width) = source.shape();
    if height == 0 || width == 0 {
        return Err(SegmentError::EmptyFrame { height, width });
    }
    if source.frames() < FEWEST_FRAMES {
        return Err(SegmentError::TooFewFrames { frames: source.frames(), needed: FEWEST_FRAMES });
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(params.threads);
    let pool = pool.build().map_err(|source| SegmentError::Threads { threads: params.threads, source })?;
    let plane = Plane { height, width };
    pool.install(|| run(source, plane, params, scratch, &Watch(progress)))
}

fn run(
    source: &mut dyn FrameSource,
    plane: Plane,
    params: &Params,
    scratch: &Path,
    watch: &Watch,
) -> Result<Segmentation, SegmentError> {
    let mut movie = RegisteredMovie::create(scratch, plane.pixels())?;
    let registered = registration::register(source, &mut movie, watch)?;
    let detected = detection::detect(&mut movie, &registered, plane, params, watch)?;
    let overlap = extraction::overlaps(&detected.found, plane);
    let view = extraction::View { y: registered.yrange, x: registered.xrange };
    let rings = extraction::surrounds(&detected.found, plane, view);
    let (f, fneu) = extract(&mut movie, plane, &detected.found, &overlap, &rings, watch)?;
    let corrected = &f - &(&fneu * NEUROPIL);
    watch.step(Stage::Deconvolution, 0, f.nrows());
    let (spks, decayed) = deconvolved(&corrected, params);
    watch.check()?;
    watch.step(Stage::Classification, 0, f.nrows());
    let rois = describe(&detected, overlap, &rings, &corrected, plane);
    watch.step(Stage::Clustering, 0, 1);
    let members: Vec<usize> = (0..rois.len()).filter(|&i| rois[i].is_cell).collect();
    let clustering = clustering::cluster(&corrected, members, params);
    watch.step(Stage::Clustering, 1, 1);
    Ok(Segmentation {
        first_frame: image(&registered.first, plane),
        registration: published(&registered, &detected, plane),
        rois,
        f,
        fneu,
        spks,
        clustering,
        quality: quality::quality(&registered, plane, &detected.images.mean, decayed),
    })
}

/// Fluorescence of the ROIs and of their surrounds.
fn extract(
    movie: &mut RegisteredMovie,
    plane: Plane,
    found: &[Found],
    overlap: &[Vec<bool>],
    rings: &[Vec<usize>],
    watch: &Watch,
) -> Result<(Array2<f32>, Array2<f32>), SegmentError> {
    let rois = found.iter().zip(overlap);
    let mut weights: Vec<_> = rois.map(|(f, o)| extraction::Weights::of_roi(f, o)).collect();
    weights.extend(rings.iter().cloned().map(extraction::Weights::equal));
    let both = extraction::traces(movie, plane, &weights, watch)?;
    let (f, fneu) = both.view().split_at(ndarray::Axis(0), found.len());
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
    let expected = usual_area(detected, corrected);
    let rois = detected.found.iter().zip(overlap).enumerate();
    let roi = |(i, (found, overlap)): (usize, (&Found, Vec<bool>))| {
        let shape = measures::shape(&found.pixels, plane.width);
        let activity = measures::activity(&corrected.row(i).to_vec());
        let probability = classification::cell_probability(classification::Features {
            relative_area: found.pixels.len() as f64 / expected,
            aspect_ratio: shape.aspect_ratio,
            compact: shape.compact,
            skew: activity.skew,
            snr: activity.snr,
            contrast: measures::contrast(&detected.images.mean, &found.pixels, &rings[i]),
        });
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
            neuropil_coefficient: NEUROPIL,
            is_cell: probability > 0.5,
            cell_probability: probability as f32,
        }
    };
    rois.map(roi).collect()
}

/// Area a cell has: that of the diameter given, else the median of the ROIs found, each weighted by its signal to noise
/// (what is out of focus is large and faint, and must not vote down the cells).
fn usual_area(detected: &Detected, corrected: &Array2<f32>) -> f64 {
    if detected.found.is_empty() || detected.diameter_given {
        return std::f64::consts::PI / 4.0 * detected.diameter * detected.diameter;
    }
    let vote = |(i, found): (usize, &Found)| {
        let snr = measures::activity(&corrected.row(i).to_vec()).snr.max(0.0);
        (found.pixels.len() as f64, snr * snr)
    };
    let mut votes: Vec<(f64, f64)> = detected.found.iter().enumerate().map(vote).collect();
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
