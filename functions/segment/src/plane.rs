//! One plane and channel of a recording, as the segmentation reads it.

use dropscope_recording::{FrameBuffer, Recording, RecordingError};
use dropscope_segmentation::{FrameSource, SourceError};

/// Frames of one plane and channel; holds one frame at a time.
pub struct PlaneSource<'a> {
    recording: &'a Recording,
    plane: usize,
    channel: usize,
    buffer: FrameBuffer,
}

impl<'a> PlaneSource<'a> {
    /// The frames of `plane` and `channel`, each counted from 0.
    pub fn new(recording: &'a Recording, plane: usize, channel: usize) -> Self {
        Self { recording, plane, channel, buffer: FrameBuffer::new() }
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
        let failed = |error: RecordingError| SourceError { index, source: Box::new(error) };
        let pages = self.recording.info().pages;
        let page = self.recording.page_of(index, self.plane, self.channel);
        let page = page.ok_or_else(|| failed(RecordingError::NoSuchPage { page: index, pages }))?;
        self.recording.read_page(page, &mut self.buffer).map_err(failed)?;
        self.buffer.write_f32(out);
        Ok(())
    }
}
