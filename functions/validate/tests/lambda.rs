//! The program for AWS Lambda, polled from the Runtime API, in front of S3, SNS and EC2 on loopback.
#![allow(clippy::unwrap_used)]

use dropscope_testkit::world::laws;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dropscope-validate");

#[test]
fn every_payload_ends_as_the_index_says() {
    let folder = tempfile::tempdir().unwrap();
    laws::every_payload_ends_as_the_index_says("validate", PROGRAM, folder.path()).unwrap();
}

#[test]
fn a_start_without_configuration_names_all_that_is_missing() {
    let names: Vec<&str> = dropscope_validate::VARIABLES.iter().map(|variable| variable.name).collect();
    laws::a_start_without_configuration_names_all_that_is_missing(PROGRAM, &names).unwrap();
}
