//! Reads every page of each file with one thread and prints how long that takes: `read_all FILE…`.

use std::fs::File;
use std::time::Instant;

use dropscope_recording::{FrameBuffer, Limits, Overrides, open};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let start = Instant::now();
        let limits = Limits { min_frames: 1, ..Limits::default() };
        let recording = open(Box::new(File::open(&path)?), &limits, &Overrides::default())?;
        let (pages, info) = (recording.info().pages, recording.info().clone());
        let mut frame = FrameBuffer::new();
        for page in 0..pages {
            recording.read_page(page, &mut frame)?;
        }
        let seconds = start.elapsed().as_secs_f64();
        let megabytes = (pages * info.height * info.width * info.dtype.bytes()) as f64 / 1e6;
        println!("{seconds:8.3} s  {:8.1} MB/s  {path}", megabytes / seconds);
    }
    Ok(())
}
