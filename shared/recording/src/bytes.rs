//! The file as bytes: its length, a small block cache for headers, byte order.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes that can be read from anywhere: a file, or ranged reads of an object.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

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
const BLOCK: usize = 64 * 1024;
/// Enough for a directory, its arrays and the pixels of small frames to stay side by side.
const BLOCKS: usize = 16;

struct Block {
    number: u64,
    last_use: u64,
    bytes: Vec<u8>,
}

/// A reader of known length whose small reads are cached.
pub(crate) struct Bytes {
    reader: Box<dyn ReadSeek>,
    len: u64,
    blocks: Vec<Block>,
    clock: u64,
}

impl Bytes {
    pub(crate) fn new(mut reader: Box<dyn ReadSeek>) -> io::Result<Self> {
        let len = reader.seek(SeekFrom::End(0))?;
        Ok(Self { reader, len, blocks: Vec::new(), clock: 0 })
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
        if out.len() >= BLOCK {
            return read_exact_at(&mut self.reader, offset, out);
        }
        let mut done = 0;
        while done < out.len() {
            let at = offset + done as u64;
            let within = (at % BLOCK as u64) as usize;
            let block = self.block(at / BLOCK as u64)?;
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
        let start = number * BLOCK as u64;
        let count = self.len.saturating_sub(start).min(BLOCK as u64) as usize;
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
        read_exact_at(&mut self.reader, start, &mut block.bytes)?;
        block.number = number;
        Ok(slot)
    }
}

fn read_exact_at(reader: &mut dyn ReadSeek, offset: u64, out: &mut [u8]) -> io::Result<()> {
    reader.seek(SeekFrom::Start(offset))?;
    reader.read_exact(out)
}
