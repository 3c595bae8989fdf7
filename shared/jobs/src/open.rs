//! Markers of the runs that are not closed: what reconcile looks at every minute does not grow with what is over.

use crate::documents::{JobsError, create, keys, read, readable, to_bytes};
use dropscope_pipeline::{Job, ObjectKey, RunId, Timestamp, state_keys};
use dropscope_ports::Objects;
use dropscope_ports::retry::patiently;
use serde::{Deserialize, Serialize};

/// A marker without a job is a claim that broke off. So long, seconds, its event may still be delivered again and go on.
const CLAIM: u64 = 24 * 3600;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Marker {
    schema: u32,
    since: Timestamp,
}

/// Marks a run as one to be looked after; one that is marked already stays so.
///
/// # Errors
/// See [`JobsError`].
pub async fn mark_open(objects: &dyn Objects, run: &RunId, now: Timestamp) -> Result<(), JobsError> {
    let key = state_keys::open(run);
    create(objects, &key, &to_bytes(&key, &Marker { schema: 1, since: now })?).await?;
    Ok(())
}

/// Takes a closed run's marker away.
pub(crate) async fn unmark(objects: &dyn Objects, run: &RunId) -> Result<(), JobsError> {
    let key = state_keys::open(run);
    Ok(patiently(|| objects.delete(&key)).await?)
}

/// Every run that is not closed, as far as it can be read, in the order of its run. Markers that have outlived their run
/// are cleared.
///
/// # Errors
/// See [`JobsError`].
pub async fn list_open_jobs(objects: &dyn Objects, now: Timestamp) -> Result<Vec<Job>, JobsError> {
    let mut jobs = Vec::new();
    for key in keys(objects, state_keys::OPEN).await? {
        let Some(run) = run_of(&key) else { continue };
        match readable(objects, &state_keys::job(&run)).await? {
            Some(job) if job.closed => unmark(objects, &run).await?,
            Some(job) => jobs.push(job),
            None => forget(objects, &key, &run, now).await?,
        }
    }
    Ok(jobs)
}

fn run_of(marker: &ObjectKey) -> Option<RunId> {
    marker.as_str().strip_prefix(state_keys::OPEN)?.strip_suffix(".json")?.parse().ok()
}

async fn forget(objects: &dyn Objects, key: &ObjectKey, run: &RunId, now: Timestamp) -> Result<(), JobsError> {
    match read::<Marker>(objects, key).await {
        Ok(Some((marker, _))) if now >= marker.since.plus_seconds(CLAIM) => unmark(objects, run).await,
        Ok(_) | Err(JobsError::Broken { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
