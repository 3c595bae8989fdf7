//! The verdict on one recording, from its headers.

use dropscope_pipeline::job::Verdict;
use dropscope_pipeline::{Needs, Plan, Settings};
use dropscope_recording::{Info, Limits, ReadSeek, Recording, RecordingError};
use serde::Serialize;

/// Headers are read in blocks of this size: small enough for a short file, large enough that a long header walk
/// takes few requests.
pub const HEADER_BLOCK: u64 = 1 << 20;

/// An accepted recording.
pub struct Accepted {
    /// Open, its headers read.
    pub recording: Recording,
    /// Every setting in use.
    pub plan: Plan,
    /// What it needs of a machine.
    pub needs: Needs,
}

/// Reads the headers and gives the verdict. No pixel is read.
///
/// # Errors
/// Why the recording cannot be read; [`RecordingError::Io`] is the store's fault, everything else the recording's.
pub fn check(reader: Box<dyn ReadSeek>, settings: &Settings) -> Result<Accepted, RecordingError> {
    let recording = dropscope_recording::open(reader, &Limits::default(), &settings.overrides())?;
    let plan = Plan::settle(settings, recording.info());
    let needs = Needs::of(recording.info());
    Ok(Accepted { recording, plan, needs })
}

/// The verdict on a key that leaves no room for the names of its results.
pub fn too_long(bytes: usize) -> Verdict {
    let most = dropscope_pipeline::key::LONGEST_RECORDING_KEY;
    Verdict {
        cause: format!("the name of the recording with its folders is {bytes} bytes long, and {most} is the most"),
        remedy: "upload it under a shorter name or in fewer folders".into(),
    }
}

/// The verdict as `dropscope validate` prints it: one JSON object.
#[derive(Debug, Serialize)]
pub struct Report {
    /// `accepted` or `rejected`.
    pub verdict: &'static str,
    /// What is wrong; null when accepted.
    pub cause: Option<String>,
    /// What to do about it; null when accepted.
    pub remedy: Option<String>,
    /// What the recording is; absent when rejected.
    #[serde(flatten)]
    pub recording: Option<Info>,
    /// What it needs of a machine.
    pub needs: Option<Needs>,
    /// Every setting that will be used, with its source.
    pub plan: Option<Plan>,
}

impl Report {
    /// The report on an accepted recording.
    pub fn accepted(accepted: &Accepted) -> Self {
        Self {
            verdict: "accepted",
            cause: None,
            remedy: None,
            recording: Some(accepted.recording.info().clone()),
            needs: Some(accepted.needs.clone()),
            plan: Some(accepted.plan.clone()),
        }
    }

    /// The report on a rejected one.
    pub fn rejected(verdict: &Verdict) -> Self {
        let (cause, remedy) = (Some(verdict.cause.clone()), Some(verdict.remedy.clone()));
        Self { verdict: "rejected", cause, remedy, recording: None, needs: None, plan: None }
    }
}
