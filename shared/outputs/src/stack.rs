//! A movie as a TIFF stack that ImageJ and Fiji open as a hyperstack, written plane by plane.
//!
//! TIFF 6.0 (Adobe 1992), or BigTIFF where 4 GB do not hold it; one strip a page, uncompressed, the pages in the order of time
//! and within it of planes, as ImageJ counts them (`ij.io.TiffDecoder`, its image description). All directories come
//! first, since every size is known; so pages may be written in any order.

use std::io::{self, Seek, SeekFrom, Write};

/// What a stack holds.
#[derive(Debug, Clone, PartialEq)]
pub struct StackShape {
    /// Time points.
    pub frames: usize,
    /// Planes of each.
    pub planes: usize,
    /// Rows of a frame.
    pub height: usize,
    /// Columns of a frame.
    pub width: usize,
    /// Whether samples are float32; else they are uint16, rounded, and those beyond it at its end.
    pub float: bool,
    /// Time points per second, Hz, positive.
    pub frame_rate_hz: f64,
    /// Edge of a pixel, µm, where it is known.
    pub pixel_size_um: Option<f64>,
}

/// A stack in the making.
#[derive(Debug)]
pub struct Stack<W> {
    out: W,
    shape: StackShape,
    layout: Layout,
}

impl<W: Write + Seek> Stack<W> {
    /// Writes header and directories.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn begin(mut out: W, shape: StackShape) -> io::Result<Self> {
        let layout = Layout::of(&shape);
        out.write_all(&layout.head(&shape))?;
        Ok(Self { out, shape, layout })
    }

    /// Writes frames of a plane from time point `first` on, row-major, one after the other.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn put(&mut self, plane: usize, first: usize, frames: &[f32]) -> io::Result<()> {
        let pixels = (self.shape.height * self.shape.width).max(1);
        for (i, frame) in frames.chunks_exact(pixels).enumerate() {
            let page = (first + i) * self.shape.planes + plane;
            let bytes: Vec<u8> = match self.shape.float {
                true => frame.iter().flat_map(|v| v.to_le_bytes()).collect(),
                // The cast saturates.
                false => frame.iter().flat_map(|v| (v.round() as u16).to_le_bytes()).collect(),
            };
            self.out.seek(SeekFrom::Start(self.layout.page(page)))?;
            self.out.write_all(&bytes)?;
        }
        Ok(())
    }

    /// Ends it, and gives back where it was written to.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// TIFF's types of values.
const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
const LONG8: u16 = 16;
/// Entries of a directory; the first page has the description beside them.
const ENTRIES: u64 = 12;
/// What the strips begin at a multiple of.
const ALIGNMENT: u64 = 16;
/// Pixels per unit are counted in so many parts of a micrometre.
const PARTS: f64 = 1e6;

/// Where everything lies.
#[derive(Debug)]
struct Layout {
    big: bool,
    pages: u64,
    frame_bytes: u64,
    description: String,
    /// The rational of the resolution, where a directory has no room for it.
    resolution: u64,
    data: u64,
}

impl Layout {
    fn of(shape: &StackShape) -> Self {
        let classic = Self::sized(shape, false);
        let end = classic.data.saturating_add(classic.pages.saturating_mul(classic.frame_bytes));
        if end <= u64::from(u32::MAX) { classic } else { Self::sized(shape, true) }
    }

    fn sized(shape: &StackShape, big: bool) -> Self {
        let pages = shape.frames as u64 * shape.planes as u64;
        let frame_bytes = shape.height as u64 * shape.width as u64 * if shape.float { 4 } else { 2 };
        let mut layout = Self { big, pages, frame_bytes, description: description(shape), resolution: 0, data: 0 };
        layout.resolution = layout.directory(pages);
        let end = layout.resolution + 8 + layout.description.len() as u64 + 1;
        layout.data = end.next_multiple_of(ALIGNMENT);
        layout
    }

    /// Where the directory of a page begins; that after the last is where they end.
    fn directory(&self, page: u64) -> u64 {
        let (header, entry, frame) = if self.big { (16, 20, 16) } else { (8, 12, 6) };
        let with_description = if page > 0 { entry } else { 0 };
        header + page * (ENTRIES * entry + frame) + with_description
    }

    /// Where the samples of a page begin.
    fn page(&self, page: usize) -> u64 {
        self.data + page as u64 * self.frame_bytes
    }

    /// Everything before the samples.
    fn head(&self, shape: &StackShape) -> Vec<u8> {
        let mut head = Vec::new();
        match self.big {
            true => {
                head.extend(b"II\x2b\0\x08\0\0\0");
                head.extend(self.directory(0).to_le_bytes());
            }
            false => {
                head.extend(b"II\x2a\0");
                head.extend((self.directory(0) as u32).to_le_bytes());
            }
        }
        (0..self.pages).for_each(|page| self.write_directory(page, shape, &mut head));
        head.extend(resolution(shape).map(u32::to_le_bytes).concat());
        head.extend(self.description.as_bytes());
        head.resize(self.data as usize, 0);
        head
    }

    fn write_directory(&self, page: u64, shape: &StackShape, out: &mut Vec<u8>) {
        let (bits, format) = if shape.float { (32, 3) } else { (16, 1) };
        let [numerator, denominator] = resolution(shape).map(u64::from);
        let per_unit = if self.big { numerator | (denominator << 32) } else { self.resolution };
        let offset = if self.big { LONG8 } else { LONG };
        let text = (270, ASCII, self.description.len() as u64 + 1, self.resolution + 8);
        let mut entries = vec![
            (256, LONG, 1, shape.width as u64),
            (257, LONG, 1, shape.height as u64),
            (258, SHORT, 1, bits),
            (259, SHORT, 1, 1),
            (262, SHORT, 1, 1),
            (273, offset, 1, self.data + page * self.frame_bytes),
            (277, SHORT, 1, 1),
            (278, LONG, 1, shape.height as u64),
            (279, offset, 1, self.frame_bytes),
            (282, RATIONAL, 1, per_unit),
            (283, RATIONAL, 1, per_unit),
            (339, SHORT, 1, format),
        ];
        if page == 0 {
            entries.insert(5, text);
        }
        let next = if page + 1 < self.pages { self.directory(page + 1) } else { 0 };
        let count = entries.len() as u64;
        self.number(count, 2, out);
        for (tag, kind, count, value) in entries {
            out.extend(u16::to_le_bytes(tag));
            out.extend(kind.to_le_bytes());
            self.number(count, 4, out);
            self.number(value, 4, out);
        }
        self.number(next, 4, out);
    }

    /// A number of 8 bytes in BigTIFF, of `classic` bytes else.
    fn number(&self, value: u64, classic: usize, out: &mut Vec<u8>) {
        let bytes = value.to_le_bytes();
        out.extend(if self.big { &bytes[..] } else { &bytes[..classic] });
    }
}

/// Pixels per micrometre as a fraction; where the size is not known, per pixel.
fn resolution(shape: &StackShape) -> [u32; 2] {
    let size = shape.pixel_size_um.unwrap_or(1.0) * PARTS;
    // Pixels are 0.001 to 1000 µm: both fit.
    [PARTS as u32, size.round() as u32]
}

/// What ImageJ reads.
fn description(shape: &StackShape) -> String {
    let (frames, planes, rate) = (shape.frames, shape.planes, shape.frame_rate_hz);
    let unit = if shape.pixel_size_um.is_some() { "unit=micron\n" } else { "" };
    format!(
        "ImageJ=1.54f\nimages={}\nslices={planes}\nframes={frames}\nhyperstack=true\nmode=grayscale\n{unit}\
         finterval={}\nfps={rate}\ntunit=sec\nloop=false\n",
        frames * planes,
        1.0 / rate,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_classic_tiff_holds_is_classic_and_more_is_big() {
        let shape = |frames| StackShape {
            frames,
            planes: 1,
            height: 1024,
            width: 1024,
            float: false,
            frame_rate_hz: 30.0,
            pixel_size_um: None,
        };
        // Frames of 2 MiB: 2047 with their directories are below 4 GiB, 2048 are not.
        assert!(!Layout::of(&shape(2047)).big && Layout::of(&shape(2048)).big);
    }
}
