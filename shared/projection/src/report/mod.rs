//! Whether the recording is any good: figures, flags in words, a table and a plot.

mod figures;
mod flags;
mod plot;
mod statistics;
mod summary;
mod table;

pub use figures::{Figures, Motion};
pub use flags::{Flag, Severity};
pub use summary::Summary;

use crate::{ProjectionError, Survey};

/// Names of the files of [`Survey::summary_files`], in their order.
pub const SUMMARY_FILES: [&str; 3] = ["summary.json", "trace.csv", "trace.png"];

/// What the frames themselves do not say.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// Name of the recording.
    pub name: String,
    /// Volumes per second, Hz, above 0.
    pub frame_rate_hz: f64,
    /// Whether nobody stated the rate.
    pub frame_rate_assumed: bool,
}

impl Survey {
    /// Sums the recording up: figures, and what is wrong in words.
    pub fn summary(&self, about: &About) -> Summary {
        Summary::of(self, about)
    }

    /// Renders the summary as JSON, the mean and motion of every frame as CSV, and both as a plot.
    ///
    /// # Errors
    /// [`ProjectionError`] when the plot cannot be made or a figure has no JSON form.
    pub fn summary_files(&self, about: &About) -> Result<Vec<(&'static str, Vec<u8>)>, ProjectionError> {
        let [summary_json, trace_csv, trace_png] = SUMMARY_FILES;
        let mut json = serde_json::to_vec_pretty(&self.summary(about))?;
        json.push(b'\n');
        Ok(vec![(summary_json, json), (trace_csv, table::csv(self, about).into_bytes()), (trace_png, plot::png(self, about)?)])
    }

    /// The time points that were read, from 0.
    pub(crate) fn times(&self) -> impl ExactSizeIterator<Item = usize> + use<> {
        (0..self.info.frames).step_by(self.every.max(1))
    }
}
