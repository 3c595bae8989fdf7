//! Any text as a description, a session or a summary: what it states is read or ignored.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dropscope_recording::fuzzing::metadata(bytes));
