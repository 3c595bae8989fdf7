//! A few pages at a time: enough to keep every core busy, little enough to stay in memory.

use std::ops::Range;

use dropscope_recording::{FrameBuffer, Info, Recording, RecordingError};

/// Bytes of pixels in one batch, one page at least.
const BATCH_BYTES: usize = 8 << 20;
/// Pages of one batch however small they are: between batches progress is told, and a pass can be stopped.
const BATCH_PAGES: usize = 64;

/// One page in hand.
#[derive(Clone, Copy)]
pub(crate) struct Page<'a> {
    /// Plane, from 0.
    pub(crate) plane: usize,
    pub(crate) buffer: &'a FrameBuffer,
}

/// Pages in the order of time, planes of a time point one after the other.
#[derive(Default)]
pub(crate) struct Batch {
    planes: Vec<usize>,
    /// As many as the largest batch had pages.
    buffers: Vec<FrameBuffer>,
}

impl Batch {
    /// Reads `pages`, counted from 0 over the planes of the listed `times`; earlier buffers are used again.
    pub(crate) fn read(&mut self, recording: &Recording, times: &[usize], pages: Range<usize>) -> Result<(), RecordingError> {
        let info = recording.info();
        let numbers: Option<Vec<usize>> =
            pages.clone().map(|index| recording.page_of(*times.get(index / info.planes)?, index % info.planes, 0)).collect();
        let numbers = numbers.ok_or(RecordingError::NoSuchPage { page: pages.end, pages: info.pages })?;
        self.planes = pages.map(|index| index % info.planes).collect();
        self.buffers.resize_with(self.buffers.len().max(numbers.len()), FrameBuffer::new);
        recording.read_pages(&numbers, &mut self.buffers[..numbers.len()])
    }

    /// Returns the pages that were read last.
    pub(crate) fn pages(&self) -> Vec<Page<'_>> {
        self.planes.iter().zip(&self.buffers).map(|(plane, buffer)| Page { plane: *plane, buffer }).collect()
    }
}

/// Returns the pages of one batch.
pub(crate) fn capacity(info: &Info) -> usize {
    let page = (info.height * info.width * info.dtype.bytes()).max(1);
    (BATCH_BYTES / page).clamp(1, BATCH_PAGES)
}
