//! The summary function: whether an accepted recording is any good, in numbers, words and a plot.
//!
//! Called by the creation of a run's `manifest.json`; puts [`SUMMARY_FILES`] beside it.

use dropscope_projection::{Purpose, SUMMARY_FILES};
use dropscope_stage::{Stage, about};
use serde_json::Value;
use std::time::Duration;

pub use dropscope_stage::{Deps, MOST_IN_LAMBDA, Outcome, StageError};

use dropscope_runtime::environment::{BUCKET, Variable};

/// What the program needs to be told by its environment.
pub const VARIABLES: &[&Variable] = &[&BUCKET];

const STAGE: Stage =
    Stage { files: &SUMMARY_FILES, purpose: Purpose::Figures, render: |survey, manifest| survey.summary_files(&about(manifest)) };

/// Works off one notification of a manifest; the files have to be there within `time`.
///
/// # Errors
/// See [`StageError`]. A repeated call does nothing once all files are there.
pub async fn handle(event: &Value, deps: &Deps, time: Duration) -> Result<Vec<Outcome>, StageError> {
    dropscope_stage::handle(event, deps, &STAGE, time).await
}
