//! One page: shape, sample type, compression, and where its strips or tiles are.

mod chunks;
mod colour;
mod compression;
mod sample;

use std::fmt;

use crate::bytes::Bytes;
use crate::ifd::{Fault, Ifd, tag};
use crate::{Limits, RecordingError, SampleType};

pub(crate) use chunks::Chunk;
pub(crate) use colour::check_palette;
pub(crate) use compression::Compression;
pub(crate) use sample::Stored;

/// What must be the same in every page of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// As delivered, but for ImageJ's signed 16 bit calibration, which is applied later.
    pub(crate) stored: SampleType,
    /// Samples of each pixel, every one a channel.
    pub(crate) samples: usize,
    /// Whether the samples are indices into a table of colours.
    pub(crate) palette: bool,
}

impl Shape {
    /// Bytes of one decoded frame, which is one sample of each pixel.
    pub(crate) fn bytes(self) -> usize {
        self.height * self.width * self.stored.bytes()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {} {}", self.height, self.width, self.stored)?;
        match self.samples {
            1 => {}
            samples => write!(f, " with {samples} samples per pixel")?,
        }
        f.write_str(if self.palette { " in palette colours" } else { "" })
    }
}

/// How a page is laid out in the file.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) shape: Shape,
    pub(crate) stored: Stored,
    pub(crate) compression: Compression,
    /// 1 none, 2 horizontal, 3 floating point.
    pub(crate) predictor: u16,
    /// Whether the bits of each byte in the file stand in reverse (FillOrder 2).
    pub(crate) reversed: bool,
    /// Whether each sample has chunks of its own (PlanarConfiguration 2), all of the first sample first.
    pub(crate) separate: bool,
    pub(crate) white_is_zero: bool,
    pub(crate) chunk_height: usize,
    pub(crate) chunk_width: usize,
    /// Chunks side by side; 1 for strips.
    pub(crate) across: usize,
    pub(crate) chunks: Vec<Chunk>,
}

impl Page {
    /// Reads and checks a page's directory. Nothing is allocated before the limits allow it.
    pub(crate) fn read(ifd: &Ifd, bytes: &mut Bytes, limits: &Limits) -> Result<Self, Fault> {
        let colour = colour::Colour::read(ifd, bytes)?;
        let (height, width) = read_size(ifd, bytes, limits)?;
        let stored = Stored::read(ifd, bytes, colour.samples)?;
        if colour.palette && !matches!(stored.bits, 8 | 16) {
            return Err(colour::palette_refused().into());
        }
        let compression = Compression::from_code(ifd.uint(bytes, tag::COMPRESSION)?.unwrap_or(1))?;
        let (chunk_height, chunk_width) = chunk_shape(ifd, bytes, (height, width), limits)?;
        let samples = colour.samples as usize;
        let mut page = Self {
            shape: Shape { height, width, stored: stored.delivered, samples, palette: colour.palette },
            stored,
            compression,
            predictor: read_predictor(ifd, bytes, stored)?,
            reversed: ifd.uint(bytes, tag::FILL_ORDER)? == Some(2),
            separate: samples > 1 && ifd.uint(bytes, tag::PLANAR_CONFIGURATION)? == Some(2),
            white_is_zero: colour.white_is_zero,
            chunk_height,
            chunk_width,
            across: width.div_ceil(chunk_width),
            chunks: Vec::new(),
        };
        page.check_bytes(limits)?;
        page.chunks = chunks::read(&page, ifd, bytes, limits)?;
        Ok(page)
    }

    /// Chunks that hold one sample of every pixel; with samples side by side, those of all samples.
    pub(crate) fn chunks_of_a_sample(&self) -> usize {
        self.across * self.shape.height.div_ceil(self.chunk_height)
    }

    /// The first row and column of chunk `i`.
    pub(crate) fn corner(&self, i: usize) -> (usize, usize) {
        let i = i % self.chunks_of_a_sample();
        ((i / self.across) * self.chunk_height, (i % self.across) * self.chunk_width)
    }

    /// Rows of chunk `i` that lie within the frame; the padding of the lowest tiles is never decoded.
    pub(crate) fn rows(&self, i: usize) -> usize {
        self.chunk_height.min(self.shape.height - self.corner(i).0)
    }

    /// Samples of one row of a chunk.
    pub(crate) fn row_samples(&self) -> usize {
        self.chunk_width * self.samples_of_a_chunk()
    }

    /// Samples that stand side by side for each pixel of a chunk.
    pub(crate) fn samples_of_a_chunk(&self) -> usize {
        if self.separate { 1 } else { self.shape.samples }
    }

    /// Bytes of one row of a chunk, as stored: packed samples are padded to whole bytes.
    pub(crate) fn row_bytes(&self) -> usize {
        (self.row_samples() * usize::from(self.stored.bits)).div_ceil(8)
    }

    /// Bytes of the rows of chunk `i` that lie within the frame, once decompressed.
    pub(crate) fn decoded_bytes(&self, i: usize) -> usize {
        self.rows(i) * self.row_bytes()
    }

    /// Says whether rows of a chunk are rows of the frame, byte order aside.
    pub(crate) fn is_in_place(&self) -> bool {
        let whole = !self.stored.is_packed() && !self.stored.is_half();
        whole && self.chunk_width == self.shape.width && self.samples_of_a_chunk() == 1
    }

    /// The offset of the whole frame where it lies in the file as one run of plain samples.
    pub(crate) fn contiguous(&self) -> Option<u64> {
        let raw = self.compression == Compression::None && self.predictor == 1 && !self.reversed;
        let one_run = self.chunks.windows(2).all(|pair| pair[0].offset.checked_add(pair[0].bytes) == Some(pair[1].offset));
        let first = self.chunks.first()?;
        (raw && self.is_in_place() && self.shape.samples == 1 && one_run).then_some(first.offset)
    }

    /// A frame is held in memory as it is delivered, and one chunk as it is stored.
    fn check_bytes(&self, limits: &Limits) -> Result<(), RecordingError> {
        let chunk = self.chunk_height.min(self.shape.height) as u64 * self.row_bytes() as u64;
        let most = chunk.max(self.shape.bytes() as u64);
        if most <= limits.max_frame_bytes {
            return Ok(());
        }
        Err(RecordingError::too_big(
            format!("a frame takes `{most}` bytes of memory, at most `{}` are given to one", limits.max_frame_bytes),
            "crop, bin or tile the frames in Fiji, or store them with fewer bits per pixel",
        ))
    }
}

fn read_size(ifd: &Ifd, bytes: &mut Bytes, limits: &Limits) -> Result<(usize, usize), Fault> {
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
    Ok((height as usize, width as usize))
}

fn read_predictor(ifd: &Ifd, bytes: &mut Bytes, stored: Stored) -> Result<u16, Fault> {
    match ifd.uint(bytes, tag::PREDICTOR)?.unwrap_or(1) {
        1 => Ok(1),
        2 => Ok(2),
        3 if stored.is_float() => Ok(3),
        other => Err(RecordingError::unsupported(
            format!("the frames are stored with predictor `{other}`, which is not read for {}", stored.delivered),
            "save the recording uncompressed, or with LZW or Deflate, and upload it again",
        )
        .into()),
    }
}

/// Rows and columns of one strip or tile.
fn chunk_shape(ifd: &Ifd, bytes: &mut Bytes, (height, width): (usize, usize), limits: &Limits) -> Result<(usize, usize), Fault> {
    let (height, width) = if ifd.has(tag::TILE_OFFSETS) || ifd.has(tag::TILE_WIDTH) {
        (ifd.uint(bytes, tag::TILE_HEIGHT)?.unwrap_or(0), ifd.uint(bytes, tag::TILE_WIDTH)?.unwrap_or(0))
    } else {
        let whole = height as u64;
        let rows = ifd.uint(bytes, tag::ROWS_PER_STRIP)?.filter(|rows| *rows > 0).unwrap_or(whole);
        (rows.min(whole), width as u64)
    };
    let pixels = height.checked_mul(width);
    if pixels.is_none_or(|p| p == 0 || p > limits.max_frame_pixels) {
        return Err(RecordingError::corrupt(format!("a piece of a frame claims `{height}` × `{width}` pixels")).into());
    }
    Ok((height as usize, width as usize))
}
