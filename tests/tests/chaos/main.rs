//! Whatever happens to the cloud: every upload ends in one committed result or in a mail that says why not, and the money
//! stays under the cap. The real functions and the real worker, and an adversary that decides over every call.
//!
//! `DROPSCOPE_CHAOS=SEEDS` plays so many seeds instead of 200, `DROPSCOPE_CHAOS=SEED..` that seed alone and tells all that
//! happens in it: `DROPSCOPE_CHAOS=17.. cargo test -p dropscope-tests --test chaos`. A seed plays the same every time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod actors;
mod adversary;
mod cloud;
mod gate;
mod laws;
mod one_cap;
mod store;
mod straight;
mod weather;

use adversary::Adversary;
use dropscope_pipeline::job::ResultFile;
use dropscope_segment::Keeping;
use dropscope_tests::{alike, recordings};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Seeds that are always played.
const SEEDS: u64 = 200;
/// Seeds at a time: most of a seed's time is pauses between tries.
const AT_A_TIME: usize = 8;
/// Share of calls that go wrong, by seed: from a calm day to a bad one.
const WILD: [f64; 4] = [0.02, 0.06, 0.12, 0.2];

type Files = BTreeMap<String, Vec<ResultFile>>;

fn uploads() -> Vec<Vec<u8>> {
    (1..=3).map(|seed| recordings::small(seed).unwrap()).collect()
}

/// Half of the seeds keep a checkpoint whenever they can, the others hardly ever: these recordings are short.
fn keeping(seed: u64) -> Keeping {
    Keeping { every_seconds: if seed % 2 == 1 { 0 } else { 600 }, ..Keeping::default() }
}

/// A seed that kept the laws.
struct Played {
    files: Files,
    told: String,
    /// Reads of recordings and results that were refused.
    refused: usize,
}

/// Plays a seed; the law that it broke after what happened.
fn play(seed: u64, wild: f64, uploads: &[Vec<u8>]) -> Result<Played, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut adversary = Adversary::new(seed, wild, uploads, keeping(seed)).await;
        match adversary.play().await {
            Ok(()) => {
                let refused = adversary.world.weather.refused();
                Ok(Played { files: adversary.files(), told: adversary.told, refused })
            }
            Err(law) => Err(format!("{}\nseed {seed}: {law}", adversary.told)),
        }
    })
}

/// Two recordings or three: as many as may run at a time, or one more.
fn some(seed: u64, uploads: &[Vec<u8>]) -> &[Vec<u8>] {
    &uploads[..2 + (seed % 2) as usize]
}

fn wild(seed: u64) -> f64 {
    WILD[(seed % WILD.len() as u64) as usize]
}

/// Whether the results of a seed are those of the calm run, as far as its recordings are done.
fn same(seed: u64, files: &Files, calm: &Files) {
    for (key, found) in files {
        assert_eq!(alike(found), alike(&calm[key]), "seed {seed}: {key} has other results than in the calm run");
    }
}

#[test]
fn the_store_of_these_tests_keeps_the_laws_of_a_bucket() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(dropscope_testkit::conformance::objects(Arc::new(store::Memory::new("b", Arc::default())), "a/")).unwrap();
}

#[test]
fn whatever_happens_every_upload_ends_once_and_the_money_stays_under_the_cap() {
    let uploads = uploads();
    let calm = play(0, 0.0, &uploads).unwrap_or_else(|told| panic!("{told}")).files;
    assert_eq!(calm.len(), uploads.len(), "a calm day finishes every recording");
    let asked = std::env::var("DROPSCOPE_CHAOS").unwrap_or_default();
    if let Some(seed) = asked.strip_suffix("..") {
        let seed = seed.parse().unwrap();
        let played = play(seed, wild(seed), some(seed, &uploads)).unwrap_or_else(|told| panic!("{told}"));
        println!("{}", played.told);
        return same(seed, &played.files, &calm);
    }
    let (seeds, next) = (asked.parse().unwrap_or(SEEDS), AtomicU64::new(1));
    let (done, refused, broken) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > seeds {
                        break;
                    }
                    match play(seed, wild(seed), some(seed, &uploads)) {
                        Ok(played) => {
                            same(seed, &played.files, &calm);
                            done.fetch_add(played.files.len(), Ordering::Relaxed);
                            refused.fetch_add(played.refused, Ordering::Relaxed);
                        }
                        Err(told) => broken.lock().unwrap().push((seed, told)),
                    }
                }
            });
        }
    });
    let mut broken = broken.into_inner().unwrap();
    broken.sort();
    let laws: Vec<&str> = broken.iter().filter_map(|(_, told)| told.lines().last()).collect();
    let refused = refused.into_inner();
    println!("{} recordings done in {seeds} seeds, {refused} reads of recordings and results refused", done.into_inner());
    assert!(seeds < SEEDS || refused > 0, "the reads of recordings and results were never refused");
    assert!(broken.is_empty(), "{}\n{}", broken[0].1, laws.join("\n"));
}

#[test]
fn a_seed_plays_the_same_every_time() {
    let uploads = uploads();
    for seed in [3, 14] {
        let told = |_| play(seed, wild(seed), some(seed, &uploads)).map_or_else(|told| told, |played| played.told);
        let [first, second] = [0, 1].map(told);
        assert_eq!(first, second, "seed {seed}");
    }
}
