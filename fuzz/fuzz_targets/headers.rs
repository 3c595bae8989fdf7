//! Any bytes as a file: opened or refused, and pages of what was opened are read or refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dropscope_recording::fuzzing::headers(bytes));
