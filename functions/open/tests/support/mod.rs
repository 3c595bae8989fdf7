//! A bucket in a folder with a run that is done, and who asks for its report.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_local::LocalStore;
use dropscope_open::{Deps, handle};
use dropscope_pipeline::{Door, Job, ObjectKey, Outcome, RunId, Settings, State, Timestamp, Upload, Usd, state_keys};
use dropscope_ports::{Clock, Condition, ETag, Object, ObjectMeta, Objects, ObjectsError, Part, Select, Sharing};
use dropscope_testkit::clock::StandingClock;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

pub(crate) const DAYS: u32 = 14;
const DOOR: &str = "https://door/";

pub(crate) fn run() -> RunId {
    "0123456789abcdef".parse().unwrap()
}

/// A request as a function URL sends it, as far as it is looked at.
pub(crate) fn request(method: &str, path: &str) -> Value {
    json!({ "version": "2.0", "rawPath": path, "rawQueryString": "", "requestContext": { "http": { "method": method, "path": path } } })
}

pub(crate) fn get(token: &str) -> Value {
    request("GET", &format!("/{token}"))
}

pub(crate) struct World {
    pub(crate) store: Arc<LocalStore>,
    pub(crate) clock: Arc<StandingClock>,
    watched: Arc<Watched>,
    _folder: tempfile::TempDir,
}

impl World {
    /// A bucket with a key, a run that is done, and its report.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalStore::open(folder.path(), "b").unwrap());
        let watched = Arc::new(Watched { store: store.clone(), reads: AtomicUsize::new(0), denies: AtomicBool::new(false) });
        let world = Self { store, clock: Arc::new(StandingClock::new()), watched, _folder: folder };
        dropscope_jobs::make_links(&*world.store, world.now()).await.unwrap();
        world.done(&run()).await;
        world.put(&world.report(&run()), b"<html>").await;
        world
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn deps(&self) -> Deps {
        Deps { objects: self.watched.clone(), sharing: Arc::new(Shown), clock: self.clock.clone() }
    }

    /// The token of a link as a mail has it now.
    pub(crate) async fn link(&self, run: &RunId) -> String {
        let links = dropscope_jobs::find_links(&*self.store).await.unwrap().unwrap();
        let link = Door::new(DOOR, DAYS).unwrap().link(&links, run, self.now()).unwrap();
        link.address.strip_prefix(DOOR).unwrap().to_owned()
    }

    pub(crate) async fn answer(&self, request: &Value) -> Value {
        handle(request, &self.deps()).await.unwrap().to_json()
    }

    pub(crate) async fn status(&self, token: &str) -> u64 {
        self.answer(&get(token)).await["statusCode"].as_u64().unwrap()
    }

    pub(crate) async fn put(&self, key: &ObjectKey, bytes: &[u8]) {
        self.store.put(key, bytes.to_vec(), &Condition::Always).await.unwrap();
    }

    pub(crate) fn report(&self, run: &RunId) -> ObjectKey {
        report(run)
    }

    pub(crate) async fn done(&self, run: &RunId) {
        self.put(&state_keys::job(run), &serde_json::to_vec(&done(run)).unwrap()).await;
    }

    pub(crate) async fn job(&self, run: &RunId, state: State) {
        let job = Job { state, ..claimed(run) };
        self.put(&state_keys::job(run), &serde_json::to_vec(&job).unwrap()).await;
    }

    /// How often the bucket was read.
    pub(crate) fn reads(&self) -> usize {
        self.watched.reads.load(Ordering::SeqCst)
    }

    /// From now on the bucket denies every read, as S3 denies a missing object to who may not list.
    pub(crate) fn deny(&self) {
        self.watched.denies.store(true, Ordering::SeqCst);
    }
}

/// A run that is done.
pub(crate) fn done(run: &RunId) -> Job {
    let outcome = Outcome {
        attempt: 1,
        cells: 1,
        rois: 1,
        clusters: 1,
        largest_shift_px: 0.0,
        bad_frames: 0,
        notes: Vec::new(),
        seconds: 1.0,
        cost: Usd::ZERO,
        files: Vec::new(),
        provenance: Value::Null,
    };
    Job { state: State::Done(outcome), ..claimed(run) }
}

pub(crate) fn report(run: &RunId) -> ObjectKey {
    claimed(run).results().unwrap().child("report.html")
}

fn claimed(run: &RunId) -> Job {
    let key = ObjectKey::raw("recordings/ana/day 1/x.tif");
    let upload = Upload { bucket: "b".into(), key, version: None, etag: "e".into(), size: Some(1), sequencer: None };
    Job::claim(run.clone(), upload, "ana".into(), Settings::default(), Timestamp::from_millis(0))
}

/// Links that say what they open.
struct Shown;

#[async_trait::async_trait]
impl Sharing for Shown {
    async fn link(&self, key: &ObjectKey, seconds: u64) -> Result<String, ObjectsError> {
        Ok(format!("https://store/{key} for {seconds} s"))
    }
}

/// A store that counts reads, may deny them, and lets nobody do anything else.
struct Watched {
    store: Arc<LocalStore>,
    reads: AtomicUsize,
    denies: AtomicBool,
}

impl Watched {
    fn read(&self, key: &ObjectKey) -> Result<(), ObjectsError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.denies.load(Ordering::SeqCst) { Err(denied(key)) } else { Ok(()) }
    }
}

fn denied(key: &ObjectKey) -> ObjectsError {
    ObjectsError::Denied { key: key.clone(), source: "AccessDenied".into() }
}

#[async_trait::async_trait]
impl Objects for Watched {
    async fn head(&self, key: &ObjectKey, select: &Select) -> Result<ObjectMeta, ObjectsError> {
        self.read(key)?;
        self.store.head(key, select).await
    }
    async fn get(&self, key: &ObjectKey, select: &Select) -> Result<Object, ObjectsError> {
        self.read(key)?;
        self.store.get(key, select).await
    }
    async fn put(&self, key: &ObjectKey, _: Vec<u8>, _: &Condition) -> Result<ETag, ObjectsError> {
        Err(denied(key))
    }
    async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectsError> {
        Err(denied(key))
    }
    async fn list(&self, prefix: &str, _: Option<&ObjectKey>) -> Result<Vec<ObjectMeta>, ObjectsError> {
        Err(denied(&ObjectKey::raw(prefix)))
    }
    async fn start_multipart(&self, key: &ObjectKey) -> Result<String, ObjectsError> {
        Err(denied(key))
    }
    async fn put_part(&self, key: &ObjectKey, _: &str, _: u32, _: Vec<u8>) -> Result<Part, ObjectsError> {
        Err(denied(key))
    }
    async fn complete_multipart(&self, key: &ObjectKey, _: &str, _: &[Part], _: &Condition) -> Result<ETag, ObjectsError> {
        Err(denied(key))
    }
    async fn abort_multipart(&self, key: &ObjectKey, _: &str) -> Result<(), ObjectsError> {
        Err(denied(key))
    }
}
