//! Functions and workers as actors: futures that stand at a gate before every call.

use crate::cloud::{Instances, Post};
use crate::gate::{Bucket, Fate, Gate, Gated};
use crate::store::Memory;
use crate::weather::{Reads, Weather};
use dropscope_pipeline::budget::Allowance;
use dropscope_pipeline::{Door, Quiet, Usd, event};
use dropscope_ports::{Clock, Fleet, Instance, Mailer, Objects};
use dropscope_reconcile::Patience;
use dropscope_segment::{Assignment, Keeping, RunProgress};
use dropscope_segmentation::Stage;
use dropscope_testkit::clock::StandingClock;
use dropscope_testkit::events::payload;
use dropscope_testkit::world::{ACCOUNT, ALERT_TOPIC};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

pub(crate) const BUCKET: &str = "dropscope";
/// A mail stays so long in the hand of whoever began to send it, seconds.
const LEASE: u64 = 60;

/// What the stack of these tests allows: eight attempts a month, two at a time.
pub(crate) fn allowance() -> Allowance {
    Allowance::of_stack(Usd::from_micros(200_000), Usd::from_micros(150_000), 2)
}

/// What all actors act on.
pub(crate) struct World {
    pub(crate) clock: Arc<StandingClock>,
    pub(crate) store: Arc<Memory>,
    pub(crate) fleet: Arc<Instances>,
    pub(crate) post: Arc<Post>,
    pub(crate) scratch: tempfile::TempDir,
    /// When workers keep checkpoints.
    pub(crate) keeping: Keeping,
    pub(crate) weather: Arc<Weather>,
}

impl World {
    pub(crate) fn new(keeping: Keeping, weather: Weather) -> Self {
        let clock = Arc::new(StandingClock::new());
        Self {
            store: Arc::new(Memory::new(BUCKET, clock.clone())),
            fleet: Arc::new(Instances::new(clock.clone())),
            post: Arc::default(),
            scratch: tempfile::tempdir().unwrap(),
            keeping,
            weather: Arc::new(weather),
            clock,
        }
    }
}

/// What an actor is there for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Task {
    Validate(dropscope_pipeline::Upload),
    Launch(dropscope_pipeline::Upload),
    Reconcile,
    Alert(&'static str),
    Work(Instance),
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Validate(upload) => write!(f, "validate({})", upload.key),
            Self::Launch(upload) => write!(f, "launch({})", upload.key),
            Self::Reconcile => write!(f, "reconcile"),
            Self::Alert(payload) => write!(f, "budget-alert({payload})"),
            Self::Work(instance) => write!(f, "worker({} of {}.{})", instance.id, instance.run, instance.attempt),
        }
    }
}

/// How far an actor came.
pub(crate) enum Came {
    /// To a call, which it stands before.
    ToACall,
    /// To its end.
    End(Result<(), String>),
}

/// One process, which can be stopped for good by letting it go.
pub(crate) struct Actor {
    pub(crate) number: usize,
    pub(crate) task: Task,
    /// The call that it stands before.
    pub(crate) before: String,
    gate: Arc<Gate>,
    future: Pin<Box<dyn Future<Output = Result<(), String>>>>,
}

struct Nobody;
impl RunProgress for Nobody {
    fn step(&self, _: usize, _: usize, _: Stage, _: usize, _: usize) {}
}

impl Actor {
    pub(crate) fn new(number: usize, task: Task, world: &World) -> Self {
        let gate = Arc::new(Gate::default());
        let reads = Reads::new(world.weather.clone(), number);
        let future = process(&task, world, &gate, reads);
        Self { number, task, before: String::new(), gate, future }
    }

    /// Lets it go to its first call.
    pub(crate) async fn begin(&mut self) -> Came {
        self.before = tokio::select! {
            biased;
            end = &mut self.future => return Came::End(end),
            call = self.gate.arrival() => call,
        };
        Came::ToACall
    }

    /// Decides over the call that it stands before, and lets it go on to the next.
    pub(crate) async fn go_on(&mut self, fate: Fate) -> Came {
        self.gate.open(fate);
        self.begin().await
    }
}

fn process(task: &Task, world: &World, gate: &Arc<Gate>, reads: Reads) -> Pin<Box<dyn Future<Output = Result<(), String>>>> {
    let objects: Arc<dyn Objects> = Arc::new(Bucket { gate: gate.clone(), port: world.store.clone(), reads });
    let fleet: Arc<dyn Fleet> = Arc::new(Gated::<Instances> { gate: gate.clone(), port: world.fleet.clone() });
    let mailer: Arc<dyn Mailer> = Arc::new(Gated::<dyn Mailer> { gate: gate.clone(), port: world.post.clone() });
    let clock: Arc<dyn Clock> = world.clock.clone();
    let place = "/bucket/".to_owned();
    match task.clone() {
        Task::Validate(upload) => {
            let deps =
                dropscope_validate::Deps { bucket: BUCKET.into(), objects, mailer, clock, place, mail_lease_seconds: LEASE };
            let event = event::object_created(&upload, "chaos", deps.clock.now());
            Box::pin(async move { told(dropscope_validate::handle(&event, &deps).await) })
        }
        Task::Launch(upload) => {
            let beside = dropscope_launch::Beside::default();
            let deps = dropscope_launch::Deps { bucket: BUCKET.into(), objects, fleet, clock, allowance: allowance(), beside };
            let event = event::object_created(&upload, "chaos", deps.clock.now());
            Box::pin(async move { told(dropscope_launch::handle(&event, &deps).await) })
        }
        Task::Reconcile => {
            let quiet = Quiet { needed: 600, again: 20 };
            let patience = Patience { launch: 60, wake: 120, verdict: 3600, leave: 300, overtime: 600, tell: 900, quiet };
            let deps = dropscope_reconcile::Deps {
                objects,
                fleet,
                mailer,
                clock,
                place,
                door: Door::new("https://door/", 14),
                mail_lease_seconds: LEASE,
                patience,
                allowance: allowance(),
            };
            Box::pin(async move { told(dropscope_reconcile::handle(&deps).await) })
        }
        Task::Alert(file) => {
            let (topic, account) = (ALERT_TOPIC.to_owned(), ACCOUNT.to_owned());
            let (rest, pause) = (true, std::time::Duration::ZERO);
            let deps = dropscope_budget_alert::Deps {
                objects,
                fleet,
                mailer,
                clock,
                topic,
                account,
                mail_lease_seconds: LEASE,
                rest,
                pause,
            };
            let event = payload(file).unwrap();
            Box::pin(async move { told(dropscope_budget_alert::handle(&event, &deps).await) })
        }
        Task::Work(instance) => {
            let scratch = scratch(world.scratch.path(), &instance);
            let keeping = world.keeping.clone();
            let deps = dropscope_segment::Deps {
                objects,
                mailer,
                clock,
                place,
                door: Door::new("https://door/", 14),
                mail_lease_seconds: LEASE,
                scratch,
                threads: 1,
                keeping,
            };
            let assignment = Assignment { run: instance.run, attempt: instance.attempt, instance: instance.id };
            Box::pin(async move { told(dropscope_segment::handle(&assignment, &deps, Arc::new(Nobody)).await) })
        }
    }
}

/// Every instance has a disk of its own.
fn scratch(folder: &Path, instance: &Instance) -> std::path::PathBuf {
    folder.join(&instance.id)
}

fn told<T, E: std::error::Error>(result: Result<T, E>) -> Result<(), String> {
    result.map(|_| ()).map_err(|error| dropscope_runtime::chain(&error))
}
