//! ETags of files, remembered as long as the file is the same one.

use super::layout::Layout;
use dropscope_ports::ETag;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;

/// What identifies a file without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    inode: u64,
    size: u64,
    modified_s: i64,
    modified_ns: i64,
}

impl From<&Metadata> for Identity {
    fn from(meta: &Metadata) -> Self {
        Self { inode: meta.ino(), size: meta.size(), modified_s: meta.mtime(), modified_ns: meta.mtime_nsec() }
    }
}

/// The newest file and the one before it: written before the newest is published, so either is known after a crash.
type Record = Vec<(Identity, ETag)>;

/// The ETag and size of an open file.
pub(super) fn of(layout: &Layout, key: &str, file: &mut File) -> io::Result<(ETag, u64)> {
    let meta = file.metadata()?;
    let identity = Identity::from(&meta);
    if let Some((_, etag)) = recall(layout, key).into_iter().find(|(known, _)| *known == identity) {
        return Ok((etag, meta.len()));
    }
    let etag = of_file(file)?;
    // A file that is still being written gets another ETag at the next look; only a settled one is remembered.
    if Identity::from(&file.metadata()?) == identity {
        remember(layout, key, &meta, &etag)?;
    }
    Ok((etag, meta.len()))
}

/// Keeps the ETag of a file that is, or is about to be, the object.
pub(super) fn remember(layout: &Layout, key: &str, meta: &Metadata, etag: &ETag) -> io::Result<()> {
    let identity = Identity::from(meta);
    let mut record: Record = vec![(identity.clone(), etag.clone())];
    record.extend(recall(layout, key).into_iter().filter(|(known, _)| *known != identity).take(1));
    let text = serde_json::to_vec(&record)?;
    crate::atomic::write(&layout.scratch(), &layout.record(key), &text)
}

/// A record that is missing or broken is no record: the content tells.
fn recall(layout: &Layout, key: &str) -> Record {
    std::fs::read(layout.record(key)).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// S3's ETag of an object put at once: the MD5 of its bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> ETag {
    hex::encode(Md5::digest(bytes))
}

/// S3's ETag of an object put in parts: the MD5 of the parts' MD5s, and their number.
pub(super) fn of_parts(digests: &[Vec<u8>]) -> ETag {
    format!("{}-{}", hex::encode(Md5::digest(digests.concat())), digests.len())
}

/// S3's ETag of an object put at once, from a file.
pub(super) fn of_file(file: &mut File) -> io::Result<ETag> {
    file.seek(SeekFrom::Start(0))?;
    let (mut hash, mut buffer) = (Md5::new(), vec![0; 1 << 18]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}
