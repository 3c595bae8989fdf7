//! A folder that `watch` serves or shall serve: whether it can, and what is pending there.

use super::report::{Finding, Status};
use super::{file_system, machine, pending, settings_files, state};
use crate::text::{shown, shown_path};
use rustix::fs::{Access, access};
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Name of the check whether a `watch` is at work.
pub(super) const WATCH: &str = "watch";
/// What that check finds then.
pub(super) const AT_WORK: &str = "at work";
/// A bucket of many years is looked over for so long, once for its runs and once for its settings.
const LOOKS: Duration = Duration::from_secs(5);
/// Folders that this user must be able to write to, where they are there.
const WRITTEN: [&str; 12] = [
    "results",
    "state",
    "state/jobs",
    "state/outbox/pending",
    "mail",
    ".dropscope",
    ".dropscope/objects",
    ".dropscope/records",
    ".dropscope/locks",
    ".dropscope/scratch",
    ".dropscope/fleet",
    ".dropscope/work",
];

/// Every check of a folder. One that cannot be a bucket at all is not looked into.
pub(super) fn all(folder: &Path, stop: &AtomicBool) -> Vec<(String, Finding)> {
    let ground = match ground(folder) {
        Ok(ground) => ground,
        Err(finding) => return vec![("folder".into(), finding)],
    };
    let mut found: Vec<(String, Finding)> = vec![("folder".into(), there(folder))];
    let written = writable(folder, &ground);
    let can_write = written.status == Status::Ok;
    found.push(("writable".into(), written));
    if can_write {
        found.extend(file_system::all(&place_of_probe(&ground)));
    }
    found.push(("room".into(), machine::room(&ground)));
    if ground == *folder {
        found.extend(contents(folder, stop));
    }
    found
}

/// What lies in a folder that is there.
fn contents(folder: &Path, stop: &AtomicBool) -> Vec<(String, Finding)> {
    let watched = watched(folder);
    let state = state::read(folder, Instant::now() + LOOKS, stop);
    let mut found = vec![(WATCH.to_owned(), watch(&watched, pending::open(&state)))];
    found.extend(settings_files::all(&folder.join("recordings"), Instant::now() + LOOKS, stop));
    found.extend(pending::all(&state, watched.unwrap_or(false), &|key| folder.join(key).symlink_metadata().is_ok()));
    found
}

/// The nearest folder that is there: the folder itself, or what it would be made in.
fn ground(folder: &Path) -> Result<PathBuf, Finding> {
    let another = "choose another folder";
    if folder.to_str().is_none() {
        let cause = format!("{} is not UTF-8", shown_path(folder));
        return Err(Finding::missing("a name that is not UTF-8", cause, "choose a folder with another name"));
    }
    // The parent of a single relative name is the current folder.
    let ways = folder.ancestors().map(|way| if way.as_os_str().is_empty() { Path::new(".") } else { way });
    for way in ways {
        match way.metadata() {
            Ok(meta) if meta.is_dir() => return Ok(way.to_owned()),
            Ok(_) => {
                let cause = format!("{} is no folder", shown_path(way));
                return Err(Finding::missing("a file", cause, another));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let cause = format!("{} cannot be looked at, {error}", shown_path(way));
                return Err(Finding::missing(
                    "out of reach",
                    cause,
                    "let this user enter the folders above it, or choose another folder",
                ));
            }
        }
    }
    Err(Finding::missing("nothing", format!("{} is nowhere", shown_path(folder)), another))
}

fn there(folder: &Path) -> Finding {
    let state = match (folder.is_dir(), folder.join(".dropscope").is_dir()) {
        (_, true) => "a bucket",
        (true, false) => "a folder, not yet a bucket: `watch` makes it one",
        (false, _) => "not there yet: `watch` makes it",
    };
    Finding::fine(format!("{} is {state}", shown_path(folder)))
}

/// Files in the making lie under `.dropscope/`, where no listing looks.
fn place_of_probe(ground: &Path) -> PathBuf {
    let own = ground.join(".dropscope");
    if own.is_dir() { own } else { ground.to_owned() }
}

fn writable(folder: &Path, ground: &Path) -> Finding {
    if let Err(error) = file_system::take(&place_of_probe(ground)) {
        return unwritable(ground, &error);
    }
    for name in WRITTEN.iter().map(|name| folder.join(name)).filter(|path| path.exists()) {
        if let Err(error) = access(&name, Access::WRITE_OK | Access::EXEC_OK) {
            return unwritable(&name, &error.into());
        }
    }
    let recordings = folder.join("recordings");
    if recordings.exists()
        && let Err(error) = access(&recordings, Access::READ_OK | Access::EXEC_OK)
    {
        let cause = format!("{} cannot be read, {}", shown_path(&recordings), io::Error::from(error));
        return Finding::missing("unreadable", cause, "give the folder to this user, as `chown -R \"$USER\"` does");
    }
    Finding::fine("this user may write")
}

fn unwritable(path: &Path, error: &io::Error) -> Finding {
    let remedy = match error.kind() {
        ErrorKind::PermissionDenied => "give the folder to this user, as `chown -R \"$USER\"` does, or choose another folder",
        ErrorKind::ReadOnlyFilesystem => "mount its disk for writing, or choose another folder",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "remove what nobody needs, or choose a folder on another disk",
        _ => "check the disk, or choose another folder",
    };
    Finding::missing("not writable", format!("{} cannot be written, {error}", shown_path(path)), remedy)
}

/// Whether a `watch` holds the folder's lock. The look shares the lock for an instant and changes nothing.
fn watched(folder: &Path) -> io::Result<bool> {
    let lock = match File::open(folder.join(".dropscope").join("watch.lock")) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn watch(watched: &io::Result<bool>, open: usize) -> Finding {
    match (watched, open) {
        (Ok(true), _) => Finding::warning(
            AT_WORK,
            "a `dropscope watch` is at work on the folder, and a second one will not start",
            "leave it at work; end it only to start one with other options",
        ),
        (Ok(false), 0) => Finding::fine("none at work, nothing left to do"),
        (Ok(false), n) => Finding::warning(
            "none at work",
            format!("runs that are not finished: {n}; and no `dropscope watch` is at work on the folder"),
            "start `dropscope watch` on it: it goes on where the last one was",
        ),
        (Err(error), _) => Finding::warning(
            "unknown",
            format!("whether a `watch` is at work cannot be told, {}", shown(&error.to_string())),
            "run this as the user who started `watch`",
        ),
    }
}
