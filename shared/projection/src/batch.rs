//! A few pages at a time: enough to keep every core busy, little enough to stay in memory.

use std::ops::Range;

use dropscope_recording::{FrameBuffer, Info, Recording, RecordingError};

/// Bytes of pixels in one batch, one page at least.
const BATCH_BYTES: usize = 16 << 20;
/// Narrow samples are added up in 32 bits within a batch: 65 535 × 64 is far below.
const BATCH_PAGES: usize = 64;

/// One page in hand.
pub(crate) struct Page {
    /// Plane, from 0.
    pub(crate) plane: usize,
    pub(crate) buffer: FrameBuffer,
}

/// Pages in the order of time, planes of a time point one after the other.
#[derive(Default)]
pub(crate) struct Batch {
    pages: Vec<Page>,
    used: usize,
}

impl Batch {
    /// Reads `pages`, counted from 0 over the planes of the listed `times`; earlier buffers are used again.
    pub(crate) fn read(&mut self, recording: &Recording, times: &[usize], pages: Range<usize>) -> Result<(), RecordingError> {
        let planes = recording.info().planes;
        self.used = 0;
        for index in pages {
            let plane = index % planes;
            let missing = || RecordingError::NoSuchPage { page: index, pages: recording.info().pages };
            let time = *times.get(index / planes).ok_or_else(missing)?;
            let page = recording.page_of(time, plane, 0).ok_or_else(missing)?;
            if self.used == self.pages.len() {
                self.pages.push(Page { plane, buffer: FrameBuffer::new() });
            }
            let slot = &mut self.pages[self.used];
            slot.plane = plane;
            recording.read_page(page, &mut slot.buffer)?;
            self.used += 1;
        }
        Ok(())
    }

    /// Returns the pages that were read last.
    pub(crate) fn pages(&self) -> &[Page] {
        &self.pages[..self.used]
    }
}

/// Returns the pages of one batch.
pub(crate) fn capacity(info: &Info) -> usize {
    let page = (info.height * info.width * info.dtype.bytes()).max(1);
    (BATCH_BYTES / page).clamp(1, BATCH_PAGES)
}
