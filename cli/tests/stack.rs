//! The program against a bucket that it reaches by S3's protocol alone, as one on AWS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_local::LocalStore;
use dropscope_local::s3::{Credentials, Rights, serve};
use dropscope_testkit::movie::Scene;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const BUCKET: &str = "dropscope";
const KEY: &str = "dropscope";

/// A folder as a bucket, served on loopback as long as this value lives.
struct Served {
    folder: TempDir,
    home: TempDir,
    address: SocketAddr,
    _server: Runtime,
}

impl Served {
    fn new() -> Self {
        let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = LocalStore::open(folder.path(), BUCKET).unwrap();
        let server = Runtime::new().unwrap();
        let listener = server.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let credentials = Credentials { access_key: KEY.into(), secret_key: KEY.into(), rights: Rights::Stack };
        server.spawn(serve(listener, store, credentials, std::future::pending()));
        Self { folder, home, address, _server: server }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dropscope"));
        command.args(args).env_clear().env("HOME", self.home.path()).env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", KEY);
        command.env("AWS_ENDPOINT_URL", format!("http://{}", self.address));
        command
    }

    /// What a command says that must not fail.
    fn says(&self, args: &[&str]) -> String {
        let out = self.command(args).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", text(&out.stderr));
        text(&out.stdout)
    }

    fn object(&self, key: &str) -> PathBuf {
        self.folder.path().join(key)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn recording(folder: &Path, name: &str) -> PathBuf {
    let file = folder.join(name);
    let scene = Scene { height: 48, width: 48, frames: 90, cells: 4, groups: 2, ..Scene::default() };
    scene.generate().unwrap().write_tiff(std::io::BufWriter::new(fs::File::create(&file).unwrap())).unwrap();
    file
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap().path();
            if entry.is_dir() {
                folders.push(entry);
            } else {
                found.insert(entry.strip_prefix(folder).unwrap().to_owned(), fs::read(&entry).unwrap());
            }
        }
    }
    found
}

/// Body of what a link leads to, asked for without any credentials.
fn followed(link: &str) -> Vec<u8> {
    let (host, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", text(&answer[..answer.len().min(500)]));
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    answer.split_off(body)
}

#[test]
fn a_run_in_a_bucket_is_seen_as_in_its_folder() {
    let served = Served::new();
    let folder = path(served.folder.path());
    let demo = served.command(&["demo", "--out", folder]).output().unwrap();
    assert!(demo.status.success(), "{}", text(&demo.stderr));
    let status = served.says(&["status", "--bucket", BUCKET]);
    assert_eq!(status, served.says(&["status", "--at", folder]));
    let run = status.split_whitespace().next().unwrap();
    assert_eq!(served.says(&["budget", "--bucket", BUCKET]), served.says(&["budget", "--at", folder]));

    let figure = served.says(&["open", run, "--at", folder]);
    let link = served.says(&["open", run, "--bucket", BUCKET]);
    assert!(followed(link.trim()) == fs::read(figure.trim()).unwrap(), "{link}");

    assert!(served.says(&["links", "revoke", run, "--bucket", BUCKET]).contains(run));
    assert_eq!(served.says(&["links", "--bucket", BUCKET]), served.says(&["links", "--at", folder]));

    let out = tempfile::tempdir().unwrap();
    for (place, from) in [("folder", ["--at", folder]), ("bucket", ["--bucket", BUCKET])] {
        let to = out.path().join(place);
        served.says(&["fetch", run, from[0], from[1], "--out", path(&to)]);
    }
    let fetched = files(&out.path().join("bucket"));
    assert!(fetched.len() > 20 && fetched == files(&out.path().join("folder")), "{:?}", fetched.keys());

    let again = served.says(&["rerun", run, "--bucket", BUCKET, "--tau", "0.7"]);
    assert!(again.starts_with(&format!("{run}-2 ")) && again.contains("the stack works on it"), "{again}");
    assert!(served.says(&["status", "--at", folder]).contains(&format!("{run}-2")));
}

#[test]
fn a_recording_is_uploaded_once_and_a_folder_with_its_statement() {
    let served = Served::new();
    let disk = tempfile::tempdir().unwrap();
    let movie = recording(disk.path(), "a fish+1%.tif");
    let upload = ["upload", path(&movie), "--owner", "ana", "--into", "day 1", "--bucket", BUCKET];
    let said = served.says(&upload);
    assert!(said.starts_with("recordings/ana/day 1/a fish+1%.tif  "), "{said}");
    assert_eq!(fs::read(served.object("recordings/ana/day 1/a fish+1%.tif")).unwrap(), fs::read(&movie).unwrap());
    assert!(served.says(&upload).contains("there already"));
    // Other bytes of the same length are other bytes.
    let mut changed = fs::read(&movie).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(&movie, &changed).unwrap();
    assert!(!served.says(&upload).contains("there already"));
    assert_eq!(fs::read(served.object("recordings/ana/day 1/a fish+1%.tif")).unwrap(), changed);

    let folder = disk.path().join("many");
    fs::create_dir(&folder).unwrap();
    for n in 1..=20 {
        fs::copy(&movie, folder.join(format!("f_{n}.tif"))).unwrap();
    }
    let said = served.says(&["upload", path(&folder), "--owner", "ana", "--bucket", BUCKET, "--json"]);
    let line: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&line["recording"], &line["files"]), (&"recordings/ana/many.rec/".into(), &21.into()));
    let there = files(&served.object("recordings/ana/many.rec"));
    assert_eq!(there.len(), 21);
    assert!(there[Path::new("recording.toml")].is_empty());
}

/// A large file of nothing, made in no time.
fn large(folder: &Path, parts: u64) -> PathBuf {
    let file = folder.join("large.tif");
    let handle = fs::File::create(&file).unwrap();
    handle.set_len(parts * (16 << 20) + 7).unwrap();
    file
}

/// Parts that the record of a broken upload tells of.
fn parts_kept(home: &Path) -> usize {
    let records = fs::read_dir(home.join(".local/state/dropscope/uploads"));
    let record =
        records.into_iter().flatten().map(|entry| entry.unwrap().path()).find(|path| path.extension() == Some("json".as_ref()));
    let record: Option<serde_json::Value> = record.and_then(|path| serde_json::from_slice(&fs::read(path).ok()?).ok());
    record.map_or(0, |record| record["parts"].as_object().unwrap().len())
}

#[test]
fn an_upload_that_was_killed_goes_on_where_it_was() {
    let served = Served::new();
    let disk = tempfile::tempdir().unwrap();
    let movie = large(disk.path(), 24);
    let upload = ["upload", path(&movie), "--owner", "ana", "--bucket", BUCKET];
    let mut first = served.command(&upload).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(120);
    while parts_kept(served.home.path()) == 0 {
        assert!(Instant::now() < until && first.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let kept = parts_kept(served.home.path());
    assert!((1..24).contains(&kept), "{kept}");
    served.says(&upload);
    let whole = fs::metadata(served.object("recordings/ana/large.tif")).unwrap();
    assert_eq!(whole.len(), fs::metadata(&movie).unwrap().len());
    assert_eq!(parts_kept(served.home.path()), 0, "the record has served");
    // It was one upload all along: a second one would have left the first one's parts.
    let left = files(&served.object(".dropscope"));
    assert!(left.values().all(|bytes| bytes.len() < 1 << 20), "{:?}", left.keys());
    assert!(served.says(&upload).contains("there already"));
}

#[test]
fn what_stands_in_the_way_is_told_with_its_remedy() {
    let served = Served::new();
    let fails = |command: &mut Command| -> (Option<i32>, String) {
        let Output { status, stderr, .. } = command.output().unwrap();
        (status.code(), text(&stderr))
    };
    let (code, said) = fails(&mut served.command(&["status", "--bucket", "s3://dropscope"]));
    assert!(code == Some(2) && said.contains("no name of a bucket: give the name alone"), "{said}");
    let (code, said) = fails(served.command(&["status", "--bucket", BUCKET]).env_remove("AWS_REGION"));
    assert!(code == Some(2) && said.contains("no region of AWS is named: set AWS_REGION"), "{said}");
    let (code, said) = fails(served.command(&["status", "--bucket", BUCKET]).env("AWS_SECRET_ACCESS_KEY", "wrong"));
    assert!(code == Some(1) && said.contains("denied") && said.contains("use the operator's credentials"), "{said}");
    let (code, said) = fails(&mut served.command(&["status", "--bucket", "another-bucket"]));
    assert!(code == Some(1) && said.contains("is `another-bucket` the bucket of a stack"), "{said}");
    let (code, said) = fails(&mut served.command(&["status", "--bucket", BUCKET, "--at", "x"]));
    assert!(code == Some(2) && said.contains("cannot be used with"), "{said}");
}
