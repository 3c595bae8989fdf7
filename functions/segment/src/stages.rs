//! From an open recording to the files of a run.

use crate::movie::{self, Making, MovieError};
use crate::plane::PlaneSource;
use crate::planes::{Finished, OfOne};
use crate::report::{REPORT, Told, facts};
use crate::session::session;
use dropscope_outputs::{Contents, OutputError, RunMeta};
use dropscope_pipeline::job::Verdict;
use dropscope_pipeline::{self as pipeline, Plan};
use dropscope_recording::{Info, Recording, RecordingError};
use dropscope_segmentation::{
    Checkpoints, ClusterBy, Clusters, Forgetful, Params, Point, Progress, SegmentError, Segmentation, SegmentedRecording, Stage,
    Viewer, segment_shown,
};
use std::path::Path;

/// What is to be done with a recording.
pub struct Work<'a> {
    /// Every setting in use.
    pub plan: &'a Plan,
    /// Worker threads, 0 for one per core. Never changes the result.
    pub threads: usize,
    /// A folder of this run's own, in which the registered movie is made where the plan asks for it.
    pub scratch: &'a Path,
}

/// Told how far a run is.
pub trait RunProgress: Send + Sync {
    /// `done` of `total` units of a stage of a plane (counted from 0) are finished.
    fn step(&self, plane: usize, planes: usize, stage: Stage, done: usize, total: usize);
    /// True when the work should stop at the next chance.
    fn cancelled(&self) -> bool {
        false
    }
}

/// A run that did not get through, sorted by what the caller may do.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The recording or its settings: another try would meet the same.
    #[error("{}: {}", .0.cause, .0.remedy)]
    Input(Verdict),
    /// The recording's bytes could not be read now.
    #[error("the recording cannot be read now")]
    Reading(#[source] RecordingError),
    /// Disk or threads of this machine: another machine may do.
    #[error("this machine cannot do it")]
    Machine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The caller asked to stop.
    #[error("the run was stopped")]
    Cancelled,
}

/// What was found, for a person in a hurry.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// ROIs taken for cells.
    pub cells: usize,
    /// All ROIs.
    pub rois: usize,
    /// Clusters in use, over all planes.
    pub clusters: usize,
    /// Largest shift that registration undid, pixels.
    pub largest_shift_px: f64,
    /// Frames kept out of detection.
    pub bad_frames: usize,
    /// What the owner should know, in words.
    pub notes: Vec<String>,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cells among {} ROIs, {} clusters", self.cells, self.rois, self.clusters)
    }
}

impl Found {
    /// Sums up the planes.
    pub fn of(recording: &SegmentedRecording) -> Self {
        let planes = &recording.planes;
        let shift = |s: &Segmentation| {
            let (y, x) = (&s.registration.yoff, &s.registration.xoff);
            y.iter()
                .zip(x)
                .zip(&s.registration.bad_frames)
                .filter(|(_, bad)| !**bad)
                .fold(0.0, |most: f64, ((y, x), _)| most.max(f64::from(*y * *y + *x * *x).sqrt()))
        };
        Self {
            cells: planes.iter().flat_map(|s| &s.rois).filter(|roi| roi.is_cell).count(),
            rois: planes.iter().map(|s| s.rois.len()).sum(),
            clusters: recording.clustering.in_use(),
            largest_shift_px: planes.iter().map(shift).fold(0.0, f64::max),
            bad_frames: planes.iter().flat_map(|s| &s.registration.bad_frames).filter(|bad| **bad).count(),
            notes: said(planes),
        }
    }
}

/// The notes of all planes; which plane each is about, where there are several.
fn said(planes: &[Segmentation]) -> Vec<String> {
    let of = |(p, s): (usize, &Segmentation)| {
        let plane = if planes.len() > 1 { format!("plane {p}: ") } else { String::new() };
        s.quality.notes.iter().map(|note| format!("{plane}{note}")).collect::<Vec<_>>()
    };
    planes.iter().enumerate().flat_map(of).collect()
}

/// registration.json: the quality of every plane's registration.
fn quality_json(planes: &[Segmentation]) -> Vec<u8> {
    let of = |s: &Segmentation| {
        let q = &s.quality;
        let notes: Vec<String> = q.notes.iter().map(ToString::to_string).collect();
        serde_json::json!({
            "crispness_raw": q.crispness_raw, "crispness": q.crispness, "largest_shift_px": q.largest_shift_px,
            "rms_shift_px": q.rms_shift_px, "bad_share": q.bad_share, "notes": notes,
        })
    };
    let all: Vec<_> = planes.iter().map(of).collect();
    format!("{:#}\n", serde_json::json!({ "planes": all })).into_bytes()
}

/// Segments every plane of the first channel, then clusters the cells of all planes together.
///
/// # Errors
/// See [`StageError`].
pub fn segment_planes(
    recording: &Recording,
    work: &Work<'_>,
    progress: &dyn RunProgress,
) -> Result<SegmentedRecording, StageError> {
    segment_planes_kept(recording, work, progress, &mut Forgetful)
}

/// The same, from where `checkpoints` are to the end.
///
/// # Errors
/// See [`StageError`]; [`StageError::Cancelled`] also when the keeper says so.
pub fn segment_planes_kept(
    recording: &Recording,
    work: &Work<'_>,
    progress: &dyn RunProgress,
    checkpoints: &mut dyn Checkpoints,
) -> Result<SegmentedRecording, StageError> {
    let planes = recording.info().planes;
    let params = params(work);
    let mut finished = Finished::none(&params);
    let wanted = work.plan.registered_movie.value;
    let mut movie = wanted.then(|| Making::begin(work.scratch, recording, work.plan)).transpose().map_err(unmade)?;
    for plane in 0..planes {
        let mut source = PlaneSource::new(recording, plane, 0);
        let mut own = OfOne { keeper: &mut *checkpoints, plane, finished: Some(&mut finished), loaded: false };
        let watched = OfPlane { plane, planes, progress };
        let mut viewer = movie.as_mut().map(|movie| movie.of_plane(plane));
        let viewer = viewer.as_mut().map(|viewer| viewer as &mut dyn Viewer);
        let segmented = segment_shown(&mut source, &params, &watched, &mut own, viewer).map_err(sorted)?;
        let loaded = own.loaded;
        finished.push(segmented, loaded);
        if checkpoints.due(Point::Between) {
            finished.keep(checkpoints).map_err(sorted)?;
        }
    }
    movie.map_or(Ok(()), Making::finish).map_err(unmade)?;
    let last = OfPlane { plane: planes.saturating_sub(1), planes, progress };
    let clustering = dropscope_segmentation::cluster(&finished.planes, &params, &last).map_err(sorted)?;
    Ok(SegmentedRecording { planes: finished.planes, clustering })
}

/// How often a frame is read in all, from the first plane to the last.
pub(crate) fn readings(info: &Info, plan: &Plan) -> usize {
    let for_movie = if plan.registered_movie.value { info.frames } else { 0 };
    info.planes * (dropscope_segmentation::readings((info.height, info.width), info.frames) + for_movie)
}

fn params(work: &Work<'_>) -> Params {
    Params {
        frame_rate_hz: work.plan.frame_rate_hz.value,
        tau_s: work.plan.tau_s.value,
        rise_s: work.plan.rise_s.as_ref().map(|rise| rise.value),
        diameter_px: work.plan.diameter_px.as_ref().map(|d| d.value),
        clusters: match work.plan.clusters.value {
            pipeline::Clusters::Count(k) => Clusters::Count(k),
            pipeline::Clusters::Auto => Clusters::Auto,
        },
        cluster_by: match work.plan.cluster_by.value {
            pipeline::ClusterBy::Covariance => ClusterBy::Covariance,
            pipeline::ClusterBy::Correlation => ClusterBy::Correlation,
        },
        seed: work.plan.seed.value,
        threads: work.threads,
    }
}

struct OfPlane<'a> {
    plane: usize,
    planes: usize,
    progress: &'a dyn RunProgress,
}

impl Progress for OfPlane<'_> {
    fn step(&self, stage: Stage, done: usize, total: usize) {
        self.progress.step(self.plane, self.planes, stage, done, total);
    }
    fn cancelled(&self) -> bool {
        self.progress.cancelled()
    }
}

/// Why the registered movie was not made.
fn unmade(error: MovieError) -> StageError {
    match error {
        MovieError::Source(error) => sorted(SegmentError::Source(error)),
        other => StageError::Machine(Box::new(other)),
    }
}

fn sorted(error: SegmentError) -> StageError {
    match error {
        SegmentError::Cancelled => StageError::Cancelled,
        SegmentError::Threads { .. } | SegmentError::Clusters(_) => StageError::Machine(Box::new(error)),
        SegmentError::Source(source) => match source.source.downcast::<RecordingError>() {
            Ok(error) if matches!(*error, RecordingError::Io(_)) => StageError::Reading(*error),
            Ok(error) => StageError::Input(Verdict { cause: error.cause(), remedy: error.remedy() }),
            Err(other) => StageError::Machine(other),
        },
        SegmentError::Params(error) => StageError::Input(Verdict {
            cause: error.to_string(),
            remedy: "correct the setting in dropscope.toml or on the command line".into(),
        }),
        error => StageError::Input(Verdict {
            cause: error.to_string(),
            remedy: "record more frames, or check planes and channels in the settings".into(),
        }),
    }
}

/// Hands every result file of a run to `sink`, one at a time; the report is the last.
///
/// # Errors
/// The first error of `sink`, or of a picture that cannot be made.
pub fn write_results<E: From<OutputError>>(
    told: &Told<'_>,
    recording: &SegmentedRecording,
    mut sink: impl FnMut(&str, Contents<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let (plan, info) = (told.provenance.plan, told.provenance.recording);
    let meta = RunMeta {
        name: told.name.to_owned(),
        frame_rate_hz: plan.frame_rate_hz.value,
        frame_rate_assumed: plan.frame_rate_hz.assumed(),
        tau_s: plan.tau_s.value,
        pixel_size_um: info.pixel_size_um,
        version: crate::VERSION.to_owned(),
    };
    sink("registration.json", Contents::Whole(quality_json(&recording.planes)))?;
    dropscope_outputs::render_all(&meta, &session(told), recording, &mut sink)?;
    if plan.registered_movie.value {
        movie::hand_over(told.scratch, &mut sink)?;
    }
    sink(REPORT, Contents::Whole(dropscope_outputs::report_html(&meta, recording, &facts(told, recording))?))
}
