//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes `bytes` to `path` through a file in `scratch` on the same disk: after a crash there is the old file, the
/// new one, or none, never a part.
pub(crate) fn write(scratch: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = Temporary::create(scratch)?;
    temporary.fill(bytes)?;
    temporary.publish(path)
}

/// A file without a name that anyone looks at; removed when it is dropped before it is published.
pub(crate) struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    /// A new empty file in `scratch`, which is made when it is not there.
    pub(crate) fn create(scratch: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(scratch)?;
        let path = scratch.join(format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let file = File::options().write(true).read(true).create(true).truncate(true).open(&path)?;
        Ok(Self { path, file })
    }

    /// Appends.
    pub(crate) fn fill(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    /// What the disk says of it.
    pub(crate) fn metadata(&self) -> io::Result<fs::Metadata> {
        self.file.metadata()
    }

    /// Gives the file its name, replacing what had it.
    pub(crate) fn publish(self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(&self.path, path)?;
        sync_folder(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Gone already when it was published.
        let _ = fs::remove_file(&self.path);
    }
}

/// A rename lasts once its folder is on disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
