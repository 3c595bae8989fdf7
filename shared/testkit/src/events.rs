//! The payloads in `events/`, and what `events/INDEX.md` says becomes of each.

use serde_json::Value;
use std::io;
use std::path::PathBuf;

/// One row: a payload, a function that gets it, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Name of the payload's file.
    pub file: String,
    /// Function that gets it; `-` for none.
    pub function: String,
    /// `done: words`, `refused: words` or `failed: type`; why not, for no function.
    pub outcome: String,
}

/// The folder of payloads.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

/// One payload.
///
/// # Errors
/// When there is no such file, or it is not JSON.
pub fn payload(file: &str) -> io::Result<Value> {
    let text = std::fs::read_to_string(folder().join(file))?;
    serde_json::from_str(&text).map_err(io::Error::other)
}

/// The first table of `events/INDEX.md`.
///
/// # Errors
/// When it cannot be read.
pub fn rows() -> io::Result<Vec<Row>> {
    let text = std::fs::read_to_string(folder().join("INDEX.md"))?;
    let table = text.lines().skip_while(|line| !line.starts_with("| file | function |")).skip(2);
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').splitn(3, '|').map(|cell| cell.trim().to_owned());
        Some(Row { file: cells.next()?, function: cells.next()?, outcome: cells.next()? })
    };
    Ok(table.take_while(|line| line.starts_with('|')).filter_map(row).collect())
}

/// The rows of one function.
///
/// # Errors
/// When the table cannot be read.
pub fn rows_of(function: &str) -> io::Result<Vec<Row>> {
    Ok(rows()?.into_iter().filter(|row| row.function == function).collect())
}
