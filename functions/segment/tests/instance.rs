//! The program on an instance of EC2.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;

#[test]
fn a_start_without_configuration_names_all_that_is_missing() {
    let output = Command::new(env!("CARGO_BIN_EXE_dropscope-segment")).env_clear().output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{log}");
    for variable in dropscope_segment::instance::VARIABLES {
        assert!(log.contains(variable.name), "{} is not named: {log}", variable.name);
    }
}
