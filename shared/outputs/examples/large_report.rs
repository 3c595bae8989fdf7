//! Writes the report of 5,000 ROIs of 100,000 frames, for the browser: `cargo run --example large_report -- FILE`.

#![allow(unreachable_pub)]

use dropscope_outputs::{ReportFacts, RunMeta, report_html_of};
use std::error::Error;

#[path = "../tests/support/large.rs"]
mod large;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("name a file to write")?;
    let meta = RunMeta {
        name: "five thousand cells".to_owned(),
        frame_rate_hz: 10.0,
        frame_rate_assumed: false,
        tau_s: 1.0,
        pixel_size_um: Some(0.6),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let recording = large::recording(5000, 100_000);
    let page = report_html_of(&meta, &recording, &ReportFacts::default(), &large::Made { frames: 100_000 })?;
    std::fs::write(&file, &page)?;
    println!("{file}: {} bytes", page.len());
    Ok(())
}
