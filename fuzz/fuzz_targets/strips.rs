//! Any bytes as the strips or tiles of a page: decoded or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dropscope_recording::fuzzing::strips(bytes));
