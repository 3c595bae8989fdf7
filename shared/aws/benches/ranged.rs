//! How fast a recording of 2 GB is looked through over S3 on loopback, against the same from disk (page cache warm).
//!
//! `cargo bench -p dropscope-aws --bench ranged -- [FRAMES] [ROUNDS]`; the server is a process of its own. A preview is what
//! a user waits for: the file is opened, looked through for pictures, and these are encoded and written. Its pass is the
//! second of these alone, a survey one for pictures and figures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../tests/ranged/endpoint.rs"]
mod endpoint;
#[path = "../tests/ranged/layouts.rs"]
mod layouts;

use dropscope_ports::{Depth, ObjectMeta, Objects};
use dropscope_projection::{About, Purpose, Windows, survey};
use dropscope_recording::{FrameBuffer, Limits, Overrides, ReadAt, Recording};
use layouts::Layout;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Runtime;

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    match std::env::var_os("DROPSCOPE_BENCH_SERVE") {
        Some(folder) => serve(Path::new(&folder)),
        None => measure(numbers.first().copied().unwrap_or(4000), numbers.get(1).copied().unwrap_or(3)),
    }
}

/// Serves until the parent closes the pipe.
fn serve(folder: &Path) {
    let runtime = Runtime::new().unwrap();
    let address = runtime.block_on(endpoint::served(folder));
    println!("{address}");
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read_line(&mut String::new());
}

fn start(folder: &Path) -> (Child, std::net::SocketAddr) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("DROPSCOPE_BENCH_SERVE", folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

fn measure(frames: u64, rounds: u64) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join(endpoint::KEY);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    layouts::write(&path, Layout::Between, false, frames, |n| Some(layouts::noise(n)));
    let (mut server, address) = start(folder.path());
    let runtime = Runtime::new().unwrap();
    let bucket = runtime.block_on(endpoint::bucket(address));
    let meta = runtime.block_on(endpoint::recording(&bucket));
    let disk = || Box::new(File::open(&path).unwrap()) as Box<dyn ReadAt>;
    let s3 = || Box::new(endpoint::reader(&runtime, &bucket, &meta, Depth::default())) as Box<dyn ReadAt>;
    let mut rates = Rates::default();
    for _ in 0..rounds {
        rates.add(BYTES, meta.size, [seconds(|| in_a_row(disk())), seconds(|| in_a_row(s3()))]);
        rates.add(BATCHES, meta.size, [seconds(|| in_batches(&open(disk()))), seconds(|| in_batches(&open(s3())))]);
        rates.add(SURVEY, meta.size, [look(&open(disk()), Purpose::Both), look(&open(s3()), Purpose::Both)]);
        let previews = [preview(disk(), folder.path()), preview(s3(), folder.path())];
        rates.add(PASS, meta.size, previews.map(|(_, pass)| pass));
        rates.add(PREVIEW, meta.size, previews.map(|(whole, _)| whole));
        println!("requests alone: {:.2} GB/s", rate(meta.size, seconds(|| requests(&runtime, &bucket, &meta))));
    }
    rates.show();
    drop(server.stdin.take());
    server.wait().unwrap();
}

const BYTES: &str = "bytes in a row";
const BATCHES: &str = "frames in batches";
const SURVEY: &str = "survey";
const PASS: &str = "pass of a preview";
const PREVIEW: &str = "whole preview";

/// GB/s from disk and over S3, round by round.
#[derive(Default)]
struct Rates(Vec<(&'static str, Vec<[f64; 2]>)>);

impl Rates {
    fn add(&mut self, what: &'static str, bytes: u64, seconds: [f64; 2]) {
        let rates = seconds.map(|seconds| rate(bytes, seconds));
        println!("{}", line(what, rates, rates[1] / rates[0]));
        match self.0.iter_mut().find(|(known, _)| *known == what) {
            Some((_, rounds)) => rounds.push(rates),
            None => self.0.push((what, vec![rates])),
        }
    }

    /// Medians; that of the ratios is of those within a round, which noise falls on alike.
    fn show(&self) {
        for (what, rounds) in &self.0 {
            let of = |value: fn(&[f64; 2]) -> f64| median(rounds.iter().map(value).collect());
            println!("median {}", line(what, [of(|r| r[0]), of(|r| r[1])], of(|r| r[1] / r[0])));
        }
    }
}

fn line(what: &str, [disk, s3]: [f64; 2], ratio: f64) -> String {
    format!("{what}: disk {disk:.2} GB/s, S3 {s3:.2} GB/s, ratio {ratio:.2}")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn rate(bytes: u64, seconds: f64) -> f64 {
    bytes as f64 / 1e9 / seconds
}

fn seconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

fn open(source: Box<dyn ReadAt>) -> Recording {
    dropscope_recording::open(source, &Limits::default(), &Overrides::default()).unwrap()
}

fn in_a_row(source: Box<dyn ReadAt>) {
    let (size, mut buffer) = (source.size().unwrap(), vec![0; 1 << 20]);
    for start in (0..size).step_by(1 << 20) {
        let count = (size - start).min(1 << 20) as usize;
        source.read_exact_at(start, &mut buffer[..count]).unwrap();
    }
}

fn in_batches(recording: &Recording) {
    let pages: Vec<usize> = (0..recording.info().pages).collect();
    let mut buffers: Vec<FrameBuffer> = (0..32).map(|_| FrameBuffer::new()).collect();
    for pages in pages.chunks(32) {
        recording.read_pages(pages, &mut buffers[..pages.len()]).unwrap();
    }
}

/// Seconds of a pass.
fn look(recording: &Recording, purpose: Purpose) -> f64 {
    seconds(|| drop(survey(recording, &Windows { purpose, ..Windows::default() }, &|_, _| {}).unwrap()))
}

/// Seconds of a whole preview, and of its pass.
fn preview(source: Box<dyn ReadAt>, folder: &Path) -> (f64, f64) {
    let mut pass = 0.0;
    let whole = seconds(|| {
        let recording = open(source);
        let windows = Windows { purpose: Purpose::Pictures, ..Windows::default() };
        let about = About { name: "x".into(), frame_rate_hz: 30.0, frame_rate_assumed: true };
        let mut found = None;
        pass = seconds(|| found = Some(survey(&recording, &windows, &|_, _| {}).unwrap()));
        for (name, bytes) in found.unwrap().preview_files(&about).unwrap() {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    });
    (whole, pass)
}

/// The store and the SDK without a reader: requests of 8 MiB, six at a time, whose bytes nobody looks at.
fn requests(runtime: &Runtime, bucket: &Arc<dyn Objects>, meta: &ObjectMeta) {
    const PIECE: u64 = 8 << 20;
    let lanes = (0..6u64).map(|lane| {
        let (bucket, meta) = (bucket.clone(), meta.clone());
        runtime.spawn(async move {
            let mut buffer = Vec::with_capacity(PIECE as usize);
            for start in (lane * PIECE..meta.size).step_by(6 * PIECE as usize) {
                let range = Some(start..(start + PIECE).min(meta.size));
                let select = dropscope_ports::Select { range, ..Default::default() };
                buffer = bucket.get_into(&meta.key, &select, buffer).await.unwrap().bytes;
            }
        })
    });
    let lanes: Vec<_> = lanes.collect();
    runtime.block_on(async {
        for lane in lanes {
            lane.await.unwrap();
        }
    });
}
