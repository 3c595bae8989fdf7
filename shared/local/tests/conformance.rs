//! The local ports keep the laws of their ports, and some of their own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_local::{LocalFleet, LocalStore, MailDir, Worker};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::clock::SystemClock;
use dropscope_ports::{Condition, Objects, ObjectsError, Select};
use dropscope_testkit::conformance;
use dropscope_testkit::faults::{Failing, Faults};
use std::path::Path;
use std::sync::Arc;

fn store(folder: &Path) -> LocalStore {
    LocalStore::open(folder, "dropscope").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_store_is_a_bucket() {
    let folder = tempfile::tempdir().unwrap();
    conformance::objects(Arc::new(store(folder.path())), "recordings/ana/").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_store_that_never_fails_is_a_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let inner: Arc<dyn Objects> = Arc::new(store(folder.path()));
    conformance::objects(Arc::new(Failing::new(inner, Faults::never())), "results/").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn child_processes_are_a_fleet() {
    let folder = tempfile::tempdir().unwrap();
    // `sh` ignores what follows its script: a worker that stays until it is ended.
    let worker =
        Worker { program: "/bin/sh".into(), arguments: vec!["-c".into(), "exec sleep 60".into()], shares_terminal: false };
    let fleet = LocalFleet::open(folder.path(), worker, 2, Arc::new(SystemClock)).unwrap();
    conformance::fleet(&fleet, &"0123456789abcdef".parse().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_files_are_mail() {
    let folder = tempfile::tempdir().unwrap();
    let mailer = MailDir::new(folder.path(), Arc::new(SystemClock));
    let read = || {
        let files = std::fs::read_dir(folder.path().join("mail")).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    };
    conformance::mailer(&mailer, read).await.unwrap();
    conformance::mailer(&mailer, read).await.unwrap();
    conformance::clock(&SystemClock);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_somebody_copies_into_the_folder_is_an_object() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let path = folder.path().join("recordings/ana/day 1/x.tif");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, b"first").unwrap();
    let key = ObjectKey::raw("recordings/ana/day 1/x.tif");
    let first = store.get(&key, &Select::default()).await.unwrap();
    // MD5 of the content, as S3 has it: `printf first | md5sum`.
    assert_eq!(first.meta.etag, "8b04d5e3775d298e78455efc5ca404d5");
    std::fs::write(&path, b"other").unwrap();
    let stale = Condition::Matches(first.meta.etag);
    assert!(matches!(store.put(&key, b"mine".to_vec(), &stale).await, Err(ObjectsError::Precondition { .. })));
    assert_eq!(store.list("recordings/", None).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_object_gives_its_own_bytes_in_any_buffer_or_says_that_they_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let key = ObjectKey::raw("recordings/ana/x.tif");
    let bytes: Vec<u8> = (0..1_500_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    store.put(&key, bytes.clone(), &Condition::Always).await.unwrap();
    let opened = store.opened(&key, &Select::default()).await.unwrap();
    // Below and above what is copied at once; a buffer longer or shorter than the range, with somebody else's bytes.
    for range in [0..1u64, 7..100_007, 0..524_288, 1..524_290, 0..1_500_000, 1_499_999..1_500_000, 5..5] {
        let expected = &bytes[range.start as usize..range.end as usize];
        for dirty in [0, 3, 2_000_000] {
            assert_eq!(opened.read_into(range.clone(), vec![0xAB; dirty]).await.unwrap(), expected, "{range:?}");
        }
    }
    let file = folder.path().join("recordings/ana/x.tif");
    std::fs::OpenOptions::new().write(true).open(file).unwrap().set_len(1000).unwrap();
    let gone = opened.read_into(500..2000, Vec::new()).await;
    assert!(matches!(gone, Err(ObjectsError::Busy { .. })), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_see_one_bucket() {
    // Two stores share nothing but the folder, as two processes do.
    let folder = tempfile::tempdir().unwrap();
    let stores: Vec<LocalStore> = (0..4).map(|_| store(folder.path())).collect();
    let key = ObjectKey::raw("state/counter.json");
    stores[0].put(&key, b"0".to_vec(), &Condition::Absent).await.unwrap();
    let tasks: Vec<_> = stores
        .into_iter()
        .map(|store| {
            let key = key.clone();
            tokio::spawn(async move {
                let mut done = 0;
                while done < 25 {
                    let now = store.get(&key, &Select::default()).await.unwrap();
                    let next: u32 = std::str::from_utf8(&now.bytes).unwrap().parse::<u32>().unwrap() + 1;
                    match store.put(&key, next.to_string().into_bytes(), &Condition::Matches(now.meta.etag)).await {
                        Ok(_) => done += 1,
                        Err(ObjectsError::Precondition { .. }) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let end = store(folder.path()).get(&key, &Select::default()).await.unwrap();
    assert_eq!(end.bytes, b"100", "no count was lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_leaves_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("bucket");
    let store = store(&folder);
    for key in ["../escaped", "/etc/escaped", "a/../../escaped", "..", "/", ".dropscope/records/escaped"] {
        store.put(&ObjectKey::raw(key), b"x".to_vec(), &Condition::Always).await.unwrap();
    }
    let beside: Vec<_> = std::fs::read_dir(outside.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(beside, ["bucket"]);
    assert!(!Path::new("/etc/escaped").exists());
}
