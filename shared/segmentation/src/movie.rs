//! The registered movie on disk: two bytes a pixel where that loses nothing that noise has not lost already.

use crate::SegmentError;
use rayon::prelude::*;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Steps of a fixed-point frame between two neighbouring pixels, on average: rounding then adds less than a thousandth of
/// what neighbours differ by.
const STEPS: f64 = 16.0;

/// How the pixels of one frame are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Spelling {
    /// `low + step × u16`.
    Fixed { low: f32, step: f32 },
    /// As they are.
    F32,
}

impl Spelling {
    fn bytes(self) -> usize {
        match self {
            Self::Fixed { .. } => 2,
            Self::F32 => 4,
        }
    }

    /// The spelling that suits `frame`: a step is a power of two, so whole numbers stay what they are.
    fn of(frame: &[f32]) -> Self {
        let (low, high) = frame.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
        let (low, range) = (low.floor(), f64::from(high) - f64::from(low.floor()));
        if range.is_nan() || range >= 1e9 || low.abs() >= 1e6 {
            return Self::F32;
        }
        let exponent = libm::ceil(libm::log2(range.max(1.0) / 65_535.0));
        let step = libm::exp2(exponent);
        let apart: f64 = frame.windows(2).map(|w| f64::from((w[1] - w[0]).abs())).sum::<f64>() / frame.len().max(2) as f64;
        let whole = step <= 1.0 && frame.iter().all(|v| *v == v.floor());
        if whole || step * STEPS <= apart { Self::Fixed { low, step: step as f32 } } else { Self::F32 }
    }

    fn write(self, frame: &[f32]) -> Vec<u8> {
        match self {
            Self::Fixed { low, step } => {
                let scale = 1.0 / step;
                frame.iter().flat_map(|v| (((v - low) * scale + 0.5) as u16).to_le_bytes()).collect()
            }
            Self::F32 => frame.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }

    fn read(self, bytes: &[u8], out: &mut [f32]) {
        match self {
            Self::Fixed { low, step } => {
                for (o, b) in out.iter_mut().zip(bytes.chunks_exact(2)) {
                    *o = low + step * f32::from(u16::from_le_bytes([b[0], b[1]]));
                }
            }
            Self::F32 => {
                for (o, b) in out.iter_mut().zip(bytes.chunks_exact(4)) {
                    *o = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
                }
            }
        }
    }
}

/// A movie being written, then read back in any order. The file goes when this goes.
pub(crate) struct RegisteredMovie {
    path: PathBuf,
    file: File,
    pixels: usize,
    frames: Vec<(u64, Spelling)>,
    end: u64,
    bytes: Vec<u8>,
}

impl RegisteredMovie {
    /// Creates the file `registered.movie` in `scratch` for frames of `pixels` pixels.
    pub(crate) fn create(scratch: &Path, pixels: usize) -> Result<Self, SegmentError> {
        let path = scratch.join("registered.movie");
        let open = || {
            std::fs::create_dir_all(scratch)?;
            let mut options = std::fs::OpenOptions::new();
            options.read(true).write(true).create(true).truncate(true);
            options.open(&path)
        };
        let file = open().map_err(|source| failed(&path, source))?;
        // Without a name the file goes with the process, however that dies. Where that cannot be, `drop` removes it.
        let _ = std::fs::remove_file(&path);
        Ok(Self { file, path, pixels, frames: Vec::new(), end: 0, bytes: Vec::new() })
    }

    /// Appends `frames`, one after the other.
    pub(crate) fn push(&mut self, frames: &[f32]) -> Result<(), SegmentError> {
        let spelled = |frame: &[f32]| {
            let spelling = Spelling::of(frame);
            (spelling, spelling.write(frame))
        };
        let all: Vec<(Spelling, Vec<u8>)> = frames.par_chunks_exact(self.pixels).map(spelled).collect();
        for (spelling, bytes) in all {
            self.file.write_all(&bytes).map_err(|source| failed(&self.path, source))?;
            self.frames.push((self.end, spelling));
            self.end += bytes.len() as u64;
        }
        Ok(())
    }

    /// Number of frames written so far.
    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Reads frames `first..first + out.len() / pixels`.
    pub(crate) fn read(&mut self, first: usize, out: &mut [f32]) -> Result<(), SegmentError> {
        let slots = &self.frames[first..first + out.len() / self.pixels];
        let Some(&(start, _)) = slots.first() else { return Ok(()) };
        let end = self.frames.get(first + slots.len()).map_or(self.end, |next| next.0);
        self.bytes.resize((end - start) as usize, 0);
        let mut fetch = || {
            self.file.seek(SeekFrom::Start(start))?;
            self.file.read_exact(&mut self.bytes)?;
            self.file.seek(SeekFrom::Start(self.end))
        };
        fetch().map_err(|source| failed(&self.path, source))?;
        let (bytes, pixels) = (&self.bytes, self.pixels);
        out.par_chunks_exact_mut(pixels).zip(slots).for_each(|(frame, &(at, spelling))| {
            let from = (at - start) as usize;
            spelling.read(&bytes[from..from + pixels * spelling.bytes()], frame);
        });
        Ok(())
    }
}

impl Drop for RegisteredMovie {
    fn drop(&mut self) {
        // A file that is gone already is what was wanted.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn failed(path: &Path, source: std::io::Error) -> SegmentError {
    SegmentError::Scratch { path: path.display().to_string(), source }
}

/// Frames to hold at once: at most 256, at most 32 MB, at least one.
pub(crate) fn chunk_frames(pixels: usize) -> usize {
    ((32 << 20) / (4 * pixels.max(1))).clamp(1, 256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back(frames: &[f32], pixels: usize) -> Vec<f32> {
        let folder = tempfile::tempdir().unwrap();
        let mut movie = RegisteredMovie::create(folder.path(), pixels).unwrap();
        movie.push(frames).unwrap();
        let mut out = vec![0.0; frames.len()];
        movie.read(0, &mut out).unwrap();
        out
    }

    proptest! {
        #[test]
        fn whole_numbers_come_back_as_they_are(frame in prop::collection::vec(-40_000i32..25_000, 12)) {
            let frame: Vec<f32> = frame.iter().map(|&v| v as f32).collect();
            prop_assert_eq!(back(&frame, 6), frame);
        }

        #[test]
        fn nothing_is_rounded_by_more_than_a_sixteenth_of_what_neighbours_differ(
            frame in prop::collection::vec(-1e4f32..1e4, 16), scale in -20i32..20,
        ) {
            let frame: Vec<f32> = frame.iter().map(|v| v * 2f32.powi(scale)).collect();
            let apart = frame.windows(2).map(|w| (w[1] - w[0]).abs()).sum::<f32>() / 16.0;
            for (a, b) in frame.iter().zip(back(&frame, 16)) {
                prop_assert!((a - b).abs() <= apart / 16.0);
            }
        }
    }

    #[test]
    fn frames_of_both_spellings_are_read_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut movie = RegisteredMovie::create(folder.path(), 2).unwrap();
        movie.push(&[1.0, 500.0, 1e30, 0.5, 0.25, 7.0]).unwrap();
        movie.push(&[9.0, 10.0]).unwrap();
        let mut out = [0.0; 4];
        movie.read(1, &mut out).unwrap();
        assert_eq!(out[..2], [1e30, 0.5]);
        movie.read(2, &mut out).unwrap();
        assert_eq!(out[2..], [9.0, 10.0]);
        assert_eq!(movie.len(), 4);
    }
}
