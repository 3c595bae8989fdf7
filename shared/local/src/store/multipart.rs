//! Uploads in parts: a folder of parts, joined when the upload is completed.

use super::layout::Layout;
use super::{etags, sorted};
use crate::atomic::{self, Temporary};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{ETag, ObjectsError, Part};
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

const MOST_PARTS: u32 = 10_000;

pub(super) fn start(layout: &Layout, key: &str) -> io::Result<String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let seed = format!("{key}\0{now}\0{}\0{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let id = hex::encode(&Sha256::digest(seed.as_bytes())[..16]);
    let folder = layout.parts().join(&id);
    fs::create_dir_all(&folder)?;
    atomic::write(&layout.scratch(), &folder.join("key"), key.as_bytes())?;
    Ok(id)
}

pub(super) fn put(layout: &Layout, key: &ObjectKey, upload: &str, number: u32, bytes: &[u8]) -> Result<Part, ObjectsError> {
    if !(1..=MOST_PARTS).contains(&number) {
        return Err(ObjectsError::Invalid { key: key.clone(), why: format!("part `{number}`; 1 to {MOST_PARTS} are allowed") });
    }
    let folder = find(layout, key, upload)?;
    atomic::write(&layout.scratch(), &folder.join(format!("{number}")), bytes).map_err(|e| sorted(key, e))?;
    Ok(Part { number, etag: etags::of_bytes(bytes) })
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
        let digest = append(&joined, &folder.join(format!("{}", part.number))).map_err(|e| sorted(key, e))?;
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
