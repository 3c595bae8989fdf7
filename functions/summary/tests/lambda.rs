//! The program for AWS Lambda, polled from the Runtime API, in front of S3, SNS and EC2 on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dropscope_testkit::lambda::Function;
use dropscope_testkit::world::{World, replay};

const PROGRAM: &str = env!("CARGO_BIN_EXE_dropscope-summary");

#[test]
fn every_payload_ends_as_the_index_says() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(folder.path()).unwrap();
    let function = world.function(PROGRAM).unwrap();
    let replayed = replay("summary", &function).unwrap();
    assert!(replayed.count > 0 && replayed.wrong.is_empty(), "{:#?}\n{}", replayed.wrong, function.log());
}

#[test]
fn a_start_without_configuration_names_all_that_is_missing() {
    let mut function = Function::start(PROGRAM.as_ref(), &[]).unwrap();
    let (status, log) = function.end().unwrap();
    assert_eq!(status.code(), Some(1), "{log}");
    for variable in dropscope_summary::VARIABLES {
        assert!(log.contains(variable.name), "{} is not named: {log}", variable.name);
    }
    assert_eq!(log.lines().count(), 1, "one error: {log}");
}
