//! One file of a recording, its headers checked, its pages read on demand.

use std::ops::Range;
use std::sync::Arc;

use crate::bytes::{Bytes, ReadAt};
use crate::decode::{DecodeFault, Scratch, Wanted};
use crate::ifd::{Fault, Header, Ifd};
use crate::index::PageIndex;
use crate::page::{Page, Shape};
use crate::stride::Stride;
use crate::{FrameBuffer, Limits, RecordingError, SampleType};

/// What reading the pages of one file needs to know.
pub(crate) struct Part {
    pub(crate) source: Arc<dyn ReadAt>,
    /// Bytes of the file when its headers were read.
    pub(crate) len: u64,
    pub(crate) header: Header,
    pub(crate) index: PageIndex,
    pub(crate) stride: Option<Stride>,
    pub(crate) shape: Shape,
}

impl Part {
    /// Pages in all: each sample of a pixel counts as one.
    pub(crate) fn pages(&self) -> usize {
        self.index.len().saturating_mul(self.shape.samples)
    }

    /// Where the samples of a page lie, if they lie in one piece.
    pub(crate) fn place(&self, page: usize) -> Option<Range<u64>> {
        match &self.index {
            PageIndex::Plain(runs) => runs.get(page).map(|start| start..start + self.shape.bytes() as u64),
            PageIndex::Directories(_) => None,
        }
    }

    /// Reads one page, counted from 0, into `out`, which takes its shape and the type `dtype`.
    pub(crate) fn read(
        &self,
        page: usize,
        dtype: SampleType,
        scratch: &mut Scratch,
        limits: &Limits,
        out: &mut FrameBuffer,
    ) -> Result<(), RecordingError> {
        let missing = RecordingError::NoSuchPage { page, pages: self.pages() };
        let mut bytes = Bytes::of_page(self.source.clone(), self.len);
        let order = self.header.order;
        (out.height, out.width) = (self.shape.height, self.shape.width);
        match &self.index {
            PageIndex::Plain(runs) => {
                let offset = runs.get(page).ok_or(missing)?;
                if let Some(stride) = &self.stride {
                    stride.check(&mut bytes, self.header, page, limits)?;
                }
                let samples = self.shape.height * self.shape.width;
                out.pixels.read_into(dtype, samples, order, |room| self.source.read_exact_at(offset, room))?;
            }
            PageIndex::Directories(offsets) => {
                // Each directory holds `samples` pages, one channel beside the other.
                let offset = *offsets.get(page / self.shape.samples).ok_or(missing)?;
                let layout = self.page_at(&mut bytes, offset, limits)?;
                let wanted = Wanted { order, sample: page % self.shape.samples, dtype };
                scratch.read_chunks(&mut bytes, &layout, wanted, &mut out.pixels).map_err(|fault| match fault {
                    DecodeFault::Io(error) => error.into(),
                    DecodeFault::Damaged(source) => RecordingError::does_not_unpack(page, source),
                })?;
            }
        }
        if dtype != self.shape.stored {
            out.pixels.subtract_32768();
        }
        Ok(())
    }

    /// Reads the directory at `offset` again, for the places of its strips or tiles.
    fn page_at(&self, bytes: &mut Bytes, offset: u64, limits: &Limits) -> Result<Page, RecordingError> {
        let changed = || RecordingError::corrupt("the file changed while it was read");
        let page =
            Ifd::read(bytes, self.header, offset, limits).and_then(|ifd| Page::read(&ifd, bytes, limits)).map_err(|fault| {
                match fault {
                    Fault::PastEnd => changed(),
                    Fault::Refused(error) => error,
                }
            })?;
        if page.shape == self.shape { Ok(page) } else { Err(changed()) }
    }
}
