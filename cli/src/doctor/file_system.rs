//! Whether a file system does what the store is built on, found by doing it in a folder that is removed afterwards.

use super::report::Finding;
use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Names of files are this long at most, bytes; the store counts on it.
const LONGEST_NAME: usize = 200;
/// What clients write into keys, and some file systems refuse in names.
const ODD_NAME: &str = "a:b?c*d\"e<f>g|h été #%";
/// Bytes that a full disk or a spent quota refuses.
const TRIAL: usize = 1 << 16;

/// A folder for probes, removed when it is dropped.
struct Probe {
    folder: PathBuf,
}

impl Probe {
    fn begin(within: &Path) -> io::Result<Self> {
        let folder = within.join(format!(".dropscope-doctor-{}", std::process::id()));
        // A process of the same number was killed here once.
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir(&folder)?;
        Ok(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // What cannot be removed was hardly made: the finding says so.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Makes a folder and a file in `within`, and removes both.
///
/// # Errors
/// When the user may not, the disk is full, or does not keep what is written.
pub(super) fn take(within: &Path) -> io::Result<()> {
    let probe = Probe::begin(within)?;
    let mut file = File::create(probe.path("trial"))?;
    file.write_all(&[0; TRIAL])?;
    file.sync_all()
}

/// Every check of the file system that `within` is on.
pub(super) fn all(within: &Path) -> Vec<(String, Finding)> {
    let probe = match Probe::begin(within) {
        Ok(probe) => probe,
        Err(error) => return vec![("file system".into(), unfit(&format!("is out of order, {error}")))],
    };
    [("renames", renames(replace(&probe))), ("locks", locks(exclude(&probe))), ("names", names(&refused_names(&probe)))]
        .map(|(name, finding)| (name.to_owned(), finding))
        .into()
}

fn unfit(how: &str) -> Finding {
    let cause = format!("the file system {how}: a bucket there would lose or mix writes");
    Finding::missing("unfit", cause, "choose a folder on a local disk (ext4, xfs, btrfs, apfs)")
}

/// Writes a file and renames it over another, as every write of the store. Whether it stayed the same file: ETags are
/// kept by inode, size and time.
fn replace(probe: &Probe) -> io::Result<bool> {
    let (old, new) = (probe.path("object"), probe.path("making"));
    fs::write(&old, b"old")?;
    let mut file = File::create(&new)?;
    file.write_all(b"newer")?;
    file.sync_all()?;
    let before = identity(&file.metadata()?);
    fs::rename(&new, &old)?;
    File::open(&probe.folder)?.sync_all()?;
    if fs::read(&old)? != b"newer" || new.exists() {
        return Err(io::Error::other("the new file did not take the place of the old one"));
    }
    Ok(identity(&fs::metadata(&old)?) == before)
}

fn identity(meta: &Metadata) -> (u64, u64, i64, i64) {
    (meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec())
}

fn renames(replaced: io::Result<bool>) -> Finding {
    match replaced {
        Ok(true) => Finding::fine("a new file takes the place of an old one at once"),
        Ok(false) => Finding::warning(
            "slow",
            "a file does not keep its number and time when it is renamed, so every look reads it whole",
            "choose a folder on a local disk (ext4, xfs, btrfs, apfs)",
        ),
        Err(error) => unfit(&format!("cannot replace a file by renaming, {error}")),
    }
}

/// Whether a lock keeps another writer out.
fn exclude(probe: &Probe) -> io::Result<bool> {
    let open = || File::options().create(true).write(true).truncate(false).open(probe.path("lock"));
    let (first, second) = (open()?, open()?);
    match first.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    match second.try_lock() {
        Ok(()) => return Ok(false),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(error),
    }
    drop(first);
    // Free again once its holder is gone.
    Ok(second.try_lock().is_ok())
}

fn locks(excluded: io::Result<bool>) -> Finding {
    match excluded {
        Ok(true) => Finding::fine("one writer at a time"),
        Ok(false) => unfit("does not keep two writers apart"),
        Err(error) => unfit(&format!("has no locks, {error}")),
    }
}

/// Names that keys have and files here cannot, in words.
fn refused_names(probe: &Probe) -> Vec<&'static str> {
    let make = |name: &str| File::create_new(probe.path(name)).map(drop);
    let mut refused = Vec::new();
    if make(&"n".repeat(LONGEST_NAME)).is_err() {
        refused.push("of 200 bytes");
    }
    if make(ODD_NAME).is_err() {
        refused.push("with `:`, `?` or `*`");
    }
    if make("case").is_ok() && make("CASE").is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
        refused.push("that differ in capitals only");
    }
    refused
}

fn names(refused: &[&str]) -> Finding {
    if refused.is_empty() {
        return Finding::fine("any name that S3 clients use");
    }
    let cause = format!("the file system does not take file names {}", refused.join(", nor names "));
    Finding::warning("some are refused", cause, "keep such names out of recordings/, or choose a folder on another disk")
}

#[cfg(test)]
mod tests {
    use super::super::report::Status::{Missing, Ok as Fine, Warning};
    use super::*;

    #[test]
    fn a_local_disk_does_all_and_keeps_nothing() {
        let dir = tempfile::tempdir().unwrap();
        take(dir.path()).unwrap();
        for (name, finding) in all(dir.path()) {
            assert!(finding.status == Fine || name == "names", "{name}: {finding:?}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_probe_clears_away_what_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let probe = Probe::begin(dir.path()).unwrap();
        fs::write(probe.path("x"), b"x").unwrap();
        drop(probe);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_the_store_is_built_on_is_needed_and_odd_names_are_not() {
        let error = || Err(ErrorKind::Unsupported.into());
        assert_eq!([renames(error()).status, locks(error()).status, locks(Ok(false)).status], [Missing; 3]);
        assert_eq!([renames(Ok(false)).status, names(&["of 200 bytes"]).status], [Warning; 2]);
    }
}
