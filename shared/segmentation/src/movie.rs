//! The registered movie: never stored, but made again of the recording, the displacements and the gains wherever it is
//! looked at.
//!
//! Moving a frame takes less time than writing it to a disk and reading it back, and a machine without a disk will do.

use crate::pipeline::Watch;
use crate::registration::{Path, read_clean, warp};
use crate::{FrameSource, SegmentError, Viewer};
use rayon::prelude::*;

/// Frames of `source`, every part of each moved onto the reference, all of one brightness.
pub(crate) struct RegisteredMovie<'a> {
    source: &'a mut dyn FrameSource,
    path: Path,
    raw: Vec<f32>,
}

impl<'a> RegisteredMovie<'a> {
    /// `path` has the displacements of every frame of `source`.
    pub(crate) fn new(source: &'a mut dyn FrameSource, path: Path) -> Self {
        Self { source, path, raw: Vec::new() }
    }

    /// Number of frames.
    pub(crate) fn len(&self) -> usize {
        self.path.fields.len()
    }

    /// Where every part of every frame lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Frames `first..first + out.len() / pixels`.
    pub(crate) fn read(&mut self, first: usize, out: &mut [f32]) -> Result<(), SegmentError> {
        let grid = &self.path.grid;
        let pixels = grid.plane.pixels();
        let indices: Vec<usize> = (first..first + out.len() / pixels).collect();
        self.raw.resize(out.len(), 0.0);
        read_clean(self.source, &indices, &mut self.raw)?;
        let pairs = self.raw.par_chunks_exact(pixels).zip(out.par_chunks_exact_mut(pixels));
        let gains = &self.path.gains;
        pairs.zip(&self.path.fields[first..]).enumerate().for_each(|(i, ((frame, out), field))| {
            warp(frame, grid, field, out);
            gains.at(first + i).apply(out);
        });
        Ok(())
    }
}

impl RegisteredMovie<'_> {
    /// Shows every frame, some at a time.
    pub(crate) fn show(&mut self, viewer: &mut dyn Viewer, watch: &Watch) -> Result<(), SegmentError> {
        let (frames, pixels) = (self.len(), self.path.grid.plane.pixels());
        let chunk = chunk_frames(pixels).min(frames);
        let mut held = vec![0.0; chunk * pixels];
        for first in (0..frames).step_by(chunk.max(1)) {
            watch.check()?;
            let some = &mut held[..chunk.min(frames - first) * pixels];
            self.read(first, some)?;
            viewer.frames(first, some).map_err(SegmentError::Shown)?;
        }
        Ok(())
    }
}

/// Frames to hold at once: at most 256, at most 32 MB, at least one.
pub(crate) fn chunk_frames(pixels: usize) -> usize {
    ((32 << 20) / (4 * pixels.max(1))).clamp(1, 256)
}
