//! What is known of an upload that broke off: kept beside the user's other state, and gone when the upload is done.

use super::plan::Item;
use dropscope_ports::Part;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// An upload in parts, as far as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Its name at the store.
    pub(super) upload: String,
    /// Part number → ETag.
    pub(super) parts: BTreeMap<u32, String>,
}

impl Record {
    /// The parts that are there, in the order of their numbers.
    pub(super) fn parts(&self) -> Vec<Part> {
        self.parts.iter().map(|(number, etag)| Part { number: *number, etag: etag.clone() }).collect()
    }
}

/// Where the record of one file lies; none where this user has no place for state.
#[derive(Debug, Clone)]
pub(super) struct Memory(Option<PathBuf>);

impl Memory {
    /// The record of this very file on its way to this very key: another size, time or inode is another file.
    pub(super) fn of(bucket: &str, item: &Item, path: &Path) -> io::Result<Self> {
        let Some(folder) = folder(&|name| std::env::var_os(name)) else { return Ok(Self(None)) };
        let meta = path.metadata()?;
        let what = (bucket, item.key.as_str(), path, meta.len(), meta.ino(), meta.mtime(), meta.mtime_nsec());
        let name = hex::encode(Sha256::digest(format!("{what:?}")));
        Ok(Self(Some(folder.join(format!("{name}.json")))))
    }

    /// What is known; one that cannot be read is none, and the upload begins anew.
    pub(super) fn recall(&self) -> Option<Record> {
        serde_json::from_slice(&std::fs::read(self.0.as_ref()?).ok()?).ok()
    }

    /// Keeps what is known, whole or not at all.
    pub(super) fn keep(&self, record: &Record) -> io::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        std::fs::create_dir_all(path.parent().unwrap_or(path))?;
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, serde_json::to_vec(record)?)?;
        std::fs::rename(fresh, path)
    }

    /// Forgets it.
    pub(super) fn forget(&self) {
        if let Some(path) = &self.0 {
            // It may never have been written.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Where programs keep their state (XDG base directory specification).
fn folder(variable: &dyn Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("dropscope/uploads"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_recalled_until_it_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let memory = Memory(Some(dir.path().join("a/b.json")));
        assert_eq!(memory.recall(), None);
        let record = Record { upload: "u".into(), parts: [(2, "e2".into()), (1, "e1".into())].into() };
        memory.keep(&record).unwrap();
        assert_eq!(memory.recall(), Some(record.clone()));
        assert_eq!(record.parts().iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2]);
        memory.forget();
        assert_eq!(memory.recall(), None);
    }

    #[test]
    fn state_is_kept_where_the_user_keeps_it() {
        let of =
            |pairs: &[(&str, &str)]| folder(&|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).into()));
        assert_eq!(of(&[("HOME", "/h")]), Some("/h/.local/state/dropscope/uploads".into()));
        assert_eq!(of(&[("HOME", "/h"), ("XDG_STATE_HOME", "/s")]), Some("/s/dropscope/uploads".into()));
        assert_eq!(of(&[]), None);
    }
}
