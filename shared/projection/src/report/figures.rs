//! The numbers of a summary.

use dropscope_recording::SampleType;
use serde::Serialize;

use super::statistics::{decline_percent, median, quantile};
use crate::{FrameFigures, PlaneSurvey, Saturation, Shift, Survey};

/// Fewest frames with a shift, as a fraction of all, for motion to be told of.
const TOLD: f64 = 0.5;

/// Rigid motion, pixels of the recording, against the first frames. See `Shift`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Motion {
    /// Median distance.
    pub median_px: f64,
    /// Distance that one frame in twenty exceeds.
    pub p95_px: f64,
    /// Largest distance.
    pub largest_px: f64,
    /// Distance from one frame read to the next that one in twenty exceeds.
    pub jump_p95_px: f64,
    /// Fraction of the frames whose shift could be told, 0 to 1.
    pub told: f64,
}

/// What the frames amount to, all planes together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Mean of all samples of frames that are not blank; null where there is none.
    pub mean: Option<f64>,
    /// Largest sample.
    pub largest: Option<f64>,
    /// Samples where the detector or the file ends; null where the largest are only the brightest.
    pub saturation: Option<Saturation>,
    /// Decline of the mean from the first to the last tenth, %; null for short recordings and means below 0. Of the
    /// raw mean: an offset of the camera makes it look smaller than the dye's.
    pub bleaching_percent: Option<f64>,
    /// Motion; null where frames have too little structure to tell.
    pub motion: Option<Motion>,
    /// Frames of one value throughout; left out of pictures.
    pub blank_frames: usize,
    /// Frames whose brightest sample is darker than the mean of a usual frame: the shutter was closed.
    pub dark_frames: usize,
    /// Frames that repeat the one before exactly.
    pub repeated_frames: usize,
    /// Samples that are infinite or no number.
    pub not_finite_samples: u64,
}

impl Figures {
    pub(super) fn of(survey: &Survey) -> Self {
        let frames = || survey.planes.iter().flat_map(|plane| &plane.frames);
        let shown = frames().filter(|f| !f.blank && f.mean.is_finite());
        let mean = shown.clone().map(|f| f.mean).sum::<f64>() / shown.count() as f64;
        let largest = survey.planes.iter().map(|p| p.largest).fold(f64::NEG_INFINITY, f64::max);
        let at_largest: u64 = survey.planes.iter().filter(|p| p.largest == largest).map(|p| p.at_largest).sum();
        let samples = (frames().count() * survey.info.height * survey.info.width).max(1);
        let share = at_largest as f64 / samples as f64;
        let hard = is_end(survey.info.dtype, largest, share, at_largest).then_some(Saturation { at: largest, share });
        Self {
            mean: mean.is_finite().then_some(mean),
            largest: largest.is_finite().then_some(largest),
            saturation: hard.or(survey.piled_up),
            bleaching_percent: decline_percent(&mean_trace(survey)),
            motion: motion(survey),
            blank_frames: frames().filter(|f| f.blank).count(),
            dark_frames: survey.planes.iter().map(dark_frames).sum(),
            repeated_frames: frames().filter(|f| f.repeated).count(),
            not_finite_samples: survey.planes.iter().map(|p| p.not_finite).sum(),
        }
    }
}

/// A pile of samples at the end of a range: of the type, of a converter of 8 to 16 bits, or wherever a thousandth of
/// all samples agree on being the largest.
fn is_end(dtype: SampleType, largest: f64, share: f64, at_largest: u64) -> bool {
    let end_of_type = match dtype {
        SampleType::U8 => f64::from(u8::MAX),
        SampleType::I8 => f64::from(i8::MAX),
        SampleType::U16 => f64::from(u16::MAX),
        SampleType::I16 => f64::from(i16::MAX),
        SampleType::U32 => f64::from(u32::MAX),
        SampleType::I32 => f64::from(i32::MAX),
        SampleType::U64 => u64::MAX as f64,
        SampleType::I64 => i64::MAX as f64,
        SampleType::F32 => f64::from(f32::MAX),
        SampleType::F64 => f64::MAX,
    };
    let end_of_converter = (8..=16).any(|bits| largest == f64::from((1_u32 << bits) - 1));
    at_largest > 1 && ((share > 1e-6 && (largest == end_of_type || end_of_converter)) || share > 1e-3)
}

/// The mean of each time point over its planes, blank ones left out; not a number where all are blank.
pub(super) fn mean_trace(survey: &Survey) -> Vec<f64> {
    let mean = |t: usize| {
        let shown = survey.planes.iter().filter_map(|p| p.frames.get(t)).filter(|f| !f.blank);
        let (sum, count) = shown.fold((0.0, 0.0), |(sum, count), f| (sum + f.mean, count + 1.0));
        sum / count
    };
    (0..survey.times().len()).map(mean).collect()
}

/// The shift of each time point: the median of its planes along each axis.
pub(super) fn shift_trace(survey: &Survey) -> Vec<Option<Shift>> {
    let shift = |t: usize| {
        let told = || survey.planes.iter().filter_map(move |p| p.frames.get(t)?.shift);
        let y = median(told().map(|s| f64::from(s.y)))?;
        let x = median(told().map(|s| f64::from(s.x)))?;
        Some(Shift { y: y as f32, x: x as f32 })
    };
    (0..survey.times().len()).map(shift).collect()
}

pub(super) fn distance(shift: Shift) -> f64 {
    (f64::from(shift.y) * f64::from(shift.y) + f64::from(shift.x) * f64::from(shift.x)).sqrt()
}

fn motion(survey: &Survey) -> Option<Motion> {
    let shifts = shift_trace(survey);
    let distances = || shifts.iter().flatten().map(|s| distance(*s));
    let told = distances().count() as f64 / shifts.len().max(1) as f64;
    if told < TOLD {
        return None;
    }
    let jumps = shifts.windows(2).filter_map(|pair| {
        let (a, b) = (pair.first().copied()??, pair.last().copied()??);
        Some(distance(Shift { y: b.y - a.y, x: b.x - a.x }))
    });
    Some(Motion {
        median_px: rounded(median(distances())?),
        p95_px: rounded(quantile(distances(), 0.95)?),
        largest_px: rounded(quantile(distances(), 1.0)?),
        jump_p95_px: rounded(quantile(jumps, 0.95).unwrap_or(0.0)),
        told,
    })
}

/// To hundredths: the estimate is no better than a tenth of a pixel.
fn rounded(px: f64) -> f64 {
    (100.0 * px).round() / 100.0
}

fn dark_frames(plane: &PlaneSurvey) -> usize {
    let shown = || plane.frames.iter().filter(|f| !f.blank);
    let usual = median(shown().map(|f| f.mean));
    let dark = |f: &&FrameFigures| usual.is_some_and(|usual| f64::from(f.max) < usual);
    shown().filter(dark).count()
}
