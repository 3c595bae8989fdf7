//! provenance.json: which input, settings, version, machine and times made a result.

use dropscope_pipeline::{Plan, Timestamp, Usd};
use dropscope_recording::{Info, ReadAt};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io;

/// Everything needed to tell how a result came to be.
#[derive(Debug, Clone, Serialize)]
pub struct Provenance<'a> {
    /// Layout of this document.
    pub schema: u32,
    /// Program and version.
    pub program: String,
    /// The input as its owner knows it: key or path.
    pub input: &'a str,
    /// SHA-256 of the input's bytes, hex.
    pub input_sha256: &'a str,
    /// Size of the input, bytes.
    pub input_bytes: u64,
    /// What the input is.
    pub recording: &'a Info,
    /// Every setting in use, with its source.
    pub plan: &'a Plan,
    /// Where it was computed.
    pub machine: Machine,
    /// When it was computed.
    #[serde(flatten)]
    pub times: Times,
    /// What it cost, as far as known when it was committed.
    pub cost: Usd,
}

/// Start and end of the work.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Times {
    /// When the work began.
    pub started_at: Timestamp,
    /// When its results were made.
    pub finished_at: Timestamp,
    /// Between the two, seconds.
    pub seconds: f64,
}

impl Times {
    /// From start to end.
    pub fn between(started_at: Timestamp, finished_at: Timestamp) -> Self {
        Self { started_at, finished_at, seconds: finished_at.seconds_since(started_at) }
    }
}

/// The machine that computed.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Operating system.
    pub os: &'static str,
    /// Processor architecture.
    pub architecture: &'static str,
    /// Processor's own name, where the system tells.
    pub processor: Option<String>,
    /// Cores that the program may use.
    pub cores: usize,
}

impl Machine {
    /// This machine.
    pub fn this() -> Self {
        Self {
            os: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            processor: processor(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        }
    }
}

/// Linux tells it in a file; elsewhere it stays unknown.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

/// SHA-256 of all bytes of a file, as hex, and how many there are.
///
/// # Errors
/// When they cannot be read.
pub fn hash_input(source: &dyn ReadAt) -> io::Result<(String, u64)> {
    let (mut hash, mut buffer, total) = (Sha256::new(), vec![0; 1 << 20], source.size()?);
    let mut done = 0;
    while done < total {
        let count = (total - done).min(buffer.len() as u64) as usize;
        source.read_exact_at(done, &mut buffer[..count])?;
        hash.update(&buffer[..count]);
        done += count as u64;
    }
    Ok((hex::encode(hash.finalize()), total))
}
