//! The reconcile function: compares what should run with what does, and repairs the difference.
//!
//! Level-triggered: it looks at states, not at events, so any number of lost events is repaired by the next call. One
//! run that cannot be looked after keeps no other waiting.

mod folders;
pub mod look;
pub mod order;

pub use look::Patience;

use dropscope_jobs::{Changed, Closing, JobsError};
use dropscope_pipeline::budget::{Allowance, Budget, Frozen};
use dropscope_pipeline::job::Verdict;
use dropscope_pipeline::{Door, Job, State, Timestamp, mail, state_keys};
use dropscope_ports::{Clock, Condition, Fleet, FleetError, Instance, InstanceState, Mailer, Objects, ObjectsError};
use std::sync::Arc;

use dropscope_runtime::environment::{
    BUCKET, LINK_DAYS, MAX_INSTANCES, MONTHLY_CAP, OPEN_URL, OWNER_CAP, STACK, TOPIC, Variable,
};

/// What the program needs to be told by its environment.
pub const VARIABLES: &[&Variable] = &[&BUCKET, &TOPIC, &STACK, &MONTHLY_CAP, &OWNER_CAP, &MAX_INSTANCES, &OPEN_URL, &LINK_DAYS];

/// What reconcile may touch.
pub struct Deps {
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
    /// Where the links of mails lead; none where mails give none.
    pub door: Option<Door>,
    /// How long a mail stays in the hand of whoever began to send it, seconds.
    pub mail_lease_seconds: u64,
    /// How long things may take.
    pub patience: Patience,
    /// What launch may spend and start: no more runs are announced than it would let go.
    pub allowance: Allowance,
}

/// What one call did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Runs that have not ended, or whose mail or money is not yet in order.
    pub open: usize,
    /// Runs whose instance was found gone.
    pub interrupted: usize,
    /// Runs that may be launched and were announced again.
    pub woken: usize,
    /// Runs closed: mail sent, money settled.
    pub closed: usize,
    /// Instances that worked on nothing and were ended.
    pub ended: usize,
    /// Folders of recordings in many files that gather.
    pub gathering: usize,
    /// Those of them that were announced, quiet for long enough.
    pub ripe: usize,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { open, interrupted, woken, closed, ended, gathering, ripe } = self;
        write!(f, "{open} runs open, {interrupted} interrupted, {woken} woken, {closed} closed, {ended} instances ended, ")?;
        write!(f, "{gathering} folders gather, {ripe} of them ripe")
    }
}

/// A call that did not get through everything; the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// State or mail are out of order.
    #[error("a run's state cannot be read or changed")]
    Jobs(#[from] JobsError),
    /// The bucket is out of order.
    #[error("the bucket cannot be written")]
    Store(#[from] ObjectsError),
    /// The fleet does not answer.
    #[error("the fleet cannot be asked")]
    Fleet(#[from] FleetError),
    /// A manifest has no JSON form.
    #[error("a manifest cannot be written")]
    Manifest(#[source] serde_json::Error),
}

impl ReconcileError {
    /// A name that stays: alarms go by it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Jobs(_) => "State",
            Self::Store(_) => "Store",
            Self::Fleet(_) => "Fleet",
            Self::Manifest(_) => "Program",
        }
    }
}

/// What is known when the runs are looked at.
struct Seen {
    instances: Vec<Instance>,
    budget: Budget,
    now: Timestamp,
    /// Runs that may be announced.
    room: usize,
}

/// Looks at every run once.
///
/// # Errors
/// The last of the errors that were met; everything else is done all the same.
pub async fn handle(deps: &Deps) -> Result<Summary, ReconcileError> {
    let mut summary = Summary::default();
    // The clock first: whoever stalls between two looks must not take what it saw for older than it is, and an instance that
    // was too young to be listed for one that never was. Jobs before instances: one that starts in between is seen, one that
    // ends in between is seen next time.
    let now = deps.clock.now();
    let mut worst = Ok(());
    if deps.door.is_some()
        && let Err(error) = dropscope_jobs::make_links(&*deps.objects, now).await
    {
        // Broken or not, it keeps no run waiting.
        worst = Err(error.into());
    }
    let jobs = dropscope_jobs::list_open_jobs(&*deps.objects, now).await?;
    let instances = deps.fleet.list().await?;
    let closed = closed_jobs(&jobs, &instances, deps).await?;
    let alive = instances.iter().filter(|instance| instance.state == InstanceState::Alive).count();
    let room = deps.allowance.most_instances.unwrap_or(usize::MAX).saturating_sub(alive);
    let seen = Seen { instances, budget: budget(deps).await?, now, room };
    worst = worst.and(leftovers(&jobs, &seen, deps).await);
    for instance in seen.instances.iter().filter(|i| look::idle_instance(i, jobs.iter().chain(&closed), deps.patience, seen.now))
    {
        match deps.fleet.terminate(&instance.id).await {
            Ok(()) => summary.ended += 1,
            Err(error) => worst = Err(error.into()),
        }
    }
    for job in order::in_turn(jobs, &seen.budget.served) {
        summary.open += 1;
        if let Err(error) = one(job, &seen, deps, &mut summary).await {
            worst = Err(error);
        }
    }
    if let Err(error) = folders::look(deps, &mut summary).await {
        worst = Err(error);
    }
    dropscope_jobs::flush(&*deps.objects, &*deps.mailer, deps.mail_lease_seconds, seen.now).await?;
    worst.map(|()| summary)
}

/// Jobs of instances that live on although their run is closed.
async fn closed_jobs(open: &[Job], instances: &[Instance], deps: &Deps) -> Result<Vec<Job>, ReconcileError> {
    let mut closed = Vec::new();
    for instance in instances.iter().filter(|instance| instance.state == InstanceState::Alive) {
        if open.iter().all(|job| job.run != instance.run) {
            match dropscope_jobs::find_job(&*deps.objects, &instance.run).await {
                Ok(job) => closed.extend(job),
                Err(error @ JobsError::Broken { .. }) => tracing::error!(%error, "a job cannot be read"),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(closed)
}

/// Settles what closed runs hold: nobody else looks at them any more.
async fn leftovers(open: &[Job], seen: &Seen, deps: &Deps) -> Result<(), ReconcileError> {
    for (run, attempt) in look::unowned(open, &seen.budget, deps.patience, seen.now) {
        match dropscope_jobs::find_job(&*deps.objects, &run).await {
            Ok(Some(job)) if job.closed && !look::lingers(&job, &seen.instances) => {
                dropscope_jobs::settle_attempt(&*deps.objects, &job, attempt, None, seen.now).await?;
            }
            Ok(_) => {}
            Err(error @ JobsError::Broken { .. }) => tracing::error!(%error, "a job cannot be read"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The budget; one that cannot be read lets nothing go.
async fn budget(deps: &Deps) -> Result<Budget, ReconcileError> {
    match dropscope_jobs::load_budget(&*deps.objects).await {
        Err(JobsError::Broken { key, source }) => {
            tracing::error!(%key, %source, "the budget cannot be read");
            let why = format!("{key} cannot be read: put it right or remove it");
            Ok(Budget { frozen: Some(Frozen { why, since: deps.clock.now() }), ..Budget::default() })
        }
        other => Ok(other?),
    }
}

async fn one(job: Job, seen: &Seen, deps: &Deps, summary: &mut Summary) -> Result<(), ReconcileError> {
    let job = match look::lost(&job, &seen.instances, deps.patience, seen.now) {
        Some(why) => {
            summary.interrupted += 1;
            lose(&job, why, seen, deps).await?
        }
        None => given_up(job, seen, deps).await?,
    };
    for attempt in look::idle_reservations(&job, &seen.budget, &seen.instances, deps.patience, seen.now) {
        if !job.state.is_final() {
            dropscope_jobs::settle_attempt(&*deps.objects, &job, attempt, None, seen.now).await?;
        }
    }
    if look::not_started(&job, &seen.instances, deps.patience, seen.now) {
        summary.woken += 1;
        wake(&job, deps, seen.now).await
    } else if look::may_go(&job, deps.patience, seen.now) {
        go(&job, seen, deps, summary).await
    } else if job.state.is_final() && look::is_gone(&job, &seen.instances, deps.patience, seen.now) {
        summary.closed += 1;
        close(&job, deps, seen.now).await
    } else if job.told && matches!(job.state, State::Running { .. }) {
        tell_that_it_goes_on(&job, seen, deps).await
    } else {
        Ok(())
    }
}

/// Announces a run that may go and for which there is room, or keeps the reason why it waits true.
async fn go(job: &Job, seen: &Seen, deps: &Deps, summary: &mut Summary) -> Result<(), ReconcileError> {
    match look::refusal(job, &seen.budget, &deps.allowance, seen.now) {
        None if summary.woken < seen.room => {
            summary.woken += 1;
            wake(job, deps, seen.now).await
        }
        Some(why) => {
            if matches!(job.state, State::Waiting { .. }) {
                dropscope_jobs::update_job(&*deps.objects, &job.run, |current| current.waiting_for(why.clone())).await?;
            }
            tell(job, &why, seen, deps).await
        }
        None => Ok(()),
    }
}

/// Tells the owner, once, that money keeps the run waiting.
async fn tell(job: &Job, why: &str, seen: &Seen, deps: &Deps) -> Result<(), ReconcileError> {
    if look::untold(job, deps.patience, seen.now) {
        let mail = mail::waiting(job, why, &seen.budget);
        dropscope_jobs::deliver(&*deps.objects, &*deps.mailer, &mail, deps.mail_lease_seconds, seen.now).await?;
        dropscope_jobs::update_job(&*deps.objects, &job.run, Job::owner_told).await?;
    }
    Ok(())
}

/// Tells the owner, who heard that the run waits, that it is at work.
async fn tell_that_it_goes_on(job: &Job, seen: &Seen, deps: &Deps) -> Result<(), ReconcileError> {
    let mail = mail::resumed(job, &seen.budget);
    dropscope_jobs::deliver(&*deps.objects, &*deps.mailer, &mail, deps.mail_lease_seconds, seen.now).await?;
    dropscope_jobs::update_job(&*deps.objects, &job.run, Job::owner_heard).await?;
    Ok(())
}

/// launching, running → interrupted; or stopped, while launches are frozen: then it was ended on purpose.
async fn lose(job: &Job, why: String, seen: &Seen, deps: &Deps) -> Result<Job, ReconcileError> {
    let attempt = job.attempt;
    let step = |current: &Job| match &seen.budget.frozen {
        Some(frozen) => current.stopped(attempt, format!("launches are frozen: {}", frozen.why), seen.now),
        None => current.interrupted(attempt, why.clone(), seen.now),
    };
    match dropscope_jobs::update_job(&*deps.objects, &job.run, step).await? {
        Changed::Now(job) | Changed::Refused(job, _) => Ok(job),
    }
}

/// received → failed, once nobody can be expected to check the recording any more: its owner is told, not left waiting.
async fn given_up(job: Job, seen: &Seen, deps: &Deps) -> Result<Job, ReconcileError> {
    if job.state != State::Received || seen.now < job.since.plus_seconds(deps.patience.verdict) {
        return Ok(job);
    }
    let verdict = Verdict {
        cause: "the recording could not be checked, again and again".into(),
        remedy: "upload it again; if that fails too, ask the operator to look at the log of validate".into(),
    };
    match dropscope_jobs::update_job(&*deps.objects, &job.run, |current| current.unchecked(verdict.clone(), seen.now)).await? {
        Changed::Now(job) | Changed::Refused(job, _) => Ok(job),
    }
}

/// Announces a run that may be launched: to launch alone, since its pictures are made. A run that was never launched may
/// have lost its first announcement, the manifest: then that is made up for.
async fn wake(job: &Job, deps: &Deps, now: Timestamp) -> Result<(), ReconcileError> {
    if job.attempt == 0 && announce(job, deps).await? {
        return Ok(());
    }
    // Written anew each time, an object is created anew each time.
    let bytes = serde_json::json!({ "schema": 1, "run": job.run, "at": now }).to_string().into_bytes();
    deps.objects.put(&state_keys::wake(&job.run), bytes, &Condition::Always).await?;
    Ok(())
}

/// Writes the manifest where it is not there. True when this call wrote it.
async fn announce(job: &Job, deps: &Deps) -> Result<bool, ReconcileError> {
    let (Some(manifest), Some(results)) = (&job.manifest, job.results()) else { return Ok(false) };
    let bytes = manifest.to_json().map_err(ReconcileError::Manifest)?;
    match deps.objects.put(&results.child("manifest.json"), bytes, &Condition::Absent).await {
        Ok(_) => Ok(true),
        Err(ObjectsError::Precondition { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn close(job: &Job, deps: &Deps, now: Timestamp) -> Result<(), ReconcileError> {
    let closing = Closing {
        objects: &*deps.objects,
        mailer: &*deps.mailer,
        place: &deps.place,
        door: deps.door.as_ref(),
        lease_seconds: deps.mail_lease_seconds,
        settles: true,
    };
    Ok(dropscope_jobs::close(&closing, job, now).await?)
}
