//! Any bytes as what a checkpoint holds: taken up or ignored, and never more memory than there are bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dropscope_segmentation::fuzzing::checkpoints(bytes));
