//! Many recordings at once: what `dropscope watch` keeps to when a lab drops a whole week into it.
//!
//! One crowd of 200 and one of 20 are worked on; each law looks at what was seen of them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "crowd/processes.rs"]
mod processes;
#[path = "crowd/run.rs"]
mod run;

use run::{BIG, Crowd, SMALL, WORKERS};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};

/// 200 recordings of three owners, and 20 of the same three.
static MANY: LazyLock<Crowd> = LazyLock::new(|| alone(|| Crowd::work([150, 25, 25])));
static FEW: LazyLock<Crowd> = LazyLock::new(|| alone(|| Crowd::work([10, 5, 5])));

/// Most memory that `watch` itself may ever have held, KiB. Twice what a crowd of 20 takes in the dev profile: a
/// thread's worth of allocator for each of some twenty threads, one preview and eight uploads in the making.
const MOST_MEMORY_KIB: u64 = 160 * 1024;
/// More memory for 180 more recordings: a run is 5 KiB of JSON, some 20 KiB when parsed, and is held twice in a turn.
const MOST_GROWTH_KIB: u64 = 48 * 1024;
/// More memory for each recording that is done: its state grows by what it found, nothing else of it stays.
const MOST_GROWTH_A_RUN_KIB: u64 = 64;

/// One crowd at a time: they would share the processors.
fn alone<T>(work: impl FnOnce() -> T) -> T {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    work()
}

#[test]
fn every_recording_is_worked_on_once() {
    let crowd = &*MANY;
    let worked: BTreeSet<&str> = crowd.runs.iter().map(|run| run.key.as_str()).collect();
    assert_eq!(worked, crowd.keys.iter().map(String::as_str).collect());
    assert_eq!(crowd.runs.len(), 200, "one run a recording");
    for run in &crowd.runs {
        assert_eq!((run.state.as_str(), run.closed, run.interruptions), ("done", true, 0), "{}", run.key);
        assert_eq!(crowd.instances.get(&run.id), Some(&1), "{}: one worker", run.key);
        assert_eq!(crowd.mails.iter().filter(|mail| mail.contains(&run.id)).count(), 1, "{}: one mail", run.key);
        assert_eq!(run.missing, Vec::<String>::new(), "{}: its results", run.key);
    }
    assert_eq!(crowd.mails.len(), 200, "and no other mail");
    assert_eq!(crowd.instances.values().sum::<usize>(), 200, "and no other worker");
}

#[test]
fn never_are_more_workers_at_work_than_allowed() {
    let crowd = &*MANY;
    let seen = &crowd.seen.sampled;
    println!("looked {} times", seen.looks);
    assert!(seen.looks > 1000, "looked only {} times", seen.looks);
    assert_eq!(seen.most_workers, WORKERS, "both places were used, and no third one");
    let times: Vec<(i64, i64)> = crowd.runs.iter().map(|run| (run.started_at, run.ended_at)).collect();
    assert!(times.iter().all(|(start, end)| start <= end));
    assert_eq!(most_at_once(&times), WORKERS, "by the attempts' own times");
}

/// The most intervals that share a moment; one that ends when another begins shares none with it.
fn most_at_once(intervals: &[(i64, i64)]) -> usize {
    let at = |moment: i64| intervals.iter().filter(|(start, end)| (*start..*end).contains(&moment)).count();
    intervals.iter().map(|(start, _)| at(*start)).max().unwrap_or(0)
}

#[test]
fn memory_of_watch_does_not_grow_with_the_crowd() {
    let (few, half, many) = (FEW.seen.high_water_kib, MANY.seen.half_kib, MANY.seen.high_water_kib);
    println!("memory of watch: {few} KiB with 20 recordings; {half} KiB with 100 of 200 done, {many} KiB with all");
    assert!(few > 0 && many < MOST_MEMORY_KIB, "{many} KiB with 200 recordings");
    assert!(many < few + MOST_GROWTH_KIB, "{many} KiB with 200 recordings, {few} KiB with 20");
    assert!(many < half + 100 * MOST_GROWTH_A_RUN_KIB, "{many} KiB in the end, {half} KiB half way");
}

#[test]
fn an_owner_of_few_recordings_does_not_wait_for_an_owner_of_many() {
    let crowd = &*MANY;
    let starts = |owner: &str, from: i64, to: i64| {
        crowd.runs.iter().filter(|run| run.owner == owner && (from..=to).contains(&run.started_at)).count()
    };
    for owner in SMALL {
        let of: Vec<_> = crowd.runs.iter().filter(|run| run.owner == owner).collect();
        let all_here = of.iter().map(|run| run.received_at).max().unwrap();
        let last_start = of.iter().map(|run| run.started_at).max().unwrap();
        let (ours, theirs) = (starts(owner, all_here, last_start), starts(BIG, all_here, last_start));
        println!("{owner}: {ours} starts since all were received, {theirs} of {BIG} in that time");
        // One for one; each place may have been taken already, and a start is some moments older than its worker.
        assert!(theirs <= ours + 2 * WORKERS, "{owner} had {ours} starts, {BIG} {theirs} in the same time");
        let last_end = of.iter().map(|run| run.ended_at).max().unwrap();
        let waiting = crowd.runs.iter().filter(|run| run.owner == BIG && run.started_at > last_end).count();
        println!("{owner} was done when {waiting} of {BIG} had not begun");
        assert!(waiting >= 75, "{owner} was done when {waiting} of {BIG} had not begun");
    }
}

#[test]
fn each_owners_recordings_go_in_the_order_in_which_they_came() {
    let mut lanes: BTreeMap<&str, Vec<(i64, i64)>> = BTreeMap::new();
    for run in &MANY.runs {
        lanes.entry(&run.owner).or_default().push((run.received_at, run.started_at));
    }
    for (owner, mut lane) in lanes {
        lane.sort_by_key(|(_, started)| *started);
        let latest = |runs: &[(i64, i64)]| runs.iter().map(|(received, _)| *received).max().unwrap();
        // Runs that came in the same looks at the uploads may start before the first of them has waited its turn.
        let late = (1..lane.len()).filter(|n| lane[*n].0 + 5_000 < latest(&lane[..*n])).count();
        assert_eq!(late, 0, "{owner}: {late} were overtaken by recordings that came five seconds later");
    }
}

#[test]
fn ctrl_c_leaves_no_process_behind() {
    for crowd in [&*FEW, &*MANY] {
        assert_eq!(crowd.seen.children_at_rest, 0, "no worker and no zombie when all is done");
        assert_eq!(crowd.exit_code, Some(0));
        assert_eq!(crowd.left, Vec::<String>::new(), "processes of the folder after Ctrl-C");
    }
}

#[test]
fn ctrl_c_amid_the_crowd_lets_the_workers_end_and_starts_no_other() {
    let crowd = alone(Crowd::break_off);
    assert_eq!(crowd.exit_code, Some(0));
    assert!(crowd.left_at_once <= WORKERS, "{} processes right after Ctrl-C", crowd.left_at_once);
    assert_eq!(crowd.left, Vec::<String>::new(), "each ended by itself");
    assert_eq!(crowd.started, crowd.started_at_the_end, "nothing was started after Ctrl-C");
}
