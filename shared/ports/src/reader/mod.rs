//! An object as bytes that can be read from any place, over ranged reads.
//!
//! Nobody has to say how an object will be read. Reads that jump about, as those of headers do, cost one small request
//! each. Reads that go on where others ended, or skip less than a request costs, become few large requests, several of
//! them under way ahead of the reader. What is announced ([`ReadAt::will_read`]) is fetched just so, many ranges at a time.

mod blocks;
mod depth;
mod fetch;
mod guess;
mod shared;

pub use depth::Depth;
pub use shared::Usage;

use crate::objects::{ObjectMeta, Objects, ObjectsError};
use dropscope_recording::ReadAt;
use shared::Shared;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Reads one version of one object. Blocking: to be used off the asynchronous threads only, by several of them at once.
///
/// Every request is conditional on the ETag, so an object replaced half way is noticed and never mixed; a body of another
/// length than asked for is never used. Requests that fail in passing are repeated a few times, those that stall are given
/// up first. The same bytes are never under way twice, and dropping the reader calls off what is.
pub struct ObjectReader {
    shared: Arc<Shared>,
}

impl ObjectReader {
    /// A reader of the object that `meta` tells of, whose requests are tasks of `runtime`.
    pub fn new(objects: Arc<dyn Objects>, runtime: Handle, meta: ObjectMeta, depth: Depth) -> Self {
        Self { shared: Arc::new(Shared::new(objects, runtime, meta, depth)) }
    }

    /// What was asked of the store so far.
    pub fn usage(&self) -> Usage {
        self.shared.usage()
    }
}

impl Drop for ObjectReader {
    fn drop(&mut self) {
        self.shared.close();
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
        Ok(self.shared.meta.size)
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= self.shared.meta.size);
        let mut range = offset..end.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.shared.begin(&range);
        let mut rest = out;
        while !rest.is_empty() {
            let claim = self.shared.claim(range.clone()).map_err(to_io)?;
            let bytes = claim.bytes();
            let (now, later) = rest.split_at_mut(bytes.len());
            now.copy_from_slice(bytes);
            range.start += bytes.len() as u64;
            rest = later;
        }
        Ok(())
    }

    fn will_read(&self, ranges: &[Range<u64>]) {
        self.shared.will_read(ranges);
    }
}
