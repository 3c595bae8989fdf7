//! A movie in memory.

use dropscope_segmentation::{FrameSource, SourceError};

/// Frames of one shape (height, width), row-major.
pub(crate) struct Movie {
    pub(crate) shape: (usize, usize),
    pub(crate) frames: Vec<Vec<f32>>,
}

impl FrameSource for Movie {
    fn frames(&self) -> usize {
        self.frames.len()
    }
    fn shape(&self) -> (usize, usize) {
        self.shape
    }
    fn read(&mut self, index: usize, out: &mut [f32]) -> Result<(), SourceError> {
        out.copy_from_slice(&self.frames[index]);
        Ok(())
    }
}
