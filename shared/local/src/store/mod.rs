//! A folder as a bucket: objects are files that a person can open, writes are atomic and conditional, between
//! processes too.
//!
//! An object lies at the path its key says when a file can have that path, else under `.dropscope/`. Beside it, a
//! record keeps ETags by inode, size and time; a file whose record does not fit (somebody copied it there) gets the
//! ETag of its content. So a crash between any two steps leaves an object with its old or its new identity.

mod etags;
mod incoming;
mod layout;
mod listing;
mod multipart;
mod opened;
mod sweep;

use crate::atomic::Temporary;
use dropscope_pipeline::{ObjectKey, Timestamp, Upload};
use dropscope_ports::{BoxError, Condition, ETag, Object, ObjectMeta, Objects, ObjectsError, Part, Select};
use layout::Layout;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

pub use incoming::{Arrived, Incoming};
pub use listing::{Page, Query, Sighting};
pub use multipart::{PendingUpload, StoredPart};
pub use opened::Opened;

/// Keys of one page of a listing, as S3 has it.
const PAGE: usize = 1000;
/// S3's own limit of a key, bytes.
const LONGEST_KEY: usize = 1024;

/// One bucket in a folder. Clones share it.
#[derive(Clone)]
pub struct LocalStore {
    inner: Arc<Inner>,
}

struct Inner {
    bucket: String,
    layout: Layout,
    announce: Option<UnboundedSender<Upload>>,
}

impl LocalStore {
    /// The bucket `bucket` in `folder`, which is made when it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path, bucket: &str) -> io::Result<Self> {
        Self::with(folder, bucket, None)
    }

    /// The same, telling every object that is created to `announce`.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn announcing(folder: &Path, bucket: &str, announce: UnboundedSender<Upload>) -> io::Result<Self> {
        Self::with(folder, bucket, Some(announce))
    }

    fn with(folder: &Path, bucket: &str, announce: Option<UnboundedSender<Upload>>) -> io::Result<Self> {
        let layout = Layout::open(folder)?;
        Ok(Self { inner: Arc::new(Inner { bucket: bucket.to_owned(), layout, announce }) })
    }

    /// Name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.inner.bucket
    }

    /// Where an object's bytes lie, if it is there: for a person to open.
    pub fn path(&self, key: &ObjectKey) -> Option<PathBuf> {
        self.inner.layout.find(key.as_str()).ok().flatten()
    }

    /// Every object under `prefix` as the notification that its creation gave.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn inventory(&self, prefix: &str) -> Result<Vec<Upload>, ObjectsError> {
        let (mut uploads, mut after) = (Vec::new(), None);
        loop {
            let page = self.list(prefix, after.as_ref()).await?;
            let Some(last) = page.last() else { return Ok(uploads) };
            after = Some(last.key.clone());
            uploads.extend(page.iter().map(|meta| {
                let file = self.path(&meta.key).and_then(|path| fs::metadata(path).ok());
                self.inner.upload(meta, file.as_ref())
            }));
        }
    }

    /// Runs file work off the asynchronous threads; under load a handler must not wait for a disk.
    async fn blocking<T: Send + 'static>(
        &self,
        key: &ObjectKey,
        work: impl FnOnce(&Inner) -> Result<T, ObjectsError> + Send + 'static,
    ) -> Result<T, ObjectsError> {
        let inner = self.inner.clone();
        match tokio::task::spawn_blocking(move || work(&inner)).await {
            Ok(result) => result,
            Err(error) => Err(ObjectsError::Busy { key: key.clone(), source: error.into() }),
        }
    }
}

impl Inner {
    fn upload(&self, meta: &ObjectMeta, file: Option<&fs::Metadata>) -> Upload {
        Upload {
            bucket: self.bucket.clone(),
            key: meta.key.clone(),
            version: None,
            etag: meta.etag.clone(),
            size: Some(meta.size),
            sequencer: file.map(sequencer),
        }
    }

    /// The object's file and what is known of it, with the conditions of `select` checked.
    fn look(&self, key: &ObjectKey, select: &Select) -> Result<(File, ObjectMeta), ObjectsError> {
        let missing = || ObjectsError::NotFound { key: key.clone() };
        if select.version.is_some() {
            return Err(missing());
        }
        let path = self.layout.find(key.as_str()).map_err(|e| sorted(key, e))?.ok_or_else(missing)?;
        let mut file = File::open(path).map_err(|e| sorted(key, e))?;
        let meta = self.meta(key, &mut file).map_err(|e| sorted(key, e))?;
        match &select.if_match {
            Some(etag) if *etag != meta.etag => Err(ObjectsError::Precondition { key: key.clone() }),
            _ => Ok((file, meta)),
        }
    }

    fn meta(&self, key: &ObjectKey, file: &mut File) -> io::Result<ObjectMeta> {
        let (etag, size) = etags::of(&self.layout, key.as_str(), file)?;
        Ok(ObjectMeta { key: key.clone(), size, etag, version: None, modified: modified(&file.metadata()?) })
    }

    fn get(&self, key: &ObjectKey, select: &Select) -> Result<Object, ObjectsError> {
        let (mut file, meta) = self.look(key, select)?;
        let range = select.range.clone().unwrap_or(0..meta.size);
        if range.start > range.end || (range.start >= meta.size && meta.size > 0) {
            return Err(ObjectsError::Invalid { key: key.clone(), why: format!("range `{range:?}` of `{}` bytes", meta.size) });
        }
        let length = range.end.min(meta.size) - range.start;
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(range.start)).and_then(|_| file.take(length).read_to_end(&mut bytes));
        match read {
            Ok(n) if n as u64 == length => Ok(Object { meta, bytes }),
            Ok(_) => Err(ObjectsError::Precondition { key: key.clone() }),
            Err(error) => Err(sorted(key, error)),
        }
    }

    /// Publishes a finished file under a key, if the condition holds: the one place where objects come into being.
    fn commit(&self, key: &ObjectKey, file: Temporary, etag: ETag, condition: &Condition) -> Result<ETag, ObjectsError> {
        let about = file.metadata().map_err(|e| sorted(key, e))?;
        {
            let _lock = self.layout.lock(key.as_str()).map_err(|e| sorted(key, e))?;
            self.check(key, condition)?;
            let publish = || -> io::Result<()> {
                etags::remember(&self.layout, key.as_str(), &about, &etag)?;
                file.publish(&self.layout.claim(key.as_str())?)
            };
            publish().map_err(|e| sorted(key, e))?;
        }
        if let Some(announce) = &self.announce {
            let meta =
                ObjectMeta { key: key.clone(), size: about.len(), etag: etag.clone(), version: None, modified: modified(&about) };
            // Nobody listening is no error: a later inventory finds the object.
            let _ = announce.send(self.upload(&meta, Some(&about)));
        }
        Ok(etag)
    }

    fn check(&self, key: &ObjectKey, condition: &Condition) -> Result<(), ObjectsError> {
        let now = match self.look(key, &Select::default()) {
            Ok((_, meta)) => Some(meta.etag),
            Err(ObjectsError::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        match (condition, now) {
            (Condition::Always, _) | (Condition::Absent, None) => Ok(()),
            (Condition::Matches(wanted), Some(etag)) if *wanted == etag => Ok(()),
            (Condition::Matches(_), None) => Err(ObjectsError::NotFound { key: key.clone() }),
            _ => Err(ObjectsError::Precondition { key: key.clone() }),
        }
    }

    fn put(&self, key: &ObjectKey, bytes: &[u8], condition: &Condition) -> Result<ETag, ObjectsError> {
        writable(key)?;
        let file = Temporary::create(&self.layout.scratch()).map_err(|e| sorted(key, e))?;
        file.fill(bytes).map_err(|e| sorted(key, e))?;
        self.commit(key, file, etags::of_bytes(bytes), condition)
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), ObjectsError> {
        let _lock = self.layout.lock(key.as_str()).map_err(|e| sorted(key, e))?;
        match self.layout.find(key.as_str()).map_err(|e| sorted(key, e))? {
            Some(path) => fs::remove_file(&path).and_then(|()| self.layout.forget(key.as_str())).map_err(|e| sorted(key, e)),
            None => Ok(()),
        }
    }

    fn list(&self, prefix: &str, after: Option<&ObjectKey>) -> io::Result<Vec<ObjectMeta>> {
        let after = after.map_or("", ObjectKey::as_str);
        let mut page = Vec::new();
        for (key, path) in
            self.layout.walk(prefix)?.range::<str, _>((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded))
        {
            if page.len() == PAGE {
                break;
            }
            let key = ObjectKey::raw(key.clone());
            match File::open(path).and_then(|mut file| self.meta(&key, &mut file)) {
                Ok(meta) => page.push(meta),
                // Removed between the walk and the look: it is not there.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(page)
    }
}

/// A number that grows with every write of a key: when the file was written, in nanoseconds since 1970. It is the
/// file's own, so that whoever tells of the same write tells the same number.
fn sequencer(file: &fs::Metadata) -> String {
    let written = file.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    format!("{:016X}", written.unwrap_or_default().as_nanos())
}

fn modified(file: &fs::Metadata) -> Option<Timestamp> {
    Some(Timestamp::from_millis(file.mtime().checked_mul(1000)?.checked_add(file.mtime_nsec() / 1_000_000)?))
}

fn writable(key: &ObjectKey) -> Result<(), ObjectsError> {
    match key.as_str().len() {
        1..=LONGEST_KEY => Ok(()),
        n => {
            Err(ObjectsError::Invalid { key: key.clone(), why: format!("a key of `{n}` bytes; 1 to {LONGEST_KEY} are allowed") })
        }
    }
}

fn sorted(key: &ObjectKey, error: io::Error) -> ObjectsError {
    let key = key.clone();
    match error.kind() {
        io::ErrorKind::NotFound => ObjectsError::NotFound { key },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ObjectsError::Denied { key, source: BoxError::from(error) }
        }
        _ => ObjectsError::Busy { key, source: BoxError::from(error) },
    }
}

#[async_trait::async_trait]
impl Objects for LocalStore {
    async fn head(&self, key: &ObjectKey, select: &Select) -> Result<ObjectMeta, ObjectsError> {
        let (of, select) = (key.clone(), select.clone());
        self.blocking(key, move |store| store.look(&of, &select).map(|(_, meta)| meta)).await
    }

    async fn get(&self, key: &ObjectKey, select: &Select) -> Result<Object, ObjectsError> {
        let (of, select) = (key.clone(), select.clone());
        self.blocking(key, move |store| store.get(&of, &select)).await
    }

    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>, condition: &Condition) -> Result<ETag, ObjectsError> {
        let (of, condition) = (key.clone(), condition.clone());
        self.blocking(key, move |store| store.put(&of, &bytes, &condition)).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectsError> {
        let of = key.clone();
        self.blocking(key, move |store| store.delete(&of)).await
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectKey>) -> Result<Vec<ObjectMeta>, ObjectsError> {
        let (under, after) = (ObjectKey::raw(prefix), after.cloned());
        let of = under.clone();
        self.blocking(&under, move |store| store.list(of.as_str(), after.as_ref()).map_err(|e| sorted(&of, e))).await
    }

    async fn start_multipart(&self, key: &ObjectKey) -> Result<String, ObjectsError> {
        let of = key.clone();
        self.blocking(key, move |store| {
            writable(&of)?;
            multipart::start(&store.layout, of.as_str()).map_err(|e| sorted(&of, e))
        })
        .await
    }

    async fn put_part(&self, key: &ObjectKey, upload: &str, number: u32, bytes: Vec<u8>) -> Result<Part, ObjectsError> {
        let (of, upload) = (key.clone(), upload.to_owned());
        self.blocking(key, move |store| multipart::put(&store.layout, &of, &upload, number, &bytes)).await
    }

    async fn complete_multipart(
        &self,
        key: &ObjectKey,
        upload: &str,
        parts: &[Part],
        condition: &Condition,
    ) -> Result<ETag, ObjectsError> {
        let (of, upload, parts, condition) = (key.clone(), upload.to_owned(), parts.to_vec(), condition.clone());
        self.blocking(key, move |store| {
            let (file, etag) = multipart::join(&store.layout, &of, &upload, &parts)?;
            let etag = store.commit(&of, file, etag, &condition)?;
            multipart::forget(&store.layout, &upload).map_err(|e| sorted(&of, e))?;
            Ok(etag)
        })
        .await
    }

    async fn abort_multipart(&self, key: &ObjectKey, upload: &str) -> Result<(), ObjectsError> {
        let (of, upload) = (key.clone(), upload.to_owned());
        self.blocking(key, move |store| multipart::forget(&store.layout, &upload).map_err(|e| sorted(&of, e))).await
    }
}
