//! A recording on S3 is read in few requests, and what comes is what is there, whatever the network does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod endpoint;
mod layouts;
mod proxy;

use dropscope_pipeline::Settings;
use dropscope_ports::Depth;
use dropscope_projection::{About, Windows, survey};
use dropscope_recording::{Limits, Overrides, ReadAt, Recording};
use endpoint::{KEY, bucket, reader, recording, served};
use layouts::{FRAME, Layout};
use proxy::Proxy;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A bucket's folder with room for the recording.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join(KEY);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    (folder, path)
}

#[test]
fn two_gigabytes_are_validated_in_less_than_fifty_requests() {
    use Layout::{AtTheEnd, Between, OneDirectory};
    let all = [(OneDirectory, false), (Between, false), (Between, true), (AtTheEnd, false), (AtTheEnd, true)];
    for (layout, big) in all {
        let (folder, path) = folder();
        layouts::write(&path, layout, big, 4000, |_| None);
        let runtime = runtime();
        let (bucket, proxy) = runtime.block_on(async {
            let proxy = Proxy::to(served(folder.path()).await, None).await;
            (bucket(proxy.address).await, proxy)
        });
        let meta = runtime.block_on(recording(&bucket));
        assert!(meta.size > 2_000_000_000, "{layout:?}");
        let before = proxy.requests();
        let reader = reader(&runtime, &bucket, &meta, Depth::default());
        let accepted =
            dropscope_validate::check(dropscope_jobs::Input::One(Box::new(reader)), Vec::new(), &Settings::default()).unwrap();
        let requests = proxy.requests() - before;
        assert_eq!(accepted.recording.info().frames, 4000, "{layout:?}");
        assert!((1..50).contains(&requests), "{layout:?} big {big}: {requests} requests");
        eprintln!("{layout:?} big {big}: {requests} requests");
    }
}

fn opened(source: Box<dyn ReadAt>) -> Result<Recording, dropscope_recording::RecordingError> {
    dropscope_recording::open(source, &Limits::default(), &Overrides::default())
}

type Files = Vec<(&'static str, Vec<u8>)>;

fn previewed(source: Box<dyn ReadAt>) -> Result<Files, dropscope_projection::ProjectionError> {
    let recording = opened(source)?;
    let windows = Windows { count: 4, ..Windows::default() };
    let about = About { name: "x".into(), frame_rate_hz: 30.0, frame_rate_assumed: true };
    survey(&recording, &windows, &|_, _| {})?.preview_files(&about)
}

/// Previews over a network that fails; how many faults there were, and how many previews came through.
fn over_bad_networks(folder: &Path, from_disk: &Files, seeds: std::ops::Range<u64>) -> (usize, usize) {
    let runtime = runtime();
    let store = runtime.block_on(served(folder));
    let meta = runtime.block_on(async { recording(&bucket(store).await).await });
    let depth = Depth { patience: Duration::from_millis(300), request: 2 << 20, memory: 16 << 20, ..Depth::default() };
    let (mut faults, mut through) = (0, 0);
    for seed in seeds {
        let (bucket, proxy) = runtime.block_on(async {
            let proxy = Proxy::to(store, Some(seed)).await;
            (bucket(proxy.address).await, proxy)
        });
        match previewed(Box::new(reader(&runtime, &bucket, &meta, depth))) {
            Ok(files) => {
                assert!(files == *from_disk, "seed {seed}: the preview is another than from disk");
                through += 1;
            }
            Err(error) => eprintln!("seed {seed}: {error:?}"),
        }
        faults += proxy.faults();
    }
    (faults, through)
}

#[test]
fn a_preview_over_a_bad_network_is_that_from_disk_or_an_error() {
    let (folder, path) = folder();
    layouts::write(&path, Layout::Between, false, 100, |n| Some(layouts::noise(n)));
    assert!(path.metadata().unwrap().len() > 100 * FRAME);
    let from_disk = previewed(Box::new(File::open(&path).unwrap())).unwrap();
    let (faults, through) = over_bad_networks(folder.path(), &from_disk, 0..12);
    assert!(faults > 50, "{faults} faults");
    assert!(through > 6, "{through} of 12 previews came through");
    eprintln!("{faults} faults, {through} of 12 previews came through");
}

#[test]
fn a_recording_replaced_half_way_is_never_mixed() {
    let (folder, path) = folder();
    layouts::write(&path, Layout::OneDirectory, false, 100, |n| Some(layouts::noise(n)));
    let runtime = runtime();
    let bucket = runtime.block_on(async { bucket(served(folder.path()).await).await });
    let meta = runtime.block_on(recording(&bucket));
    let depth = Depth { request: 1 << 20, memory: 4 << 20, ..Depth::default() };
    let recording = opened(Box::new(reader(&runtime, &bucket, &meta, depth))).unwrap();
    let other = folder.path().join("other.tif");
    layouts::write(&other, Layout::OneDirectory, false, 100, |n| Some(layouts::noise(n + 1000)));
    std::fs::rename(other, &path).unwrap();
    let error = survey(&recording, &Windows::default(), &|_, _| {}).unwrap_err();
    assert!(dropscope_ports::reader::is_replaced(&error), "{error:?}");
}
