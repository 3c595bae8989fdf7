//! What goes where: recordings on disk, and the keys of their files.

use crate::failure::Failure;
use crate::text::{shown, shown_path};
use dropscope_pipeline::folder::STATEMENT;
use dropscope_pipeline::key::{LONGEST_RECORDING_KEY, folder_name};
use dropscope_pipeline::{ObjectKey, RecordingKey};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// One recording: a file, or a folder of files.
#[derive(Debug)]
pub(super) struct Recording {
    /// Its own key: of the file, or of the folder, which ends in `/`.
    pub(super) key: ObjectKey,
    /// Its files. Of a folder's the last is its statement: when that lands the run begins.
    pub(super) files: Vec<Item>,
}

/// One file of it.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Where to.
    pub(super) key: ObjectKey,
    /// Where from; nothing for a statement that nobody wrote.
    pub(super) path: Option<PathBuf>,
    /// Bytes.
    pub(super) size: u64,
}

impl Recording {
    /// Bytes of all its files.
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|item| item.size).sum()
    }
}

/// Every recording that is named, checked before anything is sent.
pub(super) fn all(paths: &[PathBuf], owner: &str, into: &str) -> Result<Vec<Recording>, Failure> {
    let above = above(owner, into)?;
    let recordings: Vec<Recording> = paths.iter().map(|path| one(path, &above)).collect::<Result<_, _>>()?;
    let mut keys = BTreeSet::new();
    match recordings.iter().find(|recording| !keys.insert(&recording.key)) {
        None => Ok(recordings),
        Some(twice) => Err(Failure::input(
            format!("two recordings would be `{}`", shown(twice.key.as_str())),
            "upload them into different folders with --into",
        )),
    }
}

/// The folder that all of them go to.
fn above(owner: &str, into: &str) -> Result<String, Failure> {
    if owner.is_empty() || owner.contains('/') || owner.chars().any(char::is_control) {
        return Err(Failure::input(format!("`{}` cannot be an owner", shown(owner)), "give one name without slashes"));
    }
    let into = into.trim_matches('/');
    if into.is_empty() {
        return Ok(format!("recordings/{owner}/"));
    }
    if into.split('/').any(|part| part.is_empty() || folder_name(part).is_some()) {
        let cause = format!("`{}` cannot be the folder of recordings", shown(into));
        return Err(Failure::input(cause, "give names with one slash between, none of which ends in .rec"));
    }
    Ok(format!("recordings/{owner}/{into}/"))
}

fn one(path: &Path, above: &str) -> Result<Recording, Failure> {
    let unreadable = |error: io::Error| {
        Failure::input(format!("{} cannot be read, {error}", shown_path(path)), "check the name, and who may read it")
    };
    let whole = path.canonicalize().map_err(unreadable)?;
    let name = whole.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
        Failure::input(format!("{} has a name that is no text", shown_path(path)), "rename it, in UTF-8 without slashes")
    })?;
    let meta = whole.metadata().map_err(unreadable)?;
    let (key, files) = if meta.is_dir() {
        let folder = if folder_name(name).is_some() { name.to_owned() } else { format!("{name}.rec") };
        let key = ObjectKey::raw(format!("{above}{folder}/"));
        (key.clone(), members(&whole, &key)?)
    } else {
        let key = ObjectKey::raw(format!("{above}{name}"));
        (key.clone(), vec![Item { key, path: Some(whole.clone()), size: meta.len() }])
    };
    for checked in std::iter::once(&key).chain(files.iter().map(|item| &item.key)) {
        if checked.as_str().len() > LONGEST_RECORDING_KEY {
            let cause = format!("`{}` has {} bytes", shown(checked.as_str()), checked.as_str().len());
            return Err(Failure::input(cause, format!("rename it: a key has {LONGEST_RECORDING_KEY} bytes at most")));
        }
    }
    RecordingKey::parse(&key).map_err(|error| Failure::input(error.to_string(), "upload what a microscope wrote"))?;
    Ok(Recording { key, files })
}

/// The files below a folder in the order of their names, the statement last.
fn members(folder: &Path, key: &ObjectKey) -> Result<Vec<Item>, Failure> {
    let mut found = Vec::new();
    walk(folder, "", &mut found)?;
    found.sort();
    let mut items = Vec::new();
    for name in found.iter().filter(|name| *name != STATEMENT) {
        let path = folder.join(name);
        let size = path.metadata().map_err(|error| refused(&path, &error))?.len();
        items.push(Item { key: key.child(name), path: Some(path), size });
    }
    if items.is_empty() {
        return Err(Failure::input(format!("{} holds no files", shown_path(folder)), "name the folder of the recording"));
    }
    let statement = Some(folder.join(STATEMENT)).filter(|path| path.is_file());
    let size = match &statement {
        Some(path) => path.metadata().map_err(|error| refused(path, &error))?.len(),
        None => 0,
    };
    items.push(Item { key: key.child(STATEMENT), path: statement, size });
    Ok(items)
}

fn walk(folder: &Path, below: &str, found: &mut Vec<String>) -> Result<(), Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| refused(folder, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| refused(folder, &error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            let cause = format!("{} has a name that is no text", shown_path(&path));
            return Err(Failure::input(cause, "rename it, in UTF-8"));
        };
        // Hidden files are an editor's or a system's, not a microscope's.
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            walk(&path, &format!("{below}{name}/"), found)?;
        } else {
            found.push(format!("{below}{name}"));
        }
    }
    Ok(())
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    Failure::input(format!("{} cannot be read, {error}", shown_path(path)), "ask its owner to let you read it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(recording: &Recording) -> Vec<&str> {
        recording.files.iter().map(|item| item.key.as_str()).collect()
    }

    #[test]
    fn a_folder_is_one_recording_whose_statement_comes_last() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("fish");
        std::fs::create_dir_all(folder.join("z")).unwrap();
        for name in ["recording.toml", "z/b.tif", "a.tif", ".DS_Store"] {
            std::fs::write(folder.join(name), b"x").unwrap();
        }
        let all = all(&[folder], "ana", "day 1").unwrap();
        assert_eq!(all[0].key.as_str(), "recordings/ana/day 1/fish.rec/");
        let below = ["a.tif", "z/b.tif", "recording.toml"].map(|name| format!("recordings/ana/day 1/fish.rec/{name}"));
        assert_eq!(keys(&all[0]), below);
    }

    #[test]
    fn a_folder_without_a_statement_gets_one_so_that_its_run_begins() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("fish.rec");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("a.tif"), b"x").unwrap();
        let all = all(&[folder], "ana", "").unwrap();
        let last = all[0].files.last().unwrap();
        assert_eq!((last.key.as_str(), &last.path), ("recordings/ana/fish.rec/recording.toml", &None));
        assert!(dropscope_pipeline::folder::RecordingToml::from_toml("").is_ok());
    }

    #[test]
    fn what_cannot_become_a_recording_is_refused_before_anything_is_sent() {
        let dir = tempfile::tempdir().unwrap();
        let (movie, notes) = (dir.path().join("a.tif"), dir.path().join("notes.txt"));
        for path in [&movie, &notes] {
            std::fs::write(path, b"x").unwrap();
        }
        let refused = |paths: &[&PathBuf], owner: &str, into: &str| {
            let paths: Vec<PathBuf> = paths.iter().map(|path| (*path).clone()).collect();
            all(&paths, owner, into).unwrap_err().to_string()
        };
        assert!(refused(&[&movie], "a/b", "").contains("owner"));
        assert!(refused(&[&movie], "ana", "x.rec").contains("`x.rec`"));
        assert!(refused(&[&movie, &movie], "ana", "").contains("two recordings"));
        assert!(refused(&[&notes], "ana", "").contains("notes.txt"));
        assert!(refused(&[&movie], "ana", &"d".repeat(800)).contains("800 bytes at most"));
    }
}
