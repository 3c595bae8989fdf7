//! Real processes that die by SIGKILL between any two writes, and are started again: the recording is finished once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_pipeline::State;
use dropscope_ports::Objects;
use dropscope_ports::{Condition, Select};
use dropscope_tests::machine::mails;
use dropscope_tests::recordings;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

const SIGKILL: i32 = 9;

async fn bucket() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = dropscope_local::LocalStore::open(folder.path(), "dropscope").unwrap();
    let key = dropscope_pipeline::ObjectKey::raw("recordings/ana/fish.tif");
    store.put(&key, recordings::small(1).unwrap(), &Condition::Always).await.unwrap();
    folder
}

fn walk(folder: &Path, strike: Option<(&str, String)>) -> ExitStatus {
    let mut command = Command::new(env!("CARGO_BIN_EXE_walk"));
    command.arg(folder);
    if let Some((process, at)) = strike {
        command.env(process, at);
    }
    command.stdout(std::process::Stdio::null()).status().unwrap()
}

async fn finished_once(folder: &Path, what: &str) {
    let store = dropscope_local::LocalStore::open(folder, "dropscope").unwrap();
    let jobs = dropscope_jobs::list_jobs(&store).await.unwrap();
    assert_eq!(jobs.len(), 1, "{what}: one run");
    let State::Done(outcome) = &jobs[0].state else { panic!("{what}: {:?}", jobs[0].state) };
    assert!(jobs[0].closed && outcome.files.len() > 8, "{what}: {:?}", jobs[0]);
    for file in &outcome.files {
        let key = jobs[0].results().unwrap().child(&file.name);
        assert_eq!(store.head(&key, &Select::default()).await.unwrap().size, file.bytes, "{what}: {}", file.name);
    }
    assert_eq!(mails(folder).unwrap().len(), 1, "{what}: one mail");
}

/// Kills `process` before its first, second … write, until it gets through without dying: killed after one, it has not begun
/// the next.
async fn kill_everywhere(process: &str) -> usize {
    for number in 0..200 {
        let what = format!("{process} killed before write {number}");
        let folder = bucket().await;
        let status = walk(folder.path(), Some((process, format!("{number} before"))));
        let died = status.signal() == Some(SIGKILL) || struck_worker(folder.path());
        let again = walk(folder.path(), None);
        assert!(again.success(), "{what}: {again:?}");
        finished_once(folder.path(), &what).await;
        if !died {
            return number;
        }
    }
    panic!("{process} never got through");
}

/// A worker's death shows in the attempts: nothing else takes a second one here.
fn struck_worker(folder: &Path) -> bool {
    let jobs = std::fs::read_dir(folder.join("state/jobs")).unwrap();
    jobs.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).any(|job| job.contains("\"interruptions\": 1"))
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_killed_at_any_write_go_on_when_started_again() {
    assert!(kill_everywhere("STRIKE_FUNCTIONS").await >= 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_write_is_replaced() {
    assert!(kill_everywhere("STRIKE_WORKER").await >= 12);
}
