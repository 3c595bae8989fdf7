//! provenance.json: which input, settings, version, machine and times made a result.

use dropscope_jobs::Input;
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
    /// SHA-256 of the input, hex, see [`hash_input`].
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
    /// That an earlier attempt had come some way; none where this one began afresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed: Option<Resumed>,
    /// What it cost, as far as known when it was committed.
    pub cost: Usd,
}

/// Where an attempt took up the work of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resumed {
    /// The last checkpoint that was used, and how far it reached.
    pub from: String,
    /// Readings of frames that its checkpoints spared it.
    pub frames_spared: usize,
    /// Readings of frames that it did itself: those that nobody had come to, and those that were done and lost.
    pub frames_read: usize,
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

/// SHA-256 of the input, hex, and how many bytes it has.
///
/// Of one file it is the hash of its bytes, as `sha256sum` prints it. Of many it is one hash over a record for each file,
/// in the byte order of their names: length of the name in bytes (8 bytes, big-endian), the name (UTF-8), size of the file
/// (8 bytes, big-endian), its bytes. Files that hold no pixels count too: they may say what the pixels mean.
///
/// # Errors
/// When they cannot be read.
pub fn hash_input(input: &Input) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let total = match input {
        Input::One(file) => feed(&**file, file.size()?, &mut hash)?,
        Input::Many(members) => {
            let mut order: Vec<usize> = (0..members.names().len()).collect();
            order.sort_by_key(|member| &members.names()[*member]);
            order.into_iter().try_fold(0, |total: u64, member| {
                let (name, file) = (&members.names()[member], members.open(member)?);
                let size = file.size()?;
                hash.update((name.len() as u64).to_be_bytes());
                hash.update(name.as_bytes());
                hash.update(size.to_be_bytes());
                Ok::<_, io::Error>(total + feed(&*file, size, &mut hash)?)
            })?
        }
    };
    Ok((hex::encode(hash.finalize()), total))
}

fn feed(source: &dyn ReadAt, size: u64, hash: &mut Sha256) -> io::Result<u64> {
    let mut buffer = vec![0; size.min(1 << 20) as usize];
    let mut done = 0;
    while done < size {
        let count = (size - done).min(buffer.len() as u64) as usize;
        source.read_exact_at(done, &mut buffer[..count])?;
        hash.update(&buffer[..count]);
        done += count as u64;
    }
    Ok(size)
}
