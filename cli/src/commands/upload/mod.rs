//! `dropscope upload`: recordings into the bucket.

mod content;
mod plan;
mod resume;
mod send;

use crate::args::Upload;
use crate::failure::Failure;
use crate::place::Place;
use crate::text::{self, shown};
use indicatif::{ProgressBar, ProgressStyle};
use plan::Recording;
use send::{Sender, Sent};
use std::io::IsTerminal;
use std::sync::Arc;

pub(super) fn upload(args: &Upload) -> Result<(), Failure> {
    let recordings = plan::all(&args.paths, &args.owner, &args.into)?;
    super::runtime()?.block_on(async {
        let place = Arc::new(Place::open(&args.place).await?);
        let bar = bar(recordings.iter().map(Recording::bytes).sum());
        for recording in &recordings {
            let sender = Sender::new(place.clone(), bar.clone());
            let sent = sender.recording(recording).await;
            let sent = sent.inspect_err(|_| bar.abandon())?;
            bar.suspend(|| tell(recording, sent, args.json))?;
        }
        bar.finish_and_clear();
        Ok(())
    })
}

fn tell(recording: &Recording, sent: Sent, json: bool) -> Result<(), Failure> {
    let key = recording.key.as_str();
    if json {
        let line = serde_json::json!({
            "recording": key, "files": recording.files.len(), "bytes": recording.bytes(), "sent_bytes": sent.bytes,
        });
        return text::say(&line.to_string());
    }
    let what = match sent.bytes {
        0 => "there already".to_owned(),
        bytes => format!("{:.1} MB", bytes as f64 / 1e6),
    };
    text::say(&format!("{}  {what}", shown(key)))
}

/// Bytes sent, on a terminal.
fn bar(bytes: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(bytes);
    // A template that does not parse would be a mistake here; the default bar serves all the same.
    let style = ProgressStyle::with_template("[{bar:32}] {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
    bar
}
