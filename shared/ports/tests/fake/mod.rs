//! One object in memory, behind a store that counts, takes its time and fails as it is told.

use dropscope_pipeline::ObjectKey;
use dropscope_ports::{Condition, ETag, Object, ObjectMeta, Objects, ObjectsError, Part, Select};
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What may go wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 503 SlowDown, a reset.
    Busy,
    /// A body that ends early.
    Short,
    /// A body that goes on.
    Long,
    /// Nothing comes any more.
    Stall,
}

/// How the store behaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    /// Time from a request to its answer.
    pub(crate) latency: Duration,
    /// Faults, each as likely as the others.
    pub(crate) faults: Vec<Fault>,
    /// How many of a hundred requests meet one.
    pub(crate) percent: u32,
    pub(crate) seed: u64,
    /// From this request on the object is another.
    pub(crate) replaced_from: Option<usize>,
}

pub(crate) struct Fake {
    size: u64,
    manner: Manner,
    pub(crate) requests: Mutex<Vec<Range<u64>>>,
    under_way: AtomicUsize,
    pub(crate) most_under_way: AtomicUsize,
    bytes_under_way: AtomicUsize,
    pub(crate) most_bytes_under_way: AtomicUsize,
}

/// The bytes of every object here: each 4 KiB tell their own number.
pub(crate) fn content(range: Range<u64>) -> Vec<u8> {
    let (start, end) = (range.start / 4096, range.end.div_ceil(4096));
    let mut bytes = vec![7; ((end - start) * 4096) as usize];
    for (page, of) in (start..end).zip(bytes.chunks_exact_mut(4096)) {
        of[..8].copy_from_slice(&page.to_le_bytes());
        of[2048..2056].copy_from_slice(&page.to_be_bytes());
    }
    bytes.truncate((range.end - start * 4096) as usize);
    bytes.drain(..(range.start - start * 4096) as usize);
    bytes
}

impl Fake {
    pub(crate) fn new(size: u64, manner: Manner) -> Arc<Self> {
        let (requests, count) = (Mutex::default(), AtomicUsize::default);
        let (under_way, most_under_way) = (count(), count());
        let (bytes_under_way, most_bytes_under_way) = (count(), count());
        Arc::new(Self { size, manner, requests, under_way, most_under_way, bytes_under_way, most_bytes_under_way })
    }

    pub(crate) fn meta(&self) -> ObjectMeta {
        ObjectMeta {
            key: ObjectKey::raw("recordings/ana/a.tif"),
            size: self.size,
            etag: "one".into(),
            version: Some("v".into()),
            modified: None,
        }
    }

    pub(crate) fn asked(&self) -> Vec<Range<u64>> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.asked().iter().map(|range| range.end - range.start).sum()
    }

    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::SeqCst)
    }

    async fn answer(&self, number: usize, range: Range<u64>) -> Result<Object, ObjectsError> {
        tokio::time::sleep(self.manner.latency).await;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.manner.seed.wrapping_add(number as u64));
        let key = self.meta().key;
        if self.manner.replaced_from.is_some_and(|from| number >= from) {
            return Err(ObjectsError::Precondition { key });
        }
        let mut bytes = content(range);
        if random.gen_range(0..100) < self.manner.percent {
            match self.manner.faults[random.gen_range(0..self.manner.faults.len())] {
                Fault::Busy => return Err(ObjectsError::Busy { key, source: "slow down".into() }),
                Fault::Short => bytes.truncate(random.gen_range(0..bytes.len())),
                Fault::Long => bytes.push(0),
                Fault::Stall => tokio::time::sleep(Duration::from_secs(3600)).await,
            }
        }
        Ok(Object { meta: self.meta(), bytes })
    }
}

/// Counts a request as long as it is under way, also when it is called off.
struct UnderWay<'a>(&'a Fake, usize);

impl<'a> UnderWay<'a> {
    fn of(fake: &'a Fake, bytes: usize) -> Self {
        let count = fake.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        fake.most_under_way.fetch_max(count, Ordering::SeqCst);
        let sum = fake.bytes_under_way.fetch_add(bytes, Ordering::SeqCst) + bytes;
        fake.most_bytes_under_way.fetch_max(sum, Ordering::SeqCst);
        Self(fake, bytes)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
        self.0.bytes_under_way.fetch_sub(self.1, Ordering::SeqCst);
    }
}

#[async_trait::async_trait]
impl Objects for Fake {
    async fn get(&self, key: &ObjectKey, select: &Select) -> Result<Object, ObjectsError> {
        let range = select.range.clone().expect("a reader asks for ranges");
        assert_eq!(*key, self.meta().key);
        assert_eq!(select.if_match.as_deref(), Some("one"), "every request is conditional");
        assert_eq!(select.version.as_deref(), Some("v"), "and for one version");
        assert!(range.start < range.end && range.end <= self.size, "{range:?} of {}", self.size);
        let number = {
            let mut requests = self.requests.lock().unwrap();
            requests.push(range.clone());
            requests.len() - 1
        };
        let _counted = UnderWay::of(self, (range.end - range.start) as usize);
        self.answer(number, range).await
    }

    async fn head(&self, _: &ObjectKey, _: &Select) -> Result<ObjectMeta, ObjectsError> {
        Ok(self.meta())
    }

    async fn put(&self, key: &ObjectKey, _: Vec<u8>, _: &Condition) -> Result<ETag, ObjectsError> {
        only_read(key)
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectsError> {
        only_read(key)
    }

    async fn list(&self, prefix: &str, _: Option<&ObjectKey>) -> Result<Vec<ObjectMeta>, ObjectsError> {
        only_read(&ObjectKey::raw(prefix))
    }

    async fn start_multipart(&self, key: &ObjectKey) -> Result<String, ObjectsError> {
        only_read(key)
    }

    async fn put_part(&self, key: &ObjectKey, _: &str, _: u32, _: Vec<u8>) -> Result<Part, ObjectsError> {
        only_read(key)
    }

    async fn complete_multipart(&self, key: &ObjectKey, _: &str, _: &[Part], _: &Condition) -> Result<ETag, ObjectsError> {
        only_read(key)
    }

    async fn abort_multipart(&self, key: &ObjectKey, _: &str) -> Result<(), ObjectsError> {
        only_read(key)
    }
}

fn only_read<T>(key: &ObjectKey) -> Result<T, ObjectsError> {
    Err(ObjectsError::Invalid { key: key.clone(), why: "this object is only read".into() })
}
