//! The program for AWS Lambda, polled from the Runtime API, in front of S3 on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/mod.rs"]
mod support;

use dropscope_pipeline::{Door, Timestamp, state_keys};
use dropscope_ports::clock::SystemClock;
use dropscope_ports::{Clock, Condition, Objects};
use dropscope_testkit::lambda::{Answer, Function};
use dropscope_testkit::world::{World, laws};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use support::{done, get, report, run};
use tokio::runtime::Runtime;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dropscope-open");

#[test]
fn every_payload_ends_as_the_index_says() {
    let folder = tempfile::tempdir().unwrap();
    laws::every_payload_ends_as_the_index_says("open", PROGRAM, folder.path()).unwrap();
}

#[test]
fn a_start_without_configuration_names_all_that_is_missing() {
    let names: Vec<&str> = dropscope_open::VARIABLES.iter().map(|variable| variable.name).collect();
    laws::a_start_without_configuration_names_all_that_is_missing(PROGRAM, &names).unwrap();
}

/// A world whose bucket holds a run that is done, and the token of its link.
async fn with_a_run(world: &World, now: Timestamp) -> String {
    dropscope_jobs::make_links(&world.store, now).await.unwrap();
    let links = dropscope_jobs::find_links(&world.store).await.unwrap().unwrap();
    let link = Door::new("https://door", 1).unwrap().link(&links, &run(), now).unwrap();
    let job = serde_json::to_vec(&done(&run())).unwrap();
    for (key, bytes) in [(state_keys::job(&run()), job), (report(&run()), b"<html>cells".to_vec())] {
        world.store.put(&key, bytes, &Condition::Always).await.unwrap();
    }
    link.address.strip_prefix("https://door/").unwrap().to_owned()
}

fn answered(function: &Function, request: &Value) -> Value {
    match function.invoke(request).unwrap() {
        Answer::Response(answer) => answer,
        Answer::Error { kind, message } => panic!("{kind}: {message}"),
    }
}

/// Status line and everything after it of a GET without a header but its host.
fn fetched(address: &str) -> String {
    let (host, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_link_opens_the_report_in_a_browser_and_neither_it_nor_the_address_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (world, runtime) = (World::start(folder.path()).unwrap(), Runtime::new().unwrap());
    let token = runtime.block_on(with_a_run(&world, SystemClock.now()));
    let function = world.function(PROGRAM).unwrap();
    let answer = answered(&function, &get(&token));
    assert_eq!(answer["statusCode"], json!(302), "{answer} {}", function.log());
    let address = answer["headers"]["Location"].as_str().unwrap();
    let page = fetched(address);
    assert!(page.starts_with("HTTP/1.1 200 ") && page.ends_with("<html>cells"), "{page}");
    let shown = page.to_ascii_lowercase();
    assert!(shown.contains("content-type: text/html") && shown.contains("content-disposition: inline"), "{page}");

    let forged = format!("{}{}", &token[..token.len() - 3], "AAA");
    let refused = answered(&function, &get(&forged));
    assert_eq!(refused["statusCode"], json!(403));
    runtime.block_on(dropscope_jobs::revoke_links(&world.store, None, SystemClock.now())).unwrap();
    assert_eq!(answered(&function, &get(&token)), refused);
    let before = function.log();
    for _ in 0..10 {
        assert_eq!(answered(&function, &get("favicon.ico")), refused);
    }
    assert_eq!(function.log(), before, "what anybody may send as often as they like costs no line");
    let log = function.log();
    assert!(log.contains(run().as_str()) && log.contains("\"opened\"") && log.contains("\"refused\""), "{log}");
    for secret in [&token[..20], &token[token.len() - 20..], "X-Amz-Signature", "AAA"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
