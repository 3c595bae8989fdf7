//! An object is read in few requests, several at a time, in bounded memory, whatever the order of reading.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fake;

use dropscope_ports::reader::is_replaced;
use dropscope_ports::{Depth, ObjectReader, ObjectsError};
use dropscope_recording::ReadAt;
use fake::{Fake, Fault, Manner, content};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const MB: u64 = 1 << 20;
/// A recording of 4,000 frames of 512 × 512 pixels of 16 bits.
const LARGE: u64 = 2_100_000_000;
/// Between the directories of its frames, where each follows its frame.
const FRAME: u64 = 512 * 512 * 2 + 300;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn latency(milliseconds: u64) -> Manner {
    Manner { latency: Duration::from_millis(milliseconds), ..Manner::default() }
}

fn reader(fake: &Arc<Fake>, runtime: &Runtime, depth: Depth) -> ObjectReader {
    ObjectReader::new(fake.clone(), runtime.handle().clone(), fake.meta(), depth)
}

/// Reads, and holds what comes against what is there.
fn read(reader: &ObjectReader, range: Range<u64>) {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    reader.read_exact_at(range.start, &mut bytes).unwrap();
    assert!(bytes == content(range.clone()), "{range:?} is not what is there");
}

fn read_all(reader: &ObjectReader, size: u64, step: u64) {
    for start in (0..size).step_by(step as usize) {
        read(reader, start..(start + step).min(size));
    }
}

#[test]
fn reads_that_jump_cost_a_small_request_each() {
    let (runtime, fake) = (runtime(), Fake::new(LARGE, Manner::default()));
    let reader = reader(&fake, &runtime, Depth::default());
    for n in 0..40u64 {
        let start = (n * 7 % 40) * 50 * MB;
        read(&reader, start..start + 64 * 1024);
    }
    assert_eq!(fake.asked().len(), 40);
    assert_eq!(fake.bytes(), 40 * 64 * 1024);
}

#[test]
fn a_small_read_far_off_brings_a_small_request() {
    let (runtime, fake) = (runtime(), Fake::new(LARGE, Manner::default()));
    let reader = reader(&fake, &runtime, Depth::default());
    read(&reader, LARGE / 2..LARGE / 2 + 10);
    assert_eq!(fake.bytes(), 64 * 1024);
    read(&reader, LARGE / 2 + 100..LARGE / 2 + 4096);
    assert_eq!(fake.asked().len(), 1, "its neighbours come with it");
}

#[test]
fn a_walk_from_directory_to_directory_is_read_in_large_pieces() {
    for spread in [0, 300_000] {
        let (runtime, fake) = (runtime(), Fake::new(LARGE, Manner::default()));
        let reader = reader(&fake, &runtime, Depth::default());
        for page in 0..4000u64 {
            // Compressed frames are of many sizes.
            let at = page * FRAME + page * page % 977 * spread / 977;
            let block = at / 65536 * 65536;
            read(&reader, block..(block + 65536).min(LARGE));
        }
        let requests = fake.asked().len();
        assert!(requests < 150, "{requests} requests");
        assert!(fake.bytes() <= LARGE, "nothing is fetched twice");
        assert!(reader.usage().most_in_flight >= 2, "{:?}", reader.usage());
    }
}

#[test]
fn sequential_reading_is_parallel() {
    let size = 256 * MB;
    let (runtime, fake) = (runtime(), Fake::new(size, latency(30)));
    let reader = reader(&fake, &runtime, Depth::default());
    read_all(&reader, size, MB);
    let most = fake.most_under_way.load(Ordering::SeqCst);
    assert!((4..=16).contains(&most), "{most} at a time");
    let requests = fake.asked().len();
    assert!(requests < 256 / 8 + 12, "{requests} requests");
    assert_eq!(fake.bytes(), size, "every byte is fetched once");
}

#[test]
fn a_long_read_is_parallel() {
    let size = 100 * MB + 17;
    let (runtime, fake) = (runtime(), Fake::new(size, latency(30)));
    let reader = reader(&fake, &runtime, Depth::default());
    read(&reader, 0..size);
    assert!(fake.most_under_way.load(Ordering::SeqCst) >= 4);
    assert_eq!(fake.bytes(), size);
    assert!(reader.usage().most_held <= Depth::default().memory);
}

/// Reads batches of frames as a survey does: announced, then read by two threads, directories too.
fn read_batches(reader: &ObjectReader, frames: &[u64], batch: usize) {
    for batch in frames.chunks(batch) {
        let places: Vec<Range<u64>> = batch.iter().map(|frame| frame * FRAME..frame * FRAME + 524_288).collect();
        reader.will_read(&places);
        let (first, second) = places.split_at(places.len() / 2);
        std::thread::scope(|scope| {
            for half in [first, second] {
                scope.spawn(move || {
                    for place in half {
                        let directory = place.end / 4096 * 4096;
                        read(reader, directory..directory + 4096);
                        read(reader, place.clone());
                    }
                });
            }
        });
    }
}

#[test]
fn announced_batches_are_read_ahead_of_and_fetched_once() {
    let size = 500 * FRAME + 10_000;
    let (runtime, fake) = (runtime(), Fake::new(size, latency(30)));
    let reader = reader(&fake, &runtime, Depth::default());
    read_batches(&reader, &(0..500).collect::<Vec<_>>(), 32);
    // The room for directories beside a batch may come twice, no frame does.
    assert!(fake.bytes() <= size + size / 1000, "{} of {size} bytes", fake.bytes());
    assert!(fake.asked().len() < 60, "{} requests", fake.asked().len());
    assert!(fake.most_under_way.load(Ordering::SeqCst) >= 4);
    assert!(reader.usage().most_held <= Depth::default().memory);
}

#[test]
fn announced_samples_are_fetched_just_so_and_many_at_a_time() {
    let size = 4000 * FRAME + 10_000;
    let frames: Vec<u64> = (0..4000).step_by(20).collect();
    let (runtime, fake) = (runtime(), Fake::new(size, latency(30)));
    let reader = reader(&fake, &runtime, Depth::default());
    read_batches(&reader, &frames, 32);
    assert_eq!(fake.asked().len(), frames.len());
    let needed = frames.len() as u64 * 524_288;
    assert!(fake.bytes() < needed * 105 / 100, "{} for {needed} bytes", fake.bytes());
    let most = fake.most_under_way.load(Ordering::SeqCst);
    assert!((8..=18).contains(&most), "{most} at a time");
}

#[test]
fn a_jump_after_much_reading_ahead_finds_room() {
    let (runtime, fake) = (runtime(), Fake::new(LARGE, latency(5)));
    let reader = reader(&fake, &runtime, Depth::default());
    for part in 0..6 {
        let start = part * 300 * MB;
        for n in 0..40 {
            read(&reader, start + n * MB..start + (n + 1) * MB);
        }
    }
    assert!(fake.bytes() < 6 * (40 + 64) * MB);
    assert!(fake.most_bytes_under_way.load(Ordering::SeqCst) as u64 <= Depth::default().memory);
}

#[test]
fn the_same_bytes_are_never_under_way_twice() {
    let (runtime, fake) = (runtime(), Fake::new(100 * MB, latency(50)));
    let reader = reader(&fake, &runtime, Depth::default());
    std::thread::scope(|scope| {
        for n in 0..8u64 {
            let reader = &reader;
            scope.spawn(move || read(reader, 50 * MB + n * 1000..50 * MB + n * 1000 + 5000));
        }
    });
    // Whoever comes first may not be the one that begins first in the object.
    let mut asked = fake.asked();
    asked.sort_by_key(|range| range.start);
    assert!(asked.len() < 8 && asked.windows(2).all(|pair| pair[0].end <= pair[1].start), "{asked:?}");
}

#[test]
fn what_many_wait_for_is_asked_for_once() {
    let (runtime, fake) = (runtime(), Fake::new(100 * MB, latency(50)));
    let reader = reader(&fake, &runtime, Depth::default());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| read(&reader, 50 * MB..50 * MB + 5000));
        }
    });
    assert_eq!(fake.asked().len(), 1);
}

#[test]
fn memory_is_bounded_whatever_is_read() {
    let depth = Depth { memory: 4 * MB, request: MB, ..Depth::default() };
    let size = 200 * MB;
    let (runtime, fake) = (runtime(), Fake::new(size, latency(1)));
    let reader = reader(&fake, &runtime, depth);
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let reader = &reader;
            scope.spawn(move || {
                for n in 0..60u64 {
                    let start = (thread * 50 + n * n % 47) * MB;
                    reader.will_read(&[start..start + MB, start + 3 * MB..start + 4 * MB]);
                    read(reader, start..start + 2 * MB + n);
                    read(reader, n * 3 * MB..n * 3 * MB + 100);
                }
            });
        }
    });
    assert!(reader.usage().most_held <= depth.memory, "{:?}", reader.usage());
    assert!(fake.most_bytes_under_way.load(Ordering::SeqCst) as u64 <= depth.memory);
}

#[test]
fn what_fails_in_passing_is_asked_for_again() {
    for fault in [Fault::Busy, Fault::Short, Fault::Long, Fault::Stall] {
        let manner = Manner { faults: vec![fault], percent: 20, seed: 3, ..Manner::default() };
        let (runtime, fake) = (runtime(), Fake::new(6 * MB, manner));
        let depth = Depth { patience: Duration::from_millis(50), request: MB / 4, memory: MB, ..Depth::default() };
        let reader = reader(&fake, &runtime, depth);
        read_all(&reader, 6 * MB, MB / 8);
        assert!(fake.bytes() > 6 * MB, "{fault:?}: nothing failed");
    }
}

#[test]
fn a_store_that_stays_away_is_an_error_that_says_so() {
    let manner = Manner { faults: vec![Fault::Busy], percent: 100, ..Manner::default() };
    let (runtime, fake) = (runtime(), Fake::new(MB, manner));
    let reader = reader(&fake, &runtime, Depth::default());
    let error = reader.read_exact_at(0, &mut [0; 100]).unwrap_err();
    let store = error.get_ref().and_then(|inner| inner.downcast_ref::<ObjectsError>());
    assert!(matches!(store, Some(ObjectsError::Busy { .. })), "{error:?}");
    assert_eq!(fake.asked().len(), 5);
    assert!(!is_replaced(&error));
}

#[test]
fn a_body_of_another_length_is_never_used() {
    for fault in [Fault::Short, Fault::Long] {
        let manner = Manner { faults: vec![fault], percent: 100, ..Manner::default() };
        let (runtime, fake) = (runtime(), Fake::new(MB, manner));
        let reader = reader(&fake, &runtime, Depth::default());
        let error = reader.read_exact_at(0, &mut [0; 100]).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("were asked for"), "{cause}");
    }
}

#[test]
fn an_object_replaced_half_way_is_told_from_a_dead_store() {
    let manner = Manner { replaced_from: Some(3), ..Manner::default() };
    let (runtime, fake) = (runtime(), Fake::new(200 * MB, manner));
    let reader = reader(&fake, &runtime, Depth::default());
    let mut bytes = vec![0; 1 << 20];
    let mut reads = (0..200).map(|n| reader.read_exact_at(n * MB, &mut bytes));
    let error = reads.find_map(Result::err).unwrap();
    assert!(is_replaced(&error), "{error:?}");
}

#[test]
fn beyond_the_end_there_is_nothing() {
    let (runtime, fake) = (runtime(), Fake::new(1000, Manner::default()));
    let reader = reader(&fake, &runtime, Depth::default());
    read(&reader, 990..1000);
    for (offset, count) in [(990, 11), (1000, 1), (5000, 1), (u64::MAX, 2)] {
        let error = reader.read_exact_at(offset, &mut vec![0; count]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    }
    reader.read_exact_at(1000, &mut []).unwrap();
    reader.will_read(&[500..5000, 7000..8000]);
    read(&reader, 0..1000);
}

#[test]
fn dropping_the_reader_calls_off_what_is_under_way() {
    let manner = Manner { latency: Duration::from_secs(3600), ..Manner::default() };
    let (runtime, fake) = (runtime(), Fake::new(LARGE, manner));
    let reader = reader(&fake, &runtime, Depth::default());
    for range in [0..10 * MB, 10 * MB..100 * MB] {
        reader.will_read(&[range]);
    }
    let started = Instant::now();
    while fake.under_way() < 4 && started.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(fake.under_way() >= 4);
    drop(reader);
    while fake.under_way() > 0 && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let asked = fake.asked().len();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!((fake.under_way(), fake.asked().len()), (0, asked), "and nothing is asked for any more");
    assert_eq!(Arc::strong_count(&fake), 1, "nothing of the reader is left");
}

#[test]
fn a_runtime_that_is_gone_is_an_error_and_no_wait() {
    let (runtime, fake) = (runtime(), Fake::new(MB, Manner::default()));
    let reader = reader(&fake, &runtime, Depth::default());
    runtime.shutdown_background();
    let started = Instant::now();
    let error = reader.read_exact_at(0, &mut [0; 100]).unwrap_err();
    assert!(started.elapsed() < Depth::default().patience, "nobody waits for what cannot come");
    assert!(error.get_ref().unwrap().is::<ObjectsError>(), "{error:?}");
}

mod whatever_fails {
    use super::*;
    use proptest::prelude::*;

    fn reads() -> impl Strategy<Value = Vec<(u64, u64, bool)>> {
        prop::collection::vec((0u64..8 * MB, prop_oneof![1u64..5000, 1u64..2 * MB], any::<bool>()), 1..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 20, ..ProptestConfig::default() })]
        #[test]
        fn a_read_gives_what_is_there_or_an_error(
            reads in reads(), seed in any::<u64>(), percent in 0u32..20, replaced_from in prop::option::weighted(0.2, 0usize..20),
        ) {
            let size = 8 * MB;
            let faults = vec![Fault::Busy, Fault::Short, Fault::Long, Fault::Stall];
            let (runtime, fake) = (runtime(), Fake::new(size, Manner { faults, percent, seed, replaced_from, ..latency(1) }));
            let depth = Depth { patience: Duration::from_millis(60), request: MB / 2, memory: 2 * MB, ..Depth::default() };
            let reader = reader(&fake, &runtime, depth);
            std::thread::scope(|scope| {
                for reads in reads.chunks(reads.len().div_ceil(2)) {
                    let reader = &reader;
                    scope.spawn(move || for (start, count, announced) in reads {
                        let range = *start..(start + count).min(size);
                        if *announced {
                            reader.will_read(&[range.clone(), range.end..size]);
                        }
                        let mut bytes = vec![0; (range.end - range.start) as usize];
                        if reader.read_exact_at(range.start, &mut bytes).is_ok() {
                            assert!(bytes == content(range));
                        }
                    });
                }
            });
            prop_assert!(reader.usage().most_held <= depth.memory);
        }
    }
}
