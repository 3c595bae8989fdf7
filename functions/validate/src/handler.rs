//! From a notification to a claimed run with a verdict.

use crate::check::{self, Accepted};
use crate::folder;
use dropscope_jobs::{Changed, Closing, JobsError, Source};
use dropscope_pipeline::event::{self, EventError};
use dropscope_pipeline::job::Verdict;
use dropscope_pipeline::key::LONGEST_RECORDING_KEY;
use dropscope_pipeline::{Job, KeyError, Manifest, ObjectKey, RecordingKey, RunId, Settings, State, Upload};
use dropscope_ports::reader::is_replaced;
use dropscope_ports::{Clock, Condition, Mailer, Objects, ObjectsError};
use dropscope_recording::RecordingError;
use serde_json::Value;
use std::sync::Arc;

/// More runs than this of the very same bytes help nobody.
const MOST_RUNS: u32 = 100;

/// What validate may touch.
pub struct Deps {
    /// Name of the bucket that this deployment watches.
    pub bucket: String,
    /// The bucket.
    pub objects: Arc<dyn Objects>,
    /// Mail.
    pub mailer: Arc<dyn Mailer>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// What stands before a key to make it an address.
    pub place: String,
    /// How long a mail stays in the hand of whoever began to send it, seconds.
    pub mail_lease_seconds: u64,
}

/// What became of one notified object.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It has a run, which stands so.
    Run(Box<Job>),
    /// It belongs to a recording in many files, whose folder still fills.
    Gathering(ObjectKey),
    /// It is none of ours, and why.
    Ignored(KeyError),
    /// It lies in another bucket.
    OtherBucket(String),
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run(job) => write!(f, "run {} of {} is {}", job.run, job.upload.key, job.state.word()),
            Self::Gathering(folder) => write!(f, "{folder} gathers"),
            Self::Ignored(why) => write!(f, "ignored: {why}"),
            Self::OtherBucket(bucket) => write!(f, "ignored: bucket `{bucket}` is not watched"),
        }
    }
}

/// A notification that could not be worked off.
#[derive(Debug, thiserror::Error)]
pub enum ValidateError {
    /// Not a notification of a created object; trying again does not help.
    #[error("the event is refused")]
    Event(#[from] EventError),
    /// State or mail are out of order; trying again later helps.
    #[error("the run could not be recorded")]
    Jobs(#[from] JobsError),
    /// The bucket is out of order; trying again later helps.
    #[error("the bucket cannot be read")]
    Store(#[from] ObjectsError),
    /// The recording could not be read for a reason that is not its own.
    #[error("the recording cannot be read now")]
    Reading(#[source] RecordingError),
    /// The manifest has no JSON form.
    #[error("the manifest cannot be written")]
    Manifest(#[source] serde_json::Error),
    /// The machine ended the work.
    #[error("the check was cut short")]
    Cut(#[source] tokio::task::JoinError),
}

impl ValidateError {
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
            Self::Manifest(_) | Self::Cut(_) => "Program",
        }
    }
}

/// Works off one notification.
///
/// # Errors
/// See [`ValidateError`]. A repeated call goes on where this one stopped.
pub async fn handle(event: &Value, deps: &Deps) -> Result<Vec<Outcome>, ValidateError> {
    let mut outcomes = Vec::new();
    for upload in event::uploads(event)? {
        outcomes.push(one(upload, deps).await?);
    }
    Ok(outcomes)
}

/// Runs the recording of an earlier run again, under the next free name: `settings` over those of that run.
///
/// # Errors
/// See [`ValidateError`].
pub async fn rerun(of: &RunId, settings: &Settings, deps: &Deps) -> Result<Job, ValidateError> {
    let earlier = dropscope_jobs::load_job(&*deps.objects, of).await?;
    let key = RecordingKey::parse(&earlier.upload.key).map_err(EventError::Key)?;
    let settings = settings.over(&earlier.settings);
    let mut number = 2;
    while dropscope_jobs::find_job(&*deps.objects, &of.again(number)).await?.is_some() {
        number += 1;
    }
    let fresh = Job::claim(of.again(number), earlier.upload, earlier.owner, settings, deps.clock.now());
    let job = dropscope_jobs::create_job(&*deps.objects, fresh).await?;
    proceed(job, &key, deps).await
}

async fn one(upload: Upload, deps: &Deps) -> Result<Outcome, ValidateError> {
    if upload.bucket != deps.bucket {
        return Ok(Outcome::OtherBucket(upload.bucket));
    }
    if let Some(outcome) = folder::work(&upload, deps).await? {
        return Ok(outcome);
    }
    let key = match RecordingKey::parse(&upload.key) {
        Ok(key) => key,
        Err(why) => return Ok(Outcome::Ignored(why)),
    };
    let job = match find(&upload, deps).await? {
        Ok(job) => {
            if !job.closed {
                dropscope_jobs::mark_open(&*deps.objects, &job.run, job.received_at).await?;
            }
            job
        }
        Err(run) => claim(run, upload, &key, deps).await?,
    };
    Ok(Outcome::Run(Box::new(proceed(job, &key, deps).await?)))
}

/// From wherever the job stands to a verdict that is announced or told.
pub(crate) async fn proceed(mut job: Job, key: &RecordingKey, deps: &Deps) -> Result<Job, ValidateError> {
    if job.state == State::Received {
        job = judge(job, key, deps).await?;
    }
    if job.state == State::Validated {
        announce(&job, deps).await?;
    }
    let closing = Closing {
        objects: &*deps.objects,
        mailer: &*deps.mailer,
        place: &deps.place,
        // Whoever reads what strangers upload has no key. A run that it finds done is told of by others, but for a rare race.
        door: None,
        lease_seconds: deps.mail_lease_seconds,
        settles: false,
    };
    dropscope_jobs::close(&closing, &job, deps.clock.now()).await?;
    Ok(job)
}

/// The job of this upload, or the run that it is to be.
///
/// Whoever uploads the same recording again after it came to nothing (with other settings beside it, say) wants another
/// try: a later write of the key is the next run then. Its notification come twice is not.
async fn find(upload: &Upload, deps: &Deps) -> Result<Result<Job, RunId>, ValidateError> {
    let first = RunId::of_upload(&upload.bucket, &upload.key, upload.version.as_deref(), &upload.etag);
    for run in (1..=MOST_RUNS).map(|n| first.again(n)) {
        match dropscope_jobs::find_job(&*deps.objects, &run).await? {
            Some(job) if job.state.is_unsuccessful() && upload.is_later_than(&job.upload) => {}
            Some(job) => return Ok(Ok(job)),
            None => return Ok(Err(run)),
        }
    }
    Ok(Err(first.again(MOST_RUNS)))
}

/// The claim freezes the settings found now. A key too long or settings that cannot be used are a verdict already.
async fn claim(run: RunId, upload: Upload, key: &RecordingKey, deps: &Deps) -> Result<Job, ValidateError> {
    let now = deps.clock.now();
    let bytes = upload.key.as_str().len();
    let found = if bytes > LONGEST_RECORDING_KEY {
        Err(check::too_long(bytes))
    } else {
        crate::settings::nearest(&*deps.objects, &upload.key).await?
    };
    let fresh = |settings| Job::claim(run, upload, key.owner.clone(), settings, now);
    let job = match found {
        Ok(settings) => fresh(settings),
        Err(verdict) => Job { state: State::Rejected(verdict), ..fresh(Settings::default()) },
    };
    Ok(dropscope_jobs::create_job(&*deps.objects, job).await?)
}

/// received → validated or rejected.
async fn judge(job: Job, key: &RecordingKey, deps: &Deps) -> Result<Job, ValidateError> {
    let verdict = verdict(&job, key, deps).await?;
    let now = deps.clock.now();
    let step = |job: &Job| match &verdict {
        Ok(manifest) => job.validated(manifest.clone(), now),
        Err(verdict) => job.rejected(verdict.clone(), now),
    };
    match dropscope_jobs::update_job(&*deps.objects, &job.run, step).await? {
        // Refused: another call gave the verdict first, and its verdict holds.
        Changed::Now(job) | Changed::Refused(job, _) => Ok(job),
    }
}

async fn verdict(job: &Job, key: &RecordingKey, deps: &Deps) -> Result<Result<Manifest, Verdict>, ValidateError> {
    let gone = Verdict::gone(&job.upload.key);
    let Some(source) = Source::of_upload(&deps.objects, &job.run, &job.upload).await? else { return Ok(Err(gone)) };
    let size = source.size();
    match read_headers(source, job).await? {
        Ok(accepted) => Ok(Ok(manifest(job, key, size, &accepted, deps))),
        Err(error) if is_replaced(&error) => Ok(Err(gone)),
        Err(error @ RecordingError::Io(_)) => Err(ValidateError::Reading(error)),
        Err(error) => Ok(Err(Verdict { cause: error.cause(), remedy: error.remedy() })),
    }
}

async fn read_headers(source: Source, job: &Job) -> Result<Result<Accepted, RecordingError>, ValidateError> {
    let (runtime, settings) = (tokio::runtime::Handle::current(), job.settings.clone());
    let read = move || check::check(source.input(&runtime)?, source.notes(), &settings);
    tokio::task::spawn_blocking(read).await.map_err(ValidateError::Cut)
}

fn manifest(job: &Job, key: &RecordingKey, size: u64, accepted: &Accepted, deps: &Deps) -> Manifest {
    Manifest {
        schema: 1,
        run: job.run.clone(),
        bucket: job.upload.bucket.clone(),
        key: job.upload.key.clone(),
        version: job.upload.version.clone(),
        etag: job.upload.etag.clone(),
        size,
        owner: job.owner.clone(),
        name: key.name.clone(),
        recording: accepted.info.clone(),
        plan: accepted.plan.clone(),
        needs: accepted.needs.clone(),
        accepted_at: deps.clock.now(),
    }
}

/// Writes manifest.json, whose creation starts everything that follows.
async fn announce(job: &Job, deps: &Deps) -> Result<(), ValidateError> {
    let (Some(manifest), Some(results)) = (&job.manifest, job.results()) else { return Ok(()) };
    let bytes = manifest.to_json().map_err(ValidateError::Manifest)?;
    match deps.objects.put(&results.child("manifest.json"), bytes, &Condition::Absent).await {
        Ok(_) | Err(ObjectsError::Precondition { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
