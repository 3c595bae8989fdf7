//! The registered movie on disk: lossless, one frame at a time in a spelling that fits it.

use crate::SegmentError;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How the pixels of one frame are stored; integers take half the disk.
#[derive(Debug, Clone, Copy)]
enum Spelling {
    U16,
    F32,
}

/// A movie being written, then read back in any order. The file goes when this goes.
pub(crate) struct RegisteredMovie {
    path: PathBuf,
    file: BufWriter<File>,
    pixels: usize,
    frames: Vec<(u64, Spelling)>,
    end: u64,
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
        Ok(Self { file: BufWriter::with_capacity(1 << 20, file), path, pixels, frames: Vec::new(), end: 0 })
    }

    /// Appends one frame.
    pub(crate) fn push(&mut self, frame: &[f32]) -> Result<(), SegmentError> {
        // -0.0 would come back as 0.0, and the movie promises the same bits.
        let integral = |v: f32| v == f32::from(v as u16) && !(v == 0.0 && v.is_sign_negative());
        let (bytes, spelling): (Vec<u8>, _) = if frame.iter().all(|&v| integral(v)) {
            let ints = frame.iter().flat_map(|&v| (v as u16).to_le_bytes());
            (ints.collect(), Spelling::U16)
        } else {
            let floats = frame.iter().flat_map(|v| v.to_le_bytes());
            (floats.collect(), Spelling::F32)
        };
        self.frames.push((self.end, spelling));
        self.end += bytes.len() as u64;
        let written = self.file.write_all(&bytes);
        written.map_err(|source| failed(&self.path, source))
    }

    /// Number of frames written so far.
    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    /// Reads frames `first..first + out.len() / pixels`.
    pub(crate) fn read(&mut self, first: usize, out: &mut [f32]) -> Result<(), SegmentError> {
        let done = self.try_read(first, out);
        done.map_err(|source| failed(&self.path, source))
    }

    fn try_read(&mut self, first: usize, out: &mut [f32]) -> std::io::Result<()> {
        self.file.flush()?;
        let file = self.file.get_mut();
        let mut bytes = Vec::new();
        let slots = self.frames.iter().skip(first);
        for (target, &(at, spelling)) in out.chunks_exact_mut(self.pixels).zip(slots) {
            let width = match spelling {
                Spelling::U16 => 2,
                Spelling::F32 => 4,
            };
            bytes.resize(self.pixels * width, 0);
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut bytes)?;
            decode(&bytes, spelling, target);
        }
        file.seek(SeekFrom::Start(self.end))?;
        Ok(())
    }
}

impl Drop for RegisteredMovie {
    fn drop(&mut self) {
        // A file that is gone already is what was wanted.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn decode(bytes: &[u8], spelling: Spelling, out: &mut [f32]) {
    match spelling {
        Spelling::U16 => {
            for (o, b) in out.iter_mut().zip(bytes.chunks_exact(2)) {
                *o = f32::from(u16::from_le_bytes([b[0], b[1]]));
            }
        }
        Spelling::F32 => {
            for (o, b) in out.iter_mut().zip(bytes.chunks_exact(4)) {
                *o = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
            }
        }
    }
}

fn failed(path: &Path, source: std::io::Error) -> SegmentError {
    SegmentError::Scratch { path: path.display().to_string(), source }
}

/// Frames to hold at once: at most 256, at most 128 MB, at least one.
pub(crate) fn chunk_frames(pixels: usize) -> usize {
    ((128 << 20) / (4 * pixels.max(1))).clamp(1, 256)
}
