//! The file as bytes: its length, a small block cache for headers, byte order.

use std::fs::File;
use std::io::{self, Cursor};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bytes that can be read from any place, by several threads at once: a file, or ranged reads of an object.
pub trait ReadAt: Send + Sync {
    /// Returns how many bytes there are.
    ///
    /// # Errors
    /// When that cannot be known now.
    fn size(&self) -> io::Result<u64>;

    /// Fills `out` from `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` where the bytes end first, whatever else reading meets.
    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Is told what will be read next, in this order: a store far away may begin to fetch it. Nothing depends on it.
    fn will_read(&self, _ranges: &[Range<u64>]) {}
}

impl ReadAt for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        FileExt::read_exact_at(self, out, offset)
    }
}

impl<T: AsRef<[u8]> + Send + Sync> ReadAt for Cursor<T> {
    fn size(&self) -> io::Result<u64> {
        Ok(self.get_ref().as_ref().len() as u64)
    }

    fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).ok();
        let from = start.and_then(|start| self.get_ref().as_ref().get(start..)?.get(..out.len()));
        out.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// The order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The order of this machine, in which the TIFF decoder delivers samples.
    pub(crate) const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };

    /// Reads an unsigned number of up to 8 bytes.
    pub(crate) fn uint(self, bytes: &[u8]) -> u64 {
        let push = |n: u64, b: &u8| (n << 8) | u64::from(*b);
        match self {
            Self::Little => bytes.iter().rev().fold(0, push),
            Self::Big => bytes.iter().fold(0, push),
        }
    }
}

/// Small reads share blocks of this many bytes: an object store answers one of them in one request.
const HEADER_BLOCK: usize = 64 * 1024;
/// Enough for a directory, its arrays and the pixels of small frames to stay side by side.
const BLOCKS: usize = 16;
/// A page's own directory and arrays, where they are looked at again for its pixels.
const PAGE_BLOCK: usize = 4096;

struct Block {
    number: u64,
    last_use: u64,
    bytes: Vec<u8>,
}

/// Bytes of known length; small reads are cached.
pub(crate) struct Bytes {
    source: Arc<dyn ReadAt>,
    len: u64,
    block: usize,
    blocks: Vec<Block>,
    clock: u64,
}

impl Bytes {
    /// For looking through headers.
    pub(crate) fn new(source: Arc<dyn ReadAt>) -> io::Result<Self> {
        let len = source.size()?;
        Ok(Self { source, len, block: HEADER_BLOCK, blocks: Vec::new(), clock: 0 })
    }

    /// For one page of a file that was looked through when it had `len` bytes.
    pub(crate) fn of_page(source: Arc<dyn ReadAt>, len: u64) -> Self {
        Self { source, len, block: PAGE_BLOCK, blocks: Vec::new(), clock: 0 }
    }

    /// Length of the file in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Says whether `count` bytes from `offset` lie within the file.
    pub(crate) fn holds(&self, offset: u64, count: u64) -> bool {
        offset.checked_add(count).is_some_and(|end| end <= self.len)
    }

    /// Fills `out` from `offset`.
    pub(crate) fn read_at(&mut self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if out.len() >= self.block {
            return self.source.read_exact_at(offset, out);
        }
        let block_bytes = self.block as u64;
        let mut done = 0;
        while done < out.len() {
            let at = offset + done as u64;
            let within = (at % block_bytes) as usize;
            let block = self.block(at / block_bytes)?;
            let ready = block.get(within..).unwrap_or_default();
            if ready.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let count = ready.len().min(out.len() - done);
            out[done..done + count].copy_from_slice(&ready[..count]);
            done += count;
        }
        Ok(())
    }

    fn block(&mut self, number: u64) -> io::Result<&[u8]> {
        self.clock += 1;
        let slot = match self.blocks.iter().position(|b| b.number == number) {
            Some(slot) => slot,
            None => self.load(number)?,
        };
        let block = &mut self.blocks[slot];
        block.last_use = self.clock;
        Ok(&block.bytes)
    }

    /// Reads a block into a new slot, or into the one unused for longest.
    fn load(&mut self, number: u64) -> io::Result<usize> {
        let start = number * self.block as u64;
        let count = self.len.saturating_sub(start).min(self.block as u64) as usize;
        let oldest = (0..self.blocks.len()).min_by_key(|i| self.blocks[*i].last_use);
        let slot = match oldest {
            Some(slot) if self.blocks.len() == BLOCKS => slot,
            _ => {
                self.blocks.push(Block { number, last_use: 0, bytes: Vec::new() });
                self.blocks.len() - 1
            }
        };
        let block = &mut self.blocks[slot];
        // Until the read succeeds the slot must not answer for any block.
        block.number = u64::MAX;
        block.bytes.resize(count, 0);
        self.source.read_exact_at(start, &mut block.bytes)?;
        block.number = number;
        Ok(slot)
    }
}
