//! `report.html`: a run in one file that needs nothing else, for eyes.
//!
//! The paper's four panels, to be touched: images of the tissue with every ROI, its traces, all traces and the covariance
//! by cluster; beside them what is known of the recording's quality, the settings with their sources, and how the run came
//! to be. Everything is inside, thinned out to envelopes that keep every peak where a recording is too long: a report has
//! 15 MB at most. Nothing is fetched, and a name full of markup stays text.

mod data;
mod encode;
mod facts;
mod page;
mod pictures;
mod shown;
mod traces;

use dropscope_segmentation::SegmentedRecording;
use serde_json::Value;

use crate::{
    OutputError, RunMeta,
    error::{check, check_clusters},
};
use page::Parts;
use shown::Shown;
use traces::{Held, Packed, Resolution};

pub use facts::{Brightness, Movie, ReportFacts, ReportFlag, ReportSetting, Severity};
pub use traces::{RoiTraces, Traces};

/// What a report has at most, bytes.
pub const MOST_REPORT_BYTES: usize = 15_000_000;
/// Movies as bytes, at most, and what is kept for them before traces get what is left.
const MOST_MOVIES: usize = 5_000_000;
const KEPT_FOR_MOVIES: usize = 1_500_000;
/// Kept free for what surrounds the blocks of traces.
const MARGIN: usize = 300_000;
/// Traces as bytes: more is more than eyes need.
const MOST_TRACES: usize = 8_500_000;
/// Fewer would show nothing.
const FEWEST_TRACES: usize = 500_000;

/// Renders the report of a run.
///
/// # Errors
/// [`OutputError`] for a result that contradicts itself or holds no plane, or when a picture cannot be made.
pub fn report_html(meta: &RunMeta, recording: &SegmentedRecording, facts: &ReportFacts) -> Result<Vec<u8>, OutputError> {
    check(recording)?;
    let held = Held { recording, frame_rate_hz: meta.frame_rate_hz };
    report_html_of(meta, recording, facts, &held)
}

/// Renders the report of a run whose traces are elsewhere; those that `recording` holds are not looked at.
///
/// # Errors
/// As for [`report_html`].
pub fn report_html_of(
    meta: &RunMeta,
    recording: &SegmentedRecording,
    facts: &ReportFacts,
    traces: &dyn Traces,
) -> Result<Vec<u8>, OutputError> {
    if recording.planes.is_empty() {
        return Err(OutputError::NoPlanes);
    }
    check_clusters(&recording.clustering, &recording.planes)?;
    let shown = Shown::of(recording);
    let pictures = pictures::all(&recording.planes)?;
    let mut data = element("data", "application/json", &json(&data::document(meta, recording, facts, &shown, &pictures))?);
    for picture in &pictures {
        data.push_str(&element(&format!("picture-{}-{}", picture.plane, picture.kind), "text/plain", &picture.png));
    }
    let page = |data: &str, movies: usize| page::render(&Parts { meta, recording, facts, shown: &shown, movies, data });
    // As base64 three bytes are four letters.
    let left = |page: String| MOST_REPORT_BYTES.saturating_sub(page.len() + MARGIN) / 4 * 3;
    // Everything else is known by now: the traces get what is left, and larger movies what they leave.
    let left_for_traces = left(page(&data, KEPT_FOR_MOVIES));
    let cells = shown.cells();
    let budget = left_for_traces.clamp(FEWEST_TRACES, MOST_TRACES);
    let resolution = Resolution::of(traces.frames(), cells, shown.rois.len() - cells, budget);
    let packed = Packed::of(&shown, traces, &resolution);
    data.push_str(&element("packed", "application/json", &json(&data::packed(&packed, &resolution, traces.frames()))?));
    for (index, block) in packed.blocks.iter().enumerate() {
        data.push_str(&element(&format!("block-{index}"), "text/plain", &encode::text(block)));
    }
    let movies = left(page(&data, 0)).min(MOST_MOVIES);
    Ok(page(&data, movies).into_bytes())
}

fn json(value: &Value) -> Result<String, OutputError> {
    serde_json::to_string(value).map(|text| page::inside_script(&text)).map_err(OutputError::Report)
}

/// A script element that holds data. `content` is base64, or JSON that went through [`page::inside_script`].
fn element(id: &str, kind: &str, content: &str) -> String {
    format!("<script type=\"{kind}\" id=\"{id}\">{content}</script>\n")
}
