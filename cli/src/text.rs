//! Words to a person or a pipe.

use crate::failure::Failure;
use std::io::Write;
use std::path::Path;

/// A name from outside, harmless for a terminal.
pub(crate) fn shown(text: &str) -> String {
    dropscope_pipeline::mail::shown(text)
}

/// A path, harmless for a terminal.
pub(crate) fn shown_path(path: &Path) -> String {
    shown(&path.to_string_lossy())
}

/// Says a line on standard output. A reader that went away is told in the exit code, not by a panic.
pub(crate) fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let said = writeln!(out, "{line}").and_then(|()| out.flush());
    said.map_err(|error| Failure::failed(&error, "nobody reads what this prints, or the disk is full"))
}
