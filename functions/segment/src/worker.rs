//! One attempt of a job: claim it, compute, upload, commit, tell.

use crate::checkpoint::{Keeper, Keeping, Making};
use crate::log::RunLog;
use crate::own::{Body, fenced, upload};
use crate::provenance::{Machine, Provenance, Resumed, Times, hash_input};
use crate::report::{REPORT, Told};
use crate::shelf::{Shelved, shelf};
use crate::stages::{Found, RunProgress, StageError, Work, readings, segment_planes_kept, write_results};
use dropscope_jobs::{Changed, Closing, JobsError, Source};
use dropscope_outputs::{Contents, OutputError};
use dropscope_pipeline::job::{Refused, ResultFile, Verdict};
use dropscope_pipeline::{Door, Job, Manifest, ObjectKey, Outcome, RunId, Timestamp};
use dropscope_ports::reader::is_replaced;
use dropscope_ports::{Clock, Condition, Mailer, Objects, ObjectsError, Select};
use dropscope_recording::{Limits, RecordingError};
use sha2::{Digest, Sha256};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Handle;

/// What a worker may touch.
#[derive(Clone)]
pub struct Deps {
    /// The bucket.
    pub objects: Arc<dyn Objects>,
    /// Mail.
    pub mailer: Arc<dyn Mailer>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// What stands before a key to make it an address.
    pub place: String,
    /// Where the links of mails lead; none where mails give none.
    pub door: Option<Door>,
    /// How long a mail stays in the hand of whoever began to send it, seconds.
    pub mail_lease_seconds: u64,
    /// A folder of this worker's own, for the registered movie and the results in the making.
    pub scratch: PathBuf,
    /// Worker threads, 0 for one per core.
    pub threads: usize,
    /// When checkpoints are kept.
    pub keeping: Keeping,
}

/// Which attempt of which run a worker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The run.
    pub run: RunId,
    /// The attempt: the fence.
    pub attempt: u32,
    /// The instance that the worker runs on.
    pub instance: String,
}

/// How an attempt ended, when it did not fail to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Its result is committed.
    Done,
    /// The recording cannot be segmented; its owner is told.
    Failed(Verdict),
    /// The job is not this attempt's; nothing was written.
    Superseded(Refused),
}

/// An attempt that did not end: reconcile starts the next one.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// State or mail are out of order.
    #[error("the run's state cannot be read or changed")]
    Jobs(#[from] JobsError),
    /// The bucket is out of order.
    #[error("the bucket cannot be read or written")]
    Store(#[from] ObjectsError),
    /// The recording cannot be read now, this machine cannot do it, or the work was stopped.
    #[error("the segmentation did not get through")]
    Stage(#[from] StageError),
    /// A result could not be made: a mistake of the program.
    #[error("a result cannot be made")]
    Output(#[from] OutputError),
    /// The scratch folder is full or not writable.
    #[error("the scratch folder cannot be used")]
    Scratch(#[from] std::io::Error),
    /// A document has no JSON form: a mistake of the program.
    #[error("a document cannot be written")]
    Document(#[from] serde_json::Error),
    /// The computing thread broke off.
    #[error("the segmentation broke off")]
    Broke(#[from] tokio::task::JoinError),
    /// The job is another attempt's by now.
    #[error("the run went on without this attempt")]
    Superseded(#[source] Refused),
    /// Somebody must look at the job: it runs and has no manifest.
    #[error("the job has no manifest")]
    NoManifest,
}

/// Works one attempt off.
///
/// # Errors
/// See [`WorkerError`]. Nothing is committed then, and a later attempt starts afresh.
pub async fn handle(assignment: &Assignment, deps: &Deps, progress: Arc<dyn RunProgress>) -> Result<Ending, WorkerError> {
    let started = deps.clock.now();
    let take = |job: &Job| job.running(assignment.attempt, &assignment.instance, started);
    let job = match dropscope_jobs::update_job(&*deps.objects, &assignment.run, take).await? {
        Changed::Now(job) => job,
        Changed::Refused(job, refused) => return late(&job, refused, deps).await,
    };
    let log = Arc::new(RunLog::default());
    log.line(started, &format!("attempt {} of run {} on {} begins", job.attempt, job.run, assignment.instance));
    match work(&job, deps, progress, &log, started).await {
        Ok(outcome) => commit(&job, outcome, deps, &log).await,
        Err(WorkerError::Stage(StageError::Input(verdict))) => give_up(&job, verdict, deps, &log).await,
        Err(WorkerError::Superseded(refused)) => leave(&job, refused, deps).await,
        Err(error) => break_off(&job, error, deps, &log).await,
    }
}

/// Clears what earlier attempts of this run left on this disk.
fn sweep(folder: &Path, job: &Job) {
    for attempt in 1..job.attempt {
        // Not there, most of the time.
        let _ = std::fs::remove_dir_all(folder.with_file_name(format!("{}.{attempt}", job.run)));
    }
}

/// The worker says itself why it ends, so that the owner does not read of an instance that just went away.
async fn break_off(job: &Job, error: WorkerError, deps: &Deps, log: &RunLog) -> Result<Ending, WorkerError> {
    let (now, why) = (deps.clock.now(), dropscope_runtime::chain(&error));
    log.line(now, &format!("broken off: {why}"));
    save_log(job, deps, log).await?;
    dropscope_jobs::update_job(&*deps.objects, &job.run, |current| current.interrupted(job.attempt, why.clone(), now)).await?;
    Err(error)
}

/// A worker that lost its job while it worked. A checkpoint that was on its way then may have come after those of the run
/// were cleared.
async fn leave(job: &Job, refused: Refused, deps: &Deps) -> Result<Ending, WorkerError> {
    let current = dropscope_jobs::load_job(&*deps.objects, &job.run).await?;
    if current.state.is_final() {
        dropscope_jobs::clear_checkpoints(&*deps.objects, &current).await?;
    }
    Ok(Ending::Superseded(refused))
}

/// A worker that is started again after its commit has only the telling left to do.
async fn late(job: &Job, refused: Refused, deps: &Deps) -> Result<Ending, WorkerError> {
    close(job, deps).await?;
    Ok(Ending::Superseded(refused))
}

async fn work(
    job: &Job,
    deps: &Deps,
    progress: Arc<dyn RunProgress>,
    log: &Arc<RunLog>,
    started: Timestamp,
) -> Result<Outcome, WorkerError> {
    let manifest = job.manifest.clone().ok_or(WorkerError::NoManifest)?;
    let results = job.results().ok_or(WorkerError::NoManifest)?;
    let folder = deps.scratch.join(format!("{}.{}", job.run, job.attempt));
    let (shelved, mut shelf) = shelf(job, deps, log).await;
    let source = Source::of_manifest(&deps.objects, &manifest).await?;
    let log = log.clone();
    let attempt = Attempt { job: job.clone(), manifest, source, deps: deps.clone(), folder: folder.clone(), log, started };
    let runtime = tokio::runtime::Handle::current();
    sweep(&folder, job);
    let computing = tokio::task::spawn_blocking(move || attempt.compute(&*progress, &runtime, shelved));
    let made = shelf.until(computing).await?;
    let uploaded = match made {
        Err(_) if let Some(refused) = shelf.lost => Err(WorkerError::Superseded(refused)),
        Ok(outcome) => match fenced(job, deps).await? {
            Ok(()) => upload_all(job, &results, &folder, outcome, deps).await,
            Err(refused) => Err(WorkerError::Superseded(refused)),
        },
        Err(error) => Err(error),
    };
    // What is left behind is only scratch, and the machine goes with it.
    let _ = std::fs::remove_dir_all(&folder);
    uploaded
}

/// Everything that the computing thread takes with it.
struct Attempt {
    job: Job,
    manifest: Manifest,
    source: Source,
    deps: Deps,
    folder: PathBuf,
    log: Arc<RunLog>,
    started: Timestamp,
}

impl Attempt {
    /// Blocking: reads, segments, and leaves the results in the attempt's folder.
    fn compute(&self, progress: &dyn RunProgress, runtime: &Handle, shelved: Shelved) -> Result<Outcome, WorkerError> {
        let reading = |error| reading(error, &self.manifest.key);
        let open = || self.source.input(runtime).map_err(reading);
        let mut keeper = Keeper::new(self.making(), shelved);
        let input = keeper.input(|| hash_input(&open()?).map_err(|error| reading(error.into())))?;
        let recording = open()?.open(&Limits::default(), &self.job.settings.overrides()).map_err(reading)?;
        std::fs::create_dir_all(&self.folder)?;
        let scratch = self.folder.join("movie");
        let work = Work { plan: &self.manifest.plan, threads: self.deps.threads, scratch: &scratch };
        let segmented = segment_planes_kept(&recording, &work, progress, &mut keeper).map_err(|error| match error {
            StageError::Reading(error) => reading(error),
            error => error,
        })?;
        let resumed = keeper.resumed(readings(recording.info(), &self.manifest.plan));
        let found = Found::of(&segmented);
        self.log.line(self.deps.clock.now(), &found.to_string());
        found.notes.iter().for_each(|note| self.log.line(self.deps.clock.now(), note));
        let mut files = Vec::new();
        let told = Told {
            name: &self.manifest.name,
            run: &self.job.run,
            came: self.job.received_at,
            provenance: &self.provenance(&input, None),
            beside: &|name| self.beside(name, runtime),
            scratch: &scratch,
        };
        write_results(&told, &segmented, |name, contents| {
            files.push(keep(&self.folder, name, &contents)?);
            Ok::<_, WorkerError>(())
        })?;
        self.outcome(found, files, &self.provenance(&input, resumed))
    }

    fn making(&self) -> Making<'_> {
        let (clock, keeping, log) = (self.deps.clock.clone(), self.deps.keeping.clone(), self.log.clone());
        Making { job: &self.job, manifest: &self.manifest, clock, keeping, log }
    }

    /// What gif and summary have left in the run's folder by now. They are quick, and done long before; what is not there,
    /// or does not come, the report links to.
    fn beside(&self, name: &str, runtime: &Handle) -> Option<Vec<u8>> {
        let key = self.job.results()?.child(name);
        runtime.block_on(self.deps.objects.get(&key, &Select::default())).ok().map(|object| object.bytes)
    }

    /// How this attempt came to be, its times and cost until now.
    fn provenance<'a>(&'a self, (sha256, bytes): &'a (String, u64), resumed: Option<Resumed>) -> Provenance<'a> {
        let times = Times::between(self.started, self.deps.clock.now());
        Provenance {
            schema: 1,
            program: format!("dropscope {}", crate::VERSION),
            input: self.manifest.key.as_str(),
            input_sha256: sha256,
            input_bytes: *bytes,
            recording: &self.manifest.recording,
            plan: &self.manifest.plan,
            machine: Machine::this(),
            times,
            resumed,
            cost: self.job.usd_per_hour.per_hour_for(times.seconds.ceil() as u64),
        }
    }

    fn outcome(&self, found: Found, files: Vec<ResultFile>, provenance: &Provenance<'_>) -> Result<Outcome, WorkerError> {
        Ok(Outcome {
            attempt: self.job.attempt,
            cells: found.cells,
            rois: found.rois,
            clusters: found.clusters,
            largest_shift_px: found.largest_shift_px,
            bad_frames: found.bad_frames,
            notes: found.notes,
            seconds: provenance.times.seconds,
            cost: provenance.cost,
            files,
            provenance: serde_json::to_value(provenance)?,
        })
    }
}

fn reading(error: RecordingError, recording: &ObjectKey) -> StageError {
    match error {
        error if is_replaced(&error) => StageError::Input(Verdict::gone(recording)),
        RecordingError::Io(_) => StageError::Reading(error),
        error => StageError::Input(Verdict { cause: error.cause(), remedy: error.remedy() }),
    }
}

/// A result goes to scratch first: traces of a long recording are larger than memory should be.
fn keep(folder: &Path, name: &str, contents: &Contents<'_>) -> std::io::Result<ResultFile> {
    let path = folder.join("results").join(name);
    std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
    let file = BufWriter::new(std::fs::File::create(path)?);
    let mut kept = Kept { file, bytes: 0, hash: Sha256::new() };
    contents.write_to(&mut kept)?;
    kept.flush()?;
    Ok(ResultFile { name: name.to_owned(), bytes: kept.bytes, sha256: hex::encode(kept.hash.finalize()) })
}

/// A file that is counted and hashed while it is written.
struct Kept {
    file: BufWriter<std::fs::File>,
    bytes: u64,
    hash: Sha256,
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

async fn upload_all(
    job: &Job,
    results: &ObjectKey,
    folder: &Path,
    outcome: Outcome,
    deps: &Deps,
) -> Result<Outcome, WorkerError> {
    for file in &outcome.files {
        let (key, path) = (results.child(&file.name), folder.join("results").join(&file.name));
        match file.name.as_str() {
            REPORT => upload(job, &key, Body::File(&path), deps).await?,
            _ => dropscope_ports::upload::file(&*deps.objects, &key, &path).await?,
        }
    }
    Ok(outcome)
}

/// running → done: the one write that makes this attempt's results the run's.
async fn commit(job: &Job, outcome: Outcome, deps: &Deps, log: &RunLog) -> Result<Ending, WorkerError> {
    let now = deps.clock.now();
    log.line(now, &format!("{} results uploaded; the work took {:.1} s", outcome.files.len(), outcome.seconds));
    save_log(job, deps, log).await?;
    let step = |current: &Job| current.done(outcome.clone(), now);
    match dropscope_jobs::update_job(&*deps.objects, &job.run, step).await? {
        Changed::Now(done) => {
            close(&done, deps).await?;
            Ok(Ending::Done)
        }
        Changed::Refused(current, refused) => late(&current, refused, deps).await,
    }
}

async fn give_up(job: &Job, verdict: Verdict, deps: &Deps, log: &RunLog) -> Result<Ending, WorkerError> {
    let now = deps.clock.now();
    log.line(now, &format!("failed: {}: {}", verdict.cause, verdict.remedy));
    save_log(job, deps, log).await?;
    let step = |current: &Job| current.failed(job.attempt, verdict.clone(), now);
    match dropscope_jobs::update_job(&*deps.objects, &job.run, step).await? {
        Changed::Now(failed) => {
            close(&failed, deps).await?;
            Ok(Ending::Failed(verdict))
        }
        Changed::Refused(current, refused) => late(&current, refused, deps).await,
    }
}

/// Tells the owner. The money is reconcile's to settle: a worker may not write the budget.
async fn close(job: &Job, deps: &Deps) -> Result<(), WorkerError> {
    let closing = Closing {
        objects: &*deps.objects,
        mailer: &*deps.mailer,
        place: &deps.place,
        door: deps.door.as_ref(),
        lease_seconds: deps.mail_lease_seconds,
        settles: false,
    };
    Ok(dropscope_jobs::close(&closing, job, deps.clock.now()).await?)
}

async fn save_log(job: &Job, deps: &Deps, log: &RunLog) -> Result<(), WorkerError> {
    let Some(results) = job.results() else { return Ok(()) };
    deps.objects.put(&results.child("log.txt"), log.text().into_bytes(), &Condition::Always).await?;
    Ok(())
}
