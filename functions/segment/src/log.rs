//! log.txt: what happened when, for a person.

use dropscope_pipeline::Timestamp;
use std::sync::{Mutex, PoisonError};

/// The lines of one run's log.
#[derive(Debug, Default)]
pub struct RunLog {
    lines: Mutex<String>,
}

impl RunLog {
    /// Adds a line. A line break in it cannot forge another line.
    pub fn line(&self, at: Timestamp, text: &str) {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_str(&format!("{at}  {text}\n"));
    }

    /// The log so far.
    pub fn text(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
