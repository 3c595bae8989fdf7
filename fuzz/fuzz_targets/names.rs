//! Any lines as names of files: each is placed once, or what is missing is named.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dropscope_recording::fuzzing::names(bytes));
