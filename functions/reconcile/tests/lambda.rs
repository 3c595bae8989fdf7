//! The program for AWS Lambda, polled from the Runtime API, in front of S3, SNS and EC2 on loopback.
#![allow(clippy::unwrap_used)]

use dropscope_testkit::events::payload;
use dropscope_testkit::lambda::Answer;
use dropscope_testkit::world::{World, laws};

const PROGRAM: &str = env!("CARGO_BIN_EXE_dropscope-reconcile");

#[test]
fn every_payload_ends_as_the_index_says() {
    let folder = tempfile::tempdir().unwrap();
    laws::every_payload_ends_as_the_index_says("reconcile", PROGRAM, folder.path()).unwrap();
}

#[test]
fn a_start_without_configuration_names_all_that_is_missing() {
    let names: Vec<&str> = dropscope_reconcile::VARIABLES.iter().map(|variable| variable.name).collect();
    laws::a_start_without_configuration_names_all_that_is_missing(PROGRAM, &names).unwrap();
}

#[test]
fn the_first_look_makes_the_key_of_links_and_no_later_one_changes_it() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).unwrap();
    let function = world.function(PROGRAM).unwrap();
    let mut keys = Vec::new();
    for _ in 0..2 {
        let answer = function.invoke(&payload("eventbridge-schedule-reaper.json").unwrap()).unwrap();
        assert!(matches!(answer, Answer::Response(_)), "{answer:?}");
        keys.push(std::fs::read(folder.path().join("state/links.json")).unwrap());
    }
    assert!(keys[0] == keys[1] && !function.log().contains("\"key\""), "{}", function.log());
    // One that is broken is told, and keeps no run waiting.
    std::fs::write(folder.path().join("state/links.json"), "no json").unwrap();
    let answer = function.invoke(&payload("eventbridge-schedule-reaper.json").unwrap()).unwrap();
    assert!(matches!(&answer, Answer::Error { kind, .. } if kind == "State"), "{answer:?}");
}
