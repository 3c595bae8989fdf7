//! One page: shape, sample type, compression, and where its strips or tiles are.

use crate::bytes::Bytes;
use crate::ifd::{Fault, Ifd, tag};
use crate::{Limits, RecordingError, SampleType};

/// The compressions that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    PackBits,
    Lzw,
    Deflate,
    Zstd,
}

impl Compression {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::PackBits => "packbits",
            Self::Lzw => "lzw",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        }
    }

    fn from_code(code: u64) -> Result<Self, RecordingError> {
        let unread = match code {
            1 => return Ok(Self::None),
            5 => return Ok(Self::Lzw),
            8 | 32946 => return Ok(Self::Deflate),
            32773 => return Ok(Self::PackBits),
            50000 => return Ok(Self::Zstd),
            2..=4 => "fax (CCITT) compression",
            6 | 7 => "JPEG compression, which also loses detail",
            33003 | 33005 | 34712 => "JPEG 2000 compression",
            34887 => "LERC compression",
            34925 => "LZMA compression",
            50001 => "WebP compression, which also loses detail",
            50002 => "JPEG XL compression",
            _ => "a compression that is not known",
        };
        Err(RecordingError::unsupported(
            format!("the frames are stored with {unread} (code `{code}`)"),
            "save the recording uncompressed, or with LZW or Deflate, and upload it again",
        ))
    }
}

/// What must be the same in every page of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// As stored; ImageJ's signed 16 bit calibration is applied later.
    pub(crate) stored: SampleType,
}

impl Shape {
    /// Bytes of one decoded frame.
    pub(crate) fn bytes(self) -> usize {
        self.height * self.width * self.stored.bytes()
    }
}

/// A strip or tile in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// How a page is laid out in the file.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) shape: Shape,
    pub(crate) compression: Compression,
    /// 1 none, 2 horizontal, 3 floating point.
    pub(crate) predictor: u16,
    pub(crate) white_is_zero: bool,
    pub(crate) chunk_height: usize,
    pub(crate) chunk_width: usize,
    /// Chunks side by side; 1 for strips.
    pub(crate) across: usize,
    tiled: bool,
    pub(crate) chunks: Vec<Chunk>,
}

impl Page {
    /// Reads and checks a page's directory. Nothing is allocated before the limits allow it.
    pub(crate) fn read(ifd: &Ifd, bytes: &mut Bytes, limits: &Limits) -> Result<Self, Fault> {
        check_colour(ifd, bytes)?;
        let shape = read_shape(ifd, bytes, limits)?;
        let compression = Compression::from_code(ifd.uint(bytes, tag::COMPRESSION)?.unwrap_or(1))?;
        let tiled = ifd.has(tag::TILE_OFFSETS);
        let (chunk_height, chunk_width) = chunk_shape(ifd, bytes, shape, tiled, limits)?;
        let across = shape.width.div_ceil(chunk_width);
        let mut page = Self {
            shape,
            compression,
            predictor: read_predictor(ifd, bytes, shape)?,
            white_is_zero: ifd.uint(bytes, tag::PHOTOMETRIC)? == Some(0),
            chunk_height,
            chunk_width,
            across,
            tiled,
            chunks: Vec::new(),
        };
        let count = across as u64 * shape.height.div_ceil(chunk_height) as u64;
        page.chunks = page.read_chunks(ifd, bytes, count, limits)?;
        page.check_chunks(bytes, limits)?;
        Ok(page)
    }

    fn read_chunks(&self, ifd: &Ifd, bytes: &mut Bytes, count: u64, limits: &Limits) -> Result<Vec<Chunk>, Fault> {
        let (offsets, counts) =
            if self.tiled { (tag::TILE_OFFSETS, tag::TILE_BYTE_COUNTS) } else { (tag::STRIP_OFFSETS, tag::STRIP_BYTE_COUNTS) };
        if count > limits.max_chunks_per_page {
            return Err(RecordingError::too_big(
                format!("a frame is cut into `{count}` pieces, at most `{}` are read", limits.max_chunks_per_page),
                "save the recording again from Fiji, which stores a frame in one piece",
            )
            .into());
        }
        let (found, sized) = (ifd.count(offsets), ifd.count(counts));
        if found < count || (sized < count && sized != 0) {
            return Err(RecordingError::corrupt(format!(
                "a frame needs `{count}` pieces of data, its description lists `{}`",
                if sized == 0 { found } else { found.min(sized) }
            ))
            .into());
        }
        let offsets = ifd.uints(bytes, offsets, count)?;
        let sizes = ifd.uints(bytes, counts, count)?;
        let sized = |i: usize| sizes.get(i).copied().unwrap_or(0);
        Ok(offsets.into_iter().enumerate().map(|(i, offset)| Chunk { offset, bytes: sized(i) }).collect())
    }

    /// Holds each chunk against the file's end and against what it must decode to.
    fn check_chunks(&mut self, bytes: &Bytes, limits: &Limits) -> Result<(), Fault> {
        for i in 0..self.chunks.len() {
            let decoded = self.decoded_bytes(i) as u64;
            let raw = self.compression == Compression::None;
            let chunk = &mut self.chunks[i];
            // Some writers leave the size of uncompressed data out or at 0; the shape says it anyway.
            if raw && chunk.bytes == 0 {
                chunk.bytes = decoded;
            }
            if chunk.bytes == 0 || (raw && chunk.bytes < decoded) {
                return Err(RecordingError::corrupt(format!(
                    "a piece of a frame has `{}` bytes and needs `{decoded}`",
                    chunk.bytes
                ))
                .into());
            }
            if raw {
                chunk.bytes = decoded;
            }
            if !bytes.holds(chunk.offset, chunk.bytes) {
                return Err(Fault::PastEnd);
            }
            // No encoder doubles its input, so a larger claim must not size a buffer.
            chunk.bytes = chunk.bytes.min(2 * decoded + 4096);
            if decoded / limits.max_expansion > chunk.bytes {
                return Err(RecordingError::corrupt(format!(
                    "`{}` bytes claim to unpack to `{decoded}`, which no compression can do",
                    chunk.bytes
                ))
                .into());
            }
        }
        Ok(())
    }

    /// Rows of chunk `i` as stored: tiles are padded to full height, the last strip is not.
    pub(crate) fn stored_rows(&self, i: usize) -> usize {
        let top = (i / self.across) * self.chunk_height;
        if self.tiled { self.chunk_height } else { self.chunk_height.min(self.shape.height - top) }
    }

    /// Bytes of chunk `i` once decoded.
    pub(crate) fn decoded_bytes(&self, i: usize) -> usize {
        self.stored_rows(i) * self.chunk_width * self.shape.stored.bytes()
    }

    /// Says whether the chunks hold the samples as they are.
    pub(crate) fn is_raw(&self) -> bool {
        self.compression == Compression::None && self.predictor == 1
    }

    /// The offset of the whole frame where it lies in the file as one run of plain samples.
    pub(crate) fn contiguous(&self) -> Option<u64> {
        let one_run = self.chunks.windows(2).all(|pair| pair[0].offset.checked_add(pair[0].bytes) == Some(pair[1].offset));
        let first = self.chunks.first()?;
        (self.is_raw() && self.across == 1 && self.chunk_width == self.shape.width && one_run && !self.padded())
            .then_some(first.offset)
    }

    /// Says whether tiles reach below the last row.
    fn padded(&self) -> bool {
        self.tiled && !self.shape.height.is_multiple_of(self.chunk_height)
    }
}

/// Refuses everything but one gray sample per pixel in normal bit order.
fn check_colour(ifd: &Ifd, bytes: &mut Bytes) -> Result<(), Fault> {
    let samples = ifd.uint(bytes, tag::SAMPLES_PER_PIXEL)?.unwrap_or(1);
    let photometric = ifd.uint(bytes, tag::PHOTOMETRIC)?.unwrap_or(1);
    let (cause, remedy) = match (photometric, samples) {
        (0 | 1, 1) => {
            return match ifd.uint(bytes, tag::FILL_ORDER)? {
                None | Some(1) => Ok(()),
                Some(other) => Err(RecordingError::unsupported(
                    format!("the bits of each byte are stored in reverse (fill order `{other}`)"),
                    "open the recording in Fiji and save it as TIFF, then upload that",
                )
                .into()),
            };
        }
        (3, _) => (
            "the frames are stored as palette colours, not as intensities".to_owned(),
            "in Fiji choose Image > Lookup Tables > Grays, save as TIFF and upload that",
        ),
        (0 | 1, n) => (
            format!("each pixel has `{n}` samples, a recording needs one intensity per pixel"),
            "in Fiji choose Image > Color > Split Channels or Image > Type > 16-bit, save as TIFF and upload that",
        ),
        _ => (
            "the frames are colour pictures, not intensities".to_owned(),
            "in Fiji choose Image > Type > 16-bit, or Image > Color > Split Channels, save as TIFF and upload that",
        ),
    };
    Err(RecordingError::unsupported(cause, remedy).into())
}

fn read_shape(ifd: &Ifd, bytes: &mut Bytes, limits: &Limits) -> Result<Shape, Fault> {
    let width = ifd.uint(bytes, tag::WIDTH)?.unwrap_or(0);
    let height = ifd.uint(bytes, tag::HEIGHT)?.unwrap_or(0);
    if width == 0 || height == 0 {
        return Err(RecordingError::corrupt(format!("a frame claims `{height}` × `{width}` pixels")).into());
    }
    let pixels = width.checked_mul(height);
    if pixels.is_none_or(|p| p > limits.max_frame_pixels) {
        return Err(RecordingError::too_big(
            format!("a frame claims `{height}` × `{width}` pixels, at most `{}` pixels are read", limits.max_frame_pixels),
            "check the recording in Fiji, and crop or bin it if its frames really are so large",
        )
        .into());
    }
    Ok(Shape { height: height as usize, width: width as usize, stored: read_type(ifd, bytes)? })
}

fn read_type(ifd: &Ifd, bytes: &mut Bytes) -> Result<SampleType, Fault> {
    let bits = ifd.uint(bytes, tag::BITS_PER_SAMPLE)?.unwrap_or(1);
    let format = ifd.uint(bytes, tag::SAMPLE_FORMAT)?.unwrap_or(1);
    // Format 4 is "undefined", which the specification lets readers take as unsigned.
    let known = match (format, bits) {
        (1 | 4, 8) => SampleType::U8,
        (2, 8) => SampleType::I8,
        (1 | 4, 16) => SampleType::U16,
        (2, 16) => SampleType::I16,
        (1 | 4, 32) => SampleType::U32,
        (2, 32) => SampleType::I32,
        (3, 32) => SampleType::F32,
        _ => {
            let kind = match format {
                1 | 4 => "unsigned",
                2 => "signed",
                3 => "floating point",
                _ => "complex or unknown",
            };
            return Err(RecordingError::unsupported(
                format!("the pixels are `{bits}` bit {kind} numbers"),
                "in Fiji choose Image > Type > 16-bit or 32-bit, save as TIFF and upload that",
            )
            .into());
        }
    };
    Ok(known)
}

fn read_predictor(ifd: &Ifd, bytes: &mut Bytes, shape: Shape) -> Result<u16, Fault> {
    match ifd.uint(bytes, tag::PREDICTOR)?.unwrap_or(1) {
        1 => Ok(1),
        2 => Ok(2),
        3 if shape.stored == SampleType::F32 => Ok(3),
        other => Err(RecordingError::unsupported(
            format!("the frames are stored with predictor `{other}`, which is not read for {}", shape.stored),
            "save the recording uncompressed, or with LZW or Deflate, and upload it again",
        )
        .into()),
    }
}

/// Rows and columns of one strip or tile.
fn chunk_shape(ifd: &Ifd, bytes: &mut Bytes, shape: Shape, tiled: bool, limits: &Limits) -> Result<(usize, usize), Fault> {
    let whole = shape.height as u64;
    let (height, width) = if tiled {
        (ifd.uint(bytes, tag::TILE_HEIGHT)?.unwrap_or(0), ifd.uint(bytes, tag::TILE_WIDTH)?.unwrap_or(0))
    } else {
        let rows = ifd.uint(bytes, tag::ROWS_PER_STRIP)?.unwrap_or(whole);
        (rows.min(whole), shape.width as u64)
    };
    let pixels = height.checked_mul(width);
    if pixels.is_none_or(|p| p == 0 || p > limits.max_frame_pixels) {
        return Err(RecordingError::corrupt(format!("a piece of a frame claims `{height}` × `{width}` pixels")).into());
    }
    Ok((height as usize, width as usize))
}
