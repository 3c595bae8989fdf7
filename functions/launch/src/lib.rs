//! The launch function: a validated run gets its money reserved and one instance started.
//!
//! A run that may not start now (no capacity, quota, cap, freeze) waits in its job, with the reason; the message is
//! done all the same, and reconcile wakes the run.

#[cfg(feature = "lambda")]
pub mod program;
mod queue;

pub use queue::{Worked, work};

use dropscope_jobs::{Changed, JobsError};
use dropscope_pipeline::budget::Allowance;
use dropscope_pipeline::event::{self, EventError};
use dropscope_pipeline::instance::{NothingFits, Offer, choose, dearest};
use dropscope_pipeline::job::{Refused, Verdict};
use dropscope_pipeline::market::{Scarce, smallest};
use dropscope_pipeline::{Job, Manifest, Market, RunId, State, Upload, Usd, budget, state_keys};
use dropscope_ports::{Clock, Fleet, FleetError, Instance, InstanceState, LaunchRequest, Objects};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

use dropscope_runtime::environment::{
    BUCKET, DISK, LAUNCH_TEMPLATE, MAX_INSTANCES, MONTHLY_CAP, ON_DEMAND_FALLBACK, OWNER_CAP, STACK, SUBNETS, Variable,
};

/// What the program needs to be told by its environment.
pub const VARIABLES: &[&Variable] =
    &[&BUCKET, &STACK, &LAUNCH_TEMPLATE, &SUBNETS, &MONTHLY_CAP, &OWNER_CAP, &MAX_INSTANCES, &DISK, &ON_DEMAND_FALLBACK];

/// What launch may touch.
pub struct Deps {
    /// Name of the bucket that this deployment watches.
    pub bucket: String,
    /// The bucket.
    pub objects: Arc<dyn Objects>,
    /// Instances.
    pub fleet: Arc<dyn Fleet>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// What may be spent and started.
    pub allowance: Allowance,
    /// What an instance has besides its type.
    pub beside: Beside,
}

/// What comes with every instance, whatever its type.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Its disk, GiB; none where that is not known.
    pub disk_gib: Option<u64>,
    /// What disk and address cost an hour.
    pub usd_per_hour: Usd,
    /// Seconds before it knows its lifetime: it may be on its way so long.
    pub boot_seconds: u64,
    /// Whether it may be paid on demand where spot is not to be had.
    pub on_demand: bool,
}

impl Beside {
    /// What an instance of EC2 has: an encrypted gp3 disk and a public address, both at what they cost in the dearest
    /// region ($0.16 a GiB and month, $0.005 an hour), and 20 minutes until its first watchdog ends it.
    pub fn on_ec2(disk_gib: u64) -> Self {
        Self {
            disk_gib: Some(disk_gib),
            usd_per_hour: Usd::from_micros(disk_gib.saturating_mul(220) + 5_000),
            boot_seconds: 1200,
            on_demand: false,
        }
    }

    /// The same, and paid on demand where spot is not to be had, if `allowed`.
    #[must_use]
    pub fn or_on_demand(self, allowed: bool) -> Self {
        Self { on_demand: allowed, ..self }
    }
}

/// What became of one notified manifest.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Its run has an instance.
    Launched {
        /// The run.
        run: RunId,
        /// The instance.
        instance: String,
    },
    /// Its run waits.
    Waiting {
        /// The run.
        run: RunId,
        /// Why.
        why: String,
    },
    /// Its run needs no launch.
    Nothing {
        /// The run.
        run: RunId,
        /// Why not.
        why: Refused,
    },
    /// No instance on offer can ever do it; the run failed.
    Impossible {
        /// The run.
        run: RunId,
    },
    /// The object is no manifest of a run of this bucket.
    Ignored(String),
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Launched { run, instance } => write!(f, "run {run} has instance {instance}"),
            Self::Waiting { run, why } => write!(f, "run {run} waits: {why}"),
            Self::Nothing { run, why } => write!(f, "run {run} is not launched: {why}"),
            Self::Impossible { run } => write!(f, "run {run} fits no instance"),
            Self::Ignored(key) => write!(f, "ignored: `{key}` is no manifest of a run"),
        }
    }
}

/// A message that could not be worked off.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// Not a notification of a created object; trying again does not help.
    #[error("the event is refused")]
    Event(#[from] EventError),
    /// State is out of order; trying again later helps.
    #[error("the run's state cannot be read or changed")]
    Jobs(#[from] JobsError),
    /// The fleet does not answer; trying again later helps, with the same token.
    #[error("the instance could not be started")]
    Fleet(#[from] FleetError),
}

impl LaunchError {
    /// Whether nothing is lost when the event is put aside.
    pub fn is_harmless(&self) -> bool {
        matches!(self, Self::Event(error) if error.is_harmless())
    }

    /// A name that stays: alarms go by it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => "Event",
            Self::Jobs(_) => "State",
            Self::Fleet(_) => "Fleet",
        }
    }
}

/// Works off one notification of a manifest.
///
/// # Errors
/// See [`LaunchError`]. A repeated call goes on where this one stopped, and never starts a second instance.
pub async fn handle(event: &Value, deps: &Deps) -> Result<Vec<Outcome>, LaunchError> {
    let mut outcomes = Vec::new();
    for upload in event::uploads(event)? {
        outcomes.push(match run_of(&upload, &deps.bucket) {
            Some(run) => launch(&run, deps).await?,
            None => Outcome::Ignored(upload.key.to_string()),
        });
    }
    Ok(outcomes)
}

/// The run whose manifest this is, `results/…/<run>/manifest.json`, or that is announced again, `state/wake/<run>.json`.
fn run_of(upload: &Upload, bucket: &str) -> Option<RunId> {
    let key = upload.key.as_str();
    let run = match key.strip_prefix(state_keys::WAKE) {
        Some(name) => name.strip_suffix(".json")?,
        None => key.strip_prefix("results/")?.strip_suffix("/manifest.json")?.rsplit('/').next()?,
    };
    (upload.bucket == bucket).then(|| run.parse().ok()).flatten()
}

async fn launch(run: &RunId, deps: &Deps) -> Result<Outcome, LaunchError> {
    let now = deps.clock.now();
    let job = dropscope_jobs::load_job(&*deps.objects, run).await?;
    let Some(manifest) = &job.manifest else {
        return Ok(Outcome::Nothing { run: job.run, why: Refused::NotYet(job.state.word()) });
    };
    let all = deps.fleet.offers().await?;
    let fitting = |job: &Job| fitting(job, manifest, &all, &deps.beside);
    // What is asked for is decided with the attempt, and repeated with it: a token stands for one request.
    let take = |job: &Job| {
        let market = Market::of(job, deps.beside.on_demand);
        let usd_per_hour = fitting(job).as_deref().map_or(Usd::ZERO, |offers| market.most(dearest(offers)));
        job.launching_in(market, usd_per_hour.plus(deps.beside.usd_per_hour), now)
    };
    let job = match dropscope_jobs::update_job(&*deps.objects, run, take).await? {
        Changed::Now(job) => job,
        Changed::Refused(job, why) => return Ok(Outcome::Nothing { run: job.run, why }),
    };
    let request = match fitting(&job) {
        Ok(offers) => request(&job, manifest, offers),
        Err(nothing) => return impossible(&job, &nothing, deps).await,
    };
    let amount = job.usd_per_hour.per_hour_for(request.lifetime_seconds + deps.beside.boot_seconds);
    if let Err(refusal) = dropscope_jobs::reserve(&*deps.objects, &job, amount, &deps.allowance, now).await? {
        return refused(&job, refusal.to_string(), deps).await;
    }
    // Whoever stalled here may have been overtaken: money is not reserved for, and nothing started on, an old attempt.
    let current = dropscope_jobs::load_job(&*deps.objects, run).await?;
    if current.attempt != job.attempt || !matches!(current.state, State::Launching | State::Running { .. }) {
        // An earlier call may have spent the money of this attempt: reconcile settles it. What a closed run holds came after
        // that, was spent by nobody, and nobody would settle it.
        if current.closed {
            dropscope_jobs::release(&*deps.objects, &job, now).await?;
        }
        return Ok(Outcome::Nothing { run: run.clone(), why: Refused::Past(current.state.word()) });
    }
    match start(&request, deps).await {
        Ok(instance) => Ok(Outcome::Launched { run: run.clone(), instance }),
        Err(error @ FleetError::NoCapacity(_)) => wait(&job, Scarce::Capacity, error.to_string(), deps).await,
        Err(error @ FleetError::Quota(_)) => wait(&job, Scarce::Quota, error.to_string(), deps).await,
        Err(error @ FleetError::TokenSpent(_)) => lose(&job, error.to_string(), deps).await,
        // A mistake in permissions or the stack: the run waits until somebody has mended it. The line calls that somebody.
        Err(error @ FleetError::Refused { .. }) => {
            let why = dropscope_runtime::chain(&error);
            tracing::error!(%run, why, "the launch is refused");
            wait(&job, Scarce::Leave, why, deps).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The types that would do, cheapest first; after a quota only the smallest machines.
fn fitting(job: &Job, manifest: &Manifest, all: &[Offer], beside: &Beside) -> Result<Vec<Offer>, NothingFits> {
    match beside.disk_gib {
        Some(disk_gib) if manifest.needs.scratch_gib > disk_gib => {
            Err(NothingFits::Disk { needed_gib: manifest.needs.scratch_gib, disk_gib })
        }
        _ => choose(&manifest.needs, all).map(|offers| if job.met.quota { smallest(offers) } else { offers }),
    }
}

fn request(job: &Job, manifest: &Manifest, offers: Vec<Offer>) -> LaunchRequest {
    LaunchRequest {
        token: budget::attempt_id(&job.run, job.attempt),
        run: job.run.clone(),
        attempt: job.attempt,
        owner: job.owner.clone(),
        market: job.market,
        offers,
        lifetime_seconds: manifest.needs.lifetime_seconds(),
    }
}

/// Asks the fleet, and again with the same token when it does not answer.
async fn start(request: &LaunchRequest, deps: &Deps) -> Result<String, FleetError> {
    for round in 0..3 {
        match deps.fleet.launch(request).await {
            Err(FleetError::Busy { .. }) => tokio::time::sleep(Duration::from_millis(200 << round)).await,
            other => return other.map(|instance| instance.id),
        }
    }
    deps.fleet.launch(request).await.map(|instance| instance.id)
}

/// The budget lets nothing go now. Where another call has reserved for this very attempt, it may have started an instance
/// that nobody sees yet: then its money and its state stay, and reconcile looks again.
async fn refused(job: &Job, why: String, deps: &Deps) -> Result<Outcome, LaunchError> {
    let budget = dropscope_jobs::load_budget(&*deps.objects).await?;
    if budget.reservations.contains_key(&budget::attempt_id(&job.run, job.attempt)) {
        return Ok(Outcome::Nothing { run: job.run.clone(), why: Refused::Past(job.state.word()) });
    }
    match put_off(job, Scarce::Leave, &why, deps).await? {
        Changed::Now(_) => Ok(Outcome::Waiting { run: job.run.clone(), why }),
        Changed::Refused(_, why) => Ok(Outcome::Nothing { run: job.run.clone(), why }),
    }
}

/// launching → waiting.
async fn put_off(job: &Job, scarce: Scarce, why: &str, deps: &Deps) -> Result<Changed<Job, Refused>, JobsError> {
    let now = deps.clock.now();
    let step = |current: &Job| current.waiting_since(scarce, job.attempt, why.to_owned(), now);
    dropscope_jobs::update_job(&*deps.objects, &job.run, step).await
}

/// launching → waiting; then what was reserved goes back untouched. In this order: as long as the job says launching,
/// another call may have started the attempt, and its money must stay.
async fn wait(job: &Job, scarce: Scarce, why: String, deps: &Deps) -> Result<Outcome, LaunchError> {
    let run = job.run.clone();
    let instances = deps.fleet.list().await?;
    let ours = |i: &&Instance| i.run == job.run && i.attempt == job.attempt && i.state == InstanceState::Alive;
    if let Some(instance) = instances.iter().find(ours) {
        return Ok(Outcome::Launched { run, instance: instance.id.clone() });
    }
    match put_off(job, scarce, &why, deps).await? {
        Changed::Now(_) => {
            dropscope_jobs::release(&*deps.objects, job, deps.clock.now()).await?;
            Ok(Outcome::Waiting { run, why })
        }
        Changed::Refused(_, why) => Ok(Outcome::Nothing { run, why }),
    }
}

/// launching, running → interrupted: the attempt's instance has come and gone, and its token starts no other.
async fn lose(job: &Job, why: String, deps: &Deps) -> Result<Outcome, LaunchError> {
    let (now, run) = (deps.clock.now(), job.run.clone());
    let step = |current: &Job| current.interrupted(job.attempt, why.clone(), now);
    match dropscope_jobs::update_job(&*deps.objects, &run, step).await? {
        Changed::Now(_) => Ok(Outcome::Waiting { run, why }),
        Changed::Refused(_, why) => Ok(Outcome::Nothing { run, why }),
    }
}

async fn impossible(job: &Job, nothing: &NothingFits, deps: &Deps) -> Result<Outcome, LaunchError> {
    let now = deps.clock.now();
    let remedy = match nothing {
        NothingFits::Memory { .. } => "split the recording, or ask the operator for larger instances",
        NothingFits::Disk { .. } => "split the recording, or ask the operator to deploy with a larger WorkerDiskGiB",
    };
    let verdict = Verdict { cause: nothing.to_string(), remedy: remedy.into() };
    dropscope_jobs::update_job(&*deps.objects, &job.run, |current| current.failed(job.attempt, verdict.clone(), now)).await?;
    Ok(Outcome::Impossible { run: job.run.clone() })
}
