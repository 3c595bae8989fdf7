//! From an uploaded recording to the pictures beside its manifest, on a bucket in a folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use dropscope_gif::{Outcome, StageError, handle};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{Condition, Objects, Select};
use dropscope_projection::PREVIEW_FILES;
use std::time::Duration;
use support::{World, recording};

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_gets_its_pictures_once() {
    let world = World::new();
    let (event, results) = world.accepted(recording()).await;
    assert!(matches!(handle(&event, &world.deps(), Duration::MAX).await.unwrap()[..], [Outcome::Made(_)]));
    let made = world.there(&results).await;
    for name in PREVIEW_FILES {
        assert!(made.iter().any(|(key, _)| *key == results.child(name)), "{name}");
    }
    assert!(matches!(handle(&event, &world.deps(), Duration::MAX).await.unwrap()[..], [Outcome::Already(_)]));
    assert_eq!(world.there(&results).await, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_call_left_out_is_made_with_the_same_bytes() {
    let world = World::new();
    let (event, results) = world.accepted(recording()).await;
    handle(&event, &world.deps(), Duration::MAX).await.unwrap();
    let read = |name: &'static str| {
        let (store, key) = (world.store.clone(), results.child(name));
        async move { store.get(&key, &Select::default()).await.unwrap().bytes }
    };
    let first = (read("max.gif").await, read("std.png").await);
    world.store.delete(&results.child("std.png")).await.unwrap();
    assert!(matches!(handle(&event, &world.deps(), Duration::MAX).await.unwrap()[..], [Outcome::Made(_)]));
    assert_eq!((read("max.gif").await, read("std.png").await), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_replaced_since_is_skipped() {
    let world = World::new();
    let (event, results) = world.accepted(recording()).await;
    world.put(vec![0; 100]).await;
    assert!(
        matches!(&handle(&event, &world.deps(), Duration::MAX).await.unwrap()[..], [Outcome::Skipped(_, cause)] if cause.contains("replaced"))
    );
    assert_eq!(world.there(&results).await.len(), 1);
}

#[tokio::test]
async fn other_objects_are_ignored_and_broken_manifests_refused() {
    let world = World::new();
    let event = world.put(vec![1]).await;
    assert!(matches!(handle(&event, &world.deps(), Duration::MAX).await.unwrap()[..], [Outcome::Ignored(_)]));
    let key = ObjectKey::raw("results/ana/x/0123456789abcdef/manifest.json");
    world.store.put(&key, b"{}".to_vec(), &Condition::Always).await.unwrap();
    let event = world.created(&key).await;
    assert!(matches!(handle(&event, &world.deps(), Duration::MAX).await, Err(StageError::Manifest { .. })));
    world.store.delete(&key).await.unwrap();
    assert!(matches!(handle(&event, &world.deps(), Duration::MAX).await.unwrap()[..], [Outcome::Ignored(_)]));
}
