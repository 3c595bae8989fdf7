//! Checkpoints of a run: where they lie, and that they are gone when it is over.

use crate::documents::{JobsError, keys};
use dropscope_pipeline::{Job, ObjectKey};
use dropscope_ports::Objects;
use dropscope_ports::retry::patiently;

/// Folder of the checkpoints, below that of a run's results.
const FOLDER: &str = "checkpoint/";

/// The checkpoint of that name; none for an upload that has no results.
pub fn checkpoint(job: &Job, name: &str) -> Option<ObjectKey> {
    Some(job.results()?.child(&format!("{FOLDER}{name}")))
}

/// Names of the checkpoints that a run has.
///
/// # Errors
/// See [`JobsError`].
pub async fn list_checkpoints(objects: &dyn Objects, job: &Job) -> Result<Vec<String>, JobsError> {
    let Some(folder) = checkpoint(job, "") else { return Ok(Vec::new()) };
    let found = keys(objects, folder.as_str()).await?;
    Ok(found.iter().filter_map(|key| key.as_str().strip_prefix(folder.as_str()).map(str::to_owned)).collect())
}

/// Deletes them all.
///
/// # Errors
/// See [`JobsError`]; a later call goes on where this one stopped.
pub async fn clear_checkpoints(objects: &dyn Objects, job: &Job) -> Result<(), JobsError> {
    for name in list_checkpoints(objects, job).await? {
        let Some(key) = checkpoint(job, &name) else { continue };
        patiently(|| objects.delete(&key)).await?;
    }
    Ok(())
}
