//! The verdict on one recording, from its headers.

use dropscope_jobs::Input;
use dropscope_pipeline::job::Verdict;
use dropscope_pipeline::{Needs, Plan, Settings};
use dropscope_recording::{Info, Limits, Recording, RecordingError};
use serde_json::Value;

/// An accepted recording.
pub struct Accepted {
    /// Open, its headers read.
    pub recording: Recording,
    /// What it is, with every note that its owner should read.
    pub info: Info,
    /// Every setting in use.
    pub plan: Plan,
    /// What it needs of a machine.
    pub needs: Needs,
}

/// Reads the headers and gives the verdict. No pixel is read. `notes` tell of the choice of its files.
///
/// # Errors
/// Why the recording cannot be read; [`RecordingError::Io`] is the store's fault, everything else the recording's.
pub fn check(input: Input, notes: Vec<String>, settings: &Settings) -> Result<Accepted, RecordingError> {
    let recording = input.open(&Limits::default(), &settings.overrides())?;
    let mut info = recording.info().clone();
    info.notes.extend(notes);
    let plan = Plan::settle(settings, &info);
    let needs = Needs::of(&info);
    let needs = if plan.registered_movie.value { needs.with_movie_of(&info) } else { needs };
    Ok(Accepted { recording, info, plan, needs })
}

/// The verdict on a key that leaves no room for the names of its results.
pub fn too_long(bytes: usize) -> Verdict {
    let most = dropscope_pipeline::key::LONGEST_RECORDING_KEY;
    Verdict {
        cause: format!("the name of the recording with its folders is {bytes} bytes long, and {most} is the most"),
        remedy: "upload it under a shorter name or in fewer folders".into(),
    }
}

/// What a report says of a recording; null where nothing is known.
const PROMISED: [&str; 12] = [
    "frames",
    "height",
    "width",
    "planes",
    "channels",
    "dtype",
    "frame_rate_hz",
    "pixel_size_um",
    "sources",
    "notes",
    "needs",
    "plan",
];

/// The report on an accepted recording, as `dropscope validate` prints it: one JSON object.
///
/// # Errors
/// When a figure in it has no JSON form.
pub fn report(accepted: &Accepted) -> serde_json::Result<Value> {
    let mut report = serde_json::json!({ "verdict": "accepted", "cause": null, "remedy": null });
    let info = serde_json::to_value(&accepted.info)?;
    if let (Some(report), Value::Object(info)) = (report.as_object_mut(), info) {
        report.extend(info);
        report.insert("needs".into(), serde_json::to_value(&accepted.needs)?);
        report.insert("plan".into(), serde_json::to_value(&accepted.plan)?);
    }
    Ok(report)
}

/// The report on a rejected one: the same names, with nothing known.
pub fn report_rejected(verdict: &Verdict) -> Value {
    let mut report = serde_json::json!({ "verdict": "rejected", "cause": verdict.cause, "remedy": verdict.remedy });
    if let Some(report) = report.as_object_mut() {
        report.extend(PROMISED.map(|name| (name.to_owned(), Value::Null)));
    }
    report
}
