//! One plane and channel of a recording, as the segmentation reads it.

use dropscope_recording::{FrameBuffer, Recording, RecordingError};
use dropscope_segmentation::{FrameSource, SourceError};
use rayon::prelude::*;

/// Frames read at a time: enough for every core, little to hold.
const BATCH: usize = 16;

/// Frames of one plane and channel; holds a few frames at a time.
pub struct PlaneSource<'a> {
    recording: &'a Recording,
    plane: usize,
    channel: usize,
    buffers: Vec<FrameBuffer>,
}

impl<'a> PlaneSource<'a> {
    /// The frames of `plane` and `channel`, each counted from 0.
    pub fn new(recording: &'a Recording, plane: usize, channel: usize) -> Self {
        Self { recording, plane, channel, buffers: Vec::new() }
    }
}

impl FrameSource for PlaneSource<'_> {
    fn frames(&self) -> usize {
        self.recording.info().frames
    }

    fn shape(&self) -> (usize, usize) {
        (self.recording.info().height, self.recording.info().width)
    }

    fn read(&mut self, index: usize, out: &mut [f32]) -> Result<(), SourceError> {
        self.read_all(&[index], out)
    }

    fn read_all(&mut self, indices: &[usize], out: &mut [f32]) -> Result<(), SourceError> {
        let info = self.recording.info();
        let pixels = info.height * info.width;
        self.buffers.resize_with(BATCH.min(indices.len()).max(self.buffers.len()), FrameBuffer::new);
        for (indices, out) in indices.chunks(BATCH).zip(out.chunks_mut(BATCH * pixels)) {
            let pages: Vec<usize> = indices.iter().map(|&index| self.page(index)).collect::<Result<_, _>>()?;
            let buffers = &mut self.buffers[..pages.len()];
            let failed = |error| SourceError { index: indices[0], source: Box::new(error) };
            self.recording.read_pages(&pages, buffers).map_err(failed)?;
            buffers.par_iter().zip(out.par_chunks_mut(pixels)).for_each(|(buffer, frame)| buffer.write_f32(frame));
        }
        Ok(())
    }
}

impl PlaneSource<'_> {
    fn page(&self, index: usize) -> Result<usize, SourceError> {
        let pages = self.recording.info().pages;
        let missing = || SourceError { index, source: Box::new(RecordingError::NoSuchPage { page: index, pages }) };
        self.recording.page_of(index, self.plane, self.channel).ok_or_else(missing)
    }
}
