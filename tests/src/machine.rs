//! One machine with the embedded cloud on it, its disk, and the world outside.

use crate::fleet::InlineFleet;
use dropscope_cli::cloud::{BUCKET, Cloud, World};
use dropscope_local::{LocalStore, MailDir};
use dropscope_pipeline::budget::Budget;
use dropscope_pipeline::job::ResultFile;
use dropscope_pipeline::{Job, ObjectKey, Outcome, State, Upload};
use dropscope_ports::{Condition, Fleet, Mailer, Objects, ObjectsError, Select};
use dropscope_segment::{Assignment, Keeping, RunProgress};
use dropscope_segmentation::Stage;
use dropscope_testkit::clock::StandingClock;
use dropscope_testkit::faults::{Failing, Faults};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// What a machine has when it is switched off: disk, clock, and instances elsewhere.
pub struct Whole {
    /// The bucket's folder.
    pub folder: TempDir,
    /// The clock.
    pub clock: Arc<StandingClock>,
    /// The fleet.
    pub fleet: Arc<InlineFleet>,
    /// When workers keep checkpoints.
    pub keeping: Keeping,
}

/// The machine, switched on: functions and workers behind one set of faults.
pub struct Machine<'a> {
    whole: &'a Whole,
    /// The bucket, without faults: what the test itself looks at.
    pub store: LocalStore,
    /// The functions.
    pub cloud: Cloud,
    world: World,
    worker: World,
    functions: Arc<Faults>,
    workers: Arc<Faults>,
}

struct Nobody;
impl RunProgress for Nobody {
    fn step(&self, _: usize, _: usize, _: Stage, _: usize, _: usize) {}
}

impl Whole {
    /// A new machine with an empty disk.
    ///
    /// # Errors
    /// When there is no room for a temporary folder.
    pub fn new() -> std::io::Result<Self> {
        let clock = Arc::new(StandingClock::new());
        let fleet = Arc::new(InlineFleet::new(clock.clone()));
        Ok(Self { folder: tempfile::tempdir()?, fleet, clock, keeping: Keeping::default() })
    }

    /// Switches the machine on; `faults` strike the functions and the workers.
    ///
    /// # Errors
    /// When the disk cannot be used.
    pub fn on(&self, faults: Arc<Faults>) -> std::io::Result<Machine<'_>> {
        self.boot(faults.clone(), faults)
    }

    /// Switches the machine on; `faults` strike the workers only.
    ///
    /// # Errors
    /// When the disk cannot be used.
    pub fn on_with_failing_workers(&self, faults: Arc<Faults>) -> std::io::Result<Machine<'_>> {
        self.boot(Faults::never(), faults)
    }

    fn boot(&self, functions: Arc<Faults>, workers: Arc<Faults>) -> std::io::Result<Machine<'_>> {
        let (announce, announced) = tokio::sync::mpsc::unbounded_channel();
        let store = LocalStore::announcing(self.folder.path(), BUCKET, announce)?;
        let world = self.world(&store, &functions);
        let worker = self.world(&store, &workers);
        Ok(Machine { whole: self, store, cloud: Cloud::new(&world, announced), world, worker, functions, workers })
    }

    fn world(&self, store: &LocalStore, faults: &Arc<Faults>) -> World {
        let objects: Arc<dyn Objects> = Arc::new(store.clone());
        let fleet: Arc<dyn Fleet> = self.fleet.clone();
        let mailer: Arc<dyn Mailer> = Arc::new(MailDir::new(self.folder.path(), self.clock.clone()));
        World {
            objects: Arc::new(Failing::new(objects, faults.clone())),
            fleet: Arc::new(Failing::new(fleet, faults.clone())),
            mailer: Arc::new(Failing::new(mailer, faults.clone())),
            clock: self.clock.clone(),
            place: "/bucket/".into(),
        }
    }
}

/// Most turns of the functions that any of these walks may take.
const TURNS: usize = 60;

impl Machine<'_> {
    /// Uploads a recording, as its owner does.
    ///
    /// # Errors
    /// When the disk cannot be used.
    pub async fn upload(&self, key: &str, bytes: Vec<u8>) -> Result<Upload, ObjectsError> {
        let (key, size) = (ObjectKey::raw(key), bytes.len() as u64);
        let etag = self.store.put(&key, bytes, &Condition::Always).await?;
        Ok(Upload { bucket: BUCKET.into(), key, version: None, etag, size: Some(size), sequencer: None })
    }

    /// The same, with settings beside it that state when its session began.
    ///
    /// # Errors
    /// When the store does not take them.
    pub async fn upload_dated(&self, key: &str, bytes: Vec<u8>) -> Result<Upload, ObjectsError> {
        self.upload_with(DATED, key, bytes).await
    }

    /// The same, and all results are asked for.
    ///
    /// # Errors
    /// When the store does not take them.
    pub async fn upload_for_all(&self, key: &str, bytes: Vec<u8>) -> Result<Upload, ObjectsError> {
        self.upload_with(&[MOVIE, DATED].concat(), key, bytes).await
    }

    async fn upload_with(&self, settings: &[u8], key: &str, bytes: Vec<u8>) -> Result<Upload, ObjectsError> {
        let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
        let beside = ObjectKey::raw(format!("{folder}/dropscope.toml"));
        self.store.put(&beside, settings.to_vec(), &Condition::Always).await?;
        self.upload(key, bytes).await
    }

    /// Turns the functions and runs the workers until nothing is left to do, or the machine is dead.
    ///
    /// # Errors
    /// When that takes more turns than it can: something hangs.
    pub async fn walk(&mut self) -> Result<(), Box<dyn Error>> {
        if self.cloud.recover(&self.store).await.is_err() && self.world_is_dead() {
            return Ok(());
        }
        for _ in 0..TURNS {
            let turn = self.cloud.turn().await;
            if self.world_is_dead() {
                return Ok(());
            }
            for instance in self.whole.fleet.alive() {
                let assignment = Assignment { run: instance.run, attempt: instance.attempt, instance: instance.id };
                self.work(&assignment).await;
                self.whole.fleet.end(&assignment.instance);
            }
            if self.world_is_dead() {
                return Ok(());
            }
            self.whole.clock.advance(3);
            if turn.is_ok_and(|summary| summary.open + summary.gathering == 0) && self.jobs().await?.iter().all(|job| job.closed)
            {
                return Ok(());
            }
        }
        Err(format!("not finished after {TURNS} turns: {:?}", self.jobs().await?).into())
    }

    /// Whether faults have killed the functions' own process.
    fn world_is_dead(&self) -> bool {
        self.functions.dead()
    }

    /// Runs one worker to its end, whatever that is.
    pub async fn work(&self, assignment: &Assignment) {
        let deps = dropscope_segment::Deps {
            objects: self.worker.objects.clone(),
            mailer: self.worker.mailer.clone(),
            clock: self.worker.clock.clone(),
            place: self.worker.place.clone(),
            door: None,
            mail_lease_seconds: 0,
            scratch: self.whole.folder.path().join(".dropscope").join("work"),
            threads: 1,
            keeping: self.whole.keeping.clone(),
        };
        if !self.functions.dead() {
            self.workers.start_again();
        }
        // A worker that breaks off is what these walks are about: reconcile has to mend it.
        let _ = dropscope_segment::handle(assignment, &deps, Arc::new(Nobody)).await;
    }

    /// Every job, read past the faults.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub async fn jobs(&self) -> Result<Vec<Job>, Box<dyn Error>> {
        Ok(dropscope_jobs::list_jobs(&self.store).await?)
    }

    /// The world of the functions.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The mails that lie in the mail folder, as text.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn mails(&self) -> std::io::Result<Vec<String>> {
        mails(self.whole.folder.path())
    }

    /// Everything that must hold once a run is done: results whole, mail sent, money settled, nothing left over.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn check_done(&self, job: &Job) -> Result<Outcome, Box<dyn Error>> {
        let State::Done(outcome) = &job.state else { return Err(format!("the job is {:?}", job.state).into()) };
        let results = job.results().ok_or("the job has no results")?;
        for file in &outcome.files {
            let object = self.store.get(&results.child(&file.name), &Select::default()).await?;
            ensure(
                hex::encode(Sha256::digest(&object.bytes)) == file.sha256,
                &format!("{} is not the committed one", file.name),
            )?;
        }
        for name in ["manifest.json", "provenance.json", "log.txt"] {
            self.store.head(&results.child(name), &Select::default()).await?;
        }
        ensure(job.closed, "the run is not closed")?;
        let mine = format!("{}.done", job.run);
        ensure(self.mails()?.iter().filter(|mail| mail.contains(&mine)).count() == 1, "there is not one mail")?;
        ensure(self.store.list("state/outbox/pending/", None).await?.is_empty(), "a mail is left in the outbox")?;
        let budget = self.store.get(&ObjectKey::raw("state/budget.json"), &Select::default()).await?;
        let budget: Budget = serde_json::from_slice(&budget.bytes)?;
        ensure(budget.reservations.is_empty(), "money is left reserved")?;
        Ok(outcome.clone())
    }
}

/// The results that every attempt at one upload makes alike: all but the report, which tells times. What is compared with
/// another world is [dated](Machine::upload_dated): without a session's start the NWB file has the time of the claim.
pub fn alike(files: &[ResultFile]) -> Vec<ResultFile> {
    files.iter().filter(|file| file.name != "report.html").cloned().collect()
}

/// The results that do not even tell which run they are of.
pub fn alike_in_any_run(files: &[ResultFile]) -> Vec<ResultFile> {
    alike(files).into_iter().filter(|file| file.name != "segmentation.nwb").collect()
}

/// Settings that state when the session began, and nothing else.
pub const DATED: &[u8] = b"[nwb]\nsession_start = 2026-05-04T09:30:00+02:00\n";

/// Settings that ask for the registered movie: then there is every result.
const MOVIE: &[u8] = b"registered_movie = true\n\n";

/// The mails in a bucket's mail folder.
///
/// # Errors
/// When they cannot be read.
pub fn mails(folder: &Path) -> std::io::Result<Vec<String>> {
    match std::fs::read_dir(folder.join("mail")) {
        Ok(files) => files.map(|file| std::fs::read_to_string(file?.path())).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn ensure(holds: bool, law: &str) -> Result<(), Box<dyn Error>> {
    if holds { Ok(()) } else { Err(law.into()) }
}
