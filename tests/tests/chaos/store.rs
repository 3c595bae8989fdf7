//! A bucket in memory: fast, and the same in every run of a seed.

use dropscope_pipeline::{ObjectKey, Timestamp, Upload};
use dropscope_ports::{Clock, Condition, ETag, Object, ObjectMeta, Objects, ObjectsError, Part, Select};
use dropscope_testkit::clock::StandingClock;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keys of one listing.
const PAGE: usize = 40;

/// Objects, parts of uploads, and what was created since somebody asked.
pub(crate) struct Memory {
    bucket: &'static str,
    clock: Arc<StandingClock>,
    inner: Mutex<Inner>,
}

struct Stored {
    bytes: Vec<u8>,
    modified: Timestamp,
}

#[derive(Default)]
struct Inner {
    objects: BTreeMap<String, Stored>,
    parts: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    uploads: u64,
    created: Vec<Upload>,
}

impl Memory {
    pub(crate) fn new(bucket: &'static str, clock: Arc<StandingClock>) -> Self {
        Self { bucket, clock, inner: Mutex::default() }
    }

    /// What was created since the last call.
    pub(crate) fn created(&self) -> Vec<Upload> {
        std::mem::take(&mut self.inner().created)
    }

    /// The bytes of an object.
    pub(crate) fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.inner().objects.get(key).map(|stored| stored.bytes.clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn etag(bytes: &[u8]) -> ETag {
    hex::encode(&Sha256::digest(bytes)[..16])
}

fn meta(key: &ObjectKey, Stored { bytes, modified }: &Stored) -> ObjectMeta {
    let (size, etag) = (bytes.len() as u64, etag(bytes));
    ObjectMeta { key: key.clone(), size, etag, version: None, modified: Some(*modified) }
}

fn none(key: &ObjectKey) -> ObjectsError {
    ObjectsError::NotFound { key: key.clone() }
}

#[async_trait::async_trait]
impl Objects for Memory {
    async fn head(&self, key: &ObjectKey, select: &Select) -> Result<ObjectMeta, ObjectsError> {
        let whole = Select { range: None, ..select.clone() };
        Ok(self.get(key, &whole).await?.meta)
    }

    async fn get(&self, key: &ObjectKey, select: &Select) -> Result<Object, ObjectsError> {
        let inner = self.inner();
        let stored = inner.objects.get(key.as_str()).ok_or_else(|| none(key))?;
        let (meta, bytes) = (meta(key, stored), &stored.bytes);
        if select.if_match.as_ref().is_some_and(|wanted| *wanted != meta.etag) {
            return Err(ObjectsError::Precondition { key: key.clone() });
        }
        let Some(range) = &select.range else { return Ok(Object { meta, bytes: bytes.clone() }) };
        if range.is_empty() || range.start >= meta.size {
            return Err(ObjectsError::Invalid { key: key.clone(), why: format!("no range {range:?}") });
        }
        let part = range.start as usize..range.end.min(meta.size) as usize;
        Ok(Object { meta, bytes: bytes[part].to_vec() })
    }

    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>, condition: &Condition) -> Result<ETag, ObjectsError> {
        let mut inner = self.inner();
        let present = inner.objects.get(key.as_str()).map(|stored| etag(&stored.bytes));
        match (condition, &present) {
            (Condition::Absent, Some(_)) => return Err(ObjectsError::Precondition { key: key.clone() }),
            (Condition::Matches(_), None) => return Err(none(key)),
            (Condition::Matches(wanted), Some(present)) if wanted != present => {
                return Err(ObjectsError::Precondition { key: key.clone() });
            }
            _ => {}
        }
        let (etag, size) = (etag(&bytes), bytes.len() as u64);
        inner.objects.insert(key.to_string(), Stored { bytes, modified: self.clock.now() });
        let (bucket, etag_of) = (self.bucket.to_owned(), etag.clone());
        let upload = Upload { bucket, key: key.clone(), version: None, etag: etag_of, size: Some(size), sequencer: None };
        inner.created.push(upload);
        Ok(etag)
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectsError> {
        self.inner().objects.remove(key.as_str());
        Ok(())
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectKey>) -> Result<Vec<ObjectMeta>, ObjectsError> {
        let inner = self.inner();
        let from = after.map_or(Bound::Included(prefix.to_owned()), |after| {
            if after.as_str() < prefix { Bound::Included(prefix.to_owned()) } else { Bound::Excluded(after.to_string()) }
        });
        let found = inner.objects.range((from, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(prefix));
        Ok(found.take(PAGE).map(|(key, stored)| meta(&ObjectKey::raw(key.clone()), stored)).collect())
    }

    async fn start_multipart(&self, _: &ObjectKey) -> Result<String, ObjectsError> {
        let mut inner = self.inner();
        inner.uploads += 1;
        let upload = inner.uploads.to_string();
        inner.parts.insert(upload.clone(), BTreeMap::new());
        Ok(upload)
    }

    async fn put_part(&self, key: &ObjectKey, upload: &str, number: u32, bytes: Vec<u8>) -> Result<Part, ObjectsError> {
        let part = Part { number, etag: etag(&bytes) };
        self.inner().parts.get_mut(upload).ok_or_else(|| none(key))?.insert(number, bytes);
        Ok(part)
    }

    async fn complete_multipart(
        &self,
        key: &ObjectKey,
        upload: &str,
        parts: &[Part],
        condition: &Condition,
    ) -> Result<ETag, ObjectsError> {
        let held = self.inner().parts.get(upload).cloned().ok_or_else(|| none(key))?;
        let bytes = parts.iter().filter_map(|part| held.get(&part.number)).flatten().copied().collect();
        let etag = self.put(key, bytes, condition).await?;
        self.inner().parts.remove(upload);
        Ok(etag)
    }

    async fn abort_multipart(&self, _: &ObjectKey, upload: &str) -> Result<(), ObjectsError> {
        self.inner().parts.remove(upload);
        Ok(())
    }
}
