//! Clearing away what dead processes left.

use super::{Inner, LocalStore, sorted};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::ObjectsError;
use rustix::process::{Pid, test_kill_process};
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// An upload in parts that nobody has touched for so long is given up; a bucket in the cloud has a rule that says so.
const UPLOAD_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

impl LocalStore {
    /// Removes files in the making whose process is gone, and uploads in parts untouched for a week.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    pub async fn sweep(&self) -> Result<(), ObjectsError> {
        let whole = ObjectKey::raw("");
        let of = whole.clone();
        self.blocking(&whole, move |store| store.sweep(SystemTime::now()).map_err(|e| sorted(&of, e))).await
    }
}

impl Inner {
    fn sweep(&self, now: SystemTime) -> io::Result<()> {
        for entry in fs::read_dir(self.layout.scratch())? {
            let path = entry?.path();
            if maker(&path).is_some_and(is_gone) {
                remove(fs::remove_file(&path))?;
            }
        }
        for entry in fs::read_dir(self.layout.parts())? {
            let path = entry?.path();
            let touched = fs::metadata(&path).and_then(|meta| meta.modified()).unwrap_or(now);
            if now.duration_since(touched).is_ok_and(|age| age > UPLOAD_KEPT) {
                remove(fs::remove_dir_all(&path))?;
            }
        }
        Ok(())
    }
}

/// The process that made a temporary file: its name begins with its number.
fn maker(path: &Path) -> Option<Pid> {
    path.file_name()?.to_str()?.split_once('-')?.0.parse().ok().and_then(Pid::from_raw)
}

/// A number that was given to another process keeps a file until the next sweep; nothing worse.
fn is_gone(process: Pid) -> bool {
    test_kill_process(process) == Err(rustix::io::Errno::SRCH)
}

fn remove(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
