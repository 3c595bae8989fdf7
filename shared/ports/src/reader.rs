//! An object as a file: `Read` and `Seek` over ranged reads.

use crate::objects::{ObjectMeta, Objects, ObjectsError, Select};
use crate::retry::patiently_blocking;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use tokio::runtime::Handle;

/// Blocks that are kept: a TIFF's directories and its pixels lie far apart.
const BLOCKS: usize = 4;

/// Reads one version of one object in blocks. Blocking: to be used off the asynchronous threads only.
///
/// Every read is conditional on the ETag, so an object replaced half way is noticed and never mixed.
pub struct ObjectReader {
    objects: Arc<dyn Objects>,
    runtime: Handle,
    meta: ObjectMeta,
    block: u64,
    position: u64,
    /// Most recently used first.
    blocks: Vec<(u64, Vec<u8>)>,
}

impl ObjectReader {
    /// A reader of the object that `meta` tells of, in blocks of `block` bytes (at least 1 KiB).
    pub fn new(objects: Arc<dyn Objects>, runtime: Handle, meta: ObjectMeta, block: u64) -> Self {
        Self { objects, runtime, meta, block: block.max(1024), position: 0, blocks: Vec::new() }
    }

    fn block(&mut self, number: u64) -> io::Result<&[u8]> {
        match self.blocks.iter().position(|(n, _)| *n == number) {
            Some(0) => {}
            Some(at) => {
                let block = self.blocks.remove(at);
                self.blocks.insert(0, block);
            }
            None => {
                let bytes = self.fetch(number)?;
                self.blocks.truncate(BLOCKS - 1);
                self.blocks.insert(0, (number, bytes));
            }
        }
        Ok(self.blocks.first().map_or(&[], |(_, bytes)| bytes.as_slice()))
    }

    fn fetch(&self, number: u64) -> io::Result<Vec<u8>> {
        let start = number * self.block;
        let range = start..(start + self.block).min(self.meta.size);
        let expected = range.end - range.start;
        let select = Select { version: self.meta.version.clone(), if_match: Some(self.meta.etag.clone()), range: Some(range) };
        let object = patiently_blocking(|| self.runtime.block_on(self.objects.get(&self.meta.key, &select))).map_err(to_io)?;
        if object.bytes.len() as u64 != expected {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the store sent fewer bytes than asked for"));
        }
        Ok(object.bytes)
    }
}

/// Whether a reading failed because the object is no longer the one that was asked for: replaced, or removed.
pub fn is_replaced(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(current) = cause {
        let within = current.downcast_ref::<io::Error>().and_then(|io| io.get_ref()).and_then(|inner| inner.downcast_ref());
        if let Some(ObjectsError::NotFound { .. } | ObjectsError::Precondition { .. }) = current.downcast_ref().or(within) {
            return true;
        }
        cause = current.source();
    }
    false
}

/// The store's error stays the source, so that a caller can tell a replaced object from a dead store.
fn to_io(error: ObjectsError) -> io::Error {
    let kind = match error {
        ObjectsError::NotFound { .. } => io::ErrorKind::NotFound,
        ObjectsError::Denied { .. } => io::ErrorKind::PermissionDenied,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

impl Read for ObjectReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.meta.size || out.is_empty() {
            return Ok(0);
        }
        let (number, offset) = (self.position / self.block, (self.position % self.block) as usize);
        let rest = self.block(number)?.get(offset..).unwrap_or(&[]);
        let n = rest.len().min(out.len());
        out[..n].copy_from_slice(&rest[..n]);
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for ObjectReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.meta.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position =
            target.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a position before the start of the object"))?;
        Ok(self.position)
    }
}
