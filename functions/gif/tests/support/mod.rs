//! A bucket in a folder with an accepted recording in it; shared by the laws of gif and summary.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_local::{LocalStore, MailDir};
use dropscope_pipeline::{ObjectKey, Timestamp, Upload, event};
use dropscope_ports::{Clock, Condition, ObjectMeta, Objects, Select};
use dropscope_stage::Deps;
use dropscope_testkit::clock::StandingClock;
use dropscope_testkit::movie::Scene;
use serde_json::Value;
use std::io::Cursor;
use std::sync::Arc;

const KEY: &str = "recordings/ana/day 1/x.tif";

pub(crate) struct World {
    pub(crate) store: Arc<LocalStore>,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { store: Arc::new(LocalStore::open(folder.path(), "b").unwrap()), folder }
    }

    pub(crate) fn deps(&self) -> Deps {
        Deps { bucket: "b".into(), objects: self.store.clone(), max_bytes: u64::MAX }
    }

    pub(crate) async fn put(&self, bytes: Vec<u8>) -> Value {
        let key = ObjectKey::raw(KEY);
        self.store.put(&key, bytes, &Condition::Always).await.unwrap();
        self.created(&key).await
    }

    pub(crate) async fn created(&self, key: &ObjectKey) -> Value {
        let meta = self.store.head(key, &Select::default()).await.unwrap();
        let ObjectMeta { key, size, etag, version, .. } = meta;
        let upload = Upload { bucket: "b".into(), key, version, etag, size: Some(size), sequencer: None };
        event::object_created(&upload, "id", Timestamp::from_millis(0))
    }

    /// Uploads and validates a recording; the event of its manifest.
    pub(crate) async fn accepted(&self, recording: Vec<u8>) -> (Value, ObjectKey) {
        let event = self.put(recording).await;
        let clock: Arc<dyn Clock> = Arc::new(StandingClock::new());
        let deps = dropscope_validate::Deps {
            bucket: "b".into(),
            objects: self.store.clone(),
            mailer: Arc::new(MailDir::new(self.folder.path(), clock.clone())),
            clock,
            place: String::new(),
            mail_lease_seconds: 0,
        };
        let outcomes = dropscope_validate::handle(&event, &deps).await.unwrap();
        let dropscope_validate::Outcome::Run(job) = &outcomes[0] else { panic!("{outcomes:?}") };
        let results = job.results().unwrap();
        (self.created(&results.child("manifest.json")).await, results)
    }

    pub(crate) async fn there(&self, folder: &ObjectKey) -> Vec<(ObjectKey, String)> {
        let listed = self.store.list(folder.as_str(), None).await.unwrap();
        listed.into_iter().map(|meta| (meta.key, meta.etag)).collect()
    }
}

pub(crate) fn recording() -> Vec<u8> {
    let scene = Scene { height: 48, width: 48, frames: 60, cells: 4, groups: 2, ..Scene::default() };
    let mut bytes = Cursor::new(Vec::new());
    scene.generate().unwrap().write_tiff(&mut bytes).unwrap();
    bytes.into_inner()
}
