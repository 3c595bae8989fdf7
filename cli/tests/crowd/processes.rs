//! What Linux tells of processes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// A process: its number, and when it was started, for numbers come again.
type Process = (u32, u64);

/// The numbers of all processes.
fn numbers() -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The children of a process, with ended ones that nobody has waited for.
pub(crate) fn children(parent: u32) -> BTreeSet<Process> {
    numbers().into_iter().filter_map(|number| child(number, parent)).collect()
}

/// proc(5): the name in parentheses may hold anything; behind it are the state, the parent and, 20th, the start.
fn child(number: u32, parent: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    (fields.get(1)?.parse() == Ok(parent)).then_some((number, fields.get(19)?.parse().ok()?))
}

/// Whether it holds memory: an ending process gives that back before its files and locks.
fn holds_memory(process: Process) -> bool {
    let pages = fs::read_to_string(format!("/proc/{}/statm", process.0)).unwrap_or_default();
    pages.split_whitespace().next().is_some_and(|pages| pages != "0")
}

/// The children at work at one moment. A look takes its time: who was there in it and still is after it was there
/// together with all others at its end.
fn working_together(parent: u32) -> usize {
    let seen: Vec<Process> = children(parent).into_iter().filter(|process| holds_memory(*process)).collect();
    seen.into_iter().filter(|process| child(process.0, parent) == Some(*process) && holds_memory(*process)).count()
}

/// Command lines of the processes that were told this folder.
pub(crate) fn of_folder(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let line = |number: u32| fs::read_to_string(format!("/proc/{number}/cmdline")).ok();
    numbers().into_iter().filter_map(line).filter(|line| line.contains(folder)).collect()
}

/// The most memory that a process ever held, KiB.
pub(crate) fn high_water_kib(number: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{number}/status")).unwrap();
    let fields: BTreeMap<&str, &str> = status.lines().filter_map(|line| line.split_once(':')).collect();
    fields["VmHWM"].trim().trim_end_matches(" kB").parse().unwrap()
}

/// What was seen of the workers of one `watch`.
pub(crate) struct Sampled {
    pub(crate) looks: usize,
    pub(crate) most_workers: usize,
}

/// Looks at the workers of one `watch` until it is told to stop.
pub(crate) struct Sampler {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Sampled>,
}

impl Sampler {
    pub(crate) fn start(parent: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        Self { stop, thread: std::thread::spawn(move || sample(parent, &told)) }
    }

    pub(crate) fn finish(self) -> Sampled {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn sample(parent: u32, stop: &AtomicBool) -> Sampled {
    let mut sampled = Sampled { looks: 0, most_workers: 0 };
    while !stop.load(Ordering::Relaxed) {
        sampled.looks += 1;
        sampled.most_workers = sampled.most_workers.max(working_together(parent));
        std::thread::sleep(PAUSE);
    }
    sampled
}
