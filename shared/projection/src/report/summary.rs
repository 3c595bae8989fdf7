//! `summary.json`.

use dropscope_recording::SampleType;
use serde::Serialize;

use super::About;
use super::figures::Figures;
use super::flags::{Flag, flags};
use crate::Survey;

/// The summary of a recording, as `summary.json` has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Layout of this document.
    pub schema: u32,
    /// Name of the recording.
    pub name: String,
    /// Time points.
    pub frames: usize,
    /// Planes.
    pub planes: usize,
    /// Rows of a frame.
    pub height: usize,
    /// Columns of a frame.
    pub width: usize,
    /// Type of the samples.
    pub dtype: SampleType,
    /// Volumes per second, Hz.
    pub frame_rate_hz: f64,
    /// Whether nobody stated the rate.
    pub frame_rate_assumed: bool,
    /// Length, s.
    pub duration_s: f64,
    /// What was read.
    pub sampled: Sampled,
    /// Side of the squares of pixels that the pictures show the mean of.
    pub binned: usize,
    /// The numbers.
    pub figures: Figures,
    /// Frames that the acquisition lost; null: nothing in the file tells when each frame was taken.
    pub dropped_frames: Option<u64>,
    /// What a person should know, the worst first.
    pub flags: Vec<Flag>,
}

/// Which time points a summary rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sampled {
    /// Every how manyeth was read.
    pub every: usize,
    /// How many were read.
    pub frames_read: usize,
}

impl Summary {
    pub(super) fn of(survey: &Survey, about: &About) -> Self {
        let figures = Figures::of(survey);
        let flags = flags(survey, &figures, about.frame_rate_assumed);
        let info = &survey.info;
        Self {
            schema: 1,
            name: about.name.clone(),
            frames: info.frames,
            planes: info.planes,
            height: info.height,
            width: info.width,
            dtype: info.dtype,
            frame_rate_hz: about.frame_rate_hz,
            frame_rate_assumed: about.frame_rate_assumed,
            duration_s: info.frames as f64 / about.frame_rate_hz,
            sampled: Sampled { every: survey.every, frames_read: survey.times().len() },
            binned: survey.binned,
            figures,
            dropped_frames: None,
            flags,
        }
    }
}
