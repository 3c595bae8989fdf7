//! Uploading a file: at once when it is small, in parts when it is large.

use crate::objects::{Condition, Objects, ObjectsError, Part, Select};
use crate::retry::patiently;
use dropscope_pipeline::ObjectKey;
use std::io::Read;
use std::path::Path;

/// Files up to this size go at once.
const PART: u64 = 16 << 20;
/// S3 takes this many parts at most.
const MOST_PARTS: u64 = 10_000;

/// Uploads a file whole; what was there before is replaced in one moment.
///
/// # Errors
/// See [`ObjectsError`]; a file that cannot be read is [`ObjectsError::Invalid`].
pub async fn file(objects: &dyn Objects, key: &ObjectKey, path: &Path) -> Result<(), ObjectsError> {
    file_if(objects, key, path, &Condition::Always).await
}

/// The same, if `condition` holds when it is there. When an answer is lost, the caller may read that its own upload broke
/// the condition.
///
/// # Errors
/// See [`file()`].
pub async fn file_if(objects: &dyn Objects, key: &ObjectKey, path: &Path, condition: &Condition) -> Result<(), ObjectsError> {
    let unreadable =
        |error: std::io::Error| ObjectsError::Invalid { key: key.clone(), why: format!("its file cannot be read: {error}") };
    let mut source = std::fs::File::open(path).map_err(unreadable)?;
    let size = source.metadata().map_err(unreadable)?.len();
    if size <= PART {
        let mut bytes = Vec::with_capacity(size as usize);
        source.read_to_end(&mut bytes).map_err(unreadable)?;
        return patiently(|| objects.put(key, bytes.clone(), condition)).await.map(|_| ());
    }
    let upload = patiently(|| objects.start_multipart(key)).await?;
    let parts = match all_parts(objects, key, &upload, source, size.div_ceil(MOST_PARTS).max(PART)).await {
        Ok(parts) => parts,
        Err(error) => {
            // The first error is the one to tell; what is left is cleared by the bucket's lifecycle.
            let _ = objects.abort_multipart(key, &upload).await;
            return Err(error);
        }
    };
    match patiently(|| objects.complete_multipart(key, &upload, &parts, condition)).await {
        // The answer to an earlier try may have been lost: then the upload is gone because it is the object.
        Err(ObjectsError::NotFound { .. }) => {
            let meta = objects.head(key, &Select::default()).await?;
            if meta.size == size { Ok(()) } else { Err(ObjectsError::NotFound { key: key.clone() }) }
        }
        other => other.map(|_| ()),
    }
}

async fn all_parts(
    objects: &dyn Objects,
    key: &ObjectKey,
    upload: &str,
    source: std::fs::File,
    part: u64,
) -> Result<Vec<Part>, ObjectsError> {
    let (mut source, mut parts) = (source, Vec::new());
    loop {
        let mut bytes = Vec::new();
        let read = (&mut source).take(part).read_to_end(&mut bytes);
        read.map_err(|error| ObjectsError::Invalid { key: key.clone(), why: format!("its file cannot be read: {error}") })?;
        if bytes.is_empty() {
            return Ok(parts);
        }
        let number = parts.len() as u32 + 1;
        parts.push(patiently(|| objects.put_part(key, upload, number, bytes.clone())).await?);
    }
}
