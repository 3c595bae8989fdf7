//! The embedded cloud: the deployed functions on one machine, fed with the same events.
//!
//! Events are delivered at least once: those of this process as they happen, all others (written before a crash, by
//! another process) by looking at what lies in the bucket.

use dropscope_local::{LocalFleet, LocalStore, MailDir, Worker};
use dropscope_pipeline::{Timestamp, Upload, event};
use dropscope_ports::clock::SystemClock;
use dropscope_ports::{Clock, Fleet, Mailer, Objects, ObjectsError};
use dropscope_reconcile::{ReconcileError, Summary};
use serde_json::Value;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The bucket's name on one machine.
pub const BUCKET: &str = "dropscope";
/// An event whose handler fails is delivered this often, as Lambda does (once and two retries).
const DELIVERIES: u32 = 3;

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
    reconcile: dropscope_reconcile::Deps,
    clock: Arc<dyn Clock>,
    announced: UnboundedReceiver<Upload>,
    waiting: VecDeque<(Upload, u32)>,
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
}

impl Embedded {
    /// Opens the bucket in `folder` with at most `most` workers at a time.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Path, worker: Worker, most: usize) -> io::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (announce, announced) = unbounded_channel();
        let store = LocalStore::announcing(folder, BUCKET, announce)?;
        let folder = folder.canonicalize()?;
        let world = World {
            objects: Arc::new(store.clone()),
            fleet: Arc::new(LocalFleet::open(&folder, worker, most, clock.clone())?),
            mailer: Arc::new(MailDir::new(&folder, clock.clone())),
            clock,
            place: format!("{}/", folder.display()),
        };
        let cloud = Cloud::new(&world, announced);
        Ok(Self { store, cloud, world })
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
            },
            reconcile: dropscope_reconcile::Deps {
                objects: world.objects.clone(),
                fleet: world.fleet.clone(),
                mailer: world.mailer.clone(),
                clock: world.clock.clone(),
                place: world.place.clone(),
                mail_lease_seconds,
                launch_grace_seconds: 5,
                wake_after_seconds: 2,
            },
            clock: world.clock.clone(),
            announced,
            waiting: VecDeque::new(),
            delivered: 0,
        }
    }

    /// Announces everything that lies in the bucket: what an earlier process may not have delivered.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub async fn recover(&mut self, store: &LocalStore) -> Result<(), CloudError> {
        for prefix in ["recordings/", "results/"] {
            self.waiting.extend(store.inventory(prefix).await?.into_iter().map(|upload| (upload, 0)));
        }
        Ok(())
    }

    /// Delivers what waits, then looks after all runs once.
    ///
    /// # Errors
    /// See [`CloudError`]; the next turn goes on.
    pub async fn turn(&mut self) -> Result<Summary, CloudError> {
        self.deliver_all().await;
        let summary = dropscope_reconcile::handle(&self.reconcile).await?;
        self.deliver_all().await;
        Ok(summary)
    }

    async fn deliver_all(&mut self) {
        while let Ok(upload) = self.announced.try_recv() {
            self.waiting.push_back((upload, 0));
        }
        for _ in 0..self.waiting.len() {
            let Some((upload, failures)) = self.waiting.pop_front() else { break };
            self.delivered += 1;
            let event = event::object_created(&upload, &format!("local-{}", self.delivered), self.now());
            match self.deliver(&upload, &event).await {
                Ok(()) => {}
                Err(error) if failures + 1 < DELIVERIES => {
                    tracing::warn!(key = %upload.key, error = dropscope_runtime::chain(&*error), "an event is delivered again");
                    self.waiting.push_back((upload, failures + 1));
                }
                Err(error) => {
                    tracing::error!(key = %upload.key, error = dropscope_runtime::chain(&*error), "an event is given up");
                }
            }
        }
    }

    /// Delivers one event to the function whose rule it fits; an object that no rule names is nobody's.
    async fn deliver(&self, upload: &Upload, event: &Value) -> Handled {
        let key = upload.key.as_str();
        if key.starts_with("recordings/") {
            self.validate(event).await
        } else if key.starts_with("results/") && key.ends_with("/manifest.json") {
            self.launch(event).await
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
