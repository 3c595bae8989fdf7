//! An object as bytes that can be read from any place, over ranged reads.

use crate::objects::{ObjectMeta, Objects, ObjectsError, Select};
use crate::retry::patiently_blocking;
use dropscope_recording::ReadAt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
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
    /// Most recently used first.
    blocks: Mutex<Vec<(u64, Arc<[u8]>)>>,
}

impl ObjectReader {
    /// A reader of the object that `meta` tells of, in blocks of `block` bytes (at least 1 KiB).
    pub fn new(objects: Arc<dyn Objects>, runtime: Handle, meta: ObjectMeta, block: u64) -> Self {
        Self { objects, runtime, meta, block: block.max(1024), blocks: Mutex::default() }
    }

    fn block(&self, number: u64) -> io::Result<Arc<[u8]>> {
        let kept = || self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut blocks = kept();
        let found = blocks.iter().position(|(n, _)| *n == number).map(|at| blocks.remove(at));
        drop(blocks);
        let bytes = match found {
            Some((_, bytes)) => bytes,
            None => self.fetch(number)?.into(),
        };
        let mut blocks = kept();
        blocks.truncate(BLOCKS - 1);
        blocks.insert(0, (number, bytes.clone()));
        Ok(bytes)
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

impl ReadAt for ObjectReader {
    fn size(&self) -> io::Result<u64> {
        Ok(self.meta.size)
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        while done < out.len() {
            let at = offset + done as u64;
            if at >= self.meta.size {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let block = self.block(at / self.block)?;
            let rest = block.get((at % self.block) as usize..).unwrap_or(&[]);
            let n = rest.len().min(out.len() - done);
            out[done..done + n].copy_from_slice(&rest[..n]);
            done += n;
        }
        Ok(())
    }
}
