//! Drops a crowd of recordings into a `dropscope watch` and keeps what was seen of it.

use super::processes::{self, Sampled, Sampler};
use dropscope_testkit::movie::Scene;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Workers that each `watch` here may start.
pub(crate) const WORKERS: usize = 2;
/// The owner of most recordings, dropped first.
pub(crate) const BIG: &str = "ana";
/// The others.
pub(crate) const SMALL: [&str; 2] = ["bo", "cy"];
/// Longer than a crowd takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(400);
/// Different recordings; the same one dropped under many keys is many recordings.
const MOVIES: usize = 8;
/// Files of gif and summary, which nobody waits for before the mail.
const PREVIEWS: [&str; 9] =
    ["max.gif", "std.gif", "mean.png", "max.png", "std.png", "summary.json", "trace.csv", "trace.png", "provenance.json"];

/// What was seen of one crowd.
pub(crate) struct Crowd {
    /// Keys that were dropped.
    pub(crate) keys: Vec<String>,
    /// Their runs, as their state objects and folders tell.
    pub(crate) runs: Vec<Run>,
    /// Workers that were started, by run.
    pub(crate) instances: BTreeMap<String, usize>,
    /// The mails' names.
    pub(crate) mails: Vec<String>,
    /// What Linux told.
    pub(crate) seen: Seen,
    /// How `watch` ended on Ctrl-C.
    pub(crate) exit_code: Option<i32>,
    /// Processes of the folder after that.
    pub(crate) left: Vec<String>,
}

/// What Linux told of one `watch`.
pub(crate) struct Seen {
    pub(crate) sampled: Sampled,
    /// Most memory when half of the recordings were done, and in the end.
    pub(crate) half_kib: u64,
    pub(crate) high_water_kib: u64,
    /// Children, zombies among them, that stay when all is done.
    pub(crate) children_at_rest: usize,
}

/// One run; times in milliseconds since 1970.
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) owner: String,
    pub(crate) state: String,
    pub(crate) closed: bool,
    pub(crate) interruptions: u64,
    pub(crate) received_at: i64,
    pub(crate) started_at: i64,
    pub(crate) ended_at: i64,
    /// Results that are named and not there.
    pub(crate) missing: Vec<String>,
}

/// What was seen of a crowd that was broken off.
pub(crate) struct Broken {
    pub(crate) exit_code: Option<i32>,
    pub(crate) left_at_once: usize,
    pub(crate) left: Vec<String>,
    pub(crate) started: usize,
    pub(crate) started_at_the_end: usize,
}

impl Crowd {
    /// Drops so many recordings of [`BIG`] and of each of [`SMALL`], and waits for all.
    pub(crate) fn work(counts: [usize; 3]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let lab = dir.path().join("lab");
        let mut watch = Watch::start(&lab);
        let sampler = Sampler::start(watch.child.id());
        let (keys, began) = (keys(counts), Instant::now());
        drop_all(dir.path(), &lab, &watch.endpoint, &keys);
        let dropped = began.elapsed();
        until("half are worked on", || closed(&lab) * 2 >= keys.len());
        let (half, half_kib) = (began.elapsed(), processes::high_water_kib(watch.child.id()));
        until("all are worked on", || closed(&lab) >= keys.len());
        println!("{} dropped in {dropped:.1?}, half done after {half:.1?}, all after {:.1?}", keys.len(), began.elapsed());
        until("all have previews", || runs(&lab).iter().all(|run| run.missing.is_empty()));
        let seen = Seen {
            children_at_rest: watch.children_at_rest(),
            sampled: sampler.finish(),
            half_kib,
            high_water_kib: processes::high_water_kib(watch.child.id()),
        };
        let exit_code = watch.interrupt();
        let left = processes::of_folder(&lab);
        Self { runs: runs(&lab), instances: instances(&lab), mails: names(&lab.join("mail")), keys, seen, exit_code, left }
    }

    /// Ends a `watch` by Ctrl-C while its workers are at work and others wait.
    pub(crate) fn break_off() -> Broken {
        let dir = tempfile::tempdir().unwrap();
        let lab = dir.path().join("lab");
        let mut watch = Watch::start(&lab);
        drop_all(dir.path(), &lab, &watch.endpoint, &keys([30, 0, 0]));
        until("some are at work", || closed(&lab) >= 1 && !processes::children(watch.child.id()).is_empty());
        assert!(closed(&lab) < 30, "it is amid the crowd");
        let exit_code = watch.interrupt();
        let (left_at_once, started) = (processes::of_folder(&lab).len(), instances(&lab).len());
        until("the workers end", || processes::of_folder(&lab).is_empty());
        std::thread::sleep(Duration::from_secs(1));
        let (left, started_at_the_end) = (processes::of_folder(&lab), instances(&lab).len());
        Broken { exit_code, left_at_once, left, started, started_at_the_end }
    }
}

/// A running `dropscope watch`, killed when it is dropped.
struct Watch {
    child: Child,
    endpoint: String,
}

impl Watch {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dropscope"));
        command.arg("watch").arg(folder).args(["--json", "--listen", "127.0.0.1:0", "--workers", &WORKERS.to_string()]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        // Whatever else it says is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, endpoint: first["endpoint"].as_str().unwrap().to_owned() }
    }

    /// The last worker has some moments to end after its run is closed.
    fn children_at_rest(&self) -> usize {
        let began = Instant::now();
        loop {
            match processes::children(self.child.id()).len() {
                left if left == 0 || began.elapsed() > Duration::from_secs(10) => return left,
                _ => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn interrupt(&mut self) -> Option<i32> {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keys in the order in which they are dropped: the owner of most comes first.
fn keys(counts: [usize; 3]) -> Vec<String> {
    let owners = [BIG, SMALL[0], SMALL[1]].into_iter().zip(counts);
    owners.flat_map(|(owner, count)| (0..count).map(move |n| format!("recordings/{owner}/day {}/{n:03}.tif", n % 3))).collect()
}

/// Drops every second one through the S3 endpoint, at the same time as the others are copied.
fn drop_all(dir: &Path, lab: &Path, endpoint: &str, keys: &[String]) {
    let movies: Vec<PathBuf> = (0..MOVIES).map(|seed| movie(dir, seed as u64)).collect();
    let python = dropscope_testkit::python_with(&["boto3==1.*", "awscli==1.*"]).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/crowd_client.py");
    let mut client = Command::new(python).arg(script).arg(endpoint).stdin(Stdio::piped()).spawn().unwrap();
    let mut uploads = client.stdin.take().unwrap();
    for (number, key) in keys.iter().enumerate() {
        let movie = &movies[number % MOVIES];
        if number % 2 == 0 {
            writeln!(uploads, "{}\t{key}", movie.display()).unwrap();
        } else {
            let to = lab.join(key);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(movie, to).unwrap();
        }
    }
    drop(uploads);
    assert!(client.wait().unwrap().success(), "the uploads did not get through");
}

fn movie(folder: &Path, seed: u64) -> PathBuf {
    let file = folder.join(format!("{seed}.tif"));
    let scene = Scene { seed, height: 48, width: 48, frames: 60, cells: 2, groups: 1, ..Scene::default() };
    scene.generate().unwrap().write_tiff(BufWriter::new(File::create(&file).unwrap())).unwrap();
    file
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(250));
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn documents(folder: &Path) -> Vec<Value> {
    let files = names(folder).into_iter().filter(|name| name.ends_with(".json"));
    files.map(|name| serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()).collect()
}

fn closed(lab: &Path) -> usize {
    let folder = lab.join("state/jobs");
    let texts = names(&folder).into_iter().map(|name| fs::read_to_string(folder.join(name)).unwrap());
    texts.filter(|text| text.contains("\"closed\": true")).count()
}

/// Workers that were started, by run.
fn instances(lab: &Path) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for entry in documents(&lab.join(".dropscope/fleet")) {
        *found.entry(entry["instance"]["run"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    found
}

fn runs(lab: &Path) -> Vec<Run> {
    documents(&lab.join("state/jobs")).iter().map(|job| run(lab, job)).collect()
}

fn run(lab: &Path, job: &Value) -> Run {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (id, key) = (text(&job["run"]), text(&job["upload"]["key"]));
    let folder = lab.join(key.replacen("recordings/", "results/", 1).trim_end_matches(".tif")).join(&id);
    let state = &job["state"];
    let files = state["files"].as_array().cloned().unwrap_or_default();
    let committed = files.iter().map(|file| (text(&file["name"]), file["bytes"].as_u64()));
    let all = committed.chain(PREVIEWS.iter().map(|name| ((*name).to_owned(), None)));
    let is_there = |name: &str, bytes: Option<u64>| {
        fs::metadata(folder.join(name)).is_ok_and(|meta| bytes.map_or(meta.len() > 0, |bytes| bytes == meta.len()))
    };
    let missing = all.filter(|(name, bytes)| !is_there(name, *bytes)).map(|(name, _)| name).collect();
    Run {
        missing,
        id,
        key,
        owner: text(&job["owner"]),
        state: text(&state["is"]),
        closed: job["closed"] == true,
        interruptions: job["interruptions"].as_u64().unwrap_or(u64::MAX),
        received_at: time(&job["received_at"]),
        started_at: time(&state["provenance"]["started_at"]),
        ended_at: time(&job["since"]),
    }
}

/// Milliseconds since 1970; none before a run began.
fn time(text: &Value) -> i64 {
    text.as_str().map_or(0, |text| dropscope_pipeline::Timestamp::try_from(text.to_owned()).unwrap().millis())
}
