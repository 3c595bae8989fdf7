//! An object held open: its bytes stay those of one version, whatever is put under its key meanwhile.

use super::{LocalStore, sorted};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{BoxError, ObjectMeta, ObjectsError, Select};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::SystemTime;

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
        let file = self.file.clone();
        let busy = |source: BoxError| ObjectsError::Busy { key: self.meta.key.clone(), source };
        let length = usize::try_from(range.end.saturating_sub(range.start)).map_err(|e| busy(e.into()))?;
        let work = move || {
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, range.start).map(|()| bytes)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(bytes) => bytes.map_err(|e| busy(e.into())),
            Err(error) => Err(busy(error.into())),
        }
    }
}
