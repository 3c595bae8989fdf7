//! Frames to projections, pictures, animations and a quality summary, in one pass over a recording.
//!
//! [`survey`] reads the first channel of every plane once, a few frames at a time. Memory follows the size of a frame,
//! the number of planes and the number of windows; of each frame only a few numbers stay. The [`Survey`] then gives
//! the files of two stages: [`Survey::preview_files`] (what the tissue looks like) and [`Survey::summary_files`]
//! (whether the recording is any good).
//!
//! ```no_run
//! use dropscope_projection::{About, Windows, survey};
//! use dropscope_recording::{Limits, Overrides, open};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = std::fs::File::open("session.tif")?;
//! let recording = open(Box::new(file), &Limits::default(), &Overrides::default())?;
//! let survey = survey(&recording, &Windows::default(), &|_, _| {})?;
//! let about = About { name: "session".into(), frame_rate_hz: 30.0, frame_rate_assumed: true };
//! for (name, bytes) in survey.preview_files(&about)? {
//!     std::fs::write(name, bytes)?;
//! }
//! # Ok(())
//! # }
//! ```

mod accumulate;
mod batch;
mod bin;
mod correlate;
mod error;
mod image;
mod images;
mod measure;
mod motion;
mod narrow;
mod report;
mod saturation;
mod survey;
mod tally;
mod windows;

pub use error::ProjectionError;
pub use image::Image;
pub use images::{PREVIEW_FILES, Pairs};
pub use motion::Shift;
pub use report::{About, Figures, Flag, Motion, SUMMARY_FILES, Severity, Summary};
pub use saturation::Saturation;
pub use survey::{FrameFigures, PlaneSurvey, Projections, Survey, survey, survey_while};
pub use windows::{Purpose, Windows};
