//! Previews and summarises one recording: `cargo run --release -p dropscope-projection --example preview IN.tif OUT`.

use std::fs::{self, File};
use std::time::Instant;

use dropscope_projection::{About, Windows, survey};
use dropscope_recording::{Limits, Overrides, open};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(path), Some(out)) = (args.next(), args.next()) else { return Err("usage: preview IN.tif OUT".into()) };
    let file = File::open(&path)?;
    let recording = open(Box::new(file), &Limits::default(), &Overrides::default())?;
    let start = Instant::now();
    let survey = survey(&recording, &Windows::default(), &|_, _| {})?;
    let read = start.elapsed();
    let rate = survey.info.frame_rate_hz;
    let name = std::path::Path::new(&path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let about = About { name, frame_rate_hz: rate.unwrap_or(30.0), frame_rate_assumed: rate.is_none() };
    fs::create_dir_all(&out)?;
    for (name, bytes) in survey.preview_files(&about)?.into_iter().chain(survey.summary_files(&about)?) {
        fs::write(format!("{out}/{name}"), bytes)?;
    }
    println!("read in {:.3} s, rendered in {:.3} s", read.as_secs_f64(), (start.elapsed() - read).as_secs_f64());
    Ok(())
}
