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
    current: Mutex<Option<(usize, Stage, Instant)>>,
}

impl Shown {
    /// A bar if standard error is a terminal.
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(1);
            // A template that does not parse would be a mistake here; the default bar serves all the same.
            let style = ProgressStyle::with_template("{prefix:>14} [{bar:32}] {percent:>3} % {per_sec:>14} {eta:>5} left");
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

    fn close(&self, current: &mut Option<(usize, Stage, Instant)>) {
        if let (None, Some((_, stage, since))) = (&self.bar, current.take()) {
            eprintln!("  {:<14} {:>6.1} s", name(stage), since.elapsed().as_secs_f64());
        }
    }
}

impl RunProgress for Shown {
    fn step(&self, plane: usize, planes: usize, stage: Stage, done: usize, total: usize) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.is_none_or(|(p, s, _)| (p, s) != (plane, stage)) {
            self.close(&mut current);
            *current = Some((plane, stage, Instant::now()));
            if let Some(bar) = &self.bar {
                bar.reset();
                let of = if planes > 1 { format!(" {}/{planes}", plane + 1) } else { String::new() };
                bar.set_prefix(format!("{}{of}", name(stage)));
            } else if planes > 1 && stage == Stage::Reference {
                eprintln!("  plane {} of {planes}", plane + 1);
            }
        }
        if let Some(bar) = &self.bar {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        }
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
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
