//! Recordings of 512 × 512 pixels of 16 bits as microscopes and their programs lay them out.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes of one frame.
pub(crate) const FRAME: u64 = 512 * 512 * 2;

/// Where the directories are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One at the start; the frames follow it without others (ImageJ, beyond 4 GB or as tifffile writes it with `imagej`).
    OneDirectory,
    /// Each after its frame (most programs that write while they record).
    Between,
    /// All after the last frame (Fiji below 4 GB, tifffile for contiguous series).
    AtTheEnd,
}

/// A file being laid out; what is not written is a hole of zeros.
struct Writer {
    out: BufWriter<File>,
    big: bool,
}

impl Writer {
    fn at(&mut self, offset: u64, bytes: &[u8]) {
        self.out.seek(SeekFrom::Start(offset)).unwrap();
        self.out.write_all(bytes).unwrap();
    }

    /// A number as wide as this TIFF's offsets.
    fn wide(&self, value: u64) -> Vec<u8> {
        if self.big { value.to_le_bytes().to_vec() } else { u32::try_from(value).unwrap().to_le_bytes().to_vec() }
    }

    fn directory_bytes(&self, description: bool) -> u64 {
        let entries = if description { 10 } else { 9 };
        if self.big { 8 + entries * 20 + 8 } else { 2 + entries * 12 + 4 }
    }

    /// The directory of a frame; `description` is an offset and a length.
    fn directory(&self, samples: u64, description: Option<(u64, u64)>, next: u64) -> Vec<u8> {
        let mut entries: Vec<(u16, u16, u64, u64)> =
            vec![(256, 4, 1, 512), (257, 4, 1, 512), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1)];
        entries.extend(description.map(|(offset, length)| (270, 2, length, offset)));
        let wide = if self.big { 16 } else { 4 };
        entries.extend([(273, wide, 1, samples), (277, 3, 1, 1), (278, 4, 1, 512), (279, 4, 1, FRAME)]);
        let mut bytes = if self.big { (entries.len() as u64).to_le_bytes().to_vec() } else { vec![entries.len() as u8, 0] };
        for (tag, kind, count, value) in entries {
            bytes.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
            bytes.extend(self.wide(count));
            bytes.extend(self.wide(value));
        }
        bytes.extend(self.wide(next));
        bytes
    }

    fn header(&mut self, first: u64) {
        let start = if self.big { b"II+\0\x08\0\0\0".to_vec() } else { b"II*\0".to_vec() };
        let first = self.wide(first);
        self.at(0, &[start, first].concat());
    }
}

/// Writes a recording; `frame` fills a frame's bytes, and frames it leaves alone are holes in the file.
pub(crate) fn write(path: &Path, layout: Layout, big: bool, frames: u64, frame: impl Fn(u64) -> Option<Vec<u8>>) {
    let mut writer = Writer { out: BufWriter::with_capacity(4 << 20, File::create(path).unwrap()), big };
    let start = 1024;
    let directory = writer.directory_bytes(false);
    let (step, directories) = match layout {
        Layout::OneDirectory => (FRAME, 0),
        Layout::Between => (FRAME + directory, start + FRAME),
        Layout::AtTheEnd => (FRAME, start + frames * FRAME),
    };
    if layout == Layout::OneDirectory {
        let text = format!("ImageJ=1.54f\nimages={frames}\nframes={frames}\nfinterval=0.033\nloop=false\n\0");
        let only = writer.directory(start, Some((512, text.len() as u64)), 0);
        assert_eq!(only.len() as u64, writer.directory_bytes(true));
        writer.header(16);
        writer.at(16, &only);
        writer.at(512, text.as_bytes());
    } else {
        writer.header(directories);
    }
    for n in 0..frames {
        if let Some(bytes) = frame(n) {
            writer.at(start + n * step, &bytes);
        }
        if layout != Layout::OneDirectory {
            let apart = if layout == Layout::Between { step } else { directory };
            let here = directories + n * apart;
            let next = if n + 1 == frames { 0 } else { here + apart };
            let bytes = writer.directory(start + n * step, None, next);
            writer.at(here, &bytes);
        }
    }
    let end = start + frames * step + if layout == Layout::AtTheEnd { frames * directory } else { 0 };
    let file = writer.out.into_inner().unwrap();
    file.set_len(end).unwrap();
}

/// A frame of noise with a bright square that wanders: like nothing but itself.
pub(crate) fn noise(n: u64) -> Vec<u8> {
    let mut state = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let pixel = |i: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let (y, x) = (i / 512, i % 512);
        let bright = (y / 32, x / 32) == (n / 16 % 16, n % 16);
        (((state >> 40) & 0x3ff) as u16 + if bright { 3000 } else { 100 }).to_le_bytes()
    };
    (0..FRAME / 2).flat_map(pixel).collect()
}
