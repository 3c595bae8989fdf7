//! Writes that only the attempt makes whose job it is.

use crate::worker::{Deps, WorkerError};
use dropscope_pipeline::job::Refused;
use dropscope_pipeline::{Job, ObjectKey, State};
use dropscope_ports::retry::patiently;
use dropscope_ports::{Condition, ObjectsError, Select};
use std::path::Path;

/// Tries to write what others write as well.
const ROUNDS: usize = 5;

/// What is to be written.
pub(crate) enum Body<'a> {
    File(&'a Path),
    Bytes(Vec<u8>),
}

/// Whether the job is still this attempt's: whoever lost it must not write over another's results.
pub(crate) async fn fenced(job: &Job, deps: &Deps) -> Result<Result<(), Refused>, WorkerError> {
    let current = dropscope_jobs::load_job(&*deps.objects, &job.run).await?;
    let State::Running { instance } = &job.state else { return Ok(Err(Refused::NotYet(job.state.word()))) };
    Ok(current.running(job.attempt, instance, deps.clock.now()).map(|_| ()))
}

/// Uploads what no other attempt makes alike: it tells times, or how far this one is. Looked at first, then fenced, then
/// written over just what was looked at: an attempt that was lost meanwhile cannot put its own over that of its successor.
pub(crate) async fn upload(job: &Job, key: &ObjectKey, body: Body<'_>, deps: &Deps) -> Result<(), WorkerError> {
    let newest = Select::default();
    for _ in 0..ROUNDS {
        let condition = match patiently(|| deps.objects.head(key, &newest)).await {
            Ok(there) => Condition::Matches(there.etag),
            Err(ObjectsError::NotFound { .. }) => Condition::Absent,
            Err(error) => return Err(error.into()),
        };
        fenced(job, deps).await?.map_err(WorkerError::Superseded)?;
        let written = match &body {
            Body::File(path) => dropscope_ports::upload::file_if(&*deps.objects, key, path, &condition).await,
            Body::Bytes(bytes) => patiently(|| deps.objects.put(key, bytes.clone(), &condition)).await.map(|_| ()),
        };
        match written {
            // Somebody was quicker, perhaps this very call, whose answer was lost.
            Err(ObjectsError::Precondition { .. } | ObjectsError::NotFound { .. }) => {}
            other => return Ok(other?),
        }
    }
    Err(ObjectsError::Precondition { key: key.clone() }.into())
}
