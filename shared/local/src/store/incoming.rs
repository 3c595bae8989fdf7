//! Objects and parts that arrive in pieces: on disk as they come, seen by nobody before the last.

use super::{LocalStore, multipart, sorted, writable};
use crate::atomic::Temporary;
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{Condition, ETag, ObjectsError, Part};
use md5::{Digest, Md5};

/// Bytes that are gathered before a file thread is asked to write them: what one upload takes of memory.
const GATHERED: usize = 1 << 18;

/// An object or part that is arriving. Dropped before it is published, it leaves nothing.
pub struct Incoming {
    store: LocalStore,
    key: ObjectKey,
    file: Temporary,
    hash: Md5,
    gathered: Vec<u8>,
    bytes: u64,
}

/// All bytes of an object or part, on disk and not yet published.
pub struct Arrived {
    pub(super) file: Temporary,
    md5: Vec<u8>,
    bytes: u64,
}

impl LocalStore {
    /// Begins to take in an object or part.
    ///
    /// # Errors
    /// See [`ObjectsError`]; a key that no object can have is [`ObjectsError::Invalid`].
    pub async fn incoming(&self, key: &ObjectKey) -> Result<Incoming, ObjectsError> {
        let of = key.clone();
        let open = move |store: &super::Inner| {
            writable(&of)?;
            Temporary::create(&store.layout.scratch()).map_err(|e| sorted(&of, e))
        };
        let file = self.blocking(key, open).await?;
        Ok(Incoming { store: self.clone(), key: key.clone(), file, hash: Md5::new(), gathered: Vec::new(), bytes: 0 })
    }

    /// Makes what arrived an object, if the condition holds.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    pub async fn publish(&self, key: &ObjectKey, arrived: Arrived, condition: &Condition) -> Result<ETag, ObjectsError> {
        let (of, condition, etag) = (key.clone(), condition.clone(), arrived.etag());
        self.blocking(key, move |store| store.commit(&of, arrived.file, etag, &condition)).await
    }

    /// Makes what arrived part `number` (1 to 10 000) of an upload. A repeated number replaces the part.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    pub async fn publish_part(&self, key: &ObjectKey, upload: &str, number: u32, arrived: Arrived) -> Result<Part, ObjectsError> {
        let (of, upload) = (key.clone(), upload.to_owned());
        self.blocking(key, move |store| multipart::keep(&store.layout, &of, &upload, number, arrived)).await
    }
}

impl Incoming {
    /// Takes in the next bytes.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    pub async fn push(mut self, mut bytes: &[u8]) -> Result<Self, ObjectsError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(GATHERED - self.gathered.len()));
            self.gathered.extend_from_slice(now);
            bytes = later;
            if self.gathered.len() == GATHERED {
                self = self.write().await?;
            }
        }
        Ok(self)
    }

    /// Ends the taking in.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    pub async fn finish(self) -> Result<Arrived, ObjectsError> {
        let whole = self.write().await?;
        Ok(Arrived { file: whole.file, md5: whole.hash.finalize().to_vec(), bytes: whole.bytes })
    }

    async fn write(mut self) -> Result<Self, ObjectsError> {
        let (store, key) = (self.store.clone(), self.key.clone());
        let write = move |_: &super::Inner| {
            self.file.fill(&self.gathered).map_err(|e| sorted(&self.key, e))?;
            self.hash.update(&self.gathered);
            self.bytes += self.gathered.len() as u64;
            self.gathered.clear();
            Ok(self)
        };
        store.blocking(&key, write).await
    }
}

impl Arrived {
    /// The MD5 of all bytes.
    pub fn md5(&self) -> &[u8] {
        &self.md5
    }

    /// How many bytes arrived.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The ETag of an object put at once.
    pub fn etag(&self) -> ETag {
        hex::encode(&self.md5)
    }
}
