//! Uploads in parts: a folder of parts, joined when the upload is completed.

use super::incoming::Arrived;
use super::layout::Layout;
use super::{LocalStore, etags, sorted};
use crate::atomic::{self, Temporary};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{ETag, ObjectsError, Part};
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

const MOST_PARTS: u32 = 10_000;

/// A part that waits for its upload to be completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// Number and ETag.
    pub part: Part,
    /// Size, bytes.
    pub size: u64,
    /// When it arrived.
    pub modified: SystemTime,
}

/// An upload in parts that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingUpload {
    /// Key of the object that it is to become.
    pub key: ObjectKey,
    /// Name of the upload.
    pub upload: String,
    /// When it was begun.
    pub begun: SystemTime,
}

pub(super) fn start(layout: &Layout, key: &str) -> io::Result<String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let seed = format!("{key}\0{now}\0{}\0{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let id = hex::encode(&Sha256::digest(seed.as_bytes())[..16]);
    let folder = layout.parts().join(&id);
    fs::create_dir_all(&folder)?;
    atomic::write(&layout.scratch(), &folder.join("key"), key.as_bytes())?;
    Ok(id)
}

pub(super) fn put(layout: &Layout, key: &ObjectKey, upload: &str, number: u32, bytes: &[u8]) -> Result<Part, ObjectsError> {
    let path = place(layout, key, upload, number)?;
    atomic::write(&layout.scratch(), &path, bytes).map_err(|e| sorted(key, e))?;
    Ok(Part { number, etag: etags::of_bytes(bytes) })
}

/// Keeps a part that arrived in pieces.
pub(super) fn keep(layout: &Layout, key: &ObjectKey, upload: &str, number: u32, arrived: Arrived) -> Result<Part, ObjectsError> {
    let path = place(layout, key, upload, number)?;
    let etag = arrived.etag();
    arrived.file.publish(&path).map_err(|e| sorted(key, e))?;
    Ok(Part { number, etag })
}

fn place(layout: &Layout, key: &ObjectKey, upload: &str, number: u32) -> Result<PathBuf, ObjectsError> {
    if !(1..=MOST_PARTS).contains(&number) {
        return Err(ObjectsError::Invalid { key: key.clone(), why: format!("part `{number}`; 1 to {MOST_PARTS} are allowed") });
    }
    Ok(find(layout, key, upload)?.join(number.to_string()))
}

/// The parts of an upload that are there, in ascending order of number.
pub(super) fn parts(layout: &Layout, key: &ObjectKey, upload: &str) -> Result<Vec<StoredPart>, ObjectsError> {
    let folder = find(layout, key, upload)?;
    let read = || -> io::Result<Vec<StoredPart>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let mut file = File::open(entry.path())?;
            let (meta, etag) = (file.metadata()?, etags::of_file(&mut file)?);
            found.push(StoredPart { part: Part { number, etag }, size: meta.len(), modified: meta.modified()? });
        }
        found.sort_by_key(|stored| stored.part.number);
        Ok(found)
    };
    read().map_err(|e| sorted(key, e))
}

/// Every upload in parts that is under way, in the order of keys.
pub(super) fn pending(layout: &Layout) -> io::Result<Vec<PendingUpload>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(layout.parts())? {
        let folder = entry?.path();
        let Some(upload) = folder.file_name().and_then(|name| name.to_str()).filter(|name| is_id(name)) else { continue };
        // An upload that ends meanwhile has no key any more.
        let Ok(key) = fs::read_to_string(folder.join("key")) else { continue };
        let begun = fs::metadata(folder.join("key"))?.modified()?;
        found.push(PendingUpload { key: ObjectKey::raw(key), upload: upload.to_owned(), begun });
    }
    found.sort_by(|a, b| (&a.key, a.begun, &a.upload).cmp(&(&b.key, b.begun, &b.upload)));
    Ok(found)
}

impl LocalStore {
    /// The parts of an upload that are there, in ascending order of number.
    ///
    /// # Errors
    /// See [`ObjectsError`]; an upload that is not there is [`ObjectsError::NotFound`].
    pub async fn parts(&self, key: &ObjectKey, upload: &str) -> Result<Vec<StoredPart>, ObjectsError> {
        let (of, upload) = (key.clone(), upload.to_owned());
        self.blocking(key, move |store| parts(&store.layout, &of, &upload)).await
    }

    /// Every upload in parts that is under way, in the order of keys.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    pub async fn pending_uploads(&self) -> Result<Vec<PendingUpload>, ObjectsError> {
        let whole = ObjectKey::raw("");
        let of = whole.clone();
        self.blocking(&whole, move |store| pending(&store.layout).map_err(|e| sorted(&of, e))).await
    }

    /// Whether an upload in parts to this key is under way.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    pub async fn is_pending(&self, key: &ObjectKey, upload: &str) -> Result<bool, ObjectsError> {
        let (of, upload) = (key.clone(), upload.to_owned());
        self.blocking(key, move |store| Ok(find(&store.layout, &of, &upload).is_ok())).await
    }

    /// The ETag that these parts make as one object; none when a part's own ETag is none of ours.
    pub fn joined_etag(parts: &[Part]) -> Option<ETag> {
        let digests: Option<Vec<Vec<u8>>> = parts.iter().map(|part| hex::decode(&part.etag).ok()).collect();
        digests.map(|digests| etags::of_parts(&digests))
    }
}

/// The parts as one file that is not yet an object, and the ETag that it will have.
pub(super) fn join(layout: &Layout, key: &ObjectKey, upload: &str, parts: &[Part]) -> Result<(Temporary, ETag), ObjectsError> {
    let folder = find(layout, key, upload)?;
    let ascending = parts.windows(2).all(|pair| pair[0].number < pair[1].number);
    if parts.is_empty() || !ascending {
        return Err(ObjectsError::Invalid { key: key.clone(), why: "parts are not in ascending order".into() });
    }
    let joined = Temporary::create(&layout.scratch()).map_err(|e| sorted(key, e))?;
    let mut digests = Vec::with_capacity(parts.len());
    for part in parts {
        let digest = match append(&joined, &folder.join(part.number.to_string())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ObjectsError::Invalid { key: key.clone(), why: format!("part `{}` was not uploaded", part.number) });
            }
            digest => digest.map_err(|e| sorted(key, e))?,
        };
        if hex::encode(&digest) != part.etag {
            return Err(ObjectsError::Invalid {
                key: key.clone(),
                why: format!("part `{}` is not the one uploaded", part.number),
            });
        }
        digests.push(digest);
    }
    Ok((joined, etags::of_parts(&digests)))
}

pub(super) fn forget(layout: &Layout, upload: &str) -> io::Result<()> {
    if !is_id(upload) {
        return Ok(());
    }
    match fs::remove_dir_all(layout.parts().join(upload)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn append(joined: &Temporary, part: &PathBuf) -> io::Result<Vec<u8>> {
    let (mut file, mut hash, mut buffer) = (File::open(part)?, Md5::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize().to_vec()),
            n => {
                hash.update(&buffer[..n]);
                joined.fill(&buffer[..n])?;
            }
        }
    }
}

/// An upload id comes from outside: anything but one of ours names no upload, and no path.
fn find(layout: &Layout, key: &ObjectKey, upload: &str) -> Result<PathBuf, ObjectsError> {
    let folder = layout.parts().join(if is_id(upload) { upload } else { "none" });
    match fs::read_to_string(folder.join("key")) {
        Ok(of) if of == key.as_str() => Ok(folder),
        _ => Err(ObjectsError::NotFound { key: key.clone() }),
    }
}

fn is_id(upload: &str) -> bool {
    upload.len() == 32 && upload.bytes().all(|b| b.is_ascii_hexdigit())
}
