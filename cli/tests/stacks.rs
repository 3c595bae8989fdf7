//! Stacks that tifffile writes in every combination are read back equal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_recording::{Limits, Overrides, open};
use dropscope_testkit::python_with;
use serde::Deserialize;
use std::process::Command;

/// What tifffile was given.
#[derive(Deserialize)]
struct Stack {
    file: String,
    how: String,
    planes: usize,
    channels: usize,
    frames: usize,
    height: usize,
    width: usize,
    dtype: String,
    /// Of the frames of each plane and channel, planes slowest.
    crc: Vec<u32>,
}

fn check(stack: &Stack) {
    let how = &stack.how;
    let file = std::fs::File::open(&stack.file).unwrap();
    let recording = open(Box::new(file), &Limits::default(), &Overrides::default()).unwrap_or_else(|e| panic!("{how}: {e}"));
    let info = recording.info();
    let found = (info.frames, info.planes, info.channels, info.height, info.width, info.dtype.name());
    let wanted = (stack.frames, stack.planes, stack.channels, stack.height, stack.width, stack.dtype.as_str());
    assert_eq!(found, wanted, "{how}: {:?}", info.notes);
    let places = (0..stack.planes).flat_map(|plane| (0..stack.channels).map(move |channel| (plane, channel)));
    for ((plane, channel), crc) in places.zip(&stack.crc) {
        let mut found = crc32fast::Hasher::new();
        for frame in recording.frames(plane, channel) {
            found.update(&frame.unwrap_or_else(|e| panic!("{how}: {e}")).pixels().to_le_bytes());
        }
        assert_eq!(found.finalize(), *crc, "{how}: plane {plane}, channel {channel}");
    }
}

/// `DROPSCOPE_TEST_STACKS` of the 18,144 combinations that tifffile can write, in an order that `DROPSCOPE_TEST_SEED` chooses.
#[test]
fn what_tifffile_writes_in_any_combination_is_read_back_equal() {
    let python = python_with(&["imagecodecs==2026.*"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let set = |name, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let (count, seed) = (set("DROPSCOPE_TEST_STACKS", "3000"), set("DROPSCOPE_TEST_SEED", "1"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stacks.py");
    let out = Command::new(python).arg(script).arg(folder.path()).args([&count, &seed]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let lines = String::from_utf8(out.stdout).unwrap();
    let stacks: Vec<Stack> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(stacks.len() > 50, "only {} stacks were written", stacks.len());
    stacks.iter().for_each(check);
}
