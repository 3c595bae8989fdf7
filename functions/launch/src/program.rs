//! The program that instances run: this very one, put into the bucket under its digest.

use dropscope_pipeline::state_keys;
use dropscope_ports::retry::patiently;
use dropscope_ports::{Condition, Objects, ObjectsError, Select};
use sha2::{Digest, Sha256};
use std::path::Path;

/// A program that instances cannot get.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// This program's own file cannot be read.
    #[error("the program's own file cannot be read")]
    File(#[from] std::io::Error),
    /// The bucket is out of order.
    #[error("the program cannot be put into the bucket")]
    Store(#[from] ObjectsError),
}

/// Puts the program at `path` into the bucket where it is not there yet, and names its digest (SHA-256, hex).
///
/// # Errors
/// See [`ProgramError`].
pub async fn publish(objects: &dyn Objects, path: &Path) -> Result<String, ProgramError> {
    let bytes = tokio::fs::read(path).await?;
    let digest = hex::encode(Sha256::digest(&bytes));
    let key = state_keys::program(&digest);
    let newest = Select::default();
    match patiently(|| objects.head(&key, &newest)).await {
        Ok(meta) if meta.size == bytes.len() as u64 => return Ok(digest),
        Ok(_) | Err(ObjectsError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    patiently(|| objects.put(&key, bytes.clone(), &Condition::Always)).await?;
    Ok(digest)
}
