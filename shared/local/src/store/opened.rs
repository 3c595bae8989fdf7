//! An object held open: its bytes stay those of one version, whatever is put under its key meanwhile.

use super::{LocalStore, sorted};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{BoxError, ObjectMeta, ObjectsError, Select};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::SystemTime;

/// Bytes that are copied on the thread that asks, when they are in memory: a few dozen microseconds.
const AT_ONCE: usize = 1 << 19;

/// An open object.
#[derive(Debug, Clone)]
pub struct Opened {
    file: Arc<File>,
    /// What is known of it.
    pub meta: ObjectMeta,
    /// When it was written.
    pub modified: SystemTime,
}

impl LocalStore {
    /// Opens an object to be read in pieces; the range of `select` is not looked at.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    pub async fn opened(&self, key: &ObjectKey, select: &Select) -> Result<Opened, ObjectsError> {
        let (of, select) = (key.clone(), select.clone());
        let open = move |store: &super::Inner| {
            let (file, meta) = store.look(&of, &select)?;
            let modified = file.metadata().and_then(|known| known.modified()).map_err(|e| sorted(&of, e))?;
            Ok(Opened { file: Arc::new(file), meta, modified })
        };
        self.blocking(key, open).await
    }
}

impl Opened {
    /// The bytes of a range that lies within the object.
    ///
    /// # Errors
    /// [`ObjectsError::Busy`] when they cannot be read, also because somebody made the file shorter.
    pub async fn read(&self, range: Range<u64>) -> Result<Vec<u8>, ObjectsError> {
        self.read_into(range, Vec::new()).await
    }

    /// The same, in memory that is there already; one that had the same length before costs least.
    ///
    /// # Errors
    /// As for [`Opened::read`].
    pub async fn read_into(&self, range: Range<u64>, mut bytes: Vec<u8>) -> Result<Vec<u8>, ObjectsError> {
        let busy = |source: BoxError| ObjectsError::Busy { key: self.meta.key.clone(), source };
        let length = usize::try_from(range.end.saturating_sub(range.start)).map_err(|e| busy(e.into()))?;
        bytes.resize(length, 0);
        // What the system has in memory is copied at once: another thread would cost more than that, and have it in the
        // cache of another core.
        let done = if length <= AT_ONCE { cached(&self.file, range.start, &mut bytes) } else { 0 };
        if done == length {
            return Ok(bytes);
        }
        let file = self.file.clone();
        let work = move || {
            let rest = bytes.get_mut(done..).unwrap_or_default();
            file.read_exact_at(rest, range.start + done as u64).map(|()| bytes)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(bytes) => bytes.map_err(|e| busy(e.into())),
            Err(error) => Err(busy(error.into())),
        }
    }
}

/// Reads what needs no waiting for a disk, from the start of the range on; returns how many bytes that was.
#[cfg(target_os = "linux")]
fn cached(file: &File, offset: u64, out: &mut [u8]) -> usize {
    use rustix::io::ReadWriteFlags;
    // A file system that cannot tell is read as if it had to be waited for.
    rustix::io::preadv2(file, &mut [std::io::IoSliceMut::new(out)], offset, ReadWriteFlags::NOWAIT).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn cached(_: &File, _: u64, _: &mut [u8]) -> usize {
    0
}
