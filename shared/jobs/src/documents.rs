//! Documents that are changed only by conditional writes.

use crate::open::mark_open;
use dropscope_pipeline::{Job, ObjectKey, RunId, state_keys};
use dropscope_ports::retry::patiently;
use dropscope_ports::{Condition, ETag, Objects, ObjectsError, Select};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How often a document is read and decided on again when somebody else was first, or the store did not answer.
const ROUNDS: u32 = 12;

/// A record that could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// The store: whether to try again is in its kind.
    #[error("the state cannot be read or written")]
    Store(#[from] ObjectsError),
    /// The document is not what this version writes: somebody must look at it.
    #[error("the state object `{key}` is not readable")]
    Broken {
        /// Which.
        key: ObjectKey,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// Somebody else was first again and again: try again later.
    #[error("the state object `{key}` is too busy")]
    Contended {
        /// Which.
        key: ObjectKey,
    },
    /// The system gives no random bytes, so no key can be made.
    #[error("this system gives no random bytes")]
    Random(#[from] getrandom::Error),
    /// A mail could not be sent; it stays in the outbox.
    #[error("a mail waits in the outbox")]
    Mail(#[from] dropscope_ports::MailError),
}

/// What became of a decision on a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed<T, R> {
    /// The document now says this.
    Now(T),
    /// The decision refused; the document says this.
    Refused(T, R),
}

/// Reads a document; none when it is not there.
pub(crate) async fn read<T: DeserializeOwned>(objects: &dyn Objects, key: &ObjectKey) -> Result<Option<(T, ETag)>, JobsError> {
    let whole = Select::default();
    let object = match patiently(|| objects.get(key, &whole)).await {
        Ok(object) => object,
        Err(ObjectsError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let document = serde_json::from_slice(&object.bytes).map_err(|source| JobsError::Broken { key: key.clone(), source })?;
    Ok(Some((document, object.meta.etag)))
}

pub(crate) async fn pause(round: u32) {
    tokio::time::sleep(Duration::from_millis(20 << round.min(6))).await;
}

pub(crate) fn to_bytes<T: Serialize>(key: &ObjectKey, document: &T) -> Result<Vec<u8>, JobsError> {
    serde_json::to_vec_pretty(document).map_err(|source| JobsError::Broken { key: key.clone(), source })
}

/// Reads, decides and writes conditionally until the write holds or the decision refuses. `absent` stands for a
/// document that is not there. A decision must allow to be repeated: a write whose answer was lost is decided on
/// again, on what it wrote.
pub(crate) async fn update<T, R>(
    objects: &dyn Objects,
    key: &ObjectKey,
    absent: Option<T>,
    mut decide: impl FnMut(&T) -> Result<T, R>,
) -> Result<Changed<T, R>, JobsError>
where
    T: Serialize + DeserializeOwned + Clone + PartialEq,
{
    for round in 0..ROUNDS {
        let (current, condition) = match (read::<T>(objects, key).await?, &absent) {
            (Some((document, etag)), _) => (document, Condition::Matches(etag)),
            (None, Some(document)) => (document.clone(), Condition::Absent),
            (None, None) => return Err(ObjectsError::NotFound { key: key.clone() }.into()),
        };
        let next = match decide(&current) {
            Ok(next) => next,
            Err(refused) => return Ok(Changed::Refused(current, refused)),
        };
        if next == current && condition != Condition::Absent {
            return Ok(Changed::Now(next));
        }
        match objects.put(key, to_bytes(key, &next)?, &condition).await {
            Ok(_) => return Ok(Changed::Now(next)),
            Err(ObjectsError::Precondition { .. }) => pause(round / 3).await,
            Err(error) if error.is_transient() => pause(round).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(JobsError::Contended { key: key.clone() })
}

/// Writes an object once. True when this call wrote it, false when it was there.
pub(crate) async fn create(objects: &dyn Objects, key: &ObjectKey, bytes: &[u8]) -> Result<bool, JobsError> {
    for round in 0..ROUNDS {
        match objects.put(key, bytes.to_vec(), &Condition::Absent).await {
            Ok(_) => return Ok(true),
            Err(ObjectsError::Precondition { .. }) => return Ok(false),
            Err(error) if error.is_transient() => pause(round).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(JobsError::Contended { key: key.clone() })
}

/// Claims a run: the job as it stands, whoever claimed it first.
///
/// # Errors
/// See [`JobsError`].
pub async fn create_job(objects: &dyn Objects, job: Job) -> Result<Job, JobsError> {
    // The marker comes first: there is never a job that nobody looks after.
    mark_open(objects, &job.run, job.received_at).await?;
    let key = state_keys::job(&job.run);
    create(objects, &key, &to_bytes(&key, &job)?).await?;
    load_job(objects, &job.run).await
}

/// The job of a run.
///
/// # Errors
/// See [`JobsError`].
pub async fn load_job(objects: &dyn Objects, run: &RunId) -> Result<Job, JobsError> {
    let key = state_keys::job(run);
    find_job(objects, run).await?.ok_or_else(|| ObjectsError::NotFound { key }.into())
}

/// The job of a run, if there is one.
///
/// # Errors
/// See [`JobsError`].
pub async fn find_job(objects: &dyn Objects, run: &RunId) -> Result<Option<Job>, JobsError> {
    Ok(read(objects, &state_keys::job(run)).await?.map(|(job, _)| job))
}

/// Takes a step of a job's state machine.
///
/// # Errors
/// See [`JobsError`].
pub async fn update_job<R>(
    objects: &dyn Objects,
    run: &RunId,
    step: impl FnMut(&Job) -> Result<Job, R>,
) -> Result<Changed<Job, R>, JobsError> {
    update(objects, &state_keys::job(run), None, step).await
}

/// Every job that can be read, in the order of its run. One that cannot is logged: it keeps no other waiting. Reads every
/// job there ever was: for people, not for every minute.
///
/// # Errors
/// See [`JobsError`].
pub async fn list_jobs(objects: &dyn Objects) -> Result<Vec<Job>, JobsError> {
    let mut jobs = Vec::new();
    for key in keys(objects, state_keys::JOBS).await? {
        jobs.extend(readable(objects, &key).await?);
    }
    Ok(jobs)
}

/// A job, unless it is not there or cannot be read.
pub(crate) async fn readable(objects: &dyn Objects, key: &ObjectKey) -> Result<Option<Job>, JobsError> {
    match read::<Job>(objects, key).await {
        Ok(job) => Ok(job.map(|(job, _)| job)),
        Err(JobsError::Broken { key, source }) => {
            tracing::error!(%key, %source, "a job cannot be read");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Every key below a prefix, in order.
pub(crate) async fn keys(objects: &dyn Objects, prefix: &str) -> Result<Vec<ObjectKey>, JobsError> {
    let (mut keys, mut after): (Vec<ObjectKey>, Option<ObjectKey>) = (Vec::new(), None);
    loop {
        let page = patiently(|| objects.list(prefix, after.as_ref())).await?;
        let Some(last) = page.last() else { return Ok(keys) };
        after = Some(last.key.clone());
        keys.extend(page.into_iter().map(|meta| meta.key));
    }
}
