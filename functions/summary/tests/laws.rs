//! From an uploaded recording to the summary beside its manifest, on a bucket in a folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../gif/tests/support/mod.rs"]
mod support;

use dropscope_ports::{Objects, Select};
use dropscope_projection::SUMMARY_FILES;
use dropscope_summary::{Deps, Outcome, handle};
use serde_json::Value;
use std::time::Duration;
use support::{World, recording};

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_gets_its_summary_once() {
    let world = World::new();
    let (event, results) = world.accepted(recording()).await;
    assert!(matches!(handle(&event, &world.deps(), Duration::MAX).await.unwrap()[..], [Outcome::Made(_)]));
    let made = world.there(&results).await;
    for name in SUMMARY_FILES {
        assert!(made.iter().any(|(key, _)| *key == results.child(name)), "{name}");
    }
    assert!(matches!(handle(&event, &world.deps(), Duration::MAX).await.unwrap()[..], [Outcome::Already(_)]));
    assert_eq!(world.there(&results).await, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_beyond_the_budget_is_sampled_evenly_and_says_so() {
    let world = World::new();
    let recording = recording();
    let max_bytes = recording.len().div_ceil(4) as u64;
    let (event, results) = world.accepted(recording).await;
    handle(&event, &Deps { max_bytes, ..world.deps() }, Duration::MAX).await.unwrap();
    let object = world.store.get(&results.child("summary.json"), &Select::default()).await.unwrap();
    let summary: Value = serde_json::from_slice(&object.bytes).unwrap();
    assert_eq!(summary["sampled"], serde_json::json!({ "every": 4, "frames_read": 15 }));
    assert_eq!((&summary["name"], &summary["frames"]), (&"x".into(), &60.into()));
}
