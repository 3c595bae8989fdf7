//! From the notification of a manifest to the files of one stage that looks through the recording once.
//!
//! What gif and summary have in common. Called twice, late or half way, it puts what is missing; files depend on the
//! recording and its settings only, so putting one again changes nothing.

mod budget;

use budget::{Budget, look};
use dropscope_jobs::{JobsError, Source};
use dropscope_pipeline::event::{self, EventError};
use dropscope_pipeline::{Manifest, ObjectKey, RunId, Upload};
use dropscope_ports::reader::is_replaced;
use dropscope_ports::retry::patiently;
use dropscope_ports::{Condition, Objects, ObjectsError, Select};
use dropscope_projection::{About, ProjectionError, Purpose, Survey};
use dropscope_recording::{Limits, Overrides, RecordingError};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most bytes of a recording that a function looks at, so that its fifteen minutes last: read whole at the 70 MB/s of one
/// connection (S3 performance guidelines) this is a minute; sampled, a request of some 30 ms for each frame of half a
/// megabyte, it is five or so.
pub const MOST_IN_LAMBDA: u64 = 4 << 30;

/// What a stage may touch.
#[derive(Clone)]
pub struct Deps {
    /// Name of the bucket that this deployment watches.
    pub bucket: String,
    /// The bucket.
    pub objects: Arc<dyn Objects>,
    /// Most bytes of a recording that are read; larger ones are sampled evenly.
    pub max_bytes: u64,
}

/// What a stage makes of a survey.
pub struct Stage {
    /// Names of its files.
    pub files: &'static [&'static str],
    /// What they show.
    pub purpose: Purpose,
    /// Makes them.
    pub render: fn(&Survey, &Manifest) -> Result<Files, ProjectionError>,
}

/// What a manifest says of a recording that its frames do not.
pub fn about(manifest: &Manifest) -> About {
    let rate = &manifest.plan.frame_rate_hz;
    About { name: manifest.name.clone(), frame_rate_hz: rate.value, frame_rate_assumed: rate.assumed() }
}

/// Files by name.
pub type Files = Vec<(&'static str, Vec<u8>)>;

/// What became of one notified manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The files are there now.
    Made(RunId),
    /// They were there already.
    Already(RunId),
    /// The recording cannot be read, and why; the segmentation tells its owner.
    Skipped(RunId, String),
    /// The object is no manifest of a run of this bucket, or is no longer there.
    Ignored(String),
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Made(run) => write!(f, "the files of run {run} are made"),
            Self::Already(run) => write!(f, "the files of run {run} are there already"),
            Self::Skipped(run, why) => write!(f, "run {run} is skipped: {why}"),
            Self::Ignored(key) => write!(f, "ignored: `{key}` is no manifest of a run"),
        }
    }
}

/// A notification that could not be worked off.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// Not a notification of a created object; trying again does not help.
    #[error("the event is refused")]
    Event(#[from] EventError),
    /// State is out of order; trying again later helps.
    #[error("the run's state cannot be read")]
    Jobs(#[from] JobsError),
    /// The bucket is out of order; trying again later helps.
    #[error("the bucket cannot be read or written")]
    Store(#[from] ObjectsError),
    /// The recording could not be read for a reason that is not its own; trying again later helps.
    #[error("the recording cannot be read now")]
    Reading(#[source] RecordingError),
    /// The manifest is not one.
    #[error("the manifest `{key}` cannot be understood")]
    Manifest {
        /// Which.
        key: ObjectKey,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A file could not be made.
    #[error("a file could not be made")]
    Render(#[source] ProjectionError),
    /// The machine ended the work.
    #[error("the work was cut short")]
    Cut(#[from] tokio::task::JoinError),
}

impl StageError {
    /// Whether nothing is lost when the event is put aside.
    pub fn is_harmless(&self) -> bool {
        matches!(self, Self::Event(error) if error.is_harmless())
    }

    /// A name that stays: alarms go by it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => "Event",
            Self::Jobs(_) => "State",
            Self::Store(_) | Self::Reading(_) => "Store",
            Self::Manifest { .. } | Self::Render(_) | Self::Cut(_) => "Program",
        }
    }
}

/// Works off one notification, its files made within `time` of this call. What does not fit is sampled.
///
/// # Errors
/// See [`StageError`].
pub async fn handle(event: &Value, deps: &Deps, stage: &Stage, time: Duration) -> Result<Vec<Outcome>, StageError> {
    let began = Instant::now();
    let mut outcomes = Vec::new();
    for upload in event::uploads(event)? {
        outcomes.push(match run_of(&upload, &deps.bucket) {
            Some((run, folder)) => one(run, &folder, &upload.key, deps, stage, time.saturating_sub(began.elapsed())).await?,
            None => Outcome::Ignored(upload.key.to_string()),
        });
    }
    Ok(outcomes)
}

/// The run whose manifest this is, `results/…/<run>/manifest.json`, and its folder.
fn run_of(upload: &Upload, bucket: &str) -> Option<(RunId, ObjectKey)> {
    let folder = upload.key.as_str().strip_suffix("manifest.json")?;
    let run = folder.strip_prefix("results/")?.strip_suffix('/')?.rsplit('/').next()?.parse().ok()?;
    (upload.bucket == bucket).then(|| (run, ObjectKey::raw(folder)))
}

async fn one(
    run: RunId,
    folder: &ObjectKey,
    key: &ObjectKey,
    deps: &Deps,
    stage: &Stage,
    time: Duration,
) -> Result<Outcome, StageError> {
    if all_there(folder, deps, stage).await? {
        return Ok(Outcome::Already(run));
    }
    let object = match patiently(|| deps.objects.get(key, &EVERYTHING)).await {
        Err(ObjectsError::NotFound { .. }) => return Ok(Outcome::Ignored(key.to_string())),
        object => object?,
    };
    let manifest: Manifest =
        serde_json::from_slice(&object.bytes).map_err(|source| StageError::Manifest { key: key.clone(), source })?;
    let overrides = dropscope_jobs::load_job(&*deps.objects, &run).await?.settings.overrides();
    match sorted(files(manifest, overrides, deps, stage, time).await?)? {
        Ok(files) => {
            for (name, bytes) in files {
                let key = folder.child(name);
                patiently(|| deps.objects.put(&key, bytes.clone(), &Condition::Always)).await?;
            }
            Ok(Outcome::Made(run))
        }
        Err(cause) => {
            tracing::warn!(run = %run, cause = %cause, "the recording is skipped");
            Ok(Outcome::Skipped(run, cause))
        }
    }
}

const EVERYTHING: Select = Select { version: None, if_match: None, range: None };

async fn all_there(folder: &ObjectKey, deps: &Deps, stage: &Stage) -> Result<bool, StageError> {
    for name in stage.files {
        let key = folder.child(name);
        match patiently(|| deps.objects.head(&key, &EVERYTHING)).await {
            Err(ObjectsError::NotFound { .. }) => return Ok(false),
            found => found?,
        };
    }
    Ok(true)
}

/// Looks through the recording on a thread that may block.
async fn files(
    manifest: Manifest,
    overrides: Overrides,
    deps: &Deps,
    stage: &Stage,
    time: Duration,
) -> Result<Result<Files, ProjectionError>, StageError> {
    let began = Instant::now();
    let source = Source::of_manifest(&deps.objects, &manifest).await?;
    let (budget, purpose, render) = (Budget { max_bytes: deps.max_bytes, time }, stage.purpose, stage.render);
    let runtime = tokio::runtime::Handle::current();
    let work = move || {
        let input = source.input(&runtime)?;
        let recording = input.open(&Limits::default(), &overrides)?;
        let survey = look(&recording, manifest.size, &budget, purpose, &|| began.elapsed())?;
        render(&survey, &manifest)
    };
    Ok(tokio::task::spawn_blocking(work).await?)
}

/// The files, or why the recording itself forbids them; what another try may mend is an error.
fn sorted(made: Result<Files, ProjectionError>) -> Result<Result<Files, String>, StageError> {
    match made {
        Ok(files) => Ok(Ok(files)),
        Err(ProjectionError::Recording(error)) if is_replaced(&error) => {
            Ok(Err("the recording was replaced or removed before it was read".to_owned()))
        }
        Err(ProjectionError::Recording(error @ RecordingError::Io(_))) => Err(StageError::Reading(error)),
        Err(ProjectionError::Recording(error)) => Ok(Err(error.to_string())),
        Err(error) => Err(StageError::Render(error)),
    }
}
