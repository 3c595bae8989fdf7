//! The embedded cloud: the deployed functions on one machine, fed with the same events.
//!
//! Events are delivered at least once: those of this process as they happen, all others (written before a crash, by
//! another process) by looking at what lies in the bucket.

use dropscope_jobs::JobsError;
use dropscope_launch::Beside;
use dropscope_local::{LocalFleet, LocalStore, MailDir, Worker};
use dropscope_pipeline::budget::Allowance;
use dropscope_pipeline::{Job, Quiet, RunId, Timestamp, Upload, event, state_keys};
use dropscope_ports::clock::SystemClock;
use dropscope_ports::{Clock, Fleet, InstanceState, Mailer, Objects, ObjectsError};
use dropscope_reconcile::{Patience, ReconcileError, Summary};
use serde_json::Value;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The bucket's name on one machine.
pub const BUCKET: &str = "dropscope";
/// An event whose handler fails is delivered this often, as Lambda does (once and two retries).
const DELIVERIES: u32 = 3;
/// A folder without a new file for ten minutes is a whole recording.
const QUIET: Quiet = Quiet { needed: 600, again: 20 };
/// Uploads that are looked at before the runs are looked after again.
const UPLOADS_A_TURN: usize = 32;

/// The world that the functions act on.
#[derive(Clone)]
pub struct World {
    /// The bucket.
    pub objects: Arc<dyn Objects>,
    /// Instances.
    pub fleet: Arc<dyn Fleet>,
    /// Mail.
    pub mailer: Arc<dyn Mailer>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// What stands before a key to make it an address.
    pub place: String,
}

/// The functions, wired to a world, and the events that wait for them.
pub struct Cloud {
    validate: dropscope_validate::Deps,
    launch: dropscope_launch::Deps,
    look: dropscope_stage::Deps,
    reconcile: dropscope_reconcile::Deps,
    clock: Arc<dyn Clock>,
    announced: UnboundedReceiver<Upload>,
    uploads: VecDeque<(Upload, u32)>,
    manifests: VecDeque<(Upload, u32)>,
    /// Instances that may run at a time, where that is known.
    most: Option<usize>,
    /// Runs that validate spoke of since somebody asked.
    heard: Mutex<Vec<RunId>>,
    /// Where manifests go for gif and summary, when those work beside the turns.
    looks: Option<UnboundedSender<Upload>>,
    delivered: u64,
}

/// A call that did not get through; the next turn goes on.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// The bucket is out of order.
    #[error("the bucket cannot be read")]
    Store(#[from] ObjectsError),
    /// State, fleet or mail are out of order.
    #[error("the runs cannot be looked after")]
    Reconcile(#[from] ReconcileError),
}

/// What was found in the way of an event: one function's refusal or failure.
type Handled = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// A bucket in a folder, with everything that watches it.
pub struct Embedded {
    /// The bucket, as a folder.
    pub store: LocalStore,
    /// The functions.
    pub cloud: Cloud,
    /// What they act on.
    pub world: World,
    /// Tells the functions of an object that somebody created beside the store.
    pub announce: UnboundedSender<Upload>,
}

impl Embedded {
    /// Opens the bucket in `folder` with at most `most` workers at a time.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Path, worker: Worker, most: usize) -> io::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (announce, announced) = unbounded_channel();
        let store = LocalStore::announcing(folder, BUCKET, announce.clone())?;
        let folder = folder.canonicalize()?;
        let world = World {
            objects: Arc::new(store.clone()),
            fleet: Arc::new(LocalFleet::open(&folder, worker, most, clock.clone())?),
            mailer: Arc::new(MailDir::new(&folder, clock.clone())),
            clock,
            place: format!("{}/", folder.display()),
        };
        let cloud = Cloud::new(&world, announced).limited(most);
        Ok(Self { store, cloud, world, announce })
    }
}

impl Cloud {
    /// Wires the functions to a world; `announced` tells of every object that is created in it.
    pub fn new(world: &World, announced: UnboundedReceiver<Upload>) -> Self {
        // A mail file has the name of its mail: sent twice it is one file, so nobody has to wait for a dead sender.
        let mail_lease_seconds = 0;
        Self {
            validate: dropscope_validate::Deps {
                bucket: BUCKET.into(),
                objects: world.objects.clone(),
                mailer: world.mailer.clone(),
                clock: world.clock.clone(),
                place: world.place.clone(),
                mail_lease_seconds,
            },
            launch: dropscope_launch::Deps {
                bucket: BUCKET.into(),
                objects: world.objects.clone(),
                fleet: world.fleet.clone(),
                clock: world.clock.clone(),
                allowance: Allowance::default(),
                beside: Beside::default(),
            },
            look: dropscope_stage::Deps { bucket: BUCKET.into(), objects: world.objects.clone(), max_bytes: u64::MAX },
            reconcile: dropscope_reconcile::Deps {
                // The place of the results is at hand here.
                door: None,
                objects: world.objects.clone(),
                fleet: world.fleet.clone(),
                mailer: world.mailer.clone(),
                clock: world.clock.clone(),
                place: world.place.clone(),
                mail_lease_seconds,
                patience: Patience { launch: 5, wake: 2, verdict: 3600, leave: 30, overtime: 60, tell: 600, quiet: QUIET },
                allowance: Allowance::default(),
            },
            clock: world.clock.clone(),
            announced,
            uploads: VecDeque::new(),
            manifests: VecDeque::new(),
            most: None,
            heard: Mutex::default(),
            looks: None,
            delivered: 0,
        }
    }

    /// The same, knowing that at most `most` instances run at a time: a manifest that finds no room is not tried, and
    /// reconcile announces it again in its owner's turn.
    #[must_use]
    pub fn limited(mut self, most: usize) -> Self {
        self.most = Some(most);
        self.reconcile.allowance.most_instances = Some(most);
        self
    }

    /// Lets the folder of a recording in many files count as whole after so many quiet seconds instead of ten minutes.
    pub fn wait_for_files(&mut self, seconds: u64) {
        self.reconcile.patience.quiet.needed = seconds;
    }

    /// Lets gif and summary work beside the turns: the previews of a long recording keep no other one waiting. Begins
    /// with what earlier processes may not have finished.
    ///
    /// # Errors
    /// When the runs cannot be read.
    pub async fn look_beside(&mut self) -> Result<(), JobsError> {
        let (looks, mut due) = unbounded_channel();
        let (deps, clock) = (self.look.clone(), self.clock.clone());
        for job in dropscope_jobs::list_jobs(&*self.look.objects).await? {
            if let (Some(manifest), Some(results)) = (&job.manifest, job.results()) {
                let (bucket, key) = (manifest.bucket.clone(), results.child("manifest.json"));
                // Nobody has closed the other end yet.
                let _ = looks.send(Upload { bucket, key, version: None, etag: String::new(), size: None, sequencer: None });
            }
        }
        tokio::spawn(async move {
            while let Some(upload) = due.recv().await {
                let event = event::object_created(&upload, "local-look", clock.now());
                if let Err(error) = patiently_look(&event, &deps).await {
                    tracing::error!(key = %upload.key, error = dropscope_runtime::chain(&*error), "a preview is given up");
                }
            }
        });
        self.looks = Some(looks);
        Ok(())
    }

    /// Announces everything that lies in the bucket: what an earlier process may not have delivered.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub async fn recover(&mut self, store: &LocalStore) -> Result<(), CloudError> {
        for prefix in ["recordings/", "results/"] {
            for upload in store.inventory(prefix).await? {
                self.queue(upload, 0);
            }
        }
        Ok(())
    }

    /// Delivers what waits, then looks after all runs once.
    ///
    /// # Errors
    /// See [`CloudError`]; the next turn goes on.
    pub async fn turn(&mut self) -> Result<Summary, CloudError> {
        self.collect();
        if self.most.is_none() {
            self.launch_all().await;
        }
        self.look_at_uploads().await;
        self.collect();
        // Runs that reconcile announces have waited longer than those that were just announced.
        let fresh = std::mem::take(&mut self.manifests);
        let summary = dropscope_reconcile::handle(&self.reconcile).await?;
        self.collect();
        self.manifests.extend(fresh);
        self.launch_all().await;
        Ok(summary)
    }

    /// Waits until an object is created, at most so long.
    pub async fn idle(&mut self, most: Duration) {
        if let Ok(Some(upload)) = tokio::time::timeout(most, self.announced.recv()).await {
            self.queue(upload, 0);
        }
    }

    /// Runs that are open, or that validate spoke of since the last call.
    ///
    /// # Errors
    /// When the runs cannot be read.
    pub async fn at_hand(&self) -> Result<Vec<Job>, JobsError> {
        let objects = &*self.look.objects;
        let mut jobs = dropscope_jobs::list_open_jobs(objects, self.now()).await?;
        let heard = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        for run in heard {
            if jobs.iter().all(|job| job.run != run) {
                jobs.extend(dropscope_jobs::find_job(objects, &run).await?);
            }
        }
        Ok(jobs)
    }

    /// Whether uploads wait to be looked at.
    pub fn is_behind(&self) -> bool {
        !self.uploads.is_empty()
    }

    fn collect(&mut self) {
        while let Ok(upload) = self.announced.try_recv() {
            self.queue(upload, 0);
        }
    }

    fn queue(&mut self, upload: Upload, failures: u32) {
        let key = upload.key.as_str();
        if key.starts_with("recordings/") || key.starts_with(state_keys::RIPE) {
            self.uploads.push_back((upload, failures));
        } else if key.starts_with(state_keys::WAKE) {
            self.manifests.push_back((upload, failures));
        } else if key.starts_with("results/") && key.ends_with("/manifest.json") {
            if let (0, Some(looks)) = (failures, &self.looks) {
                // Its other end goes on until this one ends.
                let _ = looks.send(upload.clone());
            }
            self.manifests.push_back((upload, failures));
        }
    }

    async fn look_at_uploads(&mut self) {
        for _ in 0..self.uploads.len().min(UPLOADS_A_TURN) {
            let Some((upload, failures)) = self.uploads.pop_front() else { break };
            self.attempt(upload, failures).await;
        }
    }

    /// Delivers manifests as far as there is room. A run whose manifest is let go stays as it is, for reconcile.
    async fn launch_all(&mut self) {
        let waiting = std::mem::take(&mut self.manifests);
        let room = match self.most {
            Some(most) if !waiting.is_empty() => most.saturating_sub(self.alive().await),
            _ => waiting.len(),
        };
        for (upload, failures) in waiting.into_iter().take(room) {
            self.attempt(upload, failures).await;
        }
    }

    /// Instances at work; as many as there can be when the fleet does not say.
    async fn alive(&self) -> usize {
        let instances = self.launch.fleet.list().await;
        instances.map_or(usize::MAX, |all| all.iter().filter(|i| i.state == InstanceState::Alive).count())
    }

    async fn attempt(&mut self, upload: Upload, failures: u32) {
        self.delivered += 1;
        let event = event::object_created(&upload, &format!("local-{}", self.delivered), self.now());
        match self.deliver(&upload, &event).await {
            Ok(()) => {}
            Err(error) if failures + 1 < DELIVERIES => {
                tracing::warn!(key = %upload.key, error = dropscope_runtime::chain(&*error), "an event is delivered again");
                self.queue(upload, failures + 1);
            }
            Err(error) => {
                tracing::error!(key = %upload.key, error = dropscope_runtime::chain(&*error), "an event is given up");
            }
        }
    }

    /// Delivers one event to the function whose rule it fits; an object that no rule names is nobody's.
    async fn deliver(&self, upload: &Upload, event: &Value) -> Handled {
        let key = upload.key.as_str();
        if key.starts_with("recordings/") || key.starts_with(state_keys::RIPE) {
            self.validate(event).await
        } else if key.starts_with(state_keys::WAKE) {
            self.launch(event).await
        } else if key.starts_with("results/") && key.ends_with("/manifest.json") {
            self.launch(event).await?;
            if self.looks.is_none() { look(event, &self.look).await } else { Ok(()) }
        } else {
            Ok(())
        }
    }

    /// Feeds an event to validate, as EventBridge does.
    ///
    /// # Errors
    /// What validate says.
    pub async fn validate(&self, event: &Value) -> Handled {
        for outcome in dropscope_validate::handle(event, &self.validate).await? {
            if let dropscope_validate::Outcome::Run(job) = &outcome {
                self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(job.run.clone());
            }
            tracing::info!(?outcome, "validate");
        }
        Ok(())
    }

    /// Feeds an event to launch, as the queue does.
    ///
    /// # Errors
    /// What launch says.
    pub async fn launch(&self, event: &Value) -> Handled {
        for outcome in dropscope_launch::handle(event, &self.launch).await? {
            tracing::info!(?outcome, "launch");
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Feeds a manifest's event to gif and summary.
async fn look(event: &Value, deps: &dropscope_stage::Deps) -> Handled {
    for outcome in dropscope_gif::handle(event, deps, Duration::MAX).await? {
        tracing::info!(?outcome, "gif");
    }
    for outcome in dropscope_summary::handle(event, deps, Duration::MAX).await? {
        tracing::info!(?outcome, "summary");
    }
    Ok(())
}

/// The same, delivered again as often as any event.
async fn patiently_look(event: &Value, deps: &dropscope_stage::Deps) -> Handled {
    for _ in 1..DELIVERIES {
        match look(event, deps).await {
            Ok(()) => return Ok(()),
            Err(error) => tracing::warn!(error = dropscope_runtime::chain(&*error), "a preview is tried again"),
        }
    }
    look(event, deps).await
}
