//! The bucket as clients find it that nobody here wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_local::{LocalStore, Query, s3};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{Condition, Objects};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

async fn served(folder: &Path) -> (SocketAddr, LocalStore, oneshot::Sender<()>) {
    let store = LocalStore::open(folder, "dropscope").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let rights = s3::Rights::Uploader;
    let credentials = s3::Credentials { access_key: "dropscope".into(), secret_key: "dropscope".into(), rights };
    tokio::spawn(s3::serve(listener, store.clone(), credentials, async {
        let _ = stopped.await;
    }));
    (address, store, stop)
}

async fn python(arguments: Vec<String>) -> Output {
    let run = move || {
        let python = dropscope_testkit::python_with(&["boto3==1.*", "awscli==1.*"]).unwrap();
        Command::new(python).args(arguments).output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_finds_what_s3_promises() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _, _stop) = served(folder.path()).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/s3_client.py");
    let out = python(vec![script.into(), format!("http://{address}")]).await;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let left = std::fs::read_dir(folder.path().join(".dropscope/scratch")).unwrap().count();
    assert_eq!(left, 0, "an upload that was refused leaves nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_ends_where_the_next_begins() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path(), "dropscope").unwrap();
    let keys = ["a", "a/b", "a/b/c", "a/d", "b", "b/", "é/x", "é/y"];
    for key in keys {
        store.put(&ObjectKey::raw(format!("r/{key}")), vec![1], &Condition::Always).await.unwrap();
    }
    for delimiter in [None, Some("/".to_owned()), Some("/b".to_owned())] {
        let all = Query { prefix: "r/".into(), delimiter: delimiter.clone(), after: String::new(), most: 1000 };
        let whole = store.page(all.clone()).await.unwrap();
        for most in 1..=4 {
            let (mut objects, mut prefixes, mut after) = (Vec::new(), Vec::new(), String::new());
            loop {
                let page = store.page(Query { after, most, ..all.clone() }).await.unwrap();
                assert!(page.objects.len() + page.prefixes.len() <= most);
                objects.extend(page.objects);
                prefixes.extend(page.prefixes);
                let Some(next) = page.next else { break };
                after = next;
            }
            assert_eq!((&objects, &prefixes), (&whole.objects, &whole.prefixes), "{delimiter:?} in pages of {most}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_left_is_swept_and_what_a_live_one_makes_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path(), "dropscope").unwrap();
    let mut child = Command::new("true").spawn().unwrap();
    let dead = child.id();
    child.wait().unwrap();
    let scratch = folder.path().join(".dropscope/scratch");
    std::fs::write(scratch.join(format!("{dead}-0")), b"half").unwrap();
    let key = ObjectKey::raw("recordings/x.tif");
    let incoming = store.incoming(&key).await.unwrap().push(b"more").await.unwrap();
    let upload = store.start_multipart(&key).await.unwrap();
    store.sweep().await.unwrap();
    assert!(!scratch.join(format!("{dead}-0")).exists());
    assert!(store.is_pending(&key, &upload).await.unwrap());
    let arrived = incoming.finish().await.unwrap();
    // `printf more | md5sum`
    assert_eq!(store.publish(&key, arrived, &Condition::Absent).await.unwrap(), "addec426932e71323700afa1911f8f1c");
}
