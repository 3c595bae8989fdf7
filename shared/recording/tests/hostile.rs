//! Arbitrary bytes never panic, never take long.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{Tiff, open_bytes};
use dropscope_recording::{FrameBuffer, Info, RecordingError};
use proptest::prelude::*;

/// Opens and reads up to 100 pages.
fn read_through(file: Vec<u8>) -> Result<Info, RecordingError> {
    let recording = open_bytes(file)?;
    let mut buffer = FrameBuffer::new();
    for page in 0..recording.info().pages.min(100) {
        recording.read_page(page, &mut buffer)?;
    }
    Ok(recording.info().clone())
}

fn seeds() -> Vec<Vec<u8>> {
    let mut big = Tiff::counting(3, 5, 6);
    (big.big, big.big_endian) = (true, true);
    let mut stack = Tiff::counting(4, 5, 6).described("ImageJ=1.54f\nimages=4\nslices=4\n");
    stack.one_directory = true;
    let mut seeds = vec![Tiff::counting(3, 5, 6).bytes(), big.bytes(), stack.bytes()];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let mut paths = files_below(Path::new(folder));
    paths.retain(|p| p.extension().is_some_and(|e| e == "tif"));
    seeds.extend(paths.iter().map(|p| std::fs::read(p).unwrap()));
    seeds
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn changed_bytes_never_panic(
        seed in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let seeds = seeds();
        let mut file = seed.get(&seeds).clone();
        for (at, value) in changes {
            let at = at.index(file.len());
            file[at] = value;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        let start = Instant::now();
        let _ = read_through(file);
        prop_assert!(start.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn changed_headers_never_panic(
        big: bool, big_endian: bool, frames in 1usize..5,
        lies in prop::collection::vec(
            (prop::sample::select(vec![256u16, 257, 258, 259, 262, 266, 270, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338, 339]),
             prop_oneof![0u64..40, Just(32773u64), Just(u64::from(u32::MAX)), any::<u64>()]), 0..5),
    ) {
        let mut tiff = Tiff::counting(frames, 6, 7);
        (tiff.big, tiff.big_endian, tiff.lies) = (big, big_endian, lies);
        let start = Instant::now();
        let _ = read_through(tiff.bytes());
        prop_assert!(start.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn random_bytes_never_panic(
        mark in prop::sample::select(vec![&b"II*\0"[..], b"MM\0*", b"II+\0\x08\0\0\0", b""]),
        rest in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let _ = read_through([mark, &rest].concat());
    }
}

#[test]
fn every_odd_file_is_read_or_refused_with_a_cause_in_bounded_time() {
    let odd = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/odd");
    assert!(odd.is_dir(), "missing: the odd files for tests, expected in {}", odd.display());
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for path in files_below(&odd) {
        let file = std::fs::read(&path).unwrap();
        let start = Instant::now();
        let verdict = match read_through(file) {
            Ok(info) => {
                println!("accepted {} {:?}", path.display(), info);
                "accepted".to_owned()
            }
            Err(error) => {
                println!("{} {error}", path.display());
                assert!(!error.cause().is_empty() && !error.remedy().is_empty());
                let kind = format!("{error:?}");
                kind.split(['(', ' ']).next().unwrap_or_default().to_owned()
            }
        };
        let taken = start.elapsed();
        assert!(taken < Duration::from_secs(2), "{} took {taken:?}", path.display());
        *verdicts.entry(verdict).or_default() += 1;
    }
    println!("{verdicts:?}");
    assert_eq!(verdicts.get("Io"), None, "a file that was read whole cannot fail to be read");
    assert!(verdicts["accepted"] >= 11, "{verdicts:?}");
}
