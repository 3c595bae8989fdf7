//! The reconcile function: compares what should run with what does, and repairs the difference.
//!
//! Level-triggered: it looks at states, not at events, so any number of lost events is repaired by the next call.

use dropscope_jobs::{Changed, Closing, JobsError};
use dropscope_pipeline::{Job, State, Timestamp};
use dropscope_ports::{Clock, Condition, Fleet, FleetError, Instance, InstanceState, Mailer, Objects, ObjectsError};
use std::sync::Arc;

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
    /// How long a mail stays in the hand of whoever began to send it, seconds.
    pub mail_lease_seconds: u64,
    /// How long a launch may take before an instance that nobody sees counts as gone, seconds (EC2 describes an
    /// instance some seconds after it launched it).
    pub launch_grace_seconds: u64,
    /// How long a run that may be launched is left alone before it is announced again, seconds.
    pub wake_after_seconds: u64,
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
}

/// A call that did not get through; the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// State or mail are out of order.
    #[error("a run's state cannot be read or changed")]
    Jobs(#[from] JobsError),
    /// The bucket is out of order.
    #[error("the bucket cannot be written")]
    Store(#[from] ObjectsError),
    /// The fleet does not answer.
    #[error("the fleet cannot be listed")]
    Fleet(#[from] FleetError),
    /// A manifest has no JSON form.
    #[error("a manifest cannot be written")]
    Manifest(#[source] serde_json::Error),
}

/// Looks at every run once.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn handle(deps: &Deps) -> Result<Summary, ReconcileError> {
    let mut summary = Summary::default();
    // Jobs before instances: an instance that starts in between is seen, one that ends in between is seen next time.
    let jobs = dropscope_jobs::list_jobs(&*deps.objects).await?;
    let instances = deps.fleet.list().await?;
    for job in jobs.into_iter().filter(|job| !job.closed) {
        summary.open += 1;
        one(job, &instances, deps, &mut summary).await?;
    }
    dropscope_jobs::flush(&*deps.objects, &*deps.mailer, deps.mail_lease_seconds, deps.clock.now()).await?;
    Ok(summary)
}

async fn one(job: Job, instances: &[Instance], deps: &Deps, summary: &mut Summary) -> Result<(), ReconcileError> {
    let now = deps.clock.now();
    let mut job = job;
    if let Some(why) = lost(&job, instances, deps, now) {
        let attempt = job.attempt;
        let step = |current: &Job| current.interrupted(attempt, why.clone(), now);
        if let Changed::Now(next) = dropscope_jobs::update_job(&*deps.objects, &job.run, step).await? {
            summary.interrupted += 1;
            job = next;
        } else {
            return Ok(());
        }
    }
    match job.state {
        State::Validated | State::Waiting { .. } if now < job.since.plus_seconds(deps.wake_after_seconds) => {}
        State::Validated | State::Waiting { .. } | State::Interrupted { .. } => {
            wake(&job, deps).await?;
            summary.woken += 1;
        }
        _ if job.state.is_final() => {
            close(&job, deps, now).await?;
            summary.closed += 1;
        }
        _ => {}
    }
    Ok(())
}

/// Why the job's instance counts as gone; none while it lives, or may still appear.
fn lost(job: &Job, instances: &[Instance], deps: &Deps, now: Timestamp) -> Option<String> {
    let seen = instances.iter().find(|i| i.run == job.run && i.attempt == job.attempt);
    let late = now >= job.since.plus_seconds(deps.launch_grace_seconds);
    let gone = seen.map_or(late, |instance| instance.state == InstanceState::Ended);
    match (&job.state, seen) {
        (State::Running { instance }, _) if gone => Some(format!("instance {instance} ended before the run was done")),
        (State::Launching, Some(instance)) if gone => Some(format!("instance {} ended before it began", instance.id)),
        (State::Launching, None) if gone => Some("no instance was started".into()),
        _ => None,
    }
}

/// Announces a run that may be launched, through the path that every run takes: its manifest is written again.
async fn wake(job: &Job, deps: &Deps) -> Result<(), ReconcileError> {
    let (Some(manifest), Some(results)) = (&job.manifest, job.results()) else { return Ok(()) };
    let bytes = manifest.to_json().map_err(ReconcileError::Manifest)?;
    deps.objects.put(&results.child("manifest.json"), bytes, &Condition::Always).await?;
    Ok(())
}

async fn close(job: &Job, deps: &Deps, now: Timestamp) -> Result<(), ReconcileError> {
    let closing = Closing {
        objects: &*deps.objects,
        mailer: &*deps.mailer,
        place: &deps.place,
        lease_seconds: deps.mail_lease_seconds,
        settles: true,
    };
    Ok(dropscope_jobs::close(&closing, job, now).await?)
}
