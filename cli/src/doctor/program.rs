//! Asking other programs, in bounded time.

use rustix::process::{Pid, Signal, kill_process_group};
use std::env;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// A program that has not told its version after so long is asked no more.
pub(super) const LONGEST: Duration = Duration::from_secs(5);
/// Pause between two looks at a program.
const BLINK: Duration = Duration::from_millis(10);
/// What is in a pipe when its program has ended is read in no time.
const REST: Duration = Duration::from_millis(200);
/// A version is one line; more is not read.
const MOST_BYTES: u64 = 4096;
/// The name of a topic fits with all that stands before it: cut, it would be another's.
const LONGEST_LINE: usize = 400;

/// Why a program told nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silent {
    /// It cannot be started.
    #[error("it cannot be started, {0}")]
    Start(io::Error),
    /// It did not end in time.
    #[error("it does not answer in time")]
    Late,
    /// It failed.
    #[error("it failed, {0}")]
    Failed(ExitStatus),
}

/// The program `name` in the folders of `path`, as a shell finds it.
pub(super) fn find(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    let executable = |file: &PathBuf| file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    env::split_paths(path?).map(|folder| folder.join(name)).find(executable)
}

/// The first line that a program says. It gets no input, and is ended with all its children when its time is over.
///
/// # Errors
/// See [`Silent`].
pub(super) fn ask(program: &Path, arguments: &[&str], stop: &AtomicBool) -> Result<String, Silent> {
    ask_within(program, arguments, stop, LONGEST)
}

/// The same with another limit.
///
/// # Errors
/// See [`Silent`].
pub(super) fn ask_within(program: &Path, arguments: &[&str], stop: &AtomicBool, longest: Duration) -> Result<String, Silent> {
    let mut child = Command::new(program)
        .args(arguments)
        // A question about a version is nobody else's business.
        .env("SAM_CLI_TELEMETRY", "0")
        .env("AWS_PAGER", "")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(Silent::Start)?;
    let (tell, told) = channel();
    if let Some(out) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            // What was read before an error is all there is.
            let _ = out.take(MOST_BYTES).read_to_end(&mut bytes);
            let _ = tell.send(bytes);
        });
    }
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default());
    let ended = wait(&mut child, stop, Instant::now() + longest);
    let said = if ended.is_some() { told.recv_timeout(REST).ok() } else { None };
    if said.is_none() {
        // It, or a child that holds its output: the group lives, so its number is still its own.
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = child.wait();
    }
    match (ended, said) {
        (Some(status), Some(said)) if status.success() => Ok(first_line(&said)),
        (Some(status), _) if !status.success() => Err(Silent::Failed(status)),
        _ => Err(Silent::Late),
    }
}

/// How a program ended; none when it did not in time, or somebody stops the looking.
fn wait(child: &mut Child, stop: &AtomicBool, until: Instant) -> Option<ExitStatus> {
    while Instant::now() < until && !stop.load(Ordering::Relaxed) {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(BLINK),
            Ok(Some(status)) => return Some(status),
            Err(_) => return None,
        }
    }
    None
}

fn first_line(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no version").chars().take(LONGEST_LINE).collect()
}
