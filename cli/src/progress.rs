//! How far a run is: a bar on a terminal, plain lines elsewhere.

use dropscope_segment::RunProgress;
use dropscope_segmentation::Stage;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A flag that Ctrl-C raises, so that work can stop and clear away what is half-written. A second Ctrl-C ends it.
pub(crate) fn stop_by_keys() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, stop.clone())?;
        signal_hook::flag::register(signal, stop.clone())?;
    }
    Ok(stop)
}

/// Progress of one recording, on standard error.
pub(crate) struct Shown {
    stop: Arc<AtomicBool>,
    bar: Option<ProgressBar>,
    current: Mutex<Option<Current>>,
}

/// The stage that is going on.
struct Current {
    plane: usize,
    stage: Stage,
    since: Instant,
    /// Units of work in it.
    total: usize,
}

impl Shown {
    /// A bar if standard error is a terminal.
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(1);
            // A template that does not parse would be a mistake here; the default bar serves all the same.
            let style = ProgressStyle::with_template("{prefix:>14} [{bar:32}] {percent:>3} % {msg:>14} {eta:>5} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar
        });
        Self { stop: Arc::default(), bar, current: Mutex::new(None) }
    }

    /// The same; work stops when `stop` is raised.
    pub(crate) fn until(stop: Arc<AtomicBool>) -> Self {
        Self { stop, ..Self::new() }
    }

    /// Ends the last stage.
    pub(crate) fn finish(&self) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        self.close(&mut current);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn close(&self, current: &mut Option<Current>) {
        if let (None, Some(ended)) = (&self.bar, current.take()) {
            let seconds = ended.since.elapsed().as_secs_f64();
            let rate = rate(ended.stage, ended.total, seconds);
            eprintln!("{}", format!("  {:<14} {seconds:>6.1} s {rate:>18}", name(ended.stage)).trim_end());
        }
    }
}

impl RunProgress for Shown {
    fn step(&self, plane: usize, planes: usize, stage: Stage, done: usize, total: usize) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|c| (c.plane, c.stage) != (plane, stage)) {
            self.close(&mut current);
            *current = Some(Current { plane, stage, since: Instant::now(), total });
            if let Some(bar) = &self.bar {
                bar.reset();
                let of = if planes > 1 { format!(" {}/{planes}", plane + 1) } else { String::new() };
                bar.set_prefix(format!("{}{of}", name(stage)));
            } else if planes > 1 && stage == Stage::Reference {
                eprintln!("  plane {} of {planes}", plane + 1);
            }
        }
        if let (Some(bar), Some(current)) = (&self.bar, &*current) {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            bar.set_message(rate(stage, done, current.since.elapsed().as_secs_f64()));
        }
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Frames a second, where a stage counts frames; `done` of them took `seconds`.
fn rate(stage: Stage, done: usize, seconds: f64) -> String {
    let counts_frames = matches!(stage, Stage::Registration | Stage::Extraction);
    if counts_frames && done > 0 && seconds > 0.0 { format!("{:.0} frames/s", done as f64 / seconds) } else { String::new() }
}

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Reference => "reference",
        Stage::Registration => "registration",
        Stage::Detection => "detection",
        Stage::Extraction => "extraction",
        Stage::Deconvolution => "deconvolution",
        Stage::Classification => "classification",
        Stage::Clustering => "clustering",
    }
}
