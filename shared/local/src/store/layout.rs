//! Which file an object is.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Everything that is not an object lies here.
const OWN: &str = ".dropscope";
/// Longest name that every file system takes, bytes.
const LONGEST_NAME: usize = 200;
/// Longest path below the folder; most systems take 4096 bytes in all.
const LONGEST_PATH: usize = 1100;

/// A bucket's folder.
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let root = root.canonicalize()?;
        for folder in ["objects", "records", "locks", "scratch", "parts"] {
            fs::create_dir_all(root.join(OWN).join(folder))?;
        }
        Ok(Self { root })
    }

    /// Files in the making; on the same disk, so that a rename publishes them.
    pub(super) fn scratch(&self) -> PathBuf {
        self.root.join(OWN).join("scratch")
    }

    /// Uploads in parts.
    pub(super) fn parts(&self) -> PathBuf {
        self.root.join(OWN).join("parts")
    }

    /// The record of an object's ETags.
    pub(super) fn record(&self, key: &str) -> PathBuf {
        self.root.join(OWN).join("records").join(digest(key))
    }

    /// Keeps other writers of the key out, in this process and in others, until it is dropped.
    pub(super) fn lock(&self, key: &str) -> io::Result<File> {
        let shard = &digest(key)[..2];
        let lock =
            File::options().create(true).write(true).truncate(false).open(self.root.join(OWN).join("locks").join(shard))?;
        lock.lock()?;
        Ok(lock)
    }

    /// The file of an object that is there.
    pub(super) fn find(&self, key: &str) -> io::Result<Option<PathBuf>> {
        for path in self.plain(key).into_iter().chain([self.hidden(key).join("data")]) {
            match fs::symlink_metadata(&path) {
                Ok(meta) if meta.is_file() => return Ok(Some(path)),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The file that an object is to become: where it is, else at its own path, else hidden. `a` and `a/b` cannot
    /// both be files; S3 has no such rule.
    pub(super) fn claim(&self, key: &str) -> io::Result<PathBuf> {
        if let Some(path) = self.find(key)? {
            return Ok(path);
        }
        if let Some(path) = self.plain(key).filter(|path| !path.is_dir() && self.folders_can_be(path)) {
            return Ok(path);
        }
        let folder = self.hidden(key);
        fs::create_dir_all(&folder)?;
        crate::atomic::write(&self.scratch(), &folder.join("key"), key.as_bytes())?;
        Ok(folder.join("data"))
    }

    /// Removes what is left of a removed object.
    pub(super) fn forget(&self, key: &str) -> io::Result<()> {
        for gone in [fs::remove_file(self.record(key)), fs::remove_dir_all(self.hidden(key))] {
            match gone {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Every object under a prefix, in the byte order of keys.
    pub(super) fn walk(&self, prefix: &str) -> io::Result<BTreeMap<String, PathBuf>> {
        let mut found = BTreeMap::new();
        // Only the folder that the prefix names has to be walked.
        let within = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        let start = if within.is_empty() { Some(self.root.clone()) } else { self.plain(within) };
        let mut folders: Vec<PathBuf> = start.into_iter().filter(|p| p.is_dir()).collect();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                let Some(key) = self.key_of(&entry.path()) else { continue };
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() && key.starts_with(prefix) && self.plain(&key).is_some() {
                    found.insert(key, entry.path());
                }
            }
        }
        for entry in fs::read_dir(self.root.join(OWN).join("objects"))? {
            let folder = entry?.path();
            let (data, Ok(key)) = (folder.join("data"), fs::read_to_string(folder.join("key"))) else { continue };
            if key.starts_with(prefix) && data.is_file() {
                found.entry(key).or_insert(data);
            }
        }
        Ok(found)
    }

    fn key_of(&self, path: &Path) -> Option<String> {
        let relative = path.strip_prefix(&self.root).ok()?.to_str()?;
        (relative.split('/').next() != Some(OWN)).then(|| relative.to_owned())
    }

    fn hidden(&self, key: &str) -> PathBuf {
        self.root.join(OWN).join("objects").join(digest(key))
    }

    /// The path that a key says, when a file can have it on any system and nothing escapes the folder.
    fn plain(&self, key: &str) -> Option<PathBuf> {
        let odd = |name: &str| name.is_empty() || name == "." || name == ".." || name == OWN || name.len() > LONGEST_NAME;
        let unusable = key.len() > LONGEST_PATH || key.contains(['\0', '\\']) || key.split('/').any(odd);
        // The mail folder is for people, not part of the bucket.
        (!unusable && !key.starts_with("mail/")).then(|| self.root.join(key))
    }

    fn folders_can_be(&self, path: &Path) -> bool {
        path.ancestors().skip(1).take_while(|p| p.starts_with(&self.root)).all(|p| p.is_dir() || !p.exists())
    }
}

fn digest(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}
