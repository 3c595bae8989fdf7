//! What is wrong, and what to do about it.

use serde::Serialize;

use super::figures::Figures;
use crate::{Saturation, Survey};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Results may suffer.
    Warning,
    /// Results will suffer.
    Problem,
}

/// One thing a person should know of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flag {
    /// Stable name.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, and what to do about it.
    pub words: String,
}

/// Motion that registration and ROIs of a few pixels take in.
const NO_MATTER_PX: f64 = 2.0;

use Severity::{Info, Problem, Warning};

/// All that holds, the worst first.
pub(super) fn flags(survey: &Survey, figures: &Figures, frame_rate_assumed: bool) -> Vec<Flag> {
    let mut all: Vec<Flag> = [
        saturation(figures),
        bleaching(figures),
        motion(survey, figures),
        blank(survey, figures),
        dark(figures),
        repeated(figures),
        not_finite(figures),
        short(survey),
        rate(frame_rate_assumed),
        sampled(survey),
        binned(survey),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.sort_by_key(|flag| std::cmp::Reverse(flag.severity));
    all
}

fn flag(id: &'static str, severity: Severity, words: String) -> Option<Flag> {
    Some(Flag { id, severity, words })
}

fn saturation(figures: &Figures) -> Option<Flag> {
    let Saturation { at, share } = figures.saturation?;
    let severity = match share {
        share if share > 1e-2 => Problem,
        share if share > 1e-4 => Warning,
        _ => Info,
    };
    let share = percent(100.0 * share);
    flag(
        "saturation",
        severity,
        format!(
            "{share} of the samples gather at {at} and above, where the detector's range ends: activity there is cut off; \
             lower the laser power or the detector's gain next time"
        ),
    )
}

fn bleaching(figures: &Figures) -> Option<Flag> {
    let decline = figures.bleaching_percent?;
    let severity = match decline {
        d if d >= 40.0 => Problem,
        d if d >= 15.0 => Warning,
        _ => return None,
    };
    flag(
        "bleaching",
        severity,
        format!(
            "the mean falls by {decline:.0} % from the first to the last tenth: traces late in the recording are noisier; lower the laser power, or look for a focus that drifts"
        ),
    )
}

fn motion(survey: &Survey, figures: &Figures) -> Option<Flag> {
    let Some(motion) = &figures.motion else {
        return flag(
            "motion_unknown",
            Info,
            "how far the tissue moved could not be told from the frames: they are too small, too dim or too even; look at max.gif".into(),
        );
    };
    let side = survey.info.height.min(survey.info.width) as f64;
    let severity = match motion.p95_px {
        d if d <= NO_MATTER_PX => return None,
        d if d > 0.08 * side => Problem,
        d if d > 0.03 * side => Warning,
        _ => return None,
    };
    flag(
        "motion",
        severity,
        format!(
            "one frame in twenty lies {:.1} pixels or more off the first ones: registration undoes rigid motion up to a tenth of the frame, cells at the edge are lost; fix the sample better",
            motion.p95_px
        ),
    )
}

fn blank(survey: &Survey, figures: &Figures) -> Option<Flag> {
    let count = figures.blank_frames;
    let all: usize = survey.planes.iter().map(|p| p.frames.len()).sum();
    let severity = match count {
        0 => return None,
        count if count * 10 > all => Problem,
        _ => Warning,
    };
    flag(
        "blank_frames",
        severity,
        format!(
            "{} of one value throughout, without a picture: check that the shutter and the detector were on, \
             and cut blank frames off if they stand at an end",
            frames(count, "is", "are")
        ),
    )
}

fn dark(figures: &Figures) -> Option<Flag> {
    let count = figures.dark_frames;
    (count > 0).then_some(())?;
    flag(
        "dark_frames",
        Warning,
        format!(
            "{} darker than the rest throughout, as with a closed shutter: cells seem to fall silent there",
            frames(count, "is", "are")
        ),
    )
}

fn repeated(figures: &Figures) -> Option<Flag> {
    let count = figures.repeated_frames;
    (count > 0).then_some(())?;
    flag(
        "repeated_frames",
        Warning,
        format!(
            "{} the frame before exactly: the acquisition or a conversion stuttered, and times after it may be off; convert the original again",
            frames(count, "repeats", "repeat")
        ),
    )
}

fn not_finite(figures: &Figures) -> Option<Flag> {
    let count = figures.not_finite_samples;
    (count > 0).then_some(())?;
    flag(
        "not_finite",
        Warning,
        format!(
            "{count} samples are infinite or no number: they are left out here; save the recording as uint16 or int16, as the microscope wrote it"
        ),
    )
}

fn short(survey: &Survey) -> Option<Flag> {
    (survey.info.frames < 100).then_some(())?;
    flag(
        "short",
        Warning,
        format!(
            "the recording has {} only: cells are found by their activity, and few are active in so short a time",
            frames(survey.info.frames, "", "").trim_end()
        ),
    )
}

fn rate(assumed: bool) -> Option<Flag> {
    assumed.then_some(())?;
    flag("frame_rate_assumed", Info, "the file does not state its frame rate, so times here are an assumption: state frame_rate_hz in dropscope.toml or with --fs".into())
}

fn sampled(survey: &Survey) -> Option<Flag> {
    (survey.every > 1).then_some(())?;
    flag(
        "sampled",
        Info,
        format!(
            "the recording is too large to be read whole here: every {}th time point was read, evenly from the first to the last; segmentation reads them all",
            survey.every
        ),
    )
}

fn binned(survey: &Survey) -> Option<Flag> {
    (survey.binned > 1).then_some(())?;
    let n = survey.binned;
    flag("binned", Info, format!("the volume is so large that pictures show means of {n} × {n} pixels"))
}

/// "1 frame is", "12 frames are".
fn frames(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 frame {one}") } else { format!("{count} frames {many}") }
}

fn percent(value: f64) -> String {
    if value >= 0.1 { format!("{value:.1} %") } else { format!("{value:.4} %") }
}
