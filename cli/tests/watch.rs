//! `dropscope watch` as a lab meets it: real clients, real processes, real deaths.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_testkit::movie::Scene;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `dropscope watch`, killed when it is dropped.
struct Watch {
    child: Child,
    endpoint: String,
}

impl Watch {
    fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    fn start_with(folder: &Path, more: &[&str]) -> Self {
        let mut child = command(folder, "127.0.0.1:0").args(more).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        // Whatever else it says is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, endpoint: first["endpoint"].as_str().unwrap().to_owned() }
    }

    fn client(&self, arguments: &[&str]) -> String {
        let python = dropscope_testkit::python_with(&["boto3==1.*", "awscli==1.*"]).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/watch_client.py");
        let out = Command::new(python).arg(script).arg(&self.endpoint).args(arguments).output().unwrap();
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &Path, listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dropscope"));
    command.arg("watch").arg(folder).args(["--json", "--listen", listen]);
    command
}

fn recording(folder: &Path, seed: u64) -> PathBuf {
    let file = folder.join(format!("{seed}.tif"));
    let scene = Scene { seed, height: 48, width: 48, frames: 90, cells: 4, groups: 2, ..Scene::default() };
    scene.generate().unwrap().write_tiff(std::io::BufWriter::new(std::fs::File::create(&file).unwrap())).unwrap();
    file
}

/// The jobs of a bucket, by the key of their recording.
fn jobs(folder: &Path) -> BTreeMap<String, Vec<serde_json::Value>> {
    let mut found: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    let Ok(files) = std::fs::read_dir(folder.join("state/jobs")) else { return found };
    for file in files {
        let job: serde_json::Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
        found.entry(job["upload"]["key"].as_str().unwrap().to_owned()).or_default().push(job);
    }
    found
}

fn mails(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("mail")).map_or(0, Iterator::count)
}

fn until(what: &str, folder: &Path, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}: {:#?}", jobs(folder));
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn closed(folder: &Path) -> usize {
    jobs(folder).values().flatten().filter(|job| job["closed"] == true).count()
}

/// Each recording was worked on once, came to an end once, and has one mail and its results.
fn each_once(folder: &Path, keys: &[String]) {
    let jobs = jobs(folder);
    assert_eq!(
        jobs.keys().collect::<Vec<_>>(),
        keys.iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    );
    for (key, runs) in &jobs {
        assert_eq!(runs.len(), 1, "{key} has one run");
        assert_eq!(runs[0]["state"]["is"], "done", "{key}: {:#}", runs[0]);
    }
    assert_eq!(mails(folder), keys.len(), "one mail a recording");
}

#[test]
fn recordings_of_any_client_under_any_name_are_worked_on_once() {
    let dir = tempfile::tempdir().unwrap();
    let lab = dir.path().join("lab");
    let watch = Watch::start(&lab);
    let long = format!("recordings/cy/{}/{}.tif", "folder ".repeat(30), "n".repeat(800 - 14 - 210 - 1 - 4));
    assert_eq!(long.len(), 800);
    let uploads = [
        ("put", "recordings/ana/day 1/fish+été (2) #3.tif"),
        ("parts", "recordings/ana/$(touch x)'\";&.tif"),
        ("aws", "recordings/bo/100%2B.tif"),
        ("put", long.as_str()),
    ];
    let mut keys = vec!["recordings/ana/copied été.tif".to_owned()];
    for (number, (how, key)) in uploads.iter().enumerate() {
        let file = recording(dir.path(), number as u64);
        watch.client(&[how, file.to_str().unwrap(), key]);
        keys.push((*key).to_owned());
    }
    std::fs::create_dir_all(lab.join("recordings/ana")).unwrap();
    std::fs::copy(recording(dir.path(), 9), lab.join(&keys[0])).unwrap();
    until("all are worked on", &lab, || closed(&lab) == keys.len());
    // Announced again by every look at the folder, and nothing follows from it.
    std::thread::sleep(Duration::from_secs(4));
    each_once(&lab, &keys);
    let listed: Vec<String> = serde_json::from_str(&watch.client(&["list"])).unwrap();
    for key in &keys {
        let folder = key.replacen("recordings/", "results/", 1).replace(".tif", "/");
        assert!(listed.iter().any(|l| l.starts_with(&folder) && l.ends_with("/figure.png")), "{key}: {listed:#?}");
    }
}

#[test]
fn a_copied_folder_is_one_recording_that_begins_when_it_is_stated_or_quiet() {
    let dir = tempfile::tempdir().unwrap();
    let lab = dir.path().join("lab");
    let _watch = Watch::start_with(&lab, &["--quiet", "4"]);
    let keys = ["stated", "quiet"].map(|name| format!("recordings/ana/{name}.rec/"));
    for key in &keys {
        let to = lab.join(key);
        std::fs::create_dir_all(&to).unwrap();
        if key.contains("stated") {
            std::fs::write(to.join("recording.toml"), "frame_rate_hz = 7.5\n").unwrap();
        }
        for number in 1..=3_u64 {
            std::fs::copy(recording(dir.path(), number), to.join(format!("t_{number}.tif"))).unwrap();
        }
        std::fs::write(to.join(".DS_Store"), "x").unwrap();
    }
    until("both are worked on", &lab, || closed(&lab) == keys.len());
    std::thread::sleep(Duration::from_secs(6));
    each_once(&lab, &keys);
    for job in jobs(&lab).values().flatten() {
        let recording = &job["manifest"]["recording"];
        assert_eq!((recording["files"].as_u64(), recording["frames"].as_u64()), (Some(3), Some(270)), "{job:#}");
    }
    assert_eq!(std::fs::read_dir(lab.join("state/folders")).unwrap().count(), 0, "nothing gathers");
}

#[test]
fn a_watch_that_is_killed_at_any_moment_goes_on_when_started_again() {
    let dir = tempfile::tempdir().unwrap();
    let lab = dir.path().join("lab");
    let seed = std::env::var("DROPSCOPE_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_u64);
    let deaths = std::env::var("DROPSCOPE_TEST_DEATHS").ok().and_then(|deaths| deaths.parse().ok()).unwrap_or(10);
    let mut keys = Vec::new();
    for number in 0..5_u64 {
        keys.push(format!("recordings/{}/{number}.tif", if number < 3 { "ana" } else { "bo" }));
        let to = lab.join(&keys[keys.len() - 1]);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(recording(dir.path(), number), to).unwrap();
    }
    let mut state = seed;
    for _ in 0..deaths {
        let watch = Watch::start(&lab);
        // Knuth's generator: the moments differ, and a seed gives them again..
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis(200 + (state >> 33) % 3_600));
        drop(watch);
    }
    let _watch = Watch::start(&lab);
    until("all are worked on", &lab, || closed(&lab) == keys.len());
    each_once(&lab, &keys);
}

#[test]
fn one_folder_has_one_watch_and_it_stays_on_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    let _watch = Watch::start(dir.path());
    let second = command(dir.path(), "127.0.0.1:0").output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("watched already: "));
    let other = tempfile::tempdir().unwrap();
    for open in ["0.0.0.0:0", "[::]:0", "nonsense"] {
        let refused = command(other.path(), open).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{open}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(": "), "{open}");
    }
}

#[test]
fn ctrl_c_ends_it_well_and_leaves_the_work_for_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut watch = Watch::start(dir.path());
    let to = dir.path().join("recordings/ana/x.tif");
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::copy(recording(dir.path(), 1), &to).unwrap();
    until("it begins", dir.path(), || !jobs(dir.path()).is_empty());
    Command::new("kill").args(["-INT", &watch.child.id().to_string()]).status().unwrap();
    assert_eq!(watch.child.wait().unwrap().code(), Some(0));
    let _again = Watch::start(dir.path());
    until("it is worked on", dir.path(), || closed(dir.path()) == 1);
    let job = &jobs(dir.path())["recordings/ana/x.tif"][0];
    assert_eq!((job["state"]["is"].as_str(), job["interruptions"].as_u64()), (Some("done"), Some(0)));
}

#[test]
fn what_is_no_recording_is_told_once_and_again_when_it_is_copied_again() {
    let dir = tempfile::tempdir().unwrap();
    let _watch = Watch::start(dir.path());
    let to = dir.path().join("recordings/ana/notes.tif");
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    for copies in 1..=2 {
        std::fs::write(&to, b"no recording").unwrap();
        until("it is told", dir.path(), || mails(dir.path()) == copies);
        std::thread::sleep(Duration::from_secs(4));
        assert_eq!(mails(dir.path()), copies, "each copy has one mail");
    }
}
