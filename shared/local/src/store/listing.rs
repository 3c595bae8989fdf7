//! Looking over the whole bucket: pages of keys as S3 has them, and files as they lie there.

use super::{Inner, LocalStore, PAGE, sorted};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{ObjectMeta, ObjectsError};
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// What a page of a listing is to hold (S3 API, ListObjectsV2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only keys that start so.
    pub prefix: String,
    /// Keys that have this after the prefix are shown once, cut behind it.
    pub delimiter: Option<String>,
    /// Only keys after this one; a common prefix stands for all its keys.
    pub after: String,
    /// At most so many keys and common prefixes; 1000 are the most.
    pub most: usize,
}

/// A page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Objects, with the time each was written, in the byte order of their keys.
    pub objects: Vec<(ObjectMeta, SystemTime)>,
    /// Common prefixes, in byte order.
    pub prefixes: Vec<String>,
    /// What to continue after; none when this page is the last.
    pub next: Option<String>,
}

/// A file that lies in the bucket, without a look inside.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sighting {
    /// Key of the object that it is.
    pub key: ObjectKey,
    /// Size, bytes.
    pub size: u64,
    /// Which file it is.
    pub inode: u64,
    /// When it was last written: seconds and nanoseconds.
    pub modified: (i64, i64),
}

impl LocalStore {
    /// One page of a listing.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    pub async fn page(&self, query: Query) -> Result<Page, ObjectsError> {
        let under = ObjectKey::raw(query.prefix.clone());
        let of = under.clone();
        self.blocking(&under, move |store| store.page(&query).map_err(|e| sorted(&of, e))).await
    }

    /// Every file under `prefix`: names, sizes and times only, so that it may be asked often.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    pub async fn sightings(&self, prefix: &str) -> Result<Vec<Sighting>, ObjectsError> {
        let under = ObjectKey::raw(prefix);
        let of = under.clone();
        self.blocking(&under, move |store| store.sightings(of.as_str()).map_err(|e| sorted(&of, e))).await
    }
}

impl Inner {
    fn page(&self, query: &Query) -> io::Result<Page> {
        let mut page = Page::default();
        let (most, mut last, mut count) = (query.most.min(PAGE), None, 0);
        let after = (Bound::Excluded(query.after.as_str()), Bound::Unbounded);
        for (key, path) in self.layout.walk(&query.prefix)?.range::<str, _>(after) {
            let group = group(key, query);
            if group.is_some_and(|group| group == query.after || page.prefixes.last().is_some_and(|p| p == group)) {
                continue;
            }
            if count == most {
                page.next = last;
                return Ok(page);
            }
            match group {
                Some(group) => page.prefixes.push(group.to_owned()),
                None => match self.entry(key, path)? {
                    Some(entry) => page.objects.push(entry),
                    None => continue,
                },
            }
            last = Some(group.unwrap_or(key).to_owned());
            count += 1;
        }
        Ok(page)
    }

    /// An object of a listing; none when it was removed since the walk.
    fn entry(&self, key: &str, path: &Path) -> io::Result<Option<(ObjectMeta, SystemTime)>> {
        let look = || -> io::Result<_> {
            let mut file = File::open(path)?;
            Ok((self.meta(&ObjectKey::raw(key), &mut file)?, file.metadata()?.modified()?))
        };
        match look() {
            Ok(entry) => Ok(Some(entry)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn sightings(&self, prefix: &str) -> io::Result<Vec<Sighting>> {
        let mut seen = Vec::new();
        for (key, path) in self.layout.walk(prefix)? {
            // Gone or unreadable since the walk: the next look tells.
            let Ok(meta) = std::fs::symlink_metadata(&path) else { continue };
            let modified = (meta.mtime(), meta.mtime_nsec());
            seen.push(Sighting { key: ObjectKey::raw(key), size: meta.size(), inode: meta.ino(), modified });
        }
        Ok(seen)
    }
}

/// The common prefix that a key belongs to, if the query has a delimiter and the key has it too.
fn group<'a>(key: &'a str, query: &Query) -> Option<&'a str> {
    let delimiter = query.delimiter.as_deref().filter(|d| !d.is_empty())?;
    let rest = key.get(query.prefix.len()..)?;
    let end = query.prefix.len() + rest.find(delimiter)? + delimiter.len();
    key.get(..end)
}
