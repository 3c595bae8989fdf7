//! TIFF directories: header, entries, values (TIFF 6.0, section 2; BigTIFF doubles the widths).

use crate::bytes::{ByteOrder, Bytes};
use crate::{Limits, RecordingError, magic};

/// The tags that say something about a recording; all others are skipped.
pub(crate) mod tag {
    pub(crate) const WIDTH: u16 = 256;
    pub(crate) const HEIGHT: u16 = 257;
    pub(crate) const BITS_PER_SAMPLE: u16 = 258;
    pub(crate) const COMPRESSION: u16 = 259;
    pub(crate) const PHOTOMETRIC: u16 = 262;
    pub(crate) const FILL_ORDER: u16 = 266;
    pub(crate) const DESCRIPTION: u16 = 270;
    pub(crate) const STRIP_OFFSETS: u16 = 273;
    pub(crate) const SAMPLES_PER_PIXEL: u16 = 277;
    pub(crate) const ROWS_PER_STRIP: u16 = 278;
    pub(crate) const STRIP_BYTE_COUNTS: u16 = 279;
    pub(crate) const X_RESOLUTION: u16 = 282;
    pub(crate) const PLANAR_CONFIGURATION: u16 = 284;
    pub(crate) const RESOLUTION_UNIT: u16 = 296;
    pub(crate) const SOFTWARE: u16 = 305;
    pub(crate) const PREDICTOR: u16 = 317;
    pub(crate) const COLOR_MAP: u16 = 320;
    pub(crate) const TILE_WIDTH: u16 = 322;
    pub(crate) const TILE_HEIGHT: u16 = 323;
    pub(crate) const TILE_OFFSETS: u16 = 324;
    pub(crate) const TILE_BYTE_COUNTS: u16 = 325;
    pub(crate) const EXTRA_SAMPLES: u16 = 338;
    pub(crate) const SAMPLE_FORMAT: u16 = 339;
    /// MetaMorph's, as is the next.
    pub(crate) const UIC1: u16 = 33628;
    pub(crate) const UIC2: u16 = 33629;
    pub(crate) const MICRO_MANAGER: u16 = 51123;

    pub(super) const READ: [u16; 26] = [
        WIDTH,
        HEIGHT,
        BITS_PER_SAMPLE,
        COMPRESSION,
        PHOTOMETRIC,
        FILL_ORDER,
        DESCRIPTION,
        STRIP_OFFSETS,
        SAMPLES_PER_PIXEL,
        ROWS_PER_STRIP,
        STRIP_BYTE_COUNTS,
        X_RESOLUTION,
        RESOLUTION_UNIT,
        SOFTWARE,
        PREDICTOR,
        TILE_WIDTH,
        TILE_HEIGHT,
        TILE_OFFSETS,
        TILE_BYTE_COUNTS,
        SAMPLE_FORMAT,
        UIC1,
        UIC2,
        MICRO_MANAGER,
        PLANAR_CONFIGURATION,
        COLOR_MAP,
        EXTRA_SAMPLES,
    ];
}

/// Why a directory or page was not read.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Something it needs lies beyond the end of the file: the file was cut short.
    PastEnd,
    /// Something else is wrong.
    Refused(RecordingError),
}

impl From<RecordingError> for Fault {
    fn from(error: RecordingError) -> Self {
        Self::Refused(error)
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error.into())
    }
}

/// What the first bytes say: byte order, classic or Big, where the first directory is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) order: ByteOrder,
    pub(crate) big: bool,
    pub(crate) first_ifd: u64,
}

impl Header {
    /// Reads the header, or names what the file is instead.
    pub(crate) fn read(bytes: &mut Bytes) -> Result<Self, RecordingError> {
        let mut start = vec![0; bytes.len().min(magic::LOOKED_AT as u64) as usize];
        bytes.read_at(0, &mut start)?;
        let order = match start.get(..2) {
            Some(b"II") => ByteOrder::Little,
            Some(b"MM") => ByteOrder::Big,
            _ => return Err(magic::refuse(&start)),
        };
        let uint = |from: usize, to: usize| start.get(from..to).map(|b| order.uint(b));
        let (big, first_ifd) = match (uint(2, 4), uint(4, 8), uint(8, 16)) {
            (Some(42), Some(first), _) => (false, first),
            // Offsets of 8 bytes, then a reserved 0.
            (Some(43), _, Some(first)) if uint(4, 6) == Some(8) && uint(6, 8) == Some(0) => (true, first),
            (Some(42 | 43) | None, _, _) => return Err(RecordingError::truncated(0, None)),
            _ => return Err(magic::refuse(&start)),
        };
        Ok(Self { order, big, first_ifd })
    }

    fn count_bytes(self) -> u64 {
        if self.big { 8 } else { 2 }
    }

    fn entry_bytes(self) -> u64 {
        if self.big { 20 } else { 12 }
    }

    fn offset_bytes(self) -> u64 {
        if self.big { 8 } else { 4 }
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// The value itself where it fits, otherwise the offset of it.
    field: [u8; 8],
}

/// One directory: the entries that matter and the offset of the next directory, 0 for none.
#[derive(Debug)]
pub(crate) struct Ifd {
    header: Header,
    entries: Vec<Entry>,
    pub(crate) next: u64,
    /// Bytes of the directory itself, without the values outside it.
    size: u64,
}

impl Ifd {
    /// Reads the directory at `offset`, entries in one read.
    pub(crate) fn read(bytes: &mut Bytes, header: Header, offset: u64, limits: &Limits) -> Result<Self, Fault> {
        let mut word = [0; 8];
        let count_field = &mut word[..header.count_bytes() as usize];
        if !bytes.holds(offset, header.count_bytes()) {
            return Err(Fault::PastEnd);
        }
        bytes.read_at(offset, count_field)?;
        let count = header.order.uint(count_field);
        if count == 0 || count > limits.max_ifd_entries {
            return Err(RecordingError::corrupt(format!(
                "the description of a frame claims `{count}` entries, at most `{}` are read",
                limits.max_ifd_entries
            ))
            .into());
        }
        let size = count * header.entry_bytes() + header.offset_bytes();
        let start = offset + header.count_bytes();
        if !bytes.holds(start, size) {
            return Err(Fault::PastEnd);
        }
        let mut block = vec![0; size as usize];
        bytes.read_at(start, &mut block)?;
        let (table, next) = block.split_at((count * header.entry_bytes()) as usize);
        Ok(Self {
            header,
            entries: table
                .chunks_exact(header.entry_bytes() as usize)
                .map(|raw| parse_entry(raw, header))
                .filter(|e| tag::READ.contains(&e.tag))
                .collect(),
            next: header.order.uint(next),
            size: size + header.count_bytes(),
        })
    }

    /// Bytes to be read for this page's directory and its arrays of offsets and sizes.
    pub(crate) fn cost(&self, limits: &Limits) -> u64 {
        let chunks = self.count(tag::STRIP_OFFSETS).max(self.count(tag::TILE_OFFSETS));
        self.size + 16 * chunks.min(limits.max_chunks_per_page)
    }

    /// The header of the file that this directory is in.
    pub(crate) fn header(&self) -> Header {
        self.header
    }

    /// Where the values of `tag` are, for the few tags whose type does not say what lies there.
    pub(crate) fn offset_of(&self, tag: u16) -> Option<u64> {
        let field = &self.find(tag)?.field[..self.header.offset_bytes() as usize];
        Some(self.header.order.uint(field))
    }

    fn find(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|e| e.tag == tag)
    }

    pub(crate) fn has(&self, tag: u16) -> bool {
        self.find(tag).is_some()
    }

    /// The number of values of `tag`, 0 if it is absent.
    pub(crate) fn count(&self, tag: u16) -> u64 {
        self.find(tag).map_or(0, |e| e.count)
    }

    /// The raw bytes of the first `most` values of `tag`, with the width of one.
    fn raw(&self, bytes: &mut Bytes, entry: Entry, most: u64) -> Result<(Vec<u8>, usize), Fault> {
        let width = width_of(entry.kind).ok_or_else(|| {
            RecordingError::corrupt(format!(
                "entry `{}` of a frame's description has the unknown type `{}`",
                entry.tag, entry.kind
            ))
        })?;
        let whole = entry.count.saturating_mul(width);
        let wanted = entry.count.min(most) * width;
        if whole <= self.header.offset_bytes() {
            return Ok((entry.field[..wanted as usize].to_vec(), width as usize));
        }
        let field = &entry.field[..self.header.offset_bytes() as usize];
        let offset = self.header.order.uint(field);
        if !bytes.holds(offset, wanted) {
            return Err(Fault::PastEnd);
        }
        let mut raw = vec![0; wanted as usize];
        bytes.read_at(offset, &mut raw)?;
        Ok((raw, width as usize))
    }

    /// The first `most` values of `tag` as unsigned integers; empty if the tag is absent.
    pub(crate) fn uints(&self, bytes: &mut Bytes, tag: u16, most: u64) -> Result<Vec<u64>, Fault> {
        let Some(entry) = self.find(tag).copied() else {
            return Ok(Vec::new());
        };
        if !matches!(entry.kind, 1 | 3 | 4 | 13 | 16 | 18) {
            return Err(RecordingError::corrupt(format!("entry `{tag}` of a frame's description is not a whole number")).into());
        }
        let (raw, width) = self.raw(bytes, entry, most)?;
        let order = self.header.order;
        Ok(raw.chunks_exact(width).map(|c| order.uint(c)).collect())
    }

    /// The first value of `tag` as an unsigned integer.
    pub(crate) fn uint(&self, bytes: &mut Bytes, tag: u16) -> Result<Option<u64>, Fault> {
        Ok(self.uints(bytes, tag, 1)?.first().copied())
    }

    /// A text of at most `most` bytes; anything unreadable counts as no text, for no pixel depends on it.
    pub(crate) fn text(&self, bytes: &mut Bytes, tag: u16, most: u64) -> Option<String> {
        self.texts(bytes, tag, most, 1).pop()
    }

    /// The texts of the first `count` entries of `tag`, as [`text`](Self::text) reads them: Micro-Manager writes two
    /// descriptions into one directory.
    pub(crate) fn texts(&self, bytes: &mut Bytes, tag: u16, most: u64, count: usize) -> Vec<String> {
        let entries = self.entries.iter().filter(|e| e.tag == tag && matches!(e.kind, 1 | 2 | 7));
        let read = entries.take(count).filter_map(|entry| {
            let (raw, _) = self.raw(bytes, *entry, most).ok()?;
            let end = raw.iter().position(|b| *b == 0).unwrap_or(raw.len());
            // ImageJ writes µ in Latin-1; a lossy reading keeps the rest of the text.
            Some(String::from_utf8_lossy(&raw[..end]).into_owned())
        });
        read.collect()
    }

    /// A fraction, or `None` where it is absent or its denominator is 0.
    pub(crate) fn rational(&self, bytes: &mut Bytes, tag: u16) -> Option<f64> {
        let entry = self.find(tag).copied().filter(|e| e.kind == 5)?;
        let (raw, _) = self.raw(bytes, entry, 1).ok()?;
        let (numerator, denominator) = raw.split_at_checked(4)?;
        let order = self.header.order;
        let ratio = order.uint(numerator) as f64 / order.uint(denominator) as f64;
        ratio.is_finite().then_some(ratio)
    }
}

fn parse_entry(raw: &[u8], header: Header) -> Entry {
    let count_width = header.offset_bytes() as usize;
    let mut field = [0; 8];
    let value = &raw[4 + count_width..];
    field[..value.len()].copy_from_slice(value);
    Entry {
        tag: header.order.uint(&raw[..2]) as u16,
        kind: header.order.uint(&raw[2..4]) as u16,
        count: header.order.uint(&raw[4..4 + count_width]),
        field,
    }
}

/// Bytes of one value of a TIFF type.
fn width_of(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}
