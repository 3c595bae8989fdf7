//! A small TIFF writer that can also write what no honest program would.
#![allow(dead_code, unreachable_pub)]

use std::io::Cursor;

use dropscope_recording::{Limits, Overrides, Recording, RecordingError, open};

/// Opens bytes in memory with default limits and no overrides.
pub fn open_bytes(bytes: Vec<u8>) -> Result<Recording, RecordingError> {
    open(Box::new(Cursor::new(bytes)), &Limits::default(), &Overrides::default())
}

/// A gray TIFF; each frame is a list of strips of already encoded bytes.
#[derive(Debug, Clone)]
pub struct Tiff {
    pub big_endian: bool,
    pub big: bool,
    pub width: u64,
    pub height: u64,
    pub bits: u64,
    pub format: u64,
    pub rows_per_strip: u64,
    pub description: Option<String>,
    pub frames: Vec<Vec<Vec<u8>>>,
    /// Tags that replace or join the honest ones, as (tag, value).
    pub lies: Vec<(u16, u64)>,
    /// Tags that are left out.
    pub absent: Vec<u16>,
    /// Leave the directories of all frames but the first out, as ImageJ does beyond 4 GB.
    pub one_directory: bool,
    /// The offset after the last directory; 0 in an honest file.
    pub last_next: u64,
}

impl Tiff {
    /// `frames` uncompressed uint16 frames whose samples count upwards.
    pub fn counting(frames: usize, height: u64, width: u64) -> Self {
        let mut tiff = Self {
            big_endian: false,
            big: false,
            width,
            height,
            bits: 16,
            format: 1,
            rows_per_strip: height,
            description: None,
            frames: Vec::new(),
            lies: Vec::new(),
            absent: Vec::new(),
            one_directory: false,
            last_next: 0,
        };
        let pixels = height * width;
        let sample = |i: u64| (i as u16).to_le_bytes();
        tiff.frames = (0..frames as u64).map(|f| vec![(f * pixels..(f + 1) * pixels).flat_map(sample).collect()]).collect();
        tiff
    }

    pub fn described(mut self, description: &str) -> Self {
        self.description = Some(description.to_owned());
        self
    }

    pub fn lie(mut self, tag: u16, value: u64) -> Self {
        self.lies.push((tag, value));
        self
    }

    /// A number of `width` bytes in the file's byte order.
    fn number(&self, value: u64, width: usize) -> Vec<u8> {
        if self.big_endian { value.to_be_bytes()[8 - width..].to_vec() } else { value.to_le_bytes()[..width].to_vec() }
    }

    fn offset_width(&self) -> usize {
        if self.big { 8 } else { 4 }
    }

    /// Writes the file: for each frame its strips, then its arrays, then its directory.
    pub fn bytes(&self) -> Vec<u8> {
        let mark: &[u8] = if self.big_endian { b"MM" } else { b"II" };
        let mut out = mark.to_vec();
        out.extend(self.number(if self.big { 43 } else { 42 }, 2));
        if self.big {
            out.extend(self.number(8, 2));
            out.extend(self.number(0, 2));
        }
        let mut link = out.len();
        out.extend(vec![0; self.offset_width()]);
        let directories = if self.one_directory { 1 } else { self.frames.len() };
        // Strips of all frames first, so that frames without a directory follow one another.
        let places: Vec<Vec<(u64, u64)>> = self
            .frames
            .iter()
            .map(|strips| {
                let place = |s: &Vec<u8>| {
                    let at = out.len() as u64;
                    out.extend(s);
                    (at, s.len() as u64)
                };
                strips.iter().map(place).collect()
            })
            .collect();
        for place in places.iter().take(directories) {
            let start = self.directory(&mut out, place);
            let offset = self.number(start, self.offset_width());
            out[link..link + offset.len()].copy_from_slice(&offset);
            link = out.len() - self.offset_width();
        }
        let last = self.number(self.last_next, self.offset_width());
        out[link..link + last.len()].copy_from_slice(&last);
        out
    }

    fn directory(&self, out: &mut Vec<u8>, strips: &[(u64, u64)]) -> u64 {
        let mut entries: Vec<(u16, u16, u64, u64)> = [
            (256, self.width),
            (257, self.height),
            (258, self.bits),
            (259, 1),
            (262, 1),
            (277, 1),
            (278, self.rows_per_strip),
            (339, self.format),
        ]
        .map(|(tag, value)| (tag, 4, 1, value))
        .to_vec();
        let offsets: Vec<u64> = strips.iter().map(|s| s.0).collect();
        let counts: Vec<u64> = strips.iter().map(|s| s.1).collect();
        entries.push(self.array(out, 273, &offsets));
        entries.push(self.array(out, 279, &counts));
        if let Some(text) = &self.description {
            // Padded so that the text never fits into the entry itself.
            let at = out.len() as u64;
            out.extend(text.as_bytes());
            out.extend([0; 9]);
            entries.push((270, 2, text.len() as u64 + 9, at));
        }
        for &(tag, value) in &self.lies {
            entries.retain(|e| e.0 != tag);
            let kind = if self.big { 16 } else { 4 };
            entries.push((tag, kind, 1, value));
        }
        entries.retain(|e| !self.absent.contains(&e.0));
        entries.sort_unstable();
        let start = out.len() as u64;
        out.extend(self.number(entries.len() as u64, if self.big { 8 } else { 2 }));
        for (tag, kind, count, value) in entries {
            out.extend(self.number(u64::from(tag), 2));
            out.extend(self.number(u64::from(kind), 2));
            out.extend(self.number(count, self.offset_width()));
            out.extend(self.value(kind, count, value));
        }
        out.extend(self.number(0, self.offset_width()));
        start
    }

    /// The value field: a LONG is left-aligned also where the field has 8 bytes.
    fn value(&self, kind: u16, count: u64, value: u64) -> Vec<u8> {
        let inline = kind == 4 && count == 1;
        let mut field = self.number(value, if inline { 4 } else { self.offset_width() });
        field.resize(self.offset_width(), 0);
        field
    }

    /// Stores an array of offsets outside the directory unless it is a single value.
    fn array(&self, out: &mut Vec<u8>, tag: u16, values: &[u64]) -> (u16, u16, u64, u64) {
        let kind = if self.big { 16 } else { 4 };
        if let [one] = values {
            return (tag, kind, 1, *one);
        }
        let at = out.len() as u64;
        for value in values {
            out.extend(self.number(*value, self.offset_width()));
        }
        (tag, kind, values.len() as u64, at)
    }
}
